//! Values out of range.
//!
//! # What it does
//!
//! Replaces numbers by one beyond everything in the reference: as far above its largest (or below its smallest)
//! value as a number of its ranges.
//!
//! # What it stands for in production
//!
//! A sensor at its stop, an overflow, a slip of a key, a code such as 9999 that stands for "not known".
//!
//! # When it does not apply
//!
//! The column holds no numbers, or the reference has none.
//!
//! # Example
//!
//! `temp` of `[30, 41, 50]`, one range above, becomes `[70, 70, 70]`.
//!
//! # References
//!
//! * N. Polyzotis, M. Zinkevich, S. Roy, E. Breck, S. Whang, "Data validation for machine learning", MLSys 2019.

use serde::{Deserialize, Serialize};
use stats::random::SplitMix64;
use types::batch::ValueKind;

use super::{Change, Entry, NotApplicable, Scene, Transform, touch};

/// Numbers beyond all known ones.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct OutOfRange {
    pub columns: Vec<String>,
    /// How many ranges of the reference beyond its largest value; below 0, beyond its smallest.
    pub ranges: f64,
    #[serde(default = "touch::every_row")]
    pub rate: f64,
}

impl Transform for OutOfRange {
    const ENTRY: Entry = Entry {
        id: "out-of-range",
        title: "Out of range",
        sentence: "Numbers lie beyond everything that was seen before.",
    };

    fn columns(&self) -> Vec<&str> {
        self.columns.iter().map(String::as_str).collect()
    }

    fn usual(feature: &str, kind: ValueKind, rate: f64) -> Vec<Self> {
        if !kind.is_numeric() {
            return Vec::new();
        }
        [10.0, -10.0].map(|ranges| Self { columns: vec![feature.to_owned()], ranges, rate }).into()
    }

    fn transform(&self, scene: Scene<'_>, rng: &mut SplitMix64) -> Result<Change, NotApplicable> {
        if self.ranges == 0.0 || !self.ranges.is_finite() {
            let reason = format!("{} ranges are no distance beyond the reference", self.ranges);
            return Err(NotApplicable::here(reason));
        }
        let mask = touch::picked(scene.batch.rows(), self.rate, rng)?;
        touch::each_column(scene.batch, &self.columns, |name, values| {
            let sorted = touch::sorted_numbers(scene.reference, name)?;
            let (least, most) = (sorted[0], sorted[sorted.len() - 1]);
            // A constant has no range; its own size, and 1 at least, stands in for one.
            let range = if most > least { most - least } else { most.abs().max(1.0) };
            let end = if self.ranges > 0.0 { most } else { least };
            touch::numbers(name, values, &mask, |_| end + self.ranges * range)
        })
    }
}
