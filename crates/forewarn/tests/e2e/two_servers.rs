//! Two servers on one PostgreSQL: each job is done by one of them, and both say the same.

use std::time::Duration;

use serde_json::Value;

use crate::fixture::{DEFINITION, Folder, Table};
use crate::parts::{self, Clock};
use crate::postgres::Postgres;
use crate::serve::Server;

/// Longer than servers go without looking at alerts.
const A_TURN: Duration = Duration::from_secs(18);

const ALERT: &str =
    "\n[[alert]]\nname = \"drift\"\nwhen = 'drift.verdict == \"fail\"'\nto = [\"webhook:ops\"]\n";

/// The same folder for a server of its own: a column drifts, and a hook is told.
fn copy(hook: Option<&parts::Server>) -> Folder {
    let log = Table::small_log().with_in_window("amount", 2, "");
    let alert = if hook.is_some() { ALERT } else { "" };
    let folder = Folder::with_log(&format!("{DEFINITION}{alert}"), &log);
    if let Some(hook) = hook {
        let channel = format!(
            "[[channel]]\nname = \"webhook:ops\"\nkind = \"webhook\"\nurl = \"http://127.0.0.1:{}/200\"\n\
             secret = \"c2VjcmV0c2VjcmV0c2VjcmV0c2VjcmV0\"\n",
            hook.port
        );
        folder.write("organisation.toml", channel);
    }
    folder
}

fn open(folder: &Folder, database: &str) -> Server {
    Server::start(folder, &["--insecure-no-auth", "--database", database])
}

fn jobs(server: &Server, table: &str) -> Vec<Value> {
    server.get(&format!("/jobs.json?table={table}")).json().as_array().unwrap().clone()
}

/// What stays the same of a list of alerts.
fn alerts(server: &Server) -> Vec<(Value, Value, Value)> {
    let all = server.get("/alerts.json").json();
    let told = |alert: &Value| (alert["id"].clone(), alert["state"].clone(), alert["since"].clone());
    all.as_array().unwrap().iter().map(told).collect()
}

#[test]
fn every_job_is_done_once_and_every_message_is_sent_once() {
    let Some(python) = parts::python() else { return };
    let Some(postgres) = Postgres::start() else { return };
    let hook = parts::Server::start(&python, "http_server.py", &[]);
    let (here, there) = (copy(Some(&hook)), copy(Some(&hook)));
    let first = open(&here, &postgres.url());
    let second = open(&there, &postgres.url());
    first.caught_up();
    second.caught_up();
    let done = jobs(&first, "history");
    let mut names: Vec<&str> = done.iter().map(|job| job["job"].as_str().unwrap()).collect();
    names.sort_unstable();
    assert_eq!(names, ["Evaluation", "Monitoring"], "each kind was due once: {done:#?}");
    first.until("/alerts.json", |answer| answer.json()[0].is_object());
    std::thread::sleep(A_TURN);
    assert_eq!(jobs(&second, "history"), done, "both tell the same history, and nothing was added");
    assert_eq!(alerts(&first), alerts(&second));
    assert_eq!(here.evidence(), there.evidence(), "both command lines find the same chain");
    let windows = |line: &&str| line.contains("\"check\":\"monitor.quality\"");
    assert_eq!(here.evidence().lines().filter(windows).count(), 1);
    let told = hook.stop();
    assert_eq!(told.len(), 1, "one alert, one message: {told:#?}");
}

#[test]
fn a_job_whose_server_was_killed_is_taken_over_when_its_lease_is_over() {
    let Some(clock) = Clock::new() else { return };
    let Some(postgres) = Postgres::start() else { return };
    let (here, there) = (copy(None), copy(None));
    let mut first = open(&here, &postgres.url());
    first.caught_up();
    let arguments = ["serve", "--listen", "127.0.0.1:0", "--insecure-no-auth", "--database", &postgres.url()];
    let second = Server::of(clock.under(&mut there.command(&arguments)));
    let evidence = there.evidence();
    let before = jobs(&second, "history").len();
    // The one that is asked hears of it first.
    assert_eq!(first.submit("/jobs", "/jobs/run", &[("job", "evaluate/small")]).status, 303);
    let running = second.until("/jobs.json?table=running", |answer| answer.json()[0].is_object()).json();
    first.kill();
    let holder = running[0]["server"].as_str().unwrap();
    assert!(holder.contains(&format!(":{}:", first.pid())), "{holder} is not the one that was asked");
    // Twelve seconds later it was looked for, and is still of the one that is gone.
    std::thread::sleep(Duration::from_secs(12));
    assert_eq!(jobs(&second, "running")[0]["server"], holder, "a lease is kept to its end");
    assert_eq!(there.evidence(), evidence, "the first was killed before it recorded anything");
    clock.set(180);
    let done = second.until("/jobs.json?table=history", |answer| {
        answer.json().as_array().unwrap().len() > before && answer.json()[0]["state"] == "done"
    });
    assert!(done.json()[0]["outcome"].as_str().unwrap().contains("ttempt 2"), "{:#}", done.json()[0]);
    let of_run = |line: &&str| line.contains("\"check\":\"evaluate.");
    let count = |evidence: &str| evidence.lines().filter(of_run).count();
    assert_eq!(count(&there.evidence()), 2 * count(&evidence), "the findings of the job are there once");
    second.stop();
    there.run(&["verify", "--database", &postgres.url()]).exits(0);
}
