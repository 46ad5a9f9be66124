//! How groups of people fare: each criterion of fairness, and the rates that it compares.

use maud::{Markup, html};
use types::CheckId;
use types::detail::{CriterionRow, FairnessDetail, GroupMetrics, GroupRow, RateWithInterval};
use types::finding::{Detail, Finding, Measure, segment_label};
use types::format;
use types::report::CheckReport;

use super::findings_of;
use super::lanes::range;
use crate::chart::{Scale, lane};
use crate::page::measures::{breakable, more, said, without_interval};
use crate::page::{Section, verdict, verdicts};
use crate::words;

pub(super) fn section(report: &CheckReport) -> Option<Section> {
    let findings = findings_of(report, CheckId::Fairness);
    if findings.is_empty() {
        return None;
    }
    Some(Section {
        id: "fairness",
        title: "Fairness",
        short: "Fairness",
        question: "Are groups of people treated alike, and in which sense?",
        verdicts: verdicts(&findings),
        body: html! {
            @for finding in &findings { (one(finding)) }
        },
    })
}

fn one(finding: &Finding) -> Markup {
    html! {
        (said(finding))
        @match &finding.detail {
            Some(Detail::Fairness(of)) => {
                @if of.metrics.is_empty() { (impossible()) } @else { (no_decision()) }
                @if of.criteria.is_empty() { p.empty { "No criterion could be computed." } } @else { h3.group { "Criteria" } (criteria(&of.criteria)) }
                (groups(of))
                (served(&of.metrics))
            }
            _ => p.empty { "No group was compared. Name the protected columns under " code { "[evaluate.fairness] protected" } "." },
        }
        (more(finding))
    }
}

/// Why there are other criteria than those that people know.
fn no_decision() -> Markup {
    html! {
        aside.note-box {
            p {
                strong { "Nobody gets a positive prediction here. " }
                "Demographic parity, equal opportunity and the other criteria of fairness are about one: they are not computed where several classes or numbers are predicted. "
                "What is compared is how well each group is served, and for numbers whether predictions are too high for one group and too low for another. "
                "A group whose outcomes vary more has larger errors under any model."
            }
        }
    }
}

/// The metrics of each group, where the task is not binary.
fn served(rows: &[GroupMetrics]) -> Markup {
    html! {
        @if !rows.is_empty() {
            h3.group { "Groups" }
            div.scroll tabindex="0" role="region" aria-label="Groups" {
                table.compact {
                    thead { tr { th scope="col" { "Group" } th.num scope="col" { "Rows" } th scope="col" { "Metrics" } } }
                    tbody { @for row in rows { tr {
                        th scope="row" { (breakable(&segment_label(&row.column, row.value.as_deref()))) }
                        td.num { (format::count(row.rows)) }
                        td {
                            @for measure in &row.measures { div { (words::measure_title(&measure.name)) " " (measured(Some(measure), format::number)) } }
                            @if let Some(reason) = &row.reason { span.sub { (reason) } }
                        }
                    } } }
                }
            }
        }
    }
}

/// What no model can escape.
fn impossible() -> Markup {
    html! {
        aside.note-box {
            p {
                strong { "These criteria cannot all hold at once. " }
                "Where the outcome is more frequent in one group than in another, a model that is not perfect cannot give both groups equally reliable scores and also equal rates of false alarms and of misses. "
                "Which criterion matters is a decision about people, not about numbers: choose it before looking at the result, and say why."
            }
            p.sub { "Kleinberg, Mullainathan & Raghavan 2016; Chouldechova 2017." }
        }
    }
}

fn criteria(rows: &[CriterionRow]) -> Markup {
    html! {
        div.scroll tabindex="0" role="region" aria-label="Criteria of fairness" {
            table.compact.criteria {
                thead { tr {
                    th scope="col" { "Criterion" } th scope="col" { "Over" } th.num scope="col" { "Difference" } th.num scope="col" { "Ratio" } th scope="col" { "Between" } th scope="col" { "Limit" }
                } }
                tbody { @for row in rows { (criterion(row)) } }
            }
        }
    }
}

fn criterion(row: &CriterionRow) -> Markup {
    html! {
        tr {
            th scope="row" {
                (criterion_title(&row.criterion))
                @if let Some(meaning) = criterion_meaning(&row.criterion) { span.sub.below { (meaning) } }
            }
            td { code { (row.column) } }
            @if row.difference.is_none() && row.ratio.is_none() {
                td.sub colspan="2" { (row.reason.as_deref().unwrap_or("not measured")) }
            } @else {
                td.num { (measured(row.difference.as_ref(), if is_metric(row) { format::number } else { format::percent })) }
                td.num {
                    (measured(row.ratio.as_ref(), format::number))
                    @if let Some(reason) = row.reason.as_ref().filter(|_| row.ratio.is_none()) { span.sub.below.why { (reason) } }
                }
            }
            td { @match (&row.lowest, &row.highest) { (Some(lowest), Some(highest)) => { (breakable(lowest)) span.sub { " and " } (breakable(highest)) }, _ => "–" } }
            td { @match row.verdict { Some(of) => (verdict::chip(of)), None => span.sub { "none" } } }
        }
    }
}

fn measured(measure: Option<&Measure>, text: impl Fn(f64) -> String) -> Markup {
    html! {
        @match measure {
            Some(measure) => {
                strong { (text(measure.value)) }
                @if let Some(interval) = &measure.interval { span.sub.below { (text(interval.lower)) " – " (text(interval.upper)) } }
                @if let Some(why) = measure.why_no_interval() { (without_interval(why)) }
            }
            None => "–",
        }
    }
}

/// Whether the row is about a metric between groups, which has a unit of its own.
fn is_metric(row: &CriterionRow) -> bool {
    types::measure::metric(&row.criterion).is_some()
}

pub(crate) fn criterion_title(name: &str) -> String {
    match types::measure::metric(name) {
        Some(_) => words::measure_title(name).into_owned(),
        None => words::sentence_case(&name.replace('_', " ")),
    }
}

fn criterion_meaning(name: &str) -> Option<&'static str> {
    Some(match name {
        "demographic_parity" => "Positive predictions are equally frequent in all groups",
        "equal_opportunity" => "Of those to whom it happens, equally many are predicted in all groups",
        "predictive_equality" => "False alarms are equally frequent in all groups",
        "equalized_odds" | "equalised_odds" => "Misses and false alarms are equally frequent in all groups",
        "predictive_parity" => "A positive prediction is right equally often in all groups",
        "treatment_equality" => "Misses and false alarms stand in the same ratio in all groups",
        "accuracy_equality" | "overall_accuracy_equality" => {
            "Predictions are right equally often in all groups"
        }
        "calibration" | "calibration_within_groups" | "calibration_gap" => {
            "A score means the same in all groups"
        }
        _ => return None,
    })
}

type RateOf = fn(&GroupRow) -> Option<RateWithInterval>;

/// The rates of a group with their titles; which of them are shares from 0 to 1.
const RATES: [(&str, RateOf); 6] = [
    ("Predicted positive", |group| group.selection_rate),
    ("Found (recall)", |group| group.true_positive_rate),
    ("False alarms", |group| group.false_positive_rate),
    ("Precision", |group| group.precision),
    ("Calibration gap", |group| group.calibration_gap),
    ("Expected / observed", |group| group.expected_over_observed),
];

/// One table for each protected column.
fn groups(of: &FairnessDetail) -> Markup {
    let mut columns: Vec<(&str, Vec<&GroupRow>)> = Vec::new();
    for group in &of.groups {
        match columns.iter_mut().find(|(column, _)| *column == group.column) {
            Some((_, rows)) => rows.push(group),
            None => columns.push((&group.column, vec![group])),
        }
    }
    html! {
        @for (column, rows) in &columns {
            h3.group { "Groups by " code { (column) } }
            (group_table(column, rows))
        }
    }
}

fn group_table(column: &str, rows: &[&GroupRow]) -> Markup {
    let scales = RATES.map(|(_, of)| {
        let rates = rows.iter().filter_map(|row| of(row));
        Scale::around(rates.flat_map(|rate| {
            let ends = rate.interval.map_or([rate.value; 2], |interval| [interval.lower, interval.upper]);
            [rate.value].into_iter().chain(ends)
        }))
    });
    let has = RATES.map(|(_, of)| rows.iter().any(|row| of(row).is_some()));
    html! {
        div.scroll tabindex="0" role="region" aria-label=(format!("Groups by {column}")) {
            table.compact.rates {
                thead { tr {
                    th scope="col" { "Group" }
                    th.num scope="col" { "Rows" }
                    th.num scope="col" { "Positive" }
                    @for ((title, _), _) in RATES.iter().zip(has).filter(|(_, has)| *has) { th.rate scope="col" { (title) } }
                } }
                tbody {
                    @for row in rows {
                        tr {
                            th scope="row" { (breakable(row.value.as_deref().unwrap_or("(missing)"))) }
                            td.num { (format::count(row.rows)) }
                            td.num { (format::count(row.positives)) }
                            @for (((title, of), scale), _) in RATES.iter().zip(&scales).zip(has).filter(|(_, has)| *has) { td.rate { (rate(title, of(row), scale)) } }
                        }
                    }
                }
            }
        }
    }
}

fn rate(title: &str, rate: Option<RateWithInterval>, scale: &Scale) -> Markup {
    let Some(rate) = rate else { return html! { span.sub { "no such row" } } };
    let ends = rate.interval.map(|interval| (interval.lower, interval.upper));
    let value = format::percent(rate.value);
    let interval = ends.map_or_else(
        || "no interval: these rows are all alike".to_owned(),
        |(lower, upper)| range("rate", lower, upper),
    );
    let label = format!("{title} {value} ({interval}), {}", format::counted(rate.n, "row", "rows"));
    html! {
        span.value { (value) }
        (lane(scale, rate.value, ends, &[], &label))
        span.sub.below { (interval) }
    }
}
