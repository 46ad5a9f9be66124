//! The state of Forewarn in a SQL database: SQLite in one file, or PostgreSQL, behind one interface.
//!
//! [`Store`] opens a [`Database`] and brings its schema up to date; each module beside it keeps one thing.
//! The same statements run on both databases: numbers are `BIGINT` or `DOUBLE PRECISION`, instants are
//! microseconds since 1970 in UTC, everything else is `TEXT`. Calls block; whoever serves many requests
//! makes them from a thread that may wait.

mod access;
mod alerts;
mod audit;
mod database;
mod evidence;
mod jobs;
mod lineage;
mod migrations;
mod systems;

pub use access::{AccountChange, Admission, Identity, NewAccount, NewSession, NewToken, SessionRow};
pub use alerts::{Delivery, DeliveryState, KeptAlerts};
pub use audit::AuditPage;
pub use database::{Database, DatabaseError, Store, StoreError};
pub use evidence::{Chain, SignedCheckpoint};
pub use jobs::{Cause, Due, Job, JobFilter, JobState, Turn};
pub use systems::ServedSystem;
