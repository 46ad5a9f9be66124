//! How it was measured, in the words and tables of [`crate::page::method`], and what was read for it.

use maud::{Markup, html};
use types::finding::Finding;
use types::format;
use types::monitor_report::MonitorReport;

use super::{last_drift, last_estimated, last_realised, last_together};
use crate::page::Section;
use crate::page::method::{Proof, datasets, limits, methods, proof};

pub(super) fn section(report: &MonitorReport) -> Section {
    let findings = newest(report);
    let proved = Proof {
        checkpoint: &report.checkpoint,
        added: None,
        definition: report.definition,
        as_of: report.as_of.to_string(),
        program: &report.program,
        format: report.format,
    };
    Section {
        id: "method",
        title: "How this was measured",
        short: "Method",
        question: "What was each number held against, how was it computed, and can it be checked?",
        verdicts: Vec::new(),
        body: html! {
            h3.group { "Limits" }
            (limits(&findings))
            h3.group { "Methods" }
            (methods(&findings))
            h3.group { "Data" }
            (files_read(report))
            (datasets(&report.datasets))
            h3.group { "Proof" }
            (proof(&proved))
        },
    }
}

/// The newest findings of each kind; older ones were held against the same limits or say so themselves.
fn newest(report: &MonitorReport) -> Vec<&Finding> {
    let performance =
        [last_realised(report), last_estimated(report)].into_iter().flatten().map(|(finding, _)| finding);
    let others = last_together(report).into_iter().chain(performance).chain(&report.quality);
    last_drift(report).into_iter().chain(others).collect()
}

fn files_read(report: &MonitorReport) -> Markup {
    let files = format::counted(report.files, "file", "files");
    let remembered = report.files.saturating_sub(report.files_read);
    html! {
        p.prose {
            @if report.files_read == 0 {
                "None of the log's " (files) " had to be read for this report: the profiles of all of them were known and their contents unchanged."
            } @else if remembered == 0 {
                "All of the log's " (files) " were read for this report."
            } @else {
                (format::count(report.files_read)) " of the log's " (files) @if report.files_read == 1 { " was" } @else { " were" } " read for this report; the profiles of the other " (format::count(remembered)) " were known and their contents unchanged."
            }
        }
    }
}
