//! The schedule: what is due is planned, handed to one of any number of servers, run, and recorded.
//!
//! [`Scheduler`] is a function of the store, the systems and a clock. [`Scheduler::plan`] puts into the
//! queue what has become due, [`Scheduler::work`] leases one job and runs it, [`Scheduler::missed`] says what
//! should have run and has not. `Workers` calls them from threads. What a job does is not known here: it
//! is a function that is handed in.
//!
//! Clocks of servers should agree within [`CLOCK_SKEW`]. Where they do not, or one jumps, a job may be run
//! twice at a time, but only one result is recorded; and nothing that is due is left out, because what was
//! planned is compared with what is due and not with how much time went by.

mod back_off;
mod missed;
mod plan;
mod signal;
#[cfg(test)]
mod tests;
mod work;
mod workers;

use std::sync::atomic::{AtomicU8, Ordering};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError, RwLock};
use std::time::Duration;

use jiff::Timestamp;
use store::{Store, StoreError};
use types::calendar::Timetable;
use types::definition::Definition;
use types::nearest::{listed, nearest};

pub use self::back_off::{TRIES_MAX, back_off};
pub use self::missed::{Missed, Reason};
pub use self::plan::Planned;
pub use self::signal::Signal;
pub use self::work::{End, Failure, Runner, Worked};
pub use self::workers::{Event, Observer, Workers};

/// How far the clocks of servers may be apart.
pub const CLOCK_SKEW: Duration = Duration::from_mins(5);

/// What can be scheduled.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum JobKind {
    /// Every window of `[monitor]` that was missed.
    Monitor,
    /// The checks of `[evaluate]`.
    Evaluate,
    /// The checks of `[stress]`: the model is asked.
    Stress,
}

impl JobKind {
    pub const ALL: [Self; 3] = [Self::Monitor, Self::Evaluate, Self::Stress];

    /// The name in the store and on pages.
    pub fn name(self) -> &'static str {
        match self {
            Self::Monitor => "monitor",
            Self::Evaluate => "evaluate",
            Self::Stress => "stress",
        }
    }

    /// The kind of a name in the store; a newer program may have written others.
    pub fn of_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.name() == name)
    }
}

/// When the jobs of one system are due.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SystemSchedule {
    pub system: String,
    pub timetables: Vec<(JobKind, Timetable)>,
    /// Whether a run that was missed is made up for.
    pub catch_up: bool,
    /// How late a run may be before that is told.
    pub missed_after: Duration,
}

impl SystemSchedule {
    pub fn of(definition: &Definition) -> Self {
        let timetable = |kind| match kind {
            JobKind::Monitor => Some(definition.monitor_timetable()),
            JobKind::Evaluate => Some(definition.evaluate_timetable()),
            JobKind::Stress => definition.stress_timetable(),
        };
        Self {
            system: definition.system.id.clone(),
            timetables: JobKind::ALL.into_iter().filter_map(|kind| Some((kind, timetable(kind)?))).collect(),
            catch_up: definition.schedule.catch_up,
            missed_after: definition.schedule.missed_after.into(),
        }
    }
}

/// How long things may take.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Patience {
    /// A job whose server is silent for so long is handed to another.
    pub lease_for: Duration,
    /// How often a server says that it still works on a job.
    pub heartbeat: Duration,
    /// A job that shows no progress for so long hangs, and is given to another thread or server.
    pub silent_max: Duration,
    /// How often a server looks for what has become due.
    pub look_every: Duration,
}

impl Default for Patience {
    fn default() -> Self {
        Self {
            lease_for: Duration::from_mins(2),
            heartbeat: Duration::from_secs(30),
            silent_max: Duration::from_hours(2),
            look_every: Duration::from_secs(10),
        }
    }
}

/// What time it is.
pub type Clock = Arc<dyn Fn() -> Timestamp + Send + Sync>;

/// A job that cannot be asked for.
#[derive(Debug, thiserror::Error)]
pub enum ScheduleError {
    #[error("system `{system}` is not served here ({help})")]
    NotServed { system: String, help: String },
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// Whether new jobs are begun, and what happens to those that run.
#[derive(Debug, Default)]
pub(crate) struct Stop(AtomicU8);

impl Stop {
    const STOPPING: u8 = 1;
    const HANDING_BACK: u8 = 2;

    /// No new job is begun, and those that run are asked to stop.
    pub(crate) fn is_stopping(&self) -> bool {
        self.0.load(Ordering::SeqCst) >= Self::STOPPING
    }

    /// Jobs that still run are handed back.
    pub(crate) fn is_handing_back(&self) -> bool {
        self.0.load(Ordering::SeqCst) >= Self::HANDING_BACK
    }

    fn set(&self, state: u8) {
        self.0.fetch_max(state, Ordering::SeqCst);
    }
}

/// Plans and runs the jobs of some systems, beside any number of others on the same store.
pub struct Scheduler {
    store: Arc<Store>,
    clock: Clock,
    /// The name under which this server holds jobs.
    worker: String,
    patience: Patience,
    systems: RwLock<Vec<SystemSchedule>>,
    /// Systems of which a job runs here. A clock that jumps forwards must not make this server take over
    /// from itself.
    busy: Mutex<Vec<String>>,
    bell: Bell,
    pub(crate) stop: Arc<Stop>,
}

impl std::fmt::Debug for Scheduler {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Scheduler").field("worker", &self.worker).finish_non_exhaustive()
    }
}

impl Scheduler {
    /// `worker` must differ from server to server; it is shown beside the jobs that this one holds.
    pub fn new(store: Arc<Store>, worker: impl Into<String>, clock: Clock, patience: Patience) -> Self {
        Self {
            store,
            clock,
            worker: worker.into(),
            patience,
            systems: RwLock::default(),
            busy: Mutex::default(),
            bell: Bell::default(),
            stop: Arc::default(),
        }
    }

    /// Which systems are served from now on; a definition may change at any time.
    pub fn serve(&self, systems: Vec<SystemSchedule>) {
        *self.systems.write().unwrap_or_else(PoisonError::into_inner) = systems;
        self.bell.ring();
    }

    /// Has a job done as soon as a worker is free, and returns its number.
    ///
    /// # Errors
    /// The system is not served here, or the database does not answer.
    pub fn run_now(&self, system: &str, kind: JobKind) -> Result<i64, ScheduleError> {
        let systems = self.systems();
        let names = || systems.iter().map(|known| known.system.as_str());
        if !names().any(|name| name == system) {
            let help = match nearest(system, names()) {
                Some(choice) => format!("did you mean `{choice}`?"),
                None if systems.is_empty() => "no system is".to_owned(),
                None => format!("it has {}", listed(names(), 12)),
            };
            return Err(ScheduleError::NotServed { system: system.to_owned(), help });
        }
        let id = self.store.run_now(system, kind.name(), self.now())?;
        self.bell.ring();
        Ok(id)
    }

    /// The next due instant of every system and kind, soonest first.
    pub fn upcoming(&self) -> Vec<(Timestamp, String, JobKind)> {
        let now = self.now();
        let mut upcoming = Vec::new();
        for schedule in self.systems() {
            for (kind, timetable) in &schedule.timetables {
                let next = timetable.next_after(now);
                upcoming.extend(next.map(|due| (due, schedule.system.clone(), *kind)));
            }
        }
        upcoming.sort();
        upcoming
    }

    fn now(&self) -> Timestamp {
        (self.clock)()
    }

    fn systems(&self) -> Vec<SystemSchedule> {
        self.systems.read().unwrap_or_else(PoisonError::into_inner).clone()
    }

    fn busy(&self) -> MutexGuard<'_, Vec<String>> {
        self.busy.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Wakes whoever waits for something to do.
#[derive(Debug, Default)]
struct Bell {
    rung: Mutex<u64>,
    condvar: Condvar,
}

impl Bell {
    fn ring(&self) {
        *self.count() += 1;
        self.condvar.notify_all();
    }

    /// How often it has rung; to be asked before looking, so that no ring in between is missed.
    fn heard(&self) -> u64 {
        *self.count()
    }

    /// Waits until it rings again, at most for a while.
    fn wait(&self, heard: u64, at_most: Duration) {
        let count = self.count();
        let waited = self.condvar.wait_timeout_while(count, at_most, |rung| *rung == heard);
        drop(waited.unwrap_or_else(PoisonError::into_inner));
    }

    fn count(&self) -> MutexGuard<'_, u64> {
        self.rung.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
