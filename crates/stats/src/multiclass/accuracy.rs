//! Accuracy over several classes: the share of rows called right.
//!
//! # What it measures
//!
//! How often the predicted class is what happened, from 0 to 1. It equals the micro-averaged F1.
//!
//! # When it misleads
//!
//! * Always calling the most frequent class is as accurate as that class is frequent. Look at the macro
//!   F1 beside it.
//! * Confusing any class with any other costs the same.
//!
//! # Formula
//!
//! `Σ_c n_cc / n`. Wilson interval.
//!
//! # Example
//!
//! ```
//! use stats::{interval::Level, multiclass::{ClassifiedRows, KeptRow, accuracy::accuracy}};
//! let mut rows = ClassifiedRows::new(3, None);
//! let row = |outcome| KeptRow { hash: 0, outcome, predicted: 0, probabilities: vec![0.6, 0.2, 0.2] };
//! rows.extend([0, 0, 0, 1].map(row));
//! assert_eq!(accuracy(&rows, Level::P95)?.value, 0.75);
//! # Ok::<(), stats::multiclass::MulticlassUndefined>(())
//! ```
//!
//! # References
//!
//! * E. B. Wilson, "Probable inference, the law of succession, and statistical inference", J. Am. Stat.
//!   Assoc. 22, 1927.

use super::{ClassifiedRows, MulticlassUndefined};
use crate::classification::Estimate;
use crate::interval::Level;
use crate::proportion::Proportion;

/// The share of rows called right, in [0, 1].
///
/// # Errors
/// No rows.
pub fn accuracy(rows: &ClassifiedRows, level: Level) -> Result<Estimate, MulticlassUndefined> {
    let proportion = Proportion::new(rows.right(), rows.n()).map_err(|_| MulticlassUndefined::NoRows)?;
    Ok(Estimate {
        value: proportion.share(),
        interval: proportion.wilson(level),
        n: rows.n(),
        error_bound: 0.0,
    })
}
