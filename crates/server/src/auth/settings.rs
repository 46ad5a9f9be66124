//! Routes: the pages of one's account, of tokens, and of users.

use app::access::{self, AccessError, NewUser, TokenRequest, UserChange};
use axum::extract::{Path, State};
use axum::http::HeaderMap;
use axum::response::{IntoResponse as _, Redirect, Response};
use types::access::{Function, Reach, Role, Scope, WordError};
use view::site::{Frame, link};

use super::fields::Fields;
use super::login::{must_take_passwords, welcome};
use super::pages::{self, AccountPage, TokensPage, UserPage, UsersPage};
use super::{AuthState, Posted, Problem, Refusal, Signed, setup_link};

/// What stands around a settings page.
async fn frame(state: &AuthState, signed: &Signed, path: &str) -> Result<Frame, Problem> {
    let (caller, alerts) = (signed.caller.clone(), state.alerts.clone());
    let firing = state.ask(move |_| Ok(alerts(&caller))).await;
    Ok(pages::frame(signed, path, firing.map_err(|error| Problem::of(&error, signed.at))?))
}

pub(super) async fn account(State(state): State<AuthState>, signed: Signed) -> Result<Response, Refusal> {
    Ok(pages::show(account_page(&state, &signed, None).await?))
}

async fn account_page(state: &AuthState, signed: &Signed, error: Option<String>) -> Result<String, Problem> {
    let of = signed.clone();
    let kept = state.ask(move |store| {
        let identities = match of.caller.account() {
            Some(user) => access::identities(store, of.by(), &user.id)?,
            None => Vec::new(),
        };
        Ok((access::sessions(store, of.by())?, identities, access::has_password(store, of.by())?))
    });
    let (sessions, identities, has_password) = kept.await.map_err(|error| Problem::of(&error, signed.at))?;
    let page = AccountPage {
        sessions: &sessions,
        identities: &identities,
        has_password: has_password && state.login.has_passwords,
        provider: state.provider_name(),
        error: error.as_deref(),
    };
    Ok(pages::account(&frame(state, signed, link::ACCOUNT).await?, signed, &page))
}

pub(super) async fn change_password(
    State(state): State<AuthState>,
    headers: HeaderMap,
    posted: Posted,
) -> Result<Response, Refusal> {
    must_take_passwords(&state)?;
    let Posted { signed, fields } = posted;
    let browser =
        headers.get("user-agent").and_then(|value| value.to_str().ok()).unwrap_or_default().to_owned();
    let of = signed.clone();
    let changed = state
        .ask_hashing(move |store| {
            access::change_password(store, of.by(), fields.get("current"), fields.get("new"))?;
            let user = of.caller.account().ok_or(AccessError::NoAccount)?.clone();
            access::begin_session(store, user, &browser, of.address, of.at)
        })
        .await;
    match changed {
        Ok(session) => Ok(welcome(&state, &session, "/settings")),
        Err(error) => {
            let problem = shown(&error, &signed)?;
            Ok(pages::show_with(problem, account_page(&state, &signed, Some(error.to_string())).await?))
        }
    }
}

pub(super) async fn end_sessions(
    State(state): State<AuthState>,
    posted: Posted,
) -> Result<Response, Refusal> {
    let Signed { session, address, at, .. } = posted.signed;
    if let Some(session) = session {
        let ended = state.ask(move |store| access::end_other_sessions(store, &session, address, at)).await;
        ended.map_err(|error| Problem::of(&error, at))?;
    }
    Ok(Redirect::to("/settings").into_response())
}

pub(super) async fn tokens(State(state): State<AuthState>, signed: Signed) -> Result<Response, Refusal> {
    Ok(pages::show(tokens_page(&state, &signed, None, None).await?))
}

async fn tokens_page(
    state: &AuthState,
    signed: &Signed,
    made: Option<&str>,
    error: Option<String>,
) -> Result<String, Problem> {
    let of = signed.clone();
    let tokens = state.ask(move |store| access::tokens(store, of.by(), false)).await;
    let tokens = tokens.map_err(|error| Problem::of(&error, signed.at))?;
    let page = TokensPage { tokens: &tokens, made, error: error.as_deref() };
    Ok(pages::tokens(&frame(state, signed, link::TOKENS).await?, &page))
}

pub(super) async fn issue_token(State(state): State<AuthState>, posted: Posted) -> Result<Response, Refusal> {
    let Posted { signed, fields } = posted;
    let request = match token_request(&fields) {
        Ok(request) => request,
        Err(error) => {
            return Ok(unprocessable(tokens_page(&state, &signed, None, Some(error.to_string())).await?));
        }
    };
    let of = signed.clone();
    match state.ask(move |store| access::issue_token(store, of.by(), &request)).await {
        Ok((_, text)) => Ok(pages::show(tokens_page(&state, &signed, Some(text.text()), None).await?)),
        Err(error) => {
            let problem = shown(&error, &signed)?;
            Ok(pages::show_with(problem, tokens_page(&state, &signed, None, Some(error.to_string())).await?))
        }
    }
}

fn token_request(fields: &Fields) -> Result<TokenRequest, WordError> {
    Ok(TokenRequest {
        name: fields.get("name").into(),
        scopes: fields.all("scope").map(str::parse::<Scope>).collect::<Result<_, _>>()?,
        systems: reach(fields),
        // What is no number is refused as an expiry.
        days: fields.get("days").parse().unwrap_or_default(),
    })
}

pub(super) async fn revoke_token(
    State(state): State<AuthState>,
    Path(id): Path<String>,
    posted: Posted,
) -> Result<Response, Refusal> {
    let of = posted.signed;
    let at = of.at;
    let revoked = state.ask(move |store| access::revoke_token(store, of.by(), &id)).await;
    revoked.map_err(|error| Problem::of(&error, at))?;
    Ok(Redirect::to("/settings/tokens").into_response())
}

pub(super) async fn users(State(state): State<AuthState>, signed: Signed) -> Result<Response, Refusal> {
    Ok(pages::show(users_page(&state, &signed, None, None).await?))
}

async fn users_page(
    state: &AuthState,
    signed: &Signed,
    invitation: Option<&str>,
    error: Option<String>,
) -> Result<String, Problem> {
    let of = signed.clone();
    let users = state.ask(move |store| access::users(store, of.by())).await;
    let users = users.map_err(|error| Problem::of(&error, signed.at))?;
    let page = UsersPage { users: &users, invitation, error: error.as_deref() };
    Ok(pages::users(&frame(state, signed, link::USERS).await?, &page))
}

pub(super) async fn create_user(
    State(state): State<AuthState>,
    headers: HeaderMap,
    posted: Posted,
) -> Result<Response, Refusal> {
    let Posted { signed, fields } = posted;
    let new = match new_user(&fields) {
        Ok(new) => new,
        Err(error) => {
            return Ok(unprocessable(users_page(&state, &signed, None, Some(error.to_string())).await?));
        }
    };
    let of = signed.clone();
    let created = state.ask(move |store| access::create_user(store, of.by(), &new)).await;
    after_inviting(&state, &signed, &headers, created.map(|(_, code)| code)).await
}

fn new_user(fields: &Fields) -> Result<NewUser, WordError> {
    Ok(NewUser {
        login: fields.get("email").into(),
        name: fields.get("name").into(),
        role: fields.get("role").parse::<Role>()?,
        functions: fields.all("function").map(str::parse::<Function>).collect::<Result<_, _>>()?,
        systems: reach(fields),
    })
}

pub(super) async fn invite(
    State(state): State<AuthState>,
    Path(id): Path<String>,
    headers: HeaderMap,
    posted: Posted,
) -> Result<Response, Refusal> {
    let signed = posted.signed;
    let of = signed.clone();
    let invited = state.ask(move |store| access::invite(store, of.by(), &id)).await;
    after_inviting(&state, &signed, &headers, invited).await
}

async fn after_inviting(
    state: &AuthState,
    signed: &Signed,
    headers: &HeaderMap,
    invited: Result<access::Secret, AccessError>,
) -> Result<Response, Refusal> {
    match invited {
        Ok(code) => {
            let link = setup_link(state, headers, &code);
            Ok(pages::show(users_page(state, signed, Some(&link), None).await?))
        }
        Err(error) => {
            let problem = shown(&error, signed)?;
            Ok(pages::show_with(problem, users_page(state, signed, None, Some(error.to_string())).await?))
        }
    }
}

pub(super) async fn change_user(
    State(state): State<AuthState>,
    Path(id): Path<String>,
    posted: Posted,
) -> Result<Response, Refusal> {
    let Posted { signed, fields } = posted;
    let change = match user_change(&fields) {
        Ok(change) => change,
        Err(error) => {
            return Ok(unprocessable(users_page(&state, &signed, None, Some(error.to_string())).await?));
        }
    };
    let of = signed.clone();
    match state.ask(move |store| access::change_user(store, of.by(), &id, &change)).await {
        Ok(_) => Ok(Redirect::to("/settings/users").into_response()),
        Err(error) => {
            let problem = shown(&error, &signed)?;
            Ok(pages::show_with(problem, users_page(&state, &signed, None, Some(error.to_string())).await?))
        }
    }
}

/// The forms that change a user.
pub(super) async fn user(
    State(state): State<AuthState>,
    Path(id): Path<String>,
    signed: Signed,
) -> Result<Response, Refusal> {
    Ok(pages::show(user_page(&state, &signed, id, None).await?))
}

async fn user_page(
    state: &AuthState,
    signed: &Signed,
    id: String,
    error: Option<String>,
) -> Result<String, Problem> {
    let (of, path) = (signed.clone(), link::user(&id));
    let found = state.ask(move |store| {
        let user = access::users(store, of.by())?.into_iter().find(|user| user.id == id);
        let identities = access::identities(store, of.by(), &id)?;
        Ok(user.map(|user| (user, identities)))
    });
    let found = found.await.map_err(|error| Problem::of(&error, signed.at))?;
    let (user, identities) = found.ok_or_else(|| Problem::not_found("There is no such user."))?;
    let page = UserPage {
        user: &user,
        systems: &state.systems,
        identities: &identities,
        provider: state.provider_name(),
        error: error.as_deref(),
    };
    Ok(pages::user(&frame(state, signed, &path).await?, &page))
}

/// Lets somebody at the provider into a user's account.
pub(super) async fn link(
    State(state): State<AuthState>,
    Path(id): Path<String>,
    posted: Posted,
) -> Result<Response, Refusal> {
    let Posted { signed, fields } = posted;
    let missing = || Problem::not_found("Nobody signs in by a provider here.");
    let settings = state.provider().map(|provider| provider.settings().clone()).ok_or_else(missing)?;
    let (of, user) = (signed.clone(), id.clone());
    let linked =
        state.ask(move |store| access::link(store, of.by(), &settings, &user, fields.get("subject"))).await;
    after_identity(&state, &signed, id, linked).await
}

/// Keeps somebody at a provider out of a user's account.
pub(super) async fn unlink(
    State(state): State<AuthState>,
    Path(id): Path<String>,
    posted: Posted,
) -> Result<Response, Refusal> {
    let Posted { signed, fields } = posted;
    let (of, user) = (signed.clone(), id.clone());
    let unlinked = state
        .ask(move |store| access::unlink(store, of.by(), &user, fields.get("issuer"), fields.get("subject")));
    after_identity(&state, &signed, id, unlinked.await).await
}

/// Says whether groups at a provider decide what a user may do.
pub(super) async fn follow_groups(
    State(state): State<AuthState>,
    Path(id): Path<String>,
    posted: Posted,
) -> Result<Response, Refusal> {
    let Posted { signed, fields } = posted;
    let (of, user) = (signed.clone(), id.clone());
    let changed = state.ask(move |store| {
        let identity = (fields.get("issuer"), fields.get("subject"));
        access::follow_groups(store, of.by(), &user, identity, !fields.get("follows").is_empty())
    });
    after_identity(&state, &signed, id, changed.await).await
}

async fn after_identity(
    state: &AuthState,
    signed: &Signed,
    id: String,
    changed: Result<(), AccessError>,
) -> Result<Response, Refusal> {
    match changed {
        Ok(()) => Ok(Redirect::to(&link::user(&id)).into_response()),
        Err(error) => {
            let problem = shown(&error, signed)?;
            Ok(pages::show_with(problem, user_page(state, signed, id, Some(error.to_string())).await?))
        }
    }
}

/// What the form says: of a user everything but the name.
fn user_change(fields: &Fields) -> Result<UserChange, WordError> {
    let functions = fields.all("function").map(str::parse::<Function>).collect::<Result<_, _>>()?;
    Ok(UserChange {
        name: None,
        role: Some(fields.get("role").parse::<Role>()?),
        functions: Some(functions),
        systems: Some(reach(fields)),
        is_disabled: Some(fields.get("active").is_empty()),
    })
}

/// The systems that were chosen; none means all.
fn reach(fields: &Fields) -> Reach {
    let split = fields.all("system").filter(|system| !system.is_empty());
    match Reach::only(split) {
        Reach::Only(systems) if systems.is_empty() => Reach::All,
        reach => reach,
    }
}

fn unprocessable(page: String) -> Response {
    pages::show_with(Problem::new(axum::http::StatusCode::UNPROCESSABLE_ENTITY, ""), page)
}

/// What the page itself can say; a failure of the server, and what the caller may not do at all, has a page
/// of its own.
fn shown(error: &AccessError, signed: &Signed) -> Result<Problem, Refusal> {
    let problem = Problem::of(error, signed.at);
    if problem.status.is_client_error() && !matches!(error, AccessError::Forbidden { .. }) {
        Ok(problem)
    } else {
        Err(problem.into())
    }
}
