//! Texts cut short.
//!
//! # What it does
//!
//! Keeps the first characters of texts, whole characters of Unicode.
//!
//! # What it stands for in production
//!
//! A database column that is too narrow, a form with a limit, a log that cuts its lines.
//!
//! # When it does not apply
//!
//! The column holds no texts, or none is longer.
//!
//! # Example
//!
//! `origin` of `["JFK", "LG"]` at two characters becomes `["JF", "LG"]`.
//!
//! # References
//!
//! * E. Rahm, H. H. Do, "Data cleaning: problems and current approaches", IEEE Data Engineering Bulletin 23, 2000.

use serde::{Deserialize, Serialize};
use stats::random::SplitMix64;
use types::batch::ValueKind;

use super::{Change, Entry, NotApplicable, Scene, Transform, touch};

/// The beginning of texts.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Truncated {
    pub columns: Vec<String>,
    /// What is left of a text, at most.
    pub characters: usize,
    #[serde(default = "touch::every_row")]
    pub rate: f64,
}

impl Transform for Truncated {
    const ENTRY: Entry = Entry {
        id: "truncated",
        title: "Truncated text",
        sentence: "Texts are cut after some characters: a field on the way is too narrow.",
    };

    fn columns(&self) -> Vec<&str> {
        self.columns.iter().map(String::as_str).collect()
    }

    fn usual(feature: &str, kind: ValueKind, rate: f64) -> Vec<Self> {
        let fault = || Self { columns: vec![feature.to_owned()], characters: 1, rate };
        (kind == ValueKind::Text).then(fault).into_iter().collect()
    }

    fn transform(&self, scene: Scene<'_>, rng: &mut SplitMix64) -> Result<Change, NotApplicable> {
        let mask = touch::picked(scene.batch.rows(), self.rate, rng)?;
        touch::each_column(scene.batch, &self.columns, |name, values| {
            touch::texts(name, values, &mask, |text| text.chars().take(self.characters).collect())
        })
    }
}
