//! Rarity: rows, and values, that the reference has hardly seen.
//!
//! Of a whole row, an [`IsolationForest`] says how easily it is told apart from the others, and
//! [`deciles`] puts its score in words; of single values, [`unusual_values`] says which were never seen,
//! are rare, or lie outside the range. A model's mistakes by decile of rarity show how it behaves in the
//! tail of its inputs.

mod deciles;
mod forest;
mod tree;
mod unusual;

use thiserror::Error;

pub use deciles::deciles;
pub use forest::{ForestOptions, IsolationForest};
pub use unusual::{ColumnCounts, RowFlags, UnusualOptions, UnusualValues, unusual_values};

use crate::learn::FeaturesError;

/// Why rarity cannot be measured.
#[derive(Clone, Copy, Debug, PartialEq, Error)]
pub enum RarityError {
    /// Nothing to be rare among.
    #[error("learn what is rare: too few rows, {n} where at least {needed} are needed")]
    TooFewRows {
        /// Rows of the reference.
        n: usize,
        /// Rows needed.
        needed: usize,
    },
    /// A setting out of range.
    #[error("measure rarity with {option} = {value}: see the option's range")]
    Option {
        /// Its name.
        option: &'static str,
        /// What was asked for.
        value: f64,
    },
    /// A score that is not a number.
    #[error("put the score of row {row} into a decile: it is not a number")]
    Score {
        /// Position of the row.
        row: usize,
    },
    /// A table with other columns than the reference.
    #[error(transparent)]
    Columns(#[from] FeaturesError),
}
