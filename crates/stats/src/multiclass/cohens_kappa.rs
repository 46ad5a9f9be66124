//! Cohen's kappa: how much better than chance predictions agree with outcomes.
//!
//! # What it measures
//!
//! The share of rows called right, less what would be right if predictions were drawn at random with the
//! same frequencies, on a scale where 1 is always right, 0 is chance and below 0 is worse than chance.
//!
//! # When it misleads
//!
//! * It depends on how frequent the classes are: the same recall of each class gives another kappa when
//!   one of them is rare. Windows with different shares do not compare.
//! * Words such as "substantial" for 0.6 to 0.8 are a convention without a reason.
//! * All mistakes weigh the same, also between neighbouring classes.
//!
//! # Formula
//!
//! `(p_o − p_e) / (1 − p_e)`, `p_o = Σ p_cc`, `p_e = Σ p_c· p_·c`. Interval by the delta method over the
//! cells of the table, which is the variance of Fleiss, Cohen and Everitt; where nothing varies, Wilson's
//! formula on [−1, 1].
//!
//! # Example
//!
//! ```
//! use stats::{classification::confusion::Confusion, interval::Level};
//! use stats::multiclass::cohens_kappa::binary_cohens_kappa;
//! // True positives, false positives, true negatives, false negatives.
//! let confusion = Confusion::from_counts(0.5, [20, 5, 15, 10])?;
//! let kappa = binary_cohens_kappa(&confusion, Level::P95)?;
//! assert!((kappa.value - 0.4).abs() < 1e-12 && kappa.interval.lower > 0.1);
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! # References
//!
//! * J. Cohen, "A coefficient of agreement for nominal scales", Educ. Psychol. Meas. 20, 1960.
//! * J. L. Fleiss, J. Cohen, B. S. Everitt, "Large sample standard errors of kappa and weighted kappa",
//!   Psychol. Bull. 72, 1969.

use super::delta::Shares;
use super::{AgreementUndefined, ClassifiedRows};
use crate::classification::Estimate;
use crate::classification::confusion::Confusion;
use crate::interval::Level;

/// Cohen's kappa over the classes of `rows`, in [−1, 1].
///
/// # Errors
/// No rows, or one class that is every outcome and every prediction.
pub fn cohens_kappa(rows: &ClassifiedRows, level: Level) -> Result<Estimate, AgreementUndefined> {
    of_shares(Shares::of_rows(rows), level)
}

/// Cohen's kappa of two classes, in [−1, 1]; of exact scores.
///
/// # Errors
/// As [`cohens_kappa`].
pub fn binary_cohens_kappa(confusion: &Confusion, level: Level) -> Result<Estimate, AgreementUndefined> {
    of_shares(Shares::of_confusion(confusion), level)
}

fn of_shares(shares: Option<Shares>, level: Level) -> Result<Estimate, AgreementUndefined> {
    let shares = shares.ok_or(AgreementUndefined::NoRows)?;
    let observed = shares.all_right();
    let chance: f64 = shares.outcomes.iter().zip(&shares.predictions).map(|(r, q)| r * q).sum();
    let room = 1.0 - chance;
    if room <= 1e-15 {
        return Err(AgreementUndefined::OneClass);
    }
    let slope = |outcome: usize, predicted: usize| {
        let hit = f64::from(u8::from(outcome == predicted));
        // A cell adds to the calls of its outcome's class and to the outcomes of its call's class.
        let by_chance = shares.predictions[outcome] + shares.outcomes[predicted];
        (hit * room - by_chance * (1.0 - observed)) / (room * room)
    };
    Ok(shares.estimate((observed - chance) / room, (-1.0, 1.0), slope, level))
}
