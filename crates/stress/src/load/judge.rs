//! From the steps of a ramp to a finding: does the server stand what is needed, and is it as before afterwards?

use stats::interval::{Interval, IntervalMethod, Level};
use stats::proportion::Proportion;
use types::definition::Load;
use types::finding::{Threshold, Unmeasured};
use types::format::{count, counted, value};
use types::load::{LoadRamp, LoadStep};
use types::{CheckId, Detail, Finding, Measure, Subject, Verdict};

use super::Limits;
use crate::judge::Scope;

/// What was done and measured.
#[derive(Clone, Debug)]
pub struct Ramp<'a> {
    pub load: &'a Load,
    pub limits: Limits,
    pub ramp: LoadRamp,
    /// Somebody or the clock ended the ramp, so that what is missing is not the server's doing.
    pub is_cut_short: bool,
}

/// Load cannot be put on this model.
pub fn not_applicable(scope: Scope<'_>, reason: &str) -> Finding {
    blank(scope, Verdict::Unknown, format!("Nothing was tried: {reason}"))
}

/// Whether the server stands the load that is needed.
pub fn judge(scope: Scope<'_>, of: Ramp<'_>) -> Finding {
    let Ramp { load, limits, ramp, is_cut_short } = of;
    let stands = stands(&ramp);
    let (verdict, needed) = needed(load, &ramp, is_cut_short);
    let mut said = vec![stands, needed];
    let mut worst = verdict;
    for (is_bad, words) in
        [unloaded(&ramp), equality(&ramp), recovery(&ramp, is_cut_short)].into_iter().flatten()
    {
        worst = worst.max(is_bad);
        said.push(words);
    }
    if let Some(ended) = &ramp.ended {
        said.push(format!("It ended early: {ended}."));
    }
    said.retain(|words| !words.is_empty());
    let mut finding = blank(scope, worst, said.join(" "));
    add_measures(&mut finding, load, &ramp);
    add_thresholds(&mut finding, load, limits);
    finding.detail = Some(Detail::Load(Box::new(ramp)));
    finding
}

fn stands(ramp: &LoadRamp) -> String {
    let model = &ramp.model;
    let a_second = |rate: f64| format!("{} requests a second", value(rate));
    match (ramp.stood_rate, ramp.failed_rate) {
        (Some(stood), Some(failed)) => {
            let why = reason_at(ramp, failed);
            format!("{model} stands {}; at {} it does not any more{why}.", a_second(stood), value(failed))
        }
        (Some(stood), None) => {
            format!("{model} stands {}, the most that was tried.", a_second(stood))
        }
        (None, Some(failed)) => {
            format!("{model} does not even stand {}{}.", a_second(failed), reason_at(ramp, failed))
        }
        (None, None) => String::new(),
    }
}

fn reason_at(ramp: &LoadRamp, rate: f64) -> String {
    let step = ramp.steps.iter().find(|step| step.rate == rate);
    step.and_then(|step| step.reason.as_ref()).map(|reason| format!(" ({reason})")).unwrap_or_default()
}

/// What the step at the needed rate says.
fn needed(load: &Load, ramp: &LoadRamp, is_cut_short: bool) -> (Verdict, String) {
    let Some(rate) = load.at_least else {
        let words = "Nothing says whether that is enough: name what is needed with stress.load.at_least.";
        let is_none = ramp.stood_rate.is_none() && ramp.failed_rate.is_some();
        return if is_none { (Verdict::Fail, String::new()) } else { (Verdict::Unknown, words.into()) };
    };
    let words = |what: &str| format!("Needed are {}: {what}", value(rate));
    match ramp.steps.iter().find(|step| step.rate == rate) {
        Some(step) if step.verdict == Verdict::Pass => {
            (Verdict::Pass, words(&format!("it surely stands them{}.", at_needed(step))))
        }
        Some(step) if step.verdict == Verdict::Fail => (Verdict::Fail, words("it does not stand them.")),
        Some(step) => {
            let reason = step.reason.as_deref().unwrap_or("too few requests to tell");
            (Verdict::Warn, words(&format!("that cannot be told ({reason}).")))
        }
        None if is_cut_short => (Verdict::Unknown, words("that was not tried.")),
        None if ramp.steps.iter().any(|step| step.verdict == Verdict::Fail) => {
            (Verdict::Fail, words("it does not stand less."))
        }
        None if ramp.failed_rate.is_some() => (Verdict::Warn, words("with less, it cannot be told already.")),
        None => (Verdict::Unknown, words("that was not tried.")),
    }
}

fn at_needed(step: &LoadStep) -> String {
    let latency = |of: &types::load::Latency| {
        format!(", half of them within {} ms and 99 of 100 within {} ms", value(of.p50_ms), value(of.p99_ms))
    };
    step.latency.as_ref().map(latency).unwrap_or_default()
}

fn unloaded(ramp: &LoadRamp) -> Option<(Verdict, String)> {
    match &ramp.before {
        None => Some((Verdict::Fail, "It does not answer without load, so none was put on it.".into())),
        Some(before) if before.answered < before.requests => {
            let failed = counted(before.requests - before.answered, "request fails", "requests fail");
            Some((Verdict::Fail, format!("Without load, {failed} of {}.", count(before.requests))))
        }
        Some(_) => None,
    }
}

fn equality(ramp: &LoadRamp) -> Option<(Verdict, String)> {
    let (equal, compared) = answers(ramp);
    if equal == compared {
        return None;
    }
    let words = format!(
        "Under load, {} of {} are not those that it gives without load.",
        count(compared - equal),
        counted(compared, "answer", "answers")
    );
    Some((Verdict::Fail, words))
}

fn recovery(ramp: &LoadRamp, is_cut_short: bool) -> Option<(Verdict, String)> {
    if ramp.steps.is_empty() || ramp.recovered_s.is_some() {
        return None;
    }
    if is_cut_short && ramp.after.is_none() {
        return Some((Verdict::Unknown, "Whether it is as before was not looked at.".into()));
    }
    let words = match &ramp.after {
        Some(after) => format!(
            "Once the load was over it did not come back in time: {} of {} answered, half of them within {} ms.",
            count(after.answered),
            counted(after.requests, "request", "requests"),
            value(after.p50_ms)
        ),
        None => "Once the load was over it did not answer any more.".into(),
    };
    Some((Verdict::Fail, words))
}

/// Answers under load that are equal to those without, and all that were compared.
fn answers(ramp: &LoadRamp) -> (u64, u64) {
    ramp.steps.iter().fold((0, 0), |(equal, compared), step| (equal + step.equal, compared + step.compared))
}

fn add_measures(finding: &mut Finding, load: &Load, ramp: &LoadRamp) {
    let all: u64 = ramp.steps.iter().map(|step| step.requests).sum();
    match ramp.stood_rate {
        Some(rate) => finding.measures.push(Measure::new(
            "stood_requests_per_second",
            rate,
            all,
            "the highest rate of an open-loop ramp within all limits; usable capacity, Jain 1991",
        )),
        None => finding.unmeasured.push(Unmeasured {
            name: "stood_requests_per_second".into(),
            reason: "no step was stood".into(),
        }),
    }
    let shown = load.at_least.or(ramp.stood_rate).or(ramp.failed_rate);
    if let Some(step) = ramp.steps.iter().find(|step| Some(step.rate) == shown) {
        finding.measures.extend(of_step(step));
    }
    let (equal, compared) = answers(ramp);
    if let Ok(share) = Proportion::new(equal, compared) {
        let measure =
            Measure::new("equal_answer_share", share.share(), compared, "against those without load; Wilson");
        finding.measures.push(Measure { interval: Some(share.wilson(Level::P95)), ..measure });
    }
}

/// What was measured of the step that is looked at.
fn of_step(step: &LoadStep) -> Vec<Measure> {
    let mut measures = Vec::new();
    if let Some(latency) = &step.latency {
        let method = "from the intended start of a request; an order statistic, with Woodruff's interval";
        let ends = latency.p99_lower_ms.zip(latency.p99_upper_ms);
        let interval = ends.map(|(lower, upper)| Interval {
            lower,
            upper,
            level: Level::P95,
            method: IntervalMethod::OrderStatistics,
        });
        let measure = Measure::new("p99_latency_ms", latency.p99_ms, step.requests - step.dropped, method);
        measures.push(Measure { interval, ..measure });
    }
    if let Ok(share) = Proportion::new(step.requests - step.answered, step.requests) {
        let measure = Measure::new(
            "failed_request_share",
            share.share(),
            step.requests,
            "dropped ones included; Wilson",
        );
        measures.push(Measure { interval: Some(share.wilson(Level::P95)), ..measure });
    }
    measures
}

fn add_thresholds(finding: &mut Finding, load: &Load, limits: Limits) {
    let most = |measure: &str, at_most, from: &str| Threshold {
        measure: measure.into(),
        at_least: None,
        at_most: Some(at_most),
        from: from.into(),
    };
    finding.thresholds.extend(load.at_least.map(|rate| Threshold {
        measure: "stood_requests_per_second".into(),
        at_least: Some(rate),
        at_most: None,
        from: "stress.load.at_least".into(),
    }));
    let from = if load.p99_ms_at_most.is_some() { "stress.load.p99_ms_at_most" } else { "model.timeout" };
    finding.thresholds.push(most("p99_latency_ms", limits.p99_ms, from));
    finding.thresholds.push(most("failed_request_share", limits.errors, "stress.load.errors_at_most"));
}

fn blank(scope: Scope<'_>, verdict: Verdict, summary: String) -> Finding {
    Finding { summary, ..Finding::blank(CheckId::Load, Subject::Model, verdict, scope.window) }
}
