//! One module for each command, and the exit statuses that they share.

pub(crate) mod alert;
pub(crate) mod check;
pub(crate) mod completions;
pub(crate) mod evidence;
pub(crate) mod guard;
pub(crate) mod init;
pub(crate) mod monitor;
pub(crate) mod schema;
pub(crate) mod serve;
pub(crate) mod stress;
pub(crate) mod trace;
pub(crate) mod verify;

use std::process::ExitCode;

/// How a command ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Status {
    /// Done; all gates are open.
    Fine,
    /// Done; a gate is shut, evidence is broken, or a message did not arrive.
    Shut,
    /// It could not be done; a message was printed.
    Impossible,
}

impl From<Status> for ExitCode {
    fn from(status: Status) -> Self {
        Self::from(match status {
            Status::Fine => 0,
            Status::Shut => 1,
            Status::Impossible => 2,
        })
    }
}
