//! Making responses: content types, caching, and the headers that keep a browser careful.

use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse, Response};
use types::Digest;
use view::site::Table;

use crate::place::Format;
use crate::problem::Problem;

/// What is asked of one table of a page.
pub(crate) fn table(tables: &[Table], name: Option<&str>, format: Format) -> Result<Response, Problem> {
    let table = match name {
        None => tables.first(),
        Some(name) => tables.iter().find(|table| table.name == name),
    };
    let names: Vec<&str> = tables.iter().map(|table| table.name).collect();
    let table = table.ok_or_else(|| {
        Problem::not_found(format!("There is no such table here; there are: {}.", names.join(", ")))
    })?;
    let (content_type, ending, text) = match format {
        Format::Csv => ("text/csv; charset=utf-8", "csv", table.csv()),
        Format::Json => ("application/json", "json", table.json()),
        Format::Markdown | Format::Page => ("text/markdown; charset=utf-8", "md", table.markdown()),
    };
    let disposition = format!("inline; filename=\"{}.{ending}\"", table.name);
    Ok(([(header::CONTENT_TYPE, content_type), (header::CONTENT_DISPOSITION, disposition.as_str())], text)
        .into_response())
}

/// A page of ours.
pub(crate) fn html(status: StatusCode, document: String) -> Response {
    let headers = [(header::CONTENT_TYPE, "text/html; charset=utf-8"), (header::CACHE_CONTROL, "no-store")];
    (status, headers, document).into_response()
}

/// JSON under an entity tag, or nothing where the reader has it already.
pub(crate) fn json(asked: &HeaderMap, value: &impl serde::Serialize) -> Result<Response, Problem> {
    let body = serde_json::to_string(value).map_err(|error| {
        log::error!("an answer cannot be written as JSON: {error}");
        Problem::internal()
    })?;
    let tag = format!("\"{}\"", Digest::of(body.as_bytes()).short());
    let known = asked.get(header::IF_NONE_MATCH).and_then(|value| value.to_str().ok());
    let is_known =
        known.is_some_and(|known| known.split(',').any(|known| known.trim() == tag || known.trim() == "*"));
    let headers = [
        (header::ETAG, tag.as_str()),
        (header::CACHE_CONTROL, "private, no-cache"),
        (header::CONTENT_TYPE, "application/json"),
    ];
    Ok(if is_known {
        (StatusCode::NOT_MODIFIED, headers).into_response()
    } else {
        (headers, body).into_response()
    })
}
