//! Slice search: the conditions under which a model does much worse than on average.
//!
//! # What it measures
//!
//! A *slice* is a conjunction of conditions, such as `airport = EWR and hour over 17 up to 19`. Each has
//! a score that grows with the mean loss of its rows, relative to the mean of all, and falls as the
//! slice becomes small. [`find_slices`] returns the `k` slices of the highest score among *all* slices of
//! up to `level_max` conditions, not among those that a greedy search comes across.
//!
//! # When it misleads
//!
//! * The best of a million slices looks bad by chance alone. Search one part of the rows and
//!   [`confirm`] what was found on the rest; the scores of the searched rows prove nothing.
//! * Overlapping slices tell the same story several times: `hour = 18` and `hour = 18 and day = 5` are both
//!   found. [`distinct`] keeps one of each.
//! * Columns that the model does not use can describe a slice just as well; a slice says where, not why.
//! * Numbers are cut at quantiles ([`Encoding`]), so a slice that ends between two edges is seen blurred.
//!
//! # Formula
//!
//! With `n` rows of mean loss `ē`, a slice `S` with mean loss `ē_S` and the weight `α`:
//! `score = α (ē_S / ē − 1) − (1 − α) (n / |S| − 1)`. All rows together have the score 0; only slices above
//! it are returned. A part of a slice with `R` rows, loss sum `E` and largest loss `M` has some size
//! `r ≤ R` and at most the loss `min(E, r M)`; the largest score that this allows is no less than that of
//! any slice with more conditions, and where it is below the `k`-th best score they need no look. `R`, `E`
//! and `M` are the smallest among the known slices with one condition less.
//!
//! Slices are counted in groups: one pass over the rows of `hour = 18` fills a cell for every value of
//! `day`. The order is a depth-first walk in the order of the columns, after all pairs of conditions have
//! been counted, so that nothing but these pairs is kept. Of slices with the same score the one with fewer
//! conditions comes first, then that of the earlier columns and lower codes.
//!
//! # Example
//!
//! ```
//! use stats::slice_search::{EncodedColumn, SliceOptions, find_slices};
//! let airport = EncodedColumn { codes: (0..400).map(|row| row % 4).collect(), cardinality: 4 };
//! let day = EncodedColumn { codes: (0..400).map(|row| row / 4 % 5).collect(), cardinality: 5 };
//! // Wrong on day 3 at airport 2, and now and then elsewhere.
//! let wrong = |row: u32| row % 4 == 2 && row / 4 % 5 == 3 || row % 29 == 0;
//! let losses: Vec<f64> = (0..400).map(|row| f64::from(wrong(row))).collect();
//! let options = SliceOptions { rows_min: 10, ..SliceOptions::new(400) };
//! let found = find_slices(&[airport, day], &losses, &options)?;
//! assert_eq!(found.slices[0].conditions, [(0, 2), (1, 3)]);
//! assert_eq!(found.slices[0].rows, 20);
//! # Ok::<(), stats::slice_search::SliceError>(())
//! ```
//!
//! # References
//!
//! * S. Sagadeeva, M. Boehm, "SliceLine: fast, linear-algebra-based slice finding for ML model debugging",
//!   SIGMOD 2021: the score (equation 1) and the bounds (section 3.2).
//! * K. Beyer, R. Ramakrishnan, "Bottom-up computation of sparse and iceberg cubes", SIGMOD 1999: counting
//!   slices by partitions of rows.
//! * M. J. Zaki, "Scalable algorithms for association mining", IEEE Trans. Knowl. Data Eng. 12, 2000:
//!   depth-first walks over what shares its first conditions.
//! * Package `sliceline` 0.3 (PyPI), to which the tests hold the results.

mod best;
mod comparison;
mod confirm;
mod encoding;
mod members;
mod score;
mod tally;
mod walk;
mod workers;

use serde::{Deserialize, Serialize};
use thiserror::Error;

pub use confirm::{Comparison, ComparisonMethod, Confirmed, confirm};
pub use encoding::{CodeMeaning, EncodedColumn, Encoding, EncodingOptions};
pub use members::{distinct, rows_of};

/// What is searched for.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct SliceOptions {
    /// How many slices to return at most.
    pub k: usize,
    /// The weight of a slice's loss, above 0 and at most 1; the rest is that of its size.
    pub alpha: f64,
    /// The fewest rows of a slice.
    pub rows_min: usize,
    /// The most conditions of a slice.
    pub level_max: usize,
    /// Threads to search with. The slices found do not depend on it.
    pub threads: usize,
}

impl SliceOptions {
    /// The paper's choice for a table of `rows` rows: a slice has a hundredth of them, at least 32. Ten
    /// slices of up to three conditions, `alpha` 0.95, one thread.
    pub fn new(rows: usize) -> SliceOptions {
        SliceOptions { k: 10, alpha: 0.95, rows_min: rows.div_ceil(100).max(32), level_max: 3, threads: 1 }
    }
}

/// Rows that meet all of some conditions, and how bad they are.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Slice {
    /// Column and code of each condition, in the order of the columns.
    pub conditions: Vec<(usize, u32)>,
    /// Above 0: worse than all rows are, for its size.
    pub score: f64,
    /// Rows that meet the conditions.
    pub rows: u64,
    /// The sum of their losses.
    pub loss_sum: f64,
    /// The largest of their losses.
    pub loss_max: f64,
}

impl Slice {
    /// The mean loss of the slice's rows.
    pub fn loss_mean(&self) -> f64 {
        self.loss_sum / self.rows as f64
    }
}

/// The slices found, and what they were found in.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct SliceSearch {
    /// Best first; fewer than were asked for where no more have a score above 0.
    pub slices: Vec<Slice>,
    /// Rows searched.
    pub rows: u64,
    /// Their mean loss.
    pub loss_mean: f64,
    /// What was searched for.
    pub options: SliceOptions,
}

/// Why slices cannot be searched or looked at.
#[derive(Clone, Copy, Debug, PartialEq, Error)]
pub enum SliceError {
    /// Nothing to state conditions on.
    #[error("search slices of a table without columns")]
    NoColumns,
    /// No row has a loss.
    #[error("search slices of no rows")]
    NoRows,
    /// Rows are numbered with 32 bits.
    #[error("search slices of {rows} rows at once: take a sample of at most 2^32 - 2")]
    TooManyRows {
        /// How many there are.
        rows: usize,
    },
    /// A column that is longer or shorter than the losses.
    #[error("use column {column} with {rows} rows beside {expected} losses")]
    RowsDiffer {
        /// Position of the column.
        column: usize,
        /// Its rows.
        rows: usize,
        /// The number of losses.
        expected: usize,
    },
    /// A code that the column does not have.
    #[error("use code {code} in row {row} of column {column}: its codes are below {cardinality}")]
    CodeOutOfRange {
        /// Position of the column.
        column: usize,
        /// Position of the row.
        row: usize,
        /// The code.
        code: u32,
        /// How many codes the column has.
        cardinality: u32,
    },
    /// A loss is negative or not a finite number.
    #[error("use {loss} as the loss of row {row}: losses are finite and not negative")]
    LossOutOfRange {
        /// Position of the row.
        row: usize,
        /// The loss.
        loss: f64,
    },
    /// The sum of the losses is not a finite number.
    #[error("add up the losses: their sum is too large for a number; measure them in a larger unit")]
    LossesOverflow,
    /// An option outside its range.
    #[error("search slices with `{option}` = {value}: it must be {allowed}")]
    OptionOutOfRange {
        /// Which option.
        option: &'static str,
        /// What it was set to.
        value: f64,
        /// What it may be.
        allowed: &'static str,
    },
    /// A condition on a column that the table does not have.
    #[error("look up the rows of a slice of column {column}: the table has {columns} columns")]
    UnknownColumn {
        /// The condition's column.
        column: usize,
        /// Columns of the table.
        columns: usize,
    },
}

/// The `k` slices of the highest score above 0 among all with `rows_min` rows and up to `level_max`
/// conditions.
///
/// `losses`: one per row, such as 0 and 1 for right and wrong, absolute or squared errors. Where all are 0
/// there are no slices.
///
/// # Errors
/// A table without rows or columns, columns of another length than the losses, codes beyond a column's
/// cardinality, losses that are negative or not finite, options outside their range.
pub fn find_slices(
    columns: &[EncodedColumn],
    losses: &[f64],
    options: &SliceOptions,
) -> Result<SliceSearch, SliceError> {
    check_options(options)?;
    check_table(columns, losses)?;
    let loss_sum: f64 = losses.iter().sum();
    let slices = if loss_sum > 0.0 { walk::best_slices(columns, losses, options) } else { Vec::new() };
    let rows = losses.len() as u64;
    Ok(SliceSearch { slices, rows, loss_mean: loss_sum / rows as f64, options: *options })
}

fn check_options(options: &SliceOptions) -> Result<(), SliceError> {
    let refused = |option, value, allowed| Err(SliceError::OptionOutOfRange { option, value, allowed });
    if !(options.alpha > 0.0 && options.alpha <= 1.0) {
        return refused("alpha", options.alpha, "above 0 and at most 1");
    }
    let counts = [
        ("k", options.k),
        ("rows_min", options.rows_min),
        ("level_max", options.level_max),
        ("threads", options.threads),
    ];
    match counts.into_iter().find(|(_, count)| *count == 0) {
        Some((option, _)) => refused(option, 0.0, "at least 1"),
        None => Ok(()),
    }
}

/// Checks that there are rows, that each column has a code for each, and that losses can be added up.
fn check_table(columns: &[EncodedColumn], losses: &[f64]) -> Result<(), SliceError> {
    if columns.is_empty() {
        return Err(SliceError::NoColumns);
    }
    if losses.is_empty() {
        return Err(SliceError::NoRows);
    }
    if losses.len() >= u32::MAX as usize {
        return Err(SliceError::TooManyRows { rows: losses.len() });
    }
    if let Some((row, &loss)) =
        losses.iter().enumerate().find(|(_, loss)| !(**loss >= 0.0 && loss.is_finite()))
    {
        return Err(SliceError::LossOutOfRange { row, loss });
    }
    if !losses.iter().sum::<f64>().is_finite() {
        return Err(SliceError::LossesOverflow);
    }
    for (column, EncodedColumn { codes, cardinality }) in columns.iter().enumerate() {
        if codes.len() != losses.len() {
            return Err(SliceError::RowsDiffer { column, rows: codes.len(), expected: losses.len() });
        }
        if let Some((row, &code)) = codes.iter().enumerate().find(|(_, code)| *code >= cardinality) {
            return Err(SliceError::CodeOutOfRange { column, row, code, cardinality: *cardinality });
        }
    }
    Ok(())
}
