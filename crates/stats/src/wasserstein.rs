//! Wasserstein-1 distance: how far the rows would have to move, on average.
//!
//! # What it measures
//!
//! The mean distance that rows of the reference must travel to become the current distribution, in
//! the column's own unit; a shift of everything by `d` gives `d`. Divided by the reference's
//! standard deviation, it compares between columns.
//!
//! # When it misleads
//!
//! * One far outlier can dominate it, and one in the reference inflates the standard deviation, so
//!   that drift looks small after normalising.
//! * A widened unit (metres to millimetres) is a huge distance though nothing drifted.
//! * It is a size, not a test: chance alone keeps it above zero, see [`wasserstein_expected_no_drift`].
//!
//! # Formula
//!
//! `∫ |F(x) − G(x)| dx`. The gap at `x` has, where nothing changed, nearly the normal distribution with
//! variance `F(1 − F)(1/n + 1/m)`, so the distance is on average `√(2/π (1/n + 1/m)) ∫ √(F(1 − F)) dx`. Where a side is approximate, the error bound is the sum of both rank
//! errors (as shares) times the range of all values.
//!
//! # Example
//!
//! ```
//! use stats::{ecdf::Ecdf, wasserstein::normalised_wasserstein};
//! let reference = Ecdf::from_values(&mut [1.0, 3.0])?; // standard deviation 1
//! let current = Ecdf::from_values(&mut [3.0, 5.0])?;
//! let moved = normalised_wasserstein(&reference, &current)?;
//! assert_eq!((moved.distance, moved.value), (2.0, 2.0));
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! # References
//!
//! * S. S. Vallender, "Calculation of the Wasserstein distance between probability distributions on
//!   the line", Theory Probab. Appl. 18, 1974: the formula.

use std::f64::consts::FRAC_2_PI;

use serde::{Deserialize, Serialize};
use thiserror::Error;

use crate::counts::Side;
use crate::ecdf::Ecdf;

/// A distance in the column's unit.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Wasserstein {
    /// The distance.
    pub distance: f64,
    /// How far it can be off where a side is approximate; 0 when exact.
    pub error_bound: f64,
    /// Rows of the reference.
    pub n_reference: u64,
    /// Rows of the current side.
    pub n_current: u64,
}

/// A distance in standard deviations of the reference.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct NormalisedWasserstein {
    /// The distance divided by the standard deviation.
    pub value: f64,
    /// How far `value` can be off where a side is approximate, the standard deviation taken as it
    /// is; 0 when exact.
    pub error_bound: f64,
    /// The distance in the column's unit.
    pub distance: f64,
    /// The standard deviation of the reference's rows (divided by n).
    pub standard_deviation_reference: f64,
    /// Rows of the reference.
    pub n_reference: u64,
    /// Rows of the current side.
    pub n_current: u64,
}

/// Why there is no distance.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
pub enum WassersteinError {
    /// One side is empty.
    #[error("compare distributions: the {side} side has no rows")]
    NoRows {
        /// Which one.
        side: Side,
    },
    /// Infinite values are infinitely far away.
    #[error(
        "measure a distance to {rows} infinite values of the {side} side: compare the finite values (`Ecdf::finite`) and count the others"
    )]
    Infinite {
        /// Which side.
        side: Side,
        /// How many.
        rows: u64,
    },
    /// The distance is larger than the largest floating-point number.
    #[error("measure a distance beyond the range of 64-bit floating point")]
    TooFar,
    /// Nothing to measure a distance by.
    #[error(
        "divide by the reference's standard deviation: all its values are the same; use the distance in the column's unit"
    )]
    ConstantReference,
}

/// Wasserstein-1 distance between `reference` and `current`, in their unit; 0 or more.
///
/// # Errors
/// A side without rows, or with infinite values.
pub fn wasserstein(reference: &Ecdf, current: &Ecdf) -> Result<Wasserstein, WassersteinError> {
    check(reference, Side::Reference)?;
    check(current, Side::Current)?;
    let (n, m) = (reference.n() as f64, current.n() as f64);
    // Halved, so that a step between the extremes of f64 does not overflow.
    let mut half_area = 0.0;
    let mut before: Option<(f64, f64)> = None;
    for (value, i, j) in reference.walk_with(current) {
        if let Some((left, gap)) = before {
            half_area += gap * (value / 2.0 - left / 2.0);
        }
        before = Some((value, (i as f64 / n - j as f64 / m).abs()));
    }
    let ends = [reference.min(), reference.max(), current.min(), current.max()];
    let ends = ends.into_iter().flatten();
    let (low, high) = ends.fold((f64::MAX, f64::MIN), |(l, h), v| (l.min(v), h.max(v)));
    let rank_errors = reference.rank_error_share() + current.rank_error_share();
    let error_bound = rank_errors.min(1.0) * (high / 2.0 - low / 2.0) * 2.0;
    let distance = 2.0 * half_area;
    if !distance.is_finite() || !error_bound.is_finite() {
        return Err(WassersteinError::TooFar);
    }
    Ok(Wasserstein { distance, error_bound, n_reference: reference.n(), n_current: current.n() })
}

/// About the distance of `rows` more rows from the distribution of `reference`, in its unit; 0 without
/// rows. The finite values are what counts.
pub fn wasserstein_expected_no_drift(reference: &Ecdf, rows: u64) -> f64 {
    let n = reference.n();
    if n == 0 || rows == 0 {
        return 0.0;
    }
    let noise = FRAC_2_PI * ((n as f64).recip() + (rows as f64).recip());
    noise.sqrt() * integral(reference, |share| (share * (1.0 - share)).sqrt())
}

/// `∫ f(F(x)) dx` between the least and the largest finite value.
pub(crate) fn integral(ecdf: &Ecdf, of_share: impl Fn(f64) -> f64) -> f64 {
    let n = ecdf.n() as f64;
    let (mut half_sum, mut below, mut left) = (0.0, 0, None);
    for (value, count) in ecdf.points().filter(|(value, _)| value.is_finite()) {
        if let Some(left) = left {
            half_sum += of_share(below as f64 / n) * (value / 2.0 - left / 2.0);
        }
        below += count;
        left = Some(value);
    }
    2.0 * half_sum
}

/// [`wasserstein`] in standard deviations of the reference.
///
/// # Errors
/// As there; and a reference whose values are all the same, which has no scale of its own.
pub fn normalised_wasserstein(
    reference: &Ecdf,
    current: &Ecdf,
) -> Result<NormalisedWasserstein, WassersteinError> {
    let Wasserstein { distance, error_bound, n_reference, n_current } = wasserstein(reference, current)?;
    let deviation = standard_deviation(reference);
    if reference.distinct() == 1 || deviation == 0.0 {
        return Err(WassersteinError::ConstantReference);
    }
    let (value, error_bound) = (distance / deviation, error_bound / deviation);
    if !value.is_finite() || !error_bound.is_finite() {
        return Err(WassersteinError::TooFar);
    }
    Ok(NormalisedWasserstein {
        value,
        error_bound,
        distance,
        standard_deviation_reference: deviation,
        n_reference,
        n_current,
    })
}

fn check(ecdf: &Ecdf, side: Side) -> Result<(), WassersteinError> {
    match (ecdf.n(), ecdf.infinite_rows()) {
        (0, _) => Err(WassersteinError::NoRows { side }),
        (_, 0) => Ok(()),
        (_, rows) => Err(WassersteinError::Infinite { side, rows }),
    }
}

/// Population standard deviation, in two passes and scaled so that no square overflows.
pub(crate) fn standard_deviation(ecdf: &Ecdf) -> f64 {
    let n = ecdf.n() as f64;
    let scale = ecdf.points().fold(0.0_f64, |max, (v, _)| max.max(v.abs()));
    if scale == 0.0 {
        return 0.0;
    }
    let mean: f64 = ecdf.points().map(|(v, c)| v / scale * (c as f64 / n)).sum();
    let variance: f64 = ecdf.points().map(|(v, c)| (v / scale - mean).powi(2) * (c as f64 / n)).sum();
    scale * variance.sqrt()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ecdf(values: &[f64]) -> Ecdf {
        Ecdf::from_values(&mut values.to_vec()).unwrap()
    }

    #[test]
    fn a_side_without_rows_or_with_infinite_values_is_an_error() {
        let (one, side) = (ecdf(&[1.0]), Side::Reference);
        assert_eq!(wasserstein(&ecdf(&[]), &one), Err(WassersteinError::NoRows { side }));
        let infinite = ecdf(&[f64::NEG_INFINITY, 0.0, f64::INFINITY]);
        assert_eq!(wasserstein(&infinite, &one), Err(WassersteinError::Infinite { side, rows: 2 }));
        assert_eq!(wasserstein(&infinite.finite(), &one).unwrap().distance, 1.0);
    }

    #[test]
    fn chance_gives_what_the_integral_of_a_uniform_distribution_says() {
        // ∫ √(x(1 − x)) dx over [0, 1] is π/8.
        let uniform: Vec<f64> = (0..100_000).map(|at| f64::from(at) / 1e5).collect();
        let expected = (FRAC_2_PI * (1e-5 + 1e-3)).sqrt() * std::f64::consts::PI / 8.0;
        let by_chance = wasserstein_expected_no_drift(&ecdf(&uniform), 1000);
        assert!((by_chance - expected).abs() < 1e-5, "{by_chance} {expected}");
        assert_eq!(wasserstein_expected_no_drift(&ecdf(&uniform), 0), 0.0);
    }

    #[test]
    fn a_constant_reference_has_a_distance_and_no_scale() {
        let (reference, current) = (ecdf(&[2.0; 4]), ecdf(&[5.0]));
        assert_eq!(wasserstein(&reference, &current).unwrap().distance, 3.0);
        assert_eq!(normalised_wasserstein(&reference, &current), Err(WassersteinError::ConstantReference));
    }

    #[test]
    fn the_extremes_of_f64_give_an_error_or_a_number() {
        let (low, high) = (ecdf(&[f64::MIN]), ecdf(&[f64::MAX]));
        assert_eq!(wasserstein(&low, &high), Err(WassersteinError::TooFar));
        let both = ecdf(&[f64::MIN, f64::MAX]);
        assert_eq!(wasserstein(&both, &high).unwrap().distance, f64::MAX);
        assert_eq!(normalised_wasserstein(&both, &high).unwrap().value, 1.0);
    }

    #[test]
    fn the_error_bound_covers_what_a_rank_error_can_hide() {
        let exact = ecdf(&[0.0, 1.0, 2.0, 3.0, 4.0, 5.0, 6.0, 7.0, 8.0, 9.0]);
        let approximate = Ecdf::from_weighted(vec![(0.0, 2), (3.0, 3), (6.0, 2), (9.0, 3)], 2);
        let approximate = approximate.unwrap();
        let current = ecdf(&[2.0, 2.5, 11.0]);
        let truth = wasserstein(&exact, &current).unwrap();
        let found = wasserstein(&approximate, &current).unwrap();
        assert!(found.error_bound > 0.0 && truth.error_bound == 0.0);
        assert!((found.distance - truth.distance).abs() <= found.error_bound);
    }
}
