//! How good a model is now, before its outcomes are known, and when known outcomes can be believed.
//!
//! Estimates carry what the reference showed over to the current window: the probability of the
//! outcome at a score ([`cbpe`], [`multiclass`]), corrected where other inputs arrive now
//! ([`importance_weighted`]), or the size of the error at some inputs ([`direct_loss`]). None of
//! them can see that the *same* input now has another outcome; only outcomes show that, and
//! [`maturity`] says when enough of them have arrived.

pub mod calibrator;
pub mod cbpe;
pub mod confusion;
pub mod direct_loss;
pub mod expected_outcomes;
pub mod importance_weighted;
pub mod isotonic;
pub mod maturity;
pub mod multiclass;
mod one_vs_rest;
mod ranking;

pub use ranking::Ties;

use thiserror::Error;

use crate::classification::Undefined;
use crate::labelled_scores::ScoreError;

/// Why performance cannot be estimated.
#[derive(Clone, Copy, Debug, PartialEq, Error)]
pub enum EstimatedError {
    /// The reference cannot be learnt from, or the window is empty.
    #[error(transparent)]
    Undefined(#[from] Undefined),
    /// A score that is no probability.
    #[error(transparent)]
    Score(#[from] ScoreError),
    /// A weight that is none.
    #[error("weigh reference row {index} by {weight}: a weight must be finite and not below zero")]
    Weight {
        /// Position in the input.
        index: usize,
        /// The weight.
        weight: f64,
    },
    /// The weights leave too little of the reference.
    #[error(
        "carry the reference over: weighted like the current window, its rows are worth {effective:.0}, \
         and it takes {needed}; the two hardly overlap"
    )]
    TooFewEffectiveRows {
        /// Rows of the reference that the weights leave, `(Σw)² / Σw²`.
        effective: f64,
        /// What was asked for.
        needed: u64,
    },
}
