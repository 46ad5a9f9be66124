//! Browsers that are signed in.

use jiff::Timestamp;
use sqlx::Row as _;
use types::Digest;
use types::access::User;
use types::audit::Audit;

use super::account::{COLUMNS, user};
use crate::audit::Change;
use crate::database::{Store, StoreError, instant, micros};

/// A session about to begin.
#[derive(Clone, Copy, Debug)]
pub struct NewSession<'a> {
    /// The digest of the cookie's secret.
    pub secret: Digest,
    pub account: &'a str,
    pub at: Timestamp,
    pub address: &'a str,
    /// As the browser names itself.
    pub browser: &'a str,
    /// The provider that said who it is; none where a password did.
    pub issuer: Option<&'a str>,
}

/// A session that has begun.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SessionRow {
    pub secret: Digest,
    pub created: Timestamp,
    pub seen: Timestamp,
    pub address: String,
    pub browser: String,
    /// The provider that said who it is; none where a password did.
    pub issuer: Option<String>,
}

const SESSION: &str = "session.secret, session.created_us AS began_us, session.seen_us AS here_us, session.address, session.browser, session.issuer";

impl Store {
    /// Begins a session; those of the account that began or were seen before an instant are cleared away.
    ///
    /// # Errors
    /// The database does not answer.
    pub fn begin_session(
        &self,
        new: &NewSession<'_>,
        ended: (Timestamp, Timestamp),
        audit: Audit,
    ) -> Result<(), StoreError> {
        let (began_before, seen_before) = ended;
        self.block_on(async {
            let mut change = Change::begin(self).await?;
            let transaction = &mut change.transaction;
            sqlx::query("DELETE FROM session WHERE created_us < $1 OR seen_us < $2")
                .bind(micros(began_before))
                .bind(micros(seen_before))
                .execute(&mut **transaction)
                .await?;
            sqlx::query(
                "INSERT INTO session (secret, account, created_us, seen_us, address, browser, issuer) \
                 VALUES ($1, $2, $3, $3, $4, $5, $6)",
            )
            .bind(new.secret.to_string())
            .bind(new.account)
            .bind(micros(new.at))
            .bind(new.address)
            .bind(new.browser)
            .bind(new.issuer)
            .execute(&mut **transaction)
            .await?;
            sqlx::query("UPDATE account SET seen_us = $1 WHERE id = $2")
                .bind(micros(new.at))
                .bind(new.account)
                .execute(&mut **transaction)
                .await?;
            change.commit(audit).await
        })
    }

    /// The session of a secret and its account, unless that is disabled. Whether it is over is for the caller.
    ///
    /// # Errors
    /// The database does not answer, or a row was damaged.
    pub fn session(&self, secret: Digest) -> Result<Option<(SessionRow, User)>, StoreError> {
        let query = format!(
            "SELECT {SESSION}, {COLUMNS} FROM session JOIN account ON account.id = session.account \
             WHERE session.secret = $1 AND account.is_disabled = 0"
        );
        let row = self.block_on(
            sqlx::query(sqlx::AssertSqlSafe(query)).bind(secret.to_string()).fetch_optional(self.pool()),
        )?;
        row.map(|row| Ok((session(&row)?, user(&row)?))).transpose()
    }

    /// The sessions of an account, last seen first.
    ///
    /// # Errors
    /// The database does not answer, or a row was damaged.
    pub fn sessions(&self, account: &str) -> Result<Vec<SessionRow>, StoreError> {
        let query = format!("SELECT {SESSION} FROM session WHERE account = $1 ORDER BY seen_us DESC");
        let rows =
            self.block_on(sqlx::query(sqlx::AssertSqlSafe(query)).bind(account).fetch_all(self.pool()))?;
        rows.iter().map(session).collect()
    }

    /// Notes that a session, and with it its account, was just seen.
    ///
    /// # Errors
    /// The database does not answer.
    pub fn touch_session(&self, secret: Digest, account: &str, at: Timestamp) -> Result<(), StoreError> {
        self.block_on(async {
            sqlx::query("UPDATE session SET seen_us = $1 WHERE secret = $2")
                .bind(micros(at))
                .bind(secret.to_string())
                .execute(self.pool())
                .await?;
            sqlx::query("UPDATE account SET seen_us = $1 WHERE id = $2")
                .bind(micros(at))
                .bind(account)
                .execute(self.pool())
                .await?;
            Ok(())
        })
    }

    /// Ends one session.
    ///
    /// # Errors
    /// The database does not answer.
    pub fn end_session(&self, secret: Digest, audit: Audit) -> Result<(), StoreError> {
        self.block_on(async {
            let mut change = Change::begin(self).await?;
            sqlx::query("DELETE FROM session WHERE secret = $1")
                .bind(secret.to_string())
                .execute(&mut *change.transaction)
                .await?;
            change.commit(audit).await
        })
    }

    /// Ends every session of an account but one.
    ///
    /// # Errors
    /// The database does not answer.
    pub fn end_other_sessions(&self, account: &str, but: Digest, audit: Audit) -> Result<(), StoreError> {
        self.block_on(async {
            let mut change = Change::begin(self).await?;
            sqlx::query("DELETE FROM session WHERE account = $1 AND secret <> $2")
                .bind(account)
                .bind(but.to_string())
                .execute(&mut *change.transaction)
                .await?;
            change.commit(audit).await
        })
    }
}

fn session(row: &sqlx::any::AnyRow) -> Result<SessionRow, StoreError> {
    const TABLE: &str = "session";
    let secret: String = row.try_get("secret")?;
    Ok(SessionRow {
        secret: secret.parse().map_err(|error| crate::database::unreadable(TABLE, error))?,
        created: instant(row, TABLE, "began_us")?,
        seen: instant(row, TABLE, "here_us")?,
        address: row.try_get("address")?,
        browser: row.try_get("browser")?,
        issuer: row.try_get("issuer")?,
    })
}
