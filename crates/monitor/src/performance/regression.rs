//! Errors of a regression without outcomes: from the inputs, as the reference teaches where the model errs.

use rand_core::RngCore;
use stats::estimated::direct_loss::{DirectLoss, DirectLossOptions, PointLoss, Predicted};
use stats::interval::Level;
use types::answer::RowSample;
use types::definition::Metric;
use types::format::count;
use types::samples::Samples;
use types::{Answers, Measure, Question, Window};

use super::PerformanceScope;
use super::estimate::{Estimates, failed};
use crate::multivariate::sample_question;

/// Rows that are learnt from, and rows that are asked about; of more, a random sample of about as many.
const ROWS: u32 = 10_000;
/// Parts of the reference that are held out in turn, for the interval.
const FOLDS: usize = 5;

/// Rows with their inputs and predictions; of the reference with their outcomes too.
pub(super) fn plan(scope: PerformanceScope<'_>, window: Window, outcomes: bool) -> Option<Question> {
    match sample_question(scope.definition, scope.schema, window, outcomes)? {
        Question::Sample { features, outcomes, window, .. } => {
            Some(Question::Sample { features, rows: ROWS, outcomes, window })
        }
        other => Some(other),
    }
}

/// The sizes of errors of rows that were sampled of the reference.
pub(super) fn errors_of_reference(scope: PerformanceScope<'_>, answers: &Answers) -> Option<Vec<f64>> {
    let sample = answers.sample(&plan(scope, scope.definition.reference.window, true)?)?;
    let errors =
        sample.scores.iter().zip(&sample.outcome_numbers).map(|(predicted, y)| (predicted - y).abs());
    Some(errors.filter(|error| error.is_finite()).collect())
}

pub(super) fn estimates(scope: PerformanceScope<'_>, answers: &Answers, rng: &mut impl RngCore) -> Estimates {
    let reason = "the estimate is made from the window's inputs, so it follows a shift of them already";
    Estimates { plain: estimated(scope, answers, rng), for_shift: Err(reason.into()) }
}

fn estimated(
    scope: PerformanceScope<'_>,
    answers: &Answers,
    rng: &mut impl RngCore,
) -> Result<Measure, String> {
    let metric = scope.definition.monitor.performance.metric;
    let loss = match metric {
        Metric::Mae => PointLoss::Absolute,
        Metric::Rmse => PointLoss::Squared,
        Metric::Mape => PointLoss::AbsolutePercentage,
        other => {
            let title = other.title();
            return Err(format!("{title} is not estimated without outcomes; watch mae, rmse or mape"));
        }
    };
    let sampled = |window, outcomes| {
        let question = plan(scope, window, outcomes).ok_or("there are no inputs to learn from")?;
        answers.sample(&question).ok_or("rows were not sampled")
    };
    let before = sampled(scope.definition.reference.window, true)?;
    let now = sampled(scope.window, false)?;
    let samples = Samples::of(&before.columns, &now.columns);
    let learnt: Vec<usize> =
        rows_where(before, |row| before.outcome_numbers.get(row).is_some_and(|y| y.is_finite()));
    let asked: Vec<usize> = rows_where(now, |_| true);
    let features = samples.features(&learnt).map_err(failed)?;
    let predictions: Vec<f64> = learnt.iter().map(|&row| before.scores[row]).collect();
    let outcomes: Vec<f64> = learnt.iter().map(|&row| before.outcome_numbers[row]).collect();
    let reference = Predicted { features: &features, predictions: &predictions };
    let options = DirectLossOptions { folds: FOLDS, ..DirectLossOptions::default() };
    let direct = DirectLoss::fit(reference, &outcomes, loss, &options, rng).map_err(failed)?;
    // The rows of the window follow those of the reference.
    let in_both: Vec<usize> = asked.iter().map(|row| before.rows() + row).collect();
    let features = samples.features(&in_both).map_err(failed)?;
    let predictions: Vec<f64> = asked.iter().map(|&row| now.scores[row]).collect();
    let current = Predicted { features: &features, predictions: &predictions };
    let expected = direct.expected(current, Level::P95).map_err(failed)?;
    let estimate = expected.root_mean.unwrap_or(expected.mean);
    let how = format!(
        "direct loss estimation, learnt from {} rows of the reference with {} inputs and the prediction, for {} rows",
        count(learnt.len() as u64),
        samples.names().len(),
        count(estimate.n)
    );
    Ok(Measure {
        interval: Some(estimate.interval),
        ..Measure::new(metric.name(), estimate.value, estimate.n, how)
    })
}

/// The rows of a sample whose prediction is finite, and of which `more` holds.
fn rows_where(sample: &RowSample, more: impl Fn(usize) -> bool) -> Vec<usize> {
    (0..sample.rows()).filter(|&row| sample.scores[row].is_finite() && more(row)).collect()
}
