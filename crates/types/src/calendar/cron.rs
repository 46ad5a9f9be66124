//! Cron expressions: five fields, read as Vixie's and Debian's cron read them.
//!
//! No extension (`L`, `W`, `#`, seconds, `@daily`) is accepted: what an expression means here, it means
//! to every other cron too.

use std::fmt;
use std::str::FromStr;

use jiff::civil::{Date, DateTime, Weekday};
use jiff::tz::{AmbiguousOffset, TimeZone};
use jiff::{Timestamp, ToSpan};
use schemars::JsonSchema;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// A 29 February falls on every day of the week within 40 years, also around 2100.
const DAYS_MAX: usize = 41 * 366;

/// When something is due: minute, hour, day of the month, month, day of the week.
///
/// Where both the day of the month and the day of the week are restricted, either is enough. An expression
/// whose minute or hour begins with `*` follows elapsed time where clocks are set forwards or back. Any
/// other names times of the day: one that is skipped is due when the clocks have been set forwards, one that
/// comes twice is due the first time.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Cron {
    text: String,
    minutes: Values,
    hours: Values,
    days: Values,
    months: Values,
    weekdays: Values,
}

/// The values of a field that match.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Values {
    /// One bit for each value.
    bits: u64,
    /// Whether the field was written with a star in front.
    any: bool,
}

impl Values {
    fn has(self, value: i8) -> bool {
        self.bits & (1_u64 << value) != 0
    }

    fn within(self, first: i8, last: i8) -> impl Iterator<Item = i8> {
        (first..=last).filter(move |&value| self.has(value))
    }
}

#[derive(Clone, Debug, thiserror::Error, PartialEq, Eq)]
pub enum CronError {
    #[error(
        "`{text}` has {found} fields, and a cron expression has five: minute, hour, day of the month, month, \
         day of the week, such as `0 6 * * 1`"
    )]
    Fields { text: String, found: usize },
    #[error(
        "`{text}` is no {field}: write a number from {first} to {last}, a range such as {first}-{last}, a list \
         such as {first},{last}, or *"
    )]
    NotAValue { text: String, field: &'static str, first: u8, last: u8 },
    #[error("the range `{text}` of the {field} runs backwards")]
    Backwards { text: String, field: &'static str },
    #[error("`{text}` steps from a single {field}: write a range, such as `{from}-{last}/{step}`")]
    StepOfOne { text: String, field: &'static str, from: u8, last: u8, step: String },
    #[error("`{text}` is never due: no month has such a day")]
    Never { text: String },
}

/// One of the five fields.
struct Field {
    name: &'static str,
    first: u8,
    last: u8,
    names: &'static [&'static str],
}

const MONTHS: &[&str] = &["jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec"];
const WEEKDAYS: &[&str] = &["sun", "mon", "tue", "wed", "thu", "fri", "sat"];

const FIELDS: [Field; 5] = [
    Field { name: "minute", first: 0, last: 59, names: &[] },
    Field { name: "hour", first: 0, last: 23, names: &[] },
    Field { name: "day of the month", first: 1, last: 31, names: &[] },
    Field { name: "month", first: 1, last: 12, names: MONTHS },
    Field { name: "day of the week", first: 0, last: 7, names: WEEKDAYS },
];

impl Field {
    fn values(&self, text: &str) -> Result<Values, CronError> {
        let mut bits = 0;
        for term in text.split(',') {
            bits |= self.term(term)?;
        }
        Ok(Values { bits, any: text.starts_with('*') })
    }

    fn term(&self, term: &str) -> Result<u64, CronError> {
        let refused = || self.refused(term);
        let (range, step) = match term.split_once('/') {
            Some((range, step)) => (range, Some(step)),
            None => (term, None),
        };
        let (from, to) = match range.split_once('-') {
            _ if range == "*" => (self.first, self.last),
            Some((from, to)) => (self.value(from)?, self.value(to)?),
            None => {
                let value = self.value(range)?;
                if let Some(step) = step {
                    let step = step.to_owned();
                    let (text, field, last) = (term.to_owned(), self.name, self.last);
                    return Err(CronError::StepOfOne { text, field, from: value, last, step });
                }
                (value, value)
            }
        };
        if to < from {
            return Err(CronError::Backwards { text: term.to_owned(), field: self.name });
        }
        let step = match step {
            Some(step) => digits(step).filter(|step| *step > 0).ok_or_else(refused)?,
            None => 1,
        };
        Ok((from..=to).step_by(usize::from(step)).map(|value| 1_u64 << value).sum())
    }

    fn value(&self, text: &str) -> Result<u8, CronError> {
        let named = self.names.iter().position(|name| name.eq_ignore_ascii_case(text));
        let named = named.map(|at| at as u8 + self.first);
        let value = named.or_else(|| digits(text)).filter(|value| (self.first..=self.last).contains(value));
        value.ok_or_else(|| self.refused(text))
    }

    fn refused(&self, text: &str) -> CronError {
        let (field, first, last) = (self.name, self.first, self.last);
        CronError::NotAValue { text: text.to_owned(), field, first, last }
    }
}

/// A small number of digits alone, without a sign.
fn digits(text: &str) -> Option<u8> {
    text.bytes().all(|byte| byte.is_ascii_digit()).then(|| text.parse().ok()).flatten()
}

impl FromStr for Cron {
    type Err = CronError;

    fn from_str(text: &str) -> Result<Self, CronError> {
        let fields: Vec<&str> = text.split_whitespace().collect();
        let &[minutes, hours, days, months, weekdays] = fields.as_slice() else {
            return Err(CronError::Fields { text: text.trim().to_owned(), found: fields.len() });
        };
        let mut weekdays = FIELDS[4].values(weekdays)?;
        // Sunday has two numbers.
        weekdays.bits |= weekdays.bits >> 7;
        let cron = Self {
            text: fields.join(" "),
            minutes: FIELDS[0].values(minutes)?,
            hours: FIELDS[1].values(hours)?,
            days: FIELDS[2].values(days)?,
            months: FIELDS[3].values(months)?,
            weekdays,
        };
        if cron.dates_from(Date::constant(2000, 1, 1)).next().is_none() {
            return Err(CronError::Never { text: cron.text });
        }
        Ok(cron)
    }
}

impl Cron {
    /// The first instant after `at` at which this is due by the clocks of a time zone.
    pub(super) fn next_after(&self, at: Timestamp, zone: &TimeZone) -> Option<Timestamp> {
        if self.minutes.any || self.hours.any {
            self.next_elapsed(at, zone)
        } else {
            let from = zone.to_datetime(at);
            let named = self.dates_from(from.date()).flat_map(|date| self.times_of(date));
            // The repeated hour is passed a second time with nothing due: its instants are before `at`.
            named.filter_map(|time| first_instant(time, zone)).find(|due| *due > at)
        }
    }

    /// Goes from minute to minute as time passes, whatever the clocks are set to.
    fn next_elapsed(&self, at: Timestamp, zone: &TimeZone) -> Option<Timestamp> {
        let seconds = i64::from(zone.to_datetime(at).second());
        let whole = Timestamp::from_second(at.as_second()).ok()?;
        let mut due = whole.checked_add((60 - seconds).seconds()).ok()?;
        loop {
            let local = zone.to_datetime(due);
            let date = local.date();
            if !self.is_day(date) {
                let next = self.dates_from(date).next()?;
                due = next.to_zoned_datetime(zone.clone()).ok()?.start_of_day().ok()?.timestamp();
            } else if !self.hours.has(local.hour()) {
                due = due.checked_add(i64::from(60 - local.minute()).minutes()).ok()?;
            } else if !self.minutes.has(local.minute()) {
                due = due.checked_add(1.minute()).ok()?;
            } else {
                return Some(due);
            }
        }
    }

    /// The days that match, from one on.
    fn dates_from(&self, from: Date) -> impl Iterator<Item = Date> {
        let dates = std::iter::successors(Some(from), |date| date.tomorrow().ok()).take(DAYS_MAX);
        dates.filter(|date| self.is_day(*date))
    }

    fn is_day(&self, date: Date) -> bool {
        let (day, weekday) = (self.days.has(date.day()), self.weekdays.has(of_week(date)));
        let is_day = if self.days.any || self.weekdays.any { day && weekday } else { day || weekday };
        is_day && self.months.has(date.month())
    }

    fn times_of(&self, date: Date) -> impl Iterator<Item = DateTime> {
        let (hours, minutes) = (self.hours, self.minutes);
        let times =
            hours.within(0, 23).flat_map(move |hour| minutes.within(0, 59).map(move |minute| (hour, minute)));
        times.map(move |(hour, minute)| date.at(hour, minute, 0, 0))
    }
}

fn of_week(date: Date) -> i8 {
    date.weekday().since(Weekday::Sunday)
}

/// The instant of a time of the day: the first where there are two, the end of the gap where there is none.
fn first_instant(time: DateTime, zone: &TimeZone) -> Option<Timestamp> {
    let ambiguous = zone.to_ambiguous_timestamp(time);
    let is_skipped = matches!(ambiguous.offset(), AmbiguousOffset::Gap { .. });
    let instant = ambiguous.compatible().ok()?;
    if !is_skipped {
        return Some(instant);
    }
    let past = instant.checked_add(1.nanosecond()).ok()?;
    zone.preceding(past).next().map(|transition| transition.timestamp())
}

impl fmt::Display for Cron {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

impl Serialize for Cron {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Cron {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer)?.parse().map_err(serde::de::Error::custom)
    }
}

impl JsonSchema for Cron {
    fn schema_name() -> std::borrow::Cow<'static, str> {
        "Cron".into()
    }

    fn json_schema(_: &mut schemars::SchemaGenerator) -> schemars::Schema {
        schemars::json_schema!({
            "type": "string",
            "pattern": r"^\s*\S+(\s+\S+){4}\s*$",
            "description": "A cron expression of five fields, such as `0 6 * * 1`: minute, hour, day of the \
                            month, month, day of the week."
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check_refused(text: &str, message: &str) {
        let error = text.parse::<Cron>().unwrap_err().to_string();
        assert!(error.contains(message), "{text}: {error}");
    }

    #[test]
    fn a_mistake_names_its_field_and_the_way_out() {
        check_refused("0 6 * *", "has 4 fields");
        check_refused("@daily", "has 1 fields");
        check_refused("", "has 0 fields");
        check_refused("60 6 * * 1", "`60` is no minute: write a number from 0 to 59");
        check_refused("0 24 * * 1", "`24` is no hour");
        check_refused("0 6 0 * 1", "`0` is no day of the month");
        check_refused("0 6 * foo 1", "`foo` is no month");
        check_refused("0 6 * * 8", "`8` is no day of the week");
        check_refused("0 6 L * *", "`L` is no day of the month");
        check_refused("0 6 * * +1", "`+1` is no day of the week");
        check_refused("0 6,, * * 1", "`` is no hour");
        check_refused("*/0 6 * * 1", "`*/0` is no minute");
        check_refused("0 6 9-3 * *", "`9-3` of the day of the month runs backwards");
        check_refused("5/10 * * * *", "write a range, such as `5-59/10`");
        check_refused("0 6 31 2,4 *", "`0 6 31 2,4 *` is never due");
    }

    #[test]
    fn names_spaces_and_both_sundays_are_understood() {
        let cron: Cron = " 0  6 * Jan-MAR sun ".parse().unwrap();
        assert_eq!(cron.to_string(), "0 6 * Jan-MAR sun");
        let fields = |text: &str| Cron { text: String::new(), ..text.parse().unwrap() };
        assert_eq!(fields("0 6 * jan-mar sun").months, fields("0 6 * 1-3 7").months);
        assert!(fields("0 6 * * 5-7").weekdays.has(0));
        assert!(!fields("0 6 * * 1-6").weekdays.has(0));
    }
}
