//! Rounded values.
//!
//! # What it does
//!
//! Rounds numbers to the nearest multiple of a step; without a step, to a quarter of the reference's interquartile
//! range.
//!
//! # What it stands for in production
//!
//! A form that asks for thousands, a float stored as a whole number, a price list in steps.
//!
//! # When it does not apply
//!
//! The column holds no numbers, they are all multiples of the step already, or no step follows from the reference.
//!
//! # Example
//!
//! `temp` of `[39.4, 41.6]` in steps of 1 becomes `[39, 42]`.
//!
//! # References
//!
//! * S. Schelter, T. Rukat, F. Biessmann, "JENGA: a framework to study the impact of data errors on the predictions
//!   of machine learning models", EDBT 2021.

use serde::{Deserialize, Serialize};
use stats::random::SplitMix64;
use types::batch::ValueKind;

use super::{Change, Entry, NotApplicable, Scene, Transform, touch};

/// Numbers with fewer digits.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Rounding {
    pub columns: Vec<String>,
    /// What values are multiples of afterwards.
    #[serde(default)]
    pub step: Option<f64>,
    #[serde(default = "touch::every_row")]
    pub rate: f64,
}

impl Transform for Rounding {
    const ENTRY: Entry = Entry {
        id: "rounding",
        title: "Rounded values",
        sentence: "Numbers arrive rounded: precision was lost on the way.",
    };

    fn columns(&self) -> Vec<&str> {
        self.columns.iter().map(String::as_str).collect()
    }

    fn usual(feature: &str, kind: ValueKind, rate: f64) -> Vec<Self> {
        let fault = || Self { columns: vec![feature.to_owned()], step: None, rate };
        kind.is_numeric().then(fault).into_iter().collect()
    }

    fn transform(&self, scene: Scene<'_>, rng: &mut SplitMix64) -> Result<Change, NotApplicable> {
        let mask = touch::picked(scene.batch.rows(), self.rate, rng)?;
        touch::each_column(scene.batch, &self.columns, |name, values| {
            let step = match self.step {
                Some(step) => step,
                None => quarter_of_the_middle(&touch::sorted_numbers(scene.reference, name)?),
            };
            if !(step > 0.0 && step.is_finite()) {
                let reason =
                    format!("`{name}` cannot be rounded to multiples of {step}: name a step above 0");
                return Err(NotApplicable::at(name, reason));
            }
            touch::numbers(name, values, &mask, |value| (value / step).round() * step)
        })
    }
}

/// A quarter of the distance between the quartiles.
fn quarter_of_the_middle(sorted: &[f64]) -> f64 {
    let at = |share: f64| sorted[((sorted.len() - 1) as f64 * share).round() as usize];
    (at(0.75) - at(0.25)) / 4.0
}
