//! How the values themselves moved: a small chart for each of the columns that matter most.

use maud::{Markup, html};
use types::finding::{Distribution, Finding};
use types::monitor_report::{ColumnHistory, MonitorReport};
use types::{Window, format};

use super::last_of;
use crate::chart::{FanWindow, Quantiles, Shares, Stack, fan, listed, stack};
use crate::page::effect::{distribution, origin};
use crate::page::measures::breakable;
use crate::page::{Section, verdict};
use crate::words;

/// Charts shown before the others are folded away.
const CHARTS_SHOWN: usize = 12;
/// Categories of one chart that have a name; the rest are the others.
const NAMES: usize = 5;

pub(super) fn section(report: &MonitorReport) -> Option<Section> {
    let drawn: Vec<&ColumnHistory> = report.drift.iter().filter(|column| has_distribution(column)).collect();
    if drawn.is_empty() || report.windows.is_empty() {
        return None;
    }
    let (shown, folded) = drawn.split_at(drawn.len().min(CHARTS_SHOWN));
    Some(Section {
        id: "distributions",
        title: "Distributions over time",
        short: "Distributions",
        question: "What do the values look like now, and how did they get there?",
        verdicts: Vec::new(),
        body: html! {
            (legend())
            (charts(shown, &report.windows))
            @if !folded.is_empty() {
                details.fold {
                    summary { (format!("{} more columns", folded.len())) }
                    (charts(folded, &report.windows))
                }
            }
        },
    })
}

fn has_distribution(column: &ColumnHistory) -> bool {
    let mut of = column.findings.iter().flatten().filter_map(distribution);
    of.any(|of| !of.bins.is_empty() || quantiles(&of.current_quantiles).is_some())
}

pub(crate) fn legend() -> Markup {
    html! {
        p.legend {
            span { span.key.fan-median {} "median" }
            span { span.key.fan-inner {} "middle half of the values" }
            span { span.key.fan-outer {} "middle 90 %" }
            span { span.key.fan-reference {} "middle 90 % and median of the reference" }
            span { span.key.fail {} span.key.warn {} "window that fails, or deserves a look" }
        }
    }
}

fn charts(columns: &[&ColumnHistory], windows: &[Window]) -> Markup {
    html! { div.multiples { @for column in columns { (chart(column, windows)) } } }
}

pub(crate) fn chart(column: &ColumnHistory, windows: &[Window]) -> Markup {
    let label = column.subject.label();
    let findings: Vec<Option<&Finding>> =
        (0..windows.len()).map(|slot| column.findings.get(slot).and_then(Option::as_ref)).collect();
    let is_number = findings
        .iter()
        .flatten()
        .filter_map(|finding| distribution(finding))
        .any(|of| quantiles(&of.current_quantiles).is_some());
    let shown =
        findings.iter().flatten().filter_map(|finding| distribution(finding)?.of.as_deref()).next_back();
    html! {
        figure.multiple {
            figcaption title=(label) {
                span.name { (breakable(&label)) @if let Some(origin) = origin(&column.subject) { span.sub { (origin) } } @if let Some(shown) = shown { span.sub { (shown) } } }
                @if let Some(last) = last_of(column) { (verdict::chip(last.verdict)) }
            }
            @if is_number { (number(&label, windows, &findings)) } @else { (categories(&label, windows, &findings)) }
        }
    }
}

fn number(label: &str, windows: &[Window], findings: &[Option<&Finding>]) -> Markup {
    let of: Vec<FanWindow> = findings
        .iter()
        .zip(windows)
        .map(|(finding, window)| {
            let of = finding.and_then(distribution);
            let current = of.and_then(|of| quantiles(&of.current_quantiles));
            FanWindow {
                current,
                reference: of.and_then(|of| quantiles(&of.reference_quantiles)),
                verdict: finding.map(|finding| finding.verdict),
                title: with_values(said(*window, *finding), current),
            }
        })
        .collect();
    fan(label, windows, &of)
}

/// When, and what it came to; the sizes are in the heat map.
fn said(window: Window, finding: Option<&Finding>) -> String {
    let verdict = finding.map_or("no data", |finding| finding.verdict.word());
    format!("{}: {verdict}", words::window_text(window))
}

fn with_values(said: String, current: Option<Quantiles>) -> String {
    match current {
        Some([p5, p25, p50, p75, p95]) => {
            let [p5, p25, p50, p75, p95] = [p5, p25, p50, p75, p95].map(format::value);
            format!("{said}\nmedian {p50}, half between {p25} and {p75}, 90 % between {p5} and {p95}")
        }
        None => said,
    }
}

/// Five numbers in ascending order; anything else is not drawn.
fn quantiles(values: &[f64]) -> Option<Quantiles> {
    let values: Quantiles = values.try_into().ok()?;
    values.iter().all(|value| value.is_finite()).then_some(values)
}

fn categories(label: &str, windows: &[Window], findings: &[Option<&Finding>]) -> Markup {
    let names = largest(findings);
    let shares_of = |of: &Distribution, current: bool| -> Shares {
        let share = |name: &String| {
            of.bins
                .iter()
                .filter(|bin| bin.label == *name)
                .map(|bin| if current { bin.current } else { bin.reference })
                .sum()
        };
        names.iter().map(share).collect()
    };
    let distributions: Vec<Option<&Distribution>> = findings
        .iter()
        .map(|finding| finding.and_then(distribution).filter(|of| !of.bins.is_empty()))
        .collect();
    let shares: Vec<Option<Shares>> = distributions
        .iter()
        .map(|of| of.filter(|of| of.current_n > 0).map(|of| shares_of(of, true)))
        .collect();
    let verdicts = findings.iter().zip(windows).zip(&shares).map(|((finding, window), shares)| {
        let said = said(*window, *finding);
        let mix = shares.as_ref().map(|shares| format!("\n{}", listed(&names, shares))).unwrap_or_default();
        (finding.map(|finding| finding.verdict), said + &mix)
    });
    let of = Stack {
        reference: distributions.iter().flatten().next_back().map(|of| shares_of(of, false)),
        verdicts: verdicts.collect(),
        windows: shares.clone(),
        names: names.clone(),
    };
    stack(label, windows, &of)
}

/// The categories with the largest share in any window or in the reference, by their share in the reference.
fn largest(findings: &[Option<&Finding>]) -> Vec<String> {
    let mut sizes: Vec<(String, f64, f64)> = Vec::new();
    for bin in findings.iter().flatten().filter_map(|finding| distribution(finding)).flat_map(|of| &of.bins) {
        let [reference, current] =
            [bin.reference, bin.current].map(|share| if share.is_finite() { share } else { 0.0 });
        match sizes.iter_mut().find(|(label, ..)| *label == bin.label) {
            Some((_, before, most)) => {
                *before = reference;
                *most = most.max(reference).max(current);
            }
            None => sizes.push((bin.label.clone(), reference, reference.max(current))),
        }
    }
    sizes.sort_by(|a, b| b.2.total_cmp(&a.2));
    sizes.truncate(NAMES);
    sizes.sort_by(|a, b| b.1.total_cmp(&a.1));
    sizes.into_iter().map(|(label, ..)| label).collect()
}
