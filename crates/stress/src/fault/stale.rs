//! Values that were not brought up to date.
//!
//! # What it does
//!
//! In some rows the value is still that of the row before; where several follow each other, that of the last row
//! that was brought up to date.
//!
//! # What it stands for in production
//!
//! Updates that get lost one by one: a feature store behind a busy queue, a cache with a long lifetime.
//!
//! # When it does not apply
//!
//! Values do not vary from row to row, or there is one row.
//!
//! # Example
//!
//! `temp` of `[39, 41, 47, 50]` with the second and third row hit becomes `[39, 39, 39, 50]`. The first row is never
//! hit.
//!
//! # References
//!
//! * D. Sculley et al., "Hidden technical debt in machine learning systems", NIPS 2015: unstable data dependencies.

use serde::{Deserialize, Serialize};
use stats::random::SplitMix64;
use types::batch::ValueKind;

use super::{Change, Entry, NotApplicable, Scene, Transform, touch};

/// Values of the row before.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Stale {
    /// Not brought up to date together.
    pub columns: Vec<String>,
    /// The share of rows that are not brought up to date.
    #[serde(default = "touch::every_row")]
    pub rate: f64,
}

impl Transform for Stale {
    const ENTRY: Entry = Entry {
        id: "stale",
        title: "Stale values",
        sentence: "Updates get lost, so that a row still carries the value of the row before it.",
    };

    fn columns(&self) -> Vec<&str> {
        self.columns.iter().map(String::as_str).collect()
    }

    /// At a rate of 1 every value would be the first one, which is [`super::frozen`].
    fn usual(feature: &str, _: ValueKind, rate: f64) -> Vec<Self> {
        vec![Self { columns: vec![feature.to_owned()], rate: rate.min(0.5) }]
    }

    fn transform(&self, scene: Scene<'_>, rng: &mut SplitMix64) -> Result<Change, NotApplicable> {
        let mask = touch::picked(scene.batch.rows(), self.rate, rng)?;
        let mut of = Vec::with_capacity(mask.len());
        for (row, is_hit) in mask.iter().enumerate() {
            let before = of.last().copied().unwrap_or(0);
            of.push(if *is_hit { before } else { row });
        }
        touch::each_column(scene.batch, &self.columns, |_, values| Ok(values.take(&of)))
    }
}
