//! Answers that were given already: a run that is interrupted goes on where it was.
//!
//! They are kept in `.forewarn/answers` beside the definition until a run has come to its end, one file for each model
//! and its answers to the unchanged rows. These are always asked anew: a model that answers them in another way, or a
//! file that is older than a day, finds nothing kept. Failures that may pass are not kept.

use std::collections::HashMap;
use std::fs::{File, OpenOptions};
use std::io::Write;
use std::path::{Path, PathBuf};
use std::time::Duration;

use serde::{Deserialize, Serialize};
use serving::Target;
use types::Digest;
use types::batch::{Batch, Values};
use types::digest::Digester;

use super::answers::{Answered, ask};
use crate::state::FOLDER;

/// A model behind a server may be another one tomorrow.
const KEPT_FOR: Duration = Duration::from_hours(24);

/// The answers of one model that are kept.
pub(super) struct Kept {
    path: PathBuf,
    /// Where new ones are added; none where the folder cannot be written, which is no reason not to ask.
    file: Option<File>,
    known: HashMap<Digest, Answered>,
    /// Calls that were not made again.
    spared: usize,
}

/// An answer and what it is an answer to.
#[derive(Serialize, Deserialize)]
struct Entry {
    rows: Digest,
    answered: Answered,
}

impl Kept {
    /// What is kept beside the definition in `folder` of the model that gave `clean` answers.
    pub(super) fn of(folder: &Path, model: &str, clean: &Answered) -> Self {
        let mut digest = Digester::default();
        digest.update(model.as_bytes());
        digest.update(format!("{:?}", clean.responses).as_bytes());
        let folder = folder.join(FOLDER).join("answers");
        let path = folder.join(format!("{}.answers", digest.finish().short()));
        let is_old = path
            .metadata()
            .and_then(|of| of.modified())
            .is_ok_and(|at| at.elapsed().is_ok_and(|age| age > KEPT_FOR));
        if is_old {
            let _ = std::fs::remove_file(&path);
        }
        let (known, whole) = read(&path);
        let made = std::fs::create_dir_all(&folder);
        let file = made.and_then(|()| OpenOptions::new().create(true).append(true).open(&path));
        // What follows an entry that was cut off could not be read.
        let file = file.and_then(|file| file.set_len(whole).map(|()| file));
        Self { path, file: file.ok(), known, spared: 0 }
    }

    pub(super) fn ask(&mut self, target: &mut dyn Target, rows: &Batch) -> Answered {
        let digest = digest(rows);
        if let Some(answered) = self.known.get(&digest) {
            self.spared += 1;
            return answered.clone();
        }
        let answered = ask(target, rows);
        if !answered.is_passing
            && let Some(file) = &mut self.file
        {
            // A disk that is full is no reason not to ask.
            if write(file, &Entry { rows: digest, answered: answered.clone() }).is_err() {
                self.file = None;
            }
        }
        answered
    }

    /// Deletes what was kept, and says how many calls were not made.
    pub(super) fn finished(self) -> usize {
        drop(self.file);
        let _ = std::fs::remove_file(&self.path);
        // Where another run keeps answers there it stays.
        let _ = self.path.parent().map(std::fs::remove_dir);
        self.spared
    }
}

/// An entry with its length before it, in one piece.
fn write(file: &mut File, entry: &Entry) -> std::io::Result<()> {
    let bytes = postcard::to_stdvec(entry).map_err(std::io::Error::other)?;
    let mut framed = (bytes.len() as u64).to_le_bytes().to_vec();
    framed.extend(bytes);
    file.write_all(&framed)
}

/// What an earlier run left, up to an entry that it did not write to its end, and where that begins.
fn read(path: &Path) -> (HashMap<Digest, Answered>, u64) {
    let bytes = std::fs::read(path).unwrap_or_default();
    let mut left = &bytes[..];
    let mut known = HashMap::new();
    while let Some((length, rest)) = left.split_first_chunk::<8>() {
        let length = usize::try_from(u64::from_le_bytes(*length)).unwrap_or(usize::MAX);
        let Some((entry, rest)) = rest.split_at_checked(length) else { break };
        let Ok(entry) = postcard::from_bytes::<Entry>(entry) else { break };
        known.insert(entry.rows, entry.answered);
        left = rest;
    }
    (known, (bytes.len() - left.len()) as u64)
}

/// Rows by every value and its type, so that a missing number is told from one that is none.
fn digest(rows: &Batch) -> Digest {
    let mut digest = Digester::default();
    for column in rows.columns() {
        digest.update(column.name.as_bytes());
        digest.update(column.values.kind().words().as_bytes());
        for row in 0..rows.rows() {
            match (&column.values, column.values.is_missing(row)) {
                (_, true) => digest.update(b"-"),
                (Values::Numbers(values), _) => {
                    digest.update(&values[row].unwrap_or_default().to_bits().to_le_bytes());
                }
                (values, _) => {
                    let text = values.text(row).unwrap_or_default();
                    digest.update(&(text.len() as u64).to_le_bytes());
                    digest.update(text.as_bytes());
                }
            }
            digest.update(b",");
        }
    }
    digest.finish()
}

#[cfg(test)]
mod tests {
    use serving::{Accepted, Outcome, Scores};
    use types::batch::BatchColumn;

    use super::*;

    /// Answers with one half, and counts how often it is asked.
    #[derive(Debug, Default)]
    struct Counting {
        calls: usize,
    }

    impl Target for Counting {
        fn outcome(&mut self, batch: &Batch) -> Outcome {
            self.calls += 1;
            let rows = batch.rows();
            let scores = Scores::Numbers(vec![Some(0.5); rows]);
            Outcome::Accepted(Accepted { scores, degraded: vec![false; rows] })
        }
    }

    fn batch(values: Vec<Option<f64>>) -> Batch {
        Batch::new(vec![BatchColumn { name: "x".into(), values: Values::Numbers(values) }]).unwrap()
    }

    #[test]
    fn a_run_that_was_interrupted_asks_only_what_is_left() {
        let folder = tempfile::tempdir().unwrap();
        let mut target = Counting::default();
        let clean = ask(&mut target, &batch(vec![Some(1.0)]));
        let (missing, none) = (batch(vec![None]), batch(vec![Some(f64::NAN)]));
        let mut kept = Kept::of(folder.path(), "model", &clean);
        kept.ask(&mut target, &missing);
        drop(kept);
        let mut again = Kept::of(folder.path(), "model", &clean);
        again.ask(&mut target, &missing);
        again.ask(&mut target, &none);
        assert_eq!(target.calls, 3, "once for the unchanged rows, and once for each fault");
        assert_eq!(again.finished(), 1);
        // What has come to its end is asked anew, and so is another model.
        let mut new = Kept::of(folder.path(), "model", &clean);
        new.ask(&mut target, &missing);
        Kept::of(folder.path(), "another", &clean).ask(&mut target, &missing);
        assert_eq!(target.calls, 5);
    }

    #[test]
    fn an_entry_that_was_cut_off_is_asked_again() {
        let folder = tempfile::tempdir().unwrap();
        let mut target = Counting::default();
        let clean = ask(&mut target, &batch(vec![Some(1.0)]));
        let mut kept = Kept::of(folder.path(), "model", &clean);
        kept.ask(&mut target, &batch(vec![None]));
        let bytes = std::fs::read(&kept.path).unwrap();
        std::fs::write(&kept.path, &bytes[..bytes.len() / 2]).unwrap();
        let mut again = Kept::of(folder.path(), "model", &clean);
        again.ask(&mut target, &batch(vec![None]));
        assert_eq!((target.calls, again.finished()), (3, 0));
    }
}
