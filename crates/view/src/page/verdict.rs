//! Verdicts as icon, word and colour, always in that order of importance.

use maud::{Markup, html};
use types::Verdict;
use types::finding::MaturityState;
use types::gate::NeedState;

use crate::maturity;
use crate::words::WORST_FIRST;

/// The shapes that the page refers to, defined once.
pub(crate) fn icons() -> Markup {
    html! {
        svg.sprite aria-hidden="true" width="0" height="0" {
            symbol id="i-pass" viewBox="0 0 16 16" {
                circle cx="8" cy="8" r="7" fill="currentColor" {}
                path d="M4.8 8.3l2.2 2.2 4.2-4.8" class="cut-line" {}
            }
            symbol id="i-warn" viewBox="0 0 16 16" {
                path d="M8 1.2 15.4 14.4H.6z" fill="currentColor" stroke="currentColor" stroke-width="1" stroke-linejoin="round" {}
                path d="M8 5.8v4M8 12v.3" class="cut-line" {}
            }
            symbol id="i-fail" viewBox="0 0 16 16" {
                path d="M5.1 1h5.8L15 5.1v5.8L10.9 15H5.1L1 10.9V5.1z" fill="currentColor" {}
                path d="M5.4 5.4l5.2 5.2M10.6 5.4l-5.2 5.2" class="cut-line" {}
            }
            symbol id="i-unknown" viewBox="0 0 16 16" {
                circle cx="8" cy="8" r="6.6" fill="none" stroke="currentColor" stroke-width="1.4" stroke-dasharray="2.4 1.75" {}
                path d="M6.3 6.4c0-2.3 3.5-2.2 3.5 0 0 1.4-1.7 1.4-1.7 2.7M8.1 11.3v.2" fill="none" stroke="currentColor" stroke-width="1.5" stroke-linecap="round" {}
            }
            symbol id="i-none" viewBox="0 0 16 16" {
                path d="M5 8h6" fill="none" stroke="currentColor" stroke-width="1.5" stroke-linecap="round" {}
            }
            symbol id="i-stale" viewBox="0 0 16 16" {
                circle cx="8" cy="8" r="6.5" fill="none" stroke="currentColor" stroke-width="1.5" {}
                path d="M8 4.4V8l2.4 1.6" fill="none" stroke="currentColor" stroke-width="1.5" stroke-linecap="round" {}
            }
        }
    }
}

pub(crate) fn icon(of: Verdict) -> Markup {
    html! {
        svg class=(format!("icon {}", of.word())) role="img" aria-label=(of.word()) { use href=(format!("#i-{}", of.word())) {} }
    }
}

/// Icon and word.
pub(crate) fn chip(of: Verdict) -> Markup {
    html! {
        span class=(format!("chip {}", of.word())) {
            svg.icon aria-hidden="true" { use href=(format!("#i-{}", of.word())) {} }
            (of.word())
        }
    }
}

/// The state of a gate's need, in the colours of the verdict that it amounts to.
pub(crate) fn need_icon(state: NeedState) -> Markup {
    let (class, symbol) = match state {
        NeedState::Met => ("pass", "pass"),
        NeedState::Warned => ("warn", "warn"),
        NeedState::Failed => ("fail", "fail"),
        NeedState::Unknown | NeedState::Missing => ("unknown", "unknown"),
        NeedState::Stale => ("unknown", "stale"),
    };
    html! {
        svg class=(format!("icon {class}")) aria-hidden="true" { use href=(format!("#i-{symbol}")) {} }
    }
}

/// `2 fail · 5 warn · 18 pass`, worst first, without zeros.
pub(crate) fn counts(verdicts: &[Verdict]) -> Markup {
    html! {
        @if !verdicts.is_empty() {
            ul.counts {
                @for of in WORST_FIRST {
                    @let count = verdicts.iter().filter(|verdict| **verdict == of).count();
                    @if count > 0 {
                        li class=(of.word()) {
                            svg.icon aria-hidden="true" { use href=(format!("#i-{}", of.word())) {} }
                            (count) " " (of.word())
                        }
                    }
                }
            }
        }
    }
}

/// Whether outcomes have arrived: full, half full or empty circle, and the word.
pub(crate) fn maturity_chip(state: MaturityState) -> Markup {
    let share = match state {
        MaturityState::Settled => "M8 2a6 6 0 0 1 0 12a6 6 0 0 1 0-12Z",
        MaturityState::Maturing => "M8 2a6 6 0 0 1 0 12Z",
        MaturityState::TooEarly => "",
    };
    html! {
        span class=(format!("chip maturity {}", maturity::word(state).replace(' ', "-"))) {
            svg.icon viewBox="0 0 16 16" aria-hidden="true" {
                circle cx="8" cy="8" r="6" class="rim" {}
                path d=(share) fill="currentColor" {}
            }
            (maturity::word(state))
        }
    }
}
