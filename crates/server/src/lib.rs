//! The HTTP server: pages for people, JSON for programs, and what keeps both safe. The only crate that
//! serves HTTP.
//!
//! A request is answered from what `app` puts together; work that waits for the database or the disk is
//! done on threads that may wait. `place` says what a path asks for, `pages` and `api` answer it, [`auth`]
//! says who may.

mod api;
mod asked;
pub mod auth;
mod cookie;
mod events;
mod forms;
mod health;
mod items;
mod listen;
mod metrics;
mod pages;
mod patience;
mod place;
mod problem;
mod reply;
mod traces;
mod visitor;

use std::sync::Arc;

use app::organisation::OrganisationFile;
use app::schedule::Scheduler;
use app::service::Service;
use axum::Router;
use axum::extract::FromRef;
use axum::middleware;
use axum::routing::get;

use auth::AuthState;
pub use events::Events;
pub use listen::{Listening, ServeError, Tls, serve};
pub use metrics::HttpMetrics;
pub use traces::{Traces, TracesError};

/// The description of the API (OpenAPI 3.1), as JSON.
pub fn openapi() -> &'static str {
    &api::DOCUMENT
}

/// What every handler shares.
#[derive(Clone)]
pub struct Shared {
    pub service: Arc<Service>,
    pub scheduler: Arc<Scheduler>,
    pub events: Events,
    /// The channels that alerts go to.
    pub organisation: Arc<OrganisationFile>,
    pub auth: AuthState,
    /// Has alerts evaluated at once.
    pub look: Arc<dyn Fn() + Send + Sync>,
    /// Name and version of the program.
    pub program: &'static str,
    /// Where spans of requests go.
    pub traces: Option<Traces>,
    /// What is counted of requests.
    pub http_metrics: HttpMetrics,
}

impl std::fmt::Debug for Shared {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Shared").field("service", &self.service).finish_non_exhaustive()
    }
}

impl FromRef<Shared> for AuthState {
    fn from_ref(shared: &Shared) -> Self {
        shared.auth.clone()
    }
}

/// All routes.
pub fn router(mut shared: Shared) -> Router {
    let service = shared.service.clone();
    shared.auth = shared.auth.with_alerts(move |caller| {
        app::site::alerts::firing(&service, &|id| visitor::sees(caller, id)).unwrap_or_else(|error| {
            log::warn!("how many alerts fire is not known: {error}");
            0
        })
    });
    let (auth, counted, traces) = (shared.auth.clone(), shared.http_metrics.clone(), shared.traces.clone());
    let pages = get(pages::answer).post(forms::answer).with_state(shared.clone());
    let router = Router::new()
        .route("/healthz", get(health::alive))
        .route("/readyz", get(health::ready))
        .route("/events", get(events::stream))
        .route("/metrics", get(metrics::answer))
        .nest(api::BASE, api::router())
        .merge(auth::routes())
        .fallback_service(pages)
        .with_state(shared)
        .layer(middleware::from_fn_with_state(counted, metrics::measure));
    let router = match traces {
        Some(traces) => router.layer(middleware::from_fn_with_state(traces, traces::follow)),
        None => router,
    };
    auth::protect(router, auth).layer(middleware::from_fn(patience::limit))
}
