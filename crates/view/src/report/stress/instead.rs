//! What could be done instead while an input, or the model itself, is down: what each way costs.

use maud::{Markup, html};
use types::faults::{PricedStrategy, TriedFault, TriedFaults};
use types::format;

/// What surely costs less than doing nothing, the cheapest of it.
pub(super) fn best(fault: &TriedFault) -> Markup {
    let nothing = fault.strategies.iter().find(|of| of.is_doing_nothing);
    html! {
        @match fault.strategies.iter().find(|of| of.surely_saves) {
            Some(best) => {
                (best.strategy)
                span.sub.below { (mean(best)) @if let Some(nothing) = nothing { " instead of " (mean(nothing)) } }
            }
            None => @if let Some(nothing) = nothing { span.sub { "nothing surely saves" span.below { (mean(nothing)) } } } @else { "–" },
        }
    }
}

/// Every way in every outage that was weighed, folded away.
pub(super) fn costs(of: &TriedFaults) -> Markup {
    let of_inputs = of.faults.iter().filter(|fault| !fault.strategies.is_empty());
    let weighed: Vec<(&str, &[PricedStrategy])> = std::iter::once(("the model itself", &of.model_outage[..]))
        .chain(of_inputs.map(|fault| (fault.of.as_str(), &fault.strategies[..])))
        .filter(|(_, strategies)| !strategies.is_empty())
        .collect();
    html! {
        @if !weighed.is_empty() {
            details.fold {
                summary { "What each way costs in each outage (" (weighed.len()) ")" }
                div.scroll tabindex="0" role="region" aria-label="What each way costs" {
                    table.compact {
                        thead { tr {
                            th scope="col" { "While it is down" }
                            th scope="col" { "What is done" }
                            th.num scope="col" { "Cost of a row" }
                            th scope="col" { "Against doing nothing" }
                        } }
                        tbody { @for (outage, strategies) in weighed { @for (at, strategy) in strategies.iter().enumerate() {
                            (row((at == 0).then_some(outage), strategy))
                        } } }
                    }
                }
            }
        }
    }
}

fn row(outage: Option<&str>, of: &PricedStrategy) -> Markup {
    html! {
        tr {
            th scope="row" { (outage.unwrap_or_default()) }
            td { (of.strategy) }
            td.num {
                (format::number(of.mean_cost))
                span.sub.below { (format::number(of.interval.lower)) " – " (format::number(of.interval.upper)) }
            }
            td { @if of.is_doing_nothing { "–" } @else if of.surely_saves { "surely costs less" } @else { "does not surely cost less" } }
        }
    }
}

/// What to do while the model itself does not answer.
pub(super) fn model_outage(of: &[PricedStrategy]) -> Markup {
    let nothing = of.iter().find(|of| of.is_doing_nothing);
    html! {
        @if let (Some(nothing), Some(best)) = (nothing, of.iter().find(|of| of.surely_saves)) {
            p.sub { "While the model itself does not answer, the cheapest is to " (best.strategy) ": " (mean(best)) " instead of " (mean(nothing)) " where callers are left without an answer." }
        } @else if let Some(nothing) = nothing {
            p.sub { "While the model itself does not answer, nothing that was weighed surely costs less than leaving callers without an answer (" (mean(nothing)) ")." }
        }
    }
}

fn mean(of: &PricedStrategy) -> String {
    format!("{} a row", format::number(of.mean_cost))
}
