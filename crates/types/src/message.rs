//! What a person is told when something matters, before it takes the form of a channel.

use jiff::Timestamp;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// How much something matters, from a note to what wakes somebody up.
#[derive(
    Clone, Copy, Debug, Default, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize, JsonSchema,
)]
#[serde(rename_all = "lowercase")]
pub enum Severity {
    Info,
    Low,
    #[default]
    Medium,
    High,
    Critical,
}

impl Severity {
    pub const ALL: [Self; 5] = [Self::Info, Self::Low, Self::Medium, Self::High, Self::Critical];

    /// `high`.
    pub fn word(self) -> &'static str {
        match self {
            Self::Info => "info",
            Self::Low => "low",
            Self::Medium => "medium",
            Self::High => "high",
            Self::Critical => "critical",
        }
    }
}

/// Why a message is sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Occasion {
    /// An alert began to fire.
    Firing,
    /// It still fires, and was told some time ago.
    Reminder,
    /// Nobody acknowledged it in time.
    Escalation,
    Resolved,
    /// `forewarn alert test`.
    Test,
}

/// One message about one cause; alerts that have the same cause stand in it together.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Message {
    pub occasion: Occasion,
    /// The gravest of its alerts.
    pub severity: Severity,
    pub at: Timestamp,
    /// The system's id, and the name that people use.
    pub system: String,
    pub system_name: String,
    /// The same for all messages about one cause, from firing to resolved.
    pub group: String,
    /// One line: `Flight delay predictor: drift of dewp in the week of 2013-06-03`.
    pub title: String,
    pub what_happened: String,
    pub how_sure: String,
    pub who_is_affected: String,
    pub what_to_do: String,
    /// The page that shows it, where the server knows its own address.
    pub link: Option<String>,
    pub alerts: Vec<MessageAlert>,
}

/// One alert of a message.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct MessageAlert {
    /// The rule's name in the definition.
    pub rule: String,
    /// What it is about: `dewp`, `origin = JFK`.
    pub subject: String,
    pub severity: Severity,
    pub since: Timestamp,
    pub resolved: bool,
    /// A plain sentence.
    pub summary: String,
}
