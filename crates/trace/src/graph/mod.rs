//! The graph of everything that events said, in memory and immutable.
//!
//! Nodes, links and texts are whole numbers in sorted vectors: links by the node that they leave, and an index of
//! those that arrive at a node. A link is held once for each who said it, with the time from when it is true and the
//! time since when it is known here; of two that the same said, one that is both true and known no later makes the
//! other needless.
//! Everything is in the order of what nodes are known by, so one set of changes has one graph, bit for bit.

mod builder;
mod symbols;

use std::ops::Range;

use jiff::Timestamp;
use types::lineage::{Kind, Role, What};

pub use builder::Builder;
use symbols::Symbols;

use crate::change::{Key, Said, Standing};

/// A node of one graph.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct NodeId(u32);

/// A link of one graph, as somebody said it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Link<'g> {
    pub from: NodeId,
    pub to: NodeId,
    pub what: What,
    pub role: Option<Role>,
    pub standing: Standing,
    pub said: Said<'g>,
}

/// A text about a node.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Note<'g> {
    pub text: &'g str,
    pub said: Said<'g>,
}

/// See the module.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Graph {
    symbols: Symbols,
    nodes: Vec<NodeRow>,
    saids: Vec<SaidRow>,
    /// Where the links that leave a node begin, and after the last node where they end.
    out_starts: Vec<u32>,
    out_to: Vec<u32>,
    out_kind: Vec<(What, Option<Role>, Standing)>,
    out_said: Vec<u32>,
    in_starts: Vec<u32>,
    in_from: Vec<u32>,
    /// The position of the link among those that leave.
    in_link: Vec<u32>,
    note_starts: Vec<u32>,
    notes: Vec<NoteRow>,
}

/// Kind, namespace, name, version.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
struct NodeRow(Kind, [u32; 3]);

/// By whom, and microseconds of true from and known at.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
struct SaidRow {
    by: u32,
    true_from: i64,
    known_at: i64,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct NoteRow {
    name: u32,
    text: u32,
    said: u32,
}

impl Graph {
    pub fn nodes(&self) -> usize {
        self.nodes.len()
    }

    pub fn links(&self) -> usize {
        self.out_to.len()
    }

    /// Bytes that the graph holds, beside itself.
    pub fn bytes(&self) -> usize {
        fn of<T>(vector: &Vec<T>) -> usize {
            vector.capacity() * size_of::<T>()
        }
        let numbers =
            [&self.out_starts, &self.out_to, &self.out_said, &self.in_starts, &self.in_from, &self.in_link];
        self.symbols.bytes()
            + numbers.into_iter().map(of).sum::<usize>()
            + of(&self.nodes)
            + of(&self.saids)
            + of(&self.out_kind)
            + of(&self.note_starts)
            + of(&self.notes)
    }

    pub fn key(&self, node: NodeId) -> Key<'_> {
        let NodeRow(kind, [namespace, name, version]) = self.nodes[node.0 as usize];
        let text = |number| self.symbols.text(number).into();
        Key { kind, namespace: text(namespace), name: text(name), version: text(version) }
    }

    pub fn kind(&self, node: NodeId) -> Kind {
        self.nodes[node.0 as usize].0
    }

    pub fn find(&self, key: &Key<'_>) -> Option<NodeId> {
        let number = |text: &str| self.symbols.find(text);
        let parts = [number(&key.namespace)?, number(&key.name)?, number(&key.version)?];
        self.nodes.binary_search(&NodeRow(key.kind, parts)).ok().map(|at| NodeId(at as u32))
    }

    /// The nodes of a kind, in the order of what they are known by.
    pub fn of_kind(&self, kind: Kind) -> impl Iterator<Item = NodeId> + use<> {
        let start = self.nodes.partition_point(|row| row.0 < kind);
        let end = self.nodes.partition_point(|row| row.0 <= kind);
        (start as u32..end as u32).map(NodeId)
    }

    /// The links that leave a node, by the node that they lead to.
    pub fn leaving(&self, node: NodeId) -> impl Iterator<Item = Link<'_>> {
        range(&self.out_starts, node).map(move |at| self.link(node.0, at))
    }

    /// The links that arrive at a node, by the node that they come from.
    pub fn arriving(&self, node: NodeId) -> impl Iterator<Item = Link<'_>> {
        range(&self.in_starts, node).map(|at| self.link(self.in_from[at], self.in_link[at] as usize))
    }

    /// What was noted of a node under a name.
    pub fn notes_of<'g>(&'g self, node: NodeId, name: &'g str) -> impl Iterator<Item = Note<'g>> + use<'g> {
        // A node has few notes: their names are compared sooner than the name is looked up among all texts.
        let rows = &self.notes[range(&self.note_starts, node)];
        rows.iter().filter(move |row| self.symbols.text(row.name) == name).map(|row| self.note(row))
    }

    /// The dataset that a version is of.
    pub fn dataset_of(&self, version: NodeId) -> Option<NodeId> {
        self.arriving(version).find(|link| link.what == What::HasVersion).map(|link| link.from)
    }

    fn note(&self, row: &NoteRow) -> Note<'_> {
        Note { text: self.symbols.text(row.text), said: self.said(row.said) }
    }

    fn link(&self, from: u32, at: usize) -> Link<'_> {
        let (what, role, standing) = self.out_kind[at];
        let said = self.said(self.out_said[at]);
        Link { from: NodeId(from), to: NodeId(self.out_to[at]), what, role, standing, said }
    }

    fn said(&self, number: u32) -> Said<'_> {
        let SaidRow { by, true_from, known_at } = self.saids[number as usize];
        let time = |at| Timestamp::from_microsecond(at).expect("it was made from an instant");
        Said { by: self.symbols.text(by), true_from: time(true_from), known_at: time(known_at) }
    }
}

impl NodeId {
    /// Its position among all nodes.
    pub fn index(self) -> usize {
        self.0 as usize
    }
}

fn range(starts: &[u32], node: NodeId) -> Range<usize> {
    starts[node.0 as usize] as usize..starts[node.0 as usize + 1] as usize
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::openlineage::{self, Event};
    use crate::random_events::{at, event};

    fn read(text: &str) -> Event {
        openlineage::read(text.as_bytes(), at(600)).unwrap()
    }

    fn graph<'e>(events: impl IntoIterator<Item = (&'e Event, u32)>) -> Graph {
        let mut builder = Builder::default();
        for (event, known) in events {
            builder.add(event, at(known));
        }
        builder.build()
    }

    proptest! {
        #[test]
        fn events_in_any_order_and_any_number_of_times_give_the_same_graph(
            texts in prop::collection::vec(event(), 1..12),
            order in prop::collection::vec((any::<prop::sample::Index>(), 0..5_u32), 0..40),
        ) {
            let events: Vec<Event> = texts.iter().map(|text| read(text)).collect();
            let known = |at: usize| 60 + at as u32;
            let once = graph(events.iter().enumerate().map(|(at, event)| (event, known(at))));
            // Repetitions are known later than the first time that the event came, and come in between and before.
            let repeated = order.iter().map(|(at, late)| {
                let at = at.index(events.len());
                (&events[at], known(at) + late)
            });
            let all = repeated.chain(events.iter().enumerate().rev().map(|(at, event)| (event, known(at))));
            prop_assert_eq!(graph(all), once);
        }

        #[test]
        fn links_arrive_where_they_left_for(texts in prop::collection::vec(event(), 1..12)) {
            let events: Vec<Event> = texts.iter().map(|text| read(text)).collect();
            let graph = graph(events.iter().map(|event| (event, 60)));
            let nodes = || (0..graph.nodes() as u32).map(NodeId);
            let mut left: Vec<String> =
                nodes().flat_map(|node| graph.leaving(node)).map(|link| format!("{link:?}")).collect();
            let mut arrived: Vec<String> =
                nodes().flat_map(|node| graph.arriving(node)).map(|link| format!("{link:?}")).collect();
            left.sort();
            arrived.sort();
            prop_assert_eq!(left.len(), graph.links());
            prop_assert_eq!(left, arrived);
            for node in nodes() {
                prop_assert_eq!(graph.find(&graph.key(node)), Some(node));
            }
        }
    }

    #[test]
    fn what_was_known_early_and_what_was_true_early_are_both_kept() {
        let text = |time: &str| {
            let job = r#""job":{"namespace":"n","name":"j"}"#;
            format!(r#"{{"eventTime":"{time}","producer":"p","run":{{"runId":"r"}},{job}}}"#)
        };
        let (late, early) = (read(&text("2013-05-01T00:10:00Z")), read(&text("2013-05-01T00:05:00Z")));
        let graph = graph([(&late, 11), (&early, 20), (&late, 30)]);
        let run = graph.find(&Key::run("r")).unwrap();
        let said: Vec<_> =
            graph.arriving(run).map(|link| (link.said.true_from, link.said.known_at)).collect();
        assert_eq!(said, [(at(5), at(20)), (at(10), at(11))]);
    }
}
