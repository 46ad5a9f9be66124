//! Wrong outcomes.
//!
//! # What it does
//!
//! Outcomes of some rows are turned: yes and no, 0 and 1, or a class into another one of the reference, each alike.
//!
//! # What it stands for in production
//!
//! Labels by tired people, outcomes that are recorded too early, a feedback loop that errs. It is a fault of the
//! rows that a model is judged by, or trained on again: does what is measured survive it?
//!
//! # When it does not apply
//!
//! The outcome is a number other than 0 and 1, or has one class.
//!
//! # Example
//!
//! `delayed` of `[true, false]` becomes `[false, true]`.
//!
//! # References
//!
//! * C. G. Northcutt, A. Athalye, J. Mueller, "Pervasive label errors in test sets destabilize machine learning
//!   benchmarks", NeurIPS Datasets and Benchmarks 2021.

use rand_core::RngCore;
use serde::{Deserialize, Serialize};
use stats::random::{SplitMix64, below};
use types::batch::{ValueKind, Values};

use super::{Change, Entry, NotApplicable, Scene, Transform, touch};

/// Outcomes that did not happen.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct LabelNoise {
    pub outcome: String,
    #[serde(default = "touch::every_row")]
    pub rate: f64,
}

impl Transform for LabelNoise {
    const ENTRY: Entry = Entry {
        id: "label-noise",
        title: "Label noise",
        sentence: "Outcomes of some rows are recorded wrongly.",
    };

    fn columns(&self) -> Vec<&str> {
        vec![&self.outcome]
    }

    fn usual(_: &str, _: ValueKind, _: f64) -> Vec<Self> {
        Vec::new()
    }

    fn transform(&self, scene: Scene<'_>, rng: &mut SplitMix64) -> Result<Change, NotApplicable> {
        let mask = touch::picked(scene.batch.rows(), self.rate, rng)?;
        touch::each_column(scene.batch, &[&self.outcome], |name, values| match values {
            Values::Booleans(values) => {
                let turned = values.iter().zip(&mask).map(|(value, hit)| value.map(|value| value != *hit));
                Ok(Values::Booleans(turned.collect()))
            }
            Values::Texts(_) => {
                let classes = touch::categories(scene.reference, name)?;
                if classes.len() < 2 {
                    return Err(NotApplicable::at(
                        name,
                        format!("`{name}` has one class: there is no other one"),
                    ));
                }
                touch::texts(name, values, &mask, |class| {
                    let others: Vec<&String> = classes.iter().filter(|other| *other != class).collect();
                    others[below(others.len() as u64, rng.next_u64()) as usize].clone()
                })
            }
            numbers => {
                let is_class = |row| numbers.number(row).is_none_or(|value| value == 0.0 || value == 1.0);
                if !(0..numbers.len()).all(is_class) {
                    let reason = format!("`{name}` holds numbers other than 0 and 1: they have no opposite");
                    return Err(NotApplicable::at(name, reason));
                }
                touch::numbers(name, numbers, &mask, |value| 1.0 - value)
            }
        })
    }
}
