//! The empirical distribution that every comparison of numbers starts from.
//!
//! Exact (from all values) and approximate (from a quantile sketch) distributions are the same
//! type, so each statistic has one code path; `rank_error` says how far an approximate one can be
//! off. Nulls and NaN are counted elsewhere and never get here.

use std::borrow::Cow;

use serde::{Deserialize, Serialize};
use thiserror::Error;

/// Empirical distribution of finite (or ±inf) numbers: distinct values ascending with cumulative
/// counts.
///
/// `-0.0` and `0.0` are one value. Stored as JSON, the infinite values are two counts beside the
/// finite ones, because JSON has no infinity.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(try_from = "EcdfStored", into = "EcdfStored")]
pub struct Ecdf {
    values: Vec<f64>,
    cumulative: Vec<u64>,
    rank_error: u64,
}

/// Why no distribution could be made.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
pub enum EcdfError {
    /// A value is not a number.
    #[error("order value {index}: it is NaN; count and drop such values first")]
    NotANumber {
        /// Position in the input.
        index: usize,
    },
    /// Stored columns that do not belong together.
    #[error("read a stored distribution: values and counts differ in length")]
    LengthsDiffer,
    /// More rows than a 64-bit count holds.
    #[error("count the rows: the counts add up to more than 2^64")]
    TooManyRows,
}

impl Ecdf {
    /// The exact distribution of `values`, which are sorted in place. Empty input is allowed.
    pub fn from_values(values: &mut [f64]) -> Result<Ecdf, EcdfError> {
        if let Some(index) = values.iter().position(|v| v.is_nan()) {
            return Err(EcdfError::NotANumber { index });
        }
        values.sort_unstable_by(f64::total_cmp);
        Self::from_sorted(values.iter().map(|&v| (v, 1)), 0)
    }

    /// The distribution of weighted points, in any order and with ties; zero counts are dropped.
    ///
    /// `rank_error` is the largest number of rows by which any rank can be off, 0 when exact.
    pub fn from_weighted(mut points: Vec<(f64, u64)>, rank_error: u64) -> Result<Ecdf, EcdfError> {
        if let Some(index) = points.iter().position(|(v, _)| v.is_nan()) {
            return Err(EcdfError::NotANumber { index });
        }
        points.sort_unstable_by(|a, b| a.0.total_cmp(&b.0));
        Self::from_sorted(points.into_iter(), rank_error)
    }

    /// `-0.0` sorts directly before `0.0`, so ties are neighbours.
    fn from_sorted(points: impl Iterator<Item = (f64, u64)>, rank_error: u64) -> Result<Ecdf, EcdfError> {
        let mut values: Vec<f64> = Vec::new();
        let mut cumulative = Vec::new();
        let mut total = 0_u64;
        for (value, count) in points.filter(|&(_, count)| count > 0) {
            total = total.checked_add(count).ok_or(EcdfError::TooManyRows)?;
            if values.last() == Some(&value) {
                cumulative.pop();
            } else {
                values.push(value + 0.0); // turns -0.0 into 0.0
            }
            cumulative.push(total);
        }
        Ok(Ecdf { values, cumulative, rank_error })
    }

    /// The number of rows.
    pub fn n(&self) -> u64 {
        self.cumulative.last().copied().unwrap_or(0)
    }

    /// Whether there are no rows.
    pub fn is_empty(&self) -> bool {
        self.values.is_empty()
    }

    /// Whether every rank is exact.
    pub fn is_exact(&self) -> bool {
        self.rank_error == 0
    }

    /// The largest number of rows by which any rank can be off.
    pub fn rank_error(&self) -> u64 {
        self.rank_error
    }

    /// `rank_error` as a share of the rows, at most 1; 0 where there are none.
    pub fn rank_error_share(&self) -> f64 {
        match self.n() {
            0 => 0.0,
            n => (self.rank_error as f64 / n as f64).min(1.0),
        }
    }

    /// The number of rows at or below `x`; 0 for NaN.
    pub fn count_le(&self, x: f64) -> u64 {
        self.cumulative_before(self.values.partition_point(|&v| v <= x))
    }

    /// The number of rows strictly below `x`; 0 for NaN.
    pub fn count_lt(&self, x: f64) -> u64 {
        self.cumulative_before(self.values.partition_point(|&v| v < x))
    }

    fn cumulative_before(&self, index: usize) -> u64 {
        match index {
            0 => 0,
            i => self.cumulative[i - 1],
        }
    }

    /// The smallest value with at least a share `p` of the rows at or below it (the inverse of the
    /// distribution function). None where there are no rows or `p` lies outside [0, 1].
    ///
    /// ```
    /// use stats::ecdf::Ecdf;
    /// let ecdf = Ecdf::from_values(&mut [4.0, 1.0, 2.0, 3.0])?;
    /// assert_eq!(ecdf.quantile(0.5), Some(2.0));
    /// assert_eq!(ecdf.quantile(0.51), Some(3.0));
    /// # Ok::<(), stats::ecdf::EcdfError>(())
    /// ```
    pub fn quantile(&self, p: f64) -> Option<f64> {
        if self.is_empty() || !(0.0..=1.0).contains(&p) {
            return None;
        }
        let n = self.n();
        let rank = ((n as f64 * p).ceil() as u64).clamp(1, n);
        let index = self.cumulative.partition_point(|&c| c < rank);
        Some(self.values[index])
    }

    /// The distinct values ascending, each with its count.
    pub fn points(&self) -> impl Iterator<Item = (f64, u64)> {
        let before = std::iter::once(0).chain(self.cumulative.iter().copied());
        self.values
            .iter()
            .zip(self.cumulative.iter().zip(before))
            .map(|(&value, (&upto, before))| (value, upto - before))
    }

    /// The number of distinct values.
    pub fn distinct(&self) -> usize {
        self.values.len()
    }

    /// The smallest value.
    pub fn min(&self) -> Option<f64> {
        self.values.first().copied()
    }

    /// The largest value.
    pub fn max(&self) -> Option<f64> {
        self.values.last().copied()
    }

    /// The number of rows at plus or minus infinity.
    pub fn infinite_rows(&self) -> u64 {
        self.n() - self.count_le(f64::MAX) + self.count_le(f64::NEG_INFINITY)
    }

    /// The distribution of the finite values only. The rank error stays, in rows.
    pub fn finite(&self) -> Cow<'_, Ecdf> {
        let is_finite = |end: Option<f64>| end.is_none_or(f64::is_finite);
        if is_finite(self.min()) && is_finite(self.max()) {
            return Cow::Borrowed(self);
        }
        let below = self.count_le(f64::NEG_INFINITY);
        let from = usize::from(below > 0);
        let to = self.values.partition_point(|&v| v < f64::INFINITY);
        Cow::Owned(Ecdf {
            values: self.values[from..to.max(from)].to_vec(),
            cumulative: self.cumulative[from..to.max(from)].iter().map(|c| c - below).collect(),
            rank_error: self.rank_error,
        })
    }

    /// Walks the values of both sides ascending: each distinct value with the number of rows of
    /// `self` and of `other` at or below it.
    pub(crate) fn walk_with<'a>(&'a self, other: &'a Ecdf) -> impl Iterator<Item = (f64, u64, u64)> + 'a {
        let (mut i, mut j) = (0, 0);
        std::iter::from_fn(move || {
            let value = match (self.values.get(i), other.values.get(j)) {
                (None, None) => return None,
                (Some(&a), None) => a,
                (None, Some(&b)) => b,
                (Some(&a), Some(&b)) => a.min(b),
            };
            i += usize::from(self.values.get(i) == Some(&value));
            j += usize::from(other.values.get(j) == Some(&value));
            Some((value, self.cumulative_before(i), other.cumulative_before(j)))
        })
    }
}

/// The stored form: finite values with counts, infinite ones as two numbers.
#[derive(Serialize, Deserialize)]
struct EcdfStored {
    values: Vec<f64>,
    counts: Vec<u64>,
    #[serde(default)]
    minus_infinity: u64,
    #[serde(default)]
    plus_infinity: u64,
    rank_error: u64,
}

impl From<Ecdf> for EcdfStored {
    fn from(ecdf: Ecdf) -> EcdfStored {
        let (values, counts) = ecdf.points().filter(|(v, _)| v.is_finite()).unzip();
        EcdfStored {
            values,
            counts,
            minus_infinity: ecdf.count_le(f64::NEG_INFINITY),
            plus_infinity: ecdf.n() - ecdf.count_lt(f64::INFINITY),
            rank_error: ecdf.rank_error,
        }
    }
}

impl TryFrom<EcdfStored> for Ecdf {
    type Error = EcdfError;

    fn try_from(stored: EcdfStored) -> Result<Ecdf, EcdfError> {
        if stored.values.len() != stored.counts.len() {
            return Err(EcdfError::LengthsDiffer);
        }
        let mut points: Vec<(f64, u64)> = stored.values.into_iter().zip(stored.counts).collect();
        points.push((f64::NEG_INFINITY, stored.minus_infinity));
        points.push((f64::INFINITY, stored.plus_infinity));
        Ecdf::from_weighted(points, stored.rank_error)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ecdf(values: &[f64]) -> Ecdf {
        Ecdf::from_values(&mut values.to_vec()).unwrap()
    }

    #[test]
    fn nan_is_refused_with_its_position() {
        let refused = Err(EcdfError::NotANumber { index: 1 });
        assert_eq!(Ecdf::from_values(&mut [1.0, f64::NAN]), refused);
        assert_eq!(Ecdf::from_weighted(vec![(1.0, 2), (f64::NAN, 1)], 0), refused);
    }

    #[test]
    fn an_empty_distribution_has_no_quantile_and_counts_nothing() {
        let empty = ecdf(&[]);
        assert_eq!((empty.n(), empty.distinct(), empty.count_le(1.0)), (0, 0, 0));
        assert_eq!((empty.quantile(0.5), empty.min(), empty.max()), (None, None, None));
        assert_eq!(empty.rank_error_share(), 0.0);
    }

    #[test]
    fn minus_zero_and_zero_are_one_value() {
        let both = ecdf(&[0.0, -0.0, 1.0]);
        assert_eq!(both.points().collect::<Vec<_>>(), [(0.0, 2), (1.0, 1)]);
        assert!(both.min().unwrap().is_sign_positive());
        assert_eq!(both.count_le(-0.0), 2);
    }

    #[test]
    fn counts_below_and_at_differ_by_the_ties() {
        let e = ecdf(&[1.0, 2.0, 2.0, 3.0]);
        for (x, lt, le) in [(0.5, 0, 0), (1.0, 0, 1), (2.0, 1, 3), (2.5, 3, 3), (9.0, 4, 4)] {
            assert_eq!((e.count_lt(x), e.count_le(x)), (lt, le), "{x}");
        }
        assert_eq!((e.count_lt(f64::NAN), e.count_le(f64::NAN)), (0, 0));
    }

    #[test]
    fn weighted_points_equal_repeated_values() {
        let weighted = Ecdf::from_weighted(vec![(2.0, 1), (1.0, 3), (2.0, 1), (7.0, 0)], 0);
        assert_eq!(weighted.unwrap(), ecdf(&[1.0, 1.0, 1.0, 2.0, 2.0]));
    }

    #[test]
    fn a_sum_of_counts_past_the_64_bit_range_is_an_error() {
        let points = vec![(1.0, u64::MAX), (2.0, 1)];
        assert_eq!(Ecdf::from_weighted(points, 0), Err(EcdfError::TooManyRows));
    }

    #[test]
    fn quantiles_outside_zero_to_one_do_not_exist() {
        let e = ecdf(&[1.0, 2.0]);
        for p in [-0.1, 1.1, f64::NAN] {
            assert_eq!(e.quantile(p), None, "{p}");
        }
        assert_eq!((e.quantile(0.0), e.quantile(1.0)), (Some(1.0), Some(2.0)));
    }

    #[test]
    fn finite_drops_the_infinite_rows_on_both_sides() {
        let e = ecdf(&[f64::NEG_INFINITY, 1.0, f64::INFINITY, f64::INFINITY, 2.0]);
        assert_eq!(*e.finite(), ecdf(&[1.0, 2.0]));
        assert_eq!(*ecdf(&[f64::INFINITY]).finite(), ecdf(&[]));
        assert_eq!(*ecdf(&[f64::NEG_INFINITY]).finite(), ecdf(&[]));
    }

    #[test]
    fn infinite_values_survive_json() {
        let e = ecdf(&[f64::NEG_INFINITY, 1.5, 1.5, f64::INFINITY]);
        let text = serde_json::to_string(&e).unwrap();
        assert_eq!(serde_json::from_str::<Ecdf>(&text).unwrap(), e);
        let short = text.replace("[1.5]", "[]");
        assert!(serde_json::from_str::<Ecdf>(&short).is_err());
    }
}
