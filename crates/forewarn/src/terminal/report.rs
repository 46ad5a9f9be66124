//! The check as a table: the gate first, then the worst first, each with its plain sentence.

use std::path::Path;

use app::CheckOutcome;
use types::format::{count, number, percent};
use types::measure::{range_text, title, unit_of, value_text};
use types::report::CheckReport;
use types::window::instant_text;
use types::{CheckId, Finding, Measure, Subject, Verdict};

use super::page::{Page, gates};
use super::style::{BOLD, DIM, styled};

pub(crate) fn text(outcome: &CheckOutcome, html: Option<&Path>) -> String {
    let report = &outcome.report;
    let mut page = Page::for_terminal();
    header(&mut page, report);
    gates(&mut page, &report.gates);
    super::evaluation::evaluation(&mut page, report);
    drift(&mut page, report);
    sentences(&mut page, report, CheckId::Multivariate, "All columns together", "do they still go together?");
    sentences(
        &mut page,
        report,
        CheckId::PerformanceOverTime,
        "Performance",
        "realised, or estimated without outcomes",
    );
    quality(&mut page, report);
    footer(&mut page, outcome, html);
    page.text
}

fn header(page: &mut Page, report: &CheckReport) {
    let system = &report.system;
    page.line(&format!(
        "{} {}",
        styled(BOLD, system.display_name()),
        styled(DIM, &format!("{}@{}", system.id, report.model))
    ));
    page.line(&format!("window {} against reference {}", report.window, report.reference));
}

fn of_check(report: &CheckReport, check: CheckId) -> Vec<&Finding> {
    report.findings.iter().filter(|finding| finding.check == check).collect()
}

fn drift(page: &mut Page, report: &CheckReport) {
    let findings = of_check(report, CheckId::Drift);
    if findings.is_empty() {
        return;
    }
    let tally = [Verdict::Fail, Verdict::Unknown, Verdict::Warn, Verdict::Pass]
        .into_iter()
        .filter_map(|verdict| {
            let count = findings.iter().filter(|finding| finding.verdict == verdict).count();
            (count > 0).then(|| format!("{count} {}", verdict.word()))
        })
        .collect::<Vec<_>>()
        .join(", ");
    page.section("Drift", &format!("have inputs and outputs moved? {tally}"));
    for finding in findings.iter().filter(|finding| finding.verdict != Verdict::Pass) {
        page.finding(finding.verdict, &finding.subject.label(), &drift_numbers(finding));
        page.sentence(&finding.summary);
    }
    let still: Vec<String> =
        findings.iter().filter(|f| f.verdict == Verdict::Pass).map(|f| f.subject.label()).collect();
    if !still.is_empty() {
        page.finding(Verdict::Pass, &format!("{} unchanged", count(still.len() as u64)), "");
        page.sentence(&still.join(", "));
    }
}

fn drift_numbers(finding: &Finding) -> String {
    let mut parts = Vec::new();
    if let Some(distance) = finding.distance() {
        parts.push(format!("{} {}", title(&distance.name), number(distance.value)));
    }
    if let Some(missing) = finding.measure("missing_share_change")
        && missing.value.abs() >= 0.01
    {
        parts.push(format!(
            "missing {}{}",
            if missing.value > 0.0 { "+" } else { "" },
            percent(missing.value)
        ));
    }
    for (name, words) in [("unseen_share", "unseen"), ("unseen_token_share", "new tokens")] {
        if let Some(unseen) = finding.measure(name)
            && unseen.value > 0.0
        {
            parts.push(format!("{words} {}", percent(unseen.value)));
        }
    }
    if let Some(distance) = finding.measure("centroid_distance") {
        parts.push(format!("mean moved {}", number(distance.value)));
    }
    if let Subject::Feature { source: Some(source), .. } = &finding.subject {
        parts.push(styled(DIM, source));
    }
    parts.join("  ")
}

/// A check whose finding is best said in a sentence.
fn sentences(page: &mut Page, report: &CheckReport, check: CheckId, title: &str, note: &str) {
    let findings = of_check(report, check);
    if findings.is_empty() {
        return;
    }
    page.section(title, note);
    for finding in findings {
        let numbers = finding.measures.first().map(|measure| headline(finding, measure)).unwrap_or_default();
        page.finding(finding.verdict, &finding.subject.label(), &numbers);
        page.sentence(&finding.summary);
    }
}

fn quality(page: &mut Page, report: &CheckReport) {
    let findings = of_check(report, CheckId::Quality);
    if findings.is_empty() {
        return;
    }
    page.section("Data quality", "can the log be believed?");
    super::quality::findings(page, &findings);
}

pub(super) fn headline(finding: &Finding, measure: &Measure) -> String {
    format!("{} {}", title(&measure.name), value_and_span(finding, measure))
}

/// `0.713 [0.698 – 0.728]`, the interval quietly; only the value where there is none.
pub(super) fn value_and_span(finding: &Finding, measure: &Measure) -> String {
    let unit = unit_of(finding.detail.as_ref(), &measure.name);
    let range = range_text(unit, measure.interval);
    let span = range.map_or_else(String::new, |range| format!(" {}", styled(DIM, &format!("[{range}]"))));
    format!("{}{span}", value_text(unit, measure.value))
}

fn footer(page: &mut Page, outcome: &CheckOutcome, html: Option<&Path>) {
    let report = &outcome.report;
    page.line("");
    if let Some(html) = html {
        page.line(&format!("Report    {}", html.display()));
    }
    page.line(&format!(
        "Evidence  {} ({} findings, as of {})",
        outcome.evidence,
        report.findings.len(),
        instant_text(report.as_of)
    ));
    page.line(&styled(DIM, &format!("Checkpoint {}", report.checkpoint)));
}
