//! `forewarn stress`.

use app::CheckError;
use app::stress::StressRequest;
use types::CheckId;
use types::format::counted;

use super::Status;
use super::check::{now, shown, state};
use crate::cli::{StressCheck, StressOptions};
use crate::terminal::progress::ProgressLine;
use crate::terminal::{diagnostic, output};

pub(crate) fn run(options: &StressOptions) -> Status {
    let check = &options.check;
    let request = StressRequest {
        path: check.path.clone(),
        only: options.only.iter().map(|only| id(*only)).collect(),
        window: check.window,
        as_of: check.as_of,
    };
    let mut progress = ProgressLine::default();
    let outcome = state(&check.path, &check.state)
        .map_err(CheckError::Evidence)
        .and_then(|state| app::stress::run(&request, &state, now(), &mut |stage| progress.show(&stage)));
    progress.clear();
    if let (Some(path), Ok(outcome)) = (&options.policy, &outcome)
        && let Err(error) = std::fs::write(path, &outcome.policy)
    {
        output::error(&diagnostic::error(&format!("failed to write `{}`: {error}", path.display())));
        return Status::Impossible;
    }
    if let Ok(outcome) = &outcome
        && outcome.not_asked_again > 0
    {
        let spared = counted(outcome.not_asked_again as u64, "call", "calls");
        output::error(&format!(
            "{spared} to the model not made again: an interrupted run had the answers.\n"
        ));
    }
    shown(outcome.map(|outcome| outcome.check), check)
}

fn id(check: StressCheck) -> CheckId {
    match check {
        StressCheck::Parity => CheckId::Parity,
        StressCheck::Missing => CheckId::Missing,
        StressCheck::Faults => CheckId::Faults,
        StressCheck::Detection => CheckId::Detection,
        StressCheck::Load => CheckId::Load,
        StressCheck::Endpoint => CheckId::Endpoint,
        StressCheck::Manipulation => CheckId::Manipulation,
    }
}
