//! What a step of load came to: percentiles, errors, and whether the server stood it.

use std::cmp::Reverse;
use std::time::Duration;

use stats::interval::Level;
use stats::proportion::Proportion;
use stats::serial_mean::serial_mean;
use stats::serial_quantile::{SerialQuantile, serial_quantile};
use types::Verdict;
use types::format::{percent, value};
use types::load::{ErrorClass, Latency, LoadStep};

use super::Step;

/// One request.
#[derive(Clone, Debug, PartialEq)]
pub struct Sample {
    /// When it was meant to be sent, from the start of the step on.
    pub intended: Duration,
    pub came: Came,
}

/// What came of a request. Latencies count from the intended time.
#[derive(Clone, Debug, PartialEq)]
pub enum Came {
    Answered {
        latency: Duration,
        /// By how much it was sent after its time.
        late: Duration,
        /// Whether it is the answer that came without load; `None` where that is not known.
        equal: Option<bool>,
        degraded: bool,
    },
    Failed {
        latency: Duration,
        late: Duration,
        class: String,
        said: String,
        /// Given up: the latency would have been at least this one.
        timed_out: bool,
    },
    /// Not sent, because too many were under way.
    Dropped,
}

/// What a server has to stand.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Limits {
    pub p99_ms: f64,
    pub errors: f64,
}

/// The share of the requests' rate that answers have to come at.
const ACHIEVED_LEAST: f64 = 0.95;

/// What the step came to. `ran` is how long it really was, where it was ended early.
pub fn measured(step: &Step, samples: &[Sample], ran: Duration, limits: Limits) -> LoadStep {
    let seconds = ran.min(step.length).as_secs_f64().max(f64::MIN_POSITIVE);
    let answered = samples.iter().filter(|of| matches!(of.came, Came::Answered { .. })).count() as u64;
    let requests = samples.len() as u64;
    let offered = requests as f64 / seconds;
    let latencies = latencies(samples);
    let [p50, p99] = [0.5, 0.99].map(|share| quantile(&latencies, share));
    let mut of = LoadStep {
        rate: step.rate,
        seconds,
        requests,
        answered,
        dropped: samples.iter().filter(|of| of.came == Came::Dropped).count() as u64,
        achieved_rate: offered * achieved_share(samples),
        latency: p50.zip(p99).map(|(p50, p99)| percentiles(&latencies, p50, p99)),
        errors: errors(samples),
        compared: count(samples, |equal, _| equal.is_some()),
        equal: count(samples, |equal, _| equal == Some(true)),
        degraded: count(samples, |_, degraded| degraded),
        sent_late_p99_ms: sent_late(samples),
        stood: false,
        verdict: Verdict::Warn,
        reason: None,
    };
    let held = [held_errors(&of, limits.errors), held_p99(&latencies, limits.p99_ms), held_rate(&of)];
    of.stood = held.iter().all(|held| held.stood);
    let worst = held.into_iter().max_by_key(|held| held.verdict);
    of.verdict = worst.as_ref().map_or(Verdict::Warn, |worst| worst.verdict);
    of.reason = worst.and_then(|worst| worst.reason);
    of
}

/// One condition: by its value, by its interval, and what is to be said of it.
struct Held {
    stood: bool,
    verdict: Verdict,
    reason: Option<String>,
}

fn held_errors(of: &LoadStep, most: f64) -> Held {
    let failed = of.requests - of.answered;
    let Ok(share) = Proportion::new(failed, of.requests) else {
        return Held { stood: false, verdict: Verdict::Warn, reason: Some("no request was sent".into()) };
    };
    let interval = share.wilson(Level::P95);
    let said = format!("{} of requests fail", percent(share.share()));
    let (verdict, reason) = if interval.lower > most {
        (Verdict::Fail, Some(said))
    } else if interval.upper <= most {
        (Verdict::Pass, None)
    } else {
        (Verdict::Warn, Some(format!("{said}, of {} too few to tell", of.requests)))
    };
    Held { stood: share.share() <= most, verdict, reason }
}

/// That 99 of 100 stay within a limit means that at most one of a hundred is later; how many are is a share, whose
/// interval is of as many requests as those that wait for each other are worth.
fn held_p99(latencies: &[f64], most: f64) -> Held {
    let late: Vec<f64> = latencies.iter().map(|&of| f64::from(u8::from(of > most))).collect();
    let (n, count) = (late.len() as f64, late.iter().sum::<f64>());
    let worth = serial_mean(&late, lags(late.len()), Level::P95).map_or(1.0, |mean| mean.dispersion);
    let share = Proportion::new((count / worth).round() as u64, (n / worth).floor() as u64);
    let Ok(share) = share else {
        return Held { stood: false, verdict: Verdict::Fail, reason: Some("nothing was answered".into()) };
    };
    let interval = share.wilson(Level::P95);
    let said = format!("{} of answers take more than {} ms", percent(count / n), value(most));
    let (verdict, reason) = if interval.lower > LATE {
        (Verdict::Fail, Some(said))
    } else if interval.upper <= LATE {
        (Verdict::Pass, None)
    } else {
        (Verdict::Warn, Some(format!("{said}, of {} too few to tell", late.len())))
    };
    Held { stood: count <= LATE * n, verdict, reason }
}

/// The share of answers that may be later than the limit of the 99th percentile.
const LATE: f64 = 0.01;

fn held_rate(of: &LoadStep) -> Held {
    let offered = of.requests as f64 / of.seconds;
    let stood = of.achieved_rate >= ACHIEVED_LEAST * offered;
    let said = format!("answers come at {} a second only", value(of.achieved_rate));
    match (stood, of.requests) {
        (true, _) => Held { stood, verdict: Verdict::Pass, reason: None },
        (false, ..RATED) => Held { stood, verdict: Verdict::Warn, reason: Some(said) },
        (false, _) => Held { stood, verdict: Verdict::Fail, reason: Some(said) },
    }
}

/// Requests from which on a rate of answers is sure enough to fail a step.
const RATED: u64 = 100;

/// Milliseconds of every request that was answered or given up, in the order of the intended times.
fn latencies(samples: &[Sample]) -> Vec<f64> {
    let latency = |of: &Sample| match &of.came {
        Came::Answered { latency, .. } | Came::Failed { latency, timed_out: true, .. } => Some(ms(*latency)),
        _ => None,
    };
    samples.iter().filter_map(latency).collect()
}

fn quantile(latencies: &[f64], share: f64) -> Option<SerialQuantile> {
    serial_quantile(latencies, share, lags(latencies.len()), Level::P95)
}

/// A queue remembers, and its memory is shorter than a step: neighbours that are looked at.
fn lags(n: usize) -> usize {
    n.isqrt()
}

fn percentiles(latencies: &[f64], p50: SerialQuantile, p99: SerialQuantile) -> Latency {
    let at = |share| serial_quantile(latencies, share, 0, Level::P95).map_or(p99.value, |of| of.value);
    Latency {
        p50_ms: p50.value,
        p90_ms: at(0.9),
        p95_ms: at(0.95),
        p99_ms: p99.value,
        p999_ms: at(0.999),
        max_ms: latencies.iter().copied().fold(0.0, f64::max),
        p50_lower_ms: p50.lower,
        p50_upper_ms: p50.upper,
        p99_lower_ms: p99.lower,
        p99_upper_ms: p99.upper,
    }
}

/// The share of the requests' rate that answers come at: the share that is answered, and that only as fast as the middle
/// nine tenths of the answers come, against the times at which these were meant to be asked for. While a queue grows,
/// answers take longer to come than requests to be sent.
fn achieved_share(samples: &[Sample]) -> f64 {
    let mut times: Vec<(f64, f64)> = Vec::new();
    for of in samples {
        if let Came::Answered { latency, .. } = of.came {
            times.push((of.intended.as_secs_f64(), (of.intended + latency).as_secs_f64()));
        }
    }
    let answered = times.len() as f64 / samples.len().max(1) as f64;
    let mut span = |of: fn(&(f64, f64)) -> f64| {
        times.sort_by(|a, b| of(a).total_cmp(&of(b)));
        let cut = times.len() / 20;
        match (times.get(cut), times.get(times.len().saturating_sub(cut + 1))) {
            (Some(first), Some(last)) => of(last) - of(first),
            _ => 0.0,
        }
    };
    let (asked, came) = (span(|times| times.0), span(|times| times.1));
    if came > 0.0 && asked > 0.0 { answered * (asked / came).min(1.0) } else { answered }
}

fn errors(samples: &[Sample]) -> Vec<ErrorClass> {
    let mut classes: Vec<ErrorClass> = Vec::new();
    for of in samples {
        let Came::Failed { class, said, .. } = &of.came else { continue };
        match classes.iter_mut().find(|known| known.class == *class) {
            Some(known) => known.requests += 1,
            None => classes.push(ErrorClass { class: class.clone(), requests: 1, example: said.clone() }),
        }
    }
    classes.sort_by_key(|class| Reverse(class.requests));
    classes
}

fn count(samples: &[Sample], is: impl Fn(Option<bool>, bool) -> bool) -> u64 {
    let answers = samples.iter().filter_map(|of| match of.came {
        Came::Answered { equal, degraded, .. } => Some((equal, degraded)),
        _ => None,
    });
    answers.filter(|&(equal, degraded)| is(equal, degraded)).count() as u64
}

fn sent_late(samples: &[Sample]) -> f64 {
    let late: Vec<f64> = samples
        .iter()
        .filter_map(|of| match of.came {
            Came::Answered { late, .. } | Came::Failed { late, .. } => Some(ms(late)),
            Came::Dropped => None,
        })
        .collect();
    serial_quantile(&late, 0.99, 0, Level::P95).map_or(0.0, |of| of.value)
}

fn ms(duration: Duration) -> f64 {
    duration.as_secs_f64() * 1e3
}
