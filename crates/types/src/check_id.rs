//! The names of all checks.

use serde::{Deserialize, Serialize};

/// The name of a check, `practice.measurement`, as gates and alerts refer to it.
#[derive(
    Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize, schemars::JsonSchema,
)]
pub enum CheckId {
    #[serde(rename = "monitor.drift")]
    Drift,
    #[serde(rename = "monitor.quality")]
    Quality,
    #[serde(rename = "monitor.multivariate")]
    Multivariate,
    #[serde(rename = "monitor.performance")]
    PerformanceOverTime,
    #[serde(rename = "evaluate.outcomes")]
    Outcomes,
    #[serde(rename = "evaluate.performance")]
    Performance,
    #[serde(rename = "evaluate.worst_segment")]
    WorstSegment,
    #[serde(rename = "evaluate.calibration")]
    Calibration,
    #[serde(rename = "evaluate.slices")]
    Slices,
    #[serde(rename = "evaluate.worst_subpopulation")]
    WorstSubpopulation,
    #[serde(rename = "evaluate.errors")]
    Errors,
    #[serde(rename = "evaluate.tail")]
    Tail,
    #[serde(rename = "evaluate.fairness")]
    Fairness,
    #[serde(rename = "evaluate.comparison")]
    Comparison,
    #[serde(rename = "stress.parity")]
    Parity,
    #[serde(rename = "stress.missing")]
    Missing,
    #[serde(rename = "stress.faults")]
    Faults,
    #[serde(rename = "stress.detection")]
    Detection,
    #[serde(rename = "stress.load")]
    Load,
    #[serde(rename = "stress.endpoint")]
    Endpoint,
    #[serde(rename = "stress.manipulation")]
    Manipulation,
}

impl CheckId {
    pub const ALL: [Self; 21] = [
        Self::Drift,
        Self::Quality,
        Self::Multivariate,
        Self::PerformanceOverTime,
        Self::Outcomes,
        Self::Performance,
        Self::WorstSegment,
        Self::Calibration,
        Self::Slices,
        Self::WorstSubpopulation,
        Self::Errors,
        Self::Tail,
        Self::Fairness,
        Self::Comparison,
        Self::Parity,
        Self::Missing,
        Self::Faults,
        Self::Detection,
        Self::Load,
        Self::Endpoint,
        Self::Manipulation,
    ];

    pub fn name(self) -> &'static str {
        match self {
            Self::Drift => "monitor.drift",
            Self::Quality => "monitor.quality",
            Self::Multivariate => "monitor.multivariate",
            Self::PerformanceOverTime => "monitor.performance",
            Self::Outcomes => "evaluate.outcomes",
            Self::Performance => "evaluate.performance",
            Self::WorstSegment => "evaluate.worst_segment",
            Self::Calibration => "evaluate.calibration",
            Self::Slices => "evaluate.slices",
            Self::WorstSubpopulation => "evaluate.worst_subpopulation",
            Self::Errors => "evaluate.errors",
            Self::Tail => "evaluate.tail",
            Self::Fairness => "evaluate.fairness",
            Self::Comparison => "evaluate.comparison",
            Self::Parity => "stress.parity",
            Self::Missing => "stress.missing",
            Self::Faults => "stress.faults",
            Self::Detection => "stress.detection",
            Self::Load => "stress.load",
            Self::Endpoint => "stress.endpoint",
            Self::Manipulation => "stress.manipulation",
        }
    }

    /// `monitor` or `evaluate`.
    pub fn practice(self) -> &'static str {
        self.name().split_once('.').map_or(self.name(), |(practice, _)| practice)
    }
}

impl std::fmt::Display for CheckId {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.pad(self.name())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_check_is_stored_under_the_name_that_gates_use() {
        for check in CheckId::ALL {
            assert_eq!(serde_json::to_value(check).unwrap(), check.name());
        }
    }
}
