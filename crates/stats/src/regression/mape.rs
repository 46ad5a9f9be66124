//! Mean absolute percentage error: how far off, as a share of the outcome.
//!
//! # What it measures
//!
//! The mean of the error's size divided by the outcome's size, as a share: 0.1 for 10 %.
//!
//! # When it misleads
//!
//! * Outcomes near 0 decide it, and it does not exist where one is 0.
//! * It prefers predictions that are too low: those are off by 100 % at most, those that are too high
//!   have no bound.
//! * It has no meaning for outcomes whose 0 is arbitrary, such as temperatures or delays.
//!
//! # Formula
//!
//! `Σ |ŷ − y| / |y| / n`. Interval: normal, from the variance of the rows' shares, cut at 0. scikit-learn
//! divides by 2.2e-16 where the outcome is 0; here the metric then does not exist.
//!
//! # Example
//!
//! ```
//! use stats::{interval::Level, regression::{PredictionErrors, mape::mean_absolute_percentage_error}};
//! let errors = PredictionErrors::of([(110.0, 100.0), (9.0, 10.0)]);
//! assert!((mean_absolute_percentage_error(&errors, Level::P95)?.value - 0.1).abs() < 1e-12);
//! # Ok::<(), stats::regression::RegressionUndefined>(())
//! ```
//!
//! # References
//!
//! * R. J. Hyndman, A. B. Koehler, "Another look at measures of forecast accuracy", Int. J. Forecast. 22,
//!   2006.

use super::{PredictionErrors, RegressionUndefined, mean_estimate};
use crate::classification::Estimate;
use crate::interval::Level;

/// Mean absolute percentage error as a share, from 0.
///
/// # Errors
/// Fewer than two rows, or an outcome of 0.
pub fn mean_absolute_percentage_error(
    errors: &PredictionErrors,
    level: Level,
) -> Result<Estimate, RegressionUndefined> {
    if errors.zero_outcomes > 0 {
        return Err(RegressionUndefined::ZeroOutcomes { n: errors.zero_outcomes });
    }
    mean_estimate(&errors.percentage, 0.0, level)
}
