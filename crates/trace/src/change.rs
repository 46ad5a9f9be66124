//! What an event adds to the graph: nodes, links and notes, and who said so when.
//!
//! Changes only add. A graph is the set of all changes of all events, so events may come in any order and any number of
//! times ([`crate::projection`] makes changes of them, [`crate::graph::Builder`] a graph of changes).

use std::borrow::Cow;

use jiff::Timestamp;
use types::lineage::{Kind, Role, What};

/// What a node is known by.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Key<'a> {
    pub kind: Kind,
    /// Of jobs, datasets and what belongs to them; else empty.
    pub namespace: Cow<'a, str>,
    pub name: Cow<'a, str>,
    /// Of versions; the name of a column. Else empty.
    pub version: Cow<'a, str>,
}

/// Whether a link is taken as it was said.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Standing {
    Recorded,
    /// What says it says something else too that cannot be true with it.
    Contradicted,
}

/// One thing that the graph gains.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Change<'a> {
    Node(Key<'a>),
    Link {
        from: Key<'a>,
        to: Key<'a>,
        what: What,
        role: Option<Role>,
        standing: Standing,
    },
    /// A text about a node: a facet under its name, or a state of a run under [`STATE`].
    Note {
        about: Key<'a>,
        name: Cow<'a, str>,
        text: Cow<'a, str>,
    },
}

/// The name of the notes that hold the states of a run. No facet has it, since it is not a word.
pub const STATE: &str = "(state)";

/// Who said something, for when, and since when it is known here.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Said<'a> {
    pub by: &'a str,
    pub true_from: Timestamp,
    pub known_at: Timestamp,
}

impl<'a> Key<'a> {
    fn new(kind: Kind, namespace: &'a str, name: &'a str, version: &'a str) -> Self {
        Self { kind, namespace: namespace.into(), name: name.into(), version: version.into() }
    }

    pub fn source(name: &'a str) -> Self {
        Self::new(Kind::Source, "", name, "")
    }

    pub fn dataset(namespace: &'a str, name: &'a str) -> Self {
        Self::new(Kind::Dataset, namespace, name, "")
    }

    pub fn dataset_version(namespace: &'a str, name: &'a str, version: impl Into<Cow<'a, str>>) -> Self {
        Self { version: version.into(), ..Self::new(Kind::DatasetVersion, namespace, name, "") }
    }

    pub fn column(namespace: &'a str, name: &'a str, column: &'a str) -> Self {
        Self::new(Kind::Column, namespace, name, column)
    }

    pub fn job(namespace: &'a str, name: &'a str) -> Self {
        Self::new(Kind::Job, namespace, name, "")
    }

    pub fn job_version(namespace: &'a str, name: &'a str, version: impl Into<Cow<'a, str>>) -> Self {
        Self { version: version.into(), ..Self::new(Kind::JobVersion, namespace, name, "") }
    }

    pub fn run(id: &'a str) -> Self {
        Self::new(Kind::Run, "", id, "")
    }

    pub fn model(name: &'a str, version: &'a str) -> Self {
        Self::new(Kind::ModelVersion, "", name, version)
    }

    pub fn pipeline(fingerprint: impl Into<Cow<'a, str>>) -> Self {
        Self { version: fingerprint.into(), ..Self::new(Kind::Pipeline, "", "", "") }
    }

    /// The context that a run is, while it answers.
    pub fn serving_context(run: &'a str) -> Self {
        Self::new(Kind::ServingContext, "", run, "")
    }
}
