//! From a score to the probability of a positive outcome, learnt from the reference.
//!
//! # What it measures
//!
//! The share of positives at each score: by isotonic regression of the reference's outcomes on its
//! scores, or the score itself where the scores are calibrated already.
//!
//! # When it misleads
//!
//! It speaks of the reference. Where the same score now goes with another share of positives, it
//! is wrong by as much, and nothing in the current window's scores shows it.
//!
//! # Formula
//!
//! [`CalibrationChoice`] decides as NannyML does: ten times, nine tenths of the reference fit an
//! isotonic function and the last tenth is held out; over all held-out rows together, the expected
//! calibration error in ten bins of equal mass is taken before and after, and the scores are
//! calibrated where it is smaller after. Scores that separate the classes (area under the ROC curve
//! above 0.999) are left alone. Differences from NannyML: the rows held out are drawn by score and
//! outcome, from `rng`, each with probability 0.1, where NannyML draws exactly a tenth of each
//! outcome by row number with a fixed seed; and a tie on the border of two bins is shared between
//! them, where NannyML leaves it to the sort. Close calls can therefore fall differently, and then
//! either answer is about as good.
//!
//! The uncertainty of the fit is that of its blocks: a block of `n` rows with share `p` has the
//! variance `p(1 − p) / n`, with half a row of each outcome added so that a block of equal outcomes
//! is not taken as certain. With weights, `n = (Σw)² / Σw²`. Beside that, a fit is a little too sure of
//! its own data: how much better a metric looks by the fit than by the outcomes on the reference
//! itself, its optimism, extends the interval on that side.
//!
//! # Example
//!
//! ```
//! use stats::{estimated::calibrator::Calibrator, labelled_scores::LabelledScores};
//! // Promises 0.9, keeps 0.75.
//! let reference = LabelledScores::from_counts(vec![(0.2, 10, 40), (0.9, 75, 25)], None)?;
//! let calibrator = Calibrator::isotonic(&reference)?;
//! assert_eq!(calibrator.probability(0.9), 0.75);
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! # References
//!
//! * J. Białek, W. Kuberski, N. Perrakis, A. Bifet, "Estimating model performance under covariate
//!   shift without labels", 2024, arXiv 2401.08348.
//! * B. Zadrozny, C. Elkan, "Transforming classifier scores into accurate multiclass probability
//!   estimates", KDD 2002.

use rand_core::RngCore;
use serde::{Deserialize, Serialize};

use super::EstimatedError;
use super::isotonic::{Block, Isotonic, Place};
use super::ranking::Mass;
use crate::binomial::Binomial;
use crate::classification::Undefined;
use crate::classification::roc_auc::roc_auc;
use crate::interval::Level;
use crate::labelled_scores::LabelledScores;

/// How often rows are held out to see whether calibration helps, and the share of them.
const SPLITS: usize = 10;
const HELD_OUT: f64 = 0.1;
const BINS: usize = 10;
/// With an area above this the classes are separated and calibration has nothing to learn from.
const SEPARATED: f64 = 0.999;

/// Whether calibration makes the reference's scores better, on rows that it was not fitted to.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct CalibrationChoice {
    /// Whether to calibrate.
    pub calibrate: bool,
    /// Expected calibration error of the scores as they are; None where it was not needed.
    pub error_before: Option<f64>,
    /// The same after calibration.
    pub error_after: Option<f64>,
}

impl CalibrationChoice {
    /// Decides on `reference`, which must have outcomes of both classes. The same `rng` state
    /// gives the same answer.
    pub fn on(
        reference: &LabelledScores,
        rng: &mut impl RngCore,
    ) -> Result<CalibrationChoice, EstimatedError> {
        let as_it_is = CalibrationChoice { calibrate: false, error_before: None, error_after: None };
        if roc_auc(reference, Level::P95)?.value > SEPARATED {
            return Ok(as_it_is);
        }
        let (mut before, mut after) = (Vec::new(), Vec::new());
        for _ in 0..SPLITS {
            let (kept, held_out) = split(reference, rng);
            let Ok(fit) = Isotonic::fit(kept) else { continue };
            before.extend(&held_out);
            after.extend(held_out.iter().map(|row| HeldOut { promised: fit.predict(row.promised), ..*row }));
        }
        if before.is_empty() {
            return Ok(as_it_is);
        }
        let (error_before, error_after) = (mean_gap(before), mean_gap(after));
        Ok(CalibrationChoice {
            calibrate: error_before > error_after,
            error_before: Some(error_before),
            error_after: Some(error_after),
        })
    }
}

/// Rows held out at one score.
#[derive(Clone, Copy)]
struct HeldOut {
    promised: f64,
    rows: f64,
    positives: f64,
}

/// Points to fit, and rows held out.
fn split(reference: &LabelledScores, rng: &mut impl RngCore) -> (Vec<(f64, f64, f64)>, Vec<HeldOut>) {
    let (mut kept, mut held_out) = (Vec::new(), Vec::new());
    for point in reference.points() {
        let mut draw = |rows| Binomial::new(rows, HELD_OUT).sample(rng);
        let (positives, negatives) = (draw(point.positives), draw(point.negatives));
        let rows = positives + negatives;
        if rows > 0 {
            held_out.push(HeldOut { promised: point.score, rows: rows as f64, positives: positives as f64 });
        }
        let left = (point.n() - rows) as f64;
        kept.push((point.score, (point.positives - positives) as f64 / left.max(1.0), left));
    }
    (kept, held_out)
}

/// `Σ (n_b / n) |mean promise − share of positives|` over bins of equal mass; a tie on a border
/// goes to both sides in proportion.
fn mean_gap(mut rows: Vec<HeldOut>) -> f64 {
    rows.sort_unstable_by(|a, b| a.promised.total_cmp(&b.promised));
    let n: f64 = rows.iter().map(|row| row.rows).sum();
    let width = n / BINS as f64;
    let (mut total, mut gap, mut room) = (0.0, 0.0, width);
    for row in rows {
        let gap_per_row = row.promised - row.positives / row.rows;
        let mut left = row.rows;
        while left > room {
            total += (gap + room * gap_per_row).abs();
            left -= room;
            (gap, room) = (0.0, width);
        }
        gap += left * gap_per_row;
        room -= left;
    }
    (total + gap.abs()) / n
}

/// The probability of a positive outcome at a score, and how well the reference knows it.
#[derive(Clone, Debug, PartialEq)]
pub struct Calibrator {
    isotonic: Isotonic,
    /// Rows that each block is worth.
    effective: Vec<f64>,
    /// The variance of each block's fitted value.
    variances: Vec<f64>,
    /// The reference, and what the fit expects of it.
    known: Vec<Mass>,
    expected: Vec<Mass>,
    /// Whether scores are replaced by the fit, or trusted as they are.
    applied: bool,
    resolution: Option<f64>,
}

/// What the calibrator says of one score.
#[derive(Clone, Copy, Debug)]
pub(super) struct Calibrated {
    pub(super) probability: f64,
    /// Weight of even odds in what is assumed of the outcomes' noise; falls with the rows behind.
    pub(super) smoothing: f64,
    pub(super) place: Place,
}

impl Calibrated {
    /// Variance of one outcome here; never quite 0.
    pub(super) fn outcome_variance(&self) -> f64 {
        let smoothed = self.probability + (0.5 - self.probability) * self.smoothing;
        smoothed * (1.0 - smoothed)
    }
}

impl Calibrator {
    /// Isotonic calibration on `reference`, which must have outcomes of both classes.
    pub fn isotonic(reference: &LabelledScores) -> Result<Calibrator, EstimatedError> {
        Self::from_reference(reference, true)
    }

    /// Trusts the scores as they are; `reference` says only how far they could be wrong.
    pub fn identity(reference: &LabelledScores) -> Result<Calibrator, EstimatedError> {
        Self::from_reference(reference, false)
    }

    fn from_reference(reference: &LabelledScores, applied: bool) -> Result<Calibrator, EstimatedError> {
        match (reference.positives_total(), reference.negatives_total()) {
            (0, 0) => return Err(Undefined::NoRows.into()),
            (0, _) => return Err(Undefined::NoPositives.into()),
            (_, 0) => return Err(Undefined::NoNegatives.into()),
            _ => {}
        }
        let weighted = reference.points().map(|point| Weighted {
            score: point.score,
            positives: point.positives as f64,
            weight: point.n() as f64,
            squares: point.n() as f64,
        });
        let mut calibrator = Self::from_weighted(&weighted.collect::<Vec<_>>())?;
        calibrator.applied = applied;
        calibrator.resolution = reference.resolution();
        Ok(calibrator)
    }

    /// Distinct scores ascending in [0, 1], finite weights that are not negative, some above 0.
    pub(super) fn from_weighted(points: &[Weighted]) -> Result<Calibrator, EstimatedError> {
        let rows = points.iter().filter(|p| p.weight > 0.0);
        let isotonic = Isotonic::fit(rows.clone().map(|p| (p.score, p.positives / p.weight, p.weight)))
            .map_err(|_| Undefined::NoRows)?;
        let mut squares = vec![0.0; isotonic.blocks().len()];
        for point in rows.clone() {
            squares[isotonic.locate(point.score).lower] += point.squares;
        }
        let rows_of = |(block, squares): (&Block, &f64)| block.weight * (block.weight / squares);
        let effective: Vec<f64> = isotonic.blocks().iter().zip(&squares).map(rows_of).collect();
        let variances =
            isotonic.blocks().iter().zip(&effective).map(|(block, &rows)| variance(block.value, rows));
        let variances = variances.collect();
        let mass = |score: f64, weight: f64, positives: f64| Mass {
            score,
            positives,
            negatives: (weight - positives).max(0.0),
        };
        let known = rows.clone().map(|p| mass(p.score, p.weight, p.positives)).collect();
        let expected = rows.map(|p| mass(p.score, p.weight, p.weight * isotonic.predict(p.score))).collect();
        Ok(Calibrator { isotonic, effective, variances, known, expected, applied: true, resolution: None })
    }

    /// The probability of a positive outcome at `score`.
    pub fn probability(&self, score: f64) -> f64 {
        if self.applied { self.isotonic.predict(score) } else { score }
    }

    /// Whether scores are replaced by the isotonic fit.
    pub fn is_applied(&self) -> bool {
        self.applied
    }

    /// The isotonic function fitted to the reference.
    pub fn isotonic_fit(&self) -> &Isotonic {
        &self.isotonic
    }

    /// The grid that the reference's scores were rounded to.
    pub(super) fn resolution(&self) -> Option<f64> {
        self.resolution
    }

    pub(super) fn calibrated(&self, score: f64) -> Calibrated {
        let place = self.isotonic.locate(score);
        let probability = self.probability(score);
        let smoothing = place.between(|block| 1.0 / (self.effective[block] + 1.0));
        Calibrated { probability, smoothing, place }
    }

    /// Rows that each block is worth.
    pub(super) fn block_rows(&self) -> &[f64] {
        &self.effective
    }

    /// The variance of each block's fitted value.
    pub(super) fn block_variances(&self) -> &[f64] {
        &self.variances
    }

    /// How much better a metric looks by the fit than by the outcomes, on the reference itself.
    pub(super) fn optimism(&self, metric: impl Fn(&[Mass]) -> Option<f64>) -> f64 {
        if !self.applied {
            return 0.0;
        }
        match (metric(&self.expected), metric(&self.known)) {
            (Some(expected), Some(known)) => expected - known,
            _ => 0.0,
        }
    }
}

/// Of the share in a block of `rows`, with half a row of each outcome added.
fn variance(share: f64, rows: f64) -> f64 {
    let smoothed = (share * rows + 0.5) / (rows + 1.0);
    smoothed * (1.0 - smoothed) / rows
}

/// Weighted reference rows of one score.
#[derive(Clone, Copy, Debug)]
pub(super) struct Weighted {
    pub(super) score: f64,
    /// The weight of the positive rows.
    pub(super) positives: f64,
    /// The weight of all rows.
    pub(super) weight: f64,
    /// The sum of the squares of the rows' weights.
    pub(super) squares: f64,
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::binomial::tests::SplitMix;

    fn reference(rows: impl IntoIterator<Item = (f64, u64, u64)>) -> LabelledScores {
        LabelledScores::from_counts(rows.into_iter().collect(), None).unwrap()
    }

    #[test]
    fn scores_that_mislead_are_calibrated_and_true_ones_are_left_alone() {
        let grid = |keeps: fn(f64) -> f64| {
            let row = |i: u32| {
                let score = f64::from(i) / 20.0;
                let positives = (1000.0 * keeps(score)).round() as u64;
                (score, positives, 1000 - positives)
            };
            reference((1..20).map(row))
        };
        let choose = |scores: &LabelledScores| CalibrationChoice::on(scores, &mut SplitMix(1)).unwrap();
        assert!(choose(&grid(|score| score * score)).calibrate);
        let honest = choose(&grid(|score| score));
        assert!(honest.error_before.unwrap() < 0.01);
        assert_eq!(honest, choose(&grid(|score| score)), "the same random state, the same choice");
        let separated = choose(&grid(|score| f64::from(score > 0.5)));
        assert_eq!((separated.calibrate, separated.error_before), (false, None));
    }

    #[test]
    fn one_class_teaches_nothing() {
        for (rows, expected) in [
            (vec![], Undefined::NoRows),
            (vec![(0.5, 3, 0)], Undefined::NoNegatives),
            (vec![(0.5, 0, 3)], Undefined::NoPositives),
        ] {
            let expected = Err(EstimatedError::Undefined(expected));
            assert_eq!(Calibrator::isotonic(&reference(rows.clone())).map(|_| ()), expected);
            assert_eq!(CalibrationChoice::on(&reference(rows), &mut SplitMix(1)).map(|_| ()), expected);
        }
    }

    #[test]
    fn two_rows_are_too_few_to_hold_out_and_leave_the_scores_alone() {
        let two = reference([(0.2, 1, 0), (0.8, 0, 1)]);
        for seed in 0..20 {
            let choice = CalibrationChoice::on(&two, &mut SplitMix(seed)).unwrap();
            assert!(choice.error_before.is_none_or(f64::is_finite));
        }
    }

    #[test]
    fn a_block_of_equal_outcomes_is_not_certain() {
        let calibrator = Calibrator::isotonic(&reference([(0.1, 0, 8), (0.9, 8, 0)])).unwrap();
        assert_eq!(calibrator.probability(0.9), 1.0);
        assert!(calibrator.block_variances().iter().all(|&v| v > 0.001));
        assert!(calibrator.calibrated(0.9).outcome_variance() > 0.01);
    }
}
