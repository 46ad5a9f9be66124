//! Whether the process lives, and whether it can do its work.

use axum::extract::State;

use crate::Shared;
use crate::problem::Problem;
use crate::visitor::blocking;

pub(crate) async fn alive() -> &'static str {
    "ok\n"
}

/// The database answers.
pub(crate) async fn ready(State(shared): State<Shared>) -> Result<&'static str, Problem> {
    blocking(move || Ok(shared.service.store().ping()?)).await?;
    Ok("ok\n")
}
