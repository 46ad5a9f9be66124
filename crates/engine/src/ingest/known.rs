//! Which rows of a day are in the log's files already.
//!
//! Memory is bounded by the rows that are asked about: the key columns of files are read in batches, and of a
//! file of ours only where the filter of its ids says that one of the ids may be there.

use std::collections::HashMap;
use std::collections::hash_map::Entry;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};
use std::time::SystemTime;

use datafusion::arrow::array::{ArrayRef, AsArray, new_null_array};
use datafusion::arrow::compute::cast;
use datafusion::arrow::datatypes::{DataType, Int32Type, Int64Type};
use datafusion::arrow::row::{RowConverter, SortField};
use datafusion::parquet::arrow::ProjectionMask;
use datafusion::parquet::arrow::arrow_reader::statistics::StatisticsConverter;
use datafusion::parquet::arrow::arrow_reader::{ArrowReaderMetadata, ParquetRecordBatchReaderBuilder};
use datafusion::parquet::basic::Type as PhysicalType;
use datafusion::parquet::bloom_filter::Sbbf;
use foldhash::fast::RandomState;
use types::Digest;
use types::definition::TimeUnit;

use super::arrays;
use super::error::IngestError;
use super::names::FileName;
use crate::EngineError;
use crate::files::is_text;
use crate::storage::Storage;

const BATCH_ROWS: usize = 65_536;

/// What is known of the files that a user put into the folder: which days they hold.
#[derive(Debug, Default)]
pub(super) struct ForeignDays(Mutex<HashMap<PathBuf, Foreign>>);

#[derive(Clone, Debug)]
struct Foreign {
    version: Version,
    /// `None` where the file does not say.
    days: Option<(i64, i64)>,
}

/// What tells whether a file is still the one that was looked at.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Version {
    File { size: u64, modified: Option<SystemTime> },
    Object(Digest),
}

impl Version {
    fn of(storage: &Storage, path: &Path) -> Result<Self, IngestError> {
        Ok(match storage {
            Storage::Disk => {
                let metadata = std::fs::metadata(path).map_err(IngestError::io(path))?;
                Self::File { size: metadata.len(), modified: metadata.modified().ok() }
            }
            Storage::Bucket(bucket) => Self::Object(bucket.identity(path).map_err(EngineError::from)?.0),
        })
    }
}

impl ForeignDays {
    /// Whether a file may hold rows of a day.
    pub(super) fn may_hold(
        &self,
        storage: &Storage,
        path: &Path,
        day: i64,
        time: (&str, Option<TimeUnit>),
    ) -> Result<bool, IngestError> {
        let version = Version::of(storage, path)?;
        let mut known = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let fresh = known.get(path).filter(|known| known.version == version);
        let days = if let Some(fresh) = fresh {
            fresh.days
        } else {
            let days = days_of(storage, path, time)?;
            known.insert(path.to_owned(), Foreign { version, days });
            days
        };
        Ok(days.is_none_or(|(first, last)| (first..=last).contains(&day)))
    }
}

/// The first and the last day of a file, by its statistics.
fn days_of(
    storage: &Storage,
    path: &Path,
    (time, unit): (&str, Option<TimeUnit>),
) -> Result<Option<(i64, i64)>, IngestError> {
    let bad = IngestError::parquet(path);
    let file = storage.open(path)?;
    let metadata =
        ArrowReaderMetadata::load(&file, datafusion::parquet::arrow::arrow_reader::ArrowReaderOptions::new())
            .map_err(|error| bad(error.to_string()))?;
    // Texts with different offsets do not sort by time.
    if !metadata.schema().field_with_name(time).is_ok_and(|field| !is_text(field.data_type())) {
        return Ok(None);
    }
    let extremes = || {
        let converter =
            StatisticsConverter::try_new(time, metadata.schema(), metadata.parquet_schema()).ok()?;
        let groups = metadata.metadata().row_groups();
        let first = arrays::days(&converter.row_group_mins(groups).ok()?, unit).ok()?;
        let last = arrays::days(&converter.row_group_maxes(groups).ok()?, unit).ok()?;
        let first: Vec<i64> = first.into_iter().collect::<Option<_>>()?;
        let last: Vec<i64> = last.into_iter().collect::<Option<_>>()?;
        Some((first.into_iter().min()?, last.into_iter().max()?))
    };
    Ok(extremes())
}

/// Which rows are neither in the files nor a repeat of an earlier row among them. `keys` are the columns that make
/// a row the same as another, the id first, as `names` are.
pub(super) fn new_rows(
    keys: &[ArrayRef],
    names: &[String],
    storage: &Storage,
    files: &[PathBuf],
) -> Result<Vec<bool>, IngestError> {
    let bad = IngestError::parquet(Path::new(names.first().map_or("", String::as_str)));
    let fields = keys.iter().map(|key| SortField::new(key.data_type().clone())).collect();
    let converter = RowConverter::new(fields).map_err(|error| bad(error.to_string()))?;
    let rows = converter.convert_columns(keys).map_err(|error| bad(error.to_string()))?;
    let mut is_new = vec![true; rows.num_rows()];
    let mut sought: Sought<'_> = HashMap::default();
    for (at, row) in rows.iter().enumerate() {
        match sought.entry(row.data()) {
            Entry::Occupied(_) => is_new[at] = false,
            Entry::Vacant(place) => {
                place.insert(at);
            }
        }
    }
    for path in files {
        if sought.is_empty() {
            break;
        }
        let bad = IngestError::parquet(path);
        for batch in key_batches((storage, path), names, &keys[0], &sought)? {
            let batch = batch.map_err(|error| bad(error.to_string()))?;
            let columns = names.iter().zip(keys).map(|(name, key)| match batch.column_by_name(name) {
                // What cannot be turned into the type is null, and equals no key.
                Some(column) => cast(column, key.data_type()),
                None => Ok(new_null_array(key.data_type(), batch.num_rows())),
            });
            let columns = columns.collect::<Result<Vec<_>, _>>().map_err(|error| bad(error.to_string()))?;
            let present = converter.convert_columns(&columns).map_err(|error| bad(error.to_string()))?;
            for row in &present {
                if let Some(at) = sought.remove(row.data()) {
                    is_new[at] = false;
                }
            }
        }
    }
    Ok(is_new)
}

/// Rows that were not found yet: where they are, by their key.
type Sought<'a> = HashMap<&'a [u8], usize, RandomState>;

type Batches = datafusion::parquet::arrow::arrow_reader::ParquetRecordBatchReader;

/// The key columns of the row groups of a file that may hold one of the ids.
fn key_batches(
    (storage, path): (&Storage, &Path),
    names: &[String],
    ids: &ArrayRef,
    sought: &Sought<'_>,
) -> Result<std::iter::Flatten<std::option::IntoIter<Batches>>, IngestError> {
    let bad = IngestError::parquet(path);
    let builder = ParquetRecordBatchReaderBuilder::try_new(storage.open(path)?)
        .map_err(|error| bad(error.to_string()))?;
    let descriptor = builder.parquet_schema();
    let columns = 0..descriptor.num_columns();
    let leaf = columns.into_iter().find(|at| descriptor.column(*at).path().string() == names[0]);
    // Without a column of ids there is no row that could be the same.
    let Some(leaf) = leaf else { return Ok(None.into_iter().flatten()) };
    let physical = descriptor.column(leaf).physical_type();
    let mut groups = Vec::new();
    for group in 0..builder.metadata().num_row_groups() {
        let filter = builder.get_row_group_column_bloom_filter(group, leaf);
        let filter = filter.map_err(|error| bad(error.to_string()))?;
        let may_hold =
            filter.is_none_or(|filter| sought.values().any(|at| may_be_in(&filter, physical, ids, *at)));
        if may_hold {
            groups.push(group);
        }
    }
    if groups.is_empty() {
        return Ok(None.into_iter().flatten());
    }
    let mask = ProjectionMask::columns(descriptor, names.iter().map(String::as_str));
    let reader = builder.with_projection(mask).with_row_groups(groups).with_batch_size(BATCH_ROWS).build();
    Ok(Some(reader.map_err(|error| bad(error.to_string()))?).into_iter().flatten())
}

/// Whether the filter of a file's ids says that one may be there; it must be asked in the file's own type.
fn may_be_in(filter: &Sbbf, physical: PhysicalType, ids: &ArrayRef, at: usize) -> bool {
    match (ids.data_type(), physical) {
        (DataType::Int64, PhysicalType::INT64) => filter.check(&ids.as_primitive::<Int64Type>().value(at)),
        (DataType::Int32, PhysicalType::INT32) => filter.check(&ids.as_primitive::<Int32Type>().value(at)),
        (DataType::Utf8, PhysicalType::BYTE_ARRAY) => filter.check(ids.as_string::<i32>().value(at)),
        _ => true,
    }
}

/// The files among these that hold, or may hold, rows of a day.
pub(super) fn files_of_day(
    files: &[PathBuf],
    day: i64,
    day_text: &str,
    may_hold: impl Fn(&Path, i64) -> Result<bool, IngestError>,
) -> Result<Vec<PathBuf>, IngestError> {
    let mut of_day = Vec::new();
    for path in files {
        let holds = match FileName::parse(path) {
            Some(name) => name.day == day_text,
            None => may_hold(path, day)?,
        };
        if holds {
            of_day.push(path.clone());
        }
    }
    Ok(of_day)
}
