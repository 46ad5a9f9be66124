//! Tokens of the API: made, used, revoked.

use std::collections::BTreeSet;

use jiff::{SignedDuration, Timestamp};
use store::{NewToken, Store};
use types::access::{Action, Caller, Reach, Scope, Token, Who};

use super::secret::id;
use super::sessions::SEEN_EVERY;
use super::users::checked_name;
use super::{AccessError, By, Secret};

/// A token lasts at most so long.
pub const DAYS_MAX: u32 = 366;
/// Every token begins so, which lets scanners of leaked secrets find it.
const PREFIX: &str = "fw_";
/// What is shown of a token later.
const SHOWN: usize = PREFIX.len() + 6;

/// A token that is asked for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TokenRequest {
    /// What it is for.
    pub name: String,
    pub scopes: BTreeSet<Scope>,
    pub systems: Reach,
    pub days: u32,
}

/// Why a token lets nobody in.
#[derive(Clone, Debug, thiserror::Error, PartialEq, Eq)]
pub enum TokenRefusal {
    #[error("this token is not known")]
    Unknown,
    #[error("the token {prefix} expired at {at}: make a new one")]
    Expired { prefix: String, at: Timestamp },
    #[error("the token {prefix} was revoked at {at}")]
    Revoked { prefix: String, at: Timestamp },
    #[error("the account of the token {prefix} is disabled")]
    Disabled { prefix: String },
}

/// Makes a token that acts for the caller's account, and its text, which is shown this once.
///
/// # Errors
/// Name, scopes or expiry are not taken. A token makes no tokens, unless it may administer.
pub fn issue_token(
    store: &Store,
    by: By<'_>,
    request: &TokenRequest,
) -> Result<(Token, Secret), AccessError> {
    let user = by.caller.account().ok_or(AccessError::NoAccount)?;
    if !matches!(by.caller.who, Who::Person(_)) {
        by.must(Action::Administer)?;
    }
    if request.scopes.is_empty() {
        return Err(AccessError::NoScope);
    }
    // The scope for everything that the account may is of use to every account.
    let useless = |scope: &&Scope| **scope != Scope::Admin && user.role < scope.least_role();
    if let Some(scope) = request.scopes.iter().find(useless) {
        return Err(AccessError::Scope { scope: *scope, role: user.role });
    }
    if !(1..=DAYS_MAX).contains(&request.days) {
        return Err(AccessError::Expiry);
    }
    let life = SignedDuration::from_hours(24 * i64::from(request.days));
    let secret = Secret::random(PREFIX)?;
    let token = Token {
        id: id()?,
        name: checked_name(&request.name)?,
        prefix: secret.text().chars().take(SHOWN).collect(),
        owner: user.login.clone(),
        scopes: request.scopes.clone(),
        systems: request.systems.clone(),
        created: by.at,
        expires: by.at.saturating_add(life).unwrap_or(Timestamp::MAX),
        used: None,
        revoked: None,
    };
    let scopes: Vec<&str> = token.scopes.iter().map(|scope| scope.word()).collect();
    let detail = format!("{}; {}; until {}", token.name, scopes.join(", "), token.expires);
    let new = NewToken { token: &token, account: &user.id, secret: secret.digest() };
    store.add_token(&new, by.audit("token.made", token.prefix.as_str(), detail))?;
    Ok((token, secret))
}

/// Tokens, oldest first: the caller's own, or those of all.
///
/// # Errors
/// The caller may not see those of others.
pub fn tokens(store: &Store, by: By<'_>, of_all: bool) -> Result<Vec<Token>, AccessError> {
    if of_all {
        by.must(Action::Administer)?;
        return Ok(store.tokens(None)?);
    }
    match by.caller.account() {
        Some(user) => Ok(store.tokens(Some(&user.id))?),
        None => Ok(Vec::new()),
    }
}

/// Ends a token for good: one's own, or (for admins) anybody's.
///
/// # Errors
/// There is no such token, or it was revoked before, or it is another's.
pub fn revoke_token(store: &Store, by: By<'_>, id: &str) -> Result<(), AccessError> {
    let missing = || AccessError::NoToken { id: id.to_owned() };
    let of_all = by.caller.may(Action::Administer, None);
    // A token may end itself when it leaked, and no other.
    let may = |token: &&Token| match &by.caller.who {
        Who::Token { token: own, .. } if !of_all => token.id == own.id,
        _ => true,
    };
    let token = tokens(store, by, of_all)?.into_iter().find(|token| token.id == id && may(&token));
    let token = token.ok_or_else(missing)?;
    let record =
        by.audit("token.revoked", token.prefix.as_str(), format!("{}, of {}", token.name, token.owner));
    if store.revoke_token(id, record)? { Ok(()) } else { Err(missing()) }
}

/// Who calls with a token.
///
/// # Errors
/// [`AccessError::Token`] says why it lets nobody in.
pub fn token_caller(store: &Store, text: &str, at: Timestamp) -> Result<Caller, AccessError> {
    let found = if text.starts_with(PREFIX) { store.token(Secret::given(text).digest())? } else { None };
    let Some((token, owner)) = found else { return Err(TokenRefusal::Unknown.into()) };
    let prefix = token.prefix.clone();
    if let Some(at) = token.revoked {
        return Err(TokenRefusal::Revoked { prefix, at }.into());
    }
    if at >= token.expires {
        return Err(TokenRefusal::Expired { prefix, at: token.expires }.into());
    }
    if owner.is_disabled {
        return Err(TokenRefusal::Disabled { prefix }.into());
    }
    if token.used.is_none_or(|used| at.duration_since(used) >= SEEN_EVERY) {
        store.touch_token(&token.id, at)?;
    }
    Ok(Caller::token(token, owner))
}
