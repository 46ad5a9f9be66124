//! Requests that another site makes a browser send.
//!
//! A browser says where a request comes from (`Sec-Fetch-Site`, or `Origin` where it is older or the page
//! came by plain HTTP); what says neither is no browser, and has no cookies that somebody else could use.
//! Where nobody signs in, a name that leads here by a rebound DNS entry is refused too: its pages would be
//! of the same origin.

use std::net::IpAddr;

use axum::http::header::{AUTHORIZATION, HOST, HeaderMap, ORIGIN};
use axum::http::{HeaderName, Method};

use super::{AuthMode, AuthSettings};

const FETCH_SITE: HeaderName = HeaderName::from_static("sec-fetch-site");

/// Why a request is refused, if it is.
pub(super) fn refusal(settings: &AuthSettings, method: &Method, headers: &HeaderMap) -> Option<&'static str> {
    let host = text(headers, &HOST);
    if settings.mode == AuthMode::Insecure && !host.is_some_and(is_this_machine) {
        return Some("without accounts the server answers to localhost only");
    }
    // A token is never sent by a browser on its own.
    if method.is_safe() || (settings.mode == AuthMode::Accounts && headers.contains_key(AUTHORIZATION)) {
        return None;
    }
    let is_ours = match (text(headers, &FETCH_SITE), headers.get(ORIGIN)) {
        (Some(site), _) => matches!(site, "same-origin" | "none"),
        (None, Some(_)) => text(headers, &ORIGIN).is_some_and(|origin| is_origin(settings, origin, host)),
        (None, None) => true,
    };
    (!is_ours).then_some("the request comes from another site")
}

fn text<'h>(headers: &'h HeaderMap, name: &HeaderName) -> Option<&'h str> {
    headers.get(name)?.to_str().ok()
}

fn is_origin(settings: &AuthSettings, origin: &str, host: Option<&str>) -> bool {
    let authority = origin.strip_prefix("https://").or_else(|| origin.strip_prefix("http://"));
    let is_host = authority.zip(host).is_some_and(|(authority, host)| authority.eq_ignore_ascii_case(host));
    is_host || settings.origin.as_deref().is_some_and(|ours| ours.eq_ignore_ascii_case(origin))
}

fn is_this_machine(host: &str) -> bool {
    // `[::1]:80`, `127.0.0.1:80`, `localhost`.
    let (bracketed, name) = match host.strip_prefix('[') {
        Some(rest) => (true, rest.split(']').next().unwrap_or_default()),
        None => (false, host.split(':').next().unwrap_or_default()),
    };
    let name = name.to_ascii_lowercase();
    match name.parse::<IpAddr>() {
        Ok(address) => address.is_loopback(),
        Err(_) => !bracketed && (name == "localhost" || name.ends_with(".localhost")),
    }
}

#[cfg(test)]
mod tests {
    use axum::http::HeaderValue;

    use super::*;

    fn refused(mode: AuthMode, method: &Method, sent: &[(&'static str, &'static str)]) -> bool {
        let origin = Some("https://risk.example.org".into());
        let settings = AuthSettings { mode, is_https: true, origin, proxies: vec![] };
        let headers =
            sent.iter().map(|(name, value)| (HeaderName::from_static(name), HeaderValue::from_static(value)));
        refusal(&settings, method, &headers.collect()).is_some()
    }

    #[test]
    fn what_another_site_makes_a_browser_send_is_refused() {
        let check = |sent: &[(&'static str, &'static str)], expected| {
            let all = [&[("host", "localhost:8080")], sent].concat();
            assert_eq!(refused(AuthMode::Accounts, &Method::POST, &all), expected, "{sent:?}");
            assert!(!refused(AuthMode::Accounts, &Method::GET, &all), "reading changes nothing");
        };
        check(&[], false);
        check(&[("sec-fetch-site", "same-origin")], false);
        check(&[("sec-fetch-site", "none")], false);
        check(&[("sec-fetch-site", "same-site")], true);
        check(&[("sec-fetch-site", "cross-site")], true);
        check(&[("sec-fetch-site", "cross-site"), ("origin", "http://localhost:8080")], true);
        check(&[("origin", "http://localhost:8080")], false);
        check(&[("origin", "https://LOCALHOST:8080")], false);
        check(&[("origin", "https://risk.example.org")], false);
        check(&[("origin", "http://localhost:8081")], true);
        check(&[("origin", "http://evil.example")], true);
        check(&[("origin", "http://localhost:8080.evil.example")], true);
        check(&[("origin", "null")], true);
        check(&[("origin", "http://evil.example"), ("authorization", "Bearer fw_x")], false);
    }

    #[test]
    fn without_accounts_only_names_of_this_machine_are_answered() {
        let check = |host: &'static str, expected| {
            assert_eq!(refused(AuthMode::Insecure, &Method::GET, &[("host", host)]), expected, "{host}");
        };
        for host in
            ["localhost", "LOCALHOST:8080", "a.localhost:1", "127.0.0.1:8080", "127.1.2.3", "[::1]:8080"]
        {
            check(host, false);
        }
        for host in [
            "evil.example",
            "localhost.evil.example",
            "192.0.2.1",
            "[2001:db8::1]",
            "[localhost]",
            "",
            "0.0.0.0",
        ] {
            check(host, true);
        }
        assert!(refused(AuthMode::Insecure, &Method::GET, &[]));
        // Everybody has the rights there, so a header that claims to be a token excuses nothing.
        let sent = [("host", "localhost"), ("origin", "http://evil.example"), ("authorization", "x")];
        assert!(refused(AuthMode::Insecure, &Method::POST, &sent));
    }
}
