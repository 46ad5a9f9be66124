//! Extractors: who is behind a request, and that it came from a page of ours where it must.

use std::net::IpAddr;

use app::access::{self, AccessError, By, Session};
use axum::extract::{FromRef, FromRequest, FromRequestParts, Request};
use axum::http::header::{AUTHORIZATION, HeaderMap};
use axum::http::request::Parts;
use axum::http::{Method, StatusCode};
use axum::response::{IntoResponse, Redirect, Response};
use jiff::Timestamp;
use types::Digest;
use types::access::{Action, Caller};
use view::site::Theme;

use super::fields::Fields;
use super::local_path::login_path;
use super::{AuthMode, AuthState, Problem, address, cookie, pages};

/// The field of a form, and the header, that carry the session's proof.
const CSRF_FIELD: &str = "csrf";
const CSRF_HEADER: &str = "x-csrf-token";

/// Somebody who reads a page. Where the request may change something, it must carry the header
/// `X-CSRF-Token`; forms come as [`Posted`].
#[derive(Clone, Debug)]
pub struct Signed {
    pub caller: Caller,
    /// For the forms of the page.
    pub csrf: String,
    /// How they want pages to look.
    pub theme: Theme,
    /// None where nobody signs in.
    pub session: Option<Session>,
    pub address: Option<IpAddr>,
    pub at: Timestamp,
}

/// A form of a page, sent by somebody who signed in.
#[derive(Clone, Debug)]
pub struct Posted {
    pub signed: Signed,
    pub fields: Fields,
}

/// Who calls the API: by a token, or by a page's script with the session and `X-CSRF-Token`.
#[derive(Clone, Debug)]
pub struct ApiCaller {
    pub caller: Caller,
    pub address: Option<IpAddr>,
    pub at: Timestamp,
}

/// Why a page is not shown.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Refusal {
    /// Sign in first; then come back to a path.
    SignIn {
        next: String,
    },
    Problem(Box<Problem>),
}

impl From<Problem> for Refusal {
    fn from(problem: Problem) -> Self {
        Self::Problem(Box::new(problem))
    }
}

impl IntoResponse for Refusal {
    fn into_response(self) -> Response {
        match self {
            Self::SignIn { next } => Redirect::to(&login_path(&next)).into_response(),
            Self::Problem(problem) => {
                let page = pages::problem(&problem);
                problem.respond(pages::HTML, page)
            }
        }
    }
}

impl Signed {
    pub fn by(&self) -> By<'_> {
        By { caller: &self.caller, address: self.address, at: self.at }
    }

    /// # Errors
    /// The caller may not; a system beyond their reach is not there for them.
    pub fn must(&self, action: Action, system: Option<&str>) -> Result<(), Problem> {
        must(&self.caller, action, system)
    }
}

impl ApiCaller {
    pub fn by(&self) -> By<'_> {
        By { caller: &self.caller, address: self.address, at: self.at }
    }

    /// # Errors
    /// The caller may not; a system beyond their reach is not there for them.
    pub fn must(&self, action: Action, system: Option<&str>) -> Result<(), Problem> {
        must(&self.caller, action, system)
    }
}

fn must(caller: &Caller, action: Action, system: Option<&str>) -> Result<(), Problem> {
    if caller.may(action, system) {
        return Ok(());
    }
    match system {
        Some(system) if !caller.permission.reach.includes(system) => {
            Err(Problem::new(StatusCode::NOT_FOUND, format!("there is no system `{system}`")))
        }
        _ => {
            let lacks_scope =
                caller.permission.role >= action.least_role() && caller.permission.scopes.is_some();
            let detail = if lacks_scope {
                format!("the token may not {}: that takes the scope {}", action.shown(), action.scope())
            } else {
                AccessError::Forbidden { action }.to_string()
            };
            Err(Problem::new(StatusCode::FORBIDDEN, detail))
        }
    }
}

/// Who is signed in by the cookie; nobody without a good one.
async fn signed(state: &AuthState, parts: &Parts) -> Result<Option<Signed>, Problem> {
    let at = state.now();
    let address = address::client(parts, &state.settings.proxies);
    let theme = crate::cookie::theme(&parts.headers);
    if state.settings.mode == AuthMode::Insecure {
        let csrf = state.process.csrf();
        return Ok(Some(Signed { caller: Caller::local(), csrf, theme, session: None, address, at }));
    }
    let Some(secret) = cookie::secret(&parts.headers, state.settings.is_https) else { return Ok(None) };
    let secret = secret.to_owned();
    let session = state.ask(move |store| access::session(store, &secret, at)).await;
    let session = session.map_err(|error| Problem::of(&error, at))?;
    Ok(session.map(|session| Signed {
        caller: Caller::person(session.user.clone()),
        csrf: session.secret.csrf(),
        theme,
        session: Some(session),
        address,
        at,
    }))
}

/// The proof is compared by digest, so that time does not tell how much of it was right.
fn check_csrf(expected: &str, given: &str) -> Result<(), Problem> {
    if Digest::of(expected.as_bytes()) == Digest::of(given.as_bytes()) {
        return Ok(());
    }
    Err(Problem::new(
        StatusCode::FORBIDDEN,
        "the form is not of this session: load the page again and repeat",
    ))
}

fn csrf_header(headers: &HeaderMap) -> &str {
    headers.get(CSRF_HEADER).and_then(|value| value.to_str().ok()).unwrap_or_default()
}

fn sign_in(parts: &Parts) -> Refusal {
    let next =
        if parts.method == Method::GET { parts.uri.path_and_query().map(ToString::to_string) } else { None };
    Refusal::SignIn { next: next.unwrap_or_default() }
}

impl<S> FromRequestParts<S> for Signed
where
    S: Send + Sync,
    AuthState: FromRef<S>,
{
    type Rejection = Refusal;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Refusal> {
        let state = AuthState::from_ref(state);
        let signed = signed(&state, parts).await?.ok_or_else(|| sign_in(parts))?;
        if !parts.method.is_safe() {
            check_csrf(&signed.csrf, csrf_header(&parts.headers))?;
        }
        Ok(signed)
    }
}

impl<S> FromRequest<S> for Posted
where
    S: Send + Sync,
    AuthState: FromRef<S>,
{
    type Rejection = Refusal;

    async fn from_request(request: Request, state: &S) -> Result<Self, Refusal> {
        let state = AuthState::from_ref(state);
        let (parts, body) = request.into_parts();
        let signed = signed(&state, &parts).await?.ok_or_else(|| sign_in(&parts))?;
        let fields = Fields::read(&parts.headers, body).await?;
        let given = match csrf_header(&parts.headers) {
            "" => fields.get(CSRF_FIELD),
            header => header,
        };
        check_csrf(&signed.csrf, given)?;
        Ok(Self { signed, fields })
    }
}

impl<S> FromRequestParts<S> for ApiCaller
where
    S: Send + Sync,
    AuthState: FromRef<S>,
{
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Problem> {
        let state = AuthState::from_ref(state);
        let at = state.now();
        if state.settings.mode == AuthMode::Accounts && parts.headers.contains_key(AUTHORIZATION) {
            let token = bearer(&parts.headers).ok_or_else(|| {
                Problem::unauthorized(
                    "`Authorization` must be `Bearer fw_…`: make a token in the settings",
                    true,
                )
            })?;
            let found = state.ask(move |store| access::token_caller(store, &token, at)).await;
            let caller = found.map_err(|error| Problem::of(&error, at))?;
            return Ok(Self { caller, address: address::client(parts, &state.settings.proxies), at });
        }
        let signed = signed(&state, parts).await?.ok_or_else(|| {
            Problem::unauthorized(
                "sign in, or send `Authorization: Bearer fw_…` with a token from the settings",
                false,
            )
        })?;
        // Where nobody signs in, programs call without a token; pages of other sites were refused before.
        if !parts.method.is_safe() && signed.session.is_some() {
            check_csrf(&signed.csrf, csrf_header(&parts.headers))?;
        }
        Ok(Self { caller: signed.caller, address: signed.address, at })
    }
}

fn bearer(headers: &HeaderMap) -> Option<String> {
    let text = headers.get(AUTHORIZATION)?.to_str().ok()?;
    let (scheme, token) = text.split_once(' ')?;
    scheme.eq_ignore_ascii_case("bearer").then(|| token.trim().to_owned())
}
