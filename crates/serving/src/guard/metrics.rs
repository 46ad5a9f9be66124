//! What a guard counts, as Prometheus reads it. docs/guard.md says what each name means.

use std::time::Duration;

use prometheus_client::encoding::text::encode;
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::metrics::histogram::Histogram;
use prometheus_client::registry::{Registry, Unit};

use super::Backlog;
use super::breaker::Standing;

pub(super) const OPEN_METRICS: &str = "application/openmetrics-text; version=1.0.0; charset=utf-8";

type Labels = [(&'static str, String); 1];

/// Upper bounds in seconds.
const BUCKETS: [f64; 13] =
    [0.000_25, 0.000_5, 0.001, 0.002_5, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 5.0];

/// Counts since the guard started.
#[derive(Debug)]
pub(super) struct Metrics {
    registry: Registry,
    requests: Family<Labels, Counter>,
    pub(super) rows: Counter,
    degraded: Family<Labels, Counter>,
    pub(super) flagged: Counter,
    errors: Family<Labels, Counter>,
    pub(super) lost: Counter,
    repeated: Gauge,
    breaker: Gauge,
    waiting_rows: Gauge,
    waiting_bytes: Gauge,
    failed_syncs: Gauge,
    pub(super) whole: Histogram,
    pub(super) model: Histogram,
    pub(super) journal: Histogram,
}

impl Default for Metrics {
    fn default() -> Self {
        let mut metrics = Self {
            registry: Registry::default(),
            requests: Family::default(),
            rows: Counter::default(),
            degraded: Family::default(),
            flagged: Counter::default(),
            errors: Family::default(),
            lost: Counter::default(),
            repeated: Gauge::default(),
            breaker: Gauge::default(),
            waiting_rows: Gauge::default(),
            waiting_bytes: Gauge::default(),
            failed_syncs: Gauge::default(),
            whole: Histogram::new(BUCKETS),
            model: Histogram::new(BUCKETS),
            journal: Histogram::new(BUCKETS),
        };
        metrics.register();
        metrics
    }
}

impl Metrics {
    fn register(&mut self) {
        let registry = &mut self.registry;
        let requests = "Requests, by what became of them";
        registry.register("forewarn_guard_requests", requests, self.requests.clone());
        registry.register("forewarn_guard_rows", "Rows that were answered", self.rows.clone());
        let degraded =
            "Rows that were answered otherwise than by the model with what there was, by what was done";
        registry.register("forewarn_guard_degraded_rows", degraded, self.degraded.clone());
        registry.register("forewarn_guard_flagged_rows", "Rows with something odd", self.flagged.clone());
        let errors = "Failures of the model or its server, by kind";
        registry.register("forewarn_guard_model_errors", errors, self.errors.clone());
        let lost = "Rows that were answered and could not be logged";
        registry.register("forewarn_guard_lost_rows", lost, self.lost.clone());
        let repeated = "Rows that were not logged because their id is that of a row of the same request";
        registry.register("forewarn_guard_repeated_ids", repeated, self.repeated.clone());
        let breaker = "The circuit before the model: 0 closed, 1 half-open, 2 open";
        registry.register("forewarn_guard_breaker_state", breaker, self.breaker.clone());
        let rows = "Rows that are logged and not in the log's files yet";
        registry.register("forewarn_guard_log_waiting_rows", rows, self.waiting_rows.clone());
        let bytes = "What they take in the write-ahead log";
        registry.register("forewarn_guard_log_waiting_bytes", bytes, self.waiting_bytes.clone());
        let syncs = "Waits for the disk that failed after predictions were answered";
        registry.register("forewarn_guard_log_failed_syncs", syncs, self.failed_syncs.clone());
        for (name, help, histogram) in [
            ("forewarn_guard_request_duration", "From a request's last byte to its answer", &self.whole),
            ("forewarn_guard_model_duration", "Of that, how long the model took", &self.model),
            ("forewarn_guard_log_duration", "Of that, how long logging took", &self.journal),
        ] {
            registry.register_with_unit(name, help, Unit::Seconds, histogram.clone());
        }
    }

    pub(super) fn request(&self, outcome: &'static str) {
        self.requests.get_or_create(&[("outcome", outcome.to_owned())]).inc();
    }

    pub(super) fn degraded(&self, strategy: &str) {
        self.degraded.get_or_create(&[("strategy", strategy.to_owned())]).inc();
    }

    pub(super) fn error(&self, kind: &str) {
        self.errors.get_or_create(&[("kind", kind.to_owned())]).inc();
    }

    /// The text, with how things stand now.
    pub(super) fn text(&self, standing: Standing, backlog: Backlog) -> String {
        self.breaker.set(match standing {
            Standing::Closed => 0,
            Standing::HalfOpen => 1,
            Standing::Open => 2,
        });
        self.waiting_rows.set(backlog.rows as i64);
        self.waiting_bytes.set(backlog.bytes as i64);
        self.failed_syncs.set(backlog.failed_syncs as i64);
        self.repeated.set(backlog.repeated as i64);
        let mut text = String::new();
        encode(&mut text, &self.registry).expect("metrics are written to memory");
        text
    }
}

/// Notes how long something took.
pub(super) fn observe(histogram: &Histogram, took: Duration) {
    histogram.observe(took.as_secs_f64());
}
