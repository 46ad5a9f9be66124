//! Accounts: made, described, disabled; passwords changed.

use std::collections::BTreeSet;

use store::{AccountChange, Admission, NewAccount, Store};
use types::access::{Action, Function, Reach, Role, User};

use super::secret::id;
use super::{AccessError, By, Secret, invite, password, sessions};

const LOGIN_LENGTH_MAX: usize = 254;
pub(super) const NAME_LENGTH_MAX: usize = 100;

/// Whom to let in.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NewUser {
    pub login: String,
    pub name: String,
    pub role: Role,
    pub functions: BTreeSet<Function>,
    pub systems: Reach,
}

/// What of an account is to change.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct UserChange {
    pub name: Option<String>,
    pub role: Option<Role>,
    pub functions: Option<BTreeSet<Function>>,
    pub systems: Option<Reach>,
    pub is_disabled: Option<bool>,
}

/// All accounts, by login.
///
/// # Errors
/// The caller may not see them.
pub fn users(store: &Store, by: By<'_>) -> Result<Vec<User>, AccessError> {
    by.must(Action::Administer)?;
    Ok(store.users()?)
}

/// Makes an account, and the code of the link with which its owner chooses a password.
///
/// # Errors
/// The caller may not, or what is told of the user is not taken.
pub fn create_user(store: &Store, by: By<'_>, new: &NewUser) -> Result<(User, Secret), AccessError> {
    by.must(Action::Administer)?;
    let user = User {
        id: id()?,
        login: checked_login(&new.login)?,
        name: checked_name(&new.name)?,
        role: new.role,
        functions: new.functions.clone(),
        systems: new.systems.clone(),
        is_disabled: false,
        created: by.at,
        seen: None,
    };
    refuse_limited_admin(&user)?;
    let record = by.audit("user.created", user.login.as_str(), described(&user));
    match store.add_account(&NewAccount { user: &user, password: None }, record)? {
        Admission::LoginTaken => return Err(AccessError::LoginTaken { login: user.login }),
        Admission::Done | Admission::Missing | Admission::LastAdmin => {}
    }
    let code = invite(store, by, &user.id)?;
    Ok((user, code))
}

/// Changes an account; disabling it ends its sessions, and its tokens are refused.
///
/// # Errors
/// The caller may not, there is no such account, or nobody would be left who can let others in.
pub fn change_user(store: &Store, by: By<'_>, id: &str, change: &UserChange) -> Result<User, AccessError> {
    by.must(Action::Administer)?;
    let mut user = named(store, id)?;
    if let Some(name) = &change.name {
        user.name = checked_name(name)?;
    }
    user.role = change.role.unwrap_or(user.role);
    if let Some(functions) = &change.functions {
        user.functions.clone_from(functions);
    }
    if let Some(systems) = &change.systems {
        user.systems.clone_from(systems);
    }
    user.is_disabled = change.is_disabled.unwrap_or(user.is_disabled);
    refuse_limited_admin(&user)?;
    let action = match change.is_disabled {
        Some(true) => "user.disabled",
        Some(false) => "user.enabled",
        None => "user.changed",
    };
    let record = by.audit(action, user.login.as_str(), described(&user));
    match store.change_account(&user.id, &AccountChange::Described(&user), record)? {
        Admission::Done => Ok(user),
        Admission::LastAdmin => Err(AccessError::LastAdmin),
        Admission::Missing | Admission::LoginTaken => Err(AccessError::NoUser { id: id.to_owned() }),
    }
}

/// Changes the caller's own password. Every session of the account ends; its tokens stay.
///
/// # Errors
/// The current password is wrong (attempts are counted as in signing in), or the new one is not taken.
pub fn change_password(store: &Store, by: By<'_>, current: &str, new: &str) -> Result<(), AccessError> {
    let user = by.caller.account().ok_or(AccessError::NoAccount)?;
    sessions::authenticate(store, &user.login, current, by.address, by.at)?;
    password::check(new, &user.login)?;
    let hash = password::hash(new)?;
    let record = by.audit("password.changed", user.login.as_str(), "");
    match store.change_account(&user.id, &AccountChange::Password(&hash), record)? {
        Admission::Done => Ok(()),
        _ => Err(AccessError::NoUser { id: user.id.clone() }),
    }
}

/// Whether a password lets somebody into the caller's own account; not where only a provider does.
///
/// # Errors
/// The database does not answer.
pub fn has_password(store: &Store, by: By<'_>) -> Result<bool, AccessError> {
    let Some(user) = by.caller.account() else { return Ok(false) };
    Ok(store.account(&user.login)?.is_some_and(|(_, hash)| hash.is_some()))
}

pub(super) fn named(store: &Store, id: &str) -> Result<User, AccessError> {
    let found = store.users()?.into_iter().find(|user| user.id == id);
    found.ok_or_else(|| AccessError::NoUser { id: id.to_owned() })
}

pub(super) fn checked_login(text: &str) -> Result<String, AccessError> {
    let login = normal_login(text);
    let is_good = !login.is_empty()
        && login.chars().count() <= LOGIN_LENGTH_MAX
        && !login.chars().any(|c| c.is_whitespace() || c.is_control());
    if is_good { Ok(login) } else { Err(AccessError::Login { login: text.chars().take(40).collect() }) }
}

pub(super) fn normal_login(text: &str) -> String {
    text.trim().to_lowercase()
}

pub(super) fn checked_name(text: &str) -> Result<String, AccessError> {
    let name = text.trim();
    let is_good =
        !name.is_empty() && name.chars().count() <= NAME_LENGTH_MAX && !name.chars().any(char::is_control);
    if is_good { Ok(name.to_owned()) } else { Err(AccessError::Name) }
}

fn refuse_limited_admin(user: &User) -> Result<(), AccessError> {
    let is_limited = user.role == Role::Admin && user.systems != Reach::All;
    if is_limited { Err(AccessError::LimitedAdmin) } else { Ok(()) }
}

/// An account as the audit log tells of it.
pub(super) fn described(user: &User) -> String {
    let mut text = user.role.to_string();
    for function in &user.functions {
        text.push_str(&format!(", {function}"));
    }
    match &user.systems {
        Reach::All => text.push_str("; all systems"),
        Reach::Only(systems) => {
            let systems: Vec<&str> = systems.iter().map(String::as_str).collect();
            text.push_str(&format!("; systems: {}", systems.join(", ")));
        }
    }
    text
}
