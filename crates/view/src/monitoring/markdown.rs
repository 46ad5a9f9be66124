//! Monitoring over time as a page for a wiki: what changed, which alarms stand, columns, performance.
//!
//! The text is escaped as that of the check report ([`crate::markdown`]); very long tables are cut,
//! and say so.

use std::fmt::Write as _;

use types::finding::{Finding, Measure};
use types::monitor_report::{ColumnHistory, MonitorReport};
use types::{Verdict, format, window};

use super::drift::stands_since;
use super::sparkline::sparkline;
use super::{counted, last_of, last_together, performance_of};
use crate::markdown::{code, escaped, gate_lines, headline, prose, push, shortened, sign};
use crate::maturity;
use crate::page::effect::{adjusted, distance_text, distance_title};
use crate::words;

/// Rows of one table.
const ROWS_MAX: usize = 60;

/// Sentences about what changed.
const CHANGES_MAX: usize = 20;

/// The report as GitHub-flavoured Markdown, short.
pub fn markdown(report: &MonitorReport) -> String {
    let mut text = format!("## Forewarn monitoring: {}\n\n", escaped(report.system.display_name()));
    for gate in &report.gates {
        push(&mut text, &gate_lines(gate));
    }
    push(&mut text, &about(report));
    push(&mut text, &changes(report));
    push(&mut text, &alarms(report));
    if !report.drift.is_empty() {
        push(&mut text, &columns(report));
    }
    if let Some(together) = last_together(report) {
        push(&mut text, &all_together(together));
    }
    if !report.performance.is_empty() {
        push(&mut text, &performance(report));
    }
    if !report.quality.is_empty() {
        push(&mut text, &quality(report));
    }
    text
}

fn about(report: &MonitorReport) -> String {
    format!(
        "Model {} · {} against {} · outcomes known by {}\n",
        code(&report.model),
        counted(report.cadence, report.windows.len()),
        escaped(&report.against),
        words::minute(&report.as_of.to_string()),
    )
}

fn changes(report: &MonitorReport) -> String {
    let (said, more) = report.changes.split_at(report.changes.len().min(CHANGES_MAX));
    let mut said: Vec<String> = said.iter().map(|sentence| prose(&shortened(sentence))).collect();
    if !more.is_empty() {
        said.push(format!("And {} more.", more.len()));
    }
    if said.is_empty() {
        return "**Since last time** nothing worth naming changed.\n".into();
    }
    format!("**Since last time.** {}\n", said.join(" "))
}

fn alarms(report: &MonitorReport) -> String {
    let standing =
        report.drift.iter().filter_map(|column| Some((column, stands_since(column, &report.windows)?)));
    let lines: Vec<String> = standing
        .map(|(column, since)| {
            format!("- {} since {}", code(&column.subject.label()), window::instant_text(since.from()))
        })
        .collect();
    if lines.is_empty() {
        return "No column has surely changed.\n".into();
    }
    let count =
        format::counted(lines.len() as u64, "column has surely changed", "columns have surely changed");
    let more = lines.len().saturating_sub(ROWS_MAX);
    let more = if more > 0 { format!("\n- … and {more} more") } else { String::new() };
    format!("**{count}**\n\n{}{more}\n", lines[..lines.len().min(ROWS_MAX)].join("\n"))
}

/// What is wrong with the data of the last window; what is well is counted.
fn quality(report: &MonitorReport) -> String {
    let mut text = String::from("**Data quality**\n\n");
    let told = || report.quality.iter().filter(|finding| finding.verdict != Verdict::Pass);
    for finding in told().take(ROWS_MAX) {
        let (label, said) = (code(&finding.subject.label()), prose(&shortened(&finding.summary)));
        let _ = writeln!(text, "- {} {label}: {said}", sign(finding.verdict));
    }
    let more = told().count().saturating_sub(ROWS_MAX);
    if more > 0 {
        let _ = writeln!(text, "- … and {more} more");
    }
    let well = report.quality.len() - told().count();
    if well > 0 {
        let well = format::counted(well as u64, "finding passes", "findings pass");
        let _ = writeln!(text, "- {} {well}", sign(Verdict::Pass));
    }
    if let Some(look) = &report.quality_look {
        let _ = writeln!(
            text,
            "\nLooked at on {} in {}.",
            words::minute(&look.at.to_string()),
            escaped(&look.versions())
        );
    }
    text
}

fn columns(report: &MonitorReport) -> String {
    let distance = distance_title(report.drift.iter().filter_map(last_of));
    let mut text =
        format!("| Column | Last window | {distance} | Adjusted | Over time |\n|---|---|---|---|---|\n");
    for column in report.drift.iter().take(ROWS_MAX) {
        let _ = writeln!(text, "{}", column_row(column));
    }
    text.push_str(&cut(report.drift.len(), "columns"));
    text
}

fn column_row(column: &ColumnHistory) -> String {
    let last = last_of(column);
    let verdict =
        last.map_or_else(|| "no data".into(), |last| format!("{} {}", sign(last.verdict), last.verdict));
    let moved = last.and_then(distance_text).map(|text| escaped(&text)).unwrap_or_default();
    let significance = last.and_then(adjusted).map(format::p_value).unwrap_or_default();
    format!(
        "| {} | {verdict} | {moved} | {} | {} |",
        code(&column.subject.label()),
        escaped(&significance),
        sparkline(&distances(column)),
    )
}

/// The distance in each window; what was not measured is a gap.
fn distances(column: &ColumnHistory) -> Vec<Option<f64>> {
    let of = |finding: &Option<Finding>| Some(finding.as_ref()?.distance()?.value);
    column.findings.iter().map(of).collect()
}

fn all_together(finding: &Finding) -> String {
    format!(
        "**All columns together:** {} {}. {}\n",
        sign(finding.verdict),
        headline(finding),
        prose(&shortened(&finding.summary))
    )
}

fn performance(report: &MonitorReport) -> String {
    let name = report.performance.iter().rev().find_map(performance_of).map_or("", |of| of.metric.as_str());
    let mut text = format!(
        "**{}**\n\n| Window | Outcomes | From outcomes | Estimated | Verdict |\n|---|---|---|---|---|\n",
        escaped(&words::sentence_case(&words::measure_title(name)))
    );
    for finding in report.performance.iter().rev().take(ROWS_MAX) {
        let (outcomes, realised, estimated) = match performance_of(finding) {
            Some(of) => (
                format!(
                    "{}, {} known",
                    maturity::word(of.maturity.state),
                    format::percent(of.maturity.coverage)
                ),
                number(of.realised.as_ref()),
                number(of.estimated.as_ref()),
            ),
            None => (String::new(), String::new(), String::new()),
        };
        let _ = writeln!(
            text,
            "| {} | {} | {} | {} | {} {} |",
            words::window_text(finding.window),
            escaped(&outcomes),
            escaped(&realised),
            escaped(&estimated),
            sign(finding.verdict),
            finding.verdict,
        );
    }
    text.push_str(&cut(report.performance.len(), "windows"));
    text
}

fn number(measure: Option<&Measure>) -> String {
    measure.map_or_else(
        || "–".into(),
        |measure| {
            let interval =
                words::interval(measure).map(|interval| format!(" ({interval})")).unwrap_or_default();
            format!("{}{interval}", words::measure_value(&measure.name, measure.value))
        },
    )
}

fn cut(rows: usize, what: &str) -> String {
    let more = rows.saturating_sub(ROWS_MAX);
    if more == 0 {
        String::new()
    } else {
        format!("\n… and {more} more {what}; the HTML report has them all.\n")
    }
}
