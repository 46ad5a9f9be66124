//! What people do about alerts: take one on, silence some for a while, end a silence.
//!
//! Each is kept together with a record of who did it. Whether they may is for the caller to ask; alerts show it
//! once they are evaluated again.

use jiff::{SignedDuration, Timestamp};
use store::StoreError;
use types::Digest;
use types::alert::{Acknowledgement, Matcher, Silence};

use crate::access::By;
use crate::service::Service;
use crate::site::alerts::AlertKey;

/// Characters of what is noted when an alert is taken on, and of why one is silenced.
pub const NOTE_LENGTH_MAX: usize = 1000;

/// Which silences somebody may see: those that are about a system that they may see.
pub fn silences(
    service: &Service,
    may_see: &dyn Fn(&str) -> bool,
    now: Timestamp,
) -> Result<Vec<Silence>, StoreError> {
    let is_seen = |silence: &Silence| {
        let of = Matcher { system: silence.matcher.system.clone(), ..Matcher::default() };
        service.systems().any(|served| may_see(served.id()) && of.matches(served.id(), "", ""))
    };
    Ok(service.store().silences(now)?.into_iter().filter(is_seen).collect())
}

/// Somebody takes an alert on.
///
/// # Errors
/// The database does not answer.
pub fn acknowledge(service: &Service, by: By<'_>, key: &AlertKey, note: &str) -> Result<(), StoreError> {
    let AlertKey { rule, subject, .. } = key.clone();
    let (at, name, note) = (by.at, by.caller.name().to_owned(), note.to_owned());
    let store = service.store();
    store.note(by.audit("alert.acknowledged", key.id(), note.as_str()))?;
    store.keep_acknowledgement(&key.system, &Acknowledgement { rule, subject, by: name, at, note })
}

/// Nobody is told of some alerts for a while. There is one silence for each matcher: it replaces the one before.
///
/// # Errors
/// The database does not answer.
pub fn silence(
    service: &Service,
    by: By<'_>,
    matcher: Matcher,
    hours: u32,
    reason: &str,
) -> Result<Silence, StoreError> {
    let id = silence_id(&matcher);
    let silence = Silence {
        id,
        from: by.at,
        until: by.at + SignedDuration::from_hours(i64::from(hours)),
        reason: reason.to_owned(),
        by: by.caller.name().to_owned(),
        matcher,
    };
    let store = service.store();
    let detail = format!("for {hours} hours: {reason}");
    store.note(by.audit("alert.silenced", about(&silence.matcher).id(), detail))?;
    store.keep_silence(&silence)?;
    Ok(silence)
}

/// Ends a silence; whether there was one.
///
/// # Errors
/// The database does not answer.
pub fn end_silence(service: &Service, by: By<'_>, id: &str) -> Result<bool, StoreError> {
    let store = service.store();
    let found = store.silences(by.at)?.into_iter().find(|silence| silence.id == id);
    let Some(silence) = found else { return Ok(false) };
    store.note(by.audit("silence.ended", about(&silence.matcher).id(), ""))?;
    store.keep_silence(&Silence { until: by.at, ..silence })?;
    Ok(true)
}

/// The matcher of one alert alone.
pub fn matcher_of(key: &AlertKey) -> Matcher {
    let AlertKey { system, rule, subject } = key.clone();
    Matcher { system, rule, subject }
}

/// The name of the silence of a matcher.
pub fn silence_id(matcher: &Matcher) -> String {
    Digest::of(about(matcher).id().as_bytes()).short()
}

fn about(matcher: &Matcher) -> AlertKey {
    let Matcher { system, rule, subject } = matcher.clone();
    AlertKey { system, rule, subject }
}
