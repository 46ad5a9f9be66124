//! Files that changed or vanished, and columns that are not the same in all of them.

use types::log_state::{EmptyFile, LogState, window_has};
use types::nearest::listed;
use types::{CheckId, Finding, Measure, Record, Subject, Verdict, Window, format};

use super::{column_subject, finding};
use crate::Scope;
use crate::column_files::{ColumnChange, How};

/// The measure of a finding about files that are not what they were, or that hold a column otherwise.
pub(crate) const CHANGED_FILES: &str = "changed_files_count";

/// Files that a sentence names before it counts.
const FILES_NAMED: usize = 3;

/// Files that are not what they were: what was found in the past was found in other data.
fn changed_files(scope: Scope<'_>) -> Option<Finding> {
    let changes = &scope.log.changes;
    if !changes.any() {
        return None;
    }
    let mut parts = Vec::new();
    for (files, what) in [(&changes.changed, "has another content"), (&changes.vanished, "is gone")] {
        if !files.is_empty() {
            let names = listed(files.iter().map(String::as_str), FILES_NAMED);
            let many = what.replace("has ", "have ").replace("is ", "are ");
            parts.push(format!(
                "{} ({names})",
                if files.len() == 1 {
                    format!("1 file {what}")
                } else {
                    format!("{} files {many}", files.len())
                }
            ));
        }
    }
    let summary = format!(
        "{} since the last look. A log is append-only: find out who rewrote it. What was found from these files stays in evidence, and was found anew.",
        format::capitalised(&parts.join(", and "))
    );
    let count = changes.changed.len() + changes.vanished.len();
    let measure = Measure::new(CHANGED_FILES, count as f64, count as u64, "files changed or gone");
    Some(finding(scope, Subject::Log, Verdict::Warn, summary, vec![measure]))
}

/// The measure of a finding about files that are empty.
const EMPTY_FILES: &str = "empty_files_count";

/// The files of 0 bytes that are told with a window: those whose rows would lie in it; with the newest one also those
/// of which that cannot be told.
fn empty_within(log: &LogState, window: Window, newest: bool) -> Vec<&str> {
    let is_of = |file: &&EmptyFile| match file.days() {
        Some((first, last)) => window_has(window, first, last),
        None => newest,
    };
    log.empty_files.iter().filter(is_of).map(|file| file.file.as_str()).collect()
}

fn empty_files(scope: Scope<'_>) -> Option<Finding> {
    let files = empty_within(scope.log, scope.window, scope.log.newest);
    if files.is_empty() {
        return None;
    }
    let count = files.len() as u64;
    let names = listed(files.iter().copied(), FILES_NAMED);
    let summary = format!(
        "{} empty (0 bytes): {names}. {} no rows here; find out whether the rows were lost or are still to be written.",
        format::counted(count, "file is", "files are"),
        if count == 1 { "It has" } else { "They have" },
    );
    let measure = Measure::new(EMPTY_FILES, count as f64, count, "files of 0 bytes");
    Some(finding(scope, Subject::Log, Verdict::Warn, summary, vec![measure]))
}

/// Whether the latest records of the newest window tell as many empty files as there are to tell now.
///
/// `records` are those of this definition, oldest first.
pub fn are_empty_files_told(log: &LogState, newest: Window, records: &[&Record]) -> bool {
    let of_window =
        |record: &&&Record| record.finding.check == CheckId::Quality && record.finding.window == newest;
    let latest = records.iter().filter(of_window).map(|record| record.run).max();
    let of_latest = records.iter().filter(of_window).filter(|record| Some(record.run) == latest);
    let told: u64 =
        of_latest.filter_map(|record| record.finding.measure(EMPTY_FILES)).map(|measure| measure.n).sum();
    empty_within(log, newest, true).len() as u64 == told
}

/// What is wrong with the files, and the columns that need no finding of their own for want of values.
#[derive(Debug, Default)]
pub(super) struct Files {
    pub(super) findings: Vec<Finding>,
    /// Columns that none of the window's files has any more.
    pub(super) gone: Vec<Subject>,
}

pub(super) fn of(scope: Scope<'_>) -> Files {
    let findings = changed_files(scope).into_iter().chain(empty_files(scope)).collect();
    let mut files = Files { findings, gone: Vec::new() };
    for column in &scope.log.columns {
        let is_ignored = scope.definition.log.ignore.contains(&column.column)
            && scope.definition.expect.iter().all(|expected| expected.column != column.column);
        if let (false, Some(change)) = (is_ignored, ColumnChange::of(scope, column)) {
            let subject = column_subject(scope, &column.column);
            if change.whole && change.how == How::Gone {
                files.gone.push(subject.clone());
            }
            files.findings.extend(changed_column(scope, &column.column, subject, &change));
        }
    }
    files
}

/// A new column is told once, with the window in which it begins; what is gone or of another type, as long as it is.
fn changed_column(
    scope: Scope<'_>,
    name: &str,
    subject: Subject,
    change: &ColumnChange<'_>,
) -> Option<Finding> {
    if change.how == How::New && !change.begins_in(scope.window) {
        return None;
    }
    let (since, known) = (change.since_words(), &change.known.file);
    let (verdict, summary) = match change.how {
        How::New => (
            Verdict::Warn,
            format!(
                "Column `{name}` is new: there from {since} on, and not in {known}, so there is nothing to compare it with. If the model does not use it, leave it out (`log.ignore`)."
            ),
        ),
        How::Gone => (
            if change.whole { Verdict::Fail } else { Verdict::Warn },
            format!(
                "Column `{name}` is gone: no longer there from {since} on; {known} has it. Its rows count as missing; find out who stopped writing it."
            ),
        ),
        How::Retyped(before, now) if before.starts_with("a time") && now.starts_with("a time") => (
            Verdict::Warn,
            format!(
                "Column `{name}` is {now} from {since} on and {before} in {known}. A time without an offset is read as UTC; if it is a local one, its rows lie hours off."
            ),
        ),
        How::Retyped(before, now) => (
            Verdict::Fail,
            format!(
                "Column `{name}` changed its type from {before} to {now}: {now} from {since} on, {before} in {known}. A value that cannot be read as before counts as missing."
            ),
        ),
    };
    let count = change.files.len() as u64;
    let files = listed(change.files.iter().map(|file| file.file.as_str()), FILES_NAMED);
    let method = format!("files of the window that hold the column otherwise: {files}");
    let measure = Measure::new(CHANGED_FILES, count as f64, count, method);
    Some(finding(scope, subject, verdict, summary, vec![measure]))
}
