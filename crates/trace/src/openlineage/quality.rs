//! Facets about the quality of a dataset: what was counted, and what was held against it.

use std::collections::BTreeMap;

use serde::Deserialize;

use super::{Facet, or_default};

/// `dataQualityMetrics`.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct QualityMetrics {
    pub row_count: Option<u64>,
    #[serde(default, deserialize_with = "or_default")]
    pub column_metrics: BTreeMap<String, ColumnMetrics>,
}

#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct ColumnMetrics {
    pub null_count: Option<u64>,
    pub distinct_count: Option<u64>,
    pub min: Option<f64>,
    pub max: Option<f64>,
}

/// `dataQualityAssertions`.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
pub struct QualityAssertions {
    pub assertions: Vec<Assertion>,
}

#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
pub struct Assertion {
    pub assertion: String,
    pub success: bool,
    /// None for what is asserted of the whole dataset.
    pub column: Option<String>,
    pub severity: Option<String>,
}

impl Facet for QualityMetrics {
    const KEY: &'static str = "dataQualityMetrics";
}

impl Facet for QualityAssertions {
    const KEY: &'static str = "dataQualityAssertions";
}
