//! G-test of homogeneity: the likelihood-ratio form of the chi-square test.
//!
//! # What it measures
//!
//! Twice the logarithm of how much better two separate rows of shares explain the counts than one
//! common row, how likely that is by chance, and the same per row as a size: the mutual
//! information between side and category, 0 when the shares are equal.
//!
//! # When it misleads
//!
//! * With many rows any difference is significant: look at the mutual information.
//! * Its p-value is rougher than [`chi_square`](crate::chi_square)'s where expected counts are
//!   small, so rare categories are pooled into one; a change inside the pool is then unseen.
//! * Mutual information depends on how the rows split between the sides: its largest value is the
//!   entropy of that split, ln 2 for equal sides.
//! * Rows must be independent. Repeated rows of one customer are not.
//!
//! # Formula
//!
//! `G = 2 Σ o · ln(o / e)` over both rows and all occupied categories, `e` from the margins, empty
//! cells counted as 0; k − 1 degrees of freedom; no continuity or Williams correction. The mutual
//! information is `G / 2N`. Under no drift `G` is about k − 1.
//!
//! # Example
//!
//! ```
//! use stats::{chi_square::Pooling, g_test::g_test};
//! let test = g_test(&[50, 50], &[70, 30], Pooling::default())?;
//! assert_eq!(test.degrees_of_freedom, 1);
//! assert!((test.statistic - 8.40).abs() < 0.01);
//! assert!(test.p_value < 0.01);
//! # Ok::<(), stats::chi_square::ChiSquareError>(())
//! ```
//!
//! # References
//!
//! * S. S. Wilks, "The large-sample distribution of the likelihood ratio for testing composite
//!   hypotheses", Ann. Math. Stat. 9, 1938.
//! * A. Agresti, "Categorical Data Analysis", Wiley, 3rd ed. 2013, section 3.2.1.

use serde::{Deserialize, Serialize};

use crate::chi_square::{ChiSquareError, Pooling, Table};

/// What the test found.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct GTest {
    /// G, 0 or more.
    pub statistic: f64,
    /// Compared categories less one. 0 where both sides have the same single category; the
    /// p-value is then 1.
    pub degrees_of_freedom: u64,
    /// From the chi-square distribution.
    pub p_value: f64,
    /// `G / 2N`, in [0, ln 2].
    pub mutual_information_nats: f64,
    /// The smallest expected count; below 5 the p-value is rough.
    pub expected_min: f64,
    /// How many categories were put into one; 0 where none were.
    pub pooled: u64,
    /// Rows of the reference.
    pub n_reference: u64,
    /// Rows of the current side.
    pub n_current: u64,
}

/// G-test that `current` spreads over the categories as `reference` does.
///
/// `reference`, `current`: counts per category in the same order, shape `[categories]`. Categories
/// that are empty on both sides are left out.
///
/// # Errors
/// Different lengths, a side without rows, or too few rows to keep two categories apart.
pub fn g_test(reference: &[u64], current: &[u64], pooling: Pooling) -> Result<GTest, ChiSquareError> {
    let table = Table::pooled(reference, current, pooling)?;
    let occupied = table.cells().filter(|&(observed, _)| observed > 0.0);
    let sum: f64 = occupied.map(|(observed, expected)| observed * (observed / expected).ln()).sum();
    // Rounding can leave the sum of equal shares a hair below zero.
    let statistic = (2.0 * sum).max(0.0);
    let rows = table.n_reference as f64 + table.n_current as f64;
    Ok(GTest {
        statistic,
        degrees_of_freedom: table.degrees_of_freedom(),
        p_value: table.p_value(statistic),
        mutual_information_nats: statistic / (2.0 * rows),
        expected_min: table.expected_min(),
        pooled: table.pooled,
        n_reference: table.n_reference,
        n_current: table.n_current,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::f64::consts::LN_2;

    #[test]
    fn equal_shares_have_no_information_about_the_side() {
        let test = g_test(&[20, 30], &[200, 300], Pooling::default()).unwrap();
        assert!(test.statistic < 1e-12 && (test.p_value - 1.0).abs() < 1e-6);
        let one = g_test(&[7], &[1], Pooling::default()).unwrap();
        assert_eq!((one.statistic, one.p_value, one.degrees_of_freedom), (0.0, 1.0, 0));
    }

    #[test]
    fn disjoint_sides_of_equal_size_have_one_bit() {
        let test = g_test(&[40, 0], &[0, 40], Pooling::default()).unwrap();
        assert!((test.mutual_information_nats - LN_2).abs() < 1e-12);
    }

    #[test]
    fn rare_categories_are_pooled_as_in_the_chi_square_test() {
        let (reference, current) = ([1, 2, 6, 40], [1, 2, 6, 41]);
        let test = g_test(&reference, &current, Pooling::default()).unwrap();
        let chi = crate::chi_square::chi_square(&reference, &current, Pooling::default()).unwrap();
        assert_eq!((test.pooled, test.degrees_of_freedom), (chi.pooled, chi.degrees_of_freedom));
        assert_eq!(test.expected_min, chi.expected_min);
        assert!(matches!(
            g_test(&[1, 2], &[2, 1], Pooling::default()),
            Err(ChiSquareError::AllPooled { categories: 2 })
        ));
    }

    #[test]
    fn sides_that_cannot_be_compared_are_errors() {
        for (reference, current) in [(vec![], vec![]), (vec![0], vec![1]), (vec![1], vec![1, 1])] {
            assert!(g_test(&reference, &current, Pooling::None).is_err());
        }
    }
}
