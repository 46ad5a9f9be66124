//! Brier score over several classes: how far the probabilities are from what happened.
//!
//! # What it measures
//!
//! The mean squared distance between a row's probabilities and the outcome, over all classes. 0 is
//! perfect, 2 is certain and wrong every time. For two classes it is twice the usual binary score.
//!
//! # When it misleads
//!
//! * It mixes calibration and the power to tell classes apart; the same score can come from either.
//! * With many classes all scores look alike: even odds over `C` classes give `1 − 1/C`.
//!
//! # Formula
//!
//! `Σ Σ_c (p_c − [y = c])² / n`, in [0, 2] as in Brier's paper (not halved). Interval: normal, from
//! the variance of the rows' scores; where all are alike, Wilson's formula of a bounded mean.
//!
//! # Example
//!
//! ```
//! use stats::{interval::Level, multiclass::{ClassifiedRows, KeptRow, brier::brier_score}};
//! let mut rows = ClassifiedRows::new(2, None);
//! let row = |outcome| KeptRow { hash: 0, outcome, predicted: 0, probabilities: vec![0.5, 0.5] };
//! rows.extend([0, 1].map(row));
//! assert_eq!(brier_score(&rows, Level::P95)?.value, 0.5);
//! # Ok::<(), stats::multiclass::MulticlassUndefined>(())
//! ```
//!
//! # References
//!
//! * G. W. Brier, "Verification of forecasts expressed in terms of probability", Mon. Weather Rev. 78,
//!   1950.

use super::{ClassifiedRows, MulticlassUndefined, mean_estimate};
use crate::classification::Estimate;
use crate::interval::Level;

/// Brier score of all classes together, in [0, 2].
///
/// # Errors
/// Fewer than two rows.
pub fn brier_score(rows: &ClassifiedRows, level: Level) -> Result<Estimate, MulticlassUndefined> {
    // Probabilities that do not add up can be further off than 2, one for each class.
    let most = rows.brier.max().map_or(2.0, |max| max.max(2.0));
    mean_estimate(&rows.brier, (0.0, most), level)
}
