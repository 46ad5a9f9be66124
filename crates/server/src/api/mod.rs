//! The JSON API: what the pages show, for programs, and what programs hand in.

mod evidence;
mod intake;
mod systems;

use axum::Router;
use axum::extract::DefaultBodyLimit;
use axum::http::Uri;
use axum::routing::{get, post};

use crate::Shared;
use crate::problem::Problem;

/// The largest body, as it is sent.
const BODY_BYTES_MAX: usize = 64 << 20;

/// Everything below `/api/v1`.
pub(crate) fn router() -> Router<Shared> {
    Router::new()
        .route("/systems", get(systems::list))
        .route("/systems/{id}", get(systems::one))
        .route("/systems/{id}/findings", get(systems::findings))
        .route("/systems/{id}/gates", get(systems::gates))
        .route("/systems/{id}/evidence", get(evidence::list).post(evidence::push))
        .route("/systems/{id}/predictions", post(intake::predictions))
        .route("/systems/{id}/outcomes", post(intake::outcomes))
        .fallback(nothing)
        .layer(DefaultBodyLimit::max(BODY_BYTES_MAX))
}

async fn nothing(uri: Uri) -> Problem {
    Problem::not_found(format!("There is nothing at `{}`; docs/serve.md lists what there is.", uri.path()))
}
