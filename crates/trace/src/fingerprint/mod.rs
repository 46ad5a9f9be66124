//! The fingerprint of a pipeline: what was done to the data, in order, as one digest; and what differs between two.
//!
//! Two runs with one fingerprint did the same: the same steps, code, parameters and fitted state. It is the SHA-256 of
//! canonical JSON ([`canonical`]), so that a client in another language arrives at the same. docs/lineage-facets.md
//! has the definition.

pub mod canonical;
mod difference;

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};
use types::Digest;

use crate::openlineage::or_default;
use canonical::CanonicalError;
pub use difference::{Difference, What, differences};

/// The version of the writing that is digested.
const FORMAT: u32 = 1;

/// One step of a pipeline.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Step {
    pub name: String,
    /// Digest of its source, or version of its code.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub code: Option<String>,
    #[serde(default, deserialize_with = "or_default", skip_serializing_if = "Map::is_empty")]
    pub parameters: Map<String, Value>,
    /// What was fitted, by name.
    #[serde(default, deserialize_with = "or_default", skip_serializing_if = "BTreeMap::is_empty")]
    pub state: BTreeMap<String, Digest>,
}

/// The digest of the steps, and the text that it is of.
///
/// # Errors
/// A number that canonical JSON cannot hold exactly.
pub fn fingerprint(steps: &[Step]) -> Result<(Digest, String), CanonicalError> {
    let text = canonical::text(&json!({ "format": FORMAT, "steps": steps }))?;
    Ok((Digest::of(text.as_bytes()), text))
}

/// The steps in a text that [`fingerprint`] made.
pub fn steps(text: &str) -> Option<Vec<Step>> {
    #[derive(Deserialize)]
    struct Canonical {
        steps: Vec<Step>,
    }
    serde_json::from_str(text).ok().map(|Canonical { steps }| steps)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn step(text: &str) -> Step {
        serde_json::from_str(text).unwrap()
    }

    #[test]
    fn the_fingerprint_in_the_documentation_is_that_of_its_steps() {
        let page = include_str!("../../../../docs/lineage-facets.md");
        let after = page.split("\"fingerprint\":\"").nth(1).unwrap();
        let steps = [
            step(r#"{"name":"impute","parameters":{"strategy":"median"}}"#),
            step(r#"{"name":"trees","parameters":{"rate":0.1}}"#),
        ];
        let (digest, text) = fingerprint(&steps).unwrap();
        // The page's was made by Python's `json` and `hashlib`.
        assert_eq!(after[..64], digest.to_string());
        assert_eq!(super::steps(&text).unwrap(), steps);
    }

    #[test]
    fn what_is_absent_null_or_empty_is_the_same() {
        let bare = fingerprint(&[step(r#"{"name":"a"}"#)]).unwrap();
        let empty = step(r#"{"name":"a","code":null,"parameters":{},"state":null,"note":"of no meaning"}"#);
        assert_eq!(fingerprint(&[empty]).unwrap(), bare);
    }

    #[test]
    fn order_matters() {
        let (a, b) = (step(r#"{"name":"a"}"#), step(r#"{"name":"b"}"#));
        assert_ne!(fingerprint(&[a.clone(), b.clone()]).unwrap(), fingerprint(&[b, a]).unwrap());
    }
}
