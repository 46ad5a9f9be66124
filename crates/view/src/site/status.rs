//! States that are not verdicts, drawn like them: of alerts, jobs, deliveries; and how grave something is.

use maud::{Markup, html};
use types::Verdict;
use types::message::Severity;

/// The word, in the colours of the verdict that it amounts to; with none, quiet.
pub(super) fn chip(word: &str, like: Option<Verdict>) -> Markup {
    html! {
        @match like {
            Some(of) => span class=(format!("chip {}", of.word())) {
                svg.icon aria-hidden="true" { use href=(format!("#i-{}", of.word())) {} }
                (word)
            },
            None => span.chip.plain { (word) },
        }
    }
}

/// Four bars, as many filled as it is grave.
pub(super) fn severity(of: Severity) -> Markup {
    let filled = match of {
        Severity::Info => 0,
        Severity::Low => 1,
        Severity::Medium => 2,
        Severity::High => 3,
        Severity::Critical => 4,
    };
    html! {
        svg class=(format!("severity {}", of.word())) viewBox="0 0 16 16" role="img" aria-label=(format!("{} severity", of.word())) {
            @for bar in 0..4 {
                rect.filled[bar < filled] x=(bar * 4) y=(11 - bar * 3) width="3" height=(5 + bar * 3) rx="0.8" {}
            }
        }
    }
}

/// How grave, as bars and word.
pub(super) fn severity_said(of: Severity) -> Markup {
    html! { span.severity-said { (severity(of)) (of.word()) } }
}
