//! Rows as a model is asked about them: the features of each by name and type. What [`crate::cases`] are for
//! judging, a batch is for asking again: values are exact, a missing one is told from a number that is none.

use serde::{Deserialize, Serialize};

/// Columns of one length, in the order in which the log has them.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Batch {
    columns: Vec<BatchColumn>,
    rows: usize,
}

/// One input of a model, for every row of a batch.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct BatchColumn {
    pub name: String,
    pub values: Values,
}

/// The values of a column; `None` is a missing one.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub enum Values {
    Integers(Vec<Option<i64>>),
    /// `Some(NaN)` is a number that is none, which is not the same as none.
    Numbers(Vec<Option<f64>>),
    Booleans(Vec<Option<bool>>),
    Texts(Vec<Option<String>>),
}

impl Values {
    pub fn len(&self) -> usize {
        match self {
            Self::Integers(values) => values.len(),
            Self::Numbers(values) => values.len(),
            Self::Booleans(values) => values.len(),
            Self::Texts(values) => values.len(),
        }
    }

    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }
}

/// Columns that do not make a batch.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
pub enum BatchError {
    #[error("column `{column}` has {rows} rows where the columns before it have {expected}")]
    Rows { column: String, rows: usize, expected: usize },
    #[error("column `{column}` is there twice")]
    Twice { column: String },
}

impl Batch {
    pub fn new(columns: Vec<BatchColumn>) -> Result<Self, BatchError> {
        let rows = columns.first().map_or(0, |column| column.values.len());
        for (at, column) in columns.iter().enumerate() {
            if column.values.len() != rows {
                let column = column.name.clone();
                return Err(BatchError::Rows { column, rows: columns[at].values.len(), expected: rows });
            }
            if columns[..at].iter().any(|before| before.name == column.name) {
                return Err(BatchError::Twice { column: column.name.clone() });
            }
        }
        Ok(Self { columns, rows })
    }

    pub fn rows(&self) -> usize {
        self.rows
    }

    pub fn columns(&self) -> &[BatchColumn] {
        &self.columns
    }

    pub fn column(&self, name: &str) -> Option<&Values> {
        self.columns.iter().find(|column| column.name == name).map(|column| &column.values)
    }
}
