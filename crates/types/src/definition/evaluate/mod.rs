//! `[evaluate]`: how good the model has to be, on average and where it is worst.

mod check;

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

pub(super) use self::check::check_values;
use super::{Cadence, Definition, Metric, Segment, Task};
use crate::CheckId;
use crate::loss::RowLoss;

/// How good the model is: on average, where it is worst, and whether its scores mean what they say.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Evaluate {
    /// How often the checks are due; their evidence stays fresh for that long and half as long again.
    pub every: Cadence,
    /// With fewer rows with outcomes, overall or in a segment, the verdict is unknown.
    pub min_rows: u64,
    /// Rows that are looked at one by one (slices, subpopulations, errors, tail, comparison, quantiles,
    /// intersections of segments); of a larger window as many are drawn at random.
    pub rows: u32,
    /// What one row loses, wherever rows are compared: `wrong` (0 or 1), `brier` or `log_loss` for classes, and
    /// `absolute` or `squared` for numbers. By default `wrong` or `absolute`.
    pub loss: RowLoss,
    /// Checks that are not made, such as `["evaluate.slices"]`; no gate that needs `evaluate.*` waits for them.
    pub skip: Vec<CheckId>,
    /// Whether enough outcomes have arrived.
    pub outcomes: Arrived,
    /// The average over the whole window.
    pub performance: Performance,
    /// The worst value of any declared segment.
    pub worst_segment: Option<Bound>,
    /// What decisions cost, where mistakes are not all alike.
    pub cost: Option<Cost>,
    /// Whether the scores mean what they say.
    pub calibration: Calibration,
    /// Slices of the inputs, found by search, in which the model is worse.
    pub slices: Slices,
    /// The worst group of inputs of a given size, whatever describes it.
    pub worst_subpopulation: WorstSubpopulation,
    /// Whether mistakes are random or systematic.
    pub errors: Errors,
    /// Rare and unusual cases.
    pub tail: Tail,
    /// Whether groups of people are treated alike.
    pub fairness: Option<Fairness>,
    /// Another version of the model, on the same rows.
    pub comparison: Option<Comparison>,
}

impl Default for Evaluate {
    fn default() -> Self {
        Self {
            every: Cadence::Month,
            min_rows: 200,
            rows: 200_000,
            loss: RowLoss::Wrong,
            skip: Vec::new(),
            outcomes: Arrived::default(),
            performance: Performance::default(),
            worst_segment: None,
            cost: None,
            calibration: Calibration::default(),
            slices: Slices::default(),
            worst_subpopulation: WorstSubpopulation::default(),
            errors: Errors::default(),
            tail: Tail::default(),
            fairness: None,
            comparison: None,
        }
    }
}

impl Definition {
    /// Whether a check of `[evaluate]` can be made at all, and is not skipped.
    pub fn evaluates(&self, check: CheckId) -> bool {
        let evaluate = &self.evaluate;
        let can_be = match check {
            CheckId::WorstSegment => !self.log.segments.is_empty(),
            CheckId::Calibration => self.model.task != Task::Regression || !self.log.quantiles.is_empty(),
            CheckId::Fairness => evaluate.fairness.is_some(),
            CheckId::Comparison => evaluate.comparison.is_some(),
            _ => check.practice() == "evaluate",
        };
        can_be && !evaluate.skip.contains(&check)
    }
}

impl Evaluate {
    /// Who answers for a check, where the definition names somebody for it alone.
    pub(super) fn owner(&self, check: CheckId) -> Option<&str> {
        match check {
            CheckId::Performance => self.performance.owner.as_deref(),
            CheckId::WorstSegment => self.worst_segment.as_ref()?.owner.as_deref(),
            CheckId::Calibration => self.calibration.owner.as_deref(),
            CheckId::Slices => self.slices.owner.as_deref(),
            CheckId::WorstSubpopulation => self.worst_subpopulation.owner.as_deref(),
            CheckId::Errors => self.errors.owner.as_deref(),
            CheckId::Tail => self.tail.owner.as_deref(),
            CheckId::Fairness => self.fairness.as_ref()?.owner.as_deref(),
            CheckId::Comparison => self.comparison.as_ref()?.owner.as_deref(),
            CheckId::Outcomes => self.outcomes.owner.as_deref(),
            _ => None,
        }
    }
}

/// Whether the outcomes of enough predictions have arrived: those that come late may be others than those that come
/// early.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Arrived {
    /// The least acceptable share of the window's predictions with a usable outcome; without it, any share will do.
    pub at_least: Option<f64>,
    /// Who answers for this check; by default the owner of the system.
    pub owner: Option<String>,
}

/// The average performance over the whole window.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Performance {
    /// The metric that the verdict is about; all metrics of the task are reported. By default `roc_auc`
    /// for a binary task, `macro_roc_auc` for a multiclass and `mae` for a regression task.
    pub metric: Metric,
    /// The least acceptable value.
    pub at_least: Option<f64>,
    /// The largest acceptable value, for metrics that are better when smaller.
    pub at_most: Option<f64>,
    /// The largest acceptable loss against the reference window; for errors that have a unit (`mae`,
    /// `rmse`) as a share of the reference's.
    pub max_drop: f64,
    /// Who answers for this check; by default the owner of the system.
    pub owner: Option<String>,
}

impl Default for Performance {
    fn default() -> Self {
        Self { metric: Metric::RocAuc, at_least: None, at_most: None, max_drop: 0.05, owner: None }
    }
}

/// A metric and its limit.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Bound {
    pub metric: Metric,
    /// The least acceptable value.
    #[serde(default)]
    pub at_least: Option<f64>,
    /// The largest acceptable value, for metrics that are better when smaller.
    #[serde(default)]
    pub at_most: Option<f64>,
    /// Who answers for this check; by default the owner of the system.
    #[serde(default)]
    pub owner: Option<String>,
}

/// What a decision costs on average, in any unit. A binary task has the four kinds of decision; a multiclass
/// task has a matrix.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Cost {
    pub false_positive: f64,
    pub false_negative: f64,
    pub true_positive: f64,
    pub true_negative: f64,
    /// The cost of predicting a class where another happened: `{ HAPPENED = { PREDICTED = cost } }`. What is not
    /// named costs 0 where it is right and 1 where it is wrong.
    pub matrix: BTreeMap<String, BTreeMap<String, f64>>,
    /// The largest acceptable mean cost of a prediction.
    pub at_most: Option<f64>,
}

impl Default for Cost {
    fn default() -> Self {
        Self {
            false_positive: 1.0,
            false_negative: 1.0,
            true_positive: 0.0,
            true_negative: 0.0,
            matrix: BTreeMap::new(),
            at_most: None,
        }
    }
}

/// Whether the scores mean what they say. For a multiclass task, the probability of the predicted class
/// is held against how often that class is right; of a regression task, the predicted quantiles are held
/// against the outcomes.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Calibration {
    /// The largest acceptable expected calibration error.
    pub ece_at_most: f64,
    /// Equal-mass bins of the reliability diagram.
    pub bins: u32,
    /// The largest acceptable distance of mean score and share of positive outcomes in any segment.
    pub segment_gap_at_most: f64,
    /// For predicted quantiles: the largest acceptable distance of any quantile's share of outcomes from the
    /// share that it promises.
    pub coverage_gap_at_most: f64,
    /// Who answers for this check; by default the owner of the system.
    pub owner: Option<String>,
}

impl Default for Calibration {
    fn default() -> Self {
        Self {
            ece_at_most: 0.05,
            bins: 10,
            segment_gap_at_most: 0.1,
            coverage_gap_at_most: 0.05,
            owner: None,
        }
    }
}

/// Slices of the inputs, such as `origin = JFK and hour over 17`, found on one half of the rows and confirmed
/// on the other.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Slices {
    /// The mean loss in a confirmed slice, as a multiple of that of all rows, from which on the check fails.
    pub max_lift: f64,
    /// The smallest share of the rows that a slice may have.
    pub min_share: f64,
    /// Conditions that a slice has at most.
    pub conditions: u32,
    /// Slices that are looked for.
    pub top: u32,
    /// Who answers for this check; by default the owner of the system.
    pub owner: Option<String>,
}

impl Default for Slices {
    fn default() -> Self {
        Self { max_lift: 2.0, min_share: 0.02, conditions: 3, top: 10, owner: None }
    }
}

/// The mean loss that is not exceeded on any subpopulation of the inputs of at least a given share of the rows.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct WorstSubpopulation {
    /// The share of the rows that the verdict is about.
    pub share: f64,
    /// The largest acceptable mean loss there, in the unit of `evaluate.loss`.
    pub at_most: Option<f64>,
    /// Without `at_most`: how much larger it may be than in the reference, as a share of that.
    pub max_rise: f64,
    /// Who answers for this check; by default the owner of the system.
    pub owner: Option<String>,
}

impl Default for WorstSubpopulation {
    fn default() -> Self {
        Self { share: 0.2, at_most: None, max_rise: 0.25, owner: None }
    }
}

/// Whether mistakes are random or systematic.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Errors {
    /// The largest acceptable share of the variation of the residuals (outcome less prediction) that can be
    /// predicted from the inputs.
    pub systematic_at_most: f64,
    /// From this difference on, a false positive or false negative rate of a segment is worth a look.
    pub rate_gap: f64,
    /// Who answers for this check; by default the owner of the system.
    pub owner: Option<String>,
}

impl Default for Errors {
    fn default() -> Self {
        Self { systematic_at_most: 0.1, rate_gap: 0.1, owner: None }
    }
}

/// Rare and unusual cases.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Tail {
    /// The mean loss of rare cases, as a multiple of that of all rows, from which on the check fails.
    pub max_lift: f64,
    /// Inputs count as rare when at most this share of the reference is as unusual, categories when at most a tenth
    /// of this share of it has them; classes when at most this share of the window's outcomes are of them.
    pub rare_share: f64,
    /// Categories that are not rare are uncommon when they, with all of their column that are no more frequent, are
    /// at most this share of the reference.
    pub uncommon_share: f64,
    /// The largest acceptable share of wrong predictions where the outcome is a rare class.
    pub rare_class_wrong_at_most: f64,
    /// A prediction is confident from this probability of the predicted class on.
    pub confident: f64,
    /// Worst cases that the report lists.
    pub worst_cases: u32,
    /// Who answers for this check; by default the owner of the system.
    pub owner: Option<String>,
}

impl Default for Tail {
    fn default() -> Self {
        Self {
            max_lift: 2.0,
            rare_share: 0.05,
            uncommon_share: 0.05,
            rare_class_wrong_at_most: 0.5,
            confident: 0.9,
            worst_cases: 10,
            owner: None,
        }
    }
}

/// Whether groups of people are treated alike.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Fairness {
    /// Columns (or named SQL expressions) that are protected, such as sex or age group.
    pub protected: Vec<Segment>,
    /// What decides; all criteria are reported. By default, for a binary task, the four-fifths rule: the smallest
    /// rate of positive predictions is at least 0.8 of the largest. The other tasks have no such rule, and nothing
    /// decides until a limit is written.
    #[serde(default)]
    pub limits: Vec<FairnessLimit>,
    /// Whether a positive prediction is what people hope for, such as a loan.
    #[serde(default = "yes")]
    pub positive_is_good: bool,
    /// Who answers for this check; by default the owner of the system.
    #[serde(default)]
    pub owner: Option<String>,
}

fn yes() -> bool {
    true
}

impl Fairness {
    /// The limits that decide.
    pub fn deciding(&self, task: Task) -> Vec<FairnessLimit> {
        if self.limits.is_empty() && task == Task::Binary {
            let four_fifths = FairnessLimit {
                criterion: "demographic_parity_ratio".into(),
                at_least: Some(0.8),
                at_most: None,
            };
            return vec![four_fifths];
        }
        self.limits.clone()
    }
}

/// A limit on the difference or the ratio between the groups that differ most.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct FairnessLimit {
    /// Such as `demographic_parity_ratio` or `equalised_odds_difference`; where several classes or numbers are
    /// predicted, the metric of `[evaluate.performance]` between groups, such as `mae_ratio`, or for numbers
    /// `mean_error_difference`.
    pub criterion: String,
    /// The least acceptable ratio.
    #[serde(default)]
    pub at_least: Option<f64>,
    /// The largest acceptable difference.
    #[serde(default)]
    pub at_most: Option<f64>,
}

impl Definition {
    /// The metrics that groups are compared by where the task is not binary: that of the average, and for numbers
    /// the mean error, which says whether a group's predictions are too high or too low.
    pub fn fairness_metrics(&self) -> Vec<Metric> {
        let mut metrics = vec![self.evaluate.performance.metric];
        if self.model.task == Task::Regression && metrics[0] != Metric::MeanError {
            metrics.push(Metric::MeanError);
        }
        metrics
    }
}

/// The criteria of fairness, of which each has a difference and a ratio.
pub const CRITERIA: [&str; 5] = [
    "demographic_parity",
    "equalised_odds",
    "equal_opportunity",
    "predictive_parity",
    "calibration_within_groups",
];

/// Another version of the model that scored the same rows, in columns of the log.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Comparison {
    /// The version, as it was released.
    pub version: String,
    /// For a binary task: its column of scores.
    #[serde(default)]
    pub score: Option<String>,
    /// For a multiclass task: its column with the probability of each class.
    #[serde(default)]
    pub scores: BTreeMap<String, String>,
    /// For a regression task: its column of predicted numbers.
    #[serde(default)]
    pub predicted: Option<String>,
    /// For a binary task: the score from which on it predicts the positive class.
    #[serde(default)]
    pub threshold: Option<f64>,
    /// How much larger the mean loss of the model may be than that of the other version, overall and on any
    /// slice, as a share of the other's.
    #[serde(default = "no_rise")]
    pub max_rise: f64,
    /// Who answers for this check; by default the owner of the system.
    #[serde(default)]
    pub owner: Option<String>,
}

fn no_rise() -> f64 {
    0.0
}

impl Comparison {
    /// The columns of the other version: one, or one for each class in the order of their names.
    pub fn columns(&self) -> Vec<&str> {
        match (&self.score, &self.predicted) {
            (Some(column), _) | (None, Some(column)) => vec![column],
            (None, None) => self.scores.values().map(String::as_str).collect(),
        }
    }
}
