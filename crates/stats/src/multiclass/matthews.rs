//! Matthews' correlation: outcomes and predictions as one correlation coefficient.
//!
//! # What it measures
//!
//! The correlation between what happened and what was called, over all classes at once: 1 is always
//! right, 0 is chance. It is high only where every class is both found and called rightly. With two
//! classes it is the phi coefficient, and −1 is always wrong; with more, the least is above −1.
//!
//! # When it misleads
//!
//! * It depends on how frequent the classes are; windows with different shares do not compare.
//! * With a class of few rows, one row moves it much; the normal interval is rough then.
//!
//! # Formula
//!
//! Gorodkin's `R_K = (Σ p_cc − Σ p_c· p_·c) / √((1 − Σ p_c·²)(1 − Σ p_·c²))`, as scikit-learn's
//! `matthews_corrcoef`. Interval by the delta method over the cells of the table; where nothing varies,
//! Wilson's formula on [−1, 1]. Undefined where all outcomes, or all predictions, are one class
//! (scikit-learn: 0).
//!
//! # Example
//!
//! ```
//! use stats::{classification::confusion::Confusion, interval::Level};
//! use stats::multiclass::matthews::binary_matthews_correlation;
//! // True positives, false positives, true negatives, false negatives.
//! let confusion = Confusion::from_counts(0.5, [20, 10, 20, 10])?;
//! let found = binary_matthews_correlation(&confusion, Level::P95)?;
//! assert!((found.value - 1.0 / 3.0).abs() < 1e-12);
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! # References
//!
//! * B. W. Matthews, Biochim. Biophys. Acta 405, 1975; J. Gorodkin, "Comparing two K-category assignments
//!   by a K-category correlation coefficient", Comput. Biol. Chem. 28, 2004.

use super::delta::Shares;
use super::{AgreementUndefined, ClassifiedRows};
use crate::classification::Estimate;
use crate::classification::confusion::Confusion;
use crate::interval::Level;

/// Matthews' correlation over the classes of `rows`, in [−1, 1].
///
/// # Errors
/// No rows, or outcomes or predictions of one class only.
pub fn matthews_correlation(rows: &ClassifiedRows, level: Level) -> Result<Estimate, AgreementUndefined> {
    of_shares(Shares::of_rows(rows), level)
}

/// Matthews' correlation of two classes, in [−1, 1]; of exact scores.
///
/// # Errors
/// As [`matthews_correlation`].
pub fn binary_matthews_correlation(
    confusion: &Confusion,
    level: Level,
) -> Result<Estimate, AgreementUndefined> {
    of_shares(Shares::of_confusion(confusion), level)
}

fn of_shares(shares: Option<Shares>, level: Level) -> Result<Estimate, AgreementUndefined> {
    let shares = shares.ok_or(AgreementUndefined::NoRows)?;
    let one_class = |of: &[f64]| of.iter().filter(|share| **share > 0.0).count() < 2;
    if one_class(&shares.outcomes) || one_class(&shares.predictions) {
        return Err(AgreementUndefined::OneClass);
    }
    // 1 less a sum of squares that is nearly 1, without losing its digits.
    let variance = |of: &[f64]| of.iter().map(|share| share * (1.0 - share)).sum::<f64>();
    let (of_outcomes, of_predictions) = (variance(&shares.outcomes), variance(&shares.predictions));
    let chance: f64 = shares.outcomes.iter().zip(&shares.predictions).map(|(r, q)| r * q).sum();
    let scale = (of_outcomes * of_predictions).sqrt();
    if scale <= 0.0 {
        return Err(AgreementUndefined::OneClass);
    }
    let value = (shares.all_right() - chance) / scale;
    let slope = |outcome: usize, predicted: usize| {
        let hit = f64::from(u8::from(outcome == predicted));
        let by_chance = shares.predictions[outcome] + shares.outcomes[predicted];
        (hit - by_chance) / scale
            + value
                * (shares.outcomes[outcome] / of_outcomes + shares.predictions[predicted] / of_predictions)
    };
    Ok(shares.estimate(value, (-1.0, 1.0), slope, level))
}
