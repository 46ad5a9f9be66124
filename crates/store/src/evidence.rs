//! Chains of evidence: read and verified, appended to, exported.
//!
//! A chain that was read carries where it ended. Appending reads what others added since, verifies that it
//! follows, and adds to that: so nothing is ever built on records that were not verified, and an append
//! costs what is new.

use std::collections::HashMap;

use jiff::Timestamp;
use sqlx::{Any, AnyConnection, Row as _, Transaction};
use types::Record;
use types::evidence::{ChainReader, Checkpoint, Evidence, extend_chain};

use crate::database::{Store, StoreError, instant, micros};

/// A chain as far as it was read and verified.
#[derive(Clone, Debug, PartialEq)]
pub struct Chain {
    /// Its name: the system's id.
    pub id: String,
    pub records: Vec<Record>,
    pub end: Checkpoint,
}

impl Chain {
    /// A chain of which nothing was read yet.
    pub fn unread(id: impl Into<String>) -> Self {
        Self { id: id.into(), records: Vec::new(), end: Checkpoint::EMPTY }
    }
}

/// The end of a chain at a time, with the signature of whoever kept it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SignedCheckpoint {
    pub checkpoint: Checkpoint,
    pub at: Timestamp,
    /// In hexadecimal digits, as the signature.
    pub public_key: String,
    pub signature: String,
}

impl Store {
    /// Reads and verifies a whole chain; one that has not begun yet is empty.
    ///
    /// # Errors
    /// The database does not answer, or the chain is broken.
    pub fn chain(&self, id: &str) -> Result<Chain, StoreError> {
        let mut chain = Chain::unread(id);
        self.read_on(&mut chain)?;
        Ok(chain)
    }

    /// Reads and verifies what was added to a chain since it was read; returns how many records that are.
    ///
    /// # Errors
    /// The database does not answer, or what was added does not follow.
    pub fn read_on(&self, chain: &mut Chain) -> Result<usize, StoreError> {
        self.block_on(async {
            let mut connection = self.pool().acquire().await?;
            read_on(&mut connection, chain).await
        })
    }

    /// Appends a run's evidence to a chain; afterwards it also holds what others added meanwhile.
    ///
    /// # Errors
    /// The database does not answer, or what others added does not follow. Nothing was appended then.
    pub fn append(&self, chain: &mut Chain, evidence: Evidence) -> Result<(), StoreError> {
        self.block_on(async {
            let mut transaction = self.begin().await?;
            lock(&mut transaction, &chain.id).await?;
            read_on(&mut transaction, chain).await?;
            let (records, lines, end) = extend_chain(chain.end, evidence)?;
            insert(&mut transaction, &chain.id, chain.end.records, lines.lines()).await?;
            close(transaction, &chain.id, end).await?;
            chain.records.extend(records);
            chain.end = end;
            Ok(())
        })
    }

    /// Takes over the lines of a chain that was kept elsewhere, byte for byte, as far as they are new here.
    ///
    /// # Errors
    /// The lines do not verify, or do not go on from the chain that is here.
    pub fn import<'l>(
        &self,
        id: &str,
        lines: impl IntoIterator<Item = &'l str>,
    ) -> Result<Chain, StoreError> {
        self.block_on(async {
            let mut transaction = self.begin().await?;
            lock(&mut transaction, id).await?;
            let mut chain = Chain::unread(id);
            read_on(&mut transaction, &mut chain).await?;
            let broken = |source| StoreError::Broken { chain: id.to_owned(), source };
            let mut reader = ChainReader::default();
            let mut added = Vec::new();
            for line in lines {
                let record = reader.read(line).map_err(broken)?;
                match chain.records.get(record.seq as usize) {
                    Some(known) if *known == record => {}
                    Some(_) => {
                        return Err(broken(types::evidence::ChainError::Rewritten {
                            records: record.seq + 1,
                        }));
                    }
                    None => added.push((record, line)),
                }
            }
            if let Some((first, _)) = added.first() {
                let first = first.seq;
                insert(&mut transaction, id, first, added.iter().map(|(_, line)| *line)).await?;
                chain.end = reader.end();
            }
            close(transaction, id, chain.end).await?;
            chain.records.extend(added.into_iter().map(|(record, _)| record));
            Ok(chain)
        })
    }

    /// The lines of a chain from a record on, as they were recorded; for an export.
    ///
    /// # Errors
    /// The database does not answer.
    pub fn lines(&self, id: &str, from: u64) -> Result<Vec<String>, StoreError> {
        self.block_on(async {
            let mut connection = self.pool().acquire().await?;
            lines(&mut connection, id, from).await
        })
    }

    /// One line of a chain, as it was recorded.
    ///
    /// # Errors
    /// The database does not answer.
    pub fn line(&self, id: &str, seq: u64) -> Result<Option<String>, StoreError> {
        let row = self.block_on(
            sqlx::query("SELECT line FROM evidence WHERE chain = $1 AND seq = $2")
                .bind(id)
                .bind(seq as i64)
                .fetch_optional(self.pool()),
        )?;
        Ok(row.map(|row| row.try_get("line")).transpose()?)
    }

    /// How many records a chain has.
    ///
    /// # Errors
    /// The database does not answer.
    pub fn records(&self, id: &str) -> Result<u64, StoreError> {
        let row = self.block_on(
            sqlx::query("SELECT records FROM chain WHERE id = $1").bind(id).fetch_optional(self.pool()),
        )?;
        Ok(row.map_or(Ok(0), |row| row.try_get::<i64, _>("records"))? as u64)
    }

    /// How many records each chain has.
    ///
    /// # Errors
    /// The database does not answer.
    pub fn chain_lengths(&self) -> Result<HashMap<String, u64>, StoreError> {
        let rows = self.block_on(sqlx::query("SELECT id, records FROM chain").fetch_all(self.pool()))?;
        let length =
            |row: &sqlx::any::AnyRow| Ok((row.try_get("id")?, row.try_get::<i64, _>("records")? as u64));
        rows.iter().map(length).collect()
    }

    /// At most `limit` lines of a chain from a record on, as they were recorded.
    ///
    /// # Errors
    /// The database does not answer.
    pub fn some_lines(&self, id: &str, from: u64, limit: usize) -> Result<Vec<String>, StoreError> {
        let rows = self.block_on(
            sqlx::query("SELECT line FROM evidence WHERE chain = $1 AND seq >= $2 ORDER BY seq LIMIT $3")
                .bind(id)
                .bind(i64::try_from(from).unwrap_or(i64::MAX))
                .bind(limit as i64)
                .fetch_all(self.pool()),
        )?;
        rows.iter().map(|row| Ok(row.try_get("line")?)).collect()
    }

    /// The names of all chains.
    ///
    /// # Errors
    /// The database does not answer.
    pub fn chains(&self) -> Result<Vec<String>, StoreError> {
        let rows = self.block_on(
            sqlx::query("SELECT id FROM chain WHERE records > 0 ORDER BY id").fetch_all(self.pool()),
        )?;
        rows.iter().map(|row| Ok(row.try_get("id")?)).collect()
    }

    /// Keeps a signed end of a chain.
    ///
    /// # Errors
    /// The database does not answer.
    pub fn keep_checkpoint(&self, id: &str, signed: &SignedCheckpoint) -> Result<(), StoreError> {
        let SignedCheckpoint { checkpoint, at, public_key, signature } = signed;
        self.block_on(
            sqlx::query(
                "INSERT INTO checkpoint (chain, records, hash, at_us, public_key, signature) \
                 VALUES ($1, $2, $3, $4, $5, $6) ON CONFLICT DO NOTHING",
            )
            .bind(id)
            .bind(checkpoint.records as i64)
            .bind(checkpoint.hash.to_string())
            .bind(micros(*at))
            .bind(public_key.as_str())
            .bind(signature.as_str())
            .execute(self.pool()),
        )?;
        Ok(())
    }

    /// The signed ends of a chain, oldest first.
    ///
    /// # Errors
    /// The database does not answer, or a row was damaged.
    pub fn checkpoints(&self, id: &str) -> Result<Vec<SignedCheckpoint>, StoreError> {
        let rows = self.block_on(
            sqlx::query(
                "SELECT records, hash, at_us, public_key, signature FROM checkpoint WHERE chain = $1 \
                 ORDER BY records, at_us",
            )
            .bind(id)
            .fetch_all(self.pool()),
        )?;
        let checkpoint = |row: &sqlx::any::AnyRow| {
            let hash: String = row.try_get("hash")?;
            let unreadable = |error: types::digest::DigestError| StoreError::Unreadable {
                table: "checkpoint",
                reason: error.to_string(),
            };
            Ok(SignedCheckpoint {
                checkpoint: Checkpoint {
                    records: row.try_get::<i64, _>("records")? as u64,
                    hash: hash.parse().map_err(unreadable)?,
                },
                at: instant(row, "checkpoint", "at_us")?,
                public_key: row.try_get("public_key")?,
                signature: row.try_get("signature")?,
            })
        };
        rows.iter().map(checkpoint).collect()
    }
}

/// Takes a chain for this transaction alone: the row of a chain is written by whoever appends to it.
async fn lock(transaction: &mut Transaction<'static, Any>, id: &str) -> Result<(), StoreError> {
    sqlx::query(
        "INSERT INTO chain (id, records, hash) VALUES ($1, 0, $2) \
         ON CONFLICT (id) DO UPDATE SET records = chain.records",
    )
    .bind(id)
    .bind(Checkpoint::EMPTY.hash.to_string())
    .execute(&mut **transaction)
    .await?;
    Ok(())
}

async fn close(
    mut transaction: Transaction<'static, Any>,
    id: &str,
    end: Checkpoint,
) -> Result<(), StoreError> {
    sqlx::query("UPDATE chain SET records = $1, hash = $2 WHERE id = $3")
        .bind(end.records as i64)
        .bind(end.hash.to_string())
        .bind(id)
        .execute(&mut *transaction)
        .await?;
    transaction.commit().await?;
    Ok(())
}

async fn insert<'l>(
    transaction: &mut Transaction<'static, Any>,
    id: &str,
    first: u64,
    lines: impl Iterator<Item = &'l str>,
) -> Result<(), StoreError> {
    for (seq, line) in (first..).zip(lines) {
        sqlx::query("INSERT INTO evidence (chain, seq, line) VALUES ($1, $2, $3)")
            .bind(id)
            .bind(seq as i64)
            .bind(line)
            .execute(&mut **transaction)
            .await?;
    }
    Ok(())
}

async fn lines(connection: &mut AnyConnection, id: &str, from: u64) -> Result<Vec<String>, StoreError> {
    let rows = sqlx::query("SELECT line FROM evidence WHERE chain = $1 AND seq >= $2 ORDER BY seq")
        .bind(id)
        .bind(from as i64)
        .fetch_all(connection)
        .await?;
    rows.iter().map(|row| Ok(row.try_get("line")?)).collect()
}

async fn read_on(connection: &mut AnyConnection, chain: &mut Chain) -> Result<usize, StoreError> {
    let before = chain.records.len();
    let mut reader = ChainReader::after(chain.end);
    for line in lines(connection, &chain.id, chain.end.records).await? {
        let broken = |source| StoreError::Broken { chain: chain.id.clone(), source };
        chain.records.push(reader.read(&line).map_err(broken)?);
    }
    chain.end = reader.end();
    Ok(chain.records.len() - before)
}
