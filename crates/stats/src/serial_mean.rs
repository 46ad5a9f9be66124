//! The mean of a series whose neighbours are alike, such as one number a day.
//!
//! # What it measures
//!
//! The mean, and how far it may be from the one behind the series. A bad day is often followed by
//! another, so that thirty days tell less than thirty independent ones. The *dispersion* is by how much
//! the variance of the mean exceeds that of independent values; it is at least 1.
//!
//! # When it misleads
//!
//! * It sees dependence up to a few neighbours. A season is a trend in a series that is shorter.
//! * The interval needs enough values for a normal mean; few, heavy-tailed ones are not enough.
//!
//! # Formula
//!
//! With `eᵢ = xᵢ − x̄` and Bartlett's weights `wₖ = 1 − k/(L + 1)` for lags up to `L`, dispersion
//! `D = max(1, (Σ eᵢ² + 2 Σₖ wₖ Σᵢ eᵢ eᵢ₊ₖ) / Σ eᵢ²)`; standard error `√(D s² / n)`, `s²` divided by
//! n − 1. The interval is Student's, with `n/D − 1` degrees of freedom, at least 1.
//!
//! # Example
//!
//! ```
//! use stats::{interval::Level, serial_mean::serial_mean};
//! // Each value comes twice: half of them tell nothing new.
//! let pairs: Vec<f64> = (0..200).map(|day| f64::from((day / 2_i32).pow(3) * 37 % 101)).collect();
//! let found = serial_mean(&pairs, 6, Level::P95).ok_or("too few values")?;
//! assert!(found.dispersion > 1.5 && found.interval.contains(50.0));
//! # Ok::<(), &str>(())
//! ```
//!
//! # References
//!
//! * W. K. Newey, K. D. West, "A simple, positive semi-definite, heteroskedasticity and
//!   autocorrelation consistent covariance matrix", Econometrica 55, 1987.
//! * statsmodels, `cov_type="HAC"`: the variance before the limit at 1, to which it is equal.

use serde::{Deserialize, Serialize};

use crate::interval::{Interval, IntervalMethod, Level};
use crate::special::student_t_quantile;

/// The mean of a series.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct SerialMean {
    /// The mean.
    pub mean: f64,
    /// Of the mean.
    pub standard_error: f64,
    /// Student's, two-sided.
    pub interval: Interval,
    /// The variance of the mean over that of independent values; at least 1.
    pub dispersion: f64,
    /// Values.
    pub n: u64,
}

/// The mean of `values`, in the order of time, taken to depend on each other over at most `lags`
/// neighbours; `None` for fewer than two values or ones that are not finite.
pub fn serial_mean(values: &[f64], lags: usize, level: Level) -> Option<SerialMean> {
    let n = values.len() as f64;
    if values.len() < 2 {
        return None;
    }
    let mean = values.iter().sum::<f64>() / n;
    let rest: Vec<f64> = values.iter().map(|value| value - mean).collect();
    let squares: f64 = rest.iter().map(|rest| rest * rest).sum();
    if !squares.is_finite() {
        return None;
    }
    // What is left of a constant series is rounding.
    let squares = if squares <= n * (n * f64::EPSILON * mean).powi(2) { 0.0 } else { squares };
    let products = |lag: usize| rest.iter().zip(&rest[lag..]).map(|(a, b)| a * b).sum::<f64>();
    let weight = |lag: usize| 1.0 - lag as f64 / (lags as f64 + 1.0);
    let long_run =
        squares + (1..=lags.min(rest.len())).map(|lag| 2.0 * weight(lag) * products(lag)).sum::<f64>();
    let dispersion = if squares > 0.0 { (long_run / squares).max(1.0) } else { 1.0 };
    let standard_error = (dispersion * squares / (n - 1.0) / n).sqrt();
    let half = student_t_quantile(level.tail(), (n / dispersion - 1.0).max(1.0)) * standard_error;
    let interval =
        Interval { lower: mean - half, upper: mean + half, level, method: IntervalMethod::StudentOfMean };
    Some(SerialMean { mean, standard_error, interval, dispersion, n: values.len() as u64 })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_series_that_swings_back_is_no_surer_than_independent_values() {
        let swinging: Vec<f64> = (0..50).map(|day| f64::from(day % 2)).collect();
        assert_eq!(serial_mean(&swinging, 6, Level::P95).unwrap().dispersion, 1.0);
    }

    #[test]
    fn a_constant_series_is_known_and_an_empty_one_is_not() {
        let constant = serial_mean(&[0.2; 30], 6, Level::P95).unwrap();
        assert_eq!((constant.dispersion, constant.standard_error), (1.0, 0.0));
        assert_eq!(serial_mean(&[0.2], 6, Level::P95), None);
        assert_eq!(serial_mean(&[], 6, Level::P95), None);
        assert_eq!(serial_mean(&[0.0, f64::NAN], 6, Level::P95), None);
        assert_eq!(serial_mean(&[0.0, f64::INFINITY], 6, Level::P95), None);
        // More lags than values.
        assert!(serial_mean(&[0.0, 1.0], 6, Level::P95).is_some());
    }
}
