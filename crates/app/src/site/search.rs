//! Finding a page by a part of a name.

use jiff::Timestamp;
use view::site::link;
use view::site::search::{Hit, SearchPage};

use super::{SiteError, standing};
use crate::service::Service;

/// Hits shown.
const MOST: usize = 50;

/// Systems, checks and columns whose name holds the query; those that begin with it first.
///
/// # Errors
/// The database does not answer.
pub fn page(
    service: &Service,
    may_see: &dyn Fn(&str) -> bool,
    query: &str,
    now: Timestamp,
) -> Result<SearchPage, SiteError> {
    let wanted = query.trim().to_lowercase();
    let mut hits: Vec<(bool, Hit)> = Vec::new();
    if wanted.is_empty() {
        return Ok(SearchPage { query: query.to_owned(), hits: Vec::new() });
    }
    let lengths = service.store().chain_lengths()?;
    for served in service.systems().filter(|served| may_see(served.id())) {
        let records = lengths.get(served.id()).copied().unwrap_or_default();
        let standing = standing::of(service, served, records, now)?;
        let name = standing.summary.name.clone();
        let mut add = |kind, text: &str, of: &str, href: String| {
            let lower = text.to_lowercase();
            if lower.contains(&wanted) {
                let hit = Hit { kind, name: text.to_owned(), of: of.to_owned(), href };
                hits.push((!lower.starts_with(&wanted), hit));
            }
        };
        add("system", &name, served.id(), link::system(served.id()));
        if name != served.id() {
            add("system", served.id(), &name, link::system(served.id()));
        }
        for check in &standing.checks {
            add("check", check.name(), &name, link::series(served.id(), *check, None));
        }
        for column in &standing.columns {
            add("column", column, &name, link::column(served.id(), column));
        }
    }
    hits.sort_by_key(|(inside, _)| *inside);
    Ok(SearchPage {
        query: query.to_owned(),
        hits: hits.into_iter().take(MOST).map(|(_, hit)| hit).collect(),
    })
}
