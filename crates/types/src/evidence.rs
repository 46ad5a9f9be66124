//! Evidence: findings recorded for good, each record carrying the hash of the one before it.
//!
//! A line of the evidence file is `{"hash":"…","record":{…}}`. The hash is SHA-256 over the exact
//! bytes of the record, and the record names its sequence number and its predecessor's hash. So an
//! edited byte breaks the line's own hash, and a removed, inserted or reordered line breaks the
//! link to its predecessor. A cut tail leaves a shorter chain that is valid in itself; only a
//! [`Checkpoint`] kept elsewhere shows that something is missing. Reading and writing files is not
//! done here; see `app`.

use jiff::Timestamp;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;

use crate::described;
use crate::digest::{Digest, DigestError};
use crate::finding::Finding;

/// The version of the record format; readers refuse a newer one.
pub const FORMAT: u32 = 1;

/// One immutable content of a named table.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct DatasetVersion {
    /// `predictions` or `outcomes`.
    pub name: String,
    /// SHA-256 over the names, sizes and digests of its files, sorted by name.
    pub digest: Digest,
    pub files: u64,
    pub bytes: u64,
    /// What a file's digest is of.
    #[serde(default, skip_serializing_if = "Hashed::is_content")]
    pub hashed: Hashed,
}

/// What the digest of a file is of.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Hashed {
    /// All its bytes.
    #[default]
    Content,
    /// What an object store says of it, without reading it: its address, its ETag and its size.
    Etag,
}

impl Hashed {
    fn is_content(&self) -> bool {
        *self == Self::Content
    }
}

/// A finding with its provenance.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Record {
    pub format: u32,
    /// Position in the chain, from 0.
    pub seq: u64,
    pub previous: Digest,
    /// The `seq` of the first record of the same run.
    pub run: u64,
    #[schemars(with = "described::Instant")]
    pub at: Timestamp,
    /// From here on it counts as missing.
    #[schemars(with = "described::Instant")]
    pub fresh_until: Timestamp,
    pub system: String,
    pub model: String,
    /// Hash of the definition that the check was made under.
    pub definition: Digest,
    /// Name and version of the program that made it.
    pub program: String,
    pub datasets: Vec<DatasetVersion>,
    /// A digest of the very files that the finding was made from; while they stay as they are, there
    /// is nothing to find again.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub inputs: Option<Digest>,
    pub finding: Finding,
}

impl Record {
    pub fn is_fresh(&self, now: Timestamp) -> bool {
        now < self.fresh_until
    }
}

/// What a run knows of its records before they take their place in the chain.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Evidence {
    #[schemars(with = "described::Instant")]
    pub at: Timestamp,
    pub system: String,
    pub model: String,
    pub definition: Digest,
    pub program: String,
    pub datasets: Vec<DatasetVersion>,
    pub findings: Vec<NewFinding>,
}

/// A finding about to be recorded.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct NewFinding {
    pub finding: Finding,
    /// When it goes stale.
    #[schemars(with = "described::Instant")]
    pub fresh_until: Timestamp,
    pub inputs: Option<Digest>,
}

/// The end of a chain: how many records there are and the last one's hash.
///
/// Written as `COUNT:HASH`; kept outside the evidence file it proves that no tail was cut.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Checkpoint {
    pub records: u64,
    pub hash: Digest,
}

impl Checkpoint {
    pub const EMPTY: Self = Self { records: 0, hash: Digest::ZERO };
}

#[derive(Serialize)]
struct LineOut<'a> {
    hash: Digest,
    record: &'a RawValue,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct LineIn<'a> {
    hash: Digest,
    #[serde(borrow)]
    record: &'a RawValue,
}

/// What is read of a record before it is known to be of a format that can be read.
#[derive(Deserialize)]
struct FormatOnly {
    format: u32,
}

/// The records and text lines that extend a chain by a run's evidence, and the chain's new end.
///
/// # Errors
/// A number that JSON cannot hold, which would be a defect of the check that made it.
pub fn extend_chain(
    end: Checkpoint,
    evidence: Evidence,
) -> Result<(Vec<Record>, String, Checkpoint), serde_json::Error> {
    let mut lines = String::new();
    let mut records = Vec::with_capacity(evidence.findings.len());
    let mut next = end;
    for NewFinding { finding, fresh_until, inputs } in evidence.findings {
        let record = Record {
            format: FORMAT,
            seq: next.records,
            previous: next.hash,
            run: end.records,
            at: evidence.at,
            fresh_until,
            system: evidence.system.clone(),
            model: evidence.model.clone(),
            definition: evidence.definition,
            program: evidence.program.clone(),
            datasets: evidence.datasets.clone(),
            inputs,
            finding,
        };
        let raw = serde_json::value::to_raw_value(&record)?;
        let hash = Digest::of(raw.get().as_bytes());
        lines.push_str(&serde_json::to_string(&LineOut { hash, record: &raw })?);
        lines.push('\n');
        next = Checkpoint { records: next.records + 1, hash };
        // As a later run will read it: a decimal number may be read as the float next to the one written.
        records.push(serde_json::from_str(raw.get())?);
    }
    Ok((records, lines, next))
}

/// Where and how a chain is broken. Lines are counted from 1.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
pub enum ChainError {
    #[error("line {line} is not an evidence record: {reason}")]
    Unreadable { line: u64, reason: String },
    #[error("line {line} was edited: its content no longer has the recorded hash")]
    Edited { line: u64 },
    #[error(
        "line {line} does not follow the line before it: a record was removed, inserted or reordered here"
    )]
    Broken { line: u64 },
    #[error("line {line} is written in format {format}; this program reads up to {FORMAT}")]
    NewerFormat { line: u64, format: u32 },
    #[error(
        "the chain ends after {found} records, but the checkpoint was taken at {expected}: the tail was cut"
    )]
    Truncated { found: u64, expected: u64 },
    #[error("record {records} does not have the hash that the checkpoint names: the chain was rewritten")]
    Rewritten { records: u64 },
}

/// Follows a chain line by line.
#[derive(Clone, Debug)]
pub struct ChainReader {
    end: Checkpoint,
}

impl Default for ChainReader {
    fn default() -> Self {
        Self { end: Checkpoint::EMPTY }
    }
}

impl ChainReader {
    /// Goes on behind a part that was followed before.
    pub fn after(end: Checkpoint) -> Self {
        Self { end }
    }

    pub fn end(&self) -> Checkpoint {
        self.end
    }

    /// Checks the next line and returns its record.
    ///
    /// # Errors
    /// A [`ChainError`] that names the line.
    pub fn read(&mut self, line: &str) -> Result<Record, ChainError> {
        let number = self.end.records + 1;
        let unreadable =
            |error: serde_json::Error| ChainError::Unreadable { line: number, reason: error.to_string() };
        let parsed: LineIn<'_> = serde_json::from_str(line).map_err(unreadable)?;
        if Digest::of(parsed.record.get().as_bytes()) != parsed.hash {
            return Err(ChainError::Edited { line: number });
        }
        let FormatOnly { format } = serde_json::from_str(parsed.record.get()).map_err(unreadable)?;
        if format > FORMAT {
            return Err(ChainError::NewerFormat { line: number, format });
        }
        let record: Record = serde_json::from_str(parsed.record.get()).map_err(unreadable)?;
        if record.previous != self.end.hash || record.seq != self.end.records {
            return Err(ChainError::Broken { line: number });
        }
        self.end = Checkpoint { records: number, hash: parsed.hash };
        Ok(record)
    }
}

/// Reads and checks a whole chain, held against a checkpoint where one is given.
///
/// # Errors
/// The first [`ChainError`].
pub fn verify_chain<'a>(
    lines: impl IntoIterator<Item = &'a str>,
    checkpoint: Option<Checkpoint>,
) -> Result<(Vec<Record>, Checkpoint), ChainError> {
    let mut reader = ChainReader::default();
    let mut records = Vec::new();
    let mut at_checkpoint = checkpoint.is_some_and(|c| c == Checkpoint::EMPTY);
    for line in lines {
        records.push(reader.read(line)?);
        if let Some(checkpoint) = checkpoint
            && checkpoint.records == reader.end.records
        {
            if checkpoint.hash != reader.end.hash {
                return Err(ChainError::Rewritten { records: checkpoint.records });
            }
            at_checkpoint = true;
        }
    }
    match checkpoint {
        Some(checkpoint) if !at_checkpoint => {
            Err(ChainError::Truncated { found: reader.end.records, expected: checkpoint.records })
        }
        _ => Ok((records, reader.end)),
    }
}

#[derive(Debug, thiserror::Error, PartialEq, Eq)]
pub enum CheckpointError {
    #[error("`{text}` is not a checkpoint; it is written COUNT:HASH, as `forewarn verify` prints it")]
    Shape { text: String },
    #[error("the checkpoint's hash is wrong: {0}")]
    Hash(#[from] DigestError),
}

impl std::str::FromStr for Checkpoint {
    type Err = CheckpointError;

    fn from_str(text: &str) -> Result<Self, CheckpointError> {
        let shape = || CheckpointError::Shape { text: text.to_owned() };
        let (records, hash) = text.trim().split_once(':').ok_or_else(shape)?;
        Ok(Self { records: records.parse().map_err(|_| shape())?, hash: hash.parse()? })
    }
}

impl std::fmt::Display for Checkpoint {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}:{}", self.records, self.hash)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::CheckId;
    use crate::finding::Subject;
    use crate::verdict::Verdict;

    fn evidence(summaries: &[&str]) -> Evidence {
        let at: Timestamp = "2013-06-10T06:00:00Z".parse().unwrap();
        let window = "2013-06-03/2013-06-10".parse().unwrap();
        let finding = |summary: &&str| Finding {
            summary: (*summary).to_owned(),
            ..Finding::blank(CheckId::Drift, Subject::Model, Verdict::Pass, window)
        };
        Evidence {
            at,
            system: "flight-delay".into(),
            model: "2013.04".into(),
            definition: Digest::of(b"definition"),
            program: "forewarn 0.0.0".into(),
            datasets: vec![],
            findings: summaries
                .iter()
                .map(|s| NewFinding { finding: finding(s), fresh_until: at, inputs: None })
                .collect(),
        }
    }

    fn chain() -> (Vec<String>, Checkpoint) {
        let (_, first, end) = extend_chain(Checkpoint::EMPTY, evidence(&["a", "b"])).unwrap();
        let (records, second, end) = extend_chain(end, evidence(&["c"])).unwrap();
        assert_eq!(records[0].run, 2, "a run is named by its first record");
        ((first + &second).lines().map(str::to_owned).collect(), end)
    }

    fn verified(lines: &[String], checkpoint: Option<Checkpoint>) -> Result<Checkpoint, ChainError> {
        verify_chain(lines.iter().map(String::as_str), checkpoint).map(|(_, end)| end)
    }

    #[test]
    fn an_untouched_chain_verifies_and_ends_at_its_checkpoint() {
        let (lines, end) = chain();
        assert_eq!(verified(&lines, Some(end)), Ok(end));
        assert_eq!(end.to_string().parse(), Ok(end));
    }

    #[test]
    fn an_edited_line_is_detected() {
        let (mut lines, _) = chain();
        lines[1] = lines[1].replace("\"pass\"", "\"warn\"");
        assert_eq!(verified(&lines, None), Err(ChainError::Edited { line: 2 }));
    }

    #[test]
    fn a_removed_line_is_detected() {
        let (mut lines, _) = chain();
        lines.remove(1);
        assert_eq!(verified(&lines, None), Err(ChainError::Broken { line: 2 }));
    }

    #[test]
    fn a_removed_first_line_is_detected() {
        let (mut lines, _) = chain();
        lines.remove(0);
        assert_eq!(verified(&lines, None), Err(ChainError::Broken { line: 1 }));
    }

    #[test]
    fn reordered_lines_are_detected() {
        let (mut lines, _) = chain();
        lines.swap(0, 1);
        assert_eq!(verified(&lines, None), Err(ChainError::Broken { line: 1 }));
    }

    #[test]
    fn a_cut_tail_is_detected_only_by_a_checkpoint() {
        let (mut lines, end) = chain();
        lines.pop();
        assert!(verified(&lines, None).is_ok());
        assert_eq!(verified(&lines, Some(end)), Err(ChainError::Truncated { found: 2, expected: 3 }));
    }

    #[test]
    fn a_rewritten_chain_is_detected_by_a_checkpoint() {
        let (_, end) = chain();
        let (_, lines, _) = extend_chain(Checkpoint::EMPTY, evidence(&["x", "y", "z"])).unwrap();
        let lines: Vec<String> = lines.lines().map(str::to_owned).collect();
        assert_eq!(verified(&lines, Some(end)), Err(ChainError::Rewritten { records: 3 }));
    }

    #[test]
    fn a_newer_format_is_refused_by_name() {
        let (lines, _) = chain();
        let start = lines[0].find("{\"format\"").unwrap();
        let record = lines[0][start..lines[0].len() - 1].replace("\"format\":1", "\"format\":99");
        let line = format!("{{\"hash\":\"{}\",\"record\":{record}}}", Digest::of(record.as_bytes()));
        let error = ChainReader::default().read(&line).unwrap_err();
        assert_eq!(error, ChainError::NewerFormat { line: 1, format: 99 });
    }
}
