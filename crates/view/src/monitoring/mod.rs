//! Monitoring over time as one HTML file: what drifted when, how good the model was estimated to be
//! and turned out to be, who was served worse, and why.
//!
//! The page beside the check report ([`crate::report`]), in the same frame. A section without
//! evidence is left out. [`markdown`] says the same in short, [`sparkline`] is for a terminal.

mod attribution;
mod columns;
pub(crate) mod distributions;
mod drift;
pub(crate) mod glance;
mod glossary;
mod harm;
mod markdown;
mod method;
mod performance;
mod quality;
mod segments;
mod sparkline;
mod together;

use maud::{Markup, html};
use types::CheckId;
use types::definition::Cadence;
use types::finding::{Detail, Finding, MaturityState, Subject, WindowPerformance};
use types::monitor_report::{ColumnHistory, MonitorReport};
use types::{Window, format};

use crate::chart::heat_map;
use crate::page::{Page, Section, header};
use crate::words;

pub use markdown::markdown;
pub use sparkline::{sparkline, sparkline_between};

const STYLE: &str = include_str!("style.css");

/// The report as one self-contained HTML document.
pub fn html(report: &MonitorReport) -> String {
    Page {
        title: format!("{} · monitoring{}", report.system.display_name(), up_to(report)),
        program: &report.program,
        style: STYLE,
        shapes: heat_map::marks(),
        header: header::header("Monitoring report", &report.system, &facts(report)),
        sections: sections(report),
    }
    .document()
}

fn up_to(report: &MonitorReport) -> String {
    let last = report.windows.last();
    last.map(|window| format!(" up to {}", types::window::instant_text(window.to()))).unwrap_or_default()
}

fn sections(report: &MonitorReport) -> Vec<Section> {
    let by_question = [
        drift::section(report, &|_| None),
        distributions::section(report),
        together::section(report),
        performance::section(report),
        segments::section(report),
        attribution::section(report),
        quality::section(report),
    ];
    let mut sections = vec![glance::section(report)];
    sections.extend(by_question.into_iter().flatten());
    sections.extend([method::section(report), glossary::section()]);
    sections
}

/// Where a column has a page of its own, which is not so in a report that stands alone.
pub(crate) type ColumnLink<'a> = &'a dyn Fn(&Subject) -> Option<String>;

/// What happened, without what a report brings to stand alone: for a page that has its own head.
///
/// Distributions are left out: there, each column has a page.
pub(crate) fn over_time(report: &MonitorReport, to: ColumnLink<'_>) -> Vec<Section> {
    let by_question = [
        drift::section(report, to),
        performance::section(report),
        segments::section(report),
        attribution::section(report),
        together::section(report),
        quality::section(report),
    ];
    by_question.into_iter().flatten().collect()
}

fn facts(report: &MonitorReport) -> [header::Fact; 6] {
    let system = &report.system;
    [
        (
            "Model version",
            html! { (report.model) @if let Some(owner) = &system.owner { span.sub { "owned by " (owner) } } },
        ),
        ("Windows", covered(report)),
        ("Drift is measured against", html! { (report.against) }),
        ("Performance is held against", html! { (words::window_text(report.reference)) }),
        header::tier(system),
        header::made(&report.at.to_string(), &report.as_of.to_string()),
    ]
}

/// `35 weeks` and from when to when.
fn covered(report: &MonitorReport) -> Markup {
    let windows = &report.windows;
    html! {
        @match (windows.first(), windows.last()) {
            (Some(first), Some(last)) => {
                (counted(report.cadence, windows.len()))
                span.sub { (types::window::instant_text(first.from())) " to " (types::window::instant_text(last.to())) }
            }
            _ => span.empty { "none" },
        }
    }
}

/// `1 week`, `35 weeks`.
fn counted(cadence: Cadence, windows: usize) -> String {
    let (one, many) = match cadence {
        Cadence::Day => ("day", "days"),
        Cadence::Week => ("week", "weeks"),
        Cadence::Month => ("month", "months"),
        Cadence::Quarter => ("quarter", "quarters"),
    };
    format::counted(windows as u64, one, many)
}

/// The anchor of the section that a check is shown in.
fn section_of(check: CheckId) -> Option<&'static str> {
    match check {
        CheckId::Drift => Some(drift::ID),
        CheckId::Multivariate => Some(together::ID),
        CheckId::PerformanceOverTime => Some(performance::ID),
        CheckId::Quality => Some(quality::ID),
        CheckId::Outcomes
        | CheckId::Performance
        | CheckId::WorstSegment
        | CheckId::Calibration
        | CheckId::Slices
        | CheckId::WorstSubpopulation
        | CheckId::Errors
        | CheckId::Tail
        | CheckId::Fairness
        | CheckId::Comparison
        | CheckId::Parity
        | CheckId::Missing
        | CheckId::Faults
        | CheckId::Detection
        | CheckId::Load
        | CheckId::Endpoint
        | CheckId::Manipulation => None,
    }
}

/// What a column came to in the last window of the report.
fn last_of(column: &ColumnHistory) -> Option<&Finding> {
    column.findings.last().and_then(Option::as_ref)
}

/// The findings of the last window, as many as there are.
fn last_drift(report: &MonitorReport) -> Vec<&Finding> {
    report.drift.iter().filter_map(last_of).collect()
}

/// The newest finding about all columns together.
fn last_together(report: &MonitorReport) -> Option<&Finding> {
    report.multivariate.iter().rev().find_map(Option::as_ref)
}

/// The performance that a finding carries.
fn performance_of(finding: &Finding) -> Option<&WindowPerformance> {
    match &finding.detail {
        Some(Detail::Performance(of)) => Some(of),
        _ => None,
    }
}

/// The newest window whose outcomes have settled, else the newest with a realised value.
fn last_realised(report: &MonitorReport) -> Option<(&Finding, &WindowPerformance)> {
    let realised = || {
        let findings = report.performance.iter().rev();
        findings
            .filter_map(|finding| Some((finding, performance_of(finding)?)))
            .filter(|(_, of)| of.realised.is_some())
    };
    realised().find(|(_, of)| of.maturity.state == MaturityState::Settled).or_else(|| realised().next())
}

/// The newest window that has an estimate.
fn last_estimated(report: &MonitorReport) -> Option<(&Finding, &WindowPerformance)> {
    let findings = report.performance.iter().rev();
    findings
        .filter_map(|finding| Some((finding, performance_of(finding)?)))
        .find(|(_, of)| of.estimated.is_some())
}

/// The windows of findings that bring their own.
fn windows_of(findings: &[Finding]) -> Vec<Window> {
    findings.iter().map(|finding| finding.window).collect()
}
