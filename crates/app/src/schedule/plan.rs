//! From timetables to jobs in the queue.

use jiff::Timestamp;
use store::{Due, StoreError, Turn};
use types::calendar::Timetable;

use super::back_off::WAIT_MAX;
use super::{CLOCK_SKEW, JobKind, Scheduler, SystemSchedule};

/// Due instants are counted up to here: those of every minute of ten weeks.
const MISSED_MAX: usize = 100_000;

/// A due instant that this server planned.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Planned {
    pub system: String,
    pub kind: JobKind,
    pub due: Timestamp,
    /// Due instants before it that nobody planned: no server was running. This one makes up for them.
    pub missed: u32,
    /// Whether there is a job. A run that is not made up for has none.
    pub runs: bool,
}

impl Scheduler {
    /// Puts into the queue what has become due since it was last looked at, by this server or another. Of
    /// several due instants of a kind only the newest gets a job: one run makes up for all windows.
    ///
    /// A system that is new is due at once, where it catches up.
    ///
    /// # Errors
    /// The database does not answer; what was planned until then is.
    pub fn plan(&self) -> Result<Vec<Planned>, StoreError> {
        let now = self.now();
        self.store
            .shorten_job_waits(now + self.patience.lease_for + CLOCK_SKEW, now + WAIT_MAX + CLOCK_SKEW)?;
        let mut planned = Vec::new();
        for schedule in self.systems() {
            for (kind, timetable) in &schedule.timetables {
                planned.extend(self.plan_kind(&schedule, *kind, timetable, now)?);
            }
        }
        if planned.iter().any(|planned| planned.runs) {
            self.bell.ring();
        }
        Ok(planned)
    }

    fn plan_kind(
        &self,
        schedule: &SystemSchedule,
        kind: JobKind,
        timetable: &Timetable,
        now: Timestamp,
    ) -> Result<Option<Planned>, StoreError> {
        let Some(newest) = timetable.newest_until(now) else { return Ok(None) };
        let (system, name) = (schedule.system.as_str(), kind.name());
        let before = self.store.planned_until(system, name)?;
        let due = |at, missed, turn| Due { system, kind: name, until: newest, at, missed, turn };
        let due = match before {
            None => due(now, 0, if schedule.catch_up { Turn::Run } else { Turn::Pass }),
            Some(before) if before < newest => {
                let between = timetable.due_between(before, newest).take(MISSED_MAX).count();
                let is_late = now.duration_since(newest).unsigned_abs() > schedule.missed_after;
                let turn = if is_late && !schedule.catch_up { Turn::Skip } else { Turn::Run };
                due(newest, between.saturating_sub(1) as u32, turn)
            }
            // What is planned lies ahead of the clock: it is behind now, or was ahead then. What had its job is
            // done; what has none becomes due as always.
            Some(before) if before > now + CLOCK_SKEW => {
                let until = timetable.next_after(newest).unwrap_or(Timestamp::MAX);
                if self.store.had_job(system, name, (newest, until))? {
                    return Ok(None);
                }
                due(newest, 0, Turn::Run)
            }
            Some(_) => return Ok(None),
        };
        if due.turn == Turn::Pass {
            self.store.plan(&due, before, now)?;
            return Ok(None);
        }
        let is_ours = self.store.plan(&due, before, now)?;
        Ok(is_ours.then(|| Planned {
            system: schedule.system.clone(),
            kind,
            due: due.at,
            missed: due.missed,
            runs: due.turn == Turn::Run,
        }))
    }
}
