//! An object as Parquet's and CSV's readers take a file: ranges of bytes, fetched when they are asked for.
//!
//! Readers take a page here and a header there; each fetch costs a round trip. What is near is therefore fetched
//! along and kept for as long as the object is open.

use std::collections::BTreeMap;
use std::io::Read;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

use bytes::Bytes;
use datafusion::parquet::errors::ParquetError;
use datafusion::parquet::file::reader::{ChunkReader, Length};
use object_store::path::Path as Key;
use object_store::{GetOptions, GetRange};

use super::{Bucket, ObjectsError};

/// The unit that is fetched and kept.
const BLOCK: u64 = 1 << 20;
/// What is fetched of the end first: the footer of most files.
const END: u64 = 64 << 10;
/// Blocks that are kept.
const BLOCKS: usize = 64;

/// An object that is being read.
#[derive(Clone, Debug)]
pub(crate) struct ObjectFile(Arc<Opened>);

#[derive(Debug)]
struct Opened {
    bucket: Arc<Bucket>,
    at: PathBuf,
    key: Key,
    tag: Option<String>,
    size: u64,
    /// What was fetched of it, by where it begins.
    kept: Mutex<BTreeMap<u64, Bytes>>,
}

impl ObjectFile {
    /// An object that was listed.
    pub(crate) fn open(bucket: &Arc<Bucket>, at: &Path) -> Result<Self, ObjectsError> {
        let known = bucket.known(at)?;
        Ok(Self(Arc::new(Opened {
            bucket: Arc::clone(bucket),
            at: at.to_owned(),
            key: known.location,
            tag: known.e_tag,
            size: known.size,
            kept: Mutex::default(),
        })))
    }

    pub(crate) fn size(&self) -> u64 {
        self.0.size
    }

    fn fetch(&self, from: u64, to: u64) -> Result<Bytes, ObjectsError> {
        let Opened { bucket, at, key, tag, .. } = &*self.0;
        let options = GetOptions {
            if_match: tag.clone(),
            range: Some(GetRange::Bounded(from..to)),
            ..GetOptions::default()
        };
        let fetched =
            bucket.threads.block_on(async { bucket.store.get_opts(key, options).await?.bytes().await });
        fetched.map_err(|error| ObjectsError::of(at.display().to_string(), &error))
    }

    /// The bytes of a range that lies within the object.
    fn range(&self, from: u64, to: u64) -> Result<Bytes, ObjectsError> {
        let size = self.0.size;
        let mut kept = self.0.kept.lock().unwrap_or_else(PoisonError::into_inner);
        let within = |(begin, bytes): (&u64, &Bytes)| {
            let end = begin + bytes.len() as u64;
            (*begin <= from && to <= end).then(|| bytes.slice((from - begin) as usize..(to - begin) as usize))
        };
        if let Some(known) = kept.range(..=from).next_back().and_then(within) {
            return Ok(known);
        }
        // At the end only what is asked for, or a footer; elsewhere whole blocks.
        let (begin, end) = if from >= size.saturating_sub(END) {
            (size.saturating_sub(END), size)
        } else {
            (from, to.max((from + BLOCK).min(size)))
        };
        let fetched = self.fetch(begin, end)?;
        let asked = fetched.slice((from - begin) as usize..(to - begin) as usize);
        while kept.len() >= BLOCKS {
            kept.pop_first();
        }
        kept.insert(begin, fetched);
        Ok(asked)
    }

    /// The bytes from one place to another, of which a part may be known.
    fn bytes(&self, from: u64, to: u64) -> Result<Bytes, ParquetError> {
        if to > self.0.size || from > to {
            let beyond = format!("bytes {from} to {to} of an object of {} are asked for", self.0.size);
            return Err(ParquetError::EOF(beyond));
        }
        self.range(from, to).map_err(|error| ParquetError::External(Box::new(error)))
    }
}

impl Length for ObjectFile {
    fn len(&self) -> u64 {
        self.0.size
    }
}

impl ChunkReader for ObjectFile {
    type T = ObjectRead;

    fn get_read(&self, start: u64) -> Result<ObjectRead, ParquetError> {
        Ok(ObjectRead { object: self.clone(), at: start })
    }

    fn get_bytes(&self, start: u64, length: usize) -> Result<Bytes, ParquetError> {
        self.bytes(start, start + length as u64)
    }
}

/// An object read from some place on.
#[derive(Debug)]
pub(crate) struct ObjectRead {
    object: ObjectFile,
    at: u64,
}

#[cfg(test)]
impl ObjectRead {
    pub(crate) fn from_start(object: &ObjectFile) -> Self {
        Self { object: object.clone(), at: 0 }
    }
}

impl Read for ObjectRead {
    fn read(&mut self, buffer: &mut [u8]) -> std::io::Result<usize> {
        let left = self.object.size().saturating_sub(self.at);
        let length = left.min(buffer.len() as u64).min(BLOCK);
        if length == 0 {
            return Ok(0);
        }
        let bytes = self.object.range(self.at, self.at + length).map_err(std::io::Error::other)?;
        buffer[..bytes.len()].copy_from_slice(&bytes);
        self.at += length;
        Ok(bytes.len())
    }
}
