//! A server for tests, and the least of a client: every request is a connection of its own.

use std::io::{Read as _, Write as _};
use std::net::{SocketAddr, TcpStream};
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};

use app::access::setup_code;
use app::{Database, Store};
use axum::Router;
use axum::extract::Path;
use axum::routing::{get, post};
use jiff::Timestamp;
use tokio::runtime::Runtime;
use types::access::Action;

use crate::auth::{
    ApiCaller, AuthMode, AuthSettings, AuthState, Posted, Problem, Signed, api_routes, protect, routes,
};

pub(super) const PASSWORD: &str = "seven small boats";
pub(super) const ADMIN: &str = "ada@example.org";

/// A running server whose clock stands until it is moved.
pub(super) struct House {
    _runtime: Runtime,
    pub(super) store: Arc<Store>,
    address: SocketAddr,
    seconds: Arc<AtomicI64>,
    _folder: tempfile::TempDir,
}

pub(super) struct Answer {
    pub(super) status: u16,
    headers: Vec<(String, String)>,
    pub(super) body: String,
}

/// A browser: its cookie, and what the last page it saw put into forms.
#[derive(Clone, Debug, Default)]
pub(super) struct Browser {
    pub(super) cookie: String,
    pub(super) csrf: String,
}

impl Answer {
    pub(super) fn header<'a>(&'a self, name: &'a str) -> &'a str {
        self.all(name).next().unwrap_or_default()
    }

    pub(super) fn all<'a>(&'a self, name: &'a str) -> impl Iterator<Item = &'a str> {
        self.headers.iter().filter(move |(of, _)| of == name).map(|(_, value)| value.as_str())
    }

    pub(super) fn json(&self) -> serde_json::Value {
        serde_json::from_str(&self.body).unwrap_or_else(|error| panic!("{error}: {}", self.body))
    }

    /// Status and detail of problem details, whose shape is checked.
    #[track_caller]
    pub(super) fn problem(&self) -> (u16, String) {
        assert_eq!(self.header("content-type"), "application/problem+json", "{}", self.body);
        let problem = self.json();
        assert_eq!(problem["status"], self.status);
        assert_eq!(problem["type"], "about:blank");
        assert!(!problem["title"].as_str().unwrap().is_empty());
        (self.status, problem["detail"].as_str().unwrap().to_owned())
    }

    /// `name=value` of the cookie that was set.
    pub(super) fn cookie(&self) -> String {
        self.header("set-cookie").split(';').next().unwrap().to_owned()
    }
}

/// Routes as other modules of the server have them.
fn of_others() -> Router<AuthState> {
    let seen = |signed: Signed| async move { format!("{} csrf={}", signed.caller.name(), signed.csrf) };
    let changed = |posted: Posted| async move { posted.fields.get("what").to_owned() };
    let scripted = |signed: Signed| async move { signed.caller.name().to_owned() };
    let system = |Path(id): Path<String>, caller: ApiCaller| async move {
        caller.must(Action::Read, Some(&id))?;
        Ok::<_, Problem>(caller.caller.actor())
    };
    let rows = |Path(id): Path<String>, caller: ApiCaller| async move {
        caller.must(Action::Ingest, Some(&id))?;
        Ok::<_, Problem>("taken")
    };
    Router::new()
        .route("/", get(seen))
        .route("/change", post(changed))
        .route("/script", post(scripted))
        .route("/api/systems/{id}", get(system))
        .route("/api/systems/{id}/rows", post(rows))
}

impl House {
    pub(super) fn of(mode: AuthMode, is_https: bool) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let store = Arc::new(Store::open(&Database::Sqlite(folder.path().join("state.db"))).unwrap());
        let seconds = Arc::new(AtomicI64::new(1_772_442_000));
        let clock = Arc::clone(&seconds);
        let settings = AuthSettings { mode, is_https, origin: None, proxies: vec![] };
        let now = move || Timestamp::from_second(clock.load(Ordering::SeqCst)).unwrap();
        let state = AuthState::new(Arc::clone(&store), settings, Vec::new(), now).unwrap();
        let state = state.with_alerts(|caller| if caller.name() == "Ada" { 7 } else { 0 });
        let api = crate::api::guarded(api_routes().split_for_parts().0);
        let router = of_others().nest(crate::api::BASE, api).merge(routes()).with_state(state.clone());
        let service = protect(router, state).into_make_service_with_connect_info::<SocketAddr>();
        let runtime = Runtime::new().unwrap();
        let listener = runtime.block_on(tokio::net::TcpListener::bind("127.0.0.1:0")).unwrap();
        let address = listener.local_addr().unwrap();
        runtime.spawn(async move { axum::serve(listener, service).await });
        Self { _runtime: runtime, store, address, seconds, _folder: folder }
    }

    /// With an admin whose browser is signed in.
    pub(super) fn with_admin() -> (Self, Browser) {
        let house = Self::of(AuthMode::Accounts, false);
        let code = setup_code(&house.store, None, house.now()).unwrap().unwrap();
        let sent = [("token", code.text()), ("name", "Ada"), ("email", ADMIN), ("password", PASSWORD)];
        let answer = house.post(&Browser::default(), "/setup", &sent);
        assert_eq!(answer.status, 303, "{}", answer.body);
        let browser = house.browser(&answer);
        (house, browser)
    }

    pub(super) fn now(&self) -> Timestamp {
        Timestamp::from_second(self.seconds.load(Ordering::SeqCst)).unwrap()
    }

    pub(super) fn wait(&self, seconds: i64) {
        self.seconds.fetch_add(seconds, Ordering::SeqCst);
    }

    pub(super) fn host(&self) -> String {
        self.address.to_string()
    }

    /// Sends a request as it is given; headers are lines.
    pub(super) fn send(&self, method: &str, path: &str, headers: &[String], body: &str) -> Answer {
        let has_host = headers.iter().any(|line| line.to_ascii_lowercase().starts_with("host:"));
        let host = if has_host { String::new() } else { format!("Host: {}\r\n", self.host()) };
        let headers: String = headers.iter().map(|line| format!("{line}\r\n")).collect();
        let length = body.len();
        let text = format!(
            "{method} {path} HTTP/1.1\r\n{host}Connection: close\r\nContent-Length: {length}\r\n{headers}\r\n{body}"
        );
        let mut stream = TcpStream::connect(self.address).unwrap();
        stream.write_all(text.as_bytes()).unwrap();
        let mut answer = String::new();
        stream.read_to_string(&mut answer).unwrap();
        let (head, body) = answer.split_once("\r\n\r\n").unwrap();
        let mut lines = head.lines();
        let status = lines.next().unwrap().split(' ').nth(1).unwrap().parse().unwrap();
        let headers = lines.filter_map(|line| line.split_once(": "));
        let headers = headers.map(|(name, value)| (name.to_owned(), value.to_owned())).collect();
        Answer { status, headers, body: body.to_owned() }
    }

    pub(super) fn get(&self, browser: &Browser, path: &str) -> Answer {
        self.send("GET", path, &[format!("Cookie: {}", browser.cookie)], "")
    }

    /// Sends a form as a page of ours would.
    pub(super) fn post(&self, browser: &Browser, path: &str, fields: &[(&str, &str)]) -> Answer {
        let headers = [format!("Origin: http://{}", self.host())];
        self.post_with(browser, path, fields, &headers)
    }

    pub(super) fn post_with(
        &self,
        browser: &Browser,
        path: &str,
        fields: &[(&str, &str)],
        headers: &[String],
    ) -> Answer {
        let mut form = url::form_urlencoded::Serializer::new(String::new());
        form.extend_pairs(fields);
        if !browser.csrf.is_empty() {
            form.append_pair("csrf", &browser.csrf);
        }
        let kind = "Content-Type: application/x-www-form-urlencoded".to_owned();
        let all = [&[format!("Cookie: {}", browser.cookie), kind], headers].concat();
        self.send("POST", path, &all, &form.finish())
    }

    /// A request of a program with a token.
    pub(super) fn call(&self, token: &str, method: &str, path: &str, json: &str) -> Answer {
        let kind = "Content-Type: application/json".to_owned();
        self.send(method, path, &[format!("Authorization: Bearer {token}"), kind], json)
    }

    pub(super) fn log_in(&self, login: &str, password: &str) -> Answer {
        let fields = [("email", login), ("password", password), ("back", "/")];
        self.post(&Browser::default(), "/login", &fields)
    }

    /// The browser that an answer signed in, having seen a page.
    pub(super) fn browser(&self, answer: &Answer) -> Browser {
        let mut browser = Browser { cookie: answer.cookie(), csrf: String::new() };
        let page = self.get(&browser, "/");
        assert_eq!(page.status, 200, "{}", page.body);
        browser.csrf = page.body.split_once("csrf=").unwrap().1.to_owned();
        browser
    }

    /// A person let in by an admin, signed in.
    pub(super) fn let_in(&self, admin: &Browser, login: &str, role: &str, systems: &str) -> Browser {
        let mut fields = vec![("email", login), ("name", login), ("role", role)];
        fields.extend(chosen(systems));
        let answer = self.post(admin, "/settings/users", &fields);
        assert_eq!(answer.status, 200, "{}", answer.body);
        let code = answer.body.split_once("/setup?code=").unwrap().1.split('<').next().unwrap();
        let answer = self.post(&Browser::default(), "/setup", &[("token", code), ("password", PASSWORD)]);
        self.browser(&answer)
    }

    /// A token made on the settings page.
    pub(super) fn token(&self, browser: &Browser, scopes: &[&str], systems: &str) -> String {
        let mut fields = vec![("name", "pipeline"), ("days", "30")];
        fields.extend(chosen(systems));
        fields.extend(scopes.iter().map(|scope| ("scope", *scope)));
        let answer = self.post(browser, "/settings/tokens", &fields);
        assert_eq!(answer.status, 200, "{}", answer.body);
        let text = answer.body.split_once("class=\"secret\">fw_").unwrap().1.split('<').next().unwrap();
        format!("fw_{text}")
    }
}

/// The boxes of systems that are ticked.
fn chosen(systems: &str) -> impl Iterator<Item = (&str, &str)> {
    systems.split(", ").filter(|system| !system.is_empty()).map(|system| ("system", system))
}
