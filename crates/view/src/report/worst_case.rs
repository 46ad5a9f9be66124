//! The worst group of inputs of a given size, whatever describes it.

use maud::{Markup, html};
use types::CheckId;
use types::detail::{CurvePoint, Subpopulation};
use types::finding::{Detail, Finding};
use types::format;
use types::report::CheckReport;

use super::findings_of;
use super::lanes::range;
use crate::chart::{Across, Chart, Curve, Drawn, Guide, GuideKind, weight_bars};
use crate::page::measures::{limits, more, said};
use crate::page::{Section, verdicts};
use crate::words;

pub(super) fn section(report: &CheckReport) -> Option<Section> {
    let findings = findings_of(report, CheckId::WorstSubpopulation);
    if findings.is_empty() {
        return None;
    }
    Some(Section {
        id: "worst-case",
        title: "Worst case",
        short: "Worst case",
        question: "How bad can it get for a group of a given size, whatever describes that group?",
        verdicts: verdicts(&findings),
        body: html! { @for finding in &findings { (one(finding)) } },
    })
}

fn one(finding: &Finding) -> Markup {
    html! {
        (said(finding))
        @match &finding.detail {
            Some(Detail::Subpopulation(of)) if !of.curve.is_empty() => (detail(finding, of)),
            _ => p.empty { "There is no curve: it needs predictions with outcomes and at least one input column." },
        }
        (more(finding))
    }
}

fn detail(finding: &Finding, of: &Subpopulation) -> Markup {
    let unit = of.loss.as_str();
    let limits = limits_in_loss(finding, of);
    let judged = of.share;
    html! {
        div.chart-and-list {
            figure {
                p.legend {
                    span { span.key.level {} "this window" }
                    @if !of.reference.is_empty() { span { span.key.level.reference-level {} "reference" } }
                    @if !limits.is_empty() { span { span.key.level.limit-level {} "limit " (words::measure_value(unit, limits[0])) } }
                    @if let Some(share) = judged { span { span.key.place {} "judged at " (format::percent(share)) } }
                }
                (chart(of, unit, &limits, judged).markup(|tick| words::measure_value(unit, tick)))
                figcaption.sub { "Read: the mean loss of the worst group found that holds at least this share of the rows; one that was not found may be worse. At the right end the group is everybody: the average." }
            }
            @if !of.drivers.is_empty() {
                div {
                    h4 { "What tells the worst rows from the others" }
                    (weight_bars("Weight of each input", of.drivers.iter().map(|driver| (driver.name.as_str(), driver.weight)), format::percent))
                }
            }
        }
        details.more { summary { "The curve as a table" } (table(of, unit)) }
    }
}

/// The limits in the unit of the loss: one on the rise begins at the reference's value.
pub(super) fn limits_in_loss(finding: &Finding, of: &Subpopulation) -> Vec<f64> {
    let before = of.share.and_then(|share| reference_at(of, share)).map(|point| point.value);
    let of_rise = limits(finding, "worst_subpopulation_rise").into_iter();
    let of_rise = of_rise.filter_map(|rise| Some(before? * (1.0 + rise)));
    limits(finding, "worst_subpopulation_loss").into_iter().chain(of_rise).collect()
}

fn chart(of: &Subpopulation, unit: &str, limits: &[f64], judged: Option<f64>) -> Chart {
    let shares = of.curve.iter().map(|point| point.at).chain([0.0, 1.0]);
    let across = Across::over(shares, "share of rows in the group", format::percent);
    let title = words::measure_title(unit);
    let mut chart =
        Chart::new(format!("Largest {title} of any group, by the group's share of the rows"), across, 220.0);
    if !of.reference.is_empty() {
        chart.curves.push(Curve { class: "of-reference", points: of.reference.clone(), drawn: Drawn::Line });
    }
    chart.curves.push(Curve { class: "of-current", points: of.curve.clone(), drawn: Drawn::Line });
    chart.levels = limits.iter().map(|at| Guide { at: *at, kind: GuideKind::Limit }).collect();
    chart.places = judged.map(|share| (share, "place")).into_iter().collect();
    chart.said = of.curve.iter().map(|point| (point.at, said_at(point, unit))).collect();
    chart
}

fn said_at(point: &CurvePoint, unit: &str) -> String {
    format!(
        "any {} of the rows: at most {} ({})",
        format::percent(point.at),
        words::measure_value(unit, point.value),
        range(unit, point.lower, point.upper)
    )
}

fn table(of: &Subpopulation, unit: &str) -> Markup {
    html! {
        div.scroll tabindex="0" role="region" aria-label="Worst mean loss by share" {
            table.compact {
                thead { tr { th scope="col" { "Share of rows" } th.num scope="col" { "At most" } th.num scope="col" { "Interval" } @if !of.reference.is_empty() { th.num scope="col" { "Reference" } } } }
                tbody {
                    @for point in &of.curve {
                        tr {
                            th scope="row" { (format::percent(point.at)) }
                            td.num { strong { (words::measure_value(unit, point.value)) } }
                            td.num.sub { (range(unit, point.lower, point.upper)) }
                            @if !of.reference.is_empty() { td.num { @match reference_at(of, point.at) {
                                Some(before) => { (words::measure_value(unit, before.value)) span.sub.below { (range(unit, before.lower, before.upper)) } },
                                None => "–",
                            } } }
                        }
                    }
                }
            }
        }
    }
}

fn reference_at(of: &Subpopulation, share: f64) -> Option<&CurvePoint> {
    of.reference.iter().find(|point| (point.at - share).abs() < 1e-9)
}
