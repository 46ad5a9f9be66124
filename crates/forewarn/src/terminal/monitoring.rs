//! Monitoring over time in the terminal: what changed in words, then a line of sparks for every column.

use std::path::Path;

use app::monitor::MonitorOutcome;
use types::finding::MaturityState;
use types::format::{count, counted, number, percent};
use types::measure::{title, value_text};
use types::monitor_report::{ColumnHistory, MonitorReport};
use types::window::instant_text;
use types::{Detail, Finding, Measure, Verdict};
use view::monitoring::sparkline;

use super::page::{Page, gates};
use super::style::{BOLD, DIM, mark, of, styled};
use super::wrap::shortened;

/// The column in which a name ends and its sparks begin.
const NAME: usize = 26;
/// Windows that a line has room for; the last ones.
const WINDOWS: usize = 40;

pub(crate) fn text(outcome: &MonitorOutcome, html: Option<&Path>) -> String {
    let report = &outcome.report;
    let mut page = Page::for_terminal();
    header(&mut page, report);
    gates(&mut page, &report.gates);
    changes(&mut page, report);
    drift(&mut page, report);
    together(&mut page, report);
    performance(&mut page, report);
    quality(&mut page, report);
    footer(&mut page, outcome, html);
    page.text
}

fn header(page: &mut Page, report: &MonitorReport) {
    let system = &report.system;
    page.line(&format!(
        "{} {}",
        styled(BOLD, system.display_name()),
        styled(DIM, &format!("{}@{}", system.id, report.model))
    ));
    let span = match (report.windows.first(), report.windows.last()) {
        (Some(first), Some(last)) => format!(
            "{} from {} to {}",
            counted(
                report.windows.len() as u64,
                report.cadence.word(),
                &format!("{}s", report.cadence.word())
            ),
            instant_text(first.from()),
            instant_text(last.to())
        ),
        _ => format!("no whole {} yet", report.cadence.word()),
    };
    let compared = if report.windows.is_empty() { " to compare with " } else { ", compared against " };
    page.line(&format!("{span}{compared}{}", report.against));
}

fn changes(page: &mut Page, report: &MonitorReport) {
    page.section("Since last time", "what changed?");
    page.paragraph(&report.changes.join(" "));
}

fn drift(page: &mut Page, report: &MonitorReport) {
    if report.drift.is_empty() {
        return;
    }
    page.section("Drift", "how far from the reference, by window; ✗ and ! stand below those that moved");
    let (moved, still): (Vec<&ColumnHistory>, Vec<&ColumnHistory>) =
        report.drift.iter().partition(|column| column.findings.iter().flatten().any(needs_a_look));
    for column in moved {
        column_line(page, column);
    }
    if !still.is_empty() {
        page.finding(Verdict::Pass, &format!("{} never moved", count(still.len() as u64)), "");
        let names: Vec<String> = still.iter().map(|column| column.subject.label()).collect();
        page.sentence(&names.join(", "));
    }
}

/// `PSI 0.412`; of a column without a distance what else was measured, as `missing share change 100 %`.
fn moved(measure: &Measure) -> String {
    format!("{} {}", title(&measure.name), value_text(&measure.name, measure.value))
}

fn needs_a_look(finding: &Finding) -> bool {
    finding.verdict != Verdict::Pass
}

fn column_line(page: &mut Page, column: &ColumnHistory) {
    let shown = &column.findings[column.findings.len().saturating_sub(WINDOWS)..];
    let distances: Vec<Option<f64>> =
        shown.iter().map(|finding| Some(finding.as_ref()?.distance()?.value)).collect();
    let last = shown.last().and_then(Option::as_ref);
    let verdict = last.map_or(Verdict::Unknown, |finding| finding.verdict);
    let name = shortened(&column.subject.label(), NAME);
    let padding = " ".repeat(NAME - name.chars().count());
    let now = last.and_then(|last| last.distance().or_else(|| last.measures.first())).map(moved);
    let now = now.unwrap_or_default();
    page.line(&format!(
        " {} {}{padding} {}  {}",
        styled(of(verdict), &mark(verdict).to_string()),
        styled(BOLD, &name),
        sparkline(&distances),
        styled(DIM, &now)
    ));
    let marks: String = shown
        .iter()
        .map(|finding| match finding.as_ref().map(|finding| finding.verdict) {
            Some(verdict @ (Verdict::Warn | Verdict::Fail | Verdict::Unknown)) => mark(verdict),
            _ => ' ',
        })
        .collect();
    page.line(&format!("   {} {}", " ".repeat(NAME), styled(DIM, &marks)));
}

fn together(page: &mut Page, report: &MonitorReport) {
    let Some(finding) = report.multivariate.iter().flatten().next_back() else { return };
    page.section("All columns together", "can the rows be told from those of the reference?");
    let auc = |finding: &Option<Finding>| Some(finding.as_ref()?.measure("domain_classifier_auc")?.value);
    let shown = &report.multivariate[report.multivariate.len().saturating_sub(WINDOWS)..];
    let areas: Vec<Option<f64>> = shown.iter().map(auc).collect();
    page.finding(
        finding.verdict,
        "domain classifier",
        &view::monitoring::sparkline_between(&areas, 0.5, 1.0),
    );
    page.sentence(&finding.summary);
}

fn performance(page: &mut Page, report: &MonitorReport) {
    let details = || {
        report.performance.iter().filter_map(|finding| match &finding.detail {
            Some(Detail::Performance(of)) => Some((finding, of)),
            _ => None,
        })
    };
    let Some((last, _)) = details().next_back() else { return };
    page.section("Performance", "as it turned out, and as it was estimated without outcomes");
    page.line(&styled(
        DIM,
        "          from        realised               estimated              for shift  outcomes",
    ));
    for (finding, of) in details() {
        let state = match of.maturity.state {
            MaturityState::Settled => "settled",
            MaturityState::Maturing => "arriving",
            MaturityState::TooEarly => "too early",
        };
        page.line(&format!(
            " {} {:<10}  {:<21}  {:<21}  {:<9}  {} {state}",
            styled(
                super::style::of(finding.verdict),
                &format!("{} {:<4}", mark(finding.verdict), short(finding.verdict))
            ),
            instant_text(finding.window.from()),
            of.realised.as_ref().map_or_else(none, spanned),
            of.estimated.as_ref().map_or_else(none, spanned),
            of.estimated_for_shift.as_ref().map_or_else(none, |measure| number(measure.value)),
            percent(of.maturity.coverage),
        ));
    }
    page.sentence(&last.summary);
}

fn none() -> String {
    "–".to_owned()
}

/// `0.765 [0.758 – 0.771]`.
fn spanned(measure: &Measure) -> String {
    let value = number(measure.value);
    match &measure.interval {
        Some(interval) => format!("{value} [{} – {}]", number(interval.lower), number(interval.upper)),
        None => value,
    }
}

fn short(verdict: Verdict) -> &'static str {
    if verdict == Verdict::Unknown { "unkn" } else { verdict.word() }
}

fn quality(page: &mut Page, report: &MonitorReport) {
    if report.quality.is_empty() {
        return;
    }
    let look = report.quality_look.as_ref();
    let look =
        look.map(|look| format!("of the last window, looked at {:.0} in {}", look.at, look.versions()));
    page.section("Data quality", look.as_deref().unwrap_or("of the last window"));
    super::quality::findings(page, &report.quality.iter().collect::<Vec<_>>());
}

fn footer(page: &mut Page, outcome: &MonitorOutcome, html: Option<&Path>) {
    let report = &outcome.report;
    page.line("");
    if let Some(html) = html {
        page.line(&format!("Report    {}", html.display()));
    }
    page.line(&format!(
        "Made      {} of any cadence, {}; {} of {} read",
        counted(outcome.made as u64, "window", "windows"),
        counted(outcome.recorded as u64, "finding", "findings"),
        count(report.files_read),
        counted(report.files, "file", "files"),
    ));
    page.line(&format!("Evidence  {} (as of {})", outcome.evidence, instant_text(report.as_of)));
    page.line(&styled(DIM, &format!("Checkpoint {}", report.checkpoint)));
}
