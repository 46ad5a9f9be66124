//! Instants as people read them: to the minute, or as the time that has passed.
//!
//! The markup carries the instant in UTC; the script writes it in the reader's zone and leaves UTC on hover.

use jiff::Timestamp;
use maud::{Markup, html};

use crate::words;

const UNITS: [(i64, &str, &str); 5] = [
    (365 * 86_400, "year", "years"),
    (30 * 86_400, "month", "months"),
    (86_400, "day", "days"),
    (3_600, "hour", "hours"),
    (60, "minute", "minutes"),
];

/// `2013-06-11 06:00 UTC`.
pub(super) fn text(at: Timestamp) -> String {
    words::minute(&at.to_string())
}

pub(super) fn instant(at: Timestamp) -> Markup {
    html! { time.instant datetime=(at) title=(text(at)) { (text(at)) } }
}

/// `3 hours ago`, `in 2 days`, `just now`.
pub(super) fn ago(at: Timestamp, now: Timestamp) -> Markup {
    html! { time datetime=(at) title=(text(at)) { (ago_text(at, now)) } }
}

pub(super) fn ago_text(at: Timestamp, now: Timestamp) -> String {
    let seconds = now.as_second() - at.as_second();
    match largest_unit(seconds.abs()) {
        None => "just now".into(),
        Some(amount) if seconds >= 0 => format!("{amount} ago"),
        Some(amount) => format!("in {amount}"),
    }
}

fn largest_unit(seconds: i64) -> Option<String> {
    let (unit, one, many) = UNITS.into_iter().find(|(unit, ..)| seconds >= *unit)?;
    let amount = seconds / unit;
    Some(format!("{amount} {}", if amount == 1 { one } else { many }))
}

/// `0.8 s`, `42 s`, `3 min 20 s`, `1 h 5 min`.
pub(super) fn duration(milliseconds: u64) -> String {
    let seconds = milliseconds / 1000;
    match seconds {
        0..10 => format!("{:.1} s", milliseconds as f64 / 1000.0),
        10..60 => format!("{seconds} s"),
        60..3600 => format!("{} min {} s", seconds / 60, seconds % 60),
        _ => format!("{} h {} min", seconds / 3600, seconds % 3600 / 60),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_has_passed_is_said_in_its_largest_unit() {
        let now: Timestamp = "2026-11-27T12:00:00Z".parse().unwrap();
        for (at, said) in [
            ("2026-11-27T11:59:40Z", "just now"),
            ("2026-11-27T11:59:00Z", "1 minute ago"),
            ("2026-11-27T09:10:00Z", "2 hours ago"),
            ("2026-11-29T12:00:00Z", "in 2 days"),
            ("2013-12-30T00:00:00Z", "12 years ago"),
        ] {
            assert_eq!(ago_text(at.parse().unwrap(), now), said);
        }
    }

    #[test]
    fn a_duration_keeps_two_units_at_most() {
        for (milliseconds, said) in
            [(840, "0.8 s"), (42_000, "42 s"), (200_000, "3 min 20 s"), (3_900_000, "1 h 5 min")]
        {
            assert_eq!(duration(milliseconds), said);
        }
    }
}
