//! The words of lineage: what a trace shows, for whoever renders it.
//!
//! A [`Trace`] is a part of the lineage graph, walked from one node up or down the stream: nodes, and hops between
//! them, each with its [`State`]. It is made in `trace`; nothing here walks.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

/// What a node is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Kind {
    Source,
    Dataset,
    /// One immutable content of a dataset.
    DatasetVersion,
    Column,
    Job,
    /// The code of a job as it was.
    JobVersion,
    Run,
    ModelVersion,
    /// Steps that were applied, by their fingerprint.
    Pipeline,
    /// What stays the same from one prediction to the next.
    ServingContext,
}

/// How one node follows from another; always from what was first to what came of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum What {
    /// Source to dataset.
    Supplies,
    /// Dataset to its version, job to its version.
    HasVersion,
    /// Another name to the digest of a dataset version, or one name of a dataset to another.
    SameAs,
    /// Dataset or version to run or job.
    Read,
    /// Run, job or serving context to dataset or version.
    Wrote,
    /// Job to run.
    Ran,
    /// Job version to run.
    Executed,
    /// Run to the run that it started.
    Started,
    /// Pipeline to run.
    Applied,
    /// Run to model version.
    Trained,
    /// Model version to serving context.
    Serves,
    /// Run to the serving context that it is.
    Answers,
    /// Column to the column that is made from it.
    Derived,
}

/// What a run used an input for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Role {
    Training,
    Validation,
    Test,
    Reference,
    Features,
}

/// How far a hop can be relied on.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum State {
    /// Somebody said so.
    Recorded,
    /// Nobody said so; it follows from what was said, by a rule that the hop names.
    Inferred,
    /// Somebody said that there is nothing upstream.
    DeclaredNone,
    /// Nobody said anything: a gap.
    Missing,
    /// What was said cannot all be true.
    Contradicted,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Direction {
    Upstream,
    Downstream,
}

/// What was true at a time, by what was known at a time.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct AsOf {
    pub true_at: Timestamp,
    pub known_at: Timestamp,
}

/// What was known of the quality of a dataset version when it was used.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "state", rename_all = "snake_case")]
pub enum Quality {
    /// This very version had been checked.
    Checked { at: Timestamp, passed: u64, failed: Vec<String> },
    /// Another version of the dataset had been checked, this one had not.
    AnotherVersion { version: String, at: Timestamp, passed: u64, failed: Vec<String> },
    /// No version had been checked; `later` is when this one first was, if it ever was.
    Never { later: Option<Timestamp> },
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Node {
    pub kind: Kind,
    /// Of jobs, datasets and what belongs to them; else empty.
    pub namespace: String,
    /// The id of a run or of a serving context's run; empty for a pipeline.
    pub name: String,
    /// Of versions; the name of a column, the fingerprint of a pipeline. Else empty.
    pub version: String,
    /// What else is worth knowing of it, in order.
    pub facts: Vec<Fact>,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Fact {
    pub name: String,
    pub value: String,
}

/// Positions are those of the trace's nodes.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Hop {
    /// None where nothing is upstream, or nobody said what.
    pub from: Option<usize>,
    pub to: usize,
    pub what: What,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub role: Option<Role>,
    pub state: State,
    /// Why it is inferred, missing or contradicted, or who declared that it begins here.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
    /// Who said so.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub by: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub true_from: Option<Timestamp>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub known_at: Option<Timestamp>,
    /// For inputs.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub quality: Option<Quality>,
}

/// What lies up or down the stream of a node.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Trace {
    pub direction: Direction,
    pub as_of: AsOf,
    /// The first is the one that was asked about.
    pub nodes: Vec<Node>,
    pub hops: Vec<Hop>,
    /// There is more than as many nodes as were asked for.
    pub truncated: bool,
}

impl Kind {
    pub fn words(self) -> &'static str {
        match self {
            Self::Source => "source",
            Self::Dataset => "dataset",
            Self::DatasetVersion => "dataset version",
            Self::Column => "column",
            Self::Job => "job",
            Self::JobVersion => "code",
            Self::Run => "run",
            Self::ModelVersion => "model version",
            Self::Pipeline => "pipeline",
            Self::ServingContext => "serving context",
        }
    }
}

impl State {
    pub fn words(self) -> &'static str {
        match self {
            Self::Recorded => "recorded",
            Self::Inferred => "inferred",
            Self::DeclaredNone => "declared none",
            Self::Missing => "missing",
            Self::Contradicted => "contradicted",
        }
    }
}

impl Role {
    pub fn words(self) -> &'static str {
        match self {
            Self::Training => "training",
            Self::Validation => "validation",
            Self::Test => "test",
            Self::Reference => "reference",
            Self::Features => "features",
        }
    }
}

impl Node {
    /// Its name as a person would say it, with its version in short.
    pub fn title(&self) -> String {
        let Self { namespace, name, version, .. } = self;
        match self.kind {
            Kind::Source | Kind::Run | Kind::ServingContext => name.clone(),
            Kind::Dataset | Kind::Job => format!("{namespace}/{name}"),
            Kind::DatasetVersion | Kind::JobVersion => format!("{namespace}/{name}@{}", short(version)),
            Kind::Column => format!("{namespace}/{name}.{version}"),
            Kind::ModelVersion => format!("{name}@{version}"),
            Kind::Pipeline => short(version),
        }
    }
}

/// The first twelve digits of a digest, with what it is a digest of; any other text as it is.
pub fn short(version: &str) -> String {
    let (kind, digits) = version.rsplit_once(':').map_or(("", version), |(kind, digits)| (kind, digits));
    let is_digest = digits.len() >= 40 && digits.bytes().all(|byte| byte.is_ascii_hexdigit());
    match kind {
        _ if !is_digest => version.to_owned(),
        "" => digits[..12].to_owned(),
        kind => format!("{kind}:{}", &digits[..12]),
    }
}
