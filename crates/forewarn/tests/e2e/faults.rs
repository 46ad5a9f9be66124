//! What fails around a server: its database is locked or restarted, its disk is full, mail is down, its
//! clock jumps. Whoever asks is told when to come again, and nothing that was promised is lost.

use std::fs::{self, File};
use std::io::{BufRead, BufReader, Write};
use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use serde_json::{Value, json};

use crate::fixture::{DEFINITION, Folder, REFERENCE_ROWS, Table, WINDOW_ROWS, definition_with};
use crate::parts::{self, Clock, Running, skip};
use crate::postgres::Postgres;
use crate::serve::{Answer, Server, rows};

const PREDICTIONS: &str = "/api/v1/systems/small/predictions";
const NDJSON: [(&str, &str); 1] = [("Content-Type", "application/x-ndjson")];

/// The right to write into the folder's database, in the hands of another process until the value is gone.
fn lock(folder: &Folder) -> Running {
    let script = "import sqlite3, sys\ndb = sqlite3.connect(sys.argv[1], isolation_level=None)\n\
                  db.execute('BEGIN EXCLUSIVE')\nprint('held', flush=True)\nsys.stdin.read()";
    let mut python = Command::new("python3");
    python.args(["-c", script]).arg(folder.path(".forewarn/state.db"));
    let mut child = python.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap();
    let mut said = String::new();
    BufReader::new(child.stdout.take().unwrap()).read_line(&mut said).unwrap();
    assert_eq!(said, "held\n");
    Running(child)
}

/// Jobs that ended, newest first.
fn ended(server: &Server) -> Vec<Value> {
    server.get("/jobs.json?table=history").json().as_array().unwrap().clone()
}

/// Has a job run and waits until one more is done.
fn run(server: &Server, job: &str) {
    let before = ended(server).len();
    assert_eq!(server.submit("/jobs", "/jobs/run", &[("job", job)]).status, 303);
    server.until("/jobs.json?table=history", |answer| {
        let all = answer.json();
        all.as_array().unwrap().len() > before && all[0]["state"] == "done"
    });
}

#[test]
fn a_run_that_is_asked_for_sees_every_row_that_was_acknowledged() {
    let folder = Folder::empty();
    folder.write("forewarn.toml", definition_with("log.csv", "log"));
    let server = Server::open(&folder);
    // To the end of the week, but for half of its rows; then those.
    let (half, all) = (REFERENCE_ROWS + WINDOW_ROWS / 2, REFERENCE_ROWS + WINDOW_ROWS);
    for (sent, checked) in
        [(rows(0..half) + &rows(all - 1..all), WINDOW_ROWS / 2 + 1), (rows(half..all - 1), WINDOW_ROWS)]
    {
        assert_eq!(server.post(PREDICTIONS, &NDJSON, sent.as_bytes()).status, 200);
        run(&server, "evaluate/small");
        let evidence = folder.evidence();
        let of_check = |line: &&str| line.contains("\"check\":\"evaluate.performance\"");
        let record: Value = serde_json::from_str(evidence.lines().rfind(of_check).unwrap()).unwrap();
        assert_eq!(record["record"]["finding"]["measures"][0]["n"], json!(checked), "{record:#}");
    }
}

/// Records of evidence whose check begins so.
fn records_of(evidence: &str, practice: &str) -> usize {
    evidence.lines().filter(|line| line.contains(&format!("\"check\":\"{practice}."))).count()
}

#[test]
fn while_the_database_is_locked_pages_are_read_and_changes_come_again() {
    let folder = Folder::small();
    let server = Server::open(&folder);
    server.caught_up();
    let before = folder.evidence();
    let held = lock(&folder);
    assert_eq!(server.get("/evidence").status, 200, "reading waits for nobody");
    let refused = server.submit("/jobs", "/jobs/run", &[("job", "evaluate/small")]);
    assert_eq!(refused.status, 503, "{}", refused.body);
    assert!(refused.retry_after.is_some_and(|seconds| (1..=60).contains(&seconds)), "{refused:?}");
    assert!(refused.body.contains("database is busy"), "{}", refused.body);
    drop(held);
    run(&server, "evaluate/small");
    let after = folder.evidence();
    assert!(after.starts_with(&before), "what was recorded stays");
    assert_eq!(records_of(&after, "evaluate"), 2 * records_of(&before, "evaluate"), "one more run, once");
    folder.run(&["verify"]).exits(0);
}

/// A disk of a few megabytes, mounted on a folder until the value is gone.
struct SmallDisk(PathBuf);

impl SmallDisk {
    fn at(folder: &Path) -> Option<Self> {
        fs::create_dir_all(folder).unwrap();
        let mut mount = Command::new("mount");
        mount.args(["-t", "tmpfs", "-o", "size=4m", "tmpfs"]).arg(folder);
        match parts::output(&mut mount) {
            Ok(_) => Some(Self(folder.to_owned())),
            Err(why) => {
                skip(&format!("a small disk cannot be mounted, which takes root: {why}"));
                None
            }
        }
    }

    /// Leaves no room on it.
    fn fill(&self) {
        let mut ballast = File::create(self.0.join("ballast")).unwrap();
        while ballast.write_all(&[0; 4096]).is_ok() {}
    }

    fn clear(&self) {
        fs::remove_file(self.0.join("ballast")).unwrap();
    }
}

impl Drop for SmallDisk {
    fn drop(&mut self) {
        // Lazily: the server may have files open still.
        let _ = Command::new("umount").arg("--lazy").arg(&self.0).status();
    }
}

/// The number of rows with which a check of the folder's default window counts.
fn rows_checked(folder: &Folder) -> Value {
    folder.report(0).finding("evaluate.performance")["measures"][0]["n"].clone()
}

#[test]
fn a_full_disk_refuses_rows_keeps_those_before_and_takes_more_when_there_is_room() {
    let folder = Folder::empty();
    folder.write("forewarn.toml", definition_with("log.csv", "log"));
    let Some(disk) = SmallDisk::at(&folder.path(".forewarn/ingest")) else { return };
    let server = Server::open(&folder);
    let (half, all) = (REFERENCE_ROWS / 2, REFERENCE_ROWS + WINDOW_ROWS);
    let send = |from, to| server.post(PREDICTIONS, &NDJSON, rows(from..to).as_bytes());
    assert_eq!(send(0, half).json()["accepted"], json!(half));
    disk.fill();
    let refused = send(half, all);
    assert_eq!(refused.status, 507, "{refused:?}");
    assert!(refused.json()["detail"].as_str().unwrap().contains("No space left"), "{refused:?}");
    disk.clear();
    let taken = send(half, all);
    assert_eq!((taken.status, &taken.json()["accepted"]), (200, &json!(all - half)), "{taken:?}");
    server.stop();
    assert_eq!(rows_checked(&folder), WINDOW_ROWS);
}

/// Says that something is over when it is dropped: also when a check fails, so that nobody waits for ever for
/// those who listen.
struct OverAtLast<'f>(&'f AtomicBool);

impl Drop for OverAtLast<'_> {
    fn drop(&mut self) {
        self.0.store(true, Ordering::SeqCst);
    }
}

/// What a client that sends and reads all the time is answered, until told to stop.
fn load(server: &Server, over: &AtomicBool) -> Vec<u16> {
    let mut answered = Vec::new();
    let mut sent = 0;
    while !over.load(Ordering::SeqCst) {
        let Answer { status, .. } = server.post(PREDICTIONS, &NDJSON, rows(sent..sent + 20).as_bytes());
        answered.push(status);
        answered.push(server.get("/evidence").status);
        sent = (sent + 20) % (REFERENCE_ROWS + WINDOW_ROWS - 20);
    }
    answered
}

#[test]
fn a_postgresql_that_is_restarted_under_load_loses_nothing_and_repeats_nothing() {
    let Some(postgres) = Postgres::start() else { return };
    let folder = Folder::empty();
    folder.write("forewarn.toml", definition_with("log.csv", "log"));
    let database = postgres.url();
    let server = Server::start(&folder, &["--insecure-no-auth", "--database", &database]);
    let all = REFERENCE_ROWS + WINDOW_ROWS;
    assert_eq!(server.post(PREDICTIONS, &NDJSON, rows(0..all).as_bytes()).status, 200);
    server.until("/readyz", |answer| answer.status == 200);
    let over = AtomicBool::new(false);
    let answered = std::thread::scope(|scope| {
        let client = scope.spawn(|| load(&server, &over));
        let at_last = OverAtLast(&over);
        server.submit("/jobs", "/jobs/run", &[("job", "monitor/small")]);
        postgres.stop();
        let refused = server.get("/readyz");
        assert_eq!((refused.status, refused.retry_after.is_some()), (503, true), "{refused:?}");
        postgres.begin();
        server.until("/readyz", |answer| answer.status == 200);
        run(&server, "monitor/small");
        run(&server, "evaluate/small");
        drop(at_last);
        client.join().unwrap()
    });
    let others: Vec<u16> = answered.into_iter().filter(|status| ![200, 503].contains(status)).collect();
    assert_eq!(others, Vec::<u16>::new(), "an outage that passes is no error of the server");
    let (jobs, evidence) = (ended(&server), folder.evidence());
    // A job that failed meanwhile was begun again, or one that was asked for since has taken its place.
    let is_over = |job: &Value| ["done", "taken over"].contains(&job["state"].as_str().unwrap());
    assert!(jobs.iter().all(is_over), "{jobs:#?}");
    // A window is monitored once, however often its job had to be begun.
    let of_log = |line: &&str| line.contains("\"check\":\"monitor.quality\"");
    assert_eq!(evidence.lines().filter(of_log).count(), 1, "{evidence}");
    server.stop();
    folder.run(&["verify", "--database", &database]).exits(0);
    assert_eq!(rows_checked(&folder), WINDOW_ROWS);
}

/// An alert that goes by mail to a port where nobody listens yet, and to a hook that does.
fn told_twice(hook: &parts::Server, mail: u16) -> Folder {
    let rule = "\n[[alert]]\nname = \"drift\"\nwhen = 'drift.verdict == \"fail\"'\nseverity = \"high\"\n\
                to = [\"email:ops@example.org\", \"webhook:ops\"]\n";
    let log = Table::small_log().with_in_window("amount", 2, "");
    let folder = Folder::with_log(&format!("{DEFINITION}{rule}"), &log);
    let channels = format!(
        "[mail]\nsmtp = \"smtp://127.0.0.1:{mail}\"\nfrom = \"forewarn@example.org\"\nstarttls = \"none\"\n\
         [[channel]]\nname = \"webhook:ops\"\nkind = \"webhook\"\nurl = \"http://127.0.0.1:{}/200\"\n\
         secret = \"c2VjcmV0c2VjcmV0c2VjcmV0c2VjcmV0\"\n",
        hook.port
    );
    folder.write("organisation.toml", channels);
    folder
}

#[test]
fn mail_that_is_down_is_tried_again_while_others_are_told() {
    let Some(python) = parts::python() else { return };
    let mut hook = parts::Server::start(&python, "http_server.py", &[]);
    let port = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
    let folder = told_twice(&hook, port);
    let server = Server::open(&folder);
    assert!(hook.next()["body"].as_str().unwrap().contains("amount"), "the other channel is told at once");
    let id = server.until("/alerts.json", |answer| answer.json()[0].is_object()).json()[0]["id"].clone();
    let path = format!("/alerts/{}.json", id.as_str().unwrap());
    let waits = server.until(&path, |answer| answer.body.contains("on its way to email:ops@example.org"));
    let event = |answer: &Answer| {
        let all = answer.json();
        let of_mail = |event: &&Value| event["what"].as_str().unwrap().contains("email:ops");
        all.as_array().unwrap().iter().find(of_mail).unwrap().clone()
    };
    server.until(&path, |answer| event(answer)["note"].as_str().is_some_and(|why| why.contains("127.0.0.1")));
    assert!(waits.body.contains("told webhook:ops") || server.get(&path).body.contains("told webhook:ops"));
    let mut mail = parts::Server::start(&python, "smtp_server.py", &["--port", &port.to_string()]);
    let got = mail.next();
    assert_eq!(got["to"], json!(["ops@example.org"]));
    assert!(got["text"].as_str().unwrap().contains("amount"), "{got}");
    server.until(&path, |answer| answer.body.contains("told email:ops@example.org"));
}

const HOUR: i64 = 3600;
/// Longer than a server goes without looking for what is due.
const A_LOOK: Duration = Duration::from_secs(12);

/// What came of each run of monitoring that is done, newest first.
fn monitored(server: &Server) -> Vec<String> {
    let done = |job: &Value| job["job"] == "Monitoring" && job["state"] == "done";
    let outcome = |job: Value| job["outcome"].as_str().unwrap().to_owned();
    ended(server).into_iter().filter(done).map(outcome).collect()
}

/// Waits until monitoring ran so often; what came of the last run.
fn monitored_for_the(server: &Server, time: usize) -> String {
    server.until("/jobs.json?table=history", |_| monitored(server).len() >= time);
    monitored(server).remove(0)
}

#[test]
fn a_clock_that_jumps_leaves_nothing_out_and_runs_nothing_twice() {
    let Some(clock) = Clock::new() else { return };
    // Every hour, at a minute that does not come during the test.
    let minute = (jiff::Timestamp::now().as_second() / 60 + 30) % 60;
    let hourly = format!("\n[schedule]\nmonitor = \"{minute} * * * *\"\n");
    let folder = Folder::with_log(&format!("{DEFINITION}{hourly}"), &Table::small_log());
    let mut command = folder.command(&["serve", "--listen", "127.0.0.1:0", "--insecure-no-auth"]);
    let server = Server::of(clock.under(&mut command));
    monitored_for_the(&server, 1);
    // Three due instants are passed: one run, which makes up for two others.
    clock.set(3 * HOUR);
    assert!(monitored_for_the(&server, 2).contains("2 runs"), "{:?}", monitored(&server));
    // Back, and over the same instants again.
    for ahead in [0, 3 * HOUR] {
        clock.set(ahead);
        std::thread::sleep(A_LOOK);
        assert_eq!(monitored(&server).len(), 2, "{:#?}", ended(&server));
    }
    clock.set(4 * HOUR);
    monitored_for_the(&server, 3);
    assert_eq!(monitored(&server).len(), 3, "{:#?}", ended(&server));
    server.stop();
    // Each window of the log is there once, however often it was looked for.
    let evidence = folder.evidence();
    let of_log = |line: &&str| line.contains("\"check\":\"monitor.quality\"");
    assert_eq!(evidence.lines().filter(of_log).count(), 1, "{evidence}");
    folder.run(&["verify"]).exits(0);
}
