//! What the schedule does with a system: the same use cases as the command line's.

use jiff::Timestamp;
use types::format::counted;

use super::{Served, Service};
use crate::check::{self, CheckError, CheckRequest, Practices, Stage};
use crate::monitor::{self, MonitorRequest, Period};

impl Service {
    /// Makes up for every window of a system that was missed; says how many those were.
    ///
    /// # Errors
    /// Why it could not be done.
    pub fn monitor(
        &self,
        served: &Served,
        now: Timestamp,
        progress: &mut dyn FnMut(Stage),
    ) -> Result<String, CheckError> {
        let path = served.folder().to_owned();
        let request = MonitorRequest { path, since: None, as_of: None, period: Period::Weekly };
        let outcome = monitor::run(&request, &self.state(), now, progress)?;
        if outcome.made == 0 {
            return Ok("Nothing was missed.".into());
        }
        Ok(format!(
            "Made {} of any cadence and recorded {}.",
            counted(outcome.made as u64, "window", "windows"),
            counted(outcome.recorded as u64, "finding", "findings")
        ))
    }

    /// Evaluates the last whole week of a system; says what it came to.
    ///
    /// # Errors
    /// Why it could not be done.
    pub fn evaluate(
        &self,
        served: &Served,
        now: Timestamp,
        progress: &mut dyn FnMut(Stage),
    ) -> Result<String, CheckError> {
        let path = served.folder().to_owned();
        let request = CheckRequest { path, practices: Practices::Evaluate, window: None, as_of: None };
        let report = check::run(&request, &self.state(), now, progress)?.report;
        let failing = report.count(types::Verdict::Fail) as u64;
        Ok(format!(
            "Evaluated {}: {}, {failing} of them failing.",
            report.window.in_words(),
            counted(report.findings.len() as u64, "finding", "findings")
        ))
    }
}
