//! Log loss: how surprised the scores are by the outcomes.
//!
//! # What it measures
//!
//! The mean of minus the logarithm of the probability given to what happened, in nats. 0 is
//! perfect; a coin gives ln 2 = 0.69.
//!
//! # When it misleads
//!
//! * A single confident mistake (a score of 0 for a positive) would make it infinite. Scores are
//!   clipped to keep it finite, each such row then costs 36 nats, and a handful dominate the mean.
//!   The result says how many rows were clipped.
//! * A rare outcome makes it small for a model that says nothing. Compare within one data set.
//!
//! # Formula
//!
//! `−Σ (y ln s + (1 − y) ln(1 − s)) / n`, `s` clipped to `[ε, 1 − ε]` with ε = 2.2e-16, the
//! distance from 1 to the next 64-bit float, as scikit-learn does. Interval: normal, from the exact
//! variance of the rows' losses; where all losses are equal, Wilson's formula of a bounded mean.
//!
//! # Example
//!
//! ```
//! use stats::{classification::log_loss::log_loss, interval::Level};
//! use stats::labelled_scores::LabelledScores;
//! let loss = log_loss(&LabelledScores::from_pairs([(0.5, true), (0.5, false)])?, Level::P95)?;
//! assert!((loss.estimate.value - std::f64::consts::LN_2).abs() < 1e-15);
//! assert_eq!(loss.clipped, 0);
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! # References
//!
//! * I. J. Good, "Rational decisions", J. R. Stat. Soc. B 14, 1952.

use serde::{Deserialize, Serialize};

use super::{Estimate, Undefined, mean_estimate};
use crate::interval::Level;
use crate::labelled_scores::LabelledScores;

/// Log loss, and how far clipping decided it.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct LogLoss {
    /// The loss in nats, 0 or more.
    pub estimate: Estimate,
    /// Rows whose score was moved to keep the logarithm finite.
    pub clipped: u64,
}

/// Log loss of `scores`, in nats. Outcomes of one class are enough.
///
/// # Errors
/// Fewer than two rows.
pub fn log_loss(scores: &LabelledScores, level: Level) -> Result<LogLoss, Undefined> {
    let losses: Vec<(f64, u64)> = scores
        .points()
        .flat_map(|p| {
            let (hit, miss) = (surprise(p.score), surprise(1.0 - p.score));
            [(hit, p.positives), (miss, p.negatives)]
        })
        .collect();
    let range = (surprise(1.0), surprise(0.0));
    let mut estimate = mean_estimate(losses.iter().copied(), range, level)?;
    estimate.error_bound = error_bound(scores);
    let clipped = scores.points().filter(|p| clip(p.score) != p.score);
    Ok(LogLoss { estimate, clipped: clipped.map(|point| point.n()).sum() })
}

fn clip(share: f64) -> f64 {
    share.clamp(f64::EPSILON, 1.0 - f64::EPSILON)
}

fn surprise(share_of_what_happened: f64) -> f64 {
    -clip(share_of_what_happened).ln()
}

/// The mean of the furthest that half a step can move each row's loss.
fn error_bound(scores: &LabelledScores) -> f64 {
    let off = scores.score_error();
    if off == 0.0 {
        return 0.0;
    }
    let furthest = |share: f64| {
        let here = surprise(share);
        (surprise(share - off) - here).max(here - surprise(share + off))
    };
    let moved = scores
        .points()
        .map(|p| furthest(p.score) * p.positives as f64 + furthest(1.0 - p.score) * p.negatives as f64);
    moved.sum::<f64>() / scores.n() as f64
}

#[cfg(test)]
mod tests {
    use super::*;

    fn scores(rows: &[(f64, bool)]) -> LabelledScores {
        LabelledScores::from_pairs(rows.iter().copied()).unwrap()
    }

    #[test]
    fn fewer_than_two_rows_have_no_estimate() {
        assert_eq!(log_loss(&scores(&[]), Level::P95), Err(Undefined::NoRows));
        let one = log_loss(&scores(&[(0.2, true)]), Level::P95);
        assert_eq!(one, Err(Undefined::TooFewRows { n: 1, needed: 2 }));
    }

    #[test]
    fn a_confident_mistake_is_finite_and_counted() {
        let loss = log_loss(&scores(&[(0.0, true), (1.0, true), (0.5, true)]), Level::P95);
        let loss = loss.unwrap();
        assert_eq!(loss.clipped, 2);
        assert!(loss.estimate.value > 12.0 && loss.estimate.value < 13.0);
        assert!(loss.estimate.interval.upper.is_finite());
    }

    #[test]
    fn equal_losses_keep_an_interval() {
        let loss = log_loss(&scores(&[(0.9, true); 30]), Level::P95).unwrap();
        assert!(loss.estimate.interval.upper > loss.estimate.value + 0.1);
    }

    #[test]
    fn the_error_bound_covers_the_exact_loss() {
        let rows: Vec<_> = (0..300).map(|i| (f64::from(i) / 300.0, i % 3 == 0)).collect();
        let exact = log_loss(&scores(&rows), Level::P95).unwrap().estimate;
        assert!(exact.is_exact());
        for step in [0.001, 0.07, 0.5, 1.0] {
            let rounded = scores(&rows).rounded_to(step).unwrap();
            let found = log_loss(&rounded, Level::P95).unwrap().estimate;
            assert!((found.value - exact.value).abs() <= found.error_bound + 1e-12, "{step}");
        }
    }
}
