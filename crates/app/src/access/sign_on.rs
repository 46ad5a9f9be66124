//! Signing in by a provider: which account somebody there has here, and what their groups make of it.
//!
//! A person is an issuer and a subject; an e-mail address never decides whose account it is. An account that a
//! provider made follows the groups of its person at every sign-in, until an admin says otherwise; one that was
//! there before and was linked keeps what admins gave it.

use std::net::IpAddr;

use jiff::Timestamp;
use store::{AccountChange, Admission, Identity, Store};
use types::access::{Action, Caller, User};
use types::organisation::{Oidc, Standing};

use super::secret::id;
use super::sessions::{address_subject, begin_by, forgotten, wait_of_address};
use super::users::{checked_login, checked_name, described, named};
use super::{AccessError, By, NAME_LENGTH_MAX, Session, audit};
use crate::oidc::Identified;

/// No provider gives longer subjects (OpenID Connect Core 1.0, section 2).
const SUBJECT_LENGTH_MAX: usize = 255;

/// Why somebody whom the provider vouches for does not come in.
#[derive(Clone, Debug, thiserror::Error, PartialEq, Eq)]
pub enum SignOnRefusal {
    #[error("none of your groups at {provider} lets anybody in here: ask an admin for one that does")]
    NoGroup { provider: String },
    #[error(
        "{provider} vouches for no e-mail address of yours in a domain that is let in here: ask an admin"
    )]
    Domain { provider: String },
    #[error("your account `{login}` is disabled: ask an admin")]
    Disabled { login: String },
    #[error(
        "there is an account `{login}` already, and a name alone does not make it yours: sign in to it with its \
         password and link it in its settings, or ask an admin to link it to `{subject}`"
    )]
    LoginTaken { login: String, subject: String },
    #[error("this person at {provider} has another account here already")]
    Linked { provider: String },
}

/// Where somebody signs in from.
#[derive(Clone, Copy, Debug)]
pub struct Device<'a> {
    pub address: Option<IpAddr>,
    /// As the browser names itself.
    pub browser: &'a str,
}

/// Counts an attempt to sign in by a provider, as a wrong password is counted; one that ends well takes it back.
///
/// # Errors
/// Too many attempts from the address failed before.
pub fn count_sign_on(store: &Store, address: Option<IpAddr>, at: Timestamp) -> Result<(), AccessError> {
    let subject = address_subject(address);
    match store.count_attempt(&[&subject], at, forgotten(at), |_, failures| wait_of_address(failures))? {
        Some(until) => Err(AccessError::Wait { until }),
        None => Ok(()),
    }
}

/// Takes back an attempt that was counted.
///
/// # Errors
/// The database does not answer.
pub fn forgive_sign_on(store: &Store, address: Option<IpAddr>) -> Result<(), AccessError> {
    Ok(store.attempt_succeeded("", &address_subject(address))?)
}

/// Records that somebody was not signed in, and why.
///
/// # Errors
/// The database does not answer.
pub fn refuse_sign_on(
    store: &Store,
    of: &Oidc,
    why: &str,
    address: Option<IpAddr>,
    at: Timestamp,
) -> Result<(), AccessError> {
    Ok(store.note(audit("nobody".into(), address, at, "session.refused", of.name.as_str(), why))?)
}

/// Signs in somebody whom the provider vouches for; whoever is new gets an account.
///
/// # Errors
/// [`AccessError::SignOn`] says why they do not come in; that is recorded too.
pub fn sign_on(
    store: &Store,
    of: &Oidc,
    who: &Identified,
    from: Device<'_>,
    at: Timestamp,
) -> Result<Session, AccessError> {
    match admitted(store, of, who, from.address, at) {
        Ok(user) => {
            forgive_sign_on(store, from.address)?;
            begin_by(store, user, from, at, Some(&who.issuer))
        }
        Err(AccessError::SignOn(refusal)) => {
            let why = format!("{refusal} (subject {})", who.subject);
            refuse_sign_on(store, of, &why, from.address, at)?;
            Err(refusal.into())
        }
        Err(error) => Err(error),
    }
}

/// The account of somebody, as their groups make it now.
fn admitted(
    store: &Store,
    of: &Oidc,
    who: &Identified,
    address: Option<IpAddr>,
    at: Timestamp,
) -> Result<User, AccessError> {
    let provider = || of.name.clone();
    if !of.allowed_domains.is_empty() && !who.email.as_deref().is_some_and(|email| of.allows(email)) {
        return Err(SignOnRefusal::Domain { provider: provider() }.into());
    }
    let standing = of.standing(&who.groups).ok_or_else(|| SignOnRefusal::NoGroup { provider: provider() });
    match store.identity(&who.issuer, &who.subject)? {
        None => {
            let user = new_user(who, standing?, at)?;
            made(store, of, who, user, address, at)
        }
        Some((_, user)) if user.is_disabled => Err(SignOnRefusal::Disabled { login: user.login }.into()),
        Some((identity, user)) if identity.follows => match standing {
            Ok(standing) => followed(store, of, who, user, standing, address, at),
            Err(refusal) => {
                // Whoever has lost every group also leaves the browsers where they are still signed in.
                let record =
                    audit(user.login.clone(), address, at, "session.ended", &*user.login, "no group");
                store.end_sessions_by(&user.id, &who.issuer, record)?;
                Err(refusal.into())
            }
        },
        Some((_, user)) => Ok(user),
    }
}

fn new_user(who: &Identified, standing: Standing, at: Timestamp) -> Result<User, AccessError> {
    // The names that the provider answers for come first; a subject is unique, if not pretty.
    let names = [who.email.as_deref(), who.username.as_deref(), Some(who.subject.as_str())];
    let login = names.into_iter().flatten().find_map(|name| checked_login(name).ok());
    let login = login.ok_or_else(|| AccessError::Login { login: who.subject.chars().take(40).collect() })?;
    Ok(User {
        id: id()?,
        name: name_of(who).unwrap_or_else(|| login.chars().take(NAME_LENGTH_MAX).collect()),
        login,
        role: standing.role,
        functions: standing.functions,
        systems: standing.systems,
        is_disabled: false,
        created: at,
        seen: None,
    })
}

/// The name as an account can have it.
fn name_of(who: &Identified) -> Option<String> {
    let name = who.name.as_deref()?;
    let name: String = name.chars().filter(|c| !c.is_control()).take(NAME_LENGTH_MAX).collect();
    checked_name(&name).ok()
}

fn made(
    store: &Store,
    of: &Oidc,
    who: &Identified,
    user: User,
    address: Option<IpAddr>,
    at: Timestamp,
) -> Result<User, AccessError> {
    let identity = Identity { follows: true, ..identity_of(who, &user, at)? };
    let detail = format!("{}; by {} (subject {})", described(&user), of.name, who.subject);
    let record = audit(user.login.clone(), address, at, "user.created", user.login.as_str(), detail);
    if store.admit(&user, &identity, record)? {
        return Ok(user);
    }
    // Another browser of the same person may have been faster.
    match store.identity(&who.issuer, &who.subject)? {
        Some((_, user)) => Ok(user),
        None => Err(SignOnRefusal::LoginTaken { login: user.login, subject: who.subject.clone() }.into()),
    }
}

fn followed(
    store: &Store,
    of: &Oidc,
    who: &Identified,
    user: User,
    standing: Standing,
    address: Option<IpAddr>,
    at: Timestamp,
) -> Result<User, AccessError> {
    let Standing { role, functions, systems } = standing;
    let name = name_of(who).unwrap_or_else(|| user.name.clone());
    let now = User { name, role, functions, systems, ..user.clone() };
    if now == user {
        return Ok(user);
    }
    let detail = format!("{}; by the groups at {}", described(&now), of.name);
    let record = audit(user.login.clone(), address, at, "user.changed", user.login.as_str(), detail);
    match store.change_account(&user.id, &AccountChange::Followed(&now), record)? {
        Admission::Done => Ok(now),
        _ => Err(AccessError::NoUser { id: user.id }),
    }
}

fn identity_of(who: &Identified, user: &User, at: Timestamp) -> Result<Identity, AccessError> {
    let shown = who.email.as_deref().or(who.username.as_deref()).or(who.name.as_deref()).unwrap_or_default();
    Ok(Identity {
        issuer: who.issuer.clone(),
        subject: checked_subject(&who.subject)?,
        account: user.id.clone(),
        shown: shown.chars().filter(|c| !c.is_control()).take(SUBJECT_LENGTH_MAX).collect(),
        follows: false,
        created: at,
    })
}

fn checked_subject(text: &str) -> Result<String, AccessError> {
    let is_good = !text.is_empty()
        && text.chars().count() <= SUBJECT_LENGTH_MAX
        && !text.contains(|c: char| c.is_control() || c.is_whitespace());
    if is_good { Ok(text.to_owned()) } else { Err(AccessError::Subject) }
}

/// Who the caller's account, or (for admins) another, is at providers.
///
/// # Errors
/// The caller may not see it.
pub fn identities(store: &Store, by: By<'_>, account: &str) -> Result<Vec<Identity>, AccessError> {
    let is_own = by.caller.account().is_some_and(|user| user.id == account);
    if !is_own {
        by.must(Action::Administer)?;
    }
    Ok(store.identities(account)?)
}

/// Lets somebody at the provider into the account of a person who is signed in, and asked for it.
///
/// # Errors
/// They have an account already.
pub fn link_own(
    store: &Store,
    of: &Oidc,
    who: &Identified,
    user: &User,
    address: Option<IpAddr>,
    at: Timestamp,
) -> Result<(), AccessError> {
    let caller = Caller::person(user.clone());
    let by = By { caller: &caller, address, at };
    add(store, by, of, user, &identity_of(who, user, at)?)?;
    forgive_sign_on(store, address)
}

/// Lets the person with a subject at the provider into an account.
///
/// # Errors
/// The caller may not, there is no such account, or the person has one already.
pub fn link(store: &Store, by: By<'_>, of: &Oidc, id: &str, subject: &str) -> Result<(), AccessError> {
    by.must(Action::Administer)?;
    let user = named(store, id)?;
    let identity = Identity {
        issuer: of.issuer.clone(),
        subject: checked_subject(subject.trim())?,
        account: user.id.clone(),
        shown: String::new(),
        follows: false,
        created: by.at,
    };
    add(store, by, of, &user, &identity)
}

fn add(store: &Store, by: By<'_>, of: &Oidc, user: &User, identity: &Identity) -> Result<(), AccessError> {
    let detail = format!("subject {} at {}", identity.subject, identity.issuer);
    if store.add_identity(identity, by.audit("identity.linked", user.login.as_str(), detail))? {
        Ok(())
    } else {
        Err(SignOnRefusal::Linked { provider: of.name.clone() }.into())
    }
}

/// Takes somebody at a provider from an account; browsers that the provider signed in are signed out.
///
/// # Errors
/// The caller may not, or there is no such identity.
pub fn unlink(store: &Store, by: By<'_>, id: &str, issuer: &str, subject: &str) -> Result<(), AccessError> {
    let (user, identity) = owned(store, by, id, issuer, subject)?;
    let detail = format!("subject {subject} at {issuer}");
    let record = by.audit("identity.unlinked", user.login.as_str(), detail);
    if store.remove_identity(&identity, record)? { Ok(()) } else { Err(AccessError::NoIdentity) }
}

/// Says whether the groups of somebody at a provider decide what their account may do.
///
/// # Errors
/// The caller may not, or there is no such identity.
pub fn follow_groups(
    store: &Store,
    by: By<'_>,
    id: &str,
    (issuer, subject): (&str, &str),
    follows: bool,
) -> Result<(), AccessError> {
    let (user, identity) = owned(store, by, id, issuer, subject)?;
    let detail = if follows { "its groups decide" } else { "admins decide" };
    let record = by.audit("identity.changed", user.login.as_str(), detail);
    if store.follow_groups(&identity, follows, record)? { Ok(()) } else { Err(AccessError::NoIdentity) }
}

/// An account and an identity of it, for an admin.
fn owned(
    store: &Store,
    by: By<'_>,
    id: &str,
    issuer: &str,
    subject: &str,
) -> Result<(User, Identity), AccessError> {
    by.must(Action::Administer)?;
    let user = named(store, id)?;
    let all = store.identities(id)?;
    let found = all.into_iter().find(|of| of.issuer == issuer && of.subject == subject);
    Ok((user, found.ok_or(AccessError::NoIdentity)?))
}

#[cfg(test)]
mod tests;
