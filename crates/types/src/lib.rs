//! The vocabulary of Forewarn: what is measured, what was answered, what was found, what is recorded.
//!
//! One flow uses these words in this order: a [`definition`] is planned into [`question`]s, the
//! engine returns [`answer`]s, the practices judge them into [`finding`]s, and findings become
//! [`evidence`]. This crate holds the words and their rules (parsing, hashing, ordering); it reads
//! no file, no clock and no data. Estimators live in `stats`, reading data in `engine`.

pub mod access;
pub mod alert;
pub mod answer;
pub mod audit;
pub mod batch;
pub mod calendar;
pub mod cases;
mod check_id;
pub mod column;
pub mod definition;
pub mod described;
pub mod detail;
pub mod digest;
pub mod endpoint;
pub mod evidence;
pub mod faults;
pub mod finding;
pub mod format;
pub mod gate;
pub mod lineage;
pub mod lineage_log;
pub mod load;
pub mod log_state;
pub mod loss;
pub mod manipulation;
pub mod measure;
pub mod message;
pub mod monitor_report;
pub mod nearest;
pub mod organisation;
pub mod outcomes;
pub mod performance;
pub mod question;
pub mod report;
pub mod samples;
pub mod sure_change;
pub mod verdict;
pub mod window;

pub use answer::{Answer, Answers};
pub use check_id::CheckId;
pub use column::{Column, ColumnKind, Schema};
pub use definition::Definition;
pub use digest::Digest;
pub use evidence::{Evidence, Record};
pub use finding::{Detail, Finding, Measure, Subject};
pub use question::Question;
pub use verdict::Verdict;
pub use window::Window;
