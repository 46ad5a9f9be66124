//! What every threshold would do: the whole trade between catching and crying wolf, in one table.
//!
//! # What it measures
//!
//! For each distinct score as the threshold, from calling nothing to calling everything: how many
//! positives are found, how many negatives are called, how often a call is right, F1, accuracy, the share
//! of rows called, and, where costs are given, the mean cost of a row.
//!
//! # When it misleads
//!
//! * Neighbouring points share nearly all of their rows: bumps of the curve are noise, and its best point
//!   is partly luck. A threshold chosen on these rows does better on them than it will on others.
//! * A thinned curve may leave out the very best threshold;
//!   [`cheapest_threshold`](super::expected_cost::cheapest_threshold) looks at all of them.
//! * Precision, F1, accuracy and cost move with the share of positives.
//!
//! # Formula
//!
//! A score at or above the threshold is called positive. Points are thinned evenly by the share of rows
//! called; both ends stay. A share of nothing (precision where nothing is called, the true positive
//! share where nothing is positive) is `None`; scikit-learn has 0 or 1 there.
//!
//! # Example
//!
//! ```
//! use stats::classification::threshold_curve::threshold_curve;
//! use stats::labelled_scores::LabelledScores;
//! let scores = LabelledScores::from_pairs([(0.1, false), (0.4, false), (0.35, true), (0.8, true)])?;
//! let curve = threshold_curve(&scores, None, 100)?;
//! let thresholds: Vec<_> = curve.iter().map(|point| point.threshold).collect();
//! assert_eq!(thresholds, [None, Some(0.8), Some(0.4), Some(0.35), Some(0.1)]);
//! assert_eq!(curve[3].recall(), Some(1.0));
//! assert_eq!(curve[3].precision, Some(2.0 / 3.0));
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! # References
//!
//! * T. Fawcett, "An introduction to ROC analysis", Pattern Recognit. Lett. 27, 2006.

use serde::{Deserialize, Serialize};

use super::Undefined;
use super::expected_cost::Costs;
use crate::labelled_scores::LabelledScores;

/// What one threshold does.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct ThresholdPoint {
    /// Scores at or above this are called positive; `None` where nothing is.
    pub threshold: Option<f64>,
    /// Called positive and positive.
    pub true_positives: u64,
    /// Called positive and negative.
    pub false_positives: u64,
    /// Called negative and negative.
    pub true_negatives: u64,
    /// Called negative and positive.
    pub false_negatives: u64,
    /// The share of the positives that are called, which is recall; `None` without positives.
    pub true_positive_share: Option<f64>,
    /// The share of the negatives that are called; `None` without negatives.
    pub false_positive_share: Option<f64>,
    /// The share of the called that are positive; `None` where nothing is called.
    pub precision: Option<f64>,
    /// The harmonic mean of precision and recall; `None` where nothing is positive or called.
    pub f1: Option<f64>,
    /// The share of rows called right.
    pub accuracy: f64,
    /// The share of rows called positive.
    pub predicted_positive_share: f64,
    /// The mean cost of a row, where costs were given.
    pub expected_cost: Option<f64>,
}

impl ThresholdPoint {
    /// The share of the positives that are called.
    pub fn recall(&self) -> Option<f64> {
        self.true_positive_share
    }
}

/// The curve from calling nothing to calling every row, at most `points_max` points (two at least).
///
/// # Errors
/// No rows.
pub fn threshold_curve(
    scores: &LabelledScores,
    costs: Option<&Costs>,
    points_max: usize,
) -> Result<Vec<ThresholdPoint>, Undefined> {
    if scores.is_empty() {
        return Err(Undefined::NoRows);
    }
    let rows = scores.n();
    let gaps = points_max.max(2) as u128 - 1;
    let thinned = scores.distinct() as u128 > gaps;
    let mut curve = Vec::new();
    let mut called_goal = 0_u128;
    for (threshold, called) in thresholds(scores) {
        let share = u128::from(called[0] + called[1]) * gaps;
        if thinned && share < called_goal {
            continue;
        }
        // The next of evenly spread shares that is not reached yet.
        called_goal = (share / u128::from(rows) + 1) * u128::from(rows);
        curve.push(point(scores, threshold, called, costs));
    }
    Ok(curve)
}

/// Each threshold, highest first, with the positives and the negatives that it calls.
pub(super) fn thresholds(scores: &LabelledScores) -> impl Iterator<Item = (Option<f64>, [u64; 2])> {
    let mut called = [0, 0];
    let below = scores.points().rev().map(move |point| {
        called = [called[0] + point.positives, called[1] + point.negatives];
        (Some(point.score), called)
    });
    std::iter::once((None, [0, 0])).chain(below)
}

fn point(
    scores: &LabelledScores,
    threshold: Option<f64>,
    [true_positives, false_positives]: [u64; 2],
    costs: Option<&Costs>,
) -> ThresholdPoint {
    let (positives, negatives) = (scores.positives_total(), scores.negatives_total());
    let share = |part: u64, whole: u64| (whole > 0).then(|| part as f64 / whole as f64);
    let (n, called) = (scores.n() as f64, true_positives + false_positives);
    let (false_negatives, true_negatives) = (positives - true_positives, negatives - false_positives);
    let either = positives as f64 + called as f64;
    ThresholdPoint {
        threshold,
        true_positives,
        false_positives,
        true_negatives,
        false_negatives,
        true_positive_share: share(true_positives, positives),
        false_positive_share: share(false_positives, negatives),
        precision: share(true_positives, called),
        f1: (either > 0.0).then(|| 2.0 * true_positives as f64 / either),
        accuracy: (true_positives + true_negatives) as f64 / n,
        predicted_positive_share: called as f64 / n,
        expected_cost: costs
            .map(|costs| costs.mean([true_positives, false_positives, true_negatives, false_negatives])),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_thinned_curve_keeps_its_ends_and_its_size() {
        let rows = (0..1000).map(|at| (f64::from(at) / 1000.0, at % 3 == 0));
        let scores = LabelledScores::from_pairs(rows).unwrap();
        for most in [0, 2, 3, 10, 100, 999, 1000, 1001, 5000] {
            let curve = threshold_curve(&scores, None, most).unwrap();
            assert!(curve.len() <= most.max(2), "{} points of {most}", curve.len());
            assert!(curve.len() + 1 >= most.clamp(2, 1001), "{} points of {most}", curve.len());
            assert_eq!(curve[0].threshold, None);
            assert_eq!(curve.last().unwrap().threshold, Some(0.0));
            assert!(curve.windows(2).all(|w| w[0].predicted_positive_share < w[1].predicted_positive_share));
        }
    }

    #[test]
    fn one_class_and_equal_scores_leave_out_what_does_not_exist() {
        assert_eq!(threshold_curve(&LabelledScores::default(), None, 9), Err(Undefined::NoRows));
        let scores = LabelledScores::from_pairs([(0.5, false); 4]).unwrap();
        let curve = threshold_curve(&scores, None, 9).unwrap();
        assert_eq!(curve.len(), 2);
        assert_eq!((curve[0].precision, curve[0].f1, curve[0].accuracy), (None, None, 1.0));
        assert_eq!((curve[1].precision, curve[1].recall(), curve[1].f1), (Some(0.0), None, Some(0.0)));
        assert_eq!((curve[1].false_positive_share, curve[1].accuracy), (Some(1.0), 0.0));
    }
}
