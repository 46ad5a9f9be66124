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

impl GateDecision {
    /// The needs that are not simply met and of which there is evidence: first what holds the gate up.
    pub fn to_look_at(&self) -> Vec<&NeedStatus> {
        let is_told = |need: &&NeedStatus| !matches!(need.state, NeedState::Met | NeedState::Missing);
        let mut needs: Vec<&NeedStatus> = self.needs.iter().filter(is_told).collect();
        needs.sort_by_key(|need| need.state.keeps_gate_open());
        needs
    }

    /// The checks that it needs and that nobody has made yet. Nothing is wrong with them: they are said last.
    pub fn not_made_yet(&self) -> Vec<&str> {
        let missing = self.needs.iter().filter(|need| need.state == NeedState::Missing);
        missing.map(|need| need.check.as_str()).collect()
    }
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_never_made_is_apart_from_what_holds_a_gate_up() {
        let need = |check: &str, state| NeedStatus { check: check.into(), state, reasons: Vec::new() };
        let gate = GateDecision {
            gate: "deploy".into(),
            open: false,
            needs: vec![
                need("a", NeedState::Missing),
                need("b", NeedState::Warned),
                need("c", NeedState::Met),
                need("d", NeedState::Failed),
            ],
        };
        let told: Vec<&str> = gate.to_look_at().into_iter().map(|need| need.check.as_str()).collect();
        assert_eq!((told, gate.not_made_yet()), (vec!["d", "b"], vec!["a"]));
    }
}
