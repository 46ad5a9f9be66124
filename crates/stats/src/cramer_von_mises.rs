//! Two-sample Cramér–von Mises test: the mean squared gap between two distribution functions.
//!
//! # What it measures
//!
//! How far the shares of rows at or below a value differ on average over all rows, where
//! Kolmogorov–Smirnov takes the largest difference alone; and how likely that is where both sides
//! come from one continuous distribution. It sees small differences over a wide range better.
//!
//! # When it misleads
//!
//! * With many rows any difference is significant. Look at the root mean squared gap.
//! * It sees the middle of a distribution better than its tails.
//! * The p-value is that of the limit for many rows, rough below about ten rows a side, and ties
//!   make it too large. It is the difference of two numbers near 1, so nothing below 1e-14 means
//!   anything.
//! * A gap says nothing about distance: use [`energy_distance`](crate::energy_distance) or
//!   [`wasserstein`](crate::wasserstein) for that.
//!
//! # Formula
//!
//! `T = U / (nm(n + m)) − (4nm − 1) / (6(n + m))` with
//! `U = n Σ (rᵢ − i)² + m Σ (sⱼ − j)²`, `rᵢ` and `sⱼ` the ranks of the sorted rows of each side
//! among all rows, mid-ranks for ties. The p-value is the one-sample limit at
//! `1/6 + (T − E T) / √(45 Var T)`. With `h` the mid-distribution functions (rows below, and half
//! of those at, a value), the mean squared gap is `Σ (hₓ − h_y)² / (n + m)` over all rows; `T` is
//! computed from it, because the two terms above are both about n / 3 and their difference is not.
//!
//! Where a side is approximate, `ε` the sum of both rank errors as shares and `D` the largest gap,
//! the mean squared gap is off by at most `ε(2D + ε) + 4D·ε`: the change of the squared gap, and
//! that of the rows over which the mean is taken.
//!
//! # Example
//!
//! ```
//! use stats::{cramer_von_mises::cramer_von_mises, ecdf::Ecdf};
//! let reference = Ecdf::from_values(&mut [1.0, 2.0, 3.0, 4.0])?;
//! let current = Ecdf::from_values(&mut [5.0, 6.0, 7.0, 8.0])?;
//! let test = cramer_von_mises(&reference, &current)?;
//! assert!((test.statistic - 0.6875).abs() < 1e-12);
//! assert!(test.p_value < 0.02);
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! # References
//!
//! * T. W. Anderson, "On the distribution of the two-sample Cramér–von Mises criterion", Ann. Math.
//!   Stat. 33, 1962: equations 9 and 10 for `T`, 11 and 14 for its mean and variance, 15 for the
//!   limit.
//! * S. Csörgő, J. Faraway, "The exact and asymptotic distributions of Cramér–von Mises
//!   statistics", J. R. Stat. Soc. B 58, 1996, equation 1.3: the limit as a series of Bessel
//!   functions.

use serde::{Deserialize, Serialize};
use thiserror::Error;

use crate::counts::Side;
use crate::ecdf::Ecdf;
use crate::special::cramer_von_mises_cdf;

/// What the test found.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct CramerVonMises {
    /// `T`; about 1/6 where nothing has changed, and growing with the rows where something has.
    pub statistic: f64,
    /// How far the statistic can be off where a side is approximate; 0 when exact.
    pub statistic_error: f64,
    /// The root of the mean squared gap, in [0, 1]: a size that does not grow with the rows.
    pub gap_root_mean_square: f64,
    /// From the limit for many rows.
    pub p_value: f64,
    /// Rows of the reference.
    pub n_reference: u64,
    /// Rows of the current side.
    pub n_current: u64,
}

/// Why there is no test.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
pub enum CramerVonMisesError {
    /// One side has no rows, or one, of which no distribution can be told.
    #[error("compare distributions: the {side} side has {rows} rows, and the test needs two")]
    TooFewRows {
        /// Which one.
        side: Side,
        /// How many it has.
        rows: u64,
    },
}

/// Cramér–von Mises test of `current` against `reference`.
///
/// Infinite values take part like any other, because only the order counts.
///
/// # Errors
/// A side with fewer than two rows.
pub fn cramer_von_mises(reference: &Ecdf, current: &Ecdf) -> Result<CramerVonMises, CramerVonMisesError> {
    for (side, rows) in [(Side::Reference, reference.n()), (Side::Current, current.n())] {
        if rows < 2 {
            return Err(CramerVonMisesError::TooFewRows { side, rows });
        }
    }
    let gaps = gaps(reference, current);
    let (n, m) = (reference.n() as f64, current.n() as f64);
    let rows = n + m;
    let statistic = gaps.statistic(n, m);
    let epsilon = (reference.rank_error_share() + current.rank_error_share()).min(1.0);
    let mean_square_error = (epsilon * (6.0 * gaps.largest + epsilon)).min(1.0);
    Ok(CramerVonMises {
        statistic,
        statistic_error: n * m / rows * mean_square_error,
        gap_root_mean_square: (gaps.squares / rows).sqrt(),
        p_value: p_value(statistic, n, m, 1e-17),
        n_reference: reference.n(),
        n_current: current.n(),
    })
}

/// Sums over the distinct values.
struct Gaps {
    /// Squared gaps of the mid-distribution functions, over all rows.
    squares: f64,
    /// The largest gap, in [0, 1].
    largest: f64,
    /// What the rows of one value contribute to U beside their squared gaps.
    ties: f64,
}

impl Gaps {
    fn statistic(&self, n: f64, m: f64) -> f64 {
        let (product, rows) = (n * m, n + m);
        // U less its part that does not depend on the order, over nm(n + m).
        let untied = product / 6.0 - (n * n + m * m) / 12.0;
        product / rows * (self.squares / rows) + (self.ties + untied) / (product * rows)
    }
}

/// `T` alone, for sides with rows.
pub(crate) fn statistic(reference: &Ecdf, current: &Ecdf) -> f64 {
    gaps(reference, current).statistic(reference.n() as f64, current.n() as f64)
}

/// For a value with `a` rows of the reference and `b` of the current side, `A` and `B` the rows
/// below and half of those: mid-ranks give U the sum of `n·a·B² + m·b·A²` and of
/// `n(a³ − a)/12 + m(b³ − b)/12`. Since `Σ a·B + b·A = nm` and the like, the former is
/// `n²m²/N · Σ (a + b)(A/n − B/m)²`, a constant, and terms in `a` and `b` alone.
fn gaps(reference: &Ecdf, current: &Ecdf) -> Gaps {
    let (n, m) = (reference.n() as f64, current.n() as f64);
    let rows = n + m;
    let (mut squares, mut largest, mut ties) = (0.0, 0.0_f64, 0.0);
    let mut before = (0, 0);
    for (_, upto_reference, upto_current) in reference.walk_with(current) {
        let (a, b) = ((upto_reference - before.0) as f64, (upto_current - before.1) as f64);
        let (mid_a, mid_b) = (before.0 as f64 + a / 2.0, before.1 as f64 + b / 2.0);
        squares += (a + b) * (mid_a / n - mid_b / m).powi(2);
        largest = largest.max((upto_reference as f64 / n - upto_current as f64 / m).abs());
        ties += (a.powi(3) * (m * m / rows + n) + b.powi(3) * (n * n / rows + m)) / 12.0
            - n * m / (4.0 * rows) * a * b * (a + b);
        before = (upto_reference, upto_current);
    }
    Gaps { squares, largest, ties }
}

/// `least_term`: where the limit's series stops.
pub(crate) fn p_value(statistic: f64, n: f64, m: f64, least_term: f64) -> f64 {
    let (product, rows) = (n * m, n + m);
    let mean = (1.0 + 1.0 / rows) / 6.0;
    let spread = 4.0 * product * rows - 3.0 * (n * n + m * m) - 2.0 * product;
    let variance = (rows + 1.0) * spread / (45.0 * rows * rows * 4.0 * product);
    let standardised = 1.0 / 6.0 + (statistic - mean) / (45.0 * variance).sqrt();
    (1.0 - cramer_von_mises_cdf(standardised, least_term)).clamp(0.0, 1.0)
}

/// The mean squared gap that chance alone gives with `n` and `m` rows: its expectation in the limit of many
/// rows, `(1/n + 1/m) / 6`.
pub fn mean_squared_gap_expected_no_drift(n: u64, m: u64) -> f64 {
    ((n.max(1) as f64).recip() + (m.max(1) as f64).recip()) / 6.0
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ecdf(values: &[f64]) -> Ecdf {
        Ecdf::from_values(&mut values.to_vec()).unwrap()
    }

    #[test]
    fn a_side_with_fewer_than_two_rows_is_an_error() {
        let (empty, one, two) = (ecdf(&[]), ecdf(&[1.0]), ecdf(&[1.0, 2.0]));
        for (reference, current, side, rows) in
            [(&empty, &two, Side::Reference, 0), (&two, &one, Side::Current, 1)]
        {
            let refused = Err(CramerVonMisesError::TooFewRows { side, rows });
            assert_eq!(cramer_von_mises(reference, current), refused);
        }
    }

    #[test]
    fn constant_and_equal_sides_have_no_gap_and_a_p_value_of_one() {
        for values in [vec![2.0; 5], vec![1.0, 2.0, 3.0, 4.0, 5.0]] {
            let test = cramer_von_mises(&ecdf(&values), &ecdf(&values)).unwrap();
            assert_eq!(test.gap_root_mean_square, 0.0);
            assert!(test.p_value > 0.999, "{test:?}");
        }
    }

    #[test]
    fn many_rows_cost_no_digits() {
        // A million rows of each of ten values on both sides: U is about 1e21.
        let points: Vec<(f64, u64)> = (0..10).map(|v| (f64::from(v), 1_000_000)).collect();
        let side = Ecdf::from_weighted(points, 0).unwrap();
        let test = cramer_von_mises(&side, &side).unwrap();
        assert!(test.statistic.abs() < 1e-6, "{test:?}");
    }

    #[test]
    fn the_error_bound_covers_what_a_rank_error_can_hide() {
        let exact = ecdf(&[0.0, 1.0, 2.0, 3.0, 4.0, 5.0, 6.0, 7.0, 8.0, 9.0]);
        let approximate = Ecdf::from_weighted(vec![(0.0, 2), (3.0, 3), (6.0, 2), (9.0, 3)], 2);
        let current = ecdf(&[2.0, 2.5, 11.0]);
        let truth = cramer_von_mises(&exact, &current).unwrap();
        let found = cramer_von_mises(&approximate.unwrap(), &current).unwrap();
        assert!(found.statistic_error > 0.0 && truth.statistic_error == 0.0);
        assert!((found.statistic - truth.statistic).abs() <= found.statistic_error);
    }
}
