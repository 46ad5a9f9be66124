//! What clients do wrong, from outside: too slow, too much, half broken, too late, from another site. Each is
//! told what was wrong, and nobody else notices.

use std::io::{Read, Write};
use std::net::TcpStream;
use std::sync::mpsc;
use std::time::{Duration, Instant};

use serde_json::{Value, json};

use crate::fixture::{DEFINITION, Folder, definition_with};
use crate::parts::Clock;
use crate::serve::{Server, rows};

const PREDICTIONS: &str = "/api/v1/systems/small/predictions";
const NDJSON: [(&str, &str); 1] = [("Content-Type", "application/x-ndjson")];
const FORM: (&str, &str) = ("Content-Type", "application/x-www-form-urlencoded");

/// A folder that takes in rows.
fn taking_in() -> Folder {
    let folder = Folder::empty();
    folder.write("forewarn.toml", definition_with("log.csv", "log"));
    folder
}

fn connection(server: &Server) -> TcpStream {
    TcpStream::connect(server.url.strip_prefix("http://").unwrap()).unwrap()
}

fn head(length: usize) -> String {
    head_to(PREDICTIONS, NDJSON[0].1, length)
}

fn head_to(path: &str, content_type: &str, length: usize) -> String {
    format!(
        "POST {path} HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Type: {content_type}\r\n\
         Content-Length: {length}\r\n\r\n"
    )
}

/// All that a server says on a connection until it is closed.
fn said(mut stream: TcpStream) -> mpsc::Receiver<String> {
    let (sender, receiver) = mpsc::channel();
    std::thread::spawn(move || {
        let mut said = Vec::new();
        let mut piece = [0; 4096];
        while let Ok(read @ 1..) = stream.read(&mut piece) {
            said.extend_from_slice(&piece[..read]);
        }
        // A test that failed meanwhile does not listen.
        let _ = sender.send(String::from_utf8_lossy(&said).into_owned());
    });
    receiver
}

/// Sends a start, then a byte a second until the server has had enough: what it said, and after how long.
fn one_byte_a_second(server: &Server, start: &str) -> (String, Duration) {
    let begun = Instant::now();
    let mut stream = connection(server);
    stream.write_all(start.as_bytes()).unwrap();
    let answer = said(stream.try_clone().unwrap());
    loop {
        assert!(begun.elapsed() < Duration::from_mins(1), "the server waits for ever");
        if let Ok(answer) = answer.recv_timeout(Duration::from_secs(1)) {
            return (answer, begun.elapsed());
        }
        // The server may have closed it just now.
        let _ = stream.write_all(b"x");
    }
}

#[test]
fn a_slow_client_is_cut_off_after_twenty_seconds_and_nobody_waits_for_it() {
    let folder = taking_in();
    let server = Server::open(&folder);
    std::thread::scope(|scope| {
        let head_slow =
            scope.spawn(|| one_byte_a_second(&server, "GET / HTTP/1.1\r\nHost: 127.0.0.1\r\nX-Slow: "));
        let body_slow = scope.spawn(|| one_byte_a_second(&server, &head(1000)));
        let json_slow =
            scope.spawn(|| one_byte_a_second(&server, &head_to("/api/v1/jobs", "application/json", 1000)));
        for _ in 0..5 {
            let begun = Instant::now();
            assert_eq!(server.get("/evidence").status, 200);
            assert!(begun.elapsed() < Duration::from_secs(5), "another waited {:?}", begun.elapsed());
            std::thread::sleep(Duration::from_secs(1));
        }
        let is_in_time = |after: Duration| (20..30).contains(&after.as_secs());
        let (_, after) = head_slow.join().unwrap();
        assert!(is_in_time(after), "a slow head is cut off after {after:?}");
        for slow in [body_slow, json_slow] {
            let (answer, after) = slow.join().unwrap();
            assert!(is_in_time(after), "a slow body is cut off after {after:?}");
            assert!(answer.starts_with("HTTP/1.1 408") && answer.contains("too slowly"), "{answer}");
        }
    });
}

/// What a body of so many bytes is answered, of which all are sent that the server takes.
fn answer_to(server: &Server, bytes: usize) -> String {
    let mut stream = connection(server);
    let answer = said(stream.try_clone().unwrap());
    stream.write_all(head(bytes).as_bytes()).unwrap();
    let piece = vec![b' '; 1 << 20];
    let mut left = bytes / piece.len();
    while left > 0 && stream.write_all(&piece).is_ok() {
        left -= 1;
    }
    // Where all of it was taken, the connection stays open for another request.
    let _ = stream.shutdown(std::net::Shutdown::Write);
    answer.recv_timeout(Duration::from_mins(1)).expect("an answer")
}

#[test]
fn a_body_that_is_too_large_is_refused_by_its_size() {
    let folder = taking_in();
    let server = Server::open(&folder);
    let answer = answer_to(&server, 200 << 20);
    assert!(answer.starts_with("HTTP/1.1 413"), "{answer}");
    // What unpacks to more than the limit is as large.
    let python = "import gzip, sys; sys.stdout.buffer.write(gzip.compress(b' ' * (200 << 20)))";
    let packed = std::process::Command::new("python3").args(["-c", python]).output().unwrap().stdout;
    let headers = [NDJSON[0], ("Content-Encoding", "gzip")];
    let refused = server.post(PREDICTIONS, &headers, &packed);
    assert_eq!(refused.status, 413, "{refused:?}");
    assert_eq!(server.post(PREDICTIONS, &NDJSON, rows(0..1).as_bytes()).status, 200, "it serves on");
}

#[test]
fn what_is_wrong_with_one_row_of_a_stream_costs_that_row_alone() {
    let folder = taking_in();
    let server = Server::open(&folder);
    // Which columns there are follows from the first request.
    assert_eq!(server.post(PREDICTIONS, &NDJSON, rows(20..21).as_bytes()).status, 200);
    let wrong = [
        "{\"id\":\"a\",\"at\":\"2024-01-01T",
        "{\"id\":\"b\",\"at\":\"2024-01-01T00:00:00Z\",\"colur\":\"red\"}",
        "{\"id\":\"c\",\"at\":\"2024-01-01T00:00:00Z\",\"x\":\"many\"}",
        "{\"id\":\"d\",\"at\":\"yesterday\"}",
        "{\"at\":\"2024-01-01T00:00:00Z\",\"x\":1.5}",
        "[1, 2]",
    ];
    let body = wrong
        .iter()
        .enumerate()
        .fold(rows(0..1), |body, (at, line)| body + line + "\n" + &rows(at + 1..at + 2));
    let answer = server.post(PREDICTIONS, &NDJSON, body.as_bytes());
    let told = answer.json();
    assert_eq!(answer.status, 200, "{told:#}");
    assert_eq!((&told["accepted"], &told["rejected"]), (&json!(7), &json!(6)), "{told:#}");
    let errors = told["errors"].as_array().unwrap();
    let places: Vec<u64> = errors.iter().map(|error| error["row"].as_u64().unwrap()).collect();
    assert_eq!(places, [1, 3, 5, 7, 9, 11]);
    let says = |at: usize, part: &str| {
        let error: &Value = &errors[at];
        assert!(error.to_string().contains(part), "no {part:?} in {error:#}");
    };
    says(0, "JSON");
    says(1, "colour");
    says(2, "\"column\":\"x\"");
    says(3, "\"column\":\"at\"");
    says(4, "\"column\":\"id\"");
    let all_wrong = server.post(PREDICTIONS, &NDJSON, wrong.join("\n").as_bytes());
    assert_eq!((all_wrong.status, &all_wrong.json()["accepted"]), (422, &json!(0)), "{all_wrong:?}");
}

/// Somebody who signed in: their cookie.
struct Account<'s> {
    server: &'s Server,
    cookie: String,
}

impl<'s> Account<'s> {
    /// The first of a server.
    fn first(server: &'s Server) -> Self {
        let code = server.said.split("/setup?code=").nth(1).unwrap().split_whitespace().next().unwrap();
        let fields = [
            ("token", code),
            ("name", "Ada"),
            ("email", "ada@example.org"),
            ("password", "four small boats"),
        ];
        let made = server.post("/setup", &[FORM], encoded(&fields).as_bytes());
        assert_eq!(made.status, 303, "{made:?}");
        let cookie = made.cookie.split(';').next().unwrap().to_owned();
        Self { server, cookie }
    }

    /// The proof that a form comes from a page of theirs.
    fn csrf(&self) -> String {
        let page = self.server.get_with("/settings/tokens", &[("Cookie", &self.cookie)]).body;
        page.split("name=\"csrf\" value=\"").nth(1).unwrap().split('"').next().unwrap().to_owned()
    }

    fn token(&self, days: &str) -> String {
        let csrf = self.csrf();
        let fields = [("csrf", csrf.as_str()), ("name", "nightly"), ("scope", "read"), ("days", days)];
        let headers = [FORM, ("Cookie", self.cookie.as_str())];
        let page = self.server.post("/settings/tokens", &headers, encoded(&fields).as_bytes()).body;
        let token = page.split("fw_").nth(1).unwrap_or_else(|| panic!("{page}"));
        format!(
            "fw_{}",
            token.split(|of: char| !of.is_ascii_alphanumeric() && of != '_' && of != '-').next().unwrap()
        )
    }
}

fn encoded(fields: &[(&str, &str)]) -> String {
    url::form_urlencoded::Serializer::new(String::new()).extend_pairs(fields).finish()
}

#[test]
fn a_token_that_has_expired_is_refused_with_the_reason() {
    let Some(clock) = Clock::new() else { return };
    let folder = Folder::small();
    let mut command = folder.command(&["serve", "--listen", "127.0.0.1:0"]);
    let server = Server::of(clock.under(&mut command));
    let token = format!("Bearer {}", Account::first(&server).token("1"));
    let ask = || server.get_with("/api/v1/systems", &[("Authorization", &token)]);
    assert_eq!(ask().status, 200);
    clock.set(23 * 3600);
    assert_eq!(ask().status, 200, "it lasts a day");
    clock.set(25 * 3600);
    let refused = ask();
    assert_eq!(refused.status, 401, "{refused:?}");
    let detail = refused.json()["detail"].as_str().unwrap().to_owned();
    assert!(detail.contains("expired at") && detail.contains("make a new one"), "{detail}");
}

#[test]
fn a_form_from_another_site_or_of_no_page_changes_nothing() {
    let folder = Folder::small();
    let server = Server::start(&folder, &[]);
    let account = Account::first(&server);
    let csrf = account.csrf();
    let send = |headers: &[(&str, &str)], csrf: &str| {
        let all = [&[FORM, ("Cookie", account.cookie.as_str())], headers].concat();
        let fields = [("csrf", csrf), ("name", "stolen"), ("scope", "admin"), ("days", "90")];
        server.post("/settings/tokens", &all, encoded(&fields).as_bytes()).status
    };
    // Even one who knew the proof: the browser says where the form comes from.
    assert_eq!(send(&[("Sec-Fetch-Site", "cross-site")], &csrf), 403);
    assert_eq!(send(&[("Sec-Fetch-Site", "same-site")], &csrf), 403);
    assert_eq!(send(&[("Origin", "https://evil.example")], &csrf), 403);
    assert_eq!(send(&[("Origin", "null")], &csrf), 403);
    assert_eq!(send(&[], ""), 403);
    assert_eq!(send(&[], &"0".repeat(csrf.len())), 403);
    let page = server.get_with("/settings/tokens", &[("Cookie", &account.cookie)]).body;
    assert!(!page.contains("stolen"), "{page}");
    assert_eq!(send(&[("Sec-Fetch-Site", "same-origin")], &csrf), 200, "a page of ours may");
}

#[test]
fn a_definition_that_breaks_under_a_running_server_does_not_come_into_force() {
    let folder = Folder::small();
    let server = Server::open(&folder);
    server.caught_up();
    folder.write(
        "forewarn.toml",
        DEFINITION.replace("Small system", "Other name").replace("score =", "scroe ="),
    );
    let page = server.until("/", |answer| answer.body.contains("The definition has a mistake"));
    assert!(page.body.contains("scroe") && page.body.contains("Small system"), "{}", page.body);
    assert!(!page.body.contains("Other name"), "the definition before is in force");
    assert_eq!(server.get("/api/v1/systems/small").status, 200);
    assert_eq!(server.get("/systems/small/evaluate").status, 200);
    folder.write("forewarn.toml", DEFINITION.replace("Small system", "Other name"));
    let page = server.until("/", |answer| answer.body.contains("Other name"));
    assert!(!page.body.contains("The definition has a mistake"), "{}", page.body);
    server.stop();
}
