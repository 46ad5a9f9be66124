//! What the forms of pages do: each changes something and leads back to a page.

use app::site::alerts::AlertKey;
use app::site::jobs;
use app::{alerting, delivery};
use axum::extract::State;
use axum::http::{HeaderValue, StatusCode, Uri, header};
use axum::response::{IntoResponse, Response};
use jiff::{SignedDuration, Timestamp};
use types::Digest;
use types::access::Action;
use types::alert::{Acknowledgement, Matcher, Silence};
use view::site::alert::SILENCE_HOURS;
use view::site::{Theme, link};

use crate::Shared;
use crate::auth::{Fields, Posted, Refusal, Signed, local_path};
use crate::cookie;
use crate::pages::{frame, refused};
use crate::problem::Problem;
use crate::visitor::blocking;

/// A year; a theme is asked for again after that.
const THEME_SECONDS: u32 = 31_536_000;

/// Does what a form asks for, and leads back to a page.
pub(crate) async fn answer(
    State(shared): State<Shared>,
    uri: Uri,
    posted: Result<Posted, Refusal>,
) -> Response {
    let Posted { signed, fields } = match posted {
        Ok(posted) => posted,
        Err(refusal) => return refusal.into_response(),
    };
    let frame = frame(&shared, &signed, &uri);
    let path = uri.path().to_owned();
    blocking(move || act(&shared, &signed, &path, &fields))
        .await
        .unwrap_or_else(|problem| refused(&frame, problem))
}

fn act(shared: &Shared, signed: &Signed, path: &str, fields: &Fields) -> Result<Response, Problem> {
    let text = |name: &str| fields.get(name).trim().to_owned();
    let now = Timestamp::now();
    match path {
        link::THEME => {
            let theme = Theme::named(&text("theme"))
                .ok_or_else(|| Problem::bad("A theme is system, light or dark."))?;
            let cookie = format!(
                "{}={}; Path=/; Max-Age={THEME_SECONDS}; SameSite=Lax; HttpOnly",
                cookie::THEME,
                theme.word()
            );
            let mut response = see(local_path(&text("back")));
            if let Ok(cookie) = HeaderValue::from_str(&cookie) {
                response.headers_mut().insert(header::SET_COOKIE, cookie);
            }
            Ok(response)
        }
        link::RUN_JOB => {
            let choice = text("job");
            let (system, kind) = jobs::chosen(&choice)
                .ok_or_else(|| Problem::bad(format!("`{choice}` is no job that can be run.")))?;
            signed.must(Action::RunJob, Some(system))?;
            shared.scheduler.run_now(system, kind)?;
            shared.service.store().note(signed.by().audit("job.asked", system, kind.name()))?;
            shared.events.changed(&["jobs"]);
            Ok(see(link::JOBS))
        }
        _ if path.starts_with(link::CHANNELS) => {
            signed.must(Action::Administer, None)?;
            let channel = crate::place::tested_channel(path)
                .ok_or_else(|| Problem::not_found(format!("Nothing is done at `{path}`.")))?;
            let organisation = &shared.organisation;
            let receiver = delivery::resolve(&channel, &organisation.organisation)
                .map_err(|error| Problem::not_found(error.to_string()))?;
            let message = alerting::test_message(signed.caller.name(), now);
            delivery::deliver(&organisation.organisation, organisation.folder(), &receiver, &message, now)
                .map_err(|error| Problem::new(StatusCode::BAD_GATEWAY, error.to_string()))?;
            shared.service.store().note(signed.by().audit("channel.tested", channel, ""))?;
            Ok(see(link::CHANNELS))
        }
        link::VERIFY => {
            let system = text("system");
            signed.must(Action::Read, Some(&system))?;
            if shared.service.system(&system).is_none() {
                return Err(Problem::not_found(format!("There is no system `{system}` here.")));
            }
            shared.service.verify(&system, now)?;
            Ok(see(&link::evidence_of(&system, None, None)))
        }
        _ => on_alert(shared, signed, path, fields),
    }
}

/// Takes an alert on, silences it, or ends a silence.
fn on_alert(shared: &Shared, signed: &Signed, path: &str, fields: &Fields) -> Result<Response, Problem> {
    let text = |name: &str| fields.get(name).trim().to_owned();
    let now = Timestamp::now();
    let nothing = || Problem::not_found(format!("Nothing is done at `{path}`."));
    let (page, act) = path.rsplit_once('/').ok_or_else(nothing)?;
    let id = crate::place::alert_id(page).ok_or_else(nothing)?;
    let key = AlertKey::of_id(&shared.service, &id)?;
    let store = shared.service.store();
    let by = signed.caller.name().to_owned();
    match act {
        "acknowledge" => {
            signed.must(Action::Acknowledge, Some(&key.system))?;
            let AlertKey { rule, subject, .. } = key.clone();
            let note = text("note");
            store.note(signed.by().audit("alert.acknowledged", &id, &note))?;
            store.keep_acknowledgement(&key.system, &Acknowledgement { rule, subject, by, at: now, note })?;
        }
        "silence" => {
            signed.must(Action::Silence, Some(&key.system))?;
            let reason = text("reason");
            if reason.is_empty() {
                return Err(Problem::bad("A silence needs a reason, so that others know why."));
            }
            let hours = text("hours").parse::<u32>().ok();
            let hours = hours.filter(|hours| SILENCE_HOURS.iter().any(|(known, _)| known == hours));
            let hours = hours.ok_or_else(|| Problem::bad("A silence needs an end."))?;
            let AlertKey { system, rule, subject } = key.clone();
            store.note(signed.by().audit("alert.silenced", &id, format!("for {hours} hours: {reason}")))?;
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
            signed.must(Action::Silence, Some(&key.system))?;
            store.note(signed.by().audit("silence.ended", &id, ""))?;
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

/// The page after a form.
fn see(path: &str) -> Response {
    (StatusCode::SEE_OTHER, [(header::LOCATION, path.to_owned())]).into_response()
}
