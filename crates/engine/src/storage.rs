//! Where the files of a table are: on a disk of this machine, or in a bucket.
//!
//! Everything that opens a file of a table does so here. A file on the disk is read directly.

use std::fs::File;
use std::io::{BufReader, Read};
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use bytes::Bytes;
use datafusion::parquet::errors::ParquetError;
use datafusion::parquet::file::reader::{ChunkReader, Length};

use crate::error::EngineError;
use crate::objects::{Bucket, ObjectFile, ObjectRead};

/// Objects that are opened at the same time: each costs round trips, and little else.
const OPENED_TOGETHER: usize = 16;

#[derive(Clone, Debug)]
pub(crate) enum Storage {
    Disk,
    Bucket(Arc<Bucket>),
}

/// A file that is open for reading.
#[derive(Debug)]
pub(crate) enum Input {
    File(File),
    Object(ObjectFile),
}

impl Storage {
    /// Opens a file that has something in it.
    pub(crate) fn open(&self, path: &Path) -> Result<Input, EngineError> {
        let input = match self {
            Self::Disk => {
                let io = |source| EngineError::Io { path: path.to_owned(), source };
                Input::File(File::open(path).map_err(io)?)
            }
            Self::Bucket(bucket) => Input::Object(ObjectFile::open(bucket, path)?),
        };
        if input.len() == 0 {
            return Err(EngineError::EmptyFile { path: path.to_owned() });
        }
        Ok(input)
    }

    /// Does something with each file: one after the other on a disk, several at a time in a bucket. The results
    /// are in the order of the files.
    pub(crate) fn each<F: Sync, T: Send>(
        &self,
        files: &[F],
        work: impl Fn(&F) -> Result<T, EngineError> + Sync,
    ) -> Result<Vec<T>, EngineError> {
        if matches!(self, Self::Disk) || files.len() < 2 {
            return files.iter().map(work).collect();
        }
        let next = AtomicUsize::new(0);
        let take = || {
            let mut done = Vec::new();
            loop {
                let at = next.fetch_add(1, Ordering::Relaxed);
                let Some(file) = files.get(at) else { return done };
                let result = work(file);
                if result.is_err() {
                    next.store(files.len(), Ordering::Relaxed);
                }
                done.push((at, result));
            }
        };
        let mut all: Vec<(usize, Result<T, EngineError>)> = std::thread::scope(|scope| {
            let threads: Vec<_> = (0..OPENED_TOGETHER.min(files.len())).map(|_| scope.spawn(take)).collect();
            let join = |thread: std::thread::ScopedJoinHandle<'_, Vec<_>>| match thread.join() {
                Ok(done) => done,
                Err(panic) => std::panic::resume_unwind(panic),
            };
            threads.into_iter().flat_map(join).collect()
        });
        all.sort_by_key(|(at, _)| *at);
        all.into_iter().map(|(_, result)| result).collect()
    }
}

impl Length for Input {
    fn len(&self) -> u64 {
        match self {
            Self::File(file) => file.len(),
            Self::Object(object) => object.len(),
        }
    }
}

impl ChunkReader for Input {
    type T = InputRead;

    fn get_read(&self, start: u64) -> Result<InputRead, ParquetError> {
        Ok(match self {
            Self::File(file) => InputRead::File(file.get_read(start)?),
            Self::Object(object) => InputRead::Object(object.get_read(start)?),
        })
    }

    fn get_bytes(&self, start: u64, length: usize) -> Result<Bytes, ParquetError> {
        match self {
            Self::File(file) => file.get_bytes(start, length),
            Self::Object(object) => object.get_bytes(start, length),
        }
    }
}

/// A file read from some place on.
#[derive(Debug)]
pub(crate) enum InputRead {
    File(BufReader<File>),
    Object(ObjectRead),
}

impl Read for InputRead {
    fn read(&mut self, buffer: &mut [u8]) -> std::io::Result<usize> {
        match self {
            Self::File(file) => file.read(buffer),
            Self::Object(object) => object.read(buffer),
        }
    }
}
