//! What a report is about: the system and a few facts.

use maud::{Markup, html};
use types::definition::System;

use crate::words;

/// A fact's name and its value.
pub(crate) type Fact = (&'static str, Markup);

pub(crate) fn header(kind: &str, system: &System, facts: &[Fact]) -> Markup {
    html! {
        header.top {
            div.brand {
                span { (mark()) "Forewarn" }
                span.kind { (kind) }
            }
            h1 { (system.display_name()) }
            @match &system.purpose {
                Some(purpose) => p.purpose { (purpose) },
                None => p.purpose.empty { "No purpose is stated. Say in one sentence what the system is for under " code { "[system] purpose" } "." },
            }
            dl.facts {
                @for (name, value) in facts { div { dt { (name) } dd { (value) } } }
            }
        }
    }
}

/// A rising line under a bound: what the program is about.
pub(crate) fn mark() -> Markup {
    html! {
        svg.mark viewBox="0 0 20 20" aria-hidden="true" {
            path d="M2 4.5h16" stroke="currentColor" stroke-width="1.6" stroke-dasharray="2.6 2" opacity=".55" {}
            path d="M2 16l4.5-4 3.5 2.2 7-7.4" fill="none" stroke="currentColor" stroke-width="2" stroke-linecap="round" stroke-linejoin="round" {}
            circle cx="17" cy="6.8" r="2" fill="currentColor" {}
        }
    }
}

pub(crate) fn owner(system: &System) -> Fact {
    ("Owner", or_unstated(system.owner.as_deref()))
}

pub(crate) fn tier(system: &System) -> Fact {
    ("Risk tier (EU AI Act)", or_unstated(system.tier.map(words::tier)))
}

/// When the report was made, and what could be known by then; both as RFC 3339.
pub(crate) fn made(at: &str, as_of: &str) -> Fact {
    let [at, as_of] = [at, as_of].map(words::minute);
    let later = as_of != at;
    ("Made", html! { (at) @if later { span.sub { "with outcomes known by " (as_of) } } })
}

fn or_unstated(text: Option<&str>) -> Markup {
    html! {
        @match text {
            Some(text) => (text),
            None => span.empty { "not stated" },
        }
    }
}
