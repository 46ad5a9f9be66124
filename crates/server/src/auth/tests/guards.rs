//! What protects pages from other sites, and headers that browsers obey.

use std::net::SocketAddr;

use app::access::setup_code;

use super::house::{ADMIN, Browser, House, PASSWORD};
use crate::auth::{AuthMode, check_binding};

#[test]
fn a_request_from_another_site_changes_nothing() {
    let (house, browser) = House::with_admin();
    let post = |headers: &[&str]| {
        let headers: Vec<String> = headers.iter().map(|&line| line.to_owned()).collect();
        house.post_with(&browser, "/change", &[("what", "x")], &headers).status
    };
    let ours = format!("Origin: http://{}", house.host());
    assert_eq!(post(&[&ours]), 200);
    assert_eq!(post(&["Sec-Fetch-Site: same-origin"]), 200);
    for theirs in [
        "Origin: http://evil.example",
        "Origin: null",
        "Sec-Fetch-Site: cross-site",
        "Sec-Fetch-Site: same-site",
    ] {
        assert_eq!(post(&[theirs]), 403, "{theirs}");
    }
    // Nor can another site sign a browser in to an account of its own.
    let fields = [("email", ADMIN), ("password", PASSWORD), ("back", "/")];
    let theirs = ["Origin: http://evil.example".to_owned()];
    assert_eq!(house.post_with(&Browser::default(), "/login", &fields, &theirs).status, 403);
}

#[test]
fn a_form_needs_the_proof_of_its_own_session() {
    let (house, browser) = House::with_admin();
    let other = house.browser(&house.log_in(ADMIN, PASSWORD));
    let post = |csrf: &str| {
        let browser = Browser { csrf: csrf.into(), ..browser.clone() };
        house.post(&browser, "/change", &[("what", "x")])
    };
    assert_eq!((post(&browser.csrf).status, post(&browser.csrf).body.as_str()), (200, "x"));
    for wrong in ["", "guessed", &other.csrf] {
        let refused = post(wrong);
        assert_eq!(refused.status, 403);
        assert!(refused.body.contains("load the page again"), "{}", refused.body);
    }
    // A script sends it as a header; a page that takes no form needs it there.
    let send = |path: &str, csrf: &str| {
        let headers = [format!("Cookie: {}", browser.cookie), format!("X-CSRF-Token: {csrf}")];
        house.send("POST", path, &headers, "").status
    };
    assert_eq!(
        (send("/script", &browser.csrf), send("/script", ""), send("/script", &other.csrf)),
        (200, 403, 403)
    );
    let json = format!("Cookie: {}", browser.cookie);
    let kind = "Content-Type: application/json".to_owned();
    assert_eq!(house.send("POST", "/api/systems/a/rows", &[json.clone(), kind.clone()], "").status, 403);
    let proof = format!("X-CSRF-Token: {}", browser.csrf);
    assert_eq!(house.send("POST", "/api/systems/a/rows", &[json, kind, proof], "").status, 200);
}

#[test]
fn a_form_is_a_form_and_not_large() {
    let (house, browser) = House::with_admin();
    let large = "x".repeat(70_000);
    assert_eq!(house.post(&browser, "/change", &[("what", &large)]).status, 413);
    let headers = [format!("Cookie: {}", browser.cookie), "Content-Type: text/plain".into()];
    let body = format!("csrf={}", browser.csrf);
    assert_eq!(house.send("POST", "/change", &headers, &body).status, 415);
}

#[test]
fn cookies_say_where_they_may_go() {
    let sent = |is_https| {
        let house = House::of(AuthMode::Accounts, is_https);
        let code = setup_code(&house.store, None, house.now()).unwrap().unwrap();
        let fields = [("token", code.text()), ("name", "Ada"), ("email", ADMIN), ("password", PASSWORD)];
        let answer = house.post(&Browser::default(), "/setup", &fields);
        let (cookie, attributes) = answer.header("set-cookie").split_once("; ").unwrap();
        let (name, secret) = cookie.split_once('=').unwrap();
        assert_eq!(secret.len(), 43, "256 bits");
        (name.to_owned(), attributes.to_owned(), answer.header("strict-transport-security").to_owned())
    };
    let plain = "Path=/; Max-Age=604800; HttpOnly; SameSite=Lax";
    assert_eq!(sent(false), ("forewarn".into(), plain.into(), String::new()));
    assert_eq!(sent(true), ("__Host-forewarn".into(), format!("{plain}; Secure"), "max-age=31536000".into()));
}

#[test]
fn every_answer_carries_the_headers() {
    let (house, browser) = House::with_admin();
    let answers = [
        house.get(&browser, "/"),
        house.get(&Browser::default(), "/"),
        house.get(&browser, "/nowhere"),
        house.send("GET", "/api/v1/users", &[], ""),
        house.send("POST", "/change", &["Origin: http://evil.example".into()], ""),
    ];
    for answer in answers {
        let policy = answer.header("content-security-policy");
        assert!(policy.starts_with("default-src 'none'; script-src 'self';"), "{policy}");
        assert!(policy.contains("frame-ancestors 'none'") && policy.contains("form-action 'self'"));
        assert_eq!(answer.header("x-content-type-options"), "nosniff");
        assert_eq!(answer.header("referrer-policy"), "same-origin");
        assert_eq!(answer.header("cross-origin-opener-policy"), "same-origin");
        assert!(answer.header("permissions-policy").contains("camera=()"));
    }
}

#[test]
fn without_accounts_everybody_on_this_machine_is_an_admin() {
    let house = House::of(AuthMode::Insecure, false);
    let page = house.get(&Browser::default(), "/");
    assert!(page.status == 200 && page.body.starts_with("local csrf="));
    let browser = Browser { cookie: String::new(), csrf: page.body.split_once("csrf=").unwrap().1.into() };
    assert_eq!(house.post(&browser, "/change", &[("what", "x")]).status, 200);
    assert_eq!(
        house.post(&Browser::default(), "/change", &[("what", "x")]).status,
        403,
        "a form needs its proof"
    );
    assert_eq!(house.send("POST", "/api/systems/a/rows", &[], "").status, 200, "a program needs nothing");
    let rebound = ["Host: evil.example".to_owned(), "Origin: http://evil.example".into()];
    assert_eq!(house.send("POST", "/api/systems/a/rows", &rebound, "").status, 403);
    assert_eq!(house.send("GET", "/", &rebound[..1], "").status, 403, "a rebound name reads nothing");
    assert_eq!(house.get(&browser, "/settings").status, 200);
}

#[test]
fn without_accounts_only_loopback_is_listened_on() {
    let check = |address: &str, mode| check_binding(address.parse::<SocketAddr>().unwrap(), mode).is_ok();
    for address in ["127.0.0.1:8080", "[::1]:8080", "127.9.9.9:1", "[::ffff:127.0.0.1]:1"] {
        assert!(check(address, AuthMode::Insecure), "{address}");
    }
    for address in ["0.0.0.0:8080", "[::]:8080", "192.0.2.1:80"] {
        assert!(!check(address, AuthMode::Insecure), "{address}");
        assert!(check(address, AuthMode::Accounts), "{address}");
    }
}
