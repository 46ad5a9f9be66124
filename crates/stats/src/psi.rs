//! Population Stability Index: how far the shares per bin have moved.
//!
//! # What it measures
//!
//! The symmetric divergence (Jeffreys') between the reference's and the current shares over the
//! same bins or categories, in nats. 0 when the shares are equal; no upper bound.
//!
//! # When it misleads
//!
//! * The customary limits 0.1 and 0.25 ignore the row counts: with few rows, pure chance passes
//!   them. Compare with [`psi_expected_no_drift`].
//! * It depends on the bins. Bins stretched by an outlier hide a shift; use
//!   [`QuantileBins`](crate::bins::QuantileBins).
//! * A bin that is empty on one side makes it infinite. Smoothing keeps it finite, and the value
//!   then depends on the pseudocount, the more so the fewer rows there are.
//! * Order is ignored: a move to the next bin weighs as much as a move to the far end.
//!
//! # Formula
//!
//! `Σᵢ (pᵢ − qᵢ) · ln(pᵢ / qᵢ)`, `p` and `q` the bin shares. With a pseudocount `c`, a share is
//! `(countᵢ + c) / (n + c · bins)`. Bins that are empty on both sides are left out before that:
//! they say nothing about drift, and smoothing would turn a difference in row counts into one.
//!
//! # Example
//!
//! ```
//! use stats::psi::{Smoothing, psi};
//! let unchanged = psi(&[50, 30, 20], &[500, 300, 200], Smoothing::None)?;
//! assert_eq!(unchanged, 0.0);
//! let moved = psi(&[50, 30, 20], &[20, 30, 50], Smoothing::default())?;
//! assert!(moved > 0.5);
//! # Ok::<(), stats::psi::PsiError>(())
//! ```
//!
//! # References
//!
//! * H. Jeffreys, "An invariant form for the prior probability in estimation problems", Proc. R.
//!   Soc. A 186, 1946: the divergence, and the pseudocount of one half.
//! * B. Yurdakul, "Statistical properties of Population Stability Index", PhD thesis, Western
//!   Michigan University, 2018: its distribution where nothing has changed.

use serde::{Deserialize, Serialize};
use thiserror::Error;

use crate::counts::{self, CountsError};

/// What to do about bins that are empty on one side.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Smoothing {
    /// Nothing: such a bin is an error.
    None,
    /// Adds this many rows to each bin of both sides and divides by the new totals.
    Pseudocount(f64),
}

impl Default for Smoothing {
    /// One half, from Jeffreys' prior.
    fn default() -> Smoothing {
        Smoothing::Pseudocount(0.5)
    }
}

/// Why there is no index.
#[derive(Clone, Copy, Debug, PartialEq, Error)]
pub enum PsiError {
    /// The two sides cannot be compared bin by bin.
    #[error(transparent)]
    Counts(#[from] CountsError),
    /// One side of a bin is zero, and no smoothing was asked for.
    #[error("divide by bin {bin}, which is empty on one side: smooth with a pseudocount")]
    EmptyBin {
        /// Its position, from 0.
        bin: usize,
    },
    /// A pseudocount that is not a positive number.
    #[error("smooth with a pseudocount of {pseudocount}: it must be a finite number above zero")]
    Pseudocount {
        /// What was asked for.
        pseudocount: f64,
    },
}

/// Population Stability Index of `current` against `reference`, in nats; 0 or more.
///
/// `reference`, `current`: counts per bin over the same edges, shape `[bins]`.
///
/// # Errors
/// [`PsiError::EmptyBin`] where one side of a bin is zero and no smoothing was asked for; a side
/// without rows; different lengths; a pseudocount that is not above zero.
pub fn psi(reference: &[u64], current: &[u64], smoothing: Smoothing) -> Result<f64, PsiError> {
    let (n, m) = counts::totals(reference, current)?;
    let added = match smoothing {
        Smoothing::None => 0.0,
        Smoothing::Pseudocount(c) if c > 0.0 && c.is_finite() => c,
        Smoothing::Pseudocount(pseudocount) => return Err(PsiError::Pseudocount { pseudocount }),
    };
    let added_total = added * counts::occupied(reference, current) as f64;
    let mut sum = 0.0;
    for (bin, (&r, &c)) in reference.iter().zip(current).enumerate() {
        if r == 0 && c == 0 {
            continue;
        }
        let p = (c as f64 + added) / (m as f64 + added_total);
        let q = (r as f64 + added) / (n as f64 + added_total);
        if p == 0.0 || q == 0.0 {
            return Err(PsiError::EmptyBin { bin });
        }
        sum += (p - q) * (p / q).ln();
    }
    Ok(sum)
}

/// About the PSI that chance alone gives where nothing has changed: `(bins − 1)(1/n + 1/m)`.
///
/// Counts only the bins that are occupied on either side. Good from about five rows per bin; 0
/// where a side has no rows or there is one bin.
pub fn psi_expected_no_drift(reference: &[u64], current: &[u64]) -> f64 {
    counts::chance_divergence(reference, current)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::counts::Side;

    #[test]
    fn psi_is_zero_for_equal_shares() {
        for smoothing in [Smoothing::None, Smoothing::default()] {
            assert_eq!(psi(&[4, 4, 0], &[4, 4, 0], smoothing), Ok(0.0));
        }
        assert_eq!(psi(&[1], &[1_000_000], Smoothing::None), Ok(0.0));
    }

    #[test]
    fn a_bin_empty_on_one_side_needs_smoothing() {
        let refused = psi(&[5, 5], &[10, 0], Smoothing::None);
        assert_eq!(refused, Err(PsiError::EmptyBin { bin: 1 }));
        assert!(psi(&[5, 5], &[10, 0], Smoothing::default()).unwrap() > 0.5);
    }

    #[test]
    fn bins_empty_on_both_sides_change_nothing() {
        let smoothing = Smoothing::default();
        assert_eq!(
            psi(&[900, 0, 100, 0, 0], &[9, 0, 1, 0, 0], smoothing),
            psi(&[900, 100], &[9, 1], smoothing)
        );
    }

    #[test]
    fn sides_that_cannot_be_compared_are_errors() {
        let smoothing = Smoothing::default();
        let no_rows = |side| Err(PsiError::Counts(CountsError::NoRows { side }));
        assert_eq!(psi(&[], &[], smoothing), no_rows(Side::Reference));
        assert_eq!(psi(&[0, 0], &[1, 2], smoothing), no_rows(Side::Reference));
        assert_eq!(psi(&[1, 2], &[0, 0], smoothing), no_rows(Side::Current));
        assert!(psi(&[1], &[1, 2], smoothing).is_err());
        for c in [0.0, -1.0, f64::NAN, f64::INFINITY] {
            assert!(psi(&[1], &[1], Smoothing::Pseudocount(c)).is_err(), "{c}");
        }
    }

    #[test]
    fn the_expected_value_counts_occupied_bins_only() {
        let expected = psi_expected_no_drift(&[50, 0, 50], &[25, 0, 75]);
        assert!((expected - (1.0 / 100.0 + 1.0 / 100.0)).abs() < 1e-15);
        assert_eq!(psi_expected_no_drift(&[10], &[10]), 0.0);
        assert_eq!(psi_expected_no_drift(&[], &[]), 0.0);
    }
}
