//! A category that was never seen.
//!
//! # What it does
//!
//! Replaces texts by one that is not in the reference.
//!
//! # What it stands for in production
//!
//! A new product, carrier, country or browser: the most ordinary change of the world that a model meets.
//!
//! # When it does not apply
//!
//! The column holds no texts, or the new category is known to the reference.
//!
//! # Example
//!
//! `carrier` of `["UA", "DL"]` becomes `["never seen before", "never seen before"]`.
//!
//! # References
//!
//! * E. Breck, S. Cai, E. Nielsen, M. Salib, D. Sculley, "The ML test score: a rubric for ML production readiness
//!   and technical debt reduction", IEEE Big Data 2017.

use serde::{Deserialize, Serialize};
use stats::random::SplitMix64;
use types::batch::ValueKind;

use super::{Change, Entry, NotApplicable, Scene, Transform, touch};

/// A text that is new.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct UnseenCategory {
    pub columns: Vec<String>,
    #[serde(default = "never_seen")]
    pub category: String,
    #[serde(default = "touch::every_row")]
    pub rate: f64,
}

fn never_seen() -> String {
    "never seen before".into()
}

impl Transform for UnseenCategory {
    const ENTRY: Entry = Entry {
        id: "unseen-category",
        title: "Unseen category",
        sentence: "A category arrives that the model was never shown.",
    };

    fn columns(&self) -> Vec<&str> {
        self.columns.iter().map(String::as_str).collect()
    }

    fn usual(feature: &str, kind: ValueKind, rate: f64) -> Vec<Self> {
        let fault = || Self { columns: vec![feature.to_owned()], category: never_seen(), rate };
        (kind == ValueKind::Text).then(fault).into_iter().collect()
    }

    fn transform(&self, scene: Scene<'_>, rng: &mut SplitMix64) -> Result<Change, NotApplicable> {
        let mask = touch::picked(scene.batch.rows(), self.rate, rng)?;
        touch::each_column(scene.batch, &self.columns, |name, values| {
            if touch::categories(scene.reference, name)?.contains(&self.category) {
                let reason =
                    format!("`{}` is a category of `{name}` already: name another one", self.category);
                return Err(NotApplicable::at(name, reason));
            }
            touch::texts(name, values, &mask, |_| self.category.clone())
        })
    }
}
