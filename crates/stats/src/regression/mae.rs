//! Mean absolute error: by how much a prediction is off on average.
//!
//! # What it measures
//!
//! The mean distance between prediction and outcome, in the unit of the outcome. 0 is perfect.
//!
//! # When it misleads
//!
//! * Many small errors and a few disastrous ones can have the same mean; see the root mean squared error.
//! * It says nothing about direction: a model that is always too low and one that scatters look alike.
//!   See the mean error.
//! * It cannot be compared between outcomes of different spread.
//!
//! # Formula
//!
//! `Σ |ŷ − y| / n`. Interval: normal, from the variance of the rows' absolute errors, cut at 0.
//!
//! # Example
//!
//! ```
//! use stats::{interval::Level, regression::{PredictionErrors, mae::mean_absolute_error}};
//! let errors = PredictionErrors::of([(3.0, 1.0), (5.0, 5.0), (7.0, 8.0)]);
//! assert_eq!(mean_absolute_error(&errors, Level::P95)?.value, 1.0);
//! # Ok::<(), stats::regression::RegressionUndefined>(())
//! ```
//!
//! # References
//!
//! * C. J. Willmott, K. Matsuura, "Advantages of the mean absolute error over the root mean square
//!   error", Clim. Res. 30, 2005.

use super::{PredictionErrors, RegressionUndefined, mean_estimate};
use crate::classification::Estimate;
use crate::interval::Level;

/// Mean absolute error, in the unit of the outcome, from 0.
///
/// # Errors
/// Fewer than two rows.
pub fn mean_absolute_error(errors: &PredictionErrors, level: Level) -> Result<Estimate, RegressionUndefined> {
    mean_estimate(&errors.absolute, 0.0, level)
}
