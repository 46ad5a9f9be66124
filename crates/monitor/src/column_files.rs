//! Columns that files of a window hold otherwise than the files that it is compared with: new ones, those that
//! are gone, and those of another type. Told from what the files declare, not from values.

use types::definition::Output;
use types::log_state::{ColumnFile, ColumnFiles};
use types::window::day_text;
use types::{Subject, Window};

use crate::Scope;

/// A column that files of a window hold as no file of the reference does.
#[derive(Clone, Debug)]
pub(crate) struct ColumnChange<'a> {
    pub(crate) how: How<'a>,
    /// The first file from which on files hold it so.
    pub(crate) since: &'a ColumnFile,
    /// A file that holds it as before.
    pub(crate) known: &'a ColumnFile,
    /// The files of the window that hold it otherwise, in their order.
    pub(crate) files: Vec<&'a ColumnFile>,
    /// Whether no file of the window holds it as before.
    pub(crate) whole: bool,
}

/// What became of a column.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum How<'a> {
    New,
    Gone,
    /// What it held, and what it holds.
    Retyped(&'a str, &'a str),
}

impl<'a> ColumnChange<'a> {
    /// What happened to a column between what a window is compared against and the window.
    pub(crate) fn of(scope: Scope<'a>, column: &'a ColumnFiles) -> Option<Self> {
        let before = before(scope, column);
        // A change late in the reference must not make what came after it usual.
        let alike = |file: &ColumnFile| before.iter().filter(|known| known.holds == file.holds).count();
        let is_known = |file: &ColumnFile| alike(file) as f64 >= KNOWN_SHARE * before.len() as f64;
        let now: Vec<(usize, &ColumnFile)> =
            column.files.iter().enumerate().filter(|(_, file)| file.reaches(scope.window)).collect();
        let changed: Vec<(usize, &ColumnFile)> =
            now.iter().filter(|(_, file)| !is_known(file)).copied().collect();
        let &(first, file) = changed.first()?;
        let usual: Vec<&ColumnFile> = before.iter().filter(|file| is_known(file)).copied().collect();
        // Of files with the column and files without, those with it tell what it was.
        let known = *usual.iter().find(|known| known.holds.is_some()).or(usual.first())?;
        let whole = changed.len() == now.len();
        if !whole && known.holds.as_deref() == Some(TEXT) && changed.iter().all(|(_, file)| is_number(file)) {
            // Codes of which a small file happens to have digits only: they read as before.
            return None;
        }
        let run = column.files[..first].iter().rev().take_while(|earlier| earlier.holds == file.holds);
        let how = match (&known.holds, &file.holds) {
            (None, _) => How::New,
            (Some(_), None) => How::Gone,
            (Some(before), Some(now)) => How::Retyped(before, now),
        };
        Some(Self {
            how,
            since: run.last().unwrap_or(file),
            known,
            whole,
            files: changed.into_iter().map(|(_, file)| file).collect(),
        })
    }

    /// `log/w09.csv (2024-03-04)`.
    pub(crate) fn since_words(&self) -> String {
        format!("{} ({})", self.since.file, day_text(self.since.first_day as f64))
    }

    /// Whether the change came with this window, and not with one before it.
    pub(crate) fn begins_in(&self, window: Window) -> bool {
        self.since.reaches(window)
    }
}

/// What files say that they hold of a column.
const TEXT: &str = "text";
const NUMBER: &str = "a number";
/// The share of the files that a window is compared with which makes what they hold usual.
const KNOWN_SHARE: f64 = 0.25;

fn is_number(file: &ColumnFile) -> bool {
    file.holds.as_deref() == Some(NUMBER)
}

/// Where files differ about a column that is watched, what they hold of it; of the predicted class, of what it is
/// told from.
pub(crate) fn of_subject<'a>(scope: Scope<'a>, subject: &Subject) -> Option<&'a ColumnFiles> {
    let named = |name: &str| scope.log.columns.iter().find(|known| known.column == name);
    match subject {
        Subject::Feature { name, .. } | Subject::Score { name } | Subject::Column { name } => named(name),
        Subject::PredictedClass => match scope.definition.log.output() {
            Output::Score(score) => named(score),
            Output::Probabilities { predicted: Some(predicted), .. } => named(predicted),
            Output::Probabilities { scores, .. } => scores.values().find_map(|score| named(score)),
            Output::Number(_) => None,
        },
        _ => None,
    }
}

/// Whether neither the files of a window nor those that it is compared with have a column: it is one of other
/// days, of which nothing can be said here.
pub(crate) fn is_of_other_days(scope: Scope<'_>, subject: &Subject) -> bool {
    of_subject(scope, subject).is_some_and(|column| {
        let mut now = column.files.iter().filter(|file| file.reaches(scope.window)).peekable();
        let has_rows = now.peek().is_some();
        has_rows && now.chain(before(scope, column)).all(|file| file.holds.is_none())
    })
}

/// The files that a window is compared with; the first one where none reaches into that time.
fn before<'a>(scope: Scope<'a>, column: &'a ColumnFiles) -> Vec<&'a ColumnFile> {
    let reaches = |file: &&ColumnFile| scope.against.iter().any(|window| file.reaches(*window));
    let mut before: Vec<&ColumnFile> = column.files.iter().filter(reaches).collect();
    if before.is_empty() {
        before.extend(column.files.first());
    }
    before
}
