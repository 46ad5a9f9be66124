//! Signing in and out, the first setup, and the settings.

use app::access::setup_code;

use super::house::{ADMIN, Browser, House, PASSWORD};
use crate::auth::AuthMode;

#[test]
fn the_setup_link_works_once() {
    let house = House::of(AuthMode::Accounts, false);
    let nobody = Browser::default();
    let code = setup_code(&house.store, None, house.now()).unwrap().unwrap();
    let path = format!("/setup?code={}", code.text());
    let page = house.get(&nobody, &path);
    assert_eq!((page.status, page.header("cache-control")), (200, "no-store"));
    let send = |password: &str| {
        let fields = [("token", code.text()), ("name", "Ada"), ("email", ADMIN), ("password", password)];
        house.post(&nobody, "/setup", &fields)
    };
    let short = send("short");
    assert_eq!(short.status, 422);
    assert!(short.body.contains("at least 12 characters") && short.body.contains(ADMIN));
    assert!(!short.body.contains("value=\"short\""), "a password is not sent back");
    let done = send(PASSWORD);
    assert_eq!((done.status, done.header("location")), (303, "/"));
    let browser = house.browser(&done);
    assert!(house.get(&browser, "/").body.starts_with("Ada "));
    assert_eq!(send(PASSWORD).status, 410);
    assert_eq!(house.get(&nobody, &path).status, 410);
    assert_eq!(house.get(&nobody, "/setup").status, 410);
}

#[test]
fn signing_in_leads_back_and_signing_out_ends_the_session() {
    let (house, first) = House::with_admin();
    let nobody = Browser::default();
    let sent = house.get(&nobody, "/?tab=a&x=1");
    assert_eq!((sent.status, sent.header("location")), (303, "/login?next=/%3Ftab%3Da%26x%3D1"));
    let page = house.get(&nobody, sent.header("location"));
    assert!(page.body.contains("name=\"back\" value=\"/?tab=a&amp;x=1\""), "{}", page.body);
    let fields = [("email", ADMIN), ("password", PASSWORD), ("back", "/?tab=a&x=1")];
    let done = house.post(&nobody, "/login", &fields);
    assert_eq!((done.status, done.header("location")), (303, "/?tab=a&x=1"));
    let browser = house.browser(&done);
    assert_eq!(
        house.get(&browser, "/login?next=/settings").header("location"),
        "/settings",
        "signed in already"
    );
    let out = house.post(&browser, "/logout", &[]);
    assert_eq!((out.status, out.header("location")), (303, "/login"));
    assert!(out.header("set-cookie").starts_with("forewarn=; Path=/; Max-Age=0"));
    assert_eq!(house.get(&browser, "/").status, 303, "the old cookie is of no use");
    assert_eq!(house.get(&first, "/").status, 200, "other browsers stay");
}

#[test]
fn pages_to_sign_in_follow_the_theme_and_settings_show_the_alerts_of_the_reader() {
    let (house, mut browser) = House::with_admin();
    let dark = Browser { cookie: "theme=dark".into(), csrf: String::new() };
    assert!(house.get(&dark, "/login").body.contains("data-theme=\"dark\""));
    let wrong = house.post(&dark, "/login", &[("email", ADMIN), ("password", "wrong"), ("back", "/")]);
    assert!(wrong.status == 401 && wrong.body.contains("data-theme=\"dark\""), "{}", wrong.body);
    assert!(!house.get(&Browser::default(), "/login").body.contains("data-theme"));
    browser.cookie.push_str("; theme=light");
    for path in ["/settings", "/settings/tokens", "/settings/users"] {
        let page = house.get(&browser, path).body;
        assert!(page.contains("data-theme=\"light\""), "{path}");
        assert!(page.contains("<span class=\"badge\">7"), "{path}: {page}");
    }
    let bo = house.let_in(&browser, "bo@example.org", "viewer", "");
    assert!(!house.get(&bo, "/settings").body.contains("badge"));
}

#[test]
fn without_a_provider_nothing_of_single_sign_on_is_there() {
    let (house, browser) = House::with_admin();
    for path in ["/login/oidc", "/login/oidc/callback?code=a&state=b", "/login/signed-out"] {
        assert_eq!(house.get(&Browser::default(), path).status, 404, "{path}");
    }
    assert_eq!(house.post(&browser, "/settings/link", &[]).status, 404);
    assert!(!house.get(&browser, "/settings").body.contains("Single sign-on"));
    assert!(!house.get(&Browser::default(), "/login").body.contains("Continue with"));
}

#[test]
fn a_login_gives_a_new_secret_whatever_the_browser_had() {
    let (house, _) = House::with_admin();
    let planted = Browser { cookie: "forewarn=planted".into(), csrf: String::new() };
    let fields = [("email", ADMIN), ("password", PASSWORD), ("back", "/")];
    let answer = house.post(&planted, "/login", &fields);
    assert_ne!(answer.cookie(), planted.cookie);
    assert_eq!(house.get(&planted, "/").status, 303);
}

#[test]
fn no_login_leads_to_another_site_or_adds_a_header() {
    let (house, _) = House::with_admin();
    for back in [
        "https://evil.example/",
        "//evil.example",
        "/\\evil.example",
        "/a\r\nX-Injected: yes",
        "/a%0d%0aX-Injected:%20yes",
    ] {
        let fields = [("email", ADMIN), ("password", PASSWORD), ("back", back)];
        let answer = house.post(&Browser::default(), "/login", &fields);
        assert_eq!(answer.status, 303);
        assert!(!answer.header("location").contains("evil"), "{back}");
        assert_eq!(answer.header("x-injected"), "", "{back}");
    }
    for next in ["%2F%2Fevil.example", "https:%2F%2Fevil.example", "%2Fa%0d%0aX-Injected:%20yes"] {
        let page = house.get(&Browser::default(), &format!("/login?next={next}"));
        assert!(page.body.contains("name=\"back\" value=\"/\""), "{next}");
        assert_eq!(page.header("x-injected"), "");
    }
}

#[test]
fn guessing_is_slowed_down() {
    let (house, browser) = House::with_admin();
    for _ in 0..5 {
        let refused = house.log_in(ADMIN, "wrong wrong wrong");
        assert_eq!(refused.status, 401);
        assert!(refused.body.contains("e-mail or password is not right"));
    }
    let waits = house.log_in(ADMIN, PASSWORD);
    assert_eq!((waits.status, waits.header("retry-after")), (429, "2"));
    assert_eq!(house.get(&browser, "/").status, 200, "who is signed in works on");
    house.wait(2);
    assert_eq!(house.log_in(ADMIN, PASSWORD).status, 303);
}

#[test]
fn an_unknown_login_is_answered_like_a_wrong_password() {
    let (house, _) = House::with_admin();
    let known = house.log_in(ADMIN, "wrong wrong wrong");
    let unknown = house.log_in("eve@example.org", "wrong wrong wrong");
    assert_eq!((unknown.status, unknown.body.replace("eve@", "ada@")), (known.status, known.body));
}

#[test]
fn a_session_ends_when_it_is_not_used() {
    let (house, browser) = House::with_admin();
    house.wait(11 * 3600);
    assert_eq!(house.get(&browser, "/").status, 200);
    house.wait(11 * 3600);
    assert_eq!(house.get(&browser, "/").status, 200);
    house.wait(12 * 3600);
    assert_eq!(house.get(&browser, "/").status, 303);
}

#[test]
fn a_new_password_signs_other_browsers_out_and_gives_this_one_a_new_secret() {
    let (house, other) = House::with_admin();
    let here = house.browser(&house.log_in(ADMIN, PASSWORD));
    let change = |current: &str, new: &str| {
        house.post(&here, "/settings/password", &[("current", current), ("new", new)])
    };
    assert_eq!(change("wrong wrong wrong", "eight small boats").status, 403);
    let short = change(PASSWORD, "short");
    assert!(short.status == 422 && short.body.contains("at least 12 characters"));
    let done = change(PASSWORD, "eight small boats");
    assert_eq!((done.status, done.header("location")), (303, "/settings"));
    assert_ne!(done.cookie(), here.cookie);
    house.browser(&done);
    assert_eq!(house.get(&other, "/").status, 303);
    assert_eq!(house.get(&here, "/").status, 303);
    assert_eq!(house.log_in(ADMIN, "eight small boats").status, 303);
}

#[test]
fn an_admin_lets_people_in_and_out() {
    let (house, admin) = House::with_admin();
    let lou = house.let_in(&admin, "lou", "viewer", "");
    assert_eq!(house.get(&lou, "/settings").status, 200);
    assert_eq!(house.get(&lou, "/settings/users").status, 403);
    let taken = [("email", "LOU"), ("name", "Lou"), ("role", "viewer")];
    assert_eq!(house.post(&admin, "/settings/users", &taken).status, 409);
    let odd = house.post(&admin, "/settings/users", &[("email", "x"), ("name", "X"), ("role", "owner")]);
    assert!(odd.status == 422 && odd.body.contains("`owner` is not a role"));
    let page = house.get(&admin, "/settings/users").body;
    let path_of = |login: &str| {
        let row = page.split_once(&format!(">{login}<")).unwrap().0;
        format!("/settings/users/{}", &row.rsplit_once("/settings/users/").unwrap().1[..16])
    };
    let disable = |path: &str, browser: &Browser| house.post(browser, path, &[("role", "viewer")]).status;
    assert_eq!(disable(&path_of("lou"), &lou), 403);
    assert_eq!(disable(&path_of(ADMIN), &admin), 409, "the last admin stays");
    assert_eq!(disable(&path_of("lou"), &admin), 303);
    assert_eq!(house.get(&lou, "/").status, 303, "out at once");
    assert_eq!(house.log_in("lou", PASSWORD).status, 401);
    assert_eq!(disable("/settings/users/nobody", &admin), 404);
}

#[test]
fn what_people_type_is_shown_as_text() {
    let (house, admin) = House::with_admin();
    let name = "<script>alert(1)</script>";
    let fields = [("email", "x@example.org"), ("name", name), ("role", "viewer")];
    let page = house.post(&admin, "/settings/users", &fields);
    assert!(page.status == 200 && page.body.contains("&lt;script&gt;") && !page.body.contains(name));
    let login = house.log_in("\"><script>", "x");
    assert!(!login.body.contains("\"><script>"));
}

#[test]
fn sessions_elsewhere_can_be_ended() {
    let (house, other) = House::with_admin();
    let here = house.browser(&house.log_in(ADMIN, PASSWORD));
    assert!(house.get(&here, "/settings").body.contains("this one"));
    assert_eq!(house.post(&here, "/settings/sessions/end", &[]).status, 303);
    assert_eq!(house.get(&other, "/").status, 303);
    assert_eq!(house.get(&here, "/").status, 200);
}
