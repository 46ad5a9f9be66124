//! Monitoring over time as a table: what changed, then every column as a line of sparks.

use std::path::Path;

use app::monitor::MonitorOutcome;
use types::Verdict;

pub(crate) fn text(outcome: &MonitorOutcome, _html: Option<&Path>) -> String {
    let report = &outcome.report;
    let mut text = format!(
        "{} windows, {} made, {} recorded, {} of {} files read\n",
        report.windows.len(),
        outcome.made,
        outcome.recorded,
        report.files_read,
        report.files
    );
    for sentence in &report.changes {
        text += &format!("{sentence}\n");
    }
    for column in &report.drift {
        let line: String = column
            .findings
            .iter()
            .map(|finding| match finding.as_ref().map(|finding| finding.verdict) {
                None => ' ',
                Some(Verdict::Pass) => '.',
                Some(Verdict::Warn) => '!',
                Some(Verdict::Fail) => 'X',
                Some(Verdict::Unknown) => '?',
            })
            .collect();
        text += &format!("{:<30} {line}\n", column.subject.label());
    }
    text
}
