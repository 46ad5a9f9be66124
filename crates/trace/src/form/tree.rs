//! A trace as a tree of lines: what was asked about, and below each node what leads to it (or comes of it).
//!
//! A node with more than one way to it has what is beyond it written once; the next time it says that it is above.

use types::lineage::{Direction, Hop, State, Trace};

use super::{clean, quality, relation, state, titled};

/// Deeper than this a tree cannot be read, and its lines are mostly indentation.
const DEPTH_MAX: usize = 60;

struct Writer<'t> {
    trace: &'t Trace,
    /// The hops of each node, by their positions.
    hops: Vec<Vec<&'t Hop>>,
    written: Vec<bool>,
    is_cut: bool,
    text: String,
}

/// The trace in lines.
pub fn tree(trace: &Trace) -> String {
    let mut hops = vec![Vec::new(); trace.nodes.len()];
    for hop in &trace.hops {
        match (trace.direction, hop.from) {
            (Direction::Upstream, _) => hops[hop.to].push(hop),
            (Direction::Downstream, Some(from)) => hops[from].push(hop),
            (Direction::Downstream, None) => {}
        }
    }
    let written = vec![false; trace.nodes.len()];
    let mut writer = Writer { trace, hops, written, is_cut: false, text: String::new() };
    if let Some(start) = trace.nodes.first() {
        writer.text.push_str(&format!("{}\n", titled(start)));
        writer.below(0, "", 0);
    }
    if writer.is_cut {
        writer.text.push_str("Lines that are indented deeper are left out; JSON has all.\n");
    }
    if trace.truncated {
        writer.text.push_str("There is more: as many nodes are shown as were asked for.\n");
    }
    writer.text
}

impl Writer<'_> {
    fn below(&mut self, at: usize, indent: &str, depth: usize) {
        self.written[at] = true;
        let hops = std::mem::take(&mut self.hops[at]);
        let leads_on = !hops.is_empty();
        for fact in &self.trace.nodes[at].facts {
            let bar = if leads_on { "│ " } else { "  " };
            self.text.push_str(&format!("{indent}{bar}  {}: {}\n", fact.name, clean(&fact.value)));
        }
        if depth == DEPTH_MAX {
            self.is_cut |= leads_on;
            return;
        }
        let last = hops.len().wrapping_sub(1);
        for (position, hop) in hops.into_iter().enumerate() {
            let (branch, bar) = if position == last { ("└─ ", "   ") } else { ("├─ ", "│  ") };
            self.hop(hop, &format!("{indent}{branch}"), &format!("{indent}{bar}"), depth);
        }
    }

    fn hop(&mut self, hop: &Hop, branch: &str, indent: &str, depth: usize) {
        let other = if self.trace.direction == Direction::Upstream { hop.from } else { Some(hop.to) };
        let words = relation(self.trace, hop, self.trace.direction);
        let marks = state(hop).map(|state| format!(" [{}]", clean(&state))).unwrap_or_default();
        let Some(other) = other else {
            let what = if hop.state == State::DeclaredNone { "nothing" } else { "not known" };
            self.text.push_str(&format!("{branch}{words}: {what}{marks}\n"));
            return;
        };
        let node = &self.trace.nodes[other];
        let is_above = self.written[other];
        let above = if is_above { " (above)" } else { "" };
        self.text.push_str(&format!("{branch}{words} {}{above}{marks}\n", titled(node)));
        if let Some(quality) = hop.quality.as_ref().map(quality) {
            let has_more = !is_above && !self.hops[other].is_empty();
            let bar = if has_more { "│ " } else { "  " };
            self.text.push_str(&format!("{indent}{bar}  quality: {}\n", clean(&quality)));
        }
        if !is_above {
            self.below(other, indent, depth + 1);
        }
    }
}
