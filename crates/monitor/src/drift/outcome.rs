//! Drift of what really happened, once enough of it is known.

use stats::sketch::{CategoricalProfile, NumericProfile, Profile};
use types::answer::Coverage;
use types::column::ColumnKind;
use types::definition::{Definition, Output};
use types::outcomes::Outcomes;
use types::question::Measured;
use types::{Answers, Question, Subject, Window};

use super::{Assessment, Unassessed, compared, held_otherwise};
use crate::{Scope, Summarised, Watched};

/// What to measure in some windows; nothing where the definition names no outcome.
pub(crate) fn plan(definition: &Definition, windows: &[Window]) -> Vec<Question> {
    if definition.log.outcome.is_none() {
        return Vec::new();
    }
    let values = |window| match definition.log.output() {
        Output::Number(_) => Question::Outcomes { window },
        Output::Score(_) | Output::Probabilities { .. } => Question::ScoredOutcomes { by: None, window },
    };
    let of = |&window: &Window| [values(window), Question::Coverage { orphans: false, window }];
    windows.iter().flat_map(of).collect()
}

/// The outcome as a column of classes or numbers; `None` where the definition names no outcome.
pub(super) fn assessed(
    scope: Scope<'_>,
    answers: &Answers,
) -> Option<(Watched, Result<Assessment, Unassessed>)> {
    let (watched, before) = summarised(scope.definition, answers, scope.against)?;
    let now = values(scope.definition, answers, &[scope.window])?;
    let question = Question::Coverage { orphans: false, window: scope.window };
    let Coverage { predictions, with_outcome, .. } = *answers.coverage(&question)?;
    if predictions == 0 {
        let reason = "the window has no predictions".to_owned();
        return Some((watched, Err(Unassessed { reason })));
    }
    let coverage = with_outcome as f64 / predictions as f64;
    let least = scope.definition.monitor.performance.least_coverage;
    if coverage < least {
        let reason = format!(
            "{} of the window's outcomes have arrived, and the early ones are a biased sample",
            types::format::percent(coverage)
        );
        return Some((watched, Err(Unassessed { reason })));
    }
    if now.profile.rows() == 0 && coverage > 0.0 {
        // The outcomes are there, but those of classes are counted of rows whose prediction can be used.
        let why = held_otherwise::no_prediction(scope).map(|why| format!(": {why}")).unwrap_or_default();
        let reason = format!("no row of the window has both a usable prediction and an outcome{why}");
        return Some((watched, Err(Unassessed { reason })));
    }
    let assessed = compared(scope, &watched, &before, &now);
    Some((watched, assessed))
}

/// The outcome as a column, over some windows together.
pub(crate) fn summarised<'a>(
    definition: &Definition,
    answers: &Answers,
    windows: &[Window],
) -> Option<(Watched, Summarised<'a>)> {
    definition.log.outcome.as_ref()?;
    let watched = Watched {
        subject: Subject::Outcome,
        of: Measured::PredictedClass,
        kind: match definition.log.output() {
            Output::Number(_) => ColumnKind::Numeric,
            Output::Score(_) | Output::Probabilities { .. } => ColumnKind::Categorical,
        },
        type_name: String::new(),
    };
    Some((watched, values(definition, answers, windows)?))
}

/// The known outcomes of some windows.
fn values<'a>(definition: &Definition, answers: &Answers, windows: &[Window]) -> Option<Summarised<'a>> {
    if let Output::Number(_) = definition.log.output() {
        return numbers(answers, windows);
    }
    let names = definition.log.classes();
    let mut profile = CategoricalProfile::new(names.len().max(2));
    for &window in windows {
        match answers.all_outcomes(window)?.outcomes {
            Outcomes::Binary(scores) => {
                profile.values.add("positive", scores.positives_total());
                profile.values.add("negative", scores.negatives_total());
            }
            Outcomes::Multiclass(rows) => {
                for (class, name) in names.iter().enumerate() {
                    profile.values.add(name, rows.outcomes(class));
                }
            }
            Outcomes::Regression(_) => return None,
        }
    }
    Some(Summarised::of(Profile::Categorical(profile)))
}

fn numbers<'a>(answers: &Answers, windows: &[Window]) -> Option<Summarised<'a>> {
    let mut whole: Option<NumericProfile> = None;
    for &window in windows {
        let Profile::Numeric(part) = answers.profile(&Question::Outcomes { window })? else { return None };
        // An outcome that is not there yet is not a missing one.
        let part = NumericProfile { nulls: 0, ..part.clone() };
        match &mut whole {
            None => whole = Some(part),
            Some(whole) => whole.merge(&part),
        }
    }
    Some(Summarised::of(Profile::Numeric(whole?)))
}
