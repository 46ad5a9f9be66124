//! Two-sample Kolmogorov–Smirnov test: the largest gap between two distribution functions.
//!
//! # What it measures
//!
//! The largest difference between the shares of rows at or below any value, in [0, 1], and how
//! likely a gap at least that large is where both sides come from one continuous distribution.
//!
//! # When it misleads
//!
//! * With many rows a gap that nobody needs to care about is significant. Look at the statistic.
//! * It sees the middle of a distribution better than its tails.
//! * Ties (rounded or discrete values) make the p-value too large: real drift is missed.
//! * A gap says nothing about distance: a shift of one unit and one of a thousand can both give 1.
//!   Use [`wasserstein`](crate::wasserstein) for that.
//!
//! # Formula
//!
//! `D = sup |F(x) − G(x)|`. Exact p-value: the probability that a random walk from (0, 0) to
//! (n, m) touches `|i/n − j/m| ≥ D`, summed over its cells. Asymptotic: Kolmogorov's limit at
//! `(√e + 0.12 + 0.11/√e) · D` with `e = nm / (n + m)` (Stephens' correction). Exact where both
//! sides are exact and `nm` is at most [`EXACT_CELLS_MAX`].
//!
//! # Example
//!
//! ```
//! use stats::{ecdf::Ecdf, kolmogorov_smirnov::{Method, kolmogorov_smirnov}};
//! let reference = Ecdf::from_values(&mut [1.0, 2.0, 3.0])?;
//! let current = Ecdf::from_values(&mut [4.0, 5.0, 6.0])?;
//! let test = kolmogorov_smirnov(&reference, &current)?;
//! assert_eq!((test.statistic, test.method), (1.0, Method::Exact));
//! assert!((test.p_value - 0.1).abs() < 1e-12); // 2 of the 20 orders
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! # References
//!
//! * J. L. Hodges, "The significance probability of the Smirnov two-sample test", Arkiv för
//!   Matematik 3, 1958: the walk.
//! * M. A. Stephens, "Use of the Kolmogorov–Smirnov, Cramér–von Mises and related statistics
//!   without extensive tables", J. R. Stat. Soc. B 32, 1970: the correction.

use serde::{Deserialize, Serialize};
use thiserror::Error;

use crate::counts::Side;
use crate::ecdf::Ecdf;
use crate::special::kolmogorov_sf;

/// Up to this product of the row counts the p-value is exact: 500 rows on each side.
pub const EXACT_CELLS_MAX: u64 = 250_000;

/// How a p-value was computed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Method {
    /// From all orders that the rows could have had.
    Exact,
    /// From the limit for many rows.
    Asymptotic,
}

/// What the test found.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct KolmogorovSmirnov {
    /// The largest gap, in [0, 1].
    pub statistic: f64,
    /// How far the statistic can be off where a side is approximate; 0 when exact.
    pub statistic_error: f64,
    /// The smallest value at which the gap is that large. None where there is no gap, or where it
    /// is at minus infinity.
    pub at: Option<f64>,
    /// Two-sided.
    pub p_value: f64,
    /// How the p-value was computed.
    pub method: Method,
    /// Rows of the reference.
    pub n_reference: u64,
    /// Rows of the current side.
    pub n_current: u64,
}

/// Why there is no test.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
pub enum KolmogorovSmirnovError {
    /// One side is empty.
    #[error("compare distributions: the {side} side has no rows")]
    NoRows {
        /// Which one.
        side: Side,
    },
}

/// Kolmogorov–Smirnov test of `current` against `reference`, two-sided.
///
/// Infinite values take part like any other.
///
/// # Errors
/// A side without rows.
pub fn kolmogorov_smirnov(
    reference: &Ecdf,
    current: &Ecdf,
) -> Result<KolmogorovSmirnov, KolmogorovSmirnovError> {
    let (n, m) = (reference.n(), current.n());
    if n == 0 || m == 0 {
        let side = if n == 0 { Side::Reference } else { Side::Current };
        return Err(KolmogorovSmirnovError::NoRows { side });
    }
    let (gap, at) = largest_gap(reference, current);
    let statistic = gap as f64 / (u128::from(n) * u128::from(m)) as f64;
    let exact = reference.is_exact() && current.is_exact();
    let (p_value, method) = match n.checked_mul(m) {
        // The gap is at most n · m, which fits where this arm is taken.
        Some(cells) if exact && cells <= EXACT_CELLS_MAX => (p_value_exact(gap as u64, n, m), Method::Exact),
        _ => (p_value_asymptotic(statistic, n, m), Method::Asymptotic),
    };
    Ok(KolmogorovSmirnov {
        statistic,
        statistic_error: (reference.rank_error_share() + current.rank_error_share()).min(1.0),
        at: at.filter(|x| x.is_finite()),
        p_value,
        method,
        n_reference: n,
        n_current: m,
    })
}

/// `max |i·m − j·n|` over the steps, a whole number, and where it is first reached.
pub(crate) fn largest_gap(reference: &Ecdf, current: &Ecdf) -> (u128, Option<f64>) {
    let (n, m) = (u128::from(reference.n()), u128::from(current.n()));
    let mut largest = (0, None);
    for (value, i, j) in reference.walk_with(current) {
        let gap = (u128::from(i) * m).abs_diff(u128::from(j) * n);
        if gap > largest.0 {
            largest = (gap, Some(value));
        }
    }
    largest
}

/// The probability that a random order of the rows reaches a gap of at least `gap / (n·m)`.
///
/// Adds up walks where they first reach it, so that small values keep their digits. Costs n · m.
pub(crate) fn p_value_exact(gap: u64, n: u64, m: u64) -> f64 {
    if gap == 0 {
        return 1.0;
    }
    let mut reached = 0.0;
    let mut inside = vec![0.0; m as usize + 1]; // of row i − 1 until overwritten by row i
    for i in 0..=n {
        for j in 0..=m {
            let remaining = (n + m + 1 - i - j) as f64; // before the step that leads here
            let from_below = match i {
                0 => 0.0,
                i => inside[j as usize] * (n + 1 - i) as f64 / remaining,
            };
            let from_left = match j {
                0 => 0.0,
                j => inside[j as usize - 1] * (m + 1 - j) as f64 / remaining,
            };
            let start = f64::from(i == 0 && j == 0);
            let here = start + from_below + from_left;
            let outside = (i * m).abs_diff(j * n) >= gap;
            reached += if outside { here } else { 0.0 };
            inside[j as usize] = if outside { 0.0 } else { here };
        }
    }
    reached.min(1.0)
}

fn p_value_asymptotic(statistic: f64, n: u64, m: u64) -> f64 {
    let (n, m) = (n as f64, m as f64);
    let root = (n / (n + m) * m).sqrt();
    kolmogorov_sf((root + 0.12 + 0.11 / root) * statistic)
}

/// The gap that chance alone gives on average with `n` and `m` rows: the mean of Kolmogorov's distribution,
/// `√(π/2) ln 2`, times `√(1/n + 1/m)`. With ties it is less.
pub fn gap_expected_no_drift(n: u64, m: u64) -> f64 {
    let mean = std::f64::consts::FRAC_PI_2.sqrt() * std::f64::consts::LN_2;
    mean * ((n.max(1) as f64).recip() + (m.max(1) as f64).recip()).sqrt()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ecdf(values: &[f64]) -> Ecdf {
        Ecdf::from_values(&mut values.to_vec()).unwrap()
    }

    #[test]
    fn a_side_without_rows_is_an_error() {
        let (empty, one) = (ecdf(&[]), ecdf(&[1.0]));
        for (reference, current, side) in [
            (&empty, &one, Side::Reference),
            (&one, &empty, Side::Current),
            (&empty, &empty, Side::Reference),
        ] {
            assert_eq!(kolmogorov_smirnov(reference, current), Err(KolmogorovSmirnovError::NoRows { side }));
        }
    }

    #[test]
    fn equal_sides_have_no_gap_and_a_p_value_of_one() {
        for values in [vec![1.0], vec![2.0; 5], vec![1.0, 2.0, f64::INFINITY]] {
            let test = kolmogorov_smirnov(&ecdf(&values), &ecdf(&values)).unwrap();
            assert_eq!((test.statistic, test.p_value, test.at), (0.0, 1.0, None));
        }
    }

    #[test]
    fn infinite_values_take_part() {
        let test = kolmogorov_smirnov(&ecdf(&[f64::NEG_INFINITY, 1.0]), &ecdf(&[1.0, 1.0]));
        let test = test.unwrap();
        assert_eq!((test.statistic, test.at), (0.5, None));
    }

    #[test]
    fn an_approximate_side_says_so() {
        let approximate = Ecdf::from_weighted(vec![(1.0, 50), (2.0, 50)], 3).unwrap();
        let test = kolmogorov_smirnov(&approximate, &ecdf(&[1.0, 2.0])).unwrap();
        assert_eq!(test.method, Method::Asymptotic);
        assert!((test.statistic_error - 0.03).abs() < 1e-15);
    }

    #[test]
    fn exact_and_asymptotic_p_values_agree_for_a_few_hundred_rows() {
        for gap_share in [0.05, 0.08, 0.1, 0.12, 0.15] {
            let gap = (gap_share * 250_000.0_f64).round() as u64 / 500 * 500;
            let exact = p_value_exact(gap, 500, 500);
            let limit = p_value_asymptotic(gap as f64 / 250_000.0, 500, 500);
            assert!((exact - limit).abs() < 0.02, "{gap_share}: {exact} {limit}");
        }
    }
}
