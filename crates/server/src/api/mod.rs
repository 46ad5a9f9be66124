//! The JSON API: what the pages show and do, for programs, and what programs hand in.
//!
//! Every route is described where it is answered, and [`DOCUMENT`] is made of these descriptions.

mod about;
mod alerts;
pub(crate) mod channels;
mod document;
mod evidence;
mod intake;
pub(crate) mod jobs;
mod schema;
mod silences;
mod systems;

use axum::Router;
use axum::extract::DefaultBodyLimit;
use axum::http::{Method, StatusCode, Uri};
use axum::middleware;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use crate::problem::Problem;
use crate::{Shared, auth, reply};

pub(crate) use document::DOCUMENT;
pub(crate) use schema::words;

/// Where the API is.
pub(crate) const BASE: &str = "/api/v1";
/// The largest body of rows or evidence, as it is sent.
const ROWS_BYTES_MAX: usize = 64 << 20;
/// The largest body of anything else.
const BODY_BYTES_MAX: usize = 1 << 20;

/// Everything below `/api/v1`.
pub(crate) fn router() -> Router<Shared> {
    guarded(routes().split_for_parts().0)
}

/// All routes with their descriptions.
fn routes() -> OpenApiRouter<Shared> {
    let large = OpenApiRouter::new()
        .routes(routes!(evidence::list, evidence::push))
        .routes(routes!(intake::predictions))
        .routes(routes!(intake::outcomes))
        .layer(DefaultBodyLimit::max(ROWS_BYTES_MAX));
    OpenApiRouter::new()
        .routes(routes!(systems::list))
        .routes(routes!(systems::one))
        .routes(routes!(systems::findings))
        .routes(routes!(systems::gates))
        .routes(routes!(systems::over_time))
        .routes(routes!(systems::definitions))
        .routes(routes!(evidence::one))
        .routes(routes!(evidence::export))
        .routes(routes!(evidence::verification, evidence::verify))
        .routes(routes!(alerts::list))
        .routes(routes!(alerts::one))
        .routes(routes!(alerts::acknowledge))
        .routes(routes!(alerts::silence))
        .routes(routes!(silences::list, silences::create))
        .routes(routes!(silences::end))
        .routes(routes!(jobs::list, jobs::run))
        .routes(routes!(jobs::upcoming))
        .routes(routes!(jobs::one))
        .routes(routes!(channels::list))
        .routes(routes!(channels::test))
        .routes(routes!(about::me))
        .routes(routes!(about::search))
        .routes(routes!(about::version))
        .routes(routes!(about::openapi))
        .merge(large)
        .merge(auth::api_routes())
}

/// Routes with what holds of all of them: the size of bodies, tags of what is read, and problems where there
/// is nothing.
pub(crate) fn guarded<S: Clone + Send + Sync + 'static>(routes: Router<S>) -> Router<S> {
    routes
        .method_not_allowed_fallback(not_that_way)
        .fallback(nothing)
        .layer(middleware::from_fn(reply::tagged))
        .layer(DefaultBodyLimit::max(BODY_BYTES_MAX))
}

async fn nothing(uri: Uri) -> Problem {
    Problem::not_found(format!(
        "There is nothing at `{BASE}{}`; {BASE}/openapi.json has what there is.",
        uri.path()
    ))
}

/// `Allow` says what can be done instead.
async fn not_that_way(method: Method) -> Problem {
    Problem::new(
        StatusCode::METHOD_NOT_ALLOWED,
        format!("`{method}` is not done here; `Allow` says what is."),
    )
}
