//! How many requests were answered, how, and how long it took.

use std::time::Instant;

use axum::extract::{MatchedPath, Request, State};
use axum::middleware::Next;
use axum::response::Response;
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::histogram::Histogram;
use prometheus_client::registry::{Registry, Unit};

use super::registry::Labels;

/// Upper bounds in seconds: pages are to take less than 50 ms.
const BUCKETS: [f64; 11] = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 5.0];
/// What is not one of the API's paths is a page.
const PAGES: &str = "pages";

/// Counts since the server started.
#[derive(Clone, Debug)]
pub struct HttpMetrics {
    requests: Family<Labels, Counter>,
    seconds: Family<Labels, Histogram>,
}

impl Default for HttpMetrics {
    fn default() -> Self {
        Self {
            requests: Family::default(),
            seconds: Family::new_with_constructor(|| Histogram::new(BUCKETS)),
        }
    }
}

impl HttpMetrics {
    pub(super) fn register(&self, registry: &mut Registry) {
        registry.register(
            "forewarn_http_requests",
            "Requests that were answered, by route, method and status",
            self.requests.clone(),
        );
        registry.register_with_unit(
            "forewarn_http_request_duration",
            "Time until an answer began",
            Unit::Seconds,
            self.seconds.clone(),
        );
    }
}

/// Counts a request and the time that it takes.
pub(crate) async fn measure(State(metrics): State<HttpMetrics>, request: Request, next: Next) -> Response {
    let begun = Instant::now();
    let route = request.extensions().get::<MatchedPath>().map_or(PAGES, MatchedPath::as_str).to_owned();
    let method = known_method(request.method()).to_owned();
    let response = next.run(request).await;
    let seconds = begun.elapsed().as_secs_f64();
    let status = response.status().as_u16().to_string();
    let requests = vec![("route", route.clone()), ("method", method.clone()), ("status", status)];
    metrics.requests.get_or_create(&requests).inc();
    metrics.seconds.get_or_create(&vec![("route", route), ("method", method)]).observe(seconds);
    response
}

/// A client may invent methods; each would be a series of its own.
fn known_method(method: &axum::http::Method) -> &str {
    const KNOWN: [&str; 7] = ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"];
    KNOWN.into_iter().find(|known| *known == method.as_str()).unwrap_or("other")
}
