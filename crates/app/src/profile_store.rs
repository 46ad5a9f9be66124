//! Profiles as files below `.forewarn/profiles`, beside the definition; or in memory, for a look that leaves nothing
//! behind.
//!
//! The files can all be computed again, so the folder may be deleted at any time. A file is written beside its
//! place and moved there, so that nobody ever reads half of one.

use std::collections::{HashMap, HashSet};
use std::io::{Error, ErrorKind, Write};
use std::path::{Path, PathBuf};
use std::sync::Mutex;
use std::time::Duration;

use engine::ProfileStore;

use crate::state::FOLDER;

/// How the names of entries begin that are made of several files' profiles.
const DERIVED: [&str; 3] = ["merged-", "sample-", "usual-"];
/// A little longer than the longest cadence.
const DERIVED_KEPT_FOR: Duration = Duration::from_hours(100 * 24);

/// Keeps profiles of one system.
#[derive(Debug)]
pub(crate) struct FolderStore {
    folder: PathBuf,
    /// Names that were read or written, by which [`FolderStore::prune`] tells what is still of use.
    used: Mutex<HashSet<String>>,
}

impl FolderStore {
    /// The store of the system defined in `folder`.
    pub(crate) fn of(folder: &Path) -> Self {
        Self { folder: folder.join(FOLDER).join("profiles"), used: Mutex::default() }
    }

    fn path(&self, name: &str) -> PathBuf {
        self.retain(name);
        self.folder.join(name)
    }

    /// Deletes what this run had no use for: profiles of files that changed or vanished, and what was made
    /// of them a long time ago. What was made of them lately may be needed when the next window is complete.
    pub(crate) fn prune(&self) -> std::io::Result<()> {
        let Ok(used) = self.used.lock() else { return Ok(()) };
        let entries = match std::fs::read_dir(&self.folder) {
            Err(error) if error.kind() == ErrorKind::NotFound => return Ok(()),
            entries => entries?,
        };
        for entry in entries {
            let entry = entry?;
            let name = entry.file_name().to_string_lossy().into_owned();
            let made_of_files = DERIVED.iter().any(|prefix| name.starts_with(prefix));
            let is_recent = || {
                let age = entry.metadata()?.modified()?.elapsed().unwrap_or_default();
                Ok::<bool, Error>(age < DERIVED_KEPT_FOR)
            };
            let is_kept = used.contains(&name) || (made_of_files && is_recent()?);
            if !is_kept {
                std::fs::remove_file(entry.path())?;
            }
        }
        Ok(())
    }
}

impl ProfileStore for FolderStore {
    fn read(&self, name: &str) -> std::io::Result<Option<Vec<u8>>> {
        match std::fs::read(self.path(name)) {
            Ok(bytes) => Ok(Some(bytes)),
            Err(error) if error.kind() == ErrorKind::NotFound => Ok(None),
            Err(error) => Err(error),
        }
    }

    fn write(&self, name: &str, bytes: &[u8]) -> std::io::Result<()> {
        std::fs::create_dir_all(&self.folder)?;
        let path = self.path(name);
        // Two runs at the same time do not write into one file.
        let beside = self.folder.join(format!("{name}.{}", std::process::id()));
        let mut file = std::fs::File::create(&beside)?;
        let written = file.write_all(bytes).and_then(|()| std::fs::rename(&beside, &path));
        written.map_err(|error| {
            // What is left behind is pruned by a later run.
            let _ = std::fs::remove_file(&beside);
            Error::new(error.kind(), format!("{}: {error}", path.display()))
        })
    }

    fn retain(&self, name: &str) {
        if let Ok(mut used) = self.used.lock() {
            used.insert(name.to_owned());
        }
    }
}

/// Keeps profiles for as long as a run lasts.
#[derive(Debug, Default)]
pub(crate) struct MemoryStore(Mutex<HashMap<String, Vec<u8>>>);

impl ProfileStore for MemoryStore {
    fn read(&self, name: &str) -> std::io::Result<Option<Vec<u8>>> {
        let kept = self.0.lock().map_err(|error| Error::other(error.to_string()))?;
        Ok(kept.get(name).cloned())
    }

    fn write(&self, name: &str, bytes: &[u8]) -> std::io::Result<()> {
        let mut kept = self.0.lock().map_err(|error| Error::other(error.to_string()))?;
        kept.insert(name.to_owned(), bytes.to_vec());
        Ok(())
    }

    fn retain(&self, _: &str) {}
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_written_is_read_again_and_what_is_not_used_is_pruned() {
        let folder = tempfile::tempdir().unwrap();
        let store = FolderStore::of(folder.path());
        assert_eq!(store.read("a").unwrap(), None);
        store.prune().unwrap();
        store.write("a", b"1").unwrap();
        store.write("b", b"2").unwrap();
        store.write("c", b"3").unwrap();
        store.write("merged-d", b"4").unwrap();
        let later = FolderStore::of(folder.path());
        assert_eq!(later.read("a").unwrap().as_deref(), Some(b"1".as_slice()));
        later.retain("c");
        later.prune().unwrap();
        assert_eq!(later.read("b").unwrap(), None);
        assert!(later.read("a").unwrap().is_some() && later.read("c").unwrap().is_some());
        assert!(later.read("merged-d").unwrap().is_some(), "the next window may need it");
    }
}
