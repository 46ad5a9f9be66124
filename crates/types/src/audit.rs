//! The audit log: who changed what, when, and from where; each record carries the hash of the one before.
//!
//! A record's text is its JSON, and its hash is SHA-256 over exactly that text, which names the hash before
//! it. The end of the log is kept beside it, so that a cut tail shows too. Secrets are never in it.

use jiff::Timestamp;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::described;
use crate::digest::Digest;
use crate::evidence::Checkpoint;

/// A change about to be recorded.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Audit {
    pub at: Timestamp,
    /// See [`crate::access::Caller::actor`].
    pub actor: String,
    /// The address that the request came from.
    pub address: Option<String>,
    /// `user.created`, `alert.silenced`: a noun and what happened to it.
    pub action: String,
    /// What it happened to.
    pub object: String,
    /// What else is worth knowing, in words.
    pub detail: String,
}

/// A change as it was recorded.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct AuditRecord {
    /// Position in the log, from 0.
    pub seq: u64,
    pub previous: Digest,
    #[schemars(with = "described::Instant")]
    pub at: Timestamp,
    pub actor: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub address: Option<String>,
    pub action: String,
    pub object: String,
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub detail: String,
}

/// Why a log is not what was recorded.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
pub enum AuditError {
    #[error("record {seq} of the audit log cannot be read: {reason}")]
    Unreadable { seq: u64, reason: String },
    #[error(
        "record {seq} of the audit log does not follow the one before: something was changed, removed or put in between"
    )]
    Broken { seq: u64 },
    #[error(
        "the audit log ends after {found} records, but {expected} were written, or its last one was changed"
    )]
    Cut { found: u64, expected: u64 },
}

/// The text of the record that follows `end`, and the end after it.
///
/// # Errors
/// JSON cannot hold it, which no text can bring about.
pub fn extend(end: Checkpoint, audit: Audit) -> Result<(String, Checkpoint), serde_json::Error> {
    let Audit { at, actor, address, action, object, detail } = audit;
    let record =
        AuditRecord { seq: end.records, previous: end.hash, at, actor, address, action, object, detail };
    let text = serde_json::to_string(&record)?;
    let hash = Digest::of(text.as_bytes());
    Ok((text, Checkpoint { records: end.records + 1, hash }))
}

/// Verifies that texts follow `after`, one upon the other; returns where they end.
///
/// # Errors
/// The first record that is not what was recorded.
pub fn verify<'t>(
    after: Checkpoint,
    texts: impl IntoIterator<Item = &'t str>,
) -> Result<Checkpoint, AuditError> {
    texts.into_iter().try_fold(after, |end, text| {
        let record: AuditRecord = serde_json::from_str(text)
            .map_err(|error| AuditError::Unreadable { seq: end.records, reason: error.to_string() })?;
        if record.seq != end.records || record.previous != end.hash {
            return Err(AuditError::Broken { seq: end.records });
        }
        Ok(Checkpoint { records: end.records + 1, hash: Digest::of(text.as_bytes()) })
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn log() -> (Vec<String>, Checkpoint) {
        let mut texts = Vec::new();
        let mut end = Checkpoint::EMPTY;
        for object in ["a", "b", "c"] {
            let audit = Audit {
                at: Timestamp::UNIX_EPOCH,
                actor: "local".into(),
                address: None,
                action: "user.created".into(),
                object: object.into(),
                detail: String::new(),
            };
            let (text, next) = extend(end, audit).unwrap();
            texts.push(text);
            end = next;
        }
        (texts, end)
    }

    fn verified(texts: &[String]) -> Result<Checkpoint, AuditError> {
        verify(Checkpoint::EMPTY, texts.iter().map(String::as_str))
    }

    #[test]
    fn a_log_verifies_and_ends_where_it_was_written_to() {
        let (texts, end) = log();
        assert_eq!(verified(&texts), Ok(end));
        let middle = verified(&texts[..1]).unwrap();
        assert_eq!(verify(middle, texts[1..].iter().map(String::as_str)), Ok(end));
    }

    #[test]
    fn a_change_shows_in_the_record_after_it() {
        let (mut texts, end) = log();
        texts[1] = texts[1].replace("\"b\"", "\"x\"");
        assert_eq!(verified(&texts), Err(AuditError::Broken { seq: 2 }));
        // Of the last record, only the end that was kept can tell.
        texts.truncate(2);
        assert_ne!(verified(&texts).unwrap(), end);
        texts.remove(0);
        assert_eq!(verified(&texts), Err(AuditError::Broken { seq: 0 }));
    }
}
