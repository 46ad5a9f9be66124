//! Where the model is worse though nobody named the place: slices that a search found and other rows confirmed.

use maud::{Markup, html};
use types::CheckId;
use types::detail::{FoundSlices, SliceRow};
use types::finding::{Detail, Finding};
use types::format;
use types::report::CheckReport;

use super::findings_of;
use super::lanes::{Lane, Lanes, significance};
use crate::chart::overall;
use crate::page::measures::{more, said};
use crate::page::{Section, verdicts};
use crate::words;

pub(super) fn section(report: &CheckReport) -> Option<Section> {
    let findings = findings_of(report, CheckId::Slices);
    if findings.is_empty() {
        return None;
    }
    Some(Section {
        id: "slices",
        title: "Weak slices",
        short: "Slices",
        question: "For which combinations of inputs is the model much worse than on average, though nobody named them?",
        verdicts: verdicts(&findings),
        body: html! { @for finding in &findings { (one(finding)) } },
    })
}

fn one(finding: &Finding) -> Markup {
    html! {
        (said(finding))
        @match &finding.detail {
            Some(Detail::Slices(found)) if !found.slices.is_empty() => (table(found)),
            Some(Detail::Slices(found)) => p.empty { "The search over " (format::counted(found.searched_rows, "row", "rows")) " found no slice that is worse than the average." },
            _ => p.empty { "No search was made: it needs predictions with outcomes and at least one input column." },
        }
        (more(finding))
    }
}

fn table(found: &FoundSlices) -> Markup {
    let unit = found.loss.as_str();
    let rows = found.slices.iter().map(|slice| Lane {
        name: conditions(slice),
        label: slice.conditions.join(" and "),
        verdict: Some(slice.verdict),
        rows: slice.rows,
        against: Some(found.overall),
        measure: Some(&slice.mean_loss),
        reason: None,
        extra: vec![
            html! {
                strong { (words::measure_value("lift", slice.lift.value)) }
                @if let Some(range) = words::interval_in("lift", &slice.lift) { span.sub.below { (range) } }
            },
            html! { (format::percent(slice.share)) },
            significance(&slice.lift),
        ],
    });
    html! {
        p.legend {
            span { span.key.dot {} (words::measure_title(unit)) " of the slice, with interval" }
            span { span.key.overall {} "all rows " (all_rows(found)) }
            span { "searched on " (format::counted(found.searched_rows, "row", "rows")) ", judged on " (format::count(found.judged_rows)) " others" }
        }
        (Lanes {
            of: "slice",
            unit,
            value: words::measure_title(unit).into_owned(),
            guides: vec![overall(found.overall)],
            extra: &["Times average", "Share of rows", "p adjusted"],
            rows: rows.collect(),
        }.markup())
    }
}

/// The mean loss of all rows that judged, with its interval.
pub(crate) fn all_rows(found: &FoundSlices) -> String {
    let unit = found.loss.as_str();
    let ends = words::range_text(unit, found.overall_interval).map(|range| format!(" ({range})"));
    format!("{}{}", words::measure_value(unit, found.overall), ends.unwrap_or_default())
}

/// The conditions one under the other, and whether other rows confirmed them.
pub(super) fn conditions(slice: &SliceRow) -> Markup {
    html! {
        span.conditions {
            @for (i, condition) in slice.conditions.iter().enumerate() {
                @if i > 0 { " " span.sub { "and" } " " }
                code { (condition) }
            }
            @if slice.conditions.is_empty() { span.sub { "(no condition)" } }
        }
        @if !slice.confirmed { span.tag { "not confirmed" } }
    }
}
