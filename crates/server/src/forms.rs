//! What the forms of pages do: each changes something and leads back to a page.

use app::attending::{self, NOTE_LENGTH_MAX};
use app::site::alerts::AlertKey;
use app::site::jobs;
use axum::extract::State;
use axum::http::{HeaderValue, StatusCode, Uri, header};
use axum::response::{IntoResponse, Response};
use jiff::Timestamp;
use types::access::Action;
use view::site::alert::SILENCE_HOURS;
use view::site::{Theme, link};

use crate::auth::{Fields, Posted, Refusal, Signed, local_path};
use crate::cookie;
use crate::pages::{frame, refused};
use crate::problem::Problem;
use crate::visitor::blocking;
use crate::{Shared, api};

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
            api::jobs::ask(shared, signed.by(), system, kind)?;
            Ok(see(link::JOBS))
        }
        _ if path.starts_with(link::CHANNELS) => {
            signed.must(Action::Administer, None)?;
            let channel = crate::place::tested_channel(path)
                .ok_or_else(|| Problem::not_found(format!("Nothing is done at `{path}`.")))?;
            api::channels::send_test(shared, signed.by(), &channel)?;
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
    let nothing = || Problem::not_found(format!("Nothing is done at `{path}`."));
    let (page, act) = path.rsplit_once('/').ok_or_else(nothing)?;
    let id = crate::place::alert_id(page).ok_or_else(nothing)?;
    let key = AlertKey::of_id(&shared.service, &id)?;
    for name in ["note", "reason"] {
        if text(name).chars().count() > NOTE_LENGTH_MAX {
            return Err(Problem::bad(format!("A {name} has at most {NOTE_LENGTH_MAX} characters.")));
        }
    }
    match act {
        "acknowledge" => {
            signed.must(Action::Acknowledge, Some(&key.system))?;
            attending::acknowledge(&shared.service, signed.by(), &key, &text("note"))?;
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
            let matcher = attending::matcher_of(&key);
            attending::silence(&shared.service, signed.by(), matcher, hours, &reason)?;
        }
        "unsilence" => {
            signed.must(Action::Silence, Some(&key.system))?;
            let silence = attending::silence_id(&attending::matcher_of(&key));
            attending::end_silence(&shared.service, signed.by(), &silence)?;
        }
        _ => return Err(nothing()),
    }
    (shared.look)();
    shared.events.changed(&["alerts"]);
    Ok(see(&link::alert(&id)))
}

/// The page after a form.
fn see(path: &str) -> Response {
    (StatusCode::SEE_OTHER, [(header::LOCATION, path.to_owned())]).into_response()
}
