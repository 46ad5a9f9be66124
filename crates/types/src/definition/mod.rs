//! The definition of a system: `forewarn.toml`, read and checked.
//!
//! The structs below are the file's grammar; their doc comments become the descriptions of the
//! JSON Schema that editors show. [`parse()`] reads the text, [`check_against`] holds it against the
//! columns that the log really has. Both name the key that is wrong and the nearest valid choice.

mod alert;
mod check;
mod drift_method;
mod evaluate;
mod expect;
mod guard;
mod metric;
mod model;
mod monitor;
mod output;
mod parse;
mod schedule;
mod segment;
mod stress;
mod task;

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

pub use alert::{Alert, Budget, Contact, Escalation, Repeat, Spend};
pub use check::{check_against, check_reference, compared_columns, features};
pub use drift_method::{Distance, DriftMethod};
pub use evaluate::{
    Bound, CRITERIA, Calibration, Comparison, Cost, Errors, Evaluate, Fairness, FairnessLimit, Performance,
    Slices, Tail, WorstSubpopulation,
};
pub use expect::{Age, Expectation, Holds, OnBreach, Quality, Rows};
pub use guard::{AnswerAfter, Cache, Guard, GuardColumns, Oddity, Unlogged, Unread};
pub use metric::Metric;
pub use model::{Asked, Model, Protocol, Task};
pub use monitor::{Against, AlarmBound, Cadence, Drift, Monitor, Multivariate, Reassess, WatchedPerformance};
pub use output::Output;
pub(crate) use parse::from_toml;
pub use parse::{DefinitionError, Place, parse};
pub use schedule::Schedule;
pub use segment::Segment;
pub use stress::{
    Arrivals, Breaker, Comparison as RelationSign, Curves, Degradation, Detection, Direction, EndpointFaults,
    Faults, Hypothesis, Load, Manipulation, Mechanism, Missing, Mutable, Parity, Refusal, Relation, Side,
    Stress,
};

use crate::CheckId;
use crate::calendar::Zone;
use crate::window::Window;

/// The definition of one AI system for Forewarn.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Definition {
    /// The system, as governance speaks about it.
    #[serde(default)]
    pub system: System,
    /// The model version whose predictions the log holds.
    #[serde(default)]
    pub model: Model,
    /// The prediction log: where it is and which column plays which role.
    pub log: Log,
    /// What the current window is compared against.
    pub reference: Reference,
    /// Upstream feeds and the features that come from them.
    #[serde(default)]
    pub source: Vec<Source>,
    /// Continuous watching: drift and data quality.
    #[serde(default)]
    pub monitor: Monitor,
    /// What is expected of single columns of the log, in every window.
    #[serde(default)]
    pub expect: Vec<Expectation>,
    /// How good the model is: on average, where it is worst, and whether its scores mean what they say.
    #[serde(default)]
    pub evaluate: Evaluate,
    /// How the model answers when its inputs fail.
    #[serde(default)]
    pub stress: Stress,
    /// A proxy in front of the model server that enforces a policy of degradation and writes the prediction log.
    #[serde(default)]
    pub guard: Option<Guard>,
    /// When the checks run by themselves, where the system is served.
    #[serde(default)]
    pub schedule: Schedule,
    /// Named sets of checks that must be fresh and passing before something may go ahead.
    #[serde(default)]
    pub gate: BTreeMap<String, Gate>,
    /// When people are told that something matters, and whom.
    #[serde(default)]
    pub alert: Vec<Alert>,
}

impl Definition {
    /// Whether a check is made at all; a pattern such as `evaluate.*` stands for those that are.
    pub fn makes(&self, check: CheckId) -> bool {
        match check.practice() {
            "evaluate" => self.evaluates(check),
            "stress" => self.stresses(check),
            _ => true,
        }
    }

    /// Who answers for a check: whom the definition names for it alone, else the owner of the system.
    pub fn owner(&self, check: CheckId) -> Option<&str> {
        let own = self.evaluate.owner(check).or_else(|| self.stress.owner(check));
        own.or(self.system.owner.as_deref())
    }

    /// How often a check is due.
    pub fn cadence(&self, check: CheckId) -> Cadence {
        match check.practice() {
            "evaluate" => self.evaluate.every,
            "stress" => self.stress.every,
            _ if check == CheckId::PerformanceOverTime => self.monitor.performance.every,
            _ => self.monitor.drift.every,
        }
    }
}

/// The system that governance speaks about.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct System {
    /// A short, stable identifier, such as `flight-delay`.
    pub id: String,
    /// The name that people use.
    pub name: Option<String>,
    /// What the system is for, in one sentence.
    pub purpose: Option<String>,
    /// Who is accountable for it.
    pub owner: Option<String>,
    /// The risk tier under the EU AI Act.
    pub tier: Option<Tier>,
    /// Where its days end, for the schedule: a name of the IANA database, such as `America/New_York`. Windows
    /// are of days in UTC, whatever stands here.
    pub time_zone: Zone,
}

impl Default for System {
    fn default() -> Self {
        Self {
            id: "system".into(),
            name: None,
            purpose: None,
            owner: None,
            tier: None,
            time_zone: Zone::default(),
        }
    }
}

impl System {
    pub fn display_name(&self) -> &str {
        self.name.as_deref().unwrap_or(&self.id)
    }
}

/// The risk tier of a system under the EU AI Act.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Tier {
    Prohibited,
    High,
    Limited,
    Minimal,
}

/// The prediction log: where it is and which column plays which role.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Log {
    /// A Parquet or CSV file, a folder or a glob, relative to the definition; or the same in a bucket, as
    /// `s3://bucket/log/*.parquet`.
    pub path: String,
    /// The column that identifies a prediction; needed where outcomes are in a table of their own.
    #[serde(default)]
    pub id: Option<String>,
    /// The column that says when the prediction was made or applies.
    pub time: String,
    /// For a time column of integers: what they count since 1970-01-01 UTC.
    #[serde(default)]
    pub time_unit: Option<TimeUnit>,
    /// For a binary task: the column with the model's probability of the positive class, in [0, 1].
    #[serde(default)]
    pub score: String,
    /// For a multiclass task: the column with the probability of each class, by the class's name as the
    /// outcome has it, such as `{ EWR = "p_ewr", JFK = "p_jfk" }`.
    #[serde(default)]
    pub scores: BTreeMap<String, String>,
    /// For a regression task: the column with the predicted number. For a multiclass task: the column
    /// with the predicted class's name; without it, the likeliest class is the predicted one.
    #[serde(default)]
    pub predicted: Option<String>,
    /// For a regression task: columns with predicted quantiles, by the share of outcomes that should lie at or
    /// below them, such as `{ "0.05" = "low", "0.95" = "high" }`.
    #[serde(default)]
    pub quantiles: BTreeMap<String, String>,
    /// For a binary task: the score from which on the positive class is predicted.
    #[serde(default = "default_threshold")]
    pub threshold: f64,
    /// What really happened: a column of the log, or a table that is joined by id.
    #[serde(default)]
    pub outcome: Option<Outcome>,
    /// Columns (or named SQL expressions) whose values users care about.
    #[serde(default)]
    pub segments: Vec<Segment>,
    /// The model's inputs; by default every column that has no other role.
    #[serde(default)]
    pub features: Option<Vec<String>>,
    /// Columns that are neither features nor roles, such as the model version.
    #[serde(default)]
    pub ignore: Vec<String>,
    /// Features that hold free text: drift is measured by length, kinds of characters and words, not by value.
    #[serde(default)]
    pub text: Vec<String>,
}

fn default_threshold() -> f64 {
    0.5
}

/// What an integer time column counts since 1970-01-01 UTC.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
pub enum TimeUnit {
    #[serde(rename = "s")]
    Seconds,
    #[serde(rename = "ms")]
    Milliseconds,
    #[serde(rename = "us")]
    Microseconds,
    #[serde(rename = "ns")]
    Nanoseconds,
}

/// Where the outcomes are.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Outcome {
    /// A Parquet or CSV file, a folder or a glob, as the log's; without it, the column is in the log itself.
    #[serde(default)]
    pub path: Option<String>,
    /// The column of that table that names the prediction; by default the log's id.
    #[serde(default)]
    pub id: Option<String>,
    /// The column with the outcome. Binary: 1, true for the positive class and 0, false for the other.
    /// Multiclass: the name of the class that happened. Regression: the number that came out.
    pub column: String,
    /// The column that says when the outcome became known.
    #[serde(default)]
    pub time: Option<String>,
}

/// What the current window is compared against: a fixed window of the log, or a dataset of its own.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Reference {
    /// Files of the reference alone, with the log's columns: a Parquet or CSV file, a folder or a glob, relative
    /// to the definition or in a bucket. Without it, the reference is a window of the log.
    #[serde(default)]
    pub path: Option<String>,
    /// A fixed window of the log, or of the reference's own files; of those, by default, everything.
    #[serde(default = "Window::everything", skip_serializing_if = "Window::is_everything")]
    pub window: Window,
}

/// An upstream feed and the features that come from it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Source {
    pub name: String,
    pub features: Vec<String>,
}

/// A named set of checks that must be fresh and passing before something may go ahead.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Gate {
    /// Names of checks; `evaluate.*` stands for all checks of a practice.
    pub needs: Vec<String>,
}
