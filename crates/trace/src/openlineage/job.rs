//! Facets of jobs and runs: code, kind, owners, and what started them.

use serde::Deserialize;

use super::{Facet, or_default};

/// `sql`.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
pub struct Sql {
    pub query: String,
}

/// `jobType`.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct JobType {
    pub processing_type: Option<String>,
    pub integration: Option<String>,
    pub job_type: Option<String>,
}

/// `parent`: the run that started this one.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
pub struct Parent {
    pub run: ParentRun,
    pub job: ParentJob,
}

#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct ParentRun {
    pub run_id: String,
}

#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
pub struct ParentJob {
    pub namespace: String,
    pub name: String,
}

/// `ownership`, of jobs and of datasets.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
pub struct Ownership {
    #[serde(default, deserialize_with = "or_default")]
    pub owners: Vec<Owner>,
}

#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
pub struct Owner {
    pub name: String,
}

/// `sourceCodeLocation`.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
pub struct SourceCodeLocation {
    /// The kind of version control.
    #[serde(rename = "type")]
    pub kind: Option<String>,
    /// The version that ran; a place without a version does not say what ran.
    pub version: Option<String>,
}

impl Facet for Sql {
    const KEY: &'static str = "sql";
}

impl Facet for JobType {
    const KEY: &'static str = "jobType";
}

impl Facet for Parent {
    const KEY: &'static str = "parent";
}

impl Facet for Ownership {
    const KEY: &'static str = "ownership";
}

impl Facet for SourceCodeLocation {
    const KEY: &'static str = "sourceCodeLocation";
}
