//! The audit log: written in the transaction of the change that it tells of.
//!
//! A change begins by taking the end of the log for itself, so changes to access happen one after the other
//! and each may rely on what it has read.

use sqlx::{Any, Row as _, Transaction};
use types::audit::{self, Audit, AuditRecord};
use types::evidence::Checkpoint;

use crate::database::{Store, StoreError, unreadable};

/// A part of the audit log, newest first.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct AuditPage {
    pub records: Vec<AuditRecord>,
    /// Where the next part begins, if there is one: what to give as `before`.
    pub next: Option<u64>,
}

/// A transaction that holds the end of the audit log.
pub(crate) struct Change {
    pub(crate) transaction: Transaction<'static, Any>,
    end: Checkpoint,
}

impl Change {
    pub(crate) async fn begin(store: &Store) -> Result<Self, StoreError> {
        let mut transaction = store.begin().await?;
        let row = sqlx::query("UPDATE audit_end SET records = records WHERE id = 1 RETURNING records, hash")
            .fetch_one(&mut *transaction)
            .await?;
        let end = checkpoint(&row)?;
        Ok(Self { transaction, end })
    }

    /// Records the change and makes it last.
    pub(crate) async fn commit(mut self, audit: Audit) -> Result<(), StoreError> {
        let (text, end) = audit::extend(self.end, audit)?;
        sqlx::query("INSERT INTO audit (seq, record) VALUES ($1, $2)")
            .bind(self.end.records as i64)
            .bind(text)
            .execute(&mut *self.transaction)
            .await?;
        sqlx::query("UPDATE audit_end SET records = $1, hash = $2 WHERE id = 1")
            .bind(end.records as i64)
            .bind(end.hash.to_string())
            .execute(&mut *self.transaction)
            .await?;
        self.transaction.commit().await?;
        Ok(())
    }
}

fn checkpoint(row: &sqlx::any::AnyRow) -> Result<Checkpoint, StoreError> {
    let hash: String = row.try_get("hash")?;
    let hash = hash.parse().map_err(|error| unreadable("audit_end", error))?;
    Ok(Checkpoint { records: row.try_get::<i64, _>("records")? as u64, hash })
}

impl Store {
    /// Records something that changed elsewhere, or was tried in vain.
    ///
    /// # Errors
    /// The database does not answer.
    pub fn note(&self, audit: Audit) -> Result<(), StoreError> {
        self.block_on(async { Change::begin(self).await?.commit(audit).await })
    }

    /// At most `limit` records of the audit log, newest first, from before a position on.
    ///
    /// # Errors
    /// The database does not answer, or a record was damaged.
    pub fn audit_log(&self, before: Option<u64>, limit: u32) -> Result<AuditPage, StoreError> {
        let before = before.map_or(i64::MAX, |seq| i64::try_from(seq).unwrap_or(i64::MAX));
        let rows = self.block_on(
            sqlx::query("SELECT record FROM audit WHERE seq < $1 ORDER BY seq DESC LIMIT $2")
                .bind(before)
                .bind(i64::from(limit))
                .fetch_all(self.pool()),
        )?;
        let record = |row: &sqlx::any::AnyRow| {
            let text: String = row.try_get("record")?;
            serde_json::from_str::<AuditRecord>(&text).map_err(|error| unreadable("audit", error))
        };
        let records = rows.iter().map(record).collect::<Result<Vec<_>, StoreError>>()?;
        let next = records.last().map(|record| record.seq).filter(|seq| *seq > 0);
        Ok(AuditPage { records, next })
    }

    /// Verifies the whole audit log; returns where it ends.
    ///
    /// # Errors
    /// The database does not answer, or the log is not what was recorded.
    pub fn verify_audit(&self) -> Result<Checkpoint, StoreError> {
        const AT_ONCE: i64 = 4096;
        self.block_on(async {
            let row = sqlx::query("SELECT records, hash FROM audit_end WHERE id = 1")
                .fetch_one(self.pool())
                .await?;
            let expected = checkpoint(&row)?;
            let mut end = Checkpoint::EMPTY;
            while end.records < expected.records {
                // No further than the end that was read: others may be writing.
                let rows = sqlx::query(
                    "SELECT record FROM audit WHERE seq >= $1 AND seq < $2 ORDER BY seq LIMIT $3",
                )
                .bind(end.records as i64)
                .bind(expected.records as i64)
                .bind(AT_ONCE)
                .fetch_all(self.pool())
                .await?;
                let texts: Vec<String> =
                    rows.iter().map(|row| row.try_get("record")).collect::<Result<_, sqlx::Error>>()?;
                if texts.is_empty() {
                    break;
                }
                end = audit::verify(end, texts.iter().map(String::as_str))?;
            }
            if end != expected {
                return Err(audit::AuditError::Cut { found: end.records, expected: expected.records }.into());
            }
            Ok(end)
        })
    }
}
