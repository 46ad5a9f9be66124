//! Routes: signing in and out, and the links that let somebody choose a password.

use std::net::IpAddr;

use app::access::{self, AccessError, Invited, LoginAttempt, NewAdmin, Session};
use axum::extract::{FromRef, FromRequestParts, State};
use axum::http::header::{HeaderMap, SET_COOKIE, USER_AGENT};
use axum::http::request::Parts;
use axum::http::{HeaderValue, StatusCode, Uri};
use axum::response::{IntoResponse as _, Redirect, Response};
use jiff::Timestamp;

use super::fields::Fields;
use super::local_path::local_path;
use super::pages::{self, LoginPage, SetupPage};
use super::{AuthMode, AuthState, Posted, Problem, Refusal, Signed, address, cookie};

/// Where a request comes from, whoever sends it.
#[derive(Clone, Debug)]
pub(super) struct Sender {
    address: Option<IpAddr>,
    browser: String,
    at: Timestamp,
}

impl<S> FromRequestParts<S> for Sender
where
    S: Send + Sync,
    AuthState: FromRef<S>,
{
    type Rejection = std::convert::Infallible;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Self::Rejection> {
        let state = AuthState::from_ref(state);
        let browser = parts.headers.get(USER_AGENT).and_then(|value| value.to_str().ok()).unwrap_or_default();
        let address = address::client(parts, &state.settings.proxies);
        Ok(Self { address, browser: browser.to_owned(), at: state.now() })
    }
}

pub(super) async fn page(signed: Result<Signed, Refusal>, uri: Uri) -> Result<Response, Refusal> {
    let query = query(&uri);
    let next = query.get("next");
    match signed {
        Ok(_) => Ok(Redirect::to(local_path(next)).into_response()),
        Err(Refusal::SignIn { .. }) => {
            Ok(pages::show(pages::login(&LoginPage { back: local_path(next), ..LoginPage::default() })))
        }
        Err(refusal) => Err(refusal),
    }
}

pub(super) async fn log_in(
    State(state): State<AuthState>,
    from: Sender,
    fields: Fields,
) -> Result<Response, Refusal> {
    if state.settings.mode == AuthMode::Insecure {
        return Ok(Redirect::to("/").into_response());
    }
    let at = from.at;
    let sent = fields.clone();
    let session = state
        .ask_hashing(move |store| {
            let attempt = LoginAttempt {
                login: sent.get("email"),
                password: sent.get("password"),
                browser: &from.browser,
                address: from.address,
            };
            access::log_in(store, attempt, at)
        })
        .await;
    let back = local_path(fields.get("back"));
    match session {
        Ok(session) => Ok(welcome(&state, &session, back)),
        Err(error @ (AccessError::WrongPassword | AccessError::Wait { .. })) => {
            let page = LoginPage { email: fields.get("email"), error: Some(error.to_string()), back };
            let mut problem = Problem::of(&error, at);
            if matches!(error, AccessError::WrongPassword) {
                problem.status = StatusCode::UNAUTHORIZED;
            }
            Ok(pages::show_with(problem, pages::login(&page)))
        }
        Err(error) => Err(Problem::of(&error, at).into()),
    }
}

pub(super) async fn log_out(State(state): State<AuthState>, posted: Posted) -> Result<Response, Refusal> {
    let Posted { signed, .. } = posted;
    let Signed { session, address, at, .. } = signed;
    if let Some(session) = session {
        let ended = state.ask(move |store| access::log_out(store, &session, address, at)).await;
        ended.map_err(|error| Problem::of(&error, at))?;
    }
    let mut response = Redirect::to("/login").into_response();
    set_cookie(response.headers_mut(), cookie::forget(state.settings.is_https));
    Ok(response)
}

pub(super) async fn setup_page(
    State(state): State<AuthState>,
    from: Sender,
    uri: Uri,
) -> Result<Response, Refusal> {
    let query = query(&uri);
    let code = query.get("code");
    let invited = invited(&state, code, from.at).await?;
    Ok(pages::show(pages::setup(&setup_of(code, &invited))))
}

pub(super) async fn set_up(
    State(state): State<AuthState>,
    from: Sender,
    fields: Fields,
) -> Result<Response, Refusal> {
    let at = from.at;
    let invited = invited(&state, fields.get("token"), at).await?;
    let (sent, is_first) = (fields.clone(), invited == Invited::FirstAdmin);
    let session = state
        .ask_hashing(move |store| {
            let (code, password) = (sent.get("token"), sent.get("password"));
            let user = if is_first {
                let new = NewAdmin { login: sent.get("email"), name: sent.get("name"), password };
                access::set_up(store, code, new, from.address, at)?
            } else {
                access::accept(store, code, password, from.address, at)?
            };
            access::begin_session(store, user, &from.browser, from.address, at)
        })
        .await;
    match session {
        Ok(session) => Ok(welcome(&state, &session, "/")),
        Err(error) => {
            let problem = Problem::of(&error, at);
            if !problem.status.is_client_error() || matches!(error, AccessError::Link) {
                return Err(problem.into());
            }
            let mut page = setup_of(fields.get("token"), &invited);
            page.error = Some(error.to_string());
            if is_first {
                (page.name, page.email) = (fields.get("name"), fields.get("email"));
            }
            Ok(pages::show_with(problem, pages::setup(&page)))
        }
    }
}

fn query(uri: &Uri) -> Fields {
    Fields::of(uri.query().unwrap_or_default().as_bytes())
}

async fn invited(state: &AuthState, code: &str, at: Timestamp) -> Result<Invited, Problem> {
    let code = code.to_owned();
    let invited = state.ask(move |store| access::invited(store, &code, at)).await;
    invited.map_err(|error| Problem::of(&error, at))
}

fn setup_of<'a>(code: &'a str, invited: &'a Invited) -> SetupPage<'a> {
    let (name, email, is_invitation) = match invited {
        Invited::FirstAdmin => ("", "", false),
        Invited::User(user) => (user.name.as_str(), user.login.as_str(), true),
    };
    SetupPage { token: code, name, email, is_invitation, error: None }
}

/// Hands the browser its session. The secret is new, so one that somebody planted before is of no use.
pub(super) fn welcome(state: &AuthState, session: &Session, next: &str) -> Response {
    let mut response = Redirect::to(next).into_response();
    set_cookie(response.headers_mut(), cookie::keep(&session.secret, state.settings.is_https));
    response
}

fn set_cookie(headers: &mut HeaderMap, cookie: Option<HeaderValue>) {
    if let Some(cookie) = cookie {
        headers.append(SET_COOKIE, cookie);
    }
}
