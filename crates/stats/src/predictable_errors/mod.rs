//! Predictable errors: whether the inputs tell where the model will be wrong.
//!
//! Three questions, each answered by boosted trees on rows that they have not seen:
//! [`predictable_mistakes`] of right and wrong, [`predictable_losses`] of the size of a loss, and
//! [`predictable_residuals`] of what is left of the outcome once the prediction is taken off. The first
//! two find where the task is hard, or the model bad; a calibrated model has such places too. The last
//! finds what the model got wrong though its inputs tell.
//!
//! How much can be predicted comes from cross-validation. Its folds share what was learnt by chance,
//! which a test that takes them for independent mistakes for a signal (about twice the variance). The
//! tests therefore learn for each fold from the folds before it only, so that each fold's p-value holds
//! whatever came before, and put the p-values together.

mod learnt_sizes;
mod mistakes;
mod residuals;
mod significance;

use serde::{Deserialize, Serialize};
use thiserror::Error;

pub use learnt_sizes::{PredictableLosses, predictable_losses};
pub use mistakes::{PredictableMistakes, predictable_mistakes};
pub use residuals::{PredictableResiduals, predictable_residuals};

use crate::domain_classifier::shared_rows_correction;
use crate::interval::Level;
use crate::learn::cross_fit::HeldOut;
use crate::learn::{Features, LearnError, Loss, Options, permutation_importance};
use crate::losses::first_unmeasurable;

/// Rows in each fold, at least.
const FOLD_ROWS_MIN: usize = 10;

/// How errors are predicted.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct PredictableOptions {
    /// In how many parts rows are held out, from 2.
    pub folds: usize,
    /// The learner; its loss follows from what is predicted.
    pub learner: Options,
    /// Permutations behind a p-value, from 1.
    pub permutations: usize,
}

impl Default for PredictableOptions {
    /// Five folds, 60 small trees, 999 permutations.
    fn default() -> PredictableOptions {
        let learner = Options { trees: 60, leaves_max: 8, ..Options::new(Loss::Squared) };
        PredictableOptions { folds: 5, learner, permutations: 999 }
    }
}

/// What a column tells of the errors.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct ErrorColumn {
    /// Its position.
    pub column: usize,
    /// By how much the measure (area, or explained share) on held-out rows falls when the column is
    /// shuffled, on average over the folds. About 0 or below for a column that tells nothing.
    pub drop: f64,
    /// Of the drop, from its spread over the folds.
    pub standard_error: f64,
}

/// Why it cannot be said whether errors are predictable.
#[derive(Clone, Copy, Debug, PartialEq, Error)]
pub enum PredictableError {
    /// Values that do not belong to the rows.
    #[error("predict errors of {rows} rows with {values} {what}: each row needs one")]
    LengthsDiffer {
        /// What came in another number.
        what: &'static str,
        /// Rows of the features.
        rows: usize,
        /// How many values came with them.
        values: usize,
    },
    /// A value that is not a number or too large to square.
    #[error("use the {what} {value} of row {row}: it must be a number below 1e72 in size")]
    Value {
        /// Loss, score or residual.
        what: &'static str,
        /// Position of the row.
        row: usize,
        /// Its value.
        value: f64,
    },
    /// Too few rows to hold some out.
    #[error("predict errors: too few {what}, {n} where at least {needed} are needed")]
    TooFewRows {
        /// Which rows there are too few of.
        what: &'static str,
        /// Rows at hand.
        n: usize,
        /// Rows needed.
        needed: usize,
    },
    /// Losses that are all the same.
    #[error("predict how large losses are: they are all the same")]
    NothingVaries,
    /// Residuals that are all 0.
    #[error("predict residuals: they are all 0")]
    NothingLeft,
    /// Fewer than two parts.
    #[error("cross-validate with {folds} folds: it takes at least two")]
    TooFewFolds {
        /// What was asked for.
        folds: usize,
    },
    /// No permutations.
    #[error("permute zero times: ask for some hundreds of permutations")]
    ZeroPermutations,
    /// The learner refused.
    #[error(transparent)]
    Learn(#[from] LearnError),
}

fn check_options(options: &PredictableOptions) -> Result<(), PredictableError> {
    match (options.folds, options.permutations) {
        (folds @ (0 | 1), _) => Err(PredictableError::TooFewFolds { folds }),
        (_, 0) => Err(PredictableError::ZeroPermutations),
        _ => Ok(()),
    }
}

/// Checks that there are measurable values, one per row, and enough of them.
fn check_values(
    features: &Features,
    values: &[f64],
    what: &'static str,
    one: &'static str,
) -> Result<(), PredictableError> {
    let rows = features.rows();
    if rows != values.len() {
        return Err(PredictableError::LengthsDiffer { what, rows, values: values.len() });
    }
    match first_unmeasurable(values) {
        Some(row) => Err(PredictableError::Value { what: one, row, value: values[row] }),
        None => Ok(()),
    }
}

fn check_rows(what: &'static str, n: usize, folds: usize) -> Result<(), PredictableError> {
    let needed = FOLD_ROWS_MIN.saturating_mul(folds);
    if n < needed { Err(PredictableError::TooFewRows { what, n, needed }) } else { Ok(()) }
}

/// The share that `n` rows leave open where none is found: Wilson's upper bound of 0 of `n`.
fn left_open(n: f64, level: Level) -> f64 {
    let z = level.z();
    z * z / (n + z * z)
}

/// The columns whose shuffling makes `score` of held-out predictions and their targets fall, the one that
/// does so most first.
fn error_columns(
    folds: &[HeldOut],
    target: &[f64],
    score: impl Fn(&[f64], &[f64]) -> f64,
    rng: &mut impl rand_core::RngCore,
) -> Vec<ErrorColumn> {
    let drops: Vec<Vec<f64>> = folds
        .iter()
        .map(|fold| {
            let of_fold = fold.of(target);
            let score = |predicted: &[f64]| score(predicted, &of_fold);
            permutation_importance(&fold.booster, &fold.features, score, 1, rng)
                .expect("the held-out rows have the columns that were learnt from")
                .into_iter()
                .map(|importance| importance.drop)
                .collect()
        })
        .collect();
    let k = drops.len() as f64;
    let column = |column: usize| {
        let of_folds = drops.iter().map(|drops| drops[column]);
        let drop = of_folds.clone().sum::<f64>() / k;
        let variance = of_folds.map(|of_fold| (of_fold - drop).powi(2)).sum::<f64>() / (k - 1.0);
        let standard_error = (variance * shared_rows_correction(drops.len())).sqrt();
        ErrorColumn { column, drop, standard_error }
    };
    let mut columns: Vec<ErrorColumn> = (0..drops.first().map_or(0, Vec::len)).map(column).collect();
    columns.sort_by(|a, b| b.drop.total_cmp(&a.drop).then(a.column.cmp(&b.column)));
    columns
}
