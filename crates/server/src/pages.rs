//! The pages of the site, each also as the tables that it shows.

use std::collections::HashMap;

use app::site;
use app::site::alerts::AlertKey;
use axum::body::Body;
use axum::extract::State;
use axum::http::{StatusCode, Uri, header};
use axum::response::{IntoResponse, Response};
use jiff::Timestamp;
use types::access::Action;
use types::{Verdict, Window};
use view::site::alerts::AlertState;
use view::site::evidence::EvidenceFilter;
use view::site::overview::OverviewFilter;
use view::site::{Frame, Table};

use crate::Shared;
use crate::auth::{Refusal, Signed};
use crate::place::{Format, Place, check_named, place};
use crate::problem::Problem;
use crate::reply;
use crate::visitor::{blocking, reader, sees};

type Asked = HashMap<String, String>;

/// Answers every path that is not the API's.
pub(crate) async fn answer(
    State(shared): State<Shared>,
    signed: Result<Signed, Refusal>,
    uri: Uri,
) -> Response {
    let found = place(uri.path());
    if let Some((Place::Asset, _)) = found {
        return asset(uri.path());
    }
    let signed = match signed {
        Ok(signed) => signed,
        Err(refusal) => return refusal.into_response(),
    };
    let frame = frame(&shared, &signed, &uri);
    let answering = frame.clone();
    let asked = fields(uri.query().unwrap_or_default().as_bytes());
    let answer = match found {
        Some((place, format)) => {
            let work = move || {
                let may_see = |id: &str| sees(&signed.caller, id);
                let firing = site::alerts::firing(&shared.service, &may_see)?;
                let frame = Frame { alerts_firing: firing, ..answering };
                page(&shared, &signed, &frame, place, format, &asked)
            };
            blocking(work).await
        }
        None => Err(Problem::not_found(format!("There is no page at `{}`.", uri.path()))),
    };
    answer.unwrap_or_else(|problem| refused(&frame, problem))
}

/// A page that says why there is none.
pub(crate) fn refused(frame: &Frame, problem: Problem) -> Response {
    let page = view::site::problem::page(frame, &problem.page());
    problem.respond("text/html; charset=utf-8", page)
}

/// What a query says; of a field that is there twice, the last.
fn fields(encoded: &[u8]) -> Asked {
    url::form_urlencoded::parse(encoded).into_owned().collect()
}

/// What every page shows around its own content.
pub(crate) fn frame(shared: &Shared, signed: &Signed, uri: &Uri) -> Frame {
    Frame {
        program: shared.program.to_owned(),
        now: Timestamp::now(),
        path: uri.path_and_query().map_or_else(|| uri.path().to_owned(), ToString::to_string),
        reader: Some(reader(signed)),
        csrf: signed.csrf.clone(),
        theme: signed.theme,
        alerts_firing: 0,
        notice: None,
    }
}

/// A file that a page names by its digest.
fn asset(path: &str) -> Response {
    let files = view::site::asset::Asset::all();
    match files.into_iter().find(|asset| asset.path == path) {
        Some(asset) => {
            let headers = [
                (header::CONTENT_TYPE, asset.content_type),
                (header::CACHE_CONTROL, "public, max-age=31536000, immutable"),
            ];
            (headers, asset.body.clone()).into_response()
        }
        None => StatusCode::NOT_FOUND.into_response(),
    }
}

/// A page, or what its ending asks for.
fn page(
    shared: &Shared,
    signed: &Signed,
    frame: &Frame,
    place: Place,
    format: Format,
    asked: &Asked,
) -> Result<Response, Problem> {
    use view::site::{
        alert, alerts, brief, column, compare, evidence, jobs, overview, record, search, series, settings,
        system,
    };
    let (service, now) = (&shared.service, frame.now);
    let may_see = |id: &str| sees(&signed.caller, id);
    let text = |name: &str| said(asked, name);
    let owned = |name: &str| text(name).unwrap_or_default().to_owned();
    let table = text("table");
    let reply = |tables: &dyn Fn() -> Vec<Table>, document: &dyn Fn() -> String| match format {
        Format::Page => Ok(reply::html(StatusCode::OK, document())),
        format => reply::table(&tables(), table, format),
    };
    if let Some(id) = place.system()
        && !may_see(id)
    {
        return Err(Problem::not_found(format!("There is no system `{id}` here.")));
    }
    match place {
        Place::Overview => {
            let filter = overview_filter(asked)?;
            let of = site::overview::page(service, &may_see, filter, now)?;
            reply(&|| of.tables(), &|| overview::page(frame, &of))
        }
        Place::System { id, tab } => {
            let of = site::system::page(service, &id, tab, now)?;
            reply(&|| of.tables(), &|| system::page(frame, &of))
        }
        Place::Brief { id } => {
            let of = site::system::brief(service, &id, now)?;
            reply(&|| of.tables(), &|| brief::page(frame, &of))
        }
        Place::Check { id, check } => {
            let of = site::system::series(service, &id, &check, text("subject"))?;
            reply(&|| of.tables(), &|| series::page(frame, &of))
        }
        Place::Column { id, name } => {
            let of = site::column::page(service, &id, &name, now)?;
            reply(&|| of.tables(), &|| column::page(frame, &of))
        }
        Place::Compare { id } => {
            let of = site::system::compare(service, &id, window(text("a"))?, window(text("b"))?)?;
            reply(&|| of.tables(), &|| compare::page(frame, &of))
        }
        Place::Evidence => {
            let before = number(text("before"))?;
            let filter = evidence_filter(asked)?;
            let of = site::evidence::page(service, &may_see, filter, before)?;
            reply(&|| of.tables(), &|| evidence::page(frame, &of))
        }
        Place::Record { id, seq } => {
            let of = site::evidence::record(service, &id, seq)?;
            reply(&|| of.tables(), &|| record::page(frame, &of))
        }
        Place::Line { id, seq } => Ok(lines(site::evidence::line(service, &id, seq)? + "\n")),
        Place::Export => export(shared, signed, &owned("system")),
        Place::Search => {
            let of = site::search::page(service, &may_see, text("q").unwrap_or_default(), now)?;
            reply(&|| of.tables(), &|| search::page(frame, &of))
        }
        Place::Alerts => {
            let state = text("state").map(|word| {
                AlertState::named(word)
                    .ok_or_else(|| Problem::bad(format!("`{word}` is no state of an alert.")))
            });
            let state = state.transpose()?.unwrap_or(AlertState::Firing);
            let of = site::alerts::page(service, &may_see, state, text("system"))?;
            reply(&|| of.tables(), &|| alerts::page(frame, &of))
        }
        Place::Alert { id } => {
            let key = AlertKey::of_id(service, &id)?;
            if !may_see(&key.system) {
                return Err(Problem::not_found(format!("There is no alert `{id}`.")));
            }
            let of = site::alerts::alert(service, &key, now)?;
            reply(&|| of.tables(), &|| alert::page(frame, &of))
        }
        Place::Jobs => {
            let before = number(text("before"))?;
            let of = site::jobs::page(service, &shared.scheduler, &may_see, before)?;
            reply(&|| of.tables(), &|| jobs::page(frame, &of))
        }
        Place::Channels => {
            signed.must(Action::Administer, None)?;
            let of = site::settings::channels(service, &shared.organisation)?;
            reply(&|| of.tables(), &|| settings::channels(frame, &of))
        }
        Place::Audit => {
            let of = site::settings::audit(service, signed.by(), number(text("before"))?)
                .map_err(|error| Problem::of(&error, now))?;
            reply(&|| of.tables(), &|| settings::audit(frame, &of))
        }
        Place::Asset => Err(Problem::not_found("There is no such file.")),
    }
}

/// All evidence of a system.
fn export(shared: &Shared, signed: &Signed, id: &str) -> Result<Response, Problem> {
    if shared.service.system(id).is_none() || !sees(&signed.caller, id) {
        return Err(Problem::not_found(format!("There is no system `{id}` here.")));
    }
    let all = shared.service.store().lines(id, 0)?;
    Ok(lines(all.iter().map(|line| format!("{line}\n")).collect()))
}

/// Evidence as it is hashed, a record a line.
fn lines(text: String) -> Response {
    ([(header::CONTENT_TYPE, "application/jsonl")], Body::from(text)).into_response()
}

fn overview_filter(asked: &Asked) -> Result<OverviewFilter, Problem> {
    let owned = |name: &str| asked.get(name).cloned().unwrap_or_default();
    Ok(OverviewFilter { text: owned("q"), verdict: verdict(said(asked, "verdict"))?, owner: owned("owner") })
}

fn evidence_filter(asked: &Asked) -> Result<EvidenceFilter, Problem> {
    let owned = |name: &str| asked.get(name).cloned().unwrap_or_default();
    let check = said(asked, "check")
        .map(|name| check_named(name).ok_or_else(|| Problem::bad(format!("There is no check `{name}`."))));
    Ok(EvidenceFilter {
        system: owned("system"),
        check: check.transpose()?,
        verdict: verdict(said(asked, "verdict"))?,
        text: owned("q"),
    })
}

/// What a query says of a name; an empty text says nothing.
fn said<'a>(asked: &'a Asked, name: &str) -> Option<&'a str> {
    asked.get(name).map(String::as_str).filter(|text| !text.is_empty())
}

fn number<T: std::str::FromStr>(text: Option<&str>) -> Result<Option<T>, Problem> {
    let parsed = text.map(|text| {
        text.parse().map_err(|_| Problem::bad(format!("`{text}` is not a number to go on from.")))
    });
    parsed.transpose()
}

fn verdict(text: Option<&str>) -> Result<Option<Verdict>, Problem> {
    let Some(text) = text else { return Ok(None) };
    let all = [Verdict::Pass, Verdict::Warn, Verdict::Unknown, Verdict::Fail];
    let named = all.into_iter().find(|verdict| verdict.word() == text);
    let bad = || Problem::bad(format!("`{text}` is no verdict; there are pass, warn, unknown and fail."));
    named.ok_or_else(bad).map(Some)
}

fn window(text: Option<&str>) -> Result<Option<Window>, Problem> {
    let parsed = text.map(|text| text.parse::<Window>().map_err(|error| Problem::bad(error.to_string())));
    parsed.transpose()
}
