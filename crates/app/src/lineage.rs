//! Lineage: events are taken in, and what they add up to is asked.
//!
//! Every answer is made from the log of events in the database, read and verified; nothing else is kept.

use std::fs::File;
use std::io::{BufRead as _, BufReader};
use std::path::{Path, PathBuf};

use jiff::Timestamp;
use trace::graph::{Builder, Graph};
use trace::openlineage;
use trace::projection::project;
use trace::query::{self, Begin, FindError, View};
use types::lineage::{AsOf, Trace};

use crate::State;
use crate::check::CheckError;
use crate::opened;
use crate::state::StateError;

pub use trace::form;
pub use trace::query::{Change, Coverage, Gap};

/// Events that are kept in one transaction.
const AT_ONCE: usize = 1024;

#[derive(Debug, thiserror::Error)]
pub enum LineageError {
    #[error(transparent)]
    State(#[from] StateError),
    #[error(transparent)]
    Definition(#[from] CheckError),
    #[error(transparent)]
    Find(#[from] FindError),
    #[error("failed to read `{path}`: {source}")]
    Io { path: PathBuf, source: std::io::Error },
    #[error(
        "no event is about version `{version}` of the model `{model}`{known}; `forewarn trace import` takes events in"
    )]
    UnknownModel { model: String, version: String, known: String },
}

/// What came of taking in files of events.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Imported {
    /// Events that were not here before.
    pub new: u64,
    /// Events that were.
    pub known: u64,
    /// Lines that are no events, and why.
    pub refused: Vec<Remark>,
    /// What of the events that were taken in was not understood.
    pub remarks: Vec<Remark>,
}

/// Something to say of a line of a file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Remark {
    pub file: PathBuf,
    /// From 1.
    pub line: u64,
    pub message: String,
}

/// What an answer is held to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Asked {
    pub as_of: AsOf,
    /// At most so many nodes, or gaps of one kind.
    pub most: usize,
}

/// Takes in files of one event a line. Lines that are no events are told, and the others are kept.
///
/// # Errors
/// A file cannot be read, or the database does not answer. What was kept before that stays; the same files can be taken
/// in again, since an event is kept once.
pub fn import(state: &State, files: &[PathBuf], now: Timestamp) -> Result<Imported, LineageError> {
    let mut imported = Imported::default();
    for path in files {
        let io = |source| LineageError::Io { path: path.clone(), source };
        let mut reader = BufReader::new(File::open(path).map_err(io)?);
        let mut events = Vec::new();
        let mut bytes = Vec::new();
        let mut line = 0;
        loop {
            bytes.clear();
            let is_end = reader.read_until(b'\n', &mut bytes).map_err(io)? == 0;
            line += 1;
            if is_end || events.len() == AT_ONCE {
                let new = state.keep_lineage(now, &events)?;
                imported.new += new;
                imported.known += events.len() as u64 - new;
                events.clear();
            }
            if is_end {
                break;
            }
            if !bytes.trim_ascii().is_empty() {
                events.extend(read(bytes.trim_ascii(), now, &mut imported, |message| Remark {
                    file: path.clone(),
                    line,
                    message,
                }));
            }
        }
    }
    Ok(imported)
}

/// The text of an event, if it is one.
fn read(
    bytes: &[u8],
    now: Timestamp,
    imported: &mut Imported,
    remark: impl Fn(String) -> Remark,
) -> Option<String> {
    match openlineage::read(bytes, now) {
        Ok(event) => {
            imported.remarks.extend(project(&event).remarks.into_iter().map(remark));
            Some(String::from_utf8_lossy(bytes).into_owned())
        }
        Err(error) => {
            imported.refused.push(remark(error.to_string()));
            None
        }
    }
}

/// What the dataset, the version of one or the model version came of that `name` means.
///
/// # Errors
/// It is not known, or the log of events cannot be read.
pub fn upstream(state: &State, name: &str, asked: Asked) -> Result<Trace, LineageError> {
    let graph = graph(state)?;
    let view = View::new(&graph, asked.as_of);
    Ok(query::upstream(&view, query::find(&view, name)?, asked.most))
}

/// What came of it.
///
/// # Errors
/// It is not known, or the log of events cannot be read.
pub fn impact(state: &State, name: &str, asked: Asked) -> Result<Trace, LineageError> {
    let graph = graph(state)?;
    let view = View::new(&graph, asked.as_of);
    Ok(query::downstream(&view, query::find(&view, name)?, asked.most))
}

/// What the predictions of a time came of, by the model of the definition at `path`; of its version, if another is not
/// named.
///
/// # Errors
/// The definition has a mistake, nobody spoke of the model version, or the log of events cannot be read.
pub fn prediction(
    state: &State,
    path: &Path,
    version: Option<&str>,
    time: Timestamp,
    asked: Asked,
) -> Result<Trace, LineageError> {
    let (definition, _) = opened::read(path)?;
    let (model, version) = (definition.system.id, version.unwrap_or(&definition.model.version));
    let graph = graph(state)?;
    let view = View::new(&graph, asked.as_of);
    let Some(begin) = query::prediction(&view, &model, version, time) else {
        let known = query::versions_of(&view, &model);
        let known =
            if known.is_empty() { String::new() } else { format!(" (but about {})", known.join(", ")) };
        return Err(LineageError::UnknownModel { model, version: version.to_owned(), known });
    };
    let (Begin::Context(start) | Begin::Model(start)) = begin;
    Ok(query::upstream(&view, start, asked.most))
}

/// What differs between what two things came of.
///
/// # Errors
/// One is not known, or the log of events cannot be read.
pub fn difference(
    state: &State,
    first: &str,
    second: &str,
    asked: Asked,
) -> Result<Vec<Change>, LineageError> {
    let graph = graph(state)?;
    let view = View::new(&graph, asked.as_of);
    let traced = |name| Ok::<_, LineageError>(query::upstream(&view, query::find(&view, name)?, asked.most));
    Ok(query::difference(&view, &traced(first)?, &traced(second)?))
}

/// What lacks lineage.
///
/// # Errors
/// The log of events cannot be read.
pub fn gaps(state: &State, asked: Asked) -> Result<Vec<Coverage>, LineageError> {
    let graph = graph(state)?;
    Ok(query::gaps(&View::new(&graph, asked.as_of), asked.most))
}

fn graph(state: &State) -> Result<Graph, LineageError> {
    let mut builder = Builder::default();
    state.read_lineage(|received| {
        // What was taken in could be read when it was; a clock that runs ahead of the log's cannot undo that.
        if let Ok(event) = openlineage::read(received.event.as_bytes(), received.at) {
            builder.add(&event, received.at);
        }
    })?;
    Ok(builder.build())
}
