//! The cookies of a session, and of an attempt to sign in by a provider.

use app::access::{LIFE, Secret};
use app::oidc::{ATTEMPT_VALID, Attempt};
use axum::http::HeaderMap;
use axum::http::header::{COOKIE, HeaderValue};

/// A browser accepts the first name only by HTTPS, for the whole host and no other.
fn name(is_https: bool) -> &'static str {
    if is_https { "__Host-forewarn" } else { "forewarn" }
}

fn attempt_name(is_https: bool) -> &'static str {
    if is_https { "__Host-forewarn-attempt" } else { "forewarn-attempt" }
}

/// The session's secret, as the browser sent it.
pub(super) fn secret(headers: &HeaderMap, is_https: bool) -> Option<&str> {
    value(headers, name(is_https))
}

/// The attempt that the browser is in.
pub(super) fn attempt(headers: &HeaderMap, is_https: bool) -> Option<&str> {
    value(headers, attempt_name(is_https))
}

fn value<'h>(headers: &'h HeaderMap, name: &str) -> Option<&'h str> {
    let cookies = headers.get_all(COOKIE).iter().filter_map(|value| value.to_str().ok());
    cookies
        .flat_map(|value| value.split(';'))
        .filter_map(|pair| pair.trim().split_once('='))
        .find_map(|(of, value)| (of == name).then_some(value))
}

/// Lets the browser keep a secret as long as a session may live.
pub(super) fn keep(secret: &Secret, is_https: bool) -> Option<HeaderValue> {
    with(name(is_https), secret.text(), LIFE.as_secs(), is_https)
}

/// Lets the browser keep an attempt as long as it may take.
pub(super) fn keep_attempt(attempt: &Attempt, is_https: bool) -> Option<HeaderValue> {
    with(attempt_name(is_https), attempt.text(), ATTEMPT_VALID.as_secs(), is_https)
}

/// Makes the browser forget the attempt, whatever came of it.
pub(super) fn forget_attempt(is_https: bool) -> Option<HeaderValue> {
    with(attempt_name(is_https), "", 0, is_https)
}

/// Makes the browser forget it.
pub(super) fn forget(is_https: bool) -> Option<HeaderValue> {
    with(name(is_https), "", 0, is_https)
}

/// None only for a value that no header can carry, and there is none among ours.
fn with(name: &str, value: &str, seconds: i64, is_https: bool) -> Option<HeaderValue> {
    let secure = if is_https { "; Secure" } else { "" };
    let text = format!("{name}={value}; Path=/; Max-Age={seconds}; HttpOnly; SameSite=Lax{secure}");
    HeaderValue::from_str(&text).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_cookie_is_found_among_others() {
        let check = |sent: &[&'static str], is_https, expected| {
            let mut headers = HeaderMap::new();
            for value in sent {
                headers.append(COOKIE, HeaderValue::from_static(value));
            }
            assert_eq!(secret(&headers, is_https), expected, "{sent:?}");
        };
        check(&["a=1; forewarn=x; b=2"], false, Some("x"));
        check(&["a=1", "forewarn=x"], false, Some("x"));
        check(&["notforewarn=x; forewarn"], false, None);
        check(&["forewarn=tossed; __Host-forewarn=x"], true, Some("x"));
        check(&["forewarn=tossed"], true, None);
    }
}
