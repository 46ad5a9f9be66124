//! Lineage as lines: what came of taking events in, what differs, what is not known.

use app::lineage::{Change, Coverage, Gap, Imported};
use types::format::{count, counted};
use types::lineage::{Kind, What, short};

pub(crate) fn imported(imported: &Imported, told_max: usize) -> String {
    let Imported { new, known, refused, remarks } = imported;
    let mut text = format!("{} taken in", counted(*new, "event", "events"));
    if *known > 0 {
        text.push_str(&format!(", {} known already", count(*known)));
    }
    if !refused.is_empty() {
        text.push_str(&format!(", {} refused", counted(refused.len() as u64, "line", "lines")));
    }
    text.push_str(".\n");
    if remarks.len().max(refused.len()) > told_max {
        text.push_str(&format!("Of each kind of message, the first {told_max} are shown.\n"));
    }
    text
}

pub(crate) fn changes(changes: &[Change]) -> String {
    if changes.is_empty() {
        return "Nothing differs in what is recorded.\n".into();
    }
    changes.iter().map(change).collect()
}

fn change(change: &Change) -> String {
    match change {
        Change::Version { kind, name, before, after } => {
            format!("{} {name}: {} → {}\n", noun(*kind), versions(before), versions(after))
        }
        Change::Pipeline { job, before, after, differences } => {
            let mut text = format!("pipeline of {job}: {} → {}\n", versions(before), versions(after));
            text.extend(differences.iter().map(|difference| format!("  {difference}\n")));
            text
        }
        Change::Removed { kind, name } => format!("{} {name}: only the first came of it\n", noun(*kind)),
        Change::Added { kind, name } => format!("{} {name}: only the second came of it\n", noun(*kind)),
    }
}

fn versions(of: &[String]) -> String {
    of.iter().map(|version| short(version)).collect::<Vec<_>>().join(", ")
}

/// What versions are of.
fn noun(kind: Kind) -> &'static str {
    match kind {
        Kind::DatasetVersion => "dataset",
        Kind::ModelVersion => "model",
        Kind::JobVersion => "code of",
        Kind::Pipeline => "pipeline of",
        other => other.words(),
    }
}

pub(crate) fn gaps(coverage: &[Coverage]) -> String {
    let mut text = String::new();
    for Coverage { kind, asked, nodes, answered, gaps } in coverage {
        let nodes_text = counted(*nodes, kind.words(), &format!("{}s", kind.words()));
        text.push_str(&format!("{}: known for {} of {nodes_text}\n", question(*asked), count(*answered)));
        for Gap { node, state, reason } in gaps {
            text.push_str(&format!("  {} [{}: {reason}]\n", node.title(), state.words()));
        }
        let open = nodes - answered;
        if open > gaps.len() as u64 {
            text.push_str(&format!("  and {} more\n", count(open - gaps.len() as u64)));
        }
    }
    text
}

fn question(asked: What) -> &'static str {
    match asked {
        What::Trained => "Which run trained it",
        What::Serves => "Which model answers",
        What::Executed => "Which version of the code ran",
        What::Read => "What it read",
        What::Wrote => "What wrote it",
        What::Supplies
        | What::HasVersion
        | What::SameAs
        | What::Ran
        | What::Started
        | What::Applied
        | What::Answers
        | What::Derived => "What is upstream of it",
    }
}
