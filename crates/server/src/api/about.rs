//! Who calls, what is found by a name, and the server itself.

use std::collections::BTreeSet;

use app::site;
use axum::extract::State;
use axum::http::header;
use axum::response::{IntoResponse, Response};
use jiff::Timestamp;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use types::access::{Action, Reach, Role, Scope};
use view::site::search::Hit;

use super::document::{API_VERSION, DOCUMENT};
use crate::Shared;
use crate::asked::{Asked, Nothing};
use crate::auth::ApiCaller;
use crate::items::{Cursor, Limit, Part};
use crate::problem::Problem;
use crate::reply::Reply;
use crate::visitor::{blocking, sees};

/// Who calls, and what they may do.
#[derive(Debug, Serialize, JsonSchema)]
#[schemars(rename = "Me")]
pub(super) struct MeOut {
    /// The person, or what the token is for.
    name: String,
    /// Of the account that acts, or for which the token acts; null where nobody signs in.
    login: Option<String>,
    role: Role,
    /// Of the token; null where a person acts, who needs none.
    scopes: Option<BTreeSet<Scope>>,
    systems: Reach,
}

/// A system, a check or a column whose name holds what was looked for.
#[derive(Debug, Serialize, JsonSchema)]
#[schemars(rename = "Hit")]
pub(super) struct HitOut {
    #[schemars(schema_with = "kinds")]
    kind: &'static str,
    name: String,
    /// Where it belongs.
    of: String,
    /// The path of its page.
    page: String,
}

#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct SearchQuery {
    /// A part of a name.
    q: String,
    /// How many items to give at most.
    #[serde(default)]
    limit: Limit,
    /// Where to go on: the `next` of the part before.
    #[serde(default)]
    cursor: Cursor,
}

/// What answers.
#[derive(Debug, Serialize, JsonSchema)]
#[schemars(rename = "Version")]
pub(super) struct VersionOut {
    /// Name and version of the program.
    program: &'static str,
    /// The version of this API.
    api: &'static str,
}

pub(super) type Me = Reply<MeOut>;
pub(super) type Hits = Part<HitOut>;
pub(super) type SearchAsked = Asked<SearchQuery>;
pub(super) type Version = Reply<VersionOut>;

fn kinds(_: &mut schemars::SchemaGenerator) -> schemars::Schema {
    super::words(["system", "check", "column"])
}

impl From<Hit> for HitOut {
    fn from(of: Hit) -> Self {
        Self { kind: of.kind, name: of.name, of: of.of, page: of.href }
    }
}

/// Who calls, and what they may do.
#[utoipa::path(get, path = "/me", operation_id = "get_me", tag = "access",
    responses((status = 200, description = "The caller.", body = Me)))]
pub(super) async fn me(caller: ApiCaller, _: Asked<Nothing>) -> Result<Me, Problem> {
    let caller = caller.caller;
    Ok(Reply(MeOut {
        name: caller.name().to_owned(),
        login: caller.account().map(|user| user.login.clone()),
        role: caller.permission.role,
        scopes: caller.permission.scopes,
        systems: caller.permission.reach,
    }))
}

/// Systems, checks and columns by a part of their name.
///
/// At most fifty; those first whose name begins with it.
#[utoipa::path(get, path = "/search", operation_id = "search", tag = "systems", params(SearchAsked),
    responses((status = 200, description = "What was found.", body = Hits)))]
pub(super) async fn search(
    State(shared): State<Shared>,
    caller: ApiCaller,
    asked: SearchAsked,
) -> Result<Hits, Problem> {
    caller.must(Action::Read, None)?;
    let q = asked.q.clone();
    let page = blocking(move || {
        let may_see = |id: &str| sees(&caller.caller, id);
        Ok(site::search::page(&shared.service, &may_see, &q, Timestamp::now())?)
    })
    .await?;
    let hits = page.hits.into_iter().map(HitOut::from).collect();
    Ok(Part::of(&asked.uri, hits, asked.limit, asked.cursor))
}

/// The versions of the program and of this API.
#[utoipa::path(get, path = "/version", operation_id = "get_version", tag = "about",
    responses((status = 200, description = "Versions.", body = Version)))]
pub(super) async fn version(
    State(shared): State<Shared>,
    _: ApiCaller,
    _: Asked<Nothing>,
) -> Result<Version, Problem> {
    Ok(Reply(VersionOut { program: shared.program, api: API_VERSION }))
}

/// This document.
///
/// It is the same for all servers of a version, tells nothing of any, and is read without signing in.
#[utoipa::path(get, path = "/openapi.json", operation_id = "get_openapi", tag = "about", security(()),
    responses((status = 200, description = "The OpenAPI document.", body = Object)))]
pub(super) async fn openapi(_: Asked<Nothing>) -> Result<Response, Problem> {
    Ok(([(header::CONTENT_TYPE, "application/json")], DOCUMENT.as_str()).into_response())
}
