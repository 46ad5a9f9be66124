//! Profiles of each file by day: computed once, kept, and merged into any window of whole days.
//!
//! A file is read when its profile is not in the store: because it is new, because its content
//! changed, or because a column is asked for that nobody asked for before. Then only that column is read. A
//! week, a month and a quarter are merges of days, so the cost of another day is that day's scan.
//! Windows that do not begin and end at midnight (UTC) are answered by [`crate::profiles`], from the rows.

use std::collections::{BTreeMap, HashMap};
use std::ops::Range;
use std::sync::Arc;

use datafusion::arrow::array::{Array, AsArray, RecordBatch};
use datafusion::arrow::datatypes::Int64Type;
use datafusion::common::ScalarValue;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use stats::sketch::{Fidelity, Profile};
use types::digest::Digester;
use types::log_state::{ColumnFile, ColumnFiles, LogDay};
use types::{Answer, Answers, Digest, Question, Window};

use crate::aggregate::{
    CategoriesSummary, IdsSummary, NumbersSummary, Summary, TextsSummary, VectorsSummary, decode,
};
use crate::error::EngineError;
use crate::files::{Held, UnevenColumn};
use crate::open::{Log, register};
use crate::profiles::{Asked, aggregate_sql, asked};
use crate::store::{FORMAT, ProfileStore, keep, load};

/// Columns that one scan profiles, so that a thousand columns do not all lie in memory at once.
const COLUMNS_OF_A_SCAN: usize = 128;
/// Windows of more days are kept as they were merged.
const DAYS_MERGED_QUICKLY: i64 = 14;
const MICROSECONDS_OF_A_DAY: i64 = 86_400_000_000;

/// The profile of one file: what its rows are, day by day.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub(crate) struct FileProfile {
    /// Ascending.
    days: Vec<Day>,
    /// Rows without a time: they are in no window.
    undated_rows: u64,
    /// The summaries of each column, in the order of the days.
    columns: BTreeMap<String, Vec<Vec<u8>>>,
}

/// The rows of one day of one file.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
struct Day {
    /// Days since 1970-01-01 UTC.
    day: i64,
    rows: u64,
    /// The first and the last instant, in microseconds since 1970-01-01 UTC.
    first: i64,
    last: i64,
    /// Rows whose time is text without an offset.
    local_rows: u64,
}

/// What of the log had to be read.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct FilesRead {
    pub read: u64,
    pub files: u64,
}

impl FileProfile {
    fn name(digest: Digest) -> String {
        format!("file-{digest}")
    }

    /// The positions of the days that lie in a window.
    fn within(&self, days: &Range<i64>) -> Range<usize> {
        let at = |day: i64| self.days.partition_point(|known| known.day < day);
        at(days.start)..at(days.end)
    }

    fn rows_within(&self, days: &Range<i64>) -> u64 {
        self.days[self.within(days)].iter().map(|day| day.rows).sum()
    }
}

impl Day {
    /// Adds the rows that another file has of the same day.
    fn merge(&mut self, other: &Self) {
        self.rows += other.rows;
        self.first = self.first.min(other.first);
        self.last = self.last.max(other.last);
        self.local_rows += other.local_rows;
    }
}

/// The days of a window that begins and ends at midnight (UTC).
pub(crate) fn whole_days(window: Window) -> Option<Range<i64>> {
    let day = |at: Timestamp| {
        let microseconds = at.as_microsecond();
        let whole = microseconds.rem_euclid(MICROSECONDS_OF_A_DAY) == 0 && at.subsec_nanosecond() == 0;
        whole.then(|| microseconds.div_euclid(MICROSECONDS_OF_A_DAY))
    };
    Some(day(window.from())?..day(window.to())?)
}

impl Log<'_> {
    /// Profiles the files that are not in the store yet, for the columns of these questions: those of the log,
    /// and of a reference that has its own.
    ///
    /// # Errors
    /// A file that cannot be read, or a store that cannot be written.
    pub fn profile_files(&self, questions: &[Question]) -> Result<FilesRead, EngineError> {
        let columns = columns_of(questions);
        let mut files = FilesRead::default();
        for dataset in std::iter::once(self).chain(self.reference()) {
            files.read += dataset.file_profiles(&columns)?;
            files.files += dataset.log.files.len() as u64;
        }
        Ok(files)
    }

    /// The number of rows of the log in a window of whole days; the files must have been profiled.
    pub fn rows_in(&self, window: Window) -> u64 {
        let Some(days) = whole_days(window) else { return 0 };
        self.dataset(window).profiles.borrow().values().map(|profile| profile.rows_within(&days)).sum()
    }

    /// The days of the log that have rows, ascending; the files must have been profiled.
    pub fn days(&self) -> Vec<LogDay> {
        let profiles = self.profiles.borrow();
        let mut merged: BTreeMap<i64, Day> = BTreeMap::new();
        let mut late_rows: HashMap<i64, u64> = HashMap::new();
        let mut latest_before = i64::MIN;
        for at in 0..self.log.files.len() {
            let Some(profile) = profiles.get(&at) else { continue };
            for day in &profile.days {
                if day.day < latest_before {
                    *late_rows.entry(day.day).or_default() += day.rows;
                }
                merged.entry(day.day).and_modify(|known| known.merge(day)).or_insert(*day);
            }
            latest_before = profile.days.last().map_or(latest_before, |day| latest_before.max(day.day));
        }
        let instant = |microseconds| Timestamp::from_microsecond(microseconds).unwrap_or_default();
        let of = |day: Day| LogDay {
            day: day.day,
            rows: day.rows,
            first: instant(day.first),
            last: instant(day.last),
            local_rows: day.local_rows,
            late_rows: late_rows.get(&day.day).copied().unwrap_or(0),
        };
        merged.into_values().map(of).collect()
    }

    /// Columns that are not in every file, or not of one kind; the files must have been profiled.
    ///
    /// # Errors
    /// A file that cannot be read.
    pub fn uneven_columns(&self) -> Result<Vec<ColumnFiles>, EngineError> {
        let profiles = self.profiles.borrow();
        let versions = &self.versions()?.log;
        let of = |column: &UnevenColumn| {
            let files = column.holds.iter().enumerate().filter_map(|(at, held)| {
                let days = &profiles.get(&at)?.days;
                let holds = match held {
                    Held::Absent => None,
                    Held::Open => return None,
                    Held::Kind(words) => Some(words.clone()),
                };
                let (first_day, last_day) = (days.first()?.day, days.last()?.day);
                Some(ColumnFile { file: versions.get(at)?.path.clone(), first_day, last_day, holds })
            });
            ColumnFiles { column: column.name.clone(), files: files.collect() }
        };
        Ok(self.log.uneven.iter().map(of).collect())
    }

    /// A digest of the files that have rows in any of the windows; the files must have been profiled.
    ///
    /// # Errors
    /// A file that cannot be read.
    pub fn inputs(&self, windows: &[Window]) -> Result<Digest, EngineError> {
        let mut digester = Digester::default();
        for dataset in std::iter::once(self).chain(self.reference()) {
            let windows = windows.iter().filter(|window| std::ptr::eq(self.dataset(**window), dataset));
            let days: Vec<Range<i64>> = windows.filter_map(|window| whole_days(*window)).collect();
            let profiles = dataset.profiles.borrow();
            for (at, file) in dataset.versions()?.log.iter().enumerate() {
                let Some(profile) = profiles.get(&at) else { continue };
                if days.iter().any(|days| !profile.within(days).is_empty()) {
                    digester.update(&file.digest.bytes());
                }
            }
        }
        Ok(digester.finish())
    }

    /// The range of times in the log, from the files' days, which are looked at where they are not known.
    ///
    /// # Errors
    /// A file that cannot be read, or no row with a time.
    pub fn range_of_days(&self) -> Result<crate::TimeRange, EngineError> {
        self.file_profiles(&[])?;
        let none = || EngineError::NoTimes { column: self.time_axis().column().to_owned() };
        self.profiled_range().ok_or_else(none)
    }

    /// The range of times in the log, from the files' profiles.
    pub fn profiled_range(&self) -> Option<crate::TimeRange> {
        let profiles = self.profiles.borrow();
        let days = || profiles.values().flat_map(|profile| &profile.days);
        let first = days().map(|day| day.first).min()?;
        let last = days().map(|day| day.last).max()?;
        Some(crate::TimeRange {
            first: Timestamp::from_microsecond(first).ok()?,
            last: Timestamp::from_microsecond(last).ok()?,
            undated_rows: profiles.values().map(|profile| profile.undated_rows).sum(),
        })
    }

    /// Loads or makes the profile of every file; returns how many were read.
    fn file_profiles(&self, asked: &[Asked]) -> Result<u64, EngineError> {
        let Some(store) = self.store() else { return Ok(0) };
        let mut read = 0;
        for (at, file) in self.versions()?.log.iter().enumerate() {
            let name = FileProfile::name(file.digest);
            let known = self.profiles.borrow().get(&at).cloned();
            let known = match known {
                Some(known) => Some(known),
                None => load::<(u32, String, FileProfile)>(store, &name)?
                    .filter(|(format, time, _)| *format == FORMAT && *time == self.time_axis().key())
                    .map(|(_, _, profile)| Arc::new(profile)),
            };
            let missing = |asked: &&Asked| {
                known.as_ref().is_none_or(|known| !known.columns.contains_key(&asked.key(self)))
            };
            let missing: Vec<&Asked> = asked.iter().filter(missing).collect();
            let profile = match (known, missing.is_empty()) {
                (Some(known), true) => known,
                (known, _) => {
                    let mut profile = known.map(Arc::unwrap_or_clone).unwrap_or_default();
                    self.profile_file(at, &missing, &mut profile)?;
                    read += 1;
                    let entry = (FORMAT, self.time_axis().key(), profile);
                    keep(store, &name, &entry)?;
                    Arc::new(entry.2)
                }
            };
            self.profiles.borrow_mut().insert(at, profile);
        }
        Ok(read)
    }

    /// Reads some columns of a file.
    fn profile_file(
        &self,
        at: usize,
        asked: &[&Asked],
        profile: &mut FileProfile,
    ) -> Result<(), EngineError> {
        const FILE: &str = "profiled_file";
        const ROWS: &str = "profiled_rows";
        let axis = self.time_axis();
        let table = self.log.only(at);
        register(&self.engine.runtime, &self.context, FILE, &table)?;
        let rows = self.engine.runtime.block_on(self.context.table(FILE))?;
        self.context.register_table(ROWS, axis.with_day(rows)?.into_view())?;
        let scanned = asked
            .chunks(COLUMNS_OF_A_SCAN)
            // Rows are counted where no column is asked for, too.
            .chain(asked.is_empty().then_some(&[] as &[&Asked]))
            .try_for_each(|asked| self.scan_days(ROWS, at, asked, profile));
        self.context.deregister_table(ROWS)?;
        self.context.deregister_table(FILE)?;
        scanned.map_err(|error| axis.explain(error))
    }

    fn scan_days(
        &self,
        rows: &str,
        at: usize,
        asked: &[&Asked],
        profile: &mut FileProfile,
    ) -> Result<(), EngineError> {
        let selected: String = asked
            .iter()
            .map(|asked| format!(", {}", aggregate_sql(self, self.days_fidelity, asked)))
            .collect();
        let sql = format!(
            "SELECT __day, count(*), min(__instant), max(__instant), sum(__local){selected} FROM {rows} GROUP BY __day ORDER BY __day NULLS FIRST"
        );
        let query = self.engine.runtime.block_on(self.context.sql(&sql))?;
        let batches = self.collect_of(at, query)?;
        let axis = self.time_axis();
        let (mut days, mut undated_rows) = (Vec::new(), 0);
        let mut states: Vec<Vec<Vec<u8>>> = vec![Vec::new(); asked.len()];
        for (batch, row) in
            batches.iter().flat_map(|batch| (0..batch.num_rows()).map(move |row| (batch, row)))
        {
            let rows = batch.column(1).as_primitive::<Int64Type>().value(row) as u64;
            let day = batch.column(0).as_primitive::<Int64Type>();
            if day.is_null(row) {
                undated_rows += rows;
                continue;
            }
            let instant = |column: usize| -> Result<i64, EngineError> {
                let value = ScalarValue::try_from_array(batch.column(column), row)?;
                Ok(axis.timestamp(&value).unwrap_or_default().as_microsecond())
            };
            let local_rows = batch.column(4).as_primitive::<Int64Type>().value(row) as u64;
            days.push(Day { day: day.value(row), rows, first: instant(2)?, last: instant(3)?, local_rows });
            for (column, states) in states.iter_mut().enumerate() {
                states.push(state(batch, 5 + column, row));
            }
        }
        if !profile.days.is_empty() && profile.days != days {
            return Err(EngineError::ChangedWhileRead { path: self.log.files[at].clone() });
        }
        (profile.days, profile.undated_rows) = (days, undated_rows);
        profile.columns.extend(asked.iter().map(|asked| asked.key(self)).zip(states));
        Ok(())
    }

    /// Answers the questions that days can answer; returns the others.
    pub(crate) fn answer_from_days(
        &self,
        questions: &[Question],
        answers: &mut Answers,
    ) -> Result<Vec<Question>, EngineError> {
        let Some(store) = self.store() else { return Ok(questions.to_vec()) };
        let from_days =
            |question: &&Question| asked(question).is_some() && whole_days(question.window()).is_some();
        let (ours, others): (Vec<&Question>, Vec<&Question>) = questions.iter().partition(from_days);
        let owned: Vec<Question> = ours.iter().map(|question| (*question).clone()).collect();
        self.file_profiles(&columns_of(&owned))?;
        let mut by_window: BTreeMap<Window, Vec<&Question>> = BTreeMap::new();
        for question in ours {
            by_window.entry(question.window()).or_default().push(question);
        }
        for (window, questions) in by_window {
            let merged = self.merged(store, window, &questions)?;
            for (question, bytes) in questions.into_iter().zip(merged) {
                answers.insert(question.clone(), answer_of(question, &bytes)?);
            }
        }
        Ok(others.into_iter().cloned().collect())
    }

    /// The summaries of a window, in the order of the questions; a long window's are kept.
    fn merged(
        &self,
        store: &dyn ProfileStore,
        window: Window,
        questions: &[&Question],
    ) -> Result<Vec<Vec<u8>>, EngineError> {
        let days = whole_days(window).unwrap_or(0..0);
        let columns: Vec<Asked> = questions.iter().filter_map(|question| asked(question)).collect();
        let long = days.end - days.start > DAYS_MERGED_QUICKLY;
        let mut name = Digester::default();
        name.update(self.inputs(&[window])?.bytes().as_slice());
        name.update(format!("{FORMAT}\n{window}\n{}\n", self.time_axis().key()).as_bytes());
        for column in &columns {
            name.update(format!("{}\n", column.key(self)).as_bytes());
        }
        let name = format!("merged-{}", name.finish());
        if long && let Some(kept) = load::<Vec<Vec<u8>>>(store, &name)? {
            return Ok(kept);
        }
        let merged: Vec<Vec<u8>> =
            columns.iter().map(|column| self.merge_days(column, &days)).collect::<Result<_, _>>()?;
        if long {
            keep(store, &name, &merged)?;
        }
        Ok(merged)
    }

    fn merge_days(&self, asked: &Asked, days: &Range<i64>) -> Result<Vec<u8>, EngineError> {
        let profiles = self.profiles.borrow();
        let key = asked.key(self);
        let mut files: Vec<(&usize, &Arc<FileProfile>)> = profiles.iter().collect();
        files.sort_by_key(|(at, _)| **at);
        let states = files.into_iter().flat_map(|(_, profile)| {
            let states = profile.columns.get(&key).map(Vec::as_slice).unwrap_or_default();
            states.get(profile.within(days)).unwrap_or_default().iter().map(Vec::as_slice)
        });
        match asked {
            Asked::Numbers(_) => merged_bytes::<NumbersSummary>(self.days_fidelity, states),
            Asked::Categories(_) => merged_bytes::<CategoriesSummary>(self.days_fidelity, states),
            Asked::Texts(_) => merged_bytes::<TextsSummary>(self.days_fidelity, states),
            Asked::Vectors(_) => merged_bytes::<VectorsSummary>(self.days_fidelity, states),
            Asked::Ids(_) => merged_bytes::<IdsSummary>(self.days_fidelity, states),
        }
    }
}

/// What the questions ask of columns, each once.
fn columns_of(questions: &[Question]) -> Vec<Asked> {
    let mut columns: Vec<Asked> = Vec::new();
    for column in questions.iter().filter_map(asked) {
        if !columns.contains(&column) {
            columns.push(column);
        }
    }
    columns
}

fn state(batch: &RecordBatch, column: usize, row: usize) -> Vec<u8> {
    batch.column(column).as_binary::<i64>().value(row).to_vec()
}

fn merged_bytes<'a, S: Summary>(
    fidelity: Fidelity,
    states: impl Iterator<Item = &'a [u8]>,
) -> Result<Vec<u8>, EngineError> {
    let mut whole = S::new(fidelity);
    for state in states {
        whole.merge(decode(state)?);
    }
    postcard::to_stdvec(&whole)
        .map_err(|error| EngineError::Query(format!("a {} state is not writable: {error}", S::NAME)))
}

fn answer_of(question: &Question, bytes: &[u8]) -> Result<Answer, EngineError> {
    Ok(match asked(question) {
        Some(Asked::Categories(_)) => {
            Answer::Profile(Profile::Categorical(decode::<CategoriesSummary>(bytes)?.into_profile()))
        }
        Some(Asked::Texts(_)) => Answer::Profile(Profile::Text(Box::new(decode::<TextsSummary>(bytes)?.0))),
        Some(Asked::Vectors(_)) => Answer::Profile(Profile::Embedding(decode::<VectorsSummary>(bytes)?.0)),
        Some(Asked::Ids(_)) => Answer::Identity(decode::<IdsSummary>(bytes)?.identity()),
        _ => Answer::Profile(Profile::Numeric(decode::<NumbersSummary>(bytes)?.0)),
    })
}

/// The profiles of files that are in memory, by position of the file.
pub(crate) type Profiles = HashMap<usize, Arc<FileProfile>>;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_windows_of_whole_days_are_merged_from_days() {
        let days = |text: &str| whole_days(text.parse().unwrap());
        assert_eq!(days("1970-01-02/1970-01-04"), Some(1..3));
        assert_eq!(days("1969-12-31/1970-01-01"), Some(-1..0));
        assert_eq!(days("1970-01-02/1970-01-04T12:00:00Z"), None);
    }
}
