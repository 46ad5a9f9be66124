//! Links that let somebody choose a password: the first admin, whoever was invited, whoever forgot theirs.

use std::collections::BTreeSet;
use std::net::IpAddr;

use jiff::{SignedDuration, Timestamp};
use store::{Admission, NewAccount, Store};
use types::access::{Action, Caller, Reach, Role, User};

use super::secret::id;
use super::users::{checked_login, checked_name, named};
use super::{AccessError, By, Secret, audit, password};

/// How long an invitation is valid.
const INVITATION: SignedDuration = SignedDuration::from_hours(7 * 24);

/// Whom a link is for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Invited {
    FirstAdmin,
    User(User),
}

/// What the first admin tells of themselves.
#[derive(Clone, Copy, Debug)]
pub struct NewAdmin<'a> {
    pub login: &'a str,
    pub name: &'a str,
    pub password: &'a str,
}

/// A code for the setup link, as long as no admin can sign in, with a password or by the provider `issuer`;
/// whoever starts the server shows it once. Codes of servers that started before stay valid until there is an
/// admin.
///
/// # Errors
/// The database does not answer.
pub fn setup_code(store: &Store, issuer: Option<&str>, at: Timestamp) -> Result<Option<Secret>, AccessError> {
    let has_admin_at = |issuer| store.has_admin_at(issuer);
    if store.has_admin()? || issuer.map(has_admin_at).transpose()?.unwrap_or(false) {
        return Ok(None);
    }
    let code = Secret::random("")?;
    let by = By { caller: &Caller::program(), address: None, at };
    store.invite(code.digest(), None, Timestamp::MAX, by.audit("setup_link.made", "first admin", ""))?;
    Ok(Some(code))
}

/// Whom a code invites.
///
/// # Errors
/// [`AccessError::Link`] where it was used or is no longer valid.
pub fn invited(store: &Store, code: &str, at: Timestamp) -> Result<Invited, AccessError> {
    match store.invited(Secret::given(code).digest(), at)? {
        Some(Some(user)) => Ok(Invited::User(user)),
        // An admin may have been let in by the command line meanwhile.
        Some(None) if !store.has_admin()? => Ok(Invited::FirstAdmin),
        _ => Err(AccessError::Link),
    }
}

/// Makes the first admin with the code of the setup link. It works once.
///
/// # Errors
/// The link is no longer valid, or the login, the name or the password is not taken.
pub fn set_up(
    store: &Store,
    code: &str,
    new: NewAdmin<'_>,
    address: Option<IpAddr>,
    at: Timestamp,
) -> Result<User, AccessError> {
    // Before the work of hashing is done for nobody.
    if invited(store, code, at)? != Invited::FirstAdmin {
        return Err(AccessError::Link);
    }
    let user = User {
        id: id()?,
        login: checked_login(new.login)?,
        name: checked_name(new.name)?,
        role: Role::Admin,
        functions: BTreeSet::new(),
        systems: Reach::All,
        is_disabled: false,
        created: at,
        seen: None,
    };
    password::check(new.password, &user.login)?;
    let hash = password::hash(new.password)?;
    let record = audit(
        user.login.clone(),
        address,
        at,
        "user.created",
        user.login.as_str(),
        "admin, by the setup link",
    );
    let account = NewAccount { user: &user, password: Some(&hash) };
    match store.set_up(Secret::given(code).digest(), &account, record)? {
        Admission::Done => Ok(user),
        Admission::LoginTaken => Err(AccessError::LoginTaken { login: user.login }),
        Admission::Missing | Admission::LastAdmin => Err(AccessError::Link),
    }
}

/// A link for an account whose password is to be chosen (again). The one before it ends.
///
/// # Errors
/// The caller may not, or there is no such account.
pub fn invite(store: &Store, by: By<'_>, id: &str) -> Result<Secret, AccessError> {
    by.must(Action::Administer)?;
    let user = named(store, id)?;
    let code = Secret::random("")?;
    let expires = by.at.saturating_add(INVITATION).unwrap_or(Timestamp::MAX);
    store.invite(
        code.digest(),
        Some(&user.id),
        expires,
        by.audit("user.invited", user.login.as_str(), ""),
    )?;
    Ok(code)
}

/// Sets a password with the code of an invitation. It works once, and ends sessions that were open.
///
/// # Errors
/// The link is no longer valid, or the password is not taken.
pub fn accept(
    store: &Store,
    code: &str,
    new_password: &str,
    address: Option<IpAddr>,
    at: Timestamp,
) -> Result<User, AccessError> {
    let Invited::User(user) = invited(store, code, at)? else { return Err(AccessError::Link) };
    password::check(new_password, &user.login)?;
    let hash = password::hash(new_password)?;
    let record =
        audit(user.login.clone(), address, at, "password.changed", user.login.as_str(), "by an invitation");
    match store.accept(Secret::given(code).digest(), &user.id, &hash, record)? {
        Admission::Done => Ok(user),
        _ => Err(AccessError::Link),
    }
}
