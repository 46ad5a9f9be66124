//! Why an object store did not do what it was asked, in words that name the way out.
//!
//! The store's own answer is a status and a few words of XML; of those the code and the message are told. Nothing
//! else of a request or an answer is: both hold parts of credentials.

use std::error::Error as StdError;

use datafusion::error::DataFusionError;
use datafusion::parquet::errors::ParquetError;
use object_store::client::{HttpError, HttpErrorKind};

/// Why a bucket, or an object of it, cannot be used.
#[derive(Clone, Debug, thiserror::Error)]
pub enum ObjectsError {
    #[error(
        "`{address}` is in no object store that is read; write s3://BUCKET/PATH, for S3 and whatever speaks it"
    )]
    NotAnAddress { address: String },
    #[error(
        "failed to use `{address}`: no credentials were found; set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, or AWS_SKIP_SIGNATURE=true for a public bucket"
    )]
    NoCredentials { address: String },
    #[error(
        "failed to use `{address}`: the store does not accept the credentials ({reason}); look at AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY, AWS_SESSION_TOKEN and AWS_REGION"
    )]
    WrongCredentials { address: String, reason: String },
    #[error(
        "failed to use `{address}`: access is denied ({reason}); reading needs s3:ListBucket and s3:GetObject, taking in rows s3:PutObject and s3:DeleteObject too"
    )]
    Denied { address: String, reason: String },
    #[error(
        "failed to use `{address}`: there is no such bucket; look at its name, at AWS_REGION, and for a store of your own at AWS_ENDPOINT_URL"
    )]
    NoBucket { address: String },
    #[error("`{address}` is not there any more; it was deleted while it was used")]
    Vanished { address: String },
    #[error("`{address}` was replaced while it was used; try again")]
    Replaced { address: String },
    #[error("`{address}` is there already, with another content")]
    Exists { address: String },
    #[error(
        "failed to use `{address}`: the endpoint begins with http://, which sends everything in the clear; set AWS_ALLOW_HTTP=true if that is meant"
    )]
    PlainHttp { address: String },
    #[error(
        "failed to use `{address}`: the store cannot be reached ({reason}); look at AWS_ENDPOINT_URL and the network"
    )]
    Unreachable { address: String, reason: String },
    #[error("failed to use `{address}`: {reason}")]
    Other { address: String, reason: String },
}

impl ObjectsError {
    /// What went wrong with the object at an address.
    pub(crate) fn of(address: impl Into<String>, error: &object_store::Error) -> Self {
        let address = address.into();
        let (text, http) = chain(error);
        let answer = Answer::in_text(&text);
        let reason = || answer.words().unwrap_or_else(|| innermost(error));
        // Where no key is set, the address of the machine's own credentials is asked.
        if text.contains("/latest/api/token") || text.contains("/security-credentials") {
            return Self::NoCredentials { address };
        }
        if text.contains("Missing AccessKeyId") || text.contains("Missing SecretAccessKey") {
            return Self::NoCredentials { address };
        }
        if text.contains("URL scheme is not allowed") {
            return Self::PlainHttp { address };
        }
        match answer.code.as_deref() {
            Some("NoSuchBucket") => return Self::NoBucket { address },
            Some(
                "InvalidAccessKeyId"
                | "SignatureDoesNotMatch"
                | "ExpiredToken"
                | "InvalidToken"
                | "AuthorizationHeaderMalformed"
                | "TokenRefreshRequired",
            ) => return Self::WrongCredentials { address, reason: reason() },
            Some("AccessDenied" | "AllAccessDisabled") => return Self::Denied { address, reason: reason() },
            _ => {}
        }
        match (error, http) {
            (object_store::Error::NotFound { .. }, _) => Self::Vanished { address },
            (object_store::Error::Precondition { .. }, _) => Self::Replaced { address },
            (object_store::Error::AlreadyExists { .. }, _) => Self::Exists { address },
            (object_store::Error::PermissionDenied { .. }, _) => Self::Denied { address, reason: reason() },
            (object_store::Error::Unauthenticated { .. }, _) => {
                Self::WrongCredentials { address, reason: reason() }
            }
            (
                _,
                Some(
                    HttpErrorKind::Connect
                    | HttpErrorKind::Timeout
                    | HttpErrorKind::Interrupted
                    | HttpErrorKind::Request,
                ),
            ) => Self::Unreachable { address, reason: reason() },
            _ if text.contains("status code: 5") => Self::Unreachable { address, reason: reason() },
            _ => Self::Other { address, reason: reason() },
        }
    }

    /// What a reader of Parquet was told by the store that it read from, where that is what went wrong.
    pub(crate) fn within_parquet(error: ParquetError) -> Result<Self, ParquetError> {
        match error {
            ParquetError::External(error) => {
                error.downcast::<Self>().map(|error| *error).map_err(ParquetError::External)
            }
            error => Err(error),
        }
    }

    /// What a query was told by the store that it read from, where that is what went wrong.
    pub(crate) fn within_query(error: &DataFusionError) -> Option<Self> {
        let mut next: Option<&(dyn StdError + 'static)> = Some(error);
        while let Some(error) = next {
            if let Some(of_store) = error.downcast_ref::<Self>() {
                return Some(of_store.clone());
            }
            next = error.source();
        }
        None
    }

    /// Whether it may well work later without anybody's doing.
    pub(crate) fn is_passing(&self) -> bool {
        matches!(self, Self::Unreachable { .. })
    }
}

/// The words of an error and of those that it comes from, and what happened to the connection.
fn chain(error: &object_store::Error) -> (String, Option<HttpErrorKind>) {
    let (mut text, mut http) = (String::new(), None);
    let mut next: Option<&(dyn StdError + 'static)> = Some(error);
    while let Some(error) = next {
        text.push_str(&error.to_string());
        text.push('\n');
        http = http.or_else(|| error.downcast_ref::<HttpError>().map(HttpError::kind));
        next = error.source();
    }
    (text, http)
}

/// The first line of what lies at the bottom of an error.
fn innermost(error: &object_store::Error) -> String {
    let mut at: &(dyn StdError + 'static) = error;
    while let Some(source) = at.source() {
        at = source;
    }
    at.to_string().lines().next().unwrap_or_default().to_owned()
}

/// What the store said.
struct Answer {
    code: Option<String>,
    message: Option<String>,
}

impl Answer {
    fn in_text(text: &str) -> Self {
        let element = |name: &str| {
            let (_, rest) = text.split_once(&format!("<{name}>"))?;
            let (value, _) = rest.split_once(&format!("</{name}>"))?;
            Some(value.to_owned())
        };
        Self { code: element("Code"), message: element("Message") }
    }

    fn words(&self) -> Option<String> {
        match (&self.code, &self.message) {
            (Some(code), Some(message)) => Some(format!("{code}: {}", message.trim_end_matches('.'))),
            (Some(code), None) => Some(code.clone()),
            _ => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn answered(status: &str, body: &str) -> String {
        let text = format!("Server returned non-2xx status code: {status}: {body}");
        let error = object_store::Error::Generic { store: "S3", source: text.into() };
        ObjectsError::of("s3://b/k", &error).to_string()
    }

    #[test]
    fn what_the_store_says_is_told_with_the_way_out_and_without_the_rest() {
        for (status, body, words) in [
            ("404 Not Found", "<Error><Code>NoSuchBucket</Code></Error>", "no such bucket"),
            ("403 Forbidden", "<Error><Code>AccessDenied</Code><Message>No.</Message></Error>", "ListBucket"),
            ("403 Forbidden", "<Code>InvalidAccessKeyId</Code>", "AWS_SECRET_ACCESS_KEY"),
            ("503 Slow Down", "<Code>SlowDown</Code>", "cannot be reached (SlowDown)"),
        ] {
            let told = answered(status, &format!("{body}<AWSAccessKeyId>KEY</AWSAccessKeyId>"));
            assert!(told.contains(words) && told.contains("s3://b/k"), "{told}");
            assert!(!told.contains("KEY<") && !told.contains("<Error>"), "{told}");
        }
    }

    #[test]
    fn only_what_may_pass_by_itself_is_tried_again() {
        let of = |text: &str| {
            ObjectsError::of("a", &object_store::Error::Generic { store: "S3", source: text.into() })
        };
        assert!(of("status code: 503 : <Code>SlowDown</Code>").is_passing());
        assert!(!of("status code: 404 : <Code>NoSuchBucket</Code>").is_passing());
    }
}
