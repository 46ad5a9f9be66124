//! Why a provider does not say who somebody is.

use std::error::Error;

use openidconnect::{
    ClaimsVerificationError, ConfigurationError, DiscoveryError, ErrorResponse, RequestTokenError,
    UserInfoError, url,
};

/// How much of what went wrong is said.
const REASON_LENGTH_MAX: usize = 300;

/// Why a provider does not say who somebody is.
#[derive(Clone, Debug, thiserror::Error, PartialEq, Eq)]
pub enum ProviderError {
    #[error("the provider cannot be reached: {reason}")]
    Unreachable { reason: String },
    #[error("the provider does not answer as one of OpenID Connect does: {reason}")]
    Answer { reason: String },
    /// What came back with the browser was used, expired or made up.
    #[error("the provider does not take the code: {reason}")]
    Code { reason: String },
    /// The provider does not know this server under the id and secret that are written.
    #[error("the provider does not take client id and secret: {reason}")]
    Client { reason: String },
    #[error("the provider's token is not valid: {reason}")]
    Token { reason: String },
}

/// An error with what is behind it, on one line of bounded length.
fn told(error: &dyn Error) -> String {
    let mut text = error.to_string();
    let mut source = error.source();
    while let Some(error) = source {
        text.push_str(&format!(": {error}"));
        source = error.source();
    }
    let text: String = text.chars().map(|c| if c.is_control() { ' ' } else { c }).collect();
    text.chars().take(REASON_LENGTH_MAX).collect()
}

impl From<DiscoveryError<ureq::Error>> for ProviderError {
    fn from(error: DiscoveryError<ureq::Error>) -> Self {
        let reason = told(&error);
        match error {
            DiscoveryError::Request(_) => Self::Unreachable { reason },
            DiscoveryError::Response(status, ..) if status.is_server_error() => Self::Unreachable { reason },
            _ => Self::Answer { reason },
        }
    }
}

impl<T: ErrorResponse> From<RequestTokenError<ureq::Error, T>> for ProviderError {
    fn from(error: RequestTokenError<ureq::Error, T>) -> Self {
        let reason = told(&error);
        match error {
            RequestTokenError::Request(_) => Self::Unreachable { reason },
            RequestTokenError::ServerResponse(_) if reason.contains("invalid_client") => {
                Self::Client { reason }
            }
            RequestTokenError::ServerResponse(_) => Self::Code { reason },
            // An ID token that is no token is refused while the answer is read.
            RequestTokenError::Parse(_, body) if has_tokens(&body) => Self::Token { reason },
            RequestTokenError::Parse(..) | RequestTokenError::Other(_) => Self::Answer { reason },
        }
    }
}

/// Whether an answer has both tokens, whatever they are.
fn has_tokens(body: &[u8]) -> bool {
    let answer: serde_json::Value = serde_json::from_slice(body).unwrap_or_default();
    answer["access_token"].is_string() && answer["id_token"].is_string()
}

impl From<UserInfoError<ureq::Error>> for ProviderError {
    fn from(error: UserInfoError<ureq::Error>) -> Self {
        let reason = told(&error);
        match error {
            UserInfoError::Request(_) => Self::Unreachable { reason },
            UserInfoError::ClaimsVerification(_) => Self::Token { reason },
            _ => Self::Answer { reason },
        }
    }
}

impl From<ClaimsVerificationError> for ProviderError {
    fn from(error: ClaimsVerificationError) -> Self {
        Self::Token { reason: told(&error) }
    }
}

impl From<ConfigurationError> for ProviderError {
    fn from(error: ConfigurationError) -> Self {
        Self::Answer { reason: told(&error) }
    }
}

impl From<url::ParseError> for ProviderError {
    fn from(error: url::ParseError) -> Self {
        Self::Answer { reason: told(&error) }
    }
}
