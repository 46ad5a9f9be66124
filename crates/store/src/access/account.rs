//! Accounts, and the invitations with which their passwords are chosen.

use jiff::Timestamp;
use serde::Serialize;
use serde::de::DeserializeOwned;
use sqlx::any::AnyRow;
use sqlx::{Any, Row as _, Transaction};
use types::Digest;
use types::access::{Reach, Role, User};
use types::audit::Audit;

use super::identity::end_setup;
use crate::audit;
use crate::database::{Store, StoreError, instant, instant_or_none, micros, unreadable};

/// An account about to be made.
#[derive(Clone, Debug)]
pub struct NewAccount<'a> {
    pub user: &'a User,
    /// The hash in PHC form; none where an invitation is to be followed first.
    pub password: Option<&'a str>,
}

/// What of an account changes.
#[derive(Clone, Debug)]
pub enum Change<'a> {
    /// Name, role, functions, systems and whether it is disabled, as in the user that is given.
    Described(&'a User),
    /// The same, as the groups of a provider have it, which may also take the last admin's role.
    Followed(&'a User),
    /// The hash in PHC form.
    Password(&'a str),
}

/// What came of a change that depends on what is there.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Admission {
    Done,
    /// Another account has the login.
    LoginTaken,
    /// The account, or the invitation, is not there (any more).
    Missing,
    /// Nobody would be left who can let others in.
    LastAdmin,
}

pub(super) const COLUMNS: &str = "account.id, account.login, account.name, account.role, account.functions, \
     account.systems, account.is_disabled, account.created_us, account.seen_us";

const ADMINS_WITH_PASSWORD: &str = "SELECT COUNT(*) AS admins FROM account \
     WHERE role = 'admin' AND is_disabled = 0 AND password IS NOT NULL";

impl Store {
    /// Whether an admin can sign in with a password: until then the server waits to be set up, unless one can
    /// by a provider ([`Store::has_admin_at`]).
    ///
    /// # Errors
    /// The database does not answer.
    pub fn has_admin(&self) -> Result<bool, StoreError> {
        self.block_on(async {
            let row = sqlx::query(ADMINS_WITH_PASSWORD).fetch_one(self.pool()).await?;
            Ok(row.try_get::<i64, _>("admins")? > 0)
        })
    }

    /// All accounts, by login.
    ///
    /// # Errors
    /// The database does not answer, or a row was damaged.
    pub fn users(&self) -> Result<Vec<User>, StoreError> {
        let query = format!("SELECT {COLUMNS} FROM account ORDER BY login");
        let rows = self.block_on(sqlx::query(sqlx::AssertSqlSafe(query)).fetch_all(self.pool()))?;
        rows.iter().map(user).collect()
    }

    /// The account of a login with the hash of its password.
    ///
    /// # Errors
    /// The database does not answer, or a row was damaged.
    pub fn account(&self, login: &str) -> Result<Option<(User, Option<String>)>, StoreError> {
        let query = format!("SELECT {COLUMNS}, account.password FROM account WHERE login = $1");
        let row =
            self.block_on(sqlx::query(sqlx::AssertSqlSafe(query)).bind(login).fetch_optional(self.pool()))?;
        row.map(|row| Ok((user(&row)?, row.try_get("password")?))).transpose()
    }

    /// Makes an account.
    ///
    /// # Errors
    /// The database does not answer.
    pub fn add_account(&self, new: &NewAccount<'_>, audit: Audit) -> Result<Admission, StoreError> {
        self.block_on(async {
            let mut change = audit::Change::begin(self).await?;
            if !insert(&mut change.transaction, new).await? {
                return Ok(Admission::LoginTaken);
            }
            change.commit(audit).await?;
            Ok(Admission::Done)
        })
    }

    /// Changes an account. A new password, as disabling it, ends its sessions.
    ///
    /// # Errors
    /// The database does not answer.
    pub fn change_account(&self, id: &str, what: &Change<'_>, audit: Audit) -> Result<Admission, StoreError> {
        self.block_on(async {
            let mut change = audit::Change::begin(self).await?;
            let transaction = &mut change.transaction;
            let changed = match what {
                Change::Described(user) | Change::Followed(user) => describe(transaction, id, user).await?,
                Change::Password(hash) => set_password(transaction, id, hash).await?,
            };
            if changed == 0 {
                return Ok(Admission::Missing);
            }
            let locks_out =
                matches!(what, Change::Described(user) if user.is_disabled || user.role != Role::Admin);
            if locks_out && !someone_can_let_others_in(transaction).await? {
                return Ok(Admission::LastAdmin);
            }
            let ends_sessions = match what {
                Change::Described(user) | Change::Followed(user) => user.is_disabled,
                Change::Password(_) => true,
            };
            if matches!(what, Change::Followed(user) if user.role == Role::Admin) {
                end_setup(transaction).await?;
            }
            if ends_sessions {
                sqlx::query("DELETE FROM session WHERE account = $1")
                    .bind(id)
                    .execute(&mut **transaction)
                    .await?;
            }
            change.commit(audit).await?;
            Ok(Admission::Done)
        })
    }

    /// Keeps the digest of a code with which a password can be chosen: for an account, or for the first admin.
    /// A newer invitation for an account replaces the one before.
    ///
    /// # Errors
    /// The database does not answer.
    pub fn invite(
        &self,
        code: Digest,
        account: Option<&str>,
        expires: Timestamp,
        audit: Audit,
    ) -> Result<(), StoreError> {
        self.block_on(async {
            let mut change = audit::Change::begin(self).await?;
            let transaction = &mut change.transaction;
            sqlx::query("DELETE FROM invitation WHERE account = $1")
                .bind(account)
                .execute(&mut **transaction)
                .await?;
            sqlx::query("INSERT INTO invitation (code, account, expires_us) VALUES ($1, $2, $3)")
                .bind(code.to_string())
                .bind(account)
                .bind(micros(expires))
                .execute(&mut **transaction)
                .await?;
            change.commit(audit).await
        })
    }

    /// Whom a code invites: nothing where it is not valid (any more), no account where it is for the first admin.
    ///
    /// # Errors
    /// The database does not answer, or a row was damaged.
    pub fn invited(&self, code: Digest, now: Timestamp) -> Result<Option<Option<User>>, StoreError> {
        self.block_on(async {
            let row = sqlx::query("SELECT account FROM invitation WHERE code = $1 AND expires_us > $2")
                .bind(code.to_string())
                .bind(micros(now))
                .fetch_optional(self.pool())
                .await?;
            let Some(row) = row else { return Ok(None) };
            let Some(account) = row.try_get::<Option<String>, _>("account")? else { return Ok(Some(None)) };
            let query = format!("SELECT {COLUMNS} FROM account WHERE id = $1 AND is_disabled = 0");
            let row =
                sqlx::query(sqlx::AssertSqlSafe(query)).bind(account).fetch_optional(self.pool()).await?;
            row.map(|row| Ok(Some(user(&row)?))).transpose()
        })
    }

    /// Makes the first admin with the code of the setup link, which ends every such link.
    ///
    /// # Errors
    /// The database does not answer.
    pub fn set_up(&self, code: Digest, new: &NewAccount<'_>, audit: Audit) -> Result<Admission, StoreError> {
        self.block_on(async {
            let mut change = audit::Change::begin(self).await?;
            let transaction = &mut change.transaction;
            let used =
                sqlx::query("DELETE FROM invitation WHERE code = $1 AND account IS NULL AND expires_us > $2")
                    .bind(code.to_string())
                    .bind(micros(audit.at))
                    .execute(&mut **transaction)
                    .await?;
            if used.rows_affected() == 0 || has_admin_with_password(transaction).await? {
                return Ok(Admission::Missing);
            }
            if !insert(transaction, new).await? {
                return Ok(Admission::LoginTaken);
            }
            end_setup(transaction).await?;
            change.commit(audit).await?;
            Ok(Admission::Done)
        })
    }

    /// Sets the password of an account with the code of its invitation, which ends with it.
    ///
    /// # Errors
    /// The database does not answer.
    pub fn accept(
        &self,
        code: Digest,
        account: &str,
        password: &str,
        audit: Audit,
    ) -> Result<Admission, StoreError> {
        self.block_on(async {
            let mut change = audit::Change::begin(self).await?;
            let transaction = &mut change.transaction;
            let used =
                sqlx::query("DELETE FROM invitation WHERE code = $1 AND account = $2 AND expires_us > $3")
                    .bind(code.to_string())
                    .bind(account)
                    .bind(micros(audit.at))
                    .execute(&mut **transaction)
                    .await?;
            if used.rows_affected() == 0 || set_password(transaction, account, password).await? == 0 {
                return Ok(Admission::Missing);
            }
            sqlx::query("DELETE FROM session WHERE account = $1")
                .bind(account)
                .execute(&mut **transaction)
                .await?;
            change.commit(audit).await?;
            Ok(Admission::Done)
        })
    }
}

/// Whether the account is new; nothing was written where another has its login.
pub(super) async fn insert(
    transaction: &mut Transaction<'static, Any>,
    new: &NewAccount<'_>,
) -> Result<bool, StoreError> {
    let NewAccount { user, password } = new;
    let inserted = sqlx::query(
        "INSERT INTO account (id, login, name, password, role, functions, systems, is_disabled, created_us) \
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9) ON CONFLICT DO NOTHING",
    )
    .bind(user.id.as_str())
    .bind(user.login.as_str())
    .bind(user.name.as_str())
    .bind(*password)
    .bind(user.role.word())
    .bind(json(&user.functions)?)
    .bind(json(&user.systems)?)
    .bind(i64::from(user.is_disabled))
    .bind(micros(user.created))
    .execute(&mut **transaction)
    .await?;
    Ok(inserted.rows_affected() == 1)
}

async fn describe(
    transaction: &mut Transaction<'static, Any>,
    id: &str,
    user: &User,
) -> Result<u64, StoreError> {
    let changed = sqlx::query(
        "UPDATE account SET name = $1, role = $2, functions = $3, systems = $4, is_disabled = $5 WHERE id = $6",
    )
    .bind(user.name.as_str())
    .bind(user.role.word())
    .bind(json(&user.functions)?)
    .bind(json(&user.systems)?)
    .bind(i64::from(user.is_disabled))
    .bind(id)
    .execute(&mut **transaction)
    .await?;
    Ok(changed.rows_affected())
}

/// Only of an account that is not disabled.
async fn set_password(
    transaction: &mut Transaction<'static, Any>,
    id: &str,
    hash: &str,
) -> Result<u64, StoreError> {
    let changed = sqlx::query("UPDATE account SET password = $1 WHERE id = $2 AND is_disabled = 0")
        .bind(hash)
        .bind(id)
        .execute(&mut **transaction)
        .await?;
    Ok(changed.rows_affected())
}

async fn has_admin_with_password(transaction: &mut Transaction<'static, Any>) -> Result<bool, StoreError> {
    let row = sqlx::query(ADMINS_WITH_PASSWORD).fetch_one(&mut **transaction).await?;
    Ok(row.try_get::<i64, _>("admins")? > 0)
}

/// With a password, or by a provider.
async fn someone_can_let_others_in(transaction: &mut Transaction<'static, Any>) -> Result<bool, StoreError> {
    let row = sqlx::query(
        "SELECT COUNT(*) AS admins FROM account WHERE role = 'admin' AND is_disabled = 0 AND (password IS NOT NULL \
         OR EXISTS (SELECT 1 FROM identity WHERE identity.account = account.id))",
    )
    .fetch_one(&mut **transaction)
    .await?;
    Ok(row.try_get::<i64, _>("admins")? > 0)
}

pub(super) fn user(row: &AnyRow) -> Result<User, StoreError> {
    const TABLE: &str = "account";
    let role: String = row.try_get("role")?;
    let systems: Reach = from_json(row, TABLE, "systems")?;
    Ok(User {
        id: row.try_get("id")?,
        login: row.try_get("login")?,
        name: row.try_get("name")?,
        role: role.parse().map_err(|error| unreadable(TABLE, error))?,
        functions: from_json(row, TABLE, "functions")?,
        systems,
        is_disabled: row.try_get::<i64, _>("is_disabled")? != 0,
        created: instant(row, TABLE, "created_us")?,
        seen: instant_or_none(row, TABLE, "seen_us")?,
    })
}

pub(super) fn json(value: &impl Serialize) -> Result<String, StoreError> {
    Ok(serde_json::to_string(value)?)
}

pub(super) fn from_json<T: DeserializeOwned>(
    row: &AnyRow,
    table: &'static str,
    column: &'static str,
) -> Result<T, StoreError> {
    let text: String = row.try_get(column)?;
    serde_json::from_str(&text).map_err(|error| unreadable(table, format!("`{column}`: {error}")))
}
