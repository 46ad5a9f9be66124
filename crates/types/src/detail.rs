//! What the findings of an evaluation show beside their headline: curves, slices, groups and single cases.
//!
//! Only numbers that were judged are here; charts and tables are drawn from them. The inputs of single cases
//! are for the report alone and never become evidence ([`crate::Finding::for_evidence`]).

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use stats::interval::Interval;

use crate::described;
use crate::finding::Measure;
use crate::verdict::Verdict;

/// A point of a curve, with the range that it may lie in.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct CurvePoint {
    pub at: f64,
    pub value: f64,
    pub lower: f64,
    pub upper: f64,
}

/// Performance beside the headline.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Averages {
    /// For each class of a multiclass task.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub classes: Vec<ClassRow>,
    /// Of a binary task: what each decision threshold would give, ascending.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub thresholds: Vec<ThresholdRow>,
    /// Of a binary task: the threshold that the metrics are about.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub in_use: Option<f64>,
    /// The threshold with the least expected cost, where costs are given.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cheapest: Option<ThresholdRow>,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct ClassRow {
    pub name: String,
    /// Rows of which it is the outcome.
    pub outcomes: u64,
    /// Rows for which it was predicted.
    pub predictions: u64,
    pub precision: Option<Measure>,
    pub recall: Option<Measure>,
    pub f1: Option<Measure>,
    pub roc_auc: Option<Measure>,
    pub ece: Option<Measure>,
}

/// What predicting the positive class from a score on would give.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct ThresholdRow {
    pub threshold: f64,
    pub recall: f64,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(with = "Option<described::Interval>")]
    pub recall_interval: Option<Interval>,
    pub false_positive_rate: f64,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(with = "Option<described::Interval>")]
    pub false_positive_rate_interval: Option<Interval>,
    /// `None` where nothing would be predicted positive.
    pub precision: Option<f64>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(with = "Option<described::Interval>")]
    pub precision_interval: Option<Interval>,
    pub predicted_positive_share: f64,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(with = "Option<described::Interval>")]
    pub predicted_positive_share_interval: Option<Interval>,
    /// Expected cost of a prediction, where costs are given.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cost: Option<f64>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(with = "Option<described::Interval>")]
    pub cost_interval: Option<Interval>,
}

/// How far scores are off beside the diagram.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct CalibrationDetail {
    /// The recalibrated probability by score (isotonic), with the band that a calibrated model stays in.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub curve: Vec<CurvePoint>,
    /// Mean score less share of positive outcomes by segment, worst first.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub gaps: Vec<GapRow>,
    /// Predicted quantiles against outcomes.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub quantiles: Vec<QuantileRow>,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct GapRow {
    pub column: String,
    pub value: Option<String>,
    pub rows: u64,
    pub score_mean: f64,
    pub outcome_share: f64,
    pub gap: Measure,
    pub verdict: Verdict,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct QuantileRow {
    /// The share of outcomes that should lie at or below it.
    pub level: f64,
    /// The share that does.
    pub covered: Measure,
    pub pinball: Option<Measure>,
    pub verdict: Verdict,
}

/// Slices that a search found on one half of the rows, judged on the other.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct FoundSlices {
    /// The measure that is the mean of what is lost, such as `wrong_share`.
    pub loss: String,
    /// The mean loss of all rows of the half that judged.
    pub overall: f64,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(with = "Option<described::Interval>")]
    pub overall_interval: Option<Interval>,
    pub searched_rows: u64,
    pub judged_rows: u64,
    /// Confirmed ones first, of these the largest loss first.
    pub slices: Vec<SliceRow>,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct SliceRow {
    /// Such as `origin = JFK`, `hour over 17`.
    pub conditions: Vec<String>,
    /// Rows of the half that judged.
    pub rows: u64,
    /// Their share of it.
    pub share: f64,
    pub mean_loss: Measure,
    /// The mean loss as a multiple of that of all rows; the adjusted p-value is for being above 1.
    pub lift: Measure,
    pub confirmed: bool,
    pub verdict: Verdict,
}

/// The mean loss that is not exceeded on any subpopulation of a given share.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Subpopulation {
    /// The measure that is the mean of what is lost, such as `wrong_share`.
    pub loss: String,
    /// The share of the rows that is judged.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub share: Option<f64>,
    /// By share of the rows, ascending.
    pub curve: Vec<CurvePoint>,
    /// The same in the reference, where it could be computed.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub reference: Vec<CurvePoint>,
    /// What tells the worst rows from the others, strongest first.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub drivers: Vec<Driver>,
}

/// A feature, and how much a model of the errors needs it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Driver {
    pub name: String,
    /// A share of all that the features contribute.
    pub weight: f64,
}

/// Where and when a model errs.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct ErrorStructure {
    /// What predicts the part of the residuals that can be predicted, strongest first.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub drivers: Vec<Driver>,
    /// False positive and false negative rates of segments, most different first.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub rates: Vec<RateRow>,
    /// Mean residual by the level of the prediction, where numbers are predicted.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub levels: Vec<CurvePoint>,
    /// Mean residual by segment, where numbers are predicted; worst first.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub residuals: Vec<ResidualRow>,
    /// The stretch of time with the most errors.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub stretch: Option<Stretch>,
    /// The mean loss along the window, in stretches of equally many rows.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub over_time: Vec<CurvePoint>,
}

/// What a metric is over all rows, and where it is worst.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct AverageAndWorst {
    pub overall: Measure,
    /// The segment, and its value.
    pub column: String,
    pub value: Option<String>,
    pub worst: Measure,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct RateRow {
    pub column: String,
    pub value: Option<String>,
    /// `false_positive_rate` or `false_negative_rate`; the adjusted p-value is over all rows of the table.
    pub rate: Measure,
    /// The same rate of all other rows.
    pub others: f64,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(with = "Option<described::Interval>")]
    pub others_interval: Option<Interval>,
    /// Rows behind it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub others_n: Option<u64>,
    pub flagged: bool,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct ResidualRow {
    pub column: String,
    pub value: Option<String>,
    /// Outcome less prediction; above 0 the predictions are too low.
    pub residual: Measure,
    pub flagged: bool,
}

/// A stretch of time.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Stretch {
    pub from: String,
    pub to: String,
    pub rows: u64,
    pub mean_loss: f64,
    pub p_value: f64,
}

/// Rare and unusual cases.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct TailDetail {
    /// The mean loss of all rows.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub overall: Option<Measure>,
    /// The mean loss by how unusual the inputs are: tenths of the reference, the most usual first.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub deciles: Vec<RarityRow>,
    /// Kinds of rare cases, each pooled.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub pools: Vec<PoolRow>,
    /// What a single case loses, such as the Brier loss where the check's own is right or wrong.
    #[serde(default)]
    pub case_loss: String,
    /// The cases with the largest loss.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub worst: Vec<CaseRow>,
    /// Columns with values that the reference does not have, most first.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub outside: Vec<OutsideRow>,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct RarityRow {
    /// From 1, the most usual tenth of the reference, to 10.
    pub decile: u32,
    pub rows: u64,
    /// `None` where there are too few rows.
    pub mean_loss: Option<Measure>,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct PoolRow {
    /// Such as `rare inputs`.
    pub what: String,
    /// Whether these are rows of rare classes, whose share of wrong predictions has a limit of its own.
    #[serde(default)]
    pub is_class: bool,
    pub rows: u64,
    /// `None` where there are too few rows.
    pub mean_loss: Option<Measure>,
    /// The mean loss as a multiple of that of all rows.
    pub lift: Option<Measure>,
    pub verdict: Verdict,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct CaseRow {
    pub id: String,
    pub at: String,
    pub predicted: String,
    pub outcome: String,
    pub loss: f64,
    /// Names and values of the inputs; empty in evidence.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub inputs: Vec<(String, String)>,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct OutsideRow {
    pub column: String,
    /// Rows below the smallest or above the largest number of the reference, or with a category that it lacks.
    pub rows: u64,
    pub mean_loss: Option<Measure>,
}

/// How groups of people fare.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct FairnessDetail {
    pub groups: Vec<GroupRow>,
    pub criteria: Vec<CriterionRow>,
    /// Of a task that is not binary: the metrics of each group.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub metrics: Vec<GroupMetrics>,
}

/// A group of people, where several classes or numbers are predicted.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct GroupMetrics {
    pub column: String,
    pub value: Option<String>,
    pub rows: u64,
    pub measures: Vec<Measure>,
    /// Why it is not compared, where it is not.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct GroupRow {
    pub column: String,
    pub value: Option<String>,
    pub rows: u64,
    pub positives: u64,
    /// Shares with their intervals; `None` where a group has no row of the kind.
    pub selection_rate: Option<RateWithInterval>,
    pub true_positive_rate: Option<RateWithInterval>,
    pub false_positive_rate: Option<RateWithInterval>,
    pub precision: Option<RateWithInterval>,
    /// Mean score less share of positive outcomes.
    pub calibration_gap: Option<RateWithInterval>,
    /// Mean score over the share of positive outcomes; above 1 the scores promise too much.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub expected_over_observed: Option<RateWithInterval>,
}

#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct RateWithInterval {
    pub value: f64,
    /// `None` where what these rows give is all alike, which says nothing of other rows.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(with = "Option<described::Interval>")]
    pub interval: Option<Interval>,
    pub n: u64,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct CriterionRow {
    pub column: String,
    /// Such as `demographic_parity`.
    pub criterion: String,
    pub difference: Option<Measure>,
    pub ratio: Option<Measure>,
    /// The groups between which it is largest.
    pub lowest: Option<String>,
    pub highest: Option<String>,
    /// Why there is no number, where there is none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
    /// Of the limit on it, where there is one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub verdict: Option<Verdict>,
}

/// Two versions of a model on the same rows.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct ComparisonDetail {
    pub other: String,
    /// The measure that is the mean of what is lost, such as `wrong_share`; records of old may not name it.
    #[serde(default)]
    pub loss: String,
    pub metrics: Vec<PairRow>,
    /// Rows on which this version loses less, the same, more.
    pub wins: u64,
    pub ties: u64,
    pub losses: u64,
    /// By segment and by searched slice, worst for this version first.
    pub slices: Vec<PairedSlice>,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct PairRow {
    pub name: String,
    pub this: f64,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(with = "Option<described::Interval>")]
    pub this_interval: Option<Interval>,
    pub other: f64,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(with = "Option<described::Interval>")]
    pub other_interval: Option<Interval>,
    /// This version less the other.
    pub difference: Measure,
    /// Why one of the two values has no interval, where one has none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct PairedSlice {
    pub label: String,
    /// Whether a search on the other rows found it; a declared segment is judged on all rows.
    #[serde(default)]
    pub found: bool,
    pub rows: u64,
    pub this: f64,
    /// Held for all slices together, as the next one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(with = "Option<described::Interval>")]
    pub this_interval: Option<Interval>,
    pub other: f64,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(with = "Option<described::Interval>")]
    pub other_interval: Option<Interval>,
    /// Rows on which this version loses less, the same, more.
    #[serde(default)]
    pub wins: u64,
    #[serde(default)]
    pub ties: u64,
    #[serde(default)]
    pub losses: u64,
    /// Mean loss of this version less that of the other; the adjusted p-value is over all slices.
    pub difference: Measure,
    pub verdict: Verdict,
}
