//! What is listed below the sentences about the server of a model: the steps of load, and faults that callers do not
//! cope with.

use types::Verdict;
use types::endpoint::{TriedEndpoint, TriedEndpointFault};
use types::faults::FaultStatus;
use types::format::{count, percent, value as short};
use types::load::{LoadRamp, LoadStep};

use super::evaluation::{Row, row};

/// Faults listed below a sentence.
const FAULTS: usize = 12;

/// Every step: the ramp is short, and its shape is what it is about.
pub(super) fn load(of: &LoadRamp) -> Vec<Row> {
    of.steps.iter().map(|step| row(Some(step.verdict), label(step), numbers(step))).collect()
}

fn label(step: &LoadStep) -> String {
    format!("{} a second, {} sent", short(step.rate), count(step.requests))
}

fn numbers(step: &LoadStep) -> Vec<String> {
    let failed = step.requests.saturating_sub(step.answered);
    let failed = format!("failed {}", percent(failed as f64 / step.requests.max(1) as f64));
    let Some(latency) = &step.latency else { return vec!["no answer".into(), failed] };
    let of = |name: &str, milliseconds: f64| format!("{name} {} ms", short(milliseconds));
    vec![of("p50", latency.p50_ms), of("p99", latency.p99_ms), failed]
}

/// The worst faults; where callers are only this program's own client, all of them.
pub(super) fn endpoint(of: &TriedEndpoint) -> Vec<Row> {
    let is_shown = |fault: &&TriedEndpointFault| of.through.is_none() || fault.status != FaultStatus::Handled;
    let listed = |fault: &TriedEndpointFault| {
        let verdict = match fault.status {
            _ if of.through.is_none() => None,
            FaultStatus::Handled => Some(Verdict::Pass),
            FaultStatus::Failed => Some(Verdict::Fail),
            FaultStatus::Unknown => Some(Verdict::Warn),
        };
        let parts = fault.got.iter().map(|share| format!("{} {}", share.got.title(), percent(share.share)));
        row(verdict, fault.title.clone(), parts.collect::<Vec<_>>())
    };
    of.faults.iter().filter(is_shown).take(FAULTS).map(listed).collect()
}
