//! Faults of the server of a model: which there are, and whether callers cope with them.
//!
//! A proxy in front of the server makes the faults, and callers ask as ever: through a gateway or a guard that has the
//! proxy for its upstream, or, where there is none, as a plain client with a time-out. A fault is handled where every
//! caller gets in time the right answer, one that is flagged as degraded, or an error in words of HTTP; never nothing,
//! half an answer, or a wrong one; and where callers get answers as before once it is over. The proxy is elsewhere.

#[cfg(test)]
mod tests;

use std::time::Duration;

use stats::interval::Level;
use stats::proportion::Proportion;
use types::definition::{EndpointFaults, Refusal};
use types::endpoint::{CallerGot, CallersShare, EndpointFault, TriedEndpoint, TriedEndpointFault};
use types::faults::FaultStatus;
use types::format::{capitalised, count, counted, percent, value};
use types::nearest::listed;
use types::{CheckId, Detail, Finding, Measure, Subject, Verdict};

use crate::judge::Scope;

/// A kind of fault as definitions and reports name it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Entry {
    pub id: &'static str,
    pub title: &'static str,
}

/// The kinds of faults, in the order in which they are tried: those that are worst for whoever waits come last.
pub const CATALOGUE: [Entry; 9] = [
    Entry { id: "latency", title: "Slow answers" },
    Entry { id: "jitter", title: "Answers after any time" },
    Entry { id: "status", title: "Error" },
    Entry { id: "malformed-json", title: "JSON that ends in the middle" },
    Entry { id: "error-page", title: "A page for people" },
    Entry { id: "truncated-body", title: "Connection closed in the middle of an answer" },
    Entry { id: "reset", title: "Connection reset" },
    Entry { id: "slow-body", title: "An answer bit by bit" },
    Entry { id: "no-answer", title: "No answer" },
];

/// The errors that are tried: of the request, of too many requests, of the server, of a server that is busy.
const STATUSES: [u16; 4] = [400, 429, 500, 503];

/// Parts of the time that a caller waits: an answer after half of it is still one; a body over twice of it is none.
const LATENCY_SHARE: f64 = 0.5;
const SLOW_SHARE: u64 = 2;

/// The faults to try on callers who wait so long.
pub fn planned(faults: &EndpointFaults, patience: Duration) -> Vec<EndpointFault> {
    let patience_ms = patience.as_millis() as u64;
    let delay_ms = (patience_ms as f64 * LATENCY_SHARE) as u64;
    let is_asked = |id: &str| faults.kinds.as_ref().is_none_or(|kinds| kinds.iter().any(|kind| kind == id));
    let of_kind = |entry: &Entry| match entry.id {
        "latency" => vec![EndpointFault::Latency { delay_ms }],
        "jitter" => vec![EndpointFault::Jitter { delay_ms_most: patience_ms }],
        "status" => STATUSES.map(|code| EndpointFault::Status { code }).to_vec(),
        "malformed-json" => vec![EndpointFault::MalformedJson],
        "error-page" => vec![EndpointFault::ErrorPage],
        "truncated-body" => vec![EndpointFault::TruncatedBody],
        "reset" => vec![EndpointFault::Reset],
        "slow-body" => vec![EndpointFault::SlowBody { over_ms: SLOW_SHARE * patience_ms }],
        _ => vec![EndpointFault::NoAnswer],
    };
    CATALOGUE.iter().filter(|entry| is_asked(entry.id)).flat_map(of_kind).collect()
}

/// The kind of a fault.
pub fn entry(fault: EndpointFault) -> Entry {
    let id = match fault {
        EndpointFault::Latency { .. } => "latency",
        EndpointFault::Jitter { .. } => "jitter",
        EndpointFault::NoAnswer => "no-answer",
        EndpointFault::Reset => "reset",
        EndpointFault::SlowBody { .. } => "slow-body",
        EndpointFault::TruncatedBody => "truncated-body",
        EndpointFault::Status { .. } => "status",
        EndpointFault::MalformedJson => "malformed-json",
        EndpointFault::ErrorPage => "error-page",
    };
    CATALOGUE.into_iter().find(|entry| entry.id == id).expect("every fault is of a kind of the catalogue")
}

/// `Error (503)`, `Slow answers (500 ms)`.
pub fn title(fault: EndpointFault) -> String {
    let title = entry(fault).title;
    match fault {
        EndpointFault::Latency { delay_ms } => format!("{title} ({delay_ms} ms)"),
        EndpointFault::Jitter { delay_ms_most } => format!("{title} (up to {delay_ms_most} ms)"),
        EndpointFault::SlowBody { over_ms } => format!("{title} (over {over_ms} ms)"),
        EndpointFault::Status { code } => format!("{title} ({code})"),
        _ => title.to_owned(),
    }
}

/// What came of one request under a fault.
#[derive(Clone, Debug, PartialEq)]
pub struct Asked {
    pub got: CallerGot,
    pub waited: Duration,
    pub said: Option<String>,
}

/// A fault that is over.
#[derive(Clone, Debug, PartialEq)]
pub struct Over {
    pub fault: EndpointFault,
    /// Requests that reached the proxy and that it happened to.
    pub struck: u64,
    pub asked: Vec<Asked>,
    /// How long it took until callers got answers as before; `None` where they did not.
    pub recovered: Option<Duration>,
    /// Whether somebody ended the run before that was known.
    pub is_cut_short: bool,
}

/// Whether callers cope with a fault.
pub fn tried(over: &Over, refusal: Refusal) -> TriedEndpointFault {
    let got = shares(&over.asked);
    let is = |of: CallerGot| got.iter().any(|share| share.got == of);
    let bad: Vec<CallerGot> =
        CallerGot::ALL.into_iter().filter(|of| is(*of) && is_failure(*of, refusal)).collect();
    let status = if !bad.is_empty() || (over.recovered.is_none() && !over.is_cut_short) {
        FaultStatus::Failed
    } else if over.is_cut_short || over.asked.is_empty() || over.struck == 0 {
        FaultStatus::Unknown
    } else {
        FaultStatus::Handled
    };
    let waited = over.asked.iter().map(|asked| asked.waited).max().unwrap_or_default();
    TriedEndpointFault {
        fault: over.fault,
        title: title(over.fault),
        struck: over.struck,
        status,
        sentence: sentence(over, &got),
        got,
        waited_ms_max: waited.as_secs_f64() * 1e3,
        error: over.asked.iter().find_map(|asked| asked.said.clone()),
        recovered_s: over.recovered.map(|recovered| recovered.as_secs_f64()),
    }
}

fn is_failure(got: CallerGot, refusal: Refusal) -> bool {
    match got {
        CallerGot::Answer | CallerGot::Degraded => false,
        CallerGot::CleanError => refusal == Refusal::Failed,
        CallerGot::Broken | CallerGot::Nothing | CallerGot::WrongAnswer => true,
    }
}

fn shares(asked: &[Asked]) -> Vec<CallersShare> {
    let of = |got: CallerGot| {
        let requests = asked.iter().filter(|asked| asked.got == got).count() as u64;
        let share = Proportion::new(requests, asked.len() as u64).ok().filter(|_| requests > 0)?;
        Some(CallersShare { got, requests, share: share.share(), interval: share.wilson(Level::P95) })
    };
    CallerGot::ALL.into_iter().filter_map(of).collect()
}

fn sentence(over: &Over, got: &[CallersShare]) -> String {
    let all = over.asked.len() as u64;
    if all == 0 {
        return "No request was asked while it lasted.".into();
    }
    if over.struck == 0 {
        return "It happened to no request: none came through the proxy while it lasted.".into();
    }
    let part = |share: &CallersShare| {
        let words = match share.got {
            CallerGot::Answer => "the right answer",
            CallerGot::Degraded => "an answer that is flagged as degraded",
            CallerGot::CleanError => "an error in time",
            CallerGot::Broken => "what is no answer",
            CallerGot::Nothing => "nothing in time",
            CallerGot::WrongAnswer => "another answer, and nothing says so",
        };
        format!("{} {words}", count(share.requests))
    };
    let parts: Vec<String> = got.iter().map(part).collect();
    let recovered = match over.recovered {
        None if over.is_cut_short => " Whether answers come again afterwards was not looked at.".into(),
        None => " Afterwards, answers do not come again in time.".to_owned(),
        Some(after) if after > Duration::from_secs(1) => {
            format!(" Afterwards, answers come again after {} s.", value(after.as_secs_f64()))
        }
        Some(_) => String::new(),
    };
    let parts = parts.iter().map(String::as_str);
    format!("Of {}: {}.{recovered}", counted(all, "request", "requests"), listed(parts, CallerGot::ALL.len()))
}

/// No server, or none that could be asked: nothing was tried.
pub fn not_applicable(scope: Scope<'_>, reason: &str) -> Finding {
    blank(scope, Verdict::Unknown, format!("Nothing was tried: {reason}"))
}

/// Whether callers cope with what a server does wrong.
pub fn judge(scope: Scope<'_>, mut tried: TriedEndpoint, refusal: Refusal) -> Finding {
    let badness = |fault: &TriedEndpointFault| {
        let bad = fault.got.iter().filter(|share| is_failure(share.got, refusal));
        (rank(fault.status), bad.map(|share| share.share).sum::<f64>())
    };
    tried.faults.sort_by(|a, b| {
        let (a, b) = (badness(a), badness(b));
        b.0.cmp(&a.0).then(b.1.total_cmp(&a.1))
    });
    let (verdict, summary) = words(&tried);
    let mut finding = blank(scope, verdict, summary);
    let of = |status| tried.faults.iter().filter(|fault| fault.status == status).count() as u64;
    let failed = of(FaultStatus::Failed);
    if let Ok(share) = Proportion::new(failed, tried.faults.len() as u64) {
        let measure =
            Measure::new("unhandled_fault_share", share.share(), tried.faults.len() as u64, "exact");
        finding.measures.push(measure);
    }
    let longest = tried.faults.iter().map(|fault| fault.waited_ms_max).fold(0.0, f64::max);
    let asked = tried.faults.iter().flat_map(|fault| &fault.got).map(|share| share.requests).sum();
    finding.measures.push(Measure::new("longest_wait_ms", longest, asked, "exact"));
    finding.detail = Some(Detail::Endpoint(Box::new(tried)));
    finding
}

fn rank(status: FaultStatus) -> u8 {
    match status {
        FaultStatus::Failed => 2,
        FaultStatus::Unknown => 1,
        FaultStatus::Handled => 0,
    }
}

/// Faults that a sentence names before it counts.
const NAMED: usize = 4;

fn words(tried: &TriedEndpoint) -> (Verdict, String) {
    let of = |status| tried.faults.iter().filter(move |fault| fault.status == status);
    let all = counted(tried.faults.len() as u64, "fault", "faults");
    let named = |status| listed(of(status).map(|fault| fault.title.as_str()), NAMED);
    let failed = of(FaultStatus::Failed).count();
    let Some(worst) = tried.faults.first() else {
        return (Verdict::Unknown, "No fault was tried.".into());
    };
    let Some(through) = &tried.through else {
        return (Verdict::Unknown, drill(tried, &all));
    };
    let open = of(FaultStatus::Unknown).count() + tried.not_tried.len();
    match (failed, open) {
        (0, 0) => (
            Verdict::Pass,
            format!(
                "Whoever asks {through} gets, under all of {all}, an answer or an error within {} ms, and answers as before afterwards.",
                tried.patience_ms
            ),
        ),
        (0, _) => {
            let unknown = named(FaultStatus::Unknown);
            let unknown = if unknown.is_empty() { String::new() } else { format!(" ({unknown})") };
            (
                Verdict::Unknown,
                format!(
                    "Of {all}, callers of {through} fail none; {open} could not be tried to the end{unknown}."
                ),
            )
        }
        _ => (
            Verdict::Fail,
            format!(
                "Callers of {through} do not cope with {failed} of {all} ({}). {}: {} Give callers a time-out, and another way to decide.",
                named(FaultStatus::Failed),
                capitalised(&worst.title),
                worst.sentence
            ),
        ),
    }
}

/// Without anybody between callers and the server, only this program's own client was tried.
fn drill(tried: &TriedEndpoint, all: &str) -> String {
    let share = |got: CallerGot| {
        let of = tried.faults.iter().flat_map(|fault| &fault.got);
        let all: u64 = of.clone().map(|share| share.requests).sum();
        let this: u64 = of.filter(|share| share.got == got).map(|share| share.requests).sum();
        percent(this as f64 / all.max(1) as f64)
    };
    format!(
        "A drill: nothing was named that stands between callers and {}. Under {all}, a plain client that waits {} ms gets an answer for {} of its requests, a clean error for {}, a broken answer for {} and nothing in time for {}; what your callers make of that is not known. Name what they ask with stress.endpoint.through.",
        tried.model,
        tried.patience_ms,
        share(CallerGot::Answer),
        share(CallerGot::CleanError),
        share(CallerGot::Broken),
        share(CallerGot::Nothing),
    )
}

fn blank(scope: Scope<'_>, verdict: Verdict, summary: String) -> Finding {
    Finding { summary, ..Finding::blank(CheckId::Endpoint, Subject::Model, verdict, scope.window) }
}
