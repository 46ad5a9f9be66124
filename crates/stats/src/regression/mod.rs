//! How far off the predictions of a number are, once the outcomes are known.
//!
//! Each metric is one file and takes [`PredictionErrors`] (of a predicted number),
//! [`IntervalOutcomes`](coverage::IntervalOutcomes) or [`QuantileOutcomes`](quantiles::QuantileOutcomes),
//! which are of one size whatever the number of rows and merge exactly. All answer with an [`Estimate`], or say in words why the metric does not exist
//! for these rows.

pub mod coverage;
pub mod errors;
pub mod mae;
pub mod mape;
pub mod mean_error;
pub mod quantiles;
pub mod r_squared;
pub mod rmse;

use serde::{Deserialize, Serialize};
use thiserror::Error;

pub use errors::PredictionErrors;

use crate::classification::Estimate;
use crate::interval::{Interval, IntervalMethod, Level};
use crate::sketch::Moments;

/// Why a metric does not exist for these rows.
#[derive(Clone, Copy, Debug, PartialEq, Error, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", tag = "reason")]
pub enum RegressionUndefined {
    /// No row has both a prediction and an outcome.
    #[error("measure anything: no row has both a prediction and an outcome")]
    NoRows,
    /// Too few rows for an interval.
    #[error("tell how far chance can move this: too few rows, {n} where at least {needed} are needed")]
    TooFewRows {
        /// Rows at hand.
        n: u64,
        /// Rows needed.
        needed: u64,
    },
    /// A promise that cannot be one.
    #[error("hold outcomes against a promised share of {share}: it must lie strictly between 0 and 1")]
    NotAShare {
        /// What was promised.
        share: f64,
    },
    /// Quantiles of nothing.
    #[error("measure predicted quantiles: there are no levels")]
    NoLevels,
    /// Levels out of order.
    #[error("measure predicted quantiles: their levels must ascend")]
    LevelsNotAscending,
    /// Two sides that predict different quantiles.
    #[error("merge outcomes of predicted quantiles: the levels differ")]
    LevelsDiffer,
    /// Nothing varies that could be explained.
    #[error("measure how much of the outcome is explained: every outcome is the same")]
    ConstantOutcome,
    /// Nothing is a share of 0.
    #[error("measure percentage errors: {n} outcomes are 0, of which nothing is a share")]
    ZeroOutcomes {
        /// Rows whose outcome is 0.
        n: u64,
    },
}

/// The mean of a quantity that is never below `least`, with a normal interval that is cut there.
fn mean_estimate(moments: &Moments, least: f64, level: Level) -> Result<Estimate, RegressionUndefined> {
    let (value, error) = mean_and_error(moments)?;
    let half = level.z() * error;
    Ok(estimate(
        value,
        ((value - half).max(least.min(value)), value + half),
        moments.count(),
        level,
        IntervalMethod::NormalOfMean,
    ))
}

/// The mean and its standard error.
fn mean_and_error(moments: &Moments) -> Result<(f64, f64), RegressionUndefined> {
    let n = moments.count();
    let value = moments.mean().ok_or(RegressionUndefined::NoRows)?;
    let variance = moments.variance().ok_or(RegressionUndefined::TooFewRows { n, needed: 2 })?;
    Ok((value, (variance / n as f64).sqrt()))
}

fn estimate(
    value: f64,
    (lower, upper): (f64, f64),
    n: u64,
    level: Level,
    method: IntervalMethod,
) -> Estimate {
    // Bounds stay finite, so that an interval survives JSON.
    let (lower, upper) = (lower.clamp(f64::MIN, value), upper.clamp(value, f64::MAX));
    Estimate { value, interval: Interval { lower, upper, level, method }, n, error_bound: 0.0 }
}
