//! What stress found: how a model answered when something was done to its inputs on purpose.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use stats::interval::Interval;

use crate::described;
use crate::finding::Measure;
use crate::verdict::Verdict;

/// The faults that were tried, worst first.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct TriedFaults {
    /// Where the model was asked, such as `model.onnx`.
    pub model: String,
    /// Rows with an outcome that it was asked about.
    pub rows: u64,
    /// How good its answers for the unchanged rows are.
    pub clean: Option<Measure>,
    pub faults: Vec<TriedFault>,
    /// Faults that have no meaning here, each with the reason.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub not_tried: Vec<NotTried>,
}

/// One fault, and what came of it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct TriedFault {
    /// Its name in the catalogue, such as `wrong-join`.
    pub fault: String,
    pub title: String,
    /// What it was done to: a feature, a source, several features.
    pub of: String,
    /// The columns that it changed.
    pub columns: Vec<String>,
    /// The share of the rows that it changed.
    pub touched_share: f64,
    pub verdict: Verdict,
    pub status: FaultStatus,
    /// One sentence: what the model did.
    pub sentence: String,
    /// How much worse the answers are than for the unchanged rows, paired by row.
    pub impact: Option<Measure>,
    /// How much the mean loss rises, as a share of that of the unchanged rows.
    pub loss_rise: Option<f64>,
    /// How the model responded, in shares of the rows that the fault changed.
    pub responses: Vec<ResponseShare>,
    /// The share of the same rows in which it was silently wrong without the fault already.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub silently_wrong_before: Option<f64>,
    /// What it said where it did not answer.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub error: Option<String>,
    /// What could be done instead while the input is down, the cheapest first; of missing inputs.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub strategies: Vec<PricedStrategy>,
    /// Whether monitoring notices; absent where that was not looked at.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub noticed: Option<Noticed>,
}

/// Whether the model stands a fault.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum FaultStatus {
    /// It goes on to answer, and not much worse than without the fault.
    Handled,
    /// It does not answer, or surely much worse.
    Failed,
    /// From so few rows neither can be said.
    Unknown,
}

impl FaultStatus {
    pub fn word(self) -> &'static str {
        match self {
            Self::Handled => "handled",
            Self::Failed => "failed",
            Self::Unknown => "unknown",
        }
    }
}

/// What a response means for whoever relies on it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum ResponseClass {
    Right,
    /// Answered, and marked as degraded: right or wrong, whoever reads it knows.
    Degraded,
    /// Answered, and neither an outcome nor a clean answer says what is right.
    Unjudged,
    /// Wrong with a margin below the confident one.
    WrongUnsure,
    /// Wrong, not marked, and confident: this is what hurts.
    SilentlyWrong,
    /// Refused with a message: nobody is misled.
    Rejected,
    /// Not a finite number, a score outside of [0, 1], or nothing that can be read.
    Malformed,
    /// No answer at all.
    Crashed,
}

impl ResponseClass {
    /// In the order in which they are drawn.
    pub const ALL: [Self; 8] = [
        Self::Right,
        Self::Degraded,
        Self::Unjudged,
        Self::WrongUnsure,
        Self::SilentlyWrong,
        Self::Rejected,
        Self::Malformed,
        Self::Crashed,
    ];

    pub fn title(self) -> &'static str {
        match self {
            Self::Right => "right",
            Self::Degraded => "flagged as degraded",
            Self::Unjudged => "not judged",
            Self::WrongUnsure => "wrong, but unsure",
            Self::SilentlyWrong => "silently wrong",
            Self::Rejected => "rejected",
            Self::Malformed => "malformed",
            Self::Crashed => "crashed",
        }
    }
}

/// The share of the changed rows to which the model responds in one way.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct ResponseShare {
    pub class: ResponseClass,
    pub rows: u64,
    pub share: f64,
    #[schemars(with = "described::Interval")]
    pub interval: Interval,
}

/// The strategy of doing nothing special.
pub const ASK_ALL_THE_SAME: &str = "ask the model with what there is";

/// A way to answer while an input is down, and what it costs.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct PricedStrategy {
    /// As in "the cheapest is to …".
    pub strategy: String,
    /// Of a row, under the definition's costs.
    pub mean_cost: f64,
    #[schemars(with = "described::Interval")]
    pub interval: Interval,
    /// Whether it surely costs less than asking the model with what there is.
    pub surely_saves: bool,
}

/// Whether monitoring notices a fault in the rows that it was tried on.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Noticed {
    /// Checks and subjects that would raise their voice, such as `monitor.drift: temp`.
    pub by: Vec<String>,
}

/// A fault that has no meaning here.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct NotTried {
    pub fault: String,
    pub of: String,
    pub reason: String,
}
