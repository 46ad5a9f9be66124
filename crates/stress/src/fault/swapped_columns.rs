//! Two columns that were swapped.
//!
//! # What it does
//!
//! In some rows two columns of the same type carry each other's values.
//!
//! # What it stands for in production
//!
//! Features that are passed by position and were reordered; width and height, latitude and longitude.
//!
//! # When it does not apply
//!
//! The columns are of different types, or equal.
//!
//! # Example
//!
//! `a` of `[1, 2]` and `b` of `[8, 9]` become `[8, 9]` and `[1, 2]`.
//!
//! # References
//!
//! * E. Rahm, H. H. Do, "Data cleaning: problems and current approaches", IEEE Data Engineering Bulletin 23, 2000.

use serde::{Deserialize, Serialize};
use stats::random::SplitMix64;
use types::batch::{ValueKind, Values};

use super::{Change, Entry, NotApplicable, Scene, Transform, touch};

/// Two columns in each other's place.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SwappedColumns {
    pub first: String,
    pub second: String,
    #[serde(default = "touch::every_row")]
    pub rate: f64,
}

impl Transform for SwappedColumns {
    const ENTRY: Entry = Entry {
        id: "swapped-columns",
        title: "Swapped columns",
        sentence: "Two columns carry each other's values: features passed by position were reordered.",
    };

    fn columns(&self) -> Vec<&str> {
        vec![&self.first, &self.second]
    }

    fn usual(_: &str, _: ValueKind, _: f64) -> Vec<Self> {
        Vec::new()
    }

    fn transform(&self, scene: Scene<'_>, rng: &mut SplitMix64) -> Result<Change, NotApplicable> {
        let mask = touch::picked(scene.batch.rows(), self.rate, rng)?;
        let (first, second) =
            (touch::column(scene.batch, &self.first)?, touch::column(scene.batch, &self.second)?);
        let mixed = |own: &Values, other: &Values| mixed(own, other, &mask);
        let (Some(now_first), Some(now_second)) = (mixed(first, second), mixed(second, first)) else {
            let reason = format!(
                "`{}` holds {} and `{}` {}: only columns of the same type are mistaken for each other",
                self.first,
                first.kind().words(),
                self.second,
                second.kind().words()
            );
            return Err(NotApplicable::at(&self.second, reason));
        };
        let batch = touch::replaced(scene.batch, &self.first, now_first)?;
        Ok(Change { batch: touch::replaced(&batch, &self.second, now_second)?, origin: None })
    }
}

/// `other` in the masked rows, `own` elsewhere; nothing where they are of different types.
fn mixed(own: &Values, other: &Values, mask: &[bool]) -> Option<Values> {
    fn of<V: Clone>(own: &[Option<V>], other: &[Option<V>], mask: &[bool]) -> Vec<Option<V>> {
        (0..mask.len()).map(|row| if mask[row] { other[row].clone() } else { own[row].clone() }).collect()
    }
    Some(match (own, other) {
        (Values::Integers(own), Values::Integers(other)) => Values::Integers(of(own, other, mask)),
        (Values::Numbers(own), Values::Numbers(other)) => Values::Numbers(of(own, other, mask)),
        (Values::Booleans(own), Values::Booleans(other)) => Values::Booleans(of(own, other, mask)),
        (Values::Texts(own), Values::Texts(other)) => Values::Texts(of(own, other, mask)),
        _ => return None,
    })
}
