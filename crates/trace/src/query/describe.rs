//! What is worth saying of a node and of a hop, in the words of `types::lineage`.

use types::format;
use types::lineage::{Fact, Hop, Kind, Node, What};

use super::hop::Hop as Found;
use super::quality::Checked;
use super::view::View;
use crate::change::Key;
use crate::graph::NodeId;
use crate::openlineage::{
    ContentDigest, JobType, ModelMade, Ownership, QualityMetrics, Serving, TableSchema,
};

/// A node and its facts.
pub(super) fn node(view: &View<'_>, node: NodeId) -> Node {
    let Key { kind, namespace, name, version } = view.graph.key(node);
    let facts = match kind {
        Kind::DatasetVersion | Kind::Dataset => of_dataset(view, node),
        Kind::Job => of_job(view, node),
        Kind::Run => of_run(view, node),
        Kind::ModelVersion => of_model(view, node),
        Kind::ServingContext => of_context(view, node),
        Kind::Source | Kind::Column | Kind::JobVersion | Kind::Pipeline => Vec::new(),
    };
    let facts = facts.into_iter().map(|(name, value)| Fact { name: name.into(), value }).collect();
    Node { kind, namespace: namespace.into(), name: name.into(), version: version.into(), facts }
}

pub(super) fn hop(
    view: &View<'_>,
    found: &Found<'_>,
    (from, to): (Option<usize>, usize),
    checked: &mut Checked,
) -> Hop {
    let input = found.through.or(found.from).filter(|_| found.what == What::Read);
    let used = view.started(found.to).or(found.said.map(|said| said.true_from));
    let quality = input.zip(used).map(|(input, at)| view.quality(input, at, checked));
    Hop {
        from,
        to,
        what: found.what,
        role: found.role,
        state: found.state,
        reason: found.reason.clone(),
        by: found.said.map(|said| said.by.to_owned()),
        true_from: found.said.map(|said| said.true_from),
        known_at: found.said.map(|said| said.known_at),
        quality,
    }
}

type Facts = Vec<(&'static str, String)>;

fn of_dataset(view: &View<'_>, node: NodeId) -> Facts {
    let mut facts = Facts::new();
    let content: Option<ContentDigest> = view.facet(node);
    let counted = || view.facet::<QualityMetrics>(node)?.row_count;
    if let Some(rows) = content.and_then(|content| content.rows).or_else(counted) {
        facts.push(("rows", format::count(rows)));
    }
    if let Some(schema) = view.facet::<TableSchema>(node) {
        facts.push(("columns", format::count(schema.fields.len() as u64)));
    }
    let others = view.names(node).into_iter().filter(|&name| name != node);
    let others: Vec<String> = others
        .map(|name| {
            let key = view.graph.key(name);
            if key.kind == Kind::Dataset {
                format!("{}/{}", key.namespace, key.name)
            } else {
                key.version.into()
            }
        })
        .collect();
    if !others.is_empty() {
        facts.push(("also called", others.join(", ")));
    }
    facts
}

fn of_job(view: &View<'_>, node: NodeId) -> Facts {
    let mut facts = Facts::new();
    if let Some(JobType { processing_type, integration, job_type }) = view.facet(node) {
        let words: Vec<String> = [integration, job_type, processing_type].into_iter().flatten().collect();
        facts.push(("type", words.join(" ").to_lowercase()));
    }
    if let Some(Ownership { owners }) = view.facet(node)
        && !owners.is_empty()
    {
        let owners: Vec<String> = owners.into_iter().map(|owner| owner.name).collect();
        facts.push(("owners", owners.join(", ")));
    }
    facts
}

fn of_run(view: &View<'_>, node: NodeId) -> Facts {
    let mut facts = Facts::new();
    let started = view.notes(node, crate::change::STATE).any(|note| note.text == "START");
    let ended = view.ended(node);
    let state = match &ended {
        None => "not known to have ended".to_owned(),
        Some((_, ways)) if ways.len() > 1 => {
            format!("contradicted: it is said to have ended as {}", ways.join(" and "))
        }
        Some((_, ways)) => ways.join("").to_lowercase(),
    };
    facts.push(("state", state));
    match view.started(node) {
        Some(at) if started => facts.push(("started", at.to_string())),
        Some(at) => facts.push(("first heard of", format!("{at}; no event says that it started"))),
        None => {}
    }
    facts.extend(ended.map(|(at, _)| ("ended", at.to_string())));
    for parent in view.arriving(node, What::Started) {
        let jobs = view.arriving(parent.node, What::Ran);
        let job = jobs.first().map(|job| self::node(view, job.node).title()).unwrap_or_default();
        facts.push(("started by", format!("{job} {}", view.graph.key(parent.node).name)));
    }
    facts
}

fn of_model(view: &View<'_>, node: NodeId) -> Facts {
    let made: Option<ModelMade> = view.facet(node);
    let digest = made.and_then(|made| made.digest);
    digest.map(|digest| ("artefact", digest.to_string())).into_iter().collect()
}

fn of_context(view: &View<'_>, node: NodeId) -> Facts {
    let serving: Option<Serving> = view.facet(node);
    let mut facts = Facts::new();
    if let Some(serving) = &serving {
        facts.extend(serving.from.map(|from| ("from", from.to_string())));
        facts.extend(serving.until.map(|until| ("until", until.to_string())));
    }
    facts
}
