//! Why performance changed: a change divided among its causes, with the assumption that this rests on.

use maud::{Markup, html};
use types::Window;
use types::finding::{Attribution, AttributionTerm};
use types::format;
use types::monitor_report::MonitorReport;

use super::performance_of;
use crate::chart::{SignedBar, signed_bars};
use crate::page::Section;
use crate::words;

pub(super) fn section(report: &MonitorReport) -> Option<Section> {
    let mut all: Vec<(Window, &Attribution)> = report
        .performance
        .iter()
        .filter_map(|finding| Some((finding.window, performance_of(finding)?.attribution.as_ref()?)))
        .collect();
    let (window, last) = all.pop()?;
    all.reverse();
    Some(Section {
        id: "causes",
        title: "Why performance changed",
        short: "Causes",
        question: "Which part of the change comes from other inputs, and which from inputs that now mean something else?",
        verdicts: Vec::new(),
        body: html! {
            (divided(window, last))
            @if !all.is_empty() {
                details.fold {
                    summary { (format::counted(all.len() as u64, "earlier window", "earlier windows")) }
                    @for (window, attribution) in &all { (divided(*window, attribution)) }
                }
            }
        },
    })
}

fn divided(window: Window, of: &Attribution) -> Markup {
    let bars: Vec<SignedBar> = of.terms.iter().map(bar).collect();
    html! {
        article.attribution {
            p.prose {
                "In " (words::window_text(window)) ", the " (of.of) " was " strong { (signed(of.total)) } ". "
                "Bars to the right raised it, bars to the left lowered it; together they make up the whole. "
                "Lines are one standard error to each side, and pale bars cannot be told from nothing."
            }
            @if bars.is_empty() { p.empty { "It was not divided." } } @else { (signed_bars(&format!("Parts of the {}", of.of), &bars)) }
            p.sub.assumption { strong { "What has to hold: " } (of.assumption) }
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
