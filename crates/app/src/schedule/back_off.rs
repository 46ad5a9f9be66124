//! When a job that failed is tried again.

use std::hash::{DefaultHasher, Hash as _, Hasher as _};
use std::time::Duration;

use store::Job;

/// A job that failed so often is given up until the next due instant. That is after about 20 hours.
pub const TRIES_MAX: u32 = 8;

const FIRST: Duration = Duration::from_mins(1);
const FACTOR: u32 = 5;
const LONGEST: Duration = Duration::from_hours(6);
/// Jobs that failed together are spread over a tenth of the wait.
const SPREAD: u32 = 10;

/// The longest that a job ever waits.
pub(super) const WAIT_MAX: Duration = Duration::from_hours(7);

/// How long a job waits after it failed: 1, 5, 25, 125 minutes, then 6 hours, and up to a tenth more, which
/// depends on the job alone.
pub fn back_off(job: &Job, failures: u32) -> Duration {
    let factor = FACTOR.saturating_pow(failures.saturating_sub(1));
    let wait = FIRST.saturating_mul(factor).min(LONGEST);
    let mut hasher = DefaultHasher::new();
    (&job.system, &job.kind, failures).hash(&mut hasher);
    let share = (hasher.finish() % 1000) as u32;
    wait + wait / SPREAD * share / 1000
}
