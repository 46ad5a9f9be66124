//! The server, as a program beside others and as people reach it.

use std::collections::BTreeSet;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpListener;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use serde_json::{Value, json};

use crate::fixture::{DEFINITION, Folder, REFERENCE_ROWS, Table, WINDOW_ROWS, definition_with};

/// How long a server may take for what it does by itself.
const PATIENCE: Duration = Duration::from_secs(90);

/// A running server; dropped, it is killed.
#[derive(Debug)]
pub(crate) struct Server {
    child: Child,
    pub(crate) url: String,
    /// What it said when it began to serve.
    pub(crate) said: String,
}

/// An answer with its status.
#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) body: String,
    pub(crate) location: String,
    /// After how many seconds to come again, where it says so.
    pub(crate) retry_after: Option<u64>,
    /// The first cookie that it sets.
    pub(crate) cookie: String,
}

impl Answer {
    pub(crate) fn json(&self) -> Value {
        serde_json::from_str(&self.body).unwrap_or_else(|error| panic!("{error}: {}", self.body))
    }
}

impl Server {
    pub(crate) fn start(folder: &Folder, arguments: &[&str]) -> Self {
        const NONE: &[(&str, &str)] = &[];
        Self::start_with(folder, arguments, NONE)
    }

    /// With variables of the environment.
    pub(crate) fn start_with(
        folder: &Folder,
        arguments: &[&str],
        variables: &[(&str, impl AsRef<std::ffi::OsStr>)],
    ) -> Self {
        let anywhere: &[&str] =
            if arguments.contains(&"--listen") { &[] } else { &["--listen", "127.0.0.1:0"] };
        let mut command = folder.command(&[&["serve"], anywhere, arguments].concat());
        Self::of(command.envs(variables.iter().map(|(name, value)| (name, value))))
    }

    /// What a command of [`Folder::command`] serves.
    pub(crate) fn of(command: &mut Command) -> Self {
        let mut child = command.stdout(Stdio::piped()).stderr(Stdio::null()).spawn().unwrap();
        let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
        let mut said = String::new();
        while !said.contains("Ctrl-C") {
            let line = lines.next().expect("a server says where it is").unwrap();
            said.push_str(&(line + "\n"));
        }
        let at = said.lines().next().unwrap().split(" at ").nth(1).unwrap().to_owned();
        Self { child, url: at, said }
    }

    /// With nobody to sign in.
    pub(crate) fn open(folder: &Folder) -> Self {
        Self::start(folder, &["--insecure-no-auth"])
    }

    pub(crate) fn get(&self, path: &str) -> Answer {
        self.get_with(path, &[])
    }

    pub(crate) fn get_with(&self, path: &str, headers: &[(&str, &str)]) -> Answer {
        let mut request = agent().get(format!("{}{path}", self.url));
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        answer(request.call())
    }

    pub(crate) fn post(&self, path: &str, headers: &[(&str, &str)], body: &[u8]) -> Answer {
        let mut request = agent().post(format!("{}{path}", self.url));
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        answer(request.send(body))
    }

    pub(crate) fn delete(&self, path: &str) -> Answer {
        answer(agent().delete(format!("{}{path}", self.url)).call())
    }

    /// Sends the form of a page, with the proof that it came from there.
    pub(crate) fn submit(&self, page: &str, path: &str, fields: &[(&str, &str)]) -> Answer {
        let page = self.get(page).body;
        let csrf = page.split("name=\"csrf\" value=\"").nth(1).unwrap().split('"').next().unwrap();
        let mut form = url::form_urlencoded::Serializer::new(String::new());
        form.append_pair("csrf", csrf).extend_pairs(fields);
        let headers = [("Content-Type", "application/x-www-form-urlencoded")];
        self.post(path, &headers, form.finish().as_bytes())
    }

    /// Waits until an answer is as wanted.
    pub(crate) fn until(&self, path: &str, is_wanted: impl Fn(&Answer) -> bool) -> Answer {
        let begun = Instant::now();
        loop {
            let answer = self.get(path);
            if is_wanted(&answer) {
                return answer;
            }
            assert!(begun.elapsed() < PATIENCE, "{path} never became so: {answer:?}");
            std::thread::sleep(Duration::from_millis(100));
        }
    }

    /// Waits until everything that was missed was made up for.
    pub(crate) fn caught_up(&self) {
        self.until("/jobs.json?table=history", |answer| {
            let done = answer.json().as_array().unwrap().iter().filter(|job| job["state"] == "done").count();
            done >= 2
        });
    }

    /// Asks it to stop, as a service manager does.
    pub(crate) fn stop(mut self) {
        let pid = self.child.id().to_string();
        assert!(Command::new("kill").arg(pid).status().unwrap().success());
        assert_eq!(self.child.wait().unwrap().code(), Some(0));
    }

    pub(crate) fn pid(&self) -> u32 {
        self.child.id()
    }

    pub(crate) fn kill(&mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        // One that has stopped cannot be killed.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

pub(crate) fn agent() -> ureq::Agent {
    let config = ureq::Agent::config_builder().http_status_as_error(false).max_redirects(0);
    config.timeout_global(Some(Duration::from_mins(1))).build().into()
}

pub(crate) fn answer(of: Result<ureq::http::Response<ureq::Body>, ureq::Error>) -> Answer {
    let mut of = of.unwrap();
    let header = |name| of.headers().get(name).map(|value| value.to_str().unwrap().to_owned());
    let (location, cookie) = (header("location"), header("set-cookie"));
    let retry_after = header("retry-after").map(|seconds| seconds.parse().unwrap());
    let body = of.body_mut().read_to_string().unwrap();
    Answer {
        status: of.status().as_u16(),
        body,
        location: location.unwrap_or_default(),
        retry_after,
        cookie: cookie.unwrap_or_default(),
    }
}

#[test]
fn a_served_folder_catches_up_and_the_command_line_sees_the_same_evidence() {
    let folder = Folder::small();
    let server = Server::open(&folder);
    server.caught_up();
    let systems = server.get("/api/v1/systems").json();
    assert_eq!(systems["items"][0]["id"], "small");
    let verdicts = systems["items"][0]["practices"].as_array().unwrap();
    assert!(verdicts[0]["verdict"].is_string() && verdicts[1]["verdict"].is_string(), "{systems:#}");
    assert!(server.get("/").body.contains("Small system"));
    let served = folder.evidence().lines().count();
    assert!(served > 10);
    // A check beside the running server is seen on its pages, and survives it.
    let report = folder.report(0);
    let checkpoint = report.text("checkpoint").to_owned();
    assert!(server.get("/evidence?system=small").body.contains(&checkpoint), "the newest evidence is shown");
    server.stop();
    folder.run(&["verify", "--checkpoint", &checkpoint]).exits(0);
    // What the server signed holds the chain to what it was.
    folder.sql("DELETE FROM evidence WHERE seq > 3");
    folder.sql("UPDATE chain SET records = 4");
    let said = folder.run(&["verify"]).exits(1).stderr;
    assert!(said.contains("signed checkpoint") && said.contains("cut"), "{said}");
}

#[test]
fn what_was_done_is_not_done_again_after_a_restart() {
    let folder = Folder::small();
    let server = Server::open(&folder);
    server.caught_up();
    server.stop();
    let before = folder.evidence();
    let server = Server::open(&folder);
    std::thread::sleep(Duration::from_secs(2));
    assert_eq!(folder.evidence(), before);
    let run = server.submit("/jobs", "/jobs/run", &[("job", "monitor/small")]);
    assert_eq!((run.status, run.location.as_str()), (303, "/jobs"));
    server.until("/jobs.json?table=history", |answer| answer.body.contains("Nothing was missed"));
}

/// All paths that pages lead to, from the first one on.
#[test]
fn every_link_of_every_page_leads_somewhere() {
    let folder = Folder::small();
    let server = Server::open(&folder);
    server.caught_up();
    let mut left = vec!["/".to_owned()];
    let mut seen: BTreeSet<String> = BTreeSet::new();
    while let Some(path) = left.pop() {
        // Of many records and columns a few are enough.
        let kind = path.trim_end_matches(|last: char| last.is_ascii_digit()).to_owned();
        if !seen.insert(kind) || seen.len() > 250 {
            continue;
        }
        let answer = server.get(&path);
        assert_eq!(answer.status, 200, "{path}: {}", answer.body);
        if !answer.body.starts_with("<!DOCTYPE html>") {
            continue;
        }
        assert_eq!(answer.body.matches("<h1").count(), 1, "{path} has one heading");
        for link in answer.body.split("href=\"").skip(1).map(|rest| rest.split('"').next().unwrap()) {
            let path = link.split('#').next().unwrap().replace("&amp;", "&");
            if path.starts_with('/') {
                left.push(path);
            }
        }
    }
    assert!(seen.len() > 40, "{seen:#?}");
}

#[test]
fn a_check_elsewhere_keeps_its_evidence_on_the_server() {
    let folder = Folder::small();
    let server = Server::open(&folder);
    server.caught_up();
    let before = folder.evidence().lines().count();
    let elsewhere = Folder::small();
    let there = ["--server", server.url.as_str()];
    let said = elsewhere.run(&[&["check"], &there[..]].concat()).exits(0).stdout;
    assert!(said.contains(&server.url), "{said}");
    assert!(folder.evidence().lines().count() > before);
    assert!(!elsewhere.path(".forewarn/state.db").exists());
    elsewhere.run(&[&["verify"], &there[..]].concat()).exits(0);
    let exported = elsewhere.run(&[&["evidence", "export"], &there[..]].concat()).exits(0).stdout;
    assert_eq!(exported, folder.evidence());
    let other = Folder::with_log(&definition_with("id = \"small\"", "id = \"other\""), &Table::small_log());
    other.run(&[&["check"], &there[..]].concat()).refuses(&["There is no system `other`"]);
    other.run(&["check", "--server", "http://127.0.0.1:9"]).refuses(&["failed to reach the server"]);
}

/// The small log as a service would send it.
pub(crate) fn rows(of: std::ops::Range<usize>) -> String {
    let log = Table::small_log();
    let row = |row: usize| {
        let number = |column: &str| log.cell(row, column).parse::<f64>().unwrap();
        json!({
            "id": log.cell(row, "id"),
            "at": log.cell(row, "at"),
            "x": number("x"),
            "amount": number("amount"),
            "colour": log.cell(row, "colour"),
            "region": log.cell(row, "region"),
            "score": number("score"),
            "label": number("label"),
        })
    };
    of.map(|at| row(at).to_string() + "\n").collect()
}

#[test]
fn rows_that_were_acknowledged_outlive_a_kill_and_are_there_once() {
    let folder = Folder::empty();
    folder.write("forewarn.toml", definition_with("log.csv", "log"));
    let all = REFERENCE_ROWS + WINDOW_ROWS;
    let path = "/api/v1/systems/small/predictions";
    let ndjson = [("Content-Type", "application/x-ndjson")];
    let mut sent = 0;
    for part in 0..3 {
        let mut server = Server::open(&folder);
        let until = all * (part + 1) / 3;
        let answer = server.post(path, &ndjson, rows(sent..until).as_bytes());
        assert_eq!(
            (answer.status, &answer.json()["accepted"]),
            (200, &json!(until - sent)),
            "{}",
            answer.body
        );
        server.kill();
        sent = until;
    }
    let server = Server::open(&folder);
    // A client that heard no answer sends again; a row that is wrong costs nobody else.
    let wrong = "{\"id\":\"p1\",\"at\":\"2024-01-01T00:00:00Z\",\"scroe\":0.5}\nno json\n";
    let answer = server.post(path, &ndjson, (rows(0..all) + wrong).as_bytes()).json();
    assert_eq!((&answer["accepted"], &answer["rejected"]), (&json!(all), &json!(2)));
    assert!(answer["errors"][0]["message"].as_str().unwrap().contains("score"), "{answer:#}");
    assert_eq!(answer["errors"][0]["row"], all);
    server.stop();
    let report = folder.report(0);
    let coverage = report.finding("evaluate.outcomes");
    assert!(coverage["summary"].as_str().unwrap().contains(&WINDOW_ROWS.to_string()), "{coverage:#}");
    assert_eq!(report.finding("evaluate.performance")["measures"][0]["n"], WINDOW_ROWS);
}

#[test]
fn requests_that_cannot_be_served_say_why_as_problem_details() {
    let folder = Folder::small();
    let server = Server::open(&folder);
    let check = |answer: &Answer, status: u16, part: &str| {
        assert_eq!(answer.status, status, "{answer:?}");
        let problem = answer.json();
        assert_eq!(problem["status"], status);
        assert!(problem["detail"].as_str().unwrap().contains(part), "{problem:#}");
    };
    let json = [("Content-Type", "application/json")];
    check(&server.get("/api/v1/systems/nobody"), 404, "no system `nobody`");
    check(&server.get("/api/v1/nothing"), 404, "nothing at");
    check(&server.get("/api/v1/systems/small/evidence?cursor=first"), 400, "cursor");
    assert_eq!(server.get("/api/v1/tokens").status, 200, "other routes of the API are there still");
    check(&server.post("/api/v1/systems/nobody/predictions", &json, b"[]"), 404, "no system `nobody`");
    let small = "/api/v1/systems/small/predictions";
    check(&server.post(small, &[("Content-Type", "text/plain")], b"x"), 415, "application/x-ndjson");
    check(&server.post(small, &[json[0], ("Content-Encoding", "br")], b"x"), 415, "gzip or zstd");
    check(&server.post(small, &json, b"[]"), 409, "log.path");
    check(&server.post("/api/v1/systems/small/evidence", &json, b"{}"), 422, "missing field");
    let evil = [json[0], ("Origin", "https://evil.example"), ("Sec-Fetch-Site", "cross-site")];
    assert_eq!(server.post(small, &evil, b"[]").status, 403);
    assert_eq!(server.get("/nowhere").status, 404);
    assert!(server.get("/nowhere").body.contains("no page at"));
    assert_eq!(server.get("/healthz").body, "ok\n");
    assert_eq!(server.get("/readyz").status, 200);
}

#[test]
fn without_an_account_nobody_is_let_in_and_the_setup_link_makes_the_first() {
    let folder = Folder::small();
    let server = Server::start(&folder, &[]);
    assert_eq!(server.get("/").status, 303);
    assert_eq!(server.get("/api/v1/systems").status, 401);
    let link = server.said.lines().find_map(|line| line.strip_prefix("Set up    ")).unwrap();
    let path = link.strip_prefix(&server.url).unwrap();
    let code = path.split("code=").nth(1).unwrap();
    let page = server.get(path).body;
    assert!(page.contains("first account"), "{page}");
    let fields =
        [("token", code), ("name", "Ada"), ("email", "ada@example.org"), ("password", "four small boats")];
    let mut form = url::form_urlencoded::Serializer::new(String::new());
    form.extend_pairs(fields);
    let headers = [("Content-Type", "application/x-www-form-urlencoded")];
    assert_eq!(server.post("/setup", &headers, form.finish().as_bytes()).status, 303);
    assert_eq!(server.get(path).status, 410, "the link works once");
    folder.run(&["serve", "--listen", "0.0.0.0:0", "--insecure-no-auth"]).refuses(&["would be an admin"]);
}

/// A server that takes one webhook.
fn webhook() -> (String, std::thread::JoinHandle<String>) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}/hook", listener.local_addr().unwrap());
    let taken = std::thread::spawn(move || {
        let (mut stream, _) = listener.accept().unwrap();
        stream.set_read_timeout(Some(Duration::from_millis(500))).unwrap();
        let mut request = Vec::new();
        let mut piece = [0; 4096];
        while let Ok(read @ 1..) = stream.read(&mut piece) {
            request.extend_from_slice(&piece[..read]);
        }
        stream.write_all(b"HTTP/1.1 204 No Content\r\nConnection: close\r\n\r\n").unwrap();
        String::from_utf8(request).unwrap()
    });
    (url, taken)
}

#[test]
fn an_alert_is_told_once_and_can_be_taken_on_and_silenced() {
    let (url, told) = webhook();
    let alert = "\n[[alert]]\nname = \"drift\"\nwhen = 'drift.verdict == \"fail\"'\nseverity = \"high\"\nto = [\"webhook:ops\"]\n";
    // In the window every second amount is missing.
    let log = Table::small_log().with_in_window("amount", 2, "");
    let folder = Folder::with_log(&format!("{DEFINITION}{alert}"), &log);
    folder.write(
        "organisation.toml",
        format!("[[channel]]\nname = \"webhook:ops\"\nkind = \"webhook\"\nurl = \"{url}\"\nsecret = \"c2VjcmV0c2VjcmV0c2VjcmV0c2VjcmV0\"\n"),
    );
    let server = Server::open(&folder);
    server.caught_up();
    let request = told.join().unwrap();
    assert!(request.starts_with("POST /hook") && request.contains("amount"), "{request}");
    let firing = server.until("/alerts.json", |answer| answer.json()[0].is_object()).json();
    assert_eq!(firing[0]["rule"], "drift", "{firing:#}");
    let page = server.get("/alerts").body;
    let path = page.split("href=\"/alerts/small.").nth(1).unwrap().split('"').next().unwrap();
    let path = format!("/alerts/small.{path}");
    server.until(&path, |answer| answer.body.contains("told webhook:ops"));
    assert_eq!(server.submit(&path, &format!("{path}/acknowledge"), &[("note", "on it")]).status, 303);
    assert!(server.get(&path).body.contains("on it"));
    let silence = [("hours", "24"), ("reason", "the vendor knows")];
    assert_eq!(server.submit(&path, &format!("{path}/silence"), &silence).status, 303);
    server.until(&path, |answer| answer.body.contains("the vendor knows"));
    let refused = server.submit(&path, &format!("{path}/silence"), &[("hours", "24"), ("reason", "")]);
    assert_eq!(refused.status, 400);
}
