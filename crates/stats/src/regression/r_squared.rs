//! R²: how much of the outcome's variation the predictions explain.
//!
//! # What it measures
//!
//! One less the mean squared error over the variance of the outcomes. 1 is perfect, 0 is as good as
//! always predicting these rows' mean outcome, below 0 is worse than that.
//!
//! # When it misleads
//!
//! * It falls when outcomes vary less, though every error stays as it was: in a calm month a model
//!   can look useless. Look at the mean absolute error beside it.
//! * It rises when outcomes vary more.
//!
//! # Formula
//!
//! `R² = 1 − Σ (ŷ − y)² / Σ (y − ȳ)²`. Interval: normal for `ln(1 − R²)` by the delta method. With
//! `u = (ŷ − y)²`, `v = (y − ȳ)²` and `ρ = ū / v̄`, a row's influence on `ln ρ` is `(u − ū)/ū − (v − v̄)/v̄`;
//! the variance is the sum of its squares over `n²`. Where the predictions are perfect, nothing varies
//! and the interval is a point.
//!
//! # Example
//!
//! ```
//! use stats::{interval::Level, regression::{PredictionErrors, r_squared::r_squared}};
//! let errors = PredictionErrors::of([(1.0, 0.0), (1.0, 2.0), (4.0, 4.0), (6.0, 6.0)]);
//! assert!((r_squared(&errors, Level::P95)?.value - (1.0 - 2.0 / 20.0)).abs() < 1e-12);
//! # Ok::<(), stats::regression::RegressionUndefined>(())
//! ```
//!
//! # References
//!
//! * T. O. Kvålseth, "Cautionary note about R²", Am. Stat. 39, 1985: its equation 1.
//! * A. W. van der Vaart, "Asymptotic statistics", 1998, chapter 3: the delta method.

use super::{PredictionErrors, RegressionUndefined, estimate};
use crate::classification::Estimate;
use crate::interval::{IntervalMethod, Level};

/// R² of the predictions, at most 1.
///
/// # Errors
/// Fewer than two rows, or outcomes that are all the same.
pub fn r_squared(errors: &PredictionErrors, level: Level) -> Result<Estimate, RegressionUndefined> {
    let n = errors.n();
    let outcome_variance = match (n, errors.outcome.variance()) {
        (0, _) => return Err(RegressionUndefined::NoRows),
        (_, None) => return Err(RegressionUndefined::TooFewRows { n, needed: 2 }),
        (_, Some(variance)) if variance <= 0.0 => return Err(RegressionUndefined::ConstantOutcome),
        (_, Some(variance)) => variance * (n as f64 - 1.0) / n as f64,
    };
    let mean_square = errors.squared.mean().unwrap_or(0.0);
    let unexplained = mean_square / outcome_variance;
    let half = if mean_square > 0.0 {
        level.z() * log_variance(errors, mean_square, outcome_variance).sqrt()
    } else {
        0.0
    };
    let bounds = (1.0 - unexplained * half.exp(), 1.0 - unexplained * (-half).exp());
    Ok(estimate(1.0 - unexplained, bounds, n, level, IntervalMethod::NormalOfLogarithm))
}

/// The variance of `ln(ū / v̄)`.
fn log_variance(errors: &PredictionErrors, mean_square: f64, outcome_variance: f64) -> f64 {
    let n = errors.n() as f64;
    let of_squares = errors.squared.variance().map_or(0.0, |variance| variance * (n - 1.0));
    // Σ (v − v̄)² = n v̄² (kurtosis − 1).
    let kurtosis = errors.outcome.excess_kurtosis().map_or(1.0, |excess| excess + 3.0);
    let of_deviations = n * outcome_variance.powi(2) * (kurtosis - 1.0);
    let sum = of_squares / mean_square.powi(2) + of_deviations / outcome_variance.powi(2)
        - 2.0 * errors.cross.u_yy / (mean_square * outcome_variance);
    sum.max(0.0) / (n * n)
}
