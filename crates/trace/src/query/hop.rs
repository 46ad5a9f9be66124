//! The hops that lead to one node: what is directly upstream of it, with every gap as a hop of its own.

use types::lineage::{Kind, Role, State, What};

use super::view::{Near, View};
use super::writer::Content;
use crate::change::{Said, Standing};
use crate::graph::NodeId;
use crate::openlineage::Origin;

/// A hop between nodes of the graph.
#[derive(Clone, Debug)]
pub struct Hop<'g> {
    /// None where nothing is upstream, or nobody said what.
    pub from: Option<NodeId>,
    pub to: NodeId,
    pub what: What,
    pub role: Option<Role>,
    pub state: State,
    /// Why it is not simply recorded.
    pub reason: Option<String>,
    pub said: Option<Said<'g>>,
    /// The dataset that lies between two runs, where no version of it is named.
    pub through: Option<NodeId>,
}

impl<'g> Hop<'g> {
    pub(super) fn up(near: &Near<'g>, to: NodeId) -> Self {
        Self::between(near.node, to, near)
    }

    pub(super) fn between(from: NodeId, to: NodeId, near: &Near<'g>) -> Self {
        let Near { what, role, standing, said, .. } = *near;
        let (state, reason) = match standing {
            Standing::Recorded => (State::Recorded, None),
            Standing::Contradicted => {
                (State::Contradicted, Some("the fingerprint that was sent is not that of the steps".into()))
            }
        };
        Self { from: Some(from), to, what, role, state, reason, said: Some(said), through: None }
    }

    pub(super) fn because(self, state: State, reason: impl Into<String>) -> Self {
        Self { state, reason: Some(reason.into()), ..self }
    }

    pub(super) fn missing(to: NodeId, what: What, reason: &str) -> Self {
        let reason = Some(reason.into());
        Self { from: None, to, what, role: None, state: State::Missing, reason, said: None, through: None }
    }
}

pub(super) const LAST_WRITTEN: &str = "no version is named: it was written last before the run started";
pub(super) const LIKELY_WRITER: &str =
    "no run is recorded to have written this version: the run wrote the dataset last before it was there";

impl<'g> View<'g> {
    /// What is directly upstream of a node.
    pub fn upstream(&self, node: NodeId) -> Vec<Hop<'g>> {
        match self.graph.kind(node) {
            Kind::Run => self.above_run(node),
            Kind::DatasetVersion => self.above_version(node),
            Kind::Dataset => self.above_dataset(node),
            Kind::ModelVersion => self.above_model(node),
            Kind::ServingContext => {
                let answers = self.plain(node, What::Answers);
                self.above_context(node).into_iter().chain(answers).collect()
            }
            Kind::Job => self.plain(node, What::Read),
            Kind::Column => self.plain(node, What::Derived),
            Kind::Source | Kind::JobVersion | Kind::Pipeline => Vec::new(),
        }
    }

    fn plain(&self, node: NodeId, what: What) -> Vec<Hop<'g>> {
        self.arriving(node, what).iter().map(|near| Hop::up(near, node)).collect()
    }

    fn above_run(&self, run: NodeId) -> Vec<Hop<'g>> {
        let mut hops = self.plain(run, What::Ran);
        let code = self.plain(run, What::Executed);
        if code.is_empty() {
            let reason = "no event says which version of the code ran";
            hops.push(Hop::missing(run, What::Executed, reason));
        }
        hops.extend(code);
        let pipelines = self.plain(run, What::Applied);
        let answers = !self.leaving(run, What::Answers).is_empty();
        if answers && pipelines.is_empty() {
            hops.push(Hop::missing(
                run,
                What::Applied,
                "no event says how inputs are prepared for the model",
            ));
        }
        hops.extend(pipelines);
        let reads = self.reads(run);
        // What answers may well look nothing up: its model is upstream of its context.
        if reads.is_empty() && !answers {
            hops.push(Hop::missing(run, What::Read, "no event says what the run read"));
        }
        hops.extend(reads);
        hops
    }

    fn reads(&self, run: NodeId) -> Vec<Hop<'g>> {
        let mut hops: Vec<Hop<'g>> = Vec::new();
        for near in self.arriving(run, What::Read) {
            if self.graph.kind(near.node) == Kind::DatasetVersion {
                let version = self.one_name(near.node);
                // One version that was read under two names was read once.
                match hops.iter_mut().find(|hop| hop.from == Some(version)) {
                    Some(hop) => hop.role = hop.role.or(near.role),
                    None => hops.push(self.with_clash(Hop::between(version, run, &near), near.node)),
                }
            }
        }
        for near in self.unnamed_reads(run) {
            hops.push(match self.content_read(run, &near) {
                Some(Content::Version(version)) => {
                    Hop::between(version, run, &near).because(State::Inferred, LAST_WRITTEN)
                }
                Some(Content::Unnamed { writer }) => self.through(writer, run, &near),
                None => Hop::up(&near, run),
            });
        }
        hops
    }

    /// From the run that wrote a dataset to the run that must have read just that.
    pub(super) fn through(&self, writer: NodeId, reader: NodeId, read: &Near<'g>) -> Hop<'g> {
        let dataset = self.graph.key(read.node);
        let reason = format!("through {}/{}; {LAST_WRITTEN}", dataset.namespace, dataset.name);
        let hop = Hop::between(writer, reader, read).because(State::Inferred, reason);
        Hop { through: Some(read.node), ..hop }
    }

    /// A hop over a name that stands for more than one content is contradicted.
    fn with_clash(&self, hop: Hop<'g>, name: NodeId) -> Hop<'g> {
        let contents = self.leaving(name, What::SameAs).len();
        if contents < 2 {
            return hop;
        }
        let version = self.graph.key(name).version;
        hop.because(State::Contradicted, format!("`{version}` is said to name {contents} different contents"))
    }

    fn above_version(&self, version: NodeId) -> Vec<Hop<'g>> {
        let mut hops: Vec<Hop<'g>> = Vec::new();
        for name in self.names(version) {
            for near in self.arriving(name, What::Wrote) {
                if hops.iter().all(|hop| hop.from != Some(near.node)) {
                    hops.push(self.with_clash(Hop::up(&near, version), name));
                }
            }
        }
        if hops.is_empty()
            && let Some(near) = self.likely_writer(version)
        {
            hops.push(Hop::up(&near, version).because(State::Inferred, LIKELY_WRITER));
        }
        if hops.is_empty() {
            let dataset = self.graph.dataset_of(version);
            return dataset.map(|dataset| self.beginning(dataset, version)).unwrap_or_default();
        }
        hops
    }

    /// A dataset stands for what it holds at the time of the view.
    fn above_dataset(&self, dataset: NodeId) -> Vec<Hop<'g>> {
        let reason = "it is what the dataset held last";
        match self.content_at(dataset, self.as_of.true_at, None) {
            Some(Content::Version(version)) => {
                let names = self.names(version).into_iter();
                let held = names.flat_map(|name| self.arriving(name, What::HasVersion));
                let near = held.min_by_key(|near| near.said.known_at);
                let hop = near.map(|near| Hop::between(version, dataset, &near));
                hop.map(|hop| hop.because(State::Inferred, reason)).into_iter().collect()
            }
            Some(Content::Unnamed { writer }) => {
                let near = self.leaving(writer, What::Wrote).into_iter();
                let near = near.filter(|near| self.names(dataset).contains(&near.node)).take(1);
                near.map(|near| Hop::between(writer, dataset, &near).because(State::Inferred, reason))
                    .collect()
            }
            None => {
                let jobs = self.plain(dataset, What::Wrote);
                if jobs.is_empty() { self.beginning(dataset, dataset) } else { jobs }
            }
        }
    }

    /// Where nothing that anybody recorded is upstream of `node`, which is the dataset or a version of it.
    fn beginning(&self, dataset: NodeId, node: NodeId) -> Vec<Hop<'g>> {
        let names = self.names(dataset);
        let origin = names.iter().find_map(|&name| self.facet::<Origin>(name));
        let sources: Vec<_> = names.iter().flat_map(|&name| self.arriving(name, What::Supplies)).collect();
        let mut hops: Vec<Hop<'g>> = sources.iter().map(|near| Hop::up(near, node)).collect();
        match origin {
            Some(origin) => {
                let reason = format!("nothing is upstream of it, says {}", origin.declared_by);
                let end = Hop {
                    reason: Some(reason),
                    state: State::DeclaredNone,
                    ..Hop::missing(node, What::Wrote, "")
                };
                hops.push(end);
            }
            None => hops.push(Hop::missing(node, What::Wrote, "no event says what wrote it")),
        }
        hops
    }
}
