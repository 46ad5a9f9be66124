//! Ingestion: rows that clients send become files of the log that the engine, and any other tool, reads.
//!
//! ```text
//! body ─▶ rows (checked one by one) ─▶ write-ahead log ─▶ answer        compact ─▶ Parquet files by day
//!         json, arrow_stream → intake   wal (fsync, shared)             compaction, merging → folder
//! ```
//!
//! [`Ingest::table`] opens a table of a system, [`Table::accept`] takes in a body and returns once its rows are on
//! disk, [`Table::compact`] makes files of what was accepted, [`Table::merge`] makes large ones of small ones.
//! Nothing here reads a clock or starts work of its own but the thread that writes: the caller has the timer.
//! What is promised is said in `docs/ingestion.md`. HTTP is not known here; see `server`.

mod arrays;
mod arrow_stream;
mod body;
mod columns;
mod compaction;
mod error;
mod folder;
mod instant;
mod intake;
mod json;
mod json_rows;
mod known;
mod merging;
pub(crate) mod names;
mod parquet_file;
mod place;
mod record;
mod schema;
mod syncer;
mod table;
mod wal;

use std::collections::HashMap;
use std::fs::File;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use types::definition::Definition;

pub use body::{BodyFormat, Encoding};
pub use compaction::Compacted;
pub use error::{Accepted, IngestError, RowError};
pub use merging::Merged;
pub use place::TableKind;
pub use table::{Table, TableStatus};
pub use wal::Durability;

use body::Memory;
use place::Place;

use crate::objects::Buckets;

/// The limits of ingestion.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct IngestOptions {
    /// The name of this server in the names of files. Servers that write to one folder need different ones.
    pub node: String,
    /// A body's bytes once it is unpacked.
    pub body_bytes_max: usize,
    /// Memory for the requests of all tables together.
    pub memory_bytes_max: usize,
    /// The write-ahead log of a table, until it is compacted.
    pub waiting_bytes_max: u64,
    /// A segment of it is closed at this size; a compaction holds a few times as much in memory.
    pub segment_bytes: u64,
    /// Errors of rows that an answer tells; the others are counted.
    pub errors_told: usize,
}

impl Default for IngestOptions {
    fn default() -> Self {
        Self {
            node: "a".into(),
            body_bytes_max: 64 << 20,
            memory_bytes_max: 512 << 20,
            waiting_bytes_max: 1 << 30,
            segment_bytes: 64 << 20,
            errors_told: 100,
        }
    }
}

/// The tables of all systems that take in rows.
#[derive(Debug)]
pub struct Ingest {
    state: PathBuf,
    options: IngestOptions,
    memory: Arc<Memory>,
    buckets: Arc<Buckets>,
    tables: Mutex<HashMap<(String, TableKind), Arc<Table>>>,
}

impl Ingest {
    /// `state` is the folder where what is not in the log's files yet is kept.
    pub fn open(state: &Path, options: IngestOptions) -> Result<Self, IngestError> {
        if !names::is_node(&options.node) {
            return Err(IngestError::BadNode { node: options.node });
        }
        let state = state.join("ingest");
        create_folder(&state).map_err(IngestError::io(&state))?;
        let memory = Arc::new(Memory::new(options.memory_bytes_max));
        let buckets = Arc::new(Buckets::with_own_threads());
        Ok(Self { state, options, memory, buckets, tables: Mutex::default() })
    }

    /// The table of a system, opened if it is not yet. `folder` is the one that the definition lies in.
    ///
    /// # Errors
    /// `NotForIngestion` where the definition names no folder, or no id; `Busy` where it has changed and the
    /// requests that came before are still under way.
    pub fn table(
        &self,
        definition: &Definition,
        folder: &Path,
        kind: TableKind,
    ) -> Result<Arc<Table>, IngestError> {
        let place = Place::of(definition, folder, kind, &self.options.node)?;
        let mut tables = self.tables.lock().unwrap_or_else(PoisonError::into_inner);
        let key = (definition.system.id.clone(), kind);
        if let Some(known) = tables.get(&key) {
            if known.place == place {
                return Ok(Arc::clone(known));
            }
            if Arc::strong_count(known) > 1 {
                let why = "the definition has changed, and requests under the one before are under way";
                return Err(IngestError::Busy { why, retry_after: Duration::from_secs(1) });
            }
            tables.remove(&key);
        }
        let state = self.state.join(folder_name(&definition.system.id)).join(kind.name());
        let options = self.options.clone();
        let from = (folder, Arc::clone(&self.buckets));
        let table = Arc::new(Table::open(place, from, &state, options, Arc::clone(&self.memory))?);
        tables.insert(key, Arc::clone(&table));
        Ok(table)
    }

    /// Whether a table of a system has taken in rows before, some of which may wait to become files.
    pub fn was_used(&self, system: &str, kind: TableKind) -> bool {
        self.state.join(folder_name(system)).join(kind.name()).is_dir()
    }

    /// The tables that are open.
    pub fn open_tables(&self) -> Vec<(String, TableKind, Arc<Table>)> {
        let tables = self.tables.lock().unwrap_or_else(PoisonError::into_inner);
        tables.iter().map(|((system, kind), table)| (system.clone(), *kind, Arc::clone(table))).collect()
    }
}

/// A system's id as the name of a folder; what could lead elsewhere is written as its bytes.
fn folder_name(id: &str) -> String {
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_');
    id.bytes()
        .map(|byte| if plain(byte) { char::from(byte).to_string() } else { format!("%{byte:02X}") })
        .collect()
}

/// Makes the names in a folder durable.
fn sync_folder(folder: &Path) -> std::io::Result<()> {
    File::open(folder)?.sync_all()
}

/// Makes a folder, and the names of all folders above it that are new, durable.
fn create_folder(folder: &Path) -> std::io::Result<()> {
    let new: Vec<&Path> = folder.ancestors().take_while(|above| !above.exists()).collect();
    std::fs::create_dir_all(folder)?;
    new.into_iter().try_for_each(sync_folder_of)
}

/// Makes the name of a file or folder durable.
fn sync_folder_of(path: &Path) -> std::io::Result<()> {
    match path.parent() {
        Some(parent) if parent == Path::new("") => sync_folder(Path::new(".")),
        Some(parent) => sync_folder(parent),
        None => Ok(()),
    }
}

/// The moments between two steps to the disk. In tests one of them can be the last one before a crash.
#[derive(Debug, Default)]
struct Steps {
    #[cfg(test)]
    left: Mutex<Option<usize>>,
}

impl Steps {
    #[cfg(not(test))]
    #[expect(clippy::unnecessary_wraps, clippy::unused_self, reason = "tests stop here")]
    fn pass(&self) -> Result<(), IngestError> {
        Ok(())
    }

    #[cfg(test)]
    fn pass(&self) -> Result<(), IngestError> {
        let mut left = self.left.lock().unwrap();
        match left.as_mut() {
            Some(0) => {
                Err(IngestError::io(Path::new("stopped"))(std::io::Error::other("stopped by the test")))
            }
            Some(left) => {
                *left -= 1;
                Ok(())
            }
            None => Ok(()),
        }
    }
}

#[cfg(test)]
mod tests;
