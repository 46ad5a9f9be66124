//! The API of tokens, users and the audit log.

use std::collections::BTreeSet;

use app::access::{self, AccessError, DAYS_MAX, NewUser, TokenRequest, UserChange};
use axum::extract::{FromRef, State};
use axum::http::{HeaderMap, StatusCode};
use jiff::Timestamp;
use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::{Deserialize, Serialize};
use types::access::{Function, Reach, Role, Scope, Token, User};
use types::audit::AuditRecord;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::{ApiCaller, AuthState, Problem, setup_link};
use crate::asked::{Asked, Body, Nothing, Segments, whole};
use crate::items::{Cursor, Limit, Part, PartQuery};
use crate::reply::Reply;

/// Days that a token lasts where nothing is said.
const DAYS: u32 = 90;

#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct TokensQuery {
    /// Those of all accounts, for admins.
    #[serde(default)]
    all: bool,
    /// How many items to give at most.
    #[serde(default)]
    limit: Limit,
    /// Where to go on: the `next` of the part before.
    #[serde(default)]
    cursor: Cursor,
}

/// A token that is wanted. It acts for the caller's account.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(rename = "NewToken")]
pub(super) struct NewTokenBody {
    /// What it is for.
    #[schemars(schema_with = "name")]
    name: String,
    #[schemars(length(min = 1))]
    scopes: BTreeSet<Scope>,
    /// The systems that it is limited to; all where nothing is said.
    #[serde(default)]
    systems: Reach,
    #[serde(default = "days", deserialize_with = "whole")]
    #[schemars(range(min = 1, max = DAYS_MAX))]
    days: u32,
}

#[derive(Debug, Serialize, JsonSchema)]
pub(super) struct MadeToken {
    token: Token,
    /// Shown this once.
    text: String,
}

/// Somebody who is to be let in.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(rename = "NewUser")]
pub(super) struct NewUserBody {
    /// E-mail address or login name.
    #[schemars(schema_with = "login")]
    login: String,
    #[schemars(schema_with = "name")]
    name: String,
    role: Role,
    #[serde(default)]
    functions: BTreeSet<Function>,
    /// The systems that the account is limited to; all where nothing is said. An admin is limited to none.
    #[serde(default)]
    systems: Reach,
}

#[derive(Debug, Serialize, JsonSchema)]
pub(super) struct InvitedUser {
    user: User,
    /// Where the user chooses a password; shown this once.
    setup_link: String,
}

#[derive(Debug, Serialize, JsonSchema)]
pub(super) struct Invitation {
    /// Where the user chooses a password; shown this once.
    setup_link: String,
}

/// What is to change of an account; what is left out stays.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(rename = "UserChange")]
pub(super) struct UserChangeBody {
    #[serde(default)]
    #[schemars(schema_with = "name_or_null")]
    name: Option<String>,
    role: Option<Role>,
    functions: Option<BTreeSet<Function>>,
    /// Left out, it stays; `null` means all.
    #[serde(default, deserialize_with = "some_reach")]
    #[schemars(with = "Reach")]
    systems: Option<Reach>,
    is_disabled: Option<bool>,
}

pub(super) type Tokens = Part<Token>;
pub(super) type TokensAsked = Asked<TokensQuery>;
pub(super) type NewTokenSent = Body<NewTokenBody>;
pub(super) type TokenMade = Reply<MadeToken>;
pub(super) type Users = Part<User>;
pub(super) type OneUser = Reply<User>;
pub(super) type NewUserSent = Body<NewUserBody>;
pub(super) type UserMade = Reply<InvitedUser>;
pub(super) type UserChangeSent = Body<UserChangeBody>;
pub(super) type Invited = Reply<Invitation>;
pub(super) type AuditRecords = Part<AuditRecord>;
pub(super) type PartAsked = Asked<PartQuery>;

fn days() -> u32 {
    DAYS
}

/// `app::access` holds names to the same.
fn name(_: &mut SchemaGenerator) -> Schema {
    json_schema!({ "type": "string", "pattern": NAME, "maxLength": 100 })
}

fn name_or_null(_: &mut SchemaGenerator) -> Schema {
    json_schema!({ "type": ["string", "null"], "pattern": NAME, "maxLength": 100 })
}

fn login(_: &mut SchemaGenerator) -> Schema {
    json_schema!({ "type": "string", "pattern": r"^[^\s\x00-\x1f\x7f-\x9f]+$", "maxLength": 254 })
}

/// Something that can be seen, and no control characters.
const NAME: &str = r"^[^\x00-\x1f\x7f-\x9f]*[^\s\x00-\x1f\x7f-\x9f][^\x00-\x1f\x7f-\x9f]*$";

/// `null` is a value here, unlike a field that is not there.
fn some_reach<'de, D: serde::Deserializer<'de>>(deserializer: D) -> Result<Option<Reach>, D::Error> {
    Reach::deserialize(deserializer).map(Some)
}

fn problem(at: Timestamp) -> impl Fn(AccessError) -> Problem {
    move |error| Problem::of(&error, at)
}

/// The routes, below `/api/v1`.
pub(crate) fn router<S>() -> OpenApiRouter<S>
where
    S: Clone + Send + Sync + 'static,
    AuthState: FromRef<S>,
{
    OpenApiRouter::new()
        .routes(routes!(tokens, issue_token))
        .routes(routes!(revoke_token))
        .routes(routes!(users, create_user))
        .routes(routes!(change_user))
        .routes(routes!(invite))
        .routes(routes!(audit_log))
}

/// Tokens, without their texts.
///
/// The caller's own, or for admins those of all. Oldest first.
#[utoipa::path(get, path = "/tokens", operation_id = "list_tokens", tag = "access", params(TokensAsked),
    responses((status = 200, description = "Tokens, oldest first.", body = Tokens)))]
pub(super) async fn tokens(
    State(state): State<AuthState>,
    caller: ApiCaller,
    asked: TokensAsked,
) -> Result<Tokens, Problem> {
    let (at, all) = (caller.at, asked.all);
    let tokens = state.ask(move |store| access::tokens(store, caller.by(), all)).await;
    Ok(Part::of(&asked.uri, tokens.map_err(problem(at))?, asked.limit, asked.cursor))
}

/// Makes a token.
///
/// Its text is in the answer and nowhere else. A token makes no tokens, unless it has the scope `admin`.
#[utoipa::path(post, path = "/tokens", operation_id = "create_token", tag = "access", request_body = NewTokenSent,
    responses((status = 201, description = "The token with its text.", body = TokenMade),
        (status = 409, description = "Nobody signs in here, and tokens belong to accounts.")))]
pub(super) async fn issue_token(
    State(state): State<AuthState>,
    caller: ApiCaller,
    _: Asked<Nothing>,
    Body(body): NewTokenSent,
) -> Result<(StatusCode, TokenMade), Problem> {
    let at = caller.at;
    let NewTokenBody { name, scopes, systems, days } = body;
    let request = TokenRequest { name, scopes, systems, days };
    let made = state.ask(move |store| access::issue_token(store, caller.by(), &request)).await;
    let (token, text) = made.map_err(problem(at))?;
    Ok((StatusCode::CREATED, Reply(MadeToken { token, text: text.text().to_owned() })))
}

/// Ends a token for good.
///
/// One's own, or for admins anybody's.
#[utoipa::path(delete, path = "/tokens/{id}", operation_id = "revoke_token", tag = "access",
    params(("id" = String, Path, description = "The token's id.")),
    responses((status = 204, description = "It lets nobody in any more.")))]
pub(super) async fn revoke_token(
    State(state): State<AuthState>,
    caller: ApiCaller,
    Segments(id): Segments<String>,
    _: Asked<Nothing>,
) -> Result<StatusCode, Problem> {
    let at = caller.at;
    let revoked = state.ask(move |store| access::revoke_token(store, caller.by(), &id)).await;
    revoked.map_err(problem(at))?;
    Ok(StatusCode::NO_CONTENT)
}

/// All accounts, for admins.
#[utoipa::path(get, path = "/users", operation_id = "list_users", tag = "access", params(PartAsked),
    responses((status = 200, description = "Accounts, by login.", body = Users)))]
pub(super) async fn users(
    State(state): State<AuthState>,
    caller: ApiCaller,
    asked: PartAsked,
) -> Result<Users, Problem> {
    let at = caller.at;
    let users = state.ask(move |store| access::users(store, caller.by())).await;
    Ok(Part::of(&asked.uri, users.map_err(problem(at))?, asked.limit, asked.cursor))
}

/// Makes an account.
///
/// The answer has the link with which its owner chooses a password.
#[utoipa::path(post, path = "/users", operation_id = "create_user", tag = "access", request_body = NewUserSent,
    responses((status = 201, description = "The account with its link.", body = UserMade),
        (status = 409, description = "There is an account with this login.")))]
pub(super) async fn create_user(
    State(state): State<AuthState>,
    caller: ApiCaller,
    headers: HeaderMap,
    _: Asked<Nothing>,
    Body(body): NewUserSent,
) -> Result<(StatusCode, UserMade), Problem> {
    let at = caller.at;
    let NewUserBody { login, name, role, functions, systems } = body;
    let new = NewUser { login, name, role, functions, systems };
    let created = state.ask(move |store| access::create_user(store, caller.by(), &new)).await;
    let (user, code) = created.map_err(problem(at))?;
    let setup_link = setup_link(&state, &headers, &code);
    Ok((StatusCode::CREATED, Reply(InvitedUser { user, setup_link })))
}

/// Changes an account.
///
/// One that is disabled is signed out, and its tokens are refused.
#[utoipa::path(patch, path = "/users/{id}", operation_id = "change_user", tag = "access",
    params(("id" = String, Path, description = "The account's id.")), request_body = UserChangeSent,
    responses((status = 200, description = "The account as it is now.", body = OneUser),
        (status = 409, description = "Nobody would be left who can let others in.")))]
pub(super) async fn change_user(
    State(state): State<AuthState>,
    caller: ApiCaller,
    Segments(id): Segments<String>,
    _: Asked<Nothing>,
    Body(body): UserChangeSent,
) -> Result<OneUser, Problem> {
    let at = caller.at;
    let UserChangeBody { name, role, functions, systems, is_disabled } = body;
    let change = UserChange { name, role, functions, systems, is_disabled };
    let changed = state.ask(move |store| access::change_user(store, caller.by(), &id, &change)).await;
    Ok(Reply(changed.map_err(problem(at))?))
}

/// Makes a new link with which the owner of an account chooses a password.
///
/// An older link ends.
#[utoipa::path(post, path = "/users/{id}/invitation", operation_id = "invite_user", tag = "access",
    params(("id" = String, Path, description = "The account's id.")),
    responses((status = 201, description = "The link.", body = Invited)))]
pub(super) async fn invite(
    State(state): State<AuthState>,
    caller: ApiCaller,
    headers: HeaderMap,
    Segments(id): Segments<String>,
    _: Asked<Nothing>,
) -> Result<(StatusCode, Invited), Problem> {
    let at = caller.at;
    let code = state.ask(move |store| access::invite(store, caller.by(), &id)).await.map_err(problem(at))?;
    Ok((StatusCode::CREATED, Reply(Invitation { setup_link: setup_link(&state, &headers, &code) })))
}

/// What was changed by whom.
///
/// Newest first.
#[utoipa::path(get, path = "/audit", operation_id = "list_audit_log", tag = "access", params(PartAsked),
    responses((status = 200, description = "Records, newest first.", body = AuditRecords)))]
pub(super) async fn audit_log(
    State(state): State<AuthState>,
    caller: ApiCaller,
    asked: PartAsked,
) -> Result<AuditRecords, Problem> {
    let (at, before, limit) = (caller.at, asked.cursor.position(), asked.limit.get() as u32);
    let page = state.ask(move |store| access::audit_log(store, caller.by(), before, limit)).await;
    let page = page.map_err(problem(at))?;
    Ok(Part::until(&asked.uri, page.records, page.next))
}
