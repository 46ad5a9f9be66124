//! Who accounts are at a provider of single sign-on.

use jiff::Timestamp;
use sqlx::any::AnyRow;
use sqlx::{Any, Row as _, Transaction};
use types::access::{Role, User};
use types::audit::Audit;

use super::account::{COLUMNS, NewAccount, insert, user};
use crate::audit::Change;
use crate::database::{Store, StoreError, instant, micros};

/// A person at a provider, and the account that they have here.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Identity {
    pub issuer: String,
    /// Unique at the issuer and never given to somebody else.
    pub subject: String,
    /// The id of the account.
    pub account: String,
    /// What the provider called them when the identity was added.
    pub shown: String,
    /// Whether their groups at the provider decide what the account may do.
    pub follows: bool,
    pub created: Timestamp,
}

const IDENTITY: &str = "identity.issuer, identity.subject, identity.account AS of_account, identity.shown, \
     identity.follows, identity.created_us AS added_us";

impl Store {
    /// Whether an admin can sign in by a provider.
    ///
    /// # Errors
    /// The database does not answer.
    pub fn has_admin_at(&self, issuer: &str) -> Result<bool, StoreError> {
        self.block_on(async {
            let row = sqlx::query(
                "SELECT COUNT(*) AS admins FROM account JOIN identity ON identity.account = account.id \
                 WHERE role = 'admin' AND is_disabled = 0 AND issuer = $1",
            )
            .bind(issuer)
            .fetch_one(self.pool())
            .await?;
            Ok(row.try_get::<i64, _>("admins")? > 0)
        })
    }

    /// The account of somebody at a provider, also where it is disabled.
    ///
    /// # Errors
    /// The database does not answer, or a row was damaged.
    pub fn identity(&self, issuer: &str, subject: &str) -> Result<Option<(Identity, User)>, StoreError> {
        let query = format!(
            "SELECT {IDENTITY}, {COLUMNS} FROM identity JOIN account ON account.id = identity.account \
             WHERE identity.issuer = $1 AND identity.subject = $2"
        );
        let query = sqlx::query(sqlx::AssertSqlSafe(query)).bind(issuer).bind(subject);
        let row = self.block_on(query.fetch_optional(self.pool()))?;
        row.map(|row| Ok((identity(&row)?, user(&row)?))).transpose()
    }

    /// Who an account is at providers, oldest first.
    ///
    /// # Errors
    /// The database does not answer, or a row was damaged.
    pub fn identities(&self, account: &str) -> Result<Vec<Identity>, StoreError> {
        let query = format!(
            "SELECT {IDENTITY} FROM identity WHERE account = $1 ORDER BY created_us, issuer, subject"
        );
        let query = sqlx::query(sqlx::AssertSqlSafe(query)).bind(account);
        let rows = self.block_on(query.fetch_all(self.pool()))?;
        rows.iter().map(identity).collect()
    }

    /// Makes an account together with who it is at a provider; with an admin, every setup link ends. Whether
    /// it was made: not where another account has the login or the identity.
    ///
    /// # Errors
    /// The database does not answer.
    pub fn admit(&self, new: &User, identity: &Identity, audit: Audit) -> Result<bool, StoreError> {
        self.block_on(async {
            let mut change = Change::begin(self).await?;
            let transaction = &mut change.transaction;
            let account = NewAccount { user: new, password: None };
            if !insert(transaction, &account).await? || !add(transaction, identity).await? {
                return Ok(false);
            }
            if new.role == Role::Admin {
                end_setup(transaction).await?;
            }
            change.commit(audit).await?;
            Ok(true)
        })
    }

    /// Adds who an account is at a provider. Whether it was added: not where an account has the identity.
    ///
    /// # Errors
    /// The database does not answer.
    pub fn add_identity(&self, identity: &Identity, audit: Audit) -> Result<bool, StoreError> {
        self.block_on(async {
            let mut change = Change::begin(self).await?;
            if !add(&mut change.transaction, identity).await? {
                return Ok(false);
            }
            change.commit(audit).await?;
            Ok(true)
        })
    }

    /// Says whether the groups of somebody decide what their account may do. Whether there is such an identity.
    ///
    /// # Errors
    /// The database does not answer.
    pub fn follow_groups(&self, of: &Identity, follows: bool, audit: Audit) -> Result<bool, StoreError> {
        self.block_on(async {
            let mut change = Change::begin(self).await?;
            let changed = sqlx::query("UPDATE identity SET follows = $1 WHERE issuer = $2 AND subject = $3")
                .bind(i64::from(follows))
                .bind(of.issuer.as_str())
                .bind(of.subject.as_str())
                .execute(&mut *change.transaction)
                .await?;
            if changed.rows_affected() == 0 {
                return Ok(false);
            }
            change.commit(audit).await?;
            Ok(true)
        })
    }

    /// Takes an identity from its account, whose sessions by that provider end. Whether there was one.
    ///
    /// # Errors
    /// The database does not answer.
    pub fn remove_identity(&self, of: &Identity, audit: Audit) -> Result<bool, StoreError> {
        self.block_on(async {
            let mut change = Change::begin(self).await?;
            let removed =
                sqlx::query("DELETE FROM identity WHERE issuer = $1 AND subject = $2 AND account = $3")
                    .bind(of.issuer.as_str())
                    .bind(of.subject.as_str())
                    .bind(of.account.as_str())
                    .execute(&mut *change.transaction)
                    .await?;
            if removed.rows_affected() == 0 {
                return Ok(false);
            }
            end_sessions(&mut change.transaction, &of.account, &of.issuer).await?;
            change.commit(audit).await?;
            Ok(true)
        })
    }

    /// Ends the sessions of an account that a provider began, and records why.
    ///
    /// # Errors
    /// The database does not answer.
    pub fn end_sessions_by(&self, account: &str, issuer: &str, audit: Audit) -> Result<(), StoreError> {
        self.block_on(async {
            let mut change = Change::begin(self).await?;
            end_sessions(&mut change.transaction, account, issuer).await?;
            change.commit(audit).await
        })
    }
}

async fn add(transaction: &mut Transaction<'static, Any>, identity: &Identity) -> Result<bool, StoreError> {
    let added = sqlx::query(
        "INSERT INTO identity (issuer, subject, account, shown, follows, created_us) \
         VALUES ($1, $2, $3, $4, $5, $6) ON CONFLICT DO NOTHING",
    )
    .bind(identity.issuer.as_str())
    .bind(identity.subject.as_str())
    .bind(identity.account.as_str())
    .bind(identity.shown.as_str())
    .bind(i64::from(identity.follows))
    .bind(micros(identity.created))
    .execute(&mut **transaction)
    .await?;
    Ok(added.rows_affected() == 1)
}

async fn end_sessions(
    transaction: &mut Transaction<'static, Any>,
    account: &str,
    issuer: &str,
) -> Result<(), StoreError> {
    sqlx::query("DELETE FROM session WHERE account = $1 AND issuer = $2")
        .bind(account)
        .bind(issuer)
        .execute(&mut **transaction)
        .await?;
    Ok(())
}

/// There is an admin now: links that make the first one end.
pub(super) async fn end_setup(transaction: &mut Transaction<'static, Any>) -> Result<(), StoreError> {
    sqlx::query("DELETE FROM invitation WHERE account IS NULL").execute(&mut **transaction).await?;
    Ok(())
}

fn identity(row: &AnyRow) -> Result<Identity, StoreError> {
    Ok(Identity {
        issuer: row.try_get("issuer")?,
        subject: row.try_get("subject")?,
        account: row.try_get("of_account")?,
        shown: row.try_get("shown")?,
        follows: row.try_get::<i64, _>("follows")? != 0,
        created: instant(row, "identity", "added_us")?,
    })
}
