//! One served system: its folder, and its definition as it is now.

use std::path::{Path, PathBuf};
use std::sync::{Arc, PoisonError, RwLock};

use types::{Definition, Digest};

use crate::check::CheckError;
use crate::opened;

/// A system with the definition that is in force.
#[derive(Debug)]
pub struct Served {
    id: String,
    folder: PathBuf,
    current: RwLock<Arc<Current>>,
}

/// The definition in force.
#[derive(Clone, Debug)]
pub struct Current {
    pub definition: Definition,
    pub text: String,
    pub hash: Digest,
    /// Why a newer definition is not in force.
    pub mistake: Option<String>,
}

impl Served {
    pub(super) fn at(folder: &Path) -> Result<Self, CheckError> {
        let (definition, text) = opened::read(folder)?;
        let current = Current::of(definition, text);
        Ok(Self {
            id: current.definition.system.id.clone(),
            folder: folder.to_owned(),
            current: RwLock::new(Arc::new(current)),
        })
    }

    pub fn id(&self) -> &str {
        &self.id
    }

    pub fn folder(&self) -> &Path {
        &self.folder
    }

    pub fn current(&self) -> Arc<Current> {
        self.current.read().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Reads the definition again; whether another one came into force.
    pub(super) fn reread(&self) -> bool {
        let before = self.current();
        let next = match opened::read(&self.folder) {
            Ok((_, text)) if text == before.text && before.mistake.is_none() => return false,
            Ok((definition, _)) if definition.system.id != self.id => {
                let mistake = format!(
                    "system.id changed from `{}` to `{}`: start the server again to serve another system",
                    self.id, definition.system.id
                );
                Current { mistake: Some(mistake), ..Current::clone(&before) }
            }
            Ok((definition, text)) => Current::of(definition, text),
            Err(error) => Current { mistake: Some(error.to_string()), ..Current::clone(&before) },
        };
        let is_other = next.hash != before.hash;
        *self.current.write().unwrap_or_else(PoisonError::into_inner) = Arc::new(next);
        is_other
    }
}

impl Current {
    fn of(definition: Definition, text: String) -> Self {
        Self { hash: Digest::of(text.as_bytes()), definition, text, mistake: None }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const DEFINITION: &str = "[system]\nid = \"a\"\n[log]\npath = \"log.csv\"\ntime = \"at\"\nscore = \"p\"\n\
                              [reference]\nwindow = \"2024-01-01/2024-02-01\"\n";

    #[test]
    fn a_definition_with_a_mistake_does_not_come_into_force() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("forewarn.toml");
        std::fs::write(&path, DEFINITION).unwrap();
        let served = Served::at(folder.path()).unwrap();
        let first = served.current().hash;
        assert!(!served.reread());
        std::fs::write(&path, DEFINITION.replace("score", "scroe")).unwrap();
        assert!(!served.reread());
        assert_eq!(served.current().hash, first);
        assert!(served.current().mistake.as_ref().unwrap().contains("scroe"));
        std::fs::write(&path, DEFINITION.replace("\"p\"", "\"q\"")).unwrap();
        assert!(served.reread());
        assert_eq!((served.current().hash == first, served.current().mistake.is_none()), (false, true));
        std::fs::write(&path, DEFINITION.replace("\"a\"", "\"b\"")).unwrap();
        assert!(!served.reread());
        assert!(served.current().mistake.as_ref().unwrap().contains("start the server again"));
    }
}
