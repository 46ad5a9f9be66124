//! What somebody can change who wants another decision: how many flip for how much, by which features, and examples.

use maud::{Markup, html};
use types::detail::CurvePoint;
use types::finding::{Finding, Measure};
use types::format;
use types::manipulation::{ChangedCase, LeverRow, Manipulated};

use super::lanes::range;
use crate::chart::{Across, Chart, Curve, Drawn, Guide, GuideKind};
use crate::page::measures::{limits, prose};
use crate::words;

pub(super) fn manipulated(finding: &Finding, of: &Manipulated) -> Markup {
    html! {
        (about(of))
        @if of.tried > 0 {
            figure.wide-chart {
                (legend(finding, of))
                (chart(finding, of).markup(format::percent))
                figcaption.sub {
                    "Read: the share of " (prose(&of.cases_are)) " that some change of at most this cost was found to flip; the band is the 95 % interval (Wilson). What was not found may exist."
                }
            }
            details.more { summary { "The curve as a table" } (table(&of.curve)) }
        }
        (levers(&of.levers))
        @if !of.relations.is_empty() {
            p.sub { "Every change keeps " @for (at, relation) in of.relations.iter().enumerate() { @if at > 0 { ", " } code { (relation) } } "." }
        }
        @if !of.examples.is_empty() { (examples(&of.examples)) }
    }
}

fn about(of: &Manipulated) -> Markup {
    let counted = |rows: u64| format::counted(rows, "question", "questions");
    html! {
        p.sub {
            "Asked: " code { (of.model) } ", " (counted(of.queries)) " about " (format::counted(of.tried, "case", "cases"))
            ", at most " (format::count(of.queries_most)) " about one"
            @if let Some(median) = of.queries_median { " (half of them " (format::value(median)) " or fewer)" }
            ", and " (format::count(of.queries_reference)) " about rows of the reference."
            @if of.is_decision_only { " It answers only yes or no, so that the search follows decisions alone." }
            @for left_out in &of.left_out {
                " Left out: " (format::counted(left_out.cases, "case", "cases")) ", because " (prose(&left_out.reason)) "."
            }
            @if let Some(error) = &of.stopped { " It ended early: " code { (error) } "." }
        }
    }
}

fn legend(finding: &Finding, of: &Manipulated) -> Markup {
    html! {
        p.legend {
            span { span.key.level {} "share of " (of.cases_are) " flipped" }
            @for limit in limits(finding, SHARE) { span { span.key.level.limit-level {} "limit " (format::percent(limit)) } }
        }
    }
}

const SHARE: &str = "flipped_share";

fn chart(finding: &Finding, of: &Manipulated) -> Chart {
    let costs = of.curve.iter().map(|point| point.at).chain([0.0]);
    let across = Across::over(costs, "cost of the change", format::value);
    let mut chart = Chart::new(format!("Share of {} flipped, by cost", of.cases_are), across, 220.0);
    chart.curves = vec![Curve { class: "of-current", points: of.curve.clone(), drawn: Drawn::Line }];
    let limits = limits(finding, SHARE).into_iter();
    chart.levels = limits.map(|at| Guide { at, kind: GuideKind::Limit }).collect();
    let said = |point: &CurvePoint| {
        let (share, ends) = (format::percent(point.value), range(SHARE, point.lower, point.upper));
        (point.at, format!("for {} at most: {share} ({ends})", format::value(point.at)))
    };
    chart.said = of.curve.iter().map(said).collect();
    chart
}

fn table(curve: &[CurvePoint]) -> Markup {
    html! {
        div.scroll tabindex="0" role="region" aria-label="Share flipped by cost" {
            table.compact {
                thead { tr { th scope="col" { "Cost, at most" } th.num scope="col" { "Flipped" } th.num scope="col" { "Interval" } } }
                tbody {
                    @for point in curve {
                        tr {
                            th scope="row" { (format::value(point.at)) }
                            td.num { strong { (format::percent(point.value)) } }
                            td.num.sub { (range(SHARE, point.lower, point.upper)) }
                        }
                    }
                }
            }
        }
    }
}

fn levers(levers: &[LeverRow]) -> Markup {
    html! {
        h4 { "What can be changed, and what it flips" }
        div.scroll tabindex="0" role="region" aria-label="Features that can be changed" {
            table.compact.levers {
                thead { tr {
                    th scope="col" { "Feature" }
                    th.num scope="col" { "Flips alone" }
                    th.num scope="col" { "Part of cheapest changes" }
                    th.num scope="col" { "Cost" }
                    th scope="col" { "In words" }
                } }
                tbody {
                    @for lever in levers {
                        tr {
                            th scope="row" { (lever.feature) span.sub.below { (lever.constraint) } }
                            td.num { (share(&lever.alone)) }
                            td.num { (share(&lever.used)) }
                            td.num { (format::value(lever.cost)) }
                            td { @if lever.sentence.is_empty() { "–" } @else { (prose(&lever.sentence)) } }
                        }
                    }
                }
            }
        }
    }
}

fn share(of: &Measure) -> Markup {
    html! {
        (words::measure_value(&of.name, of.value))
        @if let Some(interval) = &of.interval { span.sub.below { (range(&of.name, interval.lower, interval.upper)) } }
    }
}

fn examples(of: &[ChangedCase]) -> Markup {
    html! {
        h4 { "Examples, from the cheapest change to the dearest" }
        div.scroll tabindex="0" role="region" aria-label="Examples of changes" {
            table.compact.changed {
                thead { tr {
                    th scope="col" { "Case" }
                    th.num scope="col" { "Cost" }
                    th.num scope="col" { "Before" }
                    th.num scope="col" { "After" }
                    th scope="col" { "The change" }
                } }
                tbody {
                    @for case in of {
                        tr {
                            th scope="row" { @if case.id.is_empty() { "–" } @else { (case.id) } }
                            td.num { (format::number(case.cost)) }
                            td.num { (case.before) }
                            td.num { (case.after) }
                            td { (prose(&case.sentence)) }
                        }
                    }
                }
            }
        }
    }
}
