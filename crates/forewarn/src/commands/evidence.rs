//! `forewarn evidence export` and `import`.

use app::{CheckError, evidence_file, system_id};
use types::format::counted;

use super::Status;
use super::check::{impossible, state};
use crate::cli::EvidenceCommand;
use crate::terminal::output;

pub(crate) fn run(command: &EvidenceCommand) -> Status {
    match text(command) {
        Ok(text) => {
            output::print(&text);
            Status::Fine
        }
        Err(error) => impossible(&error),
    }
}

fn text(command: &EvidenceCommand) -> Result<String, CheckError> {
    match command {
        EvidenceCommand::Export { path, state: options } => {
            let lines = state(path, options)?.lines(&system_id(path)?)?;
            Ok(lines.iter().map(|line| format!("{line}\n")).collect())
        }
        EvidenceCommand::Import { file, path, state: options } => {
            let (system, state) = (system_id(path)?, state(path, options)?);
            let exported = evidence_file::read(file).map_err(app::StateError::Earlier)?;
            let before = state.chain(&system)?.end.records;
            let end = state.import(&system, &exported)?;
            Ok(format!(
                "{} taken over into {}.\nCheckpoint: {end}\n",
                counted(end.records - before, "record", "records"),
                state.shown()
            ))
        }
    }
}
