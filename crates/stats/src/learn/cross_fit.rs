//! Predictions for rows by boosters that have not seen them.

use super::booster::{Booster, LearnError, Options};
use super::features::Features;

/// What a booster learnt from some rows says of others.
#[derive(Clone, Debug)]
pub(crate) struct HeldOut {
    /// The rows that were held out, by their position in the whole table.
    pub(crate) rows: Vec<u32>,
    /// The table of those rows.
    pub(crate) features: Features,
    /// What was learnt from other rows.
    pub(crate) booster: Booster,
    /// Its predictions for the held-out rows.
    pub(crate) predicted: Vec<f64>,
}

impl HeldOut {
    /// The values of the held-out rows, of those of the whole table.
    pub(crate) fn of(&self, values: &[f64]) -> Vec<f64> {
        self.rows.iter().map(|&row| values[row as usize]).collect()
    }
}

/// Learns from the first rows of each split and predicts the others.
pub(crate) fn held_out(
    features: &Features,
    target: &[f64],
    splits: impl Iterator<Item = (Vec<u32>, Vec<u32>)>,
    options: &Options,
) -> Result<Vec<HeldOut>, LearnError> {
    let fit = |(learnt, rows): (Vec<u32>, Vec<u32>)| {
        let of_learnt: Vec<f64> = learnt.iter().map(|&row| target[row as usize]).collect();
        let booster = Booster::fit(&features.at(&learnt), &of_learnt, None, options)?;
        let features = features.at(&rows);
        let predicted = booster.predict(&features)?;
        Ok(HeldOut { rows, features, booster, predicted })
    };
    splits.map(fit).collect()
}
