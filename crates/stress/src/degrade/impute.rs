//! Missing values filled in: with the most usual value, or from the rows that are nearest in all other features.
//!
//! Nearness is Gower's: distances of numbers as shares of the reference's range, 1 for categories that differ or where
//! one side is missing, added up. The mean of the neighbours fills in a number, their most frequent value a category.
//!
//! Reference: J. C. Gower, "A general coefficient of similarity and some of its properties", Biometrics 27, 1971.

use std::collections::BTreeMap;

use types::batch::{Batch, Values};
use types::nearest::listed;

use crate::fault::silent_default::{Filling, filled};

/// Why a value cannot be filled in.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
pub enum ImputeError {
    #[error("there is no column `{column}` (has: {has})")]
    Unknown { column: String, has: String },
    #[error("the reference has no value of `{column}` of the same type to fill in")]
    NoReference { column: String },
    #[error("fill in from 0 neighbours: it takes one")]
    NoNeighbours,
}

/// `batch` with the missing values of `columns` replaced by the reference's median or most frequent value.
pub fn usual(batch: &Batch, reference: &Batch, columns: &[&str]) -> Result<Batch, ImputeError> {
    let mut imputed = batch.clone();
    for name in columns {
        let (values, known) = (column(&imputed, name)?, column(reference, name)?);
        let values = filled(values, known, Filling::MostUsual).ok_or_else(|| no_reference(name))?;
        imputed = imputed.replaced(name, values).expect("the column's own values, row by row");
    }
    Ok(imputed)
}

/// `batch` with the missing values of `columns` filled in from the `neighbours` nearest rows of the reference that
/// have one. It takes as many distances as there are rows on both sides: give a sample of the reference.
pub fn nearest(
    batch: &Batch,
    reference: &Batch,
    columns: &[&str],
    neighbours: usize,
) -> Result<Batch, ImputeError> {
    if neighbours == 0 {
        return Err(ImputeError::NoNeighbours);
    }
    let others: Vec<Scaled<'_>> = batch
        .columns()
        .iter()
        .filter(|of| !columns.contains(&of.name.as_str()))
        .filter_map(|of| Scaled::of(&of.values, reference.column(&of.name)?))
        .collect();
    let mut imputed = batch.clone();
    for name in columns {
        let (values, known) = (column(batch, name)?, column(reference, name)?);
        let donors: Vec<usize> = (0..known.len()).filter(|&row| !known.is_missing(row)).collect();
        if donors.is_empty() || values.kind() != known.kind() {
            return Err(no_reference(name));
        }
        let mut of_row = |row: usize| {
            let mut near: Vec<(f64, usize)> =
                donors.iter().map(|&donor| (distance(&others, row, donor), donor)).collect();
            let many = neighbours.min(near.len());
            near.select_nth_unstable_by(many - 1, |a, b| a.0.total_cmp(&b.0).then(a.1.cmp(&b.1)));
            near[..many].iter().map(|(_, donor)| *donor).collect::<Vec<usize>>()
        };
        let values = from_donors(values, known, &mut of_row);
        imputed = imputed.replaced(name, values).expect("the column's own values, row by row");
    }
    Ok(imputed)
}

/// A column on both sides, and how far its values can be apart.
struct Scaled<'a> {
    asked: &'a Values,
    reference: &'a Values,
    range: f64,
}

impl<'a> Scaled<'a> {
    fn of(asked: &'a Values, reference: &'a Values) -> Option<Self> {
        if asked.kind() != reference.kind() {
            return None;
        }
        let numbers =
            (0..reference.len()).filter_map(|row| reference.number(row)).filter(|number| number.is_finite());
        let (least, most) = numbers.fold((f64::INFINITY, f64::NEG_INFINITY), |(least, most), number| {
            (number.min(least), number.max(most))
        });
        let range = if most > least { most - least } else { 1.0 };
        Some(Self { asked, reference, range })
    }

    fn distance(&self, row: usize, donor: usize) -> f64 {
        if self.asked.kind().is_numeric() {
            match (self.asked.number(row), self.reference.number(donor)) {
                (Some(a), Some(b)) if a.is_finite() && b.is_finite() => (a - b).abs() / self.range,
                _ => 1.0,
            }
        } else {
            let is_same = match (self.asked, self.reference) {
                (Values::Texts(a), Values::Texts(b)) => a[row].is_some() && a[row] == b[donor],
                (Values::Booleans(a), Values::Booleans(b)) => a[row].is_some() && a[row] == b[donor],
                _ => false,
            };
            f64::from(u8::from(!is_same))
        }
    }
}

fn distance(others: &[Scaled<'_>], row: usize, donor: usize) -> f64 {
    others.iter().map(|column| column.distance(row, donor)).sum()
}

/// Missing values from what `near` names as donors for a row.
fn from_donors(values: &Values, known: &Values, near: &mut impl FnMut(usize) -> Vec<usize>) -> Values {
    let mean = |donors: &[usize]| {
        donors.iter().filter_map(|&donor| known.number(donor)).sum::<f64>() / donors.len() as f64
    };
    match (values, known) {
        (Values::Integers(values), _) => {
            Values::Integers(with(values, |row| Some(mean(&near(row)).round() as i64)))
        }
        (Values::Numbers(values), _) => Values::Numbers(with(values, |row| Some(mean(&near(row))))),
        (Values::Booleans(values), Values::Booleans(known)) => {
            Values::Booleans(with(values, |row| most_frequent(known, &near(row))))
        }
        (Values::Texts(values), Values::Texts(known)) => {
            Values::Texts(with(values, |row| most_frequent(known, &near(row))))
        }
        // Kinds were compared before.
        (values, _) => values.clone(),
    }
}

fn with<V: Clone>(values: &[Option<V>], mut fill: impl FnMut(usize) -> Option<V>) -> Vec<Option<V>> {
    values.iter().enumerate().map(|(row, value)| value.clone().or_else(|| fill(row))).collect()
}

/// The value that most donors have; of several, the first in their order.
fn most_frequent<V: Clone + Ord>(known: &[Option<V>], donors: &[usize]) -> Option<V> {
    let mut counts: BTreeMap<&V, usize> = BTreeMap::new();
    for value in donors.iter().filter_map(|&donor| known[donor].as_ref()) {
        *counts.entry(value).or_default() += 1;
    }
    counts.into_iter().rev().max_by_key(|(_, count)| *count).map(|(value, _)| value.clone())
}

fn column<'a>(batch: &'a Batch, name: &str) -> Result<&'a Values, ImputeError> {
    batch.column(name).ok_or_else(|| {
        let has = listed(batch.columns().iter().map(|column| column.name.as_str()), 10);
        ImputeError::Unknown { column: name.to_owned(), has }
    })
}

fn no_reference(column: &str) -> ImputeError {
    ImputeError::NoReference { column: column.to_owned() }
}
