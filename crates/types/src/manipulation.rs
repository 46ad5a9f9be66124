//! What a search for manipulations found: how many decisions somebody can flip, for how much, and by which features.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::detail::CurvePoint;
use crate::finding::Measure;

/// The cheapest changes that were found. What was not found may exist: shares are lower bounds.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Manipulated {
    /// Where the model was asked, such as `model.onnx`.
    pub model: String,
    /// The cases that were tried, in words: `negative decisions`.
    pub cases_are: String,
    pub tried: u64,
    /// How many of them are flipped within the budget.
    pub flipped: u64,
    /// Cases that were not tried, with the reason.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub left_out: Vec<LeftOut>,
    pub budget: f64,
    /// The share that is flipped for at most so much, with its interval.
    pub curve: Vec<CurvePoint>,
    /// What somebody can change, the most used first.
    pub levers: Vec<LeverRow>,
    /// Relations that every change keeps.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub relations: Vec<String>,
    /// Some of the cheapest changes; none in evidence.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub examples: Vec<ChangedCase>,
    /// Questions to the model: about all cases, and for one at most.
    pub queries: u64,
    pub queries_most: u64,
    /// Of one case, the median.
    pub queries_median: Option<f64>,
    /// Rows of the reference that the model was asked about beside that, once for all cases.
    pub queries_reference: u64,
    /// The model answers only yes or no, so that the search had nothing to follow.
    pub is_decision_only: bool,
    /// Why the search ended before its end, where it did.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub stopped: Option<String>,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct LeftOut {
    pub cases: u64,
    pub reason: String,
}

/// A feature that can be changed, and what that does.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct LeverRow {
    pub feature: String,
    /// How it can be changed, such as `up, to at most 60, in steps of 1`.
    pub constraint: String,
    /// Of a number, for each unit; of a category, for any change.
    pub cost: f64,
    /// The share of the tried cases whose cheapest change has a part of it.
    pub used: Measure,
    /// The share that it flips within the budget with no other change.
    pub alone: Measure,
    /// One sentence on that; empty where it flips none.
    pub sentence: String,
}

/// One case, and the cheapest change that was found to flip it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct ChangedCase {
    /// The id of its row, where the log has ids.
    pub id: String,
    pub cost: f64,
    /// The model's answer before and after, as it is read.
    pub before: String,
    pub after: String,
    pub changes: Vec<ChangedInput>,
    pub sentence: String,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct ChangedInput {
    pub feature: String,
    pub from: String,
    pub to: String,
    pub cost: f64,
}
