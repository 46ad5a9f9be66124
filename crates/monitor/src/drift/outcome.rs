//! Drift of what really happened, once enough of it is known.

use stats::sketch::{CategoricalProfile, Profile};
use types::column::ColumnKind;
use types::definition::Definition;
use types::question::Measured;
use types::{Answers, Question, Subject, Window};

use super::{Assessment, Unassessed, compared};
use crate::{Scope, Summarised, Watched};

/// What to measure in some windows; nothing where the definition names no outcome.
pub(crate) fn plan(definition: &Definition, windows: &[Window]) -> Vec<Question> {
    if definition.log.outcome.is_none() {
        return Vec::new();
    }
    let of = |&window: &Window| {
        [Question::ScoredOutcomes { by: None, window }, Question::Coverage { orphans: false, window }]
    };
    windows.iter().flat_map(of).collect()
}

/// The outcome as a column of two classes; `None` where the definition names no outcome.
pub(super) fn assessed(
    scope: Scope<'_>,
    answers: &Answers,
) -> Option<(Watched, Result<Assessment, Unassessed>)> {
    let (watched, before) = summarised(scope.definition, answers, scope.against)?;
    let (now, coverage) = classes(answers, &[scope.window])?;
    let least = scope.definition.monitor.performance.least_coverage;
    if coverage < least {
        let reason = format!(
            "{} of the window's outcomes have arrived, and the early ones are a biased sample",
            types::format::percent(coverage)
        );
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
        kind: ColumnKind::Categorical,
        type_name: String::new(),
    };
    Some((watched, classes(answers, windows)?.0))
}

/// The classes of the known outcomes of some windows, and the share of predictions that have one.
fn classes<'a>(answers: &Answers, windows: &[Window]) -> Option<(Summarised<'a>, f64)> {
    let mut profile = CategoricalProfile::new(2);
    let (mut predictions, mut known) = (0, 0);
    for &window in windows {
        let groups = answers.scored_outcomes(&Question::ScoredOutcomes { by: None, window })?;
        let coverage = answers.coverage(&Question::Coverage { orphans: false, window })?;
        let scores = &groups.first()?.scores;
        profile.values.add("positive", scores.positives_total());
        profile.values.add("negative", scores.negatives_total());
        predictions += coverage.predictions;
        known += coverage.with_outcome;
    }
    let coverage = if predictions == 0 { 0.0 } else { known as f64 / predictions as f64 };
    Some((Summarised::of(Profile::Categorical(profile)), coverage))
}
