//! Estimated performance, corrected for inputs that arrive in another mix than in the reference.
//!
//! # What it measures
//!
//! The same as [`cbpe`](super::cbpe), but with scores calibrated on a reference that is weighted to
//! look like the current window: a row counts by how much likelier its inputs are now than they
//! were then.
//!
//! # When it misleads
//!
//! * It corrects for shifts of the inputs that the weights saw (covariate shift). Changed outcomes
//!   at the same inputs stay invisible.
//! * Inputs that the reference never had cannot be weighted into it: the number of rows that the
//!   weights leave ([`effective_rows`](ImportanceWeighted::effective_rows)) falls, and below the
//!   least that was asked for no estimate is made.
//! * Weights from a classifier carry its errors; the interval takes them as exact. A classifier
//!   that was asked about rows it was trained on gives weights that are too extreme.
//!
//! # Formula
//!
//! `w(x) = p_current(x) / p_reference(x)`, by a classifier that tells the two windows apart with
//! probability `d(x)` for the current one: `w = d/(1 − d) · n_reference / n_current`. Isotonic
//! regression with these weights gives `E[y | score]` under the current mix (M-CBPE in the paper).
//! Kish's effective number of rows is `(Σw)² / Σw²`; the scale of the weights does not matter.
//!
//! # Example
//!
//! ```
//! use stats::{ecdf::Ecdf, interval::Level};
//! use stats::estimated::importance_weighted::{ImportanceWeighted, WeightedRow};
//! // At the score 0.8, old customers pay (40 of 40) and new ones do not (0 of 10); new ones weigh 4.
//! let rows = (0..50).map(|i| WeightedRow {
//!     score: 0.8,
//!     outcome: i < 40,
//!     weight: if i < 40 { 1.0 } else { 4.0 },
//! });
//! let weighted = ImportanceWeighted::fit(&rows.collect::<Vec<_>>(), 20)?;
//! assert_eq!(weighted.effective_rows(), 32.0);
//! let expected = weighted.expected(&Ecdf::from_weighted(vec![(0.8, 100)], 0)?)?;
//! assert_eq!(expected.positive_share(Level::P95).value, 0.5); // and 0.8 without the weights
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! # References
//!
//! * J. Białek, W. Kuberski, N. Perrakis, A. Bifet, "Estimating model performance under covariate
//!   shift without labels", 2024, arXiv 2401.08348: M-CBPE.
//! * M. Sugiyama, T. Suzuki, T. Kanamori, "Density ratio estimation in machine learning", 2012,
//!   chapter 4: ratios from a probabilistic classifier.
//! * L. Kish, "Survey sampling", 1965, section 11.7: the effective number of rows.

use super::EstimatedError;
use super::calibrator::{Calibrator, Weighted};
use super::expected_outcomes::ExpectedOutcomes;
use crate::classification::Undefined;
use crate::ecdf::Ecdf;
use crate::labelled_scores::ScoreError;

/// A row of the reference and how much it counts now.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct WeightedRow {
    /// The model's score, in [0, 1].
    pub score: f64,
    /// What happened.
    pub outcome: bool,
    /// How much likelier the row's inputs are now than in the reference, up to a common factor.
    pub weight: f64,
}

/// Estimates a binary classifier's performance with a reference weighted like the current window.
#[derive(Clone, Debug)]
pub struct ImportanceWeighted {
    calibrator: Calibrator,
    effective_rows: f64,
}

impl ImportanceWeighted {
    /// Calibrates on `rows`; refuses where the weights leave fewer than `least_effective_rows`.
    ///
    /// # Errors
    /// A score outside of [0, 1], a weight that is negative, infinite or NaN, too few effective
    /// rows, or outcomes of one class only among rows that count.
    pub fn fit(
        rows: &[WeightedRow],
        least_effective_rows: u64,
    ) -> Result<ImportanceWeighted, EstimatedError> {
        let scale = checked_scale(rows)?;
        let points = by_score(rows, scale);
        let sum = |of: fn(&Weighted) -> f64| points.iter().map(of).sum::<f64>();
        let (total, positives) = (sum(|p| p.weight), sum(|p| p.positives));
        let effective_rows = total * (total / sum(|p| p.squares));
        if effective_rows < least_effective_rows as f64 {
            let needed = least_effective_rows;
            return Err(EstimatedError::TooFewEffectiveRows { effective: effective_rows, needed });
        }
        if positives <= 0.0 {
            return Err(Undefined::NoPositives.into());
        }
        if points.iter().all(|p| p.positives == p.weight) {
            return Err(Undefined::NoNegatives.into());
        }
        Ok(ImportanceWeighted { calibrator: Calibrator::from_weighted(&points)?, effective_rows })
    }

    /// The outcomes to expect of `current` scores.
    ///
    /// # Errors
    /// No rows, or a score outside of [0, 1].
    pub fn expected(&self, current: &Ecdf) -> Result<ExpectedOutcomes<'_>, EstimatedError> {
        ExpectedOutcomes::of(&self.calibrator, current)
    }

    /// Rows of the reference that the weights leave, `(Σw)² / Σw²`.
    pub fn effective_rows(&self) -> f64 {
        self.effective_rows
    }

    /// The weighted calibration.
    pub fn calibrator(&self) -> &Calibrator {
        &self.calibrator
    }
}

/// One point per score, ascending.
fn by_score(rows: &[WeightedRow], scale: f64) -> Vec<Weighted> {
    let mut rows = rows.to_vec();
    rows.sort_by(|a, b| a.score.total_cmp(&b.score));
    let mut points: Vec<Weighted> = Vec::new();
    for row in rows {
        let weight = row.weight / scale;
        let positives = if row.outcome { weight } else { 0.0 };
        match points.last_mut() {
            Some(point) if point.score == row.score => {
                point.positives += positives;
                point.weight += weight;
                point.squares += weight * weight;
            }
            _ => points.push(Weighted { score: row.score, positives, weight, squares: weight * weight }),
        }
    }
    points
}

/// The largest weight, so that squares neither overflow nor vanish.
fn checked_scale(rows: &[WeightedRow]) -> Result<f64, EstimatedError> {
    let mut largest = 0.0_f64;
    for (index, row) in rows.iter().enumerate() {
        if !(0.0..=1.0).contains(&row.score) {
            return Err(ScoreError::OutsideUnitInterval { score: row.score }.into());
        }
        if !(row.weight.is_finite() && row.weight >= 0.0) {
            return Err(EstimatedError::Weight { index, weight: row.weight });
        }
        largest = largest.max(row.weight);
    }
    if largest > 0.0 { Ok(largest) } else { Err(Undefined::NoRows.into()) }
}

#[cfg(test)]
mod tests {
    use super::super::cbpe::Cbpe;
    use super::*;
    use crate::binomial::tests::SplitMix;
    use crate::interval::Level;
    use crate::labelled_scores::LabelledScores;
    use rand_core::RngCore;

    fn row(score: f64, outcome: bool, weight: f64) -> WeightedRow {
        WeightedRow { score, outcome, weight }
    }

    fn refusal(rows: &[WeightedRow], least: u64) -> EstimatedError {
        ImportanceWeighted::fit(rows, least).map(|_| ()).unwrap_err()
    }

    #[test]
    fn what_cannot_be_weighted_says_why() {
        let good = row(0.5, true, 1.0);
        assert_eq!(refusal(&[], 0), Undefined::NoRows.into());
        assert_eq!(refusal(&[row(0.5, true, 0.0)], 0), Undefined::NoRows.into());
        assert_eq!(refusal(&[good, good], 0), Undefined::NoNegatives.into());
        assert_eq!(refusal(&[row(0.5, false, 1.0), row(0.1, true, 0.0)], 0), Undefined::NoPositives.into());
        let outside = ScoreError::OutsideUnitInterval { score: 1.5 };
        assert_eq!(refusal(&[good, row(1.5, true, 1.0)], 0), outside.into());
        assert_eq!(
            refusal(&[good, row(0.1, true, -1.0)], 0),
            EstimatedError::Weight { index: 1, weight: -1.0 }
        );
        for weight in [f64::NAN, f64::INFINITY] {
            let refused = refusal(&[good, row(0.1, true, weight)], 0);
            assert!(matches!(refused, EstimatedError::Weight { index: 1, .. }));
        }
    }

    #[test]
    fn weights_that_leave_one_row_are_refused() {
        let mut rows: Vec<_> = (0..100).map(|i| row(0.5, i % 2 == 0, 1e-9)).collect();
        rows[3].weight = 1.0;
        let EstimatedError::TooFewEffectiveRows { effective, needed } = refusal(&rows, 50) else {
            panic!("wrong refusal")
        };
        assert!((effective - 1.0).abs() < 1e-3);
        assert_eq!(needed, 50);
    }

    #[test]
    fn equal_weights_of_any_size_change_nothing() {
        let plain: Vec<_> = (0..60).map(|i| (f64::from(i) / 60.0, i * 7 % 60 < i)).collect();
        let reference = LabelledScores::from_pairs(plain.iter().copied()).unwrap();
        let current = Ecdf::from_values(&mut [0.1, 0.3, 0.55, 0.8, 0.95]).unwrap();
        let unweighted = Cbpe::new(Calibrator::isotonic(&reference).unwrap());
        let unweighted = unweighted.expected(&current).unwrap();
        for weight in [1e-200, 1.0, 1e200] {
            let rows: Vec<_> = plain.iter().map(|&(s, y)| row(s, y, weight)).collect();
            let weighted = ImportanceWeighted::fit(&rows, 60).unwrap();
            assert!((weighted.effective_rows() - 60.0).abs() < 1e-9);
            let expected = weighted.expected(&current).unwrap();
            let (a, b) = (unweighted.roc_auc(Level::P95).unwrap(), expected.roc_auc(Level::P95).unwrap());
            assert!((a.value - b.value).abs() < 1e-12);
            assert!((a.interval.lower - b.interval.lower).abs() < 1e-9);
        }
    }

    /// Two groups of customers share the scores; in the second one the same score is worth less.
    /// The second group grows from a tenth to a half, and the density ratio is known.
    #[test]
    fn it_follows_a_shift_of_inputs_that_plain_estimation_misses() {
        let mut rng = SplitMix(11);
        let mut uniform = || (rng.next_u64() >> 11) as f64 / (1_u64 << 53) as f64;
        let mut draw = |share_second: f64| {
            let second = uniform() < share_second;
            let score = uniform();
            let truth = if second { 0.4 * score } else { score };
            (score, second, uniform() < truth)
        };
        let reference: Vec<_> = (0..20_000).map(|_| draw(0.1)).collect();
        let rows: Vec<_> = reference
            .iter()
            .map(|&(s, second, y)| row(s, y, if second { 0.5 / 0.1 } else { 0.5 / 0.9 }))
            .collect();
        let mut scores: Vec<f64> = (0..20_000).map(|_| draw(0.5).0).collect();
        let current = Ecdf::from_values(&mut scores).unwrap();
        // Half the rows have mean 0.5 and half 0.2.
        let truth = 0.35;
        let weighted = ImportanceWeighted::fit(&rows, 1000).unwrap();
        let found = weighted.expected(&current).unwrap().positive_share(Level::P95);
        assert!((found.value - truth).abs() < 0.015 && found.interval.contains(truth), "{found:?}");
        let labelled = LabelledScores::from_pairs(reference.iter().map(|&(s, _, y)| (s, y))).unwrap();
        let plain = Cbpe::new(Calibrator::isotonic(&labelled).unwrap());
        let plain = plain.expected(&current).unwrap();
        assert!(plain.positive_share(Level::P95).value > 0.44);
    }
}
