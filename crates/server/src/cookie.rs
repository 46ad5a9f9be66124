//! Cookies, read out of a request and written into a response.

use axum::http::{HeaderMap, header};
use view::site::Theme;

/// How the reader wants pages to look.
pub(crate) const THEME: &str = "theme";

/// The value of a cookie.
pub(crate) fn value(headers: &HeaderMap, name: &str) -> Option<String> {
    let all = headers.get_all(header::COOKIE).iter().filter_map(|cookies| cookies.to_str().ok());
    let mut pairs = all.flat_map(|cookies| cookies.split(';')).filter_map(|pair| pair.trim().split_once('='));
    pairs.find(|(key, _)| *key == name).map(|(_, value)| value.to_owned())
}

/// How the reader wants pages to look; as their system does where they never said.
pub(crate) fn theme(headers: &HeaderMap) -> Theme {
    value(headers, THEME).and_then(|word| Theme::named(&word)).unwrap_or_default()
}
