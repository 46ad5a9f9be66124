//! A circuit breaker before the model: after failures in a row it is left alone for a while, so that callers do not
//! wait for it. Then one request tries it: where that succeeds the circuit closes, else it stays open for as long
//! again.
//!
//! [`Circuit`] is the state as a function of time and of what happened; [`Breaker`] shares it among requests.
//!
//! Reference: M. T. Nygard, "Release it!", 2007.

use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

/// When a circuit opens, and for how long.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct BreakerSettings {
    /// Failures in a row that open it; 0 counts as 1.
    pub failures: u32,
    pub pause: Pause,
}

/// How long an open circuit leaves the model alone.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Pause {
    For(Duration),
    /// For as many rows.
    Rows(u32),
}

/// Whether a request may ask the model.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Asking {
    Allowed,
    /// Not now; `after` is when it makes sense to come again, as far as that is known.
    Refused {
        after: Option<Duration>,
    },
}

/// How a circuit stands, as metrics count it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Standing {
    Closed,
    HalfOpen,
    Open,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum State {
    Closed {
        failures: u32,
    },
    /// Until an instant, as a time since the circuit was made, or for rows.
    Open {
        until: Duration,
        rows: u32,
    },
    /// One request is on its way.
    Trying {
        since: Duration,
    },
}

/// A circuit; times are since it was made.
#[derive(Clone, Copy, Debug)]
pub(super) struct Circuit {
    settings: BreakerSettings,
    state: State,
}

impl Circuit {
    pub(super) fn new(settings: BreakerSettings) -> Self {
        Self { settings, state: State::Closed { failures: 0 } }
    }

    /// Whether a request of these rows may ask the model now. `within` is after how long a request that was let
    /// through to try it has surely ended.
    pub(super) fn ask(&mut self, now: Duration, rows: u32, within: Duration) -> Asking {
        match &mut self.state {
            State::Closed { .. } => return Asking::Allowed,
            State::Trying { since } if now < *since + within => {
                return Asking::Refused { after: Some((*since + within).saturating_sub(now)) };
            }
            State::Trying { .. } => {}
            State::Open { until, rows: left } => {
                if now < *until {
                    return Asking::Refused { after: Some(until.saturating_sub(now)) };
                }
                if *left > 0 {
                    *left = left.saturating_sub(rows);
                    return Asking::Refused { after: None };
                }
            }
        }
        self.state = State::Trying { since: now };
        Asking::Allowed
    }

    /// What came of a request that asked.
    pub(super) fn ended(&mut self, now: Duration, has_failed: bool) {
        self.state = match self.state {
            // One that was asked before the circuit opened tells nothing new.
            State::Open { .. } => return,
            _ if !has_failed => State::Closed { failures: 0 },
            State::Closed { failures } if failures + 1 < self.settings.failures => {
                State::Closed { failures: failures + 1 }
            }
            State::Closed { .. } | State::Trying { .. } => match self.settings.pause {
                Pause::For(pause) => State::Open { until: now + pause, rows: 0 },
                Pause::Rows(rows) => State::Open { until: now, rows },
            },
        };
    }

    pub(super) fn standing(&self) -> Standing {
        match self.state {
            State::Closed { .. } => Standing::Closed,
            State::Trying { .. } => Standing::HalfOpen,
            State::Open { .. } => Standing::Open,
        }
    }
}

/// A circuit that requests share.
#[derive(Debug)]
pub(super) struct Breaker {
    made: Instant,
    within: Duration,
    circuit: Mutex<Circuit>,
}

impl Breaker {
    pub(super) fn new(settings: BreakerSettings, within: Duration) -> Self {
        Self { made: Instant::now(), within, circuit: Mutex::new(Circuit::new(settings)) }
    }

    pub(super) fn ask(&self, rows: usize) -> Asking {
        self.lock().ask(self.made.elapsed(), u32::try_from(rows).unwrap_or(u32::MAX), self.within)
    }

    pub(super) fn ended(&self, has_failed: bool) {
        self.lock().ended(self.made.elapsed(), has_failed);
    }

    pub(super) fn standing(&self) -> Standing {
        self.lock().standing()
    }

    fn lock(&self) -> MutexGuard<'_, Circuit> {
        self.circuit.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const WITHIN: Duration = Duration::from_secs(5);

    /// Requests of one row, one after the other: `x` fails where it is let through.
    #[track_caller]
    fn check(failures: u32, rows: u32, fails: &str, expected: &str) {
        let mut circuit = Circuit::new(BreakerSettings { failures, pause: Pause::Rows(rows) });
        let now = Duration::ZERO;
        let of = |row: char| {
            if circuit.ask(now, 1, WITHIN) != Asking::Allowed {
                return '-';
            }
            circuit.ended(now, row == 'x');
            'o'
        };
        assert_eq!(fails.chars().map(of).collect::<String>(), expected);
    }

    /// The cases of the rehearsed breaker, `stress::degrade::breaker`.
    #[test]
    fn a_circuit_opens_after_failures_in_a_row_and_closes_after_a_success() {
        check(2, 3, "..x.x...", "oooooooo");
        check(2, 3, ".xxxxxxx", "ooo---o-");
        check(2, 3, ".xx...x.xx..", "ooo---o---oo");
        check(2, 3, ".xx....x....", "ooo---oooooo");
        check(1, 0, "xxx", "ooo");
        check(0, 1, "xxx", "o-o");
    }

    #[test]
    fn one_request_tries_after_the_pause_and_the_others_wait_for_it() {
        let second = Duration::from_secs;
        let pause = Pause::For(second(10));
        let mut circuit = Circuit::new(BreakerSettings { failures: 1, pause });
        assert_eq!(circuit.ask(second(0), 1, WITHIN), Asking::Allowed);
        circuit.ended(second(1), true);
        assert_eq!(circuit.standing(), Standing::Open);
        assert_eq!(circuit.ask(second(4), 1, WITHIN), Asking::Refused { after: Some(second(7)) });
        assert_eq!(circuit.ask(second(11), 1, WITHIN), Asking::Allowed);
        assert_eq!(circuit.standing(), Standing::HalfOpen);
        assert_eq!(circuit.ask(second(12), 1, WITHIN), Asking::Refused { after: Some(second(4)) });
        circuit.ended(second(13), false);
        assert_eq!(circuit.standing(), Standing::Closed);
        assert_eq!(circuit.ask(second(13), 1, WITHIN), Asking::Allowed);
    }

    #[test]
    fn a_try_whose_end_nobody_tells_is_followed_by_another() {
        let second = Duration::from_secs;
        let mut circuit = Circuit::new(BreakerSettings { failures: 1, pause: Pause::For(second(1)) });
        circuit.ended(second(0), true);
        assert_eq!(circuit.ask(second(2), 1, WITHIN), Asking::Allowed);
        assert_eq!(circuit.ask(second(6), 1, WITHIN), Asking::Refused { after: Some(second(1)) });
        assert_eq!(circuit.ask(second(7), 1, WITHIN), Asking::Allowed);
    }
}
