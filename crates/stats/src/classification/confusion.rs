//! Confusion counts at a threshold, and the shares made from them.
//!
//! # What it measures
//!
//! Which rows a decision at one threshold gets right: accuracy of all rows, precision of those
//! called positive, recall of the truly positive, specificity of the truly negative, and F1; how many are
//! called at all, and the two rates of mistakes.
//!
//! # When it misleads
//!
//! * Accuracy of a rare outcome is high for a model that never calls it.
//! * Precision and F1 move with the share of positives, though the model is the same.
//! * The share behind each number differs: precision of three called rows says little, whatever
//!   the size of the window. Every estimate carries its own row count.
//!
//! # Formula
//!
//! A score at or above the threshold is called positive. Accuracy `(tp + tn) / n`, precision
//! `tp / (tp + fp)`, recall `tp / (tp + fn)`, specificity `tn / (tn + fp)`, selection rate
//! `(tp + fp) / n`, false positive rate `fp / (tn + fp)`, false negative rate `fn / (tp + fn)`, each
//! with Wilson's interval. `F1 = 2F / (1 + F)` with `F = tp / (tp + fp + fn)`: F is a proportion, the map is
//! increasing, so F1's interval is the map of F's.
//!
//! Where scores were rounded, rows within half a step of the threshold could be on either side;
//! the error bound is the furthest that the metric moves when they all do.
//!
//! # Example
//!
//! ```
//! use stats::{classification::confusion::Confusion, interval::Level};
//! use stats::labelled_scores::LabelledScores;
//! let scores = LabelledScores::from_pairs([(0.9, true), (0.8, false), (0.5, true), (0.1, false)])?;
//! let confusion = Confusion::at(&scores, 0.5)?;
//! assert_eq!((confusion.true_positives, confusion.false_positives), (2, 1));
//! let precision = confusion.precision(Level::P95)?;
//! assert_eq!(precision.n, 3);
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! # References
//!
//! * E. B. Wilson, J. Am. Stat. Assoc. 22, 1927.
//! * D. J. Hand, P. Christen, N. Kirielle, "F*: an interpretable transformation of the F-measure",
//!   Machine Learning 110, 2021.

use serde::{Deserialize, Serialize};

use super::{Estimate, Undefined, share_estimate};
use crate::interval::{IntervalMethod, Level};
use crate::labelled_scores::LabelledScores;

/// What became of each row at one threshold.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Confusion {
    /// Scores at or above this are called positive.
    pub threshold: f64,
    /// Called positive and positive.
    pub true_positives: u64,
    /// Called positive and negative.
    pub false_positives: u64,
    /// Called negative and negative.
    pub true_negatives: u64,
    /// Called negative and positive.
    pub false_negatives: u64,
    /// Rows that rounding could have put on the wrong side of the threshold.
    pub uncertain: Uncertain,
}

/// Rows so near the threshold that the rounding of scores decided; all 0 when scores are exact.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Uncertain {
    /// Among the true positives.
    pub true_positives: u64,
    /// Among the false positives.
    pub false_positives: u64,
    /// Among the true negatives.
    pub true_negatives: u64,
    /// Among the false negatives.
    pub false_negatives: u64,
}

impl Confusion {
    /// Counts `scores` at `threshold`, which may lie outside [0, 1].
    ///
    /// # Errors
    /// A threshold that is NaN. No rows are not an error here, but in each metric.
    pub fn at(scores: &LabelledScores, threshold: f64) -> Result<Confusion, Undefined> {
        if threshold.is_nan() {
            return Err(Undefined::ThresholdNotANumber);
        }
        let mut confusion = Confusion {
            threshold,
            true_positives: 0,
            false_positives: 0,
            true_negatives: 0,
            false_negatives: 0,
            uncertain: Uncertain::default(),
        };
        // A hair more than half a step, since grid points are rounded themselves.
        let near = scores.resolution().map(|step| step / 2.0 * (1.0 + 1e-9));
        for point in scores.points() {
            let called = point.score >= threshold;
            let uncertain = near.is_some_and(|near| (point.score - threshold).abs() <= near);
            confusion.add(point.positives, point.negatives, called, uncertain);
        }
        Ok(confusion)
    }

    fn add(&mut self, positives: u64, negatives: u64, called: bool, uncertain: bool) {
        let near = if uncertain { (positives, negatives) } else { (0, 0) };
        if called {
            self.true_positives += positives;
            self.false_positives += negatives;
            self.uncertain.true_positives += near.0;
            self.uncertain.false_positives += near.1;
        } else {
            self.false_negatives += positives;
            self.true_negatives += negatives;
            self.uncertain.false_negatives += near.0;
            self.uncertain.true_negatives += near.1;
        }
    }

    /// Rows that were counted elsewhere, none of them uncertain; `threshold` is what they were called at.
    ///
    /// # Errors
    /// A threshold that is NaN.
    pub fn from_counts(
        threshold: f64,
        [true_positives, false_positives, true_negatives, false_negatives]: [u64; 4],
    ) -> Result<Confusion, Undefined> {
        if threshold.is_nan() {
            return Err(Undefined::ThresholdNotANumber);
        }
        Ok(Confusion {
            threshold,
            true_positives,
            false_positives,
            true_negatives,
            false_negatives,
            uncertain: Uncertain::default(),
        })
    }

    /// All rows.
    pub fn n(&self) -> u64 {
        self.positives() + self.negatives()
    }

    /// Rows whose outcome was positive.
    pub fn positives(&self) -> u64 {
        self.true_positives + self.false_negatives
    }

    /// Rows whose outcome was negative.
    pub fn negatives(&self) -> u64 {
        self.true_negatives + self.false_positives
    }

    /// Rows called positive.
    pub fn predicted_positives(&self) -> u64 {
        self.true_positives + self.false_positives
    }

    /// The share of rows called right, in [0, 1].
    pub fn accuracy(&self, level: Level) -> Result<Estimate, Undefined> {
        let right = |c: &Confusion| (c.true_positives + c.true_negatives, c.n());
        let estimate = share_estimate(right(self).0, self.n(), level)?;
        Ok(self.with_error_bound(estimate, &self.all_right(), &self.all_wrong(), right))
    }

    /// The share of positives among the rows called positive, in [0, 1].
    pub fn precision(&self, level: Level) -> Result<Estimate, Undefined> {
        if self.n() > 0 && self.predicted_positives() == 0 {
            return Err(Undefined::NoPredictedPositives);
        }
        let share = |c: &Confusion| (c.true_positives, c.predicted_positives());
        let estimate = share_estimate(self.true_positives, self.predicted_positives(), level)?;
        Ok(self.with_error_bound(estimate, &self.all_right(), &self.all_wrong(), share))
    }

    /// The share of the positives that were called positive, in [0, 1].
    pub fn recall(&self, level: Level) -> Result<Estimate, Undefined> {
        if self.n() > 0 && self.positives() == 0 {
            return Err(Undefined::NoPositives);
        }
        let share = |c: &Confusion| (c.true_positives, c.positives());
        let estimate = share_estimate(self.true_positives, self.positives(), level)?;
        Ok(self.with_error_bound(estimate, &self.all_right(), &self.all_wrong(), share))
    }

    /// The share of the negatives that were called negative, in [0, 1].
    pub fn specificity(&self, level: Level) -> Result<Estimate, Undefined> {
        if self.n() > 0 && self.negatives() == 0 {
            return Err(Undefined::NoNegatives);
        }
        let share = |c: &Confusion| (c.true_negatives, c.negatives());
        let estimate = share_estimate(self.true_negatives, self.negatives(), level)?;
        Ok(self.with_error_bound(estimate, &self.all_right(), &self.all_wrong(), share))
    }

    /// The share of all rows that were called positive, in [0, 1].
    pub fn selection_rate(&self, level: Level) -> Result<Estimate, Undefined> {
        let share = |c: &Confusion| (c.predicted_positives(), c.n());
        let estimate = share_estimate(self.predicted_positives(), self.n(), level)?;
        Ok(self.with_error_bound(estimate, &self.all_called(), &self.none_called(), share))
    }

    /// The share of the negatives that were called positive, in [0, 1].
    pub fn false_positive_rate(&self, level: Level) -> Result<Estimate, Undefined> {
        if self.n() > 0 && self.negatives() == 0 {
            return Err(Undefined::NoNegatives);
        }
        let share = |c: &Confusion| (c.false_positives, c.negatives());
        let estimate = share_estimate(self.false_positives, self.negatives(), level)?;
        Ok(self.with_error_bound(estimate, &self.all_right(), &self.all_wrong(), share))
    }

    /// The share of the positives that were called negative, in [0, 1].
    pub fn false_negative_rate(&self, level: Level) -> Result<Estimate, Undefined> {
        if self.n() > 0 && self.positives() == 0 {
            return Err(Undefined::NoPositives);
        }
        let share = |c: &Confusion| (c.false_negatives, c.positives());
        let estimate = share_estimate(self.false_negatives, self.positives(), level)?;
        Ok(self.with_error_bound(estimate, &self.all_right(), &self.all_wrong(), share))
    }

    /// The harmonic mean of precision and recall, in [0, 1].
    ///
    /// 0 where both classes of error exist and nothing is found; undefined only where neither an
    /// outcome nor a call is positive.
    pub fn f1(&self, level: Level) -> Result<Estimate, Undefined> {
        let f_star = |c: &Confusion| {
            let found = c.true_positives;
            (found, found + c.false_positives + c.false_negatives)
        };
        let (found, concerned) = f_star(self);
        if self.n() > 0 && concerned == 0 {
            return Err(Undefined::NothingPositive);
        }
        let to_f1 = |f: f64| 2.0 * f / (1.0 + f);
        let mut estimate = share_estimate(found, concerned, level)?;
        estimate.value = to_f1(estimate.value);
        estimate.interval.lower = to_f1(estimate.interval.lower);
        estimate.interval.upper = to_f1(estimate.interval.upper);
        estimate.interval.method = IntervalMethod::WilsonOfF1;
        let f1 = |c: &Confusion| (2 * f_star(c).0, c.positives() + c.predicted_positives());
        Ok(self.with_error_bound(estimate, &self.all_right(), &self.all_wrong(), f1))
    }

    /// As if every uncertain row were called right, the best case of every metric.
    fn all_right(&self) -> Confusion {
        let near = self.uncertain;
        Confusion {
            true_positives: self.true_positives + near.false_negatives,
            false_negatives: self.false_negatives - near.false_negatives,
            true_negatives: self.true_negatives + near.false_positives,
            false_positives: self.false_positives - near.false_positives,
            ..*self
        }
    }

    /// As if every uncertain row were called wrong, the worst case of every metric.
    fn all_wrong(&self) -> Confusion {
        let near = self.uncertain;
        Confusion {
            true_positives: self.true_positives - near.true_positives,
            false_negatives: self.false_negatives + near.true_positives,
            true_negatives: self.true_negatives - near.true_negatives,
            false_positives: self.false_positives + near.true_negatives,
            ..*self
        }
    }

    /// As if every uncertain row were called positive.
    fn all_called(&self) -> Confusion {
        let near = self.uncertain;
        Confusion {
            true_positives: self.true_positives + near.false_negatives,
            false_negatives: self.false_negatives - near.false_negatives,
            true_negatives: self.true_negatives - near.true_negatives,
            false_positives: self.false_positives + near.true_negatives,
            ..*self
        }
    }

    /// As if every uncertain row were called negative.
    fn none_called(&self) -> Confusion {
        let near = self.uncertain;
        Confusion {
            true_positives: self.true_positives - near.true_positives,
            false_negatives: self.false_negatives + near.true_positives,
            true_negatives: self.true_negatives + near.false_positives,
            false_positives: self.false_positives - near.false_positives,
            ..*self
        }
    }

    /// Whether the rows can be counted, and no more of them are uncertain than there are.
    pub(crate) fn is_sound(&self) -> bool {
        let near = self.uncertain;
        let counts = [self.true_positives, self.false_positives, self.true_negatives, self.false_negatives];
        let all_near = [near.true_positives, near.false_positives, near.true_negatives, near.false_negatives];
        let n = counts.iter().try_fold(0_u64, |sum, count| sum.checked_add(*count));
        n.is_some() && all_near.iter().zip(counts).all(|(near, count)| *near <= count)
    }

    /// Adds the furthest that the metric can lie from the estimate; 1 where it could be undefined.
    fn with_error_bound(
        &self,
        estimate: Estimate,
        best: &Confusion,
        worst: &Confusion,
        metric: impl Fn(&Confusion) -> (u64, u64),
    ) -> Estimate {
        if self.uncertain == Uncertain::default() {
            return estimate;
        }
        let distance = |case: &Confusion| match metric(case) {
            (_, 0) => 1.0,
            (part, whole) => (part as f64 / whole as f64 - estimate.value).abs(),
        };
        Estimate { error_bound: distance(best).max(distance(worst)), ..estimate }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    type Metric = fn(&Confusion, Level) -> Result<Estimate, Undefined>;

    fn confusion(pairs: &[(f64, bool)], threshold: f64) -> Confusion {
        let scores = LabelledScores::from_pairs(pairs.iter().copied()).unwrap();
        Confusion::at(&scores, threshold).unwrap()
    }

    const ALL: [Metric; 8] = [
        Confusion::accuracy,
        Confusion::precision,
        Confusion::recall,
        Confusion::specificity,
        Confusion::f1,
        Confusion::selection_rate,
        Confusion::false_positive_rate,
        Confusion::false_negative_rate,
    ];

    #[test]
    fn a_score_at_the_threshold_is_called_positive() {
        let c = confusion(&[(0.5, true), (0.5_f64.next_down(), true)], 0.5);
        assert_eq!((c.true_positives, c.false_negatives), (1, 1));
    }

    #[test]
    fn without_rows_every_metric_says_so() {
        for metric in ALL {
            assert_eq!(metric(&confusion(&[], 0.5), Level::P95), Err(Undefined::NoRows));
        }
    }

    #[test]
    fn each_metric_says_why_it_does_not_exist() {
        let quiet_negatives = confusion(&[(0.1, false), (0.2, false)], 0.5);
        let called_positives = confusion(&[(0.9, true)], 0.5);
        for (c, metric, expected) in [
            (quiet_negatives, ALL[1], Undefined::NoPredictedPositives),
            (quiet_negatives, ALL[2], Undefined::NoPositives),
            (quiet_negatives, ALL[4], Undefined::NothingPositive),
            (called_positives, ALL[3], Undefined::NoNegatives),
            (called_positives, ALL[6], Undefined::NoNegatives),
            (quiet_negatives, ALL[7], Undefined::NoPositives),
        ] {
            assert_eq!(metric(&c, Level::P95), Err(expected));
        }
        assert_eq!(Confusion::at(&LabelledScores::default(), f64::NAN), Err(Undefined::ThresholdNotANumber));
    }

    #[test]
    fn f1_is_zero_where_nothing_positive_is_found() {
        let c = confusion(&[(0.1, true), (0.9, false)], 0.5);
        let f1 = c.f1(Level::P95).unwrap();
        assert_eq!((f1.value, f1.interval.lower, f1.n), (0.0, 0.0, 2));
    }

    #[test]
    fn each_metric_counts_its_own_rows() {
        let rows = [(0.9, true), (0.8, false), (0.7, true), (0.2, true), (0.1, false), (0.1, false)];
        let c = confusion(&rows, 0.5);
        let counts = ALL.map(|metric| metric(&c, Level::P95).unwrap().n);
        assert_eq!(counts, [6, 3, 3, 3, 4, 6, 3, 3]);
    }

    #[test]
    fn the_error_bound_covers_the_exact_value() {
        let rows: Vec<(f64, bool)> =
            (0..500).map(|i| (f64::from(i * 7919 % 500) / 500.0, i % 3 == 0)).collect();
        let exact = LabelledScores::from_pairs(rows).unwrap();
        for step in [0.01, 0.1, 0.3, 1.0] {
            let rounded = exact.rounded_to(step).unwrap();
            for threshold in [0.05, 0.3, 0.5, 0.55, 0.99] {
                let truth = Confusion::at(&exact, threshold).unwrap();
                let found = Confusion::at(&rounded, threshold).unwrap();
                for metric in ALL {
                    let (Ok(truth), Ok(found)) = (metric(&truth, Level::P95), metric(&found, Level::P95))
                    else {
                        continue;
                    };
                    let off = (truth.value - found.value).abs();
                    assert!(off <= found.error_bound + 1e-12, "{step} {threshold} {off}");
                    assert_eq!(truth.error_bound, 0.0);
                }
            }
        }
    }
}
