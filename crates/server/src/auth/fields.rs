//! The fields of a form that was sent.

use axum::body::{Body, to_bytes};
use axum::extract::{FromRequest, Request};
use axum::http::header::CONTENT_TYPE;
use axum::http::{HeaderMap, StatusCode};

use super::Problem;
use super::caller::Refusal;
use crate::patience::TooSlow;

/// No form of ours comes near.
const BYTES_MAX: usize = 64 * 1024;

/// Fields in the order in which they were sent; a name may be there several times.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Fields(Vec<(String, String)>);

impl Fields {
    /// Out of `a=b&c=d`: a form's body, or a query.
    pub fn of(text: &[u8]) -> Self {
        Self(url::form_urlencoded::parse(text).into_owned().collect())
    }

    /// The first field of a name; empty where there is none.
    pub fn get(&self, name: &str) -> &str {
        let of_name = self.0.iter().find(|(of, _)| of == name);
        of_name.map(|(_, value)| value.as_str()).unwrap_or_default()
    }

    /// Every field of a name.
    pub fn all<'f>(&'f self, name: &'f str) -> impl Iterator<Item = &'f str> {
        self.0.iter().filter(move |(of, _)| of == name).map(|(_, value)| value.as_str())
    }

    pub(super) async fn read(headers: &HeaderMap, body: Body) -> Result<Self, Problem> {
        let kind = headers.get(CONTENT_TYPE).and_then(|value| value.to_str().ok()).unwrap_or_default();
        if !kind.starts_with("application/x-www-form-urlencoded") {
            return Err(Problem::new(StatusCode::UNSUPPORTED_MEDIA_TYPE, "a form was expected"));
        }
        let bytes = to_bytes(body, BYTES_MAX).await.map_err(|error| {
            if TooSlow::is_behind(&error) {
                return Problem::new(StatusCode::REQUEST_TIMEOUT, TooSlow.to_string());
            }
            Problem::new(StatusCode::PAYLOAD_TOO_LARGE, "the form is larger than any of ours, or was cut off")
        });
        Ok(Self::of(&bytes?))
    }
}

impl<S: Send + Sync> FromRequest<S> for Fields {
    type Rejection = Refusal;

    async fn from_request(request: Request, _: &S) -> Result<Self, Refusal> {
        let (parts, body) = request.into_parts();
        Ok(Self::read(&parts.headers, body).await?)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_may_come_several_times() {
        let fields = Fields::of(b"scope=read&name=a+b%21&scope=ingest&damaged=%zz");
        assert_eq!(fields.all("scope").collect::<Vec<_>>(), ["read", "ingest"]);
        assert_eq!(fields.get("name"), "a b!");
        assert_eq!(fields.get("other"), "");
        assert_eq!(fields.get("damaged"), "%zz");
    }
}
