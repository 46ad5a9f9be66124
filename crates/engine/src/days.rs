//! Profiles of each file by day: computed once, kept, and merged into any window of whole days.
//!
//! A file is read when its profile is not in the store: because it is new, because its content
//! changed, or because a column is asked for that nobody asked for before. Then only that column is read. A
//! week, a month and a quarter are merges of days, so the cost of another day is that day's scan.
//! Windows that do not begin and end at midnight (UTC) are answered by [`crate::profiles`], from the rows.

use std::collections::{BTreeMap, HashMap};
use std::ops::Range;

use datafusion::arrow::array::{Array, AsArray, RecordBatch};
use datafusion::arrow::datatypes::Int64Type;
use datafusion::common::ScalarValue;
use jiff::Timestamp;
use stats::sketch::{Fidelity, Profile};
use types::digest::Digester;
use types::log_state::{ColumnFile, ColumnFiles, EmptyFile, LogDay};
use types::{Answer, Answers, Digest, Question, Window};

use crate::aggregate::{
    CategoriesSummary, IdsSummary, NumbersSummary, Summary, TextsSummary, VectorsSummary, decode, encode,
};
use crate::error::EngineError;
use crate::file_profile::{Blocks, COLUMNS_OF_A_BLOCK, Day, FileKey, FileProfile};
use crate::files::{Held, UnevenColumn};
use crate::open::{Log, register};
use crate::profiles::{Asked, aggregate_sql, asked};
use crate::store::{FORMAT, ProfileStore, keep, load};

/// Columns that one scan reads, so that a thousand columns do not all lie in memory at once.
pub(crate) const COLUMNS_OF_A_SCAN: usize = 128;
/// Windows of more days are kept as they were merged.
const DAYS_MERGED_QUICKLY: i64 = 14;
const MICROSECONDS_OF_A_DAY: i64 = 86_400_000_000;

/// What of the log had to be read.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct FilesRead {
    pub read: u64,
    pub files: u64,
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

/// The days in which a window lies.
fn days_touched(window: Window) -> Range<i64> {
    let day =
        |at: Timestamp, round_up: i64| (at.as_microsecond() + round_up).div_euclid(MICROSECONDS_OF_A_DAY);
    day(window.from(), 0)..day(window.to(), MICROSECONDS_OF_A_DAY - 1)
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

    /// Files of 0 bytes, those of the outcomes and of the reference among them; the files must have been profiled.
    ///
    /// # Errors
    /// A file that cannot be read.
    pub fn empty_files(&self) -> Result<Vec<EmptyFile>, EngineError> {
        let mut empty = Vec::new();
        let profiles = self.profiles.borrow();
        let files = self.versions()?;
        for (at, file) in files.log.iter().enumerate().filter(|(_, file)| file.bytes == 0) {
            let days = |at: usize| profiles.get(&at).map(|profile| &profile.days);
            empty.push(EmptyFile {
                file: file.path.clone(),
                after: (0..at).rev().find_map(|at| Some(days(at)?.last()?.day)),
                before: (at..files.log.len()).find_map(|at| Some(days(at)?.first()?.day)),
            });
        }
        let reference = self.reference().map(Self::versions).transpose()?;
        let others = files.outcomes.iter().chain(reference.map(|files| &files.log).into_iter().flatten());
        empty.extend(others.filter(|file| file.bytes == 0).map(|file| EmptyFile {
            file: file.path.clone(),
            after: None,
            before: None,
        }));
        Ok(empty)
    }

    /// A digest of the files that have rows in any of the windows; the files must have been profiled.
    ///
    /// # Errors
    /// A file that cannot be read.
    pub fn inputs(&self, windows: &[Window]) -> Result<Digest, EngineError> {
        let mut digester = Digester::default();
        for dataset in std::iter::once(self).chain(self.reference()) {
            let windows = windows.iter().filter(|window| std::ptr::eq(self.dataset(**window), dataset));
            let days: Vec<Range<i64>> = windows.map(|window| days_touched(*window)).collect();
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
            rows_of_no_instant: profiles.values().map(|profile| profile.rows_of_no_instant).sum(),
        })
    }

    /// The files that have rows in a window of whole days; the files must have been profiled.
    pub(crate) fn files_in(&self, window: Window) -> Vec<usize> {
        let Some(days) = whole_days(window) else { return Vec::new() };
        let profiles = self.profiles.borrow();
        let has_rows = |profile: &FileProfile| !profile.within(&days).is_empty();
        (0..self.log.files.len()).filter(|at| profiles.get(at).is_some_and(has_rows)).collect()
    }

    /// Loads or makes the profile of every file; returns how many were read.
    fn file_profiles(&self, asked: &[Asked]) -> Result<u64, EngineError> {
        let Some(store) = self.store() else { return Ok(0) };
        let time = self.time_axis().key();
        let keys: Vec<String> = asked.iter().map(|asked| asked.key(self)).collect();
        let mut read = 0;
        for (at, file) in self.versions()?.log.iter().enumerate() {
            if file.bytes == 0 {
                self.profiles.borrow_mut().insert(at, FileProfile::default());
                continue;
            }
            let key = FileKey { digest: file.digest, time: &time };
            let known = self.profiles.borrow_mut().remove(&at);
            let known = if known.is_some() { known } else { FileProfile::load(store, key)? };
            let is_new = known.is_none();
            let mut profile = known.unwrap_or_default();
            let missing: Vec<&Asked> = asked
                .iter()
                .zip(&keys)
                .filter(|(_, key)| !profile.has(key))
                .map(|(asked, _)| asked)
                .collect();
            if is_new || !missing.is_empty() {
                self.profile_file(at, key, &missing, &mut profile)?;
                profile.keep(store, key)?;
                read += 1;
            }
            profile.retain(store, key);
            self.profiles.borrow_mut().insert(at, profile);
        }
        Ok(read)
    }

    /// Reads some columns of a file.
    fn profile_file(
        &self,
        at: usize,
        key: FileKey<'_>,
        asked: &[&Asked],
        profile: &mut FileProfile,
    ) -> Result<(), EngineError> {
        const FILE: &str = "profiled_file";
        const ROWS: &str = "profiled_rows";
        let axis = self.time_axis();
        let table = self.log.only(&[at]);
        register(&self.engine.runtime, &self.context, FILE, &table)?;
        let rows = self.engine.runtime.block_on(self.context.table(FILE))?;
        self.context.register_table(ROWS, axis.with_day(rows)?.into_view())?;
        let scanned = asked
            .chunks(COLUMNS_OF_A_SCAN)
            // Rows are counted where no column is asked for, too.
            .chain(asked.is_empty().then_some(&[] as &[&Asked]))
            .try_for_each(|asked| self.scan_days((ROWS, at, key), asked, profile));
        self.context.deregister_table(ROWS)?;
        self.context.deregister_table(FILE)?;
        scanned.map_err(|error| self.explain_time(error))
    }

    fn scan_days(
        &self,
        (rows, at, key): (&str, usize, FileKey<'_>),
        asked: &[&Asked],
        profile: &mut FileProfile,
    ) -> Result<(), EngineError> {
        let selected: String = asked
            .iter()
            .map(|asked| format!(", {}", aggregate_sql(self, self.days_fidelity, asked)))
            .collect();
        let sql = format!(
            "SELECT __day, count(*), min(__instant), max(__instant), sum(__local), sum(__no_instant){selected} FROM {rows} GROUP BY __day ORDER BY __day NULLS FIRST"
        );
        let query = self.engine.runtime.block_on(self.context.sql(&sql))?;
        let batches = self.collect_of(at, query)?;
        let axis = self.time_axis();
        let (mut days, mut undated_rows, mut rows_of_no_instant) = (Vec::new(), 0, 0);
        let mut states: Vec<Vec<Vec<u8>>> = vec![Vec::new(); asked.len()];
        for (batch, row) in
            batches.iter().flat_map(|batch| (0..batch.num_rows()).map(move |row| (batch, row)))
        {
            let rows = batch.column(1).as_primitive::<Int64Type>().value(row) as u64;
            let day = batch.column(0).as_primitive::<Int64Type>();
            if day.is_null(row) {
                undated_rows += rows;
                rows_of_no_instant += batch.column(5).as_primitive::<Int64Type>().value(row) as u64;
                continue;
            }
            let instant = |column: usize| -> Result<i64, EngineError> {
                let value = ScalarValue::try_from_array(batch.column(column), row)?;
                Ok(axis.timestamp(&value).unwrap_or_default().as_microsecond())
            };
            let local_rows = batch.column(4).as_primitive::<Int64Type>().value(row) as u64;
            days.push(Day { day: day.value(row), rows, first: instant(2)?, last: instant(3)?, local_rows });
            for (column, states) in states.iter_mut().enumerate() {
                states.push(state(batch, 6 + column, row));
            }
        }
        if !profile.days.is_empty() && profile.days != days {
            return Err(EngineError::ChangedWhileRead { path: self.log.files[at].clone() });
        }
        profile.days = days;
        (profile.undated_rows, profile.rows_of_no_instant) = (undated_rows, rows_of_no_instant);
        let Some(store) = self.store() else { return Ok(()) };
        profile.add(store, key, asked.iter().map(|asked| asked.key(self)).zip(states).collect())
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
            for questions in questions.chunks(COLUMNS_OF_A_BLOCK) {
                let columns: Vec<Asked> = questions.iter().filter_map(|question| asked(question)).collect();
                for (question, merged) in questions.iter().zip(self.merged(store, window, &columns)?) {
                    answers.insert((*question).clone(), merged.into_answer());
                }
            }
        }
        Ok(others.into_iter().cloned().collect())
    }

    /// The summaries of a window, in the order of the columns; a long window's are kept.
    fn merged(
        &self,
        store: &dyn ProfileStore,
        window: Window,
        columns: &[Asked],
    ) -> Result<Vec<Merged>, EngineError> {
        let days = whole_days(window).unwrap_or(0..0);
        let keys: Vec<String> = columns.iter().map(|column| column.key(self)).collect();
        if days.end - days.start <= DAYS_MERGED_QUICKLY {
            return self.merged_days(store, &days, columns, &keys);
        }
        let mut name = Digester::default();
        name.update(self.inputs(&[window])?.bytes().as_slice());
        name.update(format!("{FORMAT}\n{window}\n{}\n", self.time_axis().key()).as_bytes());
        for key in &keys {
            name.update(format!("{key}\n").as_bytes());
        }
        let name = format!("merged-{}", name.finish());
        if let Some(kept) = load::<Vec<Vec<u8>>>(store, &name)? {
            return columns.iter().zip(&kept).map(|(column, bytes)| Merged::read(column, bytes)).collect();
        }
        let mut merged = self.merged_days(store, &days, columns, &keys)?;
        merged.iter_mut().for_each(Merged::thin);
        let written: Vec<Vec<u8>> = merged.iter().map(Merged::write).collect::<Result<_, _>>()?;
        keep(store, &name, &written)?;
        Ok(merged)
    }

    /// Merges days. Where a file's summaries are gone or damaged, that file is read again.
    fn merged_days(
        &self,
        store: &dyn ProfileStore,
        days: &Range<i64>,
        columns: &[Asked],
        keys: &[String],
    ) -> Result<Vec<Merged>, EngineError> {
        for _ in 0..=self.log.files.len() {
            if let Some(merged) = self.merged_as_kept(store, days, columns, keys)? {
                return Ok(merged);
            }
            self.file_profiles(columns)?;
        }
        Err(EngineError::Query("profiles of the files are gone as soon as they are written".into()))
    }

    fn merged_as_kept(
        &self,
        store: &dyn ProfileStore,
        days: &Range<i64>,
        columns: &[Asked],
        keys: &[String],
    ) -> Result<Option<Vec<Merged>>, EngineError> {
        let mut merged: Vec<Merged> =
            columns.iter().map(|column| Merged::new(column, self.days_fidelity)).collect();
        let time = self.time_axis().key();
        let mut profiles = self.profiles.borrow_mut();
        for (at, file) in self.versions()?.log.iter().enumerate() {
            let Some(profile) = profiles.get_mut(&at) else { continue };
            let key = FileKey { digest: file.digest, time: &time };
            let blocks = Blocks { store, key, at_hand: &self.blocks };
            let within = profile.within(days);
            if !profile.summaries(&blocks, within, keys, |column, state| merged[column].add(state))? {
                return Ok(None);
            }
        }
        Ok(Some(merged))
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

/// The summary of a window, to which days are added.
enum Merged {
    Numbers(Box<NumbersSummary>),
    Categories(Box<CategoriesSummary>),
    Texts(Box<TextsSummary>),
    Vectors(Box<VectorsSummary>),
    Ids(IdsSummary),
}

impl Merged {
    fn new(asked: &Asked, fidelity: Fidelity) -> Self {
        match asked {
            Asked::Numbers(_) => Self::Numbers(Box::new(Summary::new(fidelity))),
            Asked::Categories(_) => Self::Categories(Box::new(Summary::new(fidelity))),
            Asked::Texts(_) => Self::Texts(Box::new(Summary::new(fidelity))),
            Asked::Vectors(_) => Self::Vectors(Box::new(Summary::new(fidelity))),
            Asked::Ids(_) => Self::Ids(Summary::new(fidelity)),
        }
    }

    fn add(&mut self, state: &[u8]) -> Result<(), EngineError> {
        let added = match self {
            Self::Numbers(whole) => whole.merge_encoded(state),
            Self::Categories(whole) => whole.merge_encoded(state),
            Self::Texts(whole) => whole.merge_encoded(state),
            Self::Vectors(whole) => whole.merge_encoded(state),
            Self::Ids(whole) => whole.merge_encoded(state),
        };
        Ok(added?)
    }

    fn read(asked: &Asked, bytes: &[u8]) -> Result<Self, EngineError> {
        Ok(match asked {
            Asked::Numbers(_) => Self::Numbers(Box::new(decode(bytes)?)),
            Asked::Categories(_) => Self::Categories(Box::new(decode(bytes)?)),
            Asked::Texts(_) => Self::Texts(Box::new(decode(bytes)?)),
            Asked::Vectors(_) => Self::Vectors(Box::new(decode(bytes)?)),
            Asked::Ids(_) => Self::Ids(decode(bytes)?),
        })
    }

    /// Many days of an approximate summary need no more points than tell about as much.
    fn thin(&mut self) {
        if let Self::Numbers(whole) = self {
            whole.0.quantiles.thin_merged();
        }
    }

    fn write(&self) -> Result<Vec<u8>, EngineError> {
        let written = match self {
            Self::Numbers(whole) => encode(whole.as_ref()),
            Self::Categories(whole) => encode(whole.as_ref()),
            Self::Texts(whole) => encode(whole.as_ref()),
            Self::Vectors(whole) => encode(whole.as_ref()),
            Self::Ids(whole) => encode(whole),
        };
        Ok(written?)
    }

    fn into_answer(self) -> Answer {
        match self {
            Self::Numbers(whole) => Answer::Profile(Profile::Numeric(whole.0)),
            Self::Categories(whole) => Answer::Profile(Profile::Categorical(whole.into_profile())),
            Self::Texts(whole) => Answer::Profile(Profile::Text(Box::new(whole.0))),
            Self::Vectors(whole) => Answer::Profile(Profile::Embedding(whole.0)),
            Self::Ids(whole) => Answer::Identity(whole.identity()),
        }
    }
}

/// The profiles of files that are in memory, by position of the file.
pub(crate) type Profiles = HashMap<usize, FileProfile>;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_windows_of_whole_days_are_merged_from_days() {
        let days = |text: &str| whole_days(text.parse().unwrap());
        assert_eq!(days("1970-01-02/1970-01-04"), Some(1..3));
        assert_eq!(days("1969-12-31/1970-01-01"), Some(-1..0));
        assert_eq!(days("1970-01-02/1970-01-04T12:00:00Z"), None);
        let touched = |text: &str| days_touched(text.parse().unwrap());
        assert_eq!(touched("1970-01-02/1970-01-04"), 1..3);
        assert_eq!(touched("1970-01-02T06:00:00Z/1970-01-04T12:00:00Z"), 1..4);
    }
}
