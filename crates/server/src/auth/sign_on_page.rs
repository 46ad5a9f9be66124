//! What people read when a provider does not sign them in, or when they are about to go there.

use app::access::{AccessError, SignOnRefusal};
use app::oidc::ProviderError;
use axum::http::StatusCode;
use axum::response::Response;
use view::site::entry::{self, CrossingPage, RefusedPage};
use view::site::link;

use super::login::Sender;
use super::{AuthState, Problem, Signed, pages};

/// Why nobody was signed in.
#[derive(Debug)]
pub(super) enum Failure {
    /// There is no such attempt in this browser (any more).
    Attempt,
    /// The provider sent the browser back with an error instead of a code.
    Denied(String),
    Provider(ProviderError),
    Access(AccessError),
}

impl From<ProviderError> for Failure {
    fn from(error: ProviderError) -> Self {
        Self::Provider(error)
    }
}

impl From<AccessError> for Failure {
    fn from(error: AccessError) -> Self {
        Self::Access(error)
    }
}

impl Failure {
    /// What the audit log says, where somebody was refused rather than something out of order.
    pub(super) fn why_refused(&self) -> Option<String> {
        match self {
            Self::Attempt => Some("another provider answered".into()),
            Self::Denied(code) => Some(format!("the provider ended it: {}", code_shown(code))),
            Self::Provider(error @ (ProviderError::Code { .. } | ProviderError::Token { .. })) => {
                Some(error.to_string())
            }
            Self::Provider(_) | Self::Access(_) => None,
        }
    }

    fn status(&self) -> StatusCode {
        match self {
            Self::Attempt | Self::Provider(ProviderError::Code { .. }) => StatusCode::BAD_REQUEST,
            Self::Denied(code) if code == ACCESS_DENIED => StatusCode::FORBIDDEN,
            Self::Provider(ProviderError::Token { .. }) => StatusCode::FORBIDDEN,
            Self::Denied(_) | Self::Provider(_) | Self::Access(_) => StatusCode::BAD_GATEWAY,
        }
    }

    /// Title, what happened, and the way out.
    fn words(&self, provider: &str, has_passwords: bool) -> (&'static str, String, String) {
        let again = || "Begin again.".to_owned();
        let log = "If it happens again, tell an admin: the server's log has the reason.";
        match self {
            Self::Attempt => (
                "This sign-in cannot be finished",
                "It was begun in another browser or more than ten minutes ago, or it was finished already."
                    .into(),
                again(),
            ),
            Self::Denied(code) if code == ACCESS_DENIED => (
                "You were not let through",
                format!(
                    "{provider} ended the sign-in: you declined, or a rule there does not let you use Forewarn."
                ),
                "Try again, or ask whoever runs it.".into(),
            ),
            Self::Denied(code) => (
                "The provider could not sign you in",
                format!("{provider} says “{}”.", code_shown(code)),
                log.into(),
            ),
            Self::Provider(ProviderError::Unreachable { .. }) => (
                "The provider does not answer",
                format!("{provider} cannot be reached now, so it signs nobody in."),
                if has_passwords {
                    "Try again in a moment, or sign in with a password if you have one.".into()
                } else {
                    "Try again in a moment. If it lasts, tell an admin: the server's log has the reason."
                        .into()
                },
            ),
            Self::Provider(ProviderError::Answer { .. } | ProviderError::Client { .. }) => (
                "The provider and this server do not fit",
                format!("What {provider} answers is not what was expected, so nobody was signed in."),
                "An admin must look at it: the server's log has the reason.".into(),
            ),
            Self::Provider(ProviderError::Code { .. }) => (
                "This sign-in cannot be finished",
                format!("{provider} does not take it: it was used already, or took too long."),
                again(),
            ),
            Self::Provider(ProviderError::Token { .. }) => (
                "This sign-in cannot be trusted",
                format!("What {provider} sent could not be verified, so nobody was signed in."),
                log.into(),
            ),
            Self::Access(error) => ("You are not let in", sentence(&error.to_string()), way_out(error)),
        }
    }
}

/// The error of somebody who said no (RFC 6749, section 4.1.2.1).
const ACCESS_DENIED: &str = "access_denied";

/// The code of an error that came by the browser: a word, or nothing of it is repeated.
fn code_shown(code: &str) -> &str {
    let is_word = code.len() <= 60 && code.bytes().all(|byte| byte.is_ascii_lowercase() || byte == b'_');
    if is_word { code } else { "an error without a name" }
}

fn way_out(error: &AccessError) -> String {
    match error {
        AccessError::SignOn(SignOnRefusal::NoGroup { .. }) => {
            "When you are in a group that does, sign in again.".into()
        }
        AccessError::Wait { .. } => "Wait, then begin again.".into(),
        _ => "Then begin again.".into(),
    }
}

/// A fragment as a sentence.
fn sentence(text: &str) -> String {
    let mut chars = text.chars();
    let first = chars.next().map(|first| first.to_uppercase().to_string()).unwrap_or_default();
    format!("{first}{}.", chars.as_str())
}

/// The page that says why, with its status.
pub(super) fn refused(state: &AuthState, from: &Sender, failure: &Failure, again: String) -> Response {
    let provider = state.provider_name().unwrap_or_default();
    let (title, said, way_out) = failure.words(provider, state.login.has_passwords);
    let page = RefusedPage { title, said, way_out, again };
    let problem = match failure {
        Failure::Access(error) => Problem::of(error, from.at),
        failure => Problem::new(failure.status(), ""),
    };
    if let Failure::Provider(error) = failure {
        log::warn!("nobody was signed in by {provider}: {error}");
    }
    pages::show_with(problem, entry::refused(&pages::outside(from.theme, link::SINGLE_SIGN_ON), &page))
}

/// The page from which a reader goes on to the provider, to be linked.
pub(super) fn linking(state: &AuthState, signed: &Signed, address: String) -> String {
    let provider = state.provider_name().unwrap_or_default();
    let login = signed.caller.account().map(|user| user.login.as_str()).unwrap_or_default();
    let page = CrossingPage {
        title: "Link your account",
        said: format!(
            "Sign in at {provider}. From then on, whoever you are there is let into the account {login}."
        ),
        there: Some((format!("Go on to {provider}"), address)),
        here: ("Back", link::ACCOUNT),
    };
    entry::crossing(&pages::outside(signed.theme, link::LINK), &page)
}

/// The page of somebody who signed out.
pub(super) fn signed_out(state: &AuthState, from: &Sender, there: Option<String>) -> String {
    let provider = state.provider_name().unwrap_or_default();
    let page = CrossingPage {
        title: "You are signed out",
        said: format!("{provider} may still know you in this browser, and sign you in again without asking."),
        there: there.map(|address| (format!("Sign out of {provider} too"), address)),
        here: ("Sign in again", link::LOGIN),
    };
    entry::crossing(&pages::outside(from.theme, link::SIGNED_OUT), &page)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_came_by_the_browser_is_repeated_only_if_it_is_a_word() {
        for (code, expected) in [
            ("login_required", "login_required"),
            ("<script>", "an error without a name"),
            ("Call 0900 123456", "an error without a name"),
        ] {
            assert_eq!(code_shown(code), expected);
        }
    }
}
