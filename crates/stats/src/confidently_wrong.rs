//! Confidently wrong: how often the model was sure, and wrong.
//!
//! # What it measures
//!
//! The share of rows whose answer the model was at least so sure of, and the share of wrong ones among
//! them, beside the share that a calibrated model would get wrong at these confidences. These are the
//! mistakes that nobody double-checks.
//!
//! # When it misleads
//!
//! * A wrong outcome looks like a confident mistake; among very confident rows they can be most of them.
//! * A model that is never sure is never confidently wrong: look at the share of confident rows.
//! * Confidence is about the most probable answer, at 0.5, whatever threshold decisions are made at.
//!
//! # Formula
//!
//! Of a score `p` the answer is yes from 0.5 on, and the confidence `max(p, 1 − p)`. Among the rows with
//! a confidence of at least `c`: wrong over all with Wilson's interval; expected if calibrated, the mean of
//! `1 − confidence`.
//!
//! # Example
//!
//! ```
//! use stats::{confidently_wrong::confidently_wrong, interval::Level};
//! let scores = [0.95, 0.02, 0.97, 0.6, 0.4];
//! let outcomes = [true, false, false, false, true];
//! let found = confidently_wrong(&scores, &outcomes, 0.9, Level::P95)?;
//! assert_eq!((found.confident, found.wrong, found.n), (3, 1, 5));
//! assert!((found.expected_if_calibrated.unwrap_or(0.0) - (0.05 + 0.02 + 0.03) / 3.0).abs() < 1e-12);
//! # Ok::<(), stats::confidently_wrong::ConfidenceError>(())
//! ```
//!
//! # References
//!
//! * S. Lakkaraju et al., "Identifying unknown unknowns in the open world", AAAI 2017: confident mistakes.
//! * [`Proportion::wilson`]: the interval.

use serde::{Deserialize, Serialize};
use thiserror::Error;

use crate::interval::{Interval, Level};
use crate::proportion::Proportion;

/// Rows that the model was sure of.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct ConfidentlyWrong {
    /// The least confidence that counts.
    pub confidence: f64,
    /// Confident rows over all.
    pub confident_share: f64,
    /// Of that share.
    pub confident_interval: Interval,
    /// Rows that the model was sure of.
    pub confident: u64,
    /// Of these, wrong.
    pub wrong: u64,
    /// Wrong rows over confident rows; None where there are none.
    pub wrong_share: Option<f64>,
    /// Of that share.
    pub wrong_interval: Option<Interval>,
    /// The share that would be wrong if confidences were right.
    pub expected_if_calibrated: Option<f64>,
    /// All rows.
    pub n: u64,
}

/// Why it cannot be said how often the model was confidently wrong.
#[derive(Clone, Copy, Debug, PartialEq, Error)]
pub enum ConfidenceError {
    /// Outcomes that do not belong to the scores.
    #[error("hold {scores} scores against {outcomes} outcomes: each row needs both")]
    LengthsDiffer {
        /// How many scores there are.
        scores: usize,
        /// How many outcomes.
        outcomes: usize,
    },
    /// A score that is no probability.
    #[error("use the score {score} of row {row}: it must be in [0, 1]")]
    Score {
        /// Position of the row.
        row: usize,
        /// Its score.
        score: f64,
    },
    /// A confidence that is no probability.
    #[error("call rows with a confidence of {confidence} sure: it must be in [0, 1]")]
    Confidence {
        /// What was asked for.
        confidence: f64,
    },
    /// Nothing to look at.
    #[error("look for confident mistakes among no rows")]
    NoRows,
}

/// How often a probability of the positive class was sure, by at least `confidence`, and wrong.
///
/// # Errors
/// Different lengths, no rows, a score or a confidence outside [0, 1].
pub fn confidently_wrong(
    scores: &[f64],
    outcomes: &[bool],
    confidence: f64,
    level: Level,
) -> Result<ConfidentlyWrong, ConfidenceError> {
    check(scores, outcomes, confidence)?;
    let confidences: Vec<f64> = scores.iter().map(|score| score.max(1.0 - score)).collect();
    let wrong: Vec<bool> = scores.iter().zip(outcomes).map(|(&score, &is)| (score >= 0.5) != is).collect();
    confidently_wrong_answers(&confidences, &wrong, confidence, level)
}

/// The same for answers of any number of classes: with the probability of each row's answer, and
/// whether that was wrong.
///
/// # Errors
/// Different lengths, no rows, a probability or a confidence outside [0, 1].
pub fn confidently_wrong_answers(
    confidences: &[f64],
    wrong: &[bool],
    confidence: f64,
    level: Level,
) -> Result<ConfidentlyWrong, ConfidenceError> {
    check(confidences, wrong, confidence)?;
    let sure = || confidences.iter().zip(wrong).filter(|(sureness, _)| **sureness >= confidence);
    let (n, confident) = (wrong.len() as u64, sure().count() as u64);
    let wrong = sure().filter(|(_, wrong)| **wrong).count() as u64;
    let of_all = Proportion::new(confident, n).map_err(|_| ConfidenceError::NoRows)?;
    // None where no row is sure.
    let of_sure = Proportion::new(wrong, confident).ok();
    let expected: f64 = sure().map(|(sureness, _)| 1.0 - sureness).sum();
    Ok(ConfidentlyWrong {
        confidence,
        confident_share: of_all.share(),
        confident_interval: of_all.wilson(level),
        confident,
        wrong,
        wrong_share: of_sure.map(Proportion::share),
        wrong_interval: of_sure.map(|share| share.wilson(level)),
        expected_if_calibrated: of_sure.map(|_| expected / confident as f64),
        n,
    })
}

fn check(scores: &[f64], outcomes: &[bool], confidence: f64) -> Result<(), ConfidenceError> {
    if scores.len() != outcomes.len() {
        return Err(ConfidenceError::LengthsDiffer { scores: scores.len(), outcomes: outcomes.len() });
    }
    if !(0.0..=1.0).contains(&confidence) {
        return Err(ConfidenceError::Confidence { confidence });
    }
    match scores.iter().position(|score| !(0.0..=1.0).contains(score)) {
        Some(row) => Err(ConfidenceError::Score { row, score: scores[row] }),
        None => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn where_no_row_is_sure_nothing_is_said_of_the_sure_ones() {
        let found = confidently_wrong(&[0.6, 0.5], &[true, false], 0.9, Level::P95).unwrap();
        assert_eq!((found.confident, found.wrong_share, found.wrong_interval), (0, None, None));
        assert_eq!(found.expected_if_calibrated, None);
        // At 0.5 the answer is yes, so the second row is wrong.
        let found = confidently_wrong(&[0.6, 0.5], &[true, false], 0.5, Level::P95).unwrap();
        assert_eq!((found.confident, found.wrong), (2, 1));
    }

    #[test]
    fn what_is_no_probability_is_refused_with_its_row() {
        let of = |scores: &[f64], c| confidently_wrong(scores, &vec![true; scores.len()], c, Level::P95);
        assert_eq!(of(&[], 0.9).unwrap_err(), ConfidenceError::NoRows);
        assert!(matches!(of(&[0.1, f64::NAN], 0.9), Err(ConfidenceError::Score { row: 1, .. })));
        assert!(matches!(of(&[1.1], 0.9), Err(ConfidenceError::Score { row: 0, .. })));
        assert!(matches!(of(&[0.1], f64::NAN), Err(ConfidenceError::Confidence { .. })));
        let uneven = confidently_wrong(&[0.1], &[], 0.9, Level::P95);
        assert_eq!(uneven, Err(ConfidenceError::LengthsDiffer { scores: 1, outcomes: 0 }));
    }
}
