//! What went wrong, as programs read it: problem details (RFC 9457).

use app::access::AccessError;
use axum::http::header::{CONTENT_TYPE, HeaderValue, RETRY_AFTER, WWW_AUTHENTICATE};
use axum::http::{HeaderName, StatusCode};
use axum::response::{IntoResponse, Response};
use jiff::Timestamp;

/// A refusal or a failure, with what to do about it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Problem {
    pub status: StatusCode,
    pub detail: String,
    headers: Vec<(HeaderName, HeaderValue)>,
    failure: Option<Failure>,
}

/// What the server could not do, for its log; it rides on the response and is not sent.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Failure(pub String);

impl Problem {
    pub fn new(status: StatusCode, detail: impl Into<String>) -> Self {
        Self { status, detail: detail.into(), headers: Vec::new(), failure: None }
    }

    /// Nobody is behind the request, or not who they say.
    pub(super) fn unauthorized(detail: impl Into<String>, had_token: bool) -> Self {
        let challenge = if had_token {
            r#"Bearer realm="forewarn", error="invalid_token""#
        } else {
            r#"Bearer realm="forewarn""#
        };
        Self::new(StatusCode::UNAUTHORIZED, detail)
            .with(WWW_AUTHENTICATE, HeaderValue::from_static(challenge))
    }

    fn with(mut self, name: HeaderName, value: HeaderValue) -> Self {
        self.headers.push((name, value));
        self
    }

    fn retry_after(self, seconds: i64) -> Self {
        self.with(RETRY_AFTER, HeaderValue::from(seconds.max(1)))
    }

    pub(super) fn of(error: &AccessError, now: Timestamp) -> Self {
        let status = match error {
            AccessError::Store(store) if store.is_passing() => {
                let busy =
                    Self::new(StatusCode::SERVICE_UNAVAILABLE, "the database is busy: try again in a moment");
                return Self { failure: Some(Failure(error.to_string())), ..busy.retry_after(5) };
            }
            AccessError::Store(_) | AccessError::Random(_) | AccessError::Hash(_) => {
                let failed =
                    Self::new(StatusCode::INTERNAL_SERVER_ERROR, "the server failed; its log says why");
                return Self { failure: Some(Failure(error.to_string())), ..failed };
            }
            AccessError::Stopped => StatusCode::SERVICE_UNAVAILABLE,
            AccessError::Wait { until } => {
                let seconds = until.duration_since(now).as_secs() + 1;
                return Self::new(StatusCode::TOO_MANY_REQUESTS, error.to_string()).retry_after(seconds);
            }
            AccessError::Token(_) => return Self::unauthorized(error.to_string(), true),
            AccessError::WrongPassword | AccessError::Forbidden { .. } => StatusCode::FORBIDDEN,
            AccessError::NoUser { .. } | AccessError::NoToken { .. } => StatusCode::NOT_FOUND,
            AccessError::LoginTaken { .. } | AccessError::LastAdmin | AccessError::NoAccount => {
                StatusCode::CONFLICT
            }
            AccessError::Link => StatusCode::GONE,
            AccessError::Password(_)
            | AccessError::Login { .. }
            | AccessError::Name
            | AccessError::LimitedAdmin
            | AccessError::NoScope
            | AccessError::Scope { .. }
            | AccessError::Expiry => StatusCode::UNPROCESSABLE_ENTITY,
        };
        Self::new(status, error.to_string())
    }

    pub fn title(&self) -> &'static str {
        self.status.canonical_reason().unwrap_or("Error")
    }

    /// The response with its headers, whatever its body is.
    pub(super) fn respond(self, kind: &'static str, body: String) -> Response {
        let mut response = (self.status, body).into_response();
        response.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static(kind));
        response.headers_mut().extend(self.headers);
        if let Some(failure) = self.failure {
            response.extensions_mut().insert(failure);
        }
        response
    }
}

impl IntoResponse for Problem {
    fn into_response(self) -> Response {
        let body = serde_json::json!({
            "type": "about:blank",
            "title": self.title(),
            "status": self.status.as_u16(),
            "detail": self.detail,
        });
        self.respond("application/problem+json", body.to_string())
    }
}
