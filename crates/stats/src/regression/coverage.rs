//! Coverage: do prediction intervals hold as many outcomes as they promise?
//!
//! # What it measures
//!
//! The share of outcomes inside the predicted interval against the promised share, the shares below and
//! above, and how wide the intervals are. Intervals that hold too few promise too much.
//!
//! # When it misleads
//!
//! * Coverage on average can hide intervals that are too wide for easy rows and too narrow for hard ones:
//!   look at groups.
//! * Infinitely wide intervals hold everything. Read the width beside it.
//! * With many rows a coverage that is off by nothing that matters has a tiny p-value.
//!
//! # Formula
//!
//! Inside is `lower ≤ y ≤ upper`. Wilson's intervals of the shares; exact two-sided binomial test against
//! the promised share. Bounds in the wrong order are exchanged and counted (`crossed`). A bound may be
//! infinite (a promise on one side); a row whose outcome is not finite, or with a bound that is not a
//! number, is left out and counted. Mean width with a normal interval, where every width is finite.
//!
//! # Example
//!
//! ```
//! use stats::{interval::Level, regression::coverage::{IntervalOutcomes, interval_coverage}};
//! let rows = [(1.0, 3.0, 2.0), (1.0, 3.0, 3.0), (0.0, 2.0, 5.0), (4.0, 2.0, 3.0)];
//! let found = interval_coverage(&IntervalOutcomes::of(rows), 0.9, Level::P95)?;
//! assert_eq!((found.covered.value, found.below.value, found.above.value), (0.75, 0.0, 0.25));
//! assert_eq!((found.crossed, found.width.map(|width| width.value)), (1, Some(2.0)));
//! # Ok::<(), stats::regression::RegressionUndefined>(())
//! ```
//!
//! # References
//!
//! * P. F. Christoffersen, "Evaluating interval forecasts", International Economic Review 39, 1998:
//!   unconditional coverage.
//! * V. Chernozhukov, I. Fernández-Val, A. Galichon, "Quantile and probability curves without crossing",
//!   Econometrica 78, 2010: exchanging what crosses.

use serde::{Deserialize, Serialize};

use super::errors::LARGEST;
use super::{RegressionUndefined, mean_estimate};
use crate::binomial::two_sided_p_value;
use crate::classification::Estimate;
use crate::interval::Level;
use crate::proportion::Proportion;
use crate::sketch::Moments;

/// Predicted intervals with their outcomes, counted; merges exactly.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct IntervalOutcomes {
    n: u64,
    below: u64,
    above: u64,
    crossed: u64,
    left_out: u64,
    infinite: u64,
    widths: Moments,
}

/// How many outcomes the intervals held.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct IntervalCoverage {
    /// The share of outcomes inside, bounds included.
    pub covered: Estimate,
    /// The share that was promised.
    pub nominal: f64,
    /// How likely a coverage as far from the promise is by chance: exact binomial test, two-sided.
    pub p_value: f64,
    /// The share of outcomes below the interval.
    pub below: Estimate,
    /// The share of outcomes above the interval.
    pub above: Estimate,
    /// The mean width in the unit of the outcome; `None` where one is infinite or beyond 1e72, or there
    /// are fewer than two rows.
    pub width: Option<Estimate>,
    /// Rows whose bounds were in the wrong order.
    pub crossed: u64,
    /// Rows that could not be measured.
    pub left_out: u64,
}

impl IntervalOutcomes {
    /// Counts `(lower, upper, outcome)` rows.
    pub fn of(rows: impl IntoIterator<Item = (f64, f64, f64)>) -> IntervalOutcomes {
        let mut found = IntervalOutcomes::default();
        found.extend(rows);
        found
    }

    /// Adds `(lower, upper, outcome)` rows.
    pub fn extend(&mut self, rows: impl IntoIterator<Item = (f64, f64, f64)>) {
        let mut widths = Vec::new();
        for (lower, upper, outcome) in rows {
            if lower.is_nan() || upper.is_nan() || !outcome.is_finite() {
                self.left_out += 1;
                continue;
            }
            let (least, most) = (lower.min(upper), lower.max(upper));
            self.n += 1;
            self.crossed += u64::from(lower > upper);
            self.below += u64::from(outcome < least);
            self.above += u64::from(outcome > most);
            // Both bounds may be the same infinity, whose difference is no number.
            match most - least {
                width if width < LARGEST => widths.push(width),
                _ => self.infinite += 1,
            }
        }
        self.widths.extend(&widths);
    }

    /// Adds the rows of `other`.
    pub fn merge(&mut self, other: &IntervalOutcomes) {
        self.n += other.n;
        self.below += other.below;
        self.above += other.above;
        self.crossed += other.crossed;
        self.left_out += other.left_out;
        self.infinite += other.infinite;
        self.widths.merge(&other.widths);
    }

    /// The number of measured rows.
    pub fn n(&self) -> u64 {
        self.n
    }
}

/// Coverage of intervals that promise to hold a share `nominal` of outcomes.
///
/// # Errors
/// No rows, or a promise that is not strictly between 0 and 1.
pub fn interval_coverage(
    outcomes: &IntervalOutcomes,
    nominal: f64,
    level: Level,
) -> Result<IntervalCoverage, RegressionUndefined> {
    check_share(nominal)?;
    let inside = outcomes.n - outcomes.below - outcomes.above;
    let width = if outcomes.infinite == 0 { mean_estimate(&outcomes.widths, 0.0, level).ok() } else { None };
    Ok(IntervalCoverage {
        covered: share(inside, outcomes.n, level)?,
        nominal,
        p_value: two_sided_p_value(inside, outcomes.n, nominal),
        below: share(outcomes.below, outcomes.n, level)?,
        above: share(outcomes.above, outcomes.n, level)?,
        width,
        crossed: outcomes.crossed,
        left_out: outcomes.left_out,
    })
}

pub(super) fn check_share(share: f64) -> Result<(), RegressionUndefined> {
    if share > 0.0 && share < 1.0 { Ok(()) } else { Err(RegressionUndefined::NotAShare { share }) }
}

pub(super) fn share(successes: u64, n: u64, level: Level) -> Result<Estimate, RegressionUndefined> {
    let proportion = Proportion::new(successes, n).map_err(|_| RegressionUndefined::NoRows)?;
    Ok(Estimate { value: proportion.share(), interval: proportion.wilson(level), n, error_bound: 0.0 })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::binomial::tests::SplitMix;
    use rand_core::RngCore;

    #[test]
    fn what_cannot_be_measured_says_why() {
        let none = IntervalOutcomes::of([(f64::NAN, 1.0, 0.0), (0.0, 1.0, f64::INFINITY)]);
        let of = |outcomes: &IntervalOutcomes, nominal| interval_coverage(outcomes, nominal, Level::P95);
        assert_eq!(of(&none, 0.9), Err(RegressionUndefined::NoRows));
        let one = IntervalOutcomes::of([(0.0, 1.0, 0.5)]);
        for share in [0.0, 1.0, -1.0, 90.0] {
            assert_eq!(of(&one, share), Err(RegressionUndefined::NotAShare { share }));
        }
        assert!(of(&one, f64::NAN).is_err());
        let found = of(&one, 0.9).unwrap();
        assert_eq!((found.covered.value, found.p_value, found.width), (1.0, 1.0, None));
    }

    #[test]
    fn open_and_huge_intervals_hold_what_they_say_and_have_no_mean_width() {
        let open = IntervalOutcomes::of([
            (f64::NEG_INFINITY, 1.0, -1e300),
            (0.0, f64::INFINITY, 5.0),
            (f64::INFINITY, f64::INFINITY, 5.0),
            (f64::MIN, f64::MAX, 0.0),
        ]);
        let found = interval_coverage(&open, 0.5, Level::P95).unwrap();
        assert_eq!((found.covered.value, found.below.value, found.width), (0.75, 0.25, None));
    }

    #[test]
    fn parts_merge_to_the_whole() {
        let rows: Vec<_> = (0..50).map(|i| (f64::from(i % 7), f64::from(i % 5), f64::from(i % 11))).collect();
        let mut merged = IntervalOutcomes::of(rows[..20].iter().copied());
        merged.merge(&IntervalOutcomes::of(rows[20..].iter().copied()));
        let whole = IntervalOutcomes::of(rows);
        let of = |outcomes| interval_coverage(outcomes, 0.5, Level::P95).unwrap();
        let (merged, whole) = (of(&merged), of(&whole));
        assert_eq!((merged.covered, merged.crossed), (whole.covered, whole.crossed));
        let widths = merged.width.zip(whole.width).unwrap();
        assert!((widths.0.value - widths.1.value).abs() < 1e-12);
    }

    #[test]
    fn honest_intervals_are_refused_no_more_often_than_the_level_says() {
        const WINDOWS: u32 = 1000;
        let mut rng = SplitMix(9);
        let (mut refused, mut held) = (0, 0);
        for _ in 0..WINDOWS {
            let rows = (0..150).map(|_| (0.05, 0.95, (rng.next_u64() >> 11) as f64 / (1_u64 << 53) as f64));
            let found = interval_coverage(&IntervalOutcomes::of(rows), 0.9, Level::P95).unwrap();
            refused += u32::from(found.p_value <= 0.05);
            held += u32::from(found.covered.interval.contains(0.9));
        }
        assert!(refused <= 65 && held >= 925, "{refused} {held}");
    }
}
