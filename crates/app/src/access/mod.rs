//! Who may come in, and what they change about it: the first setup, accounts, signing in, by a
//! provider too, tokens.
//!
//! The rules of what a [`Caller`] may do are in `types::access`; here they are asked. Each change is recorded
//! in the audit log in its own transaction. Time is an argument. Secrets are random, and only their digests
//! are kept, so whoever reads the database cannot come in with what they find.

mod password;
mod secret;
mod sessions;
mod setup;
mod sign_on;
mod tokens;
mod users;

use std::net::IpAddr;

use jiff::Timestamp;
use store::{AuditPage, Store, StoreError};
use types::access::{Action, Caller, Role, Scope};
use types::audit::Audit;

pub use password::{LENGTH_MIN as PASSWORD_LENGTH_MIN, PasswordError};
pub use secret::Secret;
pub use sessions::{
    IDLE, LIFE, LoginAttempt, Session, begin as begin_session, end_other_sessions, log_in, log_out, session,
    sessions,
};
pub use setup::{Invited, NewAdmin, accept, invite, invited, set_up, setup_code};
pub use sign_on::{
    Device, SignOnRefusal, count_sign_on, follow_groups, forgive_sign_on, identities, link, link_own,
    refuse_sign_on, sign_on, unlink,
};
pub use store::{Identity, SessionRow};
pub use tokens::{DAYS_MAX, TokenRefusal, TokenRequest, issue_token, revoke_token, token_caller, tokens};
use users::NAME_LENGTH_MAX;
pub use users::{NewUser, UserChange, change_password, change_user, create_user, has_password, users};

#[derive(Debug, thiserror::Error)]
pub enum AccessError {
    #[error(transparent)]
    Store(#[from] StoreError),
    #[error("the operating system gives no random numbers: {0}")]
    Random(#[from] getrandom::Error),
    #[error("the password could not be hashed: {0}")]
    Hash(argon2::password_hash::Error),
    #[error("you may not {}: that takes the role {}", .action.shown(), .action.least_role())]
    Forbidden { action: Action },
    #[error("e-mail or password is not right")]
    WrongPassword,
    #[error("too many attempts failed: try again at {until}")]
    Wait { until: Timestamp },
    #[error(transparent)]
    Password(#[from] PasswordError),
    #[error("`{login}` is no login: give an e-mail address or a name without spaces, at most 254 characters")]
    Login { login: String },
    #[error("give a name of at most 100 characters")]
    Name,
    #[error("there is an account `{login}` already")]
    LoginTaken { login: String },
    #[error("there is no user `{id}`")]
    NoUser { id: String },
    #[error("there is no token `{id}` that could be revoked")]
    NoToken { id: String },
    #[error("this is the last admin: nobody could let others in")]
    LastAdmin,
    #[error("an admin sees every system: leave systems out, or choose another role")]
    LimitedAdmin,
    #[error("this link was used or is no longer valid: ask an admin for a new one")]
    Link,
    #[error("choose at least one scope")]
    NoScope,
    #[error("the scope {scope} is of no use to a {role}: that takes the role {}", .scope.least_role())]
    Scope { scope: Scope, role: Role },
    #[error("a token lasts from 1 to {DAYS_MAX} days")]
    Expiry,
    #[error("tokens belong to accounts: sign in first")]
    NoAccount,
    #[error(transparent)]
    Token(#[from] TokenRefusal),
    #[error(transparent)]
    SignOn(#[from] SignOnRefusal),
    #[error("a subject is what the provider calls somebody by: at most 255 characters, without spaces")]
    Subject,
    #[error("the account is not linked to such a person")]
    NoIdentity,
    #[error("the server is stopping")]
    Stopped,
}

/// Who asks, from where, and when.
#[derive(Clone, Copy, Debug)]
pub struct By<'a> {
    pub caller: &'a Caller,
    pub address: Option<IpAddr>,
    pub at: Timestamp,
}

impl By<'_> {
    /// # Errors
    /// The caller may not do it to what belongs to no system in particular.
    pub fn must(&self, action: Action) -> Result<(), AccessError> {
        self.caller.may(action, None).then_some(()).ok_or(AccessError::Forbidden { action })
    }

    /// The record of a change that the caller makes; `action` is a noun and what happens to it.
    pub fn audit(&self, action: &str, object: impl Into<String>, detail: impl Into<String>) -> Audit {
        audit(self.caller.actor(), self.address, self.at, action, object, detail)
    }
}

fn audit(
    actor: String,
    address: Option<IpAddr>,
    at: Timestamp,
    action: &str,
    object: impl Into<String>,
    detail: impl Into<String>,
) -> Audit {
    Audit {
        at,
        actor,
        address: address.map(|address| address.to_canonical().to_string()),
        action: action.into(),
        object: object.into(),
        detail: detail.into(),
    }
}

/// A part of the audit log, newest first.
///
/// # Errors
/// The caller may not read it.
pub fn audit_log(
    store: &Store,
    by: By<'_>,
    before: Option<u64>,
    limit: u32,
) -> Result<AuditPage, AccessError> {
    by.must(Action::ReadAudit)?;
    Ok(store.audit_log(before, limit)?)
}

#[cfg(test)]
mod tests;
