//! Means over both sides together with what each row contributes to them.
//!
//! To first order, an estimate moves with each row by the row's influence; its variance is the sum
//! of both sides' variances of influence over their rows. Sums and differences of estimates have
//! the sums and differences of influences, so that every part of a decomposition has a standard
//! error without resampling.

use std::ops::{Add, Sub};

use super::{AttributionError, AttributionOptions, Contribution, Support};
use crate::counts::Side;
use crate::interval::{Interval, IntervalMethod, Level};

/// An estimate with each row's influence on it, the reference's rows first.
#[derive(Clone, Debug)]
pub(super) struct Estimated {
    pub(super) value: f64,
    influence: Vec<f64>,
}

impl Estimated {
    pub(super) fn zero(rows: usize) -> Estimated {
        Estimated { value: 0.0, influence: vec![0.0; rows] }
    }

    /// Adds a multiple of another estimate.
    pub(super) fn add_scaled(&mut self, factor: f64, other: &Estimated) {
        self.value += factor * other.value;
        for (sum, influence) in self.influence.iter_mut().zip(&other.influence) {
            *sum += factor * influence;
        }
    }

    /// The estimate with its interval; `extra` is the variance from elsewhere.
    pub(super) fn contribution(&self, reference: usize, extra: f64, level: Level) -> Contribution {
        let (before, after) = self.influence.split_at(reference);
        let variance = [before, after].map(|influence| {
            let n = influence.len() as f64;
            let mean = influence.iter().sum::<f64>() / n;
            influence.iter().map(|x| (x - mean).powi(2)).sum::<f64>() / (n - 1.0) / n
        });
        let standard_error = (variance[0] + variance[1] + extra).sqrt();
        let half = level.z() * standard_error;
        let interval = Interval {
            lower: self.value - half,
            upper: self.value + half,
            level,
            method: IntervalMethod::NormalOfInfluence,
        };
        Contribution { value: self.value, standard_error, interval }
    }
}

impl Add for Estimated {
    type Output = Estimated;

    fn add(mut self, other: Estimated) -> Estimated {
        self.add_scaled(1.0, &other);
        self
    }
}

impl Sub for Estimated {
    type Output = Estimated;

    fn sub(mut self, other: Estimated) -> Estimated {
        self.add_scaled(-1.0, &other);
        self
    }
}

/// Where the sides meet in columns over the rows of both.
#[derive(Clone, Copy, Debug)]
pub(super) struct Rows {
    pub(super) reference: usize,
    pub(super) all: usize,
}

impl Rows {
    pub(super) fn of(self, side: Side) -> std::ops::Range<usize> {
        match side {
            Side::Reference => 0..self.reference,
            Side::Current => self.reference..self.all,
        }
    }

    /// The plain mean over a side.
    pub(super) fn mean(self, side: Side, value: impl Fn(usize) -> f64) -> Estimated {
        self.weighted_mean(side, |_| 1.0, value)
    }

    /// The mean over a side with weights that are divided by their mean.
    pub(super) fn weighted_mean(
        self,
        side: Side,
        weight: impl Fn(usize) -> f64,
        value: impl Fn(usize) -> f64,
    ) -> Estimated {
        let rows = self.of(side);
        let n = rows.len() as f64;
        let mean_weight = rows.clone().map(&weight).sum::<f64>() / n;
        let relative = |row: usize| weight(row) / mean_weight;
        let mean = rows.clone().map(|row| relative(row) * value(row)).sum::<f64>() / n;
        let mut estimated = Estimated::zero(self.all);
        estimated.value = mean;
        for row in rows {
            estimated.influence[row] = relative(row) * (value(row) - mean);
        }
        estimated
    }

    /// The weighted mean over both sides, which count the same before weighting.
    pub(super) fn mean_of_both(
        self,
        weight: impl Fn(usize) -> f64,
        value: impl Fn(usize) -> f64,
    ) -> Estimated {
        let sums = [Side::Reference, Side::Current].map(|side| {
            let rows = self.of(side);
            let n = rows.len() as f64;
            let weights: f64 = rows.clone().map(&weight).sum();
            let values: f64 = rows.map(|row| weight(row) * value(row)).sum();
            (weights / n, values / n)
        });
        let mean_weight = sums[0].0 + sums[1].0;
        let mean = (sums[0].1 + sums[1].1) / mean_weight;
        let influence = (0..self.all).map(|row| weight(row) / mean_weight * (value(row) - mean));
        Estimated { value: mean, influence: influence.collect() }
    }
}

impl Support {
    /// Nothing reweighted yet.
    pub(super) fn of_plain_rows(rows: Rows) -> Support {
        let fewer = rows.reference.min(rows.all - rows.reference);
        Support { effective_rows: fewer as f64, mean_weight: 1.0 }
    }

    /// Takes account of one more reweighting of a side's rows, or refuses it. Weights that are
    /// ratios of densities have mean 1; others are not held to one.
    pub(super) fn include(
        &mut self,
        rows: Rows,
        side: Side,
        weight: impl Fn(usize) -> f64,
        are_ratios: bool,
        options: &AttributionOptions,
    ) -> Result<(), AttributionError> {
        let n = rows.of(side).len() as f64;
        let sum: f64 = rows.of(side).map(&weight).sum();
        let squares: f64 = rows.of(side).map(|row| weight(row).powi(2)).sum();
        let mean_weight = sum / n;
        let distance = |mean: f64| mean.ln().abs();
        if are_ratios && distance(mean_weight) > distance(options.overlap_min) {
            return Err(AttributionError::TooLittleOverlap { side, mean_weight });
        }
        let effective_rows = sum * sum / squares;
        let needed = options.effective_rows_min;
        if effective_rows < needed {
            return Err(AttributionError::TooFewEffectiveRows { side, effective_rows, needed });
        }
        self.effective_rows = self.effective_rows.min(effective_rows);
        if are_ratios && distance(mean_weight) > distance(self.mean_weight) {
            self.mean_weight = mean_weight;
        }
        Ok(())
    }
}
