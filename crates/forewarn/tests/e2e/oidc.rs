//! Signing in by a real OpenID provider (pyop, on loopback), as a browser does it: by redirects and cookies.

use std::collections::BTreeMap;
use std::net::TcpListener;

use serde_json::{Value, json};

use crate::fixture::Folder;
use crate::parts::{self, python};
use crate::serve::{Answer, Server, agent, answer};

const PASSWORD: &str = "four small boats";

/// What groups stand for; the issuer and the name come before it.
const GROUPS: &str = r#"
[[login.oidc.group]]
name = "risk"
role = "risk_manager"
functions = ["compliance"]

[[login.oidc.group]]
name = "guests"
role = "viewer"
systems = ["elsewhere"]

[[login.oidc.group]]
name = "admins"
role = "admin"
"#;

/// A provider, and a server that lets its people in.
struct House {
    server: Server,
    provider: parts::Server,
    folder: Folder,
}

/// A browser: it keeps the cookies of our server, and follows redirects when it is told to.
#[derive(Clone, Debug, Default)]
struct Browser {
    cookies: BTreeMap<String, String>,
}

impl Browser {
    fn get(&mut self, url: &str) -> Answer {
        let cookies: Vec<String> =
            self.cookies.iter().map(|(name, value)| format!("{name}={value}")).collect();
        self.take(agent().get(url).header("Cookie", cookies.join("; ")).call().unwrap())
    }

    fn post(&mut self, url: &str, fields: &[(&str, &str)]) -> Answer {
        let cookies: Vec<String> =
            self.cookies.iter().map(|(name, value)| format!("{name}={value}")).collect();
        let mut form = url::form_urlencoded::Serializer::new(String::new());
        form.extend_pairs(fields);
        let request = agent().post(url).header("Cookie", cookies.join("; "));
        let request = request.header("Content-Type", "application/x-www-form-urlencoded");
        self.take(request.send(form.finish()).unwrap())
    }

    /// Sends a form of a page, with the proof that it came from there.
    fn submit(&mut self, page: &str, url: &str, fields: &[(&str, &str)]) -> Answer {
        let page = self.get(page).body;
        let csrf = page.split("name=\"csrf\" value=\"").nth(1).unwrap().split('"').next().unwrap();
        self.post(url, &[&[("csrf", csrf)], fields].concat())
    }

    fn take(&mut self, response: ureq::http::Response<ureq::Body>) -> Answer {
        for cookie in response.headers().get_all("set-cookie") {
            let cookie = cookie.to_str().unwrap();
            assert!(cookie.contains("; HttpOnly; SameSite=Lax"), "{cookie}");
            let (name, value) = cookie.split(';').next().unwrap().split_once('=').unwrap();
            if cookie.contains("Max-Age=0") {
                self.cookies.remove(name);
            } else {
                self.cookies.insert(name.to_owned(), value.to_owned());
            }
        }
        answer(Ok(response))
    }
}

impl House {
    /// `login` is what `[login]` and `[login.oidc]` have besides the issuer.
    fn with(login: &str) -> Option<Self> {
        let python = python()?;
        let provider = parts::Server::start(&python, "openid_provider.py", &[]);
        let issuer = format!("http://127.0.0.1:{}", provider.port);
        let folder = Folder::small();
        folder.write("oidc-secret", "hunter2\n");
        folder.write("organisation.toml", organisation(&issuer, login));
        let server = Server::start(&folder, &[]);
        let house = Self { server, provider, folder };
        house.tell(&json!({"redirect": house.at("/login/oidc/callback")}));
        Some(house)
    }

    fn at(&self, path: &str) -> String {
        format!("{}{path}", self.server.url)
    }

    fn issuer(&self) -> String {
        format!("http://127.0.0.1:{}", self.provider.port)
    }

    fn tell(&self, what: &Value) {
        let told = agent().post(format!("{}/test", self.issuer())).send(what.to_string());
        assert_eq!(answer(told).status, 200);
    }

    /// Who opens the provider's page, with what it knows of them.
    fn is_at_the_provider(&self, who: &str, claims: &Value) {
        self.tell(&json!({"who": who, "users": {who: claims}, "in_token": [], "forge": "", "deny": ""}));
    }

    /// Up to the way back: the address that the provider sends the browser to.
    fn comes_back(&self, browser: &mut Browser, back: &str) -> String {
        let begun = browser.get(&self.at(&format!("/login/oidc?back={back}")));
        assert_eq!(begun.status, 303, "{}", begun.body);
        let asked = answer(agent().get(&begun.location).call());
        assert_eq!(asked.status, 303, "{}", asked.body);
        assert!(asked.location.starts_with(&self.at("/login/oidc/callback?")), "{}", asked.location);
        asked.location
    }

    fn signs_on(&self, browser: &mut Browser) -> Answer {
        let back = self.comes_back(browser, "/alerts");
        browser.get(&back)
    }

    /// A browser in which the person at the provider is signed in.
    #[track_caller]
    fn signed_on(&self) -> Browser {
        let mut browser = Browser::default();
        let answer = self.signs_on(&mut browser);
        assert_eq!((answer.status, answer.location.as_str()), (303, "/alerts"), "{}", answer.body);
        browser
    }

    /// The first admin, who has a password.
    fn admin(&self) -> Browser {
        let link = self.server.said.lines().find_map(|line| line.strip_prefix("Set up    ")).unwrap();
        let code = link.split("code=").nth(1).unwrap();
        let mut browser = Browser::default();
        let fields =
            [("token", code), ("name", "Root"), ("email", "root@example.org"), ("password", PASSWORD)];
        assert_eq!(browser.post(&self.at("/setup"), &fields).status, 303);
        browser
    }

    /// `action object detail` of the audit log, newest first.
    fn audit(&self, admin: &mut Browser) -> Vec<String> {
        let log = admin.get(&self.at("/api/v1/audit?limit=100")).json();
        let text = |record: &Value, name: &str| record[name].as_str().unwrap_or_default().to_owned();
        let line =
            |of: &Value| format!("{} {} {}", text(of, "action"), text(of, "object"), text(of, "detail"));
        log["items"].as_array().unwrap().iter().map(line).collect()
    }

    fn users(&self, admin: &mut Browser) -> Vec<Value> {
        admin.get(&self.at("/api/v1/users")).json()["items"].as_array().unwrap().clone()
    }

    fn user(&self, admin: &mut Browser, login: &str) -> Value {
        let all = self.users(admin);
        all.iter().find(|user| user["login"] == login).unwrap_or_else(|| panic!("{login}: {all:?}")).clone()
    }
}

fn organisation(issuer: &str, login: &str) -> String {
    let (before, after) = login.split_once("---").unwrap_or(("", login));
    format!(
        "{before}\n[login.oidc]\nname = \"Example login\"\nissuer = \"{issuer}\"\nclient_id = \"forewarn\"\n\
         client_secret = \"file:oidc-secret\"\nscopes = [\"openid\", \"profile\", \"email\", \"groups\"]\n{after}"
    )
}

fn ada(groups: &[&str]) -> Value {
    json!({"name": "Ada Lovelace", "email": "Ada@example.org", "email_verified": true, "groups": groups})
}

#[track_caller]
fn refuses(answer: &Answer, status: u16, text: &str) {
    assert_eq!(answer.status, status, "{}", answer.body);
    assert!(answer.body.contains(text), "{text}: {}", answer.body);
    assert!(answer.body.contains("Try again"), "there is a way out: {}", answer.body);
}

#[test]
fn a_person_at_the_provider_has_one_account_whose_role_follows_their_groups() {
    let Some(house) = House::with(GROUPS) else { return };
    let mut root = house.admin();
    let page = Browser::default().get(&house.at("/login?next=/alerts")).body;
    assert!(
        page.contains("href=\"/login/oidc?back=%2Falerts\"") && page.contains("Continue with Example login")
    );
    assert!(page.contains("type=\"password\""));
    // pyop puts neither name nor groups into the ID token: its page of users has them.
    house.is_at_the_provider("ada", &ada(&["risk"]));
    let mut browser = house.signed_on();
    let first = house.user(&mut root, "ada@example.org");
    assert_eq!(
        (&first["name"], &first["role"], &first["functions"], &first["systems"]),
        (&json!("Ada Lovelace"), &json!("risk_manager"), &json!(["compliance"]), &Value::Null)
    );
    assert_eq!(browser.get(&house.at("/settings/users")).status, 403);
    let account = browser.get(&house.at("/settings")).body;
    assert!(account.contains("Single sign-on") && !account.contains("Current password"), "{account}");
    // Again in another browser, with groups in the token: the same account, and a session more.
    house.tell(&json!({"in_token": ["groups", "name"]}));
    house.signed_on();
    assert_eq!(house.user(&mut root, "ada@example.org")["id"], first["id"]);
    assert_eq!(house.users(&mut root).len(), 2);
    // The groups changed: the first browser is another role's, once she signs in again anywhere.
    house.is_at_the_provider("ada", &ada(&["guests"]));
    house.signed_on();
    let changed = house.user(&mut root, "ada@example.org");
    assert_eq!((&changed["role"], &changed["systems"]), (&json!("viewer"), &json!(["elsewhere"])));
    assert_eq!(browser.get(&house.at("/api/v1/systems")).json()["items"], json!([]));
    house.is_at_the_provider("ada", &ada(&["guests", "admins"]));
    house.signed_on();
    assert_eq!(browser.get(&house.at("/settings/users")).status, 200);
    // No group any more: not let in, and signed out where she still was.
    house.is_at_the_provider("ada", &ada(&["elsewhere"]));
    refuses(&house.signs_on(&mut Browser::default()), 403, "None of your groups at Example login");
    assert_eq!(browser.get(&house.at("/")).location, "/login");
    house.is_at_the_provider(
        "eve",
        &json!({"name": "Eve", "email": "eve@example.org", "email_verified": true}),
    );
    refuses(&house.signs_on(&mut Browser::default()), 403, "None of your groups at Example login");
    assert_eq!(house.users(&mut root).len(), 2);
    let mut again = Browser::default();
    let fields = [("email", "root@example.org"), ("password", PASSWORD), ("back", "/")];
    assert_eq!(again.post(&house.at("/login"), &fields).status, 303, "a local admin still works");
    let mut log = house.audit(&mut again);
    log.reverse();
    let log: Vec<&str> =
        log.iter().map(String::as_str).filter(|line| !line.contains("root@")).skip(1).collect();
    let began = format!("session.began ada@example.org by {}", house.issuer());
    let expected = [
        "user.created ada@example.org risk manager, compliance; all systems; by Example login",
        &began,
        &began,
        "user.changed ada@example.org viewer; systems: elsewhere; by the groups at Example login",
        &began,
        "user.changed ada@example.org admin; all systems; by the groups at Example login",
        &began,
        "session.ended ada@example.org no group",
        "session.refused Example login none of your groups",
        "session.refused Example login none of your groups",
    ];
    assert_eq!(log.len(), expected.len(), "{log:#?}");
    for (line, expected) in log.iter().zip(expected) {
        assert!(line.starts_with(expected), "{line}: {expected}");
    }
}

#[test]
fn what_the_provider_did_not_say_for_this_browser_signs_nobody_in() {
    let Some(house) = House::with(GROUPS) else { return };
    let mut root = house.admin();
    house.is_at_the_provider("ada", &ada(&["risk"]));
    let untrusted = "could not be verified";
    for how in [
        "none", "hmac", "stranger", "garbage", "expired", "future", "nonce", "issuer", "audience", "party",
        "subject",
    ] {
        house.tell(&json!({"forge": how}));
        let mut browser = Browser::default();
        let answer = house.signs_on(&mut browser);
        assert_eq!(answer.status, 403, "{how}: {}", answer.body);
        refuses(&answer, 403, untrusted);
        assert!(browser.cookies.is_empty(), "{how}: {browser:?}");
    }
    house.tell(&json!({"forge": "", "deny": "access_denied"}));
    refuses(&house.signs_on(&mut Browser::default()), 403, "You were not let through");
    house.tell(&json!({"deny": "temporarily_unavailable"}));
    refuses(&house.signs_on(&mut Browser::default()), 502, "“temporarily_unavailable”");
    house.tell(&json!({"deny": ""}));
    let mut browser = Browser::default();
    let back = house.comes_back(&mut browser, "/alerts");
    let other = "begun in another browser";
    refuses(&Browser::default().get(&back), 400, other);
    refuses(&browser.clone().get(&back.replace("state=", "state=0")), 400, other);
    refuses(&browser.clone().get(back.split("&state=").next().unwrap()), 400, other);
    refuses(&browser.clone().get(&house.at("/login/oidc/callback")), 400, other);
    // A code of another attempt, such as a stranger's own, fits neither nonce nor PKCE.
    let code_of = |back: &str| back.split("code=").nth(1).unwrap().split('&').next().unwrap().to_owned();
    let strange = code_of(&house.comes_back(&mut Browser::default(), "/"));
    let swapped = back.replace(&code_of(&back), &strange);
    assert_ne!(swapped, back);
    refuses(&browser.clone().get(&swapped), 400, "does not take it");
    assert_eq!(house.users(&mut root).len(), 1, "nobody was let in");
    let replayed = browser.clone();
    assert_eq!(browser.get(&back).status, 303);
    refuses(&browser.get(&back), 400, other);
    refuses(&replayed.clone().get(&back), 400, "does not take it");
    let refused = house.audit(&mut root).iter().filter(|line| line.starts_with("session.refused")).count();
    assert_eq!(refused, 11 + 2 + 2, "{:#?}", house.audit(&mut root));
    // A clock that is a little behind is borne with.
    house.tell(&json!({"forge": "slow"}));
    house.signed_on();
}

#[test]
fn a_new_key_is_fetched_and_no_other_site_is_led_to() {
    let Some(house) = House::with(&format!("allowed_domains = [\"example.org\"]\n{GROUPS}")) else { return };
    house.is_at_the_provider("ada", &ada(&["risk"]));
    house.signed_on();
    house.tell(&json!({"rotate": true}));
    house.signed_on();
    for elsewhere in ["//evil.example", "https://evil.example", "/%5Cevil.example", "/login"] {
        let mut browser = Browser::default();
        let back = house.comes_back(&mut browser, elsewhere);
        let answer = browser.get(&back);
        assert_eq!((answer.status, answer.location.as_str()), (303, "/"), "{elsewhere}");
    }
    let unverified =
        json!({"name": "Ada", "email": "ada@example.org", "email_verified": false, "groups": ["risk"]});
    let elsewhere = json!({"email": "ada@evil.example", "email_verified": true, "groups": ["risk"]});
    for claims in [unverified, elsewhere] {
        house.is_at_the_provider("ada", &claims);
        refuses(&house.signs_on(&mut Browser::default()), 403, "in a domain that is let in here");
    }
}

#[test]
fn a_provider_that_is_down_keeps_nobody_with_a_password_out() {
    let Some(house) = House::with(GROUPS) else { return };
    house.admin();
    house.is_at_the_provider("ada", &ada(&["risk"]));
    let mut browser = Browser::default();
    let back = house.comes_back(&mut browser, "/");
    let House { server, provider, folder } = house;
    drop(provider);
    let down = "cannot be reached now";
    refuses(&browser.get(&back), 502, down);
    drop(server);
    let server = Server::start(&folder, &[]);
    assert!(!server.said.contains("Set up"));
    let at = |path: &str| format!("{}{path}", server.url);
    refuses(&Browser::default().get(&at("/login/oidc")), 502, down);
    let mut local = Browser::default();
    let fields = [("email", "root@example.org"), ("password", PASSWORD), ("back", "/")];
    assert_eq!(local.post(&at("/login"), &fields).status, 303);
}

#[test]
fn an_account_is_linked_by_its_owner_or_an_admin_and_never_by_a_name() {
    let Some(house) = House::with(GROUPS) else { return };
    let mut root = house.admin();
    let claims =
        json!({"name": "Root", "email": "root@example.org", "email_verified": true, "groups": ["risk"]});
    house.is_at_the_provider("root", &claims);
    refuses(&house.signs_on(&mut Browser::default()), 409, "There is an account `root@example.org` already");
    // By its owner, who is signed in and asked for it.
    let page = root.submit(&house.at("/settings"), &house.at("/settings/link"), &[]);
    assert_eq!(page.status, 200, "{}", page.body);
    let link = page.body.split("href=\"").find(|rest| rest.starts_with(&house.issuer())).unwrap();
    let link = link.split('"').next().unwrap().replace("&amp;", "&");
    let back = answer(agent().get(&link).call()).location;
    let mut elsewhere = Browser { cookies: root.cookies.clone() };
    elsewhere.cookies.remove("forewarn");
    refuses(&elsewhere.get(&back), 400, "begun in another browser");
    let linked = root.get(&back);
    assert_eq!((linked.status, linked.location.as_str()), (303, "/settings"), "{}", linked.body);
    let mut browser = house.signed_on();
    assert_eq!(browser.get(&house.at("/settings/users")).status, 200, "what admins gave stays");
    assert_eq!(house.users(&mut root).len(), 1);
    // The admin lets the groups decide, which is so from the next time on.
    let id = house.user(&mut root, "root@example.org")["id"].as_str().unwrap().to_owned();
    let user = house.at(&format!("/settings/users/{id}"));
    let shown = root.get(&user).body;
    let subject =
        shown.split("name=\"subject\" value=\"").nth(1).unwrap().split('"').next().unwrap().to_owned();
    let issuer = house.issuer();
    let named = [("issuer", issuer.as_str()), ("subject", subject.as_str())];
    // Unlinked, the browser is out; linked by the admin, it is in again.
    assert_eq!(root.submit(&user, &format!("{user}/unlink"), &named).status, 303);
    assert_eq!(browser.get(&house.at("/")).location, "/login");
    refuses(&house.signs_on(&mut Browser::default()), 409, &subject);
    assert_eq!(root.submit(&user, &format!("{user}/link"), &[("subject", subject.as_str())]).status, 303);
    let mut browser = house.signed_on();
    let follows = [&named[..], &[("follows", "yes")]].concat();
    assert_eq!(root.submit(&user, &format!("{user}/follow"), &follows).status, 303);
    house.signed_on();
    assert_eq!(browser.get(&house.at("/settings/users")).status, 403, "a risk manager now");
    drop(house.server);
    let restarted = Server::start(&house.folder, &[]);
    assert!(restarted.said.contains("Set up"), "nobody is an admin any more: {}", restarted.said);
}

#[test]
fn without_passwords_the_provider_alone_lets_people_in_and_out() {
    let login = format!("[login]\nlocal = false\n---{GROUPS}");
    let Some(house) = House::with(&login) else { return };
    assert!(!house.server.said.contains("Set up"));
    let page = Browser::default().get(&house.at("/login")).body;
    assert!(page.contains("Continue with Example login") && !page.contains("password"), "{page}");
    let fields = [("email", "root@example.org"), ("password", PASSWORD), ("back", "/")];
    assert_eq!(Browser::default().post(&house.at("/login"), &fields).status, 403);
    house.is_at_the_provider("ada", &ada(&["admins"]));
    let mut browser = house.signed_on();
    assert_eq!(browser.get(&house.at("/settings/users")).status, 200);
    let out = browser.submit(&house.at("/settings"), &house.at("/logout"), &[]);
    assert_eq!((out.status, out.location.as_str()), (303, "/login/signed-out"));
    assert!(browser.cookies.is_empty());
    let page = browser.get(&house.at("/login/signed-out")).body;
    let logout = format!("{}/logout?", house.issuer());
    let to = page.split("href=\"").find(|rest| rest.starts_with(&logout)).unwrap();
    let to = url::Url::parse(&to.split('"').next().unwrap().replace("&amp;", "&")).unwrap();
    let query: BTreeMap<String, String> = to.query_pairs().into_owned().collect();
    assert_eq!(query["post_logout_redirect_uri"], house.at("/login"));
    assert_eq!(query["client_id"], "forewarn");
    // Behind a proxy the provider is told the address that browsers see.
    let House { server, provider: _provider, folder } = house;
    drop(server);
    let listen = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().to_string();
    let arguments = ["--listen", &listen, "--url", "https://forewarn.example.org/"];
    let _server = Server::start(&folder, &arguments);
    let mut browser = Browser::default();
    let to = browser.get(&format!("http://{listen}/login/oidc")).location;
    let query: BTreeMap<String, String> = url::Url::parse(&to).unwrap().query_pairs().into_owned().collect();
    assert_eq!(query["redirect_uri"], "https://forewarn.example.org/login/oidc/callback");
    assert_eq!(
        (query["code_challenge_method"].as_str(), query["scope"].as_str()),
        ("S256", "openid profile email groups")
    );
    let cookies: Vec<&str> = browser.cookies.keys().map(String::as_str).collect();
    assert_eq!(cookies, ["__Host-forewarn-attempt"]);
}

#[test]
fn a_login_that_cannot_work_is_refused_before_anything_is_served() {
    let folder = Folder::small();
    let serve = ["serve", "--listen", "127.0.0.1:0"];
    let refuses = |text: String, parts: &[&str]| {
        folder.write("organisation.toml", text);
        folder.run(&serve).refuses(parts);
    };
    refuses(
        organisation("http://login.example.org", GROUPS),
        &["is not the address of a provider", "https://"],
    );
    refuses(organisation("https://login.example.org", ""), &["nobody could sign in", "default_role"]);
    let missing = organisation("https://login.example.org", GROUPS);
    refuses(missing, &["login.oidc.client_secret", "oidc-secret"]);
}
