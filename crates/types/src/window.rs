//! Windows: half-open intervals of time, and the arithmetic that finds the last whole week.

use jiff::civil::{Date, Weekday};
use jiff::tz::TimeZone;
use jiff::{Span, Timestamp, ToSpan};
use serde::{Deserialize, Serialize};

use crate::definition::Cadence;

/// A half-open interval of time `[from, to)`, never empty.
///
/// Written as `2013-06-03/2013-06-10` (midnights in UTC) or with RFC 3339 instants.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Window {
    of: Dataset,
    from: Timestamp,
    to: Timestamp,
}

/// The dataset whose rows a window is about. A text says nothing of it: what is read is of the log.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Dataset {
    #[default]
    Log,
    /// A reference that has files of its own.
    Reference,
}

#[derive(Debug, thiserror::Error, PartialEq, Eq)]
pub enum WindowError {
    #[error(
        "`{text}` is not a window; write it as FROM/TO, such as 2013-06-03/2013-06-10 (the end is not included)"
    )]
    NotAWindow { text: String },
    #[error("`{text}` is not a date or an instant; write 2013-06-03 or 2013-06-03T12:00:00Z")]
    NotAnInstant { text: String },
    #[error("window {from}/{to} is empty: its end must be after its start")]
    Empty { from: String, to: String },
}

impl Window {
    /// # Errors
    /// [`WindowError::Empty`] where `to` is not after `from`.
    pub fn new(from: Timestamp, to: Timestamp) -> Result<Self, WindowError> {
        if from < to {
            Ok(Self { of: Dataset::Log, from, to })
        } else {
            Err(WindowError::Empty { from: instant_text(from), to: instant_text(to) })
        }
    }

    /// All of time, of the log.
    pub fn everything() -> Self {
        Self { of: Dataset::Log, from: Timestamp::MIN, to: Timestamp::MAX }
    }

    pub fn is_everything(&self) -> bool {
        (self.from, self.to) == (Timestamp::MIN, Timestamp::MAX)
    }

    /// The same interval in another dataset.
    #[must_use]
    pub fn of(self, of: Dataset) -> Self {
        Self { of, ..self }
    }

    pub fn dataset(&self) -> Dataset {
        self.of
    }

    pub fn from(&self) -> Timestamp {
        self.from
    }

    pub fn to(&self) -> Timestamp {
        self.to
    }

    pub fn contains(&self, at: Timestamp) -> bool {
        self.from <= at && at < self.to
    }

    /// The interval that both windows share; those of different datasets share nothing.
    pub fn overlap(&self, other: &Self) -> Option<Self> {
        let shared = Self::new(self.from.max(other.from), self.to.min(other.to)).ok()?;
        (self.of == other.of).then_some(shared.of(self.of))
    }

    /// The last Monday-to-Monday week (UTC) that ends at or before `end`.
    pub fn last_whole_week(end: Timestamp) -> Option<Self> {
        let monday = start_of(Cadence::Week, utc_date(end))?;
        let from = monday.checked_sub(1.week()).ok()?;
        Self::new(midnight_utc(from)?, midnight_utc(monday)?).ok()
    }

    /// The windows of a cadence that lie wholly in `[since, until]`, ascending.
    pub fn of_cadence(cadence: Cadence, since: Timestamp, until: Timestamp) -> Vec<Self> {
        let step = span_of(cadence, 1);
        let mut windows = Vec::new();
        let mut from = start_of(cadence, utc_date(since));
        while let Some(date) = from {
            let next = date.checked_add(step).ok();
            let window = midnight_utc(date).zip(next.and_then(midnight_utc));
            let Some((start, end)) = window.filter(|(_, end)| *end <= until) else { break };
            if start >= since
                && let Ok(window) = Self::new(start, end)
            {
                windows.push(window);
            }
            from = next;
        }
        windows
    }

    /// The window as people say it: `December 2013`, `the week of 2013-12-23`; its ends where it is none of the
    /// calendar's.
    pub fn in_words(self) -> String {
        let first = utc_date(self.from);
        if self.is_of(Cadence::Month) {
            first.strftime("%B %Y").to_string()
        } else if self.is_of(Cadence::Quarter) {
            let ordinal = ["first", "second", "third", "fourth"][usize::from(first.month() as u8 - 1) / 3];
            format!("the {ordinal} quarter of {}", first.year())
        } else if self.is_of(Cadence::Week) {
            format!("the week of {first}")
        } else if self.is_of(Cadence::Day) {
            first.to_string()
        } else {
            format!("{} to {}", instant_text(self.from), instant_text(self.to))
        }
    }

    /// This window cut where those of a cadence begin: whole ones, and a piece at either end.
    pub fn parts(self, cadence: Cadence) -> Vec<Self> {
        let mut ends: Vec<Timestamp> = Self::of_cadence(cadence, self.from, self.to)
            .iter()
            .flat_map(|window| [window.from, window.to])
            .chain([self.from, self.to])
            .collect();
        ends.sort_unstable();
        ends.dedup();
        ends.windows(2).filter_map(|pair| Self::new(pair[0], pair[1]).ok()).collect()
    }

    /// Whether this is one whole window of a cadence.
    pub fn is_of(self, cadence: Cadence) -> bool {
        Self::of_cadence(cadence, self.from, self.to) == [self]
    }

    /// The `count` windows of a cadence just before this one, as one window.
    pub fn before(self, cadence: Cadence, count: u32) -> Option<Self> {
        let start = TimeZone::UTC.to_datetime(self.from);
        let from = start.checked_sub(span_of(cadence, i64::from(count))).ok()?;
        Self::new(TimeZone::UTC.to_timestamp(from).ok()?, self.from).ok()
    }

    /// This window as many days earlier, begun and ended by `margin` days more.
    pub fn days_earlier(self, days: i64, margin: i64) -> Option<Self> {
        let from = self.from.checked_sub(((days + margin) * 24).hours()).ok()?;
        let to = self.to.checked_sub(((days - margin) * 24).hours()).ok()?;
        Self::new(from, to).ok()
    }
}

pub(crate) fn span_of(cadence: Cadence, count: i64) -> Span {
    match cadence {
        Cadence::Day => count.days(),
        Cadence::Week => count.weeks(),
        Cadence::Month => count.months(),
        Cadence::Quarter => (3 * count).months(),
    }
}

/// The first day of the period of a cadence that a day lies in.
pub(crate) fn start_of(cadence: Cadence, date: Date) -> Option<Date> {
    match cadence {
        Cadence::Day => Some(date),
        Cadence::Week => date.checked_sub(days_since_monday(date)).ok(),
        Cadence::Month => Some(date.first_of_month()),
        Cadence::Quarter => {
            let months = i64::from((date.month() - 1) % 3);
            date.first_of_month().checked_sub(months.months()).ok()
        }
    }
}

/// Reads `2013-06-03` (midnight UTC) or an RFC 3339 instant.
///
/// # Errors
/// [`WindowError::NotAnInstant`].
pub fn parse_instant(text: &str) -> Result<Timestamp, WindowError> {
    let text = text.trim();
    let not_an_instant = || WindowError::NotAnInstant { text: text.to_owned() };
    if let Ok(at) = text.parse::<Timestamp>() {
        return Ok(at);
    }
    let date: Date = text.parse().map_err(|_| not_an_instant())?;
    // A text with a clock time but no offset parses as a date too; refuse to drop the time.
    if text.len() > 10 {
        return Err(not_an_instant());
    }
    midnight_utc(date).ok_or_else(not_an_instant)
}

/// A date where the instant is a midnight in UTC, else RFC 3339.
pub fn instant_text(at: Timestamp) -> String {
    let date = utc_date(at);
    if midnight_utc(date) == Some(at) { date.to_string() } else { at.to_string() }
}

/// The instant so many days after 1970-01-01 (UTC), to the second, as [`instant_text`] writes it.
pub fn day_text(days: f64) -> String {
    let seconds = (days * 86_400.0).round();
    Timestamp::from_second(seconds as i64).map_or_else(|_| seconds.to_string(), instant_text)
}

/// The midnight (UTC) at which the day of `at` begins.
pub fn start_of_day(at: Timestamp) -> Timestamp {
    midnight_utc(utc_date(at)).unwrap_or(at)
}

/// The midnight (UTC) at which the day of `at` is over.
pub fn end_of_day(at: Timestamp) -> Timestamp {
    utc_date(at).tomorrow().ok().and_then(midnight_utc).unwrap_or(at)
}

fn utc_date(at: Timestamp) -> Date {
    TimeZone::UTC.to_datetime(at).date()
}

pub(crate) fn midnight_utc(date: Date) -> Option<Timestamp> {
    TimeZone::UTC.to_timestamp(date.to_datetime(jiff::civil::Time::midnight())).ok()
}

fn days_since_monday(date: Date) -> Span {
    i64::from(date.weekday().since(Weekday::Monday)).days()
}

impl std::str::FromStr for Window {
    type Err = WindowError;

    fn from_str(text: &str) -> Result<Self, WindowError> {
        let (from, to) =
            text.split_once('/').ok_or_else(|| WindowError::NotAWindow { text: text.to_owned() })?;
        Self::new(parse_instant(from)?, parse_instant(to)?)
    }
}

impl std::fmt::Display for Window {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}/{}", instant_text(self.from), instant_text(self.to))
    }
}

impl Serialize for Window {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Window {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        text.parse().map_err(serde::de::Error::custom)
    }
}

impl schemars::JsonSchema for Window {
    fn schema_name() -> std::borrow::Cow<'static, str> {
        "Window".into()
    }

    fn json_schema(_: &mut schemars::SchemaGenerator) -> schemars::Schema {
        schemars::json_schema!({
            "type": "string",
            "pattern": "^[^/]+/[^/]+$",
            "description": "A half-open interval of time, FROM/TO, such as 2013-01-01/2013-05-01 (UTC)."
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check_last_week(end: &str, expected: &str) {
        let week = Window::last_whole_week(parse_instant(end).unwrap()).unwrap();
        assert_eq!(week.to_string(), expected, "for a log that ends at {end}");
    }

    #[test]
    fn windows_of_the_calendar_have_names() {
        for (window, name) in [
            ("2013-12-01/2014-01-01", "December 2013"),
            ("2013-10-01/2014-01-01", "the fourth quarter of 2013"),
            ("2013-12-23/2013-12-30", "the week of 2013-12-23"),
            ("2013-12-23/2013-12-24", "2013-12-23"),
            ("2013-01-01/2013-05-01", "2013-01-01 to 2013-05-01"),
        ] {
            assert_eq!(window.parse::<Window>().unwrap().in_words(), name);
        }
    }

    #[test]
    fn a_window_is_cut_where_weeks_begin() {
        let parts = |text: &str| -> Vec<String> {
            let window: Window = text.parse().unwrap();
            window.parts(Cadence::Week).iter().map(Window::to_string).collect()
        };
        assert_eq!(
            parts("2013-01-02/2013-01-16"),
            ["2013-01-02/2013-01-07", "2013-01-07/2013-01-14", "2013-01-14/2013-01-16"]
        );
        assert_eq!(parts("2013-01-07/2013-01-14"), ["2013-01-07/2013-01-14"]);
        assert_eq!(parts("2013-01-08/2013-01-10"), ["2013-01-08/2013-01-10"]);
    }

    #[test]
    fn last_whole_week_runs_from_monday_to_monday() {
        check_last_week("2013-12-31T23:59:00Z", "2013-12-23/2013-12-30");
        check_last_week("2013-12-30T00:00:00Z", "2013-12-23/2013-12-30");
        check_last_week("2013-12-29T23:59:59Z", "2013-12-16/2013-12-23");
    }

    fn check_cadence(cadence: Cadence, since: &str, until: &str, expected: &[&str]) {
        let windows = Window::of_cadence(cadence, at(since), at(until));
        let windows: Vec<String> = windows.iter().map(Window::to_string).collect();
        assert_eq!(windows, expected, "{cadence:?} since {since} until {until}");
    }

    fn at(text: &str) -> Timestamp {
        parse_instant(text).unwrap()
    }

    #[test]
    fn windows_of_a_cadence_are_whole_and_follow_the_calendar() {
        let (week, month) = (Cadence::Week, Cadence::Month);
        check_cadence(week, "2013-05-01", "2013-05-20", &["2013-05-06/2013-05-13", "2013-05-13/2013-05-20"]);
        check_cadence(week, "2013-05-01", "2013-05-12T23:59:59Z", &[]);
        check_cadence(month, "2013-12-01", "2014-02-15", &["2013-12-01/2014-01-01", "2014-01-01/2014-02-01"]);
        check_cadence(month, "2024-02-01", "2024-03-01", &["2024-02-01/2024-03-01"]);
        let quarters = &["2013-07-01/2013-10-01", "2013-10-01/2014-01-01"];
        check_cadence(Cadence::Quarter, "2013-05-01", "2014-01-01", quarters);
        check_cadence(Cadence::Day, "2013-12-31", "2014-01-01", &["2013-12-31/2014-01-01"]);
    }

    #[test]
    fn a_window_knows_what_it_is_compared_against() {
        let window: Window = "2013-03-31/2013-04-07".parse().unwrap();
        assert_eq!(window.before(Cadence::Week, 2).unwrap().to_string(), "2013-03-17/2013-03-31");
        let april: Window = "2013-04-01/2013-05-01".parse().unwrap();
        assert_eq!(april.before(Cadence::Month, 3).unwrap().to_string(), "2013-01-01/2013-04-01");
        assert_eq!(window.days_earlier(364, 7).unwrap().to_string(), "2012-03-25/2012-04-15");
        assert_eq!(window.days_earlier(7, 0).unwrap().to_string(), "2013-03-24/2013-03-31");
    }

    #[test]
    fn windows_are_half_open_and_never_empty() {
        let window: Window = "2013-06-03/2013-06-10".parse().unwrap();
        assert!(window.contains(window.from()));
        assert!(!window.contains(window.to()));
        assert!("2013-06-03/2013-06-03".parse::<Window>().is_err());
        assert!("2013-06-10/2013-06-03".parse::<Window>().is_err());
    }

    #[test]
    fn a_clock_time_without_an_offset_is_refused() {
        assert!(parse_instant("2013-06-03T12:00:00").is_err());
        assert!(parse_instant("yesterday").is_err());
    }
}
