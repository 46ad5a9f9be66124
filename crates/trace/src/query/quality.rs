//! What was known of the quality of a dataset version at the time when it was used.
//!
//! That it was checked, that another version of the dataset was, and that none was are three things; a check that was
//! made afterwards changes none of them.

use std::collections::HashMap;

use jiff::Timestamp;
use types::lineage::{Kind, Quality, What};

use super::view::View;
use crate::graph::NodeId;
use crate::openlineage::QualityAssertions;
use crate::openlineage::facet::{self, Facet};

/// Assertions about one node that were made in one event.
#[derive(Clone, Debug)]
pub(super) struct Check {
    at: Timestamp,
    passed: u64,
    failed: Vec<String>,
}

/// The checks of the versions of each dataset, as far as they were asked for.
pub(super) type Checked = HashMap<NodeId, Vec<(NodeId, Check)>>;

impl View<'_> {
    /// The quality of a dataset version (or of a dataset, whose version is not known), as it was known at `time`.
    pub(super) fn quality(&self, node: NodeId, time: Timestamp, checked: &mut Checked) -> Quality {
        let dataset = match self.graph.kind(node) {
            Kind::DatasetVersion => self.graph.dataset_of(node).unwrap_or(node),
            _ => node,
        };
        let all = checked.entry(dataset).or_insert_with(|| self.all_checks(dataset));
        let own = || all.iter().filter(|(of, _)| *of == node).map(|(_, check)| check);
        if let Some(Check { at, passed, failed }) =
            own().filter(|check| check.at <= time).max_by_key(|check| check.at)
        {
            return Quality::Checked { at: *at, passed: *passed, failed: failed.clone() };
        }
        let others = all.iter().filter(|(_, check)| check.at <= time);
        match others.max_by_key(|(other, check)| (check.at, *other)) {
            Some((other, Check { at, passed, failed })) => {
                let version = self.graph.key(*other).version.into_owned();
                Quality::AnotherVersion { version, at: *at, passed: *passed, failed: failed.clone() }
            }
            None => Quality::Never { later: own().map(|check| check.at).min() },
        }
    }

    /// The checks of a dataset and of its versions, by the name that stands for the version.
    fn all_checks(&self, dataset: NodeId) -> Vec<(NodeId, Check)> {
        let versions =
            self.leaving(dataset, What::HasVersion).into_iter().map(|near| self.one_name(near.node));
        let mut nodes: Vec<NodeId> = versions.chain([dataset]).collect();
        nodes.sort_unstable();
        nodes.dedup();
        nodes
            .into_iter()
            .flat_map(|node| self.checks(node).into_iter().map(move |check| (node, check)))
            .collect()
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
