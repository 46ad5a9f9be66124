//! A reference that somebody has poisoned.
//!
//! # What it does
//!
//! In the rows of one region (a number of at least some value, or a category) outcomes are set to what the attacker
//! wants.
//!
//! # What it stands for in production
//!
//! Somebody who can write a few rows of the reference or of the training data (reviews, reports, clicks) and aims at
//! one kind of case. Averages hardly move, and the region is lost.
//!
//! # When it does not apply
//!
//! No row lies in the region, the outcome is of another type than the wanted one, or all outcomes are so already.
//!
//! # Example
//!
//! `delayed` of `[1, 0, 1]`, with `carrier` of `["UA", "DL", "DL"]` and the region `carrier = DL`, wanted 0, becomes
//! `[1, 0, 0]`.
//!
//! # References
//!
//! * B. Biggio, B. Nelson, P. Laskov, "Poisoning attacks against support vector machines", ICML 2012.
//! * T. Gu, B. Dolan-Gavitt, S. Garg, "BadNets: identifying vulnerabilities in the machine learning model supply
//!   chain", 2017: a trigger and a wanted class.

use serde::{Deserialize, Serialize};
use stats::random::SplitMix64;
use types::batch::{ValueKind, Values};

use super::{Change, Entry, NotApplicable, Scene, Transform, touch};

/// Outcomes of one kind of case, as somebody wants them.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Poisoning {
    pub outcome: String,
    /// `1`, `true` or a class, as the outcome is written.
    pub wanted: String,
    pub region: Region,
    /// The share of the region's rows that are poisoned.
    #[serde(default = "touch::every_row")]
    pub rate: f64,
}

/// The cases that the attacker is after.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Region {
    AtLeast { column: String, value: f64 },
    Category { column: String, value: String },
}

impl Region {
    fn rows(&self, scene: Scene<'_>) -> Result<Vec<usize>, NotApplicable> {
        let rows = 0..scene.batch.rows();
        match self {
            Self::AtLeast { column, value } => {
                let values = touch::column(scene.batch, column)?;
                Ok(rows.filter(|&row| values.number(row).is_some_and(|number| number >= *value)).collect())
            }
            Self::Category { column, value } => {
                let values = touch::column(scene.batch, column)?;
                Ok(rows.filter(|&row| values.text(row).as_ref() == Some(value)).collect())
            }
        }
    }
}

impl Transform for Poisoning {
    const ENTRY: Entry = Entry {
        id: "poisoning",
        title: "Poisoned outcomes",
        sentence: "Somebody has set the outcomes of one kind of case to what they want.",
    };

    fn columns(&self) -> Vec<&str> {
        vec![&self.outcome]
    }

    fn usual(_: &str, _: ValueKind, _: f64) -> Vec<Self> {
        Vec::new()
    }

    fn transform(&self, scene: Scene<'_>, rng: &mut SplitMix64) -> Result<Change, NotApplicable> {
        let region = self.region.rows(scene)?;
        if region.is_empty() {
            return Err(NotApplicable::here("no row lies in the region that is to be poisoned"));
        }
        let of_region = touch::picked(region.len(), self.rate, rng)?;
        let mut mask = vec![false; scene.batch.rows()];
        for (row, is_hit) in region.into_iter().zip(of_region) {
            mask[row] = is_hit;
        }
        touch::each_column(scene.batch, &[&self.outcome], |name, values| {
            self.wanted_in(values, &mask).ok_or_else(|| {
                let kind = values.kind().words();
                NotApplicable::at(name, format!("`{name}` holds {kind}, and `{}` is none", self.wanted))
            })
        })
    }
}

impl Poisoning {
    fn wanted_in(&self, values: &Values, mask: &[bool]) -> Option<Values> {
        fn set<V: Clone>(values: &[Option<V>], mask: &[bool], wanted: &V) -> Vec<Option<V>> {
            let rows = values.iter().zip(mask);
            rows.map(|(value, hit)| if *hit { Some(wanted.clone()) } else { value.clone() }).collect()
        }
        let wanted = &self.wanted;
        Some(match values {
            Values::Integers(values) => Values::Integers(set(values, mask, &wanted.parse().ok()?)),
            Values::Numbers(values) => Values::Numbers(set(values, mask, &wanted.parse().ok()?)),
            Values::Booleans(values) => Values::Booleans(set(values, mask, &wanted.parse().ok()?)),
            Values::Texts(values) => Values::Texts(set(values, mask, wanted)),
        })
    }
}
