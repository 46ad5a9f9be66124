//! How far any metric differs between groups: an error of a regression, a score over many classes.
//!
//! # What it measures
//!
//! The largest value of a metric less the smallest, and the smallest divided by the largest where none is below
//! 0, as Fairlearn's `MetricFrame` has them between groups. The metric is whatever has an interval for a group.
//!
//! # When it misleads
//!
//! * Groups whose outcomes vary more have larger errors, and a larger R², under any model.
//! * As for [`fairness`](super::fairness): the largest of many differences is large by chance, which the
//!   interval allows for.
//!
//! # Formula
//!
//! `max − min` and `min / max` over groups with a value, two at least. Intervals of all pairs, held at once
//! (Bonferroni): the hybrid of both groups' intervals, for ratios on the logarithmic scale; a ratio with a group
//! whose interval reaches 0 may be anything.
//!
//! # Example
//!
//! ```
//! use stats::{fairness::metric_by_group, interval::Level, mean_loss::mean_loss};
//! let errors = [[1.0, 2.0, 3.0, 2.0], [4.0, 3.0, 5.0, 4.0]];
//! let found = metric_by_group(2, |group, level| mean_loss(errors[group], false, level), Level::P95)?;
//! assert_eq!((found.difference.value, found.ratio.unwrap().value), (2.0, 0.5));
//! assert_eq!((found.largest, found.smallest), (1, 0));
//! # Ok::<(), stats::fairness::NotCompared>(())
//! ```
//!
//! # References
//!
//! * G. Y. Zou, A. Donner, "Construction of confidence limits about effect measures", Stat. Med. 27, 2008.
//! * H. Weerts et al., "Fairlearn: assessing and improving fairness of AI systems", J. Mach. Learn. Res. 24, 2023.

use serde::{Deserialize, Serialize};

use super::NotCompared;
use super::pairs::{largest_difference_bounds, log_hybrid_bounds, pairs_count, smallest_ratio_bounds};
use crate::classification::Estimate;
use crate::interval::{Interval, IntervalMethod, Level};

/// How far a metric differs between groups.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct MetricByGroup {
    /// The largest value less the smallest.
    pub difference: Estimate,
    /// The smallest value divided by the largest.
    pub ratio: Result<Estimate, NotCompared>,
    /// Position of the group with the largest value, the first of several.
    pub largest: usize,
    /// Position of the group with the smallest value, the first of several.
    pub smallest: usize,
    /// Groups with a value.
    pub groups: u64,
}

/// Compares the metric that `measure` has for each of `groups` groups at any level, `None` where it has none.
///
/// # Errors
/// Fewer than two groups with a value.
pub fn metric_by_group(
    groups: usize,
    measure: impl Fn(usize, Level) -> Option<Estimate>,
    level: Level,
) -> Result<MetricByGroup, NotCompared> {
    let measured = |level: Level| -> Vec<(usize, Estimate)> {
        (0..groups).filter_map(|group| Some((group, measure(group, level)?))).collect()
    };
    let compared = measured(level).len();
    if compared < 2 {
        return Err(NotCompared::FewerThanTwoGroups { groups: compared as u64 });
    }
    let of_groups = measured(level.for_each_of(pairs_count(compared)));
    let estimates: Vec<Estimate> = of_groups.iter().map(|(_, estimate)| *estimate).collect();
    let end = |is_better: fn(&f64, &f64) -> bool| {
        let better = |best: usize, at: usize| {
            if is_better(&estimates[at].value, &estimates[best].value) { at } else { best }
        };
        (0..estimates.len()).fold(0, better)
    };
    let (largest, smallest) = (end(f64::gt), end(f64::lt));
    let (most, least) = (estimates[largest].value, estimates[smallest].value);
    let found = |value: f64, (lower, upper): (f64, f64), method| Estimate {
        value,
        interval: Interval {
            lower: lower.clamp(f64::MIN, value),
            upper: upper.clamp(value, f64::MAX),
            level,
            method,
        },
        n: estimates[largest].n.saturating_add(estimates[smallest].n),
        error_bound: 0.0,
    };
    let off = estimates[largest].error_bound + estimates[smallest].error_bound;
    let difference =
        found(most - least, largest_difference_bounds(&estimates), IntervalMethod::DifferencesOfPairs);
    let ratio = if least < 0.0 {
        Err(NotCompared::SignedQuantity)
    } else if most == 0.0 {
        Err(NotCompared::AllZero)
    } else {
        let bounds =
            smallest_ratio_bounds(estimates.len(), |a, b| log_hybrid_bounds(&estimates[a], &estimates[b]));
        let ratio = found(least / most, bounds, IntervalMethod::RatiosOfPairs);
        Ok(Estimate { error_bound: off / most, ..ratio })
    };
    Ok(MetricByGroup {
        difference: Estimate { error_bound: off, ..difference },
        ratio,
        largest: of_groups[largest].0,
        smallest: of_groups[smallest].0,
        groups: compared as u64,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::mean_loss::mean_loss;
    use crate::random::SplitMix64;
    use rand_core::RngCore;

    #[test]
    fn groups_without_a_value_are_left_out_and_signs_have_no_ratio() {
        let of = |values: &[Option<f64>]| {
            let estimate = |value: f64, level| Estimate {
                value,
                interval: Interval {
                    lower: value - 0.1,
                    upper: value + 0.1,
                    level,
                    method: IntervalMethod::NormalOfMean,
                },
                n: 10,
                error_bound: 0.0,
            };
            metric_by_group(values.len(), |group, level| Some(estimate(values[group]?, level)), Level::P95)
        };
        assert_eq!(of(&[None, Some(1.0)]), Err(NotCompared::FewerThanTwoGroups { groups: 1 }));
        let signed = of(&[Some(-1.0), None, Some(2.0)]).unwrap();
        assert_eq!((signed.difference.value, signed.largest, signed.smallest), (3.0, 2, 0));
        assert_eq!((signed.ratio, signed.groups), (Err(NotCompared::SignedQuantity), 2));
        assert_eq!(of(&[Some(0.0), Some(0.0)]).unwrap().ratio, Err(NotCompared::AllZero));
        // A group that may be at 0 may be any part of another.
        let open = of(&[Some(0.05), Some(1.0)]).unwrap().ratio.unwrap();
        assert_eq!(open.interval.lower, 0.0);
    }

    /// Three groups of exponential errors with means 1, 1 and `mean`.
    #[test]
    fn intervals_cover_the_true_differences_and_ratios() {
        const WINDOWS: u32 = 300;
        for mean in [1.0, 1.5] {
            let mut rng = SplitMix64::new(5);
            let mut covered = [0; 2];
            for _ in 0..WINDOWS {
                let groups = [1.0, 1.0, mean].map(|mean| {
                    let uniform = || ((rng.next_u64() >> 11) as f64 + 0.5) / (1_u64 << 53) as f64;
                    std::iter::repeat_with(uniform).take(300).map(|u| -u.ln() * mean).collect::<Vec<f64>>()
                });
                let of = |group: usize, level| mean_loss(groups[group].iter().copied(), false, level);
                let found = metric_by_group(3, of, Level::P95).unwrap();
                covered[0] += u32::from(found.difference.interval.contains(mean - 1.0));
                covered[1] += u32::from(found.ratio.unwrap().interval.contains(1.0 / mean));
            }
            assert!(covered.iter().all(|&covered| covered >= 276), "{mean}: {covered:?} of {WINDOWS}");
        }
    }
}
