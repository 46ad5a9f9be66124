//! What has to be learnt for an attribution, each row by models that have not seen it.

use rand_core::RngCore;

use super::{AttributionError, AttributionOptions};
use crate::counts::Side;
use crate::learn::folds::Folds;
use crate::learn::{Booster, Features, LearnError, Loss, Options};

/// Probabilities closer to 0 or 1 than this count as this; their odds would be infinite.
const SHARE_MIN: f64 = 1e-9;
/// Newton steps of the calibration; five are usual.
const STEPS: usize = 30;

/// Both sides' rows, the reference's first, dealt into folds.
pub(super) struct CrossFit {
    both: Features,
    reference: usize,
    folds: Vec<(Vec<u32>, Vec<u32>)>,
    learner: Options,
}

impl CrossFit {
    pub(super) fn new(
        reference: &Features,
        current: &Features,
        options: &AttributionOptions,
        rng: &mut impl RngCore,
    ) -> Result<CrossFit, AttributionError> {
        let both = reference.stacked(current)?;
        let sizes = [reference.rows(), current.rows()];
        let folds = Folds::stratified(&sizes, options.folds, rng).each().collect();
        Ok(CrossFit { both, reference: reference.rows(), folds, learner: options.learner })
    }

    /// The probability that a row with these values in `columns` is a current one, if both sides
    /// had equally many rows.
    pub(super) fn share_current(&self, columns: &[usize]) -> Result<Vec<f64>, LearnError> {
        let (n, rows) = (self.reference, self.both.rows());
        let is_current: Vec<f64> = (0..rows).map(|row| f64::from(u8::from(row >= n))).collect();
        let weight = |row: usize| 1.0 / if row < n { n as f64 } else { (rows - n) as f64 };
        let weights: Vec<f64> = (0..rows).map(weight).collect();
        let options = Options { loss: Loss::Logistic, ..self.learner };
        let shares = self.held_out(columns, &is_current, Some(&weights), &options, |_| true)?;
        let logits = shares.iter().map(|share| {
            let share = share.clamp(SHARE_MIN, 1.0 - SHARE_MIN);
            (share / (1.0 - share)).ln()
        });
        Ok(calibrated(&logits.collect::<Vec<f64>>(), &is_current, &weights))
    }

    /// The mean of `target` given `columns`, as it is on `side`, for the rows of both.
    pub(super) fn expected(
        &self,
        side: Side,
        target: &[f64],
        columns: &[usize],
    ) -> Result<Vec<f64>, LearnError> {
        let options = Options { loss: Loss::Squared, ..self.learner };
        let is_reference = side == Side::Reference;
        let learnt_from = |row: u32| ((row as usize) < self.reference) == is_reference;
        self.held_out(columns, target, None, &options, learnt_from)
    }

    fn held_out(
        &self,
        columns: &[usize],
        target: &[f64],
        weights: Option<&[f64]>,
        options: &Options,
        learnt_from: impl Fn(u32) -> bool,
    ) -> Result<Vec<f64>, LearnError> {
        let features =
            self.both.with_columns(columns).expect("groups are checked to have columns of the table");
        let mut predicted = vec![0.0; self.both.rows()];
        for (outside, inside) in &self.folds {
            let rows: Vec<u32> = outside.iter().copied().filter(|&row| learnt_from(row)).collect();
            let of_rows = |values: &[f64]| rows.iter().map(|&row| values[row as usize]).collect::<Vec<f64>>();
            let weights = weights.map(of_rows);
            let booster = Booster::fit(&features.at(&rows), &of_rows(target), weights.as_deref(), options)?;
            for (&row, value) in inside.iter().zip(booster.predict(&features.at(inside))?) {
                predicted[row as usize] = value;
            }
        }
        Ok(predicted)
    }
}

/// Probabilities from held-out logits by Platt's scaling, `logistic(a + b · logit)`: trees that have
/// learnt noise are over-confident, and the slope draws them back, to 0.5 where it was all noise.
fn calibrated(logits: &[f64], target: &[f64], weights: &[f64]) -> Vec<f64> {
    let (mut a, mut b) = (0.0, 0.0);
    let total: f64 = weights.iter().sum();
    for _ in 0..STEPS {
        let (mut gradient, mut hessian) = ([0.0; 2], [0.0; 3]);
        for ((&x, &y), &w) in logits.iter().zip(target).zip(weights) {
            let p = logistic(a + b * x);
            let (error, curvature) = (w * (p - y) / total, w * p * (1.0 - p) / total);
            gradient = [gradient[0] + error, gradient[1] + error * x];
            hessian = [hessian[0] + curvature, hessian[1] + curvature * x, hessian[2] + curvature * x * x];
        }
        let determinant = hessian[0] * hessian[2] - hessian[1] * hessian[1];
        // All logits alike, or sides so far apart that nothing is left to fit.
        if determinant <= 1e-12 {
            break;
        }
        let step = [
            (hessian[2] * gradient[0] - hessian[1] * gradient[1]) / determinant,
            (hessian[0] * gradient[1] - hessian[1] * gradient[0]) / determinant,
        ];
        (a, b) = (a - step[0], b - step[1]);
        if step[0].abs().max(step[1].abs()) < 1e-10 {
            break;
        }
    }
    // A falling line is noise too: held-out rows contradict what was learnt.
    if b <= 0.0 || !a.is_finite() || !b.is_finite() {
        (a, b) = (0.0, 0.0);
    }
    logits.iter().map(|&x| logistic(a + b * x).clamp(SHARE_MIN, 1.0 - SHARE_MIN)).collect()
}

fn logistic(x: f64) -> f64 {
    1.0 / (1.0 + (-x).exp())
}
