//! What is directly upstream of a model version and of what serves it.

use std::collections::BTreeSet;

use types::Digest;
use types::lineage::{State, What};

use super::hop::Hop;
use super::view::View;
use crate::graph::NodeId;
use crate::openlineage::facet::{self, Facet};
use crate::openlineage::{ModelMade, Serving};

impl<'g> View<'g> {
    pub(super) fn above_model(&self, model: NodeId) -> Vec<Hop<'g>> {
        let trained = self.arriving(model, What::Trained);
        if trained.is_empty() {
            return vec![Hop::missing(model, What::Trained, "no event says which run trained it")];
        }
        let hops = trained.iter().map(|near| Hop::up(near, model));
        match clash(&self.trained_digests(model)) {
            None => hops.collect(),
            Some(reason) => hops.map(|hop| hop.because(State::Contradicted, reason.clone())).collect(),
        }
    }

    pub(super) fn above_context(&self, context: NodeId) -> Vec<Hop<'g>> {
        let served = self.facet::<Serving>(context).and_then(|serving| serving.model.digest);
        let hops = self.arriving(context, What::Serves).into_iter().map(|near| {
            let mut digests = self.trained_digests(near.node);
            digests.extend(served);
            let hop = Hop::up(&near, context);
            match clash(&digests) {
                None => hop,
                Some(reason) => hop.because(State::Contradicted, reason),
            }
        });
        hops.collect()
    }

    /// The digests that runs gave of the artefact that they made.
    fn trained_digests(&self, model: NodeId) -> BTreeSet<Digest> {
        let made =
            self.notes(model, ModelMade::KEY).filter_map(|note| facet::read::<ModelMade>(note.text).ok());
        made.flatten().filter_map(|made| made.digest).collect()
    }
}

fn clash(digests: &BTreeSet<Digest>) -> Option<String> {
    let listed: Vec<String> = digests.iter().map(Digest::short).collect();
    (listed.len() > 1)
        .then(|| format!("this version names artefacts of different content: {}", listed.join(", ")))
}
