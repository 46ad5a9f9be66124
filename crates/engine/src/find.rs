//! From a path in the definition to the files that it stands for.

use std::ffi::OsStr;
use std::path::{Path, PathBuf};

use crate::error::EngineError;
use crate::files::Format;
use crate::ingest::names::covered;
use crate::objects::{Address, Buckets};
use crate::storage::Storage;

/// The files that a path stands for, in the order of their names, and where they are.
#[derive(Clone, Debug)]
pub(crate) struct Found {
    pub(crate) storage: Storage,
    pub(crate) files: Vec<PathBuf>,
}

/// The files that a path stands for, but those of ingestion whose rows a merged file holds as well.
pub(crate) fn matching_files(base: &Path, path: &str, buckets: &Buckets) -> Result<Found, EngineError> {
    let (storage, mut files) = match Address::parse(path)? {
        None => (Storage::Disk, files_on_disk(base, path)?),
        Some(address) => {
            let bucket = buckets.open(address.bucket)?;
            let files = bucket.matching(address.key)?;
            if files.is_empty() {
                return Err(EngineError::NoFiles { path: path.to_owned() });
            }
            (Storage::Bucket(bucket), files)
        }
    };
    files.sort();
    let replaced = covered(&files);
    files.retain(|file| replaced.binary_search(file).is_err());
    Ok(Found { storage, files })
}

fn files_on_disk(base: &Path, path: &str) -> Result<Vec<PathBuf>, EngineError> {
    let full = base.join(path);
    if full.is_file() {
        return Ok(vec![full]);
    }
    let mut files = Vec::new();
    if full.is_dir() {
        collect_folder(&full, &mut files)?;
    } else if is_glob(path) {
        let pattern = full.to_string_lossy();
        let bad = |reason: String| EngineError::BadGlob { pattern: path.to_owned(), reason };
        for entry in glob::glob(&pattern).map_err(|error| bad(error.to_string()))? {
            let entry = entry.map_err(|error| bad(error.to_string()))?;
            if entry.is_file() {
                files.push(entry);
            }
        }
    } else {
        return Err(EngineError::NotFound { path: full });
    }
    if files.is_empty() {
        return Err(EngineError::NoFiles { path: full.to_string_lossy().into_owned() });
    }
    Ok(files)
}

/// The tables' files below a folder; hidden ones and those with other endings are left out.
fn collect_folder(folder: &Path, files: &mut Vec<PathBuf>) -> Result<(), EngineError> {
    let io = |source| EngineError::Io { path: folder.to_owned(), source };
    for entry in std::fs::read_dir(folder).map_err(io)? {
        let path = entry.map_err(io)?.path();
        if path.file_name().is_some_and(is_hidden) {
            continue;
        }
        if path.is_dir() {
            collect_folder(&path, files)?;
        } else if is_table_file(&path) {
            files.push(path);
        }
    }
    Ok(())
}

pub(crate) fn is_glob(path: &str) -> bool {
    path.contains(['*', '?', '['])
}

/// Whether a name within a folder is left out.
pub(crate) fn is_hidden(name: &OsStr) -> bool {
    name.to_string_lossy().starts_with(['.', '_'])
}

/// Whether a name ends as those of tables do.
pub(crate) fn is_table_file(path: &Path) -> bool {
    format_of(path).is_ok()
}

fn format_of(path: &Path) -> Result<Format, EngineError> {
    match path.extension().map(|ending| ending.to_string_lossy().to_lowercase()).as_deref() {
        Some("parquet" | "pq") => Ok(Format::Parquet),
        Some("csv") => Ok(Format::Csv),
        _ => Err(EngineError::UnknownFormat { path: path.to_owned() }),
    }
}

/// The format that all files of a table are in.
pub(crate) fn common_format(files: &[PathBuf]) -> Result<Format, EngineError> {
    let mut first: Option<(Format, &PathBuf)> = None;
    for path in files {
        let format = format_of(path)?;
        match first {
            None => first = Some((format, path)),
            Some((known, other)) if known != format => {
                let (parquet, csv) = if format == Format::Csv { (other, path) } else { (path, other) };
                return Err(EngineError::MixedFormats { parquet: parquet.clone(), csv: csv.clone() });
            }
            Some(_) => {}
        }
    }
    first.map(|(format, _)| format).ok_or_else(|| EngineError::NoFiles { path: String::new() })
}
