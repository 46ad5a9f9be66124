//! Rows that arrive twice.
//!
//! # What it does
//!
//! Some rows are followed by a copy of themselves.
//!
//! # What it stands for in production
//!
//! Delivery at least once: a producer retries, a job is run again, a join meets two rows of the same key.
//!
//! # When it does not apply
//!
//! There is always a row to repeat.
//!
//! # Example
//!
//! `temp` of `[39, 41]` with the first row repeated becomes `[39, 39, 41]`.
//!
//! # References
//!
//! * E. Rahm, H. H. Do, "Data cleaning: problems and current approaches", IEEE Data Engineering Bulletin 23, 2000.

use serde::{Deserialize, Serialize};
use stats::random::SplitMix64;
use types::batch::ValueKind;

use super::{Change, Entry, NotApplicable, Scene, Transform, touch};

/// Copies of rows.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct DuplicatedRows {
    /// The share of rows that arrive twice.
    #[serde(default = "touch::every_row")]
    pub rate: f64,
}

impl Transform for DuplicatedRows {
    const ENTRY: Entry = Entry {
        id: "duplicated-rows",
        title: "Duplicated rows",
        sentence: "The same row arrives twice: a producer retries, or a join meets a key twice.",
    };

    fn columns(&self) -> Vec<&str> {
        Vec::new()
    }

    fn usual(_: &str, _: ValueKind, _: f64) -> Vec<Self> {
        Vec::new()
    }

    fn transform(&self, scene: Scene<'_>, rng: &mut SplitMix64) -> Result<Change, NotApplicable> {
        let mask = touch::picked(scene.batch.rows(), self.rate, rng)?;
        let twice = |(row, is_hit): (usize, &bool)| std::iter::repeat_n(row, 1 + usize::from(*is_hit));
        let origin: Vec<usize> = mask.iter().enumerate().flat_map(twice).collect();
        Ok(Change { batch: scene.batch.take(&origin), origin: Some(origin) })
    }
}
