//! The node that somebody means by `NAME` or `NAME@VERSION`.
//!
//! A name is what a dataset or a model is called, with its namespace before it (`NAMESPACE/NAME`) or without; a version
//! is what it is called, or the beginning of a digest. What could be several things is refused, with what it could be.

use types::lineage::Kind;
use types::nearest::{listed, nearest};

use super::describe;
use super::view::View;
use crate::change::Key;
use crate::graph::NodeId;

/// The beginning of a digest that is long enough to mean one.
const DIGITS_MIN: usize = 6;

/// What is listed of it at most.
const LISTED_MAX: usize = 8;

#[derive(Debug, thiserror::Error, PartialEq, Eq)]
pub enum FindError {
    #[error("no event is about `{text}`{hint}")]
    Unknown { text: String, hint: String },
    #[error(
        "`{text}` could be several: {candidates}; write it as one of them, with its namespace and its version"
    )]
    Ambiguous { text: String, candidates: String },
}

/// The dataset, the version of a dataset or the model version that `text` means.
///
/// # Errors
/// It is none, or several.
pub fn find(view: &View<'_>, text: &str) -> Result<NodeId, FindError> {
    let graph = view.graph;
    let nodes = [Kind::Dataset, Kind::DatasetVersion, Kind::ModelVersion].into_iter();
    let known: Vec<NodeId> =
        nodes.flat_map(|kind| graph.of_kind(kind)).filter(|&node| view.is_known(node)).collect();
    let mut found: Vec<NodeId> =
        known.iter().copied().filter(|&node| is_meant(&graph.key(node), text)).collect();
    for node in &mut found {
        *node = view.one_name(*node);
    }
    found.sort_unstable();
    found.dedup();
    let titles = |nodes: &[NodeId]| -> Vec<String> {
        nodes.iter().map(|&node| describe::node(view, node).title()).collect()
    };
    match found.as_slice() {
        [node] => Ok(*node),
        [] => {
            let titles = titles(&known);
            let near = nearest(text, titles.iter().map(String::as_str));
            let hint = match near {
                Some(near) => format!("; is it `{near}`?"),
                None if titles.is_empty() => "; `forewarn trace import` takes events in".into(),
                None => format!(" (there are {})", listed(titles.iter().map(String::as_str), LISTED_MAX)),
            };
            Err(FindError::Unknown { text: text.into(), hint })
        }
        several => {
            let titles = titles(several);
            let candidates = listed(titles.iter().map(String::as_str), LISTED_MAX);
            Err(FindError::Ambiguous { text: text.into(), candidates })
        }
    }
}

fn is_meant(key: &Key<'_>, text: &str) -> bool {
    let rest = text.strip_prefix(&*key.namespace).and_then(|rest| rest.strip_prefix('/')).unwrap_or(text);
    let rests = [text, rest].into_iter();
    let after_name = rests.filter_map(|rest| rest.strip_prefix(&*key.name));
    after_name.into_iter().any(|rest| match (key.kind, rest.strip_prefix('@')) {
        (Kind::Dataset, _) => rest.is_empty(),
        (_, Some(version)) => is_version(&key.version, version),
        (_, None) => false,
    })
}

fn is_version(version: &str, text: &str) -> bool {
    let begins = |digest: &str| text.len() >= DIGITS_MIN && digest.starts_with(text);
    version == text
        || (version.starts_with("sha256:") && (begins(version) || begins(&version["sha256:".len()..])))
}
