//! What is known of a log as a whole, apart from the values in its rows.

use jiff::Timestamp;

use crate::window::Window;

/// The files, days and rows of a log that no column shows.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct LogState {
    /// Rows without a time: they are in no window.
    pub undated_rows: u64,
    /// As many of these have a local time in a zone that is no one instant there.
    pub rows_of_no_instant: u64,
    pub changes: FileChanges,
    /// The days that have rows, ascending.
    pub days: Vec<LogDay>,
    /// Columns that are not in every file, or not of one type.
    pub columns: Vec<ColumnFiles>,
    /// How many files the log has.
    pub files: u64,
    /// Files of 0 bytes: of the log, of the outcomes and of the reference.
    pub empty_files: Vec<EmptyFile>,
    /// Up to when the log is looked at, and when that is done.
    pub as_of: Timestamp,
    pub now: Timestamp,
    /// Whether this is the newest window, with which the state of the log is told.
    pub newest: bool,
}

impl LogState {
    /// The days of a window that have rows.
    pub fn days_of(&self, window: Window) -> &[LogDay] {
        let at = |instant: Timestamp| self.days.partition_point(|known| known.day < day_of(instant));
        // A window that ends within a day holds a part of it.
        let to = if is_midnight(window.to()) { at(window.to()) } else { at(window.to()) + 1 };
        self.days.get(at(window.from())..to.min(self.days.len())).unwrap_or_default()
    }

    /// The rows of a window of whole days.
    pub fn rows_of(&self, window: Window) -> u64 {
        self.days_of(window).iter().map(|day| day.rows).sum()
    }

    /// The last instant of the log at or before a moment, to the day's last row where the day is not over.
    pub fn newest_by(&self, moment: Timestamp) -> Option<Timestamp> {
        let begun = self.days.iter().rev().find(|day| day.first <= moment)?;
        Some(begun.last.min(moment))
    }
}

/// The rows of one day.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct LogDay {
    /// Days since 1970-01-01 UTC.
    pub day: i64,
    pub rows: u64,
    pub first: Timestamp,
    pub last: Timestamp,
    /// Rows whose time is text without an offset; they are read as UTC.
    pub local_rows: u64,
    /// Rows in a file that comes after files of later days.
    pub late_rows: u64,
}

/// Days since 1970-01-01 UTC.
pub fn day_of(at: Timestamp) -> i64 {
    at.as_second().div_euclid(SECONDS_OF_A_DAY)
}

fn is_midnight(at: Timestamp) -> bool {
    at.as_second().rem_euclid(SECONDS_OF_A_DAY) == 0 && at.subsec_nanosecond() == 0
}

const SECONDS_OF_A_DAY: i64 = 86_400;

/// A file of 0 bytes, and where it stands among the others of the log.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct EmptyFile {
    pub file: String,
    /// The last day of the files before it, and the first one of those after it; `None` where there are none, or where
    /// it is no file of the log.
    pub after: Option<i64>,
    pub before: Option<i64>,
}

impl EmptyFile {
    /// The first and the last day that its rows could be of, where the files beside it tell.
    pub fn days(&self) -> Option<(i64, i64)> {
        let (after, before) = self.after.zip(self.before)?;
        match before - after {
            ..0 => None,
            0 | 1 => Some((after, before)),
            _ => Some((after + 1, before - 1)),
        }
    }
}

/// Whether a window has some of these days.
pub fn window_has(window: Window, first_day: i64, last_day: i64) -> bool {
    let last = if is_midnight(window.to()) { day_of(window.to()) - 1 } else { day_of(window.to()) };
    first_day <= last && last_day >= day_of(window.from())
}

/// A column, and what each file that has rows holds of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ColumnFiles {
    pub column: String,
    /// In the order of the files; those that leave its type open are left out.
    pub files: Vec<ColumnFile>,
}

/// A column in one file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ColumnFile {
    pub file: String,
    /// The first and the last day that the file has rows of.
    pub first_day: i64,
    pub last_day: i64,
    /// What the column holds there, as `a number` or `text`; `None` where the file does not have it.
    pub holds: Option<String>,
}

impl ColumnFile {
    /// Whether the file reaches into a window.
    pub fn reaches(&self, window: Window) -> bool {
        window_has(window, self.first_day, self.last_day)
    }
}

/// What happened to the files of the log and of the outcomes since they were last looked at.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct FileChanges {
    /// Nothing was remembered: this is the first look.
    pub first_look: bool,
    pub added: u64,
    /// Files whose content is not what it was.
    pub changed: Vec<String>,
    pub vanished: Vec<String>,
    /// An outcome file changed or vanished, so that what was known of past windows may not hold.
    pub outcomes_rewritten: bool,
}

impl FileChanges {
    /// Whether there is something to tell: added files are what a log is there for.
    pub fn any(&self) -> bool {
        !self.changed.is_empty() || !self.vanished.is_empty()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn day(day: i64, rows: u64) -> LogDay {
        let at = Timestamp::from_second(day * SECONDS_OF_A_DAY).unwrap();
        LogDay { day, rows, first: at, last: at, local_rows: 0, late_rows: 0 }
    }

    #[test]
    fn a_window_has_the_rows_of_its_days() {
        let log = LogState { days: vec![day(-1, 5), day(0, 7), day(3, 11)], ..LogState::default() };
        let rows = |window: &str| log.rows_of(window.parse().unwrap());
        assert_eq!(rows("1969-12-31/1970-01-02"), 12);
        assert_eq!(rows("1970-01-02/1970-01-04"), 0);
        assert_eq!(rows("1970-01-04/1971-01-01"), 11);
        assert_eq!(rows("1960-01-01/1961-01-01"), 0);
        assert_eq!(rows("1970-01-01/1970-01-04T12:00:00Z"), 18);
    }

    #[test]
    fn an_empty_file_is_of_the_days_that_the_files_beside_it_leave_out() {
        let between = |after: Option<i64>, before: Option<i64>| {
            EmptyFile { file: "a.csv".into(), after, before }.days()
        };
        assert_eq!(between(Some(4), Some(6)), Some((5, 5)));
        assert_eq!(between(Some(4), Some(9)), Some((5, 8)));
        // Several files a day.
        assert_eq!(between(Some(4), Some(4)), Some((4, 4)));
        assert_eq!(between(Some(4), Some(5)), Some((4, 5)));
        // Files that are not in the order of time, or have none beside them, tell nothing.
        for (after, before) in [(Some(6), Some(4)), (Some(4), None), (None, Some(4)), (None, None)] {
            assert_eq!(between(after, before), None);
        }
    }

    #[test]
    fn the_newest_row_is_not_later_than_the_moment() {
        let log = LogState { days: vec![day(0, 7), day(3, 11)], ..LogState::default() };
        let by = |moment: &str| log.newest_by(moment.parse().unwrap()).map(|at| at.to_string());
        assert_eq!(by("1970-01-03T00:00:00Z").as_deref(), Some("1970-01-01T00:00:00Z"));
        assert_eq!(by("1970-02-01T00:00:00Z").as_deref(), Some("1970-01-04T00:00:00Z"));
        assert_eq!(by("1969-01-01T00:00:00Z"), None);
    }
}
