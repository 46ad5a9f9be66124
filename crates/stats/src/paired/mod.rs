//! Two models over the same rows: which is better, and is it more than luck?
//!
//! Both models saw the same rows, so what is hard for one is mostly hard for the other, and a difference
//! between them is known better than either value. Every function takes two slices of the same length, row
//! by row, and gives the second model less the first: [`roc_auc`] (DeLong), [`mean_loss`] (Student), and
//! [`mcnemar`] for right and wrong. Two separate intervals that overlap do not show that models are alike.

pub mod mcnemar;
pub mod mean_loss;
pub mod roc_auc;

use serde::{Deserialize, Serialize};
use thiserror::Error;

/// Why two models cannot be compared.
#[derive(Clone, Copy, Debug, PartialEq, Error)]
pub enum PairedError {
    /// Rows that do not belong together.
    #[error("pair the rows: {first} of the first model, {second} of the second, {outcomes} outcomes")]
    LengthsDiffer {
        /// Rows of the first model.
        first: usize,
        /// Rows of the second model.
        second: usize,
        /// Outcomes.
        outcomes: usize,
    },
    /// Too few rows.
    #[error("compare two models: too few rows, {n} where at least {needed} are needed")]
    TooFewRows {
        /// Rows at hand.
        n: u64,
        /// Rows needed.
        needed: u64,
    },
    /// Too few rows of a class.
    #[error(
        "compare rankings: too few rows of a class, {positives} positive and {negatives} negative, and at least 2 of each \
         are needed"
    )]
    TooFewOfAClass {
        /// Rows whose outcome is positive.
        positives: u64,
        /// Rows whose outcome is negative.
        negatives: u64,
    },
    /// A value that is none.
    #[error("compare row {row}: its value is not a finite number")]
    NotFinite {
        /// Position of the row.
        row: usize,
    },
}

/// How often each model was better.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct WinsTiesLosses {
    /// Rows on which the second model was better.
    pub wins: u64,
    /// Rows on which both were alike.
    pub ties: u64,
    /// Rows on which the first model was better.
    pub losses: u64,
}

/// Two-sided p-value of `rows` independent comparisons that all came out the same way, where the variance of
/// what they show is 0: the sign test.
fn all_alike_p_value(rows: usize) -> f64 {
    (1.0 - rows as f64).exp2().min(1.0)
}

/// Refuses rows that do not belong together, and values that are not finite.
fn check(first: &[f64], second: &[f64], outcomes: usize) -> Result<(), PairedError> {
    if first.len() != second.len() || first.len() != outcomes {
        return Err(PairedError::LengthsDiffer { first: first.len(), second: second.len(), outcomes });
    }
    let pairs = first.iter().zip(second);
    match pairs.into_iter().position(|(a, b)| !a.is_finite() || !b.is_finite()) {
        Some(row) => Err(PairedError::NotFinite { row }),
        None => Ok(()),
    }
}
