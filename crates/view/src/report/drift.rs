//! What changed: all columns together, then a ranked list, each row opening to its histogram.

use maud::{Markup, html};
use types::CheckId;
use types::finding::{Distribution, Finding};
use types::report::CheckReport;
use types::{Verdict, format};

use super::findings_of;
use super::together::together;
use crate::chart::{Scale, bullet, histogram, sparkline};
use crate::page::effect::{
    adjusted, chosen_because, distance, distance_text, distance_title, distribution, limits, origin,
};
use crate::page::measures::{breakable, prose, table, unmeasured};
use crate::page::{Section, verdict, verdicts};

/// Rows shown before the others are folded away.
const ROWS_SHOWN: usize = 25;
/// Rows that are open from the start, so that a bad week stays readable.
const ROWS_OPEN: usize = 8;

pub(super) fn section(report: &CheckReport) -> Option<Section> {
    let findings = findings_of(report, CheckId::Drift);
    let at_once = findings_of(report, CheckId::Multivariate);
    let all: Vec<&Finding> = at_once.iter().chain(&findings).copied().collect();
    if all.is_empty() {
        return None;
    }
    Some(Section {
        id: "drift",
        title: "Drift",
        short: "Drift",
        question: "Do the inputs and outputs still look like those of the reference window?",
        verdicts: verdicts(&all),
        body: html! {
            @for finding in at_once { (together(finding)) }
            @if !findings.is_empty() { (ranked(&findings)) }
        },
    })
}

fn ranked(findings: &[&Finding]) -> Markup {
    let scale = distance_scale(findings);
    let (shown, folded) = findings.split_at(findings.len().min(ROWS_SHOWN));
    html! {
        (legend(findings))
        div.drift {
            div.drift-head aria-hidden="true" {
                span {} span { "Column" } span { "Shape" } span { (distance_title(findings.iter().copied())) } span.num { "p adjusted" } span.num { "Missing" } span { "Verdict" }
            }
            @for (i, finding) in shown.iter().enumerate() {
                (row(finding, &scale, i < ROWS_OPEN))
            }
            @if !folded.is_empty() {
                details.fold {
                    summary { (format!("{} more columns", folded.len())) }
                    @for finding in folded { (row(finding, &scale, false)) }
                }
            }
        }
    }
}

/// From 0 to the largest distance, unless that would squash everything around the limits.
fn distance_scale(findings: &[&Finding]) -> Scale {
    let largest = |values: Vec<f64>| values.into_iter().filter(|value| value.is_finite()).fold(0.0, f64::max);
    let value = largest(
        findings.iter().filter_map(|finding| finding.distance()).map(|distance| distance.value).collect(),
    );
    let limited = findings.iter().filter(|finding| finding.distance().is_some());
    let limit = largest(limited.flat_map(|finding| limits(finding)).collect());
    let end = value.max(limit * 1.2);
    Scale::new(0.0, if limit > 0.0 { end.min(limit * 4.0) } else { end })
}

fn legend(findings: &[&Finding]) -> Markup {
    let limited = findings.iter().any(|finding| !limits(finding).is_empty());
    html! {
        p.legend {
            span { span.key.reference {} "reference" }
            span { span.key.current {} "current" }
            @if limited { span { span.key.limit {} "limit" } }
            span { span.key.chance {} "expected by chance" }
        }
    }
}

fn row(finding: &Finding, scale: &Scale, may_open: bool) -> Markup {
    let open = may_open && matches!(finding.verdict, Verdict::Fail | Verdict::Warn);
    let distribution = distribution(finding);
    html! {
        details.row open[open] {
            summary {
                span.chevron aria-hidden="true" {}
                span.column title=(finding.subject.label()) { span.name { (breakable(&finding.subject.label())) } @if let Some(origin) = origin(&finding.subject) { span.sub { (origin) } } }
                span.shape { @if let Some(of) = distribution { (sparkline(of)) } }
                (distance_cell(finding, scale))
                span.num.cell data-label="p adjusted" { (p_adjusted(finding)) }
                span.num.cell data-label="missing" { @if let Some(of) = distribution { (missing(of)) } @else { "–" } }
                span.verdict { (verdict::chip(finding.verdict)) }
            }
            div.opened { (opened(finding, distribution)) }
        }
    }
}

fn distance_cell(finding: &Finding, scale: &Scale) -> Markup {
    let Some(distance) = distance(finding) else {
        return html! { span.psi.cell data-label="distance" { span.sub { "not measured" } } };
    };
    let value = distance_text(finding).unwrap_or_default();
    if finding.distance().is_none() {
        return html! { span.psi.cell data-label="distance" { span.num { (value) } } };
    }
    let chance =
        distance.expected_by_chance.map(|expected| format!("{} by chance", format::number(expected)));
    let label = format!(
        "{}: {value}{}",
        finding.subject.label(),
        chance.as_deref().map(|chance| format!(", {chance}")).unwrap_or_default()
    );
    html! {
        span.psi.cell data-label="distance" {
            span.num { (value) }
            (bullet(scale, distance.value, &limits(finding), distance.expected_by_chance, &label))
            @if let Some(chance) = chance { span.sub { (chance) } }
        }
    }
}

fn p_adjusted(finding: &Finding) -> String {
    adjusted(finding).map_or_else(|| "–".into(), format::p_value)
}

fn missing(of: &Distribution) -> String {
    let [reference, current] = [of.reference_missing, of.current_missing].map(format::percent);
    if reference == current { current } else { format!("{reference} → {current}") }
}

fn opened(finding: &Finding, distribution: Option<&Distribution>) -> Markup {
    html! {
        div.with-chart {
            div.words {
                p.sentence { (prose(&finding.summary)) }
                @if let Some(of) = distribution { (rows_behind(of)) }
                (unmeasured(finding))
            }
            @if let Some(of) = distribution {
                figure {
                    @if let Some(what) = &of.of { figcaption.sub { "Shown: " (what) } }
                    (histogram(&finding.subject.label(), of))
                }
            }
            @if !finding.measures.is_empty() {
                details.more {
                    summary { "All measures" }
                    @if let Some(because) = chosen_because(finding) { p.sub { (prose(&because)) } }
                    (table(finding))
                }
            }
        }
    }
}

fn rows_behind(of: &Distribution) -> Markup {
    html! {
        dl.windows {
            dt { span.key.reference {} "reference" }
            dd { (format::counted(of.reference_n, "value", "values")) span.sub { (format::percent(of.reference_missing)) " missing" } }
            dt { span.key.current {} "current" }
            dd { (format::counted(of.current_n, "value", "values")) span.sub { (format::percent(of.current_missing)) " missing" } }
        }
    }
}
