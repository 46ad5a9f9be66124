//! Values of another type.
//!
//! # What it does
//!
//! A column of numbers (or of yes and no) becomes one of texts, as it does where one row of a table is no number any
//! more. Rows that are hit read `N/A`, have a comma in the place of the point, or carry a unit.
//!
//! # What it stands for in production
//!
//! A source that is typed by hand, a CSV file of another country, a service that answers with a word in an error.
//!
//! # When it does not apply
//!
//! The column holds texts already.
//!
//! # Example
//!
//! `temp` of `[39.5, 41.0]` with a comma becomes `["39,5", "41"]`; only the first row is touched, because the second
//! still reads as the number that it was.
//!
//! # References
//!
//! * N. Polyzotis, M. Zinkevich, S. Roy, E. Breck, S. Whang, "Data validation for machine learning", MLSys 2019.

use serde::{Deserialize, Serialize};
use stats::random::SplitMix64;
use types::batch::{ValueKind, Values};

use super::{Change, Entry, NotApplicable, Scene, Transform, touch};

/// Texts where numbers belong.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TypeCorruption {
    pub columns: Vec<String>,
    #[serde(default)]
    pub form: Form,
    #[serde(default = "touch::every_row")]
    pub rate: f64,
}

/// What is written in the place of a number.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Form {
    /// `N/A`.
    #[default]
    NotAvailable,
    /// `39,5`.
    DecimalComma,
    /// `39.5 units`.
    WithUnit,
}

impl Transform for TypeCorruption {
    const ENTRY: Entry = Entry {
        id: "type-corruption",
        title: "Wrong type",
        sentence: "Texts such as N/A or 39,5 arrive where numbers belong.",
    };

    fn columns(&self) -> Vec<&str> {
        self.columns.iter().map(String::as_str).collect()
    }

    fn usual(feature: &str, kind: ValueKind, rate: f64) -> Vec<Self> {
        let forms: &[Form] = match kind {
            ValueKind::Number => &[Form::NotAvailable, Form::DecimalComma],
            ValueKind::Integer | ValueKind::Boolean => &[Form::NotAvailable],
            ValueKind::Text => &[],
        };
        forms.iter().map(|&form| Self { columns: vec![feature.to_owned()], form, rate }).collect()
    }

    fn transform(&self, scene: Scene<'_>, rng: &mut SplitMix64) -> Result<Change, NotApplicable> {
        let mask = touch::picked(scene.batch.rows(), self.rate, rng)?;
        touch::each_column(scene.batch, &self.columns, |name, values| {
            if values.kind() == ValueKind::Text {
                return Err(touch::not_of(name, values, "numbers"));
            }
            let written = |row: usize| {
                let plain = values.text(row)?;
                Some(match (mask[row], self.form) {
                    (false, _) => plain,
                    (true, Form::NotAvailable) => "N/A".to_owned(),
                    (true, Form::DecimalComma) => plain.replace('.', ","),
                    (true, Form::WithUnit) => format!("{plain} units"),
                })
            };
            Ok(Values::Texts((0..values.len()).map(written).collect()))
        })
    }
}
