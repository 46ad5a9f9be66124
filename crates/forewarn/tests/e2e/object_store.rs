//! Logs in a bucket, with a real S3 server (moto) on loopback; what is written is read by boto3 and pyarrow.

use std::io::{Read, Write};
use std::net::{Shutdown, TcpListener, TcpStream};
use std::path::PathBuf;
use std::process::{Command, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use serde_json::{Value, json};

use crate::fixture::{Folder, REFERENCE_ROWS, Report, Run, Table, WINDOW_ROWS, definition_with};
use crate::serve::{Server, rows};
use crate::{fixture, parts};

const BUCKET: &str = "models";
const ALL: usize = REFERENCE_ROWS + WINDOW_ROWS;
/// How long something may take that a server does by itself.
const PATIENCE: Duration = Duration::from_secs(90);
const NDJSON: [(&str, &str); 1] = [("Content-Type", "application/x-ndjson")];
const PREDICTIONS: &str = "/api/v1/systems/small/predictions";

/// An S3 server with a bucket.
struct Store {
    python: PathBuf,
    server: parts::Server,
}

impl Store {
    fn start() -> Option<Self> {
        Self::with(&[])
    }

    fn with(arguments: &[&str]) -> Option<Self> {
        let python = parts::python()?;
        let server = parts::Server::start(&python, "s3_server.py", arguments);
        let store = Self { python, server };
        store.client(&["create", BUCKET]);
        Some(store)
    }

    fn address(&self) -> String {
        format!("http://127.0.0.1:{}", self.server.port)
    }

    fn client(&self, arguments: &[&str]) -> String {
        parts::output(&mut self.command(arguments)).unwrap()
    }

    fn command(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(&self.python);
        command.arg(parts::script("s3_client.py")).args(arguments).envs(environment(&self.address()));
        command
    }

    /// Runs the program in a folder, with this store at hand.
    fn run(&self, folder: &Folder, arguments: &[&str]) -> Run {
        run_with(folder, arguments, &environment(&self.address()))
    }

    fn report(&self, folder: &Folder) -> Report {
        self.run(folder, &["check", "--format", "json"]).exits(0).report()
    }

    fn serve(&self, folder: &Folder) -> Server {
        let mut environment = environment(&self.address());
        // A machine that hangs is not waited for longer.
        environment.push(("AWS_TIMEOUT", "2s".into()));
        Server::start_with(folder, &["--insecure-no-auth"], &environment)
    }

    /// The ids of the rows of all objects under a prefix, as pyarrow reads them, in their order.
    fn ids(&self, prefix: &str) -> Vec<String> {
        let rows = self.client(&["rows", BUCKET, prefix]);
        let id = |row: &str| serde_json::from_str::<Value>(row).unwrap()["id"].as_str().unwrap().to_owned();
        let mut ids: Vec<String> = rows.lines().map(id).collect();
        ids.sort();
        ids
    }
}

fn environment(address: &str) -> Vec<(&'static str, String)> {
    [
        ("AWS_ENDPOINT_URL", address),
        ("AWS_ALLOW_HTTP", "true"),
        ("AWS_ACCESS_KEY_ID", "an-id"),
        ("AWS_SECRET_ACCESS_KEY", "a-secret-of-the-test"),
        ("AWS_REGION", "us-east-1"),
    ]
    .map(|(name, value)| (name, value.to_owned()))
    .to_vec()
}

fn run_with(folder: &Folder, arguments: &[&str], environment: &[(&str, String)]) -> Run {
    let mut command = folder.command(arguments);
    for variable in ["AWS_PROFILE", "AWS_ENDPOINT_URL_S3", "AWS_SESSION_TOKEN", "AWS_DEFAULT_REGION"] {
        command.env_remove(variable);
    }
    let run = Run::of(command.envs(environment.iter().cloned()).output().unwrap());
    assert!(!(run.stdout.clone() + &run.stderr).contains("a-secret-of-the-test"), "a secret is told");
    run
}

/// Stands between the program and a store, and counts what the store sends.
struct Counter {
    address: String,
    received: Arc<AtomicU64>,
}

impl Counter {
    fn before(port: u16) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = format!("http://{}", listener.local_addr().unwrap());
        let received = Arc::new(AtomicU64::new(0));
        let counted = received.clone();
        std::thread::spawn(move || {
            for client in listener.incoming().map_while(Result::ok) {
                let store = TcpStream::connect(("127.0.0.1", port)).unwrap();
                let (from, to) = (client.try_clone().unwrap(), store.try_clone().unwrap());
                std::thread::spawn(move || pass(from, to, &AtomicU64::new(0)));
                let counted = counted.clone();
                std::thread::spawn(move || pass(store, client, &counted));
            }
        });
        Self { address, received }
    }

    fn take(&self) -> u64 {
        self.received.swap(0, Ordering::SeqCst)
    }
}

fn pass(mut from: TcpStream, mut to: TcpStream, counted: &AtomicU64) {
    let mut piece = vec![0; 1 << 16];
    while let Ok(read @ 1..) = from.read(&mut piece) {
        counted.fetch_add(read as u64, Ordering::SeqCst);
        if to.write_all(&piece[..read]).is_err() {
            break;
        }
    }
    let _ = to.shutdown(Shutdown::Write);
}

/// The findings are the same, word for word.
#[track_caller]
fn assert_same_findings(report: &Report, local: &Report) {
    let of = |report: &Report| report.0["findings"].as_array().unwrap().clone();
    let (ours, theirs) = (of(report), of(local));
    assert_eq!(ours.len(), theirs.len());
    for (ours, theirs) in ours.iter().zip(&theirs) {
        assert_eq!(ours, theirs);
    }
}

/// A definition with predictions by day and outcomes apart, at some place.
fn definition_at(place: &str) -> String {
    let outcome = format!("outcome = {{ path = \"{place}outcomes\", column = \"label\" }}");
    definition_with("log.csv", &format!("{place}log/*.parquet"))
        .replace("outcome = { column = \"label\" }", &outcome)
}

/// The small log as Parquet files by day, in folders and in the bucket; its definition speaks of the folders.
fn by_day(store: &Store) -> Folder {
    let folder = Folder::empty();
    let log = Table::small_log();
    let columns = ["id", "at", "x", "amount", "colour", "region", "score"];
    folder.write("log.csv", log.select(&columns).csv());
    folder.write("outcomes/all.csv", log.select(&["id", "label"]).csv());
    let at = |name: &str| folder.path(name).display().to_string();
    store.client(&["days", &at("log.csv"), &at("log")]);
    store.client(&["put", BUCKET, "small/log", &at("log")]);
    store.client(&["put", BUCKET, "small/outcomes", &at("outcomes")]);
    folder.write("forewarn.toml", definition_at(""));
    folder
}

#[test]
fn a_check_over_a_bucket_finds_what_it_finds_over_the_same_files() {
    let Some(store) = Store::start() else { return };
    let folder = by_day(&store);
    let local = folder.report(0);
    let bucket = Folder::empty();
    bucket.write("forewarn.toml", definition_at(&format!("s3://{BUCKET}/small/")));
    let counter = Counter::before(store.server.port);
    let counted = environment(&counter.address);
    let check = || run_with(&bucket, &["check", "--format", "json"], &counted).exits(0).report();
    let first = check();
    assert_same_findings(&first, &local);
    let datasets = first.0["datasets"].as_array().unwrap();
    for (ours, theirs) in datasets.iter().zip(local.0["datasets"].as_array().unwrap()) {
        assert_eq!((&ours["files"], &ours["bytes"]), (&theirs["files"], &theirs["bytes"]));
        assert_eq!((&ours["hashed"], &theirs["hashed"]), (&json!("etag"), &Value::Null));
    }
    let read = counter.take();
    let again = check();
    assert_eq!(again.0["datasets"], first.0["datasets"], "the same objects are the same datasets");
    assert_same_findings(&again, &local);
    assert!(counter.take() < read, "what is known of objects is not read again");
    // A day is written anew, and another one is gone.
    store.client(&["delete", BUCKET, "small/log/2024-01-03.parquet"]);
    folder.write("changed/2024-02-03.parquet", std::fs::read(folder.path("log/2024-02-02.parquet")).unwrap());
    store.client(&["put", BUCKET, "small/log", &folder.path("changed").display().to_string()]);
    // The ids of that day are repeated now, so that the gate is shut.
    let report = run_with(&bucket, &["check", "--format", "json"], &counted).exits(1).report();
    assert_ne!(report.0["datasets"][0]["digest"], first.0["datasets"][0]["digest"]);
    let told = report.0["findings"].to_string();
    for object in ["s3://models/small/log/2024-02-03.parquet", "s3://models/small/log/2024-01-03.parquet"] {
        assert!(told.contains(object), "{object} changed or vanished, and that is told: {told}");
    }
}

#[test]
fn a_single_object_a_folder_and_a_glob_over_folders_are_one_log() {
    let Some(store) = Store::start() else { return };
    let folder = Folder::small();
    let local = folder.report(0);
    folder.write("csv/log.csv", folder.read("log.csv"));
    store.client(&["put", BUCKET, "a/deep/er", &folder.path("csv").display().to_string()]);
    for place in ["a/deep/er/log.csv", "a/", "a", "a/**/*.csv", "*/*/er/l?g.csv"] {
        let bucket = Folder::empty();
        bucket.write("forewarn.toml", definition_with("log.csv", &format!("s3://{BUCKET}/{place}")));
        assert_same_findings(&store.report(&bucket), &local);
    }
}

#[test]
fn a_reference_may_lie_in_a_bucket_too() {
    let Some(store) = Store::start() else { return };
    let log = Table::small_log();
    let definition = |reference: &str| {
        definition_with("window = \"2024-01-01/2024-01-29\"", &format!("path = \"{reference}\""))
    };
    let folder = Folder::with_log(&definition("reference"), &log.rows(|row| row >= REFERENCE_ROWS));
    folder.write("reference/r.csv", log.rows(|row| row < REFERENCE_ROWS).csv());
    let local = folder.report(0);
    store.client(&["put", BUCKET, "r", &folder.path("reference").display().to_string()]);
    folder.write("forewarn.toml", definition(&format!("s3://{BUCKET}/r/*.csv")));
    assert_same_findings(&store.report(&folder), &local);
}

#[test]
fn of_a_large_object_only_the_columns_that_are_asked_for_are_fetched() {
    let Some(store) = Store::start() else { return };
    let folder = Folder::small();
    std::fs::create_dir(folder.path("wide")).unwrap();
    let at = |name: &str| folder.path(name).display().to_string();
    store.client(&["parquet", &at("log.csv"), &at("wide/log.parquet"), "8192"]);
    let size = std::fs::metadata(folder.path("wide/log.parquet")).unwrap().len();
    assert!(size > 10_000_000, "{size}");
    store.client(&["put", BUCKET, "wide", &at("wide")]);
    let features = "segments = [\"region\"]\nfeatures = [\"x\", \"amount\", \"colour\"]";
    let definition = definition_with("segments = [\"region\"]", features);
    folder.write("forewarn.toml", definition.replace("log.csv", &format!("s3://{BUCKET}/wide/*.parquet")));
    let counter = Counter::before(store.server.port);
    run_with(&folder, &["check"], &environment(&counter.address)).exits(0);
    let read = counter.take();
    assert!(read < size / 2, "{read} of {size} bytes were fetched");
}

/// A folder whose log is an empty place in the bucket.
fn empty_log() -> Folder {
    let folder = Folder::empty();
    folder.write("forewarn.toml", definition_with("log.csv", &format!("s3://{BUCKET}/in")));
    folder
}

#[test]
fn rows_that_clients_send_are_objects_that_others_read() {
    let Some(store) = Store::start() else { return };
    let folder = empty_log();
    let server = store.serve(&folder);
    let half = ALL / 2;
    let answer = server.post(PREDICTIONS, &NDJSON, rows(0..half).as_bytes());
    assert_eq!((answer.status, &answer.json()["accepted"]), (200, &json!(half)), "{}", answer.body);
    let stream = folder.path("rows.arrows");
    let mut arrow = store.command(&["arrow", &stream.display().to_string()]);
    let mut child = arrow.stdin(Stdio::piped()).spawn().unwrap();
    // Some that were sent before are sent again.
    child.stdin.take().unwrap().write_all(rows(half - 100..ALL).as_bytes()).unwrap();
    assert!(child.wait().unwrap().success());
    let arrow = [("Content-Type", "application/vnd.apache.arrow.stream")];
    let answer = server.post(PREDICTIONS, &arrow, &std::fs::read(&stream).unwrap());
    assert_eq!(
        (answer.status, &answer.json()["accepted"]),
        (200, &json!(ALL - half + 100)),
        "{}",
        answer.body
    );
    server.stop();
    let mut expected: Vec<String> = (0..ALL).map(|row| format!("p{row}")).collect();
    expected.sort();
    assert_eq!(store.ids("in/"), expected, "each row once, as pyarrow reads the objects");
    let report = store.report(&folder);
    assert_eq!(report.finding("evaluate.performance")["measures"][0]["n"], WINDOW_ROWS);
    let local = Folder::small().report(0);
    let auc = |report: &Report| fixture::measure(report.finding("evaluate.performance"), "roc_auc");
    assert_eq!(auc(&report), auc(&local));
}

#[test]
fn a_store_that_hangs_for_a_while_costs_no_row_that_was_acknowledged() {
    let Some(store) = Store::start() else { return };
    let folder = empty_log();
    let mut server = store.serve(&folder);
    let send = |server: &Server, from: usize, to: usize| {
        for at in (from..to).step_by(100) {
            let until = (at + 100).min(to);
            let answer = server.post(PREDICTIONS, &NDJSON, rows(at..until).as_bytes());
            assert_eq!(answer.status, 200, "{}", answer.body);
        }
    };
    send(&server, 0, 500);
    wait_for(|| store.ids("in/").len() >= 100);
    store.server.pause();
    send(&server, 500, 1500);
    // Long enough for a compaction to be tried, and to fail.
    std::thread::sleep(Duration::from_secs(15));
    send(&server, 1500, 2000);
    server.kill();
    store.server.resume();
    let server = store.serve(&folder);
    send(&server, 1990, 2100);
    wait_for(|| store.ids("in/").len() >= 2100);
    server.stop();
    let mut expected: Vec<String> = (0..2100).map(|row| format!("p{row}")).collect();
    expected.sort();
    assert_eq!(store.ids("in/"), expected);
}

fn wait_for(is_so: impl Fn() -> bool) {
    let begun = Instant::now();
    while !is_so() {
        assert!(begun.elapsed() < PATIENCE, "it never becomes so");
        std::thread::sleep(Duration::from_millis(200));
    }
}

#[test]
fn what_is_wrong_with_a_bucket_is_said_with_the_way_out() {
    let Some(store) = Store::start() else { return };
    let folder = Folder::empty();
    let check = |path: &str, change: &[(&'static str, &str)], parts: &[&str]| {
        folder.write("forewarn.toml", definition_with("log.csv", path));
        let mut environment = environment(&store.address());
        for (name, value) in change {
            environment.retain(|(known, _)| known != name);
            if !value.is_empty() {
                environment.push((name, (*value).to_owned()));
            }
        }
        run_with(&folder, &["check"], &environment).refuses(parts);
    };
    let log = format!("s3://{BUCKET}/none/*.parquet");
    check(&log, &[], &[&log, "no .parquet or .csv file matches"]);
    check("s3://nobodys/log", &[], &["s3://nobodys/log", "no such bucket", "AWS_REGION"]);
    check("gs://models/log", &[], &["gs://models/log", "s3://BUCKET"]);
    check(&log, &[("AWS_ENDPOINT_URL", "http://127.0.0.1:9")], &[&log[..14], "cannot be reached"]);
    check(&log, &[("AWS_ALLOW_HTTP", "")], &["AWS_ALLOW_HTTP=true"]);
    let none = [
        ("AWS_ACCESS_KEY_ID", ""),
        ("AWS_SECRET_ACCESS_KEY", ""),
        ("AWS_METADATA_ENDPOINT", "http://127.0.0.1:9"),
    ];
    check(&log, &none, &["no credentials were found", "AWS_ACCESS_KEY_ID"]);
}

#[test]
fn credentials_that_the_store_does_not_know_are_said_to_be_wrong() {
    // Creating the bucket is the request that needs none.
    let Some(store) = Store::with(&["1"]) else { return };
    let folder = Folder::empty();
    folder.write("forewarn.toml", definition_with("log.csv", &format!("s3://{BUCKET}/log")));
    let run = store.run(&folder, &["check"]);
    run.refuses(&["s3://models/log", "does not accept the credentials", "InvalidAccessKeyId"]);
}
