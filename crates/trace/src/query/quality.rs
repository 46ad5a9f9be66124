//! What was known of the quality of a dataset version at the time when it was used.
//!
//! That it was checked, that another version of the dataset was, and that none was are three things; a check that was
//! made afterwards changes none of them.

use jiff::Timestamp;
use types::lineage::{Kind, Quality, What};

use super::view::View;
use crate::graph::NodeId;
use crate::openlineage::QualityAssertions;
use crate::openlineage::facet::{self, Facet};

/// Assertions about one node that were made in one event.
struct Check {
    at: Timestamp,
    passed: u64,
    failed: Vec<String>,
}

impl View<'_> {
    /// The quality of a dataset version (or of a dataset, whose version is not known), as it was known at `time`.
    pub(super) fn quality(&self, node: NodeId, time: Timestamp) -> Quality {
        let checks = self.checks(node);
        if let Some(Check { at, passed, failed }) = last_until(checks, time) {
            return Quality::Checked { at, passed, failed };
        }
        let dataset = match self.graph.kind(node) {
            Kind::DatasetVersion => self.dataset_of(node),
            _ => Some(node),
        };
        let others = dataset.into_iter().flat_map(|dataset| {
            let versions = self.leaving(dataset, What::HasVersion).into_iter();
            versions.map(|near| self.one_name(near.node)).chain([dataset])
        });
        let others = others.filter(|&other| other != node);
        let others = others.filter_map(|other| Some((other, last_until(self.checks(other), time)?)));
        match others.max_by_key(|(other, check)| (check.at, *other)) {
            Some((other, Check { at, passed, failed })) => {
                let version = self.graph.key(other).version.into_owned();
                Quality::AnotherVersion { version, at, passed, failed }
            }
            None => Quality::Never { later: self.checks(node).iter().map(|check| check.at).min() },
        }
    }

    fn checks(&self, node: NodeId) -> Vec<Check> {
        let notes = self.names(node).into_iter().flat_map(|name| self.notes(name, QualityAssertions::KEY));
        let read = notes.filter_map(|note| {
            let QualityAssertions { assertions } = facet::read(note.text).ok().flatten()?;
            let failed = assertions.iter().filter(|assertion| !assertion.success).map(|assertion| {
                let column = assertion.column.as_ref().map(|column| format!(" of `{column}`"));
                let severity = assertion.severity.as_ref().filter(|severity| *severity != "error");
                let severity = severity.map(|severity| format!(" ({severity})"));
                format!(
                    "{}{}{}",
                    assertion.assertion,
                    column.unwrap_or_default(),
                    severity.unwrap_or_default()
                )
            });
            let failed: Vec<String> = failed.collect();
            let passed = (assertions.len() - failed.len()) as u64;
            (!assertions.is_empty()).then_some(Check { at: note.said.true_from, passed, failed })
        });
        read.collect()
    }
}

fn last_until(checks: Vec<Check>, time: Timestamp) -> Option<Check> {
    checks.into_iter().filter(|check| check.at <= time).max_by_key(|check| check.at)
}
