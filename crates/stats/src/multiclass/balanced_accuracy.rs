//! Balanced accuracy: how often each class is found, the mean over classes.
//!
//! # What it measures
//!
//! The mean of recall over the classes that occur as outcomes, from 0 to 1. A model that always calls the
//! same class gets one divided by the number of classes, however frequent that class is.
//!
//! # When it misleads
//!
//! * A class of ten rows counts as much as one of ten thousand, and makes it as rough.
//! * It says nothing of precision: a rare class that is called far too often costs little here.
//!
//! # Formula
//!
//! `Σ_c (n_cc / n_c·) / C` over the `C` classes with `n_c· > 0`, as scikit-learn's
//! `balanced_accuracy_score`. Interval by the delta method over the cells of the confusion table; where
//! nothing varies, Wilson's formula.
//!
//! # Example
//!
//! ```
//! use stats::{classification::confusion::Confusion, interval::Level};
//! use stats::multiclass::balanced_accuracy::binary_balanced_accuracy;
//! // True positives, false positives, true negatives, false negatives.
//! let confusion = Confusion::from_counts(0.5, [5, 10, 90, 5])?;
//! assert_eq!(binary_balanced_accuracy(&confusion, Level::P95)?.value, 0.7);
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! # References
//!
//! * K. H. Brodersen, C. S. Ong, K. E. Stephan, J. M. Buhmann, "The balanced accuracy and its posterior
//!   distribution", ICPR 2010.

use super::delta::Shares;
use super::{ClassifiedRows, MulticlassUndefined};
use crate::classification::Estimate;
use crate::classification::confusion::Confusion;
use crate::interval::Level;

/// Balanced accuracy over the classes of `rows`, in [0, 1].
///
/// # Errors
/// No rows.
pub fn balanced_accuracy(rows: &ClassifiedRows, level: Level) -> Result<Estimate, MulticlassUndefined> {
    of_shares(Shares::of_rows(rows), level)
}

/// Balanced accuracy of two classes, in [0, 1]; of exact scores.
///
/// # Errors
/// No rows.
pub fn binary_balanced_accuracy(
    confusion: &Confusion,
    level: Level,
) -> Result<Estimate, MulticlassUndefined> {
    of_shares(Shares::of_confusion(confusion), level)
}

fn of_shares(shares: Option<Shares>, level: Level) -> Result<Estimate, MulticlassUndefined> {
    let shares = shares.ok_or(MulticlassUndefined::NoRows)?;
    let occurring = shares.outcomes.iter().filter(|share| **share > 0.0).count() as f64;
    let recall = |class: usize| {
        let outcomes = shares.outcomes[class];
        if outcomes > 0.0 { shares.right(class) / outcomes } else { 0.0 }
    };
    let value = (0..shares.classes()).map(recall).sum::<f64>() / occurring;
    let slope = |outcome: usize, predicted: usize| {
        let hit = f64::from(u8::from(outcome == predicted));
        (hit - recall(outcome)) / (shares.outcomes[outcome] * occurring)
    };
    Ok(shares.estimate(value, (0.0, 1.0), slope, level))
}
