//! Gates: whether something may go ahead, decided from evidence alone.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// A gate's state with the reason for each of its needs.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct GateDecision {
    pub gate: String,
    pub open: bool,
    pub needs: Vec<NeedStatus>,
}

/// One check that a gate needs, and what its evidence says.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct NeedStatus {
    /// The name of a check; patterns such as `evaluate.*` are expanded.
    pub check: String,
    pub state: NeedState,
    /// What holds it up, or what to watch: `origin = JFK`.
    pub reasons: Vec<String>,
}

/// What the evidence for a need says.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum NeedState {
    /// Fresh and passing.
    Met,
    /// Fresh; something is worth a look, nothing fails.
    Warned,
    Failed,
    /// Fresh, but it could not be measured.
    Unknown,
    /// There is evidence, but it has expired or was made under another definition.
    Stale,
    /// There is no evidence.
    Missing,
}

impl NeedState {
    pub fn keeps_gate_open(self) -> bool {
        matches!(self, Self::Met | Self::Warned)
    }

    pub fn word(self) -> &'static str {
        match self {
            Self::Met => "met",
            Self::Warned => "met, with warnings",
            Self::Failed => "failed",
            Self::Unknown => "unknown",
            Self::Stale => "stale",
            Self::Missing => "missing",
        }
    }
}
