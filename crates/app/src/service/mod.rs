//! What a server serves: systems, their definitions as they are now, and what evidence says of them.
//!
//! A [`Service`] is shared by everything that a server does. Evidence is read once and kept in memory;
//! each use asks the database whether there is more, and reads only that.

mod attest;
mod derived;
mod find;
mod intake;
mod served;
mod standing_alerts;
pub mod upkeep;
mod work;

use std::collections::{BTreeMap, HashMap};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use ed25519_dalek::SigningKey;
use engine::ingest::{Ingest, IngestError, IngestOptions};
use jiff::Timestamp;
use store::{Chain, KeptAlerts, ServedSystem, Store, StoreError};
use view::site::SystemRef;

pub use self::attest::Verified;
use self::derived::Derivations;
pub use self::served::{Current, Served};
use crate::check::CheckError;
use crate::opened::definition_folder;
use crate::signing::{self, SigningError};
use crate::state::{self, State, StateError};

/// How many records are kept in memory, at about 8 KiB each; those of other systems are read when they are asked
/// for.
const RECORDS_KEPT: usize = 200_000;

#[derive(Debug, thiserror::Error)]
pub enum ServiceError {
    #[error("no {file} in `{path}` or the folders below it; `forewarn init LOG` writes a first one", file = crate::check::DEFINITION_FILE)]
    Nothing { path: PathBuf },
    #[error("failed to look for definitions in `{path}`: {source}")]
    Unreadable { path: PathBuf, source: std::io::Error },
    #[error(
        "system.id `{id}` is used by two definitions, in `{first}` and `{second}`: give each system its own"
    )]
    SameId { id: String, first: PathBuf, second: PathBuf },
    #[error(transparent)]
    Definition(#[from] Box<CheckError>),
    #[error(transparent)]
    State(#[from] StateError),
    #[error(transparent)]
    Store(#[from] StoreError),
    #[error(transparent)]
    Signing(#[from] SigningError),
    #[error(transparent)]
    Ingest(#[from] IngestError),
}

/// The key that a server signs checkpoints with.
const KEY_FILE: &str = "signing.key";

/// The systems of a server.
#[derive(Debug)]
pub struct Service {
    store: Arc<Store>,
    systems: BTreeMap<String, Arc<Served>>,
    chains: Mutex<Chains>,
    key: SigningKey,
    ingest: Ingest,
    verified: Mutex<HashMap<String, Verified>>,
    derivations: Derivations,
    /// How alerts stood when they were last asked for.
    alerts: Mutex<HashMap<String, Arc<KeptAlerts>>>,
}

/// Evidence in memory, with the order in which it was used last.
#[derive(Debug, Default)]
struct Chains {
    known: HashMap<String, (u64, Arc<Chain>)>,
    uses: u64,
}

impl Service {
    /// Finds the definitions at or below `path` and joins them with the state in `store`.
    ///
    /// # Errors
    /// There is none, one has a mistake, or two have the same id.
    pub fn open(path: &Path, store: Arc<Store>, now: Timestamp) -> Result<Self, ServiceError> {
        let mut systems: BTreeMap<String, Arc<Served>> = BTreeMap::new();
        for folder in find::definitions(path)? {
            let served = Served::at(&folder).map_err(Box::new)?;
            let id = served.id().to_owned();
            if let Some(first) = systems.get(&id) {
                let first = first.folder().to_owned();
                return Err(ServiceError::SameId { id, first, second: folder });
            }
            systems.insert(id, Arc::new(served));
        }
        if systems.is_empty() {
            return Err(ServiceError::Nothing { path: path.to_owned() });
        }
        let key = signing::key(&own_folder(path).join(KEY_FILE))?;
        // Servers that write to one bucket or share need names of files that differ: each has a key of its own.
        let node = signing::name(&key);
        let ingest = Ingest::open(&own_folder(path), IngestOptions { node, ..IngestOptions::default() })?;
        let service = Self {
            store,
            systems,
            chains: Mutex::default(),
            key,
            ingest,
            verified: Mutex::default(),
            derivations: Derivations::default(),
            alerts: Mutex::default(),
        };
        for served in service.systems.values() {
            service.join(served, now)?;
        }
        Ok(service)
    }

    /// Takes over what a folder kept on its own, and lets the command line find this database.
    fn join(&self, served: &Served, now: Timestamp) -> Result<(), ServiceError> {
        let own = State::beside(served.folder(), Some(state::own_database(served.folder())))?;
        if own.shown() != self.store.database().to_string() && own.exists() {
            let lines = own.lines(served.id())?;
            self.store.import(served.id(), lines.iter().map(String::as_str))?;
        }
        let chain = State::shared_beside(served.folder(), self.store.clone()).chain(served.id())?;
        self.chains().keep(served.id(), &Arc::new(chain));
        state::link(served.folder(), self.store.database())?;
        self.note(served, now)
    }

    /// Notes a system's definition in its history.
    fn note(&self, served: &Served, now: Timestamp) -> Result<(), ServiceError> {
        let current = served.current();
        let system = ServedSystem {
            id: served.id().to_owned(),
            folder: served.folder().display().to_string(),
            definition: current.hash,
            seen: now,
        };
        Ok(self.store.note_system(&system, &current.text)?)
    }

    pub fn store(&self) -> &Arc<Store> {
        &self.store
    }

    /// The state of all its systems.
    pub fn state(&self) -> State {
        State::shared(self.store.clone())
    }

    /// All systems by id.
    pub fn systems(&self) -> impl Iterator<Item = &Arc<Served>> {
        self.systems.values()
    }

    /// Id and name of each.
    pub fn names(&self) -> Vec<SystemRef> {
        let name = |served: &Arc<Served>| SystemRef {
            id: served.id().to_owned(),
            name: served.current().definition.system.display_name().to_owned(),
        };
        self.systems().map(name).collect()
    }

    pub fn system(&self, id: &str) -> Option<&Arc<Served>> {
        self.systems.get(id)
    }

    /// Reads the definitions that changed again; what is wrong with one is kept beside it, and the one
    /// before stays in force. Returns whether another definition came into force.
    ///
    /// # Errors
    /// The database does not answer.
    pub fn refresh(&self, now: Timestamp) -> Result<bool, ServiceError> {
        let mut changed = false;
        for served in self.systems.values() {
            if served.reread() {
                self.note(served, now)?;
                changed = true;
            }
        }
        Ok(changed)
    }

    /// A system's evidence as it is now, verified as far as it is new.
    ///
    /// # Errors
    /// The database does not answer, or the evidence is broken.
    pub fn chain(&self, id: &str) -> Result<Arc<Chain>, StoreError> {
        let known = self.chains().use_of(id);
        let known = known.unwrap_or_else(|| Arc::new(Chain::unread(id)));
        if self.store.records(id)? == known.end.records {
            self.chains().keep(id, &known);
            return Ok(known);
        }
        let mut chain = Chain::clone(&known);
        self.store.read_on(&mut chain)?;
        let chain = Arc::new(chain);
        self.chains().keep(id, &chain);
        Ok(chain)
    }

    fn verified(&self) -> MutexGuard<'_, HashMap<String, Verified>> {
        self.verified.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn chains(&self) -> MutexGuard<'_, Chains> {
        // What another thread left is whole: entries are put in at once.
        self.chains.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Where a server keeps what belongs to it alone.
fn own_folder(path: &Path) -> PathBuf {
    definition_folder(path).join(state::FOLDER)
}

impl Chains {
    fn use_of(&mut self, id: &str) -> Option<Arc<Chain>> {
        self.uses += 1;
        let uses = self.uses;
        self.known.get_mut(id).map(|(used, chain)| {
            *used = uses;
            chain.clone()
        })
    }

    fn keep(&mut self, id: &str, chain: &Arc<Chain>) {
        self.uses += 1;
        self.known.insert(id.to_owned(), (self.uses, chain.clone()));
        let records = |known: &HashMap<String, (u64, Arc<Chain>)>| {
            known.values().map(|(_, chain)| chain.records.len()).sum::<usize>()
        };
        // The one that is used now stays, however long it is. Of the others the one that was used last goes: alerts
        // look at all systems in turn, and with what was used longest ago gone, nothing would be there in the next
        // turn.
        while self.known.len() > 1 && records(&self.known) > RECORDS_KEPT {
            let others = self.known.iter().filter(|(known, _)| *known != id);
            let last = others.max_by_key(|(_, (used, _))| *used).map(|(id, _)| id.clone());
            last.and_then(|id| self.known.remove(&id));
        }
    }
}
