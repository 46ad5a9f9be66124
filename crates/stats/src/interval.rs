//! Intervals around an estimate, the level they hold at and the method that made them.
//!
//! Only the types live here; each statistic's file makes its own interval. Bounds are always
//! finite, so that an interval survives JSON.

use std::fmt;

use serde::{Deserialize, Serialize};
use thiserror::Error;

use crate::special::normal_quantile;

/// How often an interval made this way covers the truth, strictly between 0 and 1.
#[derive(Clone, Copy, Debug, PartialEq, PartialOrd, Serialize, Deserialize)]
#[serde(try_from = "f64", into = "f64")]
pub struct Level(f64);

impl Level {
    /// The level used where nobody asked for another one.
    pub const P95: Level = Level(0.95);

    /// Checks that `level` lies strictly between 0 and 1.
    pub fn new(level: f64) -> Result<Level, LevelError> {
        if level > 0.0 && level < 1.0 { Ok(Level(level)) } else { Err(LevelError { level }) }
    }

    /// The level as a share, 0.95 for 95 %.
    pub fn get(self) -> f64 {
        self.0
    }

    /// The two-sided standard normal quantile, 1.96 for 95 %.
    pub fn z(self) -> f64 {
        -normal_quantile(self.tail())
    }

    /// The level at which each of `family` intervals must hold so that all of them hold at this one
    /// together (Bonferroni): 0.995 each for ten at 95 %.
    #[must_use]
    pub fn for_each_of(self, family: usize) -> Level {
        Level((1.0 - (1.0 - self.0) / family.max(1) as f64).min(1.0_f64.next_down()))
    }

    /// The probability left in each tail, 0.025 for 95 %.
    pub fn tail(self) -> f64 {
        (1.0 - self.0) / 2.0
    }
}

impl Default for Level {
    fn default() -> Level {
        Level::P95
    }
}

impl TryFrom<f64> for Level {
    type Error = LevelError;

    fn try_from(level: f64) -> Result<Level, LevelError> {
        Level::new(level)
    }
}

impl From<Level> for f64 {
    fn from(level: Level) -> f64 {
        level.0
    }
}

/// A level that no interval can have.
#[derive(Clone, Copy, Debug, PartialEq, Error)]
#[error("use an interval level of {level}: it must lie strictly between 0 and 1, such as 0.95")]
pub struct LevelError {
    /// What was asked for.
    pub level: f64,
}

/// A range that covers the true value with probability `level`, as far as `method` is right.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Interval {
    /// The lower bound.
    pub lower: f64,
    /// The upper bound, never below `lower`.
    pub upper: f64,
    /// How often intervals made like this cover the truth.
    pub level: Level,
    /// How it was made.
    pub method: IntervalMethod,
}

impl Interval {
    /// Whether `value` lies inside, bounds included.
    pub fn contains(&self, value: f64) -> bool {
        self.lower <= value && value <= self.upper
    }

    /// The distance between the bounds.
    pub fn width(&self) -> f64 {
        self.upper - self.lower
    }
}

/// How an interval was made.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum IntervalMethod {
    /// Score interval of a proportion (Wilson 1927).
    Wilson,
    /// Exact interval of a proportion (Clopper & Pearson 1934).
    ClopperPearson,
    /// The Wilson interval of tp / (tp + fp + fn), carried over to F1 (Hand et al. 2021).
    WilsonOfF1,
    /// The Wilson formula with the smaller class as row count, where `DeLong` has no variance.
    WilsonOfPairs,
    /// The Wilson formula with the positives as row count, where Boyd's interval has no width.
    WilsonOfPositives,
    /// The Wilson formula for the mean of a bounded quantity, where the rows show no variance.
    WilsonOfBoundedMean,
    /// Hybrid-score interval of a difference of proportions (Newcombe 1998).
    Newcombe,
    /// Score interval of a ratio of proportions (Koopman 1984).
    Koopman,
    /// Adjusted normal interval of a difference of paired proportions (Bonett & Price 2012).
    BonettPrice,
    /// Interval of the largest difference between groups: hybrid intervals of all pairs of groups, made
    /// to hold at once (Newcombe 1998, Zou & Donner 2008; Bonferroni).
    DifferencesOfPairs,
    /// Interval of the smallest ratio between groups: score or normal intervals of all pairs of groups,
    /// made to hold at once (Koopman 1984; Bonferroni).
    RatiosOfPairs,
    /// Normal interval of a mean drawn towards the others (Morris 1983).
    NormalOfShrunken,
    /// Quantiles of the beta distribution with the mean and the variance of a share drawn towards the
    /// others.
    BetaOfShrunken,
    /// `DeLong`'s variance on the logit scale (`DeLong` et al. 1988).
    DeLongLogit,
    /// `DeLong`'s variance of a difference of two areas over the same rows.
    DeLongOfDifference,
    /// `DeLong`'s variance averaged over the folds of a cross-validation and corrected for what they
    /// share (Nadeau & Bengio 2003), on the logit scale.
    DeLongOfFolds,
    /// Mean plus and minus a normal quantile times its standard error.
    NormalOfMean,
    /// The square without its sampling noise, plus and minus a normal quantile times its standard error; the
    /// root of both ends, not below 0.
    NormalOfSquare,
    /// Weighted squares without what noise adds to them, plus and minus a normal quantile times the standard
    /// error of that; not below 0.
    NormalOfSquaredDistances,
    /// A variance over the quantiles of chi-square.
    ChiSquareOfVariance,
    /// Outcomes drawn from the fitted curve: how far the estimates of these lie from it, taken off the estimate.
    SimulatedFromFit,
    /// Wilson's bound on the share of rows on which two versions differ, of which none was seen.
    WilsonOfNoDifference,
    /// Mean plus and minus a quantile of Student's t times its standard error.
    StudentOfMean,
    /// Difference of two means plus and minus a quantile of Student's t, each side with a variance of its own
    /// (Welch 1947).
    WelchOfDifference,
    /// Estimate plus and minus a normal quantile times the standard error of its rows' influence.
    NormalOfInfluence,
    /// The same for the logarithm of the estimate (of 1 less it, for R²).
    NormalOfLogarithm,
    /// Estimate plus and minus a quantile of Student's t times the standard error of its rows' influence.
    StudentOfInfluence,
    /// Autocorrelation plus and minus a normal quantile times its standard error in a first-order
    /// autoregression.
    NormalOfAutocorrelation,
    /// Quantiles of a bootstrap.
    BootstrapPercentile,
    /// Quantiles of a bootstrap, corrected for bias and for a spread that changes (Efron 1987).
    BootstrapBca,
    /// Logit interval of average precision (Boyd et al. 2013).
    BoydLogit,
    /// Noise of the bins' outcomes, simulated below and normal above.
    SimulatedBins,
    /// The same noise, normal on both sides.
    NormalOfBinNoise,
    /// Wilson's intervals of several shares, combined as independent ones (Zou & Donner 2008).
    WilsonCombined,
    /// Estimate plus and minus a normal quantile times the error from the likelihood's curvature.
    Wald,
    /// Noise of a smoothed curve, simulated below and normal above.
    SimulatedCurve,
    /// Delta method over outcomes that are yet to come and the calibration that expects them.
    DeltaOfExpectedOutcomes,
    /// Noise of losses that are yet to come, and a delete-a-group jackknife of what expects them.
    JackknifeOfExpectedLoss,
    /// All divergences whose own variance reaches the one found, its bias taken off.
    ScoreOfDivergence,
    /// Normal around the ends of the range in which the bias of a total variation lies.
    NormalWithinBiasBounds,
    /// From one order statistic to another, as far apart as neighbours that are alike make it (Woodruff 1952).
    OrderStatistics,
}

impl IntervalMethod {
    /// The name that a reader of a report sees.
    pub fn name(self) -> &'static str {
        match self {
            Self::Wilson => "Wilson",
            Self::ClopperPearson => "Clopper–Pearson",
            Self::WilsonOfF1 => "Wilson, carried over to F1",
            Self::WilsonOfPairs => "Wilson over disjoint pairs",
            Self::WilsonOfPositives => "Wilson over the positives",
            Self::WilsonOfBoundedMean => "Wilson of a bounded mean",
            Self::Newcombe => "Newcombe",
            Self::Koopman => "Koopman",
            Self::BonettPrice => "Bonett & Price",
            Self::DifferencesOfPairs => "hybrid, all pairs of groups at once",
            Self::RatiosOfPairs => "ratio, all pairs of groups at once",
            Self::NormalOfShrunken => "normal, drawn towards the other groups",
            Self::BetaOfShrunken => "beta, drawn towards the other groups",
            Self::DeLongOfDifference => "DeLong of a difference",
            Self::BootstrapPercentile => "bootstrap percentiles",
            Self::BootstrapBca => "bias-corrected bootstrap (BCa)",
            Self::DeLongLogit => "DeLong on the logit scale",
            Self::DeLongOfFolds => "DeLong over folds (Nadeau & Bengio)",
            Self::NormalOfMean => "normal of the mean",
            Self::NormalOfSquaredDistances => "normal, of squares without what noise adds",
            Self::ChiSquareOfVariance => "chi-squared, of a variance",
            Self::SimulatedFromFit => "simulated from the fitted curve",
            Self::WilsonOfNoDifference => "Wilson, of rows that differ",
            Self::StudentOfMean => "Student's of the mean",
            Self::WelchOfDifference => "Welch",
            Self::NormalOfInfluence => "normal, from each row's influence",
            Self::StudentOfInfluence => "Student's, from each row's influence",
            Self::NormalOfAutocorrelation => "normal, of an autoregression",
            Self::NormalOfLogarithm => "normal on the logarithmic scale",
            Self::BoydLogit => "logit (Boyd et al.)",
            Self::SimulatedBins => "simulated bin outcomes",
            Self::NormalOfBinNoise => "normal, from the bins' noise",
            Self::WilsonCombined => "Wilson, combined over bins",
            Self::Wald => "Wald",
            Self::SimulatedCurve => "simulated noise of the smoothed curve",
            Self::DeltaOfExpectedOutcomes => "delta method over expected outcomes",
            Self::JackknifeOfExpectedLoss => "jackknife of the expected loss",
            Self::ScoreOfDivergence => "score of a divergence without its bias",
            Self::NormalOfSquare => "normal for the square, without sampling noise",
            Self::NormalWithinBiasBounds => "normal, within bounds of the bias",
            Self::OrderStatistics => "order statistics of a series",
        }
    }
}

impl fmt::Display for IntervalMethod {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_level_lies_strictly_between_zero_and_one() {
        for level in [0.0, 1.0, -0.1, 1.1, f64::NAN, f64::INFINITY] {
            assert!(Level::new(level).is_err(), "{level}");
        }
        assert_eq!(Level::new(0.95), Ok(Level::P95));
    }

    #[test]
    fn a_level_for_each_of_many_intervals_stays_a_level() {
        assert_eq!(Level::P95.for_each_of(1), Level::P95);
        assert_eq!(Level::P95.for_each_of(0), Level::P95);
        assert!((Level::P95.for_each_of(10).get() - 0.995).abs() < 1e-15);
        let most = Level::P95.for_each_of(usize::MAX);
        assert!(most.get() < 1.0 && most.z().is_finite());
    }

    #[test]
    fn an_interval_survives_json_with_its_level_as_a_number() {
        let interval =
            Interval { lower: 0.1, upper: 0.4, level: Level::P95, method: IntervalMethod::WilsonOfF1 };
        let text = serde_json::to_string(&interval).unwrap();
        assert_eq!(text, r#"{"lower":0.1,"upper":0.4,"level":0.95,"method":"wilson_of_f1"}"#);
        assert_eq!(serde_json::from_str::<Interval>(&text).unwrap(), interval);
        assert!(serde_json::from_str::<Level>("1.0").is_err());
    }
}
