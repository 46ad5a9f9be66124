//! Is the gate open, and if not, what holds it up.

use maud::{Markup, html};
use types::gate::{GateDecision, NeedState, NeedStatus};

use super::measures::prose;
use super::verdict;
use crate::words;

/// Reasons shown for a need before the others are folded away.
const REASONS_SHOWN: usize = 4;

/// The cards of all gates; `to` leads to what shows a check, where something does.
pub(crate) fn gates(gates: &[GateDecision], to: impl Fn(&str) -> Option<String>) -> Markup {
    if gates.is_empty() {
        return html! {
            p.empty.panel {
                "No gate is defined, so nothing is held up by these findings. To let checks decide whether a deployment may go ahead, add to " code { "forewarn.toml" } ": "
                code { "[gate.deploy] needs = [\"evaluate.*\", \"monitor.drift\"]" } "."
            }
        };
    }
    html! {
        div.gates {
            @for gate in gates { (card(gate, &to)) }
        }
    }
}

fn card(gate: &GateDecision, to: &impl Fn(&str) -> Option<String>) -> Markup {
    let state = if gate.open { "open" } else { "shut" };
    let met: Vec<&NeedStatus> = gate.needs.iter().filter(|need| need.state == NeedState::Met).collect();
    let (others, not_made) = (gate.to_look_at(), gate.not_made_yet());
    html! {
        article class=(format!("gate {state}")) {
            h3 {
                (barrier(gate.open))
                span { "Gate " code { (gate.gate) } " is " strong { (state) } }
            }
            p.sub { (sentence(gate)) }
            @if !others.is_empty() {
                ul.needs { @for need in others { (need_row(need, to(&need.check))) } }
            }
            @if !met.is_empty() {
                p.met {
                    (verdict::need_icon(NeedState::Met))
                    span { "Met: " (words::list(&met.iter().map(|need| need.check.clone()).collect::<Vec<_>>())) }
                }
            }
            @if !not_made.is_empty() {
                p.sub.not-made {
                    "Not made yet: " (words::list(&not_made.iter().map(|check| (*check).to_owned()).collect::<Vec<_>>()))
                    ". " code { "forewarn check" } " makes every check."
                }
            }
        }
    }
}

fn sentence(gate: &GateDecision) -> String {
    let holding = gate.needs.iter().filter(|need| !need.state.keeps_gate_open()).count();
    let watched = gate.needs.iter().filter(|need| need.state == NeedState::Warned).count();
    match (gate.needs.len(), holding, watched) {
        (0, ..) => "It needs no check, so it tells nothing. Name the checks that it needs.".into(),
        (needs, 0, 0) => format!("Each of its {needs} needs is fresh and passing."),
        (needs, 0, 1) => format!("Nothing fails; one of its {needs} needs deserves a look."),
        (needs, 0, watched) => {
            format!("Nothing fails; {watched} of its {needs} needs deserve a look.")
        }
        (needs, 1, _) => format!("One of its {needs} needs is not met."),
        (needs, holding, _) => format!("{holding} of its {needs} needs are not met."),
    }
}

fn need_row(need: &NeedStatus, href: Option<String>) -> Markup {
    let (shown, folded) = need.reasons.split_at(need.reasons.len().min(REASONS_SHOWN));
    html! {
        li {
            (verdict::need_icon(need.state))
            div {
                p.need { (check_link(&need.check, href)) " " span.sub { (need.state.word()) } }
                @if !shown.is_empty() {
                    ul.reasons {
                        @for reason in shown { li { (prose(reason)) } }
                        @if !folded.is_empty() { li.sub { "and " (folded.len()) " more" } }
                    }
                }
            }
        }
    }
}

/// The check's name, linked to what shows it.
fn check_link(name: &str, href: Option<String>) -> Markup {
    html! {
        @match href {
            Some(href) => a href=(href) { code { (name) } },
            None => code { (name) },
        }
    }
}

/// A barrier, raised or down: the state without its colour.
fn barrier(open: bool) -> Markup {
    html! {
        svg.barrier viewBox="0 0 28 24" aria-hidden="true" {
            path d="M5 22V11M2 22h6" class="stroke" {}
            @if open { path d="M5 12 20 2" class="stroke arm" {} } @else { path d="M5 12h21" class="stroke arm" {} }
            circle cx="5" cy="12" r="2.2" fill="currentColor" {}
        }
    }
}
