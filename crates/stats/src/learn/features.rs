//! Rows and columns to learn from: numbers with missing values, and categories as codes.
//!
//! Only the shape is checked here. What a category is called stays with the caller, who gives both
//! of two compared tables the same codes.

use thiserror::Error;

/// The code of a category that is missing.
pub const MISSING: u32 = u32::MAX;

/// One column of a table.
#[derive(Clone, Debug, PartialEq)]
pub enum Column {
    /// Numbers; NaN is missing. Infinite values are values, beyond all others.
    Numeric(Vec<f64>),
    /// Categories without an order.
    Categorical {
        /// One code per row, below `cardinality`; [`MISSING`] where there is none.
        codes: Vec<u32>,
        /// How many different codes there can be.
        cardinality: u32,
    },
}

impl Column {
    /// Rows of this column.
    pub fn rows(&self) -> usize {
        match self {
            Self::Numeric(values) => values.len(),
            Self::Categorical { codes, .. } => codes.len(),
        }
    }

    /// What kind of column this is.
    pub fn kind(&self) -> ColumnKind {
        match self {
            Self::Numeric(_) => ColumnKind::Numeric,
            Self::Categorical { .. } => ColumnKind::Categorical,
        }
    }

    fn at(&self, rows: &[u32]) -> Column {
        match self {
            Self::Numeric(values) => Self::Numeric(rows.iter().map(|&row| values[row as usize]).collect()),
            Self::Categorical { codes, cardinality } => Self::Categorical {
                codes: rows.iter().map(|&row| codes[row as usize]).collect(),
                cardinality: *cardinality,
            },
        }
    }
}

/// Numbers or categories.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum ColumnKind {
    /// Numbers.
    Numeric,
    /// Categories.
    Categorical,
}

impl std::fmt::Display for ColumnKind {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::Numeric => "numeric",
            Self::Categorical => "categorical",
        })
    }
}

/// A table of columns with the same number of rows.
#[derive(Clone, Debug, PartialEq)]
pub struct Features {
    columns: Vec<Column>,
    rows: usize,
}

/// Why columns are not a table, or two tables do not belong together.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
pub enum FeaturesError {
    /// Nothing to learn from.
    #[error("use a table without columns")]
    NoColumns,
    /// Columns of different lengths.
    #[error("use column {column} with {rows} rows beside columns with {expected}")]
    RowsDiffer {
        /// Position of the column.
        column: usize,
        /// Its rows.
        rows: usize,
        /// Rows of the first column.
        expected: usize,
    },
    /// Rows are numbered with 32 bits.
    #[error("use {rows} rows at once: take a sample of at most 2^32 - 2")]
    TooManyRows {
        /// How many there are.
        rows: usize,
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
    /// Tables with different columns.
    #[error("compare a table of {first} columns with one of {second}")]
    ColumnCountsDiffer {
        /// Columns of the first table.
        first: usize,
        /// Columns of the second.
        second: usize,
    },
    /// The same column of two kinds.
    #[error("use column {column} as {second}: it was {first} before")]
    KindsDiffer {
        /// Position of the column.
        column: usize,
        /// Its kind in the first table.
        first: ColumnKind,
        /// Its kind in the second.
        second: ColumnKind,
    },
}

impl Features {
    /// A table of `columns`, shape rows × columns. No rows is allowed, no columns is not.
    pub fn new(columns: Vec<Column>) -> Result<Features, FeaturesError> {
        let Some(first) = columns.first() else {
            return Err(FeaturesError::NoColumns);
        };
        let rows = first.rows();
        if rows >= u32::MAX as usize {
            return Err(FeaturesError::TooManyRows { rows });
        }
        for (position, column) in columns.iter().enumerate() {
            if column.rows() != rows {
                return Err(FeaturesError::RowsDiffer {
                    column: position,
                    rows: column.rows(),
                    expected: rows,
                });
            }
            if let Column::Categorical { codes, cardinality } = column {
                let wrong = |&(_, &code): &(usize, &u32)| code >= *cardinality && code != MISSING;
                if let Some((row, &code)) = codes.iter().enumerate().find(wrong) {
                    let cardinality = *cardinality;
                    return Err(FeaturesError::CodeOutOfRange { column: position, row, code, cardinality });
                }
            }
        }
        Ok(Features { columns, rows })
    }

    /// The columns, in order.
    pub fn columns(&self) -> &[Column] {
        &self.columns
    }

    /// The number of rows.
    pub fn rows(&self) -> usize {
        self.rows
    }

    /// Checks that `other` has the same columns: as many, of the same kinds. Categories may have
    /// been added.
    pub fn check_same_columns(&self, other: &Features) -> Result<(), FeaturesError> {
        let (first, second) = (self.columns.len(), other.columns.len());
        if first != second {
            return Err(FeaturesError::ColumnCountsDiffer { first, second });
        }
        for (column, (a, b)) in self.columns.iter().zip(&other.columns).enumerate() {
            if a.kind() != b.kind() {
                return Err(FeaturesError::KindsDiffer { column, first: a.kind(), second: b.kind() });
            }
        }
        Ok(())
    }

    /// The rows of this table, then those of `below`, which has the same columns.
    pub fn stacked(&self, below: &Features) -> Result<Features, FeaturesError> {
        self.check_same_columns(below)?;
        let both = self.columns.iter().zip(&below.columns);
        let columns = both.map(|(above, below)| match (above, below) {
            (Column::Numeric(a), Column::Numeric(b)) => Column::Numeric([a.as_slice(), b].concat()),
            (
                Column::Categorical { codes: a, cardinality: m },
                Column::Categorical { codes: b, cardinality: n },
            ) => Column::Categorical { codes: [a.as_slice(), b].concat(), cardinality: *m.max(n) },
            _ => unreachable!("the kinds were compared above"),
        });
        Self::new(columns.collect())
    }

    /// The columns at `positions`, in that order; None where one is out of range or there is none.
    pub fn with_columns(&self, positions: &[usize]) -> Option<Features> {
        let columns: Option<Vec<Column>> =
            positions.iter().map(|&position| self.columns.get(position).cloned()).collect();
        Self::new(columns?).ok()
    }

    /// The rows at `rows`, which are in range.
    pub(crate) fn at(&self, rows: &[u32]) -> Features {
        Features { columns: self.columns.iter().map(|column| column.at(rows)).collect(), rows: rows.len() }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn categorical(codes: &[u32], cardinality: u32) -> Column {
        Column::Categorical { codes: codes.to_vec(), cardinality }
    }

    #[test]
    fn columns_that_are_no_table_are_refused_with_their_position() {
        assert_eq!(Features::new(vec![]), Err(FeaturesError::NoColumns));
        let uneven = vec![Column::Numeric(vec![1.0]), categorical(&[0, 1], 2)];
        let expected = FeaturesError::RowsDiffer { column: 1, rows: 2, expected: 1 };
        assert_eq!(Features::new(uneven), Err(expected));
        let unknown = vec![categorical(&[0, MISSING, 2], 2)];
        let expected = FeaturesError::CodeOutOfRange { column: 0, row: 2, code: 2, cardinality: 2 };
        assert_eq!(Features::new(unknown), Err(expected));
        assert_eq!(Features::new(vec![Column::Numeric(vec![])]).unwrap().rows(), 0);
    }

    #[test]
    fn stacking_keeps_rows_in_order_and_knows_the_categories_of_both() {
        let above = Features::new(vec![Column::Numeric(vec![1.0, 2.0]), categorical(&[0, 1], 2)]).unwrap();
        let below = Features::new(vec![Column::Numeric(vec![3.0]), categorical(&[4], 5)]).unwrap();
        let both = Features::new(vec![Column::Numeric(vec![1.0, 2.0, 3.0]), categorical(&[0, 1, 4], 5)]);
        assert_eq!(above.stacked(&below), both);
        assert_eq!(above.stacked(&below).unwrap().at(&[2]).columns()[1], categorical(&[4], 5));
        let narrow = above.with_columns(&[1]).unwrap();
        assert_eq!(above.stacked(&narrow), Err(FeaturesError::ColumnCountsDiffer { first: 2, second: 1 }));
        let swapped = above.with_columns(&[1, 0]).unwrap();
        assert!(matches!(above.stacked(&swapped), Err(FeaturesError::KindsDiffer { column: 0, .. })));
        assert_eq!((above.with_columns(&[2]), above.with_columns(&[])), (None, None));
    }
}
