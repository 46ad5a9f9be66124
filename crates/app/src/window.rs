//! Which window a check is about.

use jiff::Timestamp;
use types::Window;
use types::window::{Dataset, end_of_day, instant_text, start_of_day};

#[derive(Debug, thiserror::Error, PartialEq, Eq)]
pub enum WindowChoiceError {
    #[error("window {window} overlaps the reference {reference}: it would be compared with itself")]
    OverlapsReference { window: Window, reference: Window },
    #[error(
        "the last whole week of the log ({window}) lies in the reference {reference}; \
         log more, choose an earlier reference or give --window"
    )]
    LastWeekInReference { window: Window, reference: Window },
    #[error("the reference {reference} has no rows: its files run from {} to {}", instant_text(*first), instant_text(*last))]
    OutsideReference { reference: Window, first: Timestamp, last: Timestamp },
    #[error("the reference {reference} has no rows: the log runs from {} to {}", instant_text(*first), instant_text(*last))]
    ReferenceOutsideLog { reference: Window, first: Timestamp, last: Timestamp },
    #[error("window {window} ends after {}, up to when outcomes were asked for", instant_text(*as_of))]
    EndsAfter { window: Window, as_of: Timestamp },
    #[error("as of {} there is nothing to check: the log starts at {}", instant_text(*as_of), instant_text(*first))]
    BeforeLog { as_of: Timestamp, first: Timestamp },
    #[error("the log starts at {} and has no whole week yet; give --window", instant_text(*first))]
    NoWholeWeek { first: Timestamp },
    #[error(
        "there is no whole window after --since {}: the log ends at {}; choose an earlier --since",
        instant_text(*since), instant_text(*last)
    )]
    NothingSince { since: Timestamp, last: Timestamp },
    #[error(
        "window {window} has no rows: the log runs from {} to {}",
        instant_text(*first), instant_text(*last)
    )]
    OutsideLog { window: Window, first: Timestamp, last: Timestamp },
}

/// The window of a reference with files of its own, which hold these times: as asked for, else all of them.
pub(crate) fn of_reference(
    asked: Window,
    (first, last): (Timestamp, Timestamp),
) -> Result<Window, WindowChoiceError> {
    if !asked.is_everything() {
        let outside = asked.to() <= first || asked.from() > last;
        let error = WindowChoiceError::OutsideReference { reference: asked, first, last };
        return if outside { Err(error) } else { Ok(asked) };
    }
    let whole = Window::new(start_of_day(first), end_of_day(last));
    whole.map(|window| window.of(asked.dataset())).map_err(|_| WindowChoiceError::OutsideReference {
        reference: asked,
        first,
        last,
    })
}

/// Whether a window of the past in which the log has no row is refused, or is what there is to find.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum EmptyWindow {
    Refused,
    Found,
}

/// The window that was asked for, else the last whole week that the log and `as_of` allow.
pub(crate) fn choose(
    asked: Option<Window>,
    reference: Window,
    (first, last): (Timestamp, Timestamp),
    as_of: Timestamp,
    empty: EmptyWindow,
) -> Result<Window, WindowChoiceError> {
    let outside = |window: Window| window.to() <= first || window.from() > last;
    if reference.dataset() == Dataset::Log && outside(reference) {
        return Err(WindowChoiceError::ReferenceOutsideLog { reference, first, last });
    }
    if let Some(window) = asked {
        if window.overlap(&reference).is_some() {
            return Err(WindowChoiceError::OverlapsReference { window, reference });
        }
        // Of a time that is still to come nothing is missing.
        if outside(window) && (empty == EmptyWindow::Refused || window.from() >= as_of) {
            return Err(WindowChoiceError::OutsideLog { window, first, last });
        }
        return Ok(window);
    }
    if as_of <= first {
        return Err(WindowChoiceError::BeforeLog { as_of, first });
    }
    // A day counts as complete once it is over, though its last prediction came before midnight.
    let end = end_of_day(last).min(as_of);
    // Likewise a log that starts on a Monday morning has that week whole.
    let week = Window::last_whole_week(end).filter(|week| week.from() >= start_of_day(first));
    let window = week.ok_or(WindowChoiceError::NoWholeWeek { first })?;
    if window.overlap(&reference).is_some() {
        return Err(WindowChoiceError::LastWeekInReference { window, reference });
    }
    Ok(window)
}

#[cfg(test)]
mod tests {
    use super::*;
    use types::window::parse_instant;

    fn check(asked: Option<&str>, log: (&str, &str), as_of: &str, expected: Result<&str, &str>) {
        check_with(EmptyWindow::Refused, asked, log, as_of, expected);
    }

    fn check_with(
        empty: EmptyWindow,
        asked: Option<&str>,
        log: (&str, &str),
        as_of: &str,
        expected: Result<&str, &str>,
    ) {
        let at = |text: &str| parse_instant(text).unwrap();
        let reference = "2013-01-01/2013-05-01".parse().unwrap();
        let asked = asked.map(|text| text.parse().unwrap());
        let chosen = choose(asked, reference, (at(log.0), at(log.1)), at(as_of), empty);
        match expected {
            Ok(window) => assert_eq!(chosen.unwrap().to_string(), window),
            Err(message) => {
                let error = chosen.unwrap_err().to_string();
                assert!(error.contains(message), "{error}");
            }
        }
    }

    #[test]
    fn the_window_is_the_last_whole_week_unless_one_is_asked_for() {
        let year = ("2013-01-01T10:15:00Z", "2013-12-31T22:59:00Z");
        let now = "2026-01-01";
        check(None, year, now, Ok("2013-12-23/2013-12-30"));
        check(None, ("2013-01-01", "2013-12-29T23:10:00Z"), now, Ok("2013-12-23/2013-12-30"));
        check(None, year, "2013-06-12T08:00:00Z", Ok("2013-06-03/2013-06-10"));
        check(Some("2013-06-03/2013-06-10"), year, now, Ok("2013-06-03/2013-06-10"));
        check(Some("2013-04-29/2013-05-06"), year, now, Err("overlaps the reference"));
        check(Some("2014-06-03/2014-06-10"), year, now, Err("has no rows: the log runs from"));
        check(None, ("2013-01-01", "2013-04-20"), now, Err("lies in the reference"));
        check(None, ("2013-04-30", "2013-05-02"), now, Err("no whole week"));
        check(None, ("2013-06-01", "2013-08-01"), now, Err("2013-01-01/2013-05-01 has no rows"));
    }

    #[test]
    fn where_nothing_was_logged_is_a_finding_unless_it_is_still_to_come() {
        let year = ("2013-01-01T10:15:00Z", "2013-12-31T22:59:00Z");
        for quiet in ["2014-06-03/2014-06-10", "2012-06-04/2012-06-11"] {
            check_with(EmptyWindow::Found, Some(quiet), year, "2026-01-01", Ok(quiet));
        }
        let ahead = Some("2026-06-01/2026-06-08");
        check_with(EmptyWindow::Found, ahead, year, "2026-01-01", Err("has no rows: the log runs from"));
    }
}
