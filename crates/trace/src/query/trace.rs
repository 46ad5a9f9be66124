//! Everything up or down the stream of a node: each node once, and not more of them than were asked for.

use std::collections::{HashMap, VecDeque};

use types::lineage::{Direction, Kind, Trace, What};

use super::describe;
use super::hop::Hop;
use super::quality::Checked;
use super::view::View;
use crate::graph::NodeId;

/// Everything that `start` came of, as far as it is known.
pub fn upstream(view: &View<'_>, start: NodeId, nodes_max: usize) -> Trace {
    walk(view, start, Direction::Upstream, nodes_max)
}

/// Everything that came of `start`.
pub fn downstream(view: &View<'_>, start: NodeId, nodes_max: usize) -> Trace {
    walk(view, start, Direction::Downstream, nodes_max)
}

fn walk(view: &View<'_>, start: NodeId, direction: Direction, nodes_max: usize) -> Trace {
    let mut positions = HashMap::from([(start, 0)]);
    let mut order = vec![start];
    let mut waiting = VecDeque::from([start]);
    let mut hops: Vec<(Hop<'_>, Option<usize>, usize)> = Vec::new();
    let mut truncated = false;
    while let Some(node) = waiting.pop_front() {
        let found = match direction {
            Direction::Upstream => view.upstream(node),
            Direction::Downstream => view.downstream(node),
        };
        for hop in found {
            let other = if direction == Direction::Upstream { hop.from } else { Some(hop.to) };
            let other = match other.map(|other| (other, positions.get(&other).copied())) {
                None => None,
                Some((_, Some(position))) => Some(position),
                Some((_, None)) if order.len() >= nodes_max => {
                    truncated = true;
                    continue;
                }
                Some((other, None)) => {
                    positions.insert(other, order.len());
                    order.push(other);
                    if !is_end(view, &hop, direction) {
                        waiting.push_back(other);
                    }
                    Some(order.len() - 1)
                }
            };
            let this = positions[&node];
            match direction {
                Direction::Upstream => hops.push((hop, other, this)),
                Direction::Downstream => {
                    let to = other.expect("nothing downstream is no hop");
                    hops.push((hop, Some(this), to));
                }
            }
        }
    }
    let mut checked = Checked::new();
    Trace {
        direction,
        as_of: view.as_of,
        nodes: order.iter().map(|&node| describe::node(view, node)).collect(),
        hops: hops
            .iter()
            .map(|(hop, from, to)| describe::hop(view, hop, (*from, *to), &mut checked))
            .collect(),
        truncated,
    }
}

/// A dataset that a run wrote is as far as that run reaches: whoever read it may have read what others wrote.
fn is_end(view: &View<'_>, hop: &Hop<'_>, direction: Direction) -> bool {
    direction == Direction::Downstream
        && hop.what == What::Wrote
        && view.graph.kind(hop.to) == Kind::Dataset
        && hop.from.is_some_and(|from| view.graph.kind(from) != Kind::Job)
}
