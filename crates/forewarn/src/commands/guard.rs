//! `forewarn guard`.

use app::guard::{self, GuardError, GuardRequest};

use super::Status;
use super::check::impossible;
use crate::cli::GuardOptions;
use crate::terminal::{diagnostic, logger, output};

pub(crate) fn run(options: &GuardOptions) -> Status {
    logger::install();
    let request =
        GuardRequest { path: options.path.clone(), listen: options.listen, policy: options.policy.clone() };
    let served = guard::open(&request).and_then(|opened| {
        let mut text = format!("Guarding {} at {}\n", opened.upstream(), opened.url());
        for note in &opened.notes {
            text.push_str(&format!("Note      {note}\n"));
        }
        output::print(&(text + "Stop with Ctrl-C.\n"));
        opened.serve()
    });
    match served {
        Ok(()) => Status::Fine,
        Err(GuardError::Check(error)) => impossible(&error),
        Err(error) => {
            output::error(&diagnostic::error(&error.to_string()));
            Status::Impossible
        }
    }
}
