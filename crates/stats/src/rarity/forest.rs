//! The isolation forest.
//!
//! # What it measures
//!
//! How few random cuts it takes to tell a row apart from all others, as a score in (0, 1]: about 0.5 for
//! a row like most, near 1 for one that stands alone. It looks at whole rows: a combination can be rare
//! though each value is common. Numbers, categories and missing values need no preparation.
//!
//! # When it misleads
//!
//! * The score has no scale of its own: compare it with the reference's ([`deciles`](super::deciles)).
//! * Every column counts the same; many columns of no interest hide one that matters.
//! * A column that never varies in the reference is never cut, whatever a new row holds there; see
//!   [`unusual_values`](super::unusual_values).
//! * Cuts are parallel to the axes: between two clusters there are regions that are empty and seem usual.
//! * A column of very many categories makes every row rare at its cuts, and so none.
//!
//! # Formula
//!
//! Each of `t` trees takes `ψ` rows at random and cuts them in two, again and again: a random column of
//! those that vary, and a random place in the range of its numbers, or a random part of its categories.
//! Where values are missing, the first cut on a column parts them from the others. A tree stops at single
//! rows, rows that are alike, and depth `⌈log₂ ψ⌉`. With `h` the depth at which a row ends, plus `c(m)` for
//! the `m` rows it ends with, `c(m) = 2 (ln(m − 1) + 0.5772) − 2 (m − 1)/m`, the score is
//! `2^(−mean h / c(ψ))`. A value that the rows of a node do not have (a category, or a missing one) is
//! alone one cut further down.
//!
//! # Example
//!
//! ```
//! use stats::rarity::{ForestOptions, IsolationForest};
//! use stats::learn::{Column, Features};
//! # use rand_core::{RngCore, impls};
//! # struct Rng(u64);
//! # impl RngCore for Rng {
//! #     fn next_u32(&mut self) -> u32 { (self.next_u64() >> 32) as u32 }
//! #     fn next_u64(&mut self) -> u64 { self.0 = self.0.wrapping_mul(0x5851_f42d_4c95_7f2d) + 1; self.0 }
//! #     fn fill_bytes(&mut self, b: &mut [u8]) { impls::fill_bytes_via_next(self, b) }
//! # }
//! # let mut rng = Rng(1);
//! let reference = Features::new(vec![Column::Numeric((0..500).map(|i| f64::from(i % 50)).collect())])?;
//! let forest = IsolationForest::fit(&reference, &ForestOptions::default(), &mut rng)?;
//! let scores = forest.scores(&Features::new(vec![Column::Numeric(vec![25.0, 49.5, 1000.0, f64::NAN])])?)?;
//! assert!(scores[0] < scores[2] && scores[1] <= scores[2] && scores[3] > 0.9);
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! # References
//!
//! * F. T. Liu, K. M. Ting, Z.-H. Zhou, "Isolation forest", ICDM 2008; "Isolation-based anomaly
//!   detection", ACM TKDD 6, 2012.
//! * scikit-learn, `IsolationForest`: numbers alone.

use rand_core::RngCore;

use super::RarityError;
use super::tree::{IsolationTree, mean_depth};
use crate::learn::Features;
use crate::random::shuffle_front;

/// How the forest is grown.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ForestOptions {
    /// How many trees, from 1.
    pub trees: usize,
    /// Rows that each tree sees, from 2; all where there are fewer.
    pub rows_per_tree: usize,
}

impl Default for ForestOptions {
    /// 200 trees of 256 rows.
    fn default() -> ForestOptions {
        ForestOptions { trees: 200, rows_per_tree: 256 }
    }
}

/// What is usual, as random trees.
#[derive(Clone, Debug)]
pub struct IsolationForest {
    trees: Vec<IsolationTree>,
    rows_per_tree: usize,
    /// The columns that were learnt from, without rows.
    columns: Features,
}

impl IsolationForest {
    /// Learns what is usual from the reference.
    ///
    /// # Errors
    /// Fewer than two rows, options out of range.
    pub fn fit(
        reference: &Features,
        options: &ForestOptions,
        rng: &mut impl RngCore,
    ) -> Result<IsolationForest, RarityError> {
        for (option, value, least) in
            [("trees", options.trees, 1), ("rows_per_tree", options.rows_per_tree, 2)]
        {
            if value < least {
                return Err(RarityError::Option { option, value: value as f64 });
            }
        }
        let n = reference.rows();
        if n < 2 {
            return Err(RarityError::TooFewRows { n, needed: 2 });
        }
        let rows_per_tree = options.rows_per_tree.min(n);
        let mut rows: Vec<u32> = (0..n as u32).collect();
        let trees = (0..options.trees).map(|_| {
            shuffle_front(&mut rows, rows_per_tree, rng);
            IsolationTree::grow(reference, &mut rows[..rows_per_tree], rng)
        });
        Ok(IsolationForest { trees: trees.collect(), rows_per_tree, columns: reference.at(&[]) })
    }

    /// How rare each row is, in (0, 1].
    ///
    /// # Errors
    /// Other columns than the reference's.
    pub fn scores(&self, rows: &Features) -> Result<Vec<f64>, RarityError> {
        self.columns.check_same_columns(rows)?;
        let usual = mean_depth(self.rows_per_tree);
        let score = |row: usize| {
            let depths: f64 = self.trees.iter().map(|tree| tree.depth(rows, row)).sum();
            (-depths / self.trees.len() as f64 / usual).exp2()
        };
        Ok((0..rows.rows()).map(score).collect())
    }
}
