//! The six facets that Forewarn adds to OpenLineage; docs/lineage-facets.md is their specification.

use jiff::Timestamp;
use serde::Deserialize;
use types::Digest;
use types::lineage::Role;

use super::{Facet, or_default};
use crate::fingerprint::Step;

/// `forewarn_digest`: which content a dataset has.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
pub struct ContentDigest {
    pub digest: Digest,
    pub of: DigestOf,
    pub rows: Option<u64>,
    #[serde(default, deserialize_with = "or_default")]
    pub aliases: Vec<Alias>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum DigestOf {
    Files,
    Rows,
}

/// What another system calls the same content.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
pub struct Alias {
    pub system: String,
    pub id: String,
    pub strength: Strength,
}

/// How far an alias identifies a content.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Strength {
    Content,
    Snapshot,
    Weak,
}

/// `forewarn_origin`: nothing is upstream of a dataset.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
pub struct Origin {
    pub upstream: Upstream,
    pub source: Option<String>,
    pub declared_by: String,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Upstream {
    None,
}

/// `forewarn_role`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
pub struct RoleOfInput {
    pub role: Role,
}

/// `forewarn_pipeline`: what a run applied.
#[derive(Clone, Debug, PartialEq, Deserialize)]
pub struct PipelineRun {
    pub steps: Vec<Step>,
    /// What the sender takes the fingerprint to be.
    pub fingerprint: Option<Digest>,
}

/// `forewarn_model`: what a run made.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
pub struct ModelMade {
    pub name: String,
    pub version: String,
    pub digest: Option<Digest>,
}

/// `forewarn_servingContext`: what answered.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
pub struct Serving {
    pub model: ServedModel,
    pub fingerprint: Option<Digest>,
    pub from: Option<Timestamp>,
    pub until: Option<Timestamp>,
}

#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
pub struct ServedModel {
    pub name: String,
    pub version: String,
    pub digest: Option<Digest>,
}

impl Facet for ContentDigest {
    const KEY: &'static str = "forewarn_digest";
}

impl Facet for Origin {
    const KEY: &'static str = "forewarn_origin";
}

impl Facet for RoleOfInput {
    const KEY: &'static str = "forewarn_role";
}

impl Facet for PipelineRun {
    const KEY: &'static str = "forewarn_pipeline";
}

impl Facet for ModelMade {
    const KEY: &'static str = "forewarn_model";
}

impl Facet for Serving {
    const KEY: &'static str = "forewarn_servingContext";
}
