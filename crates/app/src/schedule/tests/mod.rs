//! The schedule under a clock that the tests turn.

mod clocks;
mod threads;
mod year;

use std::collections::VecDeque;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use jiff::{Span, Timestamp};
use store::{Database, Job, Store};
use types::calendar::{Rule, Timetable};

use super::{End, Failure, JobKind, Patience, Planned, Runner, Scheduler, Signal, SystemSchedule, Worked};

/// A database of a test's own, and the time of its servers.
struct World {
    folder: tempfile::TempDir,
    now: Arc<Mutex<Timestamp>>,
}

impl World {
    fn at(now: &str) -> Self {
        let now = Arc::new(Mutex::new(at(now)));
        Self { folder: tempfile::tempdir().unwrap(), now }
    }

    fn server(&self, schedules: Vec<SystemSchedule>) -> Scheduler {
        self.server_with(schedules, Patience::default())
    }

    fn server_with(&self, schedules: Vec<SystemSchedule>, patience: Patience) -> Scheduler {
        let database = Database::Sqlite(self.folder.path().join("state.db"));
        let store = Arc::new(Store::open(&database).unwrap());
        let now = Arc::clone(&self.now);
        let scheduler = Scheduler::new(store, "here", Arc::new(move || *now.lock().unwrap()), patience);
        scheduler.serve(schedules);
        scheduler
    }

    fn set(&self, now: Timestamp) {
        *self.now.lock().unwrap() = now;
    }

    fn pass(&self, span: Span) {
        let mut now = self.now.lock().unwrap();
        *now += span;
    }
}

fn at(text: &str) -> Timestamp {
    text.parse().unwrap()
}

/// Monitoring of a system by a cron expression in UTC.
fn monitored(system: &str, cron: &str) -> SystemSchedule {
    let rule = Rule::Cron(cron.parse().unwrap());
    let timetable = Timetable { rule, zone: "UTC".parse().unwrap() };
    SystemSchedule {
        system: system.into(),
        timetables: vec![(JobKind::Monitor, timetable)],
        catch_up: true,
        missed_after: Duration::from_hours(1),
    }
}

/// A job that comes to what is said, one after the other, and then to nothing worth telling.
fn answers(results: &[Result<&str, &str>]) -> Runner {
    let results: VecDeque<Result<String, Failure>> = results
        .iter()
        .map(|result| result.map(str::to_owned).map_err(|error| Failure::Failed(error.to_owned())))
        .collect();
    let results = Mutex::new(results);
    Arc::new(move |_: &Job, _: &Signal| results.lock().unwrap().pop_front().unwrap_or(Ok(String::new())))
}

fn done(scheduler: &Scheduler) -> Option<Worked> {
    scheduler.work(&answers(&[])).unwrap()
}

/// What a look plans, and what it then runs to its end: due instant and missed ones.
fn look(scheduler: &Scheduler) -> Vec<(String, u32)> {
    scheduler.plan().unwrap();
    let worked = std::iter::from_fn(|| done(scheduler));
    worked
        .map(|worked| {
            assert_eq!(worked.end, End::Done(String::new()));
            (worked.job.due.to_string(), worked.job.missed)
        })
        .collect()
}

fn ran(due: &str) -> Vec<(String, u32)> {
    vec![(at(due).to_string(), 0)]
}

fn planned(scheduler: &Scheduler) -> Vec<Planned> {
    scheduler.plan().unwrap()
}
