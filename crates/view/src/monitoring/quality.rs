//! The quality of the data in the last window.

use maud::{Markup, html};
use types::finding::Finding;
use types::monitor_report::MonitorReport;

use crate::page::measures::panel;
use crate::page::{Section, verdicts, worst_first};
use crate::words;

pub(super) const ID: &str = "quality";

/// Panels shown before the others are folded away.
const PANELS_SHOWN: usize = 9;

pub(super) fn section(report: &MonitorReport) -> Option<Section> {
    let findings = worst_first(&report.quality);
    if findings.is_empty() {
        return None;
    }
    Some(Section {
        id: ID,
        title: "Data quality",
        short: "Data",
        question: "Are the rows of the last window sound?",
        verdicts: verdicts(&findings),
        body: html! {
            (looked_at(report))
            (panels(&findings))
        },
    })
}

/// When it was looked at, and in which versions of the datasets.
fn looked_at(report: &MonitorReport) -> Markup {
    html! {
        @if let Some(look) = &report.quality_look {
            p.sub { "Looked at on " (words::minute(&look.at.to_string())) " in " (look.versions()) "." }
        }
    }
}

fn panels(findings: &[&Finding]) -> Markup {
    let (shown, folded) = findings.split_at(findings.len().min(PANELS_SHOWN));
    html! {
        div.panels { @for finding in shown { (panel(finding)) } }
        @if !folded.is_empty() {
            details.fold {
                summary { (format!("{} more findings", folded.len())) }
                div.panels { @for finding in folded { (panel(finding)) } }
            }
        }
    }
}
