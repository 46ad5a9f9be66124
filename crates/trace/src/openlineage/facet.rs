//! Facets that have a meaning here, read from their text when somebody asks.
//!
//! A facet that cannot be read takes nothing else of its event with it: it stays as it was written, and a
//! [`FacetError`] says what of it was not understood.

use serde::Deserialize;
use serde::de::DeserializeOwned;

use super::Facets;

/// A facet with a meaning here.
pub trait Facet: DeserializeOwned {
    /// Its name among the facets.
    const KEY: &'static str;
}

/// What of a facet was not understood.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("`{facet}.{path}`: {reason}; the facet is kept, and not read")]
pub struct FacetError {
    pub facet: &'static str,
    pub path: String,
    pub reason: String,
}

#[derive(Deserialize)]
struct Deletion {
    #[serde(default, rename = "_deleted")]
    deleted: bool,
}

/// The facet, if it is there and not deleted.
///
/// # Errors
/// It is there and something else than it should be.
pub fn find<F: Facet>(facets: &Facets) -> Result<Option<F>, FacetError> {
    facets.get(F::KEY).map_or(Ok(None), |raw| read(raw.get()))
}

/// A facet from its text: none where it says that it is deleted.
///
/// # Errors
/// It is something else than it should be.
pub fn read<F: Facet>(text: &str) -> Result<Option<F>, FacetError> {
    if text == "null" || is_deleted(text) {
        return Ok(None);
    }
    let mut deserializer = serde_json::Deserializer::from_str(text);
    let facet = serde_path_to_error::deserialize(&mut deserializer).map_err(|error| FacetError {
        facet: F::KEY,
        path: error.path().to_string(),
        reason: error.inner().to_string(),
    })?;
    Ok(Some(facet))
}

fn is_deleted(text: &str) -> bool {
    // Most facets never name the member; they are not parsed for it.
    text.contains("\"_deleted\"") && serde_json::from_str(text).is_ok_and(|Deletion { deleted }| deleted)
}
