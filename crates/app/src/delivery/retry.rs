//! When to try again: a pure function of what was tried and when.

use jiff::{SignedDuration, Timestamp};
use types::Digest;

use super::Retry;

/// After so many attempts (about an hour) the receiver counts as dead, which others are told.
pub const ATTEMPTS_MAX: u32 = 8;
const FIRST_SECONDS: u64 = 30;
/// The longest that the other side can ask for.
const ASKED_MAX: SignedDuration = SignedDuration::from_hours(6);

/// When to make the next attempt after `attempts` failed ones, the last of them at `last`; `None` once
/// another one cannot help, or there were [`ATTEMPTS_MAX`].
///
/// The wait doubles from half a minute. A quarter of it more or less is drawn from `delivery` (what is
/// sent to whom) and the attempt, so that many messages to one server do not come back all at once, and
/// so that a second server, or the next start, comes to the same time.
pub fn next_attempt(delivery: Digest, attempts: u32, last: Timestamp, retry: Retry) -> Option<Timestamp> {
    if attempts >= ATTEMPTS_MAX {
        return None;
    }
    let asked = match retry {
        Retry::Never => return None,
        Retry::Later => SignedDuration::ZERO,
        Retry::After(asked) => asked.min(ASKED_MAX),
    };
    let wait_ms = (FIRST_SECONDS * 1000) << attempts.saturating_sub(1);
    let mut drawn_from = delivery.bytes().to_vec();
    drawn_from.extend(attempts.to_be_bytes());
    let draw = u64::from(Digest::of(&drawn_from).bytes()[0]);
    // From three quarters to five quarters of the wait.
    let wait_ms = wait_ms * 3 / 4 + wait_ms / 2 * draw / 255;
    let wait = SignedDuration::from_millis(i64::try_from(wait_ms).unwrap_or(i64::MAX));
    last.checked_add(wait.max(asked)).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn waits(delivery: &str, retry: Retry) -> Vec<i64> {
        let last = Timestamp::UNIX_EPOCH;
        let next = |attempts| next_attempt(Digest::of(delivery.as_bytes()), attempts, last, retry);
        (1..).map_while(next).map(|at| at.duration_since(last).as_secs()).collect()
    }

    #[test]
    fn the_wait_doubles_with_jitter_and_ends_after_about_an_hour() {
        let all = waits("a", Retry::Later);
        assert_eq!(all.len(), ATTEMPTS_MAX as usize - 1);
        for (at, wait) in all.iter().enumerate() {
            let middle = 30 << at;
            assert!((middle * 3 / 4 - 1..=middle * 5 / 4 + 1).contains(wait), "{wait} after {}", at + 1);
        }
        let total: i64 = all.iter().sum();
        assert!((40 * 60..80 * 60).contains(&total), "{total}");
        assert_eq!(all, waits("a", Retry::Later));
        assert_ne!(all, waits("b", Retry::Later));
    }

    #[test]
    fn what_was_asked_for_is_waited_for_within_bounds() {
        let asked = |seconds| Retry::After(SignedDuration::from_secs(seconds));
        assert_eq!(waits("a", asked(7)), waits("a", Retry::Later));
        assert!(waits("a", asked(500)).iter().all(|wait| *wait >= 500));
        assert!(waits("a", asked(i64::MAX)).iter().all(|wait| *wait == 6 * 3600));
        assert!(waits("a", Retry::Never).is_empty());
    }
}
