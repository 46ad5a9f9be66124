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
    /// What could be done while the model itself does not answer, the cheapest first; of missing inputs.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub model_outage: Vec<PricedStrategy>,
    /// How the impact of the faults that hurt most grows with the share of rows that they hit.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub curves: Vec<ImpactCurve>,
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
    /// The experiment of the definition that it was tried for.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub experiment: Option<TestedHypothesis>,
    /// The model answered otherwise than the one that it was made of, which the definition names: what is found is not
    /// certified.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub is_uncertified: bool,
}

/// What was expected of an experiment, and what to do where it turned out otherwise.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct TestedHypothesis {
    pub name: String,
    pub hypothesis: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub rollback: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub who: Option<String>,
}

/// How the drop of accuracy grows with the share of rows that a fault hits.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct ImpactCurve {
    pub fault: String,
    pub title: String,
    /// What the fault was done to.
    pub of: String,
    /// What is tolerated, as a share.
    pub max_accuracy_drop: f64,
    /// By rate, ascending.
    pub points: Vec<ImpactPoint>,
}

/// The drop at one rate.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct ImpactPoint {
    /// The share of rows that the fault hits.
    pub rate: f64,
    /// How much less often the answers are right, of the rows that were answered both times; absent where none was.
    pub drop: Option<Measure>,
    /// The share of the rows that the fault changed that got no answer.
    pub unanswered: f64,
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
    /// Whether this is what happens where nobody does anything.
    #[serde(default)]
    pub is_doing_nothing: bool,
}

/// Whether monitoring notices a fault in the rows that it was tried on.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Noticed {
    /// Checks and subjects that would raise their voice, such as `monitor.drift: temp`.
    pub by: Vec<String>,
    /// The smallest share of rows of those that were tried at which it is still noticed within one window.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub least_rate: Option<f64>,
    /// Windows until it is noticed, where one was not enough: alarms that add up from window to window.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub windows: Option<u32>,
    /// Windows with outcomes until the model's loss is an alarm.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub windows_by_loss: Option<u32>,
}

/// A fault that has no meaning here.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct NotTried {
    pub fault: String,
    pub of: String,
    pub reason: String,
}
