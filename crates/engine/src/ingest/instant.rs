//! RFC 3339 instants, read in a few nanoseconds where they are written the usual way.

use jiff::Timestamp;

/// Microseconds, and nanoseconds beyond them, since 1970-01-01T00:00:00Z.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Instant {
    pub(super) seconds: i64,
    pub(super) nanoseconds: u32,
}

/// The first and the last second that a row may be dated with: from the year 1, so that days sort as text, to
/// 9999-12-30T22:00:00Z, the last instant that jiff knows.
const SECONDS: std::ops::RangeInclusive<i64> = -62_135_596_800..=253_402_207_200;

impl Instant {
    /// The instant of a count of units since 1970, where it lies in the years 1 to 9999.
    pub(super) fn from_units(units: i64, per_second: i64) -> Option<Self> {
        let seconds = units.div_euclid(per_second);
        let rest = units.rem_euclid(per_second) * (1_000_000_000 / per_second);
        SECONDS.contains(&seconds).then_some(Self { seconds, nanoseconds: rest as u32 })
    }

    /// Units since 1970, rounded down; `None` where they do not fit in 64 bits.
    pub(super) fn units(self, per_second: i64) -> Option<i64> {
        let rest = i64::from(self.nanoseconds) / (1_000_000_000 / per_second);
        self.seconds.checked_mul(per_second)?.checked_add(rest)
    }

    /// Days since 1970-01-01 UTC, rounded down.
    pub(super) fn day(self) -> i64 {
        self.seconds.div_euclid(86_400)
    }
}

/// The instant that a text names; an offset from UTC is needed.
pub(super) fn parse(text: &str) -> Option<Instant> {
    let instant = usual(text.as_bytes()).or_else(|| {
        let at: Timestamp = text.parse().ok()?;
        // jiff rounds towards zero; here nanoseconds count up from the second below.
        let nanoseconds = at.as_nanosecond().rem_euclid(1_000_000_000) as u32;
        Some(Instant { seconds: at.as_nanosecond().div_euclid(1_000_000_000) as i64, nanoseconds })
    })?;
    SECONDS.contains(&instant.seconds).then_some(instant)
}

/// `2026-11-27T10:15:00.123Z` and its like with an offset of hours and minutes.
fn usual(text: &[u8]) -> Option<Instant> {
    let (head, tail) = text.split_at_checked(19)?;
    let separators = [(4, b'-'), (7, b'-'), (10, b'T'), (13, b':'), (16, b':')];
    if separators.iter().any(|(at, separator)| head[*at] != *separator) {
        return None;
    }
    let (year, month, day) = (digits(&head[..4])?, digits(&head[5..7])?, digits(&head[8..10])?);
    let (hour, minute, second) = (digits(&head[11..13])?, digits(&head[14..16])?, digits(&head[17..19])?);
    if hour > 23 || minute > 59 || second > 59 || !(1..=12).contains(&month) {
        return None;
    }
    if day < 1 || day > days_of_month(year, month) {
        return None;
    }
    let (nanoseconds, offset) = match tail.split_first()? {
        (b'.', fraction) => {
            let length = fraction.iter().take_while(|byte| byte.is_ascii_digit()).count();
            if !(1..=9).contains(&length) {
                return None;
            }
            let (fraction, offset) = fraction.split_at(length);
            (digits(fraction)? * 10_i64.pow(9 - length as u32), offset)
        }
        _ => (0, tail),
    };
    let local = days_since_1970(year, month, day) * 86_400 + hour * 3_600 + minute * 60 + second;
    let seconds = local - offset_seconds(offset)?;
    Some(Instant { seconds, nanoseconds: nanoseconds as u32 })
}

fn offset_seconds(offset: &[u8]) -> Option<i64> {
    match offset {
        b"Z" => Some(0),
        [sign @ (b'+' | b'-'), h1, h2, b':', m1, m2] => {
            let (hours, minutes) = (digits(&[*h1, *h2])?, digits(&[*m1, *m2])?);
            let seconds = hours * 3_600 + minutes * 60;
            (hours <= 23 && minutes <= 59).then_some(if *sign == b'+' { seconds } else { -seconds })
        }
        _ => None,
    }
}

fn digits(text: &[u8]) -> Option<i64> {
    text.iter().try_fold(0, |sum, byte| byte.is_ascii_digit().then(|| sum * 10 + i64::from(byte - b'0')))
}

fn days_of_month(year: i64, month: i64) -> i64 {
    let leap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
    match month {
        2 if leap => 29,
        2 => 28,
        4 | 6 | 9 | 11 => 30,
        _ => 31,
    }
}

/// The proleptic Gregorian calendar with years that begin in March (H. Hinnant, "chrono-compatible low-level date
/// algorithms", `days_from_civil`).
fn days_since_1970(year: i64, month: i64, day: i64) -> i64 {
    let year = if month <= 2 { year - 1 } else { year };
    let era = year.div_euclid(400);
    let year_of_era = year.rem_euclid(400);
    let month_from_march = (month + 9) % 12;
    let day_of_year = (153 * month_from_march + 2) / 5 + day - 1;
    let day_of_era = year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year;
    era * 146_097 + day_of_era - 719_468
}

/// Days since 1970 of a date such as `2026-11-27`.
pub(super) fn parse_date(text: &str) -> Option<i64> {
    let bytes = text.as_bytes();
    if bytes.len() != 10 || bytes[4] != b'-' || bytes[7] != b'-' {
        return None;
    }
    let (year, month, day) = (digits(&bytes[..4])?, digits(&bytes[5..7])?, digits(&bytes[8..])?);
    let is_date = year >= 1 && (1..=12).contains(&month) && day >= 1 && day <= days_of_month(year, month);
    is_date.then(|| days_since_1970(year, month, day))
}

/// A day as `2026-11-27`.
pub(super) fn day_text(day: i64) -> String {
    let at = Timestamp::from_second(day * 86_400).unwrap_or(Timestamp::UNIX_EPOCH);
    at.strftime("%Y-%m-%d").to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn instants_are_those_that_jiff_reads() {
        let texts = [
            "2026-11-27T10:15:00Z",
            "2026-11-27T10:15:00.123456789Z",
            "2024-02-29T23:59:59.5+05:30",
            "1969-12-31T23:59:59.75Z",
            "1900-03-01T00:00:00-11:00",
            "0001-01-01T00:00:00Z",
            "9999-12-30T22:00:00Z",
            "2026-11-27t10:15:00z",
        ];
        for text in texts {
            let at: Timestamp = text.parse().unwrap();
            let read = parse(text).unwrap();
            let nanoseconds = i128::from(read.seconds) * 1_000_000_000 + i128::from(read.nanoseconds);
            assert_eq!(nanoseconds, at.as_nanosecond(), "{text}");
        }
    }

    #[test]
    fn what_names_no_instant_is_refused() {
        let texts = [
            "",
            "now",
            "2026-11-27",
            "2026-11-27T10:15:00",
            "2026-02-29T00:00:00Z",
            "2026-13-01T00:00:00Z",
            "2026-11-27T24:00:00Z",
            "9999-12-31T00:00:00Z",
            "0000-12-31T00:00:00Z",
            "2026-11-27T10:15:00.Z",
            "2026-11-27T10:15:00+0a:00",
        ];
        for text in texts {
            assert_eq!(parse(text), None, "{text}");
        }
    }

    #[test]
    fn days_and_their_texts_are_inverse() {
        for day in (-700_000..2_900_000).step_by(997) {
            assert_eq!(parse_date(&day_text(day)), Some(day));
        }
    }

    #[test]
    fn units_round_down_on_both_sides_of_1970() {
        let at = parse("1969-12-31T23:59:59.75Z").unwrap();
        assert_eq!((at.units(1), at.units(1_000), at.day()), (Some(-1), Some(-250), -1));
        assert_eq!(Instant::from_units(-250, 1_000), Some(at));
        assert_eq!(Instant::from_units(i64::MAX, 1), None);
    }
}
