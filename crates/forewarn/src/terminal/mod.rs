//! What people see in a terminal.

pub(crate) mod diagnostic;
pub(crate) mod monitoring;
pub(crate) mod output;
mod evaluation;
mod page;
pub(crate) mod progress;
mod quality;
pub(crate) mod report;
mod style;
mod wrap;
