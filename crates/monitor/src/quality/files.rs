//! Files that changed or vanished, and columns that are not the same in all of them.

use types::log_state::{ColumnFile, ColumnFiles};
use types::nearest::listed;
use types::{Finding, Measure, Subject, Verdict, format};

use super::{column_subject, finding};
use crate::Scope;

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
    let measure = Measure::new("changed_files_count", count as f64, count as u64, "files changed or gone");
    Some(finding(scope, Subject::Log, Verdict::Warn, summary, vec![measure]))
}

/// What is wrong with the files, and the columns that none of a window's files has any more.
#[derive(Debug, Default)]
pub(super) struct Files {
    pub(super) findings: Vec<Finding>,
    pub(super) gone: Vec<Subject>,
}

pub(super) fn of(scope: Scope<'_>) -> Files {
    let mut files = Files { findings: changed_files(scope).into_iter().collect(), gone: Vec::new() };
    for column in &scope.log.columns {
        let is_ignored = scope.definition.log.ignore.contains(&column.column)
            && scope.definition.expect.iter().all(|expected| expected.column != column.column);
        if !is_ignored {
            changed_column(scope, column, &mut files);
        }
    }
    files
}

/// A column that files of the window hold as no file of the reference does.
fn changed_column(scope: Scope<'_>, column: &ColumnFiles, files: &mut Files) {
    let mut before: Vec<&ColumnFile> =
        column.files.iter().filter(|file| scope.against.iter().any(|window| file.reaches(*window))).collect();
    if before.is_empty() {
        before.extend(column.files.first());
    }
    let now: Vec<&ColumnFile> = column.files.iter().filter(|file| file.reaches(scope.window)).collect();
    let is_new = |file: &&&ColumnFile| before.iter().all(|known| known.holds != file.holds);
    let changed: Vec<&ColumnFile> = now.iter().filter(is_new).copied().collect();
    let (Some(first), Some(known)) = (changed.first(), before.first()) else { return };
    let name = &column.column;
    let named = listed(changed.iter().map(|file| file.file.as_str()), FILES_NAMED);
    let them = if changed.len() == 1 { "it" } else { "they" };
    let subject = column_subject(scope, name);
    let (verdict, summary) = match (&known.holds, &first.holds) {
        (None, _) => (
            Verdict::Warn,
            format!(
                "Column `{name}` is new in {named}; {} of the reference does not have it, so there is nothing to compare it with.",
                known.file
            ),
        ),
        (Some(_), None) => {
            let whole = changed.len() == now.len();
            if whole {
                files.gone.push(subject.clone());
            }
            let verdict = if whole { Verdict::Fail } else { Verdict::Warn };
            let have = if changed.len() == 1 { "does" } else { "do" };
            (
                verdict,
                format!(
                    "Column `{name}` is gone: {named} {have} not have it, {} of the reference does. Its rows count as missing; find out who stopped writing it.",
                    known.file
                ),
            )
        }
        (Some(before), Some(now)) if before.starts_with("a time") && now.starts_with("a time") => (
            Verdict::Warn,
            format!(
                "Column `{name}` is {now} in {named} and {before} in {}. A time without an offset is read as UTC; if it is a local one, its rows lie hours off.",
                known.file
            ),
        ),
        (Some(before), Some(now)) => (
            Verdict::Fail,
            format!(
                "Column `{name}` changed its type: {now} in {named}, {before} in {} of the reference. Where {them} cannot be read as before, the value counts as missing.",
                known.file
            ),
        ),
    };
    let count = changed.len() as u64;
    let measure =
        Measure::new("changed_files_count", count as f64, count, "files that hold the column otherwise");
    files.findings.push(finding(scope, subject, verdict, summary, vec![measure]));
}
