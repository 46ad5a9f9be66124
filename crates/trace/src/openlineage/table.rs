//! Facets of a dataset as a table: its columns, its version, its other names, where it lives.

use serde::Deserialize;

use super::{Facet, or_default};

/// `schema`.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
pub struct TableSchema {
    #[serde(default, deserialize_with = "or_default")]
    pub fields: Vec<Field>,
}

/// A column, and what it is made of where it is nested.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
pub struct Field {
    pub name: String,
    #[serde(rename = "type")]
    pub kind: Option<String>,
    #[serde(default, deserialize_with = "or_default")]
    pub fields: Vec<Field>,
}

/// `version`: what the system that holds the dataset calls this version of it.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct DatasetVersion {
    pub dataset_version: String,
}

/// `dataSource`: where the dataset lives.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
pub struct DataSource {
    pub name: Option<String>,
    pub uri: Option<String>,
}

/// `symlinks`: other names of the same dataset.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
pub struct Symlinks {
    #[serde(default, deserialize_with = "or_default")]
    pub identifiers: Vec<Identifier>,
}

#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
pub struct Identifier {
    pub namespace: String,
    pub name: String,
}

impl Facet for TableSchema {
    const KEY: &'static str = "schema";
}

impl Facet for DatasetVersion {
    const KEY: &'static str = "version";
}

impl Facet for DataSource {
    const KEY: &'static str = "dataSource";
}

impl Facet for Symlinks {
    const KEY: &'static str = "symlinks";
}
