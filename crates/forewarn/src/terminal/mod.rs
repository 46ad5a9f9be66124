//! What people see in a terminal.

pub(crate) mod diagnostic;
mod evaluation;
pub(crate) mod lineage;
pub(crate) mod logger;
pub(crate) mod monitoring;
pub(crate) mod output;
mod page;
pub(crate) mod progress;
mod quality;
pub(crate) mod report;
mod rows;
mod served;
pub(crate) mod style;
mod wrap;
