//! The HTTP server: pages for people, JSON for programs, and what keeps both safe. The only crate that
//! serves HTTP.
//!
//! A request is answered from what `app` puts together; work that waits for the database or the disk is
//! done on threads that may wait. [`place`] says what a path asks for, [`pages`] and [`api`] answer it.

mod api;
mod cookie;
mod events;
mod forms;
mod health;
mod listen;
mod pages;
mod place;
mod problem;
mod reply;
mod visitor;

use std::sync::Arc;

use app::schedule::Scheduler;
use app::service::Service;
use axum::Router;
use axum::routing::get;

pub use events::Events;
pub use listen::{Listening, ServeError, Tls, serve};

/// What every handler shares.
#[derive(Clone)]
pub struct Shared {
    pub service: Arc<Service>,
    pub scheduler: Arc<Scheduler>,
    pub events: Events,
    /// Has alerts evaluated at once.
    pub look: Arc<dyn Fn() + Send + Sync>,
    /// Name and version of the program.
    pub program: &'static str,
}

impl std::fmt::Debug for Shared {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Shared").field("service", &self.service).finish_non_exhaustive()
    }
}

/// All routes.
pub fn router(shared: Shared) -> Router {
    Router::new()
        .route("/healthz", get(health::alive))
        .route("/readyz", get(health::ready))
        .route("/events", get(events::stream))
        .nest("/api/v1", api::router())
        .fallback(pages::answer)
        .layer(axum::middleware::map_response(reply::secure))
        .with_state(shared)
}
