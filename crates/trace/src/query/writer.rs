//! Who wrote what a run read: recorded where versions are named, and inferred from times where they are not.
//!
//! Most clients name no versions. What a run read of a dataset is then taken to be what had been written last before
//! the run started; and a version that nobody is recorded to have written, to be what was written last before anybody
//! spoke of it. Both are inferred, and say so.

use std::cmp::Reverse;

use jiff::Timestamp;
use types::lineage::{Kind, What};

use super::view::{Near, View};
use crate::change::STATE;
use crate::graph::NodeId;
use crate::openlineage::Transition;

/// What a dataset held at a time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Content {
    Version(NodeId),
    /// A version without a name, by what wrote it.
    Unnamed {
        writer: NodeId,
    },
}

impl<'g> View<'g> {
    /// When a run was first spoken of.
    pub(super) fn started(&self, run: NodeId) -> Option<Timestamp> {
        self.notes(run, STATE).map(|note| note.said.true_from).min()
    }

    /// When a run ended, and the ways in which it is said to have ended.
    pub(super) fn ended(&self, run: NodeId) -> Option<(Timestamp, Vec<&'g str>)> {
        let ends = [Transition::Complete, Transition::Abort, Transition::Fail].map(Transition::name);
        let found: Vec<_> = self.notes(run, STATE).filter(|note| ends.contains(&note.text)).collect();
        let at = found.iter().map(|note| note.said.true_from).max()?;
        let mut ways: Vec<&str> = found.iter().map(|note| note.text).collect();
        ways.dedup();
        Some((at, ways))
    }

    /// Who is recorded to have written a version, under any of its names.
    pub(super) fn writers(&self, version: NodeId) -> Vec<Near<'g>> {
        self.names(version).into_iter().flat_map(|name| self.arriving(name, What::Wrote)).collect()
    }

    /// Who wrote a dataset without naming the version, and when that was done.
    fn unnamed_writes(&self, dataset: NodeId) -> Vec<(Near<'g>, Timestamp)> {
        let names = self.names(dataset);
        let arriving = names.iter().flat_map(|&name| self.arriving(name, What::Wrote));
        let runs = arriving.filter(|near| self.graph.kind(near.node) != Kind::Job);
        let unnamed = runs.filter(|near| {
            let written = self.leaving(near.node, What::Wrote);
            !written.iter().any(|to| self.is_version_of(to.node, &names))
        });
        unnamed.map(|near| (near, self.written_at(&near))).collect()
    }

    pub(super) fn is_version_of(&self, node: NodeId, datasets: &[NodeId]) -> bool {
        self.graph.kind(node) == Kind::DatasetVersion
            && self.graph.dataset_of(node).is_some_and(|dataset| datasets.contains(&dataset))
    }

    /// When a write was done: when the run ended, or else when the write was spoken of.
    fn written_at(&self, write: &Near<'g>) -> Timestamp {
        let run = match self.graph.kind(write.node) {
            Kind::ServingContext => self.arriving(write.node, What::Answers).first().map(|near| near.node),
            _ => Some(write.node),
        };
        run.and_then(|run| self.ended(run)).map_or(write.said.true_from, |(at, _)| at)
    }

    /// When a version was first there: when it was written, or else first spoken of.
    fn version_at(&self, version: NodeId, except: Option<NodeId>) -> Option<Timestamp> {
        let writers = self.writers(version);
        if writers.is_empty() {
            return self.first_spoken_of(version);
        }
        let others = writers.iter().filter(|near| Some(near.node) != except);
        others.map(|near| self.written_at(near)).min()
    }

    fn first_spoken_of(&self, version: NodeId) -> Option<Timestamp> {
        let names = self.names(version).into_iter();
        let spoken_of = names.flat_map(|name| self.arriving(name, What::HasVersion));
        spoken_of.map(|near| near.said.true_from).min()
    }

    /// What a dataset held at a time, as far as it follows; what `except` wrote is left out.
    pub(super) fn content_at(
        &self,
        dataset: NodeId,
        time: Timestamp,
        except: Option<NodeId>,
    ) -> Option<Content> {
        let versions = self.names(dataset).into_iter().flat_map(|name| self.leaving(name, What::HasVersion));
        let versions = versions.filter_map(|near| {
            let version = self.one_name(near.node);
            Some((self.version_at(version, except)?, true, Reverse(version), Content::Version(version)))
        });
        let unnamed = self.unnamed_writes(dataset).into_iter();
        let unnamed = unnamed
            .filter(|(near, _)| Some(near.node) != except)
            .map(|(near, at)| (at, false, Reverse(near.node), Content::Unnamed { writer: near.node }));
        let last = versions.chain(unnamed).filter(|(at, ..)| *at <= time);
        last.max_by_key(|&(at, is_version, node, _)| (at, is_version, node)).map(|(.., content)| content)
    }

    /// Who must have written a version that nobody is recorded to have written.
    pub(super) fn likely_writer(&self, version: NodeId) -> Option<Near<'g>> {
        if !self.writers(version).is_empty() {
            return None;
        }
        let spoken_of = self.first_spoken_of(version)?;
        let writes = self.unnamed_writes(self.graph.dataset_of(version)?).into_iter();
        let before = writes.filter(|(_, at)| *at <= spoken_of);
        before.max_by_key(|(near, at)| (*at, Reverse(near.node))).map(|(near, _)| near)
    }

    /// The inputs of a run that are said without a version, and that are not said with one too.
    pub(super) fn unnamed_reads(&self, run: NodeId) -> Vec<Near<'g>> {
        let reads = self.arriving(run, What::Read);
        let is_named = |dataset: NodeId| {
            let names = self.names(dataset);
            reads.iter().any(|near| self.is_version_of(near.node, &names))
        };
        let datasets = reads.iter().filter(|near| self.graph.kind(near.node) == Kind::Dataset);
        datasets.filter(|near| !is_named(near.node)).copied().collect()
    }

    /// What a run read of a dataset that it names without a version.
    pub(super) fn content_read(&self, run: NodeId, read: &Near<'g>) -> Option<Content> {
        let time = self.started(run).unwrap_or(read.said.true_from);
        self.content_at(read.node, time, Some(run))
    }
}
