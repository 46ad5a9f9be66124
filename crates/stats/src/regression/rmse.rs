//! Root mean squared error: the typical size of an error, large ones counting most.
//!
//! # What it measures
//!
//! The root of the mean squared distance between prediction and outcome, in the unit of the outcome. 0
//! is perfect; it is never below the mean absolute error.
//!
//! # When it misleads
//!
//! * A handful of rows can decide it. Its interval is then wide, and too narrow where errors have heavy
//!   tails and the worst ones have not been seen yet.
//! * It cannot be compared between outcomes of different spread.
//!
//! # Formula
//!
//! `√(Σ (ŷ − y)² / n)`. Interval: normal on the logarithmic scale. With `s` the standard error of the
//! mean squared error `m`, the bounds are `√m · exp(±z · s / 2m)`.
//!
//! # Example
//!
//! ```
//! use stats::{interval::Level, regression::{PredictionErrors, rmse::root_mean_squared_error}};
//! let errors = PredictionErrors::of([(3.0, 0.0), (5.0, 5.0), (7.0, 4.0), (2.0, 2.0)]);
//! assert!((root_mean_squared_error(&errors, Level::P95)?.value - 4.5_f64.sqrt()).abs() < 1e-12);
//! # Ok::<(), stats::regression::RegressionUndefined>(())
//! ```
//!
//! # References
//!
//! * T. O. Hodson, "Root-mean-square error (RMSE) or mean absolute error (MAE): when to use them or not",
//!   Geosci. Model Dev. 15, 2022.

use super::{PredictionErrors, RegressionUndefined, estimate, mean_and_error};
use crate::classification::Estimate;
use crate::interval::{IntervalMethod, Level};

/// Root mean squared error, in the unit of the outcome, from 0.
///
/// # Errors
/// Fewer than two rows.
pub fn root_mean_squared_error(
    errors: &PredictionErrors,
    level: Level,
) -> Result<Estimate, RegressionUndefined> {
    let (mean, error) = mean_and_error(&errors.squared)?;
    let value = mean.sqrt();
    let half = if mean > 0.0 { level.z() * error / (2.0 * mean) } else { 0.0 };
    let bounds = (value * (-half).exp(), value * half.exp());
    Ok(estimate(value, bounds, errors.n(), level, IntervalMethod::NormalOfLogarithm))
}
