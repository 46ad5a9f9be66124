//! What an answer says about itself beside the prediction: its number, what was done, and why there is none.

use std::time::Duration;

use axum::body::Body;
use axum::http::header::{CONTENT_TYPE, RETRY_AFTER};
use axum::http::{HeaderMap, HeaderName, HeaderValue, StatusCode};
use axum::response::Response;
use serde_json::json;

use super::Questions;
use crate::answer::{Failure, FailureKind};
use crate::http::DEGRADED_HEADER;

/// The request's own number, which the log has too.
pub(super) const REQUEST: &str = "x-forewarn-request-id";
/// The id under which the first row is logged; those after it count on.
pub(super) const ID: &str = "x-forewarn-id";
/// The ids of the rows, from a caller that has no column for them.
pub(super) const IDS: &str = "x-forewarn-ids";
/// What was done, and in how many rows.
const STRATEGIES: &str = "x-forewarn-strategies";
/// Why a request was not read.
const UNREAD: &str = "x-forewarn-unread";
/// Names of more rows than this many bytes would be refused by some clients.
const DEGRADED_BYTES_MAX: usize = 4_096;

/// Marks the rows that have a remedy.
pub(super) fn degraded(headers: &mut HeaderMap, remedies: &[&'static str]) {
    let rows: Vec<usize> = (0..remedies.len()).filter(|&row| !remedies[row].is_empty()).collect();
    if rows.is_empty() {
        return;
    }
    let mut value = rows.iter().map(usize::to_string).collect::<Vec<String>>().join(",");
    if rows.len() == remedies.len() || value.len() > DEGRADED_BYTES_MAX {
        value = "true".into();
    }
    set(headers, DEGRADED_HEADER, &value);
    let mut counts: Vec<(&str, usize)> = Vec::new();
    for name in remedies.iter().filter(|name| !name.is_empty()) {
        match counts.iter_mut().find(|(of, _)| of == name) {
            Some((_, count)) => *count += 1,
            None => counts.push((name, 1)),
        }
    }
    let counts: Vec<String> = counts.iter().map(|(name, rows)| format!("{name}; rows={rows}")).collect();
    set(headers, STRATEGIES, &counts.join(", "));
}

pub(super) fn unread(headers: &mut HeaderMap, why: &str) {
    set(headers, UNREAD, why);
}

/// Sets a header to a text, as far as it can stand in one.
pub(super) fn set(headers: &mut HeaderMap, name: &'static str, value: &str) {
    let plain: String = value.chars().map(|of| if (' '..='~').contains(&of) { of } else { '?' }).collect();
    let value = HeaderValue::from_str(&plain).expect("visible characters of ASCII");
    headers.insert(HeaderName::from_static(name), value);
}

/// That nobody can answer now, and why.
pub(super) fn unanswered(questions: &Questions, failure: &Failure, after: Option<Duration>) -> Response {
    let status = match failure.kind {
        FailureKind::TimedOut => StatusCode::GATEWAY_TIMEOUT,
        FailureKind::Malformed | FailureKind::TooFewRows => StatusCode::BAD_GATEWAY,
        _ => StatusCode::SERVICE_UNAVAILABLE,
    };
    let mut response = refused(questions, status, &failure.message);
    if let Some(after) = after {
        let seconds = after.as_secs_f64().ceil().max(1.0) as u64;
        response.headers_mut().insert(RETRY_AFTER, seconds.into());
    }
    response
}

/// An error in the words of the protocol.
pub(super) fn refused(questions: &Questions, status: StatusCode, message: &str) -> Response {
    let document = match questions {
        Questions::Mlflow { .. } => {
            let code = match status {
                StatusCode::BAD_REQUEST | StatusCode::PAYLOAD_TOO_LARGE => "BAD_REQUEST",
                _ => "TEMPORARILY_UNAVAILABLE",
            };
            json!({"error_code": code, "message": message})
        }
        Questions::OpenInference { .. } => json!({"error": message}),
    };
    let mut response = Response::new(Body::from(document.to_string()));
    *response.status_mut() = status;
    response.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
    response
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(remedies: &[&'static str], rows: Option<&str>, strategies: Option<&str>) {
        let mut headers = HeaderMap::new();
        degraded(&mut headers, remedies);
        let of = |name: &str| headers.get(name).map(|value| value.to_str().unwrap());
        assert_eq!((of(DEGRADED_HEADER), of("x-forewarn-strategies")), (rows, strategies), "{remedies:?}");
    }

    #[test]
    fn degraded_rows_are_named_with_what_was_done() {
        check(&["", ""], None, None);
        check(&["", "abstain"], Some("1"), Some("abstain; rows=1"));
        check(&["abstain", "constant"], Some("true"), Some("abstain; rows=1, constant; rows=1"));
        check(&["abstain", "", "abstain"], Some("0,2"), Some("abstain; rows=2"));
        let mut many = vec!["abstain"; 5_000];
        many.push("");
        check(&many, Some("true"), Some("abstain; rows=5000"));
    }

    #[test]
    fn no_text_breaks_a_header() {
        let mut headers = HeaderMap::new();
        unread(&mut headers, "ü\r\nx: y");
        assert_eq!(headers.get("x-forewarn-unread").unwrap(), "???x: y");
    }
}
