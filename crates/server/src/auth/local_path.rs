//! Where to go after signing in: a page of ours, never another site.

use std::fmt::Write as _;

/// The path and query if they lead to a page of ours; the start page otherwise.
///
/// Browsers read `//host` and `/\host` as other hosts, and drop tabs and line ends before they look.
pub(crate) fn local_path(next: &str) -> &str {
    let is_local = next.starts_with('/')
        && !next.starts_with("//")
        && next.bytes().all(|byte| byte.is_ascii_graphic() && byte != b'\\');
    let leads_out = next == "/logout" || next.starts_with("/login");
    if is_local && !leads_out { next } else { "/" }
}

/// The page to sign in on, which leads back.
pub(super) fn login_path(next: &str) -> String {
    let next = local_path(next);
    if next == "/" {
        return "/login".into();
    }
    let mut path = "/login?next=".to_owned();
    for byte in next.bytes() {
        if byte.is_ascii_alphanumeric() || b"/-_.".contains(&byte) {
            path.push(char::from(byte));
        } else {
            // Writing to a text does not fail.
            let _ = write!(path, "%{byte:02X}");
        }
    }
    path
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_pages_of_ours_are_gone_to() {
        let check = |next: &str, expected: &str| assert_eq!(local_path(next), expected, "{next:?}");
        check("/systems/a?window=2013-01-01%2F2013-02-01#x", "/systems/a?window=2013-01-01%2F2013-02-01#x");
        for elsewhere in [
            "",
            "systems",
            "https://evil.example",
            "//evil.example",
            "/\\evil.example",
            "\\\\evil.example",
            "/\t/evil.example",
            "/a\r\nSet-Cookie: x=y",
            "/a\nLocation: https://evil.example",
            "/ä",
            " /a",
            "javascript:alert(1)",
            "/login?next=/a",
            "/logout",
        ] {
            check(elsewhere, "/");
        }
    }

    #[test]
    fn the_way_back_is_encoded() {
        assert_eq!(login_path("/a/b?c=d&e=f"), "/login?next=/a/b%3Fc%3Dd%26e%3Df");
        assert_eq!(login_path("//evil.example"), "/login");
    }
}
