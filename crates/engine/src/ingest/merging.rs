//! Many small files of a day become one.
//!
//! A merged file is named after the range of segments that it stands for. From the moment it has its name, the
//! files that it was made from count as gone for the engine; then they are deleted. This holds in a bucket as it
//! does on a disk: an object has its name only as a whole, and a list shows it from then on. Files that the user put into
//! the folder, and those of other servers, are not touched.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::Arc;

use datafusion::arrow::array::{RecordBatch, new_null_array};
use datafusion::arrow::compute::cast;
use datafusion::arrow::datatypes::SchemaRef;
use datafusion::arrow::error::ArrowError;
use datafusion::parquet::arrow::arrow_reader::ParquetRecordBatchReaderBuilder;
use jiff::Timestamp;

use super::error::IngestError;
use super::folder::Own;
use super::names::{FileName, covered};
use super::parquet_file::ParquetFile;
use super::table::Table;
use super::{arrays, instant};

/// Packs better than fresh files are packed; a day is merged once.
const LEVEL: i32 = 3;
/// A day counts as over this long after its end, when the last rows of it have mostly come.
const SETTLED_SECONDS: i64 = 3_600;
/// Files of a day that are merged while more of them come, or came late.
const MANY: usize = 16;
/// Larger files are left alone.
const SMALL_BYTES: u64 = 128 << 20;
/// A merged file is not made much larger than this.
const MERGED_BYTES: u64 = 512 << 20;
const BATCH_ROWS: usize = 16_384;

/// What merging did.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Merged {
    /// Files that were made, and those that they replaced.
    pub files: u64,
    pub replaced: u64,
    pub rows: u64,
}

impl Table {
    /// Merges the small files of days that are over, and of others where there are many.
    ///
    /// A reader that has listed the files just before, and opens them just after, misses those that were
    /// replaced; call it while no check reads the log.
    pub fn merge(&self, now: Timestamp) -> Result<Merged, IngestError> {
        let _one = self.lock_files();
        let mut merged = Merged::default();
        self.remove_replaced()?;
        let mut by_day: BTreeMap<String, Vec<Own>> = BTreeMap::new();
        for (name, path, size) in self.folder.own_files(&self.options.node)? {
            by_day.entry(name.day.clone()).or_default().push((name, path, size));
        }
        for (day, files) in by_day {
            let end = (instant::parse_date(&day).unwrap_or(i64::MAX / 86_400 - 1) + 1) * 86_400;
            let is_over = now.as_second() >= end + SETTLED_SECONDS;
            for run in runs(files, is_over) {
                merged.replaced += run.len() as u64;
                merged.rows += self.merge_files(&run)?;
                merged.files += 1;
            }
        }
        Ok(merged)
    }

    fn merge_files(&self, run: &[Own]) -> Result<u64, IngestError> {
        let schema = arrays::file_schema(&self.schema());
        let numbers = || run.iter().map(|(name, _, _)| name);
        let name = FileName {
            day: run[0].0.day.clone(),
            node: self.options.node.clone(),
            first: numbers().map(|name| name.first).min().unwrap_or_default(),
            last: numbers().map(|name| name.last).max().unwrap_or_default(),
        };
        let folder = &self.folder;
        let mut file = ParquetFile::begin(folder, &name, Arc::clone(&schema), &self.place.roles.id, LEVEL)?;
        let mut rows = 0;
        for (_, path, _) in run {
            let bad = IngestError::parquet(path);
            let reader = ParquetRecordBatchReaderBuilder::try_new(folder.storage.open(path)?)
                .and_then(|builder| builder.with_batch_size(BATCH_ROWS).build())
                .map_err(|error| bad(error.to_string()))?;
            for batch in reader {
                let batch = batch.and_then(|batch| as_schema(&batch, &schema));
                let batch = batch.map_err(|error| bad(error.to_string()))?;
                rows += batch.num_rows() as u64;
                file.write(&batch)?;
            }
        }
        file.finish(&self.steps)?;
        for (_, path, _) in run {
            folder.remove(path)?;
            self.steps.pass()?;
        }
        folder.settle()?;
        Ok(rows)
    }

    /// Removes what a crash left: files that a merged one stands for, and torn beginnings.
    pub(super) fn remove_replaced(&self) -> Result<(), IngestError> {
        let own: Vec<PathBuf> =
            self.folder.own_files(&self.options.node)?.into_iter().map(|(_, path, _)| path).collect();
        covered(&own).iter().try_for_each(|path| self.folder.remove(path))?;
        self.folder.remove_parts(&self.options.node)
    }
}

/// Neighbouring files of a day that are worth merging. No file between two of them is left out: the range of a
/// merged file stands for all that is in it.
fn runs(files: Vec<Own>, is_over: bool) -> Vec<Vec<Own>> {
    let merged_before = files.iter().any(|(name, _, _)| name.first != name.last);
    let least = if is_over && !merged_before { 2 } else { MANY };
    let mut runs: Vec<Vec<Own>> = vec![Vec::new()];
    let mut bytes = 0;
    for file in files {
        let size = file.2;
        if size >= SMALL_BYTES || bytes + size > MERGED_BYTES {
            runs.push(Vec::new());
            bytes = 0;
        }
        if size < SMALL_BYTES {
            bytes += size;
            if let Some(run) = runs.last_mut() {
                run.push(file);
            }
        }
    }
    runs.retain(|run| run.len() >= least);
    runs
}

/// A batch with the columns of a schema; those that it lacks are null.
fn as_schema(batch: &RecordBatch, schema: &SchemaRef) -> Result<RecordBatch, ArrowError> {
    let columns = schema.fields().iter().map(|field| match batch.column_by_name(field.name()) {
        Some(column) => cast(column, field.data_type()),
        None => Ok(new_null_array(field.data_type(), batch.num_rows())),
    });
    RecordBatch::try_new(Arc::clone(schema), columns.collect::<Result<_, _>>()?)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn file(first: u64, last: u64, size: u64) -> Own {
        let name = FileName { day: "2026-11-27".into(), node: "a".into(), first, last };
        (name, PathBuf::new(), size)
    }

    fn ranges(files: Vec<Own>, is_over: bool) -> Vec<(u64, u64)> {
        let range = |run: &Vec<Own>| (run[0].0.first, run[run.len() - 1].0.last);
        runs(files, is_over).iter().map(range).collect()
    }

    #[test]
    fn a_day_that_is_over_is_merged_once_and_late_files_only_when_there_are_many() {
        let small = |count: u64| (1..=count).map(|at| file(at, at, 1_000)).collect::<Vec<_>>();
        assert_eq!(ranges(small(1), true), []);
        assert_eq!(ranges(small(2), true), [(1, 2)]);
        assert_eq!(ranges(small(15), false), []);
        assert_eq!(ranges(small(16), false), [(1, 16)]);
        let late = |count: u64| {
            let late = (0..count).map(|at| file(10 + at, 10 + at, 1_000));
            std::iter::once(file(1, 9, 1 << 30)).chain(late).collect::<Vec<_>>()
        };
        assert_eq!(ranges(late(15), true), []);
        assert_eq!(ranges(late(16), true), [(10, 25)]);
    }

    #[test]
    fn a_large_file_is_not_within_a_run() {
        let files = vec![file(1, 1, 10), file(2, 2, 10), file(3, 3, 1 << 30), file(4, 4, 10), file(5, 5, 10)];
        assert_eq!(ranges(files, true), [(1, 2), (4, 5)]);
    }
}
