//! A year of weeks, months and quarters; downtime; failures.

use jiff::ToSpan;
use serde_json::Value;
use types::definition::parse;

use super::super::{Missed, Reason, TRIES_MAX, back_off};
use super::*;

const DEFINITION: &str = "[system]\nid = \"s\"\ntime_zone = \"America/New_York\"\n[log]\npath = \"log.csv\"\n\
                          time = \"t\"\nscore = \"p\"\n[reference]\nwindow = \"2013-01-01/2013-02-01\"\n\
                          [schedule]\nafter = \"2 hours\"\n";

/// Due instants that Python's zoneinfo gives, two hours after the ends of periods in New York.
fn reference(cadences: &[&str]) -> Vec<Timestamp> {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../../testdata/reference/schedule.json");
    let reference: Value = serde_json::from_str(&std::fs::read_to_string(path).unwrap()).unwrap();
    let mut due: Vec<Timestamp> = reference["cadences"]
        .as_array()
        .unwrap()
        .iter()
        .filter(|case| case["zone"] == "America/New_York" && case["after_minutes"] == 120)
        .filter(|case| cadences.contains(&case["cadence"].as_str().unwrap()))
        .flat_map(|case| case["due"].as_array().unwrap())
        .map(|due| at(due.as_str().unwrap()))
        .collect();
    due.sort();
    due.dedup();
    due
}

#[test]
fn a_year_runs_every_week_month_and_quarter_once_when_it_is_due() {
    let world = World::at("2025-12-31T12:00:00Z");
    let server = world.server(vec![SystemSchedule::of(&parse(DEFINITION).unwrap())]);
    // A new system runs at once.
    assert_eq!(look(&server), [ran("2025-12-31T12:00:00Z"), ran("2025-12-31T12:00:00Z")].concat());
    let mut jobs = 2;
    let (monitor, evaluate) = (reference(&["week", "month", "quarter"]), reference(&["month"]));
    assert_eq!((monitor.len(), evaluate.len()), (64, 13));
    for due in monitor {
        for early in [24.hours(), 1.minute()] {
            world.set((due - early).max(at("2025-12-31T12:00:00Z")));
            assert!(look(&server).is_empty(), "before {due}");
        }
        world.set(due + 10.seconds());
        let expected = if evaluate.contains(&due) { 2 } else { 1 };
        assert_eq!(look(&server), vec![ran(&due.to_string()).remove(0); expected], "at {due}");
        assert!(look(&server).is_empty(), "after {due}");
        assert!(server.missed().unwrap().is_empty());
        jobs += expected;
    }
    assert_eq!(server.store.jobs(&store::JobFilter::default(), 1000).unwrap().len(), jobs);
}

#[test]
fn after_downtime_the_newest_run_makes_up_for_all_and_says_for_how_many() {
    let world = World::at("2026-03-02T06:00:00Z");
    let schedules = vec![monitored("s", "0 6 * * *"), monitored("t", "0 7 * * *")];
    let server = world.server(schedules.clone());
    assert_eq!(look(&server).len(), 2);
    drop(server);
    world.set(at("2026-03-07T06:30:00Z"));
    let server = world.server(schedules);
    let (s, t) = ("2026-03-07T06:00:00Z", "2026-03-06T07:00:00Z");
    let plans: Vec<(Timestamp, u32, bool)> =
        planned(&server).iter().map(|planned| (planned.due, planned.missed, planned.runs)).collect();
    // Five runs of `s` were due, and five of `t`; its first had made up for the one before.
    assert_eq!(plans, [(at(s), 4, true), (at(t), 4, true)]);
    // The run of `s` is only half an hour late.
    let late: Vec<String> = server.missed().unwrap().into_iter().map(|missed| missed.system).collect();
    assert_eq!(late, ["t"]);
    assert_eq!(look(&server), [(t.to_owned(), 4), (s.to_owned(), 4)]);
    assert!(server.missed().unwrap().is_empty());
}

#[test]
fn what_is_not_made_up_for_is_told_until_the_next_run() {
    let world = World::at("2026-03-02T12:00:00Z");
    let schedule = SystemSchedule { catch_up: false, ..monitored("s", "0 6 * * *") };
    let server = world.server(vec![schedule]);
    assert!(look(&server).is_empty());
    // A little late is not late.
    world.set(at("2026-03-03T06:40:00Z"));
    assert_eq!(look(&server), ran("2026-03-03T06:00:00Z"));
    world.set(at("2026-03-06T08:00:00Z"));
    let plans = planned(&server);
    assert_eq!((plans[0].missed, plans[0].runs), (2, false));
    assert_eq!(done(&server), None);
    let missed = server.missed().unwrap();
    assert!(
        matches!(&missed[..], [Missed { reason: Reason::Skipped(job), .. }] if job.missed == 2),
        "{missed:?}"
    );
    world.set(at("2026-03-07T06:00:00Z"));
    assert_eq!(look(&server), ran("2026-03-07T06:00:00Z"));
    assert!(server.missed().unwrap().is_empty());
}

#[test]
fn a_failing_job_backs_off_is_given_up_and_comes_back_when_it_is_due() {
    let world = World::at("2026-03-02T06:00:00Z");
    let server = world.server(vec![monitored("s", "0 6 * * 1")]);
    server.plan().unwrap();
    let failing = answers(&[Err("no such file"); TRIES_MAX as usize]);
    let mut waits = Vec::new();
    for failures in 1..=TRIES_MAX {
        let worked = server.work(&failing).unwrap().unwrap();
        assert_eq!(worked.job.failures, failures - 1);
        if failures == TRIES_MAX {
            assert_eq!(worked.end, End::GivenUp("no such file".into()));
            break;
        }
        assert_eq!(worked.end, End::Failed("no such file".into()));
        let wait = back_off(&worked.job, failures);
        world.pass(Span::new().milliseconds(wait.as_millis() as i64 - 1));
        assert_eq!(done(&server), None, "after {failures} failures");
        world.pass(1.millisecond());
        waits.push(wait.as_secs() / 60);
    }
    for (wait, least) in waits.iter().zip([1, 5, 25, 125, 360, 360, 360]) {
        assert!((least..=least + least / 10).contains(wait), "{waits:?}");
    }
    assert_eq!(waits.len(), 7);
    let missed = server.missed().unwrap();
    assert!(matches!(&missed[..], [Missed { reason: Reason::GivenUp(_), .. }]), "{missed:?}");
    world.set(at("2026-03-09T05:59:00Z"));
    assert!(look(&server).is_empty());
    world.set(at("2026-03-09T06:00:00Z"));
    assert_eq!(look(&server), ran("2026-03-09T06:00:00Z"));
    assert!(server.missed().unwrap().is_empty());
}

#[test]
fn a_job_that_takes_its_servers_down_is_given_up_without_another_try() {
    let world = World::at("2026-03-02T06:00:00Z");
    let server = world.server(vec![monitored("s", "0 6 * * 1")]);
    server.plan().unwrap();
    for _ in 0..=TRIES_MAX {
        // Who leases it is never heard of again.
        let lease_for = Duration::from_mins(1);
        let now = *world.now.lock().unwrap();
        server.store.lease(now, "dead", lease_for, &["s"], &["monitor"]).unwrap().unwrap();
        world.pass(2.minutes());
    }
    let never: Runner = Arc::new(|_: &Job, _: &Signal| panic!("it ran again"));
    let worked = server.work(&never).unwrap().unwrap();
    assert_eq!(worked.end, End::GivenUp("the server that ran it went away".into()));
}

#[test]
fn an_unplanned_run_and_a_late_one_are_missed() {
    let world = World::at("2026-03-02T06:00:00Z");
    let server = world.server(vec![monitored("s", "0 6 * * *")]);
    look(&server);
    world.set(at("2026-03-03T07:00:00Z"));
    assert!(server.missed().unwrap().is_empty());
    world.pass(1.second());
    let due = at("2026-03-03T06:00:00Z");
    let missed = |reason| Missed { system: "s".into(), kind: JobKind::Monitor, due, reason };
    assert_eq!(server.missed().unwrap(), [missed(Reason::Unplanned)]);
    server.plan().unwrap();
    let job = server.store.open_jobs().unwrap().remove(0);
    assert_eq!(server.missed().unwrap(), [missed(Reason::Late(Box::new(job)))]);
}

#[test]
fn a_definition_with_another_schedule_is_followed_from_then_on() {
    let world = World::at("2026-03-02T06:00:00Z");
    let server = world.server(vec![monitored("s", "0 6 * * *")]);
    look(&server);
    server.serve(vec![monitored("s", "30 9 1 * *")]);
    assert!(look(&server).is_empty());
    let upcoming = server.upcoming();
    assert_eq!(upcoming, [(at("2026-04-01T09:30:00Z"), "s".to_owned(), JobKind::Monitor)]);
    world.set(at("2026-04-01T09:30:00Z"));
    assert_eq!(look(&server), ran("2026-04-01T09:30:00Z"));
    let error = server.run_now("S2", JobKind::Monitor).unwrap_err().to_string();
    assert_eq!(error, "system `S2` is not served here (did you mean `s`?)");
}
