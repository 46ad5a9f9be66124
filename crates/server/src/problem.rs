//! What went wrong with a request: as a page for people, as problem details (RFC 9457) for programs.

use std::time::Duration;

use app::schedule::ScheduleError;
use app::service::ServiceError;
use app::site::SiteError;
use app::{StateError, StoreError};
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use serde::Serialize;
use view::site::problem::Problem as PageProblem;

/// After so long a database that starts again is likely to answer.
const BUSY_FOR: Duration = Duration::from_secs(5);

/// Why a request cannot be answered.
#[derive(Debug)]
pub(crate) enum Problem {
    /// A sentence that names what is not there.
    NotFound(String),
    /// What was wrong, and the way out.
    Bad(String),
    /// Why this reader may not.
    Forbidden(String),
    /// What was sent contradicts what is here.
    Conflict(String),
    /// In a form that is not known here.
    MediaType(String),
    TooLarge(String),
    /// More than can be worked on now.
    TooMany {
        said: String,
        retry_after: Duration,
    },
    /// The disk takes no more.
    NoSpace(String),
    /// The database does not answer now; it may later.
    Busy,
    /// Ours; the details are in the log.
    Internal,
}

impl Problem {
    pub(crate) fn status(&self) -> StatusCode {
        match self {
            Self::NotFound(_) => StatusCode::NOT_FOUND,
            Self::Bad(_) => StatusCode::BAD_REQUEST,
            Self::Forbidden(_) => StatusCode::FORBIDDEN,
            Self::Conflict(_) => StatusCode::CONFLICT,
            Self::MediaType(_) => StatusCode::UNSUPPORTED_MEDIA_TYPE,
            Self::TooLarge(_) => StatusCode::PAYLOAD_TOO_LARGE,
            Self::TooMany { .. } => StatusCode::TOO_MANY_REQUESTS,
            Self::NoSpace(_) => StatusCode::INSUFFICIENT_STORAGE,
            Self::Busy => StatusCode::SERVICE_UNAVAILABLE,
            Self::Internal => StatusCode::INTERNAL_SERVER_ERROR,
        }
    }

    fn title(&self) -> &'static str {
        match self {
            Self::NotFound(_) => "Not found",
            Self::Bad(_) => "Bad request",
            Self::Forbidden(_) => "Forbidden",
            Self::Conflict(_) => "Conflict",
            Self::MediaType(_) => "Unknown format",
            Self::TooLarge(_) => "Too large",
            Self::TooMany { .. } => "Too much at once",
            Self::NoSpace(_) => "It could not be kept",
            Self::Busy => "The database does not answer now",
            Self::Internal => "Something went wrong here",
        }
    }

    pub(crate) fn detail(&self) -> String {
        match self {
            Self::NotFound(said)
            | Self::Bad(said)
            | Self::Forbidden(said)
            | Self::Conflict(said)
            | Self::MediaType(said)
            | Self::TooLarge(said)
            | Self::TooMany { said, .. }
            | Self::NoSpace(said) => said.clone(),
            Self::Busy => "Try again in a few seconds.".into(),
            Self::Internal => "The server's log says more.".into(),
        }
    }

    pub(crate) fn page(&self) -> PageProblem {
        match self {
            Self::NotFound(_) => PageProblem::NotFound,
            Self::Forbidden(_) => PageProblem::Forbidden,
            Self::Bad(_) | Self::MediaType(_) | Self::TooLarge(_) => PageProblem::BadRequest,
            Self::Conflict(_) => PageProblem::Conflict,
            Self::TooMany { retry_after, .. } => {
                PageProblem::TooManyRequests { retry_after_seconds: retry_after.as_secs().max(1) }
            }
            Self::NoSpace(_) | Self::Busy => PageProblem::Unavailable,
            Self::Internal => PageProblem::Internal,
        }
    }
}

/// The body of `application/problem+json`.
#[derive(Debug, Serialize)]
struct Details {
    r#type: &'static str,
    title: &'static str,
    status: u16,
    detail: String,
}

impl IntoResponse for Problem {
    fn into_response(self) -> Response {
        let status = self.status();
        let details = Details {
            r#type: "about:blank",
            title: self.title(),
            status: status.as_u16(),
            detail: self.detail(),
        };
        let body = serde_json::to_string(&details).unwrap_or_default();
        let mut response =
            (status, [(header::CONTENT_TYPE, "application/problem+json")], body).into_response();
        let wait = match self {
            Self::Busy => Some(BUSY_FOR),
            Self::TooMany { retry_after, .. } => Some(retry_after),
            _ => None,
        };
        if let Some(wait) = wait {
            // Whole seconds, and at least one.
            response.headers_mut().insert(header::RETRY_AFTER, HeaderValue::from(wait.as_secs().max(1)));
        }
        response
    }
}

impl From<StoreError> for Problem {
    fn from(error: StoreError) -> Self {
        log::error!("the database did not answer a request: {error}");
        if error.is_passing() { Self::Busy } else { Self::Internal }
    }
}

impl From<SiteError> for Problem {
    fn from(error: SiteError) -> Self {
        match error {
            SiteError::NotFound(detail) => Self::NotFound(detail),
            SiteError::Store(error) => error.into(),
        }
    }
}

impl From<ScheduleError> for Problem {
    fn from(error: ScheduleError) -> Self {
        match error {
            ScheduleError::Store(error) => error.into(),
            error @ ScheduleError::NotServed { .. } => Self::NotFound(error.to_string()),
        }
    }
}

impl From<StateError> for Problem {
    fn from(error: StateError) -> Self {
        match error {
            StateError::Store(error) => error.into(),
            error => {
                log::error!("the state cannot be read: {error}");
                Self::Internal
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
                Self::Internal
            }
        }
    }
}
