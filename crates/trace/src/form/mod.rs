//! Traces as text, as Graphviz DOT and as Mermaid. (As JSON, a trace is what serde makes of it.)
//!
//! Names come from events, so from anybody: each form escapes whatever would be more than a text in it.

mod dot;
mod mermaid;
mod tree;

use types::lineage::{Direction, Hop, Kind, Node, Quality, State, Trace, What};

pub use dot::dot;
pub use mermaid::mermaid;
pub use tree::tree;

/// What a hop is, in words that stand between its two ends, read along `direction`.
fn relation(trace: &Trace, hop: &Hop, direction: Direction) -> String {
    let upstream = direction == Direction::Upstream;
    let words = |up: &'static str, down: &'static str| if upstream { up } else { down };
    let is_from_writer =
        hop.from.is_some_and(|from| matches!(trace.nodes[from].kind, Kind::Run | Kind::ServingContext));
    let found = match hop.what {
        What::Supplies => words("from", "supplies"),
        What::HasVersion => words("holds", "version"),
        What::SameAs => "same as",
        What::Read if is_from_writer => words("read what was written by", "wrote what was read by"),
        What::Read => {
            let role = hop.role.map(|role| format!(" for {}", role.words())).unwrap_or_default();
            return format!("read{role}{}", words("", " by"));
        }
        What::Wrote => words("written by", "wrote"),
        What::Ran => words("run of", "ran as"),
        What::Executed => words("ran", "ran in"),
        What::Started => words("started by", "started"),
        What::Applied => words("applied", "applied by"),
        What::Trained => words("trained by", "trained"),
        What::Serves => words("answers with", "answers in"),
        What::Answers => words("is", "answers as"),
        What::Derived => words("made from", "makes"),
    };
    found.into()
}

/// The state of a hop that is not simply recorded, with the reason.
fn state(hop: &Hop) -> Option<String> {
    let words = hop.state.words();
    match (&hop.reason, hop.state) {
        (None, State::Recorded) => None,
        (None, _) => Some(words.into()),
        (Some(reason), _) => Some(format!("{words}: {reason}")),
    }
}

/// The kind of a node and its name.
fn titled(node: &Node) -> String {
    clean(&format!("{} {}", node.kind.words(), node.title()))
}

fn quality(quality: &Quality) -> String {
    let result = |passed: u64, failed: &[String]| match failed {
        [] => format!("{passed} passed"),
        failed => format!("{passed} passed, {} failed ({})", failed.len(), failed.join(", ")),
    };
    match quality {
        Quality::Checked { at, passed, failed } => format!("checked {at}: {}", result(*passed, failed)),
        Quality::AnotherVersion { version, at, passed, failed } => {
            let which = if version.is_empty() {
                "the dataset, no version named,".into()
            } else {
                format!("another version ({version})")
            };
            format!("not checked; {which} was {at}: {}", result(*passed, failed))
        }
        Quality::Never { later: None } => "never checked".into(),
        Quality::Never { later: Some(at) } => format!("not checked by then; first checked {at}"),
    }
}

/// Without line breaks and whatever else a terminal would obey.
fn clean(text: &str) -> String {
    text.chars().map(|c| if c.is_control() || is_bidi_control(c) { '\u{fffd}' } else { c }).collect()
}

/// Characters that turn the direction of the text around them.
fn is_bidi_control(c: char) -> bool {
    matches!(c, '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
}
