//! Evaluate: how good is the model, on average and where it is worst, and do its scores mean what
//! they say?
//!
//! [`plan`] asks for scores with their outcomes, overall and by segment, for how predictions met their
//! outcomes, and for rows with everything that is known of each; [`judge`] turns the answers into findings.
//! Verdicts hold an interval, not a point, against a limit: wholly on the good side passes, wholly on the bad
//! side fails, in between is a warning. Nothing here reads data or a clock; randomness is an argument.
//!
//! Averages are in `performance`, `segments` and `calibration`, over all rows. What averages hide is looked
//! at row by row (`rows`): `slices`, `subpopulation`, `errors`, `tail`, `fairness`, `comparison`.

mod calibration;
mod comparison;
mod decisions;
mod errors;
mod fairness;
mod intersections;
mod outcomes;
mod performance;
mod rows;
mod segments;
mod slices;
mod subpopulation;
mod tail;

use std::thread;

use rand_core::RngCore;
use stats::random::SplitMix64;
use types::performance::Limit;
use types::{Answers, CheckId, Definition, Finding, Measure, Question, Schema, Subject, Verdict, Window};

use self::rows::Rows;

/// What a check is about: the definition, the columns of the log and the two windows.
#[derive(Clone, Copy, Debug)]
pub struct Scope<'a> {
    pub definition: &'a Definition,
    pub schema: &'a Schema,
    pub window: Window,
    pub reference: Window,
}

/// What to measure; nothing where the definition names no outcome.
pub fn plan(scope: Scope<'_>) -> Vec<Question> {
    if scope.definition.log.outcome.is_none() {
        return Vec::new();
    }
    let overall = |window| Question::ScoredOutcomes { by: None, window };
    let mut questions = vec![
        Question::Coverage { orphans: true, window: scope.window },
        overall(scope.window),
        overall(scope.reference),
    ];
    let segments = scope.definition.log.segments.iter();
    questions.extend(
        segments.map(|segment| Question::ScoredOutcomes { by: Some(segment.clone()), window: scope.window }),
    );
    let protected: Vec<Question> =
        fairness::plan(scope).filter(|question| !questions.contains(question)).collect();
    questions.extend(protected);
    if ROW_BY_ROW.iter().any(|check| scope.definition.evaluates(*check)) {
        questions.extend(rows::plan(scope));
    }
    questions
}

/// Checks that need single rows.
const ROW_BY_ROW: [CheckId; 7] = [
    CheckId::WorstSegment,
    CheckId::Calibration,
    CheckId::Slices,
    CheckId::WorstSubpopulation,
    CheckId::Errors,
    CheckId::Tail,
    CheckId::Comparison,
];

/// The checks of this practice, in the order of its report.
const CHECKS: [CheckId; 10] = [
    CheckId::Outcomes,
    CheckId::Performance,
    CheckId::WorstSegment,
    CheckId::Calibration,
    CheckId::Slices,
    CheckId::WorstSubpopulation,
    CheckId::Errors,
    CheckId::Tail,
    CheckId::Fairness,
    CheckId::Comparison,
];

/// What the answers mean.
pub fn judge(scope: Scope<'_>, answers: &Answers, rng: &mut impl RngCore) -> Vec<Finding> {
    if scope.definition.log.outcome.is_none() {
        return without_outcomes(scope);
    }
    let rows = Rows::of(scope, answers);
    // Each check has random numbers of its own, so that none depends on which others are made, or when.
    let made: Vec<(CheckId, SplitMix64)> = CHECKS
        .into_iter()
        .map(|check| (check, SplitMix64::new(rng.next_u64())))
        .filter(|(check, _)| scope.definition.evaluates(*check))
        .collect();
    thread::scope(|threads| {
        let judged: Vec<_> = made
            .into_iter()
            .map(|(check, rng)| {
                let rows = rows.as_ref();
                threads.spawn(move || judge_one(scope, answers, check, rows, rng))
            })
            .collect();
        judged
            .into_iter()
            .filter_map(|judged| judged.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic)))
            .map(without_empty_intervals)
            .collect()
    })
}

/// A bootstrap, or a standard error, of rows that do not vary says nothing; no check tells it as an interval.
fn without_empty_intervals(finding: Finding) -> Finding {
    let measures = finding.measures.into_iter().map(Measure::without_empty_interval).collect();
    Finding { measures, ..finding }
}

/// What one check finds; nothing where it is not of this practice, or needs rows that were not asked for.
fn judge_one(
    scope: Scope<'_>,
    answers: &Answers,
    check: CheckId,
    rows: Option<&Rows<'_>>,
    mut rng: SplitMix64,
) -> Option<Finding> {
    Some(match (check, rows) {
        (CheckId::Outcomes, _) => outcomes::judge(scope, answers),
        (CheckId::Performance, _) => performance::judge(scope, answers),
        (CheckId::WorstSegment, rows) => segments::judge(scope, answers, rows),
        (CheckId::Calibration, rows) => calibration::judge(scope, answers, rows, &mut rng),
        (CheckId::Slices, Some(rows)) => slices::judge(rows),
        (CheckId::WorstSubpopulation, Some(rows)) => subpopulation::judge(rows, &mut rng),
        (CheckId::Errors, Some(rows)) => errors::judge(rows, &mut rng),
        (CheckId::Tail, Some(rows)) => tail::judge(rows, &mut rng),
        (CheckId::Comparison, Some(rows)) => comparison::judge(rows, &mut rng),
        (CheckId::Fairness, _) => fairness::judge(scope, answers),
        _ => return None,
    })
}

/// Every check of this practice needs outcomes; each says that it is unknown, so that gates know.
fn without_outcomes(scope: Scope<'_>) -> Vec<Finding> {
    let first = "How good the model is cannot be said: the definition names no outcome. \
                 Add `outcome` under [log] as soon as the truth about past predictions is known.";
    let summary = |check| if check == CheckId::Performance { first } else { "Not known without outcomes." };
    CHECKS
        .into_iter()
        .filter(|check| scope.definition.evaluates(*check))
        .map(|check| unknown(scope, check, summary(check).into()))
        .collect()
}

/// As an alarm, what is looked for takes an effect and significance: what may be no more than `none` is no reason
/// to look, however wide its interval.
fn alarm(limit: Limit, measure: &Measure, none: f64) -> Verdict {
    let surely = measure.interval.is_some_and(|interval| interval.lower - measure.error_bound > none);
    if surely { limit.verdict(measure) } else { Verdict::Pass }
}

/// A finding about the model that says why it is unknown.
fn unknown(scope: Scope<'_>, check: CheckId, summary: String) -> Finding {
    Finding { summary, ..blank(scope, check, Verdict::Unknown) }
}

/// A finding about the model, to be filled in.
fn blank(scope: Scope<'_>, check: CheckId, verdict: Verdict) -> Finding {
    Finding::blank(check, Subject::Model, verdict, scope.window)
}

#[cfg(test)]
mod tests;
