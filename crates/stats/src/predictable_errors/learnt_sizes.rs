//! Predictable losses: whether the inputs tell how far off the model will be.
//!
//! # What it measures
//!
//! The share of the losses' variance that boosted trees explain on rows that they had not seen, 0 to 1.
//! 0: losses are as large here as there; above it, the inputs tell where the model is worse.
//!
//! # When it misleads
//!
//! * It is a share of the variance of losses, most of which is luck for any model; 0.05 can matter much.
//! * It is what these trees explain with these rows; less than what could be. Below 0 counts as 0.
//! * A few very large losses decide; consider their logarithms or ranks.
//! * The p-value's null is that losses fall on rows at random. Losses whose spread depends on the
//!   features, but not their mean, contradict it too, and are called a little too often.
//!
//! # Formula
//!
//! `1 − Σ (loss − m)² / Σ (loss − mean)²` with `m` from the other folds, and the interval of
//! [`r_squared`]; of a share that counts as 0, up to what the same width leaves open above 0, and Wilson's upper bound
//! of 0 of `n` at least. P-value as for [`predictable_mistakes`](super::predictable_mistakes), with `Σ m · loss` in
//! place of the rank sum.
//!
//! # Example
//!
//! ```
//! use stats::predictable_errors::{PredictableOptions, predictable_losses};
//! use stats::{interval::Level, learn::{Column, Features}};
//! # use rand_core::{RngCore, impls};
//! # struct Rng(u64);
//! # impl RngCore for Rng {
//! #     fn next_u32(&mut self) -> u32 { (self.next_u64() >> 32) as u32 }
//! #     fn next_u64(&mut self) -> u64 { self.0 = self.0.wrapping_mul(0x5851_f42d_4c95_7f2d) + 1; self.0 }
//! #     fn fill_bytes(&mut self, b: &mut [u8]) { impls::fill_bytes_via_next(self, b) }
//! # }
//! # let mut rng = Rng(1);
//! let distance: Vec<f64> = (0..500).map(|row| f64::from(row % 100)).collect();
//! let losses: Vec<f64> = (0..500).map(|row| f64::from(row % 100) + f64::from(row % 7) * 5.0).collect();
//! let features = Features::new(vec![Column::Numeric(distance)])?;
//! let found = predictable_losses(&features, &losses, &PredictableOptions::default(), Level::P95, &mut rng)?;
//! assert!(found.explained > 0.8 && found.p_value < 1e-6);
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! # References
//!
//! See [`predictable_mistakes`](super::predictable_mistakes).

use rand_core::RngCore;
use serde::{Deserialize, Serialize};

use super::significance::{combined, covariance_p_value};
use super::{
    ErrorColumn, PredictableError, PredictableOptions, check_options, check_rows, check_values,
    error_columns, left_open,
};
use crate::interval::{Interval, Level};
use crate::learn::cross_fit::held_out;
use crate::learn::folds::Folds;
use crate::learn::{Features, Loss, Options};
use crate::regression::PredictionErrors;
use crate::regression::r_squared::r_squared;

/// How much of the size of losses can be predicted.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct PredictableLosses {
    /// The share of the losses' variance that is explained on held-out rows, in [0, 1].
    pub explained: f64,
    /// Of the share.
    pub interval: Interval,
    /// How often as much would be predicted if losses fell on rows at random.
    pub p_value: f64,
    /// All columns, the one that tells most first.
    pub columns: Vec<ErrorColumn>,
    /// All rows.
    pub n: u64,
}

/// How well the features tell the size of `losses`.
///
/// # Errors
/// Losses that are not one measurable number per row or all the same, fewer than ten rows per fold,
/// options out of range.
pub fn predictable_losses(
    features: &Features,
    losses: &[f64],
    options: &PredictableOptions,
    level: Level,
    rng: &mut impl RngCore,
) -> Result<PredictableLosses, PredictableError> {
    check_values(features, losses, "losses", "loss")?;
    check_options(options)?;
    check_rows("rows", losses.len(), options.folds)?;
    if losses.iter().all(|&loss| loss == losses[0]) {
        return Err(PredictableError::NothingVaries);
    }
    let learner = Options { loss: Loss::Squared, ..options.learner };
    let dealt = Folds::stratified(&[losses.len()], options.folds, rng);
    let folds = held_out(features, losses, dealt.each(), &learner)?;
    let pairs = folds.iter().flat_map(|fold| fold.predicted.iter().copied().zip(fold.of(losses)));
    // What varies by less than a square can hold varies by nothing.
    let explained =
        r_squared(&PredictionErrors::of(pairs), level).map_err(|_| PredictableError::NothingVaries)?;
    let later = held_out(features, losses, dealt.each_after_the_first(), &learner)?;
    let p_values: Vec<f64> = later
        .iter()
        .map(|fold| covariance_p_value(&fold.predicted, &fold.of(losses), options.permutations, rng))
        .collect();
    let explained_share = |predicted: &[f64], losses: &[f64]| {
        let mean = losses.iter().sum::<f64>() / losses.len() as f64;
        let left: f64 = predicted.iter().zip(losses).map(|(m, loss)| (loss - m).powi(2)).sum();
        let all: f64 = losses.iter().map(|loss| (loss - mean).powi(2)).sum();
        if all > 0.0 { 1.0 - left / all } else { 0.0 }
    };
    let Interval { lower, upper, .. } = explained.interval;
    let open = if explained.value > 0.0 {
        upper
    } else {
        (upper - explained.value).max(left_open(losses.len() as f64, level)).min(1.0)
    };
    Ok(PredictableLosses {
        explained: explained.value.max(0.0),
        interval: Interval { lower: lower.max(0.0), upper: open.max(0.0), ..explained.interval },
        p_value: combined(&p_values),
        columns: error_columns(&folds, losses, explained_share, rng),
        n: losses.len() as u64,
    })
}
