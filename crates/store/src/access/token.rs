//! Tokens of the API.

use jiff::Timestamp;
use sqlx::Row as _;
use sqlx::any::AnyRow;
use types::Digest;
use types::access::{Token, User};
use types::audit::Audit;

use super::account::{COLUMNS, from_json, json, user};
use crate::audit::Change;
use crate::database::{Store, StoreError, instant, instant_or_none, micros};

/// A token about to be made.
#[derive(Clone, Copy, Debug)]
pub struct NewToken<'a> {
    pub token: &'a Token,
    /// The account that it acts for.
    pub account: &'a str,
    /// The digest of its text.
    pub secret: Digest,
}

const TOKEN: &str = "token.id AS token_id, token.name AS token_name, token.prefix, token.scopes, \
     token.systems AS token_systems, token.created_us AS made_us, token.expires_us, token.used_us, \
     token.revoked_us";

impl Store {
    /// Makes a token.
    ///
    /// # Errors
    /// The database does not answer.
    pub fn add_token(&self, new: &NewToken<'_>, audit: Audit) -> Result<(), StoreError> {
        let NewToken { token, account, secret } = new;
        self.block_on(async {
            let mut change = Change::begin(self).await?;
            sqlx::query(
                "INSERT INTO token (id, account, secret, name, prefix, scopes, systems, created_us, expires_us) \
                 VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)",
            )
            .bind(token.id.as_str())
            .bind(*account)
            .bind(secret.to_string())
            .bind(token.name.as_str())
            .bind(token.prefix.as_str())
            .bind(json(&token.scopes)?)
            .bind(json(&token.systems)?)
            .bind(micros(token.created))
            .bind(micros(token.expires))
            .execute(&mut *change.transaction)
            .await?;
            change.commit(audit).await
        })
    }

    /// The token of a text and the account that it acts for. Whether it may still be used is for the caller.
    ///
    /// # Errors
    /// The database does not answer, or a row was damaged.
    pub fn token(&self, secret: Digest) -> Result<Option<(Token, User)>, StoreError> {
        let query = format!(
            "SELECT {TOKEN}, {COLUMNS} FROM token JOIN account ON account.id = token.account WHERE token.secret = $1"
        );
        let row = self.block_on(
            sqlx::query(sqlx::AssertSqlSafe(query)).bind(secret.to_string()).fetch_optional(self.pool()),
        )?;
        row.map(|row| Ok((token(&row)?, user(&row)?))).transpose()
    }

    /// The tokens of an account, or of all, oldest first.
    ///
    /// # Errors
    /// The database does not answer, or a row was damaged.
    pub fn tokens(&self, account: Option<&str>) -> Result<Vec<Token>, StoreError> {
        let query = format!(
            "SELECT {TOKEN}, account.login FROM token JOIN account ON account.id = token.account \
             WHERE account.id = $1 OR $2 = 1 ORDER BY token.created_us, token.id"
        );
        let rows = self.block_on(
            sqlx::query(sqlx::AssertSqlSafe(query))
                .bind(account.unwrap_or_default())
                .bind(i64::from(account.is_none()))
                .fetch_all(self.pool()),
        )?;
        rows.iter().map(token).collect()
    }

    /// Notes that a token was just used.
    ///
    /// # Errors
    /// The database does not answer.
    pub fn touch_token(&self, id: &str, at: Timestamp) -> Result<(), StoreError> {
        self.block_on(
            sqlx::query("UPDATE token SET used_us = $1 WHERE id = $2")
                .bind(micros(at))
                .bind(id)
                .execute(self.pool()),
        )?;
        Ok(())
    }

    /// Ends a token for good; false where there is none that could be ended.
    ///
    /// # Errors
    /// The database does not answer.
    pub fn revoke_token(&self, id: &str, audit: Audit) -> Result<bool, StoreError> {
        self.block_on(async {
            let mut change = Change::begin(self).await?;
            let revoked =
                sqlx::query("UPDATE token SET revoked_us = $1 WHERE id = $2 AND revoked_us IS NULL")
                    .bind(micros(audit.at))
                    .bind(id)
                    .execute(&mut *change.transaction)
                    .await?;
            if revoked.rows_affected() == 0 {
                return Ok(false);
            }
            change.commit(audit).await?;
            Ok(true)
        })
    }
}

fn token(row: &AnyRow) -> Result<Token, StoreError> {
    const TABLE: &str = "token";
    Ok(Token {
        id: row.try_get("token_id")?,
        name: row.try_get("token_name")?,
        prefix: row.try_get("prefix")?,
        owner: row.try_get("login")?,
        scopes: from_json(row, TABLE, "scopes")?,
        systems: from_json(row, TABLE, "token_systems")?,
        created: instant(row, TABLE, "made_us")?,
        expires: instant(row, TABLE, "expires_us")?,
        used: instant_or_none(row, TABLE, "used_us")?,
        revoked: instant_or_none(row, TABLE, "revoked_us")?,
    })
}
