//! A trace as a Mermaid flow chart, for a page that is written in Markdown.

use types::lineage::{Direction, Kind, State, Trace};

use super::{clean, relation, state, titled};

/// The trace as a flow chart, from what was first to what came of it.
pub fn mermaid(trace: &Trace) -> String {
    let mut text = String::from("flowchart LR\n");
    for (at, node) in trace.nodes.iter().enumerate() {
        let label = quoted(&titled(node));
        let shaped = match node.kind {
            Kind::Run | Kind::Job | Kind::JobVersion => format!("({label})"),
            Kind::ModelVersion | Kind::ServingContext => format!("[[{label}]]"),
            _ => format!("[{label}]"),
        };
        text.push_str(&format!("  n{at}{shaped}\n"));
    }
    for (at, hop) in trace.hops.iter().enumerate() {
        let from = if let Some(from) = hop.from {
            format!("n{from}")
        } else {
            text.push_str(&format!("  g{at}{{{{{}}}}}\n", quoted(&state(hop).unwrap_or_default())));
            format!("g{at}")
        };
        let arrow = match hop.state {
            State::Recorded => "-->",
            State::Contradicted => "==>",
            State::Inferred | State::DeclaredNone | State::Missing => "-.->",
        };
        let label = quoted(&relation(trace, hop, Direction::Downstream));
        text.push_str(&format!("  {from} {arrow}|{label}| n{}\n", hop.to));
    }
    text
}

/// A text in quotes, with what Mermaid or HTML would read as more than a text written as an entity.
fn quoted(text: &str) -> String {
    let mut quoted = String::from("\"");
    for c in clean(text).chars() {
        match c {
            '"' | '#' | '&' | '<' | '>' | '`' | '\\' | '|' => quoted.push_str(&format!("#{};", u32::from(c))),
            c => quoted.push(c),
        }
    }
    quoted.push('"');
    quoted
}

#[cfg(test)]
mod tests {
    use super::quoted;

    #[test]
    fn nothing_in_a_name_is_more_than_a_text() {
        assert_eq!(quoted("a\"]<b>&#35;|`"), "\"a#34;]#60;b#62;#38;#35;35;#124;#96;\"");
        assert_eq!(quoted("s3://b:9000/é"), "\"s3://b:9000/é\"");
    }
}
