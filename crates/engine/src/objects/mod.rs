//! Files of a table that lie in a bucket of an object store.
//!
//! An object is named by its address, `s3://bucket/key`, as a path: its parts are taken apart like those of a
//! file. What is known of an object is what the store said when it was listed ([`Bucket::matching`]); it is read
//! on the condition that it is still that one ([`Input`], [`AsListed`]), so that a run measures what it says it did.
//! Credentials and the store's address come from the environment and go nowhere else.

mod error;
mod input;
mod listed;
mod writing;

use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, OnceLock, PoisonError, RwLock};
use std::time::Duration;

use futures::TryStreamExt;
use object_store::aws::AmazonS3Builder;
use object_store::path::Path as Key;
use object_store::{BackoffConfig, ObjectMeta, ObjectStore, ObjectStoreExt, RetryConfig};
use tokio::runtime::{Handle, Runtime};
use types::Digest;
use types::digest::Digester;

pub use error::ObjectsError;
pub(crate) use input::{ObjectFile, ObjectRead};
pub(crate) use listed::AsListed;
pub(crate) use writing::PutError;

use crate::find::{is_glob, is_hidden, is_table_file};
use crate::ingest::names::PREFIX;

/// What an address begins with.
const SCHEME: &str = "s3://";
/// A request is tried again so often, and so long.
const RETRIES: usize = 5;
const RETRY_TIME: Duration = Duration::from_secs(30);

/// Where an address points to: a bucket, and a key or a pattern of keys.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Address<'a> {
    pub(crate) bucket: &'a str,
    pub(crate) key: &'a str,
}

impl<'a> Address<'a> {
    /// `None` where a path is one of this machine.
    pub(crate) fn parse(path: &'a str) -> Result<Option<Self>, ObjectsError> {
        if !path.contains("://") {
            return Ok(None);
        }
        let parts = path.strip_prefix(SCHEME).map(|rest| rest.split_once('/').unwrap_or((rest, "")));
        match parts {
            Some((bucket, key)) if !bucket.is_empty() && !is_glob(bucket) => {
                Ok(Some(Self { bucket, key: key.trim_end_matches('/') }))
            }
            _ => Err(ObjectsError::NotAnAddress { address: path.to_owned() }),
        }
    }
}

/// The buckets that were opened, and the threads that wait for them.
pub(crate) struct Buckets {
    threads: Threads,
    open: Mutex<HashMap<String, Arc<Bucket>>>,
}

enum Threads {
    Of(Handle),
    /// Started when a bucket is opened.
    Own(OnceLock<Runtime>),
}

impl std::fmt::Debug for Buckets {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Buckets").finish_non_exhaustive()
    }
}

impl Drop for Buckets {
    fn drop(&mut self) {
        if let Threads::Own(runtime) = &mut self.threads
            && let Some(runtime) = runtime.take()
        {
            // Whoever lets go of it may be a thread that must not wait.
            runtime.shutdown_background();
        }
    }
}

impl Buckets {
    pub(crate) fn on(threads: &Handle) -> Self {
        Self { threads: Threads::Of(threads.clone()), open: Mutex::default() }
    }

    pub(crate) fn with_own_threads() -> Self {
        Self { threads: Threads::Own(OnceLock::new()), open: Mutex::default() }
    }

    /// A bucket by its name. The store is not asked anything yet.
    pub(crate) fn open(&self, name: &str) -> Result<Arc<Bucket>, ObjectsError> {
        let mut open = self.open.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(bucket) = open.get(name) {
            return Ok(Arc::clone(bucket));
        }
        let backoff = BackoffConfig { max_backoff: Duration::from_secs(5), ..BackoffConfig::default() };
        let retries = RetryConfig { backoff, max_retries: RETRIES, retry_timeout: RETRY_TIME };
        let store = AmazonS3Builder::from_env()
            .with_bucket_name(name)
            .with_retry(retries)
            .build()
            .map_err(|error| ObjectsError::of(format!("{SCHEME}{name}"), &error))?;
        let bucket = Arc::new(Bucket::new(name, Arc::new(store), self.handle(name)?));
        open.insert(name.to_owned(), Arc::clone(&bucket));
        Ok(bucket)
    }

    /// Has a store of its own stand for a bucket.
    #[cfg(test)]
    pub(crate) fn insert(&self, name: &str, store: Arc<dyn ObjectStore>) {
        let bucket = Arc::new(Bucket::new(name, store, self.handle(name).unwrap()));
        self.open.lock().unwrap().insert(name.to_owned(), bucket);
    }

    fn handle(&self, bucket: &str) -> Result<Handle, ObjectsError> {
        let runtime = match &self.threads {
            Threads::Of(handle) => return Ok(handle.clone()),
            Threads::Own(runtime) => runtime,
        };
        if let Some(runtime) = runtime.get() {
            return Ok(runtime.handle().clone());
        }
        let new = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build();
        let new = new.map_err(|error| ObjectsError::Other {
            address: format!("{SCHEME}{bucket}"),
            reason: format!("no threads to wait with: {error}"),
        })?;
        Ok(runtime.get_or_init(|| new).handle().clone())
    }
}

/// A bucket, with what is known of its objects.
pub(crate) struct Bucket {
    name: String,
    store: Arc<dyn ObjectStore>,
    threads: Handle,
    /// What the store said of each object when it was listed last.
    listed: RwLock<HashMap<PathBuf, ObjectMeta>>,
}

impl std::fmt::Debug for Bucket {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Bucket").field("name", &self.name).finish_non_exhaustive()
    }
}

impl Bucket {
    fn new(name: &str, store: Arc<dyn ObjectStore>, threads: Handle) -> Self {
        Self { name: name.to_owned(), store, threads, listed: RwLock::default() }
    }

    /// The address of the bucket itself.
    pub(crate) fn address(&self) -> String {
        format!("{SCHEME}{}", self.name)
    }

    /// The address of an object, or of all whose key begins with it.
    pub(crate) fn at(&self, key: &str) -> PathBuf {
        Path::new(&self.address()).join(key)
    }

    /// The key of an address in this bucket.
    pub(crate) fn key(&self, at: &Path) -> Result<Key, ObjectsError> {
        let address = || at.display().to_string();
        let key = at.strip_prefix(self.address()).ok().and_then(Path::to_str);
        let key = key.ok_or_else(|| ObjectsError::NotAnAddress { address: address() })?;
        Key::parse(key).map_err(|error| ObjectsError::of(address(), &error.into()))
    }

    /// The objects that a key, a prefix or a pattern of keys stands for.
    pub(crate) fn matching(&self, pattern: &str) -> Result<Vec<PathBuf>, crate::EngineError> {
        if is_glob(pattern) {
            let bad = |error: glob::PatternError| crate::EngineError::BadGlob {
                pattern: self.at(pattern).display().to_string(),
                reason: error.to_string(),
            };
            let glob = glob::Pattern::new(pattern).map_err(bad)?;
            let (folder, below) = literal_folder(pattern);
            let objects = self.list(folder, below.contains('/') || below.contains("**"))?;
            return Ok(objects.into_iter().filter(|object| self.fits(&glob, object)).collect());
        }
        if is_table_file(Path::new(pattern))
            && let Some(object) = self.look(pattern)?
        {
            return Ok(vec![object]);
        }
        let folder = self.at(pattern);
        let is_wanted = |object: &PathBuf| {
            let within = object.strip_prefix(&folder).unwrap_or(object);
            is_table_file(object) && !within.iter().any(is_hidden)
        };
        Ok(self.list(pattern, true)?.into_iter().filter(is_wanted).collect())
    }

    /// As [`glob::glob`] matches files: a star does not reach into the next folder.
    fn fits(&self, glob: &glob::Pattern, object: &Path) -> bool {
        let options = glob::MatchOptions {
            case_sensitive: true,
            require_literal_separator: true,
            require_literal_leading_dot: false,
        };
        let ours = object.file_name().is_some_and(|name| name.to_string_lossy().starts_with(PREFIX));
        let key = object.strip_prefix(self.address()).unwrap_or(object);
        !ours && key.to_str().is_some_and(|key| glob.matches_with(key, options))
    }

    /// Lists the objects of a folder, and of those within it where `deep`.
    pub(crate) fn list(&self, folder: &str, deep: bool) -> Result<Vec<PathBuf>, ObjectsError> {
        let at = self.at(folder);
        let failed = |error: &object_store::Error| ObjectsError::of(at.display().to_string(), error);
        let prefix = Key::parse(folder).map_err(|error| failed(&error.into()))?;
        let listed: Result<Vec<ObjectMeta>, object_store::Error> = self.threads.block_on(async {
            if deep {
                self.store.list(Some(&prefix)).try_collect().await
            } else {
                Ok(self.store.list_with_delimiter(Some(&prefix)).await?.objects)
            }
        });
        let listed = listed.map_err(|error| failed(&error))?;
        let mut known = self.listed.write().unwrap_or_else(PoisonError::into_inner);
        known.retain(|path, _| !(path.starts_with(&at) && (deep || path.parent() == Some(at.as_path()))));
        let mut objects = Vec::new();
        for object in listed {
            // What stands for a folder in other programs.
            if object.size == 0 && !is_table_file(Path::new(object.location.as_ref())) {
                continue;
            }
            let path = self.at(object.location.as_ref());
            known.insert(path.clone(), object);
            objects.push(path);
        }
        Ok(objects)
    }

    /// Looks at a single object; `None` where there is none.
    fn look(&self, key: &str) -> Result<Option<PathBuf>, ObjectsError> {
        let at = self.at(key);
        let location = self.key(&at)?;
        match self.threads.block_on(self.store.head(&location)) {
            Ok(object) => {
                let mut known = self.listed.write().unwrap_or_else(PoisonError::into_inner);
                known.insert(at.clone(), object);
                Ok(Some(at))
            }
            Err(object_store::Error::NotFound { .. }) => Ok(None),
            Err(error) => Err(ObjectsError::of(at.display().to_string(), &error)),
        }
    }

    /// What the store said of an object.
    pub(crate) fn known(&self, at: &Path) -> Result<ObjectMeta, ObjectsError> {
        let known = self.listed.read().unwrap_or_else(PoisonError::into_inner);
        let unknown = || ObjectsError::Vanished { address: at.display().to_string() };
        known.get(at).cloned().ok_or_else(unknown)
    }

    /// What tells a content of an object from another: its address, its ETag (or version), its size. A store
    /// that gives no ETag is believed its time of modification.
    pub(crate) fn identity(&self, at: &Path) -> Result<(Digest, u64), ObjectsError> {
        let object = self.known(at)?;
        let tag = object.e_tag.or(object.version).unwrap_or_else(|| object.last_modified.to_rfc3339());
        let mut identity = Digester::default();
        identity.update(format!("object\n{}\n{tag}\n{}\n", at.display(), object.size).as_bytes());
        Ok((identity.finish(), object.size))
    }
}

/// The folders of a pattern before the first one that is a pattern, and the rest.
fn literal_folder(pattern: &str) -> (&str, &str) {
    let first = pattern.find(['*', '?', '[']).unwrap_or(pattern.len());
    match pattern[..first].rfind('/') {
        Some(slash) => (&pattern[..slash], &pattern[slash + 1..]),
        None => ("", pattern),
    }
}

#[cfg(test)]
mod tests;
