//! Whether what a model writes can be what its task asks for: probabilities that add up to 1, predicted
//! numbers that are numbers.

use stats::multiclass::rows::add_up;
use stats::sketch::{NumericProfile, Profile};
use types::column::ColumnKind;
use types::definition::{Definition, Output};
use types::format::{counted, value};
use types::question::Measured;
use types::{Answers, Finding, Question, Subject, Window};

use crate::quality::bad_score;
use crate::{Scope, Watched};

/// What it takes beyond the profiles of the columns.
pub(crate) fn plan(definition: &Definition, window: Window) -> Option<Question> {
    let of = Measured::ScoreSum;
    let adds_up = matches!(definition.log.output(), Output::Probabilities { .. });
    adds_up.then_some(Question::Profile { of, kind: ColumnKind::Numeric, window })
}

/// Whether each score is to lie in [0, 1].
pub(crate) fn are_probabilities(definition: &Definition) -> bool {
    !matches!(definition.log.output(), Output::Number(_))
}

/// The key that names the score.
pub(crate) fn key(definition: &Definition) -> &'static str {
    match definition.log.output() {
        Output::Score(_) => "log.score",
        Output::Probabilities { .. } => "log.scores",
        Output::Number(_) => "log.predicted",
    }
}

/// What holds of the scores where nothing is wrong with them.
pub(crate) fn all_well(definition: &Definition) -> &'static str {
    match definition.log.output() {
        Output::Score(_) => "every score lies in [0, 1]",
        Output::Probabilities { .. } => "every probability lies in [0, 1] and they add up to 1",
        Output::Number(_) => "every prediction is a number",
    }
}

/// Rows whose probabilities do not add up to 1.
pub(crate) fn judge(scope: Scope<'_>, answers: &Answers) -> Option<Finding> {
    let Profile::Numeric(sums) = answers.profile(&plan(scope.definition, scope.window)?)? else {
        return None;
    };
    let ecdf = sums.ecdf();
    let apart: u64 = ecdf.points().filter(|(sum, _)| !add_up(*sum)).map(|(_, count)| count).sum();
    if apart == 0 {
        return None;
    }
    let range = ecdf.min().zip(ecdf.max()).map_or_else(String::new, |(min, max)| {
        format!(" (the sums run from {} to {})", value(min), value(max))
    });
    let summary = format!(
        "The probabilities of {} do not add up to 1{range}. Log loss, Brier score and calibration take them as they are, so they mislead; name every class in `log.scores`, or write probabilities into the log.",
        counted(apart, "row", "rows"),
    );
    let watched = Watched {
        subject: Subject::PredictedClass,
        of: Measured::ScoreSum,
        kind: ColumnKind::Numeric,
        type_name: String::new(),
    };
    Some(bad_score(scope, &watched, "not_adding_up_share", apart, sums.rows(), summary))
}

/// Predictions that are missing, not a number or infinite.
pub(crate) fn unusable_predictions(
    scope: Scope<'_>,
    watched: &Watched,
    current: &NumericProfile,
) -> Option<Finding> {
    let infinite = current.positive_infinities + current.negative_infinities;
    let unusable = current.nulls + current.nans + infinite;
    // A column without any value is told as an empty one.
    if unusable == 0 || current.nulls + current.nans == current.rows() {
        return None;
    }
    let summary = format!(
        "{} no usable number in `{}` ({} missing, {} not a number, {infinite} infinite): the model gave no usable answer. They are in no metric.",
        counted(unusable, "prediction has", "predictions have"),
        watched.subject.label(),
        current.nulls,
        current.nans,
    );
    Some(bad_score(scope, watched, "unusable_prediction_share", unusable, current.rows(), summary))
}
