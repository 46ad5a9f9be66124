//! The JSON API: what the pages show, for programs, and what programs hand in.

mod evidence;
mod systems;

use axum::Router;
use axum::routing::get;

use crate::Shared;

/// Everything below `/api/v1`.
pub(crate) fn router() -> Router<Shared> {
    Router::new()
        .route("/systems", get(systems::list))
        .route("/systems/{id}", get(systems::one))
        .route("/systems/{id}/findings", get(systems::findings))
        .route("/systems/{id}/gates", get(systems::gates))
        .route("/systems/{id}/evidence", get(evidence::list).post(evidence::push))
}
