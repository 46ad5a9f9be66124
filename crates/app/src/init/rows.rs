//! `[monitor.quality]` for a definition that was just proposed: how many rows a week has, and how old the newest
//! one may be.

use jiff::Timestamp;
use types::definition::{Age, Cadence};
use types::log_state::LogDay;
use types::window::{end_of_day, instant_text, start_of_day};
use types::{Window, format};

/// Ages that are proposed, in days.
const AGES: [i64; 8] = [1, 2, 3, 7, 14, 31, 92, 366];
/// How many times the longest silence so far a silence may last.
const SILENCES: f64 = 1.5;
const SECONDS_OF_A_DAY: f64 = 86_400.0;

/// The table as text; empty where the log has no rows with a time.
pub(super) fn table(days: &[LogDay], now: Timestamp) -> String {
    let (Some(first), Some(last)) = (days.first(), days.last()) else { return String::new() };
    let mut text = format!("\n[monitor.quality]\nrows = \"auto\"    # {}\n", rows_words(days, first, last));
    let silence = longest_silence(days);
    let proposed = AGES.into_iter().find(|&age| age as f64 >= SILENCES * silence);
    let Some(age) = proposed.and_then(|days| format!("{days} days").parse::<Age>().ok()) else {
        return text;
    };
    let old = (now.as_second() - last.last.as_second()) as f64;
    let line = format!("fresh_within = \"{age}\"");
    if old <= age.seconds() as f64 {
        let longest = match silence {
            silence if silence * 24.0 < 1.0 => {
                "the log never paused for an hour from one day to the next".into()
            }
            silence if silence < 2.0 => format!(
                "the longest pause from one day to the next was {} hours",
                format::value(silence * 24.0)
            ),
            silence => format!("the longest time without a row was {} days", format::value(silence)),
        };
        text.push_str(&format!("{line}    # {longest}\n"));
    } else {
        let newest = instant_text(last.last);
        text.push_str(&format!(
            "# {line}    # for a log that still grows; the newest row of this one is of {newest}\n"
        ));
    }
    text
}

/// What whole weeks of the log have, for somebody who wants a firm limit.
fn rows_words(days: &[LogDay], first: &LogDay, last: &LogDay) -> String {
    let mut counts: Vec<u64> =
        Window::of_cadence(Cadence::Week, start_of_day(first.first), end_of_day(last.last))
            .into_iter()
            .map(|week| rows_of(days, week))
            .collect();
    counts.sort_unstable();
    let (Some(fewest), Some(most)) = (counts.first(), counts.last()) else {
        return "what the windows before make likely; a share such as 0.3 is a firm limit".into();
    };
    let rows = match (format::count(*fewest), format::count(*most)) {
        (fewest, most) if fewest == most => fewest,
        (fewest, most) => format!("{fewest} to {most}"),
    };
    let weeks = format::counted(counts.len() as u64, "whole week has", "whole weeks have");
    format!("{weeks} {rows} rows; a share such as 0.3 of the median is a firm limit")
}

fn rows_of(days: &[LogDay], window: Window) -> u64 {
    days.iter().filter(|day| window.from() <= day.first && day.first < window.to()).map(|day| day.rows).sum()
}

/// The longest time from the last row of a day to the first row of the next one that has any, in days.
fn longest_silence(days: &[LogDay]) -> f64 {
    let between = |pair: &[LogDay]| (pair[1].first.as_second() - pair[0].last.as_second()) as f64;
    days.windows(2).map(between).fold(0.0, f64::max) / SECONDS_OF_A_DAY
}

#[cfg(test)]
mod tests {
    use super::*;

    fn days(hours: &[i64]) -> Vec<LogDay> {
        let at = |hour: i64| Timestamp::from_second(hour * 3600).unwrap();
        let day = |&hour: &i64| LogDay {
            day: hour.div_euclid(24),
            rows: 10,
            first: at(hour),
            last: at(hour + 2),
            local_rows: 0,
            late_rows: 0,
        };
        hours.iter().map(day).collect()
    }

    #[test]
    fn the_age_follows_the_longest_silence_and_is_declared_for_a_log_that_grows_only() {
        let now = |hour: i64| Timestamp::from_second(hour * 3600).unwrap();
        let daily: Vec<i64> = (0..30).map(|day| day * 24).collect();
        let with_weekends: Vec<i64> = (0..30).filter(|day| day % 7 < 5).map(|day| day * 24).collect();
        for (hours, now_at, expected) in [
            (
                &daily,
                29 * 24 + 5,
                "\nfresh_within = \"2 days\"    # the longest pause from one day to the next was 22 hours",
            ),
            (
                &daily,
                90 * 24,
                "\n# fresh_within = \"2 days\"    # for a log that still grows; the newest row of this one is of 1970-01-30T02:00:00Z",
            ),
            (
                &with_weekends,
                29 * 24,
                "\nfresh_within = \"7 days\"    # the longest time without a row was 2.917 days",
            ),
        ] {
            let table = table(&days(hours), now(now_at));
            assert!(table.contains(expected), "{expected} in {table}");
        }
        let weeks = table(&days(&daily), now(0));
        assert!(weeks.contains("3 whole weeks have 70 rows;"), "{weeks}");
        assert_eq!(table(&[], now(0)), "");
    }
}
