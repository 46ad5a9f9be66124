//! Scores with their outcomes.

use datafusion::arrow::array::{ArrayRef, AsArray};
use datafusion::arrow::compute::cast;
use datafusion::arrow::datatypes::{DataType, Float64Type};
use datafusion::common::{Result, exec_err};
use serde::{Deserialize, Serialize};
use stats::labelled_scores::LabelledScores;
use stats::sketch::Fidelity;

use super::Summary;

/// Steps between 0 and 1 that scores are rounded to where there are too many to keep.
const GRID: u32 = 1 << 14;

/// The rows of a group that have an outcome, by score.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct ScoredSummary {
    rows: Rows,
    /// Rows with an outcome whose score is missing, NaN or outside [0, 1].
    invalid_scores: u64,
}

#[derive(Debug, Serialize, Deserialize)]
enum Rows {
    /// Every score, by class.
    Exact { positives: Vec<f64>, negatives: Vec<f64> },
    /// Counts at the points of a grid over [0, 1].
    Grid { positives: Vec<u64>, negatives: Vec<u64> },
}

impl ScoredSummary {
    pub(crate) fn into_scores(self) -> Result<(LabelledScores, u64)> {
        let scores = match self.rows {
            Rows::Exact { positives, negatives } => {
                let pairs = positives.into_iter().map(|s| (s, true));
                LabelledScores::from_pairs(pairs.chain(negatives.into_iter().map(|s| (s, false))))
            }
            Rows::Grid { positives, negatives } => {
                let points = (0..=GRID).map(|at| f64::from(at) / f64::from(GRID));
                let counts = points.zip(positives.into_iter().zip(negatives));
                let counts = counts.map(|(score, (positive, negative))| (score, positive, negative));
                LabelledScores::from_counts(counts.collect(), Some(1.0 / f64::from(GRID)))
            }
        };
        match scores {
            Ok(scores) => Ok((scores, self.invalid_scores)),
            Err(error) => exec_err!("scores were let through that are none: {error}"),
        }
    }
}

impl Summary for ScoredSummary {
    const NAME: &'static str = "scored_outcomes";

    fn arguments() -> Vec<DataType> {
        vec![DataType::Float64, DataType::Boolean]
    }

    fn new(fidelity: Fidelity) -> Self {
        let rows = match fidelity {
            Fidelity::Exact => Rows::Exact { positives: Vec::new(), negatives: Vec::new() },
            Fidelity::Sketched => {
                Rows::Grid { positives: vec![0; GRID as usize + 1], negatives: vec![0; GRID as usize + 1] }
            }
        };
        Self { rows, invalid_scores: 0 }
    }

    fn extend(&mut self, columns: &[ArrayRef]) -> Result<()> {
        let scores = cast(&columns[0], &DataType::Float64)?;
        let outcomes = cast(&columns[1], &DataType::Boolean)?;
        let scores = scores.as_primitive::<Float64Type>();
        for (score, outcome) in scores.iter().zip(outcomes.as_boolean()) {
            let Some(outcome) = outcome else { continue };
            let Some(score) = score.filter(|score| (0.0..=1.0).contains(score)) else {
                self.invalid_scores += 1;
                continue;
            };
            match &mut self.rows {
                Rows::Exact { positives, negatives } => {
                    if outcome { positives } else { negatives }.push(score);
                }
                Rows::Grid { positives, negatives } => {
                    let at = (score * f64::from(GRID)).round() as usize;
                    (if outcome { positives } else { negatives })[at] += 1;
                }
            }
        }
        Ok(())
    }

    fn merge(&mut self, other: Self) {
        self.invalid_scores += other.invalid_scores;
        match (&mut self.rows, other.rows) {
            (Rows::Exact { positives, negatives }, Rows::Exact { positives: p, negatives: n }) => {
                positives.extend(p);
                negatives.extend(n);
            }
            (Rows::Grid { positives, negatives }, Rows::Grid { positives: p, negatives: n }) => {
                positives.iter_mut().zip(p).for_each(|(mine, theirs)| *mine += theirs);
                negatives.iter_mut().zip(n).for_each(|(mine, theirs)| *mine += theirs);
            }
            // The fidelity is part of the function's name, so its states are all of one kind.
            (Rows::Exact { .. }, Rows::Grid { .. }) | (Rows::Grid { .. }, Rows::Exact { .. }) => {
                unreachable!("states of one function have one fidelity")
            }
        }
    }

    fn heap_bytes(&self) -> usize {
        let values = match &self.rows {
            Rows::Exact { positives, negatives } => positives.capacity() + negatives.capacity(),
            Rows::Grid { positives, negatives } => positives.capacity() + negatives.capacity(),
        };
        values * size_of::<u64>()
    }
}
