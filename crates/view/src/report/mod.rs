//! One run of checks as one HTML file that can be mailed.
//!
//! The page reads from the top: is the gate open, what is worst, the key numbers; then a section
//! per question, how it was measured, and a glossary. A section without findings is left out. The
//! frame is `page`; monitoring over time is the page beside this one, `monitoring`.

mod calibration;
pub(crate) mod comparison;
mod dashboard;
mod drift;
mod endpoint;
mod error_map;
mod errors;
pub(crate) mod fairness;
mod glance;
mod glossary;
mod lanes;
mod load;
mod loss;
mod manipulation;
mod method;
mod outcomes;
mod over_time;
mod performance;
mod segments;
pub(crate) mod slices;
mod stress;
mod tail;
mod together;
mod worst_case;

use maud::{Markup, html};
use types::CheckId;
use types::finding::Finding;
use types::report::CheckReport;
use types::window;

use crate::page::{Page, Section, header, worst_first};
use crate::words;

/// The report as one self-contained HTML document.
pub fn html(report: &CheckReport) -> String {
    let ends = window::instant_text(report.window.to());
    Page {
        title: format!("{} · checks up to {ends}", report.system.display_name()),
        program: &report.program,
        style: include_str!("style.css"),
        shapes: html! {},
        header: header::header("Check report", &report.system, &facts(report)),
        sections: sections(report),
    }
    .document()
}

fn facts(report: &CheckReport) -> [(&'static str, Markup); 6] {
    let compared = words::window_text(report.reference);
    [
        ("Model version", html! { (report.model) }),
        ("Examined", html! { (words::window_text(report.window)) }),
        ("Compared with", html! { (compared) }),
        header::owner(&report.system),
        header::tier(&report.system),
        header::made(&report.at.to_string(), &report.as_of.to_string()),
    ]
}

fn sections(report: &CheckReport) -> Vec<Section> {
    let mut sections = vec![glance::section(report)];
    sections.extend(drift::section(report));
    sections.extend(evaluations(report));
    sections.extend([method::section(report), glossary::section(report)]);
    sections
}

/// The headlines of all checks in cells, and what they look like.
pub(crate) fn dashboard(report: &CheckReport) -> Markup {
    html! {
        (dashboard::cells(report))
        (dashboard::panels(report))
    }
}

/// What was found about the predictions, a section a question.
pub(crate) fn evaluations(report: &CheckReport) -> Vec<Section> {
    let by_question = [
        performance::section(report),
        segments::section(report),
        slices::section(report),
        worst_case::section(report),
        tail::section(report),
        errors::section(report),
        calibration::section(report),
        fairness::section(report),
        comparison::section(report),
        outcomes::section(report),
        stress::section(report),
    ];
    by_question.into_iter().flatten().collect()
}

/// The findings of one check, worst first; those of equal verdict stay in their order.
fn findings_of(report: &CheckReport, check: CheckId) -> Vec<&Finding> {
    worst_first(report.findings.iter().filter(|finding| finding.check == check))
}

/// The anchor of the section that a check is shown in.
fn section_of(check: CheckId) -> &'static str {
    match check {
        CheckId::Drift | CheckId::Multivariate => "drift",
        CheckId::Performance | CheckId::PerformanceOverTime => "performance",
        CheckId::WorstSegment => "segments",
        CheckId::Calibration => "calibration",
        CheckId::Slices => "slices",
        CheckId::WorstSubpopulation => "worst-case",
        CheckId::Errors => "errors",
        CheckId::Tail => "tail",
        CheckId::Fairness => "fairness",
        CheckId::Comparison => "comparison",
        CheckId::Parity
        | CheckId::Missing
        | CheckId::Faults
        | CheckId::Detection
        | CheckId::Load
        | CheckId::Endpoint
        | CheckId::Manipulation => stress::ID,
        CheckId::Quality | CheckId::Outcomes => "outcomes",
    }
}
