//! Columns whose files tell why they cannot be compared: new, gone, or of another type.
//!
//! That is no drift of values and no dead feed, and it is called what it is.

use crate::column_files::{ColumnChange, How};
use crate::{Scope, Summarised, column_files};
use types::Subject;

/// What the files tell of a column, or of what the predicted class is told from: `Err` with the reason where nothing
/// can be compared, else a sentence where there is something to say.
pub(super) fn told(
    scope: Scope<'_>,
    subject: &Subject,
    reference: &Summarised<'_>,
    current: &Summarised<'_>,
) -> Result<Option<String>, String> {
    let column = column_files::of_subject(scope, subject);
    let Some((column, change)) = column.and_then(|column| Some((column, ColumnChange::of(scope, column)?)))
    else {
        return Ok(None);
    };
    let is_empty = |of: &Summarised<'_>| of.profile.missing() == of.profile.rows();
    let is_hopeless = match change.how {
        How::New => is_empty(reference),
        How::Gone | How::Retyped(..) => change.whole && is_empty(current),
    };
    let from = (*subject == Subject::PredictedClass).then_some(column.column.as_str());
    if is_hopeless { Err(reason(&change, from)) } else { Ok(Some(note(&change, from))) }
}

/// Why no row of the window has a usable prediction, where the files tell.
pub(super) fn no_prediction(scope: Scope<'_>) -> Option<String> {
    let column = column_files::of_subject(scope, &Subject::PredictedClass)?;
    let change = ColumnChange::of(scope, column)?;
    let of_files = change.whole && change.how != How::New;
    of_files.then(|| reason(&change, Some(&column.column)))
}

/// Why a column cannot be compared, to follow "is not known:"; `from` is the column that it is told from, where that is
/// another.
fn reason(change: &ColumnChange<'_>, from: Option<&str>) -> String {
    let since = change.since_words();
    let who = |own: &str| from.map_or_else(|| own.to_owned(), |name| format!("`{name}`"));
    match change.how {
        How::New => format!(
            "{} is a new column, there from {since} on, and the reference does not have it; leave it out (`log.ignore`) or choose a later reference",
            who("it")
        ),
        How::Gone => format!("{} is gone, no longer there from {since} on", who("the column")),
        How::Retyped(before, now) => format!(
            "{} changed its type from {before} to {now} in {since}, and no value of the window can be read as before",
            who("it")
        ),
    }
}

/// What is said of a column that could be compared all the same.
fn note(change: &ColumnChange<'_>, from: Option<&str>) -> String {
    let since = change.since_words();
    let (it, who) = from.map_or_else(
        || ("it".to_owned(), "It".to_owned()),
        |name| (format!("`{name}`"), format!("`{name}`")),
    );
    match change.how {
        How::New => format!("Earlier files do not have {it}; it is there from {since} on."),
        How::Gone => format!("Files from {since} on no longer have {it}; their rows count as missing."),
        How::Retyped(before, now) => format!(
            "{who} changed its type from {before} to {now} in {since}; what cannot be read as before counts as missing."
        ),
    }
}
