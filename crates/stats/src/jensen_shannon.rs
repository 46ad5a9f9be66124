//! Jensen–Shannon distance: how distinguishable the reference's and the current shares are.
//!
//! # What it measures
//!
//! The square root of the Jensen–Shannon divergence to base 2, a metric in [0, 1]: 0 when the
//! shares are equal, 1 when no bin is occupied on both sides. Empty bins need no smoothing.
//!
//! # When it misleads
//!
//! * Chance alone keeps it above zero, and the root makes that look large: compare with
//!   [`jensen_shannon_expected_no_drift`].
//! * Order is ignored, as in every statistic over bins.
//! * Others report the divergence (the square) or natural logarithms; neither compares with this.
//!
//! # Formula
//!
//! `√( ½ Σ pᵢ log₂(pᵢ / mᵢ) + ½ Σ qᵢ log₂(qᵢ / mᵢ) )` with `m = (p + q) / 2`.
//!
//! # Example
//!
//! ```
//! use stats::jensen_shannon::jensen_shannon_distance;
//! assert_eq!(jensen_shannon_distance(&[10, 20], &[1, 2])?, 0.0);
//! assert_eq!(jensen_shannon_distance(&[10, 0], &[0, 3])?, 1.0);
//! # Ok::<(), stats::counts::CountsError>(())
//! ```
//!
//! # References
//!
//! * J. Lin, "Divergence measures based on the Shannon entropy", IEEE Trans. Inf. Theory 37, 1991.
//! * D. Endres, J. Schindelin, "A new metric for probability distributions", IEEE Trans. Inf.
//!   Theory 49, 2003: that the root is a metric.

use std::f64::consts::LN_2;

use crate::counts::{self, CountsError};
use crate::special::chi_mean;

/// Jensen–Shannon distance between the shares of `reference` and `current`, base 2, in [0, 1].
///
/// `reference`, `current`: counts per bin over the same edges, shape `[bins]`.
///
/// # Errors
/// Different lengths, or a side without rows.
pub fn jensen_shannon_distance(reference: &[u64], current: &[u64]) -> Result<f64, CountsError> {
    let (n, m) = counts::totals(reference, current)?;
    let divergence: f64 = reference
        .iter()
        .zip(current)
        .map(|(&r, &c)| {
            let (q, p) = (r as f64 / n as f64, c as f64 / m as f64);
            let middle = f64::midpoint(p, q);
            0.5 * (bits(p, middle) + bits(q, middle))
        })
        .sum();
    // Rounding can leave the sum a hair outside its range.
    Ok(divergence.clamp(0.0, 1.0).sqrt())
}

/// `p log₂(p / middle)`, 0 where `p` is.
fn bits(p: f64, middle: f64) -> f64 {
    if p == 0.0 { 0.0 } else { p * (p / middle).log2() }
}

/// About the distance that chance alone gives where nothing has changed.
///
/// To second order the divergence is `Σ (pᵢ − qᵢ)² / (8 ln 2 · mᵢ)`, and that sum is
/// `(1/n + 1/m) χ²` with one degree of freedom fewer than occupied bins. The distance is its root,
/// so its mean is `√((1/n + 1/m) / (8 ln 2)) · E√χ²`. Good from about five rows per bin; 0 where a
/// side has no rows or there is one bin.
pub fn jensen_shannon_expected_no_drift(reference: &[u64], current: &[u64]) -> f64 {
    let Ok((n, m)) = counts::totals(reference, current) else {
        return 0.0;
    };
    let degrees_of_freedom = counts::occupied(reference, current) - 1;
    let scale = (1.0 / n as f64 + 1.0 / m as f64) / (8.0 * LN_2);
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
            (vec![1, 1, 0, 0], vec![0, 0, 1, 1], 1.0),
        ] {
            assert_eq!(jensen_shannon_distance(&reference, &current), Ok(expected));
        }
    }

    #[test]
    fn sides_that_cannot_be_compared_are_errors() {
        assert!(jensen_shannon_distance(&[], &[]).is_err());
        assert!(jensen_shannon_distance(&[0], &[1]).is_err());
        assert!(jensen_shannon_distance(&[1], &[1, 1]).is_err());
        assert_eq!(jensen_shannon_expected_no_drift(&[0], &[1]), 0.0);
    }
}
