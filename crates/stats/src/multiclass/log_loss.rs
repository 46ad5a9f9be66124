//! Log loss over several classes: how surprised the probabilities are by what happened.
//!
//! # What it measures
//!
//! The mean of minus the logarithm of the probability given to what happened, in nats. 0 is perfect;
//! even odds over `C` classes give `ln C`.
//!
//! # When it misleads
//!
//! * A single row that gave what happened no probability would make it infinite. Probabilities are cut
//!   at 2.2e-16 to keep it finite; each such row costs 36 nats, and a handful dominate the mean.
//! * Only the probability of what happened counts. Where a row's probabilities do not add up to 1, it
//!   can be made small by promising every class much; look at the quality of the log.
//!
//! # Formula
//!
//! `−Σ ln p_y / n`, `p_y` at least ε = 2.2e-16, the distance from 1 to the next 64-bit float, as
//! scikit-learn does. Interval: normal, from the variance of the rows' losses; where all are alike,
//! Wilson's formula of a bounded mean.
//!
//! # Example
//!
//! ```
//! use stats::{interval::Level, multiclass::{ClassifiedRows, KeptRow, log_loss::log_loss}};
//! let mut rows = ClassifiedRows::new(4, None);
//! let row = |outcome| KeptRow { hash: 0, outcome, predicted: 0, probabilities: vec![0.25; 4] };
//! rows.extend([0, 1, 2].map(row));
//! assert!((log_loss(&rows, Level::P95)?.value - 4.0_f64.ln()).abs() < 1e-12);
//! # Ok::<(), stats::multiclass::MulticlassUndefined>(())
//! ```
//!
//! # References
//!
//! * I. J. Good, "Rational decisions", J. R. Stat. Soc. B 14, 1952.

use super::{ClassifiedRows, MulticlassUndefined, mean_estimate};
use crate::classification::Estimate;
use crate::interval::Level;

/// Log loss in nats, from 0. How many rows were cut is [`ClassifiedRows::clipped`].
///
/// # Errors
/// Fewer than two rows.
pub fn log_loss(rows: &ClassifiedRows, level: Level) -> Result<Estimate, MulticlassUndefined> {
    mean_estimate(&rows.log_loss, (0.0, -f64::EPSILON.ln()), level)
}
