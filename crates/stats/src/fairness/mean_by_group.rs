//! Means by group and how far they differ: errors of a regression, losses of many classes.
//!
//! # What it measures
//!
//! Whether a model is equally good for each group, by the mean of any number that rows have: an absolute
//! error, a log loss, whether the class was right. The largest mean less the smallest, and the smallest
//! divided by the largest where no mean is below 0.
//!
//! # When it misleads
//!
//! * Groups whose outcomes vary more have larger errors under any model.
//! * Few rows with huge losses decide a mean, and its interval holds only for many rows.
//! * As for [`fairness`](super::fairness): the largest of many differences is large by chance, which the
//!   interval allows for.
//!
//! # Formula
//!
//! `max − min` and `min / max` of the means over groups with `rows_min` rows, two at least. Intervals
//! of all pairs, held at once (Bonferroni): the hybrid of both groups' Student intervals for differences;
//! for ratios `ln(a / b) ± z √(s_a² / (n_a a²) + s_b² / (n_b b²))`.
//!
//! # Example
//!
//! ```
//! use stats::{fairness::mean_by_group, interval::Level, sketch::Moments};
//! let losses = [Moments::of(&[1.0, 2.0, 3.0, 2.0]), Moments::of(&[4.0, 3.0, 5.0, 4.0])];
//! let found = mean_by_group(&losses, Level::P95, 2)?;
//! assert_eq!(found.difference.unwrap().value, 2.0);
//! assert_eq!(found.ratio.unwrap().value, 0.5);
//! # Ok::<(), stats::fairness::FairnessError>(())
//! ```
//!
//! # References
//!
//! * G. Y. Zou, A. Donner, Stat. Med. 27, 2008: hybrid intervals.

use serde::{Deserialize, Serialize};

use super::pairs::{largest_difference_bounds, pairs_count, smallest_ratio_bounds};
use super::{FairnessError, NotCompared};
use crate::classification::Estimate;
use crate::interval::{Interval, IntervalMethod, Level};
use crate::sketch::Moments;
use crate::special::student_t_quantile;

/// Means of all groups, and how far they differ.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct MeanByGroup {
    /// In the order of the groups, each with an interval for itself; `None` below two rows.
    pub groups: Vec<Option<Estimate>>,
    /// The largest mean less the smallest.
    pub difference: Result<Estimate, NotCompared>,
    /// The smallest mean divided by the largest.
    pub ratio: Result<Estimate, NotCompared>,
    /// Position of the group with the largest mean, where groups were compared.
    pub largest: Option<usize>,
    /// Position of the group with the smallest mean, where groups were compared.
    pub smallest: Option<usize>,
}

/// Compares the means of `groups`; those with fewer than `rows_min` rows are reported, not compared.
///
/// # Errors
/// Fewer than two groups.
pub fn mean_by_group(groups: &[Moments], level: Level, rows_min: u64) -> Result<MeanByGroup, FairnessError> {
    if groups.len() < 2 {
        return Err(FairnessError::FewerThanTwoGroups { groups: groups.len() });
    }
    let compared: Vec<usize> = (0..groups.len())
        .filter(|&group| groups[group].count() >= rows_min && student(&groups[group], level).is_some())
        .collect();
    let shared = level.for_each_of(pairs_count(compared.len()));
    let estimates: Vec<Estimate> =
        compared.iter().filter_map(|&group| student(&groups[group], shared)).collect();
    let end = |is_better: fn(&f64, &f64) -> bool| {
        let better = |best: usize, at: usize| {
            if is_better(&estimates[at].value, &estimates[best].value) { at } else { best }
        };
        (0..estimates.len()).reduce(better)
    };
    let ends = end(f64::gt).zip(end(f64::lt)).filter(|_| estimates.len() > 1);
    let not_enough = NotCompared::FewerThanTwoGroups { groups: estimates.len() as u64 };
    let finished = |value: f64, (lower, upper): (f64, f64), method, (largest, smallest): (usize, usize)| {
        // Bounds stay finite, so that an interval survives JSON.
        let (lower, upper) = (lower.clamp(f64::MIN, value), upper.clamp(value, f64::MAX));
        let n = estimates[largest].n.saturating_add(estimates[smallest].n);
        Estimate { value, interval: Interval { lower, upper, level, method }, n, error_bound: 0.0 }
    };
    let difference = ends.ok_or(not_enough).map(|ends| {
        let value = (estimates[ends.0].value - estimates[ends.1].value).min(f64::MAX);
        finished(value, largest_difference_bounds(&estimates), IntervalMethod::DifferencesOfPairs, ends)
    });
    let ratio = ends.ok_or(not_enough).and_then(|ends| {
        let (most, least) = (estimates[ends.0].value, estimates[ends.1].value);
        if least < 0.0 {
            return Err(NotCompared::SignedQuantity);
        }
        if most == 0.0 {
            return Err(NotCompared::AllZero);
        }
        let of_pair =
            |a: usize, b: usize| log_ratio_bounds(&groups[compared[a]], &groups[compared[b]], shared);
        let bounds = smallest_ratio_bounds(estimates.len(), of_pair);
        Ok(finished(least / most, bounds, IntervalMethod::RatiosOfPairs, ends))
    });
    Ok(MeanByGroup {
        groups: groups.iter().map(|group| student(group, level)).collect(),
        difference,
        ratio,
        largest: ends.map(|(largest, _)| compared[largest]),
        smallest: ends.map(|(_, smallest)| compared[smallest]),
    })
}

/// A mean with Student's interval; `None` below two rows, or where numbers are too large to square.
fn student(group: &Moments, level: Level) -> Option<Estimate> {
    let (value, variance, n) = (group.mean()?, group.variance()?, group.count());
    if !value.is_finite() || !variance.is_finite() {
        return None;
    }
    let half = student_t_quantile(level.tail(), n as f64 - 1.0) * (variance / n as f64).sqrt();
    let (lower, upper) = ((value - half).max(f64::MIN), (value + half).min(f64::MAX));
    let interval = Interval { lower, upper, level, method: IntervalMethod::StudentOfMean };
    Some(Estimate { value, interval, n, error_bound: 0.0 })
}

/// Bounds of the ratio of two means that are not below 0; all there is where either is 0.
fn log_ratio_bounds(a: &Moments, b: &Moments, level: Level) -> (f64, f64) {
    let parts = |group: &Moments| {
        let (mean, variance) = (group.mean()?, group.variance()?);
        (mean > 0.0).then(|| (mean.ln(), variance / group.count() as f64 / (mean * mean)))
    };
    let (Some((log_a, square_a)), Some((log_b, square_b))) = (parts(a), parts(b)) else {
        return (0.0, f64::MAX);
    };
    let half = level.z() * (square_a + square_b).sqrt();
    let bound = |log: f64| log.exp().min(f64::MAX);
    (bound(log_a - log_b - half), bound(log_a - log_b + half))
}
