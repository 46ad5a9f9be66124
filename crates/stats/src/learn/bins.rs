//! Columns as small numbers: each value's quantile bin, each frequent category's rank.
//!
//! Trees look at bins only, so that a split is found by adding up 256 slots instead of sorting
//! rows, and a strictly increasing change of a column's unit changes nothing.

use std::collections::HashMap;

use foldhash::fast::FixedState;
use rand_core::RngCore as _;

use super::features::{Column, ColumnKind, Features, FeaturesError, MISSING};
use crate::random::{SplitMix64, below};

/// Rows from which the edges of bins are taken; more would hardly move a quantile.
const EDGE_ROWS: usize = 200_000;
/// Categories with a bin of their own; the others share one.
const CATEGORIES: usize = 254;

/// How the values of one column become bins. The bin after the last is that of missing values.
#[derive(Clone, Debug)]
pub(super) enum ColumnBins {
    /// Ascending edges; a value is in the first bin whose edge it does not exceed.
    Numeric { edges: Vec<f64> },
    /// Frequent categories by code; others have the bin after those.
    Categorical { bins: HashMap<u32, u8, FixedState>, pooled: u8 },
}

impl ColumnBins {
    fn learn(column: &Column, bins_max: usize) -> ColumnBins {
        match column {
            Column::Numeric(values) => Self::Numeric { edges: quantile_edges(values, bins_max) },
            Column::Categorical { codes, .. } => {
                let frequent = frequent_codes(codes, CATEGORIES.min(bins_max - 1));
                let pooled = frequent.len() as u8;
                Self::Categorical { bins: frequent.into_iter().zip(0..).collect(), pooled }
            }
        }
    }

    /// The bin of missing values, the highest.
    pub(super) fn missing(&self) -> u8 {
        match self {
            Self::Numeric { edges } => edges.len() as u8 + 1,
            Self::Categorical { pooled, .. } => pooled + 1,
        }
    }

    pub(super) fn kind(&self) -> ColumnKind {
        match self {
            Self::Numeric { .. } => ColumnKind::Numeric,
            Self::Categorical { .. } => ColumnKind::Categorical,
        }
    }

    /// The column's bins; of the kind that was learnt.
    fn apply(&self, column: &Column) -> Vec<u8> {
        let missing = self.missing();
        match (self, column) {
            (Self::Numeric { edges }, Column::Numeric(values)) => {
                let bin = |value: f64| edges.partition_point(|&edge| edge < value) as u8;
                values.iter().map(|&value| if value.is_nan() { missing } else { bin(value) }).collect()
            }
            (Self::Categorical { bins, pooled }, Column::Categorical { codes, .. }) => {
                let bin = |code: u32| bins.get(&code).copied().unwrap_or(*pooled);
                codes.iter().map(|&code| if code == MISSING { missing } else { bin(code) }).collect()
            }
            _ => unreachable!("the columns' kinds are compared before they are binned"),
        }
    }
}

/// How the columns of a table become bins.
#[derive(Clone, Debug)]
pub(super) struct Binning {
    columns: Vec<ColumnBins>,
}

impl Binning {
    /// At most `bins_max` bins for the values of each column, 2 to 255.
    pub(super) fn learn(features: &Features, bins_max: usize) -> Binning {
        let columns = features.columns().iter().map(|column| ColumnBins::learn(column, bins_max));
        Binning { columns: columns.collect() }
    }

    pub(super) fn columns(&self) -> &[ColumnBins] {
        &self.columns
    }

    /// Checks that `features` has the columns that were learnt from.
    pub(super) fn check(&self, features: &Features) -> Result<(), FeaturesError> {
        let (first, second) = (self.columns.len(), features.columns().len());
        if first != second {
            return Err(FeaturesError::ColumnCountsDiffer { first, second });
        }
        for (column, (learnt, asked)) in self.columns.iter().zip(features.columns()).enumerate() {
            let (first, second) = (learnt.kind(), asked.kind());
            if first != second {
                return Err(FeaturesError::KindsDiffer { column, first, second });
            }
        }
        Ok(())
    }

    /// One row of bins per column, for a table with the columns that were learnt from.
    pub(super) fn apply(&self, features: &Features) -> Vec<Vec<u8>> {
        self.columns.iter().zip(features.columns()).map(|(bins, column)| bins.apply(column)).collect()
    }
}

/// The edges between at most `bins_max` bins of about equally many values each; a bin per value
/// where there are few different ones. `bins_max` is at least 1.
pub(crate) fn quantile_edges(values: &[f64], bins_max: usize) -> Vec<f64> {
    let mut sorted = thinned(values);
    sorted.retain(|value| !value.is_nan());
    sorted.sort_unstable_by(f64::total_cmp);
    let mut distinct: Vec<(f64, usize)> = Vec::new();
    for (position, &value) in sorted.iter().enumerate() {
        match distinct.last_mut() {
            // Compared as numbers: -0 and 0 are one value.
            Some((last, upto)) if *last == value => *upto = position + 1,
            _ => distinct.push((value, position + 1)),
        }
    }
    let mut edges = Vec::new();
    let mut closed = 0;
    for pair in distinct.windows(2) {
        let (value, upto) = pair[0];
        // What is left, shared evenly: a value with many rows does not make the others' bins small.
        let wanted = closed + (sorted.len() - closed).div_ceil(bins_max - edges.len());
        if distinct.len() <= bins_max || upto >= wanted {
            edges.push(between(value, pair[1].0));
            closed = upto;
        }
        if edges.len() + 1 == bins_max {
            break;
        }
    }
    edges
}

/// All values, or about [`EDGE_ROWS`] of them, one from each stretch of equal length at a random
/// place, so that no period in the rows is hit.
fn thinned(values: &[f64]) -> Vec<f64> {
    if values.len() <= EDGE_ROWS {
        return values.to_vec();
    }
    let stretch = values.len().div_ceil(EDGE_ROWS);
    let mut rng = SplitMix64::new(0);
    values.chunks(stretch).map(|chunk| chunk[below(chunk.len() as u64, rng.next_u64()) as usize]).collect()
}

/// A number in `[low, high)`: the middle where rounding allows it.
fn between(low: f64, high: f64) -> f64 {
    let middle = low / 2.0 + high / 2.0;
    if middle.is_finite() && low <= middle && middle < high { middle } else { low }
}

/// The `most` most frequent codes, most frequent first, lower codes first among equals.
fn frequent_codes(codes: &[u32], most: usize) -> Vec<u32> {
    let mut counts: HashMap<u32, u32, FixedState> = HashMap::default();
    for &code in codes.iter().filter(|&&code| code != MISSING) {
        *counts.entry(code).or_default() += 1;
    }
    let mut ranked: Vec<(u32, u32)> = counts.into_iter().collect();
    ranked.sort_unstable_by_key(|&(code, count)| (std::cmp::Reverse(count), code));
    ranked.truncate(most);
    ranked.into_iter().map(|(code, _)| code).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn bins(column: &Column, bins_max: usize) -> Vec<u8> {
        ColumnBins::learn(column, bins_max).apply(column)
    }

    #[test]
    fn few_values_have_a_bin_each_and_missing_ones_the_last() {
        let column = Column::Numeric(vec![3.0, f64::NAN, -0.0, 0.0, f64::INFINITY, f64::NEG_INFINITY]);
        assert_eq!(bins(&column, 255), [2, 4, 1, 1, 3, 0]);
        assert_eq!(bins(&Column::Numeric(vec![f64::NAN; 2]), 255), [1, 1]);
        assert_eq!(bins(&Column::Numeric(vec![f64::MIN, f64::MAX]), 2), [0, 1]);
    }

    #[test]
    fn many_values_share_bins_of_about_equal_size_whatever_is_tied() {
        let values = (0..10_000).map(|i| if i % 4 == 0 { 0.0 } else { f64::from(i) });
        let bins = bins(&Column::Numeric(values.collect()), 255);
        let mut sizes = [0; 256];
        for &bin in &bins {
            sizes[usize::from(bin)] += 1;
        }
        assert!(sizes[0] >= 2500 && sizes[1..].iter().all(|&size| size <= 60), "{sizes:?}");
        assert!(bins.iter().max().unwrap() > &240);
    }

    #[test]
    fn rare_categories_share_a_bin_with_those_never_seen() {
        let codes: Vec<u32> = (0..300).flat_map(|code| vec![code; if code < 260 { 2 } else { 1 }]).collect();
        let learnt = ColumnBins::learn(&Column::Categorical { codes, cardinality: 300 }, 255);
        let asked = vec![0, 253, 254, 299, 1000, MISSING];
        let asked = Column::Categorical { codes: asked, cardinality: 2000 };
        assert_eq!(learnt.apply(&asked), [0, 253, 254, 254, 254, 255]);
    }
}
