//! The API of tokens, users and the audit log.

use std::collections::BTreeSet;

use app::access::{self, AccessError, NewUser, TokenRequest, UserChange};
use axum::Json;
use axum::extract::rejection::{JsonRejection, QueryRejection};
use axum::extract::{Path, Query, State};
use axum::http::{HeaderMap, StatusCode};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use types::access::{Function, Reach, Role, Scope, Token, User};
use types::audit::AuditRecord;

use super::{ApiCaller, AuthState, Problem, setup_link};

/// Days that a token lasts where nothing is said.
const DAYS: u32 = 90;
const PAGE_DEFAULT: u32 = 100;
const PAGE_MAX: u32 = 1000;

#[derive(Debug, Serialize)]
pub(super) struct Items<T> {
    items: Vec<T>,
    /// What to give as `cursor` for the rest.
    #[serde(skip_serializing_if = "Option::is_none")]
    next: Option<String>,
}

impl<T> Items<T> {
    fn all(items: Vec<T>) -> Json<Self> {
        Json(Self { items, next: None })
    }
}

#[derive(Debug, Deserialize)]
pub(super) struct TokensQuery {
    /// Those of all accounts, for admins.
    #[serde(default)]
    all: bool,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct NewTokenBody {
    name: String,
    scopes: BTreeSet<Scope>,
    #[serde(default)]
    systems: Reach,
    #[serde(default)]
    days: Option<u32>,
}

#[derive(Debug, Serialize)]
pub(super) struct MadeToken {
    token: Token,
    /// Shown this once.
    text: String,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct NewUserBody {
    login: String,
    name: String,
    role: Role,
    #[serde(default)]
    functions: BTreeSet<Function>,
    #[serde(default)]
    systems: Reach,
}

#[derive(Debug, Serialize)]
pub(super) struct InvitedUser {
    user: User,
    /// Where the user chooses a password; shown this once.
    setup_link: String,
}

#[derive(Debug, Serialize)]
pub(super) struct Invitation {
    setup_link: String,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct UserChangeBody {
    name: Option<String>,
    role: Option<Role>,
    functions: Option<BTreeSet<Function>>,
    /// Left out, it stays; `null` means all.
    #[serde(default, deserialize_with = "some_reach")]
    systems: Option<Reach>,
    is_disabled: Option<bool>,
}

#[derive(Debug, Deserialize)]
pub(super) struct AuditQuery {
    limit: Option<u32>,
    cursor: Option<u64>,
}

/// `null` is a value here, unlike a field that is not there.
fn some_reach<'de, D: serde::Deserializer<'de>>(deserializer: D) -> Result<Option<Reach>, D::Error> {
    Reach::deserialize(deserializer).map(Some)
}

fn body<T>(sent: Result<Json<T>, JsonRejection>) -> Result<T, Problem> {
    sent.map(|Json(body)| body).map_err(|rejection| Problem::new(rejection.status(), rejection.body_text()))
}

fn query<T>(sent: Result<Query<T>, QueryRejection>) -> Result<T, Problem> {
    sent.map(|Query(query)| query)
        .map_err(|rejection| Problem::new(rejection.status(), rejection.body_text()))
}

fn problem(at: Timestamp) -> impl Fn(AccessError) -> Problem {
    move |error| Problem::of(&error, at)
}

pub(super) async fn tokens(
    State(state): State<AuthState>,
    caller: ApiCaller,
    sent: Result<Query<TokensQuery>, QueryRejection>,
) -> Result<Json<Items<Token>>, Problem> {
    let (at, all) = (caller.at, query(sent)?.all);
    let tokens = state.ask(move |store| access::tokens(store, caller.by(), all)).await;
    Ok(Items::all(tokens.map_err(problem(at))?))
}

pub(super) async fn issue_token(
    State(state): State<AuthState>,
    caller: ApiCaller,
    sent: Result<Json<NewTokenBody>, JsonRejection>,
) -> Result<(StatusCode, Json<MadeToken>), Problem> {
    let at = caller.at;
    let NewTokenBody { name, scopes, systems, days } = body(sent)?;
    let request = TokenRequest { name, scopes, systems, days: days.unwrap_or(DAYS) };
    let made = state.ask(move |store| access::issue_token(store, caller.by(), &request)).await;
    let (token, text) = made.map_err(problem(at))?;
    Ok((StatusCode::CREATED, Json(MadeToken { token, text: text.text().to_owned() })))
}

pub(super) async fn revoke_token(
    State(state): State<AuthState>,
    caller: ApiCaller,
    Path(id): Path<String>,
) -> Result<StatusCode, Problem> {
    let at = caller.at;
    let revoked = state.ask(move |store| access::revoke_token(store, caller.by(), &id)).await;
    revoked.map_err(problem(at))?;
    Ok(StatusCode::NO_CONTENT)
}

pub(super) async fn users(
    State(state): State<AuthState>,
    caller: ApiCaller,
) -> Result<Json<Items<User>>, Problem> {
    let at = caller.at;
    let users = state.ask(move |store| access::users(store, caller.by())).await;
    Ok(Items::all(users.map_err(problem(at))?))
}

pub(super) async fn create_user(
    State(state): State<AuthState>,
    caller: ApiCaller,
    headers: HeaderMap,
    sent: Result<Json<NewUserBody>, JsonRejection>,
) -> Result<(StatusCode, Json<InvitedUser>), Problem> {
    let at = caller.at;
    let NewUserBody { login, name, role, functions, systems } = body(sent)?;
    let new = NewUser { login, name, role, functions, systems };
    let created = state.ask(move |store| access::create_user(store, caller.by(), &new)).await;
    let (user, code) = created.map_err(problem(at))?;
    let setup_link = setup_link(&state, &headers, &code);
    Ok((StatusCode::CREATED, Json(InvitedUser { user, setup_link })))
}

pub(super) async fn change_user(
    State(state): State<AuthState>,
    caller: ApiCaller,
    Path(id): Path<String>,
    sent: Result<Json<UserChangeBody>, JsonRejection>,
) -> Result<Json<User>, Problem> {
    let at = caller.at;
    let UserChangeBody { name, role, functions, systems, is_disabled } = body(sent)?;
    let change = UserChange { name, role, functions, systems, is_disabled };
    let changed = state.ask(move |store| access::change_user(store, caller.by(), &id, &change)).await;
    Ok(Json(changed.map_err(problem(at))?))
}

pub(super) async fn invite(
    State(state): State<AuthState>,
    caller: ApiCaller,
    headers: HeaderMap,
    Path(id): Path<String>,
) -> Result<(StatusCode, Json<Invitation>), Problem> {
    let at = caller.at;
    let code = state.ask(move |store| access::invite(store, caller.by(), &id)).await.map_err(problem(at))?;
    Ok((StatusCode::CREATED, Json(Invitation { setup_link: setup_link(&state, &headers, &code) })))
}

pub(super) async fn audit_log(
    State(state): State<AuthState>,
    caller: ApiCaller,
    sent: Result<Query<AuditQuery>, QueryRejection>,
) -> Result<Json<Items<AuditRecord>>, Problem> {
    let at = caller.at;
    let AuditQuery { limit, cursor } = query(sent)?;
    let limit = limit.unwrap_or(PAGE_DEFAULT);
    if !(1..=PAGE_MAX).contains(&limit) {
        return Err(Problem::new(StatusCode::BAD_REQUEST, format!("`limit` is from 1 to {PAGE_MAX}")));
    }
    let page = state.ask(move |store| access::audit_log(store, caller.by(), cursor, limit)).await;
    let page = page.map_err(problem(at))?;
    Ok(Json(Items { items: page.records, next: page.next.map(|seq| seq.to_string()) }))
}
