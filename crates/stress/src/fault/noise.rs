//! Noisy values.
//!
//! # What it does
//!
//! Adds normal noise to numbers; its standard deviation is a multiple of that of the reference.
//!
//! # What it stands for in production
//!
//! A worn sensor, a worse camera or microphone, noise added for privacy.
//!
//! # When it does not apply
//!
//! The column holds no numbers, or the reference does not vary.
//!
//! # Example
//!
//! `temp` of `[39, 41, 47]` with noise of 0.1 standard deviations may become `[39.2, 40.6, 47.1]`.
//!
//! # References
//!
//! * D. Hendrycks, T. Dietterich, "Benchmarking neural network robustness to common corruptions and perturbations",
//!   ICLR 2019.

use serde::{Deserialize, Serialize};
use stats::random::{SplitMix64, uniform};
use stats::special::normal_quantile;
use types::batch::ValueKind;

use super::{Change, Entry, NotApplicable, Scene, Transform, touch};

/// Numbers with something added.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Noise {
    pub columns: Vec<String>,
    /// Of the noise, as a multiple of the reference's.
    pub standard_deviations: f64,
    #[serde(default = "touch::every_row")]
    pub rate: f64,
}

impl Transform for Noise {
    const ENTRY: Entry = Entry {
        id: "noise",
        title: "Noisy values",
        sentence: "Numbers are off by some random amount: a sensor is worn, or noise was added for privacy.",
    };

    fn columns(&self) -> Vec<&str> {
        self.columns.iter().map(String::as_str).collect()
    }

    fn usual(feature: &str, kind: ValueKind, rate: f64) -> Vec<Self> {
        let fault = || Self { columns: vec![feature.to_owned()], standard_deviations: 0.5, rate };
        kind.is_numeric().then(fault).into_iter().collect()
    }

    fn transform(&self, scene: Scene<'_>, rng: &mut SplitMix64) -> Result<Change, NotApplicable> {
        let mask = touch::picked(scene.batch.rows(), self.rate, rng)?;
        touch::each_column(scene.batch, &self.columns, |name, values| {
            let spread = standard_deviation(&touch::sorted_numbers(scene.reference, name)?);
            let scale = spread * self.standard_deviations;
            if !(scale > 0.0 && scale.is_finite()) {
                let reason =
                    format!("`{name}` gets no noise: its standard deviation times the multiple is {scale}");
                return Err(NotApplicable::at(name, reason));
            }
            // A uniform number may be 0, of which there is no quantile.
            let mut normal = || normal_quantile(uniform(rng).max(f64::EPSILON));
            touch::numbers(name, values, &mask, |value| value + scale * normal())
        })
    }
}

fn standard_deviation(values: &[f64]) -> f64 {
    let n = values.len() as f64;
    let mean = values.iter().map(|value| value / n).sum::<f64>();
    (values.iter().map(|value| (value - mean).powi(2) / n).sum::<f64>()).sqrt()
}
