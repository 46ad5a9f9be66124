//! Fairness between groups: how far decisions and their mistakes differ, by five criteria.
//!
//! # What it measures
//!
//! For groups of rows (of people, usually), each with its confusion counts and its scores:
//!
//! * *Demographic parity*: is each group called positive equally often?
//! * *Equalised odds*: are the truly positive found equally often, and the truly negative called
//!   positive equally often? The worse of the two.
//! * *Equal opportunity*: are the truly positive found equally often?
//! * *Predictive parity*: is a call equally often right?
//! * *Calibration within groups*: are scores equally far from what happens, on average?
//!
//! Each is one difference (largest less smallest group, 0 is equal) and one ratio (smallest divided by
//! largest, 1 is equal), as Fairlearn's `MetricFrame` gives between groups. The *four-fifths rule* of
//! American employment law asks for a ratio of selection rates of at least 0.8.
//!
//! # When it misleads
//!
//! * Not all criteria can hold at once. Where groups differ in how often the outcome is positive and no
//!   model is perfect, calibration rules out equal rates of mistakes (Kleinberg et al. 2017), and so does
//!   predictive parity (Chouldechova 2017). Which criterion counts is a decision about people; the base
//!   rates are given beside the criteria so that it is seen when one has to be made.
//! * Outcomes can be unfair themselves: who was never given a loan never paid one back. Only demographic
//!   parity does without outcomes.
//! * The largest of many differences is large by chance: the intervals allow for that, the value does
//!   not. A value above a limit with an interval that reaches below it shows nothing yet.
//! * A ratio of rare rates swings widely; a difference of rare rates is always small. Look at both.
//! * Equal averages say nothing about groups within the groups.
//!
//! # Formula
//!
//! Rates: selection `(tp + fp) / n`, true positive `tp / (tp + fn)`, false positive `fp / (fp + tn)`,
//! precision `tp / (tp + fp)`, gap `mean(score − outcome)`, expected over observed `mean(score) / mean(outcome)`.
//! Over the groups whose rate has at least
//! `rows_min` rows behind it (for precision the rows called positive): `max − min` and `min / max`.
//! Equalised odds takes the larger difference and the smaller ratio of its two rates (Fairlearn's
//! `worst_case`).
//!
//! Intervals are for the difference and the ratio between the truly extreme groups, whichever these are,
//! not between those that came out extreme. Every pair of groups gets an interval, all made to hold at
//! once (Bonferroni over the pairs, for equalised odds over the pairs of both rates): for differences the
//! hybrid of both groups' intervals, which is Newcombe's for shares; for ratios Koopman's. Then the true
//! maximum lies between the largest lower and the largest upper bound, and the true minimum of the ratios
//! between the smallest bounds. With two groups the difference's interval is Newcombe's of its absolute
//! value.
//!
//! A group without a rate (nothing positive, nothing called) is left out of that rate and says why.
//! Fairlearn counts such a rate as 0, which makes the group an extreme, or as NaN, which it leaves out.
//! Gaps can have either sign and have no ratio: calibration within groups has the difference of the gaps and the
//! ratio of expected over observed, whose interval takes the scores as they are (the mean score over Wilson's
//! bounds of the share of positives; hybrid on the logarithmic scale between groups). A ratio of rates that are
//! all 0 is undefined (NaN in Fairlearn).
//!
//! # Example
//!
//! ```
//! use stats::{classification::confusion::Confusion, interval::Level};
//! use stats::fairness::{Criterion, GroupRows, fairness};
//! let group = |counts| Confusion::from_counts(0.5, counts).map(|confusion| GroupRows { confusion, scores: None });
//! // True positives, false positives, true negatives, false negatives.
//! let groups = [group([40, 10, 40, 10])?, group([20, 5, 45, 30])?];
//! let found = fairness(&groups, Level::P95, 30)?;
//! let parity = found.of(Criterion::DemographicParity).difference.unwrap();
//! assert!((parity.estimate.value - 0.25).abs() < 1e-12 && parity.estimate.interval.lower > 0.1);
//! assert_eq!((parity.largest, parity.smallest), (0, 1));
//! let rule = found.four_fifths.unwrap();
//! assert!(!rule.holds && rule.ratio.estimate.value == 0.5 && rule.is_certain());
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! # References
//!
//! * M. Hardt, E. Price, N. Srebro, "Equality of opportunity in supervised learning", NeurIPS 2016.
//! * J. Kleinberg, S. Mullainathan, M. Raghavan, "Inherent trade-offs in the fair determination of risk
//!   scores", ITCS 2017 (first 2016).
//! * A. Chouldechova, "Fair prediction with disparate impact", Big Data 5, 2017.
//! * H. Weerts, M. Dudík, R. Edgar, A. Jalali, R. Lutz, M. Madaio, "Fairlearn: assessing and improving
//!   fairness of AI systems", J. Mach. Learn. Res. 24, 2023.
//! * Uniform Guidelines on Employee Selection Procedures, 29 CFR 1607.4 D, 1978: four fifths.
//! * R. G. Newcombe, Stat. Med. 17, 1998; G. Y. Zou, A. Donner, "Construction of confidence limits about
//!   effect measures", Stat. Med. 27, 2008: hybrid intervals; P. A. R. Koopman, Biometrics 40, 1984.

mod mean_by_group;
mod metric_by_group;
mod pairs;

use serde::{Deserialize, Serialize};
use thiserror::Error;

pub use mean_by_group::{MeanByGroup, mean_by_group};
pub use metric_by_group::{MetricByGroup, metric_by_group};

use crate::classification::confusion::Confusion;
use crate::classification::{Estimate, Undefined, mean_estimate, share_estimate};
use crate::interval::{Interval, Level};
use crate::labelled_scores::LabelledScores;
use pairs::Extremes;

/// What the four-fifths rule asks of the ratio of selection rates.
pub const FOUR_FIFTHS: f64 = 0.8;

/// The rows of one group.
#[derive(Clone, Copy, Debug)]
pub struct GroupRows<'a> {
    /// What became of each row at the threshold.
    pub confusion: Confusion,
    /// The scores behind it; without them calibration is not compared.
    pub scores: Option<&'a LabelledScores>,
}

/// What can be asked of groups.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Criterion {
    /// Called positive equally often.
    DemographicParity,
    /// Positives found, and negatives called positive, equally often.
    EqualisedOdds,
    /// Positives found equally often.
    EqualOpportunity,
    /// Calls right equally often.
    PredictiveParity,
    /// Scores equally far from outcomes on average.
    CalibrationWithinGroups,
}

impl Criterion {
    /// All five.
    pub const ALL: [Criterion; 5] = [
        Criterion::DemographicParity,
        Criterion::EqualisedOdds,
        Criterion::EqualOpportunity,
        Criterion::PredictiveParity,
        Criterion::CalibrationWithinGroups,
    ];

    /// The rates whose ratio it takes.
    pub fn rates_of_ratio(self) -> &'static [GroupRate] {
        match self {
            Criterion::CalibrationWithinGroups => &[GroupRate::ExpectedOverObserved],
            other => other.rates(),
        }
    }

    /// The rates whose difference it takes.
    pub fn rates(self) -> &'static [GroupRate] {
        match self {
            Criterion::DemographicParity => &[GroupRate::Selection],
            Criterion::EqualisedOdds => &[GroupRate::TruePositive, GroupRate::FalsePositive],
            Criterion::EqualOpportunity => &[GroupRate::TruePositive],
            Criterion::PredictiveParity => &[GroupRate::Precision],
            Criterion::CalibrationWithinGroups => &[GroupRate::ScoreGap],
        }
    }
}

/// What is measured in each group.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum GroupRate {
    /// The share of rows whose outcome is positive: no criterion, but why not all can hold.
    Base,
    /// The share of rows called positive.
    Selection,
    /// The share of the positives called positive.
    TruePositive,
    /// The share of the negatives called positive.
    FalsePositive,
    /// The share of the called that are positive.
    Precision,
    /// The mean of score less outcome, in [−1, 1].
    ScoreGap,
    /// The mean score over the share of rows whose outcome is positive; above 1 the scores promise too much.
    ExpectedOverObserved,
}

impl GroupRate {
    /// All seven.
    pub const ALL: [GroupRate; 7] = [
        GroupRate::Base,
        GroupRate::Selection,
        GroupRate::TruePositive,
        GroupRate::FalsePositive,
        GroupRate::Precision,
        GroupRate::ScoreGap,
        GroupRate::ExpectedOverObserved,
    ];

    fn of(self, rows: &GroupRows<'_>, level: Level) -> GroupValue {
        let confusion = &rows.confusion;
        let estimate = match self {
            GroupRate::Base => share_estimate(confusion.positives(), confusion.n(), level),
            GroupRate::Selection => confusion.selection_rate(level),
            GroupRate::TruePositive => confusion.recall(level),
            GroupRate::FalsePositive => confusion.false_positive_rate(level),
            GroupRate::Precision => confusion.precision(level),
            GroupRate::ScoreGap | GroupRate::ExpectedOverObserved => match rows.scores {
                Some(scores) if self == GroupRate::ScoreGap => score_gap(scores, level),
                Some(scores) => expected_over_observed(scores, level),
                None => return GroupValue::NoScores,
            },
        };
        match estimate {
            Ok(estimate) => GroupValue::Measured { estimate },
            Err(why) => GroupValue::Undefined { why },
        }
    }
}

/// A rate of one group.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", tag = "state")]
pub enum GroupValue {
    /// Measured and compared with the other groups'.
    Measured {
        /// With its own interval, for this group alone.
        estimate: Estimate,
    },
    /// Measured over too few rows to be compared.
    TooFewRows {
        /// With its own interval, for this group alone.
        estimate: Estimate,
    },
    /// These rows do not have it.
    Undefined {
        /// Why not.
        why: Undefined,
    },
    /// The group has no scores.
    NoScores,
}

impl GroupValue {
    /// What was measured, compared or not.
    pub fn estimate(&self) -> Option<&Estimate> {
        match self {
            GroupValue::Measured { estimate } | GroupValue::TooFewRows { estimate } => Some(estimate),
            GroupValue::Undefined { .. } | GroupValue::NoScores => None,
        }
    }

    fn compared_from(self, rows_min: u64) -> GroupValue {
        match self {
            GroupValue::Measured { estimate } if estimate.n < rows_min => GroupValue::TooFewRows { estimate },
            other => other,
        }
    }

    fn compared(&self) -> Option<&Estimate> {
        match self {
            GroupValue::Measured { estimate } => Some(estimate),
            _ => None,
        }
    }
}

/// A rate of all groups.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct RateByGroup {
    /// Which.
    pub rate: GroupRate,
    /// In the order of the groups.
    pub groups: Vec<GroupValue>,
}

/// A difference or a ratio between the extreme groups.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Disparity {
    /// The value and its interval; `n` is the rows behind the two groups' rates.
    pub estimate: Estimate,
    /// The rate that shows it.
    pub rate: GroupRate,
    /// Position of the group with the largest rate, the first of several.
    pub largest: usize,
    /// Position of the group with the smallest rate, the first of several.
    pub smallest: usize,
    /// Groups that were compared.
    pub groups: u64,
}

/// Why groups were not compared.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", tag = "reason")]
pub enum NotCompared {
    /// There is nothing to compare with.
    #[error("compare groups: too few have this rate over enough rows, {groups} where at least 2 are needed")]
    FewerThanTwoGroups {
        /// Groups with the rate over enough rows.
        groups: u64,
    },
    /// 0 divided by 0.
    #[error("divide the smallest rate by the largest: both are 0")]
    AllZero,
    /// Gaps can be below 0.
    #[error("take a ratio of gaps between scores and outcomes: they can have either sign")]
    SignedQuantity,
}

/// What one criterion shows.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct CriterionFound {
    /// Which.
    pub criterion: Criterion,
    /// The largest rate less the smallest, 0 where groups are equal.
    pub difference: Result<Disparity, NotCompared>,
    /// The smallest rate divided by the largest, 1 where groups are equal.
    pub ratio: Result<Disparity, NotCompared>,
}

/// The ratio of selection rates held against four fifths.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct FourFifths {
    /// The smallest selection rate divided by the largest.
    pub ratio: Disparity,
    /// Whether it is at least 0.8.
    pub holds: bool,
}

impl FourFifths {
    /// Whether the whole interval is on the same side of 0.8 as the value.
    pub fn is_certain(&self) -> bool {
        let interval = self.ratio.estimate.interval;
        if self.holds { interval.lower >= FOUR_FIFTHS } else { interval.upper < FOUR_FIFTHS }
    }
}

/// Every rate of every group, and what the criteria make of them.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Fairness {
    /// In the order of [`GroupRate::ALL`].
    pub rates: Vec<RateByGroup>,
    /// In the order of [`Criterion::ALL`].
    pub criteria: Vec<CriterionFound>,
    /// The rule of American employment law.
    pub four_fifths: Result<FourFifths, NotCompared>,
}

impl Fairness {
    /// What `criterion` shows.
    pub fn of(&self, criterion: Criterion) -> &CriterionFound {
        &self.criteria[criterion as usize]
    }

    /// The rate of each group.
    pub fn rate(&self, rate: GroupRate) -> &[GroupValue] {
        &self.rates[rate as usize].groups
    }
}

/// Why fairness cannot be measured.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
pub enum FairnessError {
    /// Fairness is between groups.
    #[error("compare groups: too few, {groups} where at least 2 are needed")]
    FewerThanTwoGroups {
        /// Groups at hand.
        groups: usize,
    },
    /// Counts that no rows have.
    #[error("count the rows of group {group}: they are more than 2^64, or more are uncertain than there are")]
    UnsoundCounts {
        /// Position of the group.
        group: usize,
    },
}

/// Compares `groups` by every criterion; rates with fewer than `rows_min` rows are reported, not compared.
///
/// Work grows with the square of the number of groups.
///
/// # Errors
/// Fewer than two groups, or counts that no rows have.
pub fn fairness(groups: &[GroupRows<'_>], level: Level, rows_min: u64) -> Result<Fairness, FairnessError> {
    if groups.len() < 2 {
        return Err(FairnessError::FewerThanTwoGroups { groups: groups.len() });
    }
    if let Some(group) = groups.iter().position(|rows| !rows.confusion.is_sound()) {
        return Err(FairnessError::UnsoundCounts { group });
    }
    let rates = GroupRate::ALL.map(|rate| RateByGroup {
        rate,
        groups: groups.iter().map(|rows| rate.of(rows, level).compared_from(rows_min)).collect(),
    });
    let criteria = Criterion::ALL.map(|criterion| {
        let of = |rates: &[GroupRate]| -> Vec<Extremes> {
            rates.iter().map(|rate| Extremes::of(*rate, groups, level, rates.len(), rows_min)).collect()
        };
        CriterionFound {
            criterion,
            difference: pairs::largest_difference(&of(criterion.rates()), level),
            ratio: pairs::smallest_ratio(&of(criterion.rates_of_ratio()), level),
        }
    });
    let four_fifths = criteria[Criterion::DemographicParity as usize]
        .ratio
        .map(|ratio| FourFifths { ratio, holds: ratio.estimate.value >= FOUR_FIFTHS });
    Ok(Fairness { rates: rates.into(), criteria: criteria.into(), four_fifths })
}

/// Mean score over share of positives, the scores taken as they are.
fn expected_over_observed(scores: &LabelledScores, level: Level) -> Result<Estimate, Undefined> {
    let n = scores.n();
    let observed = share_estimate(scores.positives_total(), n, level)?;
    if scores.positives_total() == 0 {
        return Err(Undefined::NoPositives);
    }
    let expected = scores.points().map(|point| point.score * point.n() as f64).sum::<f64>() / n as f64;
    let (lower, upper) = (expected / observed.interval.upper, expected / observed.interval.lower);
    let interval = Interval { lower, upper, ..observed.interval };
    let error_bound = scores.score_error() / observed.value;
    Ok(Estimate { value: expected / observed.value, interval, n, error_bound })
}

/// The mean of score less outcome: positive where scores promise too much.
fn score_gap(scores: &LabelledScores, level: Level) -> Result<Estimate, Undefined> {
    let gaps = scores.points().flat_map(|p| [(p.score - 1.0, p.positives), (p.score, p.negatives)]);
    let gaps: Vec<(f64, u64)> = gaps.collect();
    let estimate = mean_estimate(gaps.iter().copied(), (-1.0, 1.0), level)?;
    Ok(Estimate { error_bound: scores.score_error(), ..estimate })
}
