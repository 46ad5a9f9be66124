//! The outcomes that a window's scores lead to expect.
//!
//! Each distinct score has its rows and the probability of a positive outcome, so the expected
//! positives and negatives take the place of counted ones. A metric is a function of them; its
//! slopes, by the positives and the negatives at each score, give the interval and the error bound.
//! [`cbpe`](super::cbpe) has the formulas.

use super::EstimatedError;
use super::calibrator::{Calibrated, Calibrator};
use super::confusion::ExpectedConfusion;
use super::ranking::{Mass, Measured, Slope, Ties, average_precision, roc_auc};
use crate::classification::{Estimate, Undefined};
use crate::ecdf::Ecdf;
use crate::interval::{Interval, IntervalMethod, Level};
use crate::labelled_scores::ScoreError;

/// The current window's scores with the outcomes that the reference leads to expect.
///
/// Estimates carry the rows of the window as `n`.
#[derive(Clone, Debug)]
pub struct ExpectedOutcomes<'a> {
    calibrator: &'a Calibrator,
    masses: Vec<Mass>,
    rows: Vec<ExpectedRows>,
    rank_error: u64,
    n: u64,
}

/// The rows of one score.
#[derive(Clone, Copy, Debug)]
struct ExpectedRows {
    rows: f64,
    calibrated: Calibrated,
}

impl<'a> ExpectedOutcomes<'a> {
    /// What `calibrator` expects of `current` scores, which must lie in [0, 1].
    pub fn of(calibrator: &'a Calibrator, current: &Ecdf) -> Result<ExpectedOutcomes<'a>, EstimatedError> {
        let (Some(least), Some(most)) = (current.min(), current.max()) else {
            return Err(Undefined::NoRows.into());
        };
        for score in [least, most] {
            if !(0.0..=1.0).contains(&score) {
                return Err(ScoreError::OutsideUnitInterval { score }.into());
            }
        }
        let (mut masses, mut rows) = (Vec::new(), Vec::new());
        for (score, count) in current.points() {
            let here = ExpectedRows { rows: count as f64, calibrated: calibrator.calibrated(score) };
            let positives = here.rows * here.calibrated.probability;
            masses.push(Mass { score, positives, negatives: here.rows - positives });
            rows.push(here);
        }
        Ok(ExpectedOutcomes { calibrator, masses, rows, rank_error: current.rank_error(), n: current.n() })
    }

    /// Rows of the current window.
    pub fn n(&self) -> u64 {
        self.n
    }

    /// The expected share of positives, in [0, 1].
    pub fn positive_share(&self, level: Level) -> Estimate {
        self.confusion(0.0).positive_share(level)
    }

    /// Expected counts where scores at or above `threshold` are called positive.
    ///
    /// # Errors
    /// A threshold that is not a number.
    pub fn confusion_at(&self, threshold: f64) -> Result<ExpectedConfusion<'_>, Undefined> {
        if threshold.is_nan() { Err(Undefined::ThresholdNotANumber) } else { Ok(self.confusion(threshold)) }
    }

    fn confusion(&self, threshold: f64) -> ExpectedConfusion<'_> {
        ExpectedConfusion::at(self, threshold)
    }

    /// Expected area under the ROC curve, in [0, 1].
    ///
    /// # Errors
    /// Only positives or only negatives are expected.
    pub fn roc_auc(&self, level: Level) -> Result<Estimate, Undefined> {
        self.estimate(roc_auc, level).ok_or_else(|| self.missing_class())
    }

    /// Expected average precision, in [0, 1].
    ///
    /// # Errors
    /// Only positives or only negatives are expected.
    pub fn average_precision(&self, ties: Ties, level: Level) -> Result<Estimate, Undefined> {
        self.estimate(|masses| average_precision(masses, ties), level).ok_or_else(|| self.missing_class())
    }

    pub(super) fn masses(&self) -> &[Mass] {
        &self.masses
    }

    pub(super) fn resolution(&self) -> Option<f64> {
        self.calibrator.resolution()
    }

    fn missing_class(&self) -> Undefined {
        if self.masses.iter().any(|mass| mass.positives > 0.0) {
            Undefined::NoNegatives
        } else {
            Undefined::NoPositives
        }
    }

    /// A metric in [0, 1] of masses, with its interval; None where the metric does not exist.
    pub(super) fn estimate(
        &self,
        metric: impl Fn(&[Mass]) -> Option<Measured>,
        level: Level,
    ) -> Option<Estimate> {
        let measured = metric(&self.masses)?;
        let half = level.z() * self.variance(&measured.slopes).sqrt();
        let optimism = self.calibrator.optimism(|masses| metric(masses).map(|measured| measured.value));
        let interval = Interval {
            lower: (measured.value - half - optimism.max(0.0)).max(0.0),
            upper: (measured.value + half - optimism.min(0.0)).min(1.0),
            level,
            method: IntervalMethod::DeltaOfExpectedOutcomes,
        };
        let hidden = if self.resolution().is_some() { measured.hidden_by_rounding } else { 0.0 };
        let error_bound = (hidden + self.rank_error_effect(&measured.slopes)).min(1.0);
        Some(Estimate { value: measured.value, interval, n: self.n, error_bound })
    }

    /// Of the window's outcomes around their probabilities, plus of the probabilities themselves.
    fn variance(&self, slopes: &[Slope]) -> f64 {
        let variances = self.calibrator.block_variances();
        let mut outcomes = 0.0;
        let mut by_block = vec![0.0; variances.len()];
        for (here, slope) in self.rows.iter().zip(slopes) {
            let by_outcome = slope.by_positives - slope.by_negatives;
            outcomes += here.rows * by_outcome.powi(2) * here.calibrated.outcome_variance();
            let place = here.calibrated.place;
            let moved = here.rows * by_outcome;
            by_block[place.lower] += moved * (1.0 - place.share_of_upper);
            by_block[place.upper] += moved * place.share_of_upper;
        }
        let calibration = by_block.iter().zip(variances).map(|(by, variance)| by * by * variance);
        outcomes + calibration.sum::<f64>()
    }

    /// What rows of uncertain rank can change, to first order: `|∫ ψ d(F − F̂)| ≤ sup|F − F̂| · TV(ψ)`
    /// with ψ the change by one row at a score.
    fn rank_error_effect(&self, slopes: &[Slope]) -> f64 {
        if self.rank_error == 0 {
            return 0.0;
        }
        let by_row: Vec<f64> = self
            .rows
            .iter()
            .zip(slopes)
            .map(|(here, slope)| {
                let p = here.calibrated.probability;
                p * slope.by_positives + (1.0 - p) * slope.by_negatives
            })
            .collect();
        self.rank_error as f64 * by_row.windows(2).map(|pair| (pair[1] - pair[0]).abs()).sum::<f64>()
    }
}
