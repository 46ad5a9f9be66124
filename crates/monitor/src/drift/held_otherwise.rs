//! Columns whose files tell why they cannot be compared: new, gone, or of another type.
//!
//! That is no drift of values and no dead feed, and it is called what it is.

use crate::column_files::{ColumnChange, How};
use crate::{Scope, Summarised, column_files};
use types::Subject;

/// What the files tell of a column: `Err` with the reason where nothing can be compared, else a sentence
/// where there is something to say.
pub(super) fn told(
    scope: Scope<'_>,
    subject: &Subject,
    reference: &Summarised<'_>,
    current: &Summarised<'_>,
) -> Result<Option<String>, String> {
    let change = column_files::of_subject(scope, subject).and_then(|column| ColumnChange::of(scope, column));
    let Some(change) = change else { return Ok(None) };
    let is_empty = |of: &Summarised<'_>| of.profile.missing() == of.profile.rows();
    let is_hopeless = match change.how {
        How::New => is_empty(reference),
        How::Gone | How::Retyped(..) => change.whole && is_empty(current),
    };
    if is_hopeless { Err(reason(&change)) } else { Ok(Some(note(&change))) }
}

/// Why a column cannot be compared, to follow "is not known:".
fn reason(change: &ColumnChange<'_>) -> String {
    let since = change.since_words();
    match change.how {
        How::New => format!(
            "it is a new column, there from {since} on, and the reference does not have it; leave it out (`log.ignore`) or choose a later reference"
        ),
        How::Gone => format!("the column is gone, no longer there from {since} on"),
        How::Retyped(before, now) => format!(
            "it changed its type from {before} to {now} in {since}, and no value of the window can be read as before"
        ),
    }
}

/// What is said of a column that could be compared all the same.
fn note(change: &ColumnChange<'_>) -> String {
    let since = change.since_words();
    match change.how {
        How::New => format!("Earlier files do not have it; it is there from {since} on."),
        How::Gone => format!("Files from {since} on no longer have it; their rows count as missing."),
        How::Retyped(before, now) => format!(
            "It changed its type from {before} to {now} in {since}; what cannot be read as before counts as missing."
        ),
    }
}
