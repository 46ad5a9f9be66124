//! A graph from changes, in whatever order they come.

use std::collections::HashMap;

use jiff::Timestamp;
use types::lineage::{Role, What};

use super::symbols::Interner;
use super::{Graph, NodeRow, NoteRow, SaidRow};
use crate::change::{Change, Key, Standing};
use crate::openlineage::Event;
use crate::projection::project;

/// Changes as they come.
#[derive(Debug, Default)]
pub struct Builder {
    symbols: Interner,
    nodes: HashMap<NodeRow, u32>,
    saids: HashMap<SaidRow, u32>,
    links: Vec<NewLink>,
    notes: Vec<NewNote>,
}

/// In the order that links have in a graph.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct NewLink {
    from: u32,
    to: u32,
    what: What,
    role: Option<Role>,
    standing: Standing,
    said: u32,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct NewNote {
    about: u32,
    name: u32,
    text: u32,
    said: u32,
}

/// Who is taken to have said what nobody signed.
const NOBODY: &str = "a sender that does not say who it is";

impl Builder {
    /// Takes in an event that is known since `known_at`, and returns what of it was not understood.
    pub fn add(&mut self, event: &Event, known_at: Timestamp) -> Vec<String> {
        let projection = project(event);
        let said = self.said(event.producer.as_deref().unwrap_or(NOBODY), event.time, known_at);
        for change in &projection.changes {
            self.change(change, said);
        }
        projection.remarks
    }

    fn said(&mut self, by: &str, true_from: Timestamp, known_at: Timestamp) -> u32 {
        let by = self.symbols.number(by);
        let row = SaidRow { by, true_from: true_from.as_microsecond(), known_at: known_at.as_microsecond() };
        let next = small(self.saids.len());
        *self.saids.entry(row).or_insert(next)
    }

    fn change(&mut self, change: &Change<'_>, said: u32) {
        match change {
            Change::Node(key) => {
                self.node(key);
            }
            Change::Link { from, to, what, role, standing } => {
                let (from, to) = (self.node(from), self.node(to));
                self.links.push(NewLink { from, to, what: *what, role: *role, standing: *standing, said });
            }
            Change::Note { about, name, text } => {
                let about = self.node(about);
                let (name, text) = (self.symbols.number(name), self.symbols.number(text));
                self.notes.push(NewNote { about, name, text, said });
            }
        }
    }

    fn node(&mut self, key: &Key<'_>) -> u32 {
        let parts = [&key.namespace, &key.name, &key.version].map(|text| self.symbols.number(text));
        let next = small(self.nodes.len());
        *self.nodes.entry(NodeRow(key.kind, parts)).or_insert(next)
    }

    /// The graph of all that was taken in.
    pub fn build(self) -> Graph {
        let Self { symbols, nodes, saids, mut links, mut notes } = self;
        let (symbols, symbol) = symbols.sorted();
        let (nodes, node) =
            in_order(nodes, |NodeRow(kind, parts)| NodeRow(kind, parts.map(|part| symbol[part as usize])));
        let (saids, said) = in_order(saids, |row| SaidRow { by: symbol[row.by as usize], ..row });
        for link in &mut links {
            link.from = node[link.from as usize];
            link.to = node[link.to as usize];
            link.said = said[link.said as usize];
        }
        for note in &mut notes {
            note.about = node[note.about as usize];
            note.name = symbol[note.name as usize];
            note.text = symbol[note.text as usize];
            note.said = said[note.said as usize];
        }
        prune_links(&mut links, &saids);
        prune_notes(&mut notes, &saids);
        let saids = keep_used(saids, &mut links, &mut notes);
        let mut graph = Graph { symbols, nodes, saids, ..Graph::default() };
        graph.place_links(&links);
        graph.place_notes(&notes);
        graph
    }
}

impl Graph {
    /// `links` are in order.
    fn place_links(&mut self, links: &[NewLink]) {
        self.out_starts = starts(self.nodes.len(), links.iter().map(|link| link.from));
        self.out_to = links.iter().map(|link| link.to).collect();
        self.out_kind = links.iter().map(|link| (link.what, link.role, link.standing)).collect();
        self.out_said = links.iter().map(|link| link.said).collect();
        self.in_starts = starts(self.nodes.len(), links.iter().map(|link| link.to));
        let mut next = self.in_starts.clone();
        self.in_from = vec![0; links.len()];
        self.in_link = vec![0; links.len()];
        for (at, link) in links.iter().enumerate() {
            let place = &mut next[link.to as usize];
            self.in_from[*place as usize] = link.from;
            self.in_link[*place as usize] = at as u32;
            *place += 1;
        }
    }

    /// `notes` are in order.
    fn place_notes(&mut self, notes: &[NewNote]) {
        self.note_starts = starts(self.nodes.len(), notes.iter().map(|note| note.about));
        let row = |note: &NewNote| NoteRow { name: note.name, text: note.text, said: note.said };
        self.notes = notes.iter().map(row).collect();
    }
}

/// Where the rows of each node begin, and after the last node where they end.
fn starts(nodes: usize, of: impl Iterator<Item = u32>) -> Vec<u32> {
    let mut starts = vec![0_u32; nodes + 1];
    for node in of {
        starts[node as usize + 1] += 1;
    }
    for at in 1..starts.len() {
        starts[at] += starts[at - 1];
    }
    starts
}

/// The rows in order, and for each earlier number the number that it has now.
fn in_order<R: Ord + Copy>(rows: HashMap<R, u32>, row: impl Fn(R) -> R) -> (Vec<R>, Vec<u32>) {
    let mut rows: Vec<(R, u32)> = rows.into_iter().map(|(key, number)| (row(key), number)).collect();
    rows.sort_unstable();
    let mut now = vec![0; rows.len()];
    for (at, (_, before)) in rows.iter().enumerate() {
        now[*before as usize] = at as u32;
    }
    (rows.into_iter().map(|(row, _)| row).collect(), now)
}

/// Sorts, and leaves out what is needless: a link that the same said to be true no later and that was known no later.
fn prune_links(links: &mut Vec<NewLink>, saids: &[SaidRow]) {
    links.sort_unstable();
    links.dedup();
    let mut known_first = i64::MAX;
    let mut before: Option<(NewLink, u32)> = None;
    links.retain(|link| {
        let SaidRow { by, known_at, .. } = saids[link.said as usize];
        let group = (NewLink { said: 0, ..*link }, by);
        if before != Some(group) {
            before = Some(group);
            known_first = i64::MAX;
        }
        // In the order of true from: what comes later is of use only if it was known earlier.
        let is_news = known_at < known_first;
        known_first = known_first.min(known_at);
        is_news
    });
}

/// Sorts, and leaves out what was said before for the same time. (Said for another time, the same text is news: another
/// may have been true between the two.)
fn prune_notes(notes: &mut Vec<NewNote>, saids: &[SaidRow]) {
    notes.sort_unstable();
    notes.dedup_by_key(|note| {
        let SaidRow { by, true_from, .. } = saids[note.said as usize];
        (note.about, note.name, note.text, by, true_from)
    });
}

fn keep_used(saids: Vec<SaidRow>, links: &mut [NewLink], notes: &mut [NewNote]) -> Vec<SaidRow> {
    let mut used = vec![false; saids.len()];
    let numbers = links.iter().map(|link| link.said).chain(notes.iter().map(|note| note.said));
    numbers.for_each(|said| used[said as usize] = true);
    let mut now = vec![0; saids.len()];
    let mut kept = Vec::new();
    for (at, row) in saids.into_iter().enumerate().filter(|(at, _)| used[*at]) {
        now[at] = small(kept.len());
        kept.push(row);
    }
    for said in links.iter_mut().map(|link| &mut link.said).chain(notes.iter_mut().map(|note| &mut note.said))
    {
        *said = now[*said as usize];
    }
    kept
}

fn small(count: usize) -> u32 {
    u32::try_from(count).expect("four billion rows do not fit into memory")
}
