//! Categories written in another way.
//!
//! # What it does
//!
//! Every category becomes another one of the reference (a permutation without a fixed point), or is written in
//! capitals, in small letters, or with a space after it.
//!
//! # What it stands for in production
//!
//! A new order of codes upstream, an encoder that was fitted again, an export that pads or capitalises.
//!
//! # When it does not apply
//!
//! The column holds no texts, there is one category (for a permutation), or texts are written that way already.
//!
//! # Example
//!
//! `carrier` of `["ua", "dl"]` in capitals becomes `["UA", "DL"]`; permuted, `["dl", "ua"]`.
//!
//! # References
//!
//! * E. Rahm, H. H. Do, "Data cleaning: problems and current approaches", IEEE Data Engineering Bulletin 23, 2000.

use std::collections::BTreeMap;

use rand_core::RngCore;
use serde::{Deserialize, Serialize};
use stats::random::{SplitMix64, below};
use types::batch::ValueKind;

use super::{Change, Entry, NotApplicable, Scene, Transform, touch};

/// Other words for the same categories.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ReEncoding {
    pub columns: Vec<String>,
    #[serde(default)]
    pub form: Encoding,
    #[serde(default = "touch::every_row")]
    pub rate: f64,
}

/// How categories are written afterwards.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Encoding {
    /// Each as another one.
    #[default]
    Permuted,
    Upper,
    Lower,
    /// With a space at the end.
    Padded,
}

impl Transform for ReEncoding {
    const ENTRY: Entry = Entry {
        id: "re-encoding",
        title: "Categories re-encoded",
        sentence: "Categories arrive under other names: permuted, in other case, or padded.",
    };

    fn columns(&self) -> Vec<&str> {
        self.columns.iter().map(String::as_str).collect()
    }

    fn usual(feature: &str, kind: ValueKind, rate: f64) -> Vec<Self> {
        if kind != ValueKind::Text {
            return Vec::new();
        }
        let of = |form| Self { columns: vec![feature.to_owned()], form, rate };
        [Encoding::Permuted, Encoding::Lower, Encoding::Padded].map(of).into()
    }

    fn transform(&self, scene: Scene<'_>, rng: &mut SplitMix64) -> Result<Change, NotApplicable> {
        let mask = touch::picked(scene.batch.rows(), self.rate, rng)?;
        touch::each_column(scene.batch, &self.columns, |name, values| {
            let codes = touch::categories(scene.reference, name)?;
            if self.form == Encoding::Permuted && codes.len() < 2 {
                let reason =
                    format!("`{name}` has fewer than two categories in the reference: none to permute");
                return Err(NotApplicable::at(name, reason));
            }
            let others = permuted(codes, rng);
            touch::texts(name, values, &mask, |text| match self.form {
                Encoding::Permuted => others.get(text).cloned().unwrap_or_else(|| text.to_owned()),
                Encoding::Upper => text.to_uppercase(),
                Encoding::Lower => text.to_lowercase(),
                Encoding::Padded => format!("{text} "),
            })
        })
    }
}

/// Each category's new name, another one's: Sattolo's shuffle, a single cycle.
fn permuted(codes: Vec<String>, rng: &mut impl RngCore) -> BTreeMap<String, String> {
    let mut others = codes.clone();
    for at in (1..others.len()).rev() {
        others.swap(at, below(at as u64, rng.next_u64()) as usize);
    }
    codes.into_iter().zip(others).collect()
}
