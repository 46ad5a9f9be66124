//! Brier score in parts: reliability, resolution and uncertainty over bins.
//!
//! # What it measures
//!
//! How much of the [Brier score](crate::classification::brier) comes from scores that do not mean what
//! they say (reliability, 0 is perfect), how much is won by telling rows apart (resolution, more is
//! better), and what lies in the outcomes alone (uncertainty, the score of always answering their share).
//!
//! # When it misleads
//!
//! * Chance alone makes reliability and resolution of bins larger, the more so the fewer rows a bin has
//!   (by about `bins · p(1 − p) / n` each). The parts have no interval here; see
//!   [`binned_error`](super::binned_error) for a debiased error and [`corp`](super::corp) for parts
//!   that depend on no bins.
//! * Uncertainty is the data's, not the model's: a Brier score that falls may only mean rarer outcomes.
//! * What scores do within a bin is in the two terms of their own; without them the parts do not add up.
//!
//! # Formula
//!
//! With `f̄_k`, `ō_k` the mean score and the share of positives of bin `k`, `ō` the share of all:
//! `reliability = Σ w_k (f̄_k − ō_k)²`, `resolution = Σ w_k (ō_k − ō)²`, `uncertainty = ō (1 − ō)`,
//! `within variance = Σ (f_i − f̄_k)² / n`, `within covariance = 2 Σ (f_i − f̄_k)(o_i − ō_k) / n`. Then
//! `Brier = reliability − resolution + uncertainty + within variance − within covariance`, exactly.
//! Rounded scores move a bin's mean by at most `h/2`; the bound of the Brier score is its own.
//!
//! # Example
//!
//! ```
//! use stats::classification::calibration::{Binning, brier_parts::brier_parts};
//! use stats::{interval::Level, labelled_scores::LabelledScores};
//! let scores = LabelledScores::from_counts(vec![(0.1, 20, 80), (0.8, 80, 20)], None)?;
//! let parts = brier_parts(&scores, 10, Binning::EqualMass, Level::P95)?;
//! assert!((parts.reliability - 0.005).abs() < 1e-12);
//! assert!((parts.resolution - 0.09).abs() < 1e-12 && parts.uncertainty == 0.25);
//! assert!((parts.brier.value - (0.005 - 0.09 + 0.25)).abs() < 1e-12);
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! # References
//!
//! * A. H. Murphy, "A new vector partition of the probability score", J. Appl. Meteorol. 12, 1973.
//! * D. B. Stephenson, C. A. S. Coelho, I. T. Jolliffe, "Two extra components in the Brier score
//!   decomposition", Weather and Forecasting 23, 2008.

use serde::{Deserialize, Serialize};

use super::bins::{Binning, close, groups};
use crate::classification::brier::brier_score;
use crate::classification::{Estimate, Undefined};
use crate::interval::Level;
use crate::labelled_scores::{LabelledScores, ScorePoint};

/// What the Brier score is made of.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct BrierParts {
    /// The whole.
    pub brier: Estimate,
    /// Lost by scores that do not mean what they say.
    pub reliability: f64,
    /// Won by telling rows apart.
    pub resolution: f64,
    /// The outcomes' own.
    pub uncertainty: f64,
    /// How much scores vary within bins.
    pub within_variance: f64,
    /// How much of that goes along with outcomes, twice.
    pub within_covariance: f64,
    /// The bins that have rows.
    pub bins: usize,
}

/// The parts of the Brier score of `scores`, over at most `bins` bins.
///
/// # Errors
/// Fewer than two rows, or zero bins.
pub fn brier_parts(
    scores: &LabelledScores,
    bins: usize,
    binning: Binning,
    level: Level,
) -> Result<BrierParts, Undefined> {
    let groups = groups(scores, bins, binning)?;
    let brier = brier_score(scores, level)?;
    let n = scores.n() as f64;
    let share = scores.positives_total() as f64 / n;
    let points: Vec<ScorePoint> = scores.points().collect();
    let mut parts = BrierParts {
        brier,
        reliability: 0.0,
        resolution: 0.0,
        uncertainty: share * (1.0 - share),
        within_variance: 0.0,
        within_covariance: 0.0,
        bins: groups.len(),
    };
    for group in groups {
        let points = &points[group];
        let bin = close(points.iter().copied(), level);
        let weight = bin.n as f64 / n;
        parts.reliability += weight * bin.gap().powi(2);
        parts.resolution += weight * (bin.outcome_share - share).powi(2);
        for point in points {
            let off = point.score - bin.score_mean;
            parts.within_variance += off * off * point.n() as f64 / n;
            let outcomes = point.positives as f64 - bin.outcome_share * point.n() as f64;
            parts.within_covariance += 2.0 * off * outcomes / n;
        }
    }
    Ok(parts)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn sum(parts: &BrierParts) -> f64 {
        parts.reliability - parts.resolution + parts.uncertainty + parts.within_variance
            - parts.within_covariance
    }

    proptest! {
        #[test]
        fn the_parts_add_up_whatever_the_bins(
            rows in prop::collection::vec((0.0..=1.0_f64, any::<bool>()), 2..80), bins in 1_usize..12
        ) {
            let scores = LabelledScores::from_pairs(rows).unwrap();
            for binning in [Binning::EqualMass, Binning::EqualWidth] {
                let parts = brier_parts(&scores, bins, binning, Level::P95).unwrap();
                prop_assert!((sum(&parts) - parts.brier.value).abs() < 1e-13, "{:?}", parts);
                prop_assert!(parts.resolution <= parts.uncertainty + 1e-13);
            }
        }
    }

    #[test]
    fn one_class_has_nothing_uncertain_and_few_rows_say_why() {
        let of = |rows: &[(f64, bool)], bins| {
            let scores = LabelledScores::from_pairs(rows.iter().copied()).unwrap();
            brier_parts(&scores, bins, Binning::EqualMass, Level::P95)
        };
        let parts = of(&[(0.0, false), (0.0, false), (1.0, false)], 5).unwrap();
        assert_eq!((parts.uncertainty, parts.resolution), (0.0, 0.0));
        assert!((parts.reliability - 1.0 / 3.0).abs() < 1e-15);
        assert_eq!(of(&[], 5), Err(Undefined::NoRows));
        assert_eq!(of(&[(0.5, true)], 5), Err(Undefined::TooFewRows { n: 1, needed: 2 }));
        assert_eq!(of(&[(0.5, true), (0.5, true)], 0), Err(Undefined::ZeroBins));
    }
}
