//! Hellinger distance: how little the reference's and the current shares overlap.
//!
//! # What it measures
//!
//! A metric in [0, 1] over the same bins or categories: 0 when the shares are equal, 1 when no bin
//! is occupied on both sides. Its square is one less the overlap `Σ √(pᵢ qᵢ)`. Empty bins need no
//! smoothing.
//!
//! # When it misleads
//!
//! * Chance alone keeps it above zero, and the root makes that look large: compare with
//!   [`hellinger_expected_no_drift`], or take it off with
//!   [`sampling_noise`](crate::sampling_noise).
//! * Rare bins weigh more than in total variation: a new category of share `s` alone gives about
//!   `√(s / 2)`, which is 0.07 for one row in a hundred.
//! * Order is ignored, as in every statistic over bins.
//!
//! # Formula
//!
//! `√( ½ Σ (√pᵢ − √qᵢ)² )`, `p` and `q` the bin shares.
//!
//! # Example
//!
//! ```
//! use stats::hellinger::hellinger_distance;
//! assert_eq!(hellinger_distance(&[10, 20], &[1, 2])?, 0.0);
//! assert_eq!(hellinger_distance(&[10, 0], &[0, 3])?, 1.0);
//! # Ok::<(), stats::counts::CountsError>(())
//! ```
//!
//! # References
//!
//! * L. Le Cam, G. L. Yang, "Asymptotics in Statistics", Springer, 2nd ed. 2000, section 3.2: the
//!   distance and its relation to total variation.

use crate::counts::{self, CountsError};
use crate::special::chi_mean;

/// Hellinger distance between the shares of `reference` and `current`, in [0, 1].
///
/// `reference`, `current`: counts per bin over the same edges, shape `[bins]`.
///
/// # Errors
/// Different lengths, or a side without rows.
pub fn hellinger_distance(reference: &[u64], current: &[u64]) -> Result<f64, CountsError> {
    let shares = counts::shares(reference, current)?;
    let squares: f64 = shares.map(|(q, p)| (p.sqrt() - q.sqrt()).powi(2)).sum();
    // Rounding can leave the sum a hair above 2.
    Ok((0.5 * squares).min(1.0).sqrt())
}

/// About the distance that chance alone gives where nothing has changed.
///
/// `√p − √q ≈ (p − q) / (2√s)` where both sides have share `s`, so to second order the squared
/// distance is `Σ (pᵢ − qᵢ)² / (8 sᵢ)`, and that sum is `(1/n + 1/m) χ²` with one degree of freedom
/// fewer than occupied bins. The distance is its root, so its mean is `√((1/n + 1/m) / 8) · E√χ²`.
/// Good from about five rows per bin, and too small by a fifth where most bins hold a row or two; 0
/// where a side has no rows or there is one bin.
pub fn hellinger_expected_no_drift(reference: &[u64], current: &[u64]) -> f64 {
    let Ok((n, m)) = counts::totals(reference, current) else {
        return 0.0;
    };
    let degrees_of_freedom = counts::occupied(reference, current) - 1;
    let scale = (1.0 / n as f64 + 1.0 / m as f64) / 8.0;
    (scale.sqrt() * chi_mean(degrees_of_freedom as f64)).min(1.0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_distance_is_zero_for_equal_shares_and_one_for_disjoint_bins() {
        for (reference, current, expected) in [
            (vec![7], vec![3], 0.0),
            (vec![3, 3, 3], vec![1, 1, 1], 0.0),
            (vec![3, 0], vec![0, 9], 1.0),
            (vec![1, 1, 1, 0, 0, 0], vec![0, 0, 0, 1, 1, 1], 1.0),
        ] {
            let distance = hellinger_distance(&reference, &current).unwrap();
            assert!((distance - expected).abs() < 1e-15, "{distance}");
        }
    }

    #[test]
    fn sides_that_cannot_be_compared_are_errors() {
        assert!(hellinger_distance(&[], &[]).is_err());
        assert!(hellinger_distance(&[0], &[1]).is_err());
        assert!(hellinger_distance(&[1], &[1, 1]).is_err());
        assert_eq!(hellinger_expected_no_drift(&[0], &[1]), 0.0);
        assert_eq!(hellinger_expected_no_drift(&[4], &[1]), 0.0);
    }
}
