//! The log of lineage events: each as it was received, with the hash of the record before it.
//!
//! A record's text is `{"seq":…,"previous":"…","received":"…","event":…}` with the event's own bytes, and its hash
//! is SHA-256 over exactly that text. Everything that is known of lineage is made from this log and can be made again.
//! The end of the log is kept beside it, so that a cut tail shows too.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;

use crate::digest::Digest;
use crate::evidence::Checkpoint;

#[derive(Serialize, Deserialize)]
struct Record<'t> {
    seq: u64,
    previous: Digest,
    received: Timestamp,
    #[serde(borrow)]
    event: &'t RawValue,
}

/// An event out of the log.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Received {
    pub at: Timestamp,
    /// As it was received.
    pub event: String,
}

/// Why a log is not what was recorded.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
pub enum LineageLogError {
    #[error("record {seq} of the log of lineage cannot be read: {reason}")]
    Unreadable { seq: u64, reason: String },
    #[error(
        "record {seq} of the log of lineage does not follow the one before: something was changed, removed or put \
         in between"
    )]
    Broken { seq: u64 },
    #[error(
        "the log of lineage ends after {found} records, but {expected} were written, or its last one was changed"
    )]
    Cut { found: u64, expected: u64 },
}

/// The text of the record that follows `end`, and the end after it.
///
/// # Errors
/// The event is not JSON.
pub fn extend(
    end: Checkpoint,
    received: Timestamp,
    event: &str,
) -> Result<(String, Checkpoint), serde_json::Error> {
    let event: &RawValue = serde_json::from_str(event)?;
    let text = serde_json::to_string(&Record { seq: end.records, previous: end.hash, received, event })?;
    let hash = Digest::of(text.as_bytes());
    Ok((text, Checkpoint { records: end.records + 1, hash }))
}

/// The event of the record that follows `end`, and the end after it.
///
/// # Errors
/// The record is not what was recorded.
pub fn read(end: Checkpoint, text: &str) -> Result<(Received, Checkpoint), LineageLogError> {
    let record: Record<'_> = serde_json::from_str(text)
        .map_err(|error| LineageLogError::Unreadable { seq: end.records, reason: error.to_string() })?;
    if record.seq != end.records || record.previous != end.hash {
        return Err(LineageLogError::Broken { seq: end.records });
    }
    let received = Received { at: record.received, event: record.event.get().to_owned() };
    Ok((received, Checkpoint { records: end.records + 1, hash: Digest::of(text.as_bytes()) }))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn events_come_out_as_they_went_in_and_a_change_shows_in_the_next() {
        let event = r#"{ "number": 12345678901234567890123, "text": "\u00e9" }"#;
        let (first, end) = extend(Checkpoint::EMPTY, Timestamp::UNIX_EPOCH, event).unwrap();
        let (second, last) = extend(end, Timestamp::UNIX_EPOCH, "{}").unwrap();
        let (received, read_to) = read(Checkpoint::EMPTY, &first).unwrap();
        assert_eq!((received.event.as_str(), read_to), (event, end));
        assert_eq!(read(end, &second).unwrap().1, last);
        let changed = first.replace("123", "124");
        let (_, elsewhere) = read(Checkpoint::EMPTY, &changed).unwrap();
        assert_eq!(read(elsewhere, &second).unwrap_err(), LineageLogError::Broken { seq: 1 });
        assert_eq!(read(Checkpoint::EMPTY, &second).unwrap_err(), LineageLogError::Broken { seq: 0 });
    }

    #[test]
    fn what_is_no_json_is_not_taken_in() {
        assert!(extend(Checkpoint::EMPTY, Timestamp::UNIX_EPOCH, "{\"a\":1}}").is_err());
    }
}
