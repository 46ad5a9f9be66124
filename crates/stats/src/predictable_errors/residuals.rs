//! Predictable residuals: systematic error that the model's own inputs give away.
//!
//! # What it measures
//!
//! The share by which the mean squared error (for probabilities, the Brier score) would fall if what
//! boosted trees say of the residual, from the features and the prediction itself, was added to each
//! prediction; judged on rows that they had not seen. 0: the model is calibrated for every group that the
//! features form, as far as these trees see; above it, it is wrong where its inputs tell better.
//!
//! # When it misleads
//!
//! * It is what these trees find with these rows, and less than what could be found. Where nothing can
//!   be found they make things worse; a share below 0 counts as 0.
//! * Features that the model was not given count like its own: a share above 0 may ask for a new input.
//! * Drift since training is systematic error too.
//! * The p-value is one-sided and about normal: with few rows of the rarer outcome (below some hundred in
//!   all) it is not exact.
//! * Rows that belong together make it too small.
//!
//! # Formula
//!
//! With residuals `r = outcome − prediction` and their prediction `h` from the other folds, the share is
//! `1 − Σ (r − h)² / Σ r²`; interval by the delta method on the logarithm of 1 less it. A share that counts as
//! 0 has an interval from 0 up to what the same width leaves open above 0, and `z² / (n + z²)` at least: what `n`
//! rows leave open of a share of which none was seen. Test: where
//! `E(r | features, prediction) = 0`, every function of these is uncorrelated with `r`. With `h` learnt
//! from the folds before, `t = Σ r h / √(Σ r² h²)` of each fold is about standard normal whatever came
//! before; the statistic is `Σ √n t / √(Σ n)` over the folds but the first. Simulated with calibrated
//! predictions (3,000 windows each), it was called at 5 % in 4.7 % of windows of 300 rows with a fourth
//! positive, in 4.6 % of 1,000 rows with one in forty, and in 5.1 % for numbers whose spread depends on a
//! feature.
//!
//! # Example
//!
//! ```
//! use stats::predictable_errors::{PredictableOptions, predictable_residuals};
//! use stats::{interval::Level, learn::{Column, Features}};
//! # use rand_core::{RngCore, impls};
//! # struct Rng(u64);
//! # impl RngCore for Rng {
//! #     fn next_u32(&mut self) -> u32 { (self.next_u64() >> 32) as u32 }
//! #     fn next_u64(&mut self) -> u64 { self.0 = self.0.wrapping_mul(0x5851_f42d_4c95_7f2d) + 1; self.0 }
//! #     fn fill_bytes(&mut self, b: &mut [u8]) { impls::fill_bytes_via_next(self, b) }
//! # }
//! # let mut rng = Rng(1);
//! // Every score is 0.5, though outcomes follow the hour.
//! let hour: Vec<f64> = (0..960).map(|row| f64::from(row % 24)).collect();
//! let residuals: Vec<f64> = (0..960)
//!     .map(|row| if row / 24 % 4 < if row % 24 < 12 { 1 } else { 3 } { 0.5 } else { -0.5 })
//!     .collect();
//! let features = Features::new(vec![Column::Numeric(hour)])?;
//! let options = PredictableOptions::default();
//! let found =
//!     predictable_residuals(&features, &[0.5; 960], &residuals, &options, Level::P95, &mut rng)?;
//! // 0.25 without the hour, 0.1875 with it.
//! assert!((found.explained - 0.25).abs() < 0.05 && found.p_value < 1e-6);
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! # References
//!
//! * D. Widmann, F. Lindsten, D. Zachariah, "Calibration tests beyond classification", ICLR 2021: functions
//!   that are uncorrelated with the residual of a calibrated model.
//! * Ú. Hébert-Johnson et al., "Multicalibration", ICML 2018: auditing by a learner.
//! * S. A. Stouffer et al., "The American soldier", Princeton, 1949: combination of scores.

use rand_core::RngCore;
use serde::{Deserialize, Serialize};

use super::significance::{combined_scores, residual_score};
use super::{
    ErrorColumn, PredictableError, PredictableOptions, check_options, check_rows, check_values,
    error_columns, left_open,
};
use crate::interval::{Interval, IntervalMethod, Level};
use crate::learn::cross_fit::held_out;
use crate::learn::folds::Folds;
use crate::learn::{Column, Features, Loss, Options};

/// How much of what the model leaves can be predicted.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct PredictableResiduals {
    /// The share of the mean squared residual that is explained on held-out rows, in [0, 1].
    pub explained: f64,
    /// Of the share.
    pub interval: Interval,
    /// How residuals go along with what was predicted of them, in standard errors.
    pub statistic: f64,
    /// How often the statistic is as large where residuals have mean 0 whatever the features.
    pub p_value: f64,
    /// All columns, the one that tells most first; the position after the last feature is the
    /// model's own prediction.
    pub columns: Vec<ErrorColumn>,
    /// All rows.
    pub n: u64,
}

/// How well features and `predictions` tell the `residuals`, outcomes less predictions: of
/// probabilities with outcomes of 0 and 1, or of numbers.
///
/// # Errors
/// Predictions or residuals that are not one measurable number per row, residuals that are all 0, fewer
/// than ten rows per fold, options out of range.
pub fn predictable_residuals(
    features: &Features,
    predictions: &[f64],
    residuals: &[f64],
    options: &PredictableOptions,
    level: Level,
    rng: &mut impl RngCore,
) -> Result<PredictableResiduals, PredictableError> {
    check_values(features, predictions, "predictions", "prediction")?;
    check_values(features, residuals, "residuals", "residual")?;
    check_options(options)?;
    check_rows("rows", residuals.len(), options.folds)?;
    let mut columns = features.columns().to_vec();
    columns.push(Column::Numeric(predictions.to_vec()));
    let table = Features::new(columns).expect("the predictions are as many as the rows");
    let learner = Options { loss: Loss::Squared, ..options.learner };
    let dealt = Folds::stratified(&[residuals.len()], options.folds, rng);
    let folds = held_out(&table, residuals, dealt.each(), &learner)?;
    let pairs: Vec<(f64, f64)> =
        folds.iter().flat_map(|fold| fold.predicted.iter().copied().zip(fold.of(residuals))).collect();
    let (explained, interval) = explained_share(&pairs, level).ok_or(PredictableError::NothingLeft)?;
    let later = held_out(&table, residuals, dealt.each_after_the_first(), &learner)?;
    let scores: Vec<(f64, usize)> = later
        .iter()
        .filter_map(|fold| Some((residual_score(&fold.predicted, &fold.of(residuals))?, fold.rows.len())))
        .collect();
    let (statistic, p_value) = combined_scores(&scores);
    let share = |predicted: &[f64], residuals: &[f64]| {
        let left: f64 = predicted.iter().zip(residuals).map(|(h, r)| (r - h).powi(2)).sum();
        let all: f64 = residuals.iter().map(|r| r * r).sum();
        if all > 0.0 { 1.0 - left / all } else { 0.0 }
    };
    Ok(PredictableResiduals {
        explained,
        interval,
        statistic,
        p_value,
        columns: error_columns(&folds, residuals, share, rng),
        n: residuals.len() as u64,
    })
}

/// `1 − Σ (r − h)² / Σ r²` of `(h, r)`, not below 0; None where all residuals are 0.
fn explained_share(pairs: &[(f64, f64)], level: Level) -> Option<(f64, Interval)> {
    let n = pairs.len() as f64;
    let left = pairs.iter().map(|(h, r)| (r - h).powi(2)).sum::<f64>() / n;
    let all = pairs.iter().map(|(_, r)| r * r).sum::<f64>() / n;
    if all <= 0.0 {
        return None;
    }
    let ratio = left / all;
    let interval = |lower: f64, upper: f64| {
        let method = IntervalMethod::NormalOfLogarithm;
        Interval { lower: lower.clamp(0.0, 1.0), upper: upper.clamp(0.0, 1.0), level, method }
    };
    let value = (1.0 - ratio).max(0.0);
    if left <= 0.0 {
        return Some((value, interval(1.0, 1.0)));
    }
    let squares: f64 = pairs.iter().map(|(h, r)| ((r - h).powi(2) / left - r * r / all).powi(2)).sum();
    let half = level.z() * (squares / n / n).sqrt();
    let upper = 1.0 - ratio * (-half).exp();
    let open = if ratio < 1.0 { upper } else { upper.max(1.0 - (-half).exp()).max(left_open(n, level)) };
    Some((value, interval(1.0 - ratio * half.exp(), open)))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Wilson's upper bound of 0 of 400 is z² / (400 + z²) = 0.009512 by hand.
    #[test]
    fn a_share_that_counts_as_none_has_an_upper_bound() {
        let residual = |row: usize| if row.is_multiple_of(2) { 1.0 } else { -1.0 };
        let nothing: Vec<(f64, f64)> = (0..400).map(|row| (0.0, residual(row))).collect();
        let (value, interval) = explained_share(&nothing, Level::P95).unwrap();
        assert_eq!((value, interval.lower), (0.0, 0.0));
        assert!((interval.upper - 3.841_458_8 / 403.841_458_8).abs() < 1e-6, "{interval:?}");
        // A model that only adds noise leaves open no less than that.
        let noise: Vec<(f64, f64)> =
            (0..400).map(|row| (if row % 4 < 2 { 0.3 } else { -0.3 }, residual(row))).collect();
        let (value, interval) = explained_share(&noise, Level::P95).unwrap();
        assert_eq!((value, interval.lower), (0.0, 0.0));
        assert!(interval.upper > 0.01 && interval.upper < 0.1, "{interval:?}");
    }
}
