//! Residuals by prediction and by segment: where a regression predicts too low or too high.
//!
//! # What it measures
//!
//! The mean residual, outcome less prediction, of rows whose predictions are alike ([`residual_trend`])
//! and of each segment ([`residuals_by_segment`]), in the unit of the outcome: above 0, predictions there
//! are too low. The intervals hold together: with the level's probability, none of them misses. The
//! trend says by how much the residual rises with the prediction: above 0, the model draws its
//! predictions too close together; below 0, too far apart.
//!
//! # When it misleads
//!
//! * A mean of 0 in every bin does not say that errors are small.
//! * A straight line misses what bends; look at the bins.
//! * Rows must be independent; and few rows with long tails make Student's intervals too short.
//! * A bin or segment whose residuals are all alike has an interval without width.
//!
//! # Formula
//!
//! Bins of equal mass that never part equal predictions and hold at least five rows. Interval of each of
//! `m` means: Student's, with `(1 − level) / m` left outside (Bonferroni). Trend: least squares of the
//! residual on the prediction, its variance by HC3,
//! `Σ (x − x̄)² e² / (1 − h)² / (Σ (x − x̄)²)²` with leverage `h`; Student's with n − 2 degrees of freedom.
//!
//! # Example
//!
//! ```
//! use stats::{interval::Level, residual_trend::residual_trend};
//! // The model says 0.8 x where x comes.
//! let outcomes: Vec<f64> = (0..200).map(|row| f64::from(row % 50) + f64::from(row % 3)).collect();
//! let predictions: Vec<f64> = (0..200).map(|row| 0.8 * f64::from(row % 50)).collect();
//! let residuals: Vec<f64> = outcomes.iter().zip(&predictions).map(|(y, p)| y - p).collect();
//! let found = residual_trend(&predictions, &residuals, 5, Level::P95)?;
//! let trend = found.trend.ok_or("no trend")?;
//! assert!((trend.slope - 0.25).abs() < 0.01 && trend.p_value < 1e-9);
//! assert!(found.bins[4].interval.lower > 5.0);
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! # References
//!
//! * J. G. MacKinnon, H. White, "Some heteroskedasticity-consistent covariance matrix estimators with
//!   improved finite sample properties", J. Econometrics 29, 1985.
//! * J. S. Long, L. H. Ervin, "Using heteroscedasticity consistent standard errors in the linear
//!   regression model", Am. Statistician 54, 2000: HC3 with few rows.

use serde::{Deserialize, Serialize};
use thiserror::Error;

use crate::interval::{Interval, IntervalMethod, Level};
use crate::losses::first_unmeasurable;
use crate::special::{student_t_quantile, student_t_two_sided};

/// Rows in a bin, at least.
const BIN_ROWS_MIN: usize = 5;
/// A leverage this close to 1 leaves nothing of the row's residual.
const LEVERAGE_LEFT_MIN: f64 = 1e-9;

/// Residuals along the predictions.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ResidualTrend {
    /// By prediction, ascending.
    pub bins: Vec<ResidualBin>,
    /// How the residual goes along with the prediction; None where predictions are all the same, or a
    /// single row decides the line.
    pub trend: Option<Trend>,
    /// All rows.
    pub n: u64,
}

/// Rows with similar predictions.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct ResidualBin {
    /// The least prediction.
    pub prediction_min: f64,
    /// The greatest prediction.
    pub prediction_max: f64,
    /// The mean residual, outcome less prediction.
    pub mean: f64,
    /// Of the mean; all bins' hold together.
    pub interval: Interval,
    /// Rows in the bin.
    pub n: u64,
}

/// A straight line through residuals.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Trend {
    /// By how much the residual rises when the prediction rises by 1.
    pub slope: f64,
    /// Of the slope.
    pub standard_error: f64,
    /// Of the slope.
    pub interval: Interval,
    /// How often a slope as far from 0 comes about without a trend; two-sided.
    pub p_value: f64,
}

/// Residuals of one segment.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct SegmentResidual {
    /// The segment's code.
    pub segment: u32,
    /// The mean residual, outcome less prediction.
    pub mean: f64,
    /// Of the mean; all segments' hold together. None for a single row.
    pub interval: Option<Interval>,
    /// Rows of the segment.
    pub n: u64,
}

/// Why residuals cannot be looked at.
#[derive(Clone, Copy, Debug, PartialEq, Error)]
pub enum ResidualError {
    /// Residuals that do not belong to the rows.
    #[error("arrange {residuals} residuals by {values} {what}: each row needs both")]
    LengthsDiffer {
        /// Predictions or segments.
        what: &'static str,
        /// How many of them there are.
        values: usize,
        /// How many residuals.
        residuals: usize,
    },
    /// A value that is not a number or too large to square.
    #[error("use the {what} {value} of row {row}: it must be a number below 1e72 in size")]
    Value {
        /// Prediction or residual.
        what: &'static str,
        /// Position of the row.
        row: usize,
        /// Its value.
        value: f64,
    },
    /// Too few rows.
    #[error("arrange residuals: too few, {n} where at least {needed} are needed")]
    TooFewRows {
        /// Rows at hand.
        n: usize,
        /// Rows needed.
        needed: usize,
    },
    /// Nothing can be put into no bins.
    #[error("group predictions into zero bins: ask for at least one")]
    ZeroBins,
}

/// The mean of `residuals` (outcome less prediction) in at most `bins` bins of `predictions`, and how they
/// rise with them.
///
/// # Errors
/// Different lengths, values that cannot be measured, fewer than five rows, zero bins.
pub fn residual_trend(
    predictions: &[f64],
    residuals: &[f64],
    bins: usize,
    level: Level,
) -> Result<ResidualTrend, ResidualError> {
    let n = residuals.len();
    if predictions.len() != n {
        let (what, values) = ("predictions", predictions.len());
        return Err(ResidualError::LengthsDiffer { what, values, residuals: n });
    }
    for (what, values) in [("prediction", predictions), ("residual", residuals)] {
        if let Some(row) = first_unmeasurable(values) {
            return Err(ResidualError::Value { what, row, value: values[row] });
        }
    }
    if bins == 0 {
        return Err(ResidualError::ZeroBins);
    }
    if n < BIN_ROWS_MIN {
        return Err(ResidualError::TooFewRows { n, needed: BIN_ROWS_MIN });
    }
    let mut rows: Vec<(f64, f64)> = predictions.iter().copied().zip(residuals.iter().copied()).collect();
    rows.sort_by(|a, b| a.0.total_cmp(&b.0));
    let parts = equal_masses(&rows, bins);
    let bin = |part: &std::ops::Range<usize>| {
        let rows = &rows[part.clone()];
        let residuals: Vec<f64> = rows.iter().map(|&(_, residual)| residual).collect();
        let (mean, interval) = mean_among(&residuals, parts.len(), level);
        ResidualBin {
            prediction_min: rows[0].0,
            prediction_max: rows[rows.len() - 1].0,
            mean,
            interval: interval.expect("a bin has at least five rows"),
            n: rows.len() as u64,
        }
    };
    Ok(ResidualTrend { bins: parts.iter().map(bin).collect(), trend: trend(&rows, level), n: n as u64 })
}

/// The mean of `residuals` (outcome less prediction) for each code in `segments`, ascending by code.
///
/// # Errors
/// Different lengths, a residual that cannot be measured, no rows.
pub fn residuals_by_segment(
    segments: &[u32],
    residuals: &[f64],
    level: Level,
) -> Result<Vec<SegmentResidual>, ResidualError> {
    let n = residuals.len();
    if segments.len() != n {
        let (what, values) = ("segments", segments.len());
        return Err(ResidualError::LengthsDiffer { what, values, residuals: n });
    }
    if let Some(row) = first_unmeasurable(residuals) {
        return Err(ResidualError::Value { what: "residual", row, value: residuals[row] });
    }
    if n == 0 {
        return Err(ResidualError::TooFewRows { n, needed: 1 });
    }
    let mut rows: Vec<(u32, f64)> = segments.iter().copied().zip(residuals.iter().copied()).collect();
    rows.sort_by_key(|&(segment, _)| segment);
    let groups: Vec<&[(u32, f64)]> = rows.chunk_by(|a, b| a.0 == b.0).collect();
    let of_group = |group: &&[(u32, f64)]| {
        let residuals: Vec<f64> = group.iter().map(|&(_, residual)| residual).collect();
        let (mean, interval) = mean_among(&residuals, groups.len(), level);
        SegmentResidual { segment: group[0].0, mean, interval, n: group.len() as u64 }
    };
    Ok(groups.iter().map(of_group).collect())
}

/// The mean with an interval that holds together with those of `means` such means; None for one row.
fn mean_among(values: &[f64], means: usize, level: Level) -> (f64, Option<Interval>) {
    let n = values.len() as f64;
    let mean = values.iter().sum::<f64>() / n;
    if values.len() < 2 {
        return (mean, None);
    }
    let squares: f64 = values.iter().map(|value| (value - mean).powi(2)).sum();
    let half = student_t_quantile(level.tail() / means as f64, n - 1.0) * (squares / (n - 1.0) / n).sqrt();
    let method = IntervalMethod::StudentOfMean;
    (mean, Some(Interval { lower: mean - half, upper: mean + half, level, method }))
}

/// Parts of about equally many rows, sorted by prediction, that part no equal predictions.
fn equal_masses(rows: &[(f64, f64)], bins: usize) -> Vec<std::ops::Range<usize>> {
    let n = rows.len();
    let mut parts: Vec<std::ops::Range<usize>> = Vec::new();
    let (mut from, mut goal) = (0, 1);
    for upto in 1..=n {
        let is_edge = upto == n || rows[upto].0 != rows[upto - 1].0;
        let is_full = upto as u128 * bins as u128 >= goal * n as u128 && upto - from >= BIN_ROWS_MIN;
        if is_edge && is_full {
            parts.push(from..upto);
            from = upto;
            goal = upto as u128 * bins as u128 / n as u128 + 1;
        }
    }
    if from < n {
        // Too few rows for a bin of their own.
        let last = parts.pop().unwrap_or(0..n);
        parts.push(last.start..n);
    }
    parts
}

fn trend(rows: &[(f64, f64)], level: Level) -> Option<Trend> {
    let n = rows.len() as f64;
    let mean = |of: fn(&(f64, f64)) -> f64| rows.iter().map(of).sum::<f64>() / n;
    let (x_mean, y_mean) = (mean(|row| row.0), mean(|row| row.1));
    let squares: f64 = rows.iter().map(|row| (row.0 - x_mean).powi(2)).sum();
    // What is left of equal predictions is rounding.
    if rows.len() < 3 || squares <= n * (n * f64::EPSILON * x_mean).powi(2) {
        return None;
    }
    let slope = rows.iter().map(|row| (row.0 - x_mean) / squares * (row.1 - y_mean)).sum::<f64>();
    let mut variance = 0.0;
    for (x, y) in rows {
        let distance = x - x_mean;
        let left = 1.0 - 1.0 / n - distance / squares * distance;
        if left < LEVERAGE_LEFT_MIN {
            return None;
        }
        let residual = y - y_mean - slope * distance;
        variance += (distance / squares * residual / left).powi(2);
    }
    let standard_error = variance.sqrt();
    let half = student_t_quantile(level.tail(), n - 2.0) * standard_error;
    let p_value = match (slope == 0.0, standard_error > 0.0) {
        (true, _) => 1.0,
        (false, true) => student_t_two_sided(slope / standard_error, n - 2.0),
        (false, false) => 0.0,
    };
    let method = IntervalMethod::StudentOfInfluence;
    let interval = Interval { lower: slope - half, upper: slope + half, level, method };
    Some(Trend { slope, standard_error, interval, p_value })
}
