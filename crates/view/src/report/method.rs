//! How it was measured, in the words and tables of [`crate::page::method`].

use maud::html;
use types::finding::Finding;
use types::report::CheckReport;

use crate::page::Section;
use crate::page::method::{Proof, datasets, limits, methods, proof};

pub(super) fn section(report: &CheckReport) -> Section {
    let findings: Vec<&Finding> = report.findings.iter().collect();
    let proved = Proof {
        checkpoint: &report.checkpoint,
        added: Some(report.findings.len()),
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
            (datasets(&report.datasets))
            h3.group { "Proof" }
            (proof(&proved))
        },
    }
}
