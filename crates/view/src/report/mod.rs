//! One run as one HTML file that can be mailed: nothing is fetched, nothing needs a server.
//!
//! The page reads from the top: is the gate open, what is worst, the key numbers; then a section
//! per question, how it was measured, and a glossary. A section without findings is left out. The
//! script only adds comfort (values on hover, light and dark, opening all rows); without it the
//! page says the same.

mod calibration;
mod drift;
mod gates;
mod glance;
mod glossary;
mod header;
mod measures;
mod method;
mod outcomes;
mod performance;
mod segments;
mod verdict;

use maud::{DOCTYPE, Markup, PreEscaped, html};
use types::finding::{CheckId, Finding};
use types::report::CheckReport;
use types::{Verdict, window};

const STYLE: &str = include_str!("style.css");
const SCRIPT: &str = include_str!("script.js");
/// Nothing may be fetched, whatever ends up in the page.
const CONTENT_POLICY: &str =
    "default-src 'none'; style-src 'unsafe-inline'; script-src 'unsafe-inline'; img-src data:";

/// The report as one self-contained HTML document.
pub fn html(report: &CheckReport) -> String {
    let sections = sections(report);
    html! {
        (DOCTYPE)
        html lang="en" {
            (head(report))
            body {
                (verdict::icons())
                a.skip href="#glance" { "Skip to the result" }
                (header::header(report))
                (nav(&sections))
                main {
                    @for section in &sections { (section.markup()) }
                }
                (footer(report))
                script { (PreEscaped(SCRIPT)) }
            }
        }
    }
    .into_string()
}

/// A part of the page that answers one question.
struct Section {
    id: &'static str,
    title: &'static str,
    /// The title in the navigation.
    short: &'static str,
    question: &'static str,
    verdicts: Vec<Verdict>,
    body: Markup,
}

impl Section {
    fn markup(&self) -> Markup {
        html! {
            section id=(self.id) aria-labelledby=(format!("{}-title", self.id)) {
                div.section-head {
                    div {
                        h2 id=(format!("{}-title", self.id)) { (self.title) }
                        p.question { (self.question) }
                    }
                    (verdict::counts(&self.verdicts))
                }
                (self.body)
            }
        }
    }
}

fn sections(report: &CheckReport) -> Vec<Section> {
    let by_practice = [
        drift::section(report),
        performance::section(report),
        segments::section(report),
        calibration::section(report),
        outcomes::section(report),
    ];
    let mut sections = vec![glance::section(report)];
    sections.extend(by_practice.into_iter().flatten());
    sections.extend([method::section(report), glossary::section()]);
    sections
}

fn head(report: &CheckReport) -> Markup {
    let ends = window::instant_text(report.window.to());
    html! {
        head {
            meta charset="utf-8";
            meta name="viewport" content="width=device-width, initial-scale=1";
            meta name="color-scheme" content="light dark";
            meta name="generator" content=(report.program);
            meta http-equiv="Content-Security-Policy" content=(CONTENT_POLICY);
            link rel="icon" href="data:,";
            title { (report.system.display_name()) " · checks up to " (ends) }
            style { (PreEscaped(STYLE)) }
        }
    }
}

fn nav(sections: &[Section]) -> Markup {
    html! {
        nav.sections aria-label="Sections" {
            div.inner {
                ul {
                    @for section in sections {
                        li { a href=(format!("#{}", section.id)) {
                            (section.short)
                            @if let Some(worst) = section.worst_to_show() { (verdict::icon(worst)) }
                        } }
                    }
                }
            }
        }
    }
}

impl Section {
    /// What the navigation marks: only what needs somebody's eyes.
    fn worst_to_show(&self) -> Option<Verdict> {
        let marked = !matches!(self.id, "glance");
        Verdict::worst(self.verdicts.iter().copied()).filter(|worst| marked && *worst != Verdict::Pass)
    }
}

fn footer(report: &CheckReport) -> Markup {
    html! {
        footer {
            p { "Made by " (report.program) ". This file is complete in itself: it loads nothing and sends nothing." }
        }
    }
}

/// The findings of one check, worst first; those of equal verdict stay in their order.
fn findings_of(report: &CheckReport, check: CheckId) -> Vec<&Finding> {
    let mut findings: Vec<&Finding> =
        report.findings.iter().filter(|finding| finding.check == check).collect();
    findings.sort_by_key(|finding| std::cmp::Reverse(finding.verdict));
    findings
}

fn verdicts(findings: &[&Finding]) -> Vec<Verdict> {
    findings.iter().map(|finding| finding.verdict).collect()
}

/// The anchor of the section that a check is shown in.
fn section_of(check: CheckId) -> &'static str {
    match check {
        CheckId::Drift | CheckId::Multivariate => "drift",
        CheckId::Performance | CheckId::PerformanceOverTime => "performance",
        CheckId::WorstSegment => "segments",
        CheckId::Calibration => "calibration",
        CheckId::Quality | CheckId::Outcomes => "outcomes",
    }
}
