//! Missing values.
//!
//! # What it does
//!
//! Takes the values of one or several columns away, in the same rows: completely at random, more likely where
//! another column is high, or more likely where the value itself is high (for texts: the more, the later the value
//! comes in alphabetical order). The row most likely to be hit is 20 times as likely as the least likely one.
//!
//! # What it stands for in production
//!
//! A sensor, form field or upstream service that is down (rate 1, all columns of the source), that fails under load
//! (dependent on another column), or that cannot report extremes (dependent on its own value).
//!
//! # When it does not apply
//!
//! The columns have no value to lose, or the column that it depends on is not there.
//!
//! # Example
//!
//! `temp` of `[39, 41, 47]` at rate 1 becomes `[–, –, –]`.
//!
//! # References
//!
//! * D. B. Rubin, "Inference and missing data", Biometrika 63, 1976: the three mechanisms.
//! * S. Schelter, T. Rukat, F. Biessmann, "JENGA: a framework to study the impact of data errors on the predictions
//!   of machine learning models", EDBT 2021.

use serde::{Deserialize, Serialize};
use stats::random::SplitMix64;
use types::batch::{Batch, ValueKind, Values};

use super::{Change, Entry, NotApplicable, Scene, Transform, touch};

/// Values that are not there.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Missing {
    /// Lost together.
    pub columns: Vec<String>,
    /// The share of rows that lose them.
    #[serde(default = "touch::every_row")]
    pub rate: f64,
    #[serde(default)]
    pub mechanism: Mechanism,
}

/// Which rows lose their values.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Mechanism {
    /// Any, alike.
    #[default]
    AtRandom,
    /// Rather those in which this column is high.
    DependsOn(String),
    /// Rather those in which the lost value is high.
    OwnValue,
}

impl Missing {
    /// These columns, completely at random.
    pub fn of<N: Into<String>>(columns: impl IntoIterator<Item = N>, rate: f64) -> Self {
        Self { columns: columns.into_iter().map(Into::into).collect(), rate, mechanism: Mechanism::AtRandom }
    }
}

impl Transform for Missing {
    const ENTRY: Entry = Entry {
        id: "missing",
        title: "Missing values",
        sentence: "Values do not arrive: a sensor, a form field or a whole source is down.",
    };

    fn columns(&self) -> Vec<&str> {
        self.columns.iter().map(String::as_str).collect()
    }

    fn usual(_: &str, _: ValueKind, _: f64) -> Vec<Self> {
        // Which rows lose a value is chosen where it is planned, because it may depend on other columns.
        Vec::new()
    }

    fn transform(&self, scene: Scene<'_>, rng: &mut SplitMix64) -> Result<Change, NotApplicable> {
        let rows = scene.batch.rows();
        let by = match (&self.mechanism, self.columns.first()) {
            (Mechanism::DependsOn(other), _) => Some(other),
            (Mechanism::OwnValue, first) => first,
            (Mechanism::AtRandom, _) => None,
        };
        let mask = match by {
            Some(by) => touch::picked_by_standing(&standing(scene.batch, by)?, self.rate, rng)?,
            None => touch::picked(rows, self.rate, rng)?,
        };
        touch::each_column(scene.batch, &self.columns, |_, values| Ok(touch::without(values, &mask)))
    }
}

/// Where the value of each row stands among all, from 0 (lowest, or none) to 1; equal values stand alike.
fn standing(batch: &Batch, name: &str) -> Result<Vec<f64>, NotApplicable> {
    let values = touch::column(batch, name)?;
    let compared = |a: usize, b: usize| match values {
        Values::Texts(texts) => texts[a].cmp(&texts[b]),
        Values::Booleans(answers) => answers[a].cmp(&answers[b]),
        numbers => {
            let key = |row| numbers.number(row).unwrap_or(f64::NEG_INFINITY);
            key(a).total_cmp(&key(b))
        }
    };
    let mut order: Vec<usize> = (0..batch.rows()).collect();
    order.sort_by(|&a, &b| compared(a, b));
    let last = order.len().saturating_sub(1).max(1) as f64;
    let mut standing = vec![0.0; order.len()];
    let mut rank = 0;
    for (at, &row) in order.iter().enumerate() {
        if at > 0 && compared(order[at - 1], row).is_ne() {
            rank = at;
        }
        standing[row] = rank as f64 / last;
    }
    Ok(standing)
}
