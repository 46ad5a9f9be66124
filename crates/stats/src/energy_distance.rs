//! Energy distance: the squared gap between two distribution functions, over the column's range.
//!
//! # What it measures
//!
//! How far apart two distributions are, in the square root of the column's unit: 0 only where they
//! are equal. Wide gaps weigh more than in [`wasserstein`](crate::wasserstein), far rows that are
//! few weigh less.
//!
//! # When it misleads
//!
//! * It depends on the column's unit, and in an unfamiliar way: a thousand times the unit is 32
//!   times the distance. Do not hold columns of different units against one threshold.
//! * It is a size, not a test: chance alone keeps it above zero, see [`energy_distance_expected_no_drift`].
//!
//! # Formula
//!
//! `√(2 ∫ (F(x) − G(x))² dx)`, which is `√(2 E|X − Y| − E|X − X'| − E|Y − Y'|)`. Where nothing changed,
//! its square is on average `2 (1/n + 1/m) ∫ F(1 − F) dx`. Where a side is
//! approximate, `ε` the sum of both rank errors as shares, the integral is off by at most
//! `Δ = ∫ ε(2|F − G| + ε) dx` over the range of all values, and the distance `d` by the larger of
//! `√(d² + 2Δ) − d` and `d − √(d² − 2Δ)`.
//!
//! # Example
//!
//! ```
//! use stats::{ecdf::Ecdf, energy_distance::energy_distance};
//! let reference = Ecdf::from_values(&mut [0.0, 0.0])?;
//! let current = Ecdf::from_values(&mut [2.0])?;
//! assert_eq!(energy_distance(&reference, &current)?.distance, 2.0); // √(2 · 1² · 2)
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! # References
//!
//! * G. J. Székely, "E-statistics: the energy of statistical samples", Bowling Green State
//!   University, technical report 02-16, 2002.
//! * G. J. Székely, M. L. Rizzo, "Energy statistics: a class of statistics based on distances", J.
//!   Stat. Plan. Inference 143, 2013: the relation to Cramér's distance.

use serde::{Deserialize, Serialize};
use thiserror::Error;

use crate::counts::Side;
use crate::ecdf::Ecdf;
use crate::wasserstein::integral;

/// A distance in the square root of the column's unit.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct EnergyDistance {
    /// The distance, 0 or more.
    pub distance: f64,
    /// How far it can be off where a side is approximate; 0 when exact.
    pub error_bound: f64,
    /// Rows of the reference.
    pub n_reference: u64,
    /// Rows of the current side.
    pub n_current: u64,
}

/// Why there is no distance.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
pub enum EnergyDistanceError {
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
}

/// Energy distance between `reference` and `current`.
///
/// # Errors
/// A side without rows, or with infinite values.
pub fn energy_distance(reference: &Ecdf, current: &Ecdf) -> Result<EnergyDistance, EnergyDistanceError> {
    for (side, ecdf) in [(Side::Reference, reference), (Side::Current, current)] {
        match (ecdf.n(), ecdf.infinite_rows()) {
            (0, _) => return Err(EnergyDistanceError::NoRows { side }),
            (_, 0) => {}
            (_, rows) => return Err(EnergyDistanceError::Infinite { side, rows }),
        }
    }
    let (n, m) = (reference.n() as f64, current.n() as f64);
    let epsilon = (reference.rank_error_share() + current.rank_error_share()).min(1.0);
    // Halved, so that a step between the extremes of f64 does not overflow.
    let (mut half_squares, mut half_error) = (0.0, 0.0);
    let mut before: Option<(f64, f64)> = None;
    for (value, i, j) in reference.walk_with(current) {
        if let Some((left, gap)) = before {
            let half_width = value / 2.0 - left / 2.0;
            half_squares += gap * gap * half_width;
            half_error += epsilon * (2.0 * gap + epsilon).min(1.0) * half_width;
        }
        before = Some((value, (i as f64 / n - j as f64 / m).abs()));
    }
    let distance = 2.0 * f64::sqrt(half_squares);
    let further = 2.0 * (half_squares / 2.0 + half_error / 2.0).sqrt() * std::f64::consts::SQRT_2;
    let nearer = 2.0 * (half_squares - half_error).max(0.0).sqrt();
    Ok(EnergyDistance {
        distance,
        error_bound: if epsilon == 0.0 { 0.0 } else { (further - distance).max(distance - nearer) },
        n_reference: reference.n(),
        n_current: current.n(),
    })
}

/// The root of the mean squared distance of `rows` more rows from the distribution of `reference`; 0
/// without rows. The finite values are what counts.
pub fn energy_distance_expected_no_drift(reference: &Ecdf, rows: u64) -> f64 {
    let n = reference.n();
    if n == 0 || rows == 0 {
        return 0.0;
    }
    let noise = 2.0 * ((n as f64).recip() + (rows as f64).recip());
    (noise * integral(reference, |share| share * (1.0 - share))).sqrt()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ecdf(values: &[f64]) -> Ecdf {
        Ecdf::from_values(&mut values.to_vec()).unwrap()
    }

    #[test]
    fn a_side_without_rows_or_with_infinite_values_is_an_error() {
        let (one, side) = (ecdf(&[1.0]), Side::Current);
        assert_eq!(energy_distance(&one, &ecdf(&[])), Err(EnergyDistanceError::NoRows { side }));
        let infinite = ecdf(&[f64::NEG_INFINITY, 0.0, f64::INFINITY]);
        let refused = Err(EnergyDistanceError::Infinite { side, rows: 2 });
        assert_eq!(energy_distance(&one, &infinite), refused);
    }

    #[test]
    fn chance_gives_what_the_integral_of_a_uniform_distribution_says() {
        // ∫ x(1 − x) dx over [0, 1] is 1/6.
        let uniform: Vec<f64> = (0..100_000).map(|at| f64::from(at) / 1e5).collect();
        let expected = (2.0 * (1e-5 + 1e-3) / 6.0_f64).sqrt();
        let by_chance = energy_distance_expected_no_drift(&ecdf(&uniform), 1000);
        assert!((by_chance - expected).abs() < 1e-5, "{by_chance} {expected}");
    }

    #[test]
    fn the_extremes_of_f64_have_a_distance() {
        let (low, high) = (ecdf(&[f64::MIN]), ecdf(&[f64::MAX]));
        let far = energy_distance(&low, &high).unwrap();
        assert!(far.distance.is_finite() && far.distance > 1e154);
        let approximate = Ecdf::from_weighted(vec![(f64::MIN, 5), (f64::MAX, 5)], 3).unwrap();
        assert!(energy_distance(&approximate, &high).unwrap().error_bound.is_finite());
    }

    #[test]
    fn the_error_bound_covers_what_a_rank_error_can_hide() {
        let exact = ecdf(&[0.0, 1.0, 2.0, 3.0, 4.0, 5.0, 6.0, 7.0, 8.0, 9.0]);
        let approximate = Ecdf::from_weighted(vec![(0.0, 2), (3.0, 3), (6.0, 2), (9.0, 3)], 2);
        let current = ecdf(&[2.0, 2.5, 11.0]);
        let truth = energy_distance(&exact, &current).unwrap();
        let found = energy_distance(&approximate.unwrap(), &current).unwrap();
        assert!(found.error_bound > 0.0 && truth.error_bound == 0.0);
        assert!((found.distance - truth.distance).abs() <= found.error_bound);
    }
}
