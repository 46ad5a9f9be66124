//! The numbers behind the heat map, as a table that can be read out and copied.

use maud::{Markup, html};
use types::finding::Finding;
use types::monitor_report::{ColumnHistory, MonitorReport};
use types::{Verdict, Window, format, window};

use super::drift::stands_since;
use super::last_of;
use crate::page::effect::{adjusted, distance_text, distance_title, distribution, origin};
use crate::page::verdict;

pub(super) fn table(report: &MonitorReport) -> Markup {
    html! {
        details.fold.numbers-below {
            summary { "The columns in numbers" }
            div.scroll tabindex="0" role="region" aria-label="Columns in numbers" {
                table {
                    thead { tr {
                        th scope="col" { "Column" } th scope="col" { "From" } th scope="col" { "Last window" }
                        th.num scope="col" { (distance_title(report.drift.iter().filter_map(last_of))) } th.num scope="col" { "By chance" } th.num scope="col" { "Missing" }
                        th.num scope="col" { "Adjusted" } th.num scope="col" { "Alarm since" } th.num scope="col" { "Windows failed" }
                    } }
                    tbody { @for column in &report.drift { (row(column, &report.windows)) } }
                }
            }
        }
    }
}

fn row(column: &ColumnHistory, windows: &[Window]) -> Markup {
    let last = last_of(column);
    let distance = last.and_then(Finding::distance);
    let measured = column.findings.iter().flatten().filter(|finding| finding.verdict != Verdict::Unknown);
    let failed = column.findings.iter().flatten().filter(|finding| finding.verdict == Verdict::Fail);
    html! {
        tr {
            th scope="row" { (column.subject.label()) }
            td.sub { (origin(&column.subject).unwrap_or("–")) }
            td { @match last { Some(last) => (verdict::chip(last.verdict)), None => span.sub { "no data" } } }
            td.num { (or_dash(last.and_then(distance_text))) }
            td.num { (or_dash(distance.and_then(|distance| distance.expected_by_chance).map(format::number))) }
            td.num { (or_dash(last.and_then(missing))) }
            td.num { (or_dash(last.and_then(adjusted).map(format::p_value))) }
            td.num { (or_dash(stands_since(column, windows).map(|since| window::instant_text(since.from())))) }
            td.num { (failed.count()) " of " (measured.count()) }
        }
    }
}

fn missing(finding: &Finding) -> Option<String> {
    let of = distribution(finding)?;
    let [before, now] = [of.reference_missing, of.current_missing].map(format::percent);
    Some(if before == now { now } else { format!("{before} → {now}") })
}

fn or_dash(text: Option<String>) -> String {
    text.unwrap_or_else(|| "–".into())
}
