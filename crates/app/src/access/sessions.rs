//! Signing in and out, and slowing down whoever guesses.

use std::net::IpAddr;

use jiff::{SignedDuration, Timestamp};
use store::{NewSession, SessionRow, Store};
use types::Digest;
use types::access::{Caller, User};

use super::sign_on::Device;
use super::users::normal_login;
use super::{AccessError, By, Secret, audit, password};

/// A session that nobody uses ends after this time,
pub const IDLE: SignedDuration = SignedDuration::from_hours(12);
/// and every session after this.
pub const LIFE: SignedDuration = SignedDuration::from_hours(7 * 24);
/// That a session was used is written down no more often than this.
pub(super) const SEEN_EVERY: SignedDuration = SignedDuration::from_mins(1);

/// Failures after which an account, and an address, must wait. Many people may share an address.
const ALLOWED: [u64; 2] = [5, 20];
const WAIT_MAX_SECS: i64 = 300;
/// A failure counts until nothing failed for this time.
const REMEMBERED: SignedDuration = SignedDuration::from_hours(24);
/// What is kept of how a browser names itself.
const BROWSER_LENGTH_MAX: usize = 200;

/// What somebody gives to sign in.
#[derive(Clone, Copy, Debug)]
pub struct LoginAttempt<'a> {
    pub login: &'a str,
    pub password: &'a str,
    /// As the browser names itself.
    pub browser: &'a str,
    pub address: Option<IpAddr>,
}

/// A browser that is signed in.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Session {
    /// For the cookie.
    pub secret: Secret,
    pub user: User,
    /// The provider that said who it is; none where a password did.
    pub issuer: Option<String>,
}

/// Signs in: a new session with a new secret.
///
/// # Errors
/// Wrong login or password, or too many attempts failed before.
pub fn log_in(store: &Store, attempt: LoginAttempt<'_>, at: Timestamp) -> Result<Session, AccessError> {
    let user = authenticate(store, attempt.login, attempt.password, attempt.address, at)?;
    begin(store, user, attempt.browser, attempt.address, at)
}

/// The session of a cookie's secret, if it is not over.
///
/// # Errors
/// The database does not answer.
pub fn session(store: &Store, secret: &str, at: Timestamp) -> Result<Option<Session>, AccessError> {
    let secret = Secret::given(secret);
    let Some((row, user)) = store.session(secret.digest())? else { return Ok(None) };
    if at.duration_since(row.seen) >= IDLE || at.duration_since(row.created) >= LIFE {
        return Ok(None);
    }
    if at.duration_since(row.seen) >= SEEN_EVERY {
        store.touch_session(secret.digest(), &user.id, at)?;
    }
    Ok(Some(Session { secret, user, issuer: row.issuer }))
}

/// The sessions of the caller's account that are not over, last seen first.
///
/// # Errors
/// The database does not answer.
pub fn sessions(store: &Store, by: By<'_>) -> Result<Vec<SessionRow>, AccessError> {
    let Some(user) = by.caller.account() else { return Ok(Vec::new()) };
    let mut rows = store.sessions(&user.id)?;
    rows.retain(|row| by.at.duration_since(row.seen) < IDLE && by.at.duration_since(row.created) < LIFE);
    Ok(rows)
}

/// Signs out.
///
/// # Errors
/// The database does not answer.
pub fn log_out(
    store: &Store,
    session: &Session,
    address: Option<IpAddr>,
    at: Timestamp,
) -> Result<(), AccessError> {
    let login = session.user.login.as_str();
    Ok(store
        .end_session(session.secret.digest(), audit(login.into(), address, at, "session.ended", login, ""))?)
}

/// Signs every other browser of the account out.
///
/// # Errors
/// The database does not answer.
pub fn end_other_sessions(
    store: &Store,
    session: &Session,
    address: Option<IpAddr>,
    at: Timestamp,
) -> Result<(), AccessError> {
    let login = session.user.login.as_str();
    let record = audit(login.into(), address, at, "session.ended", login, "all but one");
    Ok(store.end_other_sessions(&session.user.id, session.secret.digest(), record)?)
}

/// The account of a login and its password. Unknown logins cost the same work and are counted alike.
pub(super) fn authenticate(
    store: &Store,
    login: &str,
    given: &str,
    address: Option<IpAddr>,
    at: Timestamp,
) -> Result<User, AccessError> {
    let login = normal_login(login);
    // Of what was typed a digest is kept: it may have been the password.
    let (by_login, by_address) =
        (format!("login {}", Digest::of(login.as_bytes())), address_subject(address));
    if let Some(until) = store.count_attempt(&[&by_login, &by_address], at, forgotten(at), wait)? {
        return Err(AccessError::Wait { until });
    }
    let account = store.account(&login)?.filter(|(user, _)| !user.is_disabled);
    let hash = account.as_ref().and_then(|(_, hash)| hash.as_deref());
    let is_right = password::verify(given, hash)?;
    match account {
        Some((user, _)) if is_right => {
            store.attempt_succeeded(&by_login, &by_address)?;
            Ok(user)
        }
        account => {
            let object = account.map_or("an unknown login".into(), |(user, _)| user.login);
            store.note(audit("nobody".into(), address, at, "session.refused", object, ""))?;
            Err(AccessError::WrongPassword)
        }
    }
}

/// Begins a session for somebody who proved who they are.
///
/// # Errors
/// The database does not answer.
pub fn begin(
    store: &Store,
    user: User,
    browser: &str,
    address: Option<IpAddr>,
    at: Timestamp,
) -> Result<Session, AccessError> {
    begin_by(store, user, Device { address, browser }, at, None)
}

/// As [`begin`], for somebody whom a provider vouches for.
pub(super) fn begin_by(
    store: &Store,
    user: User,
    from: Device<'_>,
    at: Timestamp,
    issuer: Option<&str>,
) -> Result<Session, AccessError> {
    let Device { address, browser } = from;
    let secret = Secret::random("")?;
    let shown = address.map(|address| address.to_canonical().to_string()).unwrap_or_default();
    let browser: String = browser.chars().take(BROWSER_LENGTH_MAX).collect();
    let new = NewSession {
        secret: secret.digest(),
        account: &user.id,
        at,
        address: &shown,
        browser: &browser,
        issuer,
    };
    let caller = Caller::person(user.clone());
    let by = By { caller: &caller, address, at };
    let before = |age| at.saturating_sub(age).unwrap_or(Timestamp::MIN);
    store.begin_session(
        &new,
        (before(LIFE), before(IDLE)),
        by.audit(
            "session.began",
            user.login.as_str(),
            issuer.map(|of| format!("by {of}")).unwrap_or_default(),
        ),
    )?;
    Ok(Session { secret, user, issuer: issuer.map(str::to_owned) })
}

/// Failures of before count no more.
pub(super) fn forgotten(at: Timestamp) -> Timestamp {
    at.saturating_sub(REMEMBERED).unwrap_or(Timestamp::MIN)
}

/// How long an address must wait after so many failures.
pub(super) fn wait_of_address(failures: u64) -> SignedDuration {
    wait(1, failures)
}

/// An address as attempts are counted by: somebody who has one of IPv6 has a whole network of them.
pub(super) fn address_subject(address: Option<IpAddr>) -> String {
    match address.map(|address| address.to_canonical()) {
        None => "address unknown".into(),
        Some(IpAddr::V4(address)) => format!("address {address}"),
        Some(IpAddr::V6(address)) => {
            let [a, b, c, d, ..] = address.segments();
            format!("network {a:x}:{b:x}:{c:x}:{d:x}")
        }
    }
}

/// How long to wait after so many failures: a second, and twice as long with each one more.
fn wait(subject: usize, failures: u64) -> SignedDuration {
    let allowed = ALLOWED.get(subject).copied().unwrap_or_default();
    match failures.checked_sub(allowed) {
        None => SignedDuration::ZERO,
        Some(beyond) => SignedDuration::from_secs((1_i64 << beyond.min(16)).min(WAIT_MAX_SECS)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn waits_double_up_to_five_minutes() {
        let secs = |subject, failures| wait(subject, failures).as_secs();
        let expected = [0, 0, 0, 0, 1, 2, 4, 8, 16, 32, 64, 128, 256, 300, 300];
        assert_eq!((1..=15).map(|failures| secs(0, failures)).collect::<Vec<_>>(), expected);
        assert_eq!(secs(1, 19), 0);
        assert_eq!(secs(1, 20), 1);
        assert_eq!(secs(0, u64::MAX), 300);
    }

    #[test]
    fn addresses_of_one_network_are_one_subject() {
        let subject = |text: &str| address_subject(Some(text.parse().unwrap()));
        assert_eq!(subject("::ffff:192.0.2.1"), subject("192.0.2.1"));
        assert_eq!(subject("2001:db8:1:2::1"), subject("2001:db8:1:2:ffff::9"));
        assert_ne!(subject("2001:db8:1:2::1"), subject("2001:db8:1:3::1"));
    }
}
