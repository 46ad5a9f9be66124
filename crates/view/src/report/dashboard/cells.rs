//! The headline of each check, small and side by side.

use maud::{Markup, html};
use types::CheckId;
use types::finding::{Detail, Finding, Measure, Subject};
use types::report::CheckReport;
use types::{Verdict, format};

use crate::page::measures::breakable;
use crate::page::verdict;
use crate::report::loss::Loss;
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
    let loss = Loss::of(report);
    html! {
        div.stats {
            @for check in ORDER {
                @let findings = findings_of(report, check);
                @if let Some(worst) = findings.first() { (cell(check, worst, &findings, loss.as_ref())) }
            }
        }
    }
}

fn cell(check: CheckId, worst: &Finding, findings: &[&Finding], loss: Option<&Loss>) -> Markup {
    html! {
        a.stat class=(worst.verdict.word()) href=(format!("#{}", section_of(check))) {
            span.stat-head { span { (words::check_title(check)) } (verdict::icon(worst.verdict)) }
            @if matches!(check, CheckId::Drift | CheckId::Quality) { (counted(worst, findings)) } @else { (headline(worst, loss)) }
        }
    }
}

/// How many of the columns do not pass, and the worst of them.
fn counted(worst: &Finding, findings: &[&Finding]) -> Markup {
    let conspicuous =
        findings.iter().filter(|finding| matches!(finding.verdict, Verdict::Fail | Verdict::Warn)).count();
    html! {
        strong { (conspicuous) span.of { " of " (findings.len()) } }
        span.sub { "failing or worth a look" @if worst.verdict != Verdict::Pass { ", worst: " (breakable(&worst.subject.label())) } }
    }
}

/// The headline; of a window over time what outcomes say, else what was estimated.
fn measure(finding: &Finding) -> Option<&Measure> {
    let monitored = match &finding.detail {
        Some(Detail::Performance(of)) => of.realised.as_ref().or(of.estimated.as_ref()),
        _ => None,
    };
    monitored.or(finding.measures.first())
}

/// What is said of a check without a number that decides.
fn without_headline(finding: &Finding) -> &'static str {
    match &finding.detail {
        Some(Detail::Fairness(of)) if finding.unmeasured.is_empty() && !of.criteria.is_empty() => {
            "groups are compared, and no limit decides"
        }
        _ => "not measured",
    }
}

fn headline(finding: &Finding, loss: Option<&Loss>) -> Markup {
    let Some(measure) = measure(finding) else {
        return html! { strong { "—" } span.sub { (without_headline(finding)) } };
    };
    let own = words::unit_of(finding.detail.as_ref(), &measure.name);
    let unit = match (own, loss) {
        ("loss_difference", Some(loss)) => loss.unit.as_str(),
        _ => own,
    };
    let ends =
        measure.interval.as_ref().map(|of| [of.lower, of.upper].map(|end| words::measure_value(unit, end)));
    html! {
        strong { (words::measure_value(unit, measure.value)) }
        span.sub {
            (words::sentence_case(&words::measure_title(&measure.name)))
            @if let Subject::Segment { .. } = finding.subject { ", " (breakable(&finding.subject.label())) }
        }
        span.sub.range { @if let Some([lower, upper]) = ends { (lower) " – " (upper) ", " } "n " (format::count(measure.n)) }
    }
}
