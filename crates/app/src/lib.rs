//! The use cases, where the parts meet: definition → questions → answers → findings → evidence.
//!
//! [`check::run`] walks the whole flow once. [`evidence_log`] keeps the chain in a file beside the
//! definition, [`init`] writes a first definition. Every entry point (the command line now, a
//! schedule and a server later) calls these functions; time comes in as an argument.

pub mod check;
pub mod delivery;
pub mod evidence_log;
pub mod init;
mod kept_usual;
pub mod monitor;
mod monitor_report;
mod opened;
pub mod organisation;
mod profile_store;
mod watch;
mod window;

pub use check::{CheckError, CheckOutcome, CheckRequest, Practices, Stage};
pub use opened::definition_folder;

/// Name and version of the program, as evidence records it.
pub const PROGRAM: &str = concat!("forewarn ", env!("CARGO_PKG_VERSION"));
