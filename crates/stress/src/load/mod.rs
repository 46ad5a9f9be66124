//! Load on a server of a model: when each request is meant to be sent, and what the answers say.
//!
//! Requests are sent at their times, whether or not earlier ones were answered, and a latency counts from the instant at
//! which the request was meant to be sent. A tool that waits for an answer before it asks again asks less while the
//! server is stuck, and so leaves out of its percentiles what callers would have waited.
//!
//! The rates ascend until the server does not stand a step. [`steps`] plans, [`measured`] says what a step came to, and
//! [`judge`] makes the finding. Sending is done elsewhere.
//!
//! References: B. Schroeder, A. Wierman, M. Harchol-Balter, "Open versus closed: a cautionary tale", NSDI 2006; R. Jain,
//! "The Art of Computer Systems Performance Analysis", 1991, section 3.3: the usable capacity is the most throughput
//! within a limit of the response time.

mod judge;
mod measured;
#[cfg(test)]
mod tests;

use std::time::Duration;

use rand_core::RngCore;
use stats::random::uniform;
use types::definition::{Arrivals, Load};
use types::load::{LoadStep, Unloaded};

pub use judge::{Ramp, judge, not_applicable};
pub use measured::{Came, Limits, Sample, measured};

/// One step of a ramp.
#[derive(Clone, Debug, PartialEq)]
pub struct Step {
    /// Requests a second.
    pub rate: f64,
    pub length: Duration,
    /// When each request is meant to be sent, from the start of the step on, ascending; never empty.
    pub starts: Vec<Duration>,
}

/// The steps of a ramp, slowest first.
pub fn steps(load: &Load, rng: &mut impl RngCore) -> Vec<Step> {
    let mut rates: Vec<f64> = load.rates.iter().copied().chain(load.at_least).collect();
    rates.sort_by(f64::total_cmp);
    rates.dedup();
    let step = |rate: f64| {
        let shortest = Duration::from(load.step);
        let is_judged = load.at_least == Some(rate);
        let length = if is_judged { shortest.max(Duration::from_secs_f64(JUDGED / rate)) } else { shortest };
        Step { rate, length, starts: starts(rate, length, load.arrivals, rng) }
    };
    rates.into_iter().map(step).collect()
}

/// Requests of the step that the verdict rests on. With fewer than 381, not even none that fails would surely be less
/// than one of a hundred (Wilson's upper end for 0 of 381 is 0.01); random arrivals may be fewer than meant.
const JUDGED: f64 = 500.0;

fn starts(rate: f64, length: Duration, arrivals: Arrivals, rng: &mut impl RngCore) -> Vec<Duration> {
    let seconds = length.as_secs_f64();
    let mut starts = Vec::with_capacity((rate * seconds) as usize + 1);
    match arrivals {
        Arrivals::Constant => {
            let count = ((rate * seconds).round() as u64).max(1);
            starts.extend((0..count).map(|at| Duration::from_secs_f64(at as f64 / rate)));
        }
        Arrivals::Poisson => {
            // Between arrivals of a Poisson process lie exponential times.
            let mut at = 0.0;
            loop {
                at -= (1.0 - uniform(rng)).ln() / rate;
                if at >= seconds {
                    break;
                }
                starts.push(Duration::from_secs_f64(at));
            }
            if starts.is_empty() {
                starts.push(Duration::ZERO);
            }
        }
    }
    starts
}

/// Whether the next step is tried: not after one that the server surely does not stand, and not after two in a row that
/// it did not.
pub fn goes_on(steps: &[LoadStep]) -> bool {
    let is_last_failed = steps.last().is_some_and(|step| step.verdict == types::Verdict::Fail);
    let in_a_row = steps.iter().rev().take_while(|step| !step.stood).count();
    !is_last_failed && in_a_row < 2
}

/// Whether the server answers as before the load: every request, with the same answers, and in the median no later than
/// twice as late, with 5 ms for what a clock and a scheduler do.
pub fn is_as_before(before: &Unloaded, after: &Unloaded) -> bool {
    after.requests > 0
        && after.answered == after.requests
        && after.equal == after.answered
        && after.p50_ms <= 2.0 * before.p50_ms + 5.0
}
