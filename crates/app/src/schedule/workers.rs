//! Threads that plan and work until they are stopped.

use std::sync::Arc;
use std::sync::mpsc::{self, Receiver};
use std::thread;
use std::time::{Duration, Instant};

use jiff::ToSpan;
use store::StoreError;

use super::{Planned, Runner, Scheduler, Stop, Worked};

/// How long jobs that ended are remembered, and how many are whatever their age.
const KEEP_DAYS: i64 = 400;
const KEEP_LEAST: u32 = 1000;
const PRUNE_EVERY: Duration = Duration::from_hours(1);

/// Something that whoever keeps the log wants to know.
#[derive(Debug)]
pub enum Event<'e> {
    Planned(&'e Planned),
    Worked(&'e Worked),
    /// The database did not answer; it is asked again.
    Failed(&'e StoreError),
}

/// Is told what happens.
pub type Observer = Arc<dyn Fn(Event<'_>) + Send + Sync>;

/// The threads of a scheduler that runs.
#[derive(Debug)]
pub struct Workers {
    scheduler: Arc<Scheduler>,
    /// Closed when the last thread has ended.
    ended: Receiver<()>,
}

impl Scheduler {
    /// Starts one thread that plans, and as many as `workers` that work.
    ///
    /// # Errors
    /// The system refuses to start a thread.
    pub fn run(
        self: &Arc<Self>,
        workers: usize,
        run: &Runner,
        observer: &Observer,
    ) -> Result<Workers, std::io::Error> {
        let (alive, ended) = mpsc::channel::<()>();
        let start = |name: &str, of_thread: Box<dyn FnOnce() + Send>| {
            let alive = alive.clone();
            let started = thread::Builder::new().name(name.to_owned()).spawn(move || {
                of_thread();
                drop(alive);
            });
            // Those that have started already must not go on alone.
            started.map(drop).inspect_err(|_| self.stop.set(Stop::STOPPING))
        };
        let (scheduler, told) = (Arc::clone(self), Arc::clone(observer));
        start("schedule", Box::new(move || scheduler.keep_planning(&told)))?;
        for _ in 0..workers {
            let (scheduler, told, run) = (Arc::clone(self), Arc::clone(observer), Arc::clone(run));
            start("worker", Box::new(move || scheduler.keep_working(&run, &told)))?;
        }
        Ok(Workers { scheduler: Arc::clone(self), ended })
    }

    fn keep_planning(&self, tell: &Observer) {
        let mut pruned: Option<Instant> = None;
        while !self.stop.is_stopping() {
            let heard = self.bell.heard();
            match self.plan() {
                Ok(planned) => planned.iter().for_each(|planned| tell(Event::Planned(planned))),
                Err(error) => tell(Event::Failed(&error)),
            }
            if pruned.is_none_or(|at| at.elapsed() > PRUNE_EVERY) {
                let before = self.now() - (KEEP_DAYS * 24).hours();
                match self.store.prune_jobs(before, KEEP_LEAST) {
                    Ok(_) => pruned = Some(Instant::now()),
                    Err(error) => tell(Event::Failed(&error)),
                }
            }
            self.bell.wait(heard, self.patience.look_every);
        }
    }

    fn keep_working(&self, run: &Runner, tell: &Observer) {
        while !self.stop.is_stopping() {
            let heard = self.bell.heard();
            match self.work(run) {
                Ok(Some(worked)) => {
                    tell(Event::Worked(&worked));
                    continue;
                }
                Ok(None) => {}
                Err(error) => tell(Event::Failed(&error)),
            }
            self.bell.wait(heard, self.patience.look_every);
        }
    }
}

impl Workers {
    /// Begins no further job, asks those that run to stop, waits for them, and after `grace` hands back
    /// those that still run; their threads end with the process.
    pub fn stop(self, grace: Duration) {
        self.scheduler.stop.set(Stop::STOPPING);
        self.scheduler.bell.ring();
        if self.ended.recv_timeout(grace) != Err(mpsc::RecvTimeoutError::Disconnected) {
            self.scheduler.stop.set(Stop::HANDING_BACK);
            // Workers look several times a second, and the database has its own time limits.
            let _ = self.ended.recv();
        }
    }
}
