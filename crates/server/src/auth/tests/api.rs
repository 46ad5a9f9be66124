//! Tokens, and the API of tokens, users and the audit log.

use super::house::{ADMIN, Browser, House};
use crate::auth::AuthMode;

#[test]
fn a_token_opens_what_its_scopes_and_systems_say() {
    let (house, admin) = House::with_admin();
    let lou = house.let_in(&admin, "lou", "member", "a, b");
    let token = house.token(&lou, &["read"], "b");
    let get = |id: &str| house.call(&token, "GET", &format!("/api/systems/{id}"), "");
    let seen = get("b");
    assert_eq!(seen.status, 200);
    assert_eq!(seen.body, format!("lou by token {} (pipeline)", &token[..9]));
    assert_eq!(get("a").problem(), (404, "there is no system `a`".into()), "beyond the token");
    assert_eq!(get("c").problem(), (404, "there is no system `c`".into()), "beyond the account");
    let (status, detail) = house.call(&token, "POST", "/api/systems/b/rows", "").problem();
    assert_eq!(
        (status, detail.as_str()),
        (403, "the token may not send predictions and outcomes: that takes the scope ingest")
    );
    let token = house.token(&lou, &["ingest"], "");
    assert_eq!(house.call(&token, "POST", "/api/systems/a/rows", "").status, 200);
    assert_eq!(house.call(&token, "GET", "/api/systems/a", "").status, 403);
    // A page's script reads with the session, within the reach of the account.
    assert_eq!(house.get(&lou, "/api/systems/a").status, 200);
    assert_eq!(house.get(&lou, "/api/systems/c").status, 404);
}

#[test]
fn a_viewer_sends_nothing() {
    let (house, admin) = House::with_admin();
    let vic = house.let_in(&admin, "vic", "viewer", "");
    let fields = [("name", "t"), ("days", "30"), ("scope", "ingest")];
    let refused = house.post(&vic, "/settings/tokens", &fields);
    assert!(refused.status == 422 && refused.body.contains("takes the role member"), "{}", refused.body);
    let token = house.token(&vic, &["admin"], "");
    let (status, detail) = house.call(&token, "POST", "/api/systems/a/rows", "").problem();
    assert_eq!(
        (status, detail.as_str()),
        (403, "you may not send predictions and outcomes: that takes the role member")
    );
    assert_eq!(house.call(&token, "GET", "/api/systems/a", "").status, 200);
}

#[test]
fn who_brings_nothing_or_something_bad_is_told_what_to_bring() {
    let (house, browser) = House::with_admin();
    let nothing = house.send("GET", "/api/systems/a", &[], "");
    assert_eq!(nothing.problem().0, 401);
    assert_eq!(nothing.header("www-authenticate"), r#"Bearer realm="forewarn""#);
    let ends = |scheme: &str| house.send("GET", "/api/systems/a", &[format!("Authorization: {scheme}")], "");
    for bad in ["Basic YTpi", "Bearer", "Bearer fw_guessed", "Bearer guessed", "fw_x"] {
        let refused = ends(bad);
        assert_eq!(refused.problem().0, 401, "{bad}");
        assert!(refused.header("www-authenticate").contains("invalid_token"), "{bad}");
    }
    let token = house.token(&browser, &["read"], "");
    assert_eq!(ends(&format!("bearer {token}")).status, 200);
    // A bad token is not made good by a session.
    let both = [format!("Cookie: {}", browser.cookie), "Authorization: Bearer fw_guessed".into()];
    assert_eq!(house.send("GET", "/api/systems/a", &both, "").status, 401);
}

#[test]
fn a_token_ends_when_it_expires_and_when_it_is_revoked() {
    let (house, browser) = House::with_admin();
    let token = house.token(&browser, &["read"], "");
    let revoked = house.token(&browser, &["read"], "");
    let page = house.get(&browser, "/settings/tokens").body;
    assert!(!page.contains(&token), "the text is shown once");
    let id =
        page.split_once(&revoked[..9]).unwrap().1.split_once("/settings/tokens/").unwrap().1[..16].to_owned();
    assert_eq!(house.post(&browser, &format!("/settings/tokens/{id}/revoke"), &[]).status, 303);
    let (status, detail) = house.call(&revoked, "GET", "/api/systems/a", "").problem();
    assert!(status == 401 && detail.contains("was revoked"), "{detail}");
    assert_eq!(house.call(&token, "GET", "/api/systems/a", "").status, 200);
    house.wait(30 * 86_400);
    let (status, detail) = house.call(&token, "GET", "/api/systems/a", "").problem();
    assert!(status == 401 && detail.contains("expired"), "{detail}");
}

#[test]
fn tokens_are_made_listed_and_revoked_by_the_api() {
    let (house, admin) = House::with_admin();
    let lou = house.let_in(&admin, "lou", "member", "");
    house.token(&lou, &["read"], "");
    let token = house.token(&admin, &["admin"], "");
    let call = |method: &str, path: &str, json: &str| house.call(&token, method, path, json);
    let made = call(
        "POST",
        "/api/v1/tokens",
        r#"{"name":"nightly","scopes":["evidence:write","read"],"systems":["a"]}"#,
    );
    assert_eq!(made.status, 201, "{}", made.body);
    let made = made.json();
    assert!(made["text"].as_str().unwrap().starts_with(made["token"]["prefix"].as_str().unwrap()));
    assert_eq!(made["token"]["scopes"], serde_json::json!(["read", "evidence:write"]));
    assert_eq!(made["token"]["systems"], serde_json::json!(["a"]));
    let count = |path: &str| call("GET", path, "").json()["items"].as_array().unwrap().len();
    assert_eq!((count("/api/v1/tokens"), count("/api/v1/tokens?all=true")), (2, 3));
    let path = format!("/api/v1/tokens/{}", made["token"]["id"].as_str().unwrap());
    assert_eq!(call("DELETE", &path, "").status, 204);
    assert_eq!(call("DELETE", &path, "").problem().0, 404);
    let refused = |json: &str| call("POST", "/api/v1/tokens", json).problem();
    assert_eq!(refused("{").0, 400);
    assert_eq!(refused(r#"{"name":"x","scopes":["everything"]}"#).0, 422);
    assert_eq!(refused(r#"{"name":"x","scopes":["read"],"day":3}"#).0, 422);
    assert_eq!(
        refused(r#"{"name":"x","scopes":["read"],"days":3000}"#),
        (422, "a token lasts from 1 to 366 days".into())
    );
    let headers = [format!("Authorization: Bearer {token}")];
    assert_eq!(house.send("POST", "/api/v1/tokens", &headers, "{}").problem().0, 415);
    assert_eq!(call("GET", "/api/v1/tokens?all=perhaps", "").problem().0, 400);
}

#[test]
fn users_are_made_and_changed_by_the_api() {
    let (house, browser) = House::with_admin();
    let token = house.token(&browser, &["admin"], "");
    let call = |method: &str, path: &str, json: &str| house.call(&token, method, path, json);
    let body = r#"{"login":"Lou@Example.org","name":"Lou","role":"risk_manager","functions":["legal","data_science"],"systems":["a"]}"#;
    let made = call("POST", "/api/v1/users", body);
    assert_eq!(made.status, 201, "{}", made.body);
    let made = made.json();
    assert_eq!(made["user"]["login"], "lou@example.org");
    assert_eq!(made["user"]["functions"], serde_json::json!(["data_science", "legal"]));
    let link = made["setup_link"].as_str().unwrap();
    assert!(link.starts_with(&format!("http://{}/setup?code=", house.host())), "{link}");
    assert_eq!(house.get(&Browser::default(), link.split_once(&house.host()).unwrap().1).status, 200);
    let path = format!("/api/v1/users/{}", made["user"]["id"].as_str().unwrap());
    let changed = call("PATCH", &path, r#"{"role":"member"}"#).json();
    assert_eq!(
        (&changed["role"], &changed["systems"]),
        (&"member".into(), &serde_json::json!(["a"])),
        "the rest stays"
    );
    assert_eq!(call("PATCH", &path, r#"{"systems":null}"#).json()["systems"], serde_json::Value::Null);
    assert_eq!(call("PATCH", &path, r#"{"is_disabled":true}"#).json()["is_disabled"], true);
    assert_eq!(call("PATCH", &path, r#"{"role":"admin","systems":["a"]}"#).problem().0, 422);
    assert_eq!(call("PATCH", "/api/v1/users/nobody", "{}").problem().0, 404);
    assert_eq!(call("POST", "/api/v1/users", body).problem().0, 409);
    assert_eq!(
        call("POST", "/api/v1/users", r#"{"login":"a b","name":"x","role":"viewer"}"#).problem().0,
        422
    );
    assert_eq!(call("POST", &format!("{path}/invitation"), "").status, 201);
    let users = call("GET", "/api/v1/users", "").json();
    assert_eq!(users["items"].as_array().unwrap().len(), 2);
    assert!(!users.to_string().contains("argon2"), "no hash leaves the server");
    let read = house.token(&browser, &["read"], "");
    assert_eq!(house.call(&read, "GET", "/api/v1/users", "").problem().0, 403);
}

#[test]
fn the_audit_log_tells_who_did_what_and_is_paged() {
    let (house, admin) = House::with_admin();
    house.log_in("eve@example.org", "wrong");
    let token = house.token(&admin, &["audit:read"], "");
    let page = |query: &str| house.call(&token, "GET", &format!("/api/v1/audit{query}"), "");
    let all = page("").json();
    let told: Vec<String> = all["items"]
        .as_array()
        .unwrap()
        .iter()
        .map(|record| {
            format!(
                "{} {} {}",
                record["actor"].as_str().unwrap(),
                record["action"].as_str().unwrap(),
                record["object"].as_str().unwrap()
            )
        })
        .collect();
    let expected = [
        format!("{ADMIN} token.made {}", &token[..9]),
        "nobody session.refused an unknown login".into(),
        format!("{ADMIN} session.began {ADMIN}"),
        format!("{ADMIN} user.created {ADMIN}"),
        "forewarn setup_link.made first admin".into(),
    ];
    assert_eq!(told, expected);
    assert_eq!(all["items"][0]["address"], "127.0.0.1");
    assert!(!all.to_string().contains(&token));
    let first = page("?limit=2").json();
    assert_eq!(first["items"].as_array().unwrap().len(), 2);
    let rest = page(&format!("?limit=2&cursor={}", first["next"].as_str().unwrap())).json();
    assert_eq!(rest["items"][0], all["items"][2]);
    assert_eq!(page("?limit=0").problem().0, 400);
    assert_eq!(page("?cursor=x").problem().0, 400);
    let lou = house.let_in(&admin, "lou", "member", "");
    assert_eq!(house.get(&lou, "/api/v1/audit").problem().0, 403);
    house.store.verify_audit().unwrap();
}

#[test]
fn without_accounts_there_are_no_tokens() {
    let house = House::of(AuthMode::Insecure, false);
    let kind = ["Content-Type: application/json".to_owned()];
    let made = house.send("POST", "/api/v1/tokens", &kind, r#"{"name":"x","scopes":["read"]}"#);
    assert_eq!(made.problem(), (409, "tokens belong to accounts: sign in first".into()));
}
