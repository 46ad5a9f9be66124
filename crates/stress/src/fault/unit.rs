//! Values in another unit.
//!
//! # What it does
//!
//! Converts numbers: by a thousand, between degrees, inches and centimetres, percentages and shares, or by any factor
//! and offset. Whole numbers stay whole.
//!
//! # What it stands for in production
//!
//! A source that changes its unit (grams for kilograms, °C for °F), cents for dollars, a percentage for a share.
//!
//! # When it does not apply
//!
//! The column holds no numbers.
//!
//! # Example
//!
//! `temp` of `[32, 212]` from Fahrenheit to Celsius becomes `[0, 100]`.
//!
//! # References
//!
//! * A. G. Stephenson et al., "Mars Climate Orbiter mishap investigation board phase I report", NASA, 1999.

use serde::{Deserialize, Serialize};
use stats::random::SplitMix64;
use types::batch::ValueKind;

use super::{Change, Entry, NotApplicable, Scene, Transform, touch};

/// Numbers in a unit that nobody expects.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Unit {
    pub columns: Vec<String>,
    pub conversion: Conversion,
    #[serde(default = "touch::every_row")]
    pub rate: f64,
}

/// From the unit that is expected to the one that is sent.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Conversion {
    Thousandfold,
    Thousandth,
    Hundredfold,
    Hundredth,
    FahrenheitToCelsius,
    CelsiusToFahrenheit,
    InchesToCentimetres,
    MilesToKilometres,
    /// `value * factor + offset`.
    Linear {
        factor: f64,
        offset: f64,
    },
}

impl Conversion {
    fn of(self, value: f64) -> f64 {
        match self {
            Self::Thousandfold => value * 1000.0,
            Self::Thousandth => value / 1000.0,
            Self::Hundredfold => value * 100.0,
            Self::Hundredth => value / 100.0,
            Self::FahrenheitToCelsius => (value - 32.0) * 5.0 / 9.0,
            Self::CelsiusToFahrenheit => value * 9.0 / 5.0 + 32.0,
            Self::InchesToCentimetres => value * 2.54,
            Self::MilesToKilometres => value * 1.609_344,
            Self::Linear { factor, offset } => value * factor + offset,
        }
    }
}

impl Transform for Unit {
    const ENTRY: Entry = Entry {
        id: "unit",
        title: "Wrong unit",
        sentence: "Numbers arrive in another unit or scale than the model was trained with.",
    };

    fn columns(&self) -> Vec<&str> {
        self.columns.iter().map(String::as_str).collect()
    }

    fn usual(feature: &str, kind: ValueKind, rate: f64) -> Vec<Self> {
        if !kind.is_numeric() {
            return Vec::new();
        }
        let of = |conversion| Self { columns: vec![feature.to_owned()], conversion, rate };
        [
            Conversion::Thousandfold,
            Conversion::Thousandth,
            Conversion::FahrenheitToCelsius,
            Conversion::InchesToCentimetres,
        ]
        .map(of)
        .into()
    }

    fn transform(&self, scene: Scene<'_>, rng: &mut SplitMix64) -> Result<Change, NotApplicable> {
        if let Conversion::Linear { factor, offset } = self.conversion
            && !(factor.is_finite() && offset.is_finite())
        {
            return Err(NotApplicable::here("a factor or an offset is not a finite number"));
        }
        let mask = touch::picked(scene.batch.rows(), self.rate, rng)?;
        touch::each_column(scene.batch, &self.columns, |name, values| {
            touch::numbers(name, values, &mask, |value| self.conversion.of(value))
        })
    }
}
