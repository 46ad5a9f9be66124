//! All columns at once: whether a window can be told from the reference, and by what.

use maud::{Markup, html};
use types::finding::{Finding, Measure};
use types::monitor_report::MonitorReport;

use super::last_together;
use crate::chart::{Guide, GuideKind, Plot, Point, Series, plot};
use crate::page::measures::{limits, measure_label, prose, reference_of, unmeasured};
use crate::page::{Section, together, verdict};
use crate::words;

pub(super) const ID: &str = "together";

/// Different statistics that are drawn.
const CHARTS: usize = 4;
const HEIGHT: f64 = 150.0;

pub(super) fn section(report: &MonitorReport) -> Option<Section> {
    let last = last_together(report)?;
    Some(Section {
        id: ID,
        title: "All columns together",
        short: "Together",
        question: "Does the data as a whole look different, even where no single column does?",
        verdicts: vec![last.verdict],
        body: html! {
            div.verdict-line { (verdict::chip(last.verdict)) p.sentence { (prose(&last.summary)) } }
            (legend(report))
            div.pair { @for name in names(report) { (chart(report, &name)) } }
            (together::features(last))
            (unmeasured(last))
        },
    })
}

/// The statistics of all windows, in order of appearance; those of the reference only accompany them.
fn names(report: &MonitorReport) -> Vec<String> {
    let mut names: Vec<String> = Vec::new();
    for measure in report.multivariate.iter().flatten().flat_map(|finding| &finding.measures) {
        if !names.contains(&measure.name) && !measure.name.starts_with("reference_") {
            names.push(measure.name.clone());
        }
    }
    names.truncate(CHARTS);
    names
}

fn legend(report: &MonitorReport) -> Markup {
    let limited = report.multivariate.iter().flatten().any(|finding| !finding.thresholds.is_empty());
    html! {
        p.legend {
            span { span.key.dot {} "window, with interval" }
            span { span.key.level.reference-level {} "if nothing had changed" }
            @if limited { span { span.key.level.limit-level {} "limit" } }
        }
    }
}

fn chart(report: &MonitorReport, name: &str) -> Markup {
    let title = words::measure_title(name);
    let of = |slot: usize| report.multivariate.get(slot).and_then(Option::as_ref);
    let points = (0..report.windows.len()).map(|slot| of(slot)?.measure(name).map(point)).collect();
    let slots = report.windows.iter().enumerate().map(|(slot, window)| {
        let said = match of(slot) {
            Some(finding) => {
                format!("{}: {}\n{}", words::window_text(*window), finding.verdict, value(finding, name))
            }
            None => format!("{}: not measured", words::window_text(*window)),
        };
        (None, said)
    });
    let drawn = Plot {
        label: format!("{title} over {} windows", report.windows.len()),
        windows: &report.windows,
        series: vec![Series { class: "realised small", points, joined: false }],
        guides: last_with(report, name).map(|finding| guides(finding, name)).unwrap_or_default(),
        slots: slots.collect(),
        height: HEIGHT,
        month_gap: 15.0,
        divider: None,
        arrivals: Vec::new(),
    };
    html! {
        figure.series-of {
            figcaption {
                span.name { (words::sentence_case(&title)) }
                @if let Some(meaning) = words::measure_meaning(name) { span.sub { (meaning) "." } }
            }
            div.plotted { (plot(&drawn, |tick| words::measure_value(name, tick))) }
        }
    }
}

fn value(finding: &Finding, name: &str) -> String {
    match finding.measure(name) {
        Some(measure) => measure_label(measure),
        None => finding
            .unmeasured
            .iter()
            .find(|missing| missing.name == name)
            .map_or_else(|| "not measured".into(), |missing| missing.reason.clone()),
    }
}

fn last_with<'a>(report: &'a MonitorReport, name: &str) -> Option<&'a Finding> {
    report.multivariate.iter().rev().flatten().find(|finding| finding.measure(name).is_some())
}

/// What the statistic would be without any change, and its limits.
fn guides(finding: &Finding, name: &str) -> Vec<Guide> {
    let unchanged = finding.measure(name).and_then(|measure| measure.expected_by_chance);
    let unchanged = unchanged.or_else(|| reference_of(finding, name).map(|of| of.value));
    let limits = limits(finding, name).into_iter().map(|at| Guide { at, kind: GuideKind::Limit });
    limits.chain(unchanged.map(|at| Guide { at, kind: GuideKind::Reference })).collect()
}

fn point(measure: &Measure) -> Point {
    Point {
        value: measure.value,
        interval: measure.interval.as_ref().map(|interval| (interval.lower, interval.upper)),
        hollow: false,
    }
}
