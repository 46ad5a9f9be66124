//! The schema's history: numbered files, each applied once, in order, in one transaction.

use sqlx::Row as _;

use crate::database::{Database, Store, StoreError};

/// Every change of the schema since the first, oldest first. A file that was released is never changed.
const MIGRATIONS: &[&str] = &[
    include_str!("../migrations/0001_evidence.sql"),
    include_str!("../migrations/0002_jobs.sql"),
    include_str!("../migrations/0003_alerts.sql"),
    include_str!("../migrations/0004_access.sql"),
    include_str!("../migrations/0005_identities.sql"),
    include_str!("../migrations/0006_lineage.sql"),
];

/// Applies what is missing. Programs that start at the same time wait for each other.
pub(crate) fn bring_up_to_date(store: &Store) -> Result<(), StoreError> {
    store.block_on(async {
        let mut transaction = store.begin().await?;
        if matches!(store.database, Database::Postgres(_)) {
            // Any fixed number will do; no other lock of ours is an advisory one.
            sqlx::query("SELECT pg_advisory_xact_lock(70615)").execute(&mut *transaction).await?;
        }
        sqlx::query("CREATE TABLE IF NOT EXISTS schema_version (version BIGINT NOT NULL)")
            .execute(&mut *transaction)
            .await?;
        let row = sqlx::query("SELECT MAX(version) AS version FROM schema_version")
            .fetch_one(&mut *transaction)
            .await?;
        let found = row.try_get::<Option<i64>, _>("version")?.unwrap_or(0);
        let known = MIGRATIONS.len() as i64;
        if found > known {
            return Err(StoreError::Newer { database: store.database.to_string(), found, known });
        }
        for (version, migration) in (1..=known).zip(MIGRATIONS).filter(|(version, _)| *version > found) {
            sqlx::raw_sql(*migration).execute(&mut *transaction).await?;
            sqlx::query("INSERT INTO schema_version (version) VALUES ($1)")
                .bind(version)
                .execute(&mut *transaction)
                .await?;
        }
        transaction.commit().await?;
        Ok(())
    })
}
