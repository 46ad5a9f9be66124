//! Why rows are not taken in: the whole request, or single rows of it.

use std::path::{Path, PathBuf};
use std::time::Duration;

use crate::error::EngineError;

/// Why a request, or a table, cannot be served.
#[derive(Debug, thiserror::Error)]
pub enum IngestError {
    #[error("`{key}` is {why}; {way_out}")]
    NotForIngestion { key: &'static str, why: String, way_out: String },
    #[error("`{node}` is not a name for a server in file names; use 1 to 32 of a-z, 0-9 and _")]
    BadNode { node: String },
    #[error(
        "another process takes in rows for this table (`{path}` is locked); stop it, or send the rows to it"
    )]
    Locked { path: PathBuf },
    #[error("too much is under way: {why}; try again in {} s", retry_after.as_secs())]
    Busy { why: &'static str, retry_after: Duration },
    #[error("the body has more than {limit} bytes once it is unpacked; send the rows in several requests")]
    TooLarge { limit: usize },
    #[error("the body cannot be read: {reason}")]
    UnreadableBody { reason: String },
    #[error("column `{column}`: {message}")]
    WrongColumn { column: String, message: String },
    #[error("failed to write `{path}`: {reason}; nothing of the request was kept")]
    NotWritten { path: PathBuf, reason: String },
    #[error("failed to use `{path}`: {source}")]
    Io { path: PathBuf, source: std::io::Error },
    #[error("`{path}` is damaged: {reason}")]
    Damaged { path: PathBuf, reason: String },
    #[error("failed to write Parquet for `{path}`: {reason}")]
    Parquet { path: PathBuf, reason: String },
    #[error(transparent)]
    Log(#[from] EngineError),
}

impl IngestError {
    pub(super) fn io(path: &Path) -> impl FnOnce(std::io::Error) -> Self + use<> {
        let path = path.to_owned();
        |source| Self::Io { path, source }
    }

    pub(super) fn parquet(path: &Path) -> impl Fn(String) -> Self + use<> {
        let path = path.to_owned();
        move |reason| Self::Parquet { path: path.clone(), reason: crate::error::first_line(&reason) }
    }
}

/// Why one row was not taken in.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RowError {
    /// The position of the row in the request, from 0; blank lines do not count.
    pub row: u64,
    pub column: Option<String>,
    /// What is wrong, and the way out.
    pub message: String,
}

/// The errors of a request's rows: all are counted, the first ones are told.
#[derive(Clone, Debug, Default)]
pub(super) struct RowErrors {
    pub(super) told: Vec<RowError>,
    pub(super) count: u64,
}

impl RowErrors {
    pub(super) fn add(&mut self, row: u64, column: Option<&str>, message: impl Into<String>, most: usize) {
        self.count += 1;
        if self.told.len() < most {
            let column = column.map(str::to_owned);
            self.told.push(RowError { row, column, message: message.into() });
        }
    }
}

/// What became of the rows of a request. The accepted ones are durable.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Accepted {
    pub accepted: u64,
    /// Rows whose id an earlier row of the same request has. Repeats of rows of earlier requests are not known
    /// yet; they are dropped when files are written.
    pub duplicates: u64,
    pub rejected: u64,
    /// The first errors, by row.
    pub errors: Vec<RowError>,
}
