//! A definition and the log that it names, opened and held against each other.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use engine::{Engine, EngineError, Log, ObjectsError};
use types::definition::{self, Definition, DefinitionError};
use types::{Digest, Record, Schema};

use crate::check::{CheckError, DEFINITION_FILE};
use crate::profile_store::FolderStore;
use crate::window;

/// An opened system.
#[derive(Debug)]
pub(crate) struct Opened<'e> {
    pub(crate) located: Located,
    pub(crate) definition: Definition,
    pub(crate) log: Log<'e>,
    pub(crate) schema: Schema,
    pub(crate) store: Arc<FolderStore>,
}

/// Windows whose profiles are at hand at a time, because windows after them are compared with them, and profiles of
/// columns: of a wide log those of one window.
const WINDOWS_AT_HAND: usize = 16;
const COLUMNS_AT_HAND: usize = 1024;

impl<'e> Opened<'e> {
    pub(crate) fn at(engine: &'e Engine, path: &Path) -> Result<Self, CheckError> {
        let located = locate(path)?;
        let mut definition = located.definition()?;
        let store = Arc::new(FolderStore::of(&located.folder));
        let log = engine
            .open(&definition, &located.folder, Some(store.clone()))
            .map_err(|error| located.explain(&definition, error))?;
        let schema = log.schema();
        definition::check_against(&definition, &schema, log.outcome_schema().as_ref())
            .map_err(|error| located.mistake(error))?;
        if let Some(reference) = log.reference() {
            definition::check_reference(&definition, &schema, &reference.schema())
                .map_err(|error| located.mistake(error))?;
            let range = reference.range_of_days().map_err(|error| located.explain(&definition, error))?;
            definition.reference.window =
                window::of_reference(definition.reference.window, (range.first, range.last)).map_err(
                    |error| located.mistake(DefinitionError::at_key("reference.window", error.to_string())),
                )?;
        }
        Ok(Self { located, definition, log, schema, store })
    }

    /// Points at the key that an engine's error comes from, where there is one.
    pub(crate) fn explain(&self, error: EngineError) -> CheckError {
        self.located.explain(&self.definition, error)
    }

    /// Hash of the definition.
    pub(crate) fn hash(&self) -> Digest {
        Digest::of(self.located.text.as_bytes())
    }

    /// The records about this system and model version under this very definition.
    pub(crate) fn ours<'r>(&self, records: &'r [Record]) -> Vec<&'r Record> {
        let hash = self.hash();
        let (system, model) = (&self.definition.system.id, &self.definition.model.version);
        let ours = |record: &&Record| {
            record.system == *system && record.model == *model && record.definition == hash
        };
        records.iter().filter(ours).collect()
    }

    /// How many windows' profiles are kept at a time.
    pub(crate) fn windows_at_hand(&self) -> usize {
        (COLUMNS_AT_HAND / self.schema.columns.len().max(1)).clamp(1, WINDOWS_AT_HAND)
    }
}

/// The folder that holds the definition given as itself or by its folder.
pub fn definition_folder(path: &Path) -> PathBuf {
    let folder = if path.is_dir() { path } else { path.parent().unwrap_or(Path::new("")) };
    if folder.as_os_str().is_empty() { PathBuf::from(".") } else { folder.to_owned() }
}

/// The id of the system that is defined at a path.
///
/// # Errors
/// There is no definition, or it has a mistake.
pub fn system_id(path: &Path) -> Result<String, CheckError> {
    Ok(read(path)?.0.system.id)
}

/// The definition at a path, with its text.
pub(crate) fn read(path: &Path) -> Result<(Definition, String), CheckError> {
    let located = locate(path)?;
    Ok((located.definition()?, located.text))
}

/// A definition's file, folder and text.
#[derive(Debug)]
pub(crate) struct Located {
    file: PathBuf,
    pub(crate) folder: PathBuf,
    pub(crate) text: String,
}

pub(crate) fn locate(path: &Path) -> Result<Located, CheckError> {
    let file = if path.is_dir() { path.join(DEFINITION_FILE) } else { path.to_owned() };
    match std::fs::read_to_string(&file) {
        Ok(text) => Ok(Located { folder: definition_folder(path), file, text }),
        Err(source) if source.kind() == std::io::ErrorKind::NotFound && path.extension().is_none() => {
            Err(CheckError::NoDefinition { path: path.to_owned() })
        }
        Err(source) => Err(CheckError::Unreadable { path: file, source }),
    }
}

impl Located {
    /// The definition, whose alerts can be asked.
    pub(crate) fn definition(&self) -> Result<Definition, CheckError> {
        let definition = definition::parse(&self.text).map_err(|error| self.mistake(error))?;
        monitor::alert::check(&definition).map_err(|error| self.mistake(error))?;
        Ok(definition)
    }

    pub(crate) fn mistake(&self, error: DefinitionError) -> CheckError {
        CheckError::Definition { path: self.file.clone(), text: self.text.clone(), error }
    }

    /// Points at the key that an engine's error comes from, where there is one.
    fn explain(&self, definition: &Definition, error: EngineError) -> CheckError {
        let key = match &error {
            EngineError::NotFound { .. }
            | EngineError::NoFiles { .. }
            | EngineError::BadGlob { .. }
            | EngineError::Objects(ObjectsError::NotAnAddress { .. }) => {
                let message = error.to_string();
                let names = |path: &str| message.contains(path);
                Some(if definition.reference.path.as_deref().is_some_and(names) {
                    "reference.path".to_owned()
                } else if names(&definition.log.path) {
                    "log.path".to_owned()
                } else {
                    "log.outcome.path".to_owned()
                })
            }
            EngineError::UnreadableTime { .. } | EngineError::NoTimes { .. } => Some("log.time".to_owned()),
            EngineError::BadSegment { segment, .. } => {
                let at = definition.log.segments.iter().position(|declared| declared.name == *segment);
                at.map(|at| format!("log.segments.{at}"))
            }
            _ => None,
        };
        match key {
            Some(key) => self.mistake(DefinitionError::at_key(key, error.to_string())),
            None => CheckError::Engine(error),
        }
    }
}
