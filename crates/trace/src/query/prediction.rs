//! Which serving context a prediction belongs to.

use jiff::Timestamp;
use types::lineage::{Kind, What};

use super::view::View;
use crate::change::Key;
use crate::graph::NodeId;
use crate::openlineage::Serving;

/// Where the trace of a prediction begins.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Begin {
    /// At the context that was in force.
    Context(NodeId),
    /// At the model version: no context is recorded for the time.
    Model(NodeId),
}

/// Where the trace of a prediction begins that a version of a model made at `time`; none where nobody ever spoke of the
/// model version.
pub fn prediction(view: &View<'_>, model: &str, version: &str, time: Timestamp) -> Option<Begin> {
    let model = view.graph.find(&Key::model(model, version))?;
    let contexts = view.leaving(model, What::Serves).into_iter();
    let in_force = contexts.filter_map(|near| {
        let serving: Option<Serving> = view.facet(near.node);
        let from = serving.as_ref().and_then(|serving| serving.from).unwrap_or(near.said.true_from);
        let until = serving.and_then(|serving| serving.until);
        (from <= time && until.is_none_or(|until| time < until)).then_some((from, near.node))
    });
    Some(in_force.max().map_or(Begin::Model(model), |(_, context)| Begin::Context(context)))
}

/// The versions of a model that anybody spoke of.
pub fn versions_of(view: &View<'_>, model: &str) -> Vec<String> {
    let keys = view.graph.of_kind(Kind::ModelVersion).map(|node| view.graph.key(node));
    keys.filter(|key| key.name == model).map(|key| key.version.into_owned()).collect()
}
