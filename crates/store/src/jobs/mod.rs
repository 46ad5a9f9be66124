//! Jobs as leased rows: what is to be done, is being done and was done.
//!
//! Any number of servers may look at the same rows. `plan` puts a due instant into the queue for all of them
//! once, `lease` hands a job to one of them for a while. Who lets the lease run out loses the job to another,
//! and what it reports afterwards is refused. The statements rest on counters and unique indexes, so that
//! clocks of servers that differ, or jump, cannot make two of them hold one job.

mod lease;
mod plan;

use jiff::Timestamp;
use sqlx::Row as _;
use sqlx::any::AnyRow;

pub use plan::{Due, Turn};

use crate::database::{Store, StoreError, instant, micros};

const TABLE: &str = "job";
const COLUMNS: &str = "id, system, kind, cause, due_us, missed, state, run_after_us, lease, failures, \
                       leased_by, leased_until_us, started_us, finished_us, message";

/// One thing to do for a system.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Job {
    pub id: i64,
    pub system: String,
    pub kind: String,
    pub cause: Cause,
    pub due: Timestamp,
    /// Earlier due instants that had no job of their own; this one makes up for them.
    pub missed: u32,
    pub state: JobState,
    /// It is not handed out before.
    pub run_after: Timestamp,
    /// How often it was handed out; the number of the lease under which it runs.
    pub lease: i64,
    /// How often it failed, or was lost by who held it.
    pub failures: u32,
    pub leased_by: Option<String>,
    pub leased_until: Option<Timestamp>,
    /// When it was last handed out.
    pub started: Option<Timestamp>,
    pub finished: Option<Timestamp>,
    /// What came out, or why it failed last.
    pub message: Option<String>,
}

/// Why there is a job.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Cause {
    Schedule,
    /// Somebody wanted it now.
    Asked,
}

/// What became of a job.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum JobState {
    Waiting,
    Running,
    Done,
    /// It failed as often as it may; the next due instant has a new job.
    GivenUp,
    /// It came too late, and is not made up for.
    Skipped,
    /// A newer job makes up for it.
    Superseded,
}

impl Cause {
    const ALL: [Self; 2] = [Self::Schedule, Self::Asked];

    pub fn word(self) -> &'static str {
        match self {
            Self::Schedule => "schedule",
            Self::Asked => "asked",
        }
    }
}

impl JobState {
    pub const ALL: [Self; 6] =
        [Self::Waiting, Self::Running, Self::Done, Self::GivenUp, Self::Skipped, Self::Superseded];

    pub fn word(self) -> &'static str {
        match self {
            Self::Waiting => "waiting",
            Self::Running => "running",
            Self::Done => "done",
            Self::GivenUp => "given_up",
            Self::Skipped => "skipped",
            Self::Superseded => "superseded",
        }
    }
}

/// Which jobs of the history to show, newest first.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct JobFilter<'f> {
    pub system: Option<&'f str>,
    pub kind: Option<&'f str>,
    pub state: Option<JobState>,
    /// Only those with a smaller number: the last of the page before.
    pub before: Option<i64>,
}

impl Store {
    /// A job by its number.
    ///
    /// # Errors
    /// The database does not answer, or a row was damaged.
    pub fn job(&self, id: i64) -> Result<Option<Job>, StoreError> {
        let sql = format!("SELECT {COLUMNS} FROM job WHERE id = $1");
        let query = sqlx::query(sqlx::AssertSqlSafe(sql)).bind(id);
        let row = self.block_on(query.fetch_optional(self.pool()))?;
        row.as_ref().map(job).transpose()
    }

    /// A page of the jobs that a filter lets through, newest first.
    ///
    /// # Errors
    /// The database does not answer, or a row was damaged.
    pub fn jobs(&self, filter: &JobFilter<'_>, limit: u32) -> Result<Vec<Job>, StoreError> {
        let sql = format!(
            "SELECT {COLUMNS} FROM job WHERE id < $1 AND ($2 = '' OR system = $2) AND ($3 = '' OR kind = $3) \
             AND ($4 = '' OR state = $4) ORDER BY id DESC LIMIT $5"
        );
        let query = sqlx::query(sqlx::AssertSqlSafe(sql))
            .bind(filter.before.unwrap_or(i64::MAX))
            .bind(filter.system.unwrap_or_default())
            .bind(filter.kind.unwrap_or_default())
            .bind(filter.state.map(JobState::word).unwrap_or_default())
            .bind(i64::from(limit));
        let rows = self.block_on(query.fetch_all(self.pool()))?;
        rows.iter().map(job).collect()
    }

    /// All jobs that run or wait, in the order in which they will be handed out.
    ///
    /// # Errors
    /// The database does not answer, or a row was damaged.
    pub fn open_jobs(&self) -> Result<Vec<Job>, StoreError> {
        let sql = format!(
            "SELECT {COLUMNS} FROM job WHERE state IN ('running', 'waiting') ORDER BY state, run_after_us, id"
        );
        let rows = self.block_on(sqlx::query(sqlx::AssertSqlSafe(sql)).fetch_all(self.pool()))?;
        rows.iter().map(job).collect()
    }

    /// For every system and kind of job, the newest one that is in one of these states.
    ///
    /// # Errors
    /// The database does not answer, or a row was damaged.
    pub fn newest_jobs(&self, states: &[JobState]) -> Result<Vec<Job>, StoreError> {
        let states: Vec<String> = states.iter().map(|state| format!("'{}'", state.word())).collect();
        let sql = format!(
            "SELECT {COLUMNS} FROM job WHERE id IN \
             (SELECT MAX(id) FROM job WHERE state IN ({}) GROUP BY system, kind) ORDER BY system, kind",
            states.join(", ")
        );
        let rows = self.block_on(sqlx::query(sqlx::AssertSqlSafe(sql)).fetch_all(self.pool()))?;
        rows.iter().map(job).collect()
    }

    /// Forgets jobs that ended before an instant, except for the newest `keep` of all; returns how many.
    ///
    /// # Errors
    /// The database does not answer.
    pub fn prune_jobs(&self, ended_before: Timestamp, keep: u32) -> Result<u64, StoreError> {
        let query = sqlx::query(
            "DELETE FROM job WHERE finished_us < $1 AND state NOT IN ('running', 'waiting') \
             AND id NOT IN (SELECT id FROM job ORDER BY id DESC LIMIT $2)",
        )
        .bind(micros(ended_before))
        .bind(i64::from(keep));
        Ok(self.block_on(query.execute(self.pool()))?.rows_affected())
    }
}

fn job(row: &AnyRow) -> Result<Job, StoreError> {
    let unreadable = |reason: String| StoreError::Unreadable { table: TABLE, reason };
    let cause: String = row.try_get("cause")?;
    let state: String = row.try_get("state")?;
    let count = |column: &str| -> Result<u32, StoreError> {
        u32::try_from(row.try_get::<i64, _>(column)?)
            .map_err(|error| unreadable(format!("`{column}`: {error}")))
    };
    Ok(Job {
        id: row.try_get("id")?,
        system: row.try_get("system")?,
        kind: row.try_get("kind")?,
        cause: (Cause::ALL.into_iter().find(|known| known.word() == cause))
            .ok_or_else(|| unreadable(format!("`{cause}` is no cause")))?,
        due: instant(row, TABLE, "due_us")?,
        missed: count("missed")?,
        state: (JobState::ALL.into_iter().find(|known| known.word() == state))
            .ok_or_else(|| unreadable(format!("`{state}` is no state")))?,
        run_after: instant(row, TABLE, "run_after_us")?,
        lease: row.try_get("lease")?,
        failures: count("failures")?,
        leased_by: row.try_get("leased_by")?,
        leased_until: instant_if_any(row, "leased_until_us")?,
        started: instant_if_any(row, "started_us")?,
        finished: instant_if_any(row, "finished_us")?,
        message: row.try_get("message")?,
    })
}

fn instant_if_any(row: &AnyRow, column: &'static str) -> Result<Option<Timestamp>, StoreError> {
    match row.try_get::<Option<i64>, _>(column)? {
        Some(_) => instant(row, TABLE, column).map(Some),
        None => Ok(None),
    }
}

/// Whether a statement was refused because another holds the one place that there is.
fn is_taken(error: &sqlx::Error) -> bool {
    error.as_database_error().is_some_and(sqlx::error::DatabaseError::is_unique_violation)
}
