//! Where accepted rows become files: the very folder that the definition's log is read from, on a disk or in a bucket.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use types::definition::Definition;

use super::error::IngestError;
use super::intake::Roles;
use super::names::FileName;
use super::schema::{ColumnType, outcome_roles, prediction_roles};
use crate::find::is_glob;
use crate::objects::Address;

/// The two tables of a system.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum TableKind {
    Predictions,
    Outcomes,
}

impl TableKind {
    /// The name of its folder in the state, and in messages.
    pub fn name(self) -> &'static str {
        match self {
            Self::Predictions => "predictions",
            Self::Outcomes => "outcomes",
        }
    }
}

/// What a definition says of a table.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Place {
    /// Where files are written.
    pub(super) folder: PathBuf,
    /// The path as the definition has it, to find the files that are there.
    pub(super) path: String,
    pub(super) roles: Arc<Roles>,
    pub(super) columns: Vec<(String, Option<ColumnType>)>,
}

impl Place {
    pub(super) fn of(
        definition: &Definition,
        base: &Path,
        table: TableKind,
        node: &str,
    ) -> Result<Self, IngestError> {
        let log = &definition.log;
        let refused = |key, why: &str, way_out: &str| IngestError::NotForIngestion {
            key,
            why: why.to_owned(),
            way_out: way_out.to_owned(),
        };
        let id = log.id.clone().ok_or_else(|| {
            let way_out =
                "name the column that identifies a prediction, so that a repeated request adds no row twice";
            refused("log.id", "missing", way_out)
        })?;
        match table {
            TableKind::Predictions => Ok(Self {
                folder: folder("log.path", base, &log.path, node)?,
                path: log.path.clone(),
                roles: Arc::new(Roles {
                    key: vec![id.clone()],
                    id,
                    time: log.time.clone(),
                    time_unit: log.time_unit,
                }),
                columns: prediction_roles(definition),
            }),
            TableKind::Outcomes => {
                let outcome = log.outcome.as_ref().ok_or_else(|| {
                    refused("log.outcome", "missing", "say under it where outcomes are and in which column")
                })?;
                let path = outcome.path.as_ref().ok_or_else(|| {
                    let way_out =
                        "send the outcome as a column of the prediction, or name a folder for outcomes here";
                    refused("log.outcome.path", "missing", way_out)
                })?;
                let time = outcome.time.clone().ok_or_else(|| {
                    let way_out = "name the column that says when an outcome became known: of two outcomes of one prediction the later one counts";
                    refused("log.outcome.time", "missing", way_out)
                })?;
                let id = outcome.id.clone().unwrap_or(id);
                let key = vec![id.clone(), time.clone(), outcome.column.clone()];
                Ok(Self {
                    folder: folder("log.outcome.path", base, path, node)?,
                    path: path.clone(),
                    roles: Arc::new(Roles { id, time, time_unit: log.time_unit, key }),
                    columns: outcome_roles(definition),
                })
            }
        }
    }
}

/// The folder that a path of the definition reads, where files that are added to it are read too.
fn folder(key: &'static str, base: &Path, path: &str, node: &str) -> Result<PathBuf, IngestError> {
    let refused = |why: &str, way_out: String| {
        Err(IngestError::NotForIngestion { key, why: format!("`{path}`, {why}"), way_out })
    };
    let address = Address::parse(path).map_err(crate::EngineError::from)?;
    let (parent, last) = match path.rsplit_once('/') {
        Some((parent, last)) => (parent, last),
        None => (".", path),
    };
    if is_glob(parent) {
        return refused("several folders", "name one folder, such as `data` or `data/*.parquet`".into());
    }
    if is_glob(last) {
        let ours = FileName { day: "2026-11-27".into(), node: node.to_owned(), first: 1, last: 1 }.file();
        let pattern = glob::Pattern::new(last);
        if !pattern.is_ok_and(|pattern| pattern.matches(&ours)) {
            let why = format!("which would not read the files that are written ({ours})");
            return refused(&why, format!("make it `{parent}` or `{parent}/*.parquet`"));
        }
        return Ok(if address.is_some() { PathBuf::from(parent) } else { base.join(parent) });
    }
    let full = if address.is_some() { PathBuf::from(path) } else { base.join(path) };
    let ending = full.extension().map(|ending| ending.to_string_lossy().to_lowercase());
    if full.is_file() || matches!(ending.as_deref(), Some("parquet" | "pq" | "csv")) && !full.is_dir() {
        return refused(
            "a single file",
            format!("files are added to a folder; move it into one and make this `{parent}`"),
        );
    }
    Ok(full)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn placed(path: &str) -> Result<PathBuf, String> {
        folder("log.path", Path::new("/base"), path, "a").map_err(|error| error.to_string())
    }

    #[test]
    fn a_folder_and_a_glob_of_parquet_files_take_rows() {
        assert_eq!(placed("data/predictions"), Ok("/base/data/predictions".into()));
        assert_eq!(placed("data/*.parquet"), Ok("/base/data".into()));
        assert_eq!(placed("data/2*"), Ok("/base/data".into()));
        assert_eq!(placed("s3://bucket/data"), Ok("s3://bucket/data".into()));
        assert_eq!(placed("s3://bucket/data/*.parquet"), Ok("s3://bucket/data".into()));
        assert_eq!(placed("s3://bucket"), Ok("s3://bucket".into()));
    }

    #[test]
    fn what_would_not_read_new_files_is_refused_with_the_way_out() {
        for (path, way_out) in [
            ("s3://bucket/part-*.parquet", "make it `s3://bucket` or `s3://bucket/*.parquet`"),
            ("s3://bucket/log.parquet", "make this `s3://bucket`"),
            ("s3://bucket/*/log.parquet", "name one folder"),
            ("data/log.parquet", "make this `data`"),
            ("log.csv", "make this `.`"),
            ("data/part-*.parquet", "make it `data` or `data/*.parquet`"),
            ("data/*.csv", "make it `data`"),
            ("data/*/x.parquet", "name one folder"),
        ] {
            let message = placed(path).unwrap_err();
            assert!(message.starts_with(&format!("`log.path` is `{path}`, ")), "{message}");
            assert!(message.contains(way_out), "{message}");
        }
    }
}
