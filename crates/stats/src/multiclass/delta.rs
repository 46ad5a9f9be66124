//! The delta method over the cells of a confusion table, for whatever is a smooth function of their shares.

use super::bounded_estimate;
use crate::classification::Estimate;
use crate::classification::confusion::Confusion;
use crate::interval::{IntervalMethod, Level};
use crate::multiclass::ClassifiedRows;

/// Shares of rows by outcome and predicted class.
pub(crate) struct Shares {
    classes: usize,
    cells: Vec<f64>,
    /// By class: the share of rows whose outcome it is.
    pub(crate) outcomes: Vec<f64>,
    /// By class: the share of rows that are called it.
    pub(crate) predictions: Vec<f64>,
    n: u64,
}

impl Shares {
    /// `None` without rows.
    pub(crate) fn of_rows(rows: &ClassifiedRows) -> Option<Shares> {
        Shares::of_counts(rows.classes(), |outcome, predicted| rows.count(outcome, predicted))
    }

    /// Class 1 is the positive one; `None` without rows, or with more than can be counted.
    pub(crate) fn of_confusion(confusion: &Confusion) -> Option<Shares> {
        let counts = [
            [confusion.true_negatives, confusion.false_positives],
            [confusion.false_negatives, confusion.true_positives],
        ];
        if !confusion.is_sound() {
            return None;
        }
        Shares::of_counts(2, |outcome, predicted| counts[outcome][predicted])
    }

    fn of_counts(classes: usize, count: impl Fn(usize, usize) -> u64) -> Option<Shares> {
        let n: u64 =
            (0..classes).flat_map(|i| (0..classes).map(move |j| (i, j))).map(|(i, j)| count(i, j)).sum();
        let mut shares = Shares {
            classes,
            cells: Vec::with_capacity(classes * classes),
            outcomes: vec![0.0; classes],
            predictions: vec![0.0; classes],
            n,
        };
        for outcome in 0..classes {
            for predicted in 0..classes {
                let share = count(outcome, predicted) as f64 / n as f64;
                shares.cells.push(share);
                shares.outcomes[outcome] += share;
                shares.predictions[predicted] += share;
            }
        }
        (n > 0).then_some(shares)
    }

    /// The number of classes.
    pub(crate) fn classes(&self) -> usize {
        self.classes
    }

    /// The share of rows that are and are called `class`.
    pub(crate) fn right(&self, class: usize) -> f64 {
        self.cells[class * self.classes + class]
    }

    /// The share of rows called right.
    pub(crate) fn all_right(&self) -> f64 {
        (0..self.classes).map(|class| self.right(class)).sum()
    }

    /// `value` with a normal interval from its derivative by the share of each cell (outcome, predicted).
    pub(crate) fn estimate(
        &self,
        value: f64,
        range: (f64, f64),
        slope: impl Fn(usize, usize) -> f64,
        level: Level,
    ) -> Estimate {
        let (mut mean, mut square) = (0.0, 0.0);
        for (at, &share) in self.cells.iter().enumerate().filter(|(_, share)| **share > 0.0) {
            let slope = slope(at / self.classes, at % self.classes);
            mean += share * slope;
            square += share * slope * slope;
        }
        let error = ((square - mean * mean).max(0.0) / self.n as f64).sqrt();
        // What is left of a variance that is 0 is rounding of the squares.
        let error = if square - mean * mean <= 1e-14 * square { 0.0 } else { error };
        let value = value.clamp(range.0, range.1);
        bounded_estimate(value, error, range, self.n, level, IntervalMethod::NormalOfInfluence)
    }
}
