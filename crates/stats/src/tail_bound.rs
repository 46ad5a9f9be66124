//! How far a value may lie outside of what was seen before, and still be an ordinary new extreme.
//!
//! # What it measures
//! A bound beyond the extremes of a sample that new rows of the same distribution cross so rarely that the
//! expected number of crossings is as small as asked for. A sample of 10,000 rows and one of 5,000 from the same
//! distribution have the larger maximum in the second one a third of the time; a new maximum is therefore no
//! news. What lies beyond the bound is: a unit that changed, a placeholder such as 9999.
//!
//! # When it misleads
//! Rows that come in clusters (a storm that a hundred rows share) make the tail look better known than it is;
//! this makes the bound too tight, seldom by much, because one standard error of the index is added and
//! the bound never lies within a tenth of the range beyond the extreme. A distribution that moves with the season
//! is drift, which this is no measure of.
//!
//! # Formula
//! With the excesses of the `k = n / 20` outermost values over the next one, all taken from the median,
//! the moment estimator of the extreme-value index `ξ` and of the scale `a`:
//! `M_j = mean((ln xᵢ − ln u)^j)`, `ξ₋ = 1 − 1 / (2 (1 − M₁² / M₂))`, `ξ = M₁ + ξ₋`, `a = u M₁ (1 − ξ₋)`.
//! A quantile far outside is `u + a ((k / (n p))^ξ − 1) / ξ`, here with `p = expected / rows` and, so as to err
//! on the side of silence, `max(ξ, 0) + √((1 + ξ²) / k)` for `ξ`.
//!
//! # References
//! Dekkers, Einmahl & de Haan (1989), "A moment estimator for the index of an extreme-value distribution",
//! Annals of Statistics 17, eqs. 1.7 and 4.3. de Haan & Ferreira (2006), "Extreme Value Theory", §4.3.

use crate::ecdf::Ecdf;

/// With fewer rows nothing is said of a tail.
const LEAST_ROWS: u64 = 200;
/// The share of rows that count as a tail.
const TAIL_SHARE: f64 = 0.05;
/// With fewer different values in the tail its shape cannot be told.
const LEAST_DIFFERENT: usize = 10;
/// An extreme is ordinary within this share of the whole range beyond the last one, whatever the tail says.
const LEAST_MARGIN: f64 = 0.1;

/// One tail of a sample, seen from its median outwards.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Tail {
    /// How many rows lie in the tail, and how many there are in all.
    pub rows: u64,
    pub n: u64,
    /// Where the tail begins, counted from the median.
    pub threshold: f64,
    /// The extreme-value index `ξ`: above 0 heavy, 0 as exponential, below 0 with an end.
    pub index: f64,
    /// The scale `a` of the excesses.
    pub scale: f64,
}

impl Tail {
    /// The tail of values counted outwards, largest first, each with how often it occurs.
    fn of(outwards: impl Iterator<Item = (f64, u64)> + Clone, n: u64) -> Option<Self> {
        let rows = (n as f64 * TAIL_SHARE).floor() as u64;
        let mut before = 0;
        // The value at which more rows than the tail has are reached.
        let (threshold, _) = outwards.clone().find(|(_, count)| {
            before += count;
            before > rows
        })?;
        if threshold <= 0.0 {
            return None;
        }
        let (mut first, mut second, mut different) = (0.0, 0.0, 0);
        for (value, count) in outwards.take_while(|(value, _)| *value > threshold) {
            let log = (value / threshold).ln();
            first += count as f64 * log;
            second += count as f64 * log * log;
            different += 1;
        }
        if different < LEAST_DIFFERENT {
            return None;
        }
        let (first, second) = (first / rows as f64, second / rows as f64);
        let spread = 1.0 - first * first / second;
        let below = 1.0 - 0.5 / spread;
        let tail =
            Self { rows, n, threshold, index: first + below, scale: threshold * first * (1.0 - below) };
        (tail.index.is_finite() && tail.scale > 0.0).then_some(tail)
    }

    /// The value, counted from the median, that `rows` new ones cross `expected` times on average at most.
    fn crossed(&self, rows: u64, expected: f64) -> f64 {
        let error = ((1.0 + self.index * self.index) / self.rows as f64).sqrt();
        let index = self.index.max(0.0) + error;
        let times = self.rows as f64 * rows as f64 / (self.n as f64 * expected);
        self.threshold + self.scale * (times.max(1.0).powf(index) - 1.0) / index
    }
}

/// The upper tail of a sample, and the lower one where `lower`; `None` where its shape cannot be told:
/// below 200 rows, fewer than 10 different values in it, or no spread beyond the median.
///
/// ```
/// use stats::{ecdf::Ecdf, tail_bound::tail};
/// // Quantiles of the exponential distribution, whose index is 0.
/// let mut values: Vec<f64> = (0..20_000).map(|i| -(1.0 - (f64::from(i) + 0.5) / 20_000.0).ln()).collect();
/// let tail = tail(&Ecdf::from_values(&mut values)?, false).expect("it has a tail");
/// assert!(tail.index.abs() < 0.1 && (tail.scale - 1.0).abs() < 0.1);
/// # Ok::<(), stats::ecdf::EcdfError>(())
/// ```
pub fn tail(sample: &Ecdf, lower: bool) -> Option<Tail> {
    let finite = sample.finite();
    if finite.n() < LEAST_ROWS {
        return None;
    }
    let median = finite.quantile(0.5)?;
    let mut outwards: Vec<(f64, u64)> = finite
        .points()
        .map(|(value, count)| (if lower { median - value } else { value - median }, count))
        .collect();
    if !lower {
        outwards.reverse();
    }
    Tail::of(outwards.iter().copied(), finite.n())
}

/// What `rows` new values of the distribution of `sample` stay within, but for `expected` of them on average
/// at either end.
///
/// Where the shape of a tail cannot be told (see [`tail`]) the bound lies as far beyond the extreme as the whole
/// sample is wide. `None` below 200 finite values, where all are equal, or where there are no new rows.
pub fn plausible_range(sample: &Ecdf, rows: u64, expected: f64) -> Option<(f64, f64)> {
    let finite = sample.finite();
    let (min, max) = (finite.min()?, finite.max()?);
    let width = max - min;
    let usable = finite.n() >= LEAST_ROWS && rows > 0 && expected > 0.0 && width > 0.0 && width.is_finite();
    if !usable {
        return None;
    }
    let median = finite.quantile(0.5)?;
    let beyond = |lower: bool, extreme: f64| match tail(&finite, lower) {
        Some(tail) => tail.crossed(rows, expected).max(extreme + LEAST_MARGIN * width),
        None => extreme + width,
    };
    Some((median - beyond(true, median - min), median + beyond(false, max - median)))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ecdf(values: &[f64]) -> Ecdf {
        Ecdf::from_values(&mut values.to_vec()).unwrap()
    }

    #[test]
    fn a_tail_of_few_values_is_not_guessed_from() {
        let few: Vec<f64> = (0..1000).map(|row| f64::from(row % 4)).collect();
        assert_eq!(tail(&ecdf(&few), false), None);
        assert_eq!(plausible_range(&ecdf(&few), 100, 0.01), Some((-3.0, 6.0)));
    }

    #[test]
    fn nothing_is_said_of_few_rows_of_a_constant_or_of_no_new_rows() {
        let values: Vec<f64> = (0..500).map(f64::from).collect();
        assert_eq!(plausible_range(&ecdf(&values[..199]), 100, 0.01), None);
        assert_eq!(plausible_range(&ecdf(&[7.0; 500]), 100, 0.01), None);
        assert_eq!(plausible_range(&ecdf(&values), 0, 0.01), None);
        assert_eq!(plausible_range(&ecdf(&[]), 100, 0.01), None);
        assert_eq!(plausible_range(&ecdf(&[f64::INFINITY; 500]), 100, 0.01), None);
    }

    #[test]
    fn infinite_values_do_not_move_the_range() {
        let mut values: Vec<f64> = (0..500).map(f64::from).collect();
        let plain = plausible_range(&ecdf(&values), 100, 0.01);
        values.extend([f64::INFINITY, f64::NEG_INFINITY]);
        assert_eq!(plausible_range(&ecdf(&values), 100, 0.01), plain);
    }

    #[test]
    fn the_range_of_mirrored_values_is_the_mirrored_range() {
        let values: Vec<f64> = (1..2001).map(|row| f64::from(row).ln().powi(3)).collect();
        let mirrored: Vec<f64> = values.iter().map(|value| -value).collect();
        let (low, high) = plausible_range(&ecdf(&values), 500, 0.01).unwrap();
        let (mirrored_low, mirrored_high) = plausible_range(&ecdf(&mirrored), 500, 0.01).unwrap();
        // The median of an even number of values is the lower of the two in the middle.
        assert!((mirrored_high + low).abs() < 0.01 * (high - low));
        assert!((mirrored_low + high).abs() < 0.01 * (high - low));
    }
}
