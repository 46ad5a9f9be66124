//! Quantile calibration: do outcomes fall between predicted quantiles as often as they should?
//!
//! # What it measures
//!
//! For predictions at levels such as 5 %, 50 % and 95 %: how often outcomes are at or below each, how they
//! spread over the stretches between them (a histogram of the probability integral transform), and the
//! pinball loss, which is smallest on average for the true quantile.
//!
//! # When it misleads
//!
//! * Right shares on average can hide errors of opposite sign in different rows.
//! * Outcomes with ties (counts, amounts in steps) are at or below a quantile more often than its level.
//! * Pinball losses are in the unit of the outcome; compare models on the same rows only.
//! * With many rows the chi-square test refuses shares that are off by nothing that matters.
//!
//! # Formula
//!
//! Stretch `k` is `q_k < y ≤ q_{k+1}`, of expected share `τ_{k+1} − τ_k`; chi-square with as many degrees
//! of freedom as there are levels. Quantiles of a row that cross are sorted for the histogram, and the row
//! is counted (`crossed`); shares at or below a level, and losses, are of the quantiles as predicted.
//! Loss of level `τ`: `max(τ (y − q), (τ − 1)(y − q))`, with a normal interval. Shares at or below have
//! Wilson's intervals and the exact two-sided binomial test; at `m` levels look for `1/m` of the usual
//! p-value.
//!
//! # Example
//!
//! ```
//! use stats::{interval::Level, regression::quantiles::{QuantileOutcomes, quantile_calibration}};
//! let mut outcomes = QuantileOutcomes::new(&[0.25, 0.75])?;
//! outcomes.extend([1.0, 2.0, 4.0, 5.0].map(|outcome| ([1.5, 4.5], outcome)));
//! let found = quantile_calibration(&outcomes, Level::P95)?;
//! let counts: Vec<u64> = found.stretches.iter().map(|stretch| stretch.rows).collect();
//! assert_eq!((counts, found.statistic), (vec![1, 2, 1], 0.0));
//! assert_eq!(found.levels[0].below.value, 0.25);
//! # Ok::<(), stats::regression::RegressionUndefined>(())
//! ```
//!
//! # References
//!
//! * R. Koenker, G. Bassett, "Regression quantiles", Econometrica 46, 1978: the loss.
//! * T. Gneiting, F. Balabdaoui, A. E. Raftery, "Probabilistic forecasts, calibration and sharpness",
//!   J. R. Stat. Soc. B 69, 2007: the histogram of the probability integral transform.

use serde::{Deserialize, Serialize};

use super::coverage::{check_share, share};
use super::errors::LARGEST;
use super::{RegressionUndefined, mean_estimate};
use crate::binomial::two_sided_p_value;
use crate::classification::Estimate;
use crate::interval::{Interval, Level};
use crate::proportion::Proportion;
use crate::sketch::Moments;
use crate::special::chi_square_sf;

/// Predicted quantiles with their outcomes, counted; merges exactly.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct QuantileOutcomes {
    levels: Vec<f64>,
    /// Rows between the first and the last quantile, the last one included.
    inside: u64,
    /// Rows by stretch between sorted quantiles, one more than levels.
    stretches: Vec<u64>,
    /// Rows at or below each quantile.
    below: Vec<u64>,
    losses: Vec<Moments>,
    crossed: u64,
    left_out: u64,
}

/// How outcomes fall among the predicted quantiles.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct QuantileCalibration {
    /// The stretches below, between and above the quantiles, ascending.
    pub stretches: Vec<Stretch>,
    /// Of the stretches' rows against the expected ones.
    pub statistic: f64,
    /// As many as there are levels.
    pub degrees_of_freedom: u64,
    /// How likely a statistic at least this large is by chance; approximate.
    pub p_value: f64,
    /// The smallest expected number of rows in a stretch; the p-value wants at least about five.
    pub expected_min: f64,
    /// By level, ascending.
    pub levels: Vec<LevelCalibration>,
    /// The share of outcomes above the lowest and not above the highest quantile.
    pub inside: Estimate,
    /// Rows whose quantiles were not in order.
    pub crossed: u64,
    /// Rows that could not be measured.
    pub left_out: u64,
    /// Measured rows.
    pub n: u64,
}

/// The outcomes between two neighbouring quantiles.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Stretch {
    /// Rows in it.
    pub rows: u64,
    /// The share that should be in it.
    pub expected: f64,
    /// The share that is.
    pub share: f64,
    /// Wilson's interval of `share`.
    pub interval: Interval,
}

/// One predicted quantile.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct LevelCalibration {
    /// The share of outcomes that should be at or below.
    pub nominal: f64,
    /// The share that is.
    pub below: Estimate,
    /// How likely a share as far from the promise is by chance: exact binomial test, two-sided.
    pub p_value: f64,
    /// The mean pinball loss, in the unit of the outcome; `None` for fewer than two rows or where one
    /// is infinite or beyond 1e72.
    pub pinball: Option<Estimate>,
}

impl QuantileOutcomes {
    /// No rows yet, of quantiles at `levels`, ascending and strictly between 0 and 1.
    ///
    /// # Errors
    /// No levels, or some that are not such.
    pub fn new(levels: &[f64]) -> Result<QuantileOutcomes, RegressionUndefined> {
        if levels.is_empty() {
            return Err(RegressionUndefined::NoLevels);
        }
        levels.iter().try_for_each(|&level| check_share(level))?;
        if levels.windows(2).any(|pair| pair[0] >= pair[1]) {
            return Err(RegressionUndefined::LevelsNotAscending);
        }
        Ok(QuantileOutcomes {
            levels: levels.to_vec(),
            inside: 0,
            stretches: vec![0; levels.len() + 1],
            below: vec![0; levels.len()],
            losses: vec![Moments::default(); levels.len()],
            crossed: 0,
            left_out: 0,
        })
    }

    /// Adds rows of predicted quantiles, by level, and the outcome. A row is left out and counted where
    /// its outcome is not finite, a quantile is not a number, or there are not as many as levels.
    pub fn extend<Q: AsRef<[f64]>>(&mut self, rows: impl IntoIterator<Item = (Q, f64)>) {
        let mut losses = vec![Vec::new(); self.levels.len()];
        for (quantiles, outcome) in rows {
            let quantiles = quantiles.as_ref();
            let fits = quantiles.len() == self.levels.len() && !quantiles.iter().any(|q| q.is_nan());
            if !fits || !outcome.is_finite() {
                self.left_out += 1;
                continue;
            }
            self.crossed += u64::from(quantiles.windows(2).any(|pair| pair[0] > pair[1]));
            let (first, last) = (quantiles[0], quantiles[quantiles.len() - 1]);
            self.inside += u64::from(first < outcome && outcome <= last);
            // Counting needs no sorting: so many of the sorted quantiles are below the outcome.
            self.stretches[quantiles.iter().filter(|&&q| q < outcome).count()] += 1;
            for (at, (&quantile, &level)) in quantiles.iter().zip(&self.levels).enumerate() {
                self.below[at] += u64::from(outcome <= quantile);
                let off = outcome - quantile;
                let loss = (level * off).max((level - 1.0) * off);
                losses[at].extend((loss < LARGEST).then_some(loss));
            }
        }
        self.losses.iter_mut().zip(losses).for_each(|(of_level, losses)| of_level.extend(&losses));
    }

    /// Adds the rows of `other`.
    ///
    /// # Errors
    /// Other levels.
    pub fn merge(&mut self, other: &QuantileOutcomes) -> Result<(), RegressionUndefined> {
        if self.levels != other.levels {
            return Err(RegressionUndefined::LevelsDiffer);
        }
        let add = |mine: &mut [u64], theirs: &[u64]| mine.iter_mut().zip(theirs).for_each(|(m, t)| *m += t);
        add(&mut self.stretches, &other.stretches);
        add(&mut self.below, &other.below);
        self.losses.iter_mut().zip(&other.losses).for_each(|(mine, theirs)| mine.merge(theirs));
        self.inside += other.inside;
        self.crossed += other.crossed;
        self.left_out += other.left_out;
        Ok(())
    }

    /// The number of measured rows.
    pub fn n(&self) -> u64 {
        self.stretches.iter().sum()
    }
}

/// How outcomes fall among the predicted quantiles.
///
/// # Errors
/// No rows.
pub fn quantile_calibration(
    outcomes: &QuantileOutcomes,
    level: Level,
) -> Result<QuantileCalibration, RegressionUndefined> {
    let n = outcomes.n();
    let starts = std::iter::once(0.0).chain(outcomes.levels.iter().copied());
    let ends = outcomes.levels.iter().copied().chain([1.0]);
    let expected: Vec<f64> = starts.zip(ends).map(|(start, end)| end - start).collect();
    let stretches: Result<Vec<Stretch>, RegressionUndefined> = outcomes
        .stretches
        .iter()
        .zip(&expected)
        .map(|(&rows, &expected)| {
            let found = Proportion::new(rows, n).map_err(|_| RegressionUndefined::NoRows)?;
            Ok(Stretch { rows, expected, share: found.share(), interval: found.wilson(level) })
        })
        .collect();
    let stretches = stretches?;
    let rows = n as f64;
    let statistic: f64 =
        stretches.iter().map(|s| (s.rows as f64 - rows * s.expected).powi(2) / (rows * s.expected)).sum();
    let mut levels = Vec::with_capacity(outcomes.levels.len());
    for (at, &nominal) in outcomes.levels.iter().enumerate() {
        levels.push(LevelCalibration {
            nominal,
            below: share(outcomes.below[at], n, level)?,
            p_value: two_sided_p_value(outcomes.below[at], n, nominal),
            pinball: mean_estimate(&outcomes.losses[at], 0.0, level).ok().filter(|loss| loss.n == n),
        });
    }
    let degrees_of_freedom = outcomes.levels.len() as u64;
    Ok(QuantileCalibration {
        expected_min: rows * expected.iter().copied().fold(1.0, f64::min),
        stretches,
        statistic,
        degrees_of_freedom,
        p_value: chi_square_sf(statistic, degrees_of_freedom as f64),
        levels,
        inside: share(outcomes.inside, n, level)?,
        crossed: outcomes.crossed,
        left_out: outcomes.left_out,
        n,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::binomial::tests::SplitMix;
    use rand_core::RngCore;

    fn of(levels: &[f64], rows: &[(&[f64], f64)]) -> QuantileOutcomes {
        let mut outcomes = QuantileOutcomes::new(levels).unwrap();
        outcomes.extend(rows.iter().copied());
        outcomes
    }

    #[test]
    fn levels_must_be_shares_that_ascend() {
        assert_eq!(QuantileOutcomes::new(&[]), Err(RegressionUndefined::NoLevels));
        assert_eq!(QuantileOutcomes::new(&[0.5, 0.5]), Err(RegressionUndefined::LevelsNotAscending));
        assert_eq!(QuantileOutcomes::new(&[0.5, 1.0]), Err(RegressionUndefined::NotAShare { share: 1.0 }));
        assert!(QuantileOutcomes::new(&[f64::NAN]).is_err());
        let none = of(&[0.5], &[(&[f64::NAN], 1.0), (&[1.0, 2.0], 1.0), (&[1.0], f64::NAN)]);
        assert_eq!(quantile_calibration(&none, Level::P95), Err(RegressionUndefined::NoRows));
        assert_eq!(none.clone().merge(&of(&[0.6], &[])), Err(RegressionUndefined::LevelsDiffer));
    }

    #[test]
    fn crossing_quantiles_are_counted_and_sorted_for_the_histogram() {
        let outcomes = of(&[0.2, 0.5, 0.8], &[(&[3.0, 1.0, 2.0], 1.5), (&[1.0, 1.0, 2.0], 1.0)]);
        let found = quantile_calibration(&outcomes, Level::P95).unwrap();
        let rows: Vec<u64> = found.stretches.iter().map(|stretch| stretch.rows).collect();
        assert_eq!((rows, found.crossed), (vec![1, 1, 0, 0], 1));
        // As predicted: 1.5 is at or below 3, not 1, and 2.
        let below: Vec<f64> = found.levels.iter().map(|level| level.below.value).collect();
        assert_eq!(below, [1.0, 0.5, 1.0]);
    }

    #[test]
    fn infinite_and_huge_quantiles_count_and_have_no_loss() {
        let outcomes = of(&[0.1, 0.9], &[(&[f64::NEG_INFINITY, 1.0], 0.0), (&[f64::MIN, 1.0], f64::MAX)]);
        let found = quantile_calibration(&outcomes, Level::P95).unwrap();
        assert_eq!((found.n, found.levels[0].below.value), (2, 0.0));
        assert!(found.levels[0].pinball.is_none());
        let text = serde_json::to_string(&found).unwrap();
        assert_eq!(serde_json::from_str::<QuantileCalibration>(&text).unwrap().n, 2);
    }

    #[test]
    fn parts_merge_to_the_whole() {
        let rows: Vec<([f64; 2], f64)> =
            (0..40).map(|i| ([f64::from(i % 7), f64::from(i % 5)], f64::from(i % 11))).collect();
        let mut whole = QuantileOutcomes::new(&[0.3, 0.6]).unwrap();
        let (mut merged, mut later) = (whole.clone(), whole.clone());
        whole.extend(rows.iter().copied());
        merged.extend(rows[..13].iter().copied());
        later.extend(rows[13..].iter().copied());
        merged.merge(&later).unwrap();
        assert_eq!((&merged.stretches, &merged.below), (&whole.stretches, &whole.below));
        assert_eq!(merged.crossed, whole.crossed);
        let mean = |of: &QuantileOutcomes| of.losses[1].mean().unwrap();
        assert!((mean(&merged) - mean(&whole)).abs() < 1e-12);
    }

    #[test]
    fn true_quantiles_are_refused_as_often_as_the_level_says() {
        const WINDOWS: u32 = 1000;
        let levels = [0.1, 0.3, 0.5, 0.7, 0.9];
        let mut rng = SplitMix(9);
        let mut refused = 0;
        for _ in 0..WINDOWS {
            let mut outcomes = QuantileOutcomes::new(&levels).unwrap();
            outcomes.extend((0..200).map(|_| (levels, (rng.next_u64() >> 11) as f64 / (1_u64 << 53) as f64)));
            refused += u32::from(quantile_calibration(&outcomes, Level::P95).unwrap().p_value <= 0.05);
        }
        assert!((25..=75).contains(&refused), "{refused}");
    }
}
