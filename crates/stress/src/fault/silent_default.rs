//! A default in the place of a value that is not known.
//!
//! # What it does
//!
//! Values are lost as in [`super::missing`], and what is missing, in these rows or before, is filled in: with 0 (or
//! no, or the empty text), or with the reference's most usual value (median of numbers, else the most frequent).
//!
//! # What it stands for in production
//!
//! "Helpful" code upstream that turns null into 0 or into an average: the outage is hidden, and no check for missing
//! values sees it.
//!
//! # When it does not apply
//!
//! The reference has no value to take the most usual one from, or all values are the default already.
//!
//! # Example
//!
//! `temp` of `[39, –, 47]`, lost in the first row, becomes `[0, 0, 47]`.
//!
//! # References
//!
//! * N. Polyzotis, M. Zinkevich, S. Roy, E. Breck, S. Whang, "Data validation for machine learning", MLSys 2019.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use stats::random::SplitMix64;
use types::batch::{ValueKind, Values};

use super::{Change, Entry, NotApplicable, Scene, Transform, touch};

/// Missing values that do not look missing.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SilentDefault {
    pub columns: Vec<String>,
    #[serde(default)]
    pub filled_with: Filling,
    /// The share of rows that lose their value.
    #[serde(default = "touch::every_row")]
    pub rate: f64,
}

/// What stands in for a value.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Filling {
    /// 0, no, or the empty text.
    #[default]
    Zero,
    /// The reference's median, or its most frequent value.
    MostUsual,
}

impl Transform for SilentDefault {
    const ENTRY: Entry = Entry {
        id: "silent-default",
        title: "Silent default",
        sentence: "A lost value is replaced by 0 or an average upstream, so that it does not look lost.",
    };

    fn columns(&self) -> Vec<&str> {
        self.columns.iter().map(String::as_str).collect()
    }

    fn usual(feature: &str, _: ValueKind, rate: f64) -> Vec<Self> {
        let of = |filled_with| Self { columns: vec![feature.to_owned()], filled_with, rate };
        [Filling::Zero, Filling::MostUsual].map(of).into()
    }

    fn transform(&self, scene: Scene<'_>, rng: &mut SplitMix64) -> Result<Change, NotApplicable> {
        let mask = touch::picked(scene.batch.rows(), self.rate, rng)?;
        touch::each_column(scene.batch, &self.columns, |name, values| {
            let left = touch::without(values, &mask);
            let usual = touch::column(scene.reference, name)?;
            filled(&left, usual, self.filled_with).ok_or_else(|| {
                let reason = format!("the reference has no value of `{name}` of the same type to fill in");
                NotApplicable::at(name, reason)
            })
        })
    }
}

/// `values` without a missing one; nothing where `reference` has none to fill in, or is of another type.
pub(crate) fn filled(values: &Values, reference: &Values, filling: Filling) -> Option<Values> {
    fn with<V: Clone>(values: &[Option<V>], default: V) -> Vec<Option<V>> {
        values.iter().map(|value| Some(value.clone().unwrap_or_else(|| default.clone()))).collect()
    }
    let is_zero = filling == Filling::Zero;
    Some(match (values, reference) {
        (Values::Integers(values), Values::Integers(usual)) => {
            Values::Integers(with(values, if is_zero { 0 } else { middle(usual, i64::cmp)? }))
        }
        (Values::Numbers(values), Values::Numbers(usual)) => {
            Values::Numbers(with(values, if is_zero { 0.0 } else { middle(usual, f64::total_cmp)? }))
        }
        (Values::Booleans(values), Values::Booleans(usual)) => {
            Values::Booleans(with(values, if is_zero { false } else { most_frequent(usual)? }))
        }
        (Values::Texts(values), Values::Texts(usual)) => {
            Values::Texts(with(values, if is_zero { String::new() } else { most_frequent(usual)? }))
        }
        _ => return None,
    })
}

/// The lower median of the values that are there.
fn middle<V: Copy>(values: &[Option<V>], by: impl Fn(&V, &V) -> std::cmp::Ordering) -> Option<V> {
    let mut sorted: Vec<V> = values.iter().flatten().copied().collect();
    sorted.sort_by(by);
    sorted.get(sorted.len().saturating_sub(1) / 2).copied()
}

/// The value that is there most often; of several, the first in their order.
fn most_frequent<V: Clone + Ord>(values: &[Option<V>]) -> Option<V> {
    let mut counts: BTreeMap<&V, usize> = BTreeMap::new();
    for value in values.iter().flatten() {
        *counts.entry(value).or_default() += 1;
    }
    // `max_by_key` returns the last of several.
    counts.into_iter().rev().max_by_key(|(_, count)| *count).map(|(value, _)| value.clone())
}
