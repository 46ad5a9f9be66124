//! A trace in the language of Graphviz: `dot -Tsvg` draws it.

use types::lineage::{Direction, Hop, Kind, State, Trace};

use super::{clean, relation, state, titled};

/// The trace as a directed graph, from what was first to what came of it.
pub fn dot(trace: &Trace) -> String {
    let mut text =
        String::from("digraph trace {\n  rankdir=LR;\n  node [shape=box, fontname=\"sans-serif\"];\n");
    for (at, node) in trace.nodes.iter().enumerate() {
        let shape = match node.kind {
            Kind::Run | Kind::Job | Kind::JobVersion => ", style=rounded",
            Kind::ModelVersion | Kind::ServingContext => ", peripheries=2",
            _ => "",
        };
        text.push_str(&format!("  n{at} [label={}{shape}];\n", quoted(&titled(node))));
    }
    for (at, hop) in trace.hops.iter().enumerate() {
        let from = if let Some(from) = hop.from {
            format!("n{from}")
        } else {
            let label = quoted(&state(hop).unwrap_or_default());
            text.push_str(&format!("  g{at} [label={label}, shape=plaintext];\n"));
            format!("g{at}")
        };
        let label = quoted(&relation(trace, hop, Direction::Downstream));
        text.push_str(&format!("  {from} -> n{} [label={label}{}];\n", hop.to, style(hop)));
    }
    text.push_str("}\n");
    text
}

fn style(hop: &Hop) -> &'static str {
    match hop.state {
        State::Recorded => "",
        State::Inferred => ", style=dashed",
        State::DeclaredNone => ", style=dotted",
        State::Missing => ", style=dotted, color=red",
        State::Contradicted => ", style=bold, color=red",
    }
}

/// A text in quotes. A backslash would begin an escape of Graphviz's own.
fn quoted(text: &str) -> String {
    format!("\"{}\"", clean(text).replace('\\', "\\\\").replace('"', "\\\""))
}

#[cfg(test)]
mod tests {
    use super::quoted;

    #[test]
    fn nothing_in_a_name_ends_its_text() {
        assert_eq!(quoted("a\"]; x -> y [label=\"\\N\n"), "\"a\\\"]; x -> y [label=\\\"\\\\N\u{fffd}\"");
    }
}
