//! Rows of the reference and of a window as one table that a learner reads.

use std::collections::HashMap;
use std::ops::Range;

use stats::learn::{Column, Features, FeaturesError, MISSING};
use types::answer::{RowSample, SampledValues};

/// The rows of the reference, then those of the window; a category has the same code in both.
#[derive(Clone, Debug)]
pub(crate) struct Samples {
    columns: Vec<Column>,
    names: Vec<String>,
    before: usize,
    now: usize,
}

impl Samples {
    /// Columns that are of another kind in the two samples are left out.
    pub(crate) fn of(before: &RowSample, now: &RowSample) -> Self {
        let pairs = before.columns.iter().zip(&now.columns);
        let (names, columns) = pairs
            .filter_map(|(before, now)| {
                let column = match (&before.values, &now.values) {
                    (SampledValues::Numbers(before), SampledValues::Numbers(now)) => {
                        Column::Numeric([&before[..], now].concat())
                    }
                    (SampledValues::Categories(before), SampledValues::Categories(now)) => coded(before, now),
                    _ => return None,
                };
                Some((now.name.clone(), column))
            })
            .unzip();
        Self { columns, names, before: before.rows(), now: now.rows() }
    }

    pub(crate) fn names(&self) -> &[String] {
        &self.names
    }

    /// The positions of all rows.
    pub(crate) fn all(&self) -> Range<usize> {
        0..self.before + self.now
    }

    /// Some rows, as a table.
    pub(crate) fn features(&self, rows: &[usize]) -> Result<Features, FeaturesError> {
        let of = |column: &Column| match column {
            Column::Numeric(values) => Column::Numeric(rows.iter().map(|&row| values[row]).collect()),
            Column::Categorical { codes, cardinality } => Column::Categorical {
                codes: rows.iter().map(|&row| codes[row]).collect(),
                cardinality: *cardinality,
            },
        };
        Features::new(self.columns.iter().map(of).collect())
    }
}

fn coded(before: &[Option<String>], now: &[Option<String>]) -> Column {
    let mut known: HashMap<&str, u32> = HashMap::new();
    let mut codes = Vec::with_capacity(before.len() + now.len());
    for value in before.iter().chain(now) {
        let next = known.len() as u32;
        codes.push(value.as_deref().map_or(MISSING, |value| *known.entry(value).or_insert(next)));
    }
    Column::Categorical { codes, cardinality: known.len() as u32 }
}
