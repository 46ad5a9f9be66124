//! Opening a database and running statements on it.

use std::path::{Path, PathBuf};
use std::time::Duration;

use jiff::Timestamp;
use sqlx::any::{AnyConnectOptions, AnyPoolOptions, AnyRow};
use sqlx::{Any, AnyPool, ConnectOptions as _, Executor as _, Row as _, Transaction};
use tokio::runtime::Runtime;
use types::evidence::ChainError;
use url::Url;

use crate::migrations;

/// How long a statement of SQLite waits for another process to finish writing.
const SQLITE_WAIT_MS: u32 = 15_000;
/// How long a caller waits for a free connection, or for a database that restarts.
const ACQUIRE_WITHIN: Duration = Duration::from_secs(20);

/// Which database to use.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Database {
    /// One file, made where there is none.
    Sqlite(PathBuf),
    Postgres(Url),
}

/// A database's address that cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum DatabaseError {
    #[error("`{text}` is not a database: give sqlite:PATH or postgres://USER@HOST/NAME")]
    Unknown { text: String },
    #[error(
        "the database's address cannot be read ({reason}): give sqlite:PATH or postgres://USER@HOST/NAME"
    )]
    Unreadable { reason: String },
}

impl std::str::FromStr for Database {
    type Err = DatabaseError;

    fn from_str(text: &str) -> Result<Self, DatabaseError> {
        if let Some(path) = text.strip_prefix("sqlite:") {
            let path = path.strip_prefix("//").unwrap_or(path);
            if path.is_empty() {
                return Err(DatabaseError::Unknown { text: text.to_owned() });
            }
            return Ok(Self::Sqlite(PathBuf::from(path)));
        }
        if text.starts_with("postgres://") || text.starts_with("postgresql://") {
            // The text may hold a password and is not repeated.
            let url =
                Url::parse(text).map_err(|error| DatabaseError::Unreadable { reason: error.to_string() })?;
            return Ok(Self::Postgres(url));
        }
        let scheme = text.split_once(':').map_or(text, |(scheme, _)| scheme);
        Err(DatabaseError::Unknown { text: scheme.to_owned() })
    }
}

/// The address as it may be shown: without a password.
impl std::fmt::Display for Database {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Sqlite(path) => write!(f, "{}", path.display()),
            Self::Postgres(url) => {
                let mut shown = url.clone();
                // An address without a host has no password to hide.
                let _ = shown.set_password(None);
                write!(f, "{shown}")
            }
        }
    }
}

impl Database {
    fn options(&self) -> Result<AnyConnectOptions, StoreError> {
        let url = match self {
            Self::Sqlite(path) => sqlite_url(path)?,
            Self::Postgres(url) => url.clone(),
        };
        let options = AnyConnectOptions::from_url(&url).map_err(|source| self.cannot_open(source))?;
        Ok(options.disable_statement_logging())
    }

    fn cannot_open(&self, source: sqlx::Error) -> StoreError {
        StoreError::Open { database: self.to_string(), source }
    }
}

fn sqlite_url(path: &Path) -> Result<Url, StoreError> {
    let io = |source| StoreError::Folder { path: path.to_owned(), source };
    let absolute = std::path::absolute(path).map_err(io)?;
    if let Some(folder) = absolute.parent() {
        std::fs::create_dir_all(folder).map_err(io)?;
    }
    let unusable = || io(std::io::Error::from(std::io::ErrorKind::InvalidFilename));
    let file = Url::from_file_path(&absolute).map_err(|()| unusable())?;
    Url::parse(&format!("sqlite://{}?mode=rwc", file.path())).map_err(|_| unusable())
}

#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    #[error("failed to open the database `{database}`: {source}")]
    Open { database: String, source: sqlx::Error },
    #[error("failed to make the database `{path}`: {source}")]
    Folder { path: PathBuf, source: std::io::Error },
    #[error("the database failed to answer: {0}")]
    Sql(#[from] sqlx::Error),
    #[error(
        "the database `{database}` was written by a newer version (schema {found}, this program knows {known}): \
         use that version"
    )]
    Newer { database: String, found: i64, known: i64 },
    #[error("the evidence of `{chain}` is broken: {source}")]
    Broken { chain: String, source: ChainError },
    #[error(transparent)]
    Audit(#[from] types::audit::AuditError),
    #[error(transparent)]
    Lineage(#[from] types::lineage_log::LineageLogError),
    #[error("a row of `{table}` cannot be read: {reason}")]
    Unreadable { table: &'static str, reason: String },
    #[error("what was to be kept cannot be written as JSON: {0}")]
    Json(#[from] serde_json::Error),
    #[error("the runtime of the database could not be started: {0}")]
    Runtime(std::io::Error),
}

impl StoreError {
    /// Whether the same call may go through a little later: the database is busy, or starts again.
    pub fn is_passing(&self) -> bool {
        match self {
            Self::Open { source, .. } | Self::Sql(source) => match source {
                sqlx::Error::Io(_) | sqlx::Error::PoolTimedOut => true,
                sqlx::Error::Database(error) => {
                    // SQLite: busy, locked. PostgreSQL: it shuts down, crashed or starts up, or rolled back for another.
                    let code = error.code().unwrap_or_default();
                    ["5", "6", "57P01", "57P02", "57P03", "40001", "40P01"].contains(&code.as_ref())
                }
                _ => false,
            },
            _ => false,
        }
    }
}

/// An open database.
#[derive(Debug)]
pub struct Store {
    pub(crate) database: Database,
    pool: AnyPool,
    /// There until the store is dropped.
    runtime: Option<Runtime>,
}

/// A store may go with the last task of a server, on a thread of its runtime, where waiting is not allowed.
impl Drop for Store {
    fn drop(&mut self) {
        if let Some(runtime) = self.runtime.take() {
            runtime.shutdown_background();
        }
    }
}

impl Store {
    /// Opens the database, makes it where there is none, and brings its schema up to date.
    ///
    /// # Errors
    /// It cannot be reached or made, or a newer program wrote it.
    pub fn open(database: &Database) -> Result<Self, StoreError> {
        sqlx::any::install_default_drivers();
        let runtime = tokio::runtime::Builder::new_multi_thread()
            .worker_threads(1)
            .thread_name("forewarn-store")
            .enable_all()
            .build()
            .map_err(StoreError::Runtime)?;
        let options = database.options()?;
        let is_sqlite = matches!(database, Database::Sqlite(_));
        let pool = AnyPoolOptions::new().max_connections(8).acquire_timeout(ACQUIRE_WITHIN).after_connect(
            move |connection, _| {
                Box::pin(async move {
                    if is_sqlite {
                        // Readers and the writer do not wait for each other, and what was acknowledged
                        // outlasts a loss of power.
                        let pragmas = format!(
                            "PRAGMA busy_timeout = {SQLITE_WAIT_MS}; PRAGMA journal_mode = WAL; \
                             PRAGMA synchronous = FULL; PRAGMA foreign_keys = ON;"
                        );
                        connection.execute(sqlx::AssertSqlSafe(pragmas)).await?;
                    }
                    Ok(())
                })
            },
        );
        let pool =
            runtime.block_on(pool.connect_with(options)).map_err(|source| database.cannot_open(source))?;
        let store = Self { database: database.clone(), pool, runtime: Some(runtime) };
        migrations::bring_up_to_date(&store)?;
        Ok(store)
    }

    /// Which database this is, as it may be shown.
    pub fn database(&self) -> &Database {
        &self.database
    }

    pub(crate) fn block_on<F: Future>(&self, future: F) -> F::Output {
        self.runtime.as_ref().expect("it is taken only when the store is dropped").block_on(future)
    }

    /// Reads without a transaction.
    pub(crate) fn pool(&self) -> &AnyPool {
        &self.pool
    }

    /// Begins a transaction that writes. In SQLite it takes the right to write at once: one that asks
    /// for it after reading is refused when another was faster.
    pub(crate) async fn begin(&self) -> Result<Transaction<'static, Any>, sqlx::Error> {
        match self.database {
            Database::Sqlite(_) => self.pool.begin_with("BEGIN IMMEDIATE").await,
            Database::Postgres(_) => self.pool.begin().await,
        }
    }

    /// Whether the database answers.
    ///
    /// # Errors
    /// It does not.
    pub fn ping(&self) -> Result<(), StoreError> {
        self.block_on(async { sqlx::query("SELECT 1").execute(&self.pool).await })?;
        Ok(())
    }
}

/// Microseconds since 1970, as instants are kept.
pub(crate) fn micros(at: Timestamp) -> i64 {
    at.as_microsecond()
}

/// An instant out of a column of microseconds.
pub(crate) fn instant(
    row: &AnyRow,
    table: &'static str,
    column: &'static str,
) -> Result<Timestamp, StoreError> {
    let micros: i64 = row.try_get(column)?;
    Timestamp::from_microsecond(micros)
        .map_err(|error| StoreError::Unreadable { table, reason: format!("`{column}`: {error}") })
}

/// An instant out of a column of microseconds that may be empty.
pub(crate) fn instant_or_none(
    row: &AnyRow,
    table: &'static str,
    column: &'static str,
) -> Result<Option<Timestamp>, StoreError> {
    let micros: Option<i64> = row.try_get(column)?;
    micros
        .map(Timestamp::from_microsecond)
        .transpose()
        .map_err(|error| unreadable(table, format!("`{column}`: {error}")))
}

pub(crate) fn unreadable(table: &'static str, reason: impl std::fmt::Display) -> StoreError {
    StoreError::Unreadable { table, reason: reason.to_string() }
}
