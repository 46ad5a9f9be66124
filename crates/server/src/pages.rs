//! The pages of the site, each also as the tables that it shows.

use std::collections::HashMap;

use app::site;
use app::site::alerts::AlertKey;
use axum::body::{Body, Bytes};
use axum::extract::State;
use axum::http::{HeaderMap, Method, StatusCode, Uri, header};
use axum::response::{IntoResponse, Response};
use jiff::Timestamp;
use types::{Verdict, Window};
use view::site::alerts::AlertState;
use view::site::evidence::EvidenceFilter;
use view::site::overview::OverviewFilter;
use view::site::problem::ProblemPage;
use view::site::{Frame, Table, Theme};

use crate::Shared;
use crate::cookie;
use crate::forms;
use crate::place::{Format, Place, check_named, place};
use crate::problem::Problem;
use crate::reply;
use crate::visitor::{Visitor, blocking};

pub(crate) type Asked = HashMap<String, String>;

/// Answers every path that is not the API's.
pub(crate) async fn answer(
    State(shared): State<Shared>,
    method: Method,
    uri: Uri,
    headers: HeaderMap,
    body: Bytes,
) -> Response {
    let visitor = Visitor::local();
    let mut asked = fields(uri.query().unwrap_or_default().as_bytes());
    let frame = frame(&shared, &visitor, &uri, &headers);
    let found = place(uri.path());
    if let Some((Place::Asset, _)) = found {
        return asset(uri.path());
    }
    let answering = frame.clone();
    let answer = if method == Method::POST {
        asked.extend(fields(&body));
        let path = uri.path().to_owned();
        blocking(move || forms::answer(&shared, &visitor, &path, &headers, &asked)).await
    } else if method == Method::GET || method == Method::HEAD {
        match found {
            Some((place, format)) => {
                let work = move || {
                    let firing = site::alerts::firing(&shared.service, &|id| visitor.may_see(id))?;
                    let frame = Frame { alerts_firing: firing, ..answering };
                    page(&shared, &visitor, &frame, place, format, &asked)
                };
                blocking(work).await
            }
            None => Err(Problem::NotFound(format!("There is no page at `{}`.", uri.path()))),
        }
    } else {
        return (StatusCode::METHOD_NOT_ALLOWED, [(header::ALLOW, "GET, HEAD, POST")]).into_response();
    };
    answer.unwrap_or_else(|problem| {
        let page = ProblemPage { kind: problem.page(), detail: problem.detail(), request: None };
        reply::html(problem.status(), view::site::problem::page(&frame, &page))
    })
}

/// What a query or a form says; of a field that is there twice, the last.
fn fields(encoded: &[u8]) -> Asked {
    url::form_urlencoded::parse(encoded).into_owned().collect()
}

fn frame(shared: &Shared, visitor: &Visitor, uri: &Uri, headers: &HeaderMap) -> Frame {
    Frame {
        program: shared.program.to_owned(),
        now: Timestamp::now(),
        path: uri.path_and_query().map_or_else(|| uri.path().to_owned(), ToString::to_string),
        reader: Some(visitor.reader.clone()),
        csrf: visitor.csrf.clone(),
        theme: cookie::value(headers, cookie::THEME).and_then(|word| Theme::named(&word)).unwrap_or_default(),
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
    visitor: &Visitor,
    frame: &Frame,
    place: Place,
    format: Format,
    asked: &Asked,
) -> Result<Response, Problem> {
    use view::site::{
        alert, alerts, brief, column, compare, evidence, jobs, overview, record, search, series, system,
    };
    let (service, now) = (&shared.service, frame.now);
    let may_see = |id: &str| visitor.may_see(id);
    let text = |name: &str| asked.get(name).map(String::as_str).filter(|text| !text.is_empty());
    let owned = |name: &str| text(name).unwrap_or_default().to_owned();
    let table = text("table");
    let reply = |tables: &dyn Fn() -> Vec<Table>, document: &dyn Fn() -> String| match format {
        Format::Page => Ok(reply::html(StatusCode::OK, document())),
        format => reply::table(&tables(), table, format),
    };
    if let Some(id) = place.system()
        && !may_see(id)
    {
        return Err(Problem::NotFound(format!("There is no system `{id}` here.")));
    }
    match place {
        Place::Overview => {
            let filter = OverviewFilter {
                text: owned("q"),
                verdict: verdict(text("verdict"))?,
                owner: owned("owner"),
            };
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
            let check = text("check").map(|name| {
                check_named(name).ok_or_else(|| Problem::Bad(format!("There is no check `{name}`.")))
            });
            let filter = EvidenceFilter {
                system: owned("system"),
                check: check.transpose()?,
                verdict: verdict(text("verdict"))?,
                text: owned("q"),
            };
            let before = text("before").map(|text| {
                text.parse().map_err(|_| Problem::Bad(format!("`{text}` is not a number of a record.")))
            });
            let of = site::evidence::page(service, &may_see, filter, before.transpose()?)?;
            reply(&|| of.tables(), &|| evidence::page(frame, &of))
        }
        Place::Record { id, seq } => {
            let of = site::evidence::record(service, &id, seq)?;
            reply(&|| of.tables(), &|| record::page(frame, &of))
        }
        Place::Line { id, seq } => Ok(lines(site::evidence::line(service, &id, seq)? + "\n")),
        Place::Export => {
            let id = owned("system");
            if service.system(&id).is_none() || !may_see(&id) {
                return Err(Problem::NotFound(format!("There is no system `{id}` here.")));
            }
            let all = service.store().lines(&id, 0)?;
            Ok(lines(all.iter().map(|line| format!("{line}\n")).collect()))
        }
        Place::Search => {
            let of = site::search::page(service, &may_see, text("q").unwrap_or_default())?;
            reply(&|| of.tables(), &|| search::page(frame, &of))
        }
        Place::Alerts => {
            let state = text("state").map(|word| {
                AlertState::named(word)
                    .ok_or_else(|| Problem::Bad(format!("`{word}` is no state of an alert.")))
            });
            let state = state.transpose()?.unwrap_or(AlertState::Firing);
            let of = site::alerts::page(service, &may_see, state, text("system"))?;
            reply(&|| of.tables(), &|| alerts::page(frame, &of))
        }
        Place::Alert { id } => {
            let key = AlertKey::of_id(service, &id)?;
            if !may_see(&key.system) {
                return Err(Problem::NotFound(format!("There is no alert `{id}`.")));
            }
            let of = site::alerts::alert(service, &key, now)?;
            reply(&|| of.tables(), &|| alert::page(frame, &of))
        }
        Place::Jobs => {
            let before = text("before").map(|text| {
                text.parse().map_err(|_| Problem::Bad(format!("`{text}` is not a number of a job.")))
            });
            let of = site::jobs::page(service, &shared.scheduler, &may_see, before.transpose()?)?;
            reply(&|| of.tables(), &|| jobs::page(frame, &of))
        }
        Place::Asset => Err(Problem::NotFound("There is no such file.".into())),
    }
}

/// Evidence as it is hashed, a record a line.
fn lines(text: String) -> Response {
    ([(header::CONTENT_TYPE, "application/jsonl")], Body::from(text)).into_response()
}

fn verdict(text: Option<&str>) -> Result<Option<Verdict>, Problem> {
    let Some(text) = text else { return Ok(None) };
    let all = [Verdict::Pass, Verdict::Warn, Verdict::Unknown, Verdict::Fail];
    let named = all.into_iter().find(|verdict| verdict.word() == text);
    let bad = || Problem::Bad(format!("`{text}` is no verdict; there are pass, warn, unknown and fail."));
    named.ok_or_else(bad).map(Some)
}

fn window(text: Option<&str>) -> Result<Option<Window>, Problem> {
    let parsed = text.map(|text| text.parse::<Window>().map_err(|error| Problem::Bad(error.to_string())));
    parsed.transpose()
}
