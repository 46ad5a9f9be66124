//! When something is due: at the ends of days, weeks, months and quarters, or by a cron expression.
//!
//! Pure arithmetic over instants; nothing here knows what time it is. Which job has which timetable is said by
//! [`crate::definition::Schedule`], and who runs it, by the scheduler.

mod cron;
mod zone;

use std::time::Duration;

use jiff::civil::Date;
use jiff::tz::TimeZone;
use jiff::{Timestamp, ToSpan};

pub use cron::{Cron, CronError};
pub use zone::{Zone, ZoneError};

use crate::definition::Cadence;
use crate::window::{midnight_utc, span_of, start_of};

/// How far back the newest due instant is looked for.
const LOOK_BACK_MAX: Duration = Duration::from_hours(41 * 366 * 24);

/// What decides when something is due.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Rule {
    /// So long after each end of a period of these cadences. Periods end at midnight in the time zone; but
    /// what is measured are days of UTC, so never before the day is over there too.
    Ends {
        of: Vec<Cadence>,
        after: Duration,
    },
    Cron(Cron),
}

/// A rule in a time zone.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Timetable {
    pub rule: Rule,
    pub zone: Zone,
}

impl Timetable {
    /// The first due instant after `at`.
    pub fn next_after(&self, at: Timestamp) -> Option<Timestamp> {
        let zone = self.zone.time_zone();
        match &self.rule {
            Rule::Cron(cron) => cron.next_after(at, zone),
            Rule::Ends { of, after } => {
                let end_before = at.checked_sub(*after).ok()?;
                let next = of.iter().filter_map(|cadence| next_end(*cadence, end_before, zone)).min()?;
                next.checked_add(*after).ok()
            }
        }
    }

    /// The due instants after `from`, up to and with `to`, ascending.
    pub fn due_between(&self, from: Timestamp, to: Timestamp) -> impl Iterator<Item = Timestamp> {
        std::iter::successors(self.next_after(from), |due| self.next_after(*due))
            .take_while(move |due| *due <= to)
    }

    /// The newest due instant at or before `at`.
    pub fn newest_until(&self, at: Timestamp) -> Option<Timestamp> {
        let mut look_back = Duration::from_hours(1);
        while look_back <= LOOK_BACK_MAX {
            let from = at.checked_sub(look_back).ok()?;
            // The part that was looked at before had none, so there are not many.
            if let Some(newest) = self.due_between(from, at).last() {
                return Some(newest);
            }
            look_back *= 2;
        }
        None
    }
}

/// The first end of a period of a cadence after `at`.
fn next_end(cadence: Cadence, at: Timestamp, zone: &TimeZone) -> Option<Timestamp> {
    // No clock is a day behind UTC or ahead of it, so a period that ends later has begun by then.
    let near = zone.to_datetime(at).date().checked_sub(2.days()).ok()?;
    let first = start_of(cadence, near)?;
    let dates = std::iter::successors(Some(first), |date| date.checked_add(span_of(cadence, 1)).ok());
    dates.map_while(|date| end_before(date, zone)).find(|end| *end > at)
}

/// When the day before `date` is over, in the time zone and in UTC.
fn end_before(date: Date, zone: &TimeZone) -> Option<Timestamp> {
    let local = date.to_zoned_datetime(zone.clone()).and_then(|zoned| zoned.start_of_day()).ok()?;
    Some(local.timestamp().max(midnight_utc(date)?))
}
