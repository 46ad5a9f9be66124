//! Handing jobs out, and taking back what came of them.
//!
//! Every call by who holds a job names the number of its lease, and is refused when the job was handed out
//! again since.

use std::time::Duration;

use jiff::Timestamp;
use sqlx::any::AnyArguments;
use sqlx::query::Query;
use sqlx::{Any, AssertSqlSafe};

use super::{COLUMNS, Job, JobState, is_taken, job};
use crate::database::{Store, StoreError, micros};

/// Candidates that are tried before a server looks again: others are faster with some of them.
const CANDIDATES: usize = 16;

impl Store {
    /// Hands out the job whose turn it is among those of some systems and kinds, until `now + lease_for`: one
    /// that waits, or one that was lost, which counts as a failure of it. Never two of one system at a time.
    ///
    /// A job is lost when its holder let its lease run out, and when `worker` itself is its holder: it names
    /// only `systems` of which it runs nothing, so it cannot have heard that the job was handed to it, or could
    /// not say what came of it. That happens when the database goes away before it has answered.
    ///
    /// # Errors
    /// The database does not answer, or a row was damaged.
    pub fn lease(
        &self,
        now: Timestamp,
        worker: &str,
        lease_for: Duration,
        systems: &[&str],
        kinds: &[&str],
    ) -> Result<Option<Job>, StoreError> {
        if systems.is_empty() || kinds.is_empty() {
            return Ok(None);
        }
        for candidate in self.candidates(now, worker, systems, kinds)? {
            let query = sqlx::query(
                "UPDATE job SET state = 'running', lease = lease + 1, \
                 failures = failures + CASE WHEN state = 'running' THEN 1 ELSE 0 END, \
                 leased_by = $1, leased_until_us = $2, started_us = $3 WHERE id = $4 AND lease = $5 \
                 AND ((state = 'waiting' AND run_after_us <= $3) \
                 OR (state = 'running' AND (leased_until_us <= $3 OR leased_by = $1)))",
            )
            .bind(worker)
            .bind(micros(now + lease_for))
            .bind(micros(now))
            .bind(candidate.id)
            .bind(candidate.lease);
            match self.block_on(query.execute(self.pool())) {
                Ok(done) if done.rows_affected() == 1 => return self.job(candidate.id),
                // Another server took it, or another job of its system.
                Ok(_) => {}
                Err(error) if is_taken(&error) => {}
                Err(error) => return Err(error.into()),
            }
        }
        Ok(None)
    }

    fn candidates(
        &self,
        now: Timestamp,
        worker: &str,
        systems: &[&str],
        kinds: &[&str],
    ) -> Result<Vec<Job>, StoreError> {
        let places = |from: usize, count: usize| {
            let places: Vec<String> = (from..from + count).map(|at| format!("${at}")).collect();
            places.join(", ")
        };
        let sql = format!(
            "SELECT {COLUMNS} FROM job WHERE system IN ({}) AND kind IN ({}) AND \
             ((state = 'running' AND (leased_until_us <= $1 OR leased_by = $2)) \
             OR (state = 'waiting' AND run_after_us <= $1 AND \
             NOT EXISTS (SELECT 1 FROM job AS other WHERE other.system = job.system AND other.state = 'running'))) \
             ORDER BY CASE cause WHEN 'asked' THEN 0 ELSE 1 END, run_after_us, id LIMIT {CANDIDATES}",
            places(3, systems.len()),
            places(3 + systems.len(), kinds.len()),
        );
        let mut query = sqlx::query(AssertSqlSafe(sql)).bind(micros(now)).bind(worker);
        for name in systems.iter().chain(kinds) {
            query = query.bind(*name);
        }
        let rows = self.block_on(query.fetch_all(self.pool()))?;
        rows.iter().map(job).collect()
    }

    /// Extends the lease of a job; false where it was lost.
    ///
    /// # Errors
    /// The database does not answer.
    pub fn extend_lease(&self, held: &Job, until: Timestamp) -> Result<bool, StoreError> {
        self.while_held(held, "leased_until_us = $3", |query| query.bind(micros(until)))
    }

    /// Records what came of a job; false where its lease was lost, and nothing was recorded.
    ///
    /// # Errors
    /// The database does not answer.
    pub fn finish_job(&self, held: &Job, now: Timestamp, outcome: &str) -> Result<bool, StoreError> {
        self.end(held, JobState::Done, now, outcome)
    }

    /// Records that a job failed, and when to try it again, or that it is given up; false where its lease was
    /// lost, and nothing was recorded. Where a newer job of its kind waits, that one is the next try.
    ///
    /// # Errors
    /// The database does not answer.
    pub fn fail_job(
        &self,
        held: &Job,
        now: Timestamp,
        error: &str,
        retry: Option<Timestamp>,
    ) -> Result<bool, StoreError> {
        let Some(retry) = retry else { return self.end(held, JobState::GivenUp, now, error) };
        let set = "state = 'waiting', leased_by = NULL, leased_until_us = NULL, failures = failures + 1, \
                   run_after_us = $3, message = $4";
        match self.while_held(held, set, |query| query.bind(micros(retry)).bind(error)) {
            Err(StoreError::Sql(taken)) if is_taken(&taken) => {
                self.end(held, JobState::Superseded, now, error)
            }
            recorded => recorded,
        }
    }

    /// Gives a job back undone, for another server or a later start; false where its lease was lost.
    ///
    /// # Errors
    /// The database does not answer.
    pub fn hand_back_job(&self, held: &Job, now: Timestamp) -> Result<bool, StoreError> {
        let set = "state = 'waiting', leased_by = NULL, leased_until_us = NULL, run_after_us = $3";
        match self.while_held(held, set, |query| query.bind(micros(now))) {
            Err(StoreError::Sql(taken)) if is_taken(&taken) => {
                self.end(held, JobState::Superseded, now, "handed back")
            }
            recorded => recorded,
        }
    }

    /// Repairs what a clock that was ahead has left: leases and waits that reach further than any that is
    /// given from now on are cut to that. Returns how many.
    ///
    /// # Errors
    /// The database does not answer.
    pub fn shorten_job_waits(
        &self,
        leased_until_at_most: Timestamp,
        run_after_at_most: Timestamp,
    ) -> Result<u64, StoreError> {
        let (leases, waits) = (micros(leased_until_at_most), micros(run_after_at_most));
        let leases = sqlx::query(
            "UPDATE job SET leased_until_us = $1 WHERE state = 'running' AND leased_until_us > $1",
        )
        .bind(leases);
        let waits =
            sqlx::query("UPDATE job SET run_after_us = $1 WHERE state = 'waiting' AND run_after_us > $1")
                .bind(waits);
        self.block_on(async {
            let leases = leases.execute(self.pool()).await?.rows_affected();
            Ok(leases + waits.execute(self.pool()).await?.rows_affected())
        })
    }

    fn end(&self, held: &Job, state: JobState, now: Timestamp, message: &str) -> Result<bool, StoreError> {
        let failures = i64::from(state != JobState::Done);
        let set = "state = $3, leased_by = NULL, leased_until_us = NULL, finished_us = $4, message = $5, \
                   failures = failures + $6";
        self.while_held(held, set, |query| {
            query.bind(state.word()).bind(micros(now)).bind(message).bind(failures)
        })
    }

    /// Changes the row of a job under the lease that it was handed out with.
    fn while_held<'q>(
        &self,
        held: &'q Job,
        set: &str,
        bind: impl FnOnce(Query<'q, Any, AnyArguments>) -> Query<'q, Any, AnyArguments>,
    ) -> Result<bool, StoreError> {
        let sql = format!("UPDATE job SET {set} WHERE id = $1 AND lease = $2 AND state = 'running'");
        let query = bind(sqlx::query(AssertSqlSafe(sql)).bind(held.id).bind(held.lease));
        Ok(self.block_on(query.execute(self.pool()))?.rows_affected() == 1)
    }
}
