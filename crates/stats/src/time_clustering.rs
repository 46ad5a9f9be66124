//! Clustering in time: whether errors come in bursts.
//!
//! # What it measures
//!
//! Rows are put in the order of time, and losses looked at in three ways: do parts of equal row count
//! differ more than chance lets them (dispersion); is a bad row followed by others (autocorrelation);
//! and which stretch of rows is the worst, and is it worse than the worst of shuffled rows (scan). A mean
//! over the window hides all three: an outage of an hour, a feed that was late on Tuesday.
//!
//! # When it misleads
//!
//! * Rows are counted, not hours. A busy hour is longer than a quiet night.
//! * Harder rows in a row (rush hours) cluster errors without any fault; compare with
//!   [`predictable_errors`](crate::predictable_errors).
//! * Rows of the same instant stay in the order given, which should have nothing to do with their losses.
//! * Rows that belong together and come together (one customer's) cluster, too.
//! * The stretch is the worst of the sizes looked at; a shorter burst inside it is diluted.
//!
//! # Formula
//!
//! With mean `m` and variance `v` (over n) of the losses, and blocks of `n_b` rows: dispersion
//! `X² = Σ n_b (m_b − m)² / v` over its degrees of freedom `B − 1`: about 1 for independent rows. For
//! mistakes `X²` is Pearson's for the counts of wrong and right by block. Its interval is that of a variance of
//! `B` about normal means, `X² / χ²₁₋α/₂` to `X² / χ²α/₂` with `B − 1` degrees of freedom. With
//! `r_k = Σ eᵢ eᵢ₊ₖ / Σ eᵢ²`, Ljung and Box's `Q = n (n + 2) Σ r_k² / (n − k)` is about chi-square with as
//! many degrees of freedom as lags; the interval of `r₁` is `r₁ ± z √((1 − r₁²) / n)`. The scan takes the
//! largest `(S_w − w m) / √(v w (n − w) / (n − 1))` over all windows of `w` rows, for each `w` asked for.
//! Dispersion and scan have p-values from permutations of the losses: exact where rows are exchangeable.
//! `p_value` is three times the least of the three, at most 1.
//!
//! # Example
//!
//! ```
//! use stats::time_clustering::{ClusteringOptions, time_clustering};
//! use stats::interval::Level;
//! # use rand_core::{RngCore, impls};
//! # struct Rng(u64);
//! # impl RngCore for Rng {
//! #     fn next_u32(&mut self) -> u32 { (self.next_u64() >> 32) as u32 }
//! #     fn next_u64(&mut self) -> u64 { self.0 = self.0.wrapping_mul(0x5851_f42d_4c95_7f2d) + 1; self.0 }
//! #     fn fill_bytes(&mut self, b: &mut [u8]) { impls::fill_bytes_via_next(self, b) }
//! # }
//! # let mut rng = Rng(1);
//! // One row in ten is wrong, and all of the rows 600 to 619.
//! let times: Vec<i64> = (0..1000).collect();
//! let losses: Vec<f64> =
//!     times.iter().map(|&t| f64::from(u8::from(t * 7919 % 10 == 0 || (600..620).contains(&t)))).collect();
//! let found = time_clustering(&times, &losses, &ClusteringOptions::default(), Level::P95, &mut rng)?;
//! assert!(found.p_value < 0.01 && found.dispersion > 2.0);
//! assert!((found.worst.from - 600).abs() < 10 && (found.worst.to - 619).abs() < 10);
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! # References
//!
//! * R. A. Fisher, "Statistical methods for research workers", 1925: index of dispersion.
//! * G. M. Ljung, G. E. P. Box, "On a measure of lack of fit in time series models", Biometrika 65, 1978.
//! * J. Naus, "The distribution of the size of the maximum cluster of points on a line", J. Am. Stat.
//!   Assoc. 60, 1965; M. Kulldorff, "A spatial scan statistic", Commun. Stat. 26, 1997: scans, and
//!   p-values of the largest by simulation.

use rand_core::RngCore;
use serde::{Deserialize, Serialize};
use thiserror::Error;

use crate::interval::{Interval, IntervalMethod, Level};
use crate::losses::first_unmeasurable;
use crate::random::shuffle;
use crate::special::{chi_square_quantile, chi_square_sf};

/// Rows in a block, and in a window of the scan, at least.
const ROWS_MIN: usize = 5;

/// How clustering is looked for.
#[derive(Clone, Debug, PartialEq)]
pub struct ClusteringOptions {
    /// Parts of equal row count, from 2; fewer where they would have less than five rows.
    pub blocks: usize,
    /// Neighbours whose correlation is tested, from 1; fewer than a quarter of the rows count.
    pub lags: usize,
    /// Row counts of the windows that are scanned; those below five or above half of the rows are left
    /// out. Empty for a fiftieth, a twentieth, a tenth and a fifth of the rows (not below five).
    pub window_rows: Vec<usize>,
    /// Permutations behind a p-value, from 1.
    pub permutations: usize,
}

impl Default for ClusteringOptions {
    /// 20 blocks, five lags, 999 permutations.
    fn default() -> ClusteringOptions {
        ClusteringOptions { blocks: 20, lags: 5, window_rows: Vec::new(), permutations: 999 }
    }
}

/// Whether errors cluster in time.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct TimeClustering {
    /// The variance of the blocks' means over that of independent rows; about 1 without clustering.
    pub dispersion: f64,
    /// Of the dispersion; rough where a block has few rows that lose anything.
    pub dispersion_interval: Interval,
    /// `X²`, the dispersion times `blocks − 1`.
    pub chi_square: f64,
    /// Blocks used.
    pub blocks: u64,
    /// Of the dispersion, from permutations.
    pub dispersion_p_value: f64,
    /// Correlation of a row's loss with the next one's.
    pub autocorrelation: f64,
    /// Of the autocorrelation.
    pub interval: Interval,
    /// Ljung and Box's `Q`.
    pub ljung_box: f64,
    /// Lags used.
    pub lags: u64,
    /// Of `Q`, from its limit distribution.
    pub ljung_box_p_value: f64,
    /// The stretch with the highest losses.
    pub worst: WorstStretch,
    /// How often any of the three would show as much without clustering, at most.
    pub p_value: f64,
    /// All rows.
    pub n: u64,
}

/// The rows in a row that are worst.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct WorstStretch {
    /// The instant of its first row.
    pub from: i64,
    /// The instant of its last row.
    pub to: i64,
    /// Its rows.
    pub rows: u64,
    /// Their mean loss.
    pub mean: f64,
    /// By how many standard deviations their sum exceeds that of as many random rows.
    pub excess: f64,
    /// How often the worst stretch of shuffled rows is as bad.
    pub p_value: f64,
}

/// Why clustering cannot be looked for.
#[derive(Clone, Copy, Debug, PartialEq, Error)]
pub enum ClusteringError {
    /// Losses that do not belong to the instants.
    #[error("put {losses} losses into the order of {times} instants: each row needs both")]
    LengthsDiffer {
        /// How many instants there are.
        times: usize,
        /// How many losses.
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
    /// Too few rows.
    #[error("look for clusters: too few rows, {n} where at least {needed} are needed")]
    TooFewRows {
        /// Rows at hand.
        n: usize,
        /// Rows needed.
        needed: usize,
    },
    /// Nothing that could cluster.
    #[error("look for clusters of losses: they are all the same")]
    NothingVaries,
    /// A setting out of range.
    #[error("look for clusters with {option} = {value}: see the option's range")]
    Option {
        /// Its name.
        option: &'static str,
        /// What was asked for.
        value: usize,
    },
}

/// Whether `losses`, one for each instant of `times` in any order and unit, cluster in time.
///
/// # Errors
/// Different lengths, a loss that cannot be measured, fewer than ten rows, losses all alike, options out
/// of range.
pub fn time_clustering(
    times: &[i64],
    losses: &[f64],
    options: &ClusteringOptions,
    level: Level,
    rng: &mut impl RngCore,
) -> Result<TimeClustering, ClusteringError> {
    check(times, losses, options)?;
    let n = losses.len();
    let mut order: Vec<usize> = (0..n).collect();
    order.sort_by_key(|&row| times[row]);
    let mean = losses.iter().sum::<f64>() / n as f64;
    let mut rest: Vec<f64> = order.iter().map(|&row| losses[row] - mean).collect();
    let variance = rest.iter().map(|rest| rest * rest).sum::<f64>() / n as f64;
    // What is left of equal losses is rounding.
    if variance <= (n as f64 * f64::EPSILON * mean).powi(2) {
        return Err(ClusteringError::NothingVaries);
    }
    let deviation = variance.sqrt();
    for rest in &mut rest {
        *rest /= deviation;
    }

    let blocks = options.blocks.min(n / ROWS_MIN);
    let windows = windows(n, &options.window_rows);
    let lags = options.lags.min((n / 4).max(1));
    let correlations: Vec<f64> = (1..=lags).map(|lag| correlation(&rest, lag)).collect();
    let ljung_box = correlations.iter().zip(1..).map(|(r, lag)| r * r / (n - lag) as f64).sum::<f64>()
        * n as f64
        * (n as f64 + 2.0);
    let ljung_box_p_value = chi_square_sf(ljung_box, lags as f64);

    let chi_square = chi_square_of_blocks(&rest, blocks);
    let worst = worst_stretch(&rest, &windows);
    let (mut as_dispersed, mut as_bad) = (1.0, 1.0);
    let mut shuffled = rest.clone();
    for _ in 0..options.permutations {
        shuffle(&mut shuffled, rng);
        // Equal up to the rounding of sums in another order counts as equal.
        as_dispersed += f64::from(u8::from(chi_square_of_blocks(&shuffled, blocks) >= chi_square - 1e-9));
        as_bad += f64::from(u8::from(worst_stretch(&shuffled, &windows).excess >= worst.excess - 1e-9));
    }
    let all = options.permutations as f64 + 1.0;
    let (dispersion_p_value, worst_p_value) = (as_dispersed / all, as_bad / all);
    let r = correlations[0];
    let half = level.z() * ((1.0 - r * r).max(0.0) / n as f64).sqrt();
    let stretch = &order[worst.first..worst.first + worst.rows];
    let of_stretch = stretch.iter().map(|&row| losses[row]).sum::<f64>() / worst.rows as f64;
    Ok(TimeClustering {
        dispersion_interval: dispersion_interval(chi_square, blocks as f64 - 1.0, level),
        dispersion: chi_square / (blocks as f64 - 1.0),
        chi_square,
        blocks: blocks as u64,
        dispersion_p_value,
        autocorrelation: r,
        interval: Interval {
            lower: (r - half).max(-1.0),
            upper: (r + half).min(1.0),
            level,
            method: IntervalMethod::NormalOfAutocorrelation,
        },
        ljung_box,
        lags: lags as u64,
        ljung_box_p_value,
        worst: WorstStretch {
            from: times[stretch[0]],
            to: times[stretch[worst.rows - 1]],
            rows: worst.rows as u64,
            mean: of_stretch,
            excess: worst.excess,
            p_value: worst_p_value,
        },
        p_value: (3.0 * dispersion_p_value.min(ljung_box_p_value).min(worst_p_value)).min(1.0),
        n: n as u64,
    })
}

fn dispersion_interval(chi_square: f64, freedom: f64, level: Level) -> Interval {
    Interval {
        lower: chi_square / chi_square_quantile(level.tail(), freedom),
        upper: (chi_square / chi_square_quantile(1.0 - level.tail(), freedom)).min(f64::MAX),
        level,
        method: IntervalMethod::ChiSquareOfVariance,
    }
}

/// `Σ n_b m_b²` of values with mean 0 and variance 1, in blocks whose sizes differ by at most one.
fn chi_square_of_blocks(values: &[f64], blocks: usize) -> f64 {
    let edge = |block: usize| block * values.len() / blocks;
    (0..blocks)
        .map(|block| {
            let values = &values[edge(block)..edge(block + 1)];
            values.iter().sum::<f64>().powi(2) / values.len() as f64
        })
        .sum()
}

/// `Σ eᵢ eᵢ₊ₖ / Σ eᵢ²` of values with mean 0 and variance 1.
fn correlation(values: &[f64], lag: usize) -> f64 {
    values.iter().zip(&values[lag..]).map(|(a, b)| a * b).sum::<f64>() / values.len() as f64
}

struct Stretch {
    first: usize,
    rows: usize,
    excess: f64,
}

/// The window with the largest standardised sum, of values with mean 0 and variance 1; the first of the
/// shortest among equals.
fn worst_stretch(values: &[f64], windows: &[usize]) -> Stretch {
    let n = values.len() as f64;
    let mut worst = Stretch { first: 0, rows: windows[0], excess: f64::NEG_INFINITY };
    for &rows in windows {
        let w = rows as f64;
        let deviation = (w * (n - w) / (n - 1.0)).sqrt();
        let mut sum: f64 = values[..rows].iter().sum();
        for first in 0..=values.len() - rows {
            if first > 0 {
                sum += values[first + rows - 1] - values[first - 1];
            }
            // Sums that slide gather rounding, which must not decide between equals.
            if sum / deviation > worst.excess + 1e-9 {
                worst = Stretch { first, rows, excess: sum / deviation };
            }
        }
    }
    worst
}

/// The row counts to scan, ascending, at least one.
fn windows(n: usize, asked: &[usize]) -> Vec<usize> {
    let mut rows: Vec<usize> =
        asked.iter().copied().filter(|&rows| rows >= ROWS_MIN && rows <= n / 2).collect();
    if rows.is_empty() {
        rows = [50, 20, 10, 5].iter().map(|part| (n / part).max(ROWS_MIN)).collect();
    }
    rows.sort_unstable();
    rows.dedup();
    rows
}

fn check(times: &[i64], losses: &[f64], options: &ClusteringOptions) -> Result<(), ClusteringError> {
    let n = losses.len();
    if times.len() != n {
        return Err(ClusteringError::LengthsDiffer { times: times.len(), losses: n });
    }
    if let Some(row) = first_unmeasurable(losses) {
        return Err(ClusteringError::Loss { row, value: losses[row] });
    }
    for (option, value, least) in
        [("blocks", options.blocks, 2), ("lags", options.lags, 1), ("permutations", options.permutations, 1)]
    {
        if value < least {
            return Err(ClusteringError::Option { option, value });
        }
    }
    let needed = 2 * ROWS_MIN;
    if n < needed { Err(ClusteringError::TooFewRows { n, needed }) } else { Ok(()) }
}
