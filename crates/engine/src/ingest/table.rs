//! One table of a system that takes in rows: predictions, or outcomes.

use std::fs::File;
use std::io::Read;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, RwLock};
use std::time::Duration;

use jiff::Timestamp;

use super::body::{Body, BodyFormat, Encoding, Memory};
use super::compaction::Compacted;
use super::error::{Accepted, IngestError};
use super::folder::Folder;
use super::intake::Intake;
use super::known::ForeignDays;
use super::place::Place;
use super::schema::{ColumnType, TableColumn, TableSchema};
use super::wal::{Durability, Wal};
use super::{IngestOptions, Steps, arrow_stream, create_folder, json_rows};
use crate::EngineError;
use crate::files::{AsText, table_files};
use crate::objects::Buckets;

/// What a client is told whose rows wait for a compaction.
const RETRY_AFTER_COMPACTION: Duration = Duration::from_secs(5);
/// And one that came together with another that decided what a column is.
const RETRY_AFTER_RACE: Duration = Duration::from_secs(1);

/// A table that takes in rows. All of it can be called from several threads.
#[derive(Debug)]
pub struct Table {
    pub(super) place: Place,
    pub(super) base: PathBuf,
    pub(super) folder: Folder,
    pub(super) buckets: Arc<Buckets>,
    pub(super) options: IngestOptions,
    pub(super) wal: Wal,
    pub(super) wal_folder: PathBuf,
    pub(super) foreign: ForeignDays,
    pub(super) steps: Steps,
    schema: RwLock<Arc<TableSchema>>,
    schema_path: PathBuf,
    /// Requests that come before a table has columns are read one after the other.
    first: Mutex<()>,
    /// Held while files of the log are made or removed.
    files: Mutex<()>,
    memory: Arc<Memory>,
    totals: Totals,
    last_compaction: Mutex<Option<Timestamp>>,
    /// Held for as long as the table is open: the last field, so that the writer has ended before.
    _lock: Lock,
}

/// What keeps other processes from a table.
#[derive(Debug)]
struct Lock(File);

impl Lock {
    fn of(path: &Path) -> Result<Self, IngestError> {
        let file = File::create(path).map_err(IngestError::io(path))?;
        match file.try_lock() {
            Ok(()) => Ok(Self(file)),
            Err(std::fs::TryLockError::WouldBlock) => Err(IngestError::Locked { path: path.to_owned() }),
            Err(std::fs::TryLockError::Error(error)) => Err(IngestError::io(path)(error)),
        }
    }
}

impl Drop for Lock {
    fn drop(&mut self) {
        // Closing the file is not enough: a process that another thread is just starting has it open too, until
        // its program begins. Where this fails, closing remains.
        let _ = self.0.unlock();
    }
}

#[derive(Debug, Default)]
struct Totals {
    requests: AtomicU64,
    accepted: AtomicU64,
    duplicates: AtomicU64,
    rejected: AtomicU64,
    written: AtomicU64,
    repeated: AtomicU64,
    files: AtomicU64,
}

/// How a table is doing. Totals count since it was opened.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct TableStatus {
    /// Rows, and bytes of the write-ahead log, that are not files yet.
    pub waiting_rows: u64,
    pub waiting_bytes: u64,
    /// Requests that had a row accepted.
    pub requests: u64,
    pub accepted: u64,
    pub duplicates: u64,
    pub rejected: u64,
    /// Rows that became rows of files, and those that were in files already.
    pub written: u64,
    pub repeated: u64,
    pub files: u64,
    /// Waits for the disk; requests that come at the same time share one.
    pub syncs: u64,
    /// Waits that the disk ended with an error after rows were accepted as written.
    pub failed_syncs: u64,
    /// Bytes that a crash had torn, which were cut off when the table was opened.
    pub torn_bytes: u64,
    pub last_compaction: Option<Timestamp>,
}

impl Table {
    /// Opens a table whose state lies in a folder of its own.
    ///
    /// # Errors
    /// `Busy` where the folder is in an object store that cannot be reached now.
    pub(super) fn open(
        place: Place,
        (base, buckets): (&Path, Arc<Buckets>),
        state: &Path,
        options: IngestOptions,
        memory: Arc<Memory>,
    ) -> Result<Self, IngestError> {
        Self::opened(place, (base, buckets), state, options, memory).map_err(|error| match error {
            IngestError::Log(EngineError::Objects(error)) if error.is_passing() => {
                let why = "the object store of the log cannot be reached";
                IngestError::Busy { why, retry_after: RETRY_AFTER_COMPACTION }
            }
            error => error,
        })
    }

    fn opened(
        place: Place,
        (base, buckets): (&Path, Arc<Buckets>),
        state: &Path,
        options: IngestOptions,
        memory: Arc<Memory>,
    ) -> Result<Self, IngestError> {
        create_folder(state).map_err(IngestError::io(state))?;
        let lock = Lock::of(&state.join("lock"))?;
        let folder = Folder::open(&place, state, &buckets)?;
        folder.claim(&options.node, state)?;
        let schema_path = state.join("schema.json");
        let schema = opened_schema(&place, base, &buckets, &schema_path)?;
        let last = last_segment_of_files(&folder, &options.node)?;
        let wal_folder = state.join("wal");
        let wal = Wal::open(&wal_folder, last + 1, options.segment_bytes)?;
        let table = Self {
            base: base.to_owned(),
            folder,
            buckets,
            wal,
            wal_folder,
            foreign: ForeignDays::default(),
            steps: Steps::default(),
            schema: RwLock::new(Arc::new(schema)),
            schema_path,
            first: Mutex::new(()),
            files: Mutex::new(()),
            memory,
            totals: Totals::default(),
            last_compaction: Mutex::new(None),
            _lock: lock,
            place,
            options,
        };
        table.remove_replaced()?;
        Ok(table)
    }

    /// Takes in the rows of a body. Returns once the good ones are on disk; the others are told.
    ///
    /// # Errors
    /// Nothing of the request is kept. `Busy` says when to come again; `TooLarge` and `UnreadableBody` are about
    /// the body, `WrongColumn` about all rows of an Arrow stream.
    pub fn accept(
        &self,
        format: BodyFormat,
        encoding: Encoding,
        reader: impl Read,
    ) -> Result<Accepted, IngestError> {
        self.accept_as(format, encoding, reader, Durability::Synced)
    }

    /// The same, and returns once the rows are as durable as asked for.
    ///
    /// # Errors
    /// As those of [`Self::accept`].
    pub fn accept_as(
        &self,
        format: BodyFormat,
        encoding: Encoding,
        reader: impl Read,
        durability: Durability,
    ) -> Result<Accepted, IngestError> {
        let waiting = self.wal.counts().bytes.load(Ordering::Relaxed);
        if waiting > self.options.waiting_bytes_max {
            let why = "rows wait to become files of the log";
            return Err(IngestError::Busy { why, retry_after: RETRY_AFTER_COMPACTION });
        }
        let mut body = Body::new(reader, encoding, self.options.body_bytes_max, &self.memory)?;
        let schema = self.schema();
        if schema.closed {
            return self.accept_rows(&schema, format, &mut body, durability);
        }
        // The whole body first, so that nobody waits for a slow client.
        body.fill_all()?;
        let first = self.first.lock().unwrap_or_else(PoisonError::into_inner);
        let schema = self.schema();
        if schema.closed {
            drop(first);
        }
        self.accept_rows(&schema, format, &mut body, durability)
    }

    fn accept_rows(
        &self,
        schema: &Arc<TableSchema>,
        format: BodyFormat,
        body: &mut Body<'_>,
        durability: Durability,
    ) -> Result<Accepted, IngestError> {
        let mut intake = Intake::new(schema, &self.place.roles, self.options.errors_told);
        match format {
            BodyFormat::Json => json_rows::read_array(body, &mut intake)?,
            BodyFormat::Ndjson => json_rows::read_lines(body, &mut intake)?,
            BodyFormat::ArrowStream => arrow_stream::read(body, &mut intake)?,
        }
        let accepted = intake.rows.count as u64;
        if accepted > 0 {
            self.settle_types(&intake)?;
            self.wal.append(&intake.rows, durability)?;
            self.totals.requests.fetch_add(1, Ordering::Relaxed);
        }
        self.totals.accepted.fetch_add(accepted, Ordering::Relaxed);
        self.totals.duplicates.fetch_add(intake.duplicates, Ordering::Relaxed);
        self.totals.rejected.fetch_add(intake.errors.count, Ordering::Relaxed);
        Ok(Accepted {
            accepted,
            duplicates: intake.duplicates,
            rejected: intake.errors.count,
            errors: intake.errors.told,
        })
    }

    /// Pins what the rows have decided about columns, before the rows themselves are kept.
    fn settle_types(&self, intake: &Intake) -> Result<(), IngestError> {
        let raced = IngestError::Busy {
            why: "another request has just decided what a column holds",
            retry_after: RETRY_AFTER_RACE,
        };
        let now = self.schema();
        match now.with(&intake.rows) {
            None => return Err(raced),
            Some(next) if next == *now => return Ok(()),
            Some(_) => {}
        }
        let mut schema = self.schema.write().unwrap_or_else(PoisonError::into_inner);
        let next = schema.with(&intake.rows).ok_or(raced)?;
        next.pin(&self.schema_path)?;
        *schema = Arc::new(next);
        Ok(())
    }

    pub(super) fn schema(&self) -> Arc<TableSchema> {
        Arc::clone(&self.schema.read().unwrap_or_else(PoisonError::into_inner))
    }

    pub(super) fn lock_files(&self) -> MutexGuard<'_, ()> {
        self.files.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Makes files of all rows that were accepted so far. `now` is only told, by [`Self::status`].
    ///
    /// # Errors
    /// What is done stays done; the rest is done by the next call.
    pub fn compact(&self, now: Timestamp) -> Result<Compacted, IngestError> {
        let _one = self.lock_files();
        let mut done = Compacted::default();
        let worked = self.wal.close_segment().and_then(|segments| {
            segments.into_iter().try_for_each(|number| self.compact_segment(number, &mut done))
        });
        self.totals.written.fetch_add(done.rows, Ordering::Relaxed);
        self.totals.repeated.fetch_add(done.repeated, Ordering::Relaxed);
        self.totals.files.fetch_add(done.files, Ordering::Relaxed);
        worked?;
        *self.last_compaction.lock().unwrap_or_else(PoisonError::into_inner) = Some(now);
        Ok(done)
    }

    pub fn status(&self) -> TableStatus {
        let (wal, totals) = (self.wal.counts(), &self.totals);
        let of = |count: &AtomicU64| count.load(Ordering::Relaxed);
        TableStatus {
            waiting_rows: of(&wal.rows),
            waiting_bytes: of(&wal.bytes),
            requests: of(&totals.requests),
            accepted: of(&totals.accepted),
            duplicates: of(&totals.duplicates),
            rejected: of(&totals.rejected),
            written: of(&totals.written),
            repeated: of(&totals.repeated),
            files: of(&totals.files),
            syncs: of(&wal.syncs),
            failed_syncs: of(&wal.failed_syncs),
            torn_bytes: of(&wal.torn_bytes),
            last_compaction: *self.last_compaction.lock().unwrap_or_else(PoisonError::into_inner),
        }
    }

    /// The columns that a row may name, in their order, and whether each holds whole numbers; `None` while any may be.
    pub fn columns(&self) -> Option<Vec<(String, bool)>> {
        let schema = self.schema();
        let whole = |column_type: Option<&ColumnType>| matches!(column_type, Some(ColumnType::Int { .. }));
        let of = |column: &TableColumn| (column.name.clone(), whole(column.column_type.as_ref()));
        schema.closed.then(|| schema.columns.iter().map(of).collect())
    }

    /// Whether so much waits that it should be compacted before the next turn of a timer.
    pub fn should_compact(&self) -> bool {
        self.wal.counts().bytes.load(Ordering::Relaxed) >= self.options.segment_bytes
    }
}

/// The columns that were pinned, or those of the files that are there, or those that the definition names.
fn opened_schema(
    place: &Place,
    base: &Path,
    buckets: &Buckets,
    path: &Path,
) -> Result<TableSchema, IngestError> {
    let pinned = TableSchema::pinned(path)?;
    let mut schema = pinned.clone().unwrap_or_else(TableSchema::open);
    let as_text = AsText { ids: &[place.roles.id.as_str()], time: None };
    match table_files(base, &place.path, buckets, as_text) {
        Ok(files) => {
            if let Some(csv) = files.csv_file() {
                return Err(IngestError::NotForIngestion {
                    key: "log",
                    why: format!("in CSV (`{}`)", csv.display()),
                    way_out:
                        "files that are added are Parquet, and a table is all one or the other; convert them"
                            .into(),
                });
            }
            schema.add_files(&files.schema, &files.empty_columns);
        }
        Err(EngineError::NotFound { .. } | EngineError::NoFiles { .. }) => {}
        Err(error) => return Err(error.into()),
    }
    schema.add_roles(&place.columns);
    if schema.closed && pinned.as_ref() != Some(&schema) {
        schema.pin(path)?;
    }
    Ok(schema)
}

/// The largest number of a segment that files were made from.
fn last_segment_of_files(folder: &Folder, node: &str) -> Result<u64, IngestError> {
    Ok(folder.own_files(node)?.into_iter().map(|(name, _, _)| name.last).max().unwrap_or(0))
}
