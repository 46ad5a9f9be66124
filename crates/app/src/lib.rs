//! The use cases, where the parts meet: definition → questions → answers → findings → evidence.
//!
//! [`check::run`] walks the whole flow once. [`state`] says where evidence is kept,
//! [`init`] writes a first definition. Every entry point (the command line now, a
//! schedule and a server later) calls these functions; time comes in as an argument.

pub mod access;
pub mod alerting;
pub mod attending;
pub mod check;
pub mod delivery;
pub mod evidence_file;
pub mod guard;
pub mod init;
mod kept_usual;
pub mod lineage;
pub mod monitor;
mod monitor_report;
pub mod oidc;
mod opened;
pub mod organisation;
pub mod outgoing;
mod profile_store;
pub mod remote;
pub mod schedule;
pub mod service;
pub mod signing;
pub mod site;
pub mod state;
pub mod stress;
mod watch;
mod window;

pub use engine::ingest;

pub use check::{CheckError, CheckOutcome, CheckRequest, Practices, Stage};
pub use opened::{definition_folder, system_id};
pub use state::{State, StateError};
pub use store::{Chain, Database, Job, JobFilter, JobState, SignedCheckpoint, Store, StoreError};

/// Name and version of the program, as evidence records it.
pub const PROGRAM: &str = concat!("forewarn ", env!("CARGO_PKG_VERSION"));
