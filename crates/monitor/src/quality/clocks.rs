//! When rows are dated: no time, the future, out of order, without an offset, too long ago.

use types::finding::{Threshold, Unmeasured};
use types::log_state::{LogDay, LogState, day_of};
use types::window::instant_text;
use types::{Definition, Finding, Measure, Subject, Verdict, format};

use super::{Looked, SHARE_FAIL, finding, share_measure, share_threshold};
use crate::Scope;

/// A clock that is ahead by no more than a time zone is no news.
const DAYS_AHEAD: i64 = 1;

pub(super) fn of(scope: Scope<'_>) -> Looked {
    let mut looked = Looked::default();
    looked.findings.extend(undated_rows(scope));
    looked.findings.extend(mixed_offsets(scope));
    late_rows(scope, &mut looked);
    if scope.log.newest {
        looked.findings.extend(future_rows(scope));
        match freshness(scope) {
            Some(finding) if finding.verdict == Verdict::Pass => looked.kept.push(finding),
            finding => looked.findings.extend(finding),
        }
    }
    looked
}

fn undated_rows(scope: Scope<'_>) -> Option<Finding> {
    if scope.log.undated_rows == 0 {
        return None;
    }
    let mut summary = format!(
        "{} of the log {} no time in `{}`. They lie in no window, so no number here counts them.",
        format::counted(scope.log.undated_rows, "row", "rows"),
        if scope.log.undated_rows == 1 { "has" } else { "have" },
        scope.definition.log.time,
    );
    if scope.log.rows_of_no_instant > 0 {
        summary.push_str(&format!(
            " Of these, {} in a zone that is not one instant: clocks are changed there, or the zone is not known. Write times with their offset, as 2013-06-03T14:00:00+02:00.",
            format::counted(scope.log.rows_of_no_instant, "row has a local time", "rows have a local time"),
        ));
    }
    let measure = Measure::new(
        "undated_rows",
        scope.log.undated_rows as f64,
        scope.log.undated_rows,
        "count over the whole log",
    );
    Some(finding(scope, Subject::Log, Verdict::Warn, summary, vec![measure]))
}

/// Times with an offset and times without one: the latter are read as UTC, which they may not be.
fn mixed_offsets(scope: Scope<'_>) -> Option<Finding> {
    let counted = |days: &[LogDay]| {
        days.iter().fold((0, 0), |(local, rows), day| (local + day.local_rows, rows + day.rows))
    };
    let (local, rows) = counted(scope.log.days_of(scope.window));
    let before: Vec<(u64, u64)> =
        scope.against.iter().map(|window| counted(scope.log.days_of(*window))).collect();
    let local_before: u64 = before.iter().map(|(local, _)| local).sum();
    let rows_before: u64 = before.iter().map(|(_, rows)| rows).sum();
    let is_mixed = local > 0 && local < rows;
    let has_changed = rows > 0
        && rows_before > 0
        && (local == rows && local_before == 0 || local == 0 && local_before == rows_before);
    if !is_mixed && !has_changed {
        return None;
    }
    let time = &scope.definition.log.time;
    let what = if is_mixed {
        format!(
            "{} of `{time}` have no offset and {} have one",
            format::counted(local, "time", "times"),
            format::count(rows - local)
        )
    } else if local > 0 {
        format!("The times of `{time}` have no offset here; in the reference they have one")
    } else {
        format!("The times of `{time}` have an offset here; in the reference they have none")
    };
    let summary = format!(
        "{what}. A time without an offset is read as UTC; if it is a local one, its rows lie hours off, and in other days and windows. Write all of them with an offset."
    );
    let measure = share_measure("local_time_share", local, rows);
    Some(finding(scope, Subject::Log, Verdict::Warn, summary, vec![measure]))
}

/// Rows in files that come after files of later days; with one file there is no order to be out of.
fn late_rows(scope: Scope<'_>, looked: &mut Looked) {
    if scope.log.files < 2 {
        return;
    }
    let counted = |days: &[LogDay]| {
        days.iter().fold((0, 0), |(late, rows), day| (late + day.late_rows, rows + day.rows))
    };
    let (late, rows) = counted(scope.log.days_of(scope.window));
    let (mut late_before, mut rows_before) = (0, 0);
    for window in scope.against {
        let (late, rows) = counted(scope.log.days_of(*window));
        (late_before, rows_before) = (late_before + late, rows_before + rows);
    }
    if late_before as f64 > SHARE_FAIL * rows_before as f64 {
        let reason = "the files of the log are not in the order of time, by their names";
        looked.unmeasured.push(Unmeasured { name: "late_share".into(), reason: reason.into() });
        return;
    }
    let measure = share_measure("late_share", late, rows);
    if measure.value < SHARE_FAIL {
        return;
    }
    let summary = format!(
        "{} ({}) stand in a file that comes after files of later days: they were logged late or out of order. What was found before they came was found without them.",
        format::counted(late, "row", "rows"),
        format::percent(measure.value),
    );
    let mut finding = finding(scope, Subject::Log, Verdict::Warn, summary, vec![measure]);
    finding.thresholds.push(share_threshold("late_share"));
    looked.findings.push(finding);
}

fn future_rows(scope: Scope<'_>) -> Option<Finding> {
    let today = day_of(scope.log.now);
    let ahead = |day: &&LogDay| day.day > today + DAYS_AHEAD;
    let rows: u64 = scope.log.days.iter().filter(ahead).map(|day| day.rows).sum();
    let last = scope.log.days.iter().rfind(ahead)?;
    let summary = format!(
        "{} dated after today, up to {}. A clock that is wrong or a `log.time_unit` that is not the log's is the usual cause.",
        format::counted(rows, "row is", "rows are"),
        instant_text(last.last),
    );
    let measure = Measure::new("future_rows", rows as f64, rows, "count over the whole log");
    Some(finding(scope, Subject::Log, Verdict::Warn, summary, vec![measure]))
}

/// The key that says how fresh the log has to be.
pub(super) const FRESH_WITHIN: &str = "monitor.quality.fresh_within";

/// How many hours old the newest row is, and how many it may be; `None` where the definition expects nothing.
fn age_hours(definition: &Definition, log: &LogState) -> Option<(Option<f64>, f64)> {
    let within = definition.monitor.quality.fresh_within?;
    let hours = |seconds: i64| seconds as f64 / 3600.0;
    let age = log.newest_by(log.as_of).map(|newest| hours(log.as_of.as_second() - newest.as_second()));
    Some((age, hours(within.seconds())))
}

pub(super) fn fresh_verdict(definition: &Definition, log: &LogState) -> Option<Verdict> {
    Some(match age_hours(definition, log)? {
        (None, _) => Verdict::Unknown,
        (Some(age), most) if age <= most => Verdict::Pass,
        _ => Verdict::Fail,
    })
}

/// Whether the newest row is as new as the definition expects; `None` where it expects nothing.
fn freshness(scope: Scope<'_>) -> Option<Finding> {
    let (definition, log) = (scope.definition, scope.log);
    let verdict = fresh_verdict(definition, log)?;
    let (age, most) = age_hours(definition, log)?;
    let as_of = instant_text(log.as_of);
    let (summary, measure) = match (age, log.newest_by(log.as_of)) {
        (Some(age), Some(newest)) => (
            format!(
                "The newest row is of {}, {} old as of {as_of}; at most {} are allowed.{}",
                instant_text(newest),
                age_words(age),
                age_words(most),
                if verdict == Verdict::Pass { "" } else { " Find out why nothing was logged since." },
            ),
            vec![Measure::new(
                "newest_row_age_hours",
                age,
                1,
                "from the newest row to the moment of the look",
            )],
        ),
        _ => (format!("How fresh the log is is not known: it has no row by {as_of}."), vec![]),
    };
    let mut finding = finding(scope, Subject::Log, verdict, summary, measure);
    finding.thresholds.push(Threshold {
        measure: "newest_row_age_hours".into(),
        at_least: None,
        at_most: Some(most),
        from: FRESH_WITHIN.into(),
    });
    Some(finding)
}

fn age_words(hours: f64) -> String {
    match hours {
        hours if hours < 48.0 => format!("{} hours", format::value(hours)),
        hours => format!("{} days", format::value(hours / 24.0)),
    }
}
