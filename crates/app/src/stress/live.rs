//! What is asked of a server before it is put under stress, and again afterwards: the same requests one after the other.

use std::thread;
use std::time::{Duration, Instant};

use ::stress::load::is_as_before;
use serving::{Outcome, Scores, Stop, Target};
use types::batch::Batch;
use types::load::Unloaded;

/// Requests with their answers while nothing is wrong.
pub(super) struct Known {
    pub(super) requests: Vec<KnownRequest>,
    /// Absent where no request was answered.
    pub(super) unloaded: Option<Unloaded>,
    /// What was said where there was no answer.
    pub(super) error: Option<String>,
}

/// A request, and the scores that it is answered with.
pub(super) struct KnownRequest {
    pub(super) batch: Batch,
    pub(super) scores: Scores,
}

/// Distinct requests at most; a server that remembers answers is not asked for one only.
const REQUESTS_MOST: usize = 100;
/// Requests that are asked whatever time they take.
const REQUESTS_LEAST: usize = 5;
/// Requests that say whether a server is as before.
const PROBES: usize = 20;
/// How long it is looked whether a server is as before, once somebody wants it all to end.
pub(super) const AFTER_STOP: Duration = Duration::from_secs(2);
/// Between two looks at whether it is.
const PAUSE: Duration = Duration::from_millis(500);

impl Known {
    /// Asks about rows, so many in a request, as many requests as fit into a time.
    pub(super) fn of(
        target: &mut dyn Target,
        rows: &Batch,
        in_a_request: usize,
        within: Duration,
        stop: &Stop,
    ) -> Self {
        let start = Instant::now();
        let all: Vec<usize> = (0..rows.rows()).collect();
        let (mut requests, mut latencies, mut error) = (Vec::new(), Vec::new(), None);
        let (mut asked, mut answered) = (0, 0);
        for rows_of in all.chunks(in_a_request.max(1)).take(REQUESTS_MOST) {
            let is_enough = start.elapsed() > within && (asked as usize) >= REQUESTS_LEAST;
            if stop.is_set() || is_enough || (answered == 0 && asked as usize >= REQUESTS_LEAST) {
                break;
            }
            let batch = rows.take(rows_of);
            let answer = target.ask(&batch);
            match answer.outcome {
                Outcome::Accepted(accepted) | Outcome::NonFinite(accepted) => {
                    answered += 1;
                    requests.push(KnownRequest { batch, scores: accepted.scores });
                    latencies.push(answer.took.as_secs_f64() * 1e3);
                }
                // Rows that the model does not take say nothing of its server.
                Outcome::Failed(failure) if failure.kind.is_of_rows() => {
                    error.get_or_insert(failure.to_string());
                    continue;
                }
                Outcome::Failed(failure) => {
                    error.get_or_insert(failure.to_string());
                }
            }
            asked += 1;
        }
        let unloaded = unloaded(asked, latencies, answered);
        Self { requests, unloaded, error }
    }

    /// Asks again until everything is as before, and how long that took; what the last look showed where it is not.
    pub(super) fn recovered(
        &self,
        target: &mut dyn Target,
        tolerance: f64,
        within: Duration,
        stop: &Stop,
    ) -> (Option<Duration>, Option<Unloaded>) {
        let start = Instant::now();
        let mut last = None;
        while !stop.is_set() {
            let after = self.look(target, tolerance, start + within, stop);
            if let (Some(before), Some(after)) = (&self.unloaded, &after)
                && is_as_before(before, after)
            {
                return (Some(start.elapsed()), Some(*after));
            }
            last = after.or(last);
            if start.elapsed() >= within {
                break;
            }
            thread::sleep(PAUSE);
        }
        (None, last)
    }

    /// One look: it ends with the first request that is not answered as before.
    fn look(&self, target: &mut dyn Target, tolerance: f64, until: Instant, stop: &Stop) -> Option<Unloaded> {
        let (mut latencies, mut equal, mut asked) = (Vec::new(), 0, 0);
        for known in self.requests.iter().take(PROBES) {
            if stop.is_set() || (asked > 0 && Instant::now() >= until) {
                break;
            }
            asked += 1;
            let answer = target.ask(&known.batch);
            let is_equal = is_equal(&answer.outcome, &known.scores, tolerance);
            if let Outcome::Accepted(_) | Outcome::NonFinite(_) = answer.outcome {
                latencies.push(answer.took.as_secs_f64() * 1e3);
            }
            equal += u64::from(is_equal == Some(true));
            if is_equal != Some(true) {
                break;
            }
        }
        let answered = latencies.len() as u64;
        unloaded(asked, latencies, equal).map(|of| Unloaded { answered, equal, ..of })
    }
}

fn unloaded(requests: u64, mut latencies: Vec<f64>, equal: u64) -> Option<Unloaded> {
    latencies.sort_by(f64::total_cmp);
    let p50_ms = *latencies.get(latencies.len().saturating_sub(1) / 2)?;
    let max_ms = *latencies.last()?;
    Some(Unloaded { requests, answered: latencies.len() as u64, p50_ms, max_ms, equal })
}

/// Whether an answer has the scores that are known; `None` where it is none.
pub(super) fn is_equal(outcome: &Outcome, known: &Scores, tolerance: f64) -> Option<bool> {
    let (Outcome::Accepted(accepted) | Outcome::NonFinite(accepted)) = outcome else { return None };
    let near = |a: f64, b: f64| (a - b).abs() <= tolerance;
    Some(match (&accepted.scores, known) {
        (Scores::Numbers(these), Scores::Numbers(those)) => {
            let same = |(this, that): (&Option<f64>, &Option<f64>)| match (this, that) {
                (Some(this), Some(that)) => near(*this, *that),
                (None, None) => true,
                _ => false,
            };
            these.len() == those.len() && these.iter().zip(those).all(same)
        }
        (Scores::Probabilities(these), Scores::Probabilities(those)) => {
            let same = |(this, that): (&Option<Vec<f64>>, &Option<Vec<f64>>)| match (this, that) {
                (Some(this), Some(that)) => {
                    this.len() == that.len() && this.iter().zip(that).all(|(this, that)| near(*this, *that))
                }
                (None, None) => true,
                _ => false,
            };
            these.len() == those.len() && these.iter().zip(those).all(same)
        }
        _ => false,
    })
}
