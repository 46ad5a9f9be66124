//! How much worse predictions get when a column is shuffled.

use rand_core::RngCore;
use serde::{Deserialize, Serialize};
use thiserror::Error;

use super::booster::{Booster, LearnError};
use super::features::Features;
use crate::random::shuffle;

/// What a column is worth to a booster.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Importance {
    /// Mean drop of the score when the column is shuffled; about 0 or below for a useless column.
    pub drop: f64,
    /// Standard deviation of the drop over the shuffles; 0 with one shuffle.
    pub standard_deviation: f64,
}

/// Why there is no importance.
#[derive(Clone, Copy, Debug, PartialEq, Error)]
pub enum ImportanceError {
    /// The booster cannot predict for the table.
    #[error(transparent)]
    Predict(#[from] LearnError),
    /// Nothing can be learnt from no shuffles.
    #[error("shuffle each column zero times: ask for at least one")]
    ZeroShuffles,
}

/// Permutation importance of each column: the score of predictions for `features` less the mean
/// score with that column's values shuffled between rows (Breiman 2001, section 10).
///
/// `score` takes predictions in row order; more is better. Give rows that were held out: on
/// training rows, a column that was learnt by heart looks important. Of two columns that say the
/// same, either can stand in for the other, and both look less important than they are.
///
/// # Errors
/// A table with other columns than those learnt from; no shuffles.
pub fn permutation_importance(
    booster: &Booster,
    features: &Features,
    score: impl Fn(&[f64]) -> f64,
    shuffles: usize,
    rng: &mut impl RngCore,
) -> Result<Vec<Importance>, ImportanceError> {
    if shuffles == 0 {
        return Err(ImportanceError::ZeroShuffles);
    }
    let mut columns = booster.bin(features)?;
    let rows = features.rows();
    let whole = score(&booster.predict_binned(&columns, rows));
    let mut importances = Vec::with_capacity(columns.len());
    for column in 0..columns.len() {
        let Some(without) = booster.without(column, &columns, rows) else {
            importances.push(Importance { drop: 0.0, standard_deviation: 0.0 });
            continue;
        };
        let kept = columns[column].clone();
        let drops: Vec<f64> = (0..shuffles)
            .map(|_| {
                shuffle(&mut columns[column], rng);
                whole - score(&without.predict(&columns))
            })
            .collect();
        columns[column] = kept;
        importances.push(summary(&drops));
    }
    Ok(importances)
}

fn summary(drops: &[f64]) -> Importance {
    let n = drops.len() as f64;
    let drop = drops.iter().sum::<f64>() / n;
    let squares: f64 = drops.iter().map(|d| (d - drop).powi(2)).sum();
    Importance { drop, standard_deviation: if n > 1.0 { (squares / (n - 1.0)).sqrt() } else { 0.0 } }
}
