//! Scores that are right on the whole can be too high for one segment and too low for another.

use stats::classification::calibration::multicalibration::{MulticalibrationAudit, multicalibration};
use stats::interval::Level;
use stats::labelled_scores::LabelledScores;
use types::detail::GapRow;
use types::finding::segment_label;
use types::format::percent;
use types::performance::Limit;
use types::{Answers, Measure, Question, Verdict};

use super::{confidences, distance};
use crate::Scope;

const NAME: &str = "worst_segment_gap";
/// Score bins that each segment is looked at in.
const BINS: usize = 5;
/// Segments that are kept with the finding.
const KEPT: usize = 50;

/// What the segments show.
pub(super) struct Gaps {
    pub(super) rows: Vec<GapRow>,
    pub(super) verdict: Verdict,
    pub(super) measure: Option<Measure>,
    pub(super) words: String,
}

pub(super) fn gaps(scope: Scope<'_>, answers: &Answers) -> Option<Gaps> {
    let mut labels = Vec::new();
    let mut scores: Vec<std::borrow::Cow<'_, LabelledScores>> = Vec::new();
    for segment in &scope.definition.log.segments {
        let question = Question::ScoredOutcomes { by: Some(segment.clone()), window: scope.window };
        for group in answers.outcome_groups(&question).unwrap_or_default() {
            scores.push(confidences(group.outcomes)?);
            labels.push((segment.name.clone(), group.value.map(str::to_owned)));
        }
    }
    let groups: Vec<&LabelledScores> = scores.iter().map(AsRef::as_ref).collect();
    let needed = scope.definition.evaluate.min_rows;
    let audit = multicalibration(&groups, BINS, Level::P95, needed).ok()?;
    let most = scope.definition.evaluate.calibration.segment_gap_at_most;
    let mut rows: Vec<GapRow> = audit
        .cells
        .iter()
        .filter(|cell| cell.bin.is_none() && cell.judged)
        .map(|cell| {
            let (column, value) = labels[cell.group].clone();
            let interval = cell.gap.interval;
            let gap = Measure {
                interval: Some(interval),
                error_bound: cell.gap.error_bound,
                expected_by_chance: Some(0.0),
                ..Measure::new(
                    "segment_gap",
                    cell.gap.value,
                    cell.gap.n,
                    "mean score less share of positive outcomes; interval for all segments together",
                )
            };
            let verdict = verdict(cell.gap.value, (interval.lower, interval.upper), cell.is_off(), most);
            GapRow {
                column,
                value,
                rows: cell.gap.n,
                score_mean: cell.score_mean,
                outcome_share: cell.outcome_share,
                gap,
                verdict,
            }
        })
        .collect();
    rows.sort_by(|a, b| b.verdict.cmp(&a.verdict).then(b.gap.value.abs().total_cmp(&a.gap.value.abs())));
    rows.truncate(KEPT);
    let verdict = Verdict::worst(rows.iter().map(|row| row.verdict)).unwrap_or(Verdict::Pass);
    // A limit holds the size of it, to either side.
    let measure = rows.first().and_then(|row| {
        let (value, interval) = distance(row.gap.value, row.gap.interval?, 0.0);
        Some(Measure { name: NAME.into(), value, interval: Some(interval), ..row.gap.clone() })
    });
    let words = words(rows.first(), &audit, &labels, most);
    Some(Gaps { rows, verdict, measure, words })
}

/// Of many segments some gap is large by chance, so only one that is surely there counts.
fn verdict(gap: f64, (lower, upper): (f64, f64), is_off: bool, most: f64) -> Verdict {
    let surely = lower.max(-upper);
    if surely > most {
        Verdict::Fail
    } else if is_off && gap.abs() > most {
        Verdict::Warn
    } else {
        Verdict::Pass
    }
}

fn words(
    worst: Option<&GapRow>,
    audit: &MulticalibrationAudit,
    labels: &[(String, Option<String>)],
    most: f64,
) -> String {
    if let Some(worst) = worst.filter(|worst| worst.verdict > Verdict::Pass) {
        let lean = if worst.gap.value > 0.0 { "too high" } else { "too low" };
        return format!(
            " Where {}, scores are {lean}: they say {} on average, and it happens in {}. {} {} that a segment may be off.",
            segment_label(&worst.column, worst.value.as_deref()),
            percent(worst.score_mean),
            percent(worst.outcome_share),
            if worst.verdict == Verdict::Fail {
                "That is surely more than the"
            } else {
                "That may be more than the"
            },
            percent(most),
        );
    }
    // No segment is off as a whole; some stretch of its scores may be.
    let cell = audit.worst.and_then(|worst| audit.cells.get(worst)).filter(|cell| cell.is_off());
    cell.and_then(|cell| {
        let (column, value) = labels.get(cell.group)?;
        let (from, to) = audit.bins.get(cell.bin?)?;
        let (from, to) = (percent(*from), percent(*to));
        let stretch = if from == to { from } else { format!("between {from} and {to}") };
        Some(format!(
            " Where {} and the score is {stretch}, it says {} and happens in {}.",
            segment_label(column, value.as_deref()),
            percent(cell.score_mean),
            percent(cell.outcome_share)
        ))
    })
    .unwrap_or_default()
}

/// The limit that segments are held to.
pub(super) fn limit(scope: Scope<'_>) -> types::finding::Threshold {
    let most = scope.definition.evaluate.calibration.segment_gap_at_most;
    Limit::AtMost(most).threshold(NAME, "evaluate.calibration.segment_gap_at_most")
}
