//! Predictions and outcomes, row by row, from whoever makes them.

use std::borrow::Cow;

use app::ingest::{Accepted, BodyFormat, Encoding, IngestError, TableKind};
use axum::body::Bytes;
use axum::extract::State;
use axum::extract::rejection::BytesRejection;
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse, Response};
use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::Serialize;
use serde_json::{Map, Value};
use types::access::Action;

use crate::Shared;
use crate::asked::{Asked, Body, Nothing, Segments};
use crate::auth::ApiCaller;
use crate::problem::Problem;
use crate::reply::Reply;
use crate::visitor::blocking;

/// What became of the rows of a request.
#[derive(Debug, Serialize, JsonSchema)]
#[schemars(rename = "Accepted")]
pub(super) struct AcceptedOut {
    /// On disk.
    accepted: u64,
    /// With the id of an earlier row of the request.
    duplicates: u64,
    rejected: u64,
    /// The first of those that were rejected.
    errors: Vec<RowErrorOut>,
}

#[derive(Debug, Serialize, JsonSchema)]
#[schemars(rename = "RowError")]
struct RowErrorOut {
    /// From 0.
    row: u64,
    column: Option<String>,
    message: String,
}

/// Rows as JSON writes them: one, or many. Their fields are the columns of the log, as the definition names them.
#[derive(JsonSchema)]
#[schemars(rename = "Rows", untagged)]
#[expect(dead_code, reason = "says what is taken, which the engine reads row by row")]
pub(super) enum RowsShape {
    Many(Vec<Map<String, Value>>),
    One(Map<String, Value>),
}

/// Rows as JSON lines, an object each.
pub(super) struct LinesShape;

/// Rows as an Arrow IPC stream.
pub(super) struct ArrowShape;

impl JsonSchema for LinesShape {
    fn schema_name() -> Cow<'static, str> {
        "JsonLines".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({ "type": "string", "description": "Rows, an object on each line." })
    }
}

impl JsonSchema for ArrowShape {
    fn schema_name() -> Cow<'static, str> {
        "ArrowStream".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({ "type": "string", "format": "binary", "description": "Rows, as an Arrow IPC stream." })
    }
}

pub(super) type Rows = Body<RowsShape>;
pub(super) type JsonLines = Body<LinesShape>;
pub(super) type ArrowStream = Body<ArrowShape>;
pub(super) type RowsTaken = Reply<AcceptedOut>;

impl From<Accepted> for AcceptedOut {
    fn from(of: Accepted) -> Self {
        let error =
            |of: app::ingest::RowError| RowErrorOut { row: of.row, column: of.column, message: of.message };
        Self {
            accepted: of.accepted,
            duplicates: of.duplicates,
            rejected: of.rejected,
            errors: of.errors.into_iter().map(error).collect(),
        }
    }
}

/// Takes in predictions.
///
/// What is acknowledged is on disk. Rows that cannot be taken are named, and cost the others nothing.
#[utoipa::path(post, path = "/systems/{id}/predictions", operation_id = "send_predictions", tag = "ingestion",
    params(("id" = String, Path, description = "The system's id.")),
    request_body(description = "Rows: JSON, JSON lines, or an Arrow stream; plain, or packed as `Content-Encoding` \
        says: `gzip` or `zstd`.",
        content((Rows = "application/json"), (JsonLines = "application/x-ndjson"),
            (ArrowStream = "application/vnd.apache.arrow.stream"))),
    responses((status = 200, description = "At least one row is on disk, or none was sent.", body = RowsTaken),
        (status = 422, description = "Every row was rejected.", body = RowsTaken),
        (status = 409, description = "The log of the system takes in no rows, or another program holds it."),
        (status = 429, description = "More waits to be written than the server holds."),
        (status = 507, description = "The disk takes no more.")))]
pub(super) async fn predictions(
    state: State<Shared>,
    caller: ApiCaller,
    Segments(id): Segments<String>,
    _: Asked<Nothing>,
    headers: HeaderMap,
    body: Result<Bytes, BytesRejection>,
) -> Result<Response, Problem> {
    caller.must(Action::Ingest, Some(&id))?;
    take_in(state, id, &headers, body?, TableKind::Predictions).await
}

/// Takes in outcomes.
///
/// What is acknowledged is on disk. Rows that cannot be taken are named, and cost the others nothing.
#[utoipa::path(post, path = "/systems/{id}/outcomes", operation_id = "send_outcomes", tag = "ingestion",
    params(("id" = String, Path, description = "The system's id.")),
    request_body(description = "Rows: JSON, JSON lines, or an Arrow stream; plain, or packed as `Content-Encoding` \
        says: `gzip` or `zstd`.",
        content((Rows = "application/json"), (JsonLines = "application/x-ndjson"),
            (ArrowStream = "application/vnd.apache.arrow.stream"))),
    responses((status = 200, description = "At least one row is on disk, or none was sent.", body = RowsTaken),
        (status = 422, description = "Every row was rejected.", body = RowsTaken),
        (status = 409, description = "The log of the system takes in no rows, or another program holds it."),
        (status = 429, description = "More waits to be written than the server holds."),
        (status = 507, description = "The disk takes no more.")))]
pub(super) async fn outcomes(
    state: State<Shared>,
    caller: ApiCaller,
    Segments(id): Segments<String>,
    _: Asked<Nothing>,
    headers: HeaderMap,
    body: Result<Bytes, BytesRejection>,
) -> Result<Response, Problem> {
    caller.must(Action::Ingest, Some(&id))?;
    take_in(state, id, &headers, body?, TableKind::Outcomes).await
}

async fn take_in(
    State(shared): State<Shared>,
    id: String,
    headers: &HeaderMap,
    body: Bytes,
    kind: TableKind,
) -> Result<Response, Problem> {
    let format = format(headers)?;
    let encoding = encoding(headers)?;
    let accepted = blocking(move || {
        let served = shared.service.system(&id);
        let served = served.ok_or_else(|| Problem::not_found(format!("There is no system `{id}` here.")))?;
        let table = shared.service.table(served, kind)?;
        Ok(table.accept(format, encoding, &body[..])?)
    })
    .await?;
    let nothing = accepted.accepted == 0 && accepted.rejected > 0;
    let status = if nothing { StatusCode::UNPROCESSABLE_ENTITY } else { StatusCode::OK };
    Ok((status, Reply(AcceptedOut::from(accepted))).into_response())
}

/// How rows are written, as the request says.
fn format(headers: &HeaderMap) -> Result<BodyFormat, Problem> {
    let said = headers.get(header::CONTENT_TYPE).and_then(|value| value.to_str().ok()).unwrap_or_default();
    match said.split(';').next().unwrap_or_default().trim().to_ascii_lowercase().as_str() {
        "application/json" => Ok(BodyFormat::Json),
        "application/x-ndjson" | "application/ndjson" | "application/jsonl" => Ok(BodyFormat::Ndjson),
        "application/vnd.apache.arrow.stream" => Ok(BodyFormat::ArrowStream),
        _ => Err(Problem::new(
            StatusCode::UNSUPPORTED_MEDIA_TYPE,
            format!(
                "Content-Type `{said}` is none of rows: send application/json, application/x-ndjson or \
             application/vnd.apache.arrow.stream."
            ),
        )),
    }
}

/// How the body is packed, as the request says.
fn encoding(headers: &HeaderMap) -> Result<Encoding, Problem> {
    let said =
        headers.get(header::CONTENT_ENCODING).map_or("identity", |value| value.to_str().unwrap_or("?"));
    match said.trim().to_ascii_lowercase().as_str() {
        "identity" => Ok(Encoding::Identity),
        "gzip" => Ok(Encoding::Gzip),
        "zstd" => Ok(Encoding::Zstd),
        _ => Err(Problem::new(
            StatusCode::UNSUPPORTED_MEDIA_TYPE,
            format!("Content-Encoding `{said}` is not known here: send the body plain, or as gzip or zstd."),
        )),
    }
}

impl From<IngestError> for Problem {
    fn from(error: IngestError) -> Self {
        let said = error.to_string();
        let with = |status| Self::new(status, said.clone());
        match error {
            IngestError::NotForIngestion { .. } | IngestError::Locked { .. } => with(StatusCode::CONFLICT),
            IngestError::Busy { retry_after, .. } => {
                with(StatusCode::TOO_MANY_REQUESTS).retry_after(retry_after.as_secs() as i64)
            }
            IngestError::TooLarge { .. } => with(StatusCode::PAYLOAD_TOO_LARGE),
            IngestError::UnreadableBody { .. } | IngestError::WrongColumn { .. } => {
                with(StatusCode::BAD_REQUEST)
            }
            IngestError::NotWritten { .. } => {
                log::error!("rows could not be kept: {said}");
                with(StatusCode::INSUFFICIENT_STORAGE)
            }
            _ => {
                log::error!("rows were not taken in: {said}");
                Self::internal()
            }
        }
    }
}
