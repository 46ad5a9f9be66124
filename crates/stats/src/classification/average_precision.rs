//! Average precision: how clean the top of the ranking is.
//!
//! # What it measures
//!
//! Precision averaged over the positives, each at the threshold that just finds it: the area under
//! the precision–recall curve, as steps and without interpolation. In (0, 1]; chance gives the
//! share of positives.
//!
//! # When it misleads
//!
//! * It moves with the share of positives, so windows or segments with different shares do not
//!   compare. Look at the area under the ROC curve too.
//! * With few positives it is dominated by the first ranks; its interval then is rough.
//! * Interpolated versions ("PR AUC" by trapezoids) are larger and do not compare with it.
//!
//! # Formula
//!
//! `Σ over thresholds, highest first, of (Rᵢ − Rᵢ₋₁) · precisionᵢ` with R the recall; tied scores
//! are one threshold. Interval: `logit(AP) ± z / √(P · AP(1 − AP))`, mapped back, with P the
//! positives. At exactly 1, where that has no width, Wilson's formula with P as row count: our
//! convention, so that a perfect ranking of three positives does not look certain.
//!
//! Where scores were rounded, the error bound is the distance to the best and the worst order that
//! the ties can hide.
//!
//! # Example
//!
//! ```
//! use stats::{classification::average_precision::average_precision, interval::Level};
//! use stats::labelled_scores::LabelledScores;
//! let rows = [(0.1, false), (0.4, false), (0.35, true), (0.8, true)];
//! let found = average_precision(&LabelledScores::from_pairs(rows)?, Level::P95)?;
//! assert!((found.value - 5.0 / 6.0).abs() < 1e-15); // (1/1 + 2/3) / 2
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! # References
//!
//! * K. Boyd, K. H. Eng, C. D. Page, "Area under the precision–recall curve: point estimates and
//!   confidence intervals", ECML PKDD 2013: the logit interval, section 4.

use super::roc_auc::both_classes;
use super::{Estimate, Undefined, logit_bounds};
use crate::interval::{Interval, IntervalMethod, Level};
use crate::labelled_scores::{LabelledScores, ScorePoint};
use crate::proportion::wilson_bounds;

/// Average precision of `scores`, in (0, 1].
///
/// # Errors
/// No rows, or outcomes of one class only: without negatives every ranking is perfect.
pub fn average_precision(scores: &LabelledScores, level: Level) -> Result<Estimate, Undefined> {
    let (positives, _) = both_classes(scores)?;
    let mean =
        |gain: fn(f64, f64, ScorePoint) -> f64| (sum_from_the_top(scores, gain) / positives).clamp(0.0, 1.0);
    let value = mean(gain_as_tied);
    let error_bound = match scores.resolution() {
        None => 0.0,
        Some(_) => (mean(gain_at_best) - value).max(value - mean(gain_at_worst)),
    };
    let variance_logit = 1.0 / (positives * value * (1.0 - value));
    let (lower, upper, method) = if value > 0.0 && variance_logit.is_finite() {
        let (lower, upper) = logit_bounds(value, variance_logit.sqrt(), level);
        (lower, upper, IntervalMethod::BoydLogit)
    } else {
        let (lower, upper) = wilson_bounds(value, positives, level);
        (lower, upper, IntervalMethod::WilsonOfPositives)
    };
    Ok(Estimate { value, interval: Interval { lower, upper, level, method }, n: scores.n(), error_bound })
}

/// Adds `gain(positives above, negatives above, rows here)` over the scores, highest first.
fn sum_from_the_top(scores: &LabelledScores, gain: fn(f64, f64, ScorePoint) -> f64) -> f64 {
    let (mut found, mut false_alarms, mut sum) = (0.0, 0.0, 0.0);
    for point in scores.points().rev() {
        sum += gain(found, false_alarms, point);
        found += point.positives as f64;
        false_alarms += point.negatives as f64;
    }
    sum
}

/// Ties are one threshold.
fn gain_as_tied(found: f64, false_alarms: f64, here: ScorePoint) -> f64 {
    let (p, n) = (here.positives as f64, here.negatives as f64);
    p * (found + p) / (found + p + false_alarms + n)
}

/// Every positive before every negative.
fn gain_at_best(found: f64, false_alarms: f64, here: ScorePoint) -> f64 {
    let p = here.positives as f64;
    if p == 0.0 {
        return 0.0;
    }
    p * (found + p) / (found + p + false_alarms)
}

/// Every negative before every positive, one positive at a time: `Σ (f + j) / (f + j + a)` over
/// `j = 1..p`, bounded from below by the integral of its second part.
fn gain_at_worst(found: f64, false_alarms: f64, here: ScorePoint) -> f64 {
    let (p, a) = (here.positives as f64, false_alarms + here.negatives as f64);
    if a == 0.0 {
        return p;
    }
    (p - a * (p / (found + a)).ln_1p()).max(0.0)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn scores(rows: &[(f64, bool)]) -> LabelledScores {
        LabelledScores::from_pairs(rows.iter().copied()).unwrap()
    }

    #[test]
    fn one_class_or_no_rows_have_no_average_precision() {
        for (rows, expected) in [
            (vec![], Undefined::NoRows),
            (vec![(0.5, true)], Undefined::NoNegatives),
            (vec![(0.5, false)], Undefined::NoPositives),
        ] {
            assert_eq!(average_precision(&scores(&rows), Level::P95), Err(expected));
        }
    }

    #[test]
    fn equal_scores_give_the_share_of_positives() {
        let rows: Vec<_> = (0..40).map(|i| (0.5, i % 4 == 0)).collect();
        assert_eq!(average_precision(&scores(&rows), Level::P95).unwrap().value, 0.25);
    }

    #[test]
    fn a_perfect_ranking_keeps_an_interval() {
        let rows: Vec<_> = (0..20).map(|i| (f64::from(i) / 20.0, i >= 15)).collect();
        let found = average_precision(&scores(&rows), Level::P95).unwrap();
        assert_eq!((found.value, found.interval.method), (1.0, IntervalMethod::WilsonOfPositives));
        assert!(found.interval.lower < 0.6);
    }

    #[test]
    fn the_error_bound_covers_the_exact_value() {
        let rows: Vec<_> =
            (0..400).map(|i| (f64::from(i * 7919 % 401) / 401.0, i * 7919 % 401 > 150 + i % 100)).collect();
        let exact = average_precision(&scores(&rows), Level::P95).unwrap();
        assert!(exact.is_exact());
        for step in [0.001, 0.05, 0.2, 1.0] {
            let rounded = scores(&rows).rounded_to(step).unwrap();
            let found = average_precision(&rounded, Level::P95).unwrap();
            assert!((found.value - exact.value).abs() <= found.error_bound + 1e-12, "{step}");
        }
    }
}
