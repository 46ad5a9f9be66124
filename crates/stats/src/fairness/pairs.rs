//! All pairs of groups at once: where the largest difference and the smallest ratio truly lie.

use super::{Disparity, GroupRate, GroupRows, GroupValue, NotCompared};
use crate::classification::Estimate;
use crate::interval::{Interval, IntervalMethod, Level};
use crate::proportion::{Proportion, koopman_ratio_interval};

/// The compared groups of one rate, with intervals that hold for all pairs at once.
pub(super) struct Extremes {
    rate: GroupRate,
    /// Position of each group with its estimate.
    compared: Vec<(usize, Estimate)>,
    level: Level,
}

impl Extremes {
    /// Groups whose rate has `rows_min` rows; one of `rates` rates that share `level`.
    pub(super) fn of(
        rate: GroupRate,
        groups: &[GroupRows<'_>],
        level: Level,
        rates: usize,
        rows_min: u64,
    ) -> Extremes {
        let at = |level: Level| -> Vec<(usize, Estimate)> {
            let values = groups.iter().map(|rows| rate.of(rows, level).compared_from(rows_min));
            values
                .enumerate()
                .filter_map(|(group, value): (usize, GroupValue)| Some((group, *value.compared()?)))
                .collect()
        };
        let shared = level.for_each_of(rates * pairs_count(at(level).len()));
        Extremes { rate, compared: at(shared), level: shared }
    }

    fn groups(&self) -> Result<u64, NotCompared> {
        match self.compared.len() as u64 {
            groups @ (0 | 1) => Err(NotCompared::FewerThanTwoGroups { groups }),
            groups => Ok(groups),
        }
    }

    /// The groups of the largest and of the smallest value, the first of several.
    fn ends(&self) -> (&(usize, Estimate), &(usize, Estimate)) {
        let (mut largest, mut smallest) = (&self.compared[0], &self.compared[0]);
        for group in &self.compared {
            if group.1.value > largest.1.value {
                largest = group;
            }
            if group.1.value < smallest.1.value {
                smallest = group;
            }
        }
        (largest, smallest)
    }

    fn error_bound(&self) -> f64 {
        self.compared.iter().map(|(_, estimate)| estimate.error_bound).fold(0.0, f64::max)
    }

    fn disparity(&self, value: f64, (lower, upper): (f64, f64), method: IntervalMethod) -> Disparity {
        let (largest, smallest) = self.ends();
        Disparity {
            estimate: Estimate {
                value,
                interval: Interval {
                    lower: lower.min(value),
                    upper: upper.max(value),
                    level: self.level,
                    method,
                },
                n: largest.1.n.saturating_add(smallest.1.n),
                error_bound: 0.0,
            },
            rate: self.rate,
            largest: largest.0,
            smallest: smallest.0,
            groups: self.compared.len() as u64,
        }
    }

    fn difference(&self) -> Result<Disparity, NotCompared> {
        self.groups()?;
        let (largest, smallest) = self.ends();
        let value = largest.1.value - smallest.1.value;
        let estimates: Vec<Estimate> = self.compared.iter().map(|(_, estimate)| *estimate).collect();
        let bounds = largest_difference_bounds(&estimates);
        let mut found = self.disparity(value, bounds, IntervalMethod::DifferencesOfPairs);
        // Each end can be off by as much.
        found.estimate.error_bound = 2.0 * self.error_bound();
        Ok(found)
    }

    fn ratio(&self) -> Result<Disparity, NotCompared> {
        self.groups()?;
        let (largest, smallest) = self.ends();
        if largest.1.value <= 0.0 {
            return Err(NotCompared::AllZero);
        }
        let value = smallest.1.value / largest.1.value;
        let bounds = if self.rate == GroupRate::ExpectedOverObserved {
            let of = |at: usize| &self.compared[at].1;
            smallest_ratio_bounds(self.compared.len(), |a, b| log_hybrid_bounds(of(a), of(b)))
        } else {
            let shares: Vec<Proportion> = self.compared.iter().filter_map(|(_, of)| counted(of)).collect();
            smallest_ratio_bounds(shares.len(), |a, b| {
                let interval = koopman_ratio_interval(shares[b], shares[a], self.level);
                (interval.lower, interval.upper)
            })
        };
        let mut found = self.disparity(value, bounds, IntervalMethod::RatiosOfPairs);
        let off = self.error_bound();
        if off > 0.0 {
            let least = (smallest.1.value - off).max(0.0) / (largest.1.value + off);
            let most = ((smallest.1.value + off) / (largest.1.value - off).max(0.0)).min(1.0);
            found.estimate.error_bound = (value - least).max(most - value);
        }
        Ok(found)
    }
}

/// The largest difference of several rates, with the interval of the largest.
pub(super) fn largest_difference(rates: &[Extremes], level: Level) -> Result<Disparity, NotCompared> {
    let found: Vec<Disparity> = rates.iter().map(Extremes::difference).collect::<Result<_, _>>()?;
    worst(&found, level, |a, b| a > b, f64::max)
}

/// The smallest ratio of several rates, with the interval of the smallest.
pub(super) fn smallest_ratio(rates: &[Extremes], level: Level) -> Result<Disparity, NotCompared> {
    let found: Vec<Disparity> = rates.iter().map(Extremes::ratio).collect::<Result<_, _>>()?;
    worst(&found, level, |a, b| a < b, f64::min)
}

/// The worst of `found`; the worst of true values lies between the worst lower and the worst upper bound.
fn worst(
    found: &[Disparity],
    level: Level,
    is_worse: fn(f64, f64) -> bool,
    of_bounds: fn(f64, f64) -> f64,
) -> Result<Disparity, NotCompared> {
    let mut rates = found.iter();
    let mut worst = *rates.next().ok_or(NotCompared::FewerThanTwoGroups { groups: 0 })?;
    for other in rates {
        let (mine, theirs) = (worst.estimate, other.estimate);
        if is_worse(theirs.value, mine.value) {
            worst = *other;
        }
        worst.estimate.interval.lower = of_bounds(mine.interval.lower, theirs.interval.lower);
        worst.estimate.interval.upper = of_bounds(mine.interval.upper, theirs.interval.upper);
        worst.estimate.error_bound = mine.error_bound.max(theirs.error_bound);
    }
    worst.estimate.interval.level = level;
    Ok(worst)
}

pub(super) fn pairs_count(groups: usize) -> usize {
    groups.saturating_mul(groups.saturating_sub(1)) / 2
}

/// The share that a rate is, as counts.
fn counted(estimate: &Estimate) -> Option<Proportion> {
    Proportion::new((estimate.value * estimate.n as f64).round() as u64, estimate.n).ok()
}

/// Where the largest difference lies: each pair's interval is the hybrid of both groups' intervals.
pub(super) fn largest_difference_bounds(groups: &[Estimate]) -> (f64, f64) {
    let (mut lower, mut upper) = (0.0_f64, 0.0_f64);
    for (at, a) in groups.iter().enumerate() {
        for b in &groups[at + 1..] {
            let difference = a.value - b.value;
            let down = (a.value - a.interval.lower).hypot(b.interval.upper - b.value);
            let up = (a.interval.upper - a.value).hypot(b.value - b.interval.lower);
            lower = lower.max(difference - down).max(-difference - up);
            upper = upper.max(difference + up).max(down - difference);
        }
    }
    (lower, upper)
}

/// Bounds of `a / b`: the hybrid of both intervals on the logarithmic scale; all there is where an estimate or one
/// of its bounds is not above 0.
pub(super) fn log_hybrid_bounds(a: &Estimate, b: &Estimate) -> (f64, f64) {
    if !(a.interval.lower > 0.0 && b.interval.lower > 0.0) {
        return (0.0, f64::MAX);
    }
    let above = |of: &Estimate| (of.interval.upper / of.value).ln();
    let below = |of: &Estimate| (of.value / of.interval.lower).ln();
    let ratio = a.value / b.value;
    let bound = |by: f64| (ratio * by.exp()).min(f64::MAX);
    (bound(-below(a).hypot(above(b))), bound(above(a).hypot(below(b))))
}

/// Where the smallest ratio lies, from the bounds of the ratio of group `a` to group `b`.
pub(super) fn smallest_ratio_bounds(
    groups: usize,
    ratio_bounds: impl Fn(usize, usize) -> (f64, f64),
) -> (f64, f64) {
    let (mut lower, mut upper) = (1.0_f64, 1.0_f64);
    for a in 0..groups {
        for b in a + 1..groups {
            let (least, most) = ratio_bounds(a, b);
            let flipped = |bound: f64| if bound == f64::MAX { 0.0 } else { 1.0 / bound };
            lower = lower.min(least).min(flipped(most));
            upper = upper.min(most).min(flipped(least));
        }
    }
    (lower, upper)
}
