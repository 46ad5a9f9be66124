//! The headline of each check, small and side by side.

use maud::{Markup, html};
use types::finding::{CheckId, Finding, Subject};
use types::report::CheckReport;
use types::{Verdict, format};

use crate::page::measures::breakable;
use crate::page::verdict;
use crate::report::{findings_of, section_of};
use crate::words;

/// The checks in the order of their sections.
const ORDER: [CheckId; 14] = [
    CheckId::Performance,
    CheckId::WorstSegment,
    CheckId::Slices,
    CheckId::WorstSubpopulation,
    CheckId::Tail,
    CheckId::Errors,
    CheckId::Calibration,
    CheckId::Fairness,
    CheckId::Comparison,
    CheckId::Drift,
    CheckId::Multivariate,
    CheckId::Quality,
    CheckId::Outcomes,
    CheckId::PerformanceOverTime,
];

pub(in crate::report) fn cells(report: &CheckReport) -> Markup {
    html! {
        div.cells {
            @for check in ORDER {
                @let findings = findings_of(report, check);
                @if let Some(worst) = findings.first() { (cell(check, worst, &findings)) }
            }
        }
    }
}

fn cell(check: CheckId, worst: &Finding, findings: &[&Finding]) -> Markup {
    html! {
        a.cell class=(worst.verdict.word()) href=(format!("#{}", section_of(check))) {
            span.cell-head { span { (words::check_title(check)) } (verdict::icon(worst.verdict)) }
            @if matches!(check, CheckId::Drift | CheckId::Quality) { (counted(worst, findings)) } @else { (headline(worst)) }
        }
    }
}

/// How many of the columns do not pass, and the worst of them.
fn counted(worst: &Finding, findings: &[&Finding]) -> Markup {
    let conspicuous = findings.iter().filter(|finding| matches!(finding.verdict, Verdict::Fail | Verdict::Warn)).count();
    html! {
        strong { (conspicuous) span.of { " of " (findings.len()) } }
        span.sub { "failing or worth a look" @if worst.verdict != Verdict::Pass { ", worst: " (breakable(&worst.subject.label())) } }
    }
}

fn headline(finding: &Finding) -> Markup {
    let Some(measure) = finding.measures.first() else {
        return html! { strong { "—" } span.sub { "not measured" } };
    };
    let unit = words::unit_of(finding.detail.as_ref(), &measure.name);
    let ends = measure.interval.as_ref().map(|of| [of.lower, of.upper].map(|end| words::measure_value(unit, end)));
    html! {
        strong { (words::measure_value(unit, measure.value)) }
        span.sub {
            (words::sentence_case(&words::measure_title(&measure.name)))
            @if let Subject::Segment { .. } = finding.subject { ", " (breakable(&finding.subject.label())) }
        }
        span.sub.range { @if let Some([lower, upper]) = ends { (lower) " – " (upper) ", " } "n " (format::count(measure.n)) }
    }
}
