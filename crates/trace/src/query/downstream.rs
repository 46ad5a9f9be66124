//! The hops that leave one node: what came directly of it. The mirror of what is upstream, gaps excepted.

use types::lineage::{Kind, State, What};

use super::hop::{Hop, LAST_WRITTEN, LIKELY_WRITER};
use super::view::{Near, View};
use super::writer::Content;
use crate::graph::NodeId;

impl<'g> View<'g> {
    /// What came directly of a node.
    pub fn downstream(&self, node: NodeId) -> Vec<Hop<'g>> {
        match self.graph.kind(node) {
            Kind::Run | Kind::ServingContext => self.below_writer(node),
            Kind::DatasetVersion => self.below_version(node),
            Kind::Dataset => {
                let versions = self.leaving(node, What::HasVersion).into_iter();
                let versions = versions.map(|near| Hop::between(node, self.one_name(near.node), &near));
                versions.chain(self.onward(node, &[What::Read])).collect()
            }
            Kind::Job => self.onward(node, &[What::Ran, What::Wrote]),
            Kind::Source => self.onward(node, &[What::Supplies]),
            Kind::Column => self.onward(node, &[What::Derived]),
            Kind::JobVersion => self.onward(node, &[What::Executed]),
            Kind::ModelVersion => self.onward(node, &[What::Serves]),
            Kind::Pipeline => self.onward(node, &[What::Applied]),
        }
    }

    fn onward(&self, node: NodeId, whats: &[What]) -> Vec<Hop<'g>> {
        let near = whats.iter().flat_map(|&what| self.leaving(node, what));
        near.map(|near| Hop::between(node, near.node, &near)).collect()
    }

    fn below_writer(&self, node: NodeId) -> Vec<Hop<'g>> {
        let mut hops = self.onward(node, &[What::Trained, What::Answers]);
        for near in self.leaving(node, What::Wrote) {
            if self.graph.kind(near.node) == Kind::DatasetVersion {
                let version = self.one_name(near.node);
                if hops.iter().all(|hop| hop.to != version) {
                    hops.push(Hop::between(node, version, &near));
                }
            } else {
                hops.extend(self.below_unnamed_write(node, &near));
            }
        }
        hops
    }

    /// What came of a write to a dataset without a version: the dataset, and whoever must have read just that.
    fn below_unnamed_write(&self, writer: NodeId, write: &Near<'g>) -> Vec<Hop<'g>> {
        let mut hops = vec![Hop::between(writer, write.node, write)];
        for (reader, near) in self.unnamed_readers(write.node) {
            if self.content_read(reader, &near) == Some(Content::Unnamed { writer }) {
                hops.push(self.through(writer, reader, &near));
            }
        }
        for version in self.versions(write.node) {
            if let Some(near) = self.likely_writer(version).filter(|near| near.node == writer) {
                hops.push(Hop::between(writer, version, &near).because(State::Inferred, LIKELY_WRITER));
            }
        }
        hops
    }

    fn below_version(&self, version: NodeId) -> Vec<Hop<'g>> {
        let mut hops: Vec<Hop<'g>> = Vec::new();
        for name in self.names(version) {
            // Who read a name of several contents may have read another.
            if name != version && self.one_name(name) != version {
                continue;
            }
            for near in self.leaving(name, What::Read) {
                if hops.iter().all(|hop| hop.to != near.node) {
                    hops.push(Hop::between(version, near.node, &near));
                }
            }
        }
        let readers = self.graph.dataset_of(version).map(|dataset| self.unnamed_readers(dataset));
        for (reader, near) in readers.unwrap_or_default() {
            if self.content_read(reader, &near) == Some(Content::Version(version)) {
                hops.push(Hop::between(version, reader, &near).because(State::Inferred, LAST_WRITTEN));
            }
        }
        hops
    }

    /// The runs that read a dataset without naming a version.
    fn unnamed_readers(&self, dataset: NodeId) -> Vec<(NodeId, Near<'g>)> {
        let names = self.names(dataset);
        let readers = names.iter().flat_map(|&name| self.leaving(name, What::Read));
        let runs = readers.filter(|near| self.graph.kind(near.node) == Kind::Run);
        let unnamed = runs.flat_map(|near| {
            let reads = self.unnamed_reads(near.node).into_iter();
            reads.filter(|read| names.contains(&read.node)).map(move |read| (near.node, read))
        });
        let mut unnamed: Vec<_> = unnamed.collect();
        unnamed.sort_by_key(|(reader, read)| (*reader, read.node));
        unnamed.dedup_by_key(|(reader, read)| (*reader, read.node));
        unnamed
    }

    /// The versions of a dataset, each once.
    fn versions(&self, dataset: NodeId) -> Vec<NodeId> {
        let names = self.names(dataset).into_iter();
        let versions = names.flat_map(|name| self.leaving(name, What::HasVersion));
        let mut versions: Vec<NodeId> = versions.map(|near| self.one_name(near.node)).collect();
        versions.sort_unstable();
        versions.dedup();
        versions
    }
}
