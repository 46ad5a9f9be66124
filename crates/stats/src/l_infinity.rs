//! L∞ distance: the largest change of any one share.
//!
//! # What it measures
//!
//! The largest difference of a bin's or category's share between the sides, in [0, 1]. It names
//! one bin, which the other distances do not.
//!
//! # When it misleads
//!
//! * Many small changes are unseen: all shares may be new and each by little.
//! * Chance alone keeps it above zero: compare with [`l_infinity_expected_no_drift`].
//! * A rare category cannot change its share by much, whatever happens to it.
//!
//! # Formula
//!
//! `maxᵢ |pᵢ − qᵢ|`, `p` and `q` the bin shares.
//!
//! # Example
//!
//! ```
//! use stats::l_infinity::l_infinity;
//! let found = l_infinity(&[50, 30, 20], &[40, 30, 30])?;
//! assert_eq!(found.bin, 0); // the first of those that changed most
//! assert!((found.distance - 0.1).abs() < 1e-15);
//! # Ok::<(), stats::counts::CountsError>(())
//! ```
//!
//! # References
//!
//! * H. A. David, H. N. Nagaraja, "Order Statistics", Wiley, 3rd ed. 2003, section 4.2: the mean of
//!   a maximum as an integral, behind the expected value.

use std::f64::consts::FRAC_2_PI;

use serde::{Deserialize, Serialize};

use crate::counts::{self, CountsError};
use crate::special::normal_sf;

/// The largest change of a share.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct LInfinity {
    /// The change, in [0, 1].
    pub distance: f64,
    /// The first bin that changed that much, from 0.
    pub bin: usize,
}

/// L∞ distance between the shares of `reference` and `current`.
///
/// `reference`, `current`: counts per bin over the same edges, shape `[bins]`.
///
/// # Errors
/// Different lengths, or a side without rows.
pub fn l_infinity(reference: &[u64], current: &[u64]) -> Result<LInfinity, CountsError> {
    let (n, m) = counts::totals(reference, current)?;
    let mut largest = (0_u128, 0);
    for (bin, (&r, &c)) in reference.iter().zip(current).enumerate() {
        // Whole numbers, so that ties are ties.
        let gap = (u128::from(r) * u128::from(m)).abs_diff(u128::from(c) * u128::from(n));
        if gap > largest.0 {
            largest = (gap, bin);
        }
    }
    let (gap, bin) = largest;
    Ok(LInfinity { distance: gap as f64 / (u128::from(n) * u128::from(m)) as f64, bin })
}

/// About the distance that chance alone gives where nothing has changed.
///
/// A bin with the share `s` of all rows then differs by a normal amount with variance
/// `s(1 − s)(1/n + 1/m)`. The mean of the largest absolute value is `∫ (1 − Π P(|dᵢ| ≤ x)) dx`, the
/// bins taken as independent; the two differences of two bins are the same, and count as one. That
/// is a tenth too much with three bins and right with many. Good from about five rows in the
/// commonest bins; 0 where a side has no rows or there is one bin.
pub fn l_infinity_expected_no_drift(reference: &[u64], current: &[u64]) -> f64 {
    let Ok((n, m)) = counts::totals(reference, current) else {
        return 0.0;
    };
    let rows = n as f64 + m as f64;
    let scale = 1.0 / n as f64 + 1.0 / m as f64;
    let deviation = |both: u64| {
        let share = both as f64 / rows;
        (share * (1.0 - share) * scale).max(0.0).sqrt()
    };
    let mut bins: Vec<(f64, u64)> = counts::bins_by_rows(reference, current)
        .iter()
        .map(|&(both, bins)| (deviation(both), bins))
        .collect();
    let largest = bins.iter().fold(0.0_f64, |max, &(d, _)| max.max(d));
    if counts::occupied(reference, current) == 2 {
        return largest * FRAC_2_PI.sqrt();
    }
    // A bin with an eighth of the largest deviation is the maximum with probability below 1e-9.
    bins.retain(|&(d, _)| d > largest / 8.0);
    // Up to 2 + √(2 ln bins) + 4 deviations, beyond which nothing is left, by Simpson's rule.
    let count: u64 = bins.iter().map(|&(_, bins)| bins).sum();
    let upper = largest * (6.0 + (2.0 * (count.max(1) as f64).ln()).sqrt());
    let steps = 96_u32;
    let step = upper / f64::from(steps);
    let exceeds = |x: f64| -(ln_none_beyond(x, &bins)).exp_m1();
    let sum: f64 = (0..=steps)
        .map(|i| {
            let weight = if i == 0 || i == steps {
                1.0
            } else if i % 2 == 1 {
                4.0
            } else {
                2.0
            };
            weight * exceeds(f64::from(i) * step)
        })
        .sum();
    (sum * step / 3.0).min(1.0)
}

/// `ln Π P(|dᵢ| ≤ x)` for bins given by the deviation of their differences.
fn ln_none_beyond(x: f64, bins: &[(f64, u64)]) -> f64 {
    bins.iter().map(|&(d, bins)| bins as f64 * (-2.0 * normal_sf(x / d)).ln_1p()).sum()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_distance_is_that_of_the_bin_that_changed_most() {
        for (reference, current, distance, bin) in [
            (vec![7], vec![3], 0.0, 0),
            (vec![2, 2], vec![1, 1], 0.0, 0),
            (vec![3, 0], vec![0, 9], 1.0, 0),
            (vec![2, 1, 1], vec![2, 2, 0], 0.25, 1),
        ] {
            assert_eq!(l_infinity(&reference, &current), Ok(LInfinity { distance, bin }));
        }
    }

    #[test]
    fn sides_that_cannot_be_compared_are_errors() {
        assert!(l_infinity(&[], &[]).is_err());
        assert!(l_infinity(&[0], &[1]).is_err());
        assert!(l_infinity(&[1], &[1, 1]).is_err());
        assert_eq!(l_infinity_expected_no_drift(&[0], &[1]), 0.0);
        assert_eq!(l_infinity_expected_no_drift(&[4], &[1]), 0.0);
    }
}
