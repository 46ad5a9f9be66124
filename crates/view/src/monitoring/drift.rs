//! What drifted when: a heat map of columns by windows, the alarms that stand, the numbers below.

use maud::{Markup, html};
use types::finding::Finding;
use types::monitor_report::{ColumnHistory, MonitorReport};
use types::{Verdict, Window, format, sure_change};

use super::{ColumnLink, columns, counted, last_drift, last_of};
use crate::chart::{Cell, Tone, heat_map, heat_row, month_axis};
use crate::page::effect::{
    adjusted, alarm_stands, budget, distance, distance_text, distance_title, distribution, limits, origin,
};
use crate::page::measures::prose;
use crate::page::{Section, verdict, verdicts, worst_first};
use crate::words;

pub(super) const ID: &str = "drift";

/// Rows of the map before the others are folded away.
const ROWS_SHOWN: usize = 30;
/// Rows of the map at least, quiet ones where there are not enough others.
const ROWS_AT_LEAST: usize = 10;
/// Alarms that the opening names.
const ALARMS_NAMED: usize = 6;
/// Sentences about the last window before the others are folded away.
const SENTENCES_SHOWN: usize = 5;

pub(super) fn section(report: &MonitorReport, to: ColumnLink<'_>) -> Option<Section> {
    if report.drift.is_empty() || report.windows.is_empty() {
        return None;
    }
    Some(Section {
        id: ID,
        title: "Drift over time",
        short: "Drift",
        question: "When did which inputs and outputs stop looking like what they are compared with?",
        verdicts: verdicts(&last_drift(report)),
        body: html! {
            p.prose { (opening(report)) }
            (map(report, to))
            (last_window(report))
            (columns::table(report))
        },
    })
}

/// How many columns drifted, how many alarms stand and since when.
fn opening(report: &MonitorReport) -> Markup {
    let last = last_drift(report);
    let count = |of: Verdict| last.iter().filter(|finding| finding.verdict == of).count();
    let columns = format::counted(report.drift.len() as u64, "column", "columns");
    html! {
        "Over " (counted(report.cadence, report.windows.len())) ", " (columns) " were compared with " (report.against) ". "
        "In the last window " (count(Verdict::Fail)) " fail, " (count(Verdict::Warn)) " deserve a look"
        @if count(Verdict::Unknown) > 0 { ", " (count(Verdict::Unknown)) " could not be measured" }
        " and " (count(Verdict::Pass)) " pass. "
        (alarms(report))
    }
}

/// The alarms that stand in the last window, each with the window in which it first stood.
///
/// Evidence for a change and its size are told apart: only the large ones are named.
fn alarms(report: &MonitorReport) -> Markup {
    let budget = report
        .drift
        .iter()
        .flat_map(|column| column.findings.iter().flatten())
        .find_map(budget)
        .map(format::percent);
    let standing: Vec<(&ColumnHistory, Window)> = report
        .drift
        .iter()
        .filter_map(|column| Some((column, stands_since(column, &report.windows)?)))
        .collect();
    let newest = standing.iter().filter_map(|(column, _)| {
        column.findings.iter().rev().flatten().find(|finding| finding.sequential.is_some())
    });
    let is_large = |column: &ColumnHistory| last_of(column).is_some_and(|last| last.verdict > Verdict::Pass);
    let large: Vec<_> = standing.iter().filter(|(column, _)| is_large(column)).collect();
    let small = standing.len() - large.len();
    let (named, more) = large.split_at(large.len().min(ALARMS_NAMED));
    html! {
        @if let Some(budget) = budget.filter(|_| has_state(report)) {
            @if standing.is_empty() {
                "No column has surely changed, at a probability of " (budget) " of ever saying so falsely, over all columns and windows."
            } @else {
                "At a probability of " (budget) " of ever saying so falsely, over all columns and windows, "
                (sure_change::in_words(newest).unwrap_or_default())
                @for (i, (column, since)) in named.iter().enumerate() {
                    @if i == 0 { ": " } @else { ", " }
                    code { (column.subject.label()) } " since " span.date { (types::window::instant_text(since.from())) }
                }
                @if !more.is_empty() { " and " (more.len()) " more" }
                @if small > 0 { "; " (format::counted(small as u64, "column passes", "columns pass")) " all the same, because in this window the change is too small to matter" }
                "."
            }
        }
    }
}

fn has_state(report: &MonitorReport) -> bool {
    report
        .drift
        .iter()
        .any(|column| column.findings.iter().flatten().any(|finding| finding.sequential.is_some()))
}

/// The window from which on the alarm of a column has stood without a break.
///
/// A window that was not measured neither raises an alarm nor lifts one.
pub(super) fn stands_since(column: &ColumnHistory, windows: &[Window]) -> Option<Window> {
    let mut since = None;
    for (finding, window) in column.findings.iter().zip(windows).rev() {
        match finding.as_ref().filter(|finding| finding.sequential.is_some()) {
            Some(finding) if alarm_stands(finding) => since = Some(*window),
            Some(_) => break,
            None => {}
        }
    }
    since
}

fn map(report: &MonitorReport, to: ColumnLink<'_>) -> Markup {
    let (shown, folded) = split(&report.drift);
    let quiet = folded.iter().filter(|column| is_quiet(column)).count();
    html! {
        (legend(report))
        div class=(format!("scroll map {}", heat_map::room(report.windows.len()))) tabindex="0" role="region" aria-label="Drift of columns by window" {
            (rows(report, &shown, true, to))
            @if !folded.is_empty() {
                details.fold {
                    summary { (format!("{} more columns", folded.len())) span.sub { (format!("{quiet} of them passed in every window")) } }
                    (rows(report, &folded, false, to))
                }
            }
        }
    }
}

/// The rows to show: all if they are few, else those that ever were remarkable, worst first.
fn split(columns: &[ColumnHistory]) -> (Vec<&ColumnHistory>, Vec<&ColumnHistory>) {
    if columns.len() <= ROWS_SHOWN {
        return (columns.iter().collect(), Vec::new());
    }
    let (mut quiet, mut shown): (Vec<_>, Vec<_>) = columns.iter().partition(|column| is_quiet(column));
    let mut folded = shown.split_off(shown.len().min(ROWS_SHOWN));
    // A map of nothing would look like a mistake.
    let fill = ROWS_AT_LEAST.saturating_sub(shown.len()).min(quiet.len());
    shown.extend(quiet.drain(..fill));
    folded.extend(quiet);
    (shown, folded)
}

fn is_quiet(column: &ColumnHistory) -> bool {
    column.findings.iter().flatten().all(|finding| finding.verdict == Verdict::Pass)
}

fn legend(report: &MonitorReport) -> Markup {
    html! {
        p.legend {
            span { span.ramp { @for level in 0..4 { (heat_map::key(Tone::Calm(level), Some(Verdict::Pass), false)) } } "pass, stronger the more it moved" }
            span { (heat_map::key(Tone::Warn, Some(Verdict::Warn), false)) "warn" }
            span { span.ramp { @for level in 0..3 { (heat_map::key(Tone::Fail(level), Some(Verdict::Fail), false)) } } "fail, stronger the larger" }
            span { (heat_map::key(Tone::Unknown, Some(Verdict::Unknown), false)) "could not be measured" }
            span { (heat_map::key(Tone::Empty, None, false)) "no data" }
            @if has_state(report) { span { (heat_map::key(Tone::Fail(0), Some(Verdict::Pass), true)) "has surely changed" } }
        }
    }
}

fn rows(report: &MonitorReport, columns: &[&ColumnHistory], with_months: bool, to: ColumnLink<'_>) -> Markup {
    html! {
        table.heat-map {
            @if with_months {
                thead { tr {
                    th.name scope="col" { "Column" }
                    th.cells scope="col" { (month_axis(&report.windows, 6.5)) span.visually-hidden { "Windows" } }
                    th.num scope="col" { "Last " (distance_title(report.drift.iter().filter_map(last_of))) }
                } }
            }
            tbody { @for column in columns { (row(column, &report.windows, to(&column.subject))) } }
        }
    }
}

fn row(column: &ColumnHistory, windows: &[Window], href: Option<String>) -> Markup {
    let label = column.subject.label();
    let last = last_of(column);
    let cells: Vec<Cell> = windows
        .iter()
        .enumerate()
        .map(|(slot, window)| cell(&label, *window, column.findings.get(slot).and_then(Option::as_ref)))
        .collect();
    html! {
        tr {
            th.name scope="row" title=(label) {
                div { @match href { Some(href) => a.label href=(href) { (label) }, None => span.label { (label) } } @if let Some(origin) = origin(&column.subject) { span.sub { (origin) } } }
            }
            td.cells { (heat_row(&in_words(&label, column), &cells)) }
            td.num {
                @if let Some(text) = last.and_then(distance_text) { (text) } @else { "–" }
                @match last { Some(last) => (verdict::icon(last.verdict)), None => span.icon {} }
            }
        }
    }
}

/// `temp: 35 windows, 12 fail, 3 warn, 20 pass`.
fn in_words(label: &str, column: &ColumnHistory) -> String {
    let mut said = vec![format::counted(column.findings.len() as u64, "window", "windows")];
    for of in words::WORST_FIRST {
        let count = column.findings.iter().flatten().filter(|finding| finding.verdict == of).count();
        if count > 0 {
            said.push(format!("{count} {of}"));
        }
    }
    format!("{label}: {}", said.join(", "))
}

fn cell(label: &str, window: Window, finding: Option<&Finding>) -> Cell {
    Cell {
        tone: finding.map_or(Tone::Empty, tone),
        verdict: finding.map(|finding| finding.verdict),
        framed: finding.is_some_and(alarm_stands),
        text: None,
        title: hover(label, window, finding),
    }
}

/// The colour of a cell: what it came to, and how large the change is beside the limits.
fn tone(finding: &Finding) -> Tone {
    let limits = limits(finding);
    let chance = distance(finding).and_then(|distance| distance.expected_by_chance).unwrap_or(0.0);
    // A share that fell is as large a change as one that rose.
    let above = distance(finding).map_or(0.0, |distance| distance.value.abs() - chance);
    let against = |limit: Option<f64>| limit.map_or(0.0, |limit| above / (limit - chance).max(1e-9));
    let level = |value: f64, steps: [f64; 2]| steps.iter().filter(|step| value >= **step).count() as u8;
    let smallest = limits.iter().copied().reduce(f64::min);
    let largest = limits.iter().copied().reduce(f64::max);
    match finding.verdict {
        Verdict::Pass => {
            let of_limit = against(smallest);
            Tone::Calm(level(of_limit, [0.25, 0.5]) + u8::from(of_limit >= 1.0))
        }
        Verdict::Warn => Tone::Warn,
        Verdict::Fail => Tone::Fail(level(against(largest), [2.0, 4.0])),
        Verdict::Unknown => Tone::Unknown,
    }
}

/// What a cell says on hover.
pub(super) fn hover(label: &str, window: Window, finding: Option<&Finding>) -> String {
    let when = words::window_text(window);
    let Some(finding) = finding else {
        return format!("{label}\n{when}: no data");
    };
    let mut lines = vec![label.to_owned(), format!("{when}: {}", finding.verdict)];
    if let Some(distance) = distance(finding) {
        let chance = distance
            .expected_by_chance
            .map(|chance| format!(", {} expected by chance", format::number(chance)));
        let title = words::measure_title(&distance.name);
        lines.push(format!(
            "{title} {}{}",
            words::measure_value(&distance.name, distance.value),
            chance.unwrap_or_default()
        ));
    }
    if let Some(of) = distribution(finding) {
        let [before, now] = [of.reference_missing, of.current_missing].map(format::percent);
        lines.push(if before == now {
            format!("missing {now}")
        } else {
            format!("missing {before} → {now}")
        });
    }
    if let Some(adjusted) = adjusted(finding) {
        let stands = if alarm_stands(finding) { ": has surely changed" } else { "" };
        lines.push(format!("adjusted significance {}{stands}", format::p_value(adjusted)));
    }
    lines.extend(finding.unmeasured.first().map(|missing| missing.reason.clone()));
    lines.join("\n")
}

/// What the findings of the last window say, worst first.
fn last_window(report: &MonitorReport) -> Markup {
    let findings = worst_first(last_drift(report));
    let said: Vec<&Finding> =
        findings.into_iter().filter(|finding| finding.verdict != Verdict::Pass).collect();
    let (shown, folded) = said.split_at(said.len().min(SENTENCES_SHOWN));
    html! {
        @if !said.is_empty() {
            h3.group { "The last window in words" }
            @for finding in shown { (sentence(finding)) }
            @if !folded.is_empty() {
                details.fold {
                    summary { (format!("{} more", folded.len())) }
                    @for finding in folded { (sentence(finding)) }
                }
            }
        }
    }
}

fn sentence(finding: &Finding) -> Markup {
    html! {
        div.verdict-line {
            (verdict::chip(finding.verdict))
            p.sentence { (prose(&finding.summary)) }
        }
    }
}
