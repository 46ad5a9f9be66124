//! What callers get while the server of a model does not answer as it should.

use maud::{Markup, html};
use types::Verdict;
use types::endpoint::{CallerGot, TriedEndpoint, TriedEndpointFault};
use types::faults::FaultStatus;
use types::format::{self, counted, value as short};

use crate::chart::{Part, share_bar};
use crate::page::verdict;

pub(super) fn tried(of: &TriedEndpoint) -> Markup {
    let hurting: Vec<&TriedEndpointFault> =
        of.faults.iter().filter(|fault| fault.status == FaultStatus::Failed).collect();
    html! {
        p.sub {
            "Faults in front of " code { (of.model) }
            @if let Some(through) = &of.through { ", callers at " code { (through) } } @else { ", asked by a plain client" }
            ", who wait " (format::count(of.patience_ms)) " ms"
            @if of.rate < 1.0 { "; they happen to " (format::percent(of.rate)) " of the requests" }
            "."
        }
        (legend(of))
        @if !of.faults.is_empty() { (table(of)) }
        @if !hurting.is_empty() { (sheet(&hurting)) }
        @if !of.not_tried.is_empty() {
            p.sub { (counted(of.not_tried.len() as u64, "fault was", "faults were")) " not tried, because somebody stopped it." }
        }
    }
}

fn legend(of: &TriedEndpoint) -> Markup {
    let occurs = |got: CallerGot| of.faults.iter().flat_map(|fault| &fault.got).any(|share| share.got == got);
    html! {
        p.legend {
            @for got in CallerGot::ALL.into_iter().filter(|got| occurs(*got)) {
                span { span class={ "key swatch " (colour(got)) } {} (got.title()) }
            }
        }
    }
}

fn colour(got: CallerGot) -> &'static str {
    match got {
        CallerGot::Answer => "response-right",
        CallerGot::Degraded => "response-degraded",
        CallerGot::CleanError => "response-rejected",
        CallerGot::Broken => "response-malformed",
        CallerGot::Nothing => "response-crashed",
        CallerGot::WrongAnswer => "response-silent",
    }
}

fn table(of: &TriedEndpoint) -> Markup {
    html! {
        div.scroll tabindex="0" role="region" aria-label="Faults of the server" {
            table.compact.faults {
                thead { tr {
                    th scope="col" { "Fault" }
                    @if of.through.is_some() { th scope="col" { "Status" } }
                    th.responses scope="col" { "Callers get" }
                    th.num scope="col" { "Requests" }
                    th.num scope="col" { "Longest wait" }
                    th.num scope="col" { "As before after" }
                } }
                tbody { @for fault in &of.faults { (row(fault, of.through.is_some())) } }
            }
        }
    }
}

fn row(fault: &TriedEndpointFault, is_judged: bool) -> Markup {
    let asked: u64 = fault.got.iter().fold(0, |all, share| all.saturating_add(share.requests));
    html! {
        tr {
            th scope="row" { (fault.title) span.sub.below { (fault.sentence) } }
            @if is_judged { td.status { (verdict::icon(of_status(fault.status))) " " (fault.status.word()) } }
            td.responses { (got(fault)) }
            td.num { (format::count(asked)) }
            td.num { (short(fault.waited_ms_max)) " ms" }
            td.num { (fault.recovered_s.map_or_else(|| "–".to_owned(), |seconds| format!("{} s", short(seconds)))) }
        }
    }
}

fn of_status(status: FaultStatus) -> Verdict {
    match status {
        FaultStatus::Handled => Verdict::Pass,
        FaultStatus::Failed => Verdict::Fail,
        FaultStatus::Unknown => Verdict::Warn,
    }
}

fn got(fault: &TriedEndpointFault) -> Markup {
    let part = |got: CallerGot| {
        let count = fault.got.iter().find(|share| share.got == got).map_or(0, |share| share.requests);
        Part { label: got.title(), class: colour(got), count }
    };
    let words: Vec<String> = fault
        .got
        .iter()
        .map(|share| format!("{} {}", share.got.title(), format::percent(share.share)))
        .collect();
    share_bar(&words.join(", "), &CallerGot::ALL.map(part))
}

/// The failure modes for whoever is called at night.
fn sheet(faults: &[&TriedEndpointFault]) -> Markup {
    html! {
        details.fold.failure-modes {
            summary { "Failure modes: what callers get, and what to do (" (faults.len()) ")" }
            dl.approach {
                @for fault in faults {
                    div {
                        dt { (fault.title) }
                        dd {
                            (fault.sentence)
                            @if let Some(error) = &fault.error { " They are told: " code { (error) } }
                            span.sub.below { (what_to_do(fault)) }
                        }
                    }
                }
            }
        }
    }
}

fn what_to_do(fault: &TriedEndpointFault) -> &'static str {
    let gets = |got: CallerGot| fault.got.iter().any(|share| share.got == got && share.requests > 0);
    if gets(CallerGot::WrongAnswer) {
        "Callers get another answer and cannot know it: flag it, or give an error."
    } else if gets(CallerGot::Nothing) {
        "Callers are left waiting: give the call to the model a time-out below theirs, and answer by another way then."
    } else if gets(CallerGot::Broken) {
        "What the server breaks is passed on: check its answers before they are handed over, and give an error instead."
    } else if fault.recovered_s.is_none() {
        "Answers do not come again by themselves: look at how long a broken connection or an open breaker is kept."
    } else {
        "Callers get an error and need an answer: give them another way to decide until the server is back."
    }
}
