//! Requests at the times at which they are meant to be sent, whether or not earlier ones were answered.
//!
//! A dispatcher waits for the next time and hands the request to a caller, a thread with a connection of its own; where
//! all are busy it calls another one in, up to a limit, and beyond that the request is dropped and counted. The caller
//! that was busy last is asked first, so that few connections are open and these are warm. Threads that wait for an
//! answer cost little, and the caller is the same [`Target`] as everywhere: every protocol, TLS, and all that can go wrong
//! with an answer. Latencies count from the intended time, so that what a request waits for because of this machine or
//! of the server before it is part of it.

use std::collections::HashMap;
use std::fmt;
use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender, channel};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

use types::batch::Batch;

use crate::{Failure, FailureKind, Outcome, Stop, Target};

/// Callers who are ready to ask.
pub struct Callers<'a> {
    make: &'a dyn Fn() -> Box<dyn Target>,
    requests: Arc<[Batch]>,
    in_flight: usize,
    calls: Vec<Sender<Call>>,
    /// Those who are not busy; the last one was busy last.
    idle: Arc<Mutex<Vec<usize>>>,
    ended: (Sender<Ended>, Receiver<Ended>),
    /// How many requests were sent before, over all steps.
    sent: usize,
    step: usize,
}

/// A request that is handed to a caller.
struct Call {
    step: usize,
    number: usize,
    request: usize,
    start: Instant,
    intended: Duration,
}

/// A request that a caller is done with.
struct Ended {
    step: usize,
    number: usize,
    sent: Sent,
}

/// A request that was sent.
#[derive(Clone, Debug, PartialEq)]
pub struct Sent {
    /// Which of the requests it was.
    pub request: usize,
    /// When it was meant to be sent, from the start on.
    pub intended: Duration,
    /// By how much later it was sent.
    pub late: Duration,
    /// From the intended time until the answer was read.
    pub latency: Duration,
    pub outcome: Outcome,
}

/// What came of a schedule.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Ran {
    pub sent: Vec<Sent>,
    /// The intended times of requests that were not sent, because too many were under way.
    pub dropped: Vec<Duration>,
    pub took: Duration,
    /// Why it ended before the schedule did.
    pub early: Option<Early>,
}

/// Why a schedule was not kept to its end.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Early {
    Stopped,
    TimeUp,
    /// So many requests failed one after the other that it is no use.
    FailuresInARow,
}

/// Failures one after the other from which on a server is left alone.
pub const FAILURES_IN_A_ROW: usize = 50;

/// How long Ctrl-C may go unnoticed.
const SLICE: Duration = Duration::from_millis(20);
/// A caller reads and writes small JSON.
const STACK_BYTES: usize = 512 << 10;

impl fmt::Debug for Callers<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Callers").field("callers", &self.calls.len()).finish_non_exhaustive()
    }
}

impl<'a> Callers<'a> {
    /// Callers who ask about the requests in turn; `make` gives a new one its way to the model.
    pub fn new(make: &'a dyn Fn() -> Box<dyn Target>, requests: Vec<Batch>, in_flight: usize) -> Self {
        Self {
            make,
            requests: requests.into(),
            in_flight,
            calls: Vec::new(),
            idle: Arc::default(),
            ended: channel(),
            sent: 0,
            step: 0,
        }
    }

    /// Sends a request at each of the times, which ascend, and waits for the answers; all of it ends at `until`.
    pub fn keep(&mut self, times: &[Duration], until: Instant, stop: &Stop) -> Ran {
        let start = Instant::now();
        self.step += 1;
        let mut keeping = Keeping::default();
        for &intended in times {
            keeping.ran.early = self.wait_for(start + intended, until, stop, &mut keeping);
            if keeping.ran.early.is_some() {
                break;
            }
            self.send(start, intended, &mut keeping);
        }
        // What is under way is waited for; nobody waits beyond the end.
        while keeping.ran.early.is_none() && !keeping.open.is_empty() {
            keeping.ran.early = self.wait_for(Instant::now() + SLICE, until, stop, &mut keeping);
        }
        if keeping.ran.early == Some(Early::TimeUp) {
            keeping.give_up(start);
        }
        keeping.ran.took = start.elapsed();
        keeping.ran
    }

    /// Takes what callers are done with until an instant; the reason to end where there is one.
    fn wait_for(&self, due: Instant, until: Instant, stop: &Stop, keeping: &mut Keeping) -> Option<Early> {
        loop {
            let now = Instant::now();
            if stop.is_set() {
                return Some(Early::Stopped);
            }
            if now >= until {
                return Some(Early::TimeUp);
            }
            if keeping.failures_in_a_row >= FAILURES_IN_A_ROW {
                return Some(Early::FailuresInARow);
            }
            if now >= due {
                return None;
            }
            match self.ended.1.recv_timeout((due - now).min(SLICE)) {
                Ok(ended) if ended.step == self.step => keeping.take(ended),
                // What a step left behind that was ended early is of no use to this one.
                Ok(_) | Err(RecvTimeoutError::Timeout) => {}
                Err(RecvTimeoutError::Disconnected) => unreachable!("one end is kept here"),
            }
        }
    }

    fn send(&mut self, start: Instant, intended: Duration, keeping: &mut Keeping) {
        let Some(caller) = self.caller() else {
            keeping.ran.dropped.push(intended);
            return;
        };
        let (number, request) = (self.sent, self.sent % self.requests.len().max(1));
        self.sent += 1;
        keeping.open.insert(number, (request, intended));
        let call = Call { step: self.step, number, request, start, intended };
        // Where a caller is gone, its request stays open until the end, and counts as not answered.
        let _ = self.calls[caller].send(call);
    }

    /// Somebody who is free: whoever was busy last, or somebody new.
    fn caller(&mut self) -> Option<usize> {
        let idle = self.idle.lock().unwrap_or_else(PoisonError::into_inner).pop();
        if idle.is_some() || self.calls.len() >= self.in_flight {
            return idle;
        }
        let (calls, taken) = channel::<Call>();
        let (at, mut target) = (self.calls.len(), (self.make)());
        let (requests, idle, ended) =
            (Arc::clone(&self.requests), Arc::clone(&self.idle), self.ended.0.clone());
        let ask = move || {
            for call in taken {
                let late = call.start.elapsed().saturating_sub(call.intended);
                let outcome = target.outcome(&requests[call.request]);
                let latency = call.start.elapsed().saturating_sub(call.intended);
                idle.lock().unwrap_or_else(PoisonError::into_inner).push(at);
                let sent = Sent { request: call.request, intended: call.intended, late, latency, outcome };
                if ended.send(Ended { step: call.step, number: call.number, sent }).is_err() {
                    return;
                }
            }
        };
        // A machine that has no thread left has its limit there.
        thread::Builder::new().stack_size(STACK_BYTES).spawn(ask).ok()?;
        self.calls.push(calls);
        Some(at)
    }
}

/// A schedule that is being kept.
#[derive(Default)]
struct Keeping {
    ran: Ran,
    /// Requests that are under way: which they are, and when they were meant to be sent.
    open: HashMap<usize, (usize, Duration)>,
    failures_in_a_row: usize,
}

impl Keeping {
    fn take(&mut self, ended: Ended) {
        self.open.remove(&ended.number);
        let is_failed = matches!(ended.sent.outcome, Outcome::Failed(_));
        self.failures_in_a_row = if is_failed { self.failures_in_a_row + 1 } else { 0 };
        self.ran.sent.push(ended.sent);
    }

    /// Requests that are still under way when the time is up did not get an answer in it.
    fn give_up(&mut self, start: Instant) {
        for (_, (request, intended)) in self.open.drain() {
            let latency = start.elapsed().saturating_sub(intended);
            let failure = Failure::new(FailureKind::TimedOut, "no answer when the test ended");
            let outcome = Outcome::Failed(failure);
            self.ran.sent.push(Sent { request, intended, late: Duration::ZERO, latency, outcome });
        }
    }
}
