//! Programs that speak lines: a real scikit-learn pipeline, and shells that do everything wrong.

use std::fs;
use std::path::Path;
use std::time::{Duration, Instant};

use serving::{FailureKind, Outcome, Reading, Subprocess, SubprocessLimits, Target, Wanted};
use types::batch::Values;

use crate::broken_servers::rows;
use crate::fixtures::{assert_close, bought, repository, scored};
use crate::mlflow::trained;
use crate::parts;

fn shell(script: &str) -> Subprocess {
    let limits = SubprocessLimits { start: Duration::from_millis(300), call: Duration::from_millis(700) };
    let command = ["sh", "-c", script].map(str::to_owned).to_vec();
    Subprocess::new(command, None, limits, Reading::default())
}

#[track_caller]
fn check(script: &str, kind: FailureKind, message: &str) {
    let mut target = shell(script);
    // The second time it is another process.
    for _ in 0..2 {
        let start = Instant::now();
        let outcome = target.outcome(&rows(&[1.0, 2.0]));
        let Outcome::Failed(failure) = outcome else { panic!("{outcome:?}") };
        assert!(failure.kind == kind && failure.message.contains(message), "{failure}");
        assert!(start.elapsed() < Duration::from_secs(5), "{failure} took {:?}", start.elapsed());
    }
}

#[test]
fn whatever_a_program_does_is_an_outcome_within_its_time() {
    use FailureKind::{Crashed, Malformed, Rejected, TimedOut, TooFewRows};
    check("exec sleep 60", TimedOut, "no answer within 1s");
    check("echo loading >&2; exec sleep 60", TimedOut, "after: loading");
    check("read line; echo 'a bad thing' >&2; exit 7", Crashed, "exit status: 7: a bad thing");
    check("kill -SEGV $$", Crashed, "signal: 11");
    check("exec >&-; exec sleep 60", Crashed, "closed its output and went on");
    check("read line; echo nonsense; exec cat", Malformed, "is not JSON");
    check("read line; echo '[1, 2]'; exec cat", Malformed, "neither a list of `scores` nor an `error`");
    check("read line; printf '{\"scores\": [1, 2'", Malformed, "is not JSON");
    check("while read line; do echo '{\"scores\": [1]}'; done", TooFewRows, "2 rows were asked about and 1");
    check("while read line; do echo '{\"error\": \"no thanks\"}'; done", Rejected, "no thanks");
    let absent =
        Subprocess::new(vec!["/nonexistent/x".into()], None, SubprocessLimits::default(), Reading::default());
    let Outcome::Failed(failure) = { absent }.outcome(&rows(&[1.0])) else { panic!("it ran") };
    assert_eq!(failure.kind, FailureKind::Unreachable);
    assert!(failure.message.starts_with("cannot start `/nonexistent/x`"), "{failure}");
}

/// More than a pipe holds, to a program that reads nothing.
#[test]
fn a_program_that_does_not_read_holds_up_nobody() {
    let start = Instant::now();
    let outcome = shell("exec sleep 60").outcome(&rows(&vec![0.125; 100_000]));
    assert!(matches!(outcome, Outcome::Failed(failure) if failure.kind == FailureKind::TimedOut));
    assert!(start.elapsed() < Duration::from_secs(5));
}

#[test]
fn a_program_runs_on_from_call_to_call_and_ends_with_its_target() {
    let folder = tempfile::tempdir().unwrap();
    let script = "echo $$ >> started; n=0; while read line; do n=$((n+1)); echo \"{\\\"scores\\\": [$n]}\"; \
                  [ $n = 3 ] && exit; done; true";
    let command = ["sh", "-c", script].map(str::to_owned).to_vec();
    let limits = SubprocessLimits { start: Duration::from_secs(5), call: Duration::from_secs(5) };
    let mut target = Subprocess::new(command, Some(folder.path().into()), limits, Reading::default());
    target.ready().unwrap();
    let answers: Vec<Outcome> = (0..5).map(|_| target.outcome(&rows(&[0.5]))).collect();
    let numbers = answers.iter().map(|outcome| match outcome {
        Outcome::Accepted(_) => scored(outcome.clone())[0],
        _ => -1.0,
    });
    // After three it has ended, which the fourth call finds out; the fifth starts it again.
    assert_eq!(numbers.collect::<Vec<_>>(), [1.0, 2.0, 3.0, -1.0, 1.0]);
    drop(target);
    let started = fs::read_to_string(folder.path().join("started")).unwrap();
    let processes: Vec<&str> = started.lines().collect();
    assert_eq!(processes.len(), 2);
    assert!(processes.iter().all(|id| !Path::new("/proc").join(id).exists()), "it outlived its target");
}

/// A shell in front of a program: what it has started ends with it.
#[test]
fn what_a_program_has_started_does_not_outlive_it() {
    let folder = tempfile::tempdir().unwrap();
    let script = "sleep 300 & echo $! > child; read line; sleep 300";
    let command = ["sh", "-c", script].map(str::to_owned).to_vec();
    let limits = SubprocessLimits { start: Duration::from_millis(500), call: Duration::from_millis(500) };
    let mut target = Subprocess::new(command, Some(folder.path().into()), limits, Reading::default());
    assert!(matches!(target.outcome(&rows(&[0.5])), Outcome::Failed(of) if of.kind == FailureKind::TimedOut));
    drop(target);
    let child = fs::read_to_string(folder.path().join("child")).unwrap();
    let is_gone = || {
        let state = fs::read_to_string(Path::new("/proc").join(child.trim()).join("stat"));
        // What has ended and was not waited for yet is a zombie.
        state.map_or(true, |state| state.contains(") Z "))
    };
    let start = Instant::now();
    while !is_gone() && start.elapsed() < Duration::from_secs(5) {
        std::thread::sleep(Duration::from_millis(20));
    }
    assert!(is_gone(), "{child} is still there");
}

/// The program of docs/targets.md, with a pipeline that scikit-learn trained.
#[test]
fn the_program_of_the_manual_serves_a_pickled_pipeline() {
    let Some(python) = parts::python() else { return };
    let manual = fs::read_to_string(repository().join("docs/targets.md")).unwrap();
    let program = manual.split("```python\n").nth(1).unwrap().split("```").next().unwrap();
    assert!(program.lines().count() <= 15, "the manual says fifteen lines");
    let (folder, expected) = trained(&python);
    fs::write(folder.path().join("serve.py"), program).unwrap();
    let command = vec![python.to_str().unwrap().to_owned(), "serve.py".into()];
    let limits = SubprocessLimits { start: Duration::from_mins(2), call: Duration::from_secs(20) };
    let reading = Reading { wanted: Wanted::Number { class: Some("1".into()) }, field: None };
    let mut target = Subprocess::new(command, Some(folder.path().into()), limits, reading);
    let three = bought();
    assert_close(&scored(target.outcome(&three)), &expected, 1e-12);
    // What scikit-learn refuses is said, and the program goes on.
    let infinite = three.replaced("spent", Values::Numbers(vec![None, Some(f64::INFINITY), None])).unwrap();
    let Outcome::Failed(failure) = target.outcome(&infinite) else { panic!("it was answered") };
    assert_eq!(failure.kind, FailureKind::Rejected, "{failure}");
    assert!(failure.message.contains("infinity"), "{failure}");
    assert_eq!(scored(target.outcome(&three)).len(), 3);
}
