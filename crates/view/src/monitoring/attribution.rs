//! Why performance changed: a change divided among its causes, with the assumption that this rests on.

use maud::{Markup, html};
use types::Window;
use types::finding::{Attribution, AttributionTerm, Finding};
use types::format;
use types::monitor_report::MonitorReport;

use super::performance_of;
use crate::chart::{SignedBar, signed_bars};
use crate::page::Section;
use crate::page::measures::prose;
use crate::words;

/// What could not be said, by the names under which findings keep the reasons.
const NOT_DIVIDED: &str = "attribution";
const NOT_BY_SOURCE: &str = "attribution_by_source";

pub(super) fn section(report: &MonitorReport) -> Option<Section> {
    let mut all: Vec<&Finding> = report
        .performance
        .iter()
        .filter(|finding| attribution_of(finding).is_some() || reason(finding, NOT_DIVIDED).is_some())
        .collect();
    let last = all.pop()?;
    all.reverse();
    Some(Section {
        id: "causes",
        title: "Why performance changed",
        short: "Causes",
        question: "Which part of the change comes from other inputs, and which from inputs that now mean something else?",
        verdicts: Vec::new(),
        body: html! {
            (explained(last))
            @if !all.is_empty() {
                details.fold {
                    summary { (format::counted(all.len() as u64, "earlier window", "earlier windows")) }
                    @for finding in &all { (explained(finding)) }
                }
            }
        },
    })
}

fn attribution_of(finding: &Finding) -> Option<&Attribution> {
    performance_of(finding)?.attribution.as_ref()
}

fn reason<'a>(finding: &'a Finding, name: &str) -> Option<&'a str> {
    finding.unmeasured.iter().find(|missing| missing.name == name).map(|missing| missing.reason.as_str())
}

fn explained(finding: &Finding) -> Markup {
    if let Some(of) = attribution_of(finding) {
        return divided(finding.window, of, reason(finding, NOT_BY_SOURCE));
    }
    html! {
        article.attribution {
            p.prose {
                "In " (words::window_text(finding.window)) ", the loss could not be divided: "
                (prose(reason(finding, NOT_DIVIDED).unwrap_or("no reason was kept"))) "."
            }
        }
    }
}

fn divided(window: Window, of: &Attribution, not_by_source: Option<&str>) -> Markup {
    let bars: Vec<SignedBar> = of.terms.iter().map(bar).collect();
    html! {
        article.attribution {
            p.prose {
                "In " (words::window_text(window)) ", the " (of.of) " was " strong { (signed(of.total)) } ". "
                "Bars to the right raised it, bars to the left lowered it; together they make up the whole. "
                "Lines are one standard error to each side, and pale bars cannot be told from nothing."
            }
            @if bars.is_empty() { p.empty { "It was not divided." } } @else { (signed_bars(&format!("Parts of the {}", of.of), &bars)) }
            @if let Some(reason) = not_by_source { p.sub.assumption { strong { "Not divided by source: " } (prose(reason)) "." } }
            p.sub.assumption { strong { "What has to hold: " } (prose(&of.assumption)) }
        }
    }
}

fn bar(of: &AttributionTerm) -> SignedBar {
    let text = format!("{} ± {}", signed(of.change), format::number(of.standard_error.abs()));
    SignedBar {
        name: of.name.clone(),
        value: of.change,
        standard_error: of.standard_error,
        title: format!("{}: {text}", of.name),
        text,
    }
}

/// With its sign: `+0.012`, `−0.004`.
fn signed(value: f64) -> String {
    let text = format::number(value);
    if value > 0.0 { format!("+{text}") } else { text }
}
