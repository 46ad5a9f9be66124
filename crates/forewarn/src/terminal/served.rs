//! What is listed below the sentences about the server of a model: the steps of load, and faults that callers do not
//! cope with.

use types::Verdict;
use types::endpoint::{TriedEndpoint, TriedEndpointFault};
use types::faults::FaultStatus;
use types::format::{count, number, percent};
use types::load::{LoadRamp, LoadStep};

use super::evaluation::Row;

/// Faults listed below a sentence.
const FAULTS: usize = 12;

/// Every step: the ramp is short, and its shape is what it is about.
pub(super) fn load(of: &LoadRamp) -> Vec<Row> {
    of.steps.iter().map(|step| (Some(step.verdict), label(step), numbers(step))).collect()
}

fn label(step: &LoadStep) -> String {
    format!("{} a second, {} sent", number(step.rate), count(step.requests))
}

fn numbers(step: &LoadStep) -> String {
    let failed = step.requests.saturating_sub(step.answered);
    let share = percent(failed as f64 / step.requests.max(1) as f64);
    let Some(latency) = &step.latency else { return format!("no answer  failed {share}") };
    format!("p50 {} ms  p99 {} ms  failed {share}", number(latency.p50_ms), number(latency.p99_ms))
}

/// The worst faults; where callers are only this program's own client, all of them.
pub(super) fn endpoint(of: &TriedEndpoint) -> Vec<Row> {
    let is_shown = |fault: &&TriedEndpointFault| of.through.is_none() || fault.status != FaultStatus::Handled;
    let row = |fault: &TriedEndpointFault| {
        let verdict = match fault.status {
            _ if of.through.is_none() => None,
            FaultStatus::Handled => Some(Verdict::Pass),
            FaultStatus::Failed => Some(Verdict::Fail),
            FaultStatus::Unknown => Some(Verdict::Warn),
        };
        let parts = fault.got.iter().map(|share| format!("{} {}", share.got.title(), percent(share.share)));
        (verdict, fault.title.clone(), parts.collect::<Vec<_>>().join("  "))
    };
    of.faults.iter().filter(is_shown).take(FAULTS).map(row).collect()
}
