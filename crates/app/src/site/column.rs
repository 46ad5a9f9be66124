//! One column in every window.

use view::site::column::ColumnPage;
use view::site::link::column_of;

use super::{SiteError, known, system, system_ref};
use crate::service::Service;

/// A column's distribution over time.
///
/// # Errors
/// There is no such system or column, or the database does not answer.
pub fn page(service: &Service, id: &str, name: &str, now: jiff::Timestamp) -> Result<ColumnPage, SiteError> {
    let report = system::monitored(&known(service, id)?, now);
    let found = report.and_then(|report| {
        let history = report.drift.into_iter().find(|history| column_of(&history.subject) == Some(name))?;
        Some((report.windows, history))
    });
    let (windows, history) = found.ok_or_else(|| {
        SiteError::NotFound(format!("There is no evidence about a column `{name}` of `{id}`."))
    })?;
    Ok(ColumnPage { system: system_ref(service, id)?, windows, history })
}
