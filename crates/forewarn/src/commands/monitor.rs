//! `forewarn monitor`: all windows that were missed, or the one that is asked for.

use app::monitor::{MonitorRequest, Period};
use app::{CheckError, Practices};

use super::Status;
use super::check::{impossible, json, now, state};
use crate::cli::{self, Format, MonitorOptions};
use crate::terminal::progress::ProgressLine;
use crate::terminal::{diagnostic, monitoring, output};

pub(crate) fn run(options: &MonitorOptions) -> Status {
    if options.check.window.is_some() {
        return super::check::run(&options.check, Practices::Monitor);
    }
    if options.check.format == Format::Junit {
        // Said before anything is read or recorded.
        output::error(&diagnostic::error(
            "JUnit holds one check, not a series: give --window, or --format json or markdown",
        ));
        return Status::Impossible;
    }
    let request = MonitorRequest {
        path: options.check.path.clone(),
        since: options.since,
        as_of: options.check.as_of,
        period: match options.report {
            cli::Period::Weekly => Period::Weekly,
            cli::Period::Monthly => Period::Monthly,
            cli::Period::Quarterly => Period::Quarterly,
        },
    };
    let mut progress = ProgressLine::default();
    let outcome = state(&options.check.path, &options.check.state)
        .map_err(CheckError::Evidence)
        .and_then(|state| app::monitor::run(&request, &state, now(), &mut |stage| progress.show(&stage)));
    progress.clear();
    let outcome = match outcome {
        Ok(outcome) => outcome,
        Err(error) => return impossible(&error),
    };
    if let Some(path) = &options.check.html
        && let Err(error) = std::fs::write(path, view::monitoring::html(&outcome.report))
    {
        output::error(&diagnostic::error(&format!("failed to write `{}`: {error}", path.display())));
        return Status::Impossible;
    }
    let text = match options.check.format {
        Format::Text | Format::Junit => monitoring::text(&outcome, options.check.html.as_deref()),
        Format::Json => match json(&outcome.report) {
            Ok(json) => json,
            Err(error) => {
                output::error(&diagnostic::error(&format!("the report cannot be written as JSON: {error}")));
                return Status::Impossible;
            }
        },
        Format::Markdown => view::monitoring::markdown(&outcome.report),
    };
    output::print(&text);
    if outcome.report.gates_open() { Status::Fine } else { Status::Shut }
}
