//! What stress found under load: how a server answered, step by step, as more was asked of it.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::definition::Arrivals;
use crate::verdict::Verdict;

/// A ramp of load, and what the server was like before and after it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct LoadRamp {
    /// Where the model was asked.
    pub model: String,
    pub rows_per_request: u32,
    pub arrivals: Arrivals,
    /// In the order in which they were tried, slowest first.
    pub steps: Vec<LoadStep>,
    /// The highest rate up to which the server stood every step: the knee lies above it.
    pub stood_rate: Option<f64>,
    /// The first rate that it did not stand: the knee lies below it.
    pub failed_rate: Option<f64>,
    /// Why the ramp ended before its last step.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ended: Option<String>,
    /// Answers before the load; absent where there were none.
    pub before: Option<Unloaded>,
    /// Answers after the load; absent where there were none.
    pub after: Option<Unloaded>,
    /// How long it took until the server was as before; absent where it was not, or was not looked at.
    pub recovered_s: Option<f64>,
}

/// A step of the ramp.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct LoadStep {
    /// Requests a second that were meant to be sent.
    pub rate: f64,
    pub seconds: f64,
    /// Requests whose time had come.
    pub requests: u64,
    pub answered: u64,
    /// Requests that were not sent because too many were under way; they count as failed.
    pub dropped: u64,
    /// Answers a second.
    pub achieved_rate: f64,
    /// From the instant at which each request was meant to be sent; absent where nothing was answered.
    pub latency: Option<Latency>,
    /// Requests that failed, by what happened; the most frequent first.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub errors: Vec<ErrorClass>,
    /// Answers that were held against those without load, and how many of them were equal.
    pub compared: u64,
    pub equal: u64,
    /// Answers that were flagged as degraded.
    pub degraded: u64,
    /// By how much this program was late in sending, in 99 of 100 requests: its own share of the latency.
    pub sent_late_p99_ms: f64,
    /// Whether what was measured is within all limits.
    pub stood: bool,
    /// Whether it surely is, intervals included: `warn` where that cannot be told from so few requests.
    pub verdict: Verdict,
    /// What it did not stand, or what cannot be told.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
}

/// Percentiles of latencies, each an order statistic of all of them.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Latency {
    pub p50_ms: f64,
    pub p90_ms: f64,
    pub p95_ms: f64,
    pub p99_ms: f64,
    pub p999_ms: f64,
    pub max_ms: f64,
    /// The ends of the interval of `p50_ms` and `p99_ms` at 95 %; absent where no latency was surely beyond.
    pub p50_lower_ms: Option<f64>,
    pub p50_upper_ms: Option<f64>,
    pub p99_lower_ms: Option<f64>,
    pub p99_upper_ms: Option<f64>,
}

/// Requests that failed in one way.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct ErrorClass {
    /// `timed out`, `overloaded`, `crashed`.
    pub class: String,
    pub requests: u64,
    /// What was said of one of them.
    pub example: String,
}

/// A server that is asked one request after the other.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Unloaded {
    pub requests: u64,
    pub answered: u64,
    pub p50_ms: f64,
    pub max_ms: f64,
    /// Of the answers after the load: how many are as before it.
    pub equal: u64,
}
