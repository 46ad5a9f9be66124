//! Two mean losses over the same rows: Student's paired t.
//!
//! # What it measures
//!
//! The second model's mean loss less the first's, for any loss of a row (absolute or squared error, log
//! loss, cost); below 0 the second model is better. And on how many rows each model lost less.
//!
//! # When it misleads
//!
//! * A few rows with huge losses decide a mean: the model that is better on most rows can have the larger
//!   mean. Look at wins and losses beside it.
//! * The interval holds for many rows; with skewed differences "many" is some hundreds.
//! * Rows must be independent; a thousand rows of ten customers are closer to ten.
//!
//! # Formula
//!
//! With `d = loss₂ − loss₁` row by row: `mean(d) ± t · sd(d) / √n`, t Student's quantile with n − 1 degrees
//! of freedom. Where all differences are alike the interval has no width, though other rows may differ; p is
//! then 1 if they are 0, and that of the sign test if they are not.
//!
//! # Example
//!
//! ```
//! use stats::{interval::Level, paired::mean_loss::paired_mean_loss};
//! let found = paired_mean_loss(&[1.0, 2.0, 3.0, 2.0], &[0.5, 2.0, 2.0, 1.0], Level::P95)?;
//! assert_eq!(found.difference.value, -0.625);
//! assert_eq!((found.rows.wins, found.rows.ties, found.rows.losses), (3, 1, 0));
//! # Ok::<(), stats::paired::PairedError>(())
//! ```
//!
//! # References
//!
//! * Student, "The probable error of a mean", Biometrika 6, 1908.

use serde::{Deserialize, Serialize};

use super::{PairedError, WinsTiesLosses, all_alike_p_value, check};
use crate::classification::Estimate;
use crate::interval::{Interval, IntervalMethod, Level};
use crate::special::{student_t_quantile, student_t_two_sided};

/// Two mean losses over the same rows.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct PairedMeanLoss {
    /// The second mean less the first; below 0 the second model is better.
    pub difference: Estimate,
    /// The difference in standard errors; `None` where it has no variance.
    pub t: Option<f64>,
    /// Two-sided.
    pub p_value: f64,
    /// On how many rows the second model lost less.
    pub rows: WinsTiesLosses,
}

/// Compares the losses of two models on the same rows.
///
/// # Errors
/// Slices of different length, losses or squares of their differences that are not finite, or fewer than
/// two rows.
pub fn paired_mean_loss(first: &[f64], second: &[f64], level: Level) -> Result<PairedMeanLoss, PairedError> {
    check(first, second, first.len())?;
    let n = first.len() as f64;
    if first.len() < 2 {
        return Err(PairedError::TooFewRows { n: first.len() as u64, needed: 2 });
    }
    let differences: Vec<f64> = second.iter().zip(first).map(|(b, a)| b - a).collect();
    let value = differences.iter().sum::<f64>() / n;
    let squares: f64 = differences.iter().map(|difference| (difference - value).powi(2)).sum();
    if !value.is_finite() || !squares.is_finite() {
        let largest =
            (0..differences.len()).max_by(|&a, &b| differences[a].abs().total_cmp(&differences[b].abs()));
        return Err(PairedError::NotFinite { row: largest.unwrap_or(0) });
    }
    // What is left where all differences are alike is rounding.
    let error = (squares / (n - 1.0) / n).sqrt();
    let error = if error <= 1e-15 * value.abs() { 0.0 } else { error };
    let (t, p_value) = match (error > 0.0, value == 0.0) {
        (true, _) => (Some(value / error), student_t_two_sided(value / error, n - 1.0)),
        (false, true) => (None, 1.0),
        (false, false) => (None, all_alike_p_value(first.len())),
    };
    let half = student_t_quantile(level.tail(), n - 1.0) * error;
    let interval = Interval {
        lower: (value - half).max(f64::MIN),
        upper: (value + half).min(f64::MAX),
        level,
        method: IntervalMethod::StudentOfMean,
    };
    let count = |is: fn(&&f64) -> bool| differences.iter().filter(is).count() as u64;
    let rows = WinsTiesLosses {
        wins: count(|d| **d < 0.0),
        ties: count(|d| **d == 0.0),
        losses: count(|d| **d > 0.0),
    };
    let difference = Estimate { value, interval, n: first.len() as u64, error_bound: 0.0 };
    Ok(PairedMeanLoss { difference, t, p_value, rows })
}
