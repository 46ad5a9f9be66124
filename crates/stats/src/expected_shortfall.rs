//! Expected shortfall: the mean of the worst share of losses.
//!
//! # What it measures
//!
//! How bad it is when it is bad: the mean loss of the worst share `α` of the rows, in the unit of the
//! loss. At `α = 1` it is the mean loss. Also called conditional value at risk, or superquantile.
//!
//! # When it misleads
//!
//! * Rows are chosen by their loss itself, so that noise counts: ten per cent of the rows with the worst
//!   luck are always bad. Whether they have something in common is another question; see
//!   [`worst_subpopulation`](crate::worst_subpopulation).
//! * Of mistakes (losses of 0 and 1) it says no more than the mean does: `min(1, rate / α)`.
//! * With heavy tails, few rows decide. The interval is too short then, and mostly too low: simulated at
//!   95 % with 50 worst rows of 500, it held the truth in 95 % of windows with uniform losses, in 94 % with
//!   exponential and in 89 % with log-normal ones (`σ = 1`); where losses have no variance, no number of
//!   rows is enough. `largest_share` says how much of the excess is one row's.
//! * Two windows compare only if their losses have the same unit.
//!
//! # Formula
//!
//! With losses in descending order and `k = α n`: the sum of the first `⌊k⌋`, plus the fraction
//! `k − ⌊k⌋` of the next, over `k`. This is the minimum over `η` of `mean (loss − η)₊ / α + η`; ties need
//! no care, as equal losses are equally bad. Interval: Student's, `k − 1` degrees of freedom, with the
//! variance of `(loss − q)₊ / α + q` over n, `q` the last loss that counts (`threshold`: the value at
//! risk). For mistakes, Wilson's for the rate, over `α`.
//!
//! # Example
//!
//! ```
//! use stats::{expected_shortfall::expected_shortfall, interval::Level};
//! let losses: Vec<f64> = (1..=100).map(f64::from).collect();
//! // The mean of 100, 99, … 91.
//! assert_eq!(expected_shortfall(&losses, 0.1, Level::P95)?.value, 95.5);
//! // Half of 94 belongs to the worst 6.5 rows.
//! let found = expected_shortfall(&losses, 0.065, Level::P95)?;
//! assert!((found.value - (100.0 + 99.0 + 98.0 + 97.0 + 96.0 + 95.0 + 47.0) / 6.5).abs() < 1e-9);
//! # Ok::<(), stats::expected_shortfall::ShortfallError>(())
//! ```
//!
//! # References
//!
//! * R. T. Rockafellar, S. Uryasev, "Conditional value-at-risk for general loss distributions",
//!   J. Banking & Finance 26, 2002, proposition 8: the fractional row.
//! * C. Acerbi, D. Tasche, "On the coherence of expected shortfall", J. Banking & Finance 26, 2002.
//! * B. J. Manistre, G. H. Hancock, "Variance of the CTE estimator", N. Am. Actuarial J. 9, 2005.

use serde::{Deserialize, Serialize};
use thiserror::Error;

use crate::interval::{Interval, IntervalMethod, Level};
use crate::losses::{are_mistakes, first_unmeasurable};
use crate::proportion::wilson_bounds;
use crate::special::student_t_quantile;

/// Worst rows, at least; below, an interval means nothing.
const WORST_ROWS_MIN: f64 = 5.0;

/// The mean of the worst share of losses.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct ExpectedShortfall {
    /// The mean loss of the worst rows.
    pub value: f64,
    /// Of the value.
    pub interval: Interval,
    /// The share of rows that count as the worst.
    pub alpha: f64,
    /// The least loss that counts: the value at risk.
    pub threshold: f64,
    /// The share of the worst rows' excess over the threshold that the largest loss makes up; None where
    /// nothing exceeds it.
    pub largest_share: Option<f64>,
    /// Rows behind the value, `α n`.
    pub rows: f64,
    /// All rows.
    pub n: u64,
}

/// Why there is no expected shortfall.
#[derive(Clone, Copy, Debug, PartialEq, Error)]
pub enum ShortfallError {
    /// A loss that is not a number or too large to square.
    #[error("use the loss {value} of row {row}: it must be a number below 1e72 in size")]
    Loss {
        /// Position of the row.
        row: usize,
        /// Its loss.
        value: f64,
    },
    /// A share that nothing has.
    #[error("take the worst share {alpha} of the losses: it must be above 0 and at most 1")]
    Alpha {
        /// What was asked for.
        alpha: f64,
    },
    /// Too few of the worst.
    #[error("tell how bad the worst share {alpha} of {n} rows is: that is fewer than {needed} rows")]
    TooFewRows {
        /// The share.
        alpha: f64,
        /// Rows at hand.
        n: usize,
        /// Worst rows needed.
        needed: f64,
    },
}

/// The mean of the worst share `alpha` of `losses`, larger being worse.
///
/// # Errors
/// A loss that cannot be measured, a share outside (0, 1], fewer than five worst rows.
pub fn expected_shortfall(
    losses: &[f64],
    alpha: f64,
    level: Level,
) -> Result<ExpectedShortfall, ShortfallError> {
    if !(alpha > 0.0 && alpha <= 1.0) {
        return Err(ShortfallError::Alpha { alpha });
    }
    if let Some(row) = first_unmeasurable(losses) {
        return Err(ShortfallError::Loss { row, value: losses[row] });
    }
    let n = losses.len() as f64;
    let rows = whole_if_near(alpha * n);
    if rows < WORST_ROWS_MIN {
        return Err(ShortfallError::TooFewRows { alpha, n: losses.len(), needed: WORST_ROWS_MIN });
    }
    let mut sorted = losses.to_vec();
    sorted.sort_unstable_by(|a, b| b.total_cmp(a));
    let full = rows.floor() as usize;
    let fraction = rows - full as f64;
    let threshold = sorted[if fraction > 0.0 { full } else { full - 1 }];
    let excess: f64 = sorted[..full].iter().map(|loss| loss - threshold).sum();
    let value = threshold + excess / rows;
    let bounds = if are_mistakes(losses) {
        let rate = losses.iter().sum::<f64>() / n;
        let (lower, upper) = wilson_bounds(rate, n, level);
        ((lower / alpha).min(value), (upper / alpha).clamp(value, 1.0), IntervalMethod::Wilson)
    } else {
        let squares: f64 =
            losses.iter().map(|loss| ((loss - threshold).max(0.0) / alpha + threshold - value).powi(2)).sum();
        let error = (squares / (n - 1.0) / n).sqrt();
        let half = student_t_quantile(level.tail(), rows - 1.0) * error;
        (value - half, value + half, IntervalMethod::StudentOfInfluence)
    };
    let (lower, upper, method) = bounds;
    Ok(ExpectedShortfall {
        value,
        interval: Interval { lower, upper, level, method },
        alpha,
        threshold,
        largest_share: (excess > 0.0).then(|| (sorted[0] - threshold) / excess),
        rows,
        n: losses.len() as u64,
    })
}

/// The whole number that `rows` would be without the rounding of a share such as 0.1.
fn whole_if_near(rows: f64) -> f64 {
    if (rows - rows.round()).abs() <= 1e-9 * rows { rows.round() } else { rows }
}
