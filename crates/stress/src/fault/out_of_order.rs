//! Rows that arrive out of order.
//!
//! # What it does
//!
//! Rows trade places with rows near them: whole rows, so that every answer should stay what it was for its row.
//!
//! # What it stands for in production
//!
//! Parallel consumers, retries, partitions that are read at different speeds. A model or a wrapper that keeps state,
//! or that matches answers with rows by position, is found out.
//!
//! # When it does not apply
//!
//! There is one row, or rows may not move at all.
//!
//! # Example
//!
//! `temp` of `[39, 41, 47]` may become `[41, 39, 47]`, and `origin` says `[1, 0, 2]`.
//!
//! # References
//!
//! * T. Akidau et al., "The dataflow model", VLDB 2015: rows out of order are the usual case.

use serde::{Deserialize, Serialize};
use stats::random::{SplitMix64, uniform};
use types::batch::ValueKind;

use super::{Change, Entry, NotApplicable, Scene, Transform};

/// Rows that have moved.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct OutOfOrder {
    /// How late a row may be, in rows.
    pub rows_behind_max: usize,
}

impl Transform for OutOfOrder {
    const ENTRY: Entry = Entry {
        id: "out-of-order",
        title: "Rows out of order",
        sentence: "Rows arrive in another order than they were sent in.",
    };

    fn columns(&self) -> Vec<&str> {
        Vec::new()
    }

    fn usual(_: &str, _: ValueKind, _: f64) -> Vec<Self> {
        Vec::new()
    }

    fn transform(&self, scene: Scene<'_>, rng: &mut SplitMix64) -> Result<Change, NotApplicable> {
        let furthest = self.rows_behind_max as f64;
        // Each row is held up by a time of its own.
        let mut arrivals: Vec<(f64, usize)> =
            (0..scene.batch.rows()).map(|row| (row as f64 + furthest * uniform(rng), row)).collect();
        arrivals.sort_by(|a, b| a.0.total_cmp(&b.0).then(a.1.cmp(&b.1)));
        let origin: Vec<usize> = arrivals.into_iter().map(|(_, row)| row).collect();
        Ok(Change { batch: scene.batch.take(&origin), origin: Some(origin) })
    }
}
