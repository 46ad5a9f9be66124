//! The four verdicts that a check can come to.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// What a check came to. Ordered from best to worst, so that `max` of several is the worst.
///
/// `Unknown` ranks below `Fail` and above `Warn`: it is never a pass, and it shuts a gate.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Verdict {
    /// The whole interval is on the good side of the threshold, or nothing changed.
    Pass,
    /// It cannot be told apart from the threshold, or the change is material but moderate.
    Warn,
    /// It could not be measured; the finding says why.
    Unknown,
    /// The whole interval is on the wrong side, or a change is large and significant.
    Fail,
}

impl Verdict {
    pub fn word(self) -> &'static str {
        match self {
            Self::Pass => "pass",
            Self::Warn => "warn",
            Self::Unknown => "unknown",
            Self::Fail => "fail",
        }
    }

    /// Whether a gate that needs this verdict may stay open.
    pub fn keeps_gate_open(self) -> bool {
        matches!(self, Self::Pass | Self::Warn)
    }

    /// The worst of several verdicts; `None` where there is none.
    pub fn worst(verdicts: impl IntoIterator<Item = Self>) -> Option<Self> {
        verdicts.into_iter().max()
    }
}

impl std::fmt::Display for Verdict {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.pad(self.word())
    }
}

#[cfg(test)]
mod tests {
    use super::Verdict::{Fail, Pass, Unknown, Warn};
    use super::*;

    #[test]
    fn unknown_is_worse_than_warn_and_shuts_a_gate() {
        assert_eq!(Verdict::worst([Pass, Unknown, Warn]), Some(Unknown));
        assert_eq!(Verdict::worst([Unknown, Fail]), Some(Fail));
        assert_eq!(Verdict::worst([]), None);
        assert!(!Unknown.keeps_gate_open());
        assert!(Warn.keeps_gate_open());
    }
}
