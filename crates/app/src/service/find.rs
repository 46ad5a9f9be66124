//! Where the definitions of a served folder are.

use std::path::{Path, PathBuf};

use super::ServiceError;
use crate::check::DEFINITION_FILE;
use crate::opened::definition_folder;

/// How many folders deep definitions are looked for.
const DEPTH: usize = 3;

/// The folders with a definition, at or below a path, by name. Folders below one with a definition, hidden
/// ones and links are not looked into.
pub(super) fn definitions(path: &Path) -> Result<Vec<PathBuf>, ServiceError> {
    if path.is_file() {
        return Ok(vec![definition_folder(path)]);
    }
    let mut found = Vec::new();
    let mut left = vec![(path.to_owned(), 0)];
    while let Some((folder, depth)) = left.pop() {
        if folder.join(DEFINITION_FILE).is_file() {
            found.push(folder);
            continue;
        }
        let unreadable = |source| ServiceError::Unreadable { path: folder.clone(), source };
        for entry in std::fs::read_dir(&folder).map_err(unreadable)? {
            let entry = entry.map_err(unreadable)?;
            let is_folder = entry.file_type().map_err(unreadable)?.is_dir();
            let is_hidden = entry.file_name().as_encoded_bytes().starts_with(b".");
            if is_folder && !is_hidden && depth < DEPTH {
                left.push((entry.path(), depth + 1));
            }
        }
    }
    found.sort();
    Ok(found)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn definitions_are_found_below_a_folder_and_not_below_each_other() {
        let folder = tempfile::tempdir().unwrap();
        for name in ["b", "a/deep", "a/deep/inside", ".hidden", "one/two/three/four"] {
            let path = folder.path().join(name);
            std::fs::create_dir_all(&path).unwrap();
            std::fs::write(path.join(DEFINITION_FILE), "").unwrap();
        }
        let expected = [folder.path().join("a/deep"), folder.path().join("b")];
        assert_eq!(definitions(folder.path()).unwrap(), expected);
        assert_eq!(definitions(&folder.path().join("b/forewarn.toml")).unwrap(), [folder.path().join("b")]);
    }
}
