//! `columnLineage`: which columns a column was made from.

use std::collections::BTreeMap;

use serde::Deserialize;

use super::{Facet, or_default};

/// The inputs of each column. What is said of the whole dataset (filters, joins) is in the facet's text alone.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
pub struct ColumnLineage {
    pub fields: BTreeMap<String, ColumnInputs>,
}

#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct ColumnInputs {
    #[serde(default, deserialize_with = "or_default")]
    pub input_fields: Vec<ColumnInput>,
}

#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
pub struct ColumnInput {
    pub namespace: String,
    pub name: String,
    pub field: String,
}

impl Facet for ColumnLineage {
    const KEY: &'static str = "columnLineage";
}
