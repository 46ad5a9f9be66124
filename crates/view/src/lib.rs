//! What a run says, as people and tools read it: a self-contained HTML report, a Markdown comment
//! for a pull request, JUnit XML for a build server; and the same for monitoring over time.
//!
//! Everything here is a view of [`types::report::CheckReport`] or of
//! [`types::monitor_report::MonitorReport`]: text in, text out. Nothing is measured, no file or clock
//! is read, and no sentence about a finding is made up: findings bring their own. Charts are SVG
//! drawn in `chart`, styled by the style sheet of `page`.

pub mod alert;
mod chart;
mod evaluation_text;
pub mod junit;
pub mod markdown;
mod maturity;
pub mod monitoring;
mod page;
pub mod report;
pub mod site;
mod words;
