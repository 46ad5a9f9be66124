//! `/metrics`: how the server and what it watches are doing, as Prometheus reads it.
//!
//! Everything but the counts of requests is read when it is asked for, so that several servers on one database
//! tell the same. docs/metrics.md says what each name means; `docs/prometheus` has rules and a dashboard.

mod http;
mod process;
mod registry;

use app::site;
use axum::extract::State;
use axum::http::header;
use axum::response::{IntoResponse, Response};
use jiff::Timestamp;
use types::access::Action;

use crate::Shared;
use crate::auth::ApiCaller;
use crate::problem::Problem;
use crate::visitor::{blocking, sees};

pub use http::HttpMetrics;
pub(crate) use http::measure;

const OPEN_METRICS: &str = "application/openmetrics-text; version=1.0.0; charset=utf-8";

/// All metrics of the systems that the caller may see.
pub(crate) async fn answer(State(shared): State<Shared>, caller: ApiCaller) -> Result<Response, Problem> {
    caller.must(Action::Read, None)?;
    let text = blocking(move || {
        let may_see = |id: &str| sees(&caller.caller, id);
        let now = Timestamp::now();
        let figures = site::figures::figures(&shared.service, &shared.scheduler, &may_see, now)?;
        let mut registry = registry::registry(&figures, shared.program, now);
        shared.http_metrics.register(&mut registry);
        process::register(&mut registry);
        let mut text = String::new();
        prometheus_client::encoding::text::encode(&mut text, &registry).map_err(|error| {
            log::error!("the metrics cannot be written: {error}");
            Problem::internal()
        })?;
        Ok(text)
    })
    .await?;
    Ok(([(header::CONTENT_TYPE, OPEN_METRICS), (header::CACHE_CONTROL, "no-store")], text).into_response())
}
