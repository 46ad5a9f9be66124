//! Real threads: heartbeats, jobs that hang or panic, run-now, stopping.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::mpsc;
use std::time::Instant;

use super::super::{Event, Observer, Workers};
use super::*;

fn quick() -> Patience {
    Patience {
        lease_for: Duration::from_secs(5),
        heartbeat: Duration::from_millis(50),
        silent_max: Duration::from_mins(1),
        look_every: Duration::from_secs(30),
    }
}

/// A server on the real clock, with what becomes of its jobs.
fn started(
    world: &World,
    patience: Patience,
    workers: usize,
    run: &Runner,
) -> (Arc<Scheduler>, Workers, mpsc::Receiver<Worked>) {
    let (sender, worked) = mpsc::channel();
    let observer: Observer = Arc::new(move |event: Event<'_>| match event {
        Event::Worked(worked) => drop(sender.send(worked.clone())),
        Event::Planned(_) => {}
        Event::Failed(error) => panic!("{error}"),
    });
    let store = Store::open(&Database::Sqlite(world.folder.path().join("state.db"))).unwrap();
    let scheduler = Arc::new(Scheduler::new(Arc::new(store), "here", Arc::new(Timestamp::now), patience));
    // Never due while the test runs, and not made up for: only what is asked for runs.
    let never = |system| SystemSchedule { catch_up: false, ..monitored(system, "0 0 29 2 *") };
    scheduler.serve(vec![never("s"), never("t")]);
    let running = scheduler.run(workers, run, &observer).unwrap();
    (scheduler, running, worked)
}

const SOON: Duration = Duration::from_secs(20);

#[test]
fn a_wish_wakes_a_worker_at_once_and_systems_run_beside_each_other() {
    let world = World::at("2026-03-02T06:00:00Z");
    let (inside, most) = (Arc::new(AtomicUsize::new(0)), Arc::new(AtomicUsize::new(0)));
    let (counted, seen) = (Arc::clone(&inside), Arc::clone(&most));
    let run: Runner = Arc::new(move |_: &Job, _: &Signal| {
        seen.fetch_max(counted.fetch_add(1, Ordering::SeqCst) + 1, Ordering::SeqCst);
        std::thread::sleep(Duration::from_millis(400));
        counted.fetch_sub(1, Ordering::SeqCst);
        Ok("done".into())
    });
    let (scheduler, running, worked) = started(&world, quick(), 3, &run);
    let begun = Instant::now();
    for (system, kind) in [("s", JobKind::Monitor), ("s", JobKind::Evaluate), ("t", JobKind::Monitor)] {
        scheduler.run_now(system, kind).unwrap();
    }
    let mut systems: Vec<String> = (0..3)
        .map(|_| {
            let worked = worked.recv_timeout(SOON).unwrap();
            assert_eq!(worked.end, End::Done("done".into()));
            worked.job.system
        })
        .collect();
    systems.sort();
    assert_eq!(systems, ["s", "s", "t"]);
    assert_eq!(most.load(Ordering::SeqCst), 2);
    assert!(begun.elapsed() < quick().look_every);
    running.stop(SOON);
}

#[test]
fn a_long_job_keeps_its_lease_and_one_that_hangs_loses_it() {
    let world = World::at("2026-03-02T06:00:00Z");
    let patience = Patience { silent_max: Duration::from_secs(4), ..quick() };
    let run: Runner = Arc::new(|job: &Job, signal: &Signal| {
        for _ in 0..60 {
            std::thread::sleep(Duration::from_millis(100));
            if job.kind == "monitor" {
                signal.progress();
            }
            if signal.is_lost() {
                return Ok("too late".into());
            }
        }
        Ok("long".into())
    });
    let (scheduler, running, worked) = started(&world, patience, 2, &run);
    let long = scheduler.run_now("s", JobKind::Monitor).unwrap();
    let hanging = scheduler.run_now("t", JobKind::Evaluate).unwrap();
    let other = Store::open(&Database::Sqlite(world.folder.path().join("state.db"))).unwrap();
    let first = worked.recv_timeout(SOON).unwrap();
    assert_eq!(first.job.id, hanging);
    assert!(matches!(&first.end, End::Failed(error) if error.starts_with("it hung: no progress for ")));
    // Longer than a lease lasts, and nobody else can have it.
    let lease_for = Duration::from_secs(1);
    let taken = other.lease(Timestamp::now(), "other", lease_for, &["s", "t"], &["monitor"]).unwrap();
    assert_eq!(taken, None);
    let second = worked.recv_timeout(SOON).unwrap();
    assert_eq!((second.job.id, second.end), (long, End::Done("long".into())));
    assert_eq!(other.job(long).unwrap().unwrap().lease, 1);
    running.stop(SOON);
}

#[test]
fn a_job_that_was_lost_is_told_and_not_recorded() {
    let world = World::at("2026-03-02T06:00:00Z");
    let run: Runner = Arc::new(|_: &Job, signal: &Signal| {
        while !signal.should_stop() {
            std::thread::sleep(Duration::from_millis(10));
        }
        Ok("late".into())
    });
    let (scheduler, running, worked) = started(&world, quick(), 1, &run);
    let id = scheduler.run_now("s", JobKind::Monitor).unwrap();
    let other = Store::open(&Database::Sqlite(world.folder.path().join("state.db"))).unwrap();
    while other.job(id).unwrap().unwrap().leased_by.is_none() {
        std::thread::sleep(Duration::from_millis(10));
    }
    // A server whose clock is an hour ahead believes that the lease has run out.
    let ahead = Timestamp::now() + Duration::from_hours(1);
    let taken = other.lease(ahead, "other", SOON, &["s"], &["monitor"]).unwrap().unwrap();
    assert_eq!((taken.id, taken.lease), (id, 2));
    let lost = worked.recv_timeout(SOON).unwrap();
    assert_eq!((lost.job.id, lost.end), (id, End::Lost));
    assert!(other.finish_job(&taken, Timestamp::now(), "theirs").unwrap());
    assert_eq!(other.job(id).unwrap().unwrap().message.as_deref(), Some("theirs"));
    running.stop(SOON);
}

#[test]
fn a_job_that_panics_has_failed_and_the_worker_lives_on() {
    let world = World::at("2026-03-02T06:00:00Z");
    let run: Runner = Arc::new(|job: &Job, _: &Signal| {
        assert_ne!(job.system, "s", "as the test wants it");
        Ok("done".into())
    });
    let (scheduler, running, worked) = started(&world, quick(), 1, &run);
    scheduler.run_now("s", JobKind::Monitor).unwrap();
    let end = worked.recv_timeout(SOON).unwrap().end;
    assert_eq!(end, End::Failed("it ended in the middle, by a mistake in the program".into()));
    scheduler.run_now("t", JobKind::Monitor).unwrap();
    assert_eq!(worked.recv_timeout(SOON).unwrap().end, End::Done("done".into()));
    running.stop(SOON);
}

#[test]
fn stopping_asks_a_job_to_stop_and_hands_back_one_that_does_not() {
    let world = World::at("2026-03-02T06:00:00Z");
    let (begun, running_now) = mpsc::channel();
    let begun = Mutex::new(begun);
    let run: Runner = Arc::new(move |job: &Job, signal: &Signal| {
        begun.lock().unwrap().send(()).unwrap();
        let until = Instant::now() + Duration::from_secs(30);
        while Instant::now() < until {
            if job.system == "s" && signal.should_stop() {
                return Err(Failure::Stopped);
            }
            std::thread::sleep(Duration::from_millis(20));
        }
        Ok("at last".into())
    });
    let (scheduler, running, worked) = started(&world, quick(), 2, &run);
    scheduler.run_now("s", JobKind::Monitor).unwrap();
    scheduler.run_now("t", JobKind::Monitor).unwrap();
    for _ in 0..2 {
        running_now.recv_timeout(SOON).unwrap();
    }
    let stopped = Instant::now();
    running.stop(Duration::from_millis(500));
    assert!(stopped.elapsed() < Duration::from_secs(20));
    let ends: Vec<(String, End)> = worked.try_iter().map(|worked| (worked.job.system, worked.end)).collect();
    assert_eq!(ends, [("s".to_owned(), End::HandedBack), ("t".to_owned(), End::HandedBack)]);
    for job in scheduler.store.open_jobs().unwrap() {
        assert_eq!((job.state, job.failures, job.leased_by), (store::JobState::Waiting, 0, None));
    }
}
