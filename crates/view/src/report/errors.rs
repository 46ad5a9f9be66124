//! Whether mistakes are random or systematic: what predicts them, where they gather, when they come.

use maud::{Markup, html};
use types::CheckId;
use types::detail::{CurvePoint, ErrorStructure, ResidualRow, Stretch};
use types::finding::{Detail, Finding, segment_label};
use types::format;
use types::report::CheckReport;
use types::window::{day_text, parse_instant};

use super::error_map;
use super::findings_of;
use super::lanes::{Lane, Lanes, range, significance};
use super::loss::Loss;
use crate::chart::{Across, Chart, Curve, Drawn, Guide, GuideKind, Scale, overall, weight_bars};
use crate::page::measures::{breakable, figures, more, said};
use crate::page::{Section, verdicts};
use crate::words;

/// Dates under a chart.
const DATES: usize = 6;

pub(super) fn section(report: &CheckReport) -> Option<Section> {
    let findings = findings_of(report, CheckId::Errors);
    if findings.is_empty() {
        return None;
    }
    let loss = Loss::of(report);
    Some(Section {
        id: "errors",
        title: "Errors",
        short: "Errors",
        question: "Are the mistakes chance, or could somebody foresee where and when they happen?",
        verdicts: verdicts(&findings),
        body: html! { @for finding in &findings { (one(finding, loss.as_ref())) } },
    })
}

fn one(finding: &Finding, loss: Option<&Loss>) -> Markup {
    html! {
        (said(finding))
        (figures(finding))
        @match &finding.detail {
            Some(Detail::Errors(of)) => (detail(of, loss)),
            _ => p.empty { "Nothing could be said about the structure of errors: it needs predictions with outcomes." },
        }
        (more(finding))
    }
}

fn detail(of: &ErrorStructure, loss: Option<&Loss>) -> Markup {
    html! {
        @if !of.rates.is_empty() {
            h3.group { "Where: false alarms and misses by segment" }
            (error_map::legend())
            (error_map::map(&of.rates, usize::MAX))
        }
        @if !of.residuals.is_empty() { h3.group { "Where: predictions too low or too high by segment" } (residuals(&of.residuals)) }
        @if !(of.drivers.is_empty() && of.levels.is_empty()) {
            div.side-by-side {
                @if !of.drivers.is_empty() {
                    div {
                        h3.group { "What foretells them" }
                        (weight_bars("How much each input contributes to predicting the errors", of.drivers.iter().map(|driver| (driver.name.as_str(), driver.weight)), format::percent))
                    }
                }
                @if !of.levels.is_empty() { div { h3.group { "By the level of the prediction" } (levels(&of.levels)) } }
            }
        }
        @if !of.over_time.is_empty() || of.stretch.is_some() {
            h3.group { "When" }
            @if let Some(stretch) = &of.stretch { p.prose { (in_words(stretch, loss)) } }
            @if !of.over_time.is_empty() { (over_time(&of.over_time, of.stretch.as_ref(), loss)) }
        }
    }
}

fn unit(loss: Option<&Loss>) -> &str {
    loss.map_or("mean_loss", |loss| loss.unit.as_str())
}

fn in_words(stretch: &Stretch, loss: Option<&Loss>) -> Markup {
    html! {
        "Most errors lie between " (words::minute(&stretch.from)) " and " (words::minute(&stretch.to)) ": "
        strong { (words::measure_value(unit(loss), stretch.mean_loss)) } " on average over " (format::counted(stretch.rows, "row", "rows"))
        @if let Some(average) = loss.and_then(|loss| loss.average) { ", against " (words::measure_value(unit(loss), average)) " overall" }
        " (p " (format::p_value(stretch.p_value)) ")."
    }
}

/// Days since 1970 from left to right.
fn over_time(points: &[CurvePoint], stretch: Option<&Stretch>, loss: Option<&Loss>) -> Markup {
    let unit = unit(loss);
    let scale = Scale::around(points.iter().map(|point| point.at));
    let dated = points.iter().filter(|point| point.at.is_finite());
    let every = points.len().div_ceil(DATES).max(1);
    let ticks = dated.step_by(every).map(|point| (point.at, date(point.at))).collect();
    let across = Across { scale, ticks, title: "stretches of equally many rows" };
    let mut chart =
        Chart::new(format!("{} over time", words::sentence_case(&words::measure_title(unit))), across, 150.0);
    chart.curves = vec![Curve { class: "of-current", points: points.to_vec(), drawn: Drawn::Dots }];
    chart.levels = loss.and_then(|loss| loss.average).map(overall).into_iter().collect();
    chart.stretch = stretch.and_then(|stretch| Some((day(&stretch.from)?, day(&stretch.to)?)));
    chart.said = points
        .iter()
        .map(|point| (point.at, format!("{}: {}", instant(point.at), said_at(point, unit))))
        .collect();
    html! {
        figure.wide-chart {
            p.legend {
                span { span.key.dot {} (words::measure_title(unit)) ", with interval" }
                @if !chart.levels.is_empty() { span { span.key.level.overall-level {} "all rows" } }
                @if chart.stretch.is_some() { span { span.key.stretch {} "worst stretch" } }
            }
            (chart.markup(|tick| words::measure_value(unit, tick)))
        }
        details.more { summary { "The curve as a table" } (curve_table(points, "Middle of the stretch", unit, instant)) }
    }
}

/// `2013-12-05 14:00 UTC`, or the day alone at midnight.
fn instant(days: f64) -> String {
    words::minute(&day_text(days))
}

/// `12-05` with the year left out, which the header has.
fn date(days: f64) -> String {
    day_text(days).get(5..10).map_or_else(|| day_text(days), str::to_owned)
}

fn day(text: &str) -> Option<f64> {
    parse_instant(text).ok().map(|at| at.as_second() as f64 / 86_400.0)
}

fn said_at(point: &CurvePoint, unit: &str) -> String {
    format!("{} ({})", words::measure_value(unit, point.value), range(unit, point.lower, point.upper))
}

/// Mean residual by prediction; above 0 the predictions are too low.
fn levels(points: &[CurvePoint]) -> Markup {
    let across = Across::over(points.iter().map(|point| point.at), "predicted value", format::value);
    let mut chart =
        Chart::new("Mean of outcome less prediction, by the predicted value".into(), across, 170.0);
    chart.from_zero = false;
    chart.curves = vec![Curve { class: "of-current", points: points.to_vec(), drawn: Drawn::Dots }];
    chart.levels = vec![Guide { at: 0.0, kind: GuideKind::Overall }];
    chart.said = points
        .iter()
        .map(|point| {
            (point.at, format!("predicted {}: {}", format::value(point.at), said_at(point, "residual")))
        })
        .collect();
    html! {
        figure {
            (chart.markup(format::value))
            figcaption.sub { "Outcome less prediction: above 0 the predictions are too low." }
        }
        details.more { summary { "The curve as a table" } (curve_table(points, "Predicted", "residual", format::value)) }
    }
}

fn curve_table(points: &[CurvePoint], at: &str, unit: &str, text: fn(f64) -> String) -> Markup {
    html! {
        div.scroll tabindex="0" role="region" aria-label=(at) {
            table.compact {
                thead { tr { th scope="col" { (at) } th.num scope="col" { "Value" } th.num scope="col" { "Interval" } } }
                tbody {
                    @for point in points {
                        tr { th scope="row" { (text(point.at)) } td.num { (words::measure_value(unit, point.value)) } td.num.sub { (range(unit, point.lower, point.upper)) } }
                    }
                }
            }
        }
    }
}

fn residuals(rows: &[ResidualRow]) -> Markup {
    let lanes = rows.iter().map(|row| Lane {
        name: html! { (breakable(&segment_label(&row.column, row.value.as_deref()))) @if row.flagged { span.tag { "systematic" } } },
        label: segment_label(&row.column, row.value.as_deref()),
        verdict: None,
        rows: row.residual.n,
        against: Some(0.0),
        measure: Some(&row.residual),
        reason: None,
        extra: vec![significance(&row.residual)],
    });
    html! {
        p.legend { span { span.key.dot {} "mean of outcome less prediction; above 0 the predictions are too low" } }
        (Lanes {
            of: "segment",
            unit: "residual",
            value: "residual".into(),
            guides: vec![Guide { at: 0.0, kind: GuideKind::Overall }],
            extra: &["p adjusted"],
            rows: lanes.collect(),
        }.markup())
    }
}
