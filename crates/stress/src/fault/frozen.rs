//! A feed that stands still.
//!
//! # What it does
//!
//! From a row on, every value is the last one known before it.
//!
//! # What it stands for in production
//!
//! A cache that is no longer refreshed, a sensor that hangs, a job that failed in the night: values still arrive,
//! and look right, one by one.
//!
//! # When it does not apply
//!
//! Nothing was known before the feed stopped, or values do not vary anyway.
//!
//! # Example
//!
//! `temp` of `[39, 41, 47, 50]` since half of the rows becomes `[39, 41, 41, 41]`; since the start,
//! `[39, 39, 39, 39]`.
//!
//! # References
//!
//! * N. Polyzotis, M. Zinkevich, S. Roy, E. Breck, S. Whang, "Data validation for machine learning", MLSys 2019.

use serde::{Deserialize, Serialize};
use stats::random::SplitMix64;
use types::batch::ValueKind;

use super::{Change, Entry, NotApplicable, Scene, Transform, touch};

/// Values that no longer change.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Frozen {
    pub columns: Vec<String>,
    /// The share of rows before the feed stops, below 1.
    #[serde(default)]
    pub since: f64,
}

impl Frozen {
    /// Feeds that stand still for a share `rate` of the rows.
    pub fn of<N: Into<String>>(columns: impl IntoIterator<Item = N>, rate: f64) -> Self {
        // 0.05 and not 0.050000000000000044: it is written down and read by people.
        let since = ((1.0 - rate) * 1e9).round() / 1e9;
        Self { columns: columns.into_iter().map(Into::into).collect(), since }
    }
}

impl Transform for Frozen {
    const ENTRY: Entry = Entry {
        id: "frozen",
        title: "Frozen feed",
        sentence: "The last known value is sent again and again: a cache or a sensor hangs.",
    };

    fn columns(&self) -> Vec<&str> {
        self.columns.iter().map(String::as_str).collect()
    }

    fn usual(feature: &str, _: ValueKind, rate: f64) -> Vec<Self> {
        vec![Self::of([feature], rate)]
    }

    fn transform(&self, scene: Scene<'_>, _: &mut SplitMix64) -> Result<Change, NotApplicable> {
        if !(0.0..1.0).contains(&self.since) {
            let reason =
                format!("a feed cannot stop after a share of {} of the rows: give 0 to below 1", self.since);
            return Err(NotApplicable::here(reason));
        }
        let rows = scene.batch.rows();
        // Of a feed that stops at once, the first row is the last one known.
        let stops = ((rows as f64 * self.since).round() as usize).clamp(1, rows);
        touch::each_column(scene.batch, &self.columns, |name, values| {
            // Where none is known before the feed stops, the first one after stands for what was known earlier.
            let known = (0..stops).rev().chain(stops..rows).find(|&row| !values.is_missing(row));
            let Some(known) = known else {
                return Err(NotApplicable::at(name, format!("`{name}` has no value to stand still at")));
            };
            let of: Vec<usize> = (0..rows).map(|row| if row < stops { row } else { known }).collect();
            Ok(values.take(&of))
        })
    }
}
