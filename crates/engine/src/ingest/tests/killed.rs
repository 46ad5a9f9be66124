//! Real processes, really killed; a disk that is really full.

use std::io::{BufRead, BufReader, Write};
use std::net::{TcpListener, TcpStream};
use std::process::{Command, Stdio};
use std::time::Duration;

use object_store::local::LocalFileSystem;

use super::*;

/// Tells the test below that it is the process that is to be killed: the folder of the system.
const FOLDER: &str = "FOREWARN_TEST_INGEST_FOLDER";
const FIRST_ID: &str = "FOREWARN_TEST_INGEST_FIRST_ID";
/// Where the test listens.
const ADDRESS: &str = "FOREWARN_TEST_INGEST_ADDRESS";
/// Where it is set, the log is in a bucket, whose objects another program would see as files in this folder.
const STORE: &str = "FOREWARN_TEST_INGEST_STORE";
/// Where it is set, that process makes no files.
const ONLY_APPEND: &str = "FOREWARN_TEST_INGEST_ONLY_APPEND";

/// Objects that outlive the process: files, which are linked under their names when they are whole.
fn store_in(folder: &Path) -> Arc<dyn ObjectStore> {
    Arc::new(LocalFileSystem::new_with_prefix(folder).unwrap())
}

fn site_at(folder: &str, store: Option<&Path>) -> (Ingest, Arc<Table>) {
    let ingest = Ingest::open(&Path::new(folder).join("state"), IngestOptions::default()).unwrap();
    if let Some(store) = store {
        ingest.buckets.insert(BUCKET, store_in(store));
    }
    let definition = definition_of(if store.is_some() { "s3://b/log" } else { "log" });
    let table = ingest.table(&definition, Path::new(folder), TableKind::Predictions).unwrap();
    (ingest, table)
}

/// Not a test of its own: what the process does that is killed. It tells the test which rows were answered.
#[test]
fn child_that_takes_in_rows() {
    let (Ok(folder), Ok(first)) = (std::env::var(FOLDER), std::env::var(FIRST_ID)) else { return };
    let test = TcpStream::connect(std::env::var(ADDRESS).unwrap()).unwrap();
    let store = std::env::var_os(STORE).map(PathBuf::from);
    let (_ingest, table) = site_at(&folder, store.as_deref());
    let first: u64 = first.parse().unwrap();
    std::thread::scope(|scope| {
        if std::env::var(ONLY_APPEND).is_err() {
            scope.spawn(|| {
                loop {
                    std::thread::sleep(Duration::from_millis(15));
                    table.compact(now()).unwrap();
                    table.merge("2030-01-01T00:00:00Z".parse().unwrap()).unwrap();
                }
            });
        }
        for thread in 0..4 {
            let (table, mut test, start) = (&table, &test, first + thread * 1_000_000);
            scope.spawn(move || {
                for id in (start..).step_by(5) {
                    let line = match send(table, BodyFormat::Ndjson, &numbered_on_one_day(id, 5)) {
                        Ok(answer) => format!("answered {id} {}\n", answer.accepted),
                        Err(error) => format!("refused {id} {error}\n"),
                    };
                    test.write_all(line.as_bytes()).unwrap();
                }
            });
        }
    });
}

fn numbered_on_one_day(first: u64, count: u64) -> String {
    let line = |id: u64| format!("{{\"id\":{id},\"t\":\"2026-11-27T0{}:00:00Z\",\"p\":0.25}}\n", id % 10);
    (first..first + count).map(line).collect()
}

fn child(folder: &Path, first: u64, listener: &TcpListener) -> Command {
    let mut command = Command::new(std::env::current_exe().unwrap());
    let name = concat!(module_path!(), "::child_that_takes_in_rows");
    let name = name.split_once("::").unwrap().1;
    command.args([name, "--exact", "--test-threads=1"]);
    command.env(FOLDER, folder).env(FIRST_ID, first.to_string());
    command.env(ADDRESS, listener.local_addr().unwrap().to_string());
    command.stdout(Stdio::null()).stderr(Stdio::null());
    command
}

/// What a child says, line by line; the last one may be torn.
fn told(listener: &TcpListener) -> impl Iterator<Item = String> + use<> {
    let (stream, _) = listener.accept().unwrap();
    BufReader::new(stream).lines().map_while(Result::ok)
}

fn killed(times: u64, in_bucket: bool) {
    let folder = tempfile::tempdir().unwrap();
    let store = in_bucket.then(|| folder.path().join("store"));
    if let Some(store) = &store {
        std::fs::create_dir(store).unwrap();
    }
    let mut answered = Vec::new();
    for time in 0..times {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let mut child = child(folder.path(), time * 100_000_000, &listener);
        child.envs(store.iter().map(|store| (STORE, store)));
        let mut child = child.spawn().unwrap();
        let lines = told(&listener);
        let lines = std::thread::spawn(move || lines.collect::<Vec<String>>());
        std::thread::sleep(Duration::from_millis(400 + time * 137 % 500));
        child.kill().unwrap();
        child.wait().unwrap();
        for line in lines.join().unwrap() {
            if let Some((id, "5")) = line.strip_prefix("answered ").and_then(|line| line.split_once(' ')) {
                let first: u64 = id.parse().unwrap();
                answered.extend(first..first + 5);
            }
        }
    }
    assert!(answered.len() as u64 > 20 * times, "only {} rows were answered", answered.len());
    assert_once(folder.path(), store.as_deref(), &answered);
}

/// Every row that was answered is in the files, and none is twice.
fn assert_once(folder: &Path, store: Option<&Path>, answered: &[u64]) {
    let (_ingest, table) = site_at(folder.to_str().unwrap(), store);
    table.compact(now()).unwrap();
    let rows = rows_of(folder, &table.place.path, &table.buckets);
    let mut ids: Vec<u64> = rows.iter().map(|row| row["id"].parse().unwrap()).collect();
    ids.sort_unstable();
    let rows = ids.len();
    ids.dedup();
    assert_eq!(ids.len(), rows, "a row is there twice");
    let lost: Vec<&u64> = answered.iter().filter(|id| ids.binary_search(id).is_err()).collect();
    assert!(lost.is_empty(), "{} of {} rows that were answered are lost", lost.len(), answered.len());
}

#[test]
fn a_process_killed_three_times_keeps_every_answered_row_once() {
    killed(3, false);
}

#[test]
fn a_process_killed_while_it_adds_to_a_bucket_keeps_every_answered_row_once() {
    killed(3, true);
}

#[test]
#[ignore = "takes a minute"]
fn a_process_killed_twenty_times_keeps_every_answered_row_once() {
    killed(20, false);
    killed(20, true);
}

/// The limit on the size of a file is as a full disk to the process, and it can be lifted while it runs.
#[test]
#[cfg(target_os = "linux")]
fn a_full_disk_refuses_requests_and_loses_nothing() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let folder = tempfile::tempdir().unwrap();
    let inner = child(folder.path(), 0, &listener);
    let mut command = Command::new("sh");
    // Without the signal, writing beyond the limit is an error, as it is on a full disk.
    command.args(["-c", "trap '' XFSZ; ulimit -S -f 16; exec \"$0\" \"$@\""]).arg(inner.get_program());
    command.args(inner.get_args());
    command.envs(inner.get_envs().filter_map(|(name, value)| Some((name, value?))));
    command.env(ONLY_APPEND, "1");
    command.stdout(Stdio::null()).stderr(Stdio::null());
    let mut child = command.spawn().unwrap();
    let mut answered = Vec::new();
    let (mut refused, mut after) = (0, 0);
    for line in told(&listener) {
        if let Some((id, "5")) = line.strip_prefix("answered ").and_then(|line| line.split_once(' ')) {
            let first: u64 = id.parse().unwrap();
            answered.extend(first..first + 5);
            after += u64::from(refused > 0);
        } else if line.starts_with("refused ") {
            assert!(line.contains("nothing of the request was kept"), "{line}");
            if refused == 0 {
                let limit = ["--pid", &child.id().to_string(), "--fsize=unlimited:"].map(str::to_owned);
                let lifted = Command::new("prlimit").args(limit).status();
                assert!(lifted.expect("prlimit, of the package util-linux").success());
            }
            refused += 1;
        }
        if after > 20 {
            break;
        }
    }
    child.kill().unwrap();
    child.wait().unwrap();
    assert!(refused > 0 && after > 20, "{refused} refused, {after} answered after");
    assert_once(folder.path(), None, &answered);
}
