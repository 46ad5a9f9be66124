//! Mean error: whether predictions are too high or too low on the whole.
//!
//! # What it measures
//!
//! The mean of prediction less outcome, in the unit of the outcome. Above 0 the model predicts too much.
//!
//! # When it misleads
//!
//! * 0 does not mean that the model is good: large errors in both directions cancel.
//! * A model can be right on the whole and wrong in every segment.
//!
//! # Formula
//!
//! `Σ (ŷ − y) / n`. Interval: normal, from the variance of the rows' errors.
//!
//! # Example
//!
//! ```
//! use stats::{interval::Level, regression::{PredictionErrors, mean_error::mean_error}};
//! let errors = PredictionErrors::of([(3.0, 1.0), (5.0, 5.0), (7.0, 8.0), (9.0, 6.0)]);
//! assert_eq!(mean_error(&errors, Level::P95)?.value, 1.0);
//! # Ok::<(), stats::regression::RegressionUndefined>(())
//! ```
//!
//! # References
//!
//! * A. H. Murphy, "Skill scores based on the mean square error", Mon. Weather Rev. 116, 1988: bias as a
//!   part of the error.

use super::{PredictionErrors, RegressionUndefined, mean_estimate};
use crate::classification::Estimate;
use crate::interval::Level;

/// Mean of prediction less outcome, in the unit of the outcome.
///
/// # Errors
/// Fewer than two rows.
pub fn mean_error(errors: &PredictionErrors, level: Level) -> Result<Estimate, RegressionUndefined> {
    mean_estimate(&errors.signed, f64::MIN, level)
}
