//! Chi-square test of homogeneity: whether two sides spread alike over categories.
//!
//! # What it measures
//!
//! How far the counts of a 2 × k table are from those that equal shares would give, how likely
//! that is by chance, and Cramér's V, the same as a size in [0, 1] that does not grow with the
//! number of rows.
//!
//! # When it misleads
//!
//! * With many rows any difference is significant: look at V.
//! * Rare categories break the approximation, so they are pooled into one; a change inside the
//!   pool is then unseen. The result says how many were pooled.
//! * Plain V is biased upwards with many categories and few rows; the corrected one is not.
//! * Rows must be independent. Repeated rows of one customer are not.
//!
//! # Formula
//!
//! `χ² = Σ (o − e)² / e` over both rows and all occupied categories, `e` from the margins; k − 1
//! degrees of freedom; no continuity correction. `V = √(χ² / N)` for two rows. Corrected:
//! `√(max(0, χ²/N − (k−1)/(N−1)) / min(k̃−1, r̃−1))` with `k̃ = k − (k−1)²/(N−1)`,
//! `r̃ = 2 − 1/(N−1)`.
//!
//! # Example
//!
//! ```
//! use stats::chi_square::{Pooling, chi_square};
//! let test = chi_square(&[50, 50], &[70, 30], Pooling::default())?;
//! assert_eq!(test.degrees_of_freedom, 1);
//! assert!((test.statistic - 25.0 / 3.0).abs() < 1e-12);
//! assert!(test.p_value < 0.01);
//! # Ok::<(), stats::chi_square::ChiSquareError>(())
//! ```
//!
//! # References
//!
//! * K. Pearson, "On the criterion …", Philosophical Magazine 50, 1900.
//! * W. G. Cochran, "Some methods for strengthening the common χ² tests", Biometrics 10, 1954: the
//!   least expected counts.
//! * W. Bergsma, "A bias-correction for Cramér's V and Tschuprow's T", J. Korean Stat. Soc. 42,
//!   2013.

use serde::{Deserialize, Serialize};
use thiserror::Error;

use crate::counts::{self, CountsError};
use crate::special::chi_square_sf;

/// What to do about rare categories.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Pooling {
    /// Nothing.
    None,
    /// Puts categories with an expected count below this on either side into one, and the next
    /// rarest with them until that one's expected count is large enough too. Equally rare ones go
    /// in the order given.
    ExpectedBelow(f64),
}

impl Default for Pooling {
    /// Below five, the customary limit.
    fn default() -> Pooling {
        Pooling::ExpectedBelow(5.0)
    }
}

/// What the test found.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct ChiSquare {
    /// χ², 0 or more.
    pub statistic: f64,
    /// Compared categories less one. 0 where both sides have the same single category; the
    /// p-value is then 1.
    pub degrees_of_freedom: u64,
    /// From the chi-square distribution.
    pub p_value: f64,
    /// Cramér's V, in [0, 1].
    pub cramers_v: f64,
    /// Cramér's V without its bias, in [0, 1].
    pub cramers_v_corrected: f64,
    /// The smallest expected count; below 5 the p-value is rough.
    pub expected_min: f64,
    /// How many categories were put into one; 0 where none were.
    pub pooled: u64,
    /// Rows of the reference.
    pub n_reference: u64,
    /// Rows of the current side.
    pub n_current: u64,
}

/// Why there is no test.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
pub enum ChiSquareError {
    /// The two sides cannot be compared category by category.
    #[error(transparent)]
    Counts(#[from] CountsError),
    /// Pooling left one category, so there is nothing to compare.
    #[error(
        "compare {categories} categories: all but one are too rare, and pooling them leaves nothing to compare; gather more rows"
    )]
    AllPooled {
        /// Occupied categories before pooling.
        categories: u64,
    },
}

/// Chi-square test that `current` spreads over the categories as `reference` does.
///
/// `reference`, `current`: counts per category in the same order, shape `[categories]`. Categories
/// that are empty on both sides are left out.
///
/// # Errors
/// Different lengths, a side without rows, or too few rows to keep two categories apart.
pub fn chi_square(reference: &[u64], current: &[u64], pooling: Pooling) -> Result<ChiSquare, ChiSquareError> {
    let table = Table::pooled(reference, current, pooling)?;
    let statistic: f64 =
        table.cells().map(|(observed, expected)| (observed - expected).powi(2) / expected).sum();
    let rows = table.n_reference as f64 + table.n_current as f64;
    let degrees_of_freedom = table.degrees_of_freedom();
    Ok(ChiSquare {
        statistic,
        degrees_of_freedom,
        p_value: table.p_value(statistic),
        cramers_v: (statistic / rows).sqrt().min(1.0),
        cramers_v_corrected: cramers_v_corrected(statistic, rows, degrees_of_freedom),
        expected_min: table.expected_min(),
        pooled: table.pooled,
        n_reference: table.n_reference,
        n_current: table.n_current,
    })
}

/// The 2 × k table of a test of homogeneity, its rare categories pooled.
pub(crate) struct Table {
    columns: Vec<(u64, u64)>,
    pub(crate) pooled: u64,
    pub(crate) n_reference: u64,
    pub(crate) n_current: u64,
}

impl Table {
    pub(crate) fn pooled(
        reference: &[u64],
        current: &[u64],
        pooling: Pooling,
    ) -> Result<Table, ChiSquareError> {
        let (n_reference, n_current) = counts::totals(reference, current)?;
        let pairs = reference.iter().zip(current).map(|(&r, &c)| (r, c));
        let occupied: Vec<(u64, u64)> = pairs.filter(|&(r, c)| r > 0 || c > 0).collect();
        let categories = occupied.len();
        let (columns, pooled) = match pooling {
            Pooling::None => (occupied, 0),
            Pooling::ExpectedBelow(least) => pool_rare(occupied, least, n_reference, n_current),
        };
        if columns.len() == 1 && categories > 1 {
            return Err(ChiSquareError::AllPooled { categories: categories as u64 });
        }
        Ok(Table { columns, pooled, n_reference, n_current })
    }

    /// Observed and expected counts, the reference's and the current one of each column in turn.
    pub(crate) fn cells(&self) -> impl Iterator<Item = (f64, f64)> {
        let (n, m) = (self.n_reference as f64, self.n_current as f64);
        self.columns.iter().flat_map(move |&(r, c)| {
            let both = r as f64 + c as f64;
            [(r as f64, both * (n / (n + m))), (c as f64, both * (m / (n + m)))]
        })
    }

    pub(crate) fn expected_min(&self) -> f64 {
        self.cells().fold(f64::MAX, |min, (_, expected)| min.min(expected))
    }

    pub(crate) fn degrees_of_freedom(&self) -> u64 {
        self.columns.len() as u64 - 1
    }

    /// How likely a statistic at least this large is by chance; 1 where there is one category.
    pub(crate) fn p_value(&self, statistic: f64) -> f64 {
        match self.degrees_of_freedom() {
            0 => 1.0,
            free => chi_square_sf(statistic, free as f64),
        }
    }
}

/// The table with its rare categories as one, and how many those were.
fn pool_rare(mut table: Vec<(u64, u64)>, least: f64, n: u64, m: u64) -> (Vec<(u64, u64)>, u64) {
    let share = n.min(m) as f64 / (n as f64 + m as f64);
    let rare = |(r, c): (u64, u64)| (r as f64 + c as f64) * share < least;
    // Stable, so that the order of the sides cannot decide between equally rare categories.
    table.sort_by_key(|&(r, c)| u128::from(r) + u128::from(c));
    let mut pool = (0, 0);
    let mut pooled = 0;
    for &(r, c) in &table {
        let pool_is_rare = pooled > 0 && rare(pool);
        if !rare((r, c)) && !pool_is_rare {
            break;
        }
        pool = (pool.0 + r, pool.1 + c);
        pooled += 1;
    }
    if pooled > 1 {
        table.drain(..pooled);
        table.push(pool);
    }
    (table, if pooled > 1 { pooled as u64 } else { 0 })
}

/// Bergsma (2013), for two rows; 0 where there are too few rows to correct.
fn cramers_v_corrected(statistic: f64, rows: f64, degrees_of_freedom: u64) -> f64 {
    let free = degrees_of_freedom as f64;
    let phi = (statistic / rows - free / (rows - 1.0)).max(0.0);
    let columns_less_one = free - free * free / (rows - 1.0);
    let rows_less_one = 1.0 - 1.0 / (rows - 1.0);
    let smaller = columns_less_one.min(rows_less_one);
    if phi > 0.0 && smaller > 0.0 { (phi / smaller).sqrt().min(1.0) } else { 0.0 }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn categories_empty_on_both_sides_cost_no_degree_of_freedom() {
        let with = chi_square(&[50, 0, 30], &[40, 0, 40], Pooling::default());
        assert_eq!(with, chi_square(&[50, 30], &[40, 40], Pooling::default()));
        assert_eq!(with.unwrap().degrees_of_freedom, 1);
    }

    #[test]
    fn one_category_on_both_sides_is_no_drift() {
        let test = chi_square(&[7], &[1], Pooling::default()).unwrap();
        assert_eq!((test.statistic, test.p_value, test.cramers_v), (0.0, 1.0, 0.0));
        assert_eq!((test.degrees_of_freedom, test.pooled), (0, 0));
    }

    #[test]
    fn rare_categories_are_pooled_until_the_pool_is_large_enough() {
        // Expected on either side: half the sum. 1 + 2 is still below 5, so 12 joins them.
        let test = chi_square(&[1, 2, 6, 40], &[1, 2, 6, 41], Pooling::default()).unwrap();
        assert_eq!((test.pooled, test.degrees_of_freedom), (3, 1));
        let expected = chi_square(&[9, 40], &[9, 41], Pooling::None).unwrap();
        assert!((test.statistic - expected.statistic).abs() < 1e-15);
        let unpooled = chi_square(&[1, 2, 6, 40], &[1, 2, 6, 41], Pooling::None).unwrap();
        assert_eq!((unpooled.pooled, unpooled.degrees_of_freedom), (0, 3));
    }

    #[test]
    fn nothing_left_to_compare_is_an_error_and_not_a_pass() {
        assert_eq!(
            chi_square(&[1, 2], &[2, 1], Pooling::default()),
            Err(ChiSquareError::AllPooled { categories: 2 })
        );
    }

    #[test]
    fn one_row_each_has_no_corrected_v() {
        let test = chi_square(&[1, 0], &[0, 1], Pooling::None).unwrap();
        assert_eq!((test.cramers_v, test.cramers_v_corrected), (1.0, 0.0));
    }

    #[test]
    fn sides_that_cannot_be_compared_are_errors() {
        for (reference, current) in [(vec![], vec![]), (vec![0], vec![1]), (vec![1], vec![1, 1])] {
            assert!(chi_square(&reference, &current, Pooling::None).is_err());
        }
    }
}
