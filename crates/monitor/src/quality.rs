//! Data quality: columns that died or froze, values that cannot be, ids that repeat.
//!
//! One finding for each thing that is wrong; where nothing is, one finding says what was looked at.

use stats::sketch::{NumericProfile, Profile};
use types::finding::Threshold;
use types::format;
use types::nearest::listed;
use types::{Answers, CheckId, Finding, Measure, Question, Subject, Verdict};

use crate::{Scope, Watched, is_measured, scores, watched};

/// Files that a sentence names before it counts.
const FILES_NAMED: usize = 3;

/// From this share of rows on, a repeated id or a value that cannot be is a failure.
const SHARE_FAIL: f64 = 0.01;

/// A value that this share of the reference has can well be the only one of a window: rain in a dry week.
const COMMON_VALUE: f64 = 0.5;

/// A value that at least this share of the reference has is no surprise as the only one of less than a
/// week, but worth a look.
const KNOWN_VALUE: f64 = 0.05;
const WEEK_HOURS: i64 = 7 * 24;

/// Findings about the log's columns and ids, worst first.
pub fn judge(scope: Scope<'_>, answers: &Answers) -> Vec<Finding> {
    let columns = watched(scope.definition, scope.schema);
    let mut findings: Vec<Finding> = columns
        .iter()
        .filter(|watched| is_measured(watched.kind) && watched.subject != Subject::PredictedClass)
        .flat_map(|watched| column_findings(scope, watched, answers))
        .collect();
    findings.extend(scores::judge(scope, answers));
    findings.extend(repeated_ids(scope, answers));
    findings.extend(undated_rows(scope));
    findings.extend(changed_files(scope));
    if findings.is_empty() {
        let looked_at = columns.iter().filter(|watched| watched.subject != Subject::PredictedClass).count();
        findings.push(all_well(scope, looked_at, answers));
    }
    findings.sort_by_key(|finding| std::cmp::Reverse(finding.verdict));
    findings
}

fn column_findings(scope: Scope<'_>, watched: &Watched, answers: &Answers) -> Vec<Finding> {
    let summaries = (watched.profile(answers, scope.against), watched.profile(answers, &[scope.window]));
    let (Some(reference), Some(current)) = summaries else {
        return Vec::new();
    };
    let (reference, current): (&Profile, &Profile) = (&reference.profile, &current.profile);
    let mut findings = Vec::new();
    let is_score = matches!(watched.subject, Subject::Score { .. });
    if current.missing() == current.rows() && current.rows() > 0 {
        findings.push(empty_column(scope, watched, reference, current));
    } else if let Some(finding) = frozen_column(scope, watched, reference, current) {
        findings.push(finding);
    }
    if let (Profile::Numeric(reference), Profile::Numeric(current)) = (reference, current) {
        if is_score && scores::are_probabilities(scope.definition) {
            findings.extend(impossible_scores(scope, watched, current));
        } else if is_score {
            findings.extend(scores::unusable_predictions(scope, watched, current));
        } else {
            findings.extend(not_finite(scope, watched, reference, current));
        }
    }
    findings
}

fn empty_column(scope: Scope<'_>, watched: &Watched, reference: &Profile, current: &Profile) -> Finding {
    let was_empty = reference.missing() == reference.rows();
    let name = watched.subject.label();
    let (verdict, summary) = if was_empty {
        (
            Verdict::Warn,
            format!(
                "`{name}` has no value at all, as in the reference. If the model does not need it, leave it out of the log."
            ),
        )
    } else {
        (
            Verdict::Fail,
            format!(
                "`{name}` has no value at all in this window: {} may be dead. The model works without it; check it now.",
                feed(&watched.subject)
            ),
        )
    };
    let missing = share_measure("missing_share", current.missing(), current.rows());
    finding(scope, watched.subject.clone(), verdict, summary, vec![missing])
}

fn frozen_column(
    scope: Scope<'_>,
    watched: &Watched,
    reference: &Profile,
    current: &Profile,
) -> Option<Finding> {
    let present = current.rows() - current.missing();
    if present < scope.definition.monitor.drift.min_rows || !is_constant(current) || is_constant(reference) {
        return None;
    }
    let before = different_values(reference);
    let share_before = share_of_only_value(reference, current);
    if before < 2.0 || share_before >= COMMON_VALUE {
        return None;
    }
    // One day has one weekday: in a short window a value that is not rare may be the only one.
    let hours = (scope.window.to() - scope.window.from()).as_hours();
    let verdict =
        if hours < WEEK_HOURS && share_before >= KNOWN_VALUE { Verdict::Warn } else { Verdict::Fail };
    let name = watched.subject.label();
    let summary = format!(
        "`{name}` has the same value in all {} of this window; the reference has {} different ones. {} may be frozen or filled with a default.",
        format::counted(current.rows() - current.missing(), "row", "rows"),
        format::count(before as u64),
        capitalised(&feed(&watched.subject)),
    );
    let measure = Measure::new("different_values", 1.0, current.rows(), "count of different values");
    Some(finding(scope, watched.subject.clone(), verdict, summary, vec![measure]))
}

/// Whether all present values are the same; told from extremes and counts, without sorting.
fn is_constant(profile: &Profile) -> bool {
    match profile {
        Profile::Numeric(profile) => {
            let infinite = profile.positive_infinities + profile.negative_infinities;
            infinite == 0 && profile.moments.min().is_some() && profile.moments.min() == profile.moments.max()
        }
        Profile::Categorical(profile) => profile.values.distinct() == 1.0,
    }
}

/// The share of the reference that has the one value of the current window.
fn share_of_only_value(reference: &Profile, current: &Profile) -> f64 {
    let (count, n) = match (reference, current) {
        (Profile::Numeric(reference), Profile::Numeric(current)) => {
            let ecdf = reference.ecdf();
            let value = current.moments.min().unwrap_or(f64::NAN);
            (ecdf.count_le(value) - ecdf.count_lt(value), ecdf.n())
        }
        (Profile::Categorical(reference), Profile::Categorical(current)) => {
            let values = current.values.most_frequent();
            let count = values.first().map_or(0, |(value, _)| reference.values.count(value));
            (count, reference.values.n())
        }
        _ => (0, 0),
    };
    if n == 0 { 0.0 } else { count as f64 / n as f64 }
}

fn different_values(profile: &Profile) -> f64 {
    match profile {
        Profile::Numeric(profile) => profile.ecdf().distinct() as f64,
        Profile::Categorical(profile) => profile.values.distinct(),
    }
}

fn impossible_scores(scope: Scope<'_>, watched: &Watched, current: &NumericProfile) -> Vec<Finding> {
    let (min, max) = (current.moments.min(), current.moments.max());
    let infinite = current.positive_infinities + current.negative_infinities;
    let possible = infinite == 0 && min.is_none_or(|min| min >= 0.0) && max.is_none_or(|max| max <= 1.0);
    let outside = if possible {
        0
    } else {
        let ecdf = current.ecdf();
        ecdf.count_lt(0.0) + (ecdf.n() - ecdf.count_le(1.0))
    };
    let name = watched.subject.label();
    let mut findings = Vec::new();
    if outside > 0 {
        let range = min.zip(max).map_or_else(String::new, |(min, max)| {
            format!(" (the finite ones run from {} to {})", format::value(min), format::value(max))
        });
        findings.push(bad_score(scope, watched, "outside_unit_interval_share", outside, current.rows(), format!(
            "{} of score `{name}` lie outside [0, 1]{range}. They are in no metric. If the column is not a probability, name the one that is in `{}`.",
            format::counted(outside, "value", "values"),
            scores::key(scope.definition),
        )));
    }
    let missing = current.nulls + current.nans;
    if missing > 0 && missing < current.rows() {
        findings.push(bad_score(
            scope,
            watched,
            "missing_share",
            missing,
            current.rows(),
            format!(
                "{} have no score in `{name}`: the model gave no usable answer. They are in no metric.",
                format::counted(missing, "prediction", "predictions"),
            ),
        ));
    }
    findings
}

pub(crate) fn bad_score(
    scope: Scope<'_>,
    watched: &Watched,
    name: &str,
    count: u64,
    rows: u64,
    summary: String,
) -> Finding {
    let measure = share_measure(name, count, rows);
    let verdict = if measure.value >= SHARE_FAIL { Verdict::Fail } else { Verdict::Warn };
    let mut finding = finding(scope, watched.subject.clone(), verdict, summary, vec![measure]);
    finding.thresholds.push(share_threshold(name));
    finding
}

fn not_finite(
    scope: Scope<'_>,
    watched: &Watched,
    reference: &NumericProfile,
    current: &NumericProfile,
) -> Option<Finding> {
    let bad =
        |profile: &NumericProfile| profile.nans + profile.positive_infinities + profile.negative_infinities;
    let (before, now) = (bad(reference), bad(current));
    if now == 0 {
        return None;
    }
    let infinite = current.positive_infinities + current.negative_infinities;
    let summary = format!(
        "`{}` holds {} that are no number (NaN) and {} infinite; the reference has {}. A division by zero or a failed parse upstream is the usual cause.",
        watched.subject.label(),
        format::counted(current.nans, "value", "values"),
        format::count(infinite),
        if before == 0 { "none".into() } else { format::count(before) },
    );
    let measure = share_measure("not_finite_share", now, current.rows());
    Some(finding(scope, watched.subject.clone(), Verdict::Warn, summary, vec![measure]))
}

fn repeated_ids(scope: Scope<'_>, answers: &Answers) -> Option<Finding> {
    let identity = answers.identity(&Question::Identity { window: scope.window })?;
    let bad = identity.surplus_rows + identity.null_ids;
    if bad == 0 {
        return None;
    }
    let id = scope.definition.log.id.as_deref().unwrap_or("id");
    let mut parts = Vec::new();
    if identity.repeated_ids > 0 {
        parts.push(format!(
            "{} of `{id}` {} on more than one row ({} too many)",
            format::counted(identity.repeated_ids, "value", "values"),
            if identity.repeated_ids == 1 { "stands" } else { "stand" },
            format::counted(identity.surplus_rows, "row", "rows"),
        ));
    }
    if identity.null_ids > 0 {
        parts.push(format!("{} no `{id}`", format::counted(identity.null_ids, "row has", "rows have")));
    }
    let summary = format!(
        "{}. Repeated predictions count more than once in every number here; find out whether the log was written twice.",
        capitalised(&parts.join(", and "))
    );
    let measure = share_measure("repeated_id_share", bad, identity.rows);
    let verdict = if measure.value >= SHARE_FAIL { Verdict::Fail } else { Verdict::Warn };
    let mut finding = finding(scope, Subject::Log, verdict, summary, vec![measure]);
    finding.thresholds.push(share_threshold("repeated_id_share"));
    Some(finding)
}

fn undated_rows(scope: Scope<'_>) -> Option<Finding> {
    if scope.log.undated_rows == 0 {
        return None;
    }
    let summary = format!(
        "{} of the log {} no time in `{}`. They lie in no window, so no number here counts them.",
        format::counted(scope.log.undated_rows, "row", "rows"),
        if scope.log.undated_rows == 1 { "has" } else { "have" },
        scope.definition.log.time,
    );
    let measure = Measure::new(
        "undated_rows",
        scope.log.undated_rows as f64,
        scope.log.undated_rows,
        "count over the whole log",
    );
    Some(finding(scope, Subject::Log, Verdict::Warn, summary, vec![measure]))
}

/// Files that are not what they were: what was found in the past was found in other data.
fn changed_files(scope: Scope<'_>) -> Option<Finding> {
    let changes = &scope.log.changes;
    if !changes.any() {
        return None;
    }
    let mut parts = Vec::new();
    for (files, what) in [(&changes.changed, "has another content"), (&changes.vanished, "is gone")] {
        if !files.is_empty() {
            let names = listed(files.iter().map(String::as_str), FILES_NAMED);
            let many = what.replace("has ", "have ").replace("is ", "are ");
            parts.push(format!(
                "{} ({names})",
                if files.len() == 1 {
                    format!("1 file {what}")
                } else {
                    format!("{} files {many}", files.len())
                }
            ));
        }
    }
    let summary = format!(
        "{} since the last look. A log is append-only: find out who rewrote it. What was found from these files stays in evidence, and was found anew.",
        capitalised(&parts.join(", and "))
    );
    let count = changes.changed.len() + changes.vanished.len();
    let measure = Measure::new("changed_files_count", count as f64, count as u64, "files changed or gone");
    Some(finding(scope, Subject::Log, Verdict::Warn, summary, vec![measure]))
}

fn all_well(scope: Scope<'_>, columns: usize, answers: &Answers) -> Finding {
    let identity = answers.identity(&Question::Identity { window: scope.window });
    let rows = identity.map(|identity| identity.rows).or_else(|| {
        let is_score = |watched: &Watched| matches!(watched.subject, Subject::Score { .. });
        let score = watched(scope.definition, scope.schema).into_iter().find(is_score)?;
        Some(answers.profile(&score.question(scope.window))?.rows())
    });
    let rows = rows.unwrap_or(0);
    let ids = if identity.is_some() { ", every id stands on one row" } else { "" };
    let summary = format!(
        "{} looked at: none is empty or frozen, no value is infinite, {}{ids} ({}).",
        format::counted(columns as u64, "column", "columns"),
        scores::all_well(scope.definition),
        format::counted(rows, "row", "rows"),
    );
    let measure = Measure::new("rows", rows as f64, rows, "count");
    finding(scope, Subject::Log, Verdict::Pass, summary, vec![measure])
}

fn finding(
    scope: Scope<'_>,
    subject: Subject,
    verdict: Verdict,
    summary: String,
    measures: Vec<Measure>,
) -> Finding {
    Finding {
        check: CheckId::Quality,
        subject,
        verdict,
        window: scope.window,
        reference: None,
        summary,
        measures,
        unmeasured: vec![],
        thresholds: vec![],
        detail: None,
        sequential: None,
    }
}

fn share_measure(name: &str, count: u64, rows: u64) -> Measure {
    Measure::new(
        name,
        if rows == 0 { 0.0 } else { count as f64 / rows as f64 },
        rows,
        "share of rows, all counted",
    )
}

fn share_threshold(measure: &str) -> Threshold {
    Threshold { measure: measure.into(), at_least: None, at_most: Some(SHARE_FAIL), from: "default".into() }
}

fn feed(subject: &Subject) -> String {
    match subject {
        Subject::Feature { source: Some(source), .. } => format!("the `{source}` feed"),
        Subject::Score { .. } => "the model's output".into(),
        _ => "its feed".into(),
    }
}

fn capitalised(text: &str) -> String {
    let mut letters = text.chars();
    letters.next().map_or_else(String::new, |first| first.to_uppercase().chain(letters).collect())
}
