//! Numbers and categories as codes that conditions can be stated on.

use serde::{Deserialize, Serialize};

use crate::learn::{Column, Features, FeaturesError, MISSING, quantile_edges};

/// A column as codes, one per row, every one below `cardinality`. Missing values are a code of their own.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct EncodedColumn {
    /// One per row.
    pub codes: Vec<u32>,
    /// How many codes there can be.
    pub cardinality: u32,
}

/// What the values with a code have in common.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum CodeMeaning {
    /// Numbers above `over` and not above `up_to`, where there is such an end.
    Range {
        /// Exclusive.
        over: Option<f64>,
        /// Inclusive.
        up_to: Option<f64>,
    },
    /// The category that had this code before.
    Category(u32),
    /// Any category that has few rows, or that was not there when the encoding was learnt.
    Rare,
    /// No value.
    Missing,
}

/// How fine an encoding is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct EncodingOptions {
    /// The most bins for the numbers of a column; 0 counts as 1.
    pub bins_max: usize,
    /// The fewest rows of a category with a code of its own.
    pub rows_min: usize,
}

/// How the columns of a table become codes, learnt on some rows and applied to these and others.
///
/// Numbers are cut at quantiles into bins of about equally many rows; a number with more rows than that
/// has a bin for itself. The edges are learnt from about 200,000 rows where there are more. Categories with
/// fewer than `rows_min` rows share one code, as do those that come later.
///
/// ```
/// use stats::learn::{Column, Features};
/// use stats::slice_search::{CodeMeaning, Encoding, EncodingOptions};
/// let learnt = Features::new(vec![Column::Numeric((0..100).map(f64::from).collect())])?;
/// let encoding = Encoding::learn(&learnt, &EncodingOptions { bins_max: 4, rows_min: 10 });
/// let asked = Features::new(vec![Column::Numeric(vec![-7.0, 30.0, f64::NAN])])?;
/// assert_eq!(encoding.apply(&asked)?[0].codes, [0, 1, 4]);
/// let quarter = CodeMeaning::Range { over: Some(24.5), up_to: Some(49.5) };
/// assert_eq!(encoding.meaning(0, 1), Some(quarter));
/// # Ok::<(), stats::learn::FeaturesError>(())
/// ```
#[derive(Clone, Debug, PartialEq)]
pub struct Encoding {
    columns: Vec<ColumnEncoding>,
}

#[derive(Clone, Debug, PartialEq)]
enum ColumnEncoding {
    /// Ascending; a number has the code of the first edge that it does not exceed, missing ones the last.
    Numbers { edges: Vec<f64> },
    /// Ascending; then the code of rare ones, then that of missing ones.
    Categories { frequent: Vec<u32> },
}

impl Encoding {
    /// Learns bins and frequent categories of `features`.
    pub fn learn(features: &Features, options: &EncodingOptions) -> Encoding {
        let columns = features.columns().iter().map(|column| match column {
            Column::Numeric(values) => {
                ColumnEncoding::Numbers { edges: quantile_edges(values, options.bins_max.max(1)) }
            }
            Column::Categorical { codes, .. } => {
                ColumnEncoding::Categories { frequent: frequent(codes, options.rows_min) }
            }
        });
        Encoding { columns: columns.collect() }
    }

    /// The codes of `features`, which has the columns that were learnt from.
    ///
    /// # Errors
    /// Another number of columns, or columns of other kinds.
    pub fn apply(&self, features: &Features) -> Result<Vec<EncodedColumn>, FeaturesError> {
        let (first, second) = (self.columns.len(), features.columns().len());
        if first != second {
            return Err(FeaturesError::ColumnCountsDiffer { first, second });
        }
        let both = self.columns.iter().zip(features.columns()).enumerate();
        both.map(|(position, (encoding, column))| encoding.apply(position, column)).collect()
    }

    /// What a condition on `column` with `code` says; `None` where there is no such code.
    pub fn meaning(&self, column: usize, code: u32) -> Option<CodeMeaning> {
        self.columns.get(column)?.meaning(code as usize)
    }

    /// What each code of `column` means, from 0; empty where there is no such column.
    pub fn meanings(&self, column: usize) -> Vec<CodeMeaning> {
        let Some(encoding) = self.columns.get(column) else {
            return Vec::new();
        };
        (0..).map_while(|code| encoding.meaning(code)).collect()
    }
}

impl ColumnEncoding {
    fn cardinality(&self) -> u32 {
        match self {
            Self::Numbers { edges } => edges.len() as u32 + 2,
            Self::Categories { frequent } => frequent.len() as u32 + 2,
        }
    }

    fn apply(&self, position: usize, column: &Column) -> Result<EncodedColumn, FeaturesError> {
        let cardinality = self.cardinality();
        let missing = cardinality - 1;
        let codes = match (self, column) {
            (Self::Numbers { edges }, Column::Numeric(values)) => {
                let bin = |value: f64| edges.partition_point(|&edge| edge < value) as u32;
                values.iter().map(|&value| if value.is_nan() { missing } else { bin(value) }).collect()
            }
            (Self::Categories { frequent }, Column::Categorical { codes, .. }) => {
                let rare = missing - 1;
                let known = |code: u32| frequent.binary_search(&code).map_or(rare, |at| at as u32);
                codes.iter().map(|&code| if code == MISSING { missing } else { known(code) }).collect()
            }
            (learnt, asked) => {
                let first = match learnt {
                    Self::Numbers { .. } => crate::learn::ColumnKind::Numeric,
                    Self::Categories { .. } => crate::learn::ColumnKind::Categorical,
                };
                return Err(FeaturesError::KindsDiffer { column: position, first, second: asked.kind() });
            }
        };
        Ok(EncodedColumn { codes, cardinality })
    }

    fn meaning(&self, code: usize) -> Option<CodeMeaning> {
        match self {
            Self::Numbers { edges } if code <= edges.len() => Some(CodeMeaning::Range {
                over: code.checked_sub(1).map(|before| edges[before]),
                up_to: edges.get(code).copied(),
            }),
            Self::Numbers { edges } => (code == edges.len() + 1).then_some(CodeMeaning::Missing),
            Self::Categories { frequent } => match code.checked_sub(frequent.len()) {
                None => Some(CodeMeaning::Category(frequent[code])),
                Some(0) => Some(CodeMeaning::Rare),
                Some(1) => Some(CodeMeaning::Missing),
                Some(_) => None,
            },
        }
    }
}

/// The categories with at least `rows_min` rows, ascending.
fn frequent(codes: &[u32], rows_min: usize) -> Vec<u32> {
    let mut sorted: Vec<u32> = codes.iter().copied().filter(|&code| code != MISSING).collect();
    sorted.sort_unstable();
    let groups = sorted.chunk_by(|a, b| a == b).filter(|group| group.len() >= rows_min);
    groups.map(|group| group[0]).collect()
}

#[cfg(test)]
mod tests {
    use super::CodeMeaning::{Category, Missing, Rare};
    use super::*;

    fn categories(codes: &[u32]) -> Features {
        Features::new(vec![Column::Categorical { codes: codes.to_vec(), cardinality: 100 }]).unwrap()
    }

    #[test]
    fn rare_new_and_missing_categories_have_codes_after_the_frequent_ones() {
        let options = EncodingOptions { bins_max: 8, rows_min: 2 };
        let encoding = Encoding::learn(&categories(&[7, 3, 3, 7, 5, MISSING]), &options);
        let codes = encoding.apply(&categories(&[7, 3, 5, 99, MISSING])).unwrap();
        assert_eq!(codes, [EncodedColumn { codes: vec![1, 0, 2, 2, 3], cardinality: 4 }]);
        assert_eq!(encoding.meanings(0), [Category(3), Category(7), Rare, Missing]);
        assert_eq!((encoding.meaning(0, 4), encoding.meaning(1, 0)), (None, None));
    }

    #[test]
    fn every_number_lies_in_the_range_that_its_code_means() {
        let values: Vec<f64> = (0..1000).map(|i| f64::from(i % 300).sqrt()).chain([f64::INFINITY]).collect();
        let features = Features::new(vec![Column::Numeric(values.clone())]).unwrap();
        for bins_max in [0, 1, 2, 9, 2000] {
            let encoding = Encoding::learn(&features, &EncodingOptions { bins_max, rows_min: 1 });
            let column = encoding.apply(&features).unwrap().remove(0);
            assert!(column.cardinality as usize <= bins_max.max(1) + 1);
            assert_eq!(encoding.meanings(0).len(), column.cardinality as usize);
            for (value, code) in values.iter().zip(column.codes) {
                let Some(CodeMeaning::Range { over, up_to }) = encoding.meaning(0, code) else {
                    panic!("{value} has the code {code}");
                };
                assert!(over.is_none_or(|over| over < *value) && up_to.is_none_or(|up_to| *value <= up_to));
            }
        }
    }

    #[test]
    fn a_column_of_another_kind_is_refused() {
        let options = EncodingOptions { bins_max: 8, rows_min: 2 };
        let encoding = Encoding::learn(&categories(&[1, 1]), &options);
        let numbers = Features::new(vec![Column::Numeric(vec![1.0])]).unwrap();
        assert!(matches!(encoding.apply(&numbers), Err(FeaturesError::KindsDiffer { column: 0, .. })));
        let two = Features::new(vec![Column::Numeric(vec![1.0]), Column::Numeric(vec![1.0])]).unwrap();
        let expected = FeaturesError::ColumnCountsDiffer { first: 1, second: 2 };
        assert_eq!(encoding.apply(&two), Err(expected));
    }
}
