//! What happens when inputs fail: every fault that was tried, how the model responded, and what to do about it.

mod curves;
mod instead;

use maud::{Markup, html};
use types::CheckId;
use types::faults::{FaultStatus, NotTried, Noticed, ResponseClass, TriedFault, TriedFaults};
use types::finding::{Detail, Finding, Measure};
use types::format;
use types::nearest::listed;
use types::report::CheckReport;

use self::curves::curves;
use self::instead::{best, costs, model_outage};
use super::findings_of;
use super::lanes::ROWS_SHOWN;
use super::manipulation::manipulated;
use crate::chart::{Part, share_bar};
use crate::page::measures::{more, said};
use crate::page::{Section, verdict, verdicts};
use crate::words;

pub(super) const ID: &str = "stress";

/// The checks in the order in which they are read.
const CHECKS: [CheckId; 7] = [
    CheckId::Parity,
    CheckId::Missing,
    CheckId::Faults,
    CheckId::Detection,
    CheckId::Manipulation,
    CheckId::Load,
    CheckId::Endpoint,
];

pub(super) fn section(report: &CheckReport) -> Option<Section> {
    let findings: Vec<&Finding> = CHECKS.iter().flat_map(|&check| findings_of(report, check)).collect();
    if findings.is_empty() {
        return None;
    }
    Some(Section {
        id: ID,
        title: "Stress",
        short: "Stress",
        question: "What does the model do when its inputs fail, and would anybody notice?",
        verdicts: verdicts(&findings),
        body: html! {
            @for finding in &findings {
                h3.group { (words::check_title(finding.check)) }
                (said(finding))
                @match &finding.detail {
                    Some(Detail::Faults(of)) => (tried(of)),
                    Some(Detail::Manipulation(of)) => (manipulated(finding, of)),
                    Some(Detail::Load(of)) => (super::load::ramp(of)),
                    Some(Detail::Endpoint(of)) => (super::endpoint::tried(of)),
                    _ => {}
                }
                (more(finding))
            }
        },
    })
}

fn tried(of: &TriedFaults) -> Markup {
    let (shown, folded) = of.faults.split_at(of.faults.len().min(ROWS_SHOWN));
    let hurting: Vec<&TriedFault> =
        of.faults.iter().filter(|fault| fault.status != FaultStatus::Handled).collect();
    html! {
        p.sub {
            "Asked: " code { (of.model) } ", about " (format::counted(of.rows, "row", "rows")) " with an outcome"
            @if let Some(clean) = &of.clean { "; unchanged, its " (words::measure_title(&clean.name)) " is " (words::measure_value(&clean.name, clean.value)) }
            "."
        }
        (legend(of))
        (table(shown))
        @if !folded.is_empty() {
            details.fold { summary { (format!("{} more", folded.len())) } (table(folded)) }
        }
        @if !of.curves.is_empty() { (curves(&of.curves)) }
        (model_outage(&of.model_outage))
        @if !hurting.is_empty() { (sheet(&hurting)) }
        (costs(of))
        @if !of.not_tried.is_empty() { (not_tried(&of.not_tried)) }
    }
}

/// The classes of responses that occur, with their colours.
fn legend(of: &TriedFaults) -> Markup {
    let occurs = |class: ResponseClass| {
        of.faults
            .iter()
            .flat_map(|fault| &fault.responses)
            .any(|share| share.class == class && share.rows > 0)
    };
    html! {
        p.legend {
            @for class in ResponseClass::ALL.into_iter().filter(|class| occurs(*class)) {
                span { span class={ "key swatch " (colour(class)) } {} (class.title()) }
            }
        }
    }
}

fn table(faults: &[TriedFault]) -> Markup {
    let is_noticed = faults.iter().any(|fault| fault.noticed.is_some());
    let is_weighed = faults.iter().any(|fault| !fault.strategies.is_empty());
    html! {
        div.scroll tabindex="0" role="region" aria-label="Faults that were tried" {
            table.compact.faults {
                thead { tr {
                    th scope="col" { "Fault" }
                    th scope="col" { "Status" }
                    th.responses scope="col" { "Responses" }
                    th.num scope="col" { "Impact" }
                    th.num scope="col" { "Loss" }
                    th.num scope="col" { "Silently wrong" }
                    @if is_weighed { th scope="col" { "Best instead" } }
                    @if is_noticed { th scope="col" { "Noticed" } }
                } }
                tbody { @for fault in faults { (row(fault, is_noticed, is_weighed)) } }
            }
        }
    }
}

fn row(fault: &TriedFault, is_noticed: bool, is_weighed: bool) -> Markup {
    let silent = fault.responses.iter().find(|share| share.class == ResponseClass::SilentlyWrong);
    html! {
        tr {
            th scope="row" {
                (fault.of) span.sub.below { (fault.title) }
                @if let Some(experiment) = &fault.experiment { span.sub.below { "experiment " (experiment.name) } }
            }
            td.status { (verdict::icon(fault.verdict)) " " (fault.status.word()) }
            td.responses { (responses(fault)) }
            td.num {
                @match &fault.impact { Some(impact) => (with_interval(impact)), None => "–" }
            }
            td.num { (fault.loss_rise.map_or_else(|| "–".to_owned(), signed_share)) }
            td.num {
                (silent.map_or_else(|| "–".to_owned(), |share| format::percent(share.share)))
                @if let Some(before) = fault.silently_wrong_before { span.sub.below { "before " (format::percent(before)) } }
            }
            @if is_weighed { td { (best(fault)) } }
            @if is_noticed {
                td { @match &fault.noticed { Some(noticed) => (noticed_by(noticed)), None => "–" } }
            }
        }
    }
}

/// Whether monitoring notices within a window, from which share of rows on, and else after how many windows.
fn noticed_by(of: &Noticed) -> Markup {
    html! {
        @if of.by.is_empty() {
            strong { "no" }
            @if let Some(windows) = of.windows { span.sub.below { "alarms add up after " (windows) " windows" } }
            @if let Some(windows) = of.windows_by_loss { span.sub.below { "by its loss after " (format::counted(u64::from(windows), "window", "windows")) } }
        } @else {
            "yes"
            @if let Some(rate) = of.least_rate { ", from " (format::percent(rate)) " of the rows on" }
            span.sub.below { (listed(of.by.iter().map(|by| by.strip_prefix("monitor.").unwrap_or(by)), BY_SHOWN)) }
        }
    }
}

/// Checks that a cell names before it counts.
const BY_SHOWN: usize = 2;

fn with_interval(measure: &Measure) -> Markup {
    html! {
        (words::measure_value(&measure.name, measure.value))
        @if let Some(interval) = &measure.interval {
            span.sub.below { (words::measure_value(&measure.name, interval.lower)) " – " (words::measure_value(&measure.name, interval.upper)) }
        }
    }
}

/// `+12.3 %`.
fn signed_share(share: f64) -> String {
    // What is rounded away has no sign.
    let share = if share.abs() < 0.0005 { 0.0 } else { share };
    let sign = if share > 0.0 { "+" } else { "" };
    format!("{sign}{}", format::percent(share))
}

fn responses(fault: &TriedFault) -> Markup {
    let parts: Vec<Part> = fault
        .responses
        .iter()
        .map(|share| Part { label: share.class.title(), class: colour(share.class), count: share.rows })
        .collect();
    let words: Vec<String> = fault
        .responses
        .iter()
        .filter(|share| share.rows > 0)
        .map(|share| format!("{} {}", share.class.title(), format::percent(share.share)))
        .collect();
    share_bar(&words.join(", "), &parts)
}

fn colour(class: ResponseClass) -> &'static str {
    match class {
        ResponseClass::Right => "response-right",
        ResponseClass::Degraded => "response-degraded",
        ResponseClass::Unjudged => "response-unjudged",
        ResponseClass::WrongUnsure => "response-wrong",
        ResponseClass::SilentlyWrong => "response-silent",
        ResponseClass::Rejected => "response-rejected",
        ResponseClass::Malformed => "response-malformed",
        ResponseClass::Crashed => "response-crashed",
    }
}

/// The failure modes for whoever is called at night: what the model does, and what to do.
fn sheet(faults: &[&TriedFault]) -> Markup {
    html! {
        details.fold.failure-modes {
            summary { "Failure modes: what the model does, and what to do (" (faults.len()) ")" }
            dl.approach {
                @for fault in faults {
                    div {
                        dt { (fault.of) span.sub.below { (fault.title) } }
                        dd {
                            @if let Some(experiment) = &fault.experiment { strong { (experiment.name) } ": " (experiment.hypothesis) ". " }
                            (fault.sentence)
                            @if let Some(error) = &fault.error { " It says: " code { (error) } }
                            span.sub.below { (what_to_do(fault)) (rollback(fault)) }
                        }
                    }
                }
            }
        }
    }
}

/// What the experiment of the definition says is done then, and by whom.
fn rollback(fault: &TriedFault) -> String {
    let Some(experiment) = &fault.experiment else { return String::new() };
    let Some(rollback) = &experiment.rollback else { return String::new() };
    let who = experiment.who.as_deref().map(|who| format!("{who}: ")).unwrap_or_default();
    format!(" {who}{}.", rollback.trim_end_matches('.'))
}

fn what_to_do(fault: &TriedFault) -> &'static str {
    let of = |class: ResponseClass| {
        fault.responses.iter().find(|share| share.class == class).map_or(0.0, |share| share.share)
    };
    let no_answer = of(ResponseClass::Rejected) + of(ResponseClass::Malformed) + of(ResponseClass::Crashed);
    match &fault.noticed {
        _ if no_answer > 0.5 => {
            "It does not answer: callers need another way to decide until the input is back."
        }
        Some(noticed) if noticed.by.is_empty() => {
            "Nobody would notice: watch this input more closely, and do not rely on the model while it is in doubt."
        }
        _ if fault.is_uncertified => {
            "Find out which of the two models answers in production, and why the other one answers otherwise."
        }
        _ if fault.status == FaultStatus::Unknown => "Ask about more rows, so that it can be told.",
        _ => {
            "It answers as if nothing had happened: while the input is in doubt, fall back on a rule or on people."
        }
    }
}

fn not_tried(of: &[NotTried]) -> Markup {
    html! {
        details.fold {
            summary { (format::counted(of.len() as u64, "fault has no meaning here", "faults have no meaning here")) }
            ul.reasons {
                @for fault in of { li { code { (fault.fault) } " of " (fault.of) ": " (fault.reason) } }
            }
        }
    }
}
