//! Evidence in a file of lines: as it is exported, and as versions before the database kept it.

use std::path::{Path, PathBuf};

use types::Record;
use types::evidence::{ChainError, Checkpoint, verify_chain};

#[derive(Debug, thiserror::Error)]
pub enum EvidenceFileError {
    #[error("failed to read evidence in `{path}`: {source}")]
    Io { path: PathBuf, source: std::io::Error },
    #[error("evidence in `{path}` is broken: {source}")]
    Broken { path: PathBuf, source: ChainError },
}

/// The whole lines of a file.
#[derive(Clone, Debug)]
pub struct EvidenceFile {
    path: PathBuf,
    text: String,
    /// The file ends in a line that was cut off while it was written; it was never acknowledged.
    pub torn: bool,
}

impl EvidenceFile {
    pub fn lines(&self) -> std::str::Lines<'_> {
        self.text.lines()
    }

    /// Verifies the chain, held against a checkpoint where one is given.
    ///
    /// # Errors
    /// The first line that was changed, or does not follow.
    pub fn verify(
        &self,
        checkpoint: Option<Checkpoint>,
    ) -> Result<(Vec<Record>, Checkpoint), EvidenceFileError> {
        verify_chain(self.lines(), checkpoint)
            .map_err(|source| EvidenceFileError::Broken { path: self.path.clone(), source })
    }
}

/// Reads a file's lines; nothing is verified yet.
///
/// # Errors
/// The file cannot be read.
pub fn read(path: &Path) -> Result<EvidenceFile, EvidenceFileError> {
    let bytes =
        std::fs::read(path).map_err(|source| EvidenceFileError::Io { path: path.to_owned(), source })?;
    // The line after the last end may be cut inside a character.
    let whole = bytes.iter().rposition(|byte| *byte == b'\n').map_or(0, |at| at + 1);
    // A byte that is no text any more was edited; its line says so by its hash.
    let text = String::from_utf8_lossy(&bytes[..whole]).into_owned();
    Ok(EvidenceFile { path: path.to_owned(), text, torn: whole < bytes.len() })
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;
    use types::evidence::{Evidence, NewFinding, extend_chain};
    use types::{CheckId, Digest, Finding, Subject, Verdict};

    pub(crate) fn evidence(summary: &str) -> Evidence {
        let at = "2013-06-10T06:00:00Z".parse().unwrap();
        let window = "2013-06-03/2013-06-10".parse().unwrap();
        let finding = Finding {
            summary: summary.into(),
            ..Finding::blank(CheckId::Drift, Subject::Model, Verdict::Pass, window)
        };
        Evidence {
            at,
            system: "s".into(),
            model: "m".into(),
            definition: Digest::ZERO,
            program: "test".into(),
            datasets: vec![],
            findings: vec![NewFinding { finding, fresh_until: at, inputs: None }],
        }
    }

    /// The lines of runs with one finding each.
    pub(crate) fn written(summaries: &[&str]) -> String {
        let mut end = Checkpoint::EMPTY;
        let mut text = String::new();
        for summary in summaries {
            let (_, lines, next) = extend_chain(end, evidence(summary)).unwrap();
            text.push_str(&lines);
            end = next;
        }
        text
    }

    #[test]
    fn a_line_cut_inside_a_character_is_told_and_the_rest_verifies() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("evidence.jsonl");
        std::fs::write(&path, [written(&["a", "b"]).as_bytes(), b"{\"hash\":\"12\xE2"].concat()).unwrap();
        let file = read(&path).unwrap();
        assert!(file.torn);
        assert_eq!(file.verify(None).unwrap().0.len(), 2);
    }
}
