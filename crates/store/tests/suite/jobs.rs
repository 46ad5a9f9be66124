use std::collections::{BTreeSet, HashMap};
use std::sync::Mutex;
use std::time::Duration;

use jiff::{Timestamp, ToSpan};
use store::{Cause, Due, Job, JobFilter, JobState, Store, StoreError, Turn};

use crate::{Place, on_both};

on_both!(
    every_job_is_handed_out_once,
    of_all_who_plan_a_due_instant_one_gets_through,
    a_job_whose_holder_died_is_taken_over_and_its_late_result_is_refused,
    a_job_that_its_holder_never_heard_of_is_handed_to_it_again_at_once,
    one_job_of_a_system_runs_at_a_time,
    a_newer_due_instant_makes_up_for_one_that_waits,
    a_failed_job_waits_for_its_next_try_and_is_given_up_in_the_end,
    a_job_that_is_handed_back_has_not_failed,
    a_wish_brings_forward_what_waits_and_comes_before_what_is_due,
    wishes_at_the_same_time_are_one_job,
    the_history_is_read_page_by_page_and_pruned,
    what_a_clock_that_was_ahead_has_left_is_cut,
    the_newest_of_every_kind_is_found_at_once,
    a_damaged_row_is_told,
);

const LEASE: Duration = Duration::from_mins(1);
const KINDS: &[&str] = &["monitor", "evaluate"];

fn at(minute: i64) -> Timestamp {
    "2026-03-02T06:00:00Z".parse::<Timestamp>().unwrap() + minute.minutes()
}

fn due<'d>(system: &'d str, kind: &'d str, at: Timestamp) -> Due<'d> {
    Due { system, kind, until: at, at, missed: 0, turn: Turn::Run }
}

fn planned(store: &Store, system: &str, kind: &str, at: Timestamp) {
    let before = store.planned_until(system, kind).unwrap();
    assert!(store.plan(&due(system, kind, at), before, at).unwrap());
}

fn leased(store: &Store, worker: &str, now: Timestamp) -> Option<Job> {
    store.lease(now, worker, LEASE, &["s", "t"], KINDS).unwrap()
}

fn states(store: &Store) -> Vec<(i64, &'static str)> {
    let jobs = store.jobs(&JobFilter::default(), 100).unwrap();
    jobs.iter().map(|job| (job.id, job.state.word())).collect()
}

fn every_job_is_handed_out_once(place: &Place) {
    let systems: Vec<String> = (0..100).map(|system| format!("system-{system}")).collect();
    let names: Vec<&str> = systems.iter().map(String::as_str).collect();
    let stores = [place.open(), place.open()];
    for system in &names {
        for kind in KINDS {
            planned(&stores[0], system, kind, at(0));
        }
    }
    let done = Mutex::new(HashMap::<i64, Vec<String>>::new());
    let running = Mutex::new(BTreeSet::new());
    std::thread::scope(|scope| {
        for worker in 0..8 {
            let (store, names, done, running) = (&stores[worker % 2], &names, &done, &running);
            scope.spawn(move || {
                let worker = format!("worker-{worker}");
                // A look that finds nothing free says nothing of jobs whose system is busy.
                while done.lock().unwrap().len() < 200 {
                    let Some(job) = store.lease(at(1), &worker, LEASE, names, KINDS).unwrap() else {
                        continue;
                    };
                    assert!(running.lock().unwrap().insert(job.system.clone()), "two jobs of {}", job.system);
                    assert_eq!((job.state, job.lease), (JobState::Running, 1));
                    running.lock().unwrap().remove(&job.system);
                    assert!(store.finish_job(&job, at(2), "done").unwrap());
                    done.lock().unwrap().entry(job.id).or_default().push(worker.clone());
                }
            });
        }
    });
    let done = done.into_inner().unwrap();
    assert_eq!(done.len(), 200);
    assert!(done.values().all(|workers| workers.len() == 1), "{done:?}");
    assert!(stores[0].open_jobs().unwrap().is_empty());
}

fn of_all_who_plan_a_due_instant_one_gets_through(place: &Place) {
    let stores = [place.open(), place.open()];
    for minute in 0..20 {
        let before = stores[0].planned_until("s", "monitor").unwrap();
        assert_eq!(before, (minute > 0).then(|| at(minute - 1)));
        let got_through = std::thread::scope(|scope| {
            let planning: Vec<_> = (0..8)
                .map(|server| {
                    let store = &stores[server % 2];
                    scope.spawn(move || {
                        store.plan(&due("s", "monitor", at(minute)), before, at(minute)).unwrap()
                    })
                })
                .collect();
            planning.into_iter().map(|planning| planning.join().unwrap()).filter(|through| *through).count()
        });
        assert_eq!(got_through, 1, "minute {minute}");
    }
    let expected: Vec<(i64, &str)> =
        (1..=20).rev().map(|id| (id, if id == 20 { "waiting" } else { "superseded" })).collect();
    assert_eq!(states(&stores[0]), expected);
    assert!(stores[1].had_job("s", "monitor", (at(19), at(30))).unwrap());
    assert!(!stores[1].had_job("s", "monitor", (at(20), at(30))).unwrap());
    assert!(!stores[1].had_job("s", "evaluate", (at(0), at(30))).unwrap());
}

fn a_job_whose_holder_died_is_taken_over_and_its_late_result_is_refused(place: &Place) {
    let (one, other) = (place.open(), place.open());
    planned(&one, "s", "monitor", at(0));
    let dead = leased(&one, "one", at(0)).unwrap();
    assert_eq!((dead.leased_by.as_deref(), dead.leased_until), (Some("one"), Some(at(1))));
    assert!(one.extend_lease(&dead, at(2)).unwrap());
    assert_eq!(leased(&other, "other", at(1)), None);

    let taken = leased(&other, "other", at(2)).unwrap();
    assert_eq!((taken.id, taken.lease, taken.failures), (dead.id, 2, 1));
    assert_eq!(taken.started, Some(at(2)));
    assert!(!one.extend_lease(&dead, at(9)).unwrap());
    assert!(!one.finish_job(&dead, at(3), "late").unwrap());
    assert!(!one.fail_job(&dead, at(3), "late", Some(at(4))).unwrap());
    assert!(!one.hand_back_job(&dead, at(3)).unwrap());

    assert!(other.finish_job(&taken, at(3), "3 windows made").unwrap());
    assert!(!other.finish_job(&taken, at(4), "again").unwrap());
    let done = other.job(dead.id).unwrap().unwrap();
    assert_eq!((done.state, done.finished), (JobState::Done, Some(at(3))));
    assert_eq!((done.message.as_deref(), done.leased_by), (Some("3 windows made"), None));
}

fn a_job_that_its_holder_never_heard_of_is_handed_to_it_again_at_once(place: &Place) {
    let store = place.open();
    planned(&store, "s", "monitor", at(0));
    // The answer is lost on its way, as when the database goes away.
    let unheard = leased(&store, "one", at(0)).unwrap();
    assert_eq!(leased(&store, "other", at(0)), None);
    let again = leased(&store, "one", at(0)).unwrap();
    assert_eq!((again.id, again.lease, again.failures), (unheard.id, 2, 1));
    assert!(!store.finish_job(&unheard, at(0), "of the lease before").unwrap());
    // A system of which it runs something is not among those that it asks for.
    assert_eq!(store.lease(at(0), "one", LEASE, &["t"], KINDS).unwrap(), None);
}

fn one_job_of_a_system_runs_at_a_time(place: &Place) {
    let store = place.open();
    for (system, kind) in [("s", "monitor"), ("s", "evaluate"), ("t", "monitor")] {
        planned(&store, system, kind, at(0));
    }
    let first = leased(&store, "w", at(0)).unwrap();
    let beside = leased(&store, "beside", at(0)).unwrap();
    assert_eq!((first.system.as_str(), first.kind.as_str()), ("s", "monitor"));
    assert_eq!(beside.system, "t");
    assert_eq!(leased(&store, "other", at(0)), None);
    assert!(store.finish_job(&first, at(0), "").unwrap());
    assert_eq!(leased(&store, "other", at(0)).unwrap().kind, "evaluate");
    // What other programs know of is not for this one.
    assert_eq!(store.lease(at(9), "w", LEASE, &["u"], KINDS).unwrap(), None);
    assert_eq!(store.lease(at(9), "w", LEASE, &["s", "t"], &["compact"]).unwrap(), None);
    assert_eq!(store.lease(at(9), "w", LEASE, &[], KINDS).unwrap(), None);
}

fn a_newer_due_instant_makes_up_for_one_that_waits(place: &Place) {
    let store = place.open();
    planned(&store, "s", "monitor", at(0));
    planned(&store, "s", "monitor", at(10));
    let running = leased(&store, "w", at(10)).unwrap();
    assert_eq!(running.due, at(10));
    let newer = Due { missed: 2, ..due("s", "monitor", at(20)) };
    assert!(store.plan(&newer, Some(at(10)), at(20)).unwrap());
    assert_eq!(states(&store), [(3, "waiting"), (2, "running"), (1, "superseded")]);
    // The next try of what failed is the newer job.
    assert!(store.fail_job(&running, at(21), "no such file", Some(at(22))).unwrap());
    assert_eq!(states(&store), [(3, "waiting"), (2, "superseded"), (1, "superseded")]);
    assert_eq!(leased(&store, "w", at(21)).unwrap().missed, 2);
}

fn a_failed_job_waits_for_its_next_try_and_is_given_up_in_the_end(place: &Place) {
    let store = place.open();
    planned(&store, "s", "monitor", at(0));
    assert!(store.fail_job(&leased(&store, "w", at(0)).unwrap(), at(1), "first", Some(at(5))).unwrap());
    assert_eq!(leased(&store, "w", at(4)), None);
    let again = leased(&store, "w", at(5)).unwrap();
    assert_eq!((again.failures, again.lease, again.message.as_deref()), (1, 2, Some("first")));
    assert!(store.fail_job(&again, at(6), "second — “quoted”", None).unwrap());
    let ended = store.newest_jobs(&[JobState::Done, JobState::GivenUp]).unwrap();
    let [given_up] = ended.as_slice() else { panic!("one job has ended: {ended:?}") };
    assert_eq!((given_up.state, given_up.failures), (JobState::GivenUp, 2));
    assert_eq!(given_up.message.as_deref(), Some("second — “quoted”"));
    assert_eq!(leased(&store, "w", at(600)), None);
}

fn the_newest_of_every_kind_is_found_at_once(place: &Place) {
    let store = place.open();
    assert!(store.newest_jobs(&[JobState::Done]).unwrap().is_empty());
    for (system, kind, minute) in
        [("s", "monitor", 0), ("t", "monitor", 1), ("s", "monitor", 2), ("s", "evaluate", 3)]
    {
        planned(&store, system, kind, at(minute));
        let job = leased(&store, "w", at(minute)).unwrap();
        if minute == 2 {
            assert!(store.fail_job(&job, at(minute), "no", None).unwrap());
        } else {
            assert!(store.finish_job(&job, at(minute), "done").unwrap());
        }
    }
    let newest = |states: &[JobState]| {
        let jobs = store.newest_jobs(states).unwrap();
        jobs.iter().map(|job| (job.system.clone(), job.kind.clone(), job.id)).collect::<Vec<_>>()
    };
    let of = |system: &str, kind: &str, id| (system.to_owned(), kind.to_owned(), id);
    let (evaluate, other) = (of("s", "evaluate", 4), of("t", "monitor", 2));
    assert_eq!(newest(&[JobState::Done]), [evaluate.clone(), of("s", "monitor", 1), other.clone()]);
    assert_eq!(newest(&[JobState::Done, JobState::GivenUp]), [evaluate, of("s", "monitor", 3), other]);
    let mut planned = store.all_planned_until().unwrap();
    planned.sort();
    let until = |system: &str, kind: &str, minute| ([system.to_owned(), kind.to_owned()], at(minute));
    assert_eq!(planned, [until("s", "evaluate", 3), until("s", "monitor", 2), until("t", "monitor", 1)]);
}

fn a_job_that_is_handed_back_has_not_failed(place: &Place) {
    let store = place.open();
    planned(&store, "s", "monitor", at(0));
    assert!(store.hand_back_job(&leased(&store, "w", at(0)).unwrap(), at(1)).unwrap());
    let again = leased(&store, "other", at(1)).unwrap();
    assert_eq!((again.failures, again.lease), (0, 2));
}

fn a_wish_brings_forward_what_waits_and_comes_before_what_is_due(place: &Place) {
    let store = place.open();
    planned(&store, "s", "monitor", at(0));
    let failed = leased(&store, "w", at(0)).unwrap();
    store.fail_job(&failed, at(0), "", Some(at(300))).unwrap();
    assert_eq!(store.run_now("s", "monitor", at(1)).unwrap(), failed.id);
    let again = leased(&store, "w", at(1)).unwrap();
    assert_eq!((again.id, again.cause), (failed.id, Cause::Schedule));
    // One that runs has begun with what was there then.
    let wanted = store.run_now("s", "monitor", at(2)).unwrap();
    assert_ne!(wanted, failed.id);
    assert!(store.finish_job(&again, at(2), "").unwrap());
    planned(&store, "t", "monitor", at(0));
    let next = leased(&store, "w", at(3)).unwrap();
    assert_eq!((next.id, next.cause), (wanted, Cause::Asked));
}

fn wishes_at_the_same_time_are_one_job(place: &Place) {
    let stores = [place.open(), place.open()];
    let wanted: BTreeSet<i64> = std::thread::scope(|scope| {
        let asking: Vec<_> = (0..8)
            .map(|asker| {
                let store = &stores[asker % 2];
                scope.spawn(move || store.run_now("s", "monitor", at(0)).unwrap())
            })
            .collect();
        asking.into_iter().map(|asking| asking.join().unwrap()).collect()
    });
    assert_eq!(wanted.len(), 1);
    assert_eq!(stores[0].open_jobs().unwrap().len(), 1);
}

fn the_history_is_read_page_by_page_and_pruned(place: &Place) {
    let store = place.open();
    for minute in 0..10 {
        let system = if minute % 2 == 0 { "s" } else { "t" };
        planned(&store, system, "monitor", at(minute));
        let job = leased(&store, "w", at(minute)).unwrap();
        store.finish_job(&job, at(minute), &minute.to_string()).unwrap();
    }
    let skipped = Due { turn: Turn::Skip, missed: 4, ..due("s", "evaluate", at(20)) };
    assert!(store.plan(&skipped, None, at(30)).unwrap());
    let passed = Due { turn: Turn::Pass, ..due("t", "evaluate", at(20)) };
    assert!(store.plan(&passed, None, at(30)).unwrap());
    assert_eq!(store.planned_until("t", "evaluate").unwrap(), Some(at(20)));

    let page = |filter: JobFilter<'_>| -> Vec<i64> {
        store.jobs(&filter, 4).unwrap().iter().map(|job| job.id).collect()
    };
    let all = JobFilter::default();
    assert_eq!(page(all.clone()), [11, 10, 9, 8]);
    assert_eq!(page(JobFilter { before: Some(8), ..all.clone() }), [7, 6, 5, 4]);
    assert_eq!(page(JobFilter { system: Some("t"), ..all.clone() }), [10, 8, 6, 4]);
    assert_eq!(page(JobFilter { kind: Some("evaluate"), ..all.clone() }), [11]);
    assert_eq!(page(JobFilter { state: Some(JobState::Done), ..all.clone() }), [10, 9, 8, 7]);
    assert!(page(JobFilter { state: Some(JobState::Waiting), ..all.clone() }).is_empty());

    planned(&store, "s", "monitor", at(40));
    assert_eq!(store.prune_jobs(at(5), 3).unwrap(), 5);
    assert_eq!(store.jobs(&all, 100).unwrap().len(), 7);
    assert_eq!(store.prune_jobs(at(1000), 3).unwrap(), 4);
    assert_eq!(states(&store), [(12, "waiting"), (11, "skipped"), (10, "done")]);
    // Numbers are not given again.
    assert_eq!(store.run_now("t", "monitor", at(41)).unwrap(), 13);
}

fn what_a_clock_that_was_ahead_has_left_is_cut(place: &Place) {
    let store = place.open();
    let year = 365 * 24 * 60;
    planned(&store, "s", "monitor", at(year));
    let held = leased(&store, "w", at(year)).unwrap();
    planned(&store, "t", "monitor", at(year));
    assert_eq!(leased(&store, "other", at(0)), None);
    assert_eq!(store.shorten_job_waits(at(2), at(3)).unwrap(), 2);
    assert_eq!(store.shorten_job_waits(at(2), at(3)).unwrap(), 0);
    assert_eq!(leased(&store, "other", at(1)), None);
    // Whoever lives extends its lease; whoever does not loses it as always.
    assert!(store.extend_lease(&held, at(3)).unwrap());
    assert_eq!(leased(&store, "other", at(3)).unwrap().system, "t");
    assert_eq!(leased(&store, "third", at(3)).unwrap().id, held.id);
}

fn a_damaged_row_is_told(place: &Place) {
    let store = place.open();
    planned(&store, "s", "monitor", at(0));
    place.sql("UPDATE job SET state = 'lost'");
    let error = store.job(1).unwrap_err();
    assert!(matches!(error, StoreError::Unreadable { table: "job", .. }), "{error}");
    assert!(error.to_string().contains("`lost` is no state"), "{error}");
}
