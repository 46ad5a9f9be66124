//! Total variation distance: the share of rows that would have to change their bin.
//!
//! # What it measures
//!
//! A metric in [0, 1] over the same bins or categories, and the easiest to explain: 0.1 means that
//! one row in ten of one side must be put elsewhere to make both sides alike. It is also the
//! largest difference in probability that any set of bins can show.
//!
//! # When it misleads
//!
//! * Chance alone keeps it above zero, with many bins far above: compare with
//!   [`total_variation_expected_no_drift`], or take it off with
//!   [`sampling_noise`](crate::sampling_noise).
//! * A rare category that triples hardly counts; [`psi`](crate::psi) sees it better.
//! * Order is ignored, as in every statistic over bins.
//!
//! # Formula
//!
//! `½ Σ |pᵢ − qᵢ|`, `p` and `q` the bin shares.
//!
//! # Example
//!
//! ```
//! use stats::total_variation::total_variation;
//! let moved = total_variation(&[50, 30, 20], &[40, 30, 30])?;
//! assert!((moved - 0.1).abs() < 1e-15);
//! # Ok::<(), stats::counts::CountsError>(())
//! ```
//!
//! # References
//!
//! * L. Le Cam, G. L. Yang, "Asymptotics in Statistics", Springer, 2nd ed. 2000, section 3.2.
//! * P. Diaconis, S. Zabell, "Closed form summation for classical distributions", Stat. Sci. 6,
//!   1991: de Moivre's mean absolute deviation, behind the expected value.

use crate::binomial::Binomial;
use crate::counts::{self, CountsError};

/// Total variation distance between the shares of `reference` and `current`, in [0, 1].
///
/// `reference`, `current`: counts per bin over the same edges, shape `[bins]`.
///
/// # Errors
/// Different lengths, or a side without rows.
pub fn total_variation(reference: &[u64], current: &[u64]) -> Result<f64, CountsError> {
    let shares = counts::shares(reference, current)?;
    let differences: f64 = shares.map(|(q, p)| (p - q).abs()).sum();
    Ok((0.5 * differences).min(1.0)) // rounding can leave it a hair above
}

/// About the distance that chance alone gives where nothing has changed.
///
/// Deals the rows of both sides out anew: of the `t` rows in a bin, the current side then gets a
/// hypergeometric number `X`, and the bin contributes `½ (1/n + 1/m) · E|X − t·m/(n+m)|`. That mean
/// deviation is taken from the binomial with the same `t`, in closed form, times
/// `√((N − t)/(N − 1))` for dealing without replacement. It holds for rare bins too. 0 where a side
/// has no rows or there is one bin.
pub fn total_variation_expected_no_drift(reference: &[u64], current: &[u64]) -> f64 {
    let Ok((n, m)) = counts::totals(reference, current) else {
        return 0.0;
    };
    let (n, m) = (n as f64, m as f64);
    let rows = n + m;
    let deviations = counts::bins_by_rows(reference, current).into_iter().map(|(both, bins)| {
        let without_replacement = ((rows - both as f64) / (rows - 1.0)).max(0.0).sqrt();
        bins as f64 * Binomial::new(both, m / rows).mean_absolute_deviation() * without_replacement
    });
    (0.5 * (1.0 / n + 1.0 / m) * deviations.sum::<f64>()).min(1.0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_distance_is_zero_for_equal_shares_and_one_for_disjoint_bins() {
        for (reference, current, expected) in [
            (vec![7], vec![3], 0.0),
            (vec![2, 2], vec![1, 1], 0.0),
            (vec![3, 0], vec![0, 9], 1.0),
            (vec![3, 0, 1], vec![3, 1, 0], 0.25),
        ] {
            assert_eq!(total_variation(&reference, &current), Ok(expected));
        }
    }

    #[test]
    fn values_that_are_all_different_are_expected_to_be_disjoint() {
        // However the rows are dealt out, no bin holds rows of both sides.
        let reference: Vec<u64> = (0..200).map(|bin| u64::from(bin < 100)).collect();
        let current: Vec<u64> = reference.iter().map(|r| 1 - r).collect();
        let expected = total_variation_expected_no_drift(&reference, &current);
        assert!((expected - 1.0).abs() < 1e-12, "{expected}");
    }

    #[test]
    fn sides_that_cannot_be_compared_are_errors() {
        assert!(total_variation(&[], &[]).is_err());
        assert!(total_variation(&[0], &[1]).is_err());
        assert!(total_variation(&[1], &[1, 1]).is_err());
        assert_eq!(total_variation_expected_no_drift(&[0], &[1]), 0.0);
        assert_eq!(total_variation_expected_no_drift(&[4], &[1]), 0.0);
    }
}
