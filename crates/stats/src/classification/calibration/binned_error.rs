//! Calibration error over bins: its mean, without what chance adds, and its maximum.
//!
//! # What it measures
//!
//! Over reliability bins of equal mass or width: the mean gap between what scores promise and what
//! happened (ECE), the same less what chance adds to it, the root of the mean squared gap without
//! what chance adds, and the largest gap (MCE) with its bin. All in [0, 1], 0 is perfect.
//!
//! # When it misleads
//!
//! * Chance keeps ECE and MCE above zero (`expected_if_calibrated` for ECE). The debiased ECE is right
//!   on average where gaps are large beside their noise; it is still above zero for perfect scores, and
//!   falls short a little where gaps are about as large as their noise (0.045 for gaps of 0.05 with
//!   noise of 0.045, where ECE was 0.055). The mean squared gap is right on average everywhere.
//! * The MCE of bins of equal width is that of the emptiest bin. Read its interval, which allows for
//!   having looked at every bin.
//! * Gaps of opposite sign inside one bin cancel: all of these are lower bounds of the error without
//!   bins (Kumar et al., proposition 3.3), apart from chance.
//! * A model that always answers the share of positives is perfectly calibrated and useless.
//!
//! # Formula
//!
//! With `d` the bin's mean score less its share of positives `p`, `w = n_b / n`:
//!
//! * `ECE = Σ w |d|`, `MCE = max |d|`.
//! * `ECE debiased = max(0, 2 ECE − Σ w E|N(d, p(1 − p)/n_b)|)`: the bias that normal noise adds to
//!   the gaps found is taken off once. The mean of the folded normal is in closed form here; Kumar's
//!   package draws it.
//! * `RMS debiased = √max(0, Σ w (d² − p(1 − p)/(n_b − 1)))`, without bias before the root (Kumar et
//!   al., definition 4.1). A bin of one row counts as 0 in the sum: its noise cannot be told.
//!
//! Interval of ECE: as in [`expected_error`](super::expected_error), with a normal quantile in place
//! of simulated noise. It is one of the bins' true mean gap, which the debiased ECE estimates too, so that
//! both have the same one, widened where a value lies outside. Interval of MCE: Wilson's for every bin at a level that makes all hold
//! together (Bonferroni); the largest lower and the largest upper bound of a gap. Scores rounded in
//! steps of `h` move a bin's mean by at most `h/2`, and so ECE and MCE of these bins.
//!
//! # Example
//!
//! ```
//! use stats::classification::calibration::{Binning, binned_error::binned_error};
//! use stats::{interval::Level, labelled_scores::LabelledScores};
//! let scores = LabelledScores::from_counts(vec![(0.1, 20, 80), (0.8, 75, 25)], None)?;
//! let error = binned_error(&scores, 10, Binning::EqualWidth, Level::P95)?;
//! assert!((error.ece.value - 0.075).abs() < 1e-12);   // gaps of 0.1 and 0.05
//! assert!(error.ece_debiased.value < 0.075 && error.ece_debiased.interval.contains(0.05));
//! assert_eq!(error.mce.bin, 0);
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! # References
//!
//! * M. P. Naeini, G. F. Cooper, M. Hauskrecht, "Obtaining well calibrated probabilities using
//!   Bayesian binning", AAAI 2015: ECE and MCE.
//! * A. Kumar, P. S. Liang, T. Ma, "Verified uncertainty calibration", NeurIPS 2019: the debiased
//!   estimators.
//! * C. A. T. Ferro, T. E. Fricker, "A bias-corrected decomposition of the Brier score", Q. J. R.
//!   Meteorol. Soc. 138, 2012: the same correction of the squared error.

use serde::{Deserialize, Serialize};

use super::bins::{Binning, ReliabilityBin, reliability_by};
use super::expected_error::{expected_if_calibrated, smoothed_share, standard_error};
use crate::binomial::Binomial;
use crate::classification::{Estimate, Undefined};
use crate::interval::{Interval, IntervalMethod, Level};
use crate::labelled_scores::LabelledScores;
use crate::proportion::wilson_bounds;
use crate::special::erf;

/// The calibration errors over one grouping of the scores.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct BinnedError {
    /// The mean gap, ECE.
    pub ece: Estimate,
    /// The mean gap less what chance adds to it, not below 0; the interval is of the true mean gap.
    pub ece_debiased: Estimate,
    /// The root of the mean squared gap less what chance adds to it, 0 where that is below 0.
    pub rms_debiased: f64,
    /// The mean gap that perfectly calibrated scores would show on average in these bins.
    pub expected_if_calibrated: f64,
    /// The largest gap, MCE.
    pub mce: LargestGap,
    /// How scores were grouped.
    pub binning: Binning,
    /// The bins that have rows, ascending.
    pub bins: Vec<ReliabilityBin>,
}

/// The bin where scores and outcomes are furthest apart.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct LargestGap {
    /// The gap without its sign, and the rows of its bin; the interval allows for all bins.
    pub estimate: Estimate,
    /// The position of the bin in [`BinnedError::bins`], the first of several.
    pub bin: usize,
}

/// Calibration errors of `scores` over at most `bins` bins.
///
/// # Errors
/// No rows, or zero bins.
pub fn binned_error(
    scores: &LabelledScores,
    bins: usize,
    binning: Binning,
    level: Level,
) -> Result<BinnedError, Undefined> {
    let bins = reliability_by(scores, bins, binning, level)?;
    let n = scores.n() as f64;
    let mean = |of: fn(&ReliabilityBin) -> f64| bins.iter().map(|b| b.n as f64 / n * of(b)).sum::<f64>();
    let ece = mean(|bin| bin.gap().abs());
    let ece_debiased = (2.0 * ece - mean(|bin| folded_mean(bin.gap(), noise_variance(bin)))).max(0.0);
    let rms_debiased = mean(squared_gap_debiased).max(0.0).sqrt();
    let interval = Interval {
        lower: (ece - noise_quantile(&bins, n, level)).max(0.0),
        upper: (ece + level.z() * standard_error(&bins, n)).min(1.0).max(ece),
        level,
        method: IntervalMethod::NormalOfBinNoise,
    };
    let estimate = |value: f64| Estimate {
        value,
        interval: Interval { lower: interval.lower.min(value), upper: interval.upper.max(value), ..interval },
        n: scores.n(),
        error_bound: scores.score_error(),
    };
    Ok(BinnedError {
        ece: estimate(ece),
        ece_debiased: estimate(ece_debiased),
        rms_debiased,
        expected_if_calibrated: expected_if_calibrated(&bins, n),
        mce: largest_gap(&bins, level, scores.score_error()),
        binning,
        bins,
    })
}

/// The estimated variance of a bin's share of positives.
fn noise_variance(bin: &ReliabilityBin) -> f64 {
    bin.outcome_share * (1.0 - bin.outcome_share) / bin.n as f64
}

fn squared_gap_debiased(bin: &ReliabilityBin) -> f64 {
    let share = bin.outcome_share;
    match bin.n {
        1 => 0.0,
        n => bin.gap().powi(2) - share * (1.0 - share) / (n as f64 - 1.0),
    }
}

/// The mean of `|X|` for a normal `X`.
fn folded_mean(mean: f64, variance: f64) -> f64 {
    if variance <= 0.0 {
        return mean.abs();
    }
    let z = mean / variance.sqrt();
    let front = (2.0 * variance / std::f64::consts::PI).sqrt();
    front * (-z * z / 2.0).exp() + mean * erf(z * std::f64::consts::FRAC_1_SQRT_2)
}

/// What the bins' mean noise `Σ w |ε|` exceeds with the probability of one tail, about.
fn noise_quantile(bins: &[ReliabilityBin], n: f64, level: Level) -> f64 {
    let (mut mean, mut variance) = (0.0, 0.0);
    for bin in bins {
        let share = smoothed_share(bin);
        let deviation = Binomial::new(bin.n, share).mean_absolute_deviation();
        mean += deviation / n;
        variance += (bin.n as f64 * share * (1.0 - share) - deviation.powi(2)).max(0.0) / n / n;
    }
    mean + level.z() * variance.sqrt()
}

/// `bins` has at least one.
fn largest_gap(bins: &[ReliabilityBin], level: Level, error_bound: f64) -> LargestGap {
    let each = level.for_each_of(bins.len());
    let (mut lower, mut upper) = (0.0_f64, 0.0_f64);
    let mut largest = 0;
    for (at, bin) in bins.iter().enumerate() {
        if bin.gap().abs() > bins[largest].gap().abs() {
            largest = at;
        }
        let (least, most) = wilson_bounds(bin.outcome_share, bin.n as f64, each);
        lower = lower.max(least - bin.score_mean).max(bin.score_mean - most);
        upper = upper.max(most - bin.score_mean).max(bin.score_mean - least);
    }
    let value = bins[largest].gap().abs();
    let interval =
        Interval { lower: lower.min(value), upper: upper.max(value), level, method: IntervalMethod::Wilson };
    LargestGap { estimate: Estimate { value, interval, n: bins[largest].n, error_bound }, bin: largest }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::binomial::tests::SplitMix;

    fn scores(rows: &[(f64, bool)]) -> LabelledScores {
        LabelledScores::from_pairs(rows.iter().copied()).unwrap()
    }

    #[test]
    fn what_cannot_be_grouped_says_why() {
        let of = |s: &LabelledScores, bins| {
            binned_error(s, bins, Binning::EqualWidth, Level::P95).map(|error| error.bins.len())
        };
        assert_eq!(of(&scores(&[]), 10), Err(Undefined::NoRows));
        assert_eq!(of(&scores(&[(0.3, true)]), 0), Err(Undefined::ZeroBins));
        assert_eq!(of(&scores(&[(0.3, true)]), 10), Ok(1));
    }

    #[test]
    fn certain_scores_that_are_right_have_no_error_but_an_interval() {
        let right = scores(&[(0.0, false), (1.0, true), (1.0, true)]);
        for binning in [Binning::EqualMass, Binning::EqualWidth] {
            let error = binned_error(&right, 10, binning, Level::P95).unwrap();
            assert_eq!((error.ece.value, error.ece_debiased.value, error.rms_debiased), (0.0, 0.0, 0.0));
            assert!(error.ece.interval.upper > 0.1 && error.mce.estimate.interval.upper > 0.5);
        }
    }

    #[test]
    fn certain_scores_that_are_wrong_are_as_far_off_as_can_be() {
        let wrong = scores(&[(0.0, true), (1.0, false), (1.0, false)]);
        let error = binned_error(&wrong, 10, Binning::EqualMass, Level::P95).unwrap();
        assert_eq!((error.ece.value, error.mce.estimate.value), (1.0, 1.0));
        assert_eq!(error.ece_debiased.value, 1.0);
        assert!(error.ece.interval.contains(1.0) && error.mce.estimate.interval.contains(1.0));
    }

    #[test]
    fn the_folded_mean_is_that_of_its_ends() {
        assert!((folded_mean(0.0, 1.0) - (2.0 / std::f64::consts::PI).sqrt()).abs() < 1e-15);
        assert!((folded_mean(-9.0, 1.0) - 9.0).abs() < 1e-12);
        assert_eq!(folded_mean(-0.3, 0.0), 0.3);
    }

    /// Ten scores with 100 rows each; the truth is known for the bins as they are.
    #[test]
    fn intervals_hold_and_debiased_values_are_near_the_truth() {
        const WINDOWS: u32 = 400;
        for off in [0.0, 0.05] {
            let mut rng = SplitMix(7);
            let (mut ece, mut without_bias, mut mce) = (0, 0, 0);
            let (mut plain, mut debiased, mut squared) = (0.0, 0.0, 0.0);
            for _ in 0..WINDOWS {
                let points = (0..10).map(|i| {
                    let score = 0.1 + 0.08 * f64::from(i);
                    let positives = Binomial::new(100, score + off).sample(&mut rng);
                    (score, positives, 100 - positives)
                });
                let scores = LabelledScores::from_counts(points.collect(), None).unwrap();
                let error = binned_error(&scores, 10, Binning::EqualMass, Level::P95).unwrap();
                ece += u32::from(error.ece.interval.contains(off));
                without_bias += u32::from(error.ece_debiased.interval.contains(off));
                mce += u32::from(error.mce.estimate.interval.contains(off));
                plain += error.ece.value / f64::from(WINDOWS);
                debiased += error.ece_debiased.value / f64::from(WINDOWS);
                squared += error.rms_debiased.powi(2) / f64::from(WINDOWS);
            }
            let covered = [ece, without_bias, mce];
            assert!(covered.iter().all(|&covered| covered >= 376), "{off}: {covered:?} of {WINDOWS}");
            let close = if off == 0.0 { 0.6 * plain } else { 0.006 };
            assert!((debiased - off).abs() < close, "{off}: {plain} {debiased}");
            assert!((squared - off * off).abs() < 4e-4, "{off}: {squared}");
        }
    }
}
