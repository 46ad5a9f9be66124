//! Values that come late.
//!
//! # What it does
//!
//! Every row carries the values of some rows earlier; the first rows, before which there is nothing, those of the
//! first.
//!
//! # What it stands for in production
//!
//! A feed that lags: predictions are made with the weather, the balance or the price of an hour ago. Rows must be in
//! the order of time.
//!
//! # When it does not apply
//!
//! The lag is 0, or values do not vary.
//!
//! # Example
//!
//! `temp` of `[39, 41, 47, 50]` two rows late becomes `[39, 39, 39, 41]`.
//!
//! # References
//!
//! * D. Sculley et al., "Hidden technical debt in machine learning systems", NIPS 2015.

use serde::{Deserialize, Serialize};
use stats::random::SplitMix64;
use types::batch::ValueKind;

use super::{Change, Entry, NotApplicable, Scene, Transform, touch};

/// Values of earlier rows.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Late {
    pub columns: Vec<String>,
    /// How far behind the values are.
    pub rows_behind: usize,
}

/// Behind by default, in rows.
const USUAL_LAG: usize = 100;

impl Transform for Late {
    const ENTRY: Entry = Entry {
        id: "late",
        title: "Late values",
        sentence: "A feed lags, so that every row carries the values of earlier rows.",
    };

    fn columns(&self) -> Vec<&str> {
        self.columns.iter().map(String::as_str).collect()
    }

    fn usual(feature: &str, _: ValueKind, _: f64) -> Vec<Self> {
        vec![Self { columns: vec![feature.to_owned()], rows_behind: USUAL_LAG }]
    }

    fn transform(&self, scene: Scene<'_>, _: &mut SplitMix64) -> Result<Change, NotApplicable> {
        let of: Vec<usize> =
            (0..scene.batch.rows()).map(|row| row.saturating_sub(self.rows_behind)).collect();
        touch::each_column(scene.batch, &self.columns, |_, values| Ok(values.take(&of)))
    }
}
