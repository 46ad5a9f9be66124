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
//!   (by about `bins · p(1 − p) / n` each). The values are Murphy's, the intervals are of what is left
//!   without that: a value near the upper end of its interval is mostly chance. See
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
//! Intervals of reliability and resolution are of the parts that the bins' true shares `π_k` have, for
//! the scores as they are. With `d_k` the distance of `ō_k` to `f̄_k` (to `ō`) and `v_k` the variance of `ō_k`,
//! `Σ w_k (d_k² − v_k)` is right on average, and `d_k²` of a normal `d_k` has the variance
//! `4 δ_k² v_k + 2 v_k²`, where `δ_k²` is `d_k² − v_k` or 0. The normal interval from that is cut at 0 (for
//! resolution also at 0.25) and widened to hold the value itself. The resolution's own mean `ō` takes another
//! `Σ w_k v_k / n` or so off, which is left in. `v_k` is that of the share with half a row of each outcome added,
//! so that bins without one of the outcomes have noise, too. Uncertainty: the ends of Wilson's interval of `ō`.
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
//! * C. A. T. Ferro, T. E. Fricker, "A bias-corrected decomposition of the Brier score", Q. J. R. Meteorol.
//!   Soc. 138, 2012: what chance adds to the parts.

use serde::{Deserialize, Serialize};

use super::bins::{Binning, close, groups};
use super::expected_error::smoothed_share;
use crate::classification::brier::brier_score;
use crate::classification::{Estimate, Undefined};
use crate::interval::{Interval, IntervalMethod, Level};
use crate::labelled_scores::{LabelledScores, ScorePoint};
use crate::proportion::wilson_bounds;

/// What the Brier score is made of.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct BrierParts {
    /// The whole.
    pub brier: Estimate,
    /// Lost by scores that do not mean what they say.
    pub reliability: f64,
    /// What it is without chance.
    pub reliability_interval: Interval,
    /// Won by telling rows apart.
    pub resolution: f64,
    /// What it is without chance.
    pub resolution_interval: Interval,
    /// The outcomes' own.
    pub uncertainty: f64,
    /// Of the outcomes' own.
    pub uncertainty_interval: Interval,
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
    let (mut gaps, mut spread) = (SquaredDistances::default(), SquaredDistances::default());
    let none = Interval { lower: 0.0, upper: 0.0, level, method: IntervalMethod::NormalOfSquaredDistances };
    let mut parts = BrierParts {
        brier,
        reliability: 0.0,
        reliability_interval: none,
        resolution: 0.0,
        resolution_interval: none,
        uncertainty: share * (1.0 - share),
        uncertainty_interval: uncertainty_interval(scores, level),
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
        let noise = smoothed_share(&bin) * (1.0 - smoothed_share(&bin)) / bin.n as f64;
        gaps.add(weight, bin.gap(), noise);
        spread.add(weight, bin.outcome_share - share, noise);
        for point in points {
            let off = point.score - bin.score_mean;
            parts.within_variance += off * off * point.n() as f64 / n;
            let outcomes = point.positives as f64 - bin.outcome_share * point.n() as f64;
            parts.within_covariance += 2.0 * off * outcomes / n;
        }
    }
    parts.reliability_interval = gaps.interval(parts.reliability, 1.0, level);
    parts.resolution_interval = spread.interval(parts.resolution, 0.25, level);
    Ok(parts)
}

/// `Σ w d²` of distances that noise makes larger, without that noise.
#[derive(Default)]
struct SquaredDistances {
    without_noise: f64,
    variance: f64,
}

impl SquaredDistances {
    fn add(&mut self, weight: f64, distance: f64, noise: f64) {
        let square = distance * distance - noise;
        self.without_noise += weight * square;
        self.variance += weight * weight * (4.0 * square.max(0.0) * noise + 2.0 * noise * noise);
    }

    /// Between 0 and `most`, and never without `value`.
    fn interval(&self, value: f64, most: f64, level: Level) -> Interval {
        let half = level.z() * self.variance.sqrt();
        Interval {
            lower: (self.without_noise - half).max(0.0).min(value),
            upper: (self.without_noise + half).min(most).max(value),
            level,
            method: IntervalMethod::NormalOfSquaredDistances,
        }
    }
}

/// `p (1 − p)` over Wilson's interval of the share of positives; `scores` has rows.
fn uncertainty_interval(scores: &LabelledScores, level: Level) -> Interval {
    let (n, positives) = (scores.n() as f64, scores.positives_total() as f64);
    let (least, most) = wilson_bounds(positives / n, n, level);
    let at = |share: f64| share * (1.0 - share);
    let upper = if least <= 0.5 && 0.5 <= most { 0.25 } else { at(least).max(at(most)) };
    Interval { lower: at(least).min(at(most)), upper, level, method: IntervalMethod::Wilson }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::binomial::Binomial;
    use crate::binomial::tests::SplitMix;
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
    /// Ten scores with `rows` rows each, of which the truth is known: `score` plus `off`.
    #[test]
    fn intervals_cover_the_true_parts() {
        const WINDOWS: u32 = 400;
        for (rows, off) in [(100, 0.0), (100, 0.05), (1000, 0.03), (400, -0.08)] {
            let mut rng = SplitMix(11);
            let scores: Vec<f64> = (0..10).map(|i| 0.1 + 0.08 * f64::from(i)).collect();
            let mean = scores.iter().sum::<f64>() / 10.0;
            let resolution = scores.iter().map(|score| (score - mean).powi(2)).sum::<f64>() / 10.0;
            let share = mean + off;
            let mut covered = [0; 3];
            for _ in 0..WINDOWS {
                let points = scores.iter().map(|&score| {
                    let positives = Binomial::new(rows, score + off).sample(&mut rng);
                    (score, positives, rows - positives)
                });
                let scores = LabelledScores::from_counts(points.collect(), None).unwrap();
                let parts = brier_parts(&scores, 10, Binning::EqualMass, Level::P95).unwrap();
                covered[0] += u32::from(parts.reliability_interval.contains(off * off));
                covered[1] += u32::from(parts.resolution_interval.contains(resolution));
                covered[2] += u32::from(parts.uncertainty_interval.contains(share * (1.0 - share)));
            }
            assert!(covered.iter().all(|&covered| covered >= 370), "{rows} {off}: {covered:?} of {WINDOWS}");
        }
    }
}
