//! `forewarn verify`.

use std::path::Path;

use app::evidence_file::{self, EvidenceFileError};
use app::{CheckError, StateError, StoreError, system_id};
use types::evidence::Checkpoint;
use types::format::counted;

use super::Status;
use super::check::{impossible, state};
use crate::cli::VerifyOptions;
use crate::terminal::{diagnostic, output};

pub(crate) fn run(options: &VerifyOptions) -> Status {
    if options.path.extension().is_some_and(|extension| extension == "jsonl") {
        return file(&options.path, options.checkpoint);
    }
    let chain = system_id(&options.path).and_then(|system| {
        let state = state(&options.path, &options.state)?;
        let verified = state.verify(&system, options.checkpoint)?;
        Ok((verified, state.shown()))
    });
    match chain {
        Ok((Some(end), shown)) => {
            output::print(&proven(end, &shown, options.checkpoint));
            Status::Fine
        }
        Ok((None, shown)) => {
            let message = format!("there is no evidence in `{shown}`; `forewarn check` records some");
            output::error(&diagnostic::error(&message));
            Status::Impossible
        }
        Err(CheckError::Evidence(
            error @ (StateError::Checkpoint(_)
            | StateError::Store(StoreError::Broken { .. })
            | StateError::Earlier(EvidenceFileError::Broken { .. })),
        )) => shut(&error.to_string()),
        Err(error) => impossible(&error),
    }
}

/// Evidence that was exported.
fn file(path: &Path, checkpoint: Option<Checkpoint>) -> Status {
    let verified = evidence_file::read(path).and_then(|file| Ok((file.verify(checkpoint)?.1, file.torn)));
    match verified {
        Ok((end, torn)) => {
            let mut text = proven(end, &path.display().to_string(), checkpoint);
            if torn {
                text.push_str("The last line was cut off while it was written; it is not counted.\n");
            }
            output::print(&text);
            Status::Fine
        }
        Err(error @ EvidenceFileError::Broken { .. }) => shut(&error.to_string()),
        Err(error) => {
            output::error(&diagnostic::error(&error.to_string()));
            Status::Impossible
        }
    }
}

fn proven(end: Checkpoint, shown: &str, checkpoint: Option<Checkpoint>) -> String {
    let proven = if checkpoint.is_some() {
        "unchanged, and nothing was cut since the checkpoint"
    } else {
        "unchanged (a checkpoint from elsewhere would also show a cut tail)"
    };
    format!("{} in {shown}: {proven}.\nCheckpoint: {end}\n", counted(end.records, "record", "records"))
}

fn shut(message: &str) -> Status {
    output::error(&diagnostic::error(message));
    Status::Shut
}
