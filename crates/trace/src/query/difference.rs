//! What differs between two traces: what only one of them came of, and what was done otherwise.

use std::collections::{BTreeMap, BTreeSet};

use serde::Serialize;
use types::lineage::{Kind, Node, Trace, What};

use super::view::View;
use crate::change::Key;
use crate::fingerprint::{self, differences};
use crate::openlineage::PipelineRun;
use crate::openlineage::facet::Facet;

/// One thing that differs. `before` is of the first trace, `after` of the second.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(tag = "what", rename_all = "snake_case")]
pub enum Change {
    /// The same dataset or model or the code of the same job, in other versions.
    Version { kind: Kind, name: String, before: Vec<String>, after: Vec<String> },
    /// Runs of the same job applied other pipelines, with what differs between them where each trace has one.
    Pipeline { job: String, before: Vec<String>, after: Vec<String>, differences: Vec<String> },
    /// Only the first came of it.
    Removed { kind: Kind, name: String },
    /// Only the second came of it.
    Added { kind: Kind, name: String },
}

/// What differs between two traces of one graph. Runs and serving contexts are not compared: each is there once.
pub fn difference(view: &View<'_>, first: &Trace, second: &Trace) -> Vec<Change> {
    let (first, second) = (by_name(first), by_name(second));
    let names: BTreeSet<_> = first.keys().chain(second.keys()).collect();
    let mut changes = Vec::new();
    for (kind, name) in names {
        let key = (*kind, name.clone());
        let (kind, name) = (*kind, name.clone());
        match (first.get(&key), second.get(&key)) {
            (Some(before), Some(after)) if before == after => {}
            (Some(before), Some(after)) => {
                let listed = |versions: &BTreeSet<String>| versions.iter().cloned().collect::<Vec<_>>();
                let (before, after) = (listed(before), listed(after));
                changes.push(if kind == Kind::Pipeline {
                    let differences = between(view, &before, &after);
                    Change::Pipeline { job: name, before, after, differences }
                } else {
                    Change::Version { kind, name, before, after }
                });
            }
            (Some(_), None) => changes.push(Change::Removed { kind, name }),
            (None, _) => changes.push(Change::Added { kind, name }),
        }
    }
    changes
}

type Versions = BTreeMap<(Kind, String), BTreeSet<String>>;

fn by_name(trace: &Trace) -> Versions {
    let mut versions = Versions::new();
    let is_compared =
        |kind| !matches!(kind, Kind::Run | Kind::ServingContext | Kind::Column | Kind::Pipeline);
    let compared = trace.nodes.iter().filter(|node| is_compared(node.kind));
    for Node { kind, namespace, name, version, .. } in compared {
        let name = if namespace.is_empty() { name.clone() } else { format!("{namespace}/{name}") };
        versions.entry((*kind, name)).or_default().insert(version.clone());
    }
    // A pipeline has no name of its own: it is what runs of a job applied.
    let hops = |what: What| trace.hops.iter().filter(move |hop| hop.what == what);
    for applied in hops(What::Applied) {
        for ran in hops(What::Ran).filter(|ran| ran.to == applied.to) {
            if let (Some(pipeline), Some(job)) = (applied.from, ran.from) {
                let job = (Kind::Pipeline, trace.nodes[job].title());
                versions.entry(job).or_default().insert(trace.nodes[pipeline].version.clone());
            }
        }
    }
    versions
}

/// What differs between two pipelines, where each side has one alone that the other has not.
fn between(view: &View<'_>, before: &[String], after: &[String]) -> Vec<String> {
    let alone = |of: &[String], other: &[String]| {
        let mut alone = of.iter().filter(|fingerprint| !other.contains(fingerprint)).cloned();
        alone.next().filter(|_| alone.next().is_none())
    };
    let steps = |fingerprint: String| {
        let node = view.graph.find(&Key::pipeline(fingerprint))?;
        fingerprint::steps(view.notes(node, PipelineRun::KEY).next()?.text)
    };
    let first = alone(before, after).and_then(steps);
    let second = alone(after, before).and_then(steps);
    let found = first.zip(second).map(|(first, second)| differences(&first, &second));
    found.unwrap_or_default().iter().map(ToString::to_string).collect()
}
