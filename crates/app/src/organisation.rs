//! `organisation.toml`, found beside a definition or in a folder above it.

use std::path::{Path, PathBuf};

use types::definition::DefinitionError;
use types::organisation::{self, Organisation};

pub const ORGANISATION_FILE: &str = "organisation.toml";

/// An organisation and where it was read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OrganisationFile {
    pub path: PathBuf,
    pub organisation: Organisation,
}

impl OrganisationFile {
    /// An organisation that has no file: no channel, no name.
    pub fn none(folder: &Path) -> Self {
        Self { path: folder.join(ORGANISATION_FILE), organisation: Organisation::default() }
    }

    /// What secrets in files are relative to.
    pub fn folder(&self) -> &Path {
        self.path.parent().unwrap_or(Path::new(""))
    }
}

#[derive(Debug, thiserror::Error)]
pub enum OrganisationError {
    #[error(
        "no organisation.toml in `{folder}` or in a folder above it; write one, or give --organisation FILE"
    )]
    NotFound { folder: PathBuf },
    #[error("failed to read `{path}`: {source}")]
    Unreadable { path: PathBuf, source: std::io::Error },
    #[error("{}: {error}", path.display())]
    Mistake { path: PathBuf, text: String, error: DefinitionError },
}

/// The nearest `organisation.toml`: in the folder, or in one above it.
pub fn find(folder: &Path) -> Result<OrganisationFile, OrganisationError> {
    let absolute = folder
        .canonicalize()
        .map_err(|source| OrganisationError::Unreadable { path: folder.to_owned(), source })?;
    let found = absolute.ancestors().map(|folder| folder.join(ORGANISATION_FILE)).find(|file| file.is_file());
    read(&found.ok_or_else(|| OrganisationError::NotFound { folder: folder.to_owned() })?)
}

pub fn read(path: &Path) -> Result<OrganisationFile, OrganisationError> {
    let text = std::fs::read_to_string(path)
        .map_err(|source| OrganisationError::Unreadable { path: path.to_owned(), source })?;
    match organisation::parse(&text) {
        Ok(organisation) => Ok(OrganisationFile { path: path.to_owned(), organisation }),
        Err(error) => Err(OrganisationError::Mistake { path: path.to_owned(), text, error }),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_nearest_file_above_counts() {
        let top = tempfile::tempdir().unwrap();
        let below = top.path().join("systems/flights");
        std::fs::create_dir_all(&below).unwrap();
        std::fs::write(top.path().join(ORGANISATION_FILE), "name = \"Top\"\n").unwrap();
        assert_eq!(find(&below).unwrap().organisation.name.as_deref(), Some("Top"));
        std::fs::write(below.join(ORGANISATION_FILE), "name = \"Below\"\n").unwrap();
        assert_eq!(find(&below).unwrap().organisation.name.as_deref(), Some("Below"));
        std::fs::write(below.join(ORGANISATION_FILE), "nome = \"Below\"\n").unwrap();
        assert!(matches!(find(&below), Err(OrganisationError::Mistake { .. })));
        let none = tempfile::tempdir().unwrap();
        let error = find(none.path()).unwrap_err().to_string();
        assert!(error.contains("--organisation FILE"), "{error}");
    }
}
