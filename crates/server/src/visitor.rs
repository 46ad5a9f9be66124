//! What a page says of whoever reads it, and work that waits.

use types::access::{Action, Caller};
use view::site::Reader;

use crate::auth::Signed;
use crate::problem::Problem;

/// Who is reading, and what they may do.
pub(crate) fn reader(signed: &Signed) -> Reader {
    let caller = &signed.caller;
    Reader {
        name: caller.name().to_owned(),
        role: caller.permission.role.shown().to_owned(),
        may_act: caller.may(Action::Acknowledge, None),
        may_manage: caller.may(Action::Administer, None),
        signed_in: signed.session.is_some(),
    }
}

/// Whether they may see a system.
pub(crate) fn sees(caller: &Caller, system: &str) -> bool {
    caller.may(Action::Read, Some(system))
}

/// Runs what waits for the database or the disk on a thread that may.
pub(crate) async fn blocking<T: Send + 'static>(
    work: impl FnOnce() -> Result<T, Problem> + Send + 'static,
) -> Result<T, Problem> {
    tokio::task::spawn_blocking(work).await.unwrap_or_else(|error| {
        log::error!("a request could not be answered: {error}");
        Err(Problem::internal())
    })
}
