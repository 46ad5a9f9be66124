//! The graph as far as it had been said by a time.

use types::lineage::{AsOf, Kind, Role, What};

use crate::change::{Said, Standing};
use crate::graph::{Graph, Link, NodeId, Note};
use crate::openlineage::facet::{self, Facet};

/// See the module.
#[derive(Clone, Copy, Debug)]
pub struct View<'g> {
    pub(super) graph: &'g Graph,
    pub(super) as_of: AsOf,
}

/// A link as seen from one of its ends: of all who said it, the one that was known first.
#[derive(Clone, Copy, Debug)]
pub(super) struct Near<'g> {
    pub node: NodeId,
    pub what: What,
    pub role: Option<Role>,
    pub standing: Standing,
    pub said: Said<'g>,
}

impl<'g> View<'g> {
    pub fn new(graph: &'g Graph, as_of: AsOf) -> Self {
        Self { graph, as_of }
    }

    fn sees(&self, said: &Said<'_>) -> bool {
        said.true_from <= self.as_of.true_at && said.known_at <= self.as_of.known_at
    }

    /// What leads to a node in this way.
    pub(super) fn arriving(&self, node: NodeId, what: What) -> Vec<Near<'g>> {
        self.near(self.graph.arriving(node).filter(|link| link.what == what), |link| link.from)
    }

    /// What a node leads to in this way.
    pub(super) fn leaving(&self, node: NodeId, what: What) -> Vec<Near<'g>> {
        self.near(self.graph.leaving(node).filter(|link| link.what == what), |link| link.to)
    }

    /// One for each other end. Links come by their other end.
    fn near(
        &self,
        links: impl Iterator<Item = Link<'g>>,
        end: impl Fn(&Link<'g>) -> NodeId,
    ) -> Vec<Near<'g>> {
        let mut found: Vec<Near<'g>> = Vec::new();
        for link in links.filter(|link| self.sees(&link.said)) {
            let Link { what, role, standing, said, .. } = link;
            match found.last_mut() {
                Some(near) if near.node == end(&link) => {
                    near.role = near.role.or(role);
                    near.standing = near.standing.max(standing);
                    if (said.known_at, said.true_from) < (near.said.known_at, near.said.true_from) {
                        near.said = said;
                    }
                }
                _ => found.push(Near { node: end(&link), what, role, standing, said }),
            }
        }
        found
    }

    pub(super) fn notes(&self, node: NodeId, name: &'static str) -> impl Iterator<Item = Note<'g>> + use<'g> {
        let view = *self;
        self.graph.notes_of(node, name).filter(move |note| view.sees(&note.said))
    }

    /// The facet that was said last, as far as it can be read.
    pub(super) fn facet<F: Facet>(&self, node: NodeId) -> Option<F> {
        let last = self.notes(node, F::KEY).max_by_key(|note| (note.said.true_from, note.text))?;
        facet::read(last.text).ok().flatten()
    }

    /// Whether anybody had spoken of a node.
    pub(super) fn is_known(&self, node: NodeId) -> bool {
        let links = self.graph.arriving(node).chain(self.graph.leaving(node));
        links.into_iter().any(|link| self.sees(&link.said))
    }

    /// The digest that stands for a version of a dataset with several names, if there is one and only one.
    pub(super) fn one_name(&self, version: NodeId) -> NodeId {
        match self.leaving(version, What::SameAs).as_slice() {
            [digest] => digest.node,
            _ => version,
        }
    }

    /// All names of a dataset version or of a dataset: its own, and those that are said to be the same.
    pub(super) fn names(&self, node: NodeId) -> Vec<NodeId> {
        let mut names = vec![node];
        let mut next = 0;
        while let Some(&name) = names.get(next) {
            next += 1;
            // What a name of several contents is called beside does not hold for each of them.
            let is_vague =
                self.graph.kind(name) == Kind::DatasetVersion && self.leaving(name, What::SameAs).len() > 1;
            if is_vague {
                continue;
            }
            let same = self.arriving(name, What::SameAs).into_iter().chain(self.leaving(name, What::SameAs));
            for other in same {
                if !names.contains(&other.node) {
                    names.push(other.node);
                }
            }
        }
        names
    }
}
