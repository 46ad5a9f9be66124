//! `[stress.load]`: how many requests a second the server of the model stands.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::super::{Age, DefinitionError};

/// How many requests a second the server of the model stands. It is tried only where this section is there, or where
/// it is asked for by name: load is felt by everybody whom the server answers.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Load {
    /// Requests a second, step by step, in ascending order; `at_least` is tried as well.
    pub rates: Vec<f64>,
    /// How long each step is; that of `at_least` goes on until it has 500 requests.
    pub step: Age,
    /// Rows of one request.
    pub rows: u32,
    /// How requests are spread over time.
    pub arrivals: Arrivals,
    /// Requests that may be under way at once; one that comes when there are so many is dropped, and counts as failed.
    pub in_flight: u32,
    /// Requests a second that the server has to stand; without it, nothing says whether what it stands is enough.
    pub at_least: Option<f64>,
    /// Milliseconds that 99 of 100 requests may take at most; by default `model.timeout`.
    pub p99_ms_at_most: Option<u32>,
    /// The share of requests that may fail.
    pub errors_at_most: f64,
    /// When the whole test ends, however far it is.
    pub time_at_most: Age,
    /// Within which time the server has to answer as before, once the load is over.
    pub recovers_within: Age,
    /// Who answers for this check; by default the owner of the system.
    pub owner: Option<String>,
}

impl Default for Load {
    fn default() -> Self {
        Self {
            rates: vec![1.0, 2.0, 5.0, 10.0, 20.0, 50.0],
            step: Age::of_seconds(10),
            rows: 1,
            arrivals: Arrivals::Poisson,
            in_flight: 64,
            at_least: None,
            p99_ms_at_most: None,
            errors_at_most: 0.01,
            time_at_most: Age::of_seconds(5 * 60),
            recovers_within: Age::of_seconds(30),
            owner: None,
        }
    }
}

/// How requests are spread over time.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Arrivals {
    /// At random, as from many callers who do not know of each other.
    Poisson,
    /// In equal distances.
    Constant,
}

impl Arrivals {
    /// The name in definitions.
    pub fn name(self) -> &'static str {
        match self {
            Self::Poisson => "poisson",
            Self::Constant => "constant",
        }
    }
}

/// # Errors
/// The first [`DefinitionError`], at its key.
pub(super) fn check_values(load: &Load) -> Result<(), DefinitionError> {
    let refused =
        |key: &str, message: String| Err(DefinitionError::at_key(format!("stress.load.{key}"), message));
    if load.rates.is_empty() && load.at_least.is_none() {
        return refused("rates", "no rate is named, so there would be no load".into());
    }
    let named = load.rates.iter().map(|rate| ("rates", *rate));
    for (key, rate) in named.chain(load.at_least.map(|rate| ("at_least", rate))) {
        if !(RATE_LEAST..=RATE_MOST).contains(&rate) {
            let message = format!("{rate} is no rate between {RATE_LEAST} and {RATE_MOST} requests a second");
            return refused(key, message);
        }
    }
    if !load.rates.is_sorted_by(|a, b| a < b) {
        return refused("rates", "the rates do not ascend, and a ramp goes up".into());
    }
    if !(0.0..1.0).contains(&load.errors_at_most) {
        return refused("errors_at_most", format!("{} is not a share from 0 up to 1", load.errors_at_most));
    }
    let counts = [
        ("rows", load.rows, ROWS_MOST),
        ("in_flight", load.in_flight, IN_FLIGHT_MOST),
        ("p99_ms_at_most", load.p99_ms_at_most.unwrap_or(1), u32::MAX),
    ];
    for (key, count, most) in counts {
        if !(1..=most).contains(&count) {
            return refused(key, format!("{count} is not a number from 1 to {most}"));
        }
    }
    let seconds = load.step.seconds() as f64;
    let requests: f64 = load.rates.iter().chain(&load.at_least).map(|rate| rate * seconds).sum();
    if requests > REQUESTS_MOST {
        let message = format!(
            "{requests:.0} requests are more than the {REQUESTS_MOST:.0} that are measured one by one"
        );
        return Err(DefinitionError::at_key("stress.load.step", message)
            .with_help(Some("make the steps shorter, or the rates lower".into())));
    }
    Ok(())
}

const RATE_LEAST: f64 = 0.01;
const RATE_MOST: f64 = 20_000.0;
const ROWS_MOST: u32 = 10_000;
const IN_FLIGHT_MOST: u32 = 2_000;
/// Every latency is kept, so that percentiles are exact.
const REQUESTS_MOST: f64 = 2_000_000.0;
