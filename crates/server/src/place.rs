//! What a path asks for.

use types::CheckId;
use view::site::Practice;

/// A page of the site, before anything was looked up.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Place {
    Overview,
    System {
        id: String,
        tab: Practice,
    },
    Brief {
        id: String,
    },
    Check {
        id: String,
        check: String,
    },
    Column {
        id: String,
        name: String,
    },
    Compare {
        id: String,
    },
    Alerts,
    Alert {
        id: String,
    },
    Evidence,
    /// All lines of a system's chain.
    Export,
    Record {
        id: String,
        seq: u64,
    },
    /// One line of a system's chain.
    Line {
        id: String,
        seq: u64,
    },
    Jobs,
    Search,
    Channels,
    Audit,
    /// A file that never changes under its name.
    Asset,
}

impl Place {
    /// The system that the page is about.
    pub(crate) fn system(&self) -> Option<&str> {
        match self {
            Self::System { id, .. }
            | Self::Brief { id }
            | Self::Check { id, .. }
            | Self::Column { id, .. }
            | Self::Compare { id }
            | Self::Record { id, .. }
            | Self::Line { id, .. } => Some(id),
            _ => None,
        }
    }
}

/// In which form a page is wanted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Format {
    Page,
    Csv,
    Json,
    Markdown,
}

impl Format {
    const ENDINGS: [(&'static str, Self); 3] =
        [(".csv", Self::Csv), (".json", Self::Json), (".md", Self::Markdown)];
}

/// The page at a path, and the form that its ending asks for.
pub(crate) fn place(path: &str) -> Option<(Place, Format)> {
    let segments: Vec<String> = path.split('/').skip(1).map(decoded).collect::<Option<Vec<String>>>()?;
    let mut parts: Vec<&str> = segments.iter().map(String::as_str).collect();
    if parts == [""] {
        return Some((Place::Overview, Format::Page));
    }
    // A check's name has a point of its own; no ending is one of a check.
    let last = *parts.last()?;
    let is_asset = parts.first() == Some(&"assets");
    let format = Format::ENDINGS.into_iter().find(|(ending, _)| !is_asset && last.ends_with(ending));
    let (stem, format) = match format {
        Some((ending, format)) => (&last[..last.len() - ending.len()], format),
        None => (last, Format::Page),
    };
    *parts.last_mut()? = stem;
    let id = || parts.get(1).map(|id| (*id).to_owned());
    let place = match parts.as_slice() {
        ["systems"] => Place::Overview,
        ["systems", _] => Place::System { id: id()?, tab: Practice::Monitor },
        ["systems", _, "brief"] => Place::Brief { id: id()? },
        ["systems", _, "compare"] => Place::Compare { id: id()? },
        ["systems", _, "checks", check] => Place::Check { id: id()?, check: (*check).to_owned() },
        ["systems", _, "columns", name] => Place::Column { id: id()?, name: (*name).to_owned() },
        ["systems", _, tab] => Place::System { id: id()?, tab: Practice::named(tab)? },
        ["alerts"] => Place::Alerts,
        ["alerts", _] => Place::Alert { id: id()? },
        ["evidence"] => Place::Evidence,
        ["evidence", "export.jsonl"] => Place::Export,
        ["evidence", _, seq] => match seq.strip_suffix(".jsonl") {
            Some(seq) => Place::Line { id: id()?, seq: seq.parse().ok()? },
            None => Place::Record { id: id()?, seq: seq.parse().ok()? },
        },
        ["jobs"] => Place::Jobs,
        ["search"] => Place::Search,
        ["settings", "channels"] => Place::Channels,
        ["settings", "audit"] => Place::Audit,
        ["assets", _] => Place::Asset,
        _ => return None,
    };
    Some((place, format))
}

/// The checks by the names that paths have.
pub(crate) fn check_named(name: &str) -> Option<CheckId> {
    CheckId::ALL.into_iter().find(|check| check.name() == name)
}

/// The channel that a form wants to be tested.
pub(crate) fn tested_channel(path: &str) -> Option<String> {
    let name = path.strip_prefix(view::site::link::CHANNELS)?.strip_prefix('/')?.strip_suffix("/test")?;
    decoded(name)
}

/// The alert that a page is about.
pub(crate) fn alert_id(path: &str) -> Option<String> {
    match place(path)? {
        (Place::Alert { id }, Format::Page) => Some(id),
        _ => None,
    }
}

/// A segment of a path without its percent signs; nothing that is not UTF-8.
fn decoded(segment: &str) -> Option<String> {
    let mut bytes = Vec::with_capacity(segment.len());
    let mut rest = segment.bytes();
    while let Some(byte) = rest.next() {
        if byte == b'%' {
            let digits = [rest.next()?, rest.next()?];
            let hex = std::str::from_utf8(&digits).ok()?;
            bytes.push(u8::from_str_radix(hex, 16).ok()?);
        } else {
            bytes.push(byte);
        }
    }
    String::from_utf8(bytes).ok()
}

#[cfg(test)]
mod tests {
    use super::*;
    use view::site::link;

    fn check(path: &str, expected: impl Into<Option<(Place, Format)>>) {
        assert_eq!(place(path), expected.into(), "{path}");
    }

    #[test]
    fn every_link_of_the_site_has_a_place() {
        let id = "a b/ü".to_owned();
        let check_name = CheckId::WorstSegment;
        let path = |link: String| link.split('?').next().unwrap().to_owned();
        let page = |place| Some((place, Format::Page));
        check(link::OVERVIEW, page(Place::Overview));
        check(&link::system(&id), page(Place::System { id: id.clone(), tab: Practice::Monitor }));
        check(
            &link::tab(&id, Practice::Govern),
            page(Place::System { id: id.clone(), tab: Practice::Govern }),
        );
        check(&link::brief(&id), page(Place::Brief { id: id.clone() }));
        check(
            &path(link::series(&id, check_name, None)),
            page(Place::Check { id: id.clone(), check: check_name.name().into() }),
        );
        check(&link::column(&id, "a.b"), page(Place::Column { id: id.clone(), name: "a.b".into() }));
        check(&path(link::compare(&id, None, None)), page(Place::Compare { id: id.clone() }));
        check(link::EVIDENCE, page(Place::Evidence));
        check(link::EVIDENCE_EXPORT, page(Place::Export));
        check(&link::record(&id, 7), page(Place::Record { id: id.clone(), seq: 7 }));
        check(&link::record_line(&id, 7), page(Place::Line { id, seq: 7 }));
        check(link::JOBS, page(Place::Jobs));
        check(link::ALERTS, page(Place::Alerts));
        check(&link::alert("a.0f"), page(Place::Alert { id: "a.0f".into() }));
        check(link::SEARCH, page(Place::Search));
        check(link::CHANNELS, page(Place::Channels));
        check(link::AUDIT, page(Place::Audit));
    }

    #[test]
    fn an_ending_asks_for_another_form() {
        check("/systems.csv", Some((Place::Overview, Format::Csv)));
        let monitor = Place::System { id: "a".into(), tab: Practice::Monitor };
        check("/systems/a.json", Some((monitor, Format::Json)));
        let series = Place::Check { id: "a".into(), check: "monitor.drift".into() };
        check("/systems/a/checks/monitor.drift.md", Some((series, Format::Markdown)));
    }

    #[test]
    fn what_is_no_page_has_no_place() {
        for path in ["/x", "/systems/a/x", "/evidence/a/x", "/systems/%", "/systems/%FF/brief", "/systems/"] {
            let found = place(path);
            assert!(found.is_none() || path == "/systems/", "{path}: {found:?}");
        }
    }
}
