//! How good a classifier of several classes is, once the outcomes are known.
//!
//! Each metric is one file and takes [`ClassifiedRows`], which counts every row and keeps the
//! probabilities of as many as it may. All answer with an [`Estimate`], or say in words why the metric
//! does not exist for these rows. A mean over classes ("macro") gives a rare class as much weight as a
//! frequent one.

pub mod accuracy;
pub mod averages;
pub mod balanced_accuracy;
pub mod brier;
pub mod classwise_calibration;
pub mod cohens_kappa;
mod delta;
pub mod expected_cost;
pub mod log_loss;
pub mod macro_f1;
pub mod macro_roc_auc;
pub mod matthews;
pub mod rows;

use serde::{Deserialize, Serialize};
use thiserror::Error;

pub use rows::{ClassifiedRows, KeptRow};

use crate::classification::Estimate;
use crate::interval::{Interval, IntervalMethod, Level};
use crate::proportion::wilson_bounds;
use crate::sketch::Moments;

/// Why a metric does not exist for these rows.
#[derive(Clone, Copy, Debug, PartialEq, Error, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", tag = "reason")]
pub enum MulticlassUndefined {
    /// No row has both probabilities and an outcome.
    #[error("measure anything: no row has both probabilities and an outcome")]
    NoRows,
    /// Too few rows for an interval.
    #[error("tell how far chance can move this: too few rows, {n} where at least {needed} are needed")]
    TooFewRows {
        /// Rows at hand.
        n: u64,
        /// Rows needed.
        needed: u64,
    },
    /// A class that never was the outcome cannot be told from the rest.
    #[error("tell every class from the rest: class {class} is never the outcome")]
    NeverTheOutcome {
        /// Position of the class.
        class: usize,
    },
    /// Nothing can be put into no bins.
    #[error("group probabilities into zero bins: ask for at least one")]
    ZeroBins,
    /// A class that always was the outcome leaves no rest.
    #[error("tell every class from the rest: class {class} is always the outcome")]
    AlwaysTheOutcome {
        /// Position of the class.
        class: usize,
    },
}

/// Why predictions and outcomes have no agreement beyond chance.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", tag = "reason")]
pub enum AgreementUndefined {
    /// No row has both a prediction and an outcome.
    #[error("measure agreement: no row has both a prediction and an outcome")]
    NoRows,
    /// What does not vary cannot agree by more than chance.
    #[error("tell agreement from chance: the outcomes, or the predictions, are all of one class")]
    OneClass,
}

/// The mean of a quantity on `[least, most]`: normal from the rows' variance and cut at the range; where
/// all rows are alike, Wilson's formula on the range.
fn mean_estimate(
    moments: &Moments,
    (least, most): (f64, f64),
    level: Level,
) -> Result<Estimate, MulticlassUndefined> {
    let n = moments.count();
    let value = moments.mean().ok_or(MulticlassUndefined::NoRows)?.clamp(least, most);
    let variance = moments.variance().ok_or(MulticlassUndefined::TooFewRows { n, needed: 2 })?;
    let error = (variance / n as f64).sqrt();
    Ok(bounded_estimate(value, error, (least, most), n, level, IntervalMethod::NormalOfMean))
}

/// `value ± z · error` within a range; Wilson's formula on the range where the error shows nothing.
fn bounded_estimate(
    value: f64,
    error: f64,
    (least, most): (f64, f64),
    n: u64,
    level: Level,
    method: IntervalMethod,
) -> Estimate {
    // Below this the error is rounding.
    let (lower, upper, method) = if error <= (most - least) * 1e-12 {
        let width = most - least;
        let (lower, upper) = wilson_bounds((value - least) / width, n as f64, level);
        (least + width * lower, least + width * upper, IntervalMethod::WilsonOfBoundedMean)
    } else {
        let half = level.z() * error;
        (value - half, value + half, method)
    };
    let (lower, upper) = (lower.clamp(least, value), upper.clamp(value, most));
    Estimate { value, interval: Interval { lower, upper, level, method }, n, error_bound: 0.0 }
}
