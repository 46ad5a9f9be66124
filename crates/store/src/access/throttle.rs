//! How often signing in failed, so that all servers of a database slow a guesser down together.

use jiff::{SignedDuration, Timestamp};
use sqlx::Row as _;

use crate::database::{Store, StoreError, instant, micros};

impl Store {
    /// Counts an attempt for each subject (an account, an address) before it is known how it ends, so that
    /// attempts made at once count as well. `wait` says how long to refuse others after so many failures of
    /// the subject at that position; failures older than `forgotten` count no more.
    ///
    /// Returns until when the attempt is refused; nothing is counted then.
    ///
    /// # Errors
    /// The database does not answer, or a row was damaged.
    pub fn count_attempt(
        &self,
        subjects: &[&str],
        now: Timestamp,
        forgotten: Timestamp,
        wait: impl Fn(usize, u64) -> SignedDuration,
    ) -> Result<Option<Timestamp>, StoreError> {
        self.block_on(async {
            let mut transaction = self.begin().await?;
            sqlx::query("DELETE FROM throttle WHERE last_us < $1")
                .bind(micros(forgotten))
                .execute(&mut *transaction)
                .await?;
            let mut refused = None;
            for (at, subject) in subjects.iter().enumerate() {
                // The row is taken before it is read, so attempts on one subject go one by one.
                let row = sqlx::query(
                    "INSERT INTO throttle (subject, failures, last_us, open_us) VALUES ($1, 1, $2, 0) \
                     ON CONFLICT (subject) DO UPDATE SET failures = throttle.failures + 1, \
                     last_us = excluded.last_us RETURNING failures, open_us",
                )
                .bind(*subject)
                .bind(micros(now))
                .fetch_one(&mut *transaction)
                .await?;
                let open = instant(&row, "throttle", "open_us")?;
                if open > now {
                    refused = refused.max(Some(open));
                }
                let failures = row.try_get::<i64, _>("failures")? as u64;
                let open = now.saturating_add(wait(at, failures)).unwrap_or(Timestamp::MAX);
                sqlx::query("UPDATE throttle SET open_us = $1 WHERE subject = $2")
                    .bind(micros(open))
                    .bind(*subject)
                    .execute(&mut *transaction)
                    .await?;
            }
            if refused.is_none() {
                transaction.commit().await?;
            }
            Ok(refused)
        })
    }

    /// Forgets the failures of a subject, and takes back the one attempt that was counted for another.
    ///
    /// # Errors
    /// The database does not answer.
    pub fn attempt_succeeded(&self, forgive: &str, take_back: &str) -> Result<(), StoreError> {
        self.block_on(async {
            let mut transaction = self.begin().await?;
            sqlx::query("DELETE FROM throttle WHERE subject = $1")
                .bind(forgive)
                .execute(&mut *transaction)
                .await?;
            sqlx::query("UPDATE throttle SET failures = failures - 1 WHERE subject = $1")
                .bind(take_back)
                .execute(&mut *transaction)
                .await?;
            transaction.commit().await?;
            Ok(())
        })
    }
}
