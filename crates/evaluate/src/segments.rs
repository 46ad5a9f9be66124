//! The worst segment: averages hide the groups that a model fails.
//!
//! Looking for the worst of many groups finds a bad-looking one by chance alone, so the intervals
//! hold for all groups together, intersections of two segments among them (Bonferroni: each at level
//! 1 − 0.05 / groups). A second estimate draws small groups towards the others (empirical Bayes), as a
//! better guess of what is to be expected of them; verdicts rest on the first.

use stats::group_rates::shrinkage::{GroupMean, shrunken_means};
use stats::interval::Level;
use types::definition::{Metric, Output};
use types::detail::AverageAndWorst;
use types::finding::{SegmentRow, segment_label};
use types::format::{count, counted, number, percent};
use types::{Answers, CheckId, Detail, Finding, Measure, Question, Subject, Verdict};

use crate::performance::{interval_words, limit_words, overall};
use types::outcomes::OutcomeGroup;
use types::performance::Limit;

use crate::intersections::intersections;
use crate::rows::Rows;
use crate::{Scope, blank, unknown};

pub(crate) fn judge(scope: Scope<'_>, answers: &Answers, by_row: Option<&Rows<'_>>) -> Finding {
    let evaluate = &scope.definition.evaluate;
    let metric = evaluate.worst_segment.as_ref().map_or(evaluate.performance.metric, |bound| bound.metric);
    let crossed = by_row.map(intersections).unwrap_or_default();
    let mut groups = groups(scope, answers);
    groups.extend(crossed.iter().map(|of| {
        let value = Some(of.value.as_str());
        (of.column.as_str(), OutcomeGroup { value, outcomes: of.outcomes.borrowed(), invalid: 0 })
    }));
    let large = groups.iter().filter(|(_, group)| group.outcomes.n() >= evaluate.min_rows).count();
    let level = Level::P95.for_each_of(large);
    let mut rows: Vec<SegmentRow> =
        groups.iter().map(|(segment, group)| segment_row(scope, metric, segment, group, level)).collect();
    shrink(&mut rows, level);
    let all = overall(answers, scope.window)
        .and_then(|(outcomes, _)| outcomes.measure(metric, &scope.definition.log, Level::P95).ok());
    let limit = limit(scope, metric, all.as_ref());
    if let Some((limit, _)) = &limit {
        for row in &mut rows {
            let verdict = row.measure.as_ref().map_or(Verdict::Unknown, |measure| limit.verdict(measure));
            row.verdict = Some(verdict);
        }
    }
    rows.sort_by(|a, b| worst_first(metric, a, b));
    let Some(worst) = rows.first().filter(|row| row.measure.is_some()).cloned() else {
        let mut finding = unknown(scope, CheckId::WorstSegment, unknown_words(scope, &rows, large));
        finding.detail =
            Some(Detail::Segments { metric: metric.name().into(), overall: all, rows, others: Vec::new() });
        return finding;
    };
    let measured = || rows.iter().filter(|row| row.measure.is_some());
    let verdict = Verdict::worst(measured().filter_map(|row| row.verdict)).unwrap_or(Verdict::Unknown);
    let failing = measured().filter(|row| row.verdict == Some(Verdict::Fail)).count();
    let mut finding = blank(scope, CheckId::WorstSegment, verdict);
    finding.subject = Subject::Segment { column: worst.column.clone(), value: worst.value.clone() };
    finding.summary = summary(
        metric,
        &worst,
        all.as_ref(),
        limit.as_ref(),
        verdict,
        (failing, measured().count(), rows.len()),
    );
    if !crossed.is_empty()
        && let Some(rows) = by_row.filter(|rows| !rows.cases.is_all())
    {
        finding.summary.push_str(&format!(
            " Intersections are those of {} drawn at random, {} of the window.",
            counted(rows.n(), "row", "rows"),
            percent(rows.cases.drawn_share)
        ));
    }
    if let Some((limit, from)) = &limit {
        finding.thresholds.push(limit.threshold(metric.name(), from));
    }
    finding.measures.extend(worst.measure);
    let others = others(scope, answers, metric, &groups, level);
    finding.detail = Some(Detail::Segments { metric: metric.name().into(), overall: all, rows, others });
    finding
}

/// The same for every other metric that has a better side; a metric that cannot be computed is left out.
fn others(
    scope: Scope<'_>,
    answers: &Answers,
    metric: Metric,
    groups: &[(&str, OutcomeGroup<'_>)],
    level: Level,
) -> Vec<AverageAndWorst> {
    let log = &scope.definition.log;
    let Some((all, _)) = overall(answers, scope.window) else { return Vec::new() };
    let of = |other: Metric| {
        let overall = all.measure(other, log, Level::P95).ok()?;
        let large =
            groups.iter().filter(|(_, group)| group.outcomes.n() >= scope.definition.evaluate.min_rows);
        // Of a share of few rows of a segment, such as precision, these few are too few.
        let measured = large.filter_map(|(column, group)| {
            let measure = group.outcomes.measure(other, log, level).ok()?;
            (measure.n >= scope.definition.evaluate.min_rows).then_some((*column, group.value, measure))
        });
        let (column, value, worst) = measured.min_by(|(_, _, a), (_, _, b)| {
            let from_worst = a.value.total_cmp(&b.value);
            if other.higher_is_better() { from_worst } else { from_worst.reverse() }
        })?;
        Some(AverageAndWorst { overall, column: column.into(), value: value.map(str::to_owned), worst })
    };
    Metric::headlines(scope.definition.model.task).filter(|other| *other != metric).filter_map(of).collect()
}

fn groups<'a>(scope: Scope<'a>, answers: &'a Answers) -> Vec<(&'a str, OutcomeGroup<'a>)> {
    scope
        .definition
        .log
        .segments
        .iter()
        .flat_map(|segment| {
            let question = Question::ScoredOutcomes { by: Some(segment.clone()), window: scope.window };
            let groups = answers.outcome_groups(&question).unwrap_or_default();
            groups.into_iter().map(move |group| (segment.name.as_str(), group))
        })
        .collect()
}

fn segment_row(
    scope: Scope<'_>,
    metric: Metric,
    segment: &str,
    group: &OutcomeGroup<'_>,
    level: Level,
) -> SegmentRow {
    let needed = scope.definition.evaluate.min_rows;
    let measured = if group.outcomes.n() < needed {
        Err(format!("too few rows: {needed} are needed"))
    } else {
        group.outcomes.measure(metric, &scope.definition.log, level)
    };
    let (measure, reason) = match measured {
        Ok(measure) => (Some(measure), None),
        Err(reason) => (None, Some(reason)),
    };
    SegmentRow {
        column: segment.to_owned(),
        value: group.value.map(str::to_owned),
        verdict: None,
        rows: group.outcomes.n(),
        positives: group.outcomes.positives(),
        measure,
        shrunken: None,
        reason,
    }
}

/// Draws each group's estimate towards that of all groups, the more the fewer rows it rests on.
fn shrink(rows: &mut [SegmentRow], level: Level) {
    let measured: Vec<usize> = (0..rows.len()).filter(|&at| rows[at].measure.is_some()).collect();
    let means: Vec<GroupMean> = measured
        .iter()
        .filter_map(|&at| {
            let measure = rows[at].measure.as_ref()?;
            let width = measure.interval.map_or(f64::NAN, |interval| interval.width());
            Some(GroupMean { mean: measure.value, standard_error: width / 2.0 / level.z(), n: measure.n })
        })
        .collect();
    for shrunken in shrunken_means(&means, level).groups {
        let Some(&at) = measured.get(shrunken.group) else { continue };
        let row = &mut rows[at];
        row.shrunken = row.measure.as_ref().map(|own| Measure {
            interval: Some(shrunken.estimate.interval),
            ..Measure::new(
                own.name.clone(),
                shrunken.estimate.value,
                own.n,
                format!(
                    "drawn towards the mean of all groups, which counts {} (empirical Bayes)",
                    percent(shrunken.weight_of_others)
                ),
            )
        });
    }
}

/// What surely misses the limit comes before what may: a small group with a low value and a wide
/// interval is not the one that a verdict is about.
fn worst_first(metric: Metric, a: &SegmentRow, b: &SegmentRow) -> std::cmp::Ordering {
    match (&a.measure, &b.measure) {
        (Some(_), Some(_)) if a.verdict != b.verdict => b.verdict.cmp(&a.verdict),
        (Some(a), Some(b)) if metric.higher_is_better() => a.value.total_cmp(&b.value),
        (Some(a), Some(b)) => b.value.total_cmp(&a.value),
        (Some(_), None) => std::cmp::Ordering::Less,
        (None, Some(_)) => std::cmp::Ordering::Greater,
        (None, None) => b.rows.cmp(&a.rows),
    }
}

/// Why no segment could be measured.
fn unknown_words(scope: Scope<'_>, rows: &[SegmentRow], large: usize) -> String {
    let output = match scope.definition.log.output() {
        Output::Score(_) => "a score",
        Output::Probabilities { .. } => "probabilities",
        Output::Number(_) => "a prediction",
    };
    let why = match rows.iter().find_map(|row| row.reason.as_deref()) {
        Some(reason) if large > 0 => reason.to_owned(),
        _ => format!(
            "too few rows with {output} and an outcome in {}, at least {} in one are needed (evaluate.min_rows)",
            counted(rows.len() as u64, "segment", "segments"),
            scope.definition.evaluate.min_rows
        ),
    };
    format!("Which segment is worst in this window is not known: {why}.")
}

/// The written limit, else the overall value less the loss that is allowed against the reference.
fn limit(scope: Scope<'_>, metric: Metric, overall: Option<&Measure>) -> Option<(Limit, String)> {
    let evaluate = &scope.definition.evaluate;
    if let Some(bound) = &evaluate.worst_segment {
        let limit = Limit::written(metric, bound.at_least, bound.at_most)?;
        return Some((limit, "evaluate.worst_segment".into()));
    }
    let overall = overall?.value;
    // Of an error in the unit of the outcome, a share of it is allowed.
    let unit = if metric.has_unit() { overall } else { 1.0 };
    let allowed = unit * evaluate.performance.max_drop;
    let limit = if metric.higher_is_better() {
        Limit::AtLeast(overall - allowed)
    } else {
        Limit::AtMost(overall + allowed)
    };
    Some((limit, "default: the overall value and evaluate.performance.max_drop".into()))
}

fn summary(
    metric: Metric,
    worst: &SegmentRow,
    overall: Option<&Measure>,
    limit: Option<&(Limit, String)>,
    verdict: Verdict,
    (failing, measured, all): (usize, usize, usize),
) -> String {
    let label = segment_label(&worst.column, worst.value.as_deref());
    let Some(measure) = &worst.measure else {
        return String::new();
    };
    let mut words = format!(
        "The model is weakest where {label}: {} {}{} over {}",
        metric.title(),
        number(measure.value),
        interval_words(measure),
        counted(worst.rows, "row", "rows"),
    );
    if let Some(overall) = overall {
        words.push_str(&format!(", overall {}", number(overall.value)));
    }
    words.push('.');
    if let Some((limit, _)) = limit {
        words.push_str(&format!(" {}", limit_words(verdict, *limit)));
    }
    if failing > 1 {
        words.push_str(&format!(" {failing} segments surely miss the limit."));
    }
    if verdict == Verdict::Fail {
        words.push_str(" Tell those who decide about these cases, and look at what sets them apart.");
    }
    if measured < all {
        words.push_str(&format!(
            " {} of {} segments cannot be measured, most often for too few rows.",
            count((all - measured) as u64),
            count(all as u64)
        ));
    }
    words
}
