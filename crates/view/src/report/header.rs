//! What the report is about: system, model, windows, when.

use maud::{Markup, html};
use types::report::CheckReport;

use crate::words;

pub(super) fn header(report: &CheckReport) -> Markup {
    let system = &report.system;
    html! {
        header.top {
            div.brand {
                span { (mark()) "Forewarn" }
                span.kind { "Check report" }
            }
            h1 { (system.display_name()) }
            @match &system.purpose {
                Some(purpose) => p.purpose { (purpose) },
                None => p.purpose.empty { "No purpose is stated. Say in one sentence what the system is for under " code { "[system] purpose" } "." },
            }
            (facts(report))
        }
    }
}

/// A rising line under a bound: what the program is about.
fn mark() -> Markup {
    html! {
        svg.mark viewBox="0 0 20 20" aria-hidden="true" {
            path d="M2 4.5h16" stroke="currentColor" stroke-width="1.6" stroke-dasharray="2.6 2" opacity=".55" {}
            path d="M2 16l4.5-4 3.5 2.2 7-7.4" fill="none" stroke="currentColor" stroke-width="2" stroke-linecap="round" stroke-linejoin="round" {}
            circle cx="17" cy="6.8" r="2" fill="currentColor" {}
        }
    }
}

fn facts(report: &CheckReport) -> Markup {
    let system = &report.system;
    let made = words::minute(&report.at.to_string());
    let as_of = words::minute(&report.as_of.to_string());
    html! {
        dl.facts {
            div { dt { "Model version" } dd { (report.model) } }
            div { dt { "Examined" } dd { (words::window_text(report.window)) } }
            div { dt { "Compared with" } dd { (words::window_text(report.reference)) } }
            div { dt { "Owner" } dd { (or_unstated(system.owner.as_deref())) } }
            div { dt { "Risk tier (EU AI Act)" } dd { (or_unstated(system.tier.map(words::tier))) } }
            div {
                dt { "Made" }
                dd { (made) @if as_of != made { span.sub { "with outcomes known by " (as_of) } } }
            }
        }
    }
}

fn or_unstated(text: Option<&str>) -> Markup {
    html! {
        @match text {
            Some(text) => (text),
            None => span.empty { "not stated" },
        }
    }
}
