//! Secrets, read where they are kept at the moment that they are needed.

use std::fmt;
use std::path::Path;

use types::organisation::Secret;

/// A secret's text. It is never printed.
#[derive(Clone, PartialEq, Eq)]
pub(crate) struct Revealed(String);

impl Revealed {
    pub(super) fn new(text: impl Into<String>) -> Self {
        Self(text.into())
    }

    pub(crate) fn text(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for Revealed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Revealed(…)")
    }
}

/// A secret could not be read.
#[derive(Debug, thiserror::Error)]
pub enum SecretError {
    #[error("environment variable `{name}` is not set, and organisation.toml refers to it")]
    NotSet { name: String },
    #[error("failed to read the secret in `{path}`: {source}")]
    Unreadable { path: String, source: std::io::Error },
    #[error("the secret in {place} is empty")]
    Empty { place: String },
    #[error("the secret in {place} has more than one line")]
    NotOneLine { place: String },
}

/// Reads a secret; `folder` is what its file is relative to.
pub(crate) fn reveal(secret: &Secret, folder: &Path) -> Result<Revealed, SecretError> {
    let text = match secret {
        Secret::Literal(text) => text.clone(),
        Secret::Environment(name) => {
            std::env::var(name).map_err(|_| SecretError::NotSet { name: name.clone() })?
        }
        Secret::File(path) => std::fs::read_to_string(folder.join(path))
            .map_err(|source| SecretError::Unreadable { path: path.clone(), source })?,
    };
    let text = text.trim_end_matches(['\r', '\n']);
    if text.is_empty() {
        return Err(SecretError::Empty { place: secret.place() });
    }
    // A line break would end the header that the secret is put into.
    if text.contains(char::is_control) {
        return Err(SecretError::NotOneLine { place: secret.place() });
    }
    Ok(Revealed(text.to_owned()))
}

/// What the other side said, on one line of bounded length, without what it may repeat of a secret.
pub(super) fn without(text: &str, secrets: &[&Revealed]) -> String {
    let mut text = text.to_owned();
    for secret in secrets {
        text = text.replace(secret.text(), "…");
        // An address is repeated in parts: its path, a token in it.
        let parts = secret.text().split(['/', '?', '&', '=']).skip(3).filter(|part| part.len() >= 8);
        for part in parts {
            text = text.replace(part, "…");
        }
    }
    super::clip::clip(&view::alert::one_line(&text), 300)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_secret_is_read_from_its_file_and_checked() {
        let folder = tempfile::tempdir().unwrap();
        let read = |content: &str| {
            std::fs::write(folder.path().join("key"), content).unwrap();
            reveal(&Secret::File("key".into()), folder.path())
        };
        assert_eq!(read("hunter2\r\n").unwrap().text(), "hunter2");
        assert!(matches!(read("\n"), Err(SecretError::Empty { .. })));
        assert!(matches!(read("a\nb"), Err(SecretError::NotOneLine { .. })));
        let missing = reveal(&Secret::File("none".into()), folder.path()).unwrap_err();
        assert!(missing.to_string().contains("`none`"), "{missing}");
        let unset = reveal(&Secret::Environment("FOREWARN_NOT_SET".into()), folder.path()).unwrap_err();
        assert!(unset.to_string().contains("`FOREWARN_NOT_SET` is not set"), "{unset}");
        assert_eq!(format!("{:?}", Revealed::new("hunter2")), "Revealed(…)");
    }

    #[test]
    fn what_was_said_repeats_no_secret() {
        let url = Revealed::new("https://hooks.example.org/services/T0001/abcdefgh12345");
        let said = without("bad token abcdefgh12345\nat /services", &[&url]);
        assert_eq!(said, "bad token … at /…");
        assert_eq!(without(&"x".repeat(1000), &[]).chars().count(), 300);
    }
}
