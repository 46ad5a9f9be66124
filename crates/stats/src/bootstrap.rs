//! A bootstrap over rows, for statistics whose interval has no formula.
//!
//! # What it measures
//!
//! How much any number that is computed from rows would vary with other rows like these: it is computed
//! again for rows drawn with replacement, within strata (groups, outcomes, days) whose sizes stay as they
//! are. Percentiles of the results, or percentiles corrected for bias and skewness (BCa).
//!
//! # When it misleads
//!
//! * Some tens of rows in each stratum at least. A stratum of one row is drawn every time and adds no
//!   variance at all.
//! * Extremes (maxima, the number of distinct values) and statistics at the edge of their range are not
//!   bootstrapped right by any of these.
//! * A statistic that noise pushes in one direction (an expected calibration error, the best of several
//!   models) is pushed again by resampling: BCa corrects for a small bias, not for that.
//! * Rows must be independent given the strata; draw customers, not their rows, where rows are not.
//! * If the statistic does not exist for some draws, the interval is over the others only. More than a
//!   tenth is refused.
//!
//! # Formula
//!
//! Percentile: quantiles `α/2` and `1 − α/2` of the replicates, interpolated. BCa: quantiles
//! `Φ(z₀ + (z₀ + z) / (1 − a (z₀ + z)))` at `z = ±z_α/2`, with `z₀ = Φ⁻¹` of the share of replicates below
//! the value, ties half, and the acceleration `a = Σ U³ / n_h³ / 6 (Σ U² / n_h²)^(3/2)`,
//! `U = (n_h − 1)(mean of θ − θ without row i)` over all strata. Strata of more than 200 rows leave out
//! one of 200 parts at a time instead of a row. Where all replicates lie on one side of the value BCa does
//! not exist, and percentiles are given.
//!
//! # Example
//!
//! ```
//! use stats::bootstrap::{BootstrapOptions, stratified_bootstrap};
//! # struct Rng(u64);
//! # impl rand_core::RngCore for Rng {
//! #     fn next_u32(&mut self) -> u32 { (self.next_u64() >> 32) as u32 }
//! #     fn next_u64(&mut self) -> u64 {
//! #         self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
//! #         self.0 ^ (self.0 >> 33)
//! #     }
//! #     fn fill_bytes(&mut self, bytes: &mut [u8]) { bytes.fill(self.next_u32() as u8) }
//! # }
//! # let mut rng = Rng(1);
//! let values: Vec<f64> = (0..100).map(|row| f64::from(row * row)).collect();
//! let mean = |rows: &[u32]| Some(rows.iter().map(|&row| values[row as usize]).sum::<f64>() / rows.len() as f64);
//! let found = stratified_bootstrap(&vec![0; 100], mean, BootstrapOptions::default(), &mut rng)?;
//! assert_eq!(found.estimate.value, 3283.5);
//! assert!(found.estimate.interval.lower < 3000.0 && found.estimate.interval.upper > 3600.0);
//! # Ok::<(), stats::bootstrap::BootstrapError>(())
//! ```
//!
//! # References
//!
//! * B. Efron, "Better bootstrap confidence intervals", J. Am. Stat. Assoc. 82, 1987.
//! * A. C. Davison, D. V. Hinkley, "Bootstrap methods and their application", Cambridge, 1997: section 3.2,
//!   several samples.

use std::collections::BTreeMap;

use rand_core::RngCore;
use serde::{Deserialize, Serialize};
use thiserror::Error;

use crate::classification::Estimate;
use crate::interval::{Interval, IntervalMethod, Level};
use crate::random::below;
use crate::special::{normal_cdf, normal_quantile};

/// Parts of a stratum that are left out in turn, at most.
const PARTS_MAX: usize = 200;
/// One replicate in this many may be undefined.
const UNDEFINED_ONE_IN: u32 = 10;

/// Which quantiles of the replicates are taken.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum BootstrapMethod {
    /// Those of the level itself: steady, and a little narrow where rows are few or skewed.
    Percentile,
    /// Corrected for bias and skewness; takes as many more computations as there are rows, at most 200 for
    /// each stratum.
    #[default]
    Bca,
}

/// How a bootstrap is done.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct BootstrapOptions {
    /// How often rows are drawn; a thousand or more for an interval.
    pub replicates: u32,
    /// Which quantiles are taken.
    pub method: BootstrapMethod,
    /// The level of the interval.
    pub level: Level,
}

impl Default for BootstrapOptions {
    fn default() -> Self {
        Self { replicates: 2000, method: BootstrapMethod::default(), level: Level::P95 }
    }
}

/// A statistic with its bootstrap interval.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Bootstrapped {
    /// The statistic of all rows, and its interval.
    pub estimate: Estimate,
    /// The standard deviation of the replicates.
    pub standard_error: f64,
    /// Replicates for which the statistic exists.
    pub replicates: u32,
    /// Replicates for which it does not.
    pub undefined: u32,
}

/// Why there is no bootstrap interval.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
pub enum BootstrapError {
    /// Nothing to draw from.
    #[error("draw rows: too few, {n} where at least 2 are needed")]
    TooFewRows {
        /// Rows at hand.
        n: usize,
    },
    /// Rows are numbered with 32 bits.
    #[error("draw rows: there are {n}, and a position is at most 2^32 − 1")]
    TooManyRows {
        /// Rows at hand.
        n: usize,
    },
    /// Quantiles of nothing.
    #[error("draw rows {replicates} times: ask for at least 20, better some thousands")]
    TooFewReplicates {
        /// What was asked for.
        replicates: u32,
    },
    /// The statistic does not exist for all rows.
    #[error("measure all rows: the statistic does not exist for them")]
    Undefined,
    /// The statistic does not exist for many draws.
    #[error("measure {undefined} of {replicates} draws of rows: the statistic does not exist for them")]
    OftenUndefined {
        /// Draws without a value.
        undefined: u32,
        /// All draws.
        replicates: u32,
    },
}

/// A bootstrap interval of `statistic`, which is given positions of rows, each as often as it was drawn.
///
/// `strata` has a stratum for each row; as many rows are drawn from each as it has. The statistic is `None`
/// (or not finite) where it does not exist. The same generator gives the same interval.
///
/// # Errors
/// Fewer than two rows, fewer than 20 replicates, or a statistic that does not exist for all rows or for
/// more than a tenth of the draws.
pub fn stratified_bootstrap(
    strata: &[u32],
    statistic: impl Fn(&[u32]) -> Option<f64>,
    options: BootstrapOptions,
    rng: &mut impl RngCore,
) -> Result<Bootstrapped, BootstrapError> {
    let BootstrapOptions { replicates, method, level } = options;
    let n = u32::try_from(strata.len()).map_err(|_| BootstrapError::TooManyRows { n: strata.len() })?;
    if n < 2 {
        return Err(BootstrapError::TooFewRows { n: strata.len() });
    }
    if replicates < 20 {
        return Err(BootstrapError::TooFewReplicates { replicates });
    }
    let statistic = |rows: &[u32]| statistic(rows).filter(|value| value.is_finite());
    let all: Vec<u32> = (0..n).collect();
    let value = statistic(&all).ok_or(BootstrapError::Undefined)?;
    let mut by_stratum: BTreeMap<u32, Vec<u32>> = BTreeMap::new();
    for (row, stratum) in all.iter().zip(strata) {
        by_stratum.entry(*stratum).or_default().push(*row);
    }
    let by_stratum: Vec<Vec<u32>> = by_stratum.into_values().collect();
    let mut drawn = Vec::with_capacity(strata.len());
    let mut found = Vec::with_capacity(replicates as usize);
    for _ in 0..replicates {
        drawn.clear();
        for rows in &by_stratum {
            let many = rows.len() as u64;
            drawn.extend(rows.iter().map(|_| rows[below(many, rng.next_u64()) as usize]));
        }
        found.extend(statistic(&drawn));
    }
    let undefined = replicates - found.len() as u32;
    if undefined > replicates / UNDEFINED_ONE_IN {
        return Err(BootstrapError::OftenUndefined { undefined, replicates });
    }
    found.sort_by(f64::total_cmp);
    let corrected = match method {
        BootstrapMethod::Percentile => None,
        BootstrapMethod::Bca => bca_shares(&found, value, acceleration(&by_stratum, &statistic), level),
    };
    let method =
        if corrected.is_some() { IntervalMethod::BootstrapBca } else { IntervalMethod::BootstrapPercentile };
    let (low, high) = corrected.unwrap_or((level.tail(), 1.0 - level.tail()));
    // The value may lie outside of the quantiles where the statistic is biased: the interval is of the truth.
    let interval = Interval { lower: quantile(&found, low), upper: quantile(&found, high), level, method };
    Ok(Bootstrapped {
        estimate: Estimate { value, interval, n: u64::from(n), error_bound: 0.0 },
        standard_error: standard_deviation(&found),
        replicates: found.len() as u32,
        undefined,
    })
}

/// The shares of replicates at which BCa's bounds lie; `None` where all are on one side of `value`.
fn bca_shares(sorted: &[f64], value: f64, acceleration: f64, level: Level) -> Option<(f64, f64)> {
    let under = sorted.partition_point(|replicate| *replicate < value);
    let up_to = sorted.partition_point(|replicate| *replicate <= value);
    let share = f64::midpoint(under as f64, up_to as f64) / sorted.len() as f64;
    if share <= 0.0 || share >= 1.0 {
        return None;
    }
    let bias = normal_quantile(share);
    let moved = |z: f64| {
        let shifted = bias + z;
        let room = 1.0 - acceleration * shifted;
        // Beyond this the correction has no meaning, and the end of the replicates is all there is.
        if room > 0.0 { normal_cdf(bias + shifted / room) } else { f64::from(u8::from(z > 0.0)) }
    };
    let (low, high) = (moved(-level.z()), moved(level.z()));
    (low < high).then_some((low, high))
}

/// How fast the statistic's spread changes with its value; 0 where leaving out rows changes nothing, or
/// makes it undefined.
fn acceleration(by_stratum: &[Vec<u32>], statistic: &impl Fn(&[u32]) -> Option<f64>) -> f64 {
    let (mut cubes, mut squares) = (0.0, 0.0);
    for (stratum, rows) in by_stratum.iter().enumerate() {
        let parts = rows.len().min(PARTS_MAX);
        if parts < 2 {
            continue;
        }
        let others = by_stratum.iter().enumerate().filter(|(other, _)| *other != stratum);
        let others: Vec<u32> = others.flat_map(|(_, rows)| rows.iter().copied()).collect();
        let without = |part: usize| {
            let kept = rows.iter().enumerate().filter(|(at, _)| at % parts != part).map(|(_, row)| *row);
            statistic(&others.iter().copied().chain(kept).collect::<Vec<_>>())
        };
        let Some(values) = (0..parts).map(without).collect::<Option<Vec<f64>>>() else {
            return 0.0;
        };
        let parts = parts as f64;
        let mean = values.iter().sum::<f64>() / parts;
        for value in values {
            let pull = (parts - 1.0) / parts * (mean - value);
            cubes += pull.powi(3);
            squares += pull * pull;
        }
    }
    let acceleration = cubes / (6.0 * squares.powf(1.5));
    if acceleration.is_finite() { acceleration } else { 0.0 }
}

/// The quantile of sorted values at `share`, interpolated between neighbours.
fn quantile(sorted: &[f64], share: f64) -> f64 {
    let at = share.clamp(0.0, 1.0) * (sorted.len() as f64 - 1.0);
    let (low, high) = (sorted[at.floor() as usize], sorted[at.ceil() as usize]);
    let part = at - at.floor();
    low * (1.0 - part) + high * part
}

fn standard_deviation(values: &[f64]) -> f64 {
    let n = values.len() as f64;
    let mean = values.iter().map(|value| value / n).sum::<f64>();
    let squares: f64 = values.iter().map(|value| (value - mean).powi(2) / (n - 1.0)).sum();
    squares.sqrt().min(f64::MAX)
}
