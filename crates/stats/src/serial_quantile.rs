//! A quantile of a series whose neighbours are alike, such as the latencies of requests that wait for each other.
//!
//! # What it measures
//!
//! The value that a share of the series does not exceed, and how far it may be from the one behind the series. A
//! request that waits long keeps the next one waiting, so that a thousand latencies of a busy server tell less than a
//! thousand independent ones.
//!
//! # When it misleads
//!
//! * It sees dependence up to a few neighbours. A series that is still rising (a queue that grows) has no quantile.
//! * A high quantile of few values has no upper end: nothing that large need have been seen yet.
//!
//! # Formula
//!
//! The value is the order statistic `⌈p n⌉`. Its interval goes from one order statistic to another: those of ranks `l`
//! and `u` with `P(B ≤ l − 1) ≤ α/2` and `P(B ≤ u − 1) ≥ 1 − α/2`, where `B` counts the values of `m` independent ones
//! that are at or below the quantile, a binomial number. `m = n / D`, with the dispersion `D` of the indicator of being
//! at or below the value ([`serial_mean`](crate::serial_mean)); ranks of `m` are carried over to those of `n`.
//!
//! # Example
//!
//! ```
//! use stats::{interval::Level, serial_quantile::serial_quantile};
//! let series: Vec<f64> = (0..1000).map(|i| f64::from(i * 387 % 1000)).collect();
//! let median = serial_quantile(&series, 0.5, 0, Level::P95).ok_or("nothing there")?;
//! assert_eq!((median.value, median.lower, median.upper), (499.0, Some(468.0), Some(531.0)));
//! # Ok::<(), &str>(())
//! ```
//!
//! # References
//!
//! * R. S. Woodruff, "Confidence intervals for medians and other position measures", Journal of the American
//!   Statistical Association 47, 1952: the interval of a share, carried over to the values.
//! * G. J. Hahn, W. Q. Meeker, "Statistical Intervals", 1991, section 5.2: the ranks for independent values.

use crate::interval::Level;
use crate::serial_mean::serial_mean;
use crate::special::beta_cdf;

/// A quantile of a series.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct SerialQuantile {
    /// The order statistic.
    pub value: f64,
    /// The lower end of the interval; `None` where no value of the series is surely below the quantile.
    pub lower: Option<f64>,
    /// The upper end; `None` where no value of the series is surely above the quantile.
    pub upper: Option<f64>,
    /// By how much dependence widens the interval, as a ratio of variances; at least 1.
    pub dispersion: f64,
    /// Values.
    pub n: u64,
}

/// The quantile at `share` of `values`, in the order of time, taken to depend on each other over at most `lags`
/// neighbours; `None` for an empty series, values that are not finite, or a share outside of (0, 1).
pub fn serial_quantile(values: &[f64], share: f64, lags: usize, level: Level) -> Option<SerialQuantile> {
    if values.is_empty() || values.iter().any(|value| !value.is_finite()) || !(share > 0.0 && share < 1.0) {
        return None;
    }
    let n = values.len();
    let mut sorted = values.to_vec();
    sorted.sort_by(f64::total_cmp);
    let value = sorted[((share * n as f64).ceil() as usize).clamp(1, n) - 1];
    let at_or_below: Vec<f64> = values.iter().map(|&of| f64::from(u8::from(of <= value))).collect();
    let dispersion = serial_mean(&at_or_below, lags, level).map_or(1.0, |mean| mean.dispersion);
    let (lower, upper) = ranks((n as f64 / dispersion).floor().max(1.0) as usize, share, level);
    let carried = n as f64 / (n as f64 / dispersion).floor().max(1.0);
    let lower = lower.map(|rank| sorted[((rank as f64 * carried).floor() as usize).clamp(1, n) - 1]);
    let upper = upper.map(|rank| sorted[((rank as f64 * carried).ceil() as usize).clamp(1, n) - 1]);
    Some(SerialQuantile { value, lower, upper, dispersion, n: n as u64 })
}

/// The ranks of `n` independent values between which the quantile lies.
fn ranks(n: usize, share: f64, level: Level) -> (Option<usize>, Option<usize>) {
    // P(B ≤ k) of n, from the incomplete beta function.
    let at_most = |k: usize| if k >= n { 1.0 } else { beta_cdf(1.0 - share, (n - k) as f64, k as f64 + 1.0) };
    // The first rank from 0 on at which a rising probability has reached a level.
    let first = |reached: &dyn Fn(f64) -> bool| {
        let (mut below, mut above) = (0, n);
        while below < above {
            let middle = usize::midpoint(below, above);
            if reached(at_most(middle)) { above = middle } else { below = middle + 1 }
        }
        below
    };
    let lower = first(&|p| p > level.tail());
    let upper = first(&|p| p >= 1.0 - level.tail()) + 1;
    ((lower >= 1).then_some(lower), (upper <= n).then_some(upper))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::random::{SplitMix64, uniform};
    use crate::special::normal_quantile;

    /// From `scipy.stats.binom.cdf` of SciPy 1.17.1: the last rank with `cdf(rank - 1) <= 0.025`, and the first with
    /// `cdf(rank - 1) >= 0.975`.
    #[test]
    fn ranks_are_those_of_the_binomial_distribution() {
        let check = |n, share, expected| assert_eq!(ranks(n, share, Level::P95), expected, "{n} at {share}");
        check(100, 0.5, (Some(40), Some(61)));
        check(1000, 0.9, (Some(881), Some(919)));
        check(400, 0.99, (Some(392), Some(400)));
        check(10, 0.5, (Some(2), Some(9)));
    }

    #[test]
    fn a_high_quantile_of_few_values_has_no_upper_end() {
        let values: Vec<f64> = (0..300).map(f64::from).collect();
        let found = serial_quantile(&values, 0.99, 0, Level::P95).unwrap();
        // 0.99^300 = 0.049: all of 300 values may well be below it.
        assert_eq!((found.value, found.upper), (296.0, None));
        assert!(serial_quantile(&[], 0.5, 0, Level::P95).is_none());
        assert!(serial_quantile(&[f64::NAN], 0.5, 0, Level::P95).is_none());
        assert_eq!(serial_quantile(&[3.0], 0.5, 5, Level::P95).map(|of| of.value), Some(3.0));
    }

    /// In how many of 400 series the interval of the quantile at 0.9 covers it, where each value keeps a share of the
    /// one before.
    fn covered(kept: f64, lags: usize) -> usize {
        let mut rng = SplitMix64::new(7);
        let mut noise = move || normal_quantile(uniform(&mut rng).max(1e-12));
        let truth = normal_quantile(0.9);
        let fresh = (1.0 - kept * kept).sqrt();
        let series = |_: &usize| {
            let mut at = noise();
            let values: Vec<f64> = (0..800)
                .map(|_| {
                    at = kept * at + fresh * noise();
                    at
                })
                .collect();
            let found = serial_quantile(&values, 0.9, lags, Level::P95).unwrap();
            found.lower.is_some_and(|lower| lower <= truth) && found.upper.is_some_and(|upper| truth <= upper)
        };
        (0..400).collect::<Vec<usize>>().iter().map(series).filter(|is| *is).count()
    }

    #[test]
    fn the_interval_covers_the_quantile_also_of_a_series_that_depends_on_itself() {
        let (independent, naive, honest) = (covered(0.0, 28), covered(0.8, 0), covered(0.8, 28));
        assert!(independent >= 372, "{independent} of 400");
        assert!(honest >= 364, "{honest} of 400");
        assert!(naive < 300, "without a look at neighbours it is too narrow: {naive} of 400");
    }
}
