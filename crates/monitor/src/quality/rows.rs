//! How many rows a window has, beside the windows before it.

use stats::count_prediction::{CountPrediction, LEAST_COUNTS, count_prediction};
use types::definition::{Cadence, Rows};
use types::finding::{Threshold, Unmeasured};
use types::log_state::{LogDay, day_of};
use types::window::{instant_text, start_of_day};
use types::{Finding, Measure, Subject, Verdict, Window, format};

use super::{Looked, finding};
use crate::Scope;

/// A relative difference to the median from which rows are worth a word, however unlikely a smaller one is.
const LEAST_DIFFERENCE: f64 = 0.2;
/// Windows before this one that are looked at.
const WINDOWS_MOST: usize = 26;
/// Weeks of the same weekday, for windows of a day.
const WEEKDAYS_MOST: usize = 12;
/// A day that has at least this many rows as a rule is not empty by chance.
const USUAL_ROWS: u64 = 10;
/// Days of the same weekday that tell what is the rule.
const LEAST_WEEKDAYS: usize = 3;
/// Empty days that a sentence names before it counts.
const DAYS_NAMED: usize = 5;
const DAYS_OF_A_WEEK: i64 = 7;

pub(super) fn of(scope: Scope<'_>) -> Looked {
    let mut looked = Looked::default();
    if scope.log.days.is_empty() {
        return looked;
    }
    let rows = scope.log.rows_of(scope.window);
    if rows == 0 {
        looked.findings.push(empty_window(scope));
        return looked;
    }
    let empty = empty_days(scope);
    let has_empty_days = !empty.is_empty();
    if has_empty_days {
        looked.findings.push(without_rows(scope, &empty));
    }
    let expected = scope.definition.monitor.quality.rows;
    if expected == Rows::Off {
        return looked;
    }
    if !scope.window.is_of(scope.every) {
        let reason = format!("the window is no whole {}, so there are no others like it", scope.every.word());
        looked.unmeasured.push(Unmeasured { name: "usual_rows".into(), reason });
        return looked;
    }
    let history = history(scope);
    match expected {
        Rows::Within(most) => declared(scope, rows, &history, most, &mut looked),
        // Fewer rows because of the days that have none are no second finding.
        _ if has_empty_days => {}
        _ => inferred(scope, rows, &history, &mut looked),
    }
    looked
}

fn empty_window(scope: Scope<'_>) -> Finding {
    let period = if scope.window.is_of(scope.every) { scope.every.word() } else { "window" };
    let summary = format!(
        "A {period} with no rows: the log has none from {} to {}. Find out whether the model was asked nothing or the log was not written.",
        instant_text(scope.window.from()),
        instant_text(scope.window.to()),
    );
    finding(scope, Subject::Log, Verdict::Fail, summary, vec![Measure::new("rows", 0.0, 0, "count")])
}

/// Days of the window without rows on which the log has some as a rule.
fn empty_days(scope: Scope<'_>) -> Vec<i64> {
    let days = &scope.log.days;
    let (Some(first), Some(last)) = (days.first(), days.last()) else { return Vec::new() };
    let (from, to) =
        (day_of(scope.window.from()).max(first.day), day_of(scope.window.to()).min(last.day + 1));
    let before = &days[..days.partition_point(|day| day.day < day_of(scope.window.from()))];
    (from..to).filter(|&day| rows_on(days, day) == 0 && has_rows_as_a_rule(before, day)).collect()
}

fn rows_on(days: &[LogDay], day: i64) -> u64 {
    days.binary_search_by_key(&day, |known| known.day).map_or(0, |at| days[at].rows)
}

/// By the same weekdays before it, or by all days of four weeks where there are few of these.
fn has_rows_as_a_rule(before: &[LogDay], day: i64) -> bool {
    let Some(first) = before.first() else { return false };
    let back = |step: i64, most: usize| -> Vec<u64> {
        let last = before.last().map_or(day, |known| known.day);
        (1..)
            .map(|times| day - times * step)
            .filter(|day| *day <= last)
            .take_while(|day| *day >= first.day)
            .take(most)
            .map(|day| rows_on(before, day))
            .collect()
    };
    let mut rows = back(DAYS_OF_A_WEEK, WEEKDAYS_MOST);
    if rows.len() < LEAST_WEEKDAYS {
        rows = back(1, 4 * DAYS_OF_A_WEEK as usize);
    }
    rows.sort_unstable();
    rows.len() >= LEAST_WEEKDAYS && rows[(rows.len() - 1) / 2] >= USUAL_ROWS
}

fn without_rows(scope: Scope<'_>, empty: &[i64]) -> Finding {
    let dates: Vec<String> = empty
        .iter()
        .filter_map(|day| jiff::Timestamp::from_second(day * 86_400).ok())
        .map(instant_text)
        .collect();
    let count = empty.len() as u64;
    let summary = format!(
        "{} with no rows: {}. Such days have rows as a rule; find out whether the model was asked nothing or the log was not written.",
        if count == 1 { "A day".into() } else { format!("{count} days") },
        types::nearest::listed(dates.iter().map(String::as_str), DAYS_NAMED),
    );
    let measure =
        Measure::new("empty_days_count", count as f64, scope.log.rows_of(scope.window), "days without a row");
    finding(scope, Subject::Log, Verdict::Warn, summary, vec![measure])
}

/// The rows of the windows of the same cadence before this one, latest first; empty ones are left out.
///
/// Days are compared with the same weekday where there are enough of these, months and quarters by their length.
fn history(scope: Scope<'_>) -> Vec<u64> {
    let Some(first) = scope.log.days.first() else { return Vec::new() };
    let before = Window::of_cadence(scope.every, start_of_day(first.first), scope.window.from());
    let days = |window: Window| (window.to() - window.from()).as_secs_f64() / 86_400.0;
    let rows = |window: &Window| {
        let rows = scope.log.rows_of(*window) as f64 * days(scope.window) / days(*window);
        (rows > 0.0).then_some(rows.round().max(1.0) as u64)
    };
    if scope.every == Cadence::Day {
        let same =
            |window: &&Window| (day_of(window.from()) - day_of(scope.window.from())) % DAYS_OF_A_WEEK == 0;
        let weekdays: Vec<u64> =
            before.iter().rev().filter(same).filter_map(rows).take(WEEKDAYS_MOST).collect();
        if weekdays.len() >= LEAST_COUNTS {
            return weekdays;
        }
    }
    before.iter().rev().filter_map(rows).take(WINDOWS_MOST).collect()
}

/// Held against a declared tolerance.
fn declared(scope: Scope<'_>, rows: u64, history: &[u64], most: f64, looked: &mut Looked) {
    let from = "monitor.quality.rows";
    let Some(median) = median(history) else {
        let summary = format!(
            "Whether {} are as many as before is not known: there is no whole {} with rows before this one.",
            format::counted(rows, "row", "rows"),
            scope.every.word()
        );
        let mut finding = finding(scope, Subject::Log, Verdict::Unknown, summary, vec![rows_measure(rows)]);
        finding
            .unmeasured
            .push(Unmeasured { name: "usual_rows".into(), reason: "the log has no history yet".into() });
        looked.findings.push(finding);
        return;
    };
    let difference = rows as f64 / median - 1.0;
    let is_kept = difference.abs() <= most;
    let summary = format!(
        "{}; the {} have {} (median). {} of difference, {} {} allowed.",
        format::counted(rows, "row", "rows"),
        windows_before(scope, history.len()),
        format::count(median.round() as u64),
        format::percent(difference),
        format::percent(most),
        if is_kept { "are" } else { "were" },
    );
    let verdict = if is_kept { Verdict::Pass } else { Verdict::Fail };
    let mut finding = finding(scope, Subject::Log, verdict, summary, vec![rows_measure(rows)]);
    finding.thresholds.push(Threshold {
        measure: "rows".into(),
        at_least: Some(median * (1.0 - most)),
        at_most: Some(median * (1.0 + most)),
        from: from.into(),
    });
    if is_kept { looked.kept.push(finding) } else { looked.findings.push(finding) }
}

/// Held against what the windows before it make likely.
fn inferred(scope: Scope<'_>, rows: u64, history: &[u64], looked: &mut Looked) {
    let alpha = scope.definition.monitor.drift.false_alarms;
    let Some(prediction) = count_prediction(history, alpha) else {
        let reason = format!(
            "there are {} before this one, {LEAST_COUNTS} are needed to say how many rows are usual",
            format::counted(history.len() as u64, scope.every.word(), &format!("{}s", scope.every.word())),
        );
        looked.unmeasured.push(Unmeasured { name: "usual_rows".into(), reason });
        return;
    };
    let difference = rows as f64 / prediction.median - 1.0;
    let usual = usual_measure(&prediction);
    if prediction.p_value(rows) >= alpha || difference.abs() < LEAST_DIFFERENCE {
        looked.said = Some(format!("as many as the {} make likely", windows_before(scope, history.len())));
        looked.measures.push(usual);
        return;
    }
    let [lower, upper] =
        [prediction.lower.floor(), prediction.upper.ceil()].map(|bound| format::count(bound as u64));
    let advice = if difference < 0.0 {
        "Find out whether a part of the log is missing."
    } else {
        "Find out whether rows were logged twice."
    };
    let summary = format!(
        "{}, {} than usual: the {} have {} (median), and {lower} to {upper} were to be expected. {advice}",
        format::counted(rows, "row", "rows"),
        if difference < 0.0 { "fewer" } else { "more" },
        windows_before(scope, history.len()),
        format::count(prediction.median.round() as u64),
    );
    let mut finding = finding(scope, Subject::Log, Verdict::Warn, summary, vec![rows_measure(rows), usual]);
    finding.thresholds.push(Threshold {
        measure: "rows".into(),
        at_least: Some(prediction.lower),
        at_most: Some(prediction.upper),
        from: "inferred from the windows before".into(),
    });
    looked.findings.push(finding);
}

fn rows_measure(rows: u64) -> Measure {
    Measure::new("rows", rows as f64, rows, "count")
}

fn usual_measure(prediction: &CountPrediction) -> Measure {
    let method = format!(
        "median of {} windows; {} to {} are likely (Student's t on logarithms, median absolute deviation)",
        prediction.n,
        format::count(prediction.lower.floor() as u64),
        format::count(prediction.upper.ceil().min(1e15) as u64)
    );
    Measure::new("usual_rows", prediction.median.round(), prediction.n as u64, method)
}

/// `17 weeks before`.
fn windows_before(scope: Scope<'_>, count: usize) -> String {
    let word = scope.every.word();
    if count == 1 { format!("{word} before") } else { format!("{count} {word}s before") }
}

fn median(counts: &[u64]) -> Option<f64> {
    let mut sorted = counts.to_vec();
    sorted.sort_unstable();
    let middle = sorted.len() / 2;
    let upper = *sorted.get(middle)? as f64;
    Some(if sorted.len().is_multiple_of(2) { f64::midpoint(sorted[middle - 1] as f64, upper) } else { upper })
}
