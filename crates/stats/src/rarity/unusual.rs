//! Values that the reference has hardly or never seen, column by column.
//!
//! # What it measures
//!
//! Plain facts about single values: a category that no row of the reference has, or fewer than a given
//! share of them; one of the least frequent that together are at most a given share (uncommon); a number outside the reference's range (or beyond given quantiles of it); a value that
//! is missing though the reference's never is. By row: in how many columns. By column: in how many rows.
//!
//! # When it misleads
//!
//! * With many columns, most rows have something that is rare in one of them.
//! * Minimum and maximum of a large reference are its errors: quantiles say more.
//! * A rare combination of common values is not seen; see [`IsolationForest`](super::IsolationForest).
//!
//! # Formula
//!
//! A category is rare where its rows in the reference are fewer than `rare_share` of all, missing ones
//! included. A category that is not rare is uncommon where all categories of its column with no more rows than it,
//! itself and the rare ones among them, have at most `uncommon_share` of the rows: of a hundred equally frequent
//! ones none is, of two with 98 % and 2 % the second is. The bounds of a column are its least and greatest number, or with quantiles `(p, r)` the
//! numbers of rank `⌈p n⌉` and `⌈r n⌉` in ascending order (at least 1).
//!
//! # Example
//!
//! ```
//! use stats::rarity::{UnusualOptions, unusual_values};
//! use stats::learn::{Column, Features};
//! let column = |codes: &[u32]| Column::Categorical { codes: codes.to_vec(), cardinality: 3 };
//! let reference = Features::new(vec![column(&[0, 0, 0, 1]), Column::Numeric(vec![1.0, 2.0, 3.0, 4.0])])?;
//! let rows = Features::new(vec![column(&[0, 1, 2]), Column::Numeric(vec![2.0, 9.0, f64::NAN])])?;
//! let found = unusual_values(&reference, &rows, &UnusualOptions { rare_share: 0.3, ..UnusualOptions::default() })?;
//! assert_eq!((found.columns[0].rare, found.columns[0].never_seen), (1, 1));
//! assert_eq!((found.columns[1].above, found.columns[1].newly_missing), (1, 1));
//! assert!(found.rows[1].out_of_range == 1 && !found.rows[0].any());
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

use std::collections::HashMap;

use foldhash::fast::FixedState;
use serde::{Deserialize, Serialize};

use super::RarityError;
use crate::learn::{Column, Features, MISSING};

/// What counts as unusual.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct UnusualOptions {
    /// A category of fewer rows than this share of the reference is rare; in [0, 1], 0 for none.
    pub rare_share: f64,
    /// The least frequent categories of a column are uncommon, as many as together have at most this share of the
    /// reference; in [0, 1], 0 for none.
    pub uncommon_share: f64,
    /// Numbers beyond these quantiles of the reference are out of range; the first is not above the
    /// second, both in [0, 1]. None for the least and the greatest number.
    pub quantiles: Option<(f64, f64)>,
}

impl Default for UnusualOptions {
    /// Categories of fewer than one row in a thousand; numbers beyond the range.
    fn default() -> UnusualOptions {
        UnusualOptions { rare_share: 0.001, uncommon_share: 0.0, quantiles: None }
    }
}

/// What is unusual in some rows.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct UnusualValues {
    /// By row.
    pub rows: Vec<RowFlags>,
    /// By column.
    pub columns: Vec<ColumnCounts>,
}

/// In how many columns a row is unusual.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct RowFlags {
    /// Categories that the reference does not have.
    pub never_seen: u32,
    /// Categories that it has in too few rows.
    pub rare: u32,
    /// Categories that are not rare, and among the least frequent.
    pub uncommon: u32,
    /// Numbers outside of its range.
    pub out_of_range: u32,
    /// Missing values in columns that are always there in the reference.
    pub newly_missing: u32,
}

impl RowFlags {
    /// Whether anything in the row is unusual.
    pub fn any(&self) -> bool {
        *self != RowFlags::default()
    }
}

/// In how many rows a column is unusual.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct ColumnCounts {
    /// Categories that the reference does not have.
    pub never_seen: u64,
    /// Categories that it has in too few rows.
    pub rare: u64,
    /// Categories that are not rare, and among the least frequent.
    pub uncommon: u64,
    /// Numbers below its range.
    pub below: u64,
    /// Numbers above its range.
    pub above: u64,
    /// Missing values where it has none.
    pub newly_missing: u64,
    /// Rows looked at.
    pub n: u64,
}

/// What in `rows` the `reference` has hardly or never seen. Where no number of a reference's column is
/// known, every number is above its range.
///
/// # Errors
/// No reference, other columns than its, options out of range.
pub fn unusual_values(
    reference: &Features,
    rows: &Features,
    options: &UnusualOptions,
) -> Result<UnusualValues, RarityError> {
    check(options)?;
    reference.check_same_columns(rows)?;
    if reference.rows() == 0 {
        return Err(RarityError::TooFewRows { n: 0, needed: 1 });
    }
    let mut flags = vec![RowFlags::default(); rows.rows()];
    let columns = reference.columns().iter().zip(rows.columns()).map(|(known, asked)| match (known, asked) {
        (Column::Numeric(known), Column::Numeric(asked)) => of_numbers(known, asked, options, &mut flags),
        (Column::Categorical { codes: known, .. }, Column::Categorical { codes: asked, .. }) => {
            of_categories(known, asked, options, &mut flags)
        }
        _ => unreachable!("the kinds were compared above"),
    });
    let columns = columns.collect();
    Ok(UnusualValues { rows: flags, columns })
}

fn of_numbers(
    known: &[f64],
    asked: &[f64],
    options: &UnusualOptions,
    flags: &mut [RowFlags],
) -> ColumnCounts {
    let mut sorted: Vec<f64> = known.iter().copied().filter(|value| !value.is_nan()).collect();
    sorted.sort_unstable_by(f64::total_cmp);
    let (low, high) = options.quantiles.unwrap_or((0.0, 1.0));
    let at = |quantile: f64| {
        let rank = ((quantile * sorted.len() as f64).ceil() as usize).clamp(1, sorted.len().max(1));
        sorted.get(rank - 1).copied()
    };
    let bounds = at(low).zip(at(high));
    let always_there = sorted.len() == known.len();
    let mut counts = ColumnCounts { n: asked.len() as u64, ..ColumnCounts::default() };
    for (value, flags) in asked.iter().zip(flags) {
        if value.is_nan() {
            counts.newly_missing += u64::from(always_there);
            flags.newly_missing += u32::from(always_there);
            continue;
        }
        let below = bounds.is_some_and(|(low, _)| *value < low);
        let above = bounds.is_none_or(|(_, high)| *value > high);
        counts.below += u64::from(below);
        counts.above += u64::from(above);
        flags.out_of_range += u32::from(below || above);
    }
    counts
}

fn of_categories(
    known: &[u32],
    asked: &[u32],
    options: &UnusualOptions,
    flags: &mut [RowFlags],
) -> ColumnCounts {
    let mut rows_of: HashMap<u32, u64, FixedState> = HashMap::default();
    for &code in known {
        *rows_of.entry(code).or_default() += 1;
    }
    let enough = options.rare_share * known.len() as f64;
    let uncommon = most_rows_of_uncommon(&rows_of, options.uncommon_share * known.len() as f64);
    let mut counts = ColumnCounts { n: asked.len() as u64, ..ColumnCounts::default() };
    for (code, flags) in asked.iter().zip(flags) {
        match rows_of.get(code) {
            None if *code == MISSING => {
                counts.newly_missing += 1;
                flags.newly_missing += 1;
            }
            None => {
                counts.never_seen += 1;
                flags.never_seen += 1;
            }
            Some(&rows) if *code != MISSING && (rows as f64) < enough => {
                counts.rare += 1;
                flags.rare += 1;
            }
            Some(&rows) if *code != MISSING && rows <= uncommon => {
                counts.uncommon += 1;
                flags.uncommon += 1;
            }
            Some(_) => {}
        }
    }
    counts
}

/// The rows that a category has at most to be among the least frequent, which together have at most `most`.
fn most_rows_of_uncommon(rows_of: &HashMap<u32, u64, FixedState>, most: f64) -> u64 {
    let mut rows: Vec<u64> =
        rows_of.iter().filter(|(code, _)| **code != MISSING).map(|(_, &rows)| rows).collect();
    rows.sort_unstable();
    let (mut together, mut largest) = (0, 0);
    for alike in rows.chunk_by(|a, b| a == b) {
        together += alike.iter().sum::<u64>();
        if together as f64 > most {
            break;
        }
        largest = alike[0];
    }
    largest
}

fn check(options: &UnusualOptions) -> Result<(), RarityError> {
    let (low, high) = options.quantiles.unwrap_or((0.0, 1.0));
    let valid = [
        ("rare_share", options.rare_share, (0.0..=1.0).contains(&options.rare_share)),
        ("uncommon_share", options.uncommon_share, (0.0..=1.0).contains(&options.uncommon_share)),
        ("quantiles.0", low, (0.0..=1.0).contains(&low)),
        ("quantiles.1", high, low <= high && high <= 1.0),
    ];
    match valid.iter().find(|(.., valid)| !valid) {
        Some(&(option, value, _)) => Err(RarityError::Option { option, value }),
        None => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn numeric(values: &[f64]) -> Features {
        Features::new(vec![Column::Numeric(values.to_vec())]).unwrap()
    }

    #[test]
    fn numbers_beyond_quantiles_are_counted_by_side() {
        let reference: Vec<f64> = (1..=100).map(f64::from).collect();
        let options = UnusualOptions { quantiles: Some((0.05, 0.95)), ..UnusualOptions::default() };
        let asked = numeric(&[4.0, 5.0, 95.0, 96.0, f64::INFINITY, f64::NEG_INFINITY]);
        let found = unusual_values(&numeric(&reference), &asked, &options).unwrap();
        assert_eq!((found.columns[0].below, found.columns[0].above), (2, 2));
        assert_eq!(found.rows.iter().filter(|row| row.any()).count(), 4);
    }

    /// 930, 30, 20, 16 and 4 of a thousand rows; then a hundred categories of ten rows each.
    #[test]
    fn uncommon_categories_are_the_least_frequent_that_fit_into_the_share() {
        let column =
            |codes: Vec<u32>| Features::new(vec![Column::Categorical { codes, cardinality: 100 }]).unwrap();
        let counted: Vec<u32> = [(0, 930), (1, 30), (2, 20), (3, 16), (4, 4)]
            .iter()
            .flat_map(|&(code, rows)| vec![code; rows])
            .collect();
        let options = UnusualOptions { rare_share: 0.005, uncommon_share: 0.05, ..UnusualOptions::default() };
        let asked = column(vec![0, 1, 2, 3, 4, 9]);
        let found = unusual_values(&column(counted), &asked, &options).unwrap();
        let uncommon: Vec<u32> = found.rows.iter().map(|row| row.uncommon).collect();
        // 4 + 16 + 20 are 4 %, and 30 more would be 7 %; the one with 0.4 % is rare.
        assert_eq!(uncommon, [0, 0, 1, 1, 0, 0]);
        assert_eq!((found.rows[4].rare, found.rows[5].never_seen, found.columns[0].uncommon), (1, 1, 2));
        let even: Vec<u32> = (0..1000).map(|row| row % 100).collect();
        let found = unusual_values(&column(even), &column(vec![7]), &options).unwrap();
        assert_eq!(found.rows[0].uncommon, 0);
    }

    #[test]
    fn a_column_that_is_all_missing_knows_no_number_and_expects_missing_ones() {
        let asked = numeric(&[1.0, f64::NAN]);
        let found = unusual_values(&numeric(&[f64::NAN; 3]), &asked, &UnusualOptions::default()).unwrap();
        assert_eq!((found.columns[0].above, found.columns[0].newly_missing), (1, 0));
    }

    #[test]
    fn what_cannot_be_compared_is_refused() {
        let options = UnusualOptions::default();
        let none = unusual_values(&numeric(&[]), &numeric(&[1.0]), &options);
        assert_eq!(none, Err(RarityError::TooFewRows { n: 0, needed: 1 }));
        let codes = Features::new(vec![Column::Categorical { codes: vec![0], cardinality: 1 }]).unwrap();
        assert!(matches!(unusual_values(&numeric(&[1.0]), &codes, &options), Err(RarityError::Columns(_))));
        for wrong in [
            UnusualOptions { rare_share: f64::NAN, ..options },
            UnusualOptions { uncommon_share: 1.5, ..options },
            UnusualOptions { quantiles: Some((0.9, 0.1)), ..options },
            UnusualOptions { quantiles: Some((0.0, f64::NAN)), ..options },
        ] {
            let refused = unusual_values(&numeric(&[1.0]), &numeric(&[1.0]), &wrong);
            assert!(matches!(refused, Err(RarityError::Option { .. })), "{wrong:?}");
        }
    }
}
