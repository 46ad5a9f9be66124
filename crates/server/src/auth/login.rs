//! Routes: signing in and out, and the links that let somebody choose a password.

use std::net::IpAddr;

use app::access::{self, AccessError, Invited, LoginAttempt, NewAdmin, Session};
use axum::extract::{FromRef, FromRequestParts, State};
use axum::http::header::{HeaderMap, SET_COOKIE, USER_AGENT};
use axum::http::request::Parts;
use axum::http::{HeaderValue, StatusCode, Uri};
use axum::response::{IntoResponse as _, Redirect, Response};
use jiff::Timestamp;
use view::site::{Theme, link};

use super::fields::Fields;
use super::local_path::local_path;
use super::pages::{self, LoginPage, SetupPage};
use super::{AuthMode, AuthState, Posted, Problem, Refusal, Signed, address, cookie};

/// Where a request comes from, whoever sends it.
#[derive(Clone, Debug)]
pub(super) struct Sender {
    pub(super) address: Option<IpAddr>,
    pub(super) browser: String,
    /// How they want pages to look.
    pub(super) theme: Theme,
    pub(super) at: Timestamp,
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
        let theme = crate::cookie::theme(&parts.headers);
        Ok(Self { address, browser: browser.to_owned(), theme, at: state.now() })
    }
}

pub(super) async fn page(
    State(state): State<AuthState>,
    from: Sender,
    signed: Result<Signed, Refusal>,
    uri: Uri,
) -> Result<Response, Refusal> {
    let query = query(&uri);
    let next = query.get("next");
    match signed {
        Ok(_) => Ok(Redirect::to(local_path(next)).into_response()),
        Err(Refusal::SignIn { .. }) => {
            Ok(pages::show(pages::login(&LoginPage::of(&state, &from, local_path(next)))))
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
    must_take_passwords(&state)?;
    let at = from.at;
    let (sent, sender) = (fields.clone(), from.clone());
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
            let mut page = LoginPage::of(&state, &sender, back);
            (page.email, page.error) = (fields.get("email"), Some(error.to_string()));
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
    let mut next = link::LOGIN;
    if let Some(session) = session {
        if session.issuer.is_some() && state.provider().is_some() {
            next = link::SIGNED_OUT;
        }
        let ended = state.ask(move |store| access::log_out(store, &session, address, at)).await;
        ended.map_err(|error| Problem::of(&error, at))?;
    }
    let mut response = Redirect::to(next).into_response();
    set_cookie(response.headers_mut(), cookie::forget(state.settings.is_https));
    Ok(response)
}

pub(super) async fn setup_page(
    State(state): State<AuthState>,
    from: Sender,
    uri: Uri,
) -> Result<Response, Refusal> {
    must_take_passwords(&state)?;
    let query = query(&uri);
    let code = query.get("code");
    let invited = invited(&state, code, from.at).await?;
    Ok(pages::show(pages::setup(&setup_of(code, &invited, from.theme))))
}

pub(super) async fn set_up(
    State(state): State<AuthState>,
    from: Sender,
    fields: Fields,
) -> Result<Response, Refusal> {
    must_take_passwords(&state)?;
    let (at, theme) = (from.at, from.theme);
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
            let mut page = setup_of(fields.get("token"), &invited, theme);
            page.error = Some(error.to_string());
            if is_first {
                (page.name, page.email) = (fields.get("name"), fields.get("email"));
            }
            Ok(pages::show_with(problem, pages::setup(&page)))
        }
    }
}

/// Where passwords let nobody in, neither is there one to choose.
pub(super) fn must_take_passwords(state: &AuthState) -> Result<(), Problem> {
    if state.login.has_passwords {
        return Ok(());
    }
    let provider = state.provider_name().unwrap_or("the provider");
    Err(Problem::new(
        StatusCode::FORBIDDEN,
        format!("Passwords let nobody in here: sign in with {provider}."),
    ))
}

pub(super) fn query(uri: &Uri) -> Fields {
    Fields::of(uri.query().unwrap_or_default().as_bytes())
}

async fn invited(state: &AuthState, code: &str, at: Timestamp) -> Result<Invited, Problem> {
    let code = code.to_owned();
    let invited = state.ask(move |store| access::invited(store, &code, at)).await;
    invited.map_err(|error| Problem::of(&error, at))
}

fn setup_of<'a>(code: &'a str, invited: &'a Invited, theme: Theme) -> SetupPage<'a> {
    let (name, email, is_invitation) = match invited {
        Invited::FirstAdmin => ("", "", false),
        Invited::User(user) => (user.name.as_str(), user.login.as_str(), true),
    };
    SetupPage { token: code, name, email, is_invitation, error: None, theme }
}

/// Hands the browser its session. The secret is new, so one that somebody planted before is of no use.
pub(super) fn welcome(state: &AuthState, session: &Session, next: &str) -> Response {
    let mut response = Redirect::to(next).into_response();
    set_cookie(response.headers_mut(), cookie::keep(&session.secret, state.settings.is_https));
    response
}

pub(super) fn set_cookie(headers: &mut HeaderMap, cookie: Option<HeaderValue>) {
    if let Some(cookie) = cookie {
        headers.append(SET_COOKIE, cookie);
    }
}
