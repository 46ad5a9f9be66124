//! Systems that are served, and the history of their definitions.

use jiff::Timestamp;
use sqlx::Row as _;
use types::Digest;

use crate::database::{Store, StoreError, instant, micros};

/// A system as it was last served.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ServedSystem {
    pub id: String,
    /// Where its definition is.
    pub folder: String,
    /// Hash of the definition that it had.
    pub definition: Digest,
    pub seen: Timestamp,
}

impl Store {
    /// Notes that a system is served with this definition; the definition's text joins its history.
    ///
    /// # Errors
    /// The database does not answer.
    pub fn note_system(&self, system: &ServedSystem, text: &str) -> Result<(), StoreError> {
        self.block_on(async {
            let mut transaction = self.begin().await?;
            sqlx::query(
                "INSERT INTO system (id, folder, definition, seen_us) VALUES ($1, $2, $3, $4) \
                 ON CONFLICT (id) DO UPDATE SET folder = excluded.folder, definition = excluded.definition, \
                 seen_us = excluded.seen_us",
            )
            .bind(system.id.as_str())
            .bind(system.folder.as_str())
            .bind(system.definition.to_string())
            .bind(micros(system.seen))
            .execute(&mut *transaction)
            .await?;
            sqlx::query(
                "INSERT INTO definition (system, hash, text, first_seen_us) VALUES ($1, $2, $3, $4) \
                 ON CONFLICT DO NOTHING",
            )
            .bind(system.id.as_str())
            .bind(system.definition.to_string())
            .bind(text)
            .bind(micros(system.seen))
            .execute(&mut *transaction)
            .await?;
            transaction.commit().await?;
            Ok(())
        })
    }

    /// All systems that were ever served here, by id.
    ///
    /// # Errors
    /// The database does not answer, or a row was damaged.
    pub fn systems(&self) -> Result<Vec<ServedSystem>, StoreError> {
        let rows = self.block_on(
            sqlx::query("SELECT id, folder, definition, seen_us FROM system ORDER BY id")
                .fetch_all(self.pool()),
        )?;
        let system = |row: &sqlx::any::AnyRow| {
            let hash: String = row.try_get("definition")?;
            let unreadable = |error: types::digest::DigestError| StoreError::Unreadable {
                table: "system",
                reason: error.to_string(),
            };
            Ok(ServedSystem {
                id: row.try_get("id")?,
                folder: row.try_get("folder")?,
                definition: hash.parse().map_err(unreadable)?,
                seen: instant(row, "system", "seen_us")?,
            })
        };
        rows.iter().map(system).collect()
    }

    /// A system's definitions with the instant at which each was first seen, oldest first.
    ///
    /// # Errors
    /// The database does not answer, or a row was damaged.
    pub fn definitions(&self, system: &str) -> Result<Vec<(Timestamp, String)>, StoreError> {
        let rows = self.block_on(
            sqlx::query(
                "SELECT text, first_seen_us FROM definition WHERE system = $1 ORDER BY first_seen_us",
            )
            .bind(system)
            .fetch_all(self.pool()),
        )?;
        rows.iter()
            .map(|row| Ok((instant(row, "definition", "first_seen_us")?, row.try_get("text")?)))
            .collect()
    }
}
