//! Plans of load, and queues whose waiting times are known.

use stats::random::SplitMix64;
use types::definition;
use types::load::LoadRamp;
use types::{CheckId, Finding, Verdict, Window};

use super::*;
use crate::judge::Scope;

const LIMITS: Limits = Limits { p99_ms: 100.0, errors: 0.01 };

fn load(rates: &[f64], step: &str) -> Load {
    Load { rates: rates.to_vec(), step: step.parse().unwrap(), ..Load::default() }
}

fn secs(seconds: f64) -> Duration {
    Duration::from_secs_f64(seconds)
}

/// Requests at their times to a server that takes `service` seconds for each, one after the other (Lindley's equation).
fn queue(step: &Step, service: f64) -> Vec<Sample> {
    let mut free = 0.0_f64;
    let one = |&intended: &Duration| {
        free = free.max(intended.as_secs_f64()) + service;
        let latency = secs(free).saturating_sub(intended);
        let came = Came::Answered { latency, late: Duration::ZERO, equal: Some(true), degraded: false };
        Sample { intended, came }
    };
    step.starts.iter().map(one).collect()
}

fn step(rate: f64, seconds: f64, arrivals: Arrivals) -> Step {
    let starts = starts(rate, secs(seconds), arrivals, &mut SplitMix64::new(3));
    Step { rate, length: secs(seconds), starts }
}

#[test]
fn poisson_arrivals_have_exponential_gaps_and_constant_ones_equal_gaps() {
    let of = step(50.0, 200.0, Arrivals::Poisson);
    let n = of.starts.len() as f64;
    // Four standard deviations of a Poisson count of 10,000 are 400.
    assert!((n - 10_000.0).abs() < 400.0, "{n}");
    let gaps: Vec<f64> =
        of.starts.windows(2).map(|pair| pair[1].as_secs_f64() - pair[0].as_secs_f64()).collect();
    let mean = gaps.iter().sum::<f64>() / gaps.len() as f64;
    let variance = gaps.iter().map(|gap| (gap - mean).powi(2)).sum::<f64>() / gaps.len() as f64;
    // The standard deviation of an exponential time is its mean.
    assert!((variance.sqrt() / mean - 1.0).abs() < 0.06, "{}", variance.sqrt() / mean);
    let of = step(4.0, 1.0, Arrivals::Constant);
    assert_eq!(of.starts, [0.0, 0.25, 0.5, 0.75].map(secs));
    assert_eq!(step(0.01, 1.0, Arrivals::Poisson).starts.len(), 1);
}

#[test]
fn the_ramp_ascends_and_the_needed_rate_has_enough_requests() {
    let needed = Load { at_least: Some(8.0), ..load(&[5.0, 10.0], "10s") };
    let found = steps(&needed, &mut SplitMix64::new(1));
    let rates: Vec<f64> = found.iter().map(|step| step.rate).collect();
    assert_eq!(rates, [5.0, 8.0, 10.0]);
    let lengths: Vec<u64> = found.iter().map(|step| step.length.as_secs()).collect();
    assert_eq!(lengths, [10, 62, 10]);
    assert_eq!(found, steps(&needed, &mut SplitMix64::new(1)), "the same seed has the same times");
}

/// The mean latency of a queue with random arrivals and a constant time of service: Pollaczek and Khinchine's
/// `D + ρ D / (2 (1 − ρ))`, here with ρ = 0.5 and ρ = 0.8 of 100 answers a second.
#[test]
fn latencies_of_a_simulated_queue_are_those_of_queueing_theory() {
    for (rate, expected_ms) in [(50.0, 15.0), (80.0, 30.0)] {
        let step = step(rate, 400.0, Arrivals::Poisson);
        let samples = queue(&step, 0.01);
        let latency = |of: &Sample| match of.came {
            Came::Answered { latency, .. } => latency.as_secs_f64() * 1e3,
            _ => 0.0,
        };
        let mean = samples.iter().map(latency).sum::<f64>() / samples.len() as f64;
        assert!((mean / expected_ms - 1.0).abs() < 0.06, "{rate}: {mean} ms");
        let found = measured(&step, &samples, step.length, LIMITS);
        let latency = found.latency.unwrap();
        assert!(latency.p50_ms < mean && latency.p99_ms > mean && latency.max_ms >= latency.p999_ms);
        assert!(latency.p99_lower_ms <= Some(latency.p99_ms) && latency.p99_upper_ms >= Some(latency.p99_ms));
        assert!((found.achieved_rate / rate - 1.0).abs() < 0.06, "{}", found.achieved_rate);
    }
}

#[test]
fn a_server_that_is_asked_more_than_it_can_answers_at_its_own_rate_and_does_not_stand_it() {
    // 100 answers a second, and 150 are asked for: the queue grows, and 1.5 seconds' worth wait after three.
    let step = step(150.0, 3.0, Arrivals::Constant);
    let found = measured(&step, &queue(&step, 0.01), step.length, Limits { p99_ms: 10_000.0, ..LIMITS });
    assert!((found.achieved_rate - 100.0).abs() < 1.0, "{}", found.achieved_rate);
    assert_eq!((found.stood, found.verdict), (false, Verdict::Fail));
    assert!(found.reason.unwrap().starts_with("answers come at 100"));
    // A server with room stands it, however long one answer takes.
    let late = queue(&step, 0.001);
    let late: Vec<Sample> = late.into_iter().map(|of| delayed(of, 2.0)).collect();
    let found = measured(&step, &late, step.length, Limits { p99_ms: 10_000.0, ..LIMITS });
    assert!(found.stood && (found.achieved_rate - 150.0).abs() < 0.5, "{}", found.achieved_rate);
}

fn delayed(of: Sample, by: f64) -> Sample {
    let Came::Answered { latency, late, equal, degraded } = of.came else { return of };
    Sample { came: Came::Answered { latency: latency + secs(by), late, equal, degraded }, ..of }
}

fn failing(step: &Step, every: usize) -> Vec<Sample> {
    let mut samples = queue(step, 0.0001);
    for of in samples.iter_mut().step_by(every) {
        let (class, said) = ("overloaded".to_owned(), "503".to_owned());
        of.came = Came::Failed { latency: secs(0.001), late: Duration::ZERO, class, said, timed_out: false };
    }
    samples
}

#[test]
fn whether_errors_are_within_the_limit_is_only_said_where_it_is_sure() {
    let long = step(100.0, 10.0, Arrivals::Constant);
    let check = |samples: &[Sample], stood, verdict| {
        let found = measured(&long, samples, long.length, LIMITS);
        assert_eq!((found.stood, found.verdict), (stood, verdict), "{:?}", found.reason);
    };
    check(&queue(&long, 0.0001), true, Verdict::Pass);
    // 5 of 1000: Wilson's interval is 0.2 % to 1.2 %, on both sides of 1 %.
    check(&failing(&long, 200), true, Verdict::Warn);
    // 15 of 1000: 0.9 % to 2.5 %.
    check(&failing(&long, 67), false, Verdict::Warn);
    check(&failing(&long, 10), false, Verdict::Fail);
    let found = measured(&long, &failing(&long, 10), long.length, LIMITS);
    assert_eq!((found.errors[0].class.as_str(), found.errors[0].requests), ("overloaded", 100));
    let none = [Sample { intended: Duration::ZERO, came: Came::Dropped }];
    let found = measured(&long, &none, long.length, LIMITS);
    assert_eq!((found.dropped, found.latency, found.stood), (1, None, false));
}

#[test]
fn the_ramp_ends_where_a_step_surely_fails_or_two_do_in_a_row() {
    let of = |stood, verdict| LoadStep { stood, verdict, ..quick(10.0) };
    assert!(goes_on(&[]) && goes_on(&[of(true, Verdict::Warn)]));
    assert!(goes_on(&[of(true, Verdict::Pass), of(false, Verdict::Warn)]));
    assert!(!goes_on(&[of(false, Verdict::Warn), of(false, Verdict::Warn)]));
    assert!(!goes_on(&[of(true, Verdict::Pass), of(false, Verdict::Fail)]));
}

/// A step that a fast server stands.
fn quick(rate: f64) -> LoadStep {
    let step = step(rate, 1000.0 / rate, Arrivals::Constant);
    measured(&step, &queue(&step, 0.0001), step.length, LIMITS)
}

fn slow(rate: f64) -> LoadStep {
    let step = step(rate, 1000.0 / rate, Arrivals::Constant);
    measured(&step, &queue(&step, 1.5 / rate), step.length, LIMITS)
}

fn judged(at_least: Option<f64>, change: impl Fn(&mut LoadRamp)) -> Finding {
    let text =
        "[log]\npath = \"x\"\ntime = \"t\"\nscore = \"s\"\n[reference]\nwindow = \"2024-01-01/2024-02-01\"\n";
    let definition = definition::parse(text).unwrap();
    let scope = Scope { definition: &definition, window: Window::everything() };
    let unloaded = Unloaded { requests: 20, answered: 20, p50_ms: 2.0, max_ms: 3.0, equal: 20 };
    let mut ramp = LoadRamp {
        model: "http://127.0.0.1:5000".into(),
        rows_per_request: 1,
        arrivals: Arrivals::Constant,
        steps: vec![quick(50.0), quick(100.0), slow(200.0)],
        stood_rate: Some(100.0),
        failed_rate: Some(200.0),
        ended: None,
        before: Some(unloaded),
        after: Some(unloaded),
        recovered_s: Some(0.1),
    };
    change(&mut ramp);
    let load = Load { at_least, ..load(&[50.0, 100.0, 200.0], "10s") };
    judge(scope, Ramp { load: &load, limits: LIMITS, ramp, is_cut_short: false })
}

#[track_caller]
fn says(found: &Finding, verdict: Verdict, part: &str) {
    assert_eq!(found.check, CheckId::Load);
    assert!(
        found.verdict == verdict && found.summary.contains(part),
        "{:?}: {}",
        found.verdict,
        found.summary
    );
}

#[test]
fn what_is_needed_decides_and_without_it_nothing_is_passed() {
    says(&judged(Some(100.0), |_| ()), Verdict::Pass, "Needed are 100: it surely stands them");
    says(&judged(Some(200.0), |_| ()), Verdict::Fail, "at 200 it does not any more");
    says(&judged(None, |_| ()), Verdict::Unknown, "stress.load.at_least");
    says(&judged(Some(300.0), |_| ()), Verdict::Fail, "it does not stand less");
}

#[test]
fn a_server_that_answers_otherwise_or_does_not_come_back_fails_whatever_it_stands() {
    let wrong = judged(Some(100.0), |ramp| ramp.steps[1].equal -= 3);
    says(&wrong, Verdict::Fail, "Under load, 3 of 3,000 answers are not those that it gives without load.");
    let lost = judged(Some(100.0), |ramp| ramp.recovered_s = None);
    says(&lost, Verdict::Fail, "it did not come back in time");
    let dead = judged(Some(100.0), |ramp| {
        ramp.before = None;
        ramp.steps.clear();
        (ramp.stood_rate, ramp.failed_rate) = (None, None);
    });
    says(&dead, Verdict::Fail, "It does not answer without load");
}

#[test]
fn as_before_means_all_answers_equal_and_about_as_fast() {
    let before = Unloaded { requests: 20, answered: 20, p50_ms: 10.0, max_ms: 12.0, equal: 20 };
    assert!(is_as_before(&before, &Unloaded { p50_ms: 25.0, ..before }));
    assert!(!is_as_before(&before, &Unloaded { p50_ms: 25.1, ..before }));
    assert!(!is_as_before(&before, &Unloaded { answered: 19, equal: 19, ..before }));
    assert!(!is_as_before(&before, &Unloaded { equal: 19, ..before }));
    assert!(!is_as_before(&before, &Unloaded { requests: 0, answered: 0, equal: 0, ..before }));
}
