//! Whether a score of 30 % means 30 %.

use maud::{Markup, html};
use types::CheckId;
use types::detail::{CurvePoint, GapRow, QuantileRow};
use types::finding::{Detail, Finding, ReliabilityRow, segment_label};
use types::format;
use types::report::CheckReport;

use super::findings_of;
use super::lanes::{Lane, Lanes};
use crate::chart::{Guide, GuideKind, Reliability, overall, reliability};
use crate::page::measures::{breakable, limits, said, table, unmeasured};
use crate::page::{Section, verdicts};

pub(super) fn section(report: &CheckReport) -> Option<Section> {
    let findings = findings_of(report, CheckId::Calibration);
    if findings.is_empty() {
        return None;
    }
    Some(Section {
        id: "calibration",
        title: "Calibration",
        short: "Calibration",
        question: if findings.iter().any(|finding| promises_quantiles(finding)) {
            "Does each predicted quantile hold the share of outcomes that it promises?"
        } else {
            "When the model says 30 %, does it happen 30 % of the time?"
        },
        verdicts: verdicts(&findings),
        body: html! { @for finding in &findings { (one(finding)) } },
    })
}

fn promises_quantiles(finding: &Finding) -> bool {
    matches!(&finding.detail, Some(Detail::Reliability { more, .. }) if !more.quantiles.is_empty())
}

fn one(finding: &Finding) -> Markup {
    html! {
        (said(finding))
        @match &finding.detail {
            Some(Detail::Reliability { bins, more }) if !(bins.is_empty() && more.quantiles.is_empty() && more.curve.is_empty()) => {
                @if !(bins.is_empty() && more.curve.is_empty()) { (diagram_and_table(bins, &more.curve)) }
                @if !more.quantiles.is_empty() { h3.group { "Predicted quantiles" } (quantiles(finding, &more.quantiles)) }
                @if !more.gaps.is_empty() { h3.group { "By segment: what scores said less what happened" } (gaps(finding, &more.gaps)) }
            }
            _ => p.empty { "There is no reliability diagram: it needs outcomes for enough predictions of the window." },
        }
        @if !finding.measures.is_empty() { h3.group { "All measures" } }
        (table(finding))
        (unmeasured(finding))
    }
}

fn diagram_and_table(bins: &[ReliabilityRow], curve: &[CurvePoint]) -> Markup {
    html! {
        div.calibration {
            figure {
                (reliability(&Reliability { bins, curve }))
                figcaption.sub {
                    "A dot above the diagonal: it happened more often than the model said. Larger dots stand for more rows, lines are intervals."
                    @if !curve.is_empty() { " The line is the same without bins; the band is where it would lie if scores were right." }
                }
            }
            div.scroll tabindex="0" role="region" aria-label="Reliability by score" {
                table.bins {
                    thead { tr {
                        th scope="col" { "Score" } th.num scope="col" { "Said" } th.num scope="col" { "Happened" } th.num scope="col" { "Interval" } th.num scope="col" { "Rows" }
                    } }
                    tbody { @for bin in bins { (bin_row(bin)) } }
                }
            }
        }
    }
}

/// The limits on a distance as lines on both sides of 0.
fn either_side(finding: &Finding, measure: &str) -> Vec<Guide> {
    let limits = limits(finding, measure).into_iter().flat_map(|at| [-at, at]);
    limits.map(|at| Guide { at, kind: GuideKind::Limit }).chain([overall(0.0)]).collect()
}

fn gaps(finding: &Finding, rows: &[GapRow]) -> Markup {
    let lanes = rows.iter().map(|row| Lane {
        name: html! { (breakable(&segment_label(&row.column, row.value.as_deref()))) },
        label: segment_label(&row.column, row.value.as_deref()),
        verdict: Some(row.verdict),
        rows: row.rows,
        against: Some(0.0),
        measure: Some(&row.gap),
        reason: None,
        extra: vec![
            html! { (format::percent(row.score_mean)) },
            html! { (format::percent(row.outcome_share)) },
        ],
    });
    html! {
        p.legend { span { span.key.dot {} "mean score less share of positive outcomes; left of 0 the model promises too little" } }
        (Lanes { of: "segment", unit: "calibration_gap", value: "gap".into(), guides: either_side(finding, "worst_segment_gap"), extra: &["Said", "Happened"], rows: lanes.collect() }.markup())
    }
}

fn quantiles(finding: &Finding, rows: &[QuantileRow]) -> Markup {
    let off_at_most = limits(finding, "coverage_gap").into_iter().next();
    let lanes = rows.iter().map(|row| Lane {
        name: html! { (format::percent(row.level)) @if let Some(limit) = off_at_most { span.sub { " ± " (format::percent(limit)) } } },
        label: format!("{} quantile", format::percent(row.level)),
        verdict: Some(row.verdict),
        rows: row.covered.n,
        against: Some(row.level),
        measure: Some(&row.covered),
        reason: None,
        extra: vec![html! { (row.pinball.as_ref().map_or_else(|| "–".to_owned(), |of| format::number(of.value))) }],
    });
    html! {
        p.legend { span { span.key.dot {} "share of outcomes at or below the quantile, with interval" } span { span.key.ring {} "what it promises" } }
        (Lanes { of: "promised", unit: "interval_coverage", value: "at or below".into(), guides: Vec::new(), extra: &["Pinball loss"], rows: lanes.collect() }.markup())
    }
}

fn bin_row(bin: &ReliabilityRow) -> Markup {
    html! {
        tr {
            th scope="row" { (format::percent(bin.score_min)) " – " (format::percent(bin.score_max)) }
            td.num { (format::percent(bin.score_mean)) }
            td.num { strong { (format::percent(bin.outcome_share)) } }
            td.num.sub { (format::percent(bin.interval.lower)) " – " (format::percent(bin.interval.upper)) }
            td.num { (format::count(bin.n)) }
        }
    }
}
