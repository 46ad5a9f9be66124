//! Who asks, and work that waits.

use view::site::Reader;

use crate::problem::Problem;

/// Whoever sent a request, and what they may do.
#[derive(Clone, Debug)]
pub(crate) struct Visitor {
    pub(crate) reader: Reader,
    pub(crate) csrf: String,
}

impl Visitor {
    /// Whoever is at this machine, where nobody has to sign in.
    pub(crate) fn local() -> Self {
        let reader = Reader {
            name: "Local".into(),
            role: "admin".into(),
            may_act: true,
            may_manage: true,
            signed_in: false,
        };
        Self { reader, csrf: String::new() }
    }

    /// Whether they may see a system.
    pub(crate) fn may_see(&self, _system: &str) -> bool {
        true
    }
}

/// Runs what waits for the database or the disk on a thread that may.
pub(crate) async fn blocking<T: Send + 'static>(
    work: impl FnOnce() -> Result<T, Problem> + Send + 'static,
) -> Result<T, Problem> {
    tokio::task::spawn_blocking(work).await.unwrap_or_else(|error| {
        log::error!("a request could not be answered: {error}");
        Err(Problem::Internal)
    })
}
