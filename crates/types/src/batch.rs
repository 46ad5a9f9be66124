//! Rows as a model is asked about them: the features of each by name and type. What [`crate::cases`] are for
//! judging, a batch is for asking again: values are exact, a missing one is told from a number that is none.

use serde::{Deserialize, Serialize};

use crate::nearest::listed;

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

/// What the values of a column are.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ValueKind {
    Integer,
    Number,
    Boolean,
    Text,
}

impl ValueKind {
    /// The word in messages, in the plural.
    pub fn words(self) -> &'static str {
        match self {
            Self::Integer => "whole numbers",
            Self::Number => "numbers",
            Self::Boolean => "yes or no",
            Self::Text => "texts",
        }
    }

    pub fn is_numeric(self) -> bool {
        matches!(self, Self::Integer | Self::Number)
    }
}

impl Values {
    pub fn kind(&self) -> ValueKind {
        match self {
            Self::Integers(_) => ValueKind::Integer,
            Self::Numbers(_) => ValueKind::Number,
            Self::Booleans(_) => ValueKind::Boolean,
            Self::Texts(_) => ValueKind::Text,
        }
    }

    pub fn is_missing(&self, row: usize) -> bool {
        match self {
            Self::Integers(values) => values[row].is_none(),
            Self::Numbers(values) => values[row].is_none(),
            Self::Booleans(values) => values[row].is_none(),
            Self::Texts(values) => values[row].is_none(),
        }
    }

    /// The number in a row of a numeric column, where there is one.
    pub fn number(&self, row: usize) -> Option<f64> {
        match self {
            Self::Integers(values) => values[row].map(|value| value as f64),
            Self::Numbers(values) => values[row],
            Self::Booleans(_) | Self::Texts(_) => None,
        }
    }

    /// The value of a row as text, numbers in the shortest form that reads back as the same number.
    pub fn text(&self, row: usize) -> Option<String> {
        match self {
            Self::Integers(values) => values[row].map(|value| value.to_string()),
            Self::Numbers(values) => values[row].map(|value| value.to_string()),
            Self::Booleans(values) => values[row].map(|value| value.to_string()),
            Self::Texts(values) => values[row].clone(),
        }
    }

    /// The values of `rows` in this order, each as often as it is named.
    #[must_use]
    pub fn take(&self, rows: &[usize]) -> Self {
        match self {
            Self::Integers(values) => Self::Integers(rows.iter().map(|&row| values[row]).collect()),
            Self::Numbers(values) => Self::Numbers(rows.iter().map(|&row| values[row]).collect()),
            Self::Booleans(values) => Self::Booleans(rows.iter().map(|&row| values[row]).collect()),
            Self::Texts(values) => Self::Texts(rows.iter().map(|&row| values[row].clone()).collect()),
        }
    }

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
    #[error("there is no column `{column}` (has: {has})")]
    Unknown { column: String, has: String },
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

    /// The same rows with other values in one column.
    pub fn replaced(&self, name: &str, values: Values) -> Result<Self, BatchError> {
        let Some(at) = self.columns.iter().position(|column| column.name == name) else {
            let has = listed(self.columns.iter().map(|column| column.name.as_str()), 10);
            return Err(BatchError::Unknown { column: name.to_owned(), has });
        };
        if values.len() != self.rows {
            return Err(BatchError::Rows {
                column: name.to_owned(),
                rows: values.len(),
                expected: self.rows,
            });
        }
        let mut replaced = self.clone();
        replaced.columns[at].values = values;
        Ok(replaced)
    }

    /// `rows` in this order, each as often as it is named.
    #[must_use]
    pub fn take(&self, rows: &[usize]) -> Self {
        let of = |column: &BatchColumn| BatchColumn {
            name: column.name.clone(),
            values: column.values.take(rows),
        };
        Self { columns: self.columns.iter().map(of).collect(), rows: rows.len() }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_column_is_replaced_by_one_of_as_many_rows() {
        let column = |name: &str, values| BatchColumn { name: name.into(), values };
        let x = || column("x", Values::Integers(vec![Some(1), None]));
        let batch = Batch::new(vec![x(), column("y", Values::Texts(vec![None, Some("a".into())]))]).unwrap();
        let replaced = batch.replaced("x", Values::Numbers(vec![Some(0.5), None])).unwrap();
        assert_eq!(replaced.column("x").unwrap().number(0), Some(0.5));
        assert_eq!(replaced.column("y"), batch.column("y"));
        let too_few = batch.replaced("x", Values::Numbers(vec![None])).unwrap_err();
        assert_eq!(too_few, BatchError::Rows { column: "x".into(), rows: 1, expected: 2 });
        let unknown = batch.replaced("z", Values::Numbers(vec![None; 2])).unwrap_err();
        assert_eq!(unknown.to_string(), "there is no column `z` (has: x, y)");
        let taken = batch.take(&[1, 1, 0]);
        assert_eq!(taken.column("x"), Some(&Values::Integers(vec![None, None, Some(1)])));
        assert_eq!((taken.rows(), taken.column("y").unwrap().text(0)), (3, Some("a".into())));
    }
}
