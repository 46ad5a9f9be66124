//! Where the state of a system is kept: a database beside its definition, or the one of a server.
//!
//! A folder's state lies in `.forewarn/state.db`, unless a server serves the folder from another database:
//! then `.forewarn/database` names it, and the command line and the server see the same evidence. Evidence
//! that an earlier version wrote into `.forewarn/evidence.jsonl` is taken over, byte for byte, the first time.

use std::path::{Path, PathBuf};
use std::sync::{Arc, OnceLock};

use jiff::Timestamp;
use store::{Chain, Database, DatabaseError, Store, StoreError};
use types::evidence::{Checkpoint, Evidence, verify_chain};
use types::lineage_log::Received;

use crate::evidence_file::{self, EvidenceFile, EvidenceFileError};
use crate::remote::{Remote, RemoteError};
use crate::signing::{self, CheckpointFault};

/// The folder of what the program keeps beside a definition.
pub const FOLDER: &str = ".forewarn";
const DATABASE_FILE: &str = "state.db";
/// Holds the address of the database that a server serves the folder from.
const LINK_FILE: &str = "database";
/// What an earlier version kept evidence in, and the name that it has once it was taken over.
const EARLIER_FILE: &str = "evidence.jsonl";
const TAKEN_OVER_FILE: &str = "evidence.jsonl.imported";

#[derive(Debug, thiserror::Error)]
pub enum StateError {
    #[error(transparent)]
    Store(#[from] StoreError),
    #[error("`{path}` names no database that can be used: {source}")]
    Link { path: PathBuf, source: DatabaseError },
    #[error("failed to read or write `{path}`: {source}")]
    Io { path: PathBuf, source: std::io::Error },
    #[error("evidence does not go through a signed checkpoint: {0}")]
    Checkpoint(#[from] CheckpointFault),
    #[error(transparent)]
    Remote(#[from] RemoteError),
    #[error("evidence is imported where the server's database is, not over {url}: give --database there")]
    ImportOnServer { url: String },
    #[error("lineage is asked where the server's database is, not over {url}: give --database there")]
    LineageOnServer { url: String },
    #[error("evidence cannot be taken over: {0}")]
    Earlier(#[from] EvidenceFileError),
}

#[derive(Debug)]
enum Place {
    Database(Database),
    Server(Remote),
}

/// The state of a folder's system. It is made with the first thing that is kept in it.
#[derive(Debug)]
pub struct State {
    place: Place,
    /// Evidence of an earlier version, where there is some.
    earlier: Option<PathBuf>,
    store: OnceLock<Arc<Store>>,
}

impl State {
    /// The state of the definition in `folder`, or the database that is asked for.
    ///
    /// # Errors
    /// The folder is served from a database whose address cannot be read.
    pub fn beside(folder: &Path, database: Option<Database>) -> Result<Self, StateError> {
        let own = folder.join(FOLDER);
        let database = match database {
            Some(database) => database,
            None => linked(&own)?.unwrap_or_else(|| Database::Sqlite(own.join(DATABASE_FILE))),
        };
        let earlier = Some(own.join(EARLIER_FILE)).filter(|path| path.exists());
        Ok(Self { place: Place::Database(database), earlier, store: OnceLock::new() })
    }

    /// The state that a server keeps, over its API.
    pub fn on_server(server: Remote) -> Self {
        Self { place: Place::Server(server), earlier: None, store: OnceLock::new() }
    }

    /// The state that a server has opened.
    pub fn shared(store: Arc<Store>) -> Self {
        let place = Place::Database(store.database().clone());
        Self { place, earlier: None, store: OnceLock::from(store) }
    }

    /// The state that a server has opened, for a folder that may hold evidence of an earlier version.
    pub(crate) fn shared_beside(folder: &Path, store: Arc<Store>) -> Self {
        let earlier = Some(folder.join(FOLDER).join(EARLIER_FILE)).filter(|path| path.exists());
        Self { earlier, ..Self::shared(store) }
    }

    /// Where it is, as it may be shown.
    pub fn shown(&self) -> String {
        match &self.place {
            Place::Database(database) => database.to_string(),
            Place::Server(server) => server.shown(),
        }
    }

    /// The database, which is made where there is none.
    fn store(&self, database: &Database) -> Result<&Arc<Store>, StateError> {
        if let Some(store) = self.store.get() {
            return Ok(store);
        }
        let store = Arc::new(Store::open(database)?);
        Ok(self.store.get_or_init(|| store))
    }

    /// Whether anything was kept yet; asking makes nothing.
    pub fn exists(&self) -> bool {
        match &self.place {
            Place::Database(Database::Sqlite(path)) => path.exists() || self.earlier.is_some(),
            Place::Database(Database::Postgres(_)) | Place::Server(_) => true,
        }
    }

    /// Reads and verifies the evidence of a system; before anything was kept it is empty.
    ///
    /// # Errors
    /// The database does not answer, or the chain is broken.
    pub fn chain(&self, system: &str) -> Result<Chain, StateError> {
        if !self.exists() {
            return Ok(Chain::unread(system));
        }
        match &self.place {
            Place::Database(database) => {
                self.take_over(database, system)?;
                Ok(self.store(database)?.chain(system)?)
            }
            Place::Server(server) => {
                let mut chain = Chain::unread(system);
                server.read_on(&mut chain)?;
                Ok(chain)
            }
        }
    }

    /// Appends a run's evidence to a chain that was read here.
    ///
    /// # Errors
    /// The database does not answer. Nothing was recorded then.
    pub fn append(&self, chain: &mut Chain, evidence: Evidence) -> Result<(), StateError> {
        match &self.place {
            Place::Database(database) => Ok(self.store(database)?.append(chain, evidence)?),
            Place::Server(server) => Ok(server.append(chain, &evidence)?),
        }
    }

    /// Verifies a system's evidence, held against a checkpoint where one is given; none where there is no
    /// evidence.
    ///
    /// # Errors
    /// The database does not answer, or the chain is broken.
    pub fn verify(
        &self,
        system: &str,
        checkpoint: Option<Checkpoint>,
    ) -> Result<Option<Checkpoint>, StateError> {
        let lines = self.lines(system)?;
        if lines.is_empty() {
            return Ok(None);
        }
        let verified = verify_chain(lines.iter().map(String::as_str), checkpoint);
        let broken = |source| StoreError::Broken { chain: system.to_owned(), source };
        let (records, end) = verified.map_err(broken)?;
        if let Place::Database(database) = &self.place {
            let chain = Chain { id: system.to_owned(), records, end };
            for signed in self.store(database)?.checkpoints(system)? {
                signing::verify(&chain, &signed)?;
            }
        }
        Ok(Some(end))
    }

    /// A system's evidence as it was recorded, line by line.
    ///
    /// # Errors
    /// The database does not answer.
    pub fn lines(&self, system: &str) -> Result<Vec<String>, StateError> {
        if !self.exists() {
            return Ok(Vec::new());
        }
        match &self.place {
            Place::Database(database) => {
                self.take_over(database, system)?;
                Ok(self.store(database)?.lines(system, 0)?)
            }
            Place::Server(server) => Ok(server.lines(system, 0)?),
        }
    }

    /// Takes over exported evidence that goes on from what is here; returns the new end.
    ///
    /// # Errors
    /// It does not verify, or contradicts what is here.
    pub fn import(&self, system: &str, file: &EvidenceFile) -> Result<Checkpoint, StateError> {
        match &self.place {
            Place::Database(database) => Ok(self.store(database)?.import(system, file.lines())?.end),
            Place::Server(server) => Err(StateError::ImportOnServer { url: server.shown() }),
        }
    }

    /// Keeps lineage events that were received at one time; returns how many of them are new.
    ///
    /// # Errors
    /// The database does not answer. Nothing was kept then.
    pub fn keep_lineage(&self, received: Timestamp, events: &[String]) -> Result<u64, StateError> {
        match &self.place {
            Place::Database(database) => {
                Ok(self.store(database)?.keep_lineage(received, events.iter().map(String::as_str))?)
            }
            Place::Server(server) => Err(StateError::LineageOnServer { url: server.shown() }),
        }
    }

    /// Reads and verifies all lineage events, in the order in which they came.
    ///
    /// # Errors
    /// The database does not answer, or the log of events is not what was recorded.
    pub fn read_lineage(&self, each: impl FnMut(Received)) -> Result<(), StateError> {
        if !self.exists() {
            return Ok(());
        }
        match &self.place {
            Place::Database(database) => {
                self.store(database)?.read_lineage(each)?;
                Ok(())
            }
            Place::Server(server) => Err(StateError::LineageOnServer { url: server.shown() }),
        }
    }

    /// Takes over the evidence of an earlier version. Its file stays, under another name.
    fn take_over(&self, database: &Database, system: &str) -> Result<(), StateError> {
        let Some(path) = self.earlier.as_deref().filter(|path| path.exists()) else { return Ok(()) };
        let file = evidence_file::read(path)?;
        self.store(database)?.import(system, file.lines())?;
        let renamed = std::fs::rename(path, path.with_file_name(TAKEN_OVER_FILE));
        renamed.map_err(|source| StateError::Io { path: path.to_owned(), source })
    }
}

/// The database that a folder's `.forewarn/database` names.
fn linked(own: &Path) -> Result<Option<Database>, StateError> {
    let path = own.join(LINK_FILE);
    match std::fs::read_to_string(&path) {
        Ok(text) => text.trim().parse().map(Some).map_err(|source| StateError::Link { path, source }),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(None),
        Err(source) => Err(StateError::Io { path, source }),
    }
}

/// Notes in a served folder which database it is served from.
///
/// # Errors
/// The folder cannot be written.
pub fn link(folder: &Path, database: &Database) -> Result<(), StateError> {
    let own = folder.join(FOLDER);
    let path = own.join(LINK_FILE);
    let text = match database {
        Database::Sqlite(file) if *file == own.join(DATABASE_FILE) => {
            return match std::fs::remove_file(&path) {
                Err(source) if source.kind() != std::io::ErrorKind::NotFound => {
                    Err(StateError::Io { path, source })
                }
                _ => Ok(()),
            };
        }
        Database::Sqlite(file) => {
            format!("sqlite:{}\n", std::path::absolute(file).unwrap_or(file.clone()).display())
        }
        // Without the password: whoever uses it has one of their own.
        shown @ Database::Postgres(_) => format!("{shown}\n"),
    };
    let written = std::fs::create_dir_all(&own).and_then(|()| std::fs::write(&path, text));
    written.map_err(|source| StateError::Io { path, source })
}

/// The database of a folder of its own.
pub fn own_database(folder: &Path) -> Database {
    Database::Sqlite(folder.join(FOLDER).join(DATABASE_FILE))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::evidence_file::tests::{evidence, written};

    #[test]
    fn asking_for_evidence_makes_no_file() {
        let folder = tempfile::tempdir().unwrap();
        let state = State::beside(folder.path(), None).unwrap();
        assert_eq!(state.chain("s").unwrap(), Chain::unread("s"));
        assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 0);
    }

    #[test]
    fn evidence_of_an_earlier_version_is_taken_over_and_its_file_kept() {
        let folder = tempfile::tempdir().unwrap();
        let lines = written(&["a", "b"]);
        let own = folder.path().join(FOLDER);
        std::fs::create_dir(&own).unwrap();
        std::fs::write(own.join(EARLIER_FILE), format!("{lines}{{\"torn")).unwrap();
        let state = State::beside(folder.path(), None).unwrap();
        let mut chain = state.chain("s").unwrap();
        state.append(&mut chain, evidence("c")).unwrap();
        let kept: String = state.lines("s").unwrap().iter().map(|line| format!("{line}\n")).collect();
        assert!(kept.starts_with(&lines), "byte for byte");
        assert_eq!(chain.records.len(), 3);
        assert!(!own.join(EARLIER_FILE).exists());
        assert!(std::fs::read_to_string(own.join(TAKEN_OVER_FILE)).unwrap().ends_with("{\"torn"));
    }

    #[test]
    fn a_served_folder_shares_the_servers_database() {
        let (server, folder) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
        let database = own_database(server.path());
        link(folder.path(), &database).unwrap();
        let state = State::beside(folder.path(), None).unwrap();
        state.append(&mut state.chain("s").unwrap(), evidence("a")).unwrap();
        assert_eq!(Store::open(&database).unwrap().chain("s").unwrap().records.len(), 1);
        // Served from its own database again, it is found there.
        link(folder.path(), &own_database(folder.path())).unwrap();
        assert!(State::beside(folder.path(), None).unwrap().chain("s").unwrap().records.is_empty());
        std::fs::write(folder.path().join(FOLDER).join(LINK_FILE), "mysql://db").unwrap();
        assert!(matches!(State::beside(folder.path(), None), Err(StateError::Link { .. })));
    }
}
