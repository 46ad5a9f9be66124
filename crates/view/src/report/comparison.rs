//! Two versions of a model on the same rows.

use maud::{Markup, html};
use stats::interval::Interval;
use types::CheckId;
use types::detail::{ComparisonDetail, PairRow, PairedSlice};
use types::finding::{Detail, Finding};
use types::format;
use types::report::CheckReport;

use super::findings_of;
use super::lanes::{Lane, Lanes, ends, range, significance};
use super::loss::Loss;
use crate::chart::{Guide, GuideKind, Part, Scale, lane, share_bar};
use crate::page::measures::{breakable, more, said, without_interval};
use crate::page::{Section, verdicts};
use crate::words;

/// What sets a slice that was searched from one that is declared.
pub(crate) const FOUND: &str = "found by search, judged on the other half of the rows";

/// On how many rows this version loses less, the same and more: `12 / 300 / 8`.
pub(crate) fn by_row(of: &PairedSlice) -> String {
    [of.wins, of.ties, of.losses].map(format::count).join(" / ")
}

pub(super) fn section(report: &CheckReport) -> Option<Section> {
    let findings = findings_of(report, CheckId::Comparison);
    if findings.is_empty() {
        return None;
    }
    let unit = Loss::of(report).map_or_else(|| "mean_loss".to_owned(), |loss| loss.unit);
    Some(Section {
        id: "comparison",
        title: "Comparison with another version",
        short: "Comparison",
        question: "Is this version better than the other one, and for whom is it worse?",
        verdicts: verdicts(&findings),
        body: html! { @for finding in &findings { (one(finding, &report.model, &unit)) } },
    })
}

fn one(finding: &Finding, model: &str, unit: &str) -> Markup {
    html! {
        (said(finding))
        @match &finding.detail {
            Some(Detail::Comparison(of)) => (detail(of, model, of.compared_loss().unwrap_or(unit))),
            _ => p.empty { "Nothing was compared: both versions have to have predicted the same rows." },
        }
        (more(finding))
    }
}

fn detail(of: &ComparisonDetail, model: &str, unit: &str) -> Markup {
    html! {
        (row_by_row(of))
        @if !of.metrics.is_empty() { h3.group { "Metrics" } (metrics(of, model)) }
        @if !of.slices.is_empty() { h3.group { "Where this version is worse or better" } (slices(of, unit)) }
    }
}

fn row_by_row(of: &ComparisonDetail) -> Markup {
    let parts = [
        Part { label: "this version loses less", class: "pass", count: of.wins },
        Part { label: "the same", class: "unknown", count: of.ties },
        Part { label: "this version loses more", class: "fail", count: of.losses },
    ];
    html! {
        @if of.wins > 0 || of.ties > 0 || of.losses > 0 {
            div.coverage {
                (share_bar("Rows by which version loses less", &parts))
                ul.parts { @for part in parts { li { span class=(format!("key part-{}", part.class)) {} strong { (format::count(part.count)) } " " span.sub { (part.label) } } } }
            }
        }
    }
}

fn metrics(of: &ComparisonDetail, model: &str) -> Markup {
    html! {
        table.metrics.pairs {
            thead { tr {
                th scope="col" { "Metric" }
                th.num scope="col" { "This (" (model) ")" }
                th.num scope="col" { "Other (" (of.other) ")" }
                th.plot scope="col" { span.visually-hidden { "Difference, drawn" } }
                th.num scope="col" { "Difference" }
                th.num.wide scope="col" { "Rows" }
            } }
            tbody { @for row in &of.metrics { (metric(row)) } }
        }
    }
}

fn metric(row: &PairRow) -> Markup {
    let [this, other, difference] =
        [row.this, row.other, row.difference.value].map(|value| words::measure_value(&row.name, value));
    let ends = ends(&row.difference);
    let scale = Scale::around(
        [0.0, row.difference.value]
            .into_iter()
            .chain(ends.into_iter().flat_map(|(lower, upper)| [lower, upper])),
    );
    let guides = [Guide { at: 0.0, kind: GuideKind::Overall }];
    html! {
        tr {
            th scope="row" {
                (words::measure_title(&row.name))
                @if let Some(better) = words::better(&row.name) { span.sub { (better) } }
                @if let Some(reason) = &row.reason { span.sub.below { (words::sentence_case(reason)) } }
            }
            td.num.value { (this) (below(&row.name, row.this_interval)) }
            td.num { (other) (below(&row.name, row.other_interval)) }
            td.plot { (lane(&scale, row.difference.value, ends, &guides, &format!("{}: {difference}", words::measure_title(&row.name)))) }
            td.num {
                (difference)
                @if let Some((lower, upper)) = ends { span.sub.below { (range(&row.name, lower, upper)) } }
                @if let Some(why) = row.difference.why_no_interval() { (without_interval(why)) }
            }
            td.num.wide { (format::count(row.difference.n)) }
        }
    }
}

/// An interval in the unit of a measure, under its value.
fn below(unit: &str, interval: Option<Interval>) -> Markup {
    html! { @if let Some(range) = words::range_text(unit, interval) { span.sub.below { (range) } } }
}

fn slices(of: &ComparisonDetail, unit: &str) -> Markup {
    let rows = of.slices.iter().map(|slice| Lane {
        name: html! { (breakable(&slice.label)) @if slice.found { span.sub.below { (FOUND) } } },
        label: slice.label.clone(),
        verdict: Some(slice.verdict),
        rows: slice.rows,
        against: Some(0.0),
        measure: Some(&slice.difference),
        reason: None,
        extra: vec![
            html! { (words::measure_value(unit, slice.this)) (below(unit, slice.this_interval)) },
            html! { (words::measure_value(unit, slice.other)) (below(unit, slice.other_interval)) },
            html! { (by_row(slice)) },
            significance(&slice.difference),
        ],
    });
    html! {
        p.legend { span { span.key.dot {} "mean loss of this version less that of the other, with interval; right of 0 this version is worse" } }
        (Lanes {
            of: "slice",
            unit,
            value: "difference".into(),
            guides: vec![Guide { at: 0.0, kind: GuideKind::Overall }],
            extra: &["This", "Other", "Rows better / same / worse", "p adjusted"],
            rows: rows.collect(),
        }.markup())
    }
}
