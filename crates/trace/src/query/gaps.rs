//! What lacks lineage: the gaps of everything that anybody spoke of, and how much is covered.

use serde::Serialize;
use types::lineage::{Kind, Node, State, What};

use super::describe;
use super::view::View;

/// One kind of question, and for how many nodes it has an answer.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Coverage {
    pub kind: Kind,
    pub asked: What,
    pub nodes: u64,
    /// Those with an answer: recorded, inferred, or declared to have none.
    pub answered: u64,
    /// Those without, at most as many as were asked for.
    pub gaps: Vec<Gap>,
}

/// A node, and what is not known of it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Gap {
    pub node: Node,
    pub state: State,
    pub reason: String,
}

/// What can be asked of each kind of node.
const QUESTIONS: &[(Kind, What)] = &[
    (Kind::ModelVersion, What::Trained),
    (Kind::ServingContext, What::Serves),
    (Kind::Run, What::Executed),
    (Kind::Run, What::Read),
    (Kind::DatasetVersion, What::Wrote),
];

/// For each question, how many nodes have an answer, and which have none.
pub fn gaps(view: &View<'_>, gaps_max: usize) -> Vec<Coverage> {
    QUESTIONS.iter().map(|&(kind, asked)| coverage(view, kind, asked, gaps_max)).collect()
}

fn coverage(view: &View<'_>, kind: Kind, asked: What, gaps_max: usize) -> Coverage {
    let (mut nodes, mut answered, mut gaps) = (0, 0, Vec::new());
    for node in view.graph.of_kind(kind).filter(|&node| view.is_known(node)) {
        // A name for the same content is asked about under its digest.
        if view.one_name(node) != node {
            continue;
        }
        nodes += 1;
        let hops = view.upstream(node).into_iter();
        let open = hops.filter(|hop| hop.what == asked);
        match open.into_iter().find(|hop| matches!(hop.state, State::Missing | State::Contradicted)) {
            None => answered += 1,
            Some(hop) if gaps.len() < gaps_max => gaps.push(Gap {
                node: describe::node(view, node),
                state: hop.state,
                reason: hop.reason.unwrap_or_default(),
            }),
            Some(_) => {}
        }
    }
    Coverage { kind, asked, nodes, answered, gaps }
}
