//! The evidence chain of a system, in `.forewarn/evidence.jsonl` beside its definition.
//!
//! Appending takes a lock, checks the whole chain, and writes a run's records at once, so two runs
//! never interleave and a broken chain is never built upon. A run that was killed while writing
//! leaves a last line without its end; it was never acknowledged, and the next run moves it aside.

use std::fs::{File, OpenOptions};
use std::io::{Read, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};

use types::evidence::{ChainError, Checkpoint, Evidence, Record, extend_chain, verify_chain};

/// The folder of files that the program keeps beside a definition.
pub const FOLDER: &str = ".forewarn";
const FILE: &str = "evidence.jsonl";

#[derive(Debug, thiserror::Error)]
pub enum EvidenceLogError {
    #[error("there is no evidence at `{path}`; `forewarn check` records some")]
    Missing { path: PathBuf },
    #[error("failed to read or write evidence in `{path}`: {source}")]
    Io { path: PathBuf, source: std::io::Error },
    #[error("evidence in `{path}` is broken: {source}")]
    Broken { path: PathBuf, source: ChainError },
    #[error("evidence could not be written down: {0}")]
    Unwritable(#[from] serde_json::Error),
}

/// A chain as it was read.
#[derive(Clone, Debug)]
pub struct Chain {
    pub path: PathBuf,
    pub records: Vec<Record>,
    pub end: Checkpoint,
    /// The file ends in a line that was cut off while it was written.
    pub torn: bool,
}

/// Where the evidence of the system defined in `folder` is kept.
pub fn path_in(folder: &Path) -> PathBuf {
    folder.join(FOLDER).join(FILE)
}

/// Reads and verifies the chain, held against a checkpoint where one is given.
pub fn verify(folder: &Path, checkpoint: Option<Checkpoint>) -> Result<Chain, EvidenceLogError> {
    let path = path_in(folder);
    match std::fs::read(&path) {
        Ok(bytes) => read_chain(path, &bytes, checkpoint),
        Err(source) if source.kind() == std::io::ErrorKind::NotFound => {
            Err(EvidenceLogError::Missing { path })
        }
        Err(source) => Err(EvidenceLogError::Io { path, source }),
    }
}

/// Reads and verifies the chain; one that has not begun yet is empty.
pub fn read(folder: &Path) -> Result<Chain, EvidenceLogError> {
    match verify(folder, None) {
        Err(EvidenceLogError::Missing { path }) => {
            Ok(Chain { path, records: Vec::new(), end: Checkpoint::EMPTY, torn: false })
        }
        chain => chain,
    }
}

/// Appends a run's evidence; returns the whole chain with it.
pub fn append(folder: &Path, evidence: Evidence) -> Result<Chain, EvidenceLogError> {
    let path = path_in(folder);
    let io = |source| EvidenceLogError::Io { path: path.clone(), source };
    std::fs::create_dir_all(folder.join(FOLDER)).map_err(io)?;
    let mut file =
        OpenOptions::new().read(true).write(true).create(true).truncate(false).open(&path).map_err(io)?;
    // Released when the file is closed, also when the process dies.
    file.lock().map_err(io)?;
    let mut bytes = Vec::new();
    file.read_to_end(&mut bytes).map_err(io)?;
    let mut chain = read_chain(path.clone(), &bytes, None)?;
    if chain.torn {
        let (whole, torn) = whole_lines(&bytes);
        set_torn_line_aside(&path, torn).map_err(io)?;
        file.set_len(whole.len() as u64).map_err(io)?;
        chain.torn = false;
    }
    let (records, lines, end) = extend_chain(chain.end, evidence)?;
    write_at_end(&mut file, &lines).map_err(io)?;
    chain.records.extend(records);
    chain.end = end;
    Ok(chain)
}

fn read_chain(
    path: PathBuf,
    bytes: &[u8],
    checkpoint: Option<Checkpoint>,
) -> Result<Chain, EvidenceLogError> {
    let (whole, torn) = whole_lines(bytes);
    let torn = !torn.is_empty();
    // A byte that is no text any more was edited; its line says so by its hash.
    match verify_chain(String::from_utf8_lossy(whole).lines(), checkpoint) {
        Ok((records, end)) => Ok(Chain { path, records, end, torn }),
        Err(source) => Err(EvidenceLogError::Broken { path, source }),
    }
}

/// The lines that have their end, and the rest, which may be cut inside a character.
fn whole_lines(bytes: &[u8]) -> (&[u8], &[u8]) {
    bytes.split_at(bytes.iter().rposition(|byte| *byte == b'\n').map_or(0, |at| at + 1))
}

fn set_torn_line_aside(path: &Path, line: &[u8]) -> std::io::Result<()> {
    let mut aside = OpenOptions::new().append(true).create(true).open(path.with_extension("torn"))?;
    aside.write_all(line)?;
    aside.write_all(b"\n")?;
    aside.sync_all()
}

fn write_at_end(file: &mut File, lines: &str) -> std::io::Result<()> {
    file.seek(SeekFrom::End(0))?;
    file.write_all(lines.as_bytes())?;
    file.sync_all()
}

#[cfg(test)]
mod tests {
    use super::*;
    use types::evidence::NewFinding;
    use types::{CheckId, Digest, Finding, Subject, Verdict};

    fn evidence(summary: &str) -> Evidence {
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

    #[test]
    fn appended_runs_form_one_chain() {
        let folder = tempfile::tempdir().unwrap();
        append(folder.path(), evidence("first")).unwrap();
        let written = append(folder.path(), evidence("second")).unwrap();
        let read = verify(folder.path(), Some(written.end)).unwrap();
        assert_eq!(read.records, written.records);
        assert_eq!(read.records.len(), 2);
    }

    #[test]
    fn a_torn_last_line_is_set_aside_and_nothing_whole_is_lost() {
        let folder = tempfile::tempdir().unwrap();
        append(folder.path(), evidence("first")).unwrap();
        let path = path_in(folder.path());
        let mut file = OpenOptions::new().append(true).open(&path).unwrap();
        file.write_all(b"{\"hash\":\"12\xE2").unwrap();
        assert!(verify(folder.path(), None).unwrap().torn);
        let chain = append(folder.path(), evidence("second")).unwrap();
        assert_eq!(chain.records.len(), 2);
        assert!(!verify(folder.path(), Some(chain.end)).unwrap().torn);
        assert_eq!(std::fs::read(path.with_extension("torn")).unwrap(), b"{\"hash\":\"12\xE2\n");
    }

    #[test]
    fn a_broken_chain_is_not_built_upon() {
        let folder = tempfile::tempdir().unwrap();
        append(folder.path(), evidence("first")).unwrap();
        let path = path_in(folder.path());
        let edited = std::fs::read_to_string(&path).unwrap().replace("first", "forged");
        std::fs::write(&path, &edited).unwrap();
        assert!(matches!(append(folder.path(), evidence("second")), Err(EvidenceLogError::Broken { .. })));
        assert_eq!(std::fs::read_to_string(&path).unwrap(), edited);
    }

    #[test]
    fn runs_at_the_same_time_do_not_interleave() {
        let folder = tempfile::tempdir().unwrap();
        std::thread::scope(|scope| {
            for run in 0..8 {
                let folder = folder.path();
                scope.spawn(move || append(folder, evidence(&format!("run {run}"))).unwrap());
            }
        });
        assert_eq!(verify(folder.path(), None).unwrap().records.len(), 8);
    }
}
