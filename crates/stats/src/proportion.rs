//! Proportions: their intervals, and whether two of them differ.
//!
//! # What it measures
//!
//! A share of rows (missing values, approvals, correct answers) with the range that its row count
//! leaves open (Wilson's; Clopper and Pearson's where levels are extreme), the difference between two shares
//! with its own range and p-value, and the range of their ratio.
//!
//! # When it misleads
//!
//! * Rows must be independent; a thousand rows of ten customers are closer to ten.
//! * With many rows every difference is significant: look at its size.
//! * The z-test is an approximation; below about five successes or failures per side trust the
//!   interval instead.
//!
//! # Formula
//!
//! Wilson: `(p + z²/2n ± z √(p(1−p)/n + z²/4n²)) / (1 + z²/n)`. Test:
//! `z = (p₂ − p₁) / √(p̄(1−p̄)(1/n₁ + 1/n₂))` with the pooled share `p̄`; its square is the
//! chi-square of the 2 × 2 table. Newcombe: with `l`, `u` the Wilson bounds of each side and
//! `d = p₂ − p₁`, from `d − √((p₂−l₂)² + (u₁−p₁)²)` to `d + √((u₂−p₂)² + (p₁−l₁)²)`. Koopman: all ratios
//! `θ = p₂ / p₁` with `|p₂ − θp₁| ≤ z √(p̃₂(1−p̃₂)/n₂ + θ² p̃₁(1−p̃₁)/n₁)`, `p̃₁` and `p̃₂ = θp̃₁` the
//! likeliest shares that have this ratio.
//!
//! # Example
//!
//! ```
//! use stats::{interval::Level, proportion::{Proportion, two_proportion_z_test, wilson_interval}};
//! let interval = wilson_interval(0, 10, Level::P95)?;
//! assert_eq!(interval.lower, 0.0);
//! assert!(interval.upper > 0.27);
//! let (before, after) = (Proportion::new(10, 100)?, Proportion::new(30, 100)?);
//! let test = two_proportion_z_test(before, after, Level::P95);
//! assert!(test.p_value < 0.001 && test.interval.lower > 0.0);
//! # Ok::<(), stats::proportion::ProportionError>(())
//! ```
//!
//! # References
//!
//! * E. B. Wilson, "Probable inference, the law of succession, and statistical inference", J. Am.
//!   Stat. Assoc. 22, 1927.
//! * C. J. Clopper, E. S. Pearson, "The use of confidence or fiducial limits illustrated in the case of the
//!   binomial", Biometrika 26, 1934.
//! * R. G. Newcombe, "Interval estimation for the difference between independent proportions",
//!   Statistics in Medicine 17, 1998: method 10.
//! * P. A. R. Koopman, "Confidence intervals for the ratio of two binomial proportions", Biometrics
//!   40, 1984; O. Miettinen, M. Nurminen, "Comparative analysis of two rates", Statistics in Medicine
//!   4, 1985: the likeliest shares.

use serde::{Deserialize, Serialize};
use thiserror::Error;

use crate::interval::{Interval, IntervalMethod, Level};
use crate::special::{beta_quantile, normal_sf};

/// Some successes among one or more rows.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Proportion {
    successes: u64,
    n: u64,
}

/// Why there is no proportion.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
pub enum ProportionError {
    /// No rows, so no share of them.
    #[error("take a share of no rows")]
    NoRows,
    /// A part larger than the whole.
    #[error("take {successes} of {n} rows as a share: there are more successes than rows")]
    MoreSuccessesThanRows {
        /// The part.
        successes: u64,
        /// The whole.
        n: u64,
    },
}

impl Proportion {
    /// Checks that there are rows, and no more successes than rows.
    pub fn new(successes: u64, n: u64) -> Result<Proportion, ProportionError> {
        match n {
            0 => Err(ProportionError::NoRows),
            _ if successes > n => Err(ProportionError::MoreSuccessesThanRows { successes, n }),
            _ => Ok(Proportion { successes, n }),
        }
    }

    /// Successes divided by rows, in [0, 1].
    pub fn share(self) -> f64 {
        self.successes as f64 / self.n as f64
    }

    /// The number of successes.
    pub fn successes(self) -> u64 {
        self.successes
    }

    /// The number of rows.
    pub fn n(self) -> u64 {
        self.n
    }

    /// Wilson's score interval of the share.
    pub fn wilson(self, level: Level) -> Interval {
        let (lower, upper) = wilson_bounds(self.share(), self.n as f64, level);
        Interval { lower, upper, level, method: IntervalMethod::Wilson }
    }
}

/// Two shares compared.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct ProportionTest {
    /// The current share less the reference's, in [−1, 1].
    pub difference: f64,
    /// Newcombe's interval of the difference.
    pub interval: Interval,
    /// The difference in standard errors; 0 where all rows of both sides are alike.
    pub z: f64,
    /// Two-sided.
    pub p_value: f64,
    /// Rows of the reference.
    pub n_reference: u64,
    /// Rows of the current side.
    pub n_current: u64,
}

/// Wilson's score interval of `successes / n`.
pub fn wilson_interval(successes: u64, n: u64, level: Level) -> Result<Interval, ProportionError> {
    Ok(Proportion::new(successes, n)?.wilson(level))
}

/// Newcombe's hybrid-score interval of the current share less the reference's.
pub fn newcombe_difference_interval(reference: Proportion, current: Proportion, level: Level) -> Interval {
    let (r, c) = (reference.wilson(level), current.wilson(level));
    let (p, q) = (reference.share(), current.share());
    let difference = q - p;
    Interval {
        lower: (difference - (q - c.lower).hypot(r.upper - p)).max(-1.0),
        upper: (difference + (c.upper - q).hypot(p - r.lower)).min(1.0),
        level,
        method: IntervalMethod::Newcombe,
    }
}

/// Koopman's score interval of the current share divided by the reference's.
///
/// Where the reference has no successes, no ratio is too large, and the upper bound is `f64::MAX`.
pub fn koopman_ratio_interval(reference: Proportion, current: Proportion, level: Level) -> Interval {
    let (lower, upper) = koopman_bounds(reference, current, level);
    Interval { lower, upper, level, method: IntervalMethod::Koopman }
}

/// The logarithms of all ratios that two counts of rows can have lie well within ± this.
const LOG_RATIO_MAX: f64 = 100.0;

fn koopman_bounds(reference: Proportion, current: Proportion, level: Level) -> (f64, f64) {
    let z = level.z();
    let log_ratio = (current.share() / reference.share()).ln();
    let fits = |log: &f64| ratio_z(reference, current, log.exp()) <= z;
    let edge = |mut inside: f64, mut outside: f64| {
        // Halvings until a float has no more digits.
        for _ in 0..64 {
            let middle = f64::midpoint(inside, outside);
            if fits(&middle) {
                inside = middle;
            } else {
                outside = middle;
            }
        }
        inside.exp()
    };
    match (reference.successes, current.successes) {
        (0, 0) => (0.0, f64::MAX),
        (0, _) => (edge(LOG_RATIO_MAX, -LOG_RATIO_MAX), f64::MAX),
        (_, 0) => (0.0, edge(-LOG_RATIO_MAX, LOG_RATIO_MAX)),
        _ => (edge(log_ratio, -LOG_RATIO_MAX), edge(log_ratio, LOG_RATIO_MAX)),
    }
}

/// How many standard errors the shares are from having `ratio`, given that there are successes.
fn ratio_z(reference: Proportion, current: Proportion, ratio: f64) -> f64 {
    let (n, m) = (reference.n as f64, current.n as f64);
    let (x, y) = (reference.successes as f64, current.successes as f64);
    // The likeliest share of the reference is the smaller root of a p² − b p + c.
    let (a, b, c) = ((n + m) * ratio, m * ratio + y + n + x * ratio, x + y);
    let root = (b * b - 4.0 * a * c).max(0.0).sqrt();
    let p = (2.0 * c / (b + root)).min(1.0);
    let q = (ratio * p).min(1.0);
    let variance = q * (1.0 - q) / m + ratio * ratio * p * (1.0 - p) / n;
    let miss = (current.share() - ratio * reference.share()).abs();
    if miss == 0.0 { 0.0 } else { miss / variance.sqrt() }
}

/// Whether the current share differs from the reference's: pooled z-test, two-sided.
pub fn two_proportion_z_test(reference: Proportion, current: Proportion, level: Level) -> ProportionTest {
    let (n, m) = (reference.n as f64, current.n as f64);
    let difference = current.share() - reference.share();
    let pooled = (reference.successes as f64 + current.successes as f64) / (n + m);
    let error = (pooled * (1.0 - pooled) * (1.0 / n + 1.0 / m)).sqrt();
    let z = if error > 0.0 { difference / error } else { 0.0 };
    ProportionTest {
        difference,
        interval: newcombe_difference_interval(reference, current, level),
        z,
        p_value: (2.0 * normal_sf(z.abs())).min(1.0),
        n_reference: reference.n,
        n_current: current.n,
    }
}

/// Wilson's formula for any share in [0, 1], whole successes or not; always holds the share.
pub(crate) fn wilson_bounds(share: f64, n: f64, level: Level) -> (f64, f64) {
    let z = level.z();
    let weight = z * z / n;
    let centre = (share + weight / 2.0) / (1.0 + weight);
    let spread = (share * (1.0 - share) / n + weight / (4.0 * n)).sqrt();
    let half = z / (1.0 + weight) * spread;
    ((centre - half).clamp(0.0, share), (centre + half).clamp(share, 1.0))
}

/// Clopper and Pearson's exact bounds, which hold at any level; Wilson's where the two agree because the
/// variance of the successes is beyond 100 000.
pub(crate) fn exact_bounds(proportion: Proportion, level: Level) -> (f64, f64) {
    let (successes, n, share) = (proportion.successes as f64, proportion.n as f64, proportion.share());
    if n * share * (1.0 - share) > 1e5 {
        return wilson_bounds(share, n, level);
    }
    // The share at which so many successes, or so few, have the probability of one tail.
    let failures = n - successes;
    let lower = if successes > 0.0 { beta_quantile(level.tail(), successes, failures + 1.0) } else { 0.0 };
    let upper =
        if failures > 0.0 { beta_quantile(1.0 - level.tail(), successes + 1.0, failures) } else { 1.0 };
    (lower.min(share), upper.max(share))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn exact_bounds_hold_at_least_as_often_as_the_level_says() {
        use crate::binomial::Binomial;
        use crate::binomial::tests::SplitMix;
        let level = Level::new(0.99).unwrap();
        let mut rng = SplitMix(3);
        for (n, truth) in [(5, 0.3), (30, 0.14), (30, 0.97), (400, 0.02)] {
            let draw = Binomial::new(n, truth);
            let held = (0..2000).filter(|_| {
                let (lower, upper) = exact_bounds(Proportion::new(draw.sample(&mut rng), n).unwrap(), level);
                lower <= truth && truth <= upper
            });
            assert!(held.count() >= 1973, "{n} {truth}");
        }
        // scipy.stats.binomtest(3, 20).proportion_ci(0.95, method="exact"), SciPy 1.17.1.
        let (lower, upper) = exact_bounds(Proportion::new(3, 20).unwrap(), Level::P95);
        assert!(
            (lower - 0.032_070_937_148_6).abs() < 1e-8 && (upper - 0.378_926_83).abs() < 1e-6,
            "{lower} {upper}"
        );
        let million = Proportion::new(300_000, 1_000_000).unwrap();
        let wilson = wilson_bounds(0.3, 1e6, Level::P95);
        assert_eq!(exact_bounds(million, Level::P95), wilson);
    }

    #[test]
    fn no_rows_and_too_many_successes_are_errors() {
        assert_eq!(wilson_interval(0, 0, Level::P95), Err(ProportionError::NoRows));
        let refused = Err(ProportionError::MoreSuccessesThanRows { successes: 2, n: 1 });
        assert_eq!(Proportion::new(2, 1), refused);
    }

    #[test]
    fn none_and_all_of_the_rows_leave_one_side_open() {
        for n in [1, 2, 10, 1_000_000] {
            let (none, all) =
                (wilson_interval(0, n, Level::P95).unwrap(), wilson_interval(n, n, Level::P95).unwrap());
            assert!(none.lower.abs() < 1e-12 && none.upper > 0.0);
            assert!((all.upper - 1.0).abs() < 1e-12 && all.lower < 1.0);
        }
    }

    #[test]
    fn sides_that_are_all_alike_do_not_differ() {
        let all = Proportion::new(5, 5).unwrap();
        let test = two_proportion_z_test(all, all, Level::P95);
        assert_eq!((test.difference, test.z, test.p_value), (0.0, 0.0, 1.0));
        assert!(test.interval.lower < 0.0 && test.interval.upper > 0.0);
    }

    #[test]
    fn a_ratio_has_an_interval_whatever_the_counts() {
        for (x, n, y, m) in [
            (0, 5, 0, 5),
            (0, 5, 3, 5),
            (3, 5, 0, 5),
            (5, 5, 5, 5),
            (1, 1, 1, 1),
            (1, 1 << 50, 1 << 50, 1 << 50),
        ] {
            let (reference, current) = (Proportion::new(x, n).unwrap(), Proportion::new(y, m).unwrap());
            let found = koopman_ratio_interval(reference, current, Level::P95);
            assert!(0.0 <= found.lower && found.lower <= found.upper, "{found:?}");
            assert_eq!((found.lower == 0.0, found.upper == f64::MAX), (y == 0, x == 0), "{found:?}");
            if x > 0 {
                assert!(found.contains(current.share() / reference.share()), "{found:?}");
                let other = koopman_ratio_interval(current, reference, Level::P95);
                assert!(y == 0 || (other.lower * found.upper - 1.0).abs() < 1e-9, "{found:?} {other:?}");
            }
        }
    }

    #[test]
    fn opposite_sides_differ_by_one() {
        let (none, all) = (Proportion::new(0, 50).unwrap(), Proportion::new(50, 50).unwrap());
        let test = two_proportion_z_test(none, all, Level::P95);
        assert_eq!((test.difference, test.interval.upper), (1.0, 1.0));
        assert!(test.p_value < 1e-20);
    }
}
