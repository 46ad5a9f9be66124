//! The worst subpopulation: how bad the mean loss can be in any part of the rows that features define.
//!
//! # What it measures
//!
//! Segments must be named before they can be looked at, and their crossings are too many to look at all.
//! Here a model of the loss given the features finds the rows where the loss is expected to be largest:
//! the answer is the mean loss of the worst share `α` of rows, which no subpopulation defined by the
//! features and holding at least that share can exceed. Over a grid of `α` it is a curve that falls to
//! the mean loss at `α = 1`. Columns whose shuffling makes it fall are what the subpopulation is made of.
//!
//! # When it misleads
//!
//! * The estimate is that of the worst rows *found*. A model of the loss that is far off finds others, and
//!   the truth is worse: only the lower bound holds whatever was learnt. The upper bound is about the
//!   rows found, and about all only if the model of the loss is good.
//! * Only what the features tell counts. A group that they do not show is not protected by this number.
//! * A small `α` rests on few rows, `α n` of them.
//! * It says nothing of inputs that the rows do not hold.
//! * Of two columns that say the same, each alone can look innocent.
//!
//! # Formula
//!
//! With `h(x)` the conditional risk, `W(α) = inf_η { E(h(X) − η)₊ / α + η }`: the conditional value at
//! risk of `h`. Boosted trees learn `h` from the other folds; on each fold the estimate is the dual
//! with `h` put in, plus the term that makes it insensitive to errors of `h`,
//! `mean of 1{h ≥ q} (loss − h) / α`, with `q` the minimising `η`. Where rows tied at `q` count with the
//! share that makes the weights sum to `α n`, both together are exactly the weighted mean loss of the
//! fold's worst rows. Folds are averaged.
//!
//! Variance: that of `(w (loss − c)) / α + c − W`, `w` the row's weight and `c` the loss expected at `q`;
//! equal to the paper's `(Var (h − q)₊ + Var 1{h ≥ q}(loss − h)) / α²` where `h` is right. `c` is taken
//! from the line that best gives the held-out losses from `h`, because trees are over-confident. Where
//! that line is flat, all that was learnt is noise, which folds share; the variance beyond that of the
//! mean is therefore multiplied by `2 −` its slope (held to 0 … 1).
//!
//! The true curve never rises with `α` and ends at the mean loss: the estimates are made to do so by
//! weighted isotonic regression. Where nothing varies, and losses are all 0 or 1, Wilson's formula over
//! the worst rows is used instead.
//!
//! Simulated at 95 % with known risks (300 windows of 2,000 rows; steps, slopes and a bump; mistakes and
//! losses of any size; `α` of 0.05 to 1), the lower bound held the true worst mean in 98 to 100 % of windows,
//! the two-sided interval in 83 to 99 % and `upper_one_sided` in 75 to 100 %; least for the top of the
//! bump, where rows were not found. With 10,000 rows: 95 to 100 %, 79 to 100 % and 69 to 100 %, all but that
//! top at least 88 %. Without any structure all three held in 94 to 100 %.
//!
//! # Example
//!
//! ```
//! use stats::worst_subpopulation::{WorstOptions, worst_subpopulation};
//! use stats::{interval::Level, learn::{Column, Features}};
//! # use rand_core::{RngCore, impls};
//! # struct Rng(u64);
//! # impl RngCore for Rng {
//! #     fn next_u32(&mut self) -> u32 { (self.next_u64() >> 32) as u32 }
//! #     fn next_u64(&mut self) -> u64 { self.0 = self.0.wrapping_mul(0x5851_f42d_4c95_7f2d) + 1; self.0 }
//! #     fn fill_bytes(&mut self, b: &mut [u8]) { impls::fill_bytes_via_next(self, b) }
//! # }
//! # let mut rng = Rng(1);
//! // Wrong four times in five after 18 o'clock, once in five before.
//! let hour: Vec<f64> = (0..2400).map(|row| f64::from(row % 24)).collect();
//! let losses: Vec<f64> = (0..2400)
//!     .map(|row| f64::from(u8::from((row / 24 % 5 == 0) != (row % 24 >= 18))))
//!     .collect();
//! let features = Features::new(vec![Column::Numeric(hour), Column::Numeric(vec![1.0; 2400])])?;
//! let found =
//!     worst_subpopulation(&features, &losses, &[0.1, 1.0], &WorstOptions::default(), Level::P95, &mut rng)?;
//! assert!((found.points[0].value - 0.8).abs() < 0.1);
//! assert!((found.points[1].value - 0.35).abs() < 1e-9);
//! assert_eq!(found.columns[0].column, 0);
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! # References
//!
//! * M. Li, H. Namkoong, S. Xia, "Evaluating model performance under worst-case subpopulations",
//!   NeurIPS 2021; arXiv 2407.01316: section 3 (two stages, cross-fitting, debiasing), section 4.
//! * V. Chernozhukov et al., "Double/debiased machine learning for treatment and structural parameters",
//!   Econometrics J. 21, 2018.
//! * R. T. Rockafellar, S. Uryasev, "Conditional value-at-risk for general loss distributions",
//!   J. Banking & Finance 26, 2002: ties.

use rand_core::RngCore;
use serde::{Deserialize, Serialize};
use thiserror::Error;

use crate::interval::{Interval, IntervalMethod, Level};
use crate::learn::cross_fit::{HeldOut, held_out};
use crate::learn::folds::Folds;
use crate::learn::{Features, LearnError, Loss, Options, permutation_importance};
use crate::losses::{are_mistakes, first_unmeasurable};
use crate::proportion::wilson_bounds;
use crate::special::normal_quantile;

/// Rows in each fold, at least.
const FOLD_ROWS_MIN: usize = 10;
/// Rows of the worst subpopulation, at least; fewer say nothing.
const WORST_ROWS_MIN: f64 = 10.0;

/// How the worst subpopulation is found.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct WorstOptions {
    /// In how many parts rows are held out, from 2.
    pub folds: usize,
    /// The learner. Its loss is always the squared one.
    pub learner: Options,
    /// The share of rows for which columns are named, above 0 and at most 1.
    pub alpha_explained: f64,
}

impl Default for WorstOptions {
    /// Five folds, 60 trees of four leaves that learn slowly (larger and faster ones rank rows by noise, and
    /// find less), columns of the worst tenth.
    fn default() -> WorstOptions {
        let learner =
            Options { trees: 60, leaves_max: 4, learning_rate: 0.05, ..Options::new(Loss::Squared) };
        WorstOptions { folds: 5, learner, alpha_explained: 0.1 }
    }
}

/// The worst mean loss by the size of the subpopulation.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct WorstSubpopulation {
    /// The curve, from the smallest share to the largest, without repetitions.
    pub points: Vec<WorstPoint>,
    /// Shares that were asked for and are of fewer than ten rows, ascending.
    pub too_small: Vec<f64>,
    /// All columns, the one that makes the worst subpopulation first.
    pub columns: Vec<ColumnRisk>,
    /// The share of rows that `columns` are about.
    pub alpha_explained: f64,
    /// All rows.
    pub n: u64,
}

/// The worst subpopulation of one size.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct WorstPoint {
    /// The least share of rows that a subpopulation must hold.
    pub alpha: f64,
    /// The worst mean loss of any of them.
    pub value: f64,
    /// Of the value.
    pub standard_error: f64,
    /// Two-sided.
    pub interval: Interval,
    /// What the mean loss of the worst rows found is below, with the interval's level on this one side.
    pub upper_one_sided: f64,
    /// Rows behind the value, `α n`.
    pub rows: f64,
}

/// What one column has to do with the worst subpopulation.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct ColumnRisk {
    /// Its position.
    pub column: usize,
    /// By how much the mean loss of the worst rows found falls when the column is shuffled, in the
    /// unit of the loss, on average over the folds. About 0 or below for a column without a say.
    pub loss_drop: f64,
    /// Of the drop, from its spread over the folds.
    pub standard_error: f64,
}

/// Why there is no worst subpopulation.
#[derive(Clone, Copy, Debug, PartialEq, Error)]
pub enum WorstError {
    /// Losses that do not belong to the rows.
    #[error("find the worst of {rows} rows with {losses} losses: each row needs one")]
    LengthsDiffer {
        /// Rows of the features.
        rows: usize,
        /// How many losses came with them.
        losses: usize,
    },
    /// A loss that is not a number or too large to square.
    #[error("use the loss {value} of row {row}: it must be a number below 1e72 in size")]
    Loss {
        /// Position of the row.
        row: usize,
        /// Its loss.
        value: f64,
    },
    /// Too few rows to hold some out.
    #[error("find the worst subpopulation: too few rows, {n} where at least {needed} are needed")]
    TooFewRows {
        /// Rows at hand.
        n: usize,
        /// Rows needed.
        needed: usize,
    },
    /// Fewer than two parts.
    #[error("cross-validate with {folds} folds: it takes at least two")]
    TooFewFolds {
        /// What was asked for.
        folds: usize,
    },
    /// A share that nothing has.
    #[error("find the worst share {alpha} of the rows: it must be above 0 and at most 1")]
    Alpha {
        /// What was asked for.
        alpha: f64,
    },
    /// The learner refused.
    #[error(transparent)]
    Learn(#[from] LearnError),
}

/// The worst mean of `losses` in any subpopulation that `features` define and that holds at least each
/// of the shares `alphas`.
///
/// `losses`: one per row, in any unit, larger is worse; `rng` draws the folds and shuffles columns.
///
/// # Errors
/// Losses that are not one measurable number per row, fewer than ten rows per fold, a share outside
/// (0, 1], options that the learner refuses.
pub fn worst_subpopulation(
    features: &Features,
    losses: &[f64],
    alphas: &[f64],
    options: &WorstOptions,
    level: Level,
    rng: &mut impl RngCore,
) -> Result<WorstSubpopulation, WorstError> {
    check(features, losses, alphas, options)?;
    let n = losses.len();
    let learner = Options { loss: Loss::Squared, ..options.learner };
    let dealt = Folds::stratified(&[n], options.folds, rng);
    let fitted = held_out(features, losses, dealt.each(), &learner)?;
    let folds: Vec<RankedFold> =
        fitted.iter().map(|fold| RankedFold::new(&fold.predicted, &fold.of(losses))).collect();
    let mut sorted = alphas.to_vec();
    sorted.sort_unstable_by(f64::total_cmp);
    sorted.dedup();
    let (shares, too_small): (Vec<f64>, Vec<f64>) =
        sorted.into_iter().partition(|alpha| alpha * n as f64 >= WORST_ROWS_MIN);
    let trust = Trust::of(&folds);
    let found: Vec<Found> = shares.iter().map(|&alpha| Found::of(&folds, alpha, trust)).collect();
    let mean = losses.iter().sum::<f64>() / n as f64;
    let values = falling_to(&found, mean);
    let mistakes = are_mistakes(losses);
    let point = |(found, value): (&Found, f64)| found.point(value, n as f64, mistakes, level);
    Ok(WorstSubpopulation {
        points: found.iter().zip(values).map(point).collect(),
        too_small,
        columns: column_risks(&fitted, losses, options.alpha_explained, rng),
        alpha_explained: options.alpha_explained,
        n: n as u64,
    })
}

/// The held-out rows of a fold, the worst expected first.
struct RankedFold {
    /// Expected losses, descending.
    expected: Vec<f64>,
    /// The losses of the same rows.
    losses: Vec<f64>,
}

impl RankedFold {
    fn new(predicted: &[f64], losses: &[f64]) -> RankedFold {
        let mut order: Vec<usize> = (0..predicted.len()).collect();
        order.sort_by(|&a, &b| predicted[b].total_cmp(&predicted[a]));
        RankedFold {
            expected: order.iter().map(|&row| predicted[row]).collect(),
            losses: order.iter().map(|&row| losses[row]).collect(),
        }
    }

    fn rows(&self) -> f64 {
        self.losses.len() as f64
    }

    /// The first `full` rows belong to the worst share `alpha`; those after, up to `tied`, do with
    /// weight `partial`, because they are expected to be equally bad.
    fn cut(&self, alpha: f64) -> Cut {
        let wanted = alpha * self.rows();
        let last = (wanted.ceil() as usize).clamp(1, self.losses.len()) - 1;
        let threshold = self.expected[last];
        let full = self.expected.partition_point(|&expected| expected > threshold);
        let tied = self.expected.partition_point(|&expected| expected >= threshold);
        let partial = ((wanted - full as f64) / (tied - full) as f64).clamp(0.0, 1.0);
        Cut { full, tied, partial, threshold }
    }

    /// The mean loss of the rows of the cut.
    fn worst_mean(&self, cut: &Cut) -> f64 {
        let sum = |losses: &[f64]| losses.iter().sum::<f64>();
        let weights = cut.full as f64 + cut.partial * (cut.tied - cut.full) as f64;
        (sum(&self.losses[..cut.full]) + cut.partial * sum(&self.losses[cut.full..cut.tied])) / weights
    }
}

struct Cut {
    full: usize,
    tied: usize,
    partial: f64,
    threshold: f64,
}

/// How held-out losses follow what was expected of them.
#[derive(Clone, Copy)]
struct Trust {
    expected_mean: f64,
    losses_mean: f64,
    /// Of the least-squares line, in [0, 1]: 0 where all that was learnt is noise.
    slope: f64,
}

impl Trust {
    fn of(folds: &[RankedFold]) -> Trust {
        let rows = || folds.iter().flat_map(|fold| fold.expected.iter().zip(&fold.losses));
        let n = rows().count() as f64;
        let expected_mean = rows().map(|(expected, _)| expected).sum::<f64>() / n;
        let losses_mean = rows().map(|(_, loss)| loss).sum::<f64>() / n;
        let (mut products, mut squares) = (0.0, 0.0);
        for (expected, loss) in rows() {
            products += (expected - expected_mean) * (loss - losses_mean);
            squares += (expected - expected_mean).powi(2);
        }
        let slope = if squares > 0.0 { (products / squares).clamp(0.0, 1.0) } else { 0.0 };
        Trust { expected_mean, losses_mean, slope }
    }

    fn loss_at(self, expected: f64) -> f64 {
        self.losses_mean + self.slope * (expected - self.expected_mean)
    }
}

/// The worst share of rows, over all folds.
struct Found {
    alpha: f64,
    value: f64,
    variance: f64,
}

impl Found {
    fn of(folds: &[RankedFold], alpha: f64, trust: Trust) -> Found {
        let n: f64 = folds.iter().map(RankedFold::rows).sum();
        let (mut value, mut squares, mut squares_of_all) = (0.0, 0.0, 0.0);
        for fold in folds {
            let cut = fold.cut(alpha);
            let mean = fold.worst_mean(&cut);
            value += mean * fold.rows() / n;
            let at_threshold = trust.loss_at(cut.threshold);
            let weight = |rank: usize| match rank {
                _ if rank < cut.full => 1.0,
                _ if rank < cut.tied => cut.partial,
                _ => 0.0,
            };
            let of_fold = fold.losses.iter().sum::<f64>() / fold.rows();
            for (rank, loss) in fold.losses.iter().enumerate() {
                let influence = weight(rank) * (loss - at_threshold) / alpha + at_threshold - mean;
                squares += influence.powi(2);
                squares_of_all += (loss - of_fold).powi(2);
            }
        }
        let divisor = n * (n - folds.len() as f64);
        let beyond_the_mean = (squares - squares_of_all).max(0.0);
        let variance = (squares + (1.0 - trust.slope) * beyond_the_mean) / divisor;
        Found { alpha, value, variance }
    }

    fn point(&self, value: f64, n: f64, mistakes: bool, level: Level) -> WorstPoint {
        let (rows, standard_error) = (self.alpha * n, self.variance.sqrt());
        // Below this the deviations are rounding of the mean.
        let all_alike = standard_error <= value.abs() * 1e-15;
        let (least, most) = if mistakes { (0.0, 1.0) } else { (f64::MIN, f64::MAX) };
        let one_sided = -normal_quantile(1.0 - level.get());
        let (lower, upper, method, upper_one_sided) = if all_alike && mistakes {
            let (lower, upper) = wilson_bounds(value.clamp(0.0, 1.0), rows, level);
            // A bound with all of the error on one side is one of a two-sided interval with twice of it.
            let one_sided = Level::new(2.0 * level.get() - 1.0);
            let upper_one_sided =
                one_sided.map_or(value, |level| wilson_bounds(value.clamp(0.0, 1.0), rows, level).1);
            (lower, upper, IntervalMethod::WilsonOfBoundedMean, upper_one_sided)
        } else {
            let half = level.z() * standard_error;
            let upper_one_sided = value + one_sided * standard_error;
            (value - half, value + half, IntervalMethod::NormalOfInfluence, upper_one_sided)
        };
        WorstPoint {
            alpha: self.alpha,
            value,
            standard_error,
            interval: Interval {
                lower: lower.clamp(least.min(value), value),
                upper: upper.clamp(value, most.max(value)),
                level,
                method,
            },
            upper_one_sided: upper_one_sided.min(most.max(value)),
            rows,
        }
    }
}

/// The values that never rise with the share, nor fall below `mean`, and are nearest to those found in
/// the sense of least squares weighted by their precision (pool adjacent violators, then cut).
fn falling_to(found: &[Found], mean: f64) -> Vec<f64> {
    // (sum of weights, weighted mean, points)
    let mut blocks: Vec<(f64, f64, usize)> = Vec::new();
    for point in found {
        let weight = if point.variance > 0.0 { 1.0 / point.variance } else { 1.0 };
        let mut block = (weight, point.value, 1);
        while let Some(&(weight, value, points)) = blocks.last() {
            if value >= block.1 {
                break;
            }
            let total = weight + block.0;
            block = (total, (weight / total) * value + (block.0 / total) * block.1, points + block.2);
            blocks.pop();
        }
        blocks.push(block);
    }
    let values = blocks.iter().flat_map(|&(_, value, points)| std::iter::repeat_n(value, points));
    values.zip(found).map(|(value, point)| if point.alpha == 1.0 { mean } else { value.max(mean) }).collect()
}

fn column_risks(fitted: &[HeldOut], losses: &[f64], alpha: f64, rng: &mut impl RngCore) -> Vec<ColumnRisk> {
    let drops: Vec<Vec<f64>> = fitted
        .iter()
        .map(|fold| {
            let of_rows = fold.of(losses);
            let score = |predicted: &[f64]| {
                let ranked = RankedFold::new(predicted, &of_rows);
                ranked.worst_mean(&ranked.cut(alpha))
            };
            permutation_importance(&fold.booster, &fold.features, score, 1, rng)
                .expect("the held-out rows have the columns that were learnt from")
                .into_iter()
                .map(|importance| importance.drop)
                .collect()
        })
        .collect();
    let k = drops.len() as f64;
    let columns = drops.first().map_or(0, Vec::len);
    let risk = |column: usize| {
        let of_folds = drops.iter().map(|drops| drops[column]);
        let loss_drop = of_folds.clone().sum::<f64>() / k;
        let variance = of_folds.map(|drop| (drop - loss_drop).powi(2)).sum::<f64>() / (k - 1.0);
        // Nadeau & Bengio's correction for models that share most of their rows.
        ColumnRisk { column, loss_drop, standard_error: (variance * (1.0 / k + 1.0 / (k - 1.0))).sqrt() }
    };
    let mut risks: Vec<ColumnRisk> = (0..columns).map(risk).collect();
    risks.sort_by(|a, b| b.loss_drop.total_cmp(&a.loss_drop).then(a.column.cmp(&b.column)));
    risks
}

fn check(
    features: &Features,
    losses: &[f64],
    alphas: &[f64],
    options: &WorstOptions,
) -> Result<(), WorstError> {
    let (rows, n) = (features.rows(), losses.len());
    if rows != n {
        return Err(WorstError::LengthsDiffer { rows, losses: n });
    }
    if let Some(row) = first_unmeasurable(losses) {
        return Err(WorstError::Loss { row, value: losses[row] });
    }
    let is_share = |alpha: &f64| *alpha > 0.0 && *alpha <= 1.0;
    if let Some(&alpha) = alphas.iter().chain([&options.alpha_explained]).find(|alpha| !is_share(alpha)) {
        return Err(WorstError::Alpha { alpha });
    }
    if options.folds < 2 {
        return Err(WorstError::TooFewFolds { folds: options.folds });
    }
    let needed = FOLD_ROWS_MIN.saturating_mul(options.folds);
    if n < needed {
        return Err(WorstError::TooFewRows { n, needed });
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::binomial::tests::SplitMix;

    fn uniform(rng: &mut SplitMix) -> f64 {
        (rng.next_u64() >> 11) as f64 / (1_u64 << 53) as f64
    }

    /// The dual, minimised over the values of `h`, plus the term that removes the first-order bias.
    fn dual_with_augmentation(expected: &[f64], losses: &[f64], alpha: f64) -> f64 {
        let n = losses.len() as f64;
        let dual = |eta: f64| expected.iter().map(|h| (h - eta).max(0.0)).sum::<f64>() / n / alpha + eta;
        let q = *expected.iter().min_by(|a, b| dual(**a).total_cmp(&dual(**b))).unwrap();
        let rows = || expected.iter().zip(losses);
        let above: f64 = rows().filter(|(h, _)| **h > q).map(|(h, loss)| loss - h).sum();
        let tied: Vec<f64> = rows().filter(|(h, _)| **h == q).map(|(h, loss)| loss - h).collect();
        let beyond = expected.iter().filter(|h| **h > q).count() as f64;
        let share = (alpha * n - beyond) / tied.len() as f64;
        dual(q) + (above + share * tied.iter().sum::<f64>()) / n / alpha
    }

    #[test]
    fn the_mean_of_the_worst_rows_is_the_dual_with_its_augmentation() {
        let mut rng = SplitMix(3);
        for (rows, steps) in [(10, 1e9), (57, 5.0), (200, 12.0), (33, 1.0)] {
            let expected: Vec<f64> = (0..rows).map(|_| (uniform(&mut rng) * steps).floor() / steps).collect();
            let losses: Vec<f64> = (0..rows).map(|_| uniform(&mut rng)).collect();
            let fold = RankedFold::new(&expected, &losses);
            for alpha in [0.07, 0.1, 0.25, 0.5, 0.9, 1.0] {
                let found = fold.worst_mean(&fold.cut(alpha));
                let dual = dual_with_augmentation(&expected, &losses, alpha);
                assert!((found - dual).abs() < 1e-9, "{rows} {steps} {alpha}: {found} {dual}");
            }
        }
    }

    #[test]
    fn the_curve_falls_and_is_nearest_to_what_was_found() {
        let found = |values: &[f64]| -> Vec<Found> {
            let at = |(at, &value): (usize, &f64)| Found {
                alpha: (at + 1) as f64 / values.len() as f64,
                value,
                variance: 1.0,
            };
            values.iter().enumerate().map(at).collect()
        };
        assert_eq!(falling_to(&found(&[3.0, 5.0, 2.0, 1.0]), 1.0), [4.0, 4.0, 2.0, 1.0]);
        assert_eq!(falling_to(&found(&[0.5, 0.5, 2.0]), 2.0), [2.0, 2.0, 2.0]);
        assert!(falling_to(&[], 2.0).is_empty());
    }
}
