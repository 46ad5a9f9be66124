//! The folder of the log that files are added to: on a disk of this machine, or in a bucket.
//!
//! On a disk a file is written beside the others and renamed once it is whole and durable. In a bucket there is no
//! renaming, and none is needed: the file is written in the table's state, and its object is put as a whole. The
//! names are the same (see [`super::names`]), and with them what makes a crash at any step harmless.

use std::fs::File;
use std::path::{Path, PathBuf};

use super::error::IngestError;
use super::names::{FileName, PREFIX, is_part_of};
use super::place::Place;
use super::{Steps, create_folder, sync_folder};
use crate::EngineError;
use crate::objects::{Address, Buckets, PutError};
use crate::storage::Storage;

/// Where what a server says of itself ends.
const OWNER: &str = ".owner";

/// A file that a server wrote, with its size.
pub(super) type Own = (FileName, PathBuf, u64);

#[derive(Debug)]
pub(super) struct Folder {
    pub(super) path: PathBuf,
    pub(super) storage: Storage,
    /// Where files are written before they are whole.
    parts: PathBuf,
}

impl Folder {
    /// Opens the folder of a table whose state lies in `state`.
    pub(super) fn open(place: &Place, state: &Path, buckets: &Buckets) -> Result<Self, IngestError> {
        let path = place.folder.clone();
        let address = Address::parse(&place.path).map_err(EngineError::from)?;
        let (storage, parts) = match address {
            None => (Storage::Disk, path.clone()),
            Some(address) => {
                let bucket = buckets.open(address.bucket).map_err(EngineError::from)?;
                (Storage::Bucket(bucket), state.join("out"))
            }
        };
        create_folder(&parts).map_err(IngestError::io(&parts))?;
        Ok(Self { path, storage, parts })
    }

    /// Makes sure that no other server of this name adds files to a bucket: on a disk of its own, each would take
    /// the other's files for its own.
    pub(super) fn claim(&self, node: &str, state: &Path) -> Result<(), IngestError> {
        let Storage::Bucket(bucket) = &self.storage else { return Ok(()) };
        let own = own_name(&state.join("owner"))?;
        let at = self.path.join(format!("{PREFIX}{node}{OWNER}"));
        let there = bucket.put_or_read(own.as_bytes(), &at).map_err(EngineError::from)?;
        if there == own.as_bytes() {
            return Ok(());
        }
        Err(IngestError::NotForIngestion {
            key: "log.path",
            why: format!("`{}`, to which another server adds files", self.path.display()),
            way_out: format!("send the rows to that one; if it is gone for good, delete `{}`", at.display()),
        })
    }

    /// Where a file is written before it is whole.
    pub(super) fn part(&self, name: &FileName) -> PathBuf {
        self.parts.join(name.part())
    }

    /// Gives a file that was written its name; what it holds is durable before.
    pub(super) fn publish(&self, file: &File, name: &FileName, steps: &Steps) -> Result<(), IngestError> {
        let (part, path) = (self.part(name), self.path.join(name.file()));
        match &self.storage {
            Storage::Disk => {
                file.sync_all().map_err(IngestError::io(&part))?;
                steps.pass()?;
                std::fs::rename(&part, &path).map_err(IngestError::io(&path))?;
                steps.pass()?;
                sync_folder(&self.path).map_err(IngestError::io(&self.path))
            }
            Storage::Bucket(bucket) => {
                bucket.put_new(&part, &path).map_err(|error| match error {
                    PutError::File(source) => IngestError::io(&part)(source),
                    PutError::Store(error) => EngineError::from(error).into(),
                })?;
                steps.pass()?;
                std::fs::remove_file(&part).map_err(IngestError::io(&part))
            }
        }
    }

    /// The files in it that a server wrote, with their sizes, in the order of days and segments.
    pub(super) fn own_files(&self, node: &str) -> Result<Vec<Own>, IngestError> {
        let paths = match &self.storage {
            Storage::Disk => entries(&self.path)?,
            Storage::Bucket(bucket) => {
                let key = bucket.key(&self.path).map_err(EngineError::from)?;
                bucket.list(key.as_ref(), false).map_err(EngineError::from)?
            }
        };
        let mut own = Vec::new();
        for path in paths {
            if let Some(name) = FileName::parse(&path).filter(|name| name.node == node) {
                let size = self.size(&path)?;
                own.push((name, path, size));
            }
        }
        own.sort();
        Ok(own)
    }

    fn size(&self, path: &Path) -> Result<u64, IngestError> {
        match &self.storage {
            Storage::Disk => Ok(std::fs::metadata(path).map_err(IngestError::io(path))?.len()),
            Storage::Bucket(bucket) => Ok(bucket.known(path).map_err(EngineError::from)?.size),
        }
    }

    /// Takes a file away. It may come back after a crash until [`Self::settle`].
    pub(super) fn remove(&self, path: &Path) -> Result<(), IngestError> {
        match &self.storage {
            Storage::Disk => std::fs::remove_file(path).map_err(IngestError::io(path)),
            Storage::Bucket(bucket) => Ok(bucket.delete(path).map_err(EngineError::from)?),
        }
    }

    /// Makes what was taken away stay so.
    pub(super) fn settle(&self) -> Result<(), IngestError> {
        match &self.storage {
            Storage::Disk => sync_folder(&self.path).map_err(IngestError::io(&self.path)),
            Storage::Bucket(_) => Ok(()),
        }
    }

    /// Removes the torn beginnings that a crash left.
    pub(super) fn remove_parts(&self, node: &str) -> Result<(), IngestError> {
        for path in entries(&self.parts)? {
            if is_part_of(&path, node) {
                std::fs::remove_file(&path).map_err(IngestError::io(&path))?;
            }
        }
        Ok(())
    }
}

fn entries(folder: &Path) -> Result<Vec<PathBuf>, IngestError> {
    let entries = std::fs::read_dir(folder).map_err(IngestError::io(folder))?;
    entries.map(|entry| Ok(entry.map_err(IngestError::io(folder))?.path())).collect()
}

/// What this state is called among others: drawn once, and kept.
fn own_name(path: &Path) -> Result<String, IngestError> {
    if let Ok(name) = std::fs::read_to_string(path)
        && !name.is_empty()
    {
        return Ok(name);
    }
    let mut drawn = [0_u8; 16];
    getrandom::fill(&mut drawn).map_err(|error| IngestError::io(path)(std::io::Error::other(error)))?;
    let name: String = drawn.iter().map(|byte| format!("{byte:02x}")).collect();
    std::fs::write(path, &name).and_then(|()| File::open(path)?.sync_all()).map_err(IngestError::io(path))?;
    super::sync_folder_of(path).map_err(IngestError::io(path))?;
    Ok(name)
}
