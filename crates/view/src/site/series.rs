//! A check over time: every window that was looked at, as a chart and as a table.

use maud::{Markup, html};
use types::CheckId;
use types::finding::{Detail, Finding, Measure};
use types::{Subject, Verdict, Window};

use super::frame::{Content, part};
use super::table::{Cell, Column, Table};
use super::{Frame, Seen, SystemRef, link, moment};
use crate::chart::{Guide, GuideKind, Plot, Point, Series, plot};
use crate::page::effect;
use crate::page::measures::{self, breakable, measure_label};
use crate::page::{performance, verdict};
use crate::words;

const HEIGHT: f64 = 230.0;

/// A check of a system over time; of one subject where one was chosen.
#[derive(Clone, Debug, PartialEq)]
pub struct CheckSeries {
    pub system: SystemRef,
    pub check: CheckId,
    /// What the series is about; the page of several subjects lists them instead where there is none.
    pub subject: Option<Subject>,
    /// The findings about the subject, ascending by window.
    pub seen: Vec<Seen>,
    /// The newest finding about every subject of the check.
    pub subjects: Vec<Seen>,
}

impl CheckSeries {
    /// Every window, newest first; without a subject, the newest finding of each.
    pub fn tables(&self) -> Vec<Table> {
        vec![if self.subject.is_some() { self.windows() } else { self.overview() }]
    }

    fn windows(&self) -> Table {
        Table {
            name: "windows",
            caption: format!("{}, every window", self.title()),
            columns: vec![
                Column::text("window", "Window"),
                Column::text("verdict", "Verdict"),
                Column::number("value", "Value"),
                Column::number("rows", "Rows"),
                Column::text("limit", "Held against"),
                Column::text("summary", "What it means"),
                Column::text("at", "Measured"),
                Column::text("record", "Evidence"),
            ],
            rows: self.seen.iter().rev().map(|seen| window_cells(&self.system.id, seen)).collect(),
            empty: "This was not looked at in any window yet.".into(),
        }
    }

    fn overview(&self) -> Table {
        let mut subjects: Vec<&Seen> = self.subjects.iter().collect();
        subjects.sort_by_key(|seen| std::cmp::Reverse(seen.finding.verdict));
        Table {
            name: "subjects",
            caption: format!("{}: newest finding of each subject", words::check_title(self.check)),
            columns: vec![
                Column::text("subject", "About"),
                Column::text("verdict", "Verdict"),
                Column::number("value", "Value"),
                Column::text("window", "Window"),
                Column::text("summary", "What it means"),
            ],
            rows: subjects.into_iter().map(|seen| self.subject_cells(&seen.finding)).collect(),
            empty: format!(
                "There is no evidence of `{}` yet: run `forewarn check`, or wait for the schedule.",
                self.check
            ),
        }
    }

    fn subject_cells(&self, of: &Finding) -> Vec<Cell> {
        vec![
            Cell::link(of.subject.label(), link::series(&self.system.id, self.check, Some(&of.subject))),
            Cell::Verdict(of.verdict),
            value_cell(of),
            Cell::Window(of.window),
            Cell::Prose(of.summary.clone()),
        ]
    }

    fn title(&self) -> String {
        let check = words::check_title(self.check);
        match &self.subject {
            Some(subject) if *subject != Subject::Model => format!("{check}: {}", subject.label()),
            _ => check.to_owned(),
        }
    }
}

fn window_cells(system: &str, seen: &Seen) -> Vec<Cell> {
    let of = &seen.finding;
    let limits: Vec<String> = headline(of)
        .map(|measure| {
            let thresholds =
                of.thresholds.iter().filter(|threshold| threshold.measure.starts_with(&measure.name));
            thresholds.map(words::bound).collect()
        })
        .unwrap_or_default();
    vec![
        Cell::Window(of.window),
        Cell::Verdict(of.verdict),
        value_cell(of),
        headline(of).map_or(Cell::Empty, |measure| Cell::Count(measure.n)),
        if limits.is_empty() { Cell::Empty } else { Cell::Text(limits.join(", ")) },
        Cell::Prose(of.summary.clone()),
        Cell::Instant(seen.at),
        Cell::link(format!("#{}", seen.seq), link::record(system, seen.seq)),
    ]
}

/// What a finding is read by first: of a window's performance what outcomes say, else what was estimated.
pub fn headline(of: &Finding) -> Option<&Measure> {
    let performance = match &of.detail {
        Some(Detail::Performance(of)) => of.realised.as_ref().or(of.estimated.as_ref()),
        _ => None,
    };
    performance.or_else(|| effect::distance(of))
}

/// The headline in the unit that it is written in, with its interval.
pub(super) fn value_cell(of: &Finding) -> Cell {
    headline(of).map_or(Cell::Empty, |measure| {
        let unit = words::unit_of(of.detail.as_ref(), &measure.name);
        Cell::Number {
            value: measure.value,
            text: words::measure_value(unit, measure.value),
            remark: words::interval_in(unit, measure).unwrap_or_default(),
        }
    })
}

pub fn page(frame: &Frame, of: &CheckSeries) -> String {
    let id = &of.system.id;
    let mut crumbs =
        vec![("Systems", link::OVERVIEW.to_owned()), (of.system.name.as_str(), link::system(id))];
    if of.subject.is_some() {
        crumbs.push((words::check_title(of.check), link::series(id, of.check, None)));
    }
    let table = of.tables().remove(0);
    frame.document(&Content {
        title: format!("{} · {}", of.title(), of.system.name),
        crumbs,
        place: link::OVERVIEW,
        topics: format!("system:{id}"),
        heading: html! { (breakable(&of.title())) @if let Some(last) = of.seen.last() { " " (verdict::chip(last.finding.verdict)) } },
        lead: Some(html! { code { (of.check) } @if let Some(last) = of.seen.last() { ", newest window " (words::window_text(last.finding.window)) } }),
        actions: Some(actions(of)),
        body: html! {
            @if let Some(last) = of.seen.last() { (newest(&of.system.id, last)) }
            @if of.seen.len() > 1 { (drawn(of)) }
            (part("windows", if of.subject.is_some() { "Every window" } else { "Every subject" }, &html! {}, &table.html(&frame.path)))
        },
    })
}

fn actions(of: &CheckSeries) -> Markup {
    let column = of.subject.as_ref().and_then(link::column_of).filter(|_| of.check == CheckId::Drift);
    let last_two: Vec<Window> = of.seen.iter().rev().take(2).map(|seen| seen.finding.window).collect();
    html! {
        @if let Some(column) = column { a.button href=(link::column(&of.system.id, column)) { "Distribution" } }
        @if let [newest, before] = last_two[..] { a.button href=(link::compare(&of.system.id, Some(before), Some(newest))) { "Compare the last two" } }
    }
}

fn newest(system: &str, seen: &Seen) -> Markup {
    let of = &seen.finding;
    part(
        "newest",
        "The newest window",
        &html! { p.sub { "evidence " a href=(link::record(system, seen.seq)) { "#" (seen.seq) } ", measured " (moment::instant(seen.at)) } },
        &html! {
            (measures::said(of))
            (measures::figures(of))
            (measures::unmeasured(of))
        },
    )
}

fn drawn(of: &CheckSeries) -> Markup {
    let findings: Vec<&Finding> = of.seen.iter().map(|seen| &seen.finding).collect();
    let Some(name) = findings.iter().rev().find_map(|of| headline(of)).map(|measure| measure.name.clone())
    else {
        return html! {};
    };
    let title = words::measure_title(&name);
    part(
        "chart",
        "Over time",
        &html! { (verdict::counts(&findings.iter().map(|of| of.verdict).collect::<Vec<_>>())) },
        &html! {
            (legend(&findings))
            figure.series-of.wide-chart {
                figcaption { span.name { (words::sentence_case(&title)) } @if let Some(meaning) = words::measure_meaning(&name) { span.sub { (meaning) "." } } }
                div.plotted { (over_windows(&title, &name, &findings)) }
            }
        },
    )
}

fn legend(findings: &[&Finding]) -> Markup {
    let guided =
        |kind: GuideKind| findings.last().is_some_and(|of| guides(of).iter().any(|guide| guide.kind == kind));
    html! {
        p.legend {
            span { span.key.dot {} "window, with interval" }
            @if guided(GuideKind::Limit) { span { span.key.level.limit-level {} "limit" } }
            @if guided(GuideKind::Reference) { span { span.key.level.reference-level {} "reference, or what chance gives" } }
            span { span.key.fail {} span.key.warn {} "window that fails, or deserves a look" }
        }
    }
}

/// The value of a measure in each window.
pub(super) fn over_windows(title: &str, name: &str, findings: &[&Finding]) -> Markup {
    let windows: Vec<Window> = findings.iter().map(|of| of.window).collect();
    let points = findings.iter().map(|of| headline(of).filter(|measure| measure.name == name).map(point));
    let slots = findings.iter().map(|of| (ground(of.verdict), said(of)));
    let drawn = Plot {
        label: format!("{title} over {} windows", windows.len()),
        windows: &windows,
        series: vec![Series { class: "realised", points: points.collect(), joined: false }],
        guides: findings.last().map(|of| guides(of)).unwrap_or_default(),
        slots: slots.collect(),
        height: HEIGHT,
        month_gap: 9.0,
        divider: None,
        arrivals: Vec::new(),
    };
    plot(&drawn, |tick| words::measure_value(name, tick))
}

fn point(measure: &Measure) -> Point {
    let interval = measure.interval.as_ref().map(|interval| (interval.lower, interval.upper));
    Point { value: measure.value, interval, hollow: false }
}

fn ground(of: Verdict) -> Option<&'static str> {
    match of {
        Verdict::Pass => None,
        Verdict::Warn => Some("ground warned"),
        Verdict::Unknown => Some("ground unsaid"),
        Verdict::Fail => Some("ground failed"),
    }
}

fn said(of: &Finding) -> String {
    let value = headline(of).map_or_else(|| "not measured".to_owned(), measure_label);
    format!("{}: {}\n{value}", words::window_text(of.window), of.verdict)
}

/// The limits of the newest window, and what it is read against.
fn guides(of: &Finding) -> Vec<Guide> {
    match &of.detail {
        Some(Detail::Performance(performance)) => performance::guides(of, performance),
        Some(Detail::Distribution(_)) => {
            let chance = effect::distance(of).and_then(|distance| distance.expected_by_chance);
            let limits = effect::limits(of).into_iter().map(|at| Guide { at, kind: GuideKind::Limit });
            limits.chain(chance.map(|at| Guide { at, kind: GuideKind::Reference })).collect()
        }
        _ => headline(of).map(|measure| measures::guides(of, measure)).unwrap_or_default(),
    }
}
