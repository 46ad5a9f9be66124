//! The sign flipped.
//!
//! # What it does
//!
//! Turns numbers into their opposite.
//!
//! # What it stands for in production
//!
//! A convention that changed: debit and credit, early and late, west and east.
//!
//! # When it does not apply
//!
//! The column holds no numbers, or only 0.
//!
//! # Example
//!
//! `delay` of `[5, -2, 0]` becomes `[-5, 2, 0]`; the third row is not touched.
//!
//! # References
//!
//! * E. Rahm, H. H. Do, "Data cleaning: problems and current approaches", IEEE Data Engineering Bulletin 23, 2000.

use serde::{Deserialize, Serialize};
use stats::random::SplitMix64;
use types::batch::ValueKind;

use super::{Change, Entry, NotApplicable, Scene, Transform, touch};

/// Numbers with the opposite sign.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Sign {
    pub columns: Vec<String>,
    #[serde(default = "touch::every_row")]
    pub rate: f64,
}

impl Transform for Sign {
    const ENTRY: Entry = Entry {
        id: "sign",
        title: "Sign flipped",
        sentence: "Numbers arrive with the opposite sign: a convention was changed.",
    };

    fn columns(&self) -> Vec<&str> {
        self.columns.iter().map(String::as_str).collect()
    }

    fn usual(feature: &str, kind: ValueKind, rate: f64) -> Vec<Self> {
        let fault = || Self { columns: vec![feature.to_owned()], rate };
        kind.is_numeric().then(fault).into_iter().collect()
    }

    fn transform(&self, scene: Scene<'_>, rng: &mut SplitMix64) -> Result<Change, NotApplicable> {
        let mask = touch::picked(scene.batch.rows(), self.rate, rng)?;
        touch::each_column(scene.batch, &self.columns, |name, values| {
            // −0 would count as a change, and is none.
            touch::numbers(name, values, &mask, |value| if value == 0.0 { value } else { -value })
        })
    }
}
