//! The confusion matrix that a window's scores lead to expect, and the metrics of one threshold.
//!
//! Precision, recall, specificity, F1 and accuracy are ratios of sums of the expected matrix' cells,
//! and their slopes follow from that.

use super::expected_outcomes::ExpectedOutcomes;
use super::ranking::{Mass, Measured, Slope};
use crate::classification::{Estimate, Undefined};
use crate::interval::Level;

/// Expected rows by outcome and call at one threshold.
#[derive(Clone, Debug)]
pub struct ExpectedConfusion<'a> {
    outcomes: &'a ExpectedOutcomes<'a>,
    threshold: f64,
}

/// Rows by outcome and call; whole numbers only where outcomes are known.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Cells {
    /// Positive and called positive.
    pub true_positives: f64,
    /// Negative and called positive.
    pub false_positives: f64,
    /// Negative and called negative.
    pub true_negatives: f64,
    /// Positive and called negative.
    pub false_negatives: f64,
}

/// A ratio of two sums of cells: how often each cell counts in both.
pub(super) struct Ratio {
    top: Cells,
    bottom: Cells,
}

impl<'a> ExpectedConfusion<'a> {
    /// `threshold` must not be NaN.
    pub(super) fn at(outcomes: &'a ExpectedOutcomes<'a>, threshold: f64) -> ExpectedConfusion<'a> {
        ExpectedConfusion { outcomes, threshold }
    }

    /// The expected counts.
    pub fn cells(&self) -> Cells {
        Cells::of(self.outcomes.masses(), self.threshold)
    }

    /// Scores at or above this are called positive.
    pub fn threshold(&self) -> f64 {
        self.threshold
    }

    /// Expected share of rows called right, in [0, 1].
    pub fn accuracy(&self, level: Level) -> Estimate {
        self.ratio(&Ratio::ACCURACY, level).expect("a window has rows")
    }

    /// Expected share of positives, at any threshold.
    pub(super) fn positive_share(&self, level: Level) -> Estimate {
        self.ratio(&Ratio::POSITIVE_SHARE, level).expect("a window has rows")
    }

    /// Expected share of positives among the rows called positive, in [0, 1].
    pub fn precision(&self, level: Level) -> Result<Estimate, Undefined> {
        self.ratio(&Ratio::PRECISION, level).ok_or(Undefined::NoPredictedPositives)
    }

    /// Expected share of the positives that are called positive, in [0, 1].
    pub fn recall(&self, level: Level) -> Result<Estimate, Undefined> {
        self.ratio(&Ratio::RECALL, level).ok_or(Undefined::NoPositives)
    }

    /// Expected share of the negatives that are called negative, in [0, 1].
    pub fn specificity(&self, level: Level) -> Result<Estimate, Undefined> {
        self.ratio(&Ratio::SPECIFICITY, level).ok_or(Undefined::NoNegatives)
    }

    /// Expected harmonic mean of precision and recall, in [0, 1].
    pub fn f1(&self, level: Level) -> Result<Estimate, Undefined> {
        self.ratio(&Ratio::F1, level).ok_or(Undefined::NothingPositive)
    }

    /// None where the bottom is empty.
    fn ratio(&self, ratio: &Ratio, level: Level) -> Option<Estimate> {
        let near = self.outcomes.resolution().map_or(0.0, |step| step / 2.0);
        self.outcomes.estimate(|masses| ratio.measure(masses, self.threshold, near), level)
    }
}

impl Ratio {
    pub(super) const ACCURACY: Ratio = Ratio { top: cells([1.0, 0.0, 1.0, 0.0]), bottom: cells([1.0; 4]) };
    pub(super) const POSITIVE_SHARE: Ratio =
        Ratio { top: cells([1.0, 0.0, 0.0, 1.0]), bottom: cells([1.0; 4]) };
    pub(super) const PRECISION: Ratio =
        Ratio { top: cells([1.0, 0.0, 0.0, 0.0]), bottom: cells([1.0, 1.0, 0.0, 0.0]) };
    pub(super) const RECALL: Ratio =
        Ratio { top: cells([1.0, 0.0, 0.0, 0.0]), bottom: cells([1.0, 0.0, 0.0, 1.0]) };
    pub(super) const SPECIFICITY: Ratio =
        Ratio { top: cells([0.0, 0.0, 1.0, 0.0]), bottom: cells([0.0, 1.0, 1.0, 0.0]) };
    pub(super) const F1: Ratio =
        Ratio { top: cells([2.0, 0.0, 0.0, 0.0]), bottom: cells([2.0, 1.0, 0.0, 1.0]) };

    /// The ratio at `threshold`; scores within `near` of it may be on the other side.
    pub(super) fn measure(&self, masses: &[Mass], threshold: f64, near: f64) -> Option<Measured> {
        let cells = Cells::of(masses, threshold);
        let value = self.of(&cells)?;
        let bottom = cells.dot(&self.bottom);
        let slope = |top: f64, below: f64| (top - value * below) / bottom;
        let called = Slope {
            by_positives: slope(self.top.true_positives, self.bottom.true_positives),
            by_negatives: slope(self.top.false_positives, self.bottom.false_positives),
        };
        let not_called = Slope {
            by_positives: slope(self.top.false_negatives, self.bottom.false_negatives),
            by_negatives: slope(self.top.true_negatives, self.bottom.true_negatives),
        };
        let slopes =
            masses.iter().map(|mass| if mass.score >= threshold { called } else { not_called }).collect();
        // A hair more, since grid points are rounded themselves.
        let is_near = |mass: &&Mass| (mass.score - threshold).abs() <= near * (1.0 + 1e-9);
        let near: Vec<Mass> = masses.iter().filter(is_near).copied().collect();
        let near = Cells::of(&near, threshold);
        let hidden_by_rounding = match (self.of(&cells.all_right(&near)), self.of(&cells.all_wrong(&near))) {
            (Some(best), Some(worst)) => (best - value).max(value - worst).max(0.0),
            _ => 1.0,
        };
        Some(Measured { value, slopes, hidden_by_rounding })
    }

    fn of(&self, cells: &Cells) -> Option<f64> {
        let bottom = cells.dot(&self.bottom);
        (bottom > 0.0).then(|| (cells.dot(&self.top) / bottom).clamp(0.0, 1.0))
    }
}

/// TP, FP, TN and FN.
const fn cells([true_positives, false_positives, true_negatives, false_negatives]: [f64; 4]) -> Cells {
    Cells { true_positives, false_positives, true_negatives, false_negatives }
}

impl Cells {
    fn of(masses: &[Mass], threshold: f64) -> Cells {
        let mut cells = Cells::default();
        for mass in masses {
            if mass.score >= threshold {
                cells.true_positives += mass.positives;
                cells.false_positives += mass.negatives;
            } else {
                cells.false_negatives += mass.positives;
                cells.true_negatives += mass.negatives;
            }
        }
        cells
    }

    fn dot(&self, other: &Cells) -> f64 {
        self.true_positives * other.true_positives
            + self.false_positives * other.false_positives
            + self.true_negatives * other.true_negatives
            + self.false_negatives * other.false_negatives
    }

    /// As if every row of `near` were called right.
    fn all_right(&self, near: &Cells) -> Cells {
        Cells {
            true_positives: self.true_positives + near.false_negatives,
            false_negatives: self.false_negatives - near.false_negatives,
            true_negatives: self.true_negatives + near.false_positives,
            false_positives: self.false_positives - near.false_positives,
        }
    }

    /// As if every row of `near` were called wrong.
    fn all_wrong(&self, near: &Cells) -> Cells {
        Cells {
            true_positives: self.true_positives - near.true_positives,
            false_negatives: self.false_negatives + near.true_positives,
            true_negatives: self.true_negatives - near.true_negatives,
            false_positives: self.false_positives + near.true_negatives,
        }
    }
}
