//! The mean of what rows lost, with the interval that fits it.
//!
//! # What it measures
//!
//! The mean of losses of 0 or more. Where a loss cannot exceed 1 and all are 0 or 1 it is a share of mistakes,
//! with Wilson's interval; else the mean has a normal interval from the sample variance, which does not go below
//! 0 and has no width where all losses are alike.
//!
//! # When it misleads
//!
//! The normal interval is too short for few rows of a heavy-tailed loss, and rows are taken as independent.
//!
//! # Formula
//!
//! `x̄ ± z · s / √n`, `s² = Σ (xᵢ − x̄)² / (n − 1)`.
//!
//! # Example
//!
//! ```
//! use stats::interval::Level;
//! use stats::mean_loss::mean_loss;
//! let of = mean_loss([0.0, 1.0, 0.0, 0.0], true, Level::P95).unwrap();
//! assert_eq!((of.value, of.n), (0.25, 4));
//! assert!((of.interval.lower - 0.0456).abs() < 1e-4 && (of.interval.upper - 0.6994).abs() < 1e-4);
//! assert_eq!(mean_loss([], true, Level::P95), None);
//! ```
//!
//! # References
//!
//! * E. B. Wilson, "Probable inference, the law of succession, and statistical inference", J. Am. Stat.
//!   Assoc. 22, 1927.

use crate::classification::Estimate;
use crate::interval::{Interval, IntervalMethod, Level};
use crate::proportion::wilson_interval;

/// The mean of `losses`; `None` where there are none, where one is not a finite number of 0 or more, or where
/// a single loss that is no mistake shows nothing of how losses vary. `at_most_one`: whether no loss can exceed 1.
pub fn mean_loss(losses: impl IntoIterator<Item = f64>, at_most_one: bool, level: Level) -> Option<Estimate> {
    let (mut n, mut mean, mut squares, mut ones, mut are_mistakes) = (0_u64, 0.0, 0.0, 0_u64, at_most_one);
    for loss in losses {
        if !(loss >= 0.0 && loss.is_finite()) {
            return None;
        }
        // Welford's update.
        n += 1;
        let before = loss - mean;
        mean += before / n as f64;
        squares += before * (loss - mean);
        are_mistakes &= loss == 0.0 || loss == 1.0;
        ones += u64::from(loss == 1.0);
    }
    if n == 0 {
        return None;
    }
    let (value, interval) = if are_mistakes {
        (ones as f64 / n as f64, wilson_interval(ones, n, level).ok()?)
    } else if n == 1 {
        return None;
    } else {
        let half = level.z() * (squares / (n - 1) as f64 / n as f64).sqrt();
        let lower = (mean - half).max(0.0);
        (mean, Interval { lower, upper: mean + half, level, method: IntervalMethod::NormalOfMean })
    };
    Some(Estimate { value, interval, n, error_bound: 0.0 })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_no_loss_has_no_mean() {
        for losses in [vec![], vec![f64::NAN, 1.0], vec![-1.0, 2.0], vec![f64::INFINITY, 1.0], vec![0.5]] {
            assert_eq!(mean_loss(losses.clone(), true, Level::P95), None, "{losses:?}");
        }
        assert!(
            mean_loss([1.0], true, Level::P95).is_some() && mean_loss([1.0], false, Level::P95).is_none()
        );
        // Of errors that have no largest value none that is 0 says how large others are.
        assert_eq!(mean_loss([0.0, 0.0], false, Level::P95).unwrap().interval.width(), 0.0);
    }

    /// `scipy.stats.sem([0.5, 1.5, 2.0, 4.0])` of SciPy 1.15 is 0.7359800721939872.
    #[test]
    fn the_interval_of_a_mean_is_its_standard_error_on_both_sides() {
        let of = mean_loss([0.5, 1.5, 2.0, 4.0], true, Level::P95).unwrap();
        assert_eq!(of.value, 2.0);
        assert!((of.interval.upper - 2.0 - 1.959_963_984_540_054 * 0.735_980_072_193_987_2).abs() < 1e-12);
    }
}
