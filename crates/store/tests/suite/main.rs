//! What the store promises, on SQLite and on a real PostgreSQL alike.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

#[path = "postgres.rs"]
mod postgres;

mod access;
mod alerts;
mod evidence;
mod identities;
mod jobs;
mod lineage;
mod opening;
mod systems;
mod tls;

use postgres::Postgres;
use sqlx::Connection as _;
use store::{Database, Store};

/// A database of a test's own.
#[derive(Debug)]
enum Place {
    Sqlite(tempfile::TempDir),
    Postgres(Postgres),
}

impl Place {
    fn sqlite() -> Self {
        Self::Sqlite(tempfile::tempdir().unwrap())
    }

    fn postgres() -> Option<Self> {
        Postgres::start().map(Self::Postgres)
    }

    fn database(&self) -> Database {
        match self {
            Self::Sqlite(folder) => Database::Sqlite(folder.path().join("a folder/state %20.db")),
            Self::Postgres(server) => server.url().parse().unwrap(),
        }
    }

    /// Runs a statement past the store, as a meddler would.
    fn sql(&self, statement: &'static str) {
        let url = match self.database() {
            Database::Sqlite(path) => format!("sqlite://{}", path.display().to_string().replace('%', "%25")),
            Database::Postgres(url) => url.to_string(),
        };
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        runtime.block_on(async {
            let mut connection = sqlx::AnyConnection::connect(&url).await.unwrap();
            sqlx::query(statement).execute(&mut connection).await.unwrap();
        });
    }

    fn open(&self) -> Store {
        Store::open(&self.database()).unwrap()
    }
}

/// Makes a test on SQLite and one on PostgreSQL of each claim: a function that is given a [`Place`].
macro_rules! on_both {
    ($($claim:ident),+ $(,)?) => {
        mod sqlite {
            $(#[test] fn $claim() { super::$claim(&crate::Place::sqlite()); })+
        }
        mod postgres {
            $(#[test] fn $claim() { if let Some(place) = crate::Place::postgres() { super::$claim(&place); } })+
        }
    };
}
pub(crate) use on_both;
