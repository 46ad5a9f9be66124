//! Which version of each file is there, told without reading those that have not changed.
//!
//! A file counts as unchanged while its size and its time of modification are those that it had when it
//! was last digested, as in build tools and version control. A time of modification that was
//! younger than two seconds then is not trusted: another write could have followed within it. An object in a
//! bucket is told by what its store says of it.

use std::collections::BTreeMap;
use std::fs::File;
use std::io::Read;
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use serde::{Deserialize, Serialize};
use types::Digest;
use types::digest::Digester;
use types::evidence::{DatasetVersion, Hashed};
use types::log_state::FileChanges;

use crate::error::EngineError;
use crate::files::TableFiles;
use crate::ingest::names::is_within;
use crate::objects::Bucket;
use crate::storage::Storage;
use crate::store::{FORMAT, ProfileStore, keep, load};

/// A modification this close to the moment of digesting may hide another one.
const SETTLED_AFTER: Duration = Duration::from_secs(2);

/// A file as it is now.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct FileVersion {
    /// Its path from the definition's folder, so that it is the same from wherever the program is called.
    pub(crate) path: String,
    pub(crate) bytes: u64,
    modified_nanoseconds: u128,
    digested_nanoseconds: u128,
    pub(crate) digest: Digest,
}

/// The versions of a table's files, in their order; only files that may have changed are read.
fn versions(
    table: &TableFiles,
    base: &Path,
    known: &BTreeMap<String, FileVersion>,
) -> Result<Vec<FileVersion>, EngineError> {
    let of = |path: &PathBuf| {
        let name = path.strip_prefix(base).unwrap_or(path).to_string_lossy().into_owned();
        match &table.storage {
            Storage::Disk => version(path, name.clone(), known.get(&name)),
            Storage::Bucket(bucket) => version_of_object(bucket, path, name),
        }
    };
    table.files.iter().map(of).collect()
}

/// An object is the content that its store says it is: reading it would cost what the store has done already.
fn version_of_object(bucket: &Bucket, path: &Path, name: String) -> Result<FileVersion, EngineError> {
    let (digest, bytes) = bucket.identity(path)?;
    Ok(FileVersion { path: name, bytes, modified_nanoseconds: 0, digested_nanoseconds: 0, digest })
}

fn version(path: &Path, name: String, known: Option<&FileVersion>) -> Result<FileVersion, EngineError> {
    let io = |source| EngineError::Io { path: path.to_owned(), source };
    let metadata = std::fs::metadata(path).map_err(io)?;
    let modified = nanoseconds(metadata.modified().map_err(io)?);
    if let Some(known) = known
        && known.bytes == metadata.len()
        && known.modified_nanoseconds == modified
        && modified + SETTLED_AFTER.as_nanos() < known.digested_nanoseconds
    {
        return Ok(known.clone());
    }
    let digested = nanoseconds(SystemTime::now());
    let (digest, bytes) = digest(path)?;
    Ok(FileVersion {
        path: name,
        bytes,
        modified_nanoseconds: modified,
        digested_nanoseconds: digested,
        digest,
    })
}

fn nanoseconds(at: SystemTime) -> u128 {
    at.duration_since(UNIX_EPOCH).unwrap_or_default().as_nanos()
}

fn digest(path: &Path) -> Result<(Digest, u64), EngineError> {
    let io = |source| EngineError::Io { path: path.to_owned(), source };
    let mut file = File::open(path).map_err(io)?;
    let mut content = Digester::default();
    let mut buffer = vec![0; 1 << 20];
    let mut bytes: u64 = 0;
    loop {
        let read = file.read(&mut buffer).map_err(io)?;
        if read == 0 {
            return Ok((content.finish(), bytes));
        }
        content.update(&buffer[..read]);
        bytes += read as u64;
    }
}

/// The version of a table: a digest over its files' names, sizes and contents.
pub(crate) fn dataset_version(name: &str, storage: &Storage, files: &[FileVersion]) -> DatasetVersion {
    let mut whole = Digester::default();
    let mut bytes = 0;
    for file in files {
        let file_name = Path::new(&file.path).file_name().map(|name| name.to_string_lossy());
        let file_name = file_name.unwrap_or_default();
        whole.update(format!("{file_name}\n{}\n{}\n", file.bytes, file.digest).as_bytes());
        bytes += file.bytes;
    }
    let hashed = match storage {
        Storage::Disk => Hashed::Content,
        Storage::Bucket(_) => Hashed::Etag,
    };
    DatasetVersion { name: name.to_owned(), digest: whole.finish(), files: files.len() as u64, bytes, hashed }
}

/// The files of the log and of the outcomes.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub(crate) struct Files {
    /// Where the definition says that they are. With another place there is nothing to compare with.
    pub(crate) place: String,
    pub(crate) log: Vec<FileVersion>,
    pub(crate) outcomes: Vec<FileVersion>,
}

impl Files {
    fn by_path(files: &[FileVersion]) -> BTreeMap<String, FileVersion> {
        files.iter().map(|file| (file.path.clone(), file.clone())).collect()
    }

    /// The files that were remembered under a name.
    pub(crate) fn remembered(
        store: Option<&dyn ProfileStore>,
        name: &str,
    ) -> Result<Option<Self>, EngineError> {
        let Some(store) = store else { return Ok(None) };
        let seen: Option<(u32, Self)> = load(store, name)?;
        Ok(seen.filter(|(format, _)| *format == FORMAT).map(|(_, files)| files))
    }

    /// The files as they are now; those that are as remembered are not read.
    pub(crate) fn now(
        place: String,
        log: &TableFiles,
        outcomes: Option<&TableFiles>,
        base: &Path,
        remembered: Option<&Self>,
    ) -> Result<Self, EngineError> {
        let known = |files: fn(&Self) -> &[FileVersion]| {
            remembered.map(|remembered| Self::by_path(files(remembered))).unwrap_or_default()
        };
        Ok(Self {
            place,
            log: versions(log, base, &known(|files| &files.log))?,
            outcomes: match outcomes {
                Some(outcomes) => versions(outcomes, base, &known(|files| &files.outcomes))?,
                None => Vec::new(),
            },
        })
    }

    pub(crate) fn remember(&self, store: &dyn ProfileStore, name: &str) -> Result<(), EngineError> {
        keep(store, name, &(FORMAT, self))
    }

    /// What differs between the files that were remembered and these.
    pub(crate) fn changes_since(&self, remembered: Option<&Self>) -> FileChanges {
        let added = (self.log.len() + self.outcomes.len()) as u64;
        let Some(remembered) = remembered.filter(|remembered| remembered.place == self.place) else {
            return FileChanges { first_look: true, added, ..FileChanges::default() };
        };
        let mut changes = FileChanges::default();
        differ(&remembered.log, &self.log, &mut changes);
        let of_log = changes.changed.len() + changes.vanished.len();
        differ(&remembered.outcomes, &self.outcomes, &mut changes);
        changes.outcomes_rewritten = changes.changed.len() + changes.vanished.len() > of_log;
        changes
    }
}

fn differ(before: &[FileVersion], now: &[FileVersion], changes: &mut FileChanges) {
    let known = Files::by_path(before);
    for file in now {
        match known.get(&file.path) {
            None => changes.added += 1,
            // One that had nothing in it was not written yet.
            Some(before) if before.digest != file.digest && before.bytes == 0 => changes.added += 1,
            Some(before) if before.digest != file.digest => changes.changed.push(file.path.clone()),
            Some(_) => {}
        }
    }
    // The rows of files that ingestion merged are there, in another file.
    let paths = || now.iter().map(|file| file.path.as_str());
    let is_there = |path: &String| paths().any(|known| known == path) || is_within(path, paths());
    changes.vanished.extend(known.keys().filter(|path| !is_there(path)).cloned());
}

#[cfg(test)]
mod tests {
    use super::*;

    fn written(folder: &Path, text: &str) -> FileVersion {
        let path = folder.join("a.csv");
        std::fs::write(&path, text).unwrap();
        version(&path, "a.csv".into(), None).unwrap()
    }

    #[test]
    fn the_dataset_version_changes_with_a_byte_and_not_with_the_folder() {
        let (folder, other) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
        let of = |file: FileVersion| dataset_version("log", &Storage::Disk, &[file]);
        let first = of(written(folder.path(), "t\n1\n"));
        let moved = of(written(other.path(), "t\n1\n"));
        let edited = of(written(folder.path(), "t\n2\n"));
        assert_eq!(first, moved);
        assert_ne!(first.digest, edited.digest);
        assert_eq!((first.files, first.bytes), (1, 4));
    }

    #[test]
    fn a_file_that_was_written_just_before_it_was_digested_is_digested_again() {
        let folder = tempfile::tempdir().unwrap();
        let mut known = written(folder.path(), "t\n1\n");
        let path = folder.path().join("a.csv");
        std::fs::write(&path, "t\n2\n").unwrap();
        known.modified_nanoseconds = version(&path, "a.csv".into(), None).unwrap().modified_nanoseconds;
        let again = |known: &FileVersion| version(&path, known.path.clone(), Some(known)).unwrap();
        assert_ne!(again(&known).digest, known.digest);
        known.digested_nanoseconds += 10_000_000_000;
        assert_eq!(again(&known), known, "size and time are those that are known");
    }

    #[test]
    fn changed_added_and_vanished_files_are_told_apart() {
        let file = |path: &str, content: &str| FileVersion {
            path: path.into(),
            bytes: 1,
            modified_nanoseconds: 0,
            digested_nanoseconds: 0,
            digest: Digest::of(content.as_bytes()),
        };
        let known = Files {
            place: "log".into(),
            log: [file("a", "1"), file("b", "1"), file("c", "1")].into(),
            outcomes: [file("o", "1")].into(),
        };
        let mut now = Files {
            place: "log".into(),
            log: [file("a", "1"), file("b", "2"), file("d", "1")].into(),
            outcomes: [file("o", "1")].into(),
        };
        let mut expected = FileChanges {
            first_look: false,
            added: 1,
            changed: vec!["b".into()],
            vanished: vec!["c".into()],
            outcomes_rewritten: false,
        };
        assert_eq!(now.changes_since(Some(&known)), expected);
        now.outcomes[0] = file("o", "2");
        expected.changed.push("o".into());
        expected.outcomes_rewritten = true;
        assert_eq!(now.changes_since(Some(&known)), expected);
        // What was empty when it was looked at was still to be written.
        let mut unwritten = known.clone();
        unwritten.log[1].bytes = 0;
        expected.changed.retain(|path| path != "b");
        expected.added = 2;
        assert_eq!(now.changes_since(Some(&unwritten)), expected);
        now.place = "elsewhere".into();
        assert!(now.changes_since(Some(&known)).first_look);
    }

    #[test]
    fn files_that_ingestion_merged_have_not_vanished() {
        let file = |path: &str| FileVersion {
            path: path.into(),
            bytes: 1,
            modified_nanoseconds: 0,
            digested_nanoseconds: 0,
            digest: Digest::of(path.as_bytes()),
        };
        let known = Files {
            outcomes: [1, 2, 3].map(|at| file(&format!("o/2026-11-27.a-000000000{at}.parquet"))).into(),
            ..Files::default()
        };
        let merged = Files {
            outcomes: [file("o/2026-11-27.a-0000000001-0000000002.parquet")].into(),
            ..Files::default()
        };
        let changes = merged.changes_since(Some(&known));
        assert_eq!(changes.vanished, ["o/2026-11-27.a-0000000003.parquet"]);
    }
}
