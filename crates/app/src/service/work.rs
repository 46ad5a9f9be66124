//! What the schedule does with a system: the same use cases as the command line's.

use jiff::Timestamp;
use types::format::counted;
use types::report::CheckReport;

use super::{Served, Service};
use crate::check::{self, CheckError, CheckRequest, Practices, Stage};
use crate::monitor::{self, MonitorRequest, Period};
use crate::stress::{self, StressRequest};

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
        Ok(format!("Evaluated {}: {}", report.window.in_words(), found(&report)))
    }

    /// Asks the model of a system under faults, on the last whole week; says what it came to.
    ///
    /// # Errors
    /// Why it could not be done, such as a model that cannot be asked.
    pub fn stress(
        &self,
        served: &Served,
        now: Timestamp,
        progress: &mut dyn FnMut(Stage),
    ) -> Result<String, CheckError> {
        let path = served.folder().to_owned();
        let request = StressRequest { path, only: Vec::new(), window: None, as_of: None };
        let report = stress::run(&request, &self.state(), now, progress)?.check.report;
        Ok(format!("Asked the model about {}: {}", report.window.in_words(), found(&report)))
    }
}

fn found(report: &CheckReport) -> String {
    let failing = report.count(types::Verdict::Fail) as u64;
    format!("{}, {failing} of them failing.", counted(report.findings.len() as u64, "finding", "findings"))
}
