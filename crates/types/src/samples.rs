//! Rows of two samples as one table that a learner reads: a category has the same code in both.

use std::collections::HashMap;
use std::ops::Range;

use stats::learn::{Column, Features, FeaturesError, MISSING};

use crate::answer::{SampledColumn, SampledValues};

/// The rows of one sample, then those of another.
#[derive(Clone, Debug)]
pub struct Samples {
    columns: Vec<Column>,
    names: Vec<String>,
    /// What the codes of each column stand for; empty for numbers.
    categories: Vec<Vec<String>>,
    before: usize,
    now: usize,
}

impl Samples {
    /// Columns that are of another kind in the two samples, and columns of vectors, are left out.
    pub fn of(before: &[SampledColumn], now: &[SampledColumn]) -> Self {
        let mut samples = Self {
            columns: Vec::new(),
            names: Vec::new(),
            categories: Vec::new(),
            before: rows_of(before),
            now: rows_of(now),
        };
        for (before, now) in before.iter().zip(now) {
            let (column, categories) = match (&before.values, &now.values) {
                (SampledValues::Numbers(before), SampledValues::Numbers(now)) => {
                    (Column::Numeric([&before[..], now].concat()), Vec::new())
                }
                (SampledValues::Categories(before), SampledValues::Categories(now)) => coded(before, now),
                _ => continue,
            };
            samples.names.push(now.name.clone());
            samples.columns.push(column);
            samples.categories.push(categories);
        }
        samples
    }

    pub fn names(&self) -> &[String] {
        &self.names
    }

    /// What a code of a column of categories stands for.
    pub fn category(&self, column: usize, code: u32) -> Option<&str> {
        self.categories.get(column)?.get(code as usize).map(String::as_str)
    }

    /// The positions of all rows.
    pub fn all(&self) -> Range<usize> {
        0..self.before + self.now
    }

    /// The positions of the rows of the first sample.
    pub fn before(&self) -> Range<usize> {
        0..self.before
    }

    /// The positions of the rows of the second sample.
    pub fn now(&self) -> Range<usize> {
        self.before..self.before + self.now
    }

    /// Some rows, as a table.
    pub fn features(&self, rows: &[usize]) -> Result<Features, FeaturesError> {
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

fn rows_of(sample: &[SampledColumn]) -> usize {
    sample.first().map_or(0, |column| match &column.values {
        SampledValues::Numbers(values) => values.len(),
        SampledValues::Categories(values) => values.len(),
        SampledValues::Vectors(values) => values.len(),
    })
}

fn coded(before: &[Option<String>], now: &[Option<String>]) -> (Column, Vec<String>) {
    let mut known: HashMap<&str, u32> = HashMap::new();
    let mut categories = Vec::new();
    let mut codes = Vec::with_capacity(before.len() + now.len());
    for value in before.iter().chain(now) {
        codes.push(value.as_deref().map_or(MISSING, |value| {
            *known.entry(value).or_insert_with(|| {
                categories.push(value.to_owned());
                categories.len() as u32 - 1
            })
        }));
    }
    (Column::Categorical { codes, cardinality: categories.len() as u32 }, categories)
}
