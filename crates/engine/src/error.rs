//! Why the engine could not look. Bad data that can be measured is not an error; see `monitor`.

use std::path::PathBuf;

use datafusion::error::DataFusionError;

use crate::objects::ObjectsError;

#[derive(Debug, thiserror::Error)]
pub enum EngineError {
    #[error("`{path}` does not exist")]
    NotFound { path: PathBuf },
    #[error("no .parquet or .csv file matches `{path}`")]
    NoFiles { path: String },
    #[error("`{pattern}` is not a glob: {reason}")]
    BadGlob { pattern: String, reason: String },
    #[error("`{path}` is neither .parquet nor .csv")]
    UnknownFormat { path: PathBuf },
    #[error("`{parquet}` and `{csv}` are in one table; a table is all Parquet or all CSV")]
    MixedFormats { parquet: PathBuf, csv: PathBuf },
    #[error("file `{path}` is empty (0 bytes)")]
    EmptyFile { path: PathBuf },
    #[error("`{path}` has columns and no row; there is nothing to look at")]
    NoRows { path: PathBuf },
    #[error(
        "file `{path}` is not readable as Parquet: {reason}; it is cut off, still being written, or not Parquet at all"
    )]
    CorruptParquet { path: PathBuf, reason: String },
    #[error("file `{path}` is not readable as CSV: {reason}")]
    BadCsv { path: PathBuf, reason: String },
    #[error("failed to read `{path}`: {source}")]
    Io { path: PathBuf, source: std::io::Error },
    #[error("column `{column}` is {first_type} in `{first}` but {second_type} in `{second}`")]
    ConflictingTypes {
        column: String,
        first: PathBuf,
        first_type: String,
        second: PathBuf,
        second_type: String,
    },
    #[error("column `{column}` stands twice in `{path}`")]
    DuplicateColumn { column: String, path: PathBuf },
    #[error(
        "column `{column}` holds a text that is not an instant: `{text}` (row {row} of `{path}`); write times as 2013-06-03T12:00:00Z or 2013-06-03T14:00:00+02:00, without the name of a zone"
    )]
    UnreadableTime { column: String, path: PathBuf, row: usize, text: String },
    #[error("segment `{segment}` is not SQL over the log's columns: {reason}")]
    BadSegment { segment: String, reason: String },
    #[error("the log has no row with a time in `{column}`")]
    NoTimes { column: String },
    #[error("file `{path}` changed while it was read; run the command again")]
    ChangedWhileRead { path: PathBuf },
    #[error(
        "failed to keep profiles (`{name}`): {reason}; they lie in `.forewarn/profiles` beside the definition"
    )]
    Store { name: String, reason: String },
    #[error(transparent)]
    Objects(#[from] ObjectsError),
    #[error("the query engine failed: {0}")]
    Query(String),
}

impl EngineError {
    /// Names the file that a query stumbled over, where it was a file and not the store that it is in.
    pub(crate) fn traced(self, bad_file: impl FnOnce() -> Option<Self>) -> Self {
        match self {
            Self::Objects(_) => self,
            error => bad_file().unwrap_or(error),
        }
    }
}

impl From<DataFusionError> for EngineError {
    fn from(error: DataFusionError) -> Self {
        if let Some(of_store) = ObjectsError::within_query(&error) {
            return of_store.into();
        }
        Self::Query(first_line(&error.strip_backtrace()))
    }
}

/// The first line of a library's message, without the context that only its authors can use.
pub(crate) fn first_line(message: &str) -> String {
    let line = message.lines().next().unwrap_or(message);
    let mut line = line.trim();
    for prefix in [
        "Arrow error: ",
        "Parquet error: ",
        "External error: ",
        "Parser error: ",
        "Csv error: ",
        "Cast error: ",
        "Execution error: ",
        "Schema error: ",
        "SQL error: ",
        "Error during planning: ",
    ] {
        line = line.strip_prefix(prefix).unwrap_or(line);
    }
    // The SQL parser shows its error as Rust code, and a position in a text that nobody wrote.
    let line =
        line.strip_prefix("ParserError(\"").and_then(|inner| inner.strip_suffix("\")")).unwrap_or(line);
    line.split(" at Line: ").next().unwrap_or(line).to_owned()
}
