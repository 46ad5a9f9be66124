//! Who is served worse: one forest plot per segment column, all on one scale.

use maud::{Markup, html};
use types::CheckId;
use types::finding::{Detail, Finding, Measure, SegmentRow, segment_label};
use types::report::CheckReport;
use types::{Verdict, format};

use super::findings_of;
use crate::chart::{Guide, GuideKind, Scale, axis, lane_with};
use crate::page::measures::{breakable, limits, measure_label, said, unmeasured};
use crate::page::{Section, verdict, verdicts};
use crate::words;

/// Rows of one segment column shown before the others are folded away.
const ROWS_SHOWN: usize = 25;

pub(super) fn section(report: &CheckReport) -> Option<Section> {
    let findings = findings_of(report, CheckId::WorstSegment);
    if findings.is_empty() {
        return None;
    }
    Some(Section {
        id: "segments",
        title: "Segments",
        short: "Segments",
        question: "Does the model serve everybody about equally well, or does the average hide somebody?",
        verdicts: verdicts(&findings),
        body: body(&findings),
    })
}

fn body(findings: &[&Finding]) -> Markup {
    let plot = Forest::of(findings);
    // Worst first: with nothing to say about any of them, the first one stands for all.
    let spoken =
        findings.iter().take_while(|finding| finding.verdict != Verdict::Pass).count().clamp(1, ROWS_SHOWN);
    html! {
        @for finding in findings.iter().take(spoken) { (said(finding)) }
        @if plot.columns.is_empty() {
            p.empty { "No segment was measured. Name the columns whose values your users care about under " code { "[log] segments" } "." }
        } @else {
            (plot.legend())
            @for (column, rows) in &plot.columns { (plot.group(column, rows)) }
        }
        @for finding in findings { (unmeasured(finding)) }
    }
}

/// What all groups share: the metric, its scale, the lines behind the dots, the worst row.
struct Forest<'a> {
    metric: &'a str,
    scale: Scale,
    guides: Vec<Guide>,
    overall: Option<&'a Measure>,
    worst: Option<(&'a str, Option<&'a str>)>,
    columns: Vec<(&'a str, Vec<&'a SegmentRow>)>,
}

impl<'a> Forest<'a> {
    fn of(findings: &[&'a Finding]) -> Self {
        let mut forest = Self {
            metric: "",
            scale: Scale::new(0.0, 1.0),
            guides: Vec::new(),
            overall: None,
            worst: None,
            columns: Vec::new(),
        };
        for finding in findings {
            if let Some(Detail::Segments { metric, overall, rows, .. }) = &finding.detail {
                forest.add(finding, metric, overall.as_ref(), rows);
            }
        }
        let mut columns = forest.columns.iter().flat_map(|(_, rows)| rows);
        let ends = columns.by_ref().flat_map(|row| row.measure.iter().chain(&row.shrunken)).flat_map(ends);
        forest.scale = Scale::around(ends.chain(forest.guides.iter().map(|guide| guide.at)));
        let ticks = forest.scale.ticks(5).into_iter().map(|at| Guide { at, kind: GuideKind::Tick });
        forest.guides.splice(0..0, ticks);
        for (_, rows) in &mut forest.columns {
            rows.sort_by_key(|row| row.measure.is_none());
        }
        // Two columns at once come after the single ones.
        forest.columns.sort_by_key(|(column, _)| column.contains(" × "));
        forest
    }

    fn add(
        &mut self,
        finding: &Finding,
        metric: &'a str,
        overall: Option<&'a Measure>,
        rows: &'a [SegmentRow],
    ) {
        self.metric = metric;
        if let Some(overall) = overall.filter(|_| self.overall.is_none()) {
            self.overall = Some(overall);
            self.guides.push(Guide { at: overall.value, kind: GuideKind::Overall });
        }
        for at in limits(finding, metric) {
            let limit = Guide { at, kind: GuideKind::Limit };
            if !self.guides.contains(&limit) {
                self.guides.push(limit);
            }
        }
        if self.worst.is_none() {
            let measured = rows.iter().find(|row| row.measure.is_some());
            self.worst = measured.map(|row| (row.column.as_str(), row.value.as_deref()));
        }
        for row in rows {
            self.add_row(row);
        }
    }

    fn add_row(&mut self, row: &'a SegmentRow) {
        match self.columns.iter_mut().find(|(column, _)| *column == row.column) {
            Some((_, rows)) if rows.iter().any(|known| known.value == row.value) => {}
            Some((_, rows)) => rows.push(row),
            None => self.columns.push((&row.column, vec![row])),
        }
    }

    fn legend(&self) -> Markup {
        let limits: Vec<String> = self
            .guides
            .iter()
            .filter(|guide| guide.kind == GuideKind::Limit)
            .map(|guide| words::measure_value(self.metric, guide.at))
            .collect();
        html! {
            p.legend {
                span { span.key.dot {} (words::measure_title(self.metric)) (self.level()) }
                @if let Some(overall) = self.overall {
                    span { span.key.overall {} "all rows " (words::measure_value(self.metric, overall.value)) }
                }
                @if !limits.is_empty() { span { span.key.limit {} "limit " (words::list(&limits)) } }
                @if self.columns.iter().flat_map(|(_, rows)| rows).any(|row| row.shrunken.is_some()) {
                    span { span.key.second {} "drawn towards all groups, the more the fewer its rows" }
                }
            }
        }
    }

    /// `, with 99.7 % interval`: wider than elsewhere where many groups are looked at together.
    fn level(&self) -> String {
        let mut measures =
            self.columns.iter().flat_map(|(_, rows)| rows).filter_map(|row| row.measure.as_ref());
        let level = measures.find_map(words::level);
        level.map_or_else(String::new, |level| format!(", with {level} interval"))
    }

    fn group(&self, column: &str, rows: &[&SegmentRow]) -> Markup {
        let (shown, folded) = rows.split_at(rows.len().min(ROWS_SHOWN));
        html! {
            div.forest-group {
                (self.table(column, shown))
                @if !folded.is_empty() {
                    details.fold {
                        summary { (format!("{} more values of {column}", folded.len())) }
                        (self.table(column, folded))
                    }
                }
            }
        }
    }

    fn table(&self, column: &str, rows: &[&SegmentRow]) -> Markup {
        html! {
            table.forest {
                thead { tr {
                    th.name scope="col" { (column) }
                    th.num.wide scope="col" { "Rows" }
                    @if rows.iter().any(|row| row.positives.is_some()) { th.num.wide scope="col" { "Positive" } }
                    th.plot scope="col" { (axis(&self.scale, |tick| words::measure_value(self.metric, tick))) }
                    th.num scope="col" { (words::measure_title(self.metric)) }
                } }
                tbody { @for row in rows { (self.row(row)) } }
            }
        }
    }

    fn row(&self, row: &SegmentRow) -> Markup {
        let key = (row.column.as_str(), row.value.as_deref());
        html! {
            tr {
                th.name scope="row" title=(segment_label(key.0, key.1)) {
                    span.label.pair[row.column.contains(" × ")] { (breakable(row.value.as_deref().unwrap_or("(missing)"))) }
                    @if row.measure.is_some() && let Some(of) = row.verdict.filter(|of| *of != Verdict::Pass) { (verdict::icon(of)) }
                    @if self.worst == Some(key) { span.tag { "worst" } }
                }
                td.num.wide { (format::count(row.rows)) }
                @if let Some(positives) = row.positives { td.num.wide { (format::count(positives)) } }
                @match &row.measure {
                    Some(measure) => {
                        td.plot { (lane_with(&self.scale, measure.value, row.shrunken.as_ref().map(|of| of.value), interval_ends(measure), &self.guides, &label(row, measure))) }
                        td.num.value { (words::measure_value(&measure.name, measure.value)) @if let Some(interval) = words::interval(measure) { span.sub { (interval) } } }
                    }
                    None => td.too-few colspan="2" {
                        (verdict::icon(Verdict::Unknown))
                        span { (row.reason.as_deref().unwrap_or("too few rows")) }
                    }
                }
            }
        }
    }
}

fn label(row: &SegmentRow, measure: &Measure) -> String {
    let shrunken = row
        .shrunken
        .as_ref()
        .map(|of| format!("; drawn towards all groups {}", words::measure_value(&measure.name, of.value)));
    let of = segment_label(&row.column, row.value.as_deref());
    format!("{of}: {}{}", measure_label(measure), shrunken.unwrap_or_default())
}

fn interval_ends(measure: &Measure) -> Option<(f64, f64)> {
    measure.interval.as_ref().map(|interval| (interval.lower, interval.upper))
}

fn ends(measure: &Measure) -> impl Iterator<Item = f64> {
    let (lower, upper) = interval_ends(measure).unwrap_or((measure.value, measure.value));
    [lower, measure.value, upper].into_iter()
}
