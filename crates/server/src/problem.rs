//! What went wrong, as programs read it: problem details (RFC 9457).

use app::access::{AccessError, SignOnRefusal};
use app::schedule::ScheduleError;
use app::service::ServiceError;
use app::site::SiteError;
use app::{StateError, StoreError};
use axum::extract::rejection::BytesRejection;
use axum::http::header::{CONTENT_TYPE, HeaderValue, RETRY_AFTER, WWW_AUTHENTICATE};
use axum::http::{HeaderName, StatusCode};
use axum::response::{IntoResponse, Response};
use jiff::Timestamp;
use schemars::JsonSchema;
use serde::Serialize;
use view::site::problem::{Problem as PageProblem, ProblemPage};

use crate::patience::TooSlow;

/// A refusal or a failure, with what to do about it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Problem {
    pub status: StatusCode,
    pub detail: String,
    headers: Vec<(HeaderName, HeaderValue)>,
}

impl Problem {
    pub fn new(status: StatusCode, detail: impl Into<String>) -> Self {
        Self { status, detail: detail.into(), headers: Vec::new() }
    }

    /// Nobody is behind the request, or not who they say.
    pub(crate) fn unauthorized(detail: impl Into<String>, had_token: bool) -> Self {
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

    pub(crate) fn retry_after(self, seconds: i64) -> Self {
        self.with(RETRY_AFTER, HeaderValue::from(seconds.max(1)))
    }

    pub(crate) fn of(error: &AccessError, now: Timestamp) -> Self {
        let status = match error {
            AccessError::Store(store) if store.is_passing() => {
                let busy =
                    Self::new(StatusCode::SERVICE_UNAVAILABLE, "the database is busy: try again in a moment");
                log::warn!("the database did not answer: {error}");
                return busy.retry_after(5);
            }
            AccessError::Store(_) | AccessError::Random(_) | AccessError::Hash(_) => {
                let failed =
                    Self::new(StatusCode::INTERNAL_SERVER_ERROR, "the server failed; its log says why");
                log::error!("a request failed: {error}");
                return failed;
            }
            AccessError::Stopped => StatusCode::SERVICE_UNAVAILABLE,
            AccessError::Wait { until } => {
                let seconds = until.duration_since(now).as_secs() + 1;
                return Self::new(StatusCode::TOO_MANY_REQUESTS, error.to_string()).retry_after(seconds);
            }
            AccessError::Token(_) => return Self::unauthorized(error.to_string(), true),
            AccessError::NoUser { .. } | AccessError::NoToken { .. } | AccessError::NoIdentity => {
                StatusCode::NOT_FOUND
            }
            AccessError::LoginTaken { .. }
            | AccessError::LastAdmin
            | AccessError::NoAccount
            | AccessError::SignOn(SignOnRefusal::Linked { .. } | SignOnRefusal::LoginTaken { .. }) => {
                StatusCode::CONFLICT
            }
            AccessError::WrongPassword | AccessError::Forbidden { .. } | AccessError::SignOn(_) => {
                StatusCode::FORBIDDEN
            }
            AccessError::Link => StatusCode::GONE,
            AccessError::Password(_)
            | AccessError::Login { .. }
            | AccessError::Name
            | AccessError::LimitedAdmin
            | AccessError::NoScope
            | AccessError::Scope { .. }
            | AccessError::Subject
            | AccessError::Expiry => StatusCode::UNPROCESSABLE_ENTITY,
        };
        Self::new(status, error.to_string())
    }

    /// What was asked for is not there.
    pub(crate) fn not_found(detail: impl Into<String>) -> Self {
        Self::new(StatusCode::NOT_FOUND, detail)
    }

    /// What was asked for cannot be understood.
    pub(crate) fn bad(detail: impl Into<String>) -> Self {
        Self::new(StatusCode::BAD_REQUEST, detail)
    }

    /// The database does not answer now; it may in a few seconds.
    fn busy() -> Self {
        Self::new(StatusCode::SERVICE_UNAVAILABLE, "The database is busy: try again in a moment.")
            .retry_after(5)
    }

    /// Ours; the log says more.
    pub(crate) fn internal() -> Self {
        Self::new(StatusCode::INTERNAL_SERVER_ERROR, "The server failed; its log says why.")
    }

    /// What a page shows of it.
    pub(crate) fn page(&self) -> ProblemPage {
        let kind = match self.status {
            StatusCode::FORBIDDEN => PageProblem::Forbidden,
            StatusCode::NOT_FOUND => PageProblem::NotFound,
            StatusCode::CONFLICT => PageProblem::Conflict,
            StatusCode::TOO_MANY_REQUESTS => {
                let seconds = self.headers.iter().find(|(name, _)| *name == RETRY_AFTER);
                let seconds = seconds.and_then(|(_, value)| value.to_str().ok()?.parse().ok());
                PageProblem::TooManyRequests { retry_after_seconds: seconds.unwrap_or(1) }
            }
            StatusCode::SERVICE_UNAVAILABLE | StatusCode::INSUFFICIENT_STORAGE => PageProblem::Unavailable,
            status if status.is_server_error() => PageProblem::Internal,
            _ => PageProblem::BadRequest,
        };
        ProblemPage { kind, detail: self.detail.clone(), request: None }
    }

    pub fn title(&self) -> &'static str {
        self.status.canonical_reason().unwrap_or("Error")
    }

    /// The response with its headers, whatever its body is.
    pub(crate) fn respond(self, kind: &'static str, body: String) -> Response {
        let mut response = (self.status, body).into_response();
        response.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static(kind));
        response.headers_mut().extend(self.headers);
        response
    }
}

/// Why a request was refused or failed (RFC 9457).
#[derive(Debug, Serialize, JsonSchema)]
#[schemars(rename = "Problem")]
pub(crate) struct ProblemDetails {
    /// Always `about:blank`: the status says what kind of problem it is.
    r#type: &'static str,
    /// What the status is called.
    title: &'static str,
    status: u16,
    /// What was wrong, and the way out.
    detail: String,
}

/// How problems are sent.
pub(crate) const PROBLEM_JSON: &str = "application/problem+json";

impl IntoResponse for Problem {
    fn into_response(self) -> Response {
        let details = ProblemDetails {
            r#type: "about:blank",
            title: self.title(),
            status: self.status.as_u16(),
            detail: self.detail.clone(),
        };
        let body = serde_json::to_string(&details).unwrap_or_default();
        self.respond(PROBLEM_JSON, body)
    }
}

/// A body that is larger than the server takes, that broke off, or that was not waited for.
impl From<BytesRejection> for Problem {
    fn from(error: BytesRejection) -> Self {
        if TooSlow::is_behind(&error) {
            return Self::new(StatusCode::REQUEST_TIMEOUT, TooSlow.to_string());
        }
        Self::new(error.status(), error.body_text())
    }
}

impl From<StoreError> for Problem {
    fn from(error: StoreError) -> Self {
        log::error!("the database did not answer a request: {error}");
        if error.is_passing() { Self::busy() } else { Self::internal() }
    }
}

impl From<SiteError> for Problem {
    fn from(error: SiteError) -> Self {
        match error {
            SiteError::NotFound(detail) => Self::not_found(detail),
            SiteError::Store(error) => error.into(),
        }
    }
}

impl From<ScheduleError> for Problem {
    fn from(error: ScheduleError) -> Self {
        match error {
            ScheduleError::Store(error) => error.into(),
            error @ ScheduleError::NotServed { .. } => Self::not_found(error.to_string()),
        }
    }
}

impl From<StateError> for Problem {
    fn from(error: StateError) -> Self {
        match error {
            StateError::Store(error) => error.into(),
            error => {
                log::error!("the state cannot be read: {error}");
                Self::internal()
            }
        }
    }
}

impl From<ServiceError> for Problem {
    fn from(error: ServiceError) -> Self {
        match error {
            ServiceError::Store(error) => error.into(),
            ServiceError::State(error) => error.into(),
            error => {
                log::error!("a definition cannot be read: {error}");
                Self::internal()
            }
        }
    }
}
