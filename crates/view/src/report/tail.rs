//! Rare and unusual cases: how the loss grows with rarity, kinds of rare cases, and the worst ones.

use maud::{Markup, html};
use types::CheckId;
use types::detail::{CaseRow, CurvePoint, OutsideRow, PoolRow, RarityRow, TailDetail};
use types::finding::{Detail, Finding, Measure};
use types::format;
use types::report::CheckReport;

use super::findings_of;
use super::lanes::{Lane, Lanes, ends, range};
use super::loss::Loss;
use crate::chart::{Across, Chart, Curve, Drawn, Guide, GuideKind, Scale, overall};
use crate::page::measures::{breakable, limits, more, said};
use crate::page::{Section, verdicts};
use crate::words;

/// What is said of a kind that no row is of.
pub(super) const NONE: &str = "none in this window";
/// Cases shown before the others are folded away.
const CASES_SHOWN: usize = 10;

pub(super) fn section(report: &CheckReport) -> Option<Section> {
    let findings = findings_of(report, CheckId::Tail);
    if findings.is_empty() {
        return None;
    }
    Some(Section {
        id: "tail",
        title: "Rare cases",
        short: "Rare cases",
        question: "How does the model do where it has seen little: unusual inputs, rare classes, its worst mistakes?",
        verdicts: verdicts(&findings),
        body: html! { @for finding in &findings { (one(finding)) } },
    })
}

fn one(finding: &Finding) -> Markup {
    html! {
        (said(finding))
        @match &finding.detail {
            Some(Detail::Tail(of)) => (detail(finding, of)),
            _ => p.empty { "Nothing could be said about rare cases: they need predictions with outcomes and at least one input column." },
        }
        (more(finding))
    }
}

fn detail(finding: &Finding, of: &TailDetail) -> Markup {
    let loss = Loss::of_tail(of);
    html! {
        @if of.deciles.iter().any(|row| row.mean_loss.is_some()) {
            h3.group { "Loss by rarity" }
            div.chart-and-list {
                figure {
                    (rarity_legend(&loss))
                    (rarity(&of.deciles, &loss, "usual → unusual inputs (tenths of the reference)", 200.0))
                    figcaption.sub { "Rows are sorted by how unusual their inputs are in the reference, and cut into ten classes: 1 holds the most usual tenth of the reference, 10 the most unusual." }
                }
                (deciles(&of.deciles, &loss))
            }
        }
        @if !of.pools.is_empty() { h3.group { "Kinds of rare cases" } (pools(finding, of, &loss)) }
        @if !of.worst.is_empty() { h3.group { "The worst single cases" } (worst(of)) }
        @if !of.outside.is_empty() { h3.group { "Values that the reference does not have" } (outside(&of.outside, &loss)) }
    }
}

pub(super) fn rarity_legend(loss: &Loss) -> Markup {
    html! {
        p.legend {
            span { span.key.dot {} (words::measure_title(&loss.unit)) ", with interval" }
            @if let Some(average) = loss.average { span { span.key.level.overall-level {} "all rows " (words::measure_value(&loss.unit, average)) } }
        }
    }
}

/// The mean loss by rarity, with the line of all rows.
pub(super) fn rarity(deciles: &[RarityRow], loss: &Loss, title: &'static str, height: f64) -> Markup {
    let across = Across {
        scale: Scale::new(0.5, 10.5),
        ticks: (1..=10u32).map(|decile| (f64::from(decile), decile.to_string())).collect(),
        title,
    };
    let mut chart = Chart::new(
        format!(
            "{} by how unusual the inputs are, from the most usual tenth of the reference to the most unusual",
            words::sentence_case(&words::measure_title(&loss.unit))
        ),
        across,
        height,
    );
    let measured = || deciles.iter().filter_map(|row| Some((row, row.mean_loss.as_ref()?)));
    let points = measured().map(|(row, measure)| {
        let (lower, upper) = ends(measure).unwrap_or((measure.value, measure.value));
        CurvePoint { at: f64::from(row.decile), value: measure.value, lower, upper }
    });
    chart.curves = vec![Curve { class: "of-current", points: points.collect(), drawn: Drawn::Dots }];
    chart.levels = loss.average.map(overall).into_iter().collect();
    chart.said =
        measured().map(|(row, measure)| (f64::from(row.decile), said_of(row, measure, &loss.unit))).collect();
    chart.markup(|tick| words::measure_value(&loss.unit, tick))
}

fn said_of(row: &RarityRow, measure: &Measure, unit: &str) -> String {
    let interval = ends(measure).map(|(lower, upper)| format!(" ({})", range(unit, lower, upper)));
    format!(
        "tenth {}: {}{}, {}",
        row.decile,
        words::measure_value(unit, measure.value),
        interval.unwrap_or_default(),
        format::counted(row.rows, "row", "rows")
    )
}

fn deciles(rows: &[RarityRow], loss: &Loss) -> Markup {
    html! {
        div.scroll tabindex="0" role="region" aria-label="Mean loss by rarity" {
            table.compact {
                thead { tr { th scope="col" { "Tenth" } th.num scope="col" { "Mean loss" } th.num scope="col" { "Interval" } th.num scope="col" { "Rows" } } }
                tbody { @for row in rows { (decile(row, loss)) } }
            }
        }
    }
}

fn decile(row: &RarityRow, loss: &Loss) -> Markup {
    let value = row.mean_loss.as_ref().map(|of| words::measure_value(&loss.unit, of.value));
    let interval =
        row.mean_loss.as_ref().and_then(ends).map(|(lower, upper)| range(&loss.unit, lower, upper));
    html! {
        tr {
            th scope="row" { (row.decile) @if row.decile == 1 { span.sub { " most usual" } } @if row.decile == 10 { span.sub { " most unusual" } } }
            td.num { @match value { Some(value) => strong { (value) }, None => span.sub { "too few rows" } } }
            td.num.sub { (interval.unwrap_or_else(|| "–".into())) }
            td.num { (format::count(row.rows)) }
        }
    }
}

/// Kinds of rare cases; those that are measured otherwise stand in a table of their own.
fn pools(finding: &Finding, of: &TailDetail, loss: &Loss) -> Markup {
    let (same, other): (Vec<&PoolRow>, Vec<&PoolRow>) =
        of.pools.iter().partition(|pool| pool.mean_loss.as_ref().is_none_or(|mean| loss.is_of(mean)));
    let lifts = limits(finding, "rare_lift").into_iter();
    let of_lift = lifts.filter_map(|lift| Some(Guide { at: lift * loss.average?, kind: GuideKind::Limit }));
    let of_class =
        limits(finding, "rare_class_wrong_share").into_iter().map(|at| Guide { at, kind: GuideKind::Limit });
    let guides: Vec<Guide> = loss.average.map(overall).into_iter().chain(of_lift).collect();
    html! {
        @if !same.is_empty() { (pool_table(&same, &loss.unit, loss.average, guides)) }
        @if let Some(measure) = other.first().and_then(|pool| pool.mean_loss.as_ref()) {
            (pool_table(&other, measure.name.as_str(), None, of_class.collect()))
        }
    }
}

fn pool_table(pools: &[&PoolRow], unit: &str, average: Option<f64>, guides: Vec<Guide>) -> Markup {
    let has_lifts = pools.iter().any(|pool| pool.lift.is_some());
    let rows = pools.iter().map(|pool| Lane {
        name: html! { (words::sentence_case(&pool.what)) },
        label: pool.what.clone(),
        verdict: Some(pool.verdict),
        rows: pool.rows,
        against: average.filter(|_| pool.lift.is_some()),
        measure: pool.mean_loss.as_ref(),
        reason: (pool.rows == 0).then_some(NONE),
        extra: if has_lifts { vec![lift_cell(pool)] } else { Vec::new() },
    });
    Lanes {
        of: "kind",
        unit,
        value: words::measure_title(unit).into_owned(),
        guides,
        extra: if has_lifts { &["Times average"] } else { &[] },
        rows: rows.collect(),
    }
    .markup()
}

fn lift_cell(pool: &PoolRow) -> Markup {
    html! {
        @match &pool.lift {
            Some(lift) => {
                strong { (words::measure_value("lift", lift.value)) }
                @if let Some((lower, upper)) = ends(lift) { span.sub.below { (range("lift", lower, upper)) } }
            }
            None => "–",
        }
    }
}

fn worst(of: &TailDetail) -> Markup {
    let (shown, folded) = of.worst.split_at(of.worst.len().min(CASES_SHOWN));
    html! {
        p.prose.sub { "Inputs of single cases stand in this file only; they are not kept as evidence." }
        (case_table(of, shown))
        @if !folded.is_empty() {
            details.fold { summary { (format!("{} more cases", folded.len())) } (case_table(of, folded)) }
        }
    }
}

fn case_table(of: &TailDetail, cases: &[CaseRow]) -> Markup {
    html! {
        div.scroll tabindex="0" role="region" aria-label="Worst cases" {
            table.compact.cases {
                thead { tr { th scope="col" { "Case" } th scope="col" { "Predicted" } th scope="col" { "Happened" } th.num scope="col" { @if of.case_loss.is_empty() { "Loss" } @else { (words::sentence_case(&of.case_loss)) } } th scope="col" { "Inputs" } } }
                tbody { @for case in cases { (case_row(case)) } }
            }
        }
    }
}

fn case_row(case: &CaseRow) -> Markup {
    html! {
        tr {
            th scope="row" { code { (case.id) } span.sub.below { (words::minute(&case.at)) } }
            td { (case.predicted) }
            td { (case.outcome) }
            td.num { strong { (format::number(case.loss)) } }
            td.inputs {
                @for (name, value) in &case.inputs { span { span.sub { (name) " " } (value) } " " }
                @if case.inputs.is_empty() { span.sub { "not kept" } }
            }
        }
    }
}

fn outside(rows: &[OutsideRow], loss: &Loss) -> Markup {
    let rows = rows.iter().map(|row| Lane {
        name: html! { (breakable(&row.column)) },
        label: row.column.clone(),
        verdict: None,
        rows: row.rows,
        against: loss.average,
        measure: row.mean_loss.as_ref(),
        reason: None,
        extra: Vec::new(),
    });
    Lanes {
        of: "column",
        unit: &loss.unit,
        value: words::measure_title(&loss.unit).into_owned(),
        guides: loss.average.map(overall).into_iter().collect(),
        extra: &[],
        rows: rows.collect(),
    }
    .markup()
}
