//! Question → Answer over Parquet and CSV: the only crate that knows Arrow, Parquet and DataFusion.
//!
//! [`Engine::open`] finds the files of a definition's log, reads their schemas and digests them.
//! [`Log::answer`] merges all questions of a check into two scans at most: one over the features
//! for all profiles, one over ids, scores and segments for everything that needs outcomes (plus a
//! look for outcomes that belong to no prediction). The aggregate functions in [`mod@aggregate`]
//! return the mergeable summaries of `stats::sketch`. What an answer means is not known here; see
//! `monitor` and `evaluate`.

pub mod aggregate;
mod answer;
mod blame;
mod cases;
mod cells;
mod daily_losses;
mod days;
mod error;
mod file_profile;
mod files;
mod find;
pub mod ingest;
mod objects;
mod open;
mod outcomes;
mod probe;
mod profiles;
mod row_hash;
mod sample;
mod sql;
mod storage;
mod store;
mod truth;
mod versions;

pub use days::FilesRead;
pub use error::EngineError;
pub use objects::ObjectsError;
pub use open::{Engine, EngineOptions, Log, TimeRange};
pub use probe::{Probe, ProbedColumn};
pub use store::{ProfileStore, keep, load};

#[cfg(test)]
mod tests;
