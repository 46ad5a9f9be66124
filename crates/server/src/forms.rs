//! What the forms of pages do: each changes something and leads back to a page.

use app::site::alerts::AlertKey;
use app::site::jobs;
use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use jiff::{SignedDuration, Timestamp};
use types::Digest;
use types::alert::{Acknowledgement, Matcher, Silence};
use view::site::alert::SILENCE_HOURS;
use view::site::{Theme, link};

use crate::Shared;
use crate::cookie;
use crate::pages::Asked;
use crate::problem::Problem;
use crate::visitor::Visitor;

/// A year; a theme is asked for again after that.
const THEME_SECONDS: u32 = 31_536_000;

/// Does what a form asks for.
pub(crate) fn answer(
    shared: &Shared,
    visitor: &Visitor,
    path: &str,
    headers: &HeaderMap,
    asked: &Asked,
) -> Result<Response, Problem> {
    refuse_other_sites(headers)?;
    let text = |name: &str| asked.get(name).map(|text| text.trim().to_owned()).unwrap_or_default();
    let now = Timestamp::now();
    match path {
        link::THEME => {
            let theme = Theme::named(&text("theme"))
                .ok_or_else(|| Problem::Bad("A theme is system, light or dark.".into()))?;
            let cookie = format!(
                "{}={}; Path=/; Max-Age={THEME_SECONDS}; SameSite=Lax; HttpOnly",
                cookie::THEME,
                theme.word()
            );
            let mut response = see(local(&text("back")));
            if let Ok(cookie) = HeaderValue::from_str(&cookie) {
                response.headers_mut().insert(header::SET_COOKIE, cookie);
            }
            return Ok(response);
        }
        _ if !visitor.reader.may_act => {
            return Err(Problem::Forbidden("Your role may look, and not act.".into()));
        }
        link::RUN_JOB => {
            let choice = text("job");
            let (system, kind) = jobs::chosen(&choice)
                .ok_or_else(|| Problem::Bad(format!("`{choice}` is no job that can be run.")))?;
            if !visitor.may_see(system) {
                return Err(Problem::NotFound(format!("There is no system `{system}` here.")));
            }
            shared.scheduler.run_now(system, kind)?;
            shared.events.changed(&["jobs"]);
            return Ok(see(link::JOBS));
        }
        link::VERIFY => {
            let system = text("system");
            if shared.service.system(&system).is_none() || !visitor.may_see(&system) {
                return Err(Problem::NotFound(format!("There is no system `{system}` here.")));
            }
            shared.service.verify(&system, now)?;
            return Ok(see(&link::evidence_of(&system, None, None)));
        }
        _ => {}
    }
    let nothing = || Problem::NotFound(format!("Nothing is done at `{path}`."));
    let (page, act) = path.rsplit_once('/').ok_or_else(nothing)?;
    let id = crate::place::alert_id(page).ok_or_else(nothing)?;
    let key = AlertKey::of_id(&shared.service, &id)?;
    if !visitor.may_see(&key.system) {
        return Err(Problem::NotFound(format!("There is no alert `{id}`.")));
    }
    let store = shared.service.store();
    let by = visitor.reader.name.clone();
    match act {
        "acknowledge" => {
            let AlertKey { rule, subject, .. } = key.clone();
            let note = text("note");
            store.keep_acknowledgement(&key.system, &Acknowledgement { rule, subject, by, at: now, note })?;
        }
        "silence" => {
            let reason = text("reason");
            if reason.is_empty() {
                return Err(Problem::Bad("A silence needs a reason, so that others know why.".into()));
            }
            let hours = text("hours").parse::<u32>().ok();
            let hours = hours.filter(|hours| SILENCE_HOURS.iter().any(|(known, _)| known == hours));
            let hours = hours.ok_or_else(|| Problem::Bad("A silence needs an end.".into()))?;
            let AlertKey { system, rule, subject } = key.clone();
            store.keep_silence(&Silence {
                id: silence_id(&key),
                matcher: Matcher { system, rule, subject },
                from: now,
                until: now + SignedDuration::from_hours(i64::from(hours)),
                reason,
                by,
            })?;
        }
        "unsilence" => {
            let silences = store.silences(now)?;
            for silence in silences.into_iter().filter(|silence| silence.id == silence_id(&key)) {
                store.keep_silence(&Silence { until: now, ..silence })?;
            }
        }
        _ => return Err(nothing()),
    }
    (shared.look)();
    shared.events.changed(&["alerts"]);
    Ok(see(&link::alert(&id)))
}

/// One silence for each alert: the form's replaces the one before.
fn silence_id(key: &AlertKey) -> String {
    Digest::of(key.id().as_bytes()).short()
}

/// A form of another site cannot act in a reader's name: browsers say where a request comes from.
fn refuse_other_sites(headers: &HeaderMap) -> Result<(), Problem> {
    let text = |name: &str| headers.get(name).and_then(|value| value.to_str().ok());
    let is_same = match (text("sec-fetch-site"), text("origin")) {
        (Some(site), _) => matches!(site, "same-origin" | "none"),
        (None, Some(origin)) => {
            let host = origin.split_once("://").map(|(_, host)| host);
            host.is_some() && host == text("host")
        }
        // Older browsers and programs say neither; there is no cookie that they could misuse.
        (None, None) => true,
    };
    if is_same { Ok(()) } else { Err(Problem::Forbidden("The request came from another site.".into())) }
}

/// The page after a form.
fn see(path: &str) -> Response {
    (StatusCode::SEE_OTHER, [(header::LOCATION, path.to_owned())]).into_response()
}

/// A path of ours, and never another site.
fn local(path: &str) -> &str {
    let is_local = path.starts_with('/') && !path.starts_with("//") && !path.contains(['\\', '\r', '\n']);
    if is_local { path } else { link::OVERVIEW }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_form_never_leads_to_another_site() {
        for (asked, expected) in [
            ("/alerts?x=1", "/alerts?x=1"),
            ("//evil.example", "/"),
            ("https://evil.example", "/"),
            ("/\\evil.example", "/"),
            ("/a\r\nSet-Cookie: x", "/"),
            ("", "/"),
        ] {
            assert_eq!(local(asked), expected, "{asked:?}");
        }
    }

    #[test]
    fn a_form_of_another_site_is_refused() {
        let check = |headers: &[(&'static str, &str)], expected: bool| {
            let mut map = HeaderMap::new();
            for (name, value) in headers {
                map.insert(*name, value.parse().unwrap());
            }
            assert_eq!(refuse_other_sites(&map).is_ok(), expected, "{headers:?}");
        };
        check(&[("sec-fetch-site", "same-origin")], true);
        check(&[("sec-fetch-site", "cross-site")], false);
        check(&[("sec-fetch-site", "same-site")], false);
        check(&[("origin", "http://127.0.0.1:7615"), ("host", "127.0.0.1:7615")], true);
        check(&[("origin", "https://evil.example"), ("host", "127.0.0.1:7615")], false);
        check(&[("origin", "null"), ("host", "127.0.0.1:7615")], false);
        check(&[], true);
    }
}
