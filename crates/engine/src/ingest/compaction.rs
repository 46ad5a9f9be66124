//! From segments of the write-ahead log to files of the log, by day.
//!
//! A segment is deleted only once all its rows are in files that are on disk. Whatever interrupts this, doing it
//! again ends in the same place: a file is named after its segment, so that one that is there is not made again,
//! and rows whose key is in a file of their day are dropped.

use std::collections::BTreeMap;
use std::path::PathBuf;

use datafusion::arrow::array::{ArrayRef, RecordBatch, UInt32Array};
use datafusion::arrow::compute::{sort_to_indices, take, take_record_batch};

use super::columns::Rows;
use super::error::IngestError;
use super::names::FileName;
use super::parquet_file::ParquetFile;
use super::table::Table;
use super::wal::{SegmentReader, segment_path};
use super::{arrays, instant, known, record};
use crate::find::matching_files;

/// The fast end of zstd: fresh files are merged soon, and packed better then.
const LEVEL: i32 = 1;

/// What a compaction did.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Compacted {
    pub segments: u64,
    /// Rows that are in files of the log now.
    pub rows: u64,
    /// Rows that were there already.
    pub repeated: u64,
    pub files: u64,
    /// Segments whose end could not be read; what was whole before it is in files, and they were set aside.
    pub damaged: Vec<PathBuf>,
}

impl Table {
    /// Turns one closed segment into files, and deletes it.
    pub(super) fn compact_segment(&self, number: u64, done: &mut Compacted) -> Result<(), IngestError> {
        let path = segment_path(&self.wal_folder, number);
        let mut reader = SegmentReader::open(&path)?;
        let mut rows = Rows::default();
        while let Some(bytes) = reader.next()? {
            let damaged =
                |reason: &str| IngestError::Damaged { path: path.clone(), reason: reason.to_owned() };
            let more = record::decode(&bytes)
                .ok_or_else(|| damaged("a record is of a version that is not known"))?;
            rows.extend(more).map_err(|column| damaged(&format!("column `{column}` is of two kinds")))?;
        }
        let count = rows.count as u64;
        if count > 0 {
            self.write_days(rows, number, done)?;
        }
        self.steps.pass()?;
        if reader.torn() > 0 {
            done.damaged.push(self.wal.set_aside(number, count)?);
        } else {
            self.wal.remove(number, count)?;
        }
        done.segments += 1;
        self.steps.pass()
    }

    fn write_days(&self, rows: Rows, number: u64, done: &mut Compacted) -> Result<(), IngestError> {
        let schema = self.schema();
        let bad = IngestError::parquet(&self.folder.path);
        let batch = arrays::batch(rows, &schema).map_err(|error| bad(error.to_string()))?;
        let time = column(&batch, &self.place.roles.time).map_err(&bad)?;
        let days = arrays::days(&time, self.place.roles.time_unit).map_err(|error| bad(error.to_string()))?;
        let mut by_day: BTreeMap<i64, Vec<u32>> = BTreeMap::new();
        for (row, day) in days.iter().enumerate() {
            let day = day.ok_or_else(|| bad("a row in the write-ahead log has no time".into()))?;
            by_day.entry(day).or_default().push(row as u32);
        }
        let files = self.log_files()?;
        for (day, rows) in by_day {
            self.write_day(&batch, day, rows, number, &files, done)?;
        }
        Ok(())
    }

    fn write_day(
        &self,
        batch: &RecordBatch,
        day: i64,
        rows: Vec<u32>,
        number: u64,
        files: &[PathBuf],
        done: &mut Compacted,
    ) -> Result<(), IngestError> {
        let roles = &self.place.roles;
        let bad = IngestError::parquet(&self.folder.path);
        let text = instant::day_text(day);
        let name =
            FileName { day: text.clone(), node: self.options.node.clone(), first: number, last: number };
        let is_there = files.iter().filter_map(|path| FileName::parse(path)).any(|other| other.holds(&name));
        if is_there {
            return Ok(());
        }
        let of_day = known::files_of_day(files, day, &text, |path, day| {
            self.foreign.may_hold(&self.folder.storage, path, day, (roles.time.as_str(), roles.time_unit))
        })?;
        let rows = UInt32Array::from(rows);
        let taken = |name: &str| -> Result<ArrayRef, IngestError> {
            let column = column(batch, name).map_err(&bad)?;
            take(&column, &rows, None).map_err(|error| bad(error.to_string()))
        };
        // A column of the key without a value in any row so far has no type, and tells no rows apart.
        let names: Vec<String> =
            roles.key.iter().filter(|name| batch.column_by_name(name).is_some()).cloned().collect();
        let keys = names.iter().map(|name| taken(name)).collect::<Result<Vec<_>, _>>()?;
        let is_new = known::new_rows(&keys, &names, &self.folder.storage, &of_day)?;
        let new: UInt32Array =
            rows.values().iter().zip(&is_new).filter(|(_, is_new)| **is_new).map(|(row, _)| *row).collect();
        done.repeated += (rows.len() - new.len()) as u64;
        if new.is_empty() {
            return Ok(());
        }
        // In the order of time, so that readers of an hour read a part of the file.
        let time = column(batch, &roles.time).map_err(&bad)?;
        let sorted = take(&time, &new, None)
            .and_then(|time| sort_to_indices(&time, None, None))
            .and_then(|order| take(&new, &order, None))
            .and_then(|order| take_record_batch(batch, &order))
            .map_err(|error| bad(error.to_string()))?;
        let mut file = ParquetFile::begin(&self.folder, &name, batch.schema(), &roles.id, LEVEL)?;
        file.write(&sorted)?;
        file.finish(&self.steps)?;
        done.rows += new.len() as u64;
        done.files += 1;
        Ok(())
    }

    /// The files of the log, as the engine reads them.
    pub(super) fn log_files(&self) -> Result<Vec<PathBuf>, IngestError> {
        match matching_files(&self.base, &self.place.path, &self.buckets) {
            Ok(found) => Ok(found.files),
            Err(crate::EngineError::NotFound { .. } | crate::EngineError::NoFiles { .. }) => Ok(Vec::new()),
            Err(error) => Err(error.into()),
        }
    }
}

fn column(batch: &RecordBatch, name: &str) -> Result<ArrayRef, String> {
    batch.column_by_name(name).cloned().ok_or_else(|| format!("there is no column `{name}`"))
}
