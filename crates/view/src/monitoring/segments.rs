//! Who was served worse, and since when: the metric of each segment's values, window by window.

use maud::{Markup, html};
use types::definition::Metric;
use types::finding::{Finding, MaturityState, Measure, SegmentRow, segment_label};
use types::monitor_report::MonitorReport;
use types::{Verdict, Window, format};

use super::{performance_of, windows_of};
use crate::chart::{Cell, Tone, heat_map, heat_row, month_axis};
use crate::page::measures::measure_label;
use crate::page::{Section, verdict};
use crate::words;

/// Values of one segment column shown before the others are folded away.
const ROWS_SHOWN: usize = 20;
/// Up to this many windows, cells have room for their number.
const WINDOWS_WITH_TEXT: usize = 14;

pub(super) fn section(report: &MonitorReport) -> Option<Section> {
    let groups = groups(report);
    if groups.is_empty() {
        return None;
    }
    let windows = windows_of(&report.performance);
    Some(Section {
        id: "segments",
        title: "Segments over time",
        short: "Segments",
        question: "Who was served worse than the rest, and since when?",
        verdicts: Vec::new(),
        body: html! {
            p.prose { (worst(report)) }
            (legend())
            div class=(format!("scroll map segments {}", heat_map::room(windows.len()))) tabindex="0" role="region" aria-label="Segments by window" {
                @for group in &groups { (group.markup(report, &windows)) }
            }
        },
    })
}

/// The newest finding that says anything of segments, settled ones before those still maturing.
fn newest(report: &MonitorReport) -> Option<&Finding> {
    let with = |settled: bool| {
        report.performance.iter().rev().find(|finding| {
            performance_of(finding).is_some_and(|of| {
                let measured = of.segments.iter().any(|row| row.measure.is_some());
                measured && (!settled || of.maturity.state == MaturityState::Settled)
            })
        })
    };
    with(true).or_else(|| with(false))
}

/// The worst segment of the newest window, by name.
fn worst(report: &MonitorReport) -> Markup {
    let said = newest(report).and_then(|finding| {
        let of = performance_of(finding)?;
        let row = of.segments.iter().find(|row| row.measure.is_some())?;
        Some((finding, of, row, row.measure.as_ref()?))
    });
    html! {
        @if let Some((finding, of, row, measure)) = said {
            "The model is weakest where " strong { (segment_label(&row.column, row.value.as_deref())) } ": "
            (measure_label(measure)) " in " (words::window_text(finding.window))
            @if let Some(overall) = &of.realised { ", against " (words::measure_value(&overall.name, overall.value)) " over all rows" }
            ". A few values are always lowest by chance; a row that stays worse over many windows is hardly chance."
        } @else {
            "No segment had enough outcomes yet to be measured."
        }
    }
}

/// The values of one segment column, worst in the newest window first.
struct Group<'a> {
    column: &'a str,
    values: Vec<Option<&'a str>>,
}

fn groups(report: &MonitorReport) -> Vec<Group<'_>> {
    let newest = newest(report);
    let others = report.performance.iter().rev();
    let rows = newest.into_iter().chain(others).filter_map(performance_of).flat_map(|of| &of.segments);
    let mut groups: Vec<Group<'_>> = Vec::new();
    for row in rows {
        let value = row.value.as_deref();
        match groups.iter_mut().find(|group| group.column == row.column) {
            Some(group) if group.values.contains(&value) => {}
            Some(group) => group.values.push(value),
            None => groups.push(Group { column: &row.column, values: vec![value] }),
        }
    }
    groups
}

impl Group<'_> {
    fn markup(&self, report: &MonitorReport, windows: &[Window]) -> Markup {
        let (shown, folded) = self.values.split_at(self.values.len().min(ROWS_SHOWN));
        html! {
            (self.table(report, windows, shown, true))
            @if !folded.is_empty() {
                details.fold {
                    summary { (format!("{} more values of {}", folded.len(), self.column)) }
                    (self.table(report, windows, folded, false))
                }
            }
        }
    }

    fn table(
        &self,
        report: &MonitorReport,
        windows: &[Window],
        values: &[Option<&str>],
        head: bool,
    ) -> Markup {
        html! {
            table.heat-map {
                @if head {
                    thead { tr {
                        th.name scope="col" { (self.column) }
                        th.cells scope="col" { (month_axis(windows, 6.5)) span.visually-hidden { "Windows" } }
                        @if !with_text(report) { th.num scope="col" { "Last" } }
                    } }
                }
                tbody { @for value in values { (self.row(report, *value)) } }
            }
        }
    }

    fn row(&self, report: &MonitorReport, value: Option<&str>) -> Markup {
        let label = segment_label(self.column, value);
        let rows: Vec<Option<&SegmentRow>> = report
            .performance
            .iter()
            .map(|finding| {
                let of = performance_of(finding)?;
                of.segments.iter().find(|row| row.column == self.column && row.value.as_deref() == value)
            })
            .collect();
        let with_text = with_text(report);
        let cells: Vec<Cell> = report
            .performance
            .iter()
            .zip(&rows)
            .map(|(finding, row)| cell(&label, finding, *row, with_text))
            .collect();
        let measured =
            cells.iter().zip(&rows).filter(|(_, row)| row.is_some_and(|row| row.measure.is_some()));
        let worse = measured.clone().filter(|(cell, _)| is_worse(cell.tone)).count();
        html! {
            tr {
                th.name scope="row" title=(label) { div { span.label { (value.unwrap_or("(missing)")) } } }
                td.cells { (heat_row(&format!("{label}: clearly worse than all rows in {worse} of {} windows", measured.count()), &cells)) }
                @if !with_text { (last_value(&rows)) }
            }
        }
    }
}

/// Whether the numbers stand in the cells themselves.
fn with_text(report: &MonitorReport) -> bool {
    report.performance.len() <= WINDOWS_WITH_TEXT
}

fn last_value(rows: &[Option<&SegmentRow>]) -> Markup {
    let measured = rows.iter().rev().flatten().find_map(|row| Some((row, row.measure.as_ref()?)));
    html! {
        td.num {
            @match measured {
                Some((row, measure)) => {
                    (words::measure_value(&measure.name, measure.value))
                    @match row.verdict.filter(|verdict| *verdict != Verdict::Pass) { Some(of) => (verdict::icon(of)), None => span.icon {} }
                }
                None => { "–" span.icon {} }
            }
        }
    }
}

fn is_worse(tone: Tone) -> bool {
    matches!(tone, Tone::Worse | Tone::Warn | Tone::Fail(_))
}

fn legend() -> Markup {
    html! {
        p.legend {
            span { (heat_map::key(Tone::Better, Some(Verdict::Pass), false)) "clearly better than all rows of the window" }
            span { (heat_map::key(Tone::Calm(0), Some(Verdict::Pass), false)) "no clear difference" }
            span { (heat_map::key(Tone::Worse, Some(Verdict::Pass), false)) "clearly worse" }
            span { (heat_map::key(Tone::Warn, Some(Verdict::Warn), false)) "may be below its limit" }
            span { (heat_map::key(Tone::Fail(1), Some(Verdict::Fail), false)) "below its limit" }
            span { (heat_map::key(Tone::Empty, None, false)) "too few outcomes" }
        }
    }
}

fn cell(label: &str, finding: &Finding, row: Option<&SegmentRow>, with_text: bool) -> Cell {
    let performance = performance_of(finding);
    let overall = performance.and_then(|of| of.realised.as_ref());
    let mut lines = vec![label.to_owned(), words::window_text(finding.window)];
    let measure = row.and_then(|row| row.measure.as_ref());
    match (row, measure) {
        (Some(row), Some(measure)) => {
            lines.push(measure_label(measure));
            lines.extend(row.positives.map(|positives| format!("{} positive", format::count(positives))));
        }
        (Some(row), None) => lines.push(row.reason.clone().unwrap_or_else(|| "too few rows".into())),
        (None, _) => lines.push("no outcomes".into()),
    }
    lines.extend(
        overall.map(|overall| format!("all rows: {}", words::measure_value(&overall.name, overall.value))),
    );
    if performance.is_some_and(|of| of.maturity.state != MaturityState::Settled) {
        lines.push("outcomes are still arriving".into());
    }
    Cell {
        tone: measure.map_or(Tone::Empty, |measure| {
            tone(row.and_then(|row| row.verdict).unwrap_or(Verdict::Pass), measure, overall)
        }),
        verdict: row
            .filter(|_| measure.is_some())
            .map(|row| row.verdict.filter(|of| *of != Verdict::Unknown).unwrap_or(Verdict::Pass)),
        framed: false,
        text: measure.filter(|_| with_text).map(|measure| words::measure_value(&measure.name, measure.value)),
        title: lines.join("\n"),
    }
}

/// Whether the whole interval lies on one side of the value of all rows.
fn tone(verdict: Verdict, measure: &Measure, overall: Option<&Measure>) -> Tone {
    let (Some(overall), Some(interval)) = (overall, measure.interval.as_ref()) else {
        return by_verdict(verdict).unwrap_or(Tone::Calm(0));
    };
    let higher_is_better = types::measure::metric(&measure.name).is_none_or(Metric::higher_is_better);
    let (below, above) = (interval.upper < overall.value, interval.lower > overall.value);
    let (worse, better) = if higher_is_better { (below, above) } else { (above, below) };
    by_verdict(verdict).unwrap_or(match (worse, better) {
        (true, _) => Tone::Worse,
        (_, true) => Tone::Better,
        _ => Tone::Calm(0),
    })
}

fn by_verdict(verdict: Verdict) -> Option<Tone> {
    match verdict {
        Verdict::Fail => Some(Tone::Fail(1)),
        Verdict::Warn => Some(Tone::Warn),
        Verdict::Pass | Verdict::Unknown => None,
    }
}
