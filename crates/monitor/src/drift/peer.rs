//! What another tool would say of a column, for teams that move from one.

use stats::ecdf::Ecdf;
use stats::peers::{Category, Peer, PeerDrift, PeerError};
use stats::sketch::Profile;
use types::finding::{MethodChoice, Threshold, Unmeasured};
use types::{Measure, format};

use super::Assessment;
use super::distance::Sides;
use crate::Summarised;

/// The reference in parts.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct Chunks {
    numbers: Vec<Ecdf>,
    categories: Vec<Vec<(String, u64)>>,
}

impl Chunks {
    pub(crate) fn add(&mut self, part: &Summarised<'_>) {
        match &*part.profile {
            Profile::Numeric(_) => self.numbers.extend(part.ecdfs.first().cloned()),
            Profile::Categorical(profile) => {
                let values = profile.values.most_frequent().into_iter();
                self.categories.push(values.map(|(value, count)| (value.to_owned(), count)).collect());
            }
            Profile::Text(_) | Profile::Embedding(_) => {}
        }
    }
}

/// What the tool says; an error where it has no method for such a column, or no result.
pub(super) fn said(peer: Peer, sides: Sides<'_>, chunks: Option<&Chunks>) -> Result<PeerDrift, PeerError> {
    let none = Chunks::default();
    // Without parts of the reference NannyML has no threshold.
    let chunks = chunks.or_else(|| matches!(peer, Peer::NannyMl013(_)).then_some(&none));
    match sides {
        Sides::Numbers(before, now) => match chunks {
            Some(chunks) => peer.numeric(&chunks.numbers, now),
            None => peer.numeric(std::slice::from_ref(before), now),
        },
        Sides::Categories(before, now) => {
            let now = now.most_frequent();
            let Some(chunks) = chunks else {
                return peer.categorical(&[&before.most_frequent()], &now);
            };
            let counted: Vec<Vec<Category<'_>>> = chunks
                .categories
                .iter()
                .map(|chunk| chunk.iter().map(|(value, count)| (value.as_str(), *count)).collect())
                .collect();
            let slices: Vec<&[Category<'_>]> = counted.iter().map(Vec::as_slice).collect();
            peer.categorical(&slices, &now)
        }
    }
}

/// Lets another tool decide about the distribution.
pub(super) fn decide(assessment: &mut Assessment, peer: Peer, sides: Sides<'_>, chunks: Option<&Chunks>) {
    let name = peer.name();
    match said(peer, sides, chunks) {
        Ok(drift) => {
            assessment.measures.insert(0, measure(&name, &drift, sides));
            assessment.distribution.method =
                Some(MethodChoice { name, reason: "monitor.drift.method says so".into() });
            assessment.peer = Some(Ok(drift));
        }
        Err(PeerError::NotForKind { .. }) => {
            if let Some(method) = &mut assessment.distribution.method {
                method.reason = format!("`{name}` is not for such a column; {}", method.reason);
            }
        }
        Err(error) => {
            let reason = error.to_string();
            assessment.unmeasured.push(Unmeasured { name: name.clone(), reason: reason.clone() });
            assessment.distribution.method =
                Some(MethodChoice { name, reason: "monitor.drift.method says so".into() });
            assessment.peer = Some(Err(reason));
        }
    }
}

fn measure(name: &str, drift: &PeerDrift, sides: Sides<'_>) -> Measure {
    let n = match sides {
        Sides::Numbers(_, now) => now.n(),
        Sides::Categories(_, now) => now.n(),
    };
    let beware = drift.warning.map(|warning| format!("; beware: {warning}")).unwrap_or_default();
    Measure {
        p_value: drift.p_value,
        ..Measure::new(name, drift.value, n, format!("as the tool computes it{beware}"))
    }
}

/// What the tool holds against its threshold: the p-value of a test, whose statistic it may show besides.
fn judged(drift: &PeerDrift) -> f64 {
    drift.p_value.unwrap_or(drift.value)
}

/// What the tool held its value against.
pub(super) fn threshold(name: &str, drift: &PeerDrift) -> Threshold {
    let is_test = drift.p_value.is_some();
    let of_statistic = drift.p_value.is_some_and(|p_value| p_value != drift.value);
    Threshold {
        measure: if of_statistic { format!("p-value of {name}") } else { name.to_owned() },
        at_least: is_test.then_some(drift.threshold),
        at_most: (!is_test).then_some(drift.threshold),
        from: format!("the default of `{name}`"),
    }
}

/// `0.416 against its threshold of 0.100`.
pub(super) fn in_words(drift: &PeerDrift) -> String {
    let what = if drift.p_value.is_some() { "a p-value of " } else { "" };
    format!(
        "{what}{} against its threshold of {}",
        format::number(judged(drift)),
        format::number(drift.threshold)
    )
}
