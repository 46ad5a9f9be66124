//! The write-ahead log of a table: a request is answered once its record is on disk.
//!
//! One thread writes. What arrives while it waits for the disk is written together and shares the next wait
//! (group commit). Records lie in numbered segment files; a segment that is closed is never written to again.
//!
//! Where a request may be answered once its record is written ([`Durability::Written`]), another thread waits for the
//! disk, a moment later (`syncer`): whatever happens to the process, the system has the record; a machine that loses
//! power in between loses it.
//!
//! ```text
//! segment: "FWSEG001" · frames          frame: length u32 · XXH64 of the record u64 · record
//! ```
//!
//! A frame that a crash tore fails its checksum. It is the last one of the last segment, its request was never
//! answered, and it is cut off when the log is opened.

use std::fs::{File, OpenOptions};
use std::io::{Read, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::mpsc::{Receiver, Sender, SyncSender, channel, sync_channel};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::JoinHandle;

use twox_hash::XxHash64;

use super::columns::Rows;
use super::error::IngestError;
use super::syncer::Syncer;
use super::{create_folder, record, sync_folder};

const MAGIC: &[u8; 8] = b"FWSEG001";
const FRAME_HEAD: usize = 12;
/// Records that are written before one wait for the disk, at most.
const GROUP_BYTES: usize = 32 << 20;

/// What an accepted row survives.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Durability {
    /// That the machine loses power: the disk has confirmed it.
    Synced,
    /// That the process is killed: the system has it, and the disk will within a moment.
    Written,
}

/// Counts that other threads read.
#[derive(Debug, Default)]
pub(super) struct WalCounts {
    /// Bytes and rows in segments that are not files of the log yet.
    pub(super) bytes: AtomicU64,
    pub(super) rows: AtomicU64,
    /// Waits for the disk, and the records that they made durable.
    pub(super) syncs: AtomicU64,
    pub(super) records: AtomicU64,
    /// Waits that the disk ended with an error, after the records were answered.
    pub(super) failed_syncs: AtomicU64,
    /// Torn bytes that were cut off when the log was opened.
    pub(super) torn_bytes: AtomicU64,
}

enum Job {
    Append(Append),
    /// Close the segment that is written to.
    Close {
        done: SyncSender<()>,
    },
}

/// A record that waits to be on disk.
struct Append {
    frame: Vec<u8>,
    rows: u64,
    durability: Durability,
    done: SyncSender<Result<(), IngestError>>,
}

/// Appends records.
#[derive(Debug)]
pub(super) struct Wal {
    folder: PathBuf,
    jobs: Mutex<Option<Sender<Job>>>,
    writer: Mutex<Option<JoinHandle<()>>>,
    counts: Arc<WalCounts>,
    /// The number of the segment that is written to, or will be next.
    active: Arc<AtomicU64>,
}

/// The bytes of rows in a segment.
fn frame_of(rows: &Rows) -> Vec<u8> {
    let mut frame = vec![0; FRAME_HEAD];
    record::encode(rows, &mut frame);
    let (head, record) = frame.split_at_mut(FRAME_HEAD);
    head[..4].copy_from_slice(&(record.len() as u32).to_le_bytes());
    head[4..].copy_from_slice(&XxHash64::oneshot(record.len() as u64, record).to_le_bytes());
    frame
}

/// Where a segment lies.
pub(super) fn segment_path(folder: &Path, number: u64) -> PathBuf {
    folder.join(format!("{number:010}.wal"))
}

/// The numbers of the segments in a folder, ascending.
pub(super) fn segments(folder: &Path) -> Result<Vec<u64>, IngestError> {
    let entries = std::fs::read_dir(folder).map_err(IngestError::io(folder))?;
    let mut numbers = Vec::new();
    for entry in entries {
        let name = entry.map_err(IngestError::io(folder))?.file_name();
        let number = name.to_str().and_then(|name| name.strip_suffix(".wal")?.parse::<u64>().ok());
        numbers.extend(number);
    }
    numbers.sort_unstable();
    Ok(numbers)
}

/// The records of a segment, one after the other, up to the first that is not whole.
#[derive(Debug)]
pub(super) struct SegmentReader {
    file: File,
    path: PathBuf,
    size: u64,
    /// The end of the last whole record.
    pub(super) whole: u64,
}

impl SegmentReader {
    pub(super) fn open(path: &Path) -> Result<Self, IngestError> {
        let mut file = File::open(path).map_err(IngestError::io(path))?;
        let size = file.metadata().map_err(IngestError::io(path))?.len();
        let mut magic = Vec::new();
        (&mut file).take(MAGIC.len() as u64).read_to_end(&mut magic).map_err(IngestError::io(path))?;
        let whole = if magic == MAGIC { MAGIC.len() as u64 } else { 0 };
        Ok(Self { file, path: path.to_owned(), size, whole })
    }

    /// The next whole record.
    pub(super) fn next(&mut self) -> Result<Option<Vec<u8>>, IngestError> {
        if self.whole == 0 || self.size < self.whole + FRAME_HEAD as u64 {
            return Ok(None);
        }
        let mut head = [0; FRAME_HEAD];
        self.file.read_exact(&mut head).map_err(IngestError::io(&self.path))?;
        let (length, hash) = head.split_at(4);
        let length = length.iter().rev().fold(0_u64, |value, byte| value << 8 | u64::from(*byte));
        let hash = hash.iter().rev().fold(0_u64, |value, byte| value << 8 | u64::from(*byte));
        // Not a length that cannot be: it may be what a crash left there.
        if length == 0 || length > self.size - self.whole - FRAME_HEAD as u64 {
            return Ok(None);
        }
        let mut record = vec![0; length as usize];
        self.file.read_exact(&mut record).map_err(IngestError::io(&self.path))?;
        if XxHash64::oneshot(length, &record) != hash {
            return Ok(None);
        }
        self.whole += FRAME_HEAD as u64 + length;
        Ok(Some(record))
    }

    /// Bytes after the last whole record, once there is no next one.
    pub(super) fn torn(&self) -> u64 {
        self.size - self.whole
    }
}

impl Wal {
    /// Opens the log, cuts off what a crash tore, and starts the thread that writes.
    ///
    /// `first` is the smallest number that a new segment may have.
    pub(super) fn open(folder: &Path, first: u64, segment_bytes: u64) -> Result<Self, IngestError> {
        create_folder(folder).map_err(IngestError::io(folder))?;
        let counts = Arc::new(WalCounts::default());
        let known = segments(folder)?;
        for number in &known {
            let path = segment_path(folder, *number);
            let mut reader = SegmentReader::open(&path)?;
            while let Some(record) = reader.next()? {
                counts.rows.fetch_add(record::row_count(&record), Ordering::Relaxed);
            }
            if Some(number) == known.last() && reader.torn() > 0 {
                counts.torn_bytes.fetch_add(reader.torn(), Ordering::Relaxed);
                let file = OpenOptions::new().write(true).open(&path).map_err(IngestError::io(&path))?;
                file.set_len(reader.whole).and_then(|()| file.sync_all()).map_err(IngestError::io(&path))?;
            }
            let size = std::fs::metadata(&path).map_err(IngestError::io(&path))?.len();
            counts.bytes.fetch_add(size, Ordering::Relaxed);
        }
        let next = first.max(known.last().map_or(0, |last| last + 1)).max(1);
        let active = Arc::new(AtomicU64::new(next));
        let (jobs, received) = channel();
        let writer = Writer {
            folder: folder.to_owned(),
            segment_bytes,
            open: None,
            syncer: None,
            counts: Arc::clone(&counts),
            active: Arc::clone(&active),
        };
        let thread = std::thread::Builder::new().name("ingest-wal".into());
        let thread = thread.spawn(move || writer.run(&received)).map_err(IngestError::io(folder))?;
        Ok(Self {
            folder: folder.to_owned(),
            jobs: Mutex::new(Some(jobs)),
            writer: Mutex::new(Some(thread)),
            counts,
            active,
        })
    }

    pub(super) fn counts(&self) -> &WalCounts {
        &self.counts
    }

    /// Appends a record of rows; returns once it is as durable as asked for.
    pub(super) fn append(&self, rows: &Rows, durability: Durability) -> Result<(), IngestError> {
        let (done, answered) = sync_channel(1);
        let rows_count = rows.count as u64;
        self.send(Job::Append(Append { frame: frame_of(rows), rows: rows_count, durability, done }))?;
        answered.recv().unwrap_or_else(|_| Err(self.stopped()))
    }

    /// Closes the segment that is written to, and returns all that are closed.
    pub(super) fn close_segment(&self) -> Result<Vec<u64>, IngestError> {
        let (done, answered) = sync_channel(1);
        self.send(Job::Close { done })?;
        answered.recv().map_err(|_| self.stopped())?;
        let active = self.active.load(Ordering::Acquire);
        Ok(segments(&self.folder)?.into_iter().filter(|number| *number < active).collect())
    }

    fn send(&self, job: Job) -> Result<(), IngestError> {
        let jobs = self.jobs.lock().unwrap_or_else(PoisonError::into_inner);
        let jobs = jobs.as_ref().ok_or_else(|| self.stopped())?;
        jobs.send(job).map_err(|_| self.stopped())
    }

    fn stopped(&self) -> IngestError {
        IngestError::NotWritten { path: self.folder.clone(), reason: "the writer has stopped".into() }
    }

    /// Deletes a closed segment whose rows are in files of the log.
    pub(super) fn remove(&self, number: u64, rows: u64) -> Result<(), IngestError> {
        let path = segment_path(&self.folder, number);
        let size = std::fs::metadata(&path).map_err(IngestError::io(&path))?.len();
        std::fs::remove_file(&path).map_err(IngestError::io(&path))?;
        self.forget(size, rows);
        Ok(())
    }

    /// Sets a closed segment aside whose end cannot be read; its whole records are in files of the log.
    pub(super) fn set_aside(&self, number: u64, rows: u64) -> Result<PathBuf, IngestError> {
        let path = segment_path(&self.folder, number);
        let aside = path.with_extension("damaged");
        let size = std::fs::metadata(&path).map_err(IngestError::io(&path))?.len();
        std::fs::rename(&path, &aside).map_err(IngestError::io(&path))?;
        self.forget(size, rows);
        Ok(aside)
    }

    fn forget(&self, bytes: u64, rows: u64) {
        let subtract = |count: &AtomicU64, less: u64| {
            // The count is only told; it must not wrap around.
            let _ = count
                .fetch_update(Ordering::Relaxed, Ordering::Relaxed, |now| Some(now.saturating_sub(less)));
        };
        subtract(&self.counts.bytes, bytes);
        subtract(&self.counts.rows, rows);
    }
}

impl Drop for Wal {
    fn drop(&mut self) {
        // Without a sender the writer ends, after the jobs that it has.
        self.jobs.lock().unwrap_or_else(PoisonError::into_inner).take();
        if let Some(writer) = self.writer.lock().unwrap_or_else(PoisonError::into_inner).take() {
            let _ = writer.join();
        }
    }
}

/// The segment that is written to.
struct OpenSegment {
    file: File,
    path: PathBuf,
    /// Bytes of records that were answered.
    answered: u64,
    /// Whether some of them are only written so far.
    is_dirty: bool,
}

struct Writer {
    folder: PathBuf,
    segment_bytes: u64,
    open: Option<OpenSegment>,
    /// Started when something is first written without a wait for the disk.
    syncer: Option<Syncer>,
    counts: Arc<WalCounts>,
    active: Arc<AtomicU64>,
}

fn bytes_of(group: &[Append]) -> u64 {
    group.iter().map(|append| append.frame.len() as u64).sum()
}

impl Writer {
    fn run(mut self, jobs: &Receiver<Job>) {
        while let Ok(first) = jobs.recv() {
            let mut group = Vec::new();
            let mut bytes = 0;
            let mut closes = Vec::new();
            let mut next = Some(first);
            while let Some(job) = next.take() {
                match job {
                    Job::Append(append) => {
                        bytes += append.frame.len();
                        group.push(append);
                    }
                    Job::Close { done } => closes.push(done),
                }
                if bytes < GROUP_BYTES {
                    next = jobs.try_recv().ok();
                }
            }
            self.write_group(group);
            if !closes.is_empty() {
                self.close();
            }
            for done in closes {
                // Whoever asked may have gone.
                let _ = done.send(());
            }
        }
    }

    /// Writes records, waits for the disk once, and answers all.
    fn write_group(&mut self, group: Vec<Append>) {
        if group.is_empty() {
            return;
        }
        let written = self.write(&group);
        if written.is_ok() {
            self.counts.bytes.fetch_add(bytes_of(&group), Ordering::Relaxed);
            self.counts.rows.fetch_add(group.iter().map(|append| append.rows).sum(), Ordering::Relaxed);
            self.counts.records.fetch_add(group.len() as u64, Ordering::Relaxed);
        }
        let full = self.open.as_ref().is_some_and(|segment| segment.answered >= self.segment_bytes);
        if full {
            self.close();
        }
        for append in group {
            let answer = match &written {
                Ok(()) => Ok(()),
                Err((path, reason)) => {
                    Err(IngestError::NotWritten { path: path.clone(), reason: reason.clone() })
                }
            };
            // A client may have gone.
            let _ = append.done.send(answer);
        }
    }

    fn write(&mut self, group: &[Append]) -> Result<(), (PathBuf, String)> {
        if self.syncer.as_ref().is_some_and(Syncer::has_failed) {
            // Nothing says what later waits for the same file are worth.
            self.close();
            self.syncer = None;
        }
        let mut segment = match self.open.take() {
            Some(segment) => segment,
            None => self.begin().map_err(|error| (self.folder.clone(), error.to_string()))?,
        };
        let must_sync = group.iter().any(|append| append.durability == Durability::Synced);
        let written =
            group.iter().try_for_each(|append| segment.file.write_all(&append.frame)).and_then(|()| {
                if must_sync { self.sync(&mut segment) } else { self.sync_later(&mut segment) }
            });
        match written {
            Ok(()) => {
                segment.answered += bytes_of(group);
                self.open = Some(segment);
                Ok(())
            }
            Err(error) => {
                let reason = (segment.path.clone(), error.to_string());
                self.give_up(segment);
                Err(reason)
            }
        }
    }

    fn sync(&self, segment: &mut OpenSegment) -> std::io::Result<()> {
        segment.file.sync_data()?;
        segment.is_dirty = false;
        self.counts.syncs.fetch_add(1, Ordering::Relaxed);
        Ok(())
    }

    fn sync_later(&mut self, segment: &mut OpenSegment) -> std::io::Result<()> {
        let syncer = match &self.syncer {
            Some(syncer) => syncer,
            None => self.syncer.insert(Syncer::start(Arc::clone(&self.counts))?),
        };
        segment.is_dirty = true;
        syncer.ask(segment.file.try_clone()?);
        Ok(())
    }

    /// Takes back what was written of a group that failed, and leaves the segment. After a failed wait for the
    /// disk, nothing says what later waits for the same file are worth.
    fn give_up(&mut self, mut segment: OpenSegment) {
        let undone = segment
            .file
            .set_len(segment.answered)
            .and_then(|()| segment.file.seek(SeekFrom::Start(segment.answered)))
            .and_then(|_| segment.file.sync_all());
        // Where even this fails, whole records may stay whose requests were told that they failed. They are
        // predictions that happened, and a repeat of them is dropped.
        drop(undone);
        self.active.fetch_add(1, Ordering::AcqRel);
    }

    fn begin(&mut self) -> std::io::Result<OpenSegment> {
        let path = segment_path(&self.folder, self.active.load(Ordering::Acquire));
        // A failed attempt may have left the file.
        let mut file = OpenOptions::new().write(true).create(true).truncate(true).open(&path)?;
        file.write_all(MAGIC)?;
        file.sync_all()?;
        sync_folder(&self.folder)?;
        self.counts.bytes.fetch_add(MAGIC.len() as u64, Ordering::Relaxed);
        Ok(OpenSegment { file, path, answered: MAGIC.len() as u64, is_dirty: false })
    }

    fn close(&mut self) {
        if let Some(mut segment) = self.open.take() {
            // Where it fails, the file of the log that is made of the segment is synced for itself.
            if segment.is_dirty && self.sync(&mut segment).is_err() {
                self.counts.failed_syncs.fetch_add(1, Ordering::Relaxed);
            }
            self.active.fetch_add(1, Ordering::AcqRel);
        }
    }
}

impl Drop for Writer {
    fn drop(&mut self) {
        self.close();
    }
}
