//! What a request of a program asks for and brings: its path, its query, its body. What cannot be read is
//! refused as a problem.

use std::ops::Deref;

use axum::Json;
use axum::extract::rejection::JsonRejection;
use axum::extract::{FromRequest, FromRequestParts, Path, Query, Request};
use axum::http::Uri;
use axum::http::request::Parts;
use schemars::JsonSchema;
use serde::de::{DeserializeOwned, Error as _};
use serde::{Deserialize, Deserializer};

use crate::problem::Problem;

/// What the query says. A field that is not known is refused, so that none is misspelt without a word.
#[derive(Clone, Debug)]
pub(crate) struct Asked<T> {
    of: T,
    /// The address that was asked, below that of the API.
    pub(crate) uri: Uri,
}

/// A query that says nothing.
#[derive(Clone, Copy, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct Nothing {}

/// The parts of a path that stand for something.
#[derive(Clone, Debug)]
pub(crate) struct Segments<T>(pub(crate) T);

/// A body of JSON.
#[derive(Clone, Debug)]
pub(crate) struct Body<T>(pub(crate) T);

impl<T> Deref for Asked<T> {
    type Target = T;

    fn deref(&self) -> &T {
        &self.of
    }
}

impl<T: DeserializeOwned, S: Send + Sync> FromRequestParts<S> for Asked<T> {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Problem> {
        let uri = parts.uri.clone();
        let Query(of) = Query::try_from_uri(&uri)
            .map_err(|rejection| Problem::bad(format!("{}.", rejection.body_text())))?;
        Ok(Self { of, uri })
    }
}

impl<T: DeserializeOwned + Send, S: Send + Sync> FromRequestParts<S> for Segments<T> {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Problem> {
        match Path::from_request_parts(parts, state).await {
            Ok(Path(of)) => Ok(Self(of)),
            Err(rejection) => Err(Problem::new(rejection.status(), format!("{}.", rejection.body_text()))),
        }
    }
}

impl<T: DeserializeOwned, S: Send + Sync> FromRequest<S> for Body<T> {
    type Rejection = Problem;

    async fn from_request(request: Request, state: &S) -> Result<Self, Problem> {
        match Json::from_request(request, state).await {
            Ok(Json(of)) => Ok(Self(of)),
            Err(rejection) => Err(refused(rejection)),
        }
    }
}

/// A whole number, which JSON may also write `7.0`.
pub(crate) fn whole<'de, D: Deserializer<'de>>(deserializer: D) -> Result<u32, D::Error> {
    let number = serde_json::Number::deserialize(deserializer)?;
    let is_whole = |of: &f64| of.fract() == 0.0 && (0.0..=f64::from(u32::MAX)).contains(of);
    let whole = number.as_u64().and_then(|of| u32::try_from(of).ok());
    let whole = whole.or_else(|| number.as_f64().filter(is_whole).map(|of| of as u32));
    whole.ok_or_else(|| D::Error::custom(format!("{number} is not a whole number from 0 to {}", u32::MAX)))
}

fn refused(rejection: JsonRejection) -> Problem {
    let status = rejection.status();
    let detail = match rejection {
        JsonRejection::BytesRejection(rejection) => return rejection.into(),
        JsonRejection::MissingJsonContentType(_) => {
            "Send the body as JSON, with `Content-Type: application/json`.".to_owned()
        }
        rejection => format!("{}.", rejection.body_text()),
    };
    Problem::new(status, detail)
}
