//! The check as a table: the gate first, then the worst first, each with its plain sentence.

use std::path::Path;

use app::CheckOutcome;
use types::format::{count, number, percent};
use types::gate::GateDecision;
use types::measure::{title, value_text};
use types::report::CheckReport;
use types::window::instant_text;
use types::{CheckId, Detail, Finding, Measure, Subject, Verdict};

use super::style::{BAD, BOLD, DIM, GOOD, mark, of, styled};
use super::wrap::{shortened, wrapped};

/// Columns that are used where the output is not a terminal.
const WIDTH: usize = 80;
/// Beyond this a line is hard to read.
const WIDTH_MAX: usize = 100;
/// The column in which a finding's subject ends and its numbers begin.
const SUBJECT: usize = 24;

pub(crate) fn text(outcome: &CheckOutcome, html: Option<&Path>) -> String {
    let width = terminal_size::terminal_size_of(std::io::stdout())
        .map_or(WIDTH, |(width, _)| usize::from(width.0).clamp(40, WIDTH_MAX));
    let report = &outcome.report;
    let mut page = Page { width, text: String::new() };
    header(&mut page, report);
    gates(&mut page, report);
    evaluation(&mut page, report);
    drift(&mut page, report);
    quality(&mut page, report);
    footer(&mut page, outcome, html);
    page.text
}

struct Page {
    width: usize,
    text: String,
}

impl Page {
    fn line(&mut self, line: &str) {
        self.text.push_str(line.trim_end());
        self.text.push('\n');
    }

    fn section(&mut self, title: &str, note: &str) {
        self.line("");
        self.line(&format!("{} {}", styled(BOLD, title), styled(DIM, note)));
    }

    /// A sentence below a finding.
    fn sentence(&mut self, text: &str) {
        for line in wrapped(text, self.width.saturating_sub(9)) {
            self.line(&format!("         {line}"));
        }
    }

    /// `✗ fail  temp    PSI 2.310   weather`
    fn finding(&mut self, verdict: Verdict, subject: &str, numbers: &str) {
        let style = of(verdict);
        let subject = shortened(subject, SUBJECT);
        let padding = " ".repeat(SUBJECT - subject.chars().count());
        let word = if verdict == Verdict::Unknown { "unkn" } else { verdict.word() };
        let label = styled(style, &format!("{} {word}", mark(verdict)));
        self.line(&format!(" {label}  {}{padding} {numbers}", styled(BOLD, &subject)));
    }
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

fn gates(page: &mut Page, report: &CheckReport) {
    page.line("");
    if report.gates.is_empty() {
        page.line("No gate is defined, so nothing depends on these checks yet: add [gate.deploy].");
    }
    for gate in &report.gates {
        let (style, state) = if gate.open { (GOOD, "✓ open") } else { (BAD, "✗ SHUT") };
        page.line(&format!(
            "{} {}",
            styled(style.bold(), &format!("{state}  gate {}", gate.gate)),
            styled(DIM, &needs(gate))
        ));
        for need in gate.needs.iter().filter(|need| !need.state.keeps_gate_open()) {
            let reasons = need.reasons.join(", ");
            let lines = wrapped(
                &format!("{} {}: {reasons}", need.check, need.state.word()),
                page.width.saturating_sub(9),
            );
            for line in lines {
                page.line(&format!("         {line}"));
            }
        }
    }
}

fn needs(gate: &GateDecision) -> String {
    let met = gate.needs.iter().filter(|need| need.state.keeps_gate_open()).count();
    format!("{met} of {} needs met", gate.needs.len())
}

fn of_check(report: &CheckReport, check: CheckId) -> Vec<&Finding> {
    report.findings.iter().filter(|finding| finding.check == check).collect()
}

fn evaluation(page: &mut Page, report: &CheckReport) {
    let mut findings: Vec<&Finding> =
        report.findings.iter().filter(|finding| finding.check.practice() == "evaluate").collect();
    if findings.is_empty() {
        return;
    }
    findings.sort_by_key(|finding| std::cmp::Reverse(finding.verdict));
    page.section("Evaluate", "how good is the model, on average and where it is worst?");
    for finding in findings {
        let name = match finding.check {
            CheckId::Performance => "average performance",
            CheckId::WorstSegment => "worst segment",
            CheckId::Calibration => "calibration",
            _ => "outcomes",
        };
        let numbers = finding.measures.first().map(headline).unwrap_or_default();
        page.finding(finding.verdict, name, &numbers);
        page.sentence(&finding.summary);
        if let Some(Detail::Segments { rows, .. }) = &finding.detail {
            worst_segments(page, rows);
        }
    }
}

/// Segments listed below the worst one.
const MORE_SEGMENTS: usize = 4;

fn worst_segments(page: &mut Page, rows: &[types::finding::SegmentRow]) {
    let measured = rows.iter().filter_map(|row| Some((row, row.measure.as_ref()?)));
    for (row, measure) in measured.skip(1).take(MORE_SEGMENTS) {
        let label = types::finding::segment_label(&row.column, row.value.as_deref());
        let line =
            format!("{:<SUBJECT$} {} {}", shortened(&label, SUBJECT), number(measure.value), span(measure));
        page.line(&styled(DIM, &format!("         {line}  {} rows", count(row.rows))));
    }
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
    if let Some(psi) = finding.measure("psi") {
        parts.push(format!("PSI {}", number(psi.value)));
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
    if let Some(unseen) = finding.measure("unseen_share")
        && unseen.value > 0.0
    {
        parts.push(format!("unseen {}", percent(unseen.value)));
    }
    if let Subject::Feature { source: Some(source), .. } = &finding.subject {
        parts.push(styled(DIM, source));
    }
    parts.join("  ")
}

fn quality(page: &mut Page, report: &CheckReport) {
    let findings = of_check(report, CheckId::Quality);
    if findings.is_empty() {
        return;
    }
    page.section("Data quality", "can the log be believed?");
    for finding in findings {
        let numbers = if finding.verdict == Verdict::Pass {
            String::new()
        } else {
            finding.measures.first().map(headline).unwrap_or_default()
        };
        page.finding(finding.verdict, &finding.subject.label(), &numbers);
        page.sentence(&finding.summary);
    }
}

fn headline(measure: &Measure) -> String {
    let value = value_text(&measure.name, measure.value);
    let span = span(measure);
    let span = if span.is_empty() { span } else { format!(" {}", styled(DIM, &span)) };
    format!("{} {value}{span}", title(&measure.name))
}

fn span(measure: &Measure) -> String {
    measure.interval.as_ref().map_or_else(String::new, |interval| {
        let [lower, upper] = [interval.lower, interval.upper].map(|bound| value_text(&measure.name, bound));
        format!("[{lower} – {upper}]")
    })
}

fn footer(page: &mut Page, outcome: &CheckOutcome, html: Option<&Path>) {
    let report = &outcome.report;
    page.line("");
    if let Some(html) = html {
        page.line(&format!("Report    {}", html.display()));
    }
    page.line(&format!(
        "Evidence  {} ({} findings, as of {})",
        outcome.evidence.display(),
        report.findings.len(),
        instant_text(report.as_of)
    ));
    page.line(&styled(DIM, &format!("Checkpoint {}", report.checkpoint)));
}
