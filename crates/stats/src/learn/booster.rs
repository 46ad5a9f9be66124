//! The learner: options, fitting and predicting.

use thiserror::Error;

use super::bins::{Binning, ColumnBins};
use super::features::{Features, FeaturesError};
use super::histogram::{Derivatives, Layout};
use super::split::Limits;
use super::tree::{Ground, Tree};
use crate::random::{SplitMix64, shuffle_front};

/// Shares of positives closer to 0 or 1 than this count as this; their logit would be infinite.
const SHARE_MIN: f64 = 1e-12;

/// What is to be made small.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Loss {
    /// Negative log-likelihood of a binary target; predictions are probabilities.
    Logistic,
    /// Squared error; predictions are means.
    Squared,
}

/// A random part of the rows for each tree.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct RowSampling {
    /// The share of rows that a tree sees, above 0 and at most 1.
    pub share: f64,
    /// Where the random numbers start; the same seed gives the same trees.
    pub seed: u64,
}

/// How to learn.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Options {
    /// What is to be made small.
    pub loss: Loss,
    /// How many trees; each corrects the sum of those before.
    pub trees: usize,
    /// What each tree's correction is multiplied by, above 0 and at most 1.
    pub learning_rate: f64,
    /// Leaves of a tree at most, from 2.
    pub leaves_max: usize,
    /// Rows in a leaf at least, from 1.
    pub leaf_rows_min: usize,
    /// Added to the curvature of each leaf, 0 or more: draws the values of small leaves to 0.
    pub l2: f64,
    /// Bins for the values of a column at most, 2 to 255.
    pub bins_max: usize,
    /// A random part of the rows for each tree; None for all rows.
    pub row_sampling: Option<RowSampling>,
}

impl Options {
    /// 100 trees of at most 31 leaves, learning rate 0.1.
    pub fn new(loss: Loss) -> Options {
        Options {
            loss,
            trees: 100,
            learning_rate: 0.1,
            leaves_max: 31,
            leaf_rows_min: 20,
            l2: 1.0,
            bins_max: 255,
            row_sampling: None,
        }
    }

    fn check(&self) -> Result<(), LearnError> {
        let share = self.row_sampling.map_or(1.0, |sampling| sampling.share);
        let valid = [
            ("learning_rate", self.learning_rate, self.learning_rate > 0.0 && self.learning_rate <= 1.0),
            ("leaves_max", self.leaves_max as f64, self.leaves_max >= 2),
            ("leaf_rows_min", self.leaf_rows_min as f64, self.leaf_rows_min >= 1),
            ("l2", self.l2, self.l2 >= 0.0 && self.l2.is_finite()),
            ("bins_max", self.bins_max as f64, (2..=255).contains(&self.bins_max)),
            ("row_sampling.share", share, share > 0.0 && share <= 1.0),
        ];
        match valid.iter().find(|(.., valid)| !valid) {
            Some(&(option, value, _)) => Err(LearnError::Option { option, value }),
            None => Ok(()),
        }
    }
}

/// Why nothing can be learnt or predicted.
#[derive(Clone, Copy, Debug, PartialEq, Error)]
pub enum LearnError {
    /// A table without rows.
    #[error("learn from a table without rows")]
    NoRows,
    /// Values that do not belong to the rows.
    #[error("learn from {rows} rows with {values} {what}: each row needs one")]
    LengthsDiffer {
        /// Targets or weights.
        what: &'static str,
        /// Rows of the table.
        rows: usize,
        /// How many values came with them.
        values: usize,
    },
    /// A target that the loss is not made for.
    #[error("learn target {value} in row {row}: it must be a number, and in [0, 1] for the logistic loss")]
    Target {
        /// Position of the row.
        row: usize,
        /// Its target.
        value: f64,
    },
    /// A weight that is none.
    #[error("weigh row {row} by {value}: a weight must be a number of 0 or more")]
    Weight {
        /// Position of the row.
        row: usize,
        /// Its weight.
        value: f64,
    },
    /// Every row counts nothing.
    #[error("learn from rows that all have weight 0")]
    NoWeight,
    /// A setting out of range.
    #[error("learn with {option} = {value}: see the option's range")]
    Option {
        /// Its name.
        option: &'static str,
        /// What was asked for.
        value: f64,
    },
    /// A table with other columns than those learnt from.
    #[error("predict for other columns than those learnt from: {0}")]
    Columns(FeaturesError),
}

/// Boosted trees that were fitted to a table.
#[derive(Clone, Debug)]
pub struct Booster {
    loss: Loss,
    binning: Binning,
    /// The prediction before any tree, on the scale of the trees.
    base: f64,
    /// What raw predictions are multiplied by: the size of a squared loss's largest target.
    scale: f64,
    trees: Vec<Tree>,
    gain: Vec<f64>,
}

impl Booster {
    /// Learns `target` from `features`, one value per row: 0 or 1, or a probability, for the
    /// logistic loss. `weights` count rows more or less, relative to each other; those with weight
    /// 0 are left out. The same arguments always give the same trees.
    ///
    /// # Errors
    /// No rows or no weight, values that are not one per row or not usable, options out of range.
    pub fn fit(
        features: &Features,
        target: &[f64],
        weights: Option<&[f64]>,
        options: &Options,
    ) -> Result<Booster, LearnError> {
        options.check()?;
        check_target(features.rows(), target, options.loss)?;
        let mut rows: Vec<u32> = (0..features.rows() as u32).collect();
        if let Some(weights) = weights {
            check_weights(features.rows(), weights)?;
            rows.retain(|&row| weights[row as usize] > 0.0);
            if rows.is_empty() {
                return Err(LearnError::NoWeight);
            }
        }
        let largest_weight = weights.map_or(1.0, |weights| weights.iter().copied().fold(0.0, f64::max));
        let weight = |row: u32| weights.map_or(1.0, |weights| weights[row as usize] / largest_weight);
        let total: f64 = rows.iter().map(|&row| weight(row)).sum();
        // Weights of mean 1, so that limits on a leaf mean the same whatever the weights' unit.
        let weights: Vec<f64> = rows.iter().map(|&row| weight(row) * (rows.len() as f64 / total)).collect();
        let target: Vec<f64> = rows.iter().map(|&row| target[row as usize]).collect();
        if rows.len() == features.rows() {
            return Ok(Self::fit_weighted(features, target, &weights, options));
        }
        Ok(Self::fit_weighted(&features.at(&rows), target, &weights, options))
    }

    /// All rows have a weight, and the weights' mean is 1.
    fn fit_weighted(
        features: &Features,
        mut target: Vec<f64>,
        weights: &[f64],
        options: &Options,
    ) -> Booster {
        let largest = target.iter().fold(0.0_f64, |largest, y| largest.max(y.abs()));
        // Targets within [-1, 1], so that no square of one overflows.
        let scale = if options.loss == Loss::Squared && largest > 0.0 { largest } else { 1.0 };
        for y in &mut target {
            *y /= scale;
        }
        let rows = weights.len();
        let mean = target.iter().zip(weights).map(|(y, w)| y * w).sum::<f64>() / rows as f64;
        let base = match options.loss {
            Loss::Squared => mean,
            Loss::Logistic => {
                let share = mean.clamp(SHARE_MIN, 1.0 - SHARE_MIN);
                (share / (1.0 - share)).ln()
            }
        };
        let binning = Binning::learn(features, options.bins_max);
        let columns = binning.apply(features);
        let mut gain = vec![0.0; columns.len()];
        let ground = Ground {
            layout: Layout::new(binning.columns().iter().map(ColumnBins::missing)),
            bins: binning.columns(),
            columns: &columns,
            limits: Limits { rows_min: options.leaf_rows_min as f64, l2: options.l2 },
            leaves_max: options.leaves_max,
            learning_rate: options.learning_rate,
        };
        let mut draw = Draw::new(rows, options.row_sampling);
        let mut raw = vec![base; rows];
        let mut derivatives = vec![[0.0; 2]; rows];
        let mut trees = Vec::with_capacity(options.trees.min(1024));
        for _ in 0..options.trees {
            differentiate(options.loss, &target, weights, &raw, &mut derivatives);
            let tree = ground.grow(draw.next_rows(), &derivatives, &mut gain);
            tree.add_to(&columns, &mut raw);
            trees.push(tree);
        }
        Booster { loss: options.loss, binning, base, scale, trees, gain }
    }

    /// The prediction for each row: a probability for the logistic loss, a mean for the squared.
    ///
    /// Categories that were not seen in training count as the rare ones.
    ///
    /// # Errors
    /// A table with other columns than those learnt from.
    pub fn predict(&self, features: &Features) -> Result<Vec<f64>, LearnError> {
        Ok(self.predict_binned(&self.bin(features)?, features.rows()))
    }

    /// By how much the splits on each column made the training loss fall, in the loss's own unit
    /// and the second-order approximation: 0 for a column that no tree looks at.
    ///
    /// Columns with many values have more chances to gain a little on noise; the permutation
    /// importance on rows that were held out does not favour them.
    pub fn gain_by_feature(&self) -> Vec<f64> {
        let in_unit = |gain: &f64| (gain * self.scale * self.scale).min(f64::MAX);
        self.gain.iter().map(in_unit).collect()
    }

    /// The table's bins by column, then row.
    pub(super) fn bin(&self, features: &Features) -> Result<Vec<Vec<u8>>, LearnError> {
        self.binning.check(features).map_err(LearnError::Columns)?;
        Ok(self.binning.apply(features))
    }

    pub(super) fn predict_binned(&self, columns: &[Vec<u8>], rows: usize) -> Vec<f64> {
        let mut raw = vec![self.base; rows];
        self.trees.iter().for_each(|tree| tree.add_to(columns, &mut raw));
        raw.iter().map(|&raw| self.predicted(raw)).collect()
    }

    /// The part of the predictions that `column` has no say in; None where it has none at all.
    pub(super) fn without(&self, column: usize, columns: &[Vec<u8>], rows: usize) -> Option<Without<'_>> {
        let (trees, others): (Vec<&Tree>, Vec<&Tree>) = self.trees.iter().partition(|tree| tree.uses(column));
        if trees.is_empty() {
            return None;
        }
        let mut raw = vec![self.base; rows];
        for tree in others {
            tree.add_to(columns, &mut raw);
        }
        Some(Without { booster: self, trees, raw })
    }

    fn predicted(&self, raw: f64) -> f64 {
        match self.loss {
            Loss::Logistic => logistic(raw),
            // A mean of means stays in range up to rounding, which must not become infinite.
            Loss::Squared => (raw * self.scale).clamp(f64::MIN, f64::MAX),
        }
    }
}

/// Predictions half made: what is left are the trees that look at one column.
pub(super) struct Without<'a> {
    booster: &'a Booster,
    trees: Vec<&'a Tree>,
    raw: Vec<f64>,
}

impl Without<'_> {
    /// The predictions with other values in that column.
    pub(super) fn predict(&self, columns: &[Vec<u8>]) -> Vec<f64> {
        let mut raw = self.raw.clone();
        self.trees.iter().for_each(|tree| tree.add_to(columns, &mut raw));
        raw.iter().map(|&raw| self.booster.predicted(raw)).collect()
    }
}

/// The rows of the next tree.
struct Draw {
    rows: Vec<u32>,
    count: usize,
    rng: Option<SplitMix64>,
}

impl Draw {
    fn new(rows: usize, sampling: Option<RowSampling>) -> Draw {
        let share = sampling.map_or(1.0, |sampling| sampling.share);
        Draw {
            rows: (0..rows as u32).collect(),
            count: ((rows as f64 * share).round() as usize).clamp(1, rows),
            rng: sampling.map(|sampling| SplitMix64::new(sampling.seed)),
        }
    }

    /// In ascending order, which is the order of memory.
    fn next_rows(&mut self) -> &mut [u32] {
        self.rows.sort_unstable();
        if let Some(rng) = &mut self.rng
            && self.count < self.rows.len()
        {
            shuffle_front(&mut self.rows, self.count, rng);
            self.rows[..self.count].sort_unstable();
        }
        &mut self.rows[..self.count]
    }
}

/// First and second derivative of each row's loss by its raw prediction.
fn differentiate(loss: Loss, target: &[f64], weights: &[f64], raw: &[f64], derivatives: &mut [Derivatives]) {
    let rows = target.iter().zip(weights).zip(raw).zip(derivatives);
    match loss {
        Loss::Squared => {
            for (((&y, &w), &raw), derivatives) in rows {
                *derivatives = [w * (raw - y), w];
            }
        }
        Loss::Logistic => {
            for (((&y, &w), &raw), derivatives) in rows {
                let p = logistic(raw);
                *derivatives = [w * (p - y), w * p * (1.0 - p)];
            }
        }
    }
}

fn logistic(raw: f64) -> f64 {
    1.0 / (1.0 + (-raw).exp())
}

fn check_target(rows: usize, target: &[f64], loss: Loss) -> Result<(), LearnError> {
    if rows == 0 {
        return Err(LearnError::NoRows);
    }
    if target.len() != rows {
        return Err(LearnError::LengthsDiffer { what: "targets", rows, values: target.len() });
    }
    let usable = |y: f64| match loss {
        Loss::Logistic => (0.0..=1.0).contains(&y),
        Loss::Squared => y.is_finite(),
    };
    match target.iter().position(|&y| !usable(y)) {
        Some(row) => Err(LearnError::Target { row, value: target[row] }),
        None => Ok(()),
    }
}

fn check_weights(rows: usize, weights: &[f64]) -> Result<(), LearnError> {
    if weights.len() != rows {
        return Err(LearnError::LengthsDiffer { what: "weights", rows, values: weights.len() });
    }
    match weights.iter().position(|&w| !(w >= 0.0 && w.is_finite())) {
        Some(row) => Err(LearnError::Weight { row, value: weights[row] }),
        None => Ok(()),
    }
}
