//! Brier score: the mean squared error of probabilities.
//!
//! # What it measures
//!
//! How far scores are from the outcomes (0 or 1), squared and averaged. In [0, 1], 0 is perfect.
//! It rewards both ranking and calibration.
//!
//! # When it misleads
//!
//! * A rare outcome makes it small for a model that says nothing: always answering the share of
//!   positives `b` gives `b(1 − b)`. Compare with that, not with other data.
//! * Squares forgive confident mistakes more than log loss does.
//!
//! # Formula
//!
//! `Σ (s − y)² / n`. Interval: normal, from the exact variance of the rows' losses; where all
//! losses are equal, Wilson's formula of a bounded mean. Rounded scores move a loss by at most
//! `h/2 · (2|s − y| + h/2)`, `h` the step.
//!
//! # Example
//!
//! ```
//! use stats::{classification::brier::brier_score, interval::Level};
//! use stats::labelled_scores::LabelledScores;
//! let scores = LabelledScores::from_pairs([(0.5, true), (0.0, false), (1.0, true)])?;
//! assert!((brier_score(&scores, Level::P95)?.value - 0.25 / 3.0).abs() < 1e-15);
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! # References
//!
//! * G. W. Brier, "Verification of forecasts expressed in terms of probability", Monthly Weather
//!   Review 78, 1950; here in its form for two outcomes, half of the original.

use super::{Estimate, Undefined, mean_estimate};
use crate::interval::Level;
use crate::labelled_scores::LabelledScores;

/// Brier score of `scores`, in [0, 1]. Outcomes of one class are enough.
///
/// # Errors
/// Fewer than two rows.
pub fn brier_score(scores: &LabelledScores, level: Level) -> Result<Estimate, Undefined> {
    let losses = scores.points().flat_map(|point| {
        let miss = 1.0 - point.score;
        [(miss * miss, point.positives), (point.score * point.score, point.negatives)]
    });
    let losses: Vec<(f64, u64)> = losses.collect();
    let mut estimate = mean_estimate(losses.iter().copied(), (0.0, 1.0), level)?;
    let off = scores.score_error();
    let moved = |(loss, rows): &(f64, u64)| off * (2.0 * loss.sqrt() + off) * *rows as f64;
    estimate.error_bound = (losses.iter().map(moved).sum::<f64>() / scores.n() as f64).min(1.0);
    Ok(estimate)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::interval::IntervalMethod;

    fn scores(rows: &[(f64, bool)]) -> LabelledScores {
        LabelledScores::from_pairs(rows.iter().copied()).unwrap()
    }

    #[test]
    fn fewer_than_two_rows_have_no_interval_and_no_estimate() {
        let none = brier_score(&scores(&[]), Level::P95);
        assert_eq!(none, Err(Undefined::NoRows));
        let one = brier_score(&scores(&[(0.2, true)]), Level::P95);
        assert_eq!(one, Err(Undefined::TooFewRows { n: 1, needed: 2 }));
    }

    #[test]
    fn perfect_scores_are_not_certain_to_stay_perfect() {
        let brier = brier_score(&scores(&[(0.0, false), (1.0, true), (1.0, true)]), Level::P95);
        let brier = brier.unwrap();
        assert_eq!((brier.value, brier.interval.lower), (0.0, 0.0));
        assert_eq!(brier.interval.method, IntervalMethod::WilsonOfBoundedMean);
        assert!(brier.interval.upper > 0.5);
    }

    #[test]
    fn the_error_bound_covers_the_exact_score() {
        let rows: Vec<_> = (0..300).map(|i| (f64::from(i) / 300.0, i % 3 == 0)).collect();
        let exact = brier_score(&scores(&rows), Level::P95).unwrap();
        assert!(exact.is_exact());
        for step in [0.001, 0.07, 0.5, 1.0] {
            let rounded = scores(&rows).rounded_to(step).unwrap();
            let found = brier_score(&rounded, Level::P95).unwrap();
            assert!((found.value - exact.value).abs() <= found.error_bound + 1e-12, "{step}");
        }
    }
}
