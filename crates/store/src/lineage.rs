//! The log of lineage events: appended to, read and verified.

use jiff::Timestamp;
use sqlx::Row as _;
use types::Digest;
use types::evidence::Checkpoint;
use types::lineage_log::{self, LineageLogError, Received};

use crate::database::{Store, StoreError, unreadable};

/// How many records are read at once.
const AT_ONCE: i64 = 4096;

impl Store {
    /// Keeps events that were received at one time; returns how many of them were not here before. All of them are
    /// kept, or none.
    ///
    /// # Errors
    /// The database does not answer, or an event is not JSON.
    pub fn keep_lineage<'e>(
        &self,
        received: Timestamp,
        events: impl IntoIterator<Item = &'e str>,
    ) -> Result<u64, StoreError> {
        self.block_on(async {
            let mut transaction = self.begin().await?;
            // Whoever appends takes the end for itself, so that no two records follow the same one.
            let row =
                sqlx::query("UPDATE lineage_end SET records = records WHERE id = 1 RETURNING records, hash")
                    .fetch_one(&mut *transaction)
                    .await?;
            let before = checkpoint(&row)?;
            let mut end = before;
            for event in events {
                let (record, next) = lineage_log::extend(end, received, event)?;
                let inserted = sqlx::query(
                    "INSERT INTO lineage (seq, event_hash, record) VALUES ($1, $2, $3) \
                     ON CONFLICT (event_hash) DO NOTHING",
                )
                .bind(end.records as i64)
                .bind(Digest::of(event.trim().as_bytes()).to_string())
                .bind(record)
                .execute(&mut *transaction)
                .await?;
                if inserted.rows_affected() > 0 {
                    end = next;
                }
            }
            sqlx::query("UPDATE lineage_end SET records = $1, hash = $2 WHERE id = 1")
                .bind(end.records as i64)
                .bind(end.hash.to_string())
                .execute(&mut *transaction)
                .await?;
            transaction.commit().await?;
            Ok(end.records - before.records)
        })
    }

    /// Reads and verifies the whole log, event by event; returns where it ends.
    ///
    /// # Errors
    /// The database does not answer, or the log is not what was recorded.
    pub fn read_lineage(&self, mut each: impl FnMut(Received)) -> Result<Checkpoint, StoreError> {
        self.block_on(async {
            let row = sqlx::query("SELECT records, hash FROM lineage_end WHERE id = 1")
                .fetch_one(self.pool())
                .await?;
            let expected = checkpoint(&row)?;
            let mut end = Checkpoint::EMPTY;
            while end.records < expected.records {
                // No further than the end that was read: others may be writing.
                let rows = sqlx::query(
                    "SELECT record FROM lineage WHERE seq >= $1 AND seq < $2 ORDER BY seq LIMIT $3",
                )
                .bind(end.records as i64)
                .bind(expected.records as i64)
                .bind(AT_ONCE)
                .fetch_all(self.pool())
                .await?;
                for row in &rows {
                    let (received, next) = lineage_log::read(end, row.try_get("record")?)?;
                    each(received);
                    end = next;
                }
                if rows.is_empty() {
                    break;
                }
            }
            if end != expected {
                return Err(LineageLogError::Cut { found: end.records, expected: expected.records }.into());
            }
            Ok(end)
        })
    }
}

fn checkpoint(row: &sqlx::any::AnyRow) -> Result<Checkpoint, StoreError> {
    let hash: String = row.try_get("hash")?;
    let hash = hash.parse().map_err(|error| unreadable("lineage_end", error))?;
    Ok(Checkpoint { records: row.try_get::<i64, _>("records")? as u64, hash })
}
