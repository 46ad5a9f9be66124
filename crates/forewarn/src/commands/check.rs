//! `forewarn check`, `monitor` and `evaluate`.

use std::path::Path;

use app::remote::Remote;
use app::{CheckError, CheckOutcome, CheckRequest, Practices, State, StateError, definition_folder};
use jiff::Timestamp;

use super::Status;
use crate::cli::{CheckOptions, Format, StateOptions};
use crate::terminal::progress::ProgressLine;
use crate::terminal::{diagnostic, output, report};

pub(crate) fn run(options: &CheckOptions, practices: Practices) -> Status {
    let request =
        CheckRequest { path: options.path.clone(), practices, window: options.window, as_of: options.as_of };
    let mut progress = ProgressLine::default();
    let outcome = state(&options.path, &options.state)
        .map_err(CheckError::Evidence)
        .and_then(|state| app::check::run(&request, &state, now(), &mut |stage| progress.show(&stage)));
    progress.clear();
    shown(outcome, options)
}

/// Writes what a check came to, where and as what it is asked for.
pub(crate) fn shown(outcome: Result<CheckOutcome, CheckError>, options: &CheckOptions) -> Status {
    let outcome = match outcome {
        Ok(outcome) => outcome,
        Err(error) => return impossible(&error),
    };
    if let Some(path) = &options.html
        && let Err(error) = std::fs::write(path, view::report::html(&outcome.report))
    {
        output::error(&diagnostic::error(&format!("failed to write `{}`: {error}", path.display())));
        return Status::Impossible;
    }
    let text = match options.format {
        Format::Text => report::text(&outcome, options.html.as_deref()),
        Format::Json => match json(&outcome.report) {
            Ok(json) => json,
            Err(error) => {
                output::error(&diagnostic::error(&format!("the report cannot be written as JSON: {error}")));
                return Status::Impossible;
            }
        },
        Format::Junit => view::junit::junit(&outcome.report),
        Format::Markdown => view::markdown::markdown(&outcome.report),
    };
    output::print(&text);
    if outcome.report.gates_open() { Status::Fine } else { Status::Shut }
}

/// The state of a folder's system, or the one that is asked for.
pub(crate) fn state(path: &Path, options: &StateOptions) -> Result<State, StateError> {
    match &options.server {
        Some(url) => Ok(State::on_server(Remote::new(url.clone(), options.token.clone()))),
        None => State::beside(&definition_folder(path), options.database.clone()),
    }
}

/// Says why something could not be done, with the line of the definition where there is one.
pub(crate) fn impossible(error: &CheckError) -> Status {
    output::error(&match error {
        CheckError::Definition { path, text, error } => diagnostic::definition_error(path, text, error),
        error => diagnostic::error(&error.to_string()),
    });
    Status::Impossible
}

/// Now, to the second: nobody reads more of it.
pub(crate) fn now() -> Timestamp {
    let now = Timestamp::now();
    Timestamp::from_second(now.as_second()).unwrap_or(now)
}

pub(crate) fn json(report: &impl serde::Serialize) -> Result<String, serde_json::Error> {
    serde_json::to_string_pretty(report).map(|text| text + "\n")
}
