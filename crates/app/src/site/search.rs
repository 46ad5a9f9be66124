//! Finding a page by a part of a name.

use types::CheckId;
use view::site::link;
use view::site::search::{Hit, SearchPage};

use super::SiteError;
use super::known::Known;
use crate::service::Service;

/// Hits shown.
const MOST: usize = 50;

/// Systems, checks and columns whose name holds the query; those that begin with it first.
///
/// # Errors
/// The database does not answer.
pub fn page(service: &Service, may_see: &dyn Fn(&str) -> bool, query: &str) -> Result<SearchPage, SiteError> {
    let wanted = query.trim().to_lowercase();
    let mut hits: Vec<(bool, Hit)> = Vec::new();
    if wanted.is_empty() {
        return Ok(SearchPage { query: query.to_owned(), hits: Vec::new() });
    }
    for served in service.systems().filter(|served| may_see(served.id())) {
        let known = Known { current: served.current(), chain: service.chain(served.id())? };
        let name = known.current.definition.system.display_name().to_owned();
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
        for check in CheckId::ALL {
            let newest = known.newest(check);
            if !newest.is_empty() {
                add("check", check.name(), &name, link::series(served.id(), check, None));
            }
            for record in newest.iter().filter(|_| check == CheckId::Drift) {
                if let Some(column) = link::column_of(&record.finding.subject) {
                    add("column", column, &name, link::column(served.id(), column));
                }
            }
        }
    }
    hits.sort_by_key(|(inside, _)| *inside);
    Ok(SearchPage {
        query: query.to_owned(),
        hits: hits.into_iter().take(MOST).map(|(_, hit)| hit).collect(),
    })
}
