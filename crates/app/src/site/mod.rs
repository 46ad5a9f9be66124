//! What the pages of a server show, put together from evidence. Nothing is computed here that evidence does
//! not say: findings are chosen, arranged and counted.

pub mod alerts;
pub mod column;
pub mod evidence;
pub mod figures;
pub mod jobs;
mod known;
pub mod overview;
mod practices;
pub mod search;
pub mod settings;
mod standing;
pub mod system;

use std::sync::Arc;

use store::StoreError;
use view::site::SystemRef;

use self::known::Known;
use crate::service::{Served, Service};

/// Why a page cannot be shown.
#[derive(Debug, thiserror::Error)]
pub enum SiteError {
    /// What was asked for does not exist; a sentence that names it.
    #[error("{0}")]
    NotFound(String),
    #[error(transparent)]
    Store(#[from] StoreError),
}

fn served<'s>(service: &'s Service, id: &str) -> Result<&'s Arc<Served>, SiteError> {
    service.system(id).ok_or_else(|| SiteError::NotFound(format!("There is no system `{id}` here.")))
}

fn known(service: &Service, id: &str) -> Result<Known, SiteError> {
    let served = served(service, id)?;
    Ok(Known::new(served.current(), service.chain(id)?))
}

fn system_ref(service: &Service, id: &str) -> Result<SystemRef, SiteError> {
    let name = served(service, id)?.current().definition.system.display_name().to_owned();
    Ok(SystemRef { id: id.to_owned(), name })
}
