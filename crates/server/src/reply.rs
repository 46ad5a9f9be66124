//! Making responses: content types, caching, and the headers that keep a browser careful.

use axum::body::{Body, to_bytes};
use axum::extract::Request;
use axum::http::{HeaderValue, Method, StatusCode, header};
use axum::middleware::Next;
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

/// JSON for a program.
#[derive(Clone, Debug)]
pub(crate) struct Reply<T>(pub(crate) T);

impl<T: serde::Serialize> IntoResponse for Reply<T> {
    fn into_response(self) -> Response {
        match serde_json::to_string(&self.0) {
            Ok(body) => ([(header::CONTENT_TYPE, "application/json")], body).into_response(),
            Err(error) => {
                log::error!("an answer cannot be written as JSON: {error}");
                Problem::internal().into_response()
            }
        }
    }
}

/// Puts what is read under an entity tag, and sends nothing to whoever has it already.
pub(crate) async fn tagged(request: Request, next: Next) -> Response {
    let is_read = request.method() == Method::GET;
    let known = request.headers().get(header::IF_NONE_MATCH).cloned();
    let response = next.run(request).await;
    if !is_read || response.status() != StatusCode::OK {
        return response;
    }
    let (mut parts, body) = response.into_parts();
    let body = match to_bytes(body, usize::MAX).await {
        Ok(body) => body,
        Err(error) => {
            log::error!("an answer broke off: {error}");
            return Problem::internal().into_response();
        }
    };
    let tag = format!("\"{}\"", Digest::of(&body).short());
    let is_known = known.is_some_and(|known| names(&known, &tag));
    if let Ok(tag) = HeaderValue::try_from(tag) {
        parts.headers.insert(header::ETAG, tag);
    }
    parts.headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("private, no-cache"));
    if is_known {
        parts.status = StatusCode::NOT_MODIFIED;
        parts.headers.remove(header::CONTENT_TYPE);
        parts.headers.remove(header::CONTENT_LENGTH);
        return Response::from_parts(parts, Body::empty());
    }
    Response::from_parts(parts, Body::from(body))
}

/// Whether `If-None-Match` names a tag. It is compared weakly, as RFC 9110 wants it here.
fn names(known: &HeaderValue, tag: &str) -> bool {
    let mut known = known.to_str().unwrap_or_default().split(',').map(str::trim);
    known.any(|known| known == "*" || known.strip_prefix("W/").unwrap_or(known) == tag)
}
