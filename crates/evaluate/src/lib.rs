//! Evaluate: how good is the model, on average and where it is worst, and do its scores mean what
//! they say?
//!
//! [`plan`] asks for scores with their outcomes, overall and by segment, and for how predictions
//! met their outcomes; [`judge`] turns the answers into findings. All verdicts hold an interval,
//! not a point, against a limit: wholly on the good side passes, wholly on the bad side fails, in
//! between is a warning. Nothing here reads data or a clock; randomness is an argument.

mod calibration;
mod outcomes;
mod performance;
mod segments;

use rand_core::RngCore;
use types::definition::Task;
use types::{Answers, CheckId, Definition, Finding, Question, Subject, Verdict, Window};

/// What a check is about: the definition and the two windows.
#[derive(Clone, Copy, Debug)]
pub struct Scope<'a> {
    pub definition: &'a Definition,
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
    questions.extend(
        scope
            .definition
            .log
            .segments
            .iter()
            .map(|segment| Question::ScoredOutcomes { by: Some(segment.clone()), window: scope.window }),
    );
    questions
}

/// What the answers mean.
pub fn judge(scope: Scope<'_>, answers: &Answers, rng: &mut impl RngCore) -> Vec<Finding> {
    if scope.definition.log.outcome.is_none() {
        return without_outcomes(scope);
    }
    let mut findings = vec![outcomes::judge(scope, answers)];
    findings.push(performance::judge(scope, answers));
    if !scope.definition.log.segments.is_empty() {
        findings.push(segments::judge(scope, answers));
    }
    if has_calibration(scope) {
        findings.push(calibration::judge(scope, answers, rng));
    }
    findings
}

/// Every check of this practice needs outcomes; each says that it is unknown, so that gates know.
fn without_outcomes(scope: Scope<'_>) -> Vec<Finding> {
    let first = "How good the model is cannot be said: the definition names no outcome. \
                 Add `outcome` under [log] as soon as the truth about past predictions is known.";
    let mut findings = vec![unknown(scope, CheckId::Performance, first.into())];
    let mut checks = vec![CheckId::Outcomes];
    if has_calibration(scope) {
        checks.push(CheckId::Calibration);
    }
    if !scope.definition.log.segments.is_empty() {
        checks.push(CheckId::WorstSegment);
    }
    let also = |check| unknown(scope, check, "Not known without outcomes.".into());
    findings.extend(checks.into_iter().map(also));
    findings
}

/// A predicted number promises no probability; the definition refuses to ask for its calibration.
fn has_calibration(scope: Scope<'_>) -> bool {
    scope.definition.model.task != Task::Regression
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
