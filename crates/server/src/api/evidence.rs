//! A system's evidence: read, verified, exported, and handed in by a command line elsewhere.

use app::{Chain, StoreError, site};
use axum::extract::State;
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use jiff::Timestamp;
use schemars::JsonSchema;
use serde::Serialize;
use serde_json::value::RawValue;
use types::access::Action;
use types::evidence::Evidence;
use types::{Digest, Record};

use super::systems::{Instant, PartAsked, known};
use crate::Shared;
use crate::asked::{Asked, Body, Nothing, Segments};
use crate::auth::ApiCaller;
use crate::items::Part;
use crate::problem::Problem;
use crate::reply::Reply;
use crate::visitor::blocking;

/// A line of a chain, byte for byte as it was recorded.
#[derive(Debug, Serialize)]
#[serde(transparent)]
pub(super) struct Line(Box<RawValue>);

/// A record under its hash: SHA-256 over exactly its bytes.
#[derive(JsonSchema)]
#[schemars(rename = "EvidenceLine")]
#[expect(dead_code, reason = "says what is in a line that is sent as it was recorded")]
struct LineShape {
    hash: Digest,
    record: Record,
}

/// What became of evidence that was handed in.
#[derive(Debug, Serialize, JsonSchema)]
#[schemars(rename = "EvidenceAdded")]
pub(super) struct Added {
    /// How many records were added.
    added: u64,
    /// The end of the chain now, `RECORDS:HASH`.
    checkpoint: String,
}

/// Whether a chain holds, as far as it was verified.
#[derive(Debug, Serialize, JsonSchema)]
#[schemars(rename = "Verification")]
pub(super) struct VerificationOut {
    records: u64,
    /// The end of the chain now, `RECORDS:HASH`; null where it is broken.
    checkpoint: Option<String>,
    /// When all of it was verified last, since the server started.
    verified_at: Option<Instant>,
    /// Where it is broken; null where it holds.
    broken: Option<String>,
    signed: Option<SignedOut>,
}

/// The end of a chain at a time, signed by the server (Ed25519).
#[derive(Debug, Serialize, JsonSchema)]
#[schemars(rename = "SignedCheckpoint")]
pub(super) struct SignedOut {
    at: Instant,
    /// `RECORDS:HASH`.
    checkpoint: String,
    /// In hexadecimal digits, as the signature.
    public_key: String,
    signature: String,
}

pub(super) type Lines = Part<Line>;
pub(super) type OneLine = Reply<Line>;
pub(super) type EvidenceBody = Body<Evidence>;
pub(super) type EvidenceAdded = Reply<Added>;
pub(super) type Verification = Reply<VerificationOut>;

impl JsonSchema for Line {
    fn schema_name() -> std::borrow::Cow<'static, str> {
        LineShape::schema_name()
    }

    fn json_schema(generator: &mut schemars::SchemaGenerator) -> schemars::Schema {
        LineShape::json_schema(generator)
    }
}

/// The chain, record by record.
///
/// Each line as it was recorded, in the order of the chain. A cursor is the number of a record, so that whoever has
/// read some can go on later.
#[utoipa::path(get, path = "/systems/{id}/evidence", operation_id = "list_evidence", tag = "evidence",
    params(("id" = String, Path, description = "The system's id."), PartAsked),
    responses((status = 200, description = "Lines, oldest first.", body = Lines)))]
pub(super) async fn list(
    State(shared): State<Shared>,
    caller: ApiCaller,
    Segments(id): Segments<String>,
    asked: PartAsked,
) -> Result<Lines, Problem> {
    caller.must(Action::Read, Some(&id))?;
    let from = asked.cursor.position().unwrap_or(0);
    let limit = asked.limit.get();
    let mut lines = blocking(move || {
        known(&shared, &id)?;
        Ok(shared.service.store().some_lines(&id, from, limit + 1)?)
    })
    .await?;
    let next = (lines.len() > limit).then_some(from + limit as u64);
    lines.truncate(limit);
    Ok(Part::until(&asked.uri, lines.into_iter().map(line).collect::<Result<_, _>>()?, next))
}

/// One record.
#[utoipa::path(get, path = "/systems/{id}/evidence/{seq}", operation_id = "get_evidence", tag = "evidence",
    params(("id" = String, Path, description = "The system's id."),
        ("seq" = u64, Path, description = "The number of the record, from 0.", maximum = 2_147_483_647)),
    responses((status = 200, description = "The line, as it was recorded.", body = OneLine)))]
pub(super) async fn one(
    State(shared): State<Shared>,
    caller: ApiCaller,
    Segments((id, seq)): Segments<(String, u64)>,
    _: Asked<Nothing>,
) -> Result<OneLine, Problem> {
    caller.must(Action::Read, Some(&id))?;
    let text = blocking(move || {
        known(&shared, &id)?;
        Ok(site::evidence::line(&shared.service, &id, seq)?)
    })
    .await?;
    Ok(Reply(line(text)?))
}

fn line(text: String) -> Result<Line, Problem> {
    RawValue::from_string(text).map(Line).map_err(|error| {
        log::error!("a line of evidence is no JSON: {error}");
        Problem::internal()
    })
}

/// The whole chain as text.
///
/// A record a line, as `forewarn evidence export` writes it and `forewarn verify` reads it.
#[utoipa::path(get, path = "/systems/{id}/evidence/export", operation_id = "export_evidence", tag = "evidence",
    params(("id" = String, Path, description = "The system's id.")),
    responses((status = 200, description = "All lines, oldest first.", body = String,
        content_type = "application/jsonl")))]
pub(super) async fn export(
    State(shared): State<Shared>,
    caller: ApiCaller,
    Segments(id): Segments<String>,
    _: Asked<Nothing>,
) -> Result<Response, Problem> {
    caller.must(Action::Read, Some(&id))?;
    let lines = blocking(move || {
        known(&shared, &id)?;
        Ok(shared.service.store().lines(&id, 0)?)
    })
    .await?;
    let text: String = lines.iter().map(|line| format!("{line}\n")).collect();
    Ok(([(header::CONTENT_TYPE, "application/jsonl")], text).into_response())
}

/// Adds a run's evidence to the chain.
///
/// What `forewarn check --server` and `forewarn monitor --server` hand in.
#[utoipa::path(post, path = "/systems/{id}/evidence", operation_id = "add_evidence", tag = "evidence",
    params(("id" = String, Path, description = "The system's id.")), request_body = EvidenceBody,
    responses((status = 200, description = "It was added.", body = EvidenceAdded),
        (status = 409, description = "The evidence is about another system.")))]
pub(super) async fn push(
    State(shared): State<Shared>,
    caller: ApiCaller,
    Segments(id): Segments<String>,
    _: Asked<Nothing>,
    Body(evidence): EvidenceBody,
) -> Result<EvidenceAdded, Problem> {
    caller.must(Action::WriteEvidence, Some(&id))?;
    let added = blocking(move || {
        known(&shared, &id)?;
        if evidence.system != id {
            let detail = format!("The evidence is about `{}`, not about `{id}`.", evidence.system);
            return Err(Problem::new(StatusCode::CONFLICT, detail));
        }
        let added = evidence.findings.len() as u64;
        let mut chain = Chain::clone(&*shared.service.chain(&id)?);
        shared.service.store().append(&mut chain, evidence)?;
        let detail = format!("{added} findings, up to {}", chain.end);
        shared.service.store().note(caller.by().audit("evidence.added", &id, detail))?;
        shared.events.changed(&["evidence", &format!("system:{id}")]);
        Ok(Added { added, checkpoint: chain.end.to_string() })
    })
    .await?;
    Ok(Reply(added))
}

/// Whether the chain holds, as far as it was verified.
#[utoipa::path(get, path = "/systems/{id}/evidence/verification", operation_id = "get_verification", tag = "evidence",
    params(("id" = String, Path, description = "The system's id.")),
    responses((status = 200, description = "What is known of the chain.", body = Verification)))]
pub(super) async fn verification(
    State(shared): State<Shared>,
    caller: ApiCaller,
    Segments(id): Segments<String>,
    _: Asked<Nothing>,
) -> Result<Verification, Problem> {
    caller.must(Action::Read, Some(&id))?;
    blocking(move || verified(&shared, &id)).await
}

/// Verifies the whole chain now, and signs its end where it holds.
#[utoipa::path(post, path = "/systems/{id}/evidence/verification", operation_id = "verify_evidence", tag = "evidence",
    params(("id" = String, Path, description = "The system's id.")),
    responses((status = 200, description = "What came of it.", body = Verification)))]
pub(super) async fn verify(
    State(shared): State<Shared>,
    caller: ApiCaller,
    Segments(id): Segments<String>,
    _: Asked<Nothing>,
) -> Result<Verification, Problem> {
    caller.must(Action::Read, Some(&id))?;
    blocking(move || {
        known(&shared, &id)?;
        shared.service.verify(&id, Timestamp::now())?;
        verified(&shared, &id)
    })
    .await
}

fn verified(shared: &Shared, id: &str) -> Result<Verification, Problem> {
    known(shared, id)?;
    let (checkpoint, broken) = match shared.service.chain(id) {
        Ok(chain) => (Some(chain.end.to_string()), None),
        Err(StoreError::Broken { source, .. }) => (None, Some(source.to_string())),
        Err(error) => return Err(error.into()),
    };
    let last = shared.service.last_verified(id);
    let signed = site::evidence::last_signed(&shared.service, id)?.map(|signed| SignedOut {
        at: Instant(signed.at),
        checkpoint: signed.checkpoint.to_string(),
        public_key: signed.public_key,
        signature: signed.signature,
    });
    Ok(Reply(VerificationOut {
        records: shared.service.store().records(id)?,
        checkpoint,
        verified_at: last.as_ref().map(|last| Instant(last.at)),
        broken: broken.or_else(|| last.and_then(|last| last.broken)),
        signed,
    }))
}
