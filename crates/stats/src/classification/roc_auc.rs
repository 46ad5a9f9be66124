//! Area under the ROC curve: how well scores put positives above negatives.
//!
//! # What it measures
//!
//! The probability that a positive drawn at random scores above a negative drawn at random, ties
//! counting half. In [0, 1]; 0.5 is chance, below 0.5 the order is reversed.
//!
//! # When it misleads
//!
//! * It ignores calibration: scores ten times too high have the same area.
//! * With few positives a high area can go with a precision that nobody can work with. Look at
//!   average precision too.
//! * It averages over thresholds that nobody would use.
//! * Between segments it can be high in each and low in all together, or the other way round.
//!
//! # Formula
//!
//! `A = Σ over positives of (negatives below + half of those tied) / (P · N)`. Variance by DeLong
//! from the two sets of placement values; interval `logit(A) ± z · se / (A(1 − A))`, mapped back,
//! so that it stays inside (0, 1).
//!
//! DeLong's variance is zero where the classes are separated completely or all scores are equal,
//! and does not exist with one positive or one negative. Then Wilson's formula is used with the
//! smaller class as row count: that many disjoint pairs are independent, and the area varies no
//! more than their share in the right order.
//!
//! Where scores were rounded, ties could be in either order: the error bound is half of the tied
//! share of pairs.
//!
//! # Example
//!
//! ```
//! use stats::{classification::roc_auc::roc_auc, interval::Level};
//! use stats::labelled_scores::LabelledScores;
//! let rows = [(0.1, false), (0.4, false), (0.35, true), (0.8, true)];
//! let area = roc_auc(&LabelledScores::from_pairs(rows)?, Level::P95)?;
//! assert_eq!(area.value, 0.75);
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! # References
//!
//! * E. R. DeLong, D. M. DeLong, D. L. Clarke-Pearson, "Comparing the areas under two or more
//!   correlated receiver operating characteristic curves", Biometrics 44, 1988.
//! * X. Sun, W. Xu, "Fast implementation of DeLong's algorithm", IEEE Signal Process. Lett. 21,
//!   2014: placement values from ranks.
//! * M. S. Pepe, "The statistical evaluation of medical tests", Oxford, 2003, section 5.2: the
//!   logit scale.

use serde::{Deserialize, Serialize};

use super::{Estimate, Undefined, logit_bounds};
use crate::interval::{Interval, IntervalMethod, Level};
use crate::labelled_scores::LabelledScores;
use crate::proportion::wilson_bounds;

/// One step of the ROC curve.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct RocPoint {
    /// Scores at or above this are called positive; None where nothing is.
    pub threshold: Option<f64>,
    /// The share of negatives called positive.
    pub false_positive_share: f64,
    /// The share of positives called positive.
    pub true_positive_share: f64,
}

/// Area under the ROC curve of `scores`, in [0, 1], with DeLong's interval.
///
/// # Errors
/// No rows, or outcomes of one class only.
pub fn roc_auc(scores: &LabelledScores, level: Level) -> Result<Estimate, Undefined> {
    let (positives, negatives) = both_classes(scores)?;
    let (area, variance) = area_with_variance(scores)?;
    let tied: f64 =
        scores.points().map(|p| p.positives as f64 / positives * (p.negatives as f64 / negatives)).sum();
    let (lower, upper, method) = if let Some(variance) = variance {
        let (lower, upper) = logit_bounds(area, variance.sqrt() / (area * (1.0 - area)), level);
        (lower, upper, IntervalMethod::DeLongLogit)
    } else {
        let (lower, upper) = wilson_bounds(area, positives.min(negatives), level);
        (lower, upper, IntervalMethod::WilsonOfPairs)
    };
    Ok(Estimate {
        value: area,
        interval: Interval { lower, upper, level, method },
        n: scores.n(),
        error_bound: if scores.resolution().is_some() { tied / 2.0 } else { 0.0 },
    })
}

/// The area and DeLong's variance of it; None where that is zero or does not exist.
pub(crate) fn area_with_variance(scores: &LabelledScores) -> Result<(f64, Option<f64>), Undefined> {
    let (positives, negatives) = both_classes(scores)?;
    let placements = placements(scores, positives, negatives);
    let area: f64 = placements.map(|p| p.positives * p.of_positives / positives).sum();
    let area = area.clamp(0.0, 1.0);
    Ok((area, delong_variance(scores, positives, negatives, area)))
}

/// The ROC curve from (0, 0) to (1, 1), one point per distinct score, highest score first.
///
/// # Errors
/// No rows, or outcomes of one class only.
pub fn roc_curve(scores: &LabelledScores) -> Result<Vec<RocPoint>, Undefined> {
    let (positives, negatives) = both_classes(scores)?;
    let mut curve = vec![RocPoint { threshold: None, false_positive_share: 0.0, true_positive_share: 0.0 }];
    let (mut found, mut false_alarms) = (0, 0);
    for point in scores.points().rev() {
        found += point.positives;
        false_alarms += point.negatives;
        curve.push(RocPoint {
            threshold: Some(point.score),
            false_positive_share: false_alarms as f64 / negatives,
            true_positive_share: found as f64 / positives,
        });
    }
    Ok(curve)
}

/// The number of positives and negatives, both at least one.
pub(super) fn both_classes(scores: &LabelledScores) -> Result<(f64, f64), Undefined> {
    match (scores.positives_total(), scores.negatives_total()) {
        (0, 0) => Err(Undefined::NoRows),
        (0, _) => Err(Undefined::NoPositives),
        (_, 0) => Err(Undefined::NoNegatives),
        (positives, negatives) => Ok((positives as f64, negatives as f64)),
    }
}

/// The rows of one distinct score and where they stand among the other class.
struct Placement {
    positives: f64,
    negatives: f64,
    /// The share of negatives below this score, ties half.
    of_positives: f64,
    /// The share of positives above this score, ties half.
    of_negatives: f64,
}

fn placements(scores: &LabelledScores, positives: f64, negatives: f64) -> impl Iterator<Item = Placement> {
    let (mut positives_below, mut negatives_below) = (0.0, 0.0);
    scores.points().map(move |point| {
        let (p, n) = (point.positives as f64, point.negatives as f64);
        let placement = Placement {
            positives: p,
            negatives: n,
            of_positives: (negatives_below + n / 2.0) / negatives,
            of_negatives: (positives - positives_below - p / 2.0) / positives,
        };
        positives_below += p;
        negatives_below += n;
        placement
    })
}

/// DeLong's variance of the area; None where it is zero or does not exist.
fn delong_variance(scores: &LabelledScores, positives: f64, negatives: f64, area: f64) -> Option<f64> {
    if positives < 2.0 || negatives < 2.0 || area <= 0.0 || area >= 1.0 {
        return None;
    }
    let (mut of_positives, mut of_negatives) = (0.0, 0.0);
    for placement in placements(scores, positives, negatives) {
        of_positives += placement.positives * (placement.of_positives - area).powi(2);
        of_negatives += placement.negatives * (placement.of_negatives - area).powi(2);
    }
    let variance =
        of_positives / (positives - 1.0) / positives + of_negatives / (negatives - 1.0) / negatives;
    // Below this the deviations are rounding of the area.
    (variance > 1e-30).then_some(variance)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn scores(rows: &[(f64, bool)]) -> LabelledScores {
        LabelledScores::from_pairs(rows.iter().copied()).unwrap()
    }

    #[test]
    fn one_class_or_no_rows_have_no_area() {
        for (rows, expected) in [
            (vec![], Undefined::NoRows),
            (vec![(0.5, true)], Undefined::NoNegatives),
            (vec![(0.5, false), (0.1, false)], Undefined::NoPositives),
        ] {
            assert_eq!(roc_auc(&scores(&rows), Level::P95), Err(expected));
            assert_eq!(roc_curve(&scores(&rows)), Err(expected));
        }
    }

    #[test]
    fn complete_separation_keeps_an_interval_as_wide_as_the_smaller_class_deserves() {
        let rows: Vec<_> = (0..20).map(|i| (f64::from(i) / 20.0, i >= 15)).collect();
        let area = roc_auc(&scores(&rows), Level::P95).unwrap();
        assert_eq!((area.value, area.interval.method), (1.0, IntervalMethod::WilsonOfPairs));
        assert!(area.interval.lower > 0.5 && area.interval.lower < 0.6, "5 pairs");
        assert!((area.interval.upper - 1.0).abs() < 1e-12);
        let reversed: Vec<_> = rows.iter().map(|&(s, y)| (s, !y)).collect();
        assert_eq!(roc_auc(&scores(&reversed), Level::P95).unwrap().value, 0.0);
    }

    #[test]
    fn equal_scores_are_chance_and_not_certainly_so() {
        let rows: Vec<_> = (0..50).map(|i| (0.3, i % 2 == 0)).collect();
        let area = roc_auc(&scores(&rows), Level::P95).unwrap();
        assert_eq!((area.value, area.interval.method), (0.5, IntervalMethod::WilsonOfPairs));
        assert!(area.interval.lower < 0.4 && area.interval.upper > 0.6);
    }

    #[test]
    fn one_row_of_each_class_has_an_area_and_a_wide_interval() {
        let area = roc_auc(&scores(&[(0.2, false), (0.7, true)]), Level::P95).unwrap();
        assert_eq!(area.value, 1.0);
        assert!(area.interval.lower < 0.25);
    }

    #[test]
    fn the_error_bound_covers_the_exact_area() {
        let rows: Vec<_> =
            (0..400).map(|i| (f64::from(i * 7919 % 401) / 401.0, i * 7919 % 401 > 150 + i % 100)).collect();
        let exact = roc_auc(&scores(&rows), Level::P95).unwrap();
        assert!(exact.is_exact());
        for step in [0.001, 0.05, 0.2, 1.0] {
            let rounded = scores(&rows).rounded_to(step).unwrap();
            let found = roc_auc(&rounded, Level::P95).unwrap();
            assert!((found.value - exact.value).abs() <= found.error_bound + 1e-12, "{step}");
        }
    }
}
