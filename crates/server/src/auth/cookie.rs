//! The cookie of a session.

use app::access::{LIFE, Secret};
use axum::http::HeaderMap;
use axum::http::header::{COOKIE, HeaderValue};

/// A browser accepts the first name only by HTTPS, for the whole host and no other.
fn name(is_https: bool) -> &'static str {
    if is_https { "__Host-forewarn" } else { "forewarn" }
}

/// What the browser sent.
pub(super) fn secret(headers: &HeaderMap, is_https: bool) -> Option<&str> {
    let cookies = headers.get_all(COOKIE).iter().filter_map(|value| value.to_str().ok());
    cookies
        .flat_map(|value| value.split(';'))
        .filter_map(|pair| pair.trim().split_once('='))
        .find_map(|(of, value)| (of == name(is_https)).then_some(value))
}

/// Lets the browser keep a secret as long as a session may live.
pub(super) fn keep(secret: &Secret, is_https: bool) -> Option<HeaderValue> {
    with(secret.text(), LIFE.as_secs(), is_https)
}

/// Makes the browser forget it.
pub(super) fn forget(is_https: bool) -> Option<HeaderValue> {
    with("", 0, is_https)
}

/// None only for a value that no header can carry, and secrets are letters and digits.
fn with(value: &str, seconds: i64, is_https: bool) -> Option<HeaderValue> {
    let secure = if is_https { "; Secure" } else { "" };
    let name = name(is_https);
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
