//! Running one job: leased, watched, and what came of it recorded.

use std::sync::Arc;
use std::sync::mpsc::{self, Receiver, RecvTimeoutError};
use std::thread;
use std::time::{Duration, Instant};

use store::{Job, StoreError};

use super::back_off::{TRIES_MAX, back_off};
use super::{JobKind, Scheduler, Signal};

/// How often who watches a job looks whether the server stops.
const LOOK: Duration = Duration::from_millis(50);
/// How long a result is kept for a database that does not answer at the moment.
const RECORD_WITHIN: Duration = Duration::from_mins(1);

/// What a job does: a sentence of what came out, or why nothing did. It runs on a thread of its own, which
/// is left to itself when it hangs.
pub type Runner = Arc<dyn Fn(&Job, &Signal) -> Result<String, Failure> + Send + Sync>;

/// Why nothing came of a job.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Failure {
    /// It may go better later.
    Failed(String),
    /// It was asked to stop, and did.
    Stopped,
}

/// A job that this server was handed, and how that ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Worked {
    pub job: Job,
    pub end: End,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub enum End {
    Done(String),
    /// It is tried again later.
    Failed(String),
    GivenUp(String),
    /// The server stops; the job waits for another, or for the next start.
    HandedBack,
    /// It was given to another server meanwhile. Nothing was recorded.
    Lost,
}

impl Scheduler {
    /// Leases one job and runs it to its end; none where there is nothing to do.
    ///
    /// # Errors
    /// The database does not answer. A job that was leased is handed out again when its lease has run out.
    pub fn work(&self, run: &Runner) -> Result<Option<Worked>, StoreError> {
        let Some(job) = self.lease()? else { return Ok(None) };
        let end = self.watched(&job, run);
        self.busy().retain(|system| *system != job.system);
        Ok(Some(Worked { end: end?, job }))
    }

    fn lease(&self) -> Result<Option<Job>, StoreError> {
        if self.stop.is_stopping() {
            return Ok(None);
        }
        let systems = self.systems();
        // Held over the lease, so that two workers of this server do not both take jobs of one system.
        let mut busy = self.busy();
        let free: Vec<&str> = systems
            .iter()
            .map(|schedule| schedule.system.as_str())
            .filter(|system| !busy.iter().any(|other| other == system))
            .collect();
        let kinds = JobKind::ALL.map(JobKind::name);
        let lease_for = self.patience.lease_for;
        let job = self.store.lease(self.now(), &self.worker, lease_for, &free, &kinds)?;
        busy.extend(job.iter().map(|job| job.system.clone()));
        Ok(job)
    }

    fn watched(&self, job: &Job, run: &Runner) -> Result<End, StoreError> {
        if job.failures >= TRIES_MAX {
            // Whoever held it never came back, again and again: it may be what takes the server down.
            let lost = job.message.clone().unwrap_or_else(|| "the server that ran it went away".into());
            return self.failed(job, lost);
        }
        let signal = Signal::new(Arc::clone(&self.stop));
        let (sender, result) = mpsc::channel();
        let (of_thread, runner, watched) = (job.clone(), Arc::clone(run), signal.clone());
        let thread = thread::Builder::new().name(format!("job-{}", job.kind)).spawn(move || {
            // Nobody listens to a job that was left to itself.
            let _ = sender.send(runner(&of_thread, &watched));
        });
        if let Err(error) = thread {
            return self.failed(job, format!("no thread could be started for it: {error}"));
        }
        self.watch(job, &signal, &result)
    }

    /// Waits for a job to end, and keeps its lease until then.
    fn watch(
        &self,
        job: &Job,
        signal: &Signal,
        result: &Receiver<Result<String, Failure>>,
    ) -> Result<End, StoreError> {
        let mut extended = Instant::now();
        loop {
            match result.recv_timeout(LOOK.min(self.patience.heartbeat)) {
                Ok(_) if signal.is_lost() => return Ok(End::Lost),
                Ok(Ok(outcome)) => {
                    let recorded = record(|| self.store.finish_job(job, self.now(), &outcome))?;
                    return Ok(if recorded { End::Done(outcome) } else { End::Lost });
                }
                Ok(Err(Failure::Failed(error))) => return self.failed(job, error),
                Ok(Err(Failure::Stopped)) => return self.handed_back(job),
                Err(RecvTimeoutError::Disconnected) => {
                    return self.failed(job, "it ended in the middle, by a mistake in the program".into());
                }
                Err(RecvTimeoutError::Timeout) => {}
            }
            let silent = signal.silent_for();
            if silent > self.patience.silent_max {
                let was_lost = signal.is_lost();
                signal.lose();
                let error = format!("it hung: no progress for {} s", silent.as_secs());
                return if was_lost { Ok(End::Lost) } else { self.failed(job, error) };
            }
            if self.stop.is_handing_back() {
                signal.lose();
                return self.handed_back(job);
            }
            if !signal.is_lost() && extended.elapsed() >= self.patience.heartbeat {
                // A database that does not answer is asked again at the next look; if that takes too long,
                // the job goes to another.
                match self.store.extend_lease(job, self.now() + self.patience.lease_for) {
                    Ok(true) => extended = Instant::now(),
                    Ok(false) => signal.lose(),
                    Err(error) if error.is_passing() => {}
                    Err(error) => {
                        signal.lose();
                        return Err(error);
                    }
                }
            }
        }
    }

    fn failed(&self, job: &Job, error: String) -> Result<End, StoreError> {
        let now = self.now();
        let failures = job.failures + 1;
        let retry = (failures < TRIES_MAX).then(|| now + back_off(job, failures));
        let recorded = record(|| self.store.fail_job(job, now, &error, retry))?;
        Ok(match (recorded, retry) {
            (false, _) => End::Lost,
            (true, Some(_)) => End::Failed(error),
            (true, None) => End::GivenUp(error),
        })
    }

    fn handed_back(&self, job: &Job) -> Result<End, StoreError> {
        let recorded = record(|| self.store.hand_back_job(job, self.now()))?;
        Ok(if recorded { End::HandedBack } else { End::Lost })
    }
}

/// Records what came of a job, also when the database is just being restarted.
fn record(attempt: impl Fn() -> Result<bool, StoreError>) -> Result<bool, StoreError> {
    let begun = Instant::now();
    loop {
        match attempt() {
            Err(error) if error.is_passing() && begun.elapsed() < RECORD_WITHIN => {
                thread::sleep(Duration::from_millis(500));
            }
            recorded => return recorded,
        }
    }
}
