//! Columns that died or froze, and values that cannot be.

use stats::sketch::{EmbeddingProfile, NumericProfile, Profile};
use types::{Answers, Finding, Measure, Subject, Verdict, format};

use super::{SHARE_FAIL, finding, share_measure, share_threshold};
use crate::column_files::{self, ColumnChange};
use crate::{Scope, Watched, is_measured, scores};

/// A value that this share of the reference has can well be the only one of a window: rain in a dry week.
const COMMON_VALUE: f64 = 0.5;

/// A value that at least this share of the reference has is no surprise as the only one of less than a
/// week, but worth a look.
const KNOWN_VALUE: f64 = 0.05;
const WEEK_HOURS: i64 = 7 * 24;

pub(super) fn findings(scope: Scope<'_>, columns: &[Watched], answers: &Answers) -> Vec<Finding> {
    columns
        .iter()
        .filter(|watched| is_measured(watched.kind) && watched.subject != Subject::PredictedClass)
        .flat_map(|watched| column_findings(scope, watched, answers))
        .collect()
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
        if !is_told_of_files(scope, &watched.subject) {
            findings.push(empty_column(scope, watched, reference, current));
        }
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
    if let (Profile::Embedding(reference), Profile::Embedding(current)) = (reference, current) {
        findings.extend(unusable_vectors(scope, watched, reference, current));
    }
    findings
}

/// Vectors that cannot be compared: of another length, or with entries that are no number.
fn unusable_vectors(
    scope: Scope<'_>,
    watched: &Watched,
    reference: &EmbeddingProfile,
    current: &EmbeddingProfile,
) -> Option<Finding> {
    let dimensions = reference.dimensions().or(current.dimensions())?;
    let alike = current.of_dimensions(dimensions);
    let unusable = alike.broken + alike.of_other_length();
    if unusable == 0 {
        return None;
    }
    let summary = format!(
        "`{}`: {} with a vector of another length than {dimensions} numbers, {} with one that is empty or holds a null, NaN or infinite number. They are in no distance; find out what writes them.",
        watched.subject.label(),
        format::counted(alike.of_other_length(), "row", "rows"),
        format::count(alike.broken),
    );
    let measure = share_measure("unusable_vector_share", unusable, current.rows());
    let verdict = if measure.value >= SHARE_FAIL { Verdict::Fail } else { Verdict::Warn };
    let mut finding = finding(scope, watched.subject.clone(), verdict, summary, vec![measure]);
    finding.thresholds.push(share_threshold("unusable_vector_share"));
    Some(finding)
}

/// Whether the files tell why a column has no value: they do not have it, or hold it as another type.
fn is_told_of_files(scope: Scope<'_>, subject: &Subject) -> bool {
    let change = || ColumnChange::of(scope, column_files::of_subject(scope, subject)?);
    column_files::is_of_other_days(scope, subject) || change().is_some_and(|change| change.whole)
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
        format::capitalised(&feed(&watched.subject)),
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
        // Texts and vectors that repeat are drift of their lengths and projections.
        Profile::Text(_) | Profile::Embedding(_) => false,
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
        Profile::Text(_) | Profile::Embedding(_) => {
            profile.ecdfs().iter().map(|ecdf| ecdf.distinct() as f64).fold(0.0, f64::max)
        }
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

fn feed(subject: &Subject) -> String {
    match subject {
        Subject::Feature { source: Some(source), .. } => format!("the `{source}` feed"),
        Subject::Score { .. } => "the model's output".into(),
        _ => "its feed".into(),
    }
}
