//! Values that belong to other rows.
//!
//! # What it does
//!
//! The values of some rows are shuffled among these rows, several columns together: each column looks as before,
//! but no longer belongs to the rest of its row.
//!
//! # What it stands for in production
//!
//! A join on the wrong key, an index that is off, a lookup that returns somebody else's record.
//!
//! # When it does not apply
//!
//! One row is hit, or all of the rows that are hit have the same values.
//!
//! # Example
//!
//! `temp` of `[39, 41, 47]` may become `[47, 39, 41]`.
//!
//! # References
//!
//! * L. Breiman, "Random forests", Machine Learning 45, 2001: what a model loses by it is the permutation importance.

use rand_core::RngCore;
use serde::{Deserialize, Serialize};
use stats::random::{SplitMix64, below};
use types::batch::ValueKind;

use super::{Change, Entry, NotApplicable, Scene, Transform, touch};

/// Values of other rows.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct WrongJoin {
    /// Joined together: they stay together.
    pub columns: Vec<String>,
    /// The share of rows that were joined wrongly.
    #[serde(default = "touch::every_row")]
    pub rate: f64,
}

impl Transform for WrongJoin {
    const ENTRY: Entry = Entry {
        id: "wrong-join",
        title: "Wrong join",
        sentence: "Values belong to other rows: a join or a lookup used the wrong key.",
    };

    fn columns(&self) -> Vec<&str> {
        self.columns.iter().map(String::as_str).collect()
    }

    fn usual(feature: &str, _: ValueKind, rate: f64) -> Vec<Self> {
        vec![Self { columns: vec![feature.to_owned()], rate }]
    }

    fn transform(&self, scene: Scene<'_>, rng: &mut SplitMix64) -> Result<Change, NotApplicable> {
        let mask = touch::picked(scene.batch.rows(), self.rate, rng)?;
        let hit: Vec<usize> = (0..mask.len()).filter(|&row| mask[row]).collect();
        if hit.len() < 2 {
            return Err(NotApplicable::here("one row cannot be joined wrongly with itself: it takes two"));
        }
        let mut of: Vec<usize> = (0..mask.len()).collect();
        // Sattolo's shuffle: a single cycle, so that no row keeps its own values.
        for at in (1..hit.len()).rev() {
            of.swap(hit[at], hit[below(at as u64, rng.next_u64()) as usize]);
        }
        touch::each_column(scene.batch, &self.columns, |_, values| Ok(values.take(&of)))
    }
}
