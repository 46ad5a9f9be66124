//! A system's evidence: read page by page, and handed in by a command line elsewhere.

use app::Chain;
use axum::body::Bytes;
use axum::extract::rejection::{BytesRejection, QueryRejection};
use axum::extract::{Path, Query, State};
use axum::http::HeaderMap;
use axum::response::Response;
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;
use types::Evidence;
use types::access::Action;

use crate::Shared;
use crate::auth::ApiCaller;
use crate::problem::Problem;
use crate::reply;
use crate::visitor::blocking;

/// Records of one answer.
const RECORDS_MOST: usize = 500;

#[derive(Debug, Deserialize)]
pub(super) struct ListQuery {
    /// The number of the first record wanted, from 0.
    #[serde(default)]
    from: u64,
    limit: Option<usize>,
}

/// A page of lines, each exactly as it was recorded.
#[derive(Debug, Serialize)]
struct Lines {
    lines: Vec<Box<RawValue>>,
    /// Where the next page begins; none at the end.
    next: Option<u64>,
}

/// What became of evidence that was handed in.
#[derive(Debug, Serialize)]
struct Taken {
    /// How many records were added.
    added: u64,
    checkpoint: String,
}

pub(super) async fn list(
    State(shared): State<Shared>,
    caller: ApiCaller,
    Path(id): Path<String>,
    query: Result<Query<ListQuery>, QueryRejection>,
    asked: HeaderMap,
) -> Result<Response, Problem> {
    caller.must(Action::Read, Some(&id))?;
    let Query(query) = query.map_err(|error| Problem::bad(error.body_text()))?;
    let limit = query.limit.unwrap_or(RECORDS_MOST).clamp(1, RECORDS_MOST);
    let (lines, more) = blocking(move || {
        known(&shared, &id)?;
        let mut lines = shared.service.store().some_lines(&id, query.from, limit + 1)?;
        let more = lines.len() > limit;
        lines.truncate(limit);
        Ok((lines, more))
    })
    .await?;
    let next = more.then_some(query.from + limit as u64);
    let lines = lines.into_iter().map(RawValue::from_string).collect::<Result<Vec<_>, _>>();
    let lines = lines.map_err(|error| {
        log::error!("a line of evidence is no JSON: {error}");
        Problem::internal()
    })?;
    reply::json(&asked, &Lines { lines, next })
}

/// Adds a run's evidence to the chain.
pub(super) async fn push(
    State(shared): State<Shared>,
    caller: ApiCaller,
    Path(id): Path<String>,
    asked: HeaderMap,
    body: Result<Bytes, BytesRejection>,
) -> Result<Response, Problem> {
    caller.must(Action::WriteEvidence, Some(&id))?;
    let body = body?;
    let taken = blocking(move || {
        known(&shared, &id)?;
        let evidence: Evidence = serde_json::from_slice(&body)
            .map_err(|error| Problem::bad(format!("The body is not a run's evidence: {error}.")))?;
        if evidence.system != id {
            return Err(Problem::bad(format!(
                "The evidence is about `{}`, not about `{id}`.",
                evidence.system
            )));
        }
        let added = evidence.findings.len() as u64;
        let mut chain = Chain::clone(&*shared.service.chain(&id)?);
        shared.service.store().append(&mut chain, evidence)?;
        let detail = format!("{added} findings, up to {}", chain.end);
        shared.service.store().note(caller.by().audit("evidence.added", &id, detail))?;
        shared.events.changed(&["evidence", &format!("system:{id}")]);
        Ok(Taken { added, checkpoint: chain.end.to_string() })
    })
    .await?;
    reply::json(&asked, &taken)
}

fn known(shared: &Shared, id: &str) -> Result<(), Problem> {
    match shared.service.system(id) {
        Some(_) => Ok(()),
        None => Err(Problem::not_found(format!("There is no system `{id}` here."))),
    }
}
