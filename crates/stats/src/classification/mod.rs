//! How good a binary classifier's scores are, once the outcomes are known.
//!
//! Each metric is one file and takes [`LabelledScores`](crate::labelled_scores::LabelledScores).
//! All answer with an [`Estimate`], or say in words why the metric does not exist for these rows.

pub mod average_precision;
pub mod brier;
pub mod calibration;
pub mod confusion;
pub mod expected_cost;
pub mod log_loss;
pub mod roc_auc;
pub mod threshold_curve;

use serde::{Deserialize, Serialize};
use thiserror::Error;

use crate::interval::{Interval, IntervalMethod, Level};
use crate::proportion::{Proportion, wilson_bounds};

/// A metric's value with everything needed to read it.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Estimate {
    /// The value.
    pub value: f64,
    /// What the number of rows leaves open.
    pub interval: Interval,
    /// The rows behind this number: for precision the predicted positives, not all rows.
    pub n: u64,
    /// How far `value` can be off because scores were rounded; 0 when they are exact.
    pub error_bound: f64,
}

impl Estimate {
    /// Whether scores were exact.
    pub fn is_exact(&self) -> bool {
        self.error_bound == 0.0
    }
}

/// Why a metric does not exist for these rows.
#[derive(Clone, Copy, Debug, PartialEq, Error, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", tag = "reason")]
pub enum Undefined {
    /// No row has both a score and an outcome.
    #[error("measure anything: no row has both a score and an outcome")]
    NoRows,
    /// Too few rows for an interval.
    #[error("tell how far chance can move this: too few rows, {n} where at least {needed} are needed")]
    TooFewRows {
        /// Rows at hand.
        n: u64,
        /// Rows needed.
        needed: u64,
    },
    /// Only negatives.
    #[error("measure how positives are found: every outcome is negative")]
    NoPositives,
    /// Only positives.
    #[error("measure how negatives are told apart: every outcome is positive")]
    NoNegatives,
    /// Nothing reaches the threshold.
    #[error("measure precision: no score reaches the threshold")]
    NoPredictedPositives,
    /// Neither outcomes nor predictions are positive.
    #[error("measure F1: no outcome is positive and no score reaches the threshold")]
    NothingPositive,
    /// A threshold that nothing compares with.
    #[error("apply the threshold: it is not a number")]
    ThresholdNotANumber,
    /// Nothing can be put into no bins.
    #[error("group scores into zero bins: ask for at least one")]
    ZeroBins,
    /// A line needs two different scores.
    #[error("fit a line of outcomes on scores: every score that is neither 0 nor 1 is the same")]
    ConstantScore,
    /// A likelihood that grows without end.
    #[error("fit a line of outcomes on scores: a threshold parts all positives from all negatives")]
    Separated,
    /// Arithmetic that did not come to an end.
    #[error("fit a line of outcomes on scores: the likelihood has no maximum that can be found")]
    NotConverged,
    /// Certain scores have no logit.
    #[error("fit a line of outcomes on scores: every score is 0 or 1")]
    OnlyCertainScores,
    /// Nothing can be learnt from no simulations.
    #[error("simulate zero times: ask for some hundreds of replicates")]
    ZeroReplicates,
}

/// A share of rows with its Wilson interval; `NoRows` where there are none.
pub(crate) fn share_estimate(successes: u64, n: u64, level: Level) -> Result<Estimate, Undefined> {
    let proportion = Proportion::new(successes, n).map_err(|_| Undefined::NoRows)?;
    Ok(Estimate { value: proportion.share(), interval: proportion.wilson(level), n, error_bound: 0.0 })
}

/// The mean of a per-row quantity that lies in `[least, most]`, from `(quantity, rows)`.
///
/// Normal interval from the sample variance, cut at the range. Where all rows are alike, the
/// sample shows no variance though there may be some, and Wilson's formula on the range is used
/// instead: no quantity on it with that mean has a larger variance.
pub(crate) fn mean_estimate(
    quantities: impl Iterator<Item = (f64, u64)> + Clone,
    (least, most): (f64, f64),
    level: Level,
) -> Result<Estimate, Undefined> {
    let n: u64 = quantities.clone().map(|(_, rows)| rows).sum();
    match n {
        0 => return Err(Undefined::NoRows),
        1 => return Err(Undefined::TooFewRows { n, needed: 2 }),
        _ => {}
    }
    let rows = n as f64;
    let total: f64 = quantities.clone().map(|(x, r)| x * r as f64).sum();
    let value = (total / rows).clamp(least, most);
    let squares: f64 = quantities.map(|(x, r)| (x - value).powi(2) * r as f64).sum();
    let standard_error = (squares / (rows - 1.0) / rows).sqrt();
    // Below this the deviations are rounding of the mean.
    let all_alike = standard_error <= (most - least) * 1e-15;
    let (lower, upper, method) = if all_alike {
        let width = most - least;
        let (lower, upper) = wilson_bounds((value - least) / width, rows, level);
        let (lower, upper) = (least + width * lower, least + width * upper);
        (lower, upper, IntervalMethod::WilsonOfBoundedMean)
    } else {
        let half = level.z() * standard_error;
        (value - half, value + half, IntervalMethod::NormalOfMean)
    };
    Ok(Estimate {
        value,
        interval: Interval {
            lower: lower.clamp(least, value),
            upper: upper.clamp(value, most),
            level,
            method,
        },
        n,
        error_bound: 0.0,
    })
}

/// The interval `value ± z · error` on the logit scale, for a value and bounds inside (0, 1).
pub(crate) fn logit_bounds(value: f64, logit_error: f64, level: Level) -> (f64, f64) {
    let logit = (value / (1.0 - value)).ln();
    let half = level.z() * logit_error;
    let share = |x: f64| 1.0 / (1.0 + (-x).exp());
    (share(logit - half).min(value), share(logit + half).max(value))
}
