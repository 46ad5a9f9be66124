//! Alerts as they stand: which rule holds for what, whom people told about it, and what keeps them quiet.
//!
//! These are what is stored between two evaluations; `monitor::alert` moves them. What people are told
//! is a [`crate::message::Message`].

use std::collections::BTreeMap;

use jiff::Timestamp;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::CheckId;
use crate::definition::{Contact, Escalation, Repeat};
use crate::described;
use crate::message::Severity;
use crate::verdict::Verdict;
use crate::window::Window;

/// The version of the stored form; readers refuse a newer one.
pub const FORMAT: u32 = 1;

/// The alerts of one system.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct AlertState {
    pub format: u32,
    /// By rule and subject.
    pub alerts: Vec<AlertRecord>,
    /// What people were told together and is not over.
    pub groups: Vec<AlertGroup>,
    /// For each rule, the end of the newest window that it was held against.
    pub evaluated_to: BTreeMap<String, Timestamp>,
}

impl Default for AlertState {
    fn default() -> Self {
        Self { format: FORMAT, alerts: Vec::new(), groups: Vec::new(), evaluated_to: BTreeMap::new() }
    }
}

/// One rule about one subject.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct AlertRecord {
    pub rule: String,
    /// `dewp`, `origin = JFK`, or `system`.
    pub subject: String,
    /// Whether it comes from the running of the program rather than from evidence.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub operational: bool,
    pub status: AlertStatus,
    pub grade: Grade,
    /// Windows in a row in which the condition held.
    pub windows: u32,
    /// The end of the first of them.
    pub since: Timestamp,
    /// When it began to fire.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub firing_since: Option<Timestamp>,
    /// The newest window in which it held; there is none for operational alerts.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub window: Option<Window>,
    /// The checks that it rests on.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub checks: Vec<CheckId>,
    /// What alerts with the same root have in common: `source weather`, `column p_delayed`, `system`.
    pub cause: String,
    pub told: Telling,
    pub policy: Policy,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub inhibited_by: Vec<String>,
    /// What keeps it quiet at this moment.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub quiet: Option<Quiet>,
    pub words: AlertWords,
}

/// The states of Prometheus; what is inactive has no record.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum AlertStatus {
    /// The condition holds, but not for as many windows as the rule asks.
    Pending,
    Firing,
    /// It no longer holds; kept until that was told and the repeat interval is over.
    Resolved,
}

impl AlertStatus {
    /// `firing`.
    pub fn word(self) -> &'static str {
        match self {
            Self::Pending => "pending",
            Self::Firing => "firing",
            Self::Resolved => "resolved",
        }
    }
}

/// How bad an alert is. It worsens when any part rises.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Grade {
    pub severity: Severity,
    pub verdict: Verdict,
    /// How many findings are as bad as that.
    pub findings: u32,
}

impl Grade {
    pub fn is_worse_than(self, other: Self) -> bool {
        self.severity > other.severity || self.verdict > other.verdict || self.findings > other.findings
    }

    /// The worse of each part.
    #[must_use]
    pub fn worst(self, other: Self) -> Self {
        Self {
            severity: self.severity.max(other.severity),
            verdict: self.verdict.max(other.verdict),
            findings: self.findings.max(other.findings),
        }
    }
}

/// What was told of an alert.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Telling {
    /// The group that it was told in.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub group: Option<String>,
    /// When it was last told that it fires.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub at: Option<Timestamp>,
    /// The worst that was told of it since it began to fire; `None` where nothing was.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub grade: Option<Grade>,
    /// Who has acknowledged what was told.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub acknowledged: Option<Acknowledged>,
    /// The newest acknowledgement that was looked at; one that the alert outgrew does not count again.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub acknowledgements_to: Option<Timestamp>,
}

/// Who has taken an alert on.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Acknowledged {
    pub by: String,
    pub at: Timestamp,
    pub note: String,
}

/// What keeps a firing alert quiet.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "by", rename_all = "lowercase")]
pub enum Quiet {
    Silence {
        id: String,
        until: Timestamp,
    },
    /// The alert that explains it.
    Inhibition {
        rule: String,
        subject: String,
    },
}

/// Who is told, how often, and who after them.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Policy {
    pub to: Vec<Contact>,
    pub repeat: Repeat,
    pub escalate: Vec<Escalation>,
}

/// What can be said of an alert, as it last held.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct AlertWords {
    pub summary: String,
    pub how_sure: String,
    pub who_is_affected: String,
    /// Who answers for it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub owner: Option<String>,
    pub what_to_do: String,
}

/// Alerts that are told together, from firing to resolved.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct AlertGroup {
    /// Stays the same over all of its messages.
    pub id: String,
    pub severity: Severity,
    pub policy: Policy,
    pub window: Option<Window>,
    pub first_told: Timestamp,
    /// Since when it has been told, neither silenced nor taken on by anybody; escalation counts from here.
    pub unattended_since: Timestamp,
    pub last_told: Timestamp,
    /// How many steps of the escalation were taken.
    pub escalated: usize,
    /// Everybody who heard of it, and hears of its end.
    pub told_to: Vec<Contact>,
}

/// An alert that has ended, for the history of a system.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Episode {
    pub rule: String,
    pub subject: String,
    pub severity: Severity,
    /// The end of the first window in which the condition held.
    pub since: Timestamp,
    pub firing_since: Timestamp,
    pub until: Timestamp,
    pub windows: u32,
    /// Whether anybody was told. What began and ended before it was first computed was told to nobody.
    pub told: bool,
    pub summary: String,
}

/// A promise not to tell anybody for a while, and why.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Silence {
    pub id: String,
    pub matcher: Matcher,
    #[schemars(with = "described::Instant")]
    pub from: Timestamp,
    /// There is always an end.
    #[schemars(with = "described::Instant")]
    pub until: Timestamp,
    pub reason: String,
    pub by: String,
}

impl Silence {
    pub fn holds(&self, now: Timestamp) -> bool {
        self.from <= now && now < self.until
    }
}

/// Which alerts a silence is about; `*` stands for any text, and all parts must match.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(default)]
pub struct Matcher {
    pub system: String,
    pub rule: String,
    pub subject: String,
}

impl Default for Matcher {
    fn default() -> Self {
        Self { system: "*".into(), rule: "*".into(), subject: "*".into() }
    }
}

impl Matcher {
    pub fn matches(&self, system: &str, rule: &str, subject: &str) -> bool {
        [(&self.system, system), (&self.rule, rule), (&self.subject, subject)]
            .iter()
            .all(|(pattern, text)| matches_pattern(pattern, text))
    }
}

/// Somebody takes an alert on: no more reminders and no escalation until it is over or gets worse.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Acknowledgement {
    pub rule: String,
    pub subject: String,
    pub by: String,
    pub at: Timestamp,
    #[serde(default)]
    pub note: String,
}

/// Whether a text fits a pattern in which `*` stands for any text, also none.
pub fn matches_pattern(pattern: &str, text: &str) -> bool {
    let mut parts = pattern.split('*');
    let Some(mut rest) = parts.next().and_then(|first| text.strip_prefix(first)) else { return false };
    let Some(last) = parts.next_back() else { return rest.is_empty() };
    for part in parts {
        let Some(found) = rest.find(part) else { return false };
        rest = &rest[found + part.len()..];
    }
    rest.ends_with(last)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_star_stands_for_any_text() {
        for (pattern, text, expected) in [
            ("*", "", true),
            ("*", "dewp", true),
            ("dewp", "dewp", true),
            ("dewp", "dewp2", false),
            ("origin = *", "origin = JFK", true),
            ("*share*day", "origin_late_share_prev_day", true),
            ("*share*day", "origin_late_share_prev", false),
            ("a*a", "a", false),
            ("", "", true),
            ("", "x", false),
        ] {
            assert_eq!(matches_pattern(pattern, text), expected, "{pattern} {text}");
        }
    }

    #[test]
    fn a_grade_worsens_when_any_part_rises() {
        let grade = |severity, verdict, findings| Grade { severity, verdict, findings };
        let told = grade(Severity::Medium, Verdict::Warn, 2);
        assert!(!told.is_worse_than(told));
        assert!(!grade(Severity::Low, Verdict::Pass, 1).is_worse_than(told));
        assert!(grade(Severity::Low, Verdict::Fail, 1).is_worse_than(told));
        assert!(grade(Severity::Low, Verdict::Pass, 3).is_worse_than(told));
        assert_eq!(
            told.worst(grade(Severity::High, Verdict::Pass, 1)),
            grade(Severity::High, Verdict::Warn, 2)
        );
    }

    #[test]
    fn a_state_is_read_back_as_it_was_written() {
        let state = AlertState {
            evaluated_to: [("drift".to_owned(), "2013-06-10T00:00:00Z".parse().unwrap())].into(),
            ..AlertState::default()
        };
        let text = serde_json::to_string(&state).unwrap();
        assert_eq!(serde_json::from_str::<AlertState>(&text).unwrap(), state);
    }
}
