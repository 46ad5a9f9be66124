//! Putting jobs into the queue: what is due by a schedule, and what somebody wants now.

use jiff::Timestamp;
use sqlx::{Any, Row as _, Transaction};

use super::{Cause, JobState, is_taken};
use crate::database::{Store, StoreError, instant, micros};

/// How often a wish is repeated that met another at the same moment.
const TRIES: u32 = 5;

/// A due instant of a system's jobs of a kind.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Due<'d> {
    pub system: &'d str,
    pub kind: &'d str,
    /// The due instant up to which everything is planned then.
    pub until: Timestamp,
    /// When its job counts as due: `until`, or the moment at which the system was first served.
    pub at: Timestamp,
    /// Due instants before it that had no job.
    pub missed: u32,
    pub turn: Turn,
}

/// What is done about a due instant.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Turn {
    /// A job waits for a server.
    Run,
    /// It is too late for it; that it was left out is remembered.
    Skip,
    /// Nothing: the system is new here, and nothing is made up for.
    Pass,
}

struct NewJob<'j> {
    system: &'j str,
    kind: &'j str,
    cause: Cause,
    due: Timestamp,
    missed: u32,
    state: JobState,
}

impl Store {
    /// Up to which due instant a system's jobs of a kind were planned.
    ///
    /// # Errors
    /// The database does not answer, or a row was damaged.
    pub fn planned_until(&self, system: &str, kind: &str) -> Result<Option<Timestamp>, StoreError> {
        let query = sqlx::query("SELECT until_us FROM planned WHERE system = $1 AND kind = $2");
        let row = self.block_on(query.bind(system).bind(kind).fetch_optional(self.pool()))?;
        row.map(|row| instant(&row, "planned", "until_us")).transpose()
    }

    /// The same of every system and kind of job: `[system, kind]` with the instant.
    ///
    /// # Errors
    /// The database does not answer, or a row was damaged.
    pub fn all_planned_until(&self) -> Result<Vec<([String; 2], Timestamp)>, StoreError> {
        let rows =
            self.block_on(sqlx::query("SELECT system, kind, until_us FROM planned").fetch_all(self.pool()))?;
        let planned = |row: &sqlx::any::AnyRow| {
            Ok(([row.try_get("system")?, row.try_get("kind")?], instant(row, "planned", "until_us")?))
        };
        rows.iter().map(planned).collect()
    }

    /// Plans a due instant, unless somebody else was faster; says whether it did. `before` is what
    /// [`Store::planned_until`] said: of all who read the same, one gets through.
    ///
    /// A job of the kind that still waits is superseded: the new one makes up for it.
    ///
    /// # Errors
    /// The database does not answer. Nothing was planned then.
    pub fn plan(&self, due: &Due<'_>, before: Option<Timestamp>, now: Timestamp) -> Result<bool, StoreError> {
        let planned: Result<bool, sqlx::Error> = self.block_on(async {
            let mut transaction = self.begin().await?;
            if !move_on(&mut transaction, due, before).await? {
                return Ok(false);
            }
            let state = match due.turn {
                Turn::Run => Some(JobState::Waiting),
                Turn::Skip => Some(JobState::Skipped),
                Turn::Pass => None,
            };
            if let Some(state) = state {
                let Due { system, kind, at, missed, .. } = *due;
                let job = NewJob { system, kind, cause: Cause::Schedule, due: at, missed, state };
                if state == JobState::Waiting {
                    supersede(&mut transaction, &job, now).await?;
                }
                add(&mut transaction, &job, now).await?;
            }
            transaction.commit().await?;
            Ok(true)
        });
        match planned {
            // A wish for the same came in between; the instant is planned at the next look.
            Err(error) if is_taken(&error) => Ok(false),
            planned => Ok(planned?),
        }
    }

    /// Whether a job was due by the schedule in `[from, before)`.
    ///
    /// # Errors
    /// The database does not answer.
    pub fn had_job(
        &self,
        system: &str,
        kind: &str,
        (from, before): (Timestamp, Timestamp),
    ) -> Result<bool, StoreError> {
        let query = sqlx::query(
            "SELECT id FROM job WHERE system = $1 AND kind = $2 AND cause = 'schedule' \
             AND due_us >= $3 AND due_us < $4 LIMIT 1",
        )
        .bind(system)
        .bind(kind)
        .bind(micros(from))
        .bind(micros(before));
        Ok(self.block_on(query.fetch_optional(self.pool()))?.is_some())
    }

    /// Has a job of a system done now, and returns its number. One that waits already, for its time or after
    /// a failure, is brought forward.
    ///
    /// # Errors
    /// The database does not answer.
    pub fn run_now(&self, system: &str, kind: &str, now: Timestamp) -> Result<i64, StoreError> {
        let mut tries = 1;
        loop {
            match self.block_on(self.wanted(system, kind, now)) {
                Err(error) if is_taken(&error) && tries < TRIES => tries += 1,
                wanted => return Ok(wanted?),
            }
        }
    }

    async fn wanted(&self, system: &str, kind: &str, now: Timestamp) -> Result<i64, sqlx::Error> {
        let mut transaction = self.begin().await?;
        let waiting = sqlx::query(
            "UPDATE job SET run_after_us = $1 WHERE system = $2 AND kind = $3 AND state = 'waiting' \
             RETURNING id",
        )
        .bind(micros(now))
        .bind(system)
        .bind(kind)
        .fetch_optional(&mut *transaction)
        .await?;
        let id = if let Some(row) = waiting {
            row.try_get("id")?
        } else {
            let state = JobState::Waiting;
            let job = NewJob { system, kind, cause: Cause::Asked, due: now, missed: 0, state };
            add(&mut transaction, &job, now).await?
        };
        transaction.commit().await?;
        Ok(id)
    }
}

/// Moves on the mark up to which everything is planned; says whether it was where it is thought to be.
async fn move_on(
    transaction: &mut Transaction<'static, Any>,
    due: &Due<'_>,
    before: Option<Timestamp>,
) -> Result<bool, sqlx::Error> {
    let query = match before {
        Some(before) => {
            sqlx::query("UPDATE planned SET until_us = $3 WHERE system = $1 AND kind = $2 AND until_us = $4")
                .bind(due.system)
                .bind(due.kind)
                .bind(micros(due.until))
                .bind(micros(before))
        }
        None => sqlx::query(
            "INSERT INTO planned (system, kind, until_us) VALUES ($1, $2, $3) ON CONFLICT DO NOTHING",
        )
        .bind(due.system)
        .bind(due.kind)
        .bind(micros(due.until)),
    };
    Ok(query.execute(&mut **transaction).await?.rows_affected() == 1)
}

async fn supersede(
    transaction: &mut Transaction<'static, Any>,
    job: &NewJob<'_>,
    now: Timestamp,
) -> Result<(), sqlx::Error> {
    sqlx::query(
        "UPDATE job SET state = 'superseded', finished_us = $1 \
         WHERE system = $2 AND kind = $3 AND state = 'waiting'",
    )
    .bind(micros(now))
    .bind(job.system)
    .bind(job.kind)
    .execute(&mut **transaction)
    .await?;
    Ok(())
}

/// Adds a job; refused as taken where one of its kind waits.
async fn add(
    transaction: &mut Transaction<'static, Any>,
    job: &NewJob<'_>,
    now: Timestamp,
) -> Result<i64, sqlx::Error> {
    let row = sqlx::query(
        "INSERT INTO job_number (one, last) VALUES (1, 1) \
         ON CONFLICT (one) DO UPDATE SET last = job_number.last + 1 RETURNING last",
    )
    .fetch_one(&mut **transaction)
    .await?;
    let id: i64 = row.try_get("last")?;
    let is_over = job.state != JobState::Waiting;
    sqlx::query(
        "INSERT INTO job (id, system, kind, cause, due_us, missed, state, run_after_us, lease, failures, \
         finished_us) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, 0, 0, $9)",
    )
    .bind(id)
    .bind(job.system)
    .bind(job.kind)
    .bind(job.cause.word())
    .bind(micros(job.due))
    .bind(i64::from(job.missed))
    .bind(job.state.word())
    .bind(micros(job.due))
    .bind(is_over.then_some(micros(now)))
    .execute(&mut **transaction)
    .await?;
    Ok(id)
}
