//! What should have run and has not: the raw material of alerts about the schedule itself.

use jiff::Timestamp;
use store::{Cause, Job, JobState, StoreError};

use super::{JobKind, Scheduler};

/// A run of a system's jobs of a kind that did not come about.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Missed {
    pub system: String,
    pub kind: JobKind,
    /// When it was due.
    pub due: Timestamp,
    pub reason: Reason,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Reason {
    /// Its job waits, runs or is tried again for longer than it may be late.
    Late(Box<Job>),
    /// Its job failed as often as it may.
    GivenUp(Box<Job>),
    /// It came due while nothing was running, and is not made up for.
    Skipped(Box<Job>),
    /// No server has planned it.
    Unplanned,
}

impl Scheduler {
    /// All runs of the served systems that are missing now. An entry goes when a later job is done.
    ///
    /// # Errors
    /// The database does not answer, or a row was damaged.
    pub fn missed(&self) -> Result<Vec<Missed>, StoreError> {
        let now = self.now();
        let (open, planned) = (self.store.open_jobs()?, self.store.all_planned_until()?);
        let ended = self.store.newest_jobs(&[JobState::Done, JobState::GivenUp, JobState::Skipped])?;
        let mut missed = Vec::new();
        for schedule in self.systems() {
            let is_late = |due: Timestamp| now > due + schedule.missed_after;
            for (kind, timetable) in &schedule.timetables {
                let (system, kind) = (schedule.system.as_str(), *kind);
                let mut add =
                    |due, reason| missed.push(Missed { system: system.to_owned(), kind, due, reason });
                let ours = open.iter().filter(|job| job.system == system && job.kind == kind.name());
                for job in ours.filter(|job| job.cause == Cause::Schedule && is_late(job.due)) {
                    add(job.due, Reason::Late(Box::new(job.clone())));
                }
                let is_ours = |of: &str, name: &str| of == system && name == kind.name();
                if let Some(job) = ended.iter().find(|job| is_ours(&job.system, &job.kind)) {
                    match job.state {
                        JobState::GivenUp => add(job.due, Reason::GivenUp(Box::new(job.clone()))),
                        JobState::Skipped => add(job.due, Reason::Skipped(Box::new(job.clone()))),
                        _ => {}
                    }
                }
                let planned =
                    planned.iter().find(|([of, name], _)| is_ours(of, name)).map(|(_, until)| *until);
                let newest = timetable.newest_until(now);
                if let (Some(planned), Some(newest)) = (planned, newest)
                    && planned < newest
                    && is_late(newest)
                {
                    add(newest, Reason::Unplanned);
                }
            }
        }
        Ok(missed)
    }
}
