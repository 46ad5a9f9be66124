//! Putting objects into a bucket, and taking them away.
//!
//! An object is there as a whole or not at all; what a crash leaves of one that is put in parts is seen by nobody.
//! Nothing is written over: where an object is there already, it is either the very same one, put by an attempt
//! whose answer was lost, or a mistake.

use std::fs::File;
use std::io::Read;
use std::path::Path;

use bytes::Bytes;
use object_store::path::Path as Key;
use object_store::{Error, MultipartUpload, ObjectStoreExt, PutMode, PutOptions, PutPayload};

use super::{Bucket, ObjectsError};

/// A larger object is put in parts of this size.
const PART: u64 = 16 << 20;

impl Bucket {
    /// Puts the content of a file at an address where nothing is, or that very content.
    pub(crate) fn put_new(&self, from: &Path, at: &Path) -> Result<(), PutError> {
        let file = File::open(from)?;
        let size = file.metadata()?.len();
        let put = if size > PART { self.put_in_parts(file, at) } else { self.put_whole(file, at) };
        match put {
            Err(PutError::Store(error @ ObjectsError::Exists { .. })) => {
                let is_same = self.is_same(File::open(from)?, size, at)?;
                if is_same { Ok(()) } else { Err(error.into()) }
            }
            put => put,
        }
    }

    /// Puts a few bytes where nothing is; says what is there otherwise.
    pub(crate) fn put_or_read(&self, bytes: &[u8], at: &Path) -> Result<Bytes, ObjectsError> {
        let key = self.key(at)?;
        let failed = |error: &Error| ObjectsError::of(at.display().to_string(), error);
        match self.put_if_new(&Bytes::copy_from_slice(bytes), &key, at) {
            Ok(()) => Ok(Bytes::copy_from_slice(bytes)),
            Err(ObjectsError::Exists { .. }) => self
                .threads
                .block_on(async { self.store.get(&key).await?.bytes().await })
                .map_err(|error| failed(&error)),
            Err(error) => Err(error),
        }
    }

    /// Takes an object away; one that is gone is no mistake.
    pub(crate) fn delete(&self, at: &Path) -> Result<(), ObjectsError> {
        let key = self.key(at)?;
        match self.threads.block_on(self.store.delete(&key)) {
            Ok(()) | Err(Error::NotFound { .. }) => Ok(()),
            Err(error) => Err(ObjectsError::of(at.display().to_string(), &error)),
        }
    }

    fn put_whole(&self, mut file: File, at: &Path) -> Result<(), PutError> {
        let mut content = Vec::new();
        file.read_to_end(&mut content)?;
        Ok(self.put_if_new(&content.into(), &self.key(at)?, at)?)
    }

    fn put_if_new(&self, content: &Bytes, key: &Key, at: &Path) -> Result<(), ObjectsError> {
        let put = |mode| {
            let options = PutOptions { mode, ..PutOptions::default() };
            self.threads.block_on(self.store.put_opts(key, PutPayload::from_bytes(content.clone()), options))
        };
        let done = match put(PutMode::Create) {
            // A store that knows no such condition is asked first.
            Err(Error::NotImplemented { .. }) => {
                self.refuse_existing(at)?;
                put(PutMode::Overwrite)
            }
            done => done,
        };
        done.map(drop).map_err(|error| ObjectsError::of(at.display().to_string(), &error))
    }

    /// There is no condition on an object that is put in parts, so that the store is asked first.
    fn put_in_parts(&self, mut file: File, at: &Path) -> Result<(), PutError> {
        let failed = |error: Error| ObjectsError::of(at.display().to_string(), &error);
        self.refuse_existing(at)?;
        let key = self.key(at)?;
        let mut upload = self.threads.block_on(self.store.put_multipart(&key)).map_err(failed)?;
        let put = self.put_parts(upload.as_mut(), &mut file, at);
        if put.is_err() {
            // What cannot be taken back either is removed by a rule of the bucket.
            let _ = self.threads.block_on(upload.abort());
            return put;
        }
        self.threads.block_on(upload.complete()).map_err(failed)?;
        Ok(())
    }

    fn put_parts(
        &self,
        upload: &mut dyn MultipartUpload,
        file: &mut File,
        at: &Path,
    ) -> Result<(), PutError> {
        loop {
            let mut part = Vec::new();
            file.by_ref().take(PART).read_to_end(&mut part)?;
            if part.is_empty() {
                return Ok(());
            }
            let put = self.threads.block_on(upload.put_part(Bytes::from(part).into()));
            put.map_err(|error| ObjectsError::of(at.display().to_string(), &error))?;
        }
    }

    fn refuse_existing(&self, at: &Path) -> Result<(), ObjectsError> {
        let key = self.key(at)?;
        match self.look(key.as_ref())? {
            Some(_) => Err(ObjectsError::Exists { address: at.display().to_string() }),
            None => Ok(()),
        }
    }

    /// Whether an object is what a file holds.
    fn is_same(&self, mut file: File, size: u64, at: &Path) -> Result<bool, PutError> {
        let failed = |error: Error| ObjectsError::of(at.display().to_string(), &error);
        let key = self.key(at)?;
        if self.threads.block_on(self.store.head(&key)).map_err(failed)?.size != size {
            return Ok(false);
        }
        let mut from = 0;
        while from < size {
            let to = size.min(from + PART);
            let theirs = self.threads.block_on(self.store.get_range(&key, from..to)).map_err(failed)?;
            let mut ours = vec![0; (to - from) as usize];
            file.read_exact(&mut ours)?;
            if ours != theirs {
                return Ok(false);
            }
            from = to;
        }
        Ok(true)
    }
}

/// Why an object was not put: because of the file that it is made from, or of the store.
#[derive(Debug, thiserror::Error)]
pub(crate) enum PutError {
    #[error(transparent)]
    File(#[from] std::io::Error),
    #[error(transparent)]
    Store(#[from] ObjectsError),
}
