//! Performance without outcomes: from scores as the reference teaches to read them.

use rand_core::RngCore;
use stats::classification::{Estimate, Undefined};
use stats::ecdf::Ecdf;
use stats::estimated::Ties;
use stats::estimated::cbpe::Cbpe;
use stats::estimated::expected_outcomes::ExpectedOutcomes;
use stats::estimated::importance_weighted::{ImportanceWeighted, WeightedRow};
use stats::interval::Level;
use stats::labelled_scores::LabelledScores;
use stats::learn::{Booster, Loss, Options};
use types::definition::Metric;
use types::performance::without_failed_to;
use types::samples::Samples;
use types::{Answers, Measure};

use super::PerformanceScope;

/// Fewer rows of the reference, after weighting, teach nothing.
const EFFECTIVE_ROWS_LEAST: u64 = 100;
/// Odds beyond this mean that a row of the reference hardly occurs any more, or is all there is.
const ODDS_MOST: f64 = 50.0;
/// Parts of the sample that are each weighted by what the others teach.
const FOLDS: usize = 2;

pub(super) struct Estimates {
    pub(super) plain: Result<Measure, String>,
    pub(super) for_shift: Result<Measure, String>,
}

pub(super) fn of(
    scope: PerformanceScope<'_>,
    answers: &Answers,
    reference: Option<&LabelledScores>,
    current: Option<&Ecdf>,
    rng: &mut impl RngCore,
) -> Estimates {
    let metric = scope.definition.monitor.performance.metric;
    let threshold = scope.definition.log.threshold;
    let (Some(reference), Some(current)) = (reference, current) else {
        let reason = || Err("scores were not measured".to_owned());
        return Estimates { plain: reason(), for_shift: reason() };
    };
    let plain = Cbpe::fit(reference, rng).map_err(failed).and_then(|cbpe| {
        let expected = cbpe.expected(current).map_err(failed)?;
        let how = if cbpe.calibrator().is_applied() { "isotonic calibration" } else { "scores as they are" };
        estimated(&expected, metric, threshold, &format!("CBPE, {how} on the reference"))
    });
    let for_shift = weighted_rows(scope, answers).and_then(|rows| {
        let weighted = ImportanceWeighted::fit(&rows, EFFECTIVE_ROWS_LEAST).map_err(failed)?;
        let expected = weighted.expected(current).map_err(failed)?;
        let rows = weighted.effective_rows();
        let how = format!(
            "importance-weighted calibration (as in PAPE), {rows:.0} effective rows of the reference"
        );
        estimated(&expected, metric, threshold, &how)
    });
    Estimates { plain, for_shift }
}

/// Why something could not be estimated.
pub(super) fn failed(error: impl std::fmt::Display) -> String {
    without_failed_to(&error)
}

fn estimated(
    expected: &ExpectedOutcomes<'_>,
    metric: Metric,
    threshold: f64,
    how: &str,
) -> Result<Measure, String> {
    let level = Level::P95;
    let at_threshold = || expected.confusion_at(threshold);
    let estimate: Result<Estimate, Undefined> = match metric {
        Metric::RocAuc => expected.roc_auc(level),
        Metric::AveragePrecision => expected.average_precision(Ties::OneThreshold, level),
        Metric::Accuracy => at_threshold().map(|cells| cells.accuracy(level)),
        Metric::Precision => at_threshold().and_then(|cells| cells.precision(level)),
        Metric::Recall => at_threshold().and_then(|cells| cells.recall(level)),
        Metric::F1 => at_threshold().and_then(|cells| cells.f1(level)),
        Metric::Brier | Metric::LogLoss => {
            return Err(format!("{} is not estimated without outcomes; watch roc_auc or f1", metric.title()));
        }
        other => return Err(format!("{} is no metric of a binary task", other.title())),
    };
    let estimate = estimate.map_err(failed)?;
    Ok(Measure {
        interval: Some(estimate.interval),
        error_bound: estimate.error_bound,
        ..Measure::new(metric.name(), estimate.value, estimate.n, how)
    })
}

/// Rows of the reference, each weighted by how much likelier its inputs are in the window: the odds that a
/// classifier gives, which has not seen the row.
fn weighted_rows(scope: PerformanceScope<'_>, answers: &Answers) -> Result<Vec<WeightedRow>, String> {
    let sampled = |window, outcomes| {
        let question = super::sample(scope, window, outcomes);
        let sample = question.and_then(|question| answers.sample(&question));
        sample.ok_or_else(|| "rows were not sampled".to_owned())
    };
    let before = sampled(scope.definition.reference.window, true)?;
    let now = sampled(scope.window, false)?;
    if before.columns.is_empty() || now.rows() == 0 {
        return Err("there are no inputs to compare".into());
    }
    let samples = Samples::of(&before.columns, &now.columns);
    let mut odds = vec![1.0; before.rows()];
    let all: Vec<usize> = samples.all().collect();
    for fold in 0..FOLDS {
        let (held_out, taught): (Vec<usize>, Vec<usize>) = all.iter().partition(|row| *row % FOLDS == fold);
        let target: Vec<f64> = taught.iter().map(|&row| f64::from(u8::from(row >= before.rows()))).collect();
        let learnt = samples.features(&taught).map_err(failed)?;
        let booster =
            Booster::fit(&learnt, &target, None, &Options { trees: 40, ..Options::new(Loss::Logistic) })
                .map_err(failed)?;
        let rows: Vec<usize> = held_out.into_iter().filter(|&row| row < before.rows()).collect();
        let unseen = samples.features(&rows).map_err(failed)?;
        let probabilities = booster.predict(&unseen).map_err(failed)?;
        for (row, probability) in rows.into_iter().zip(probabilities) {
            odds[row] = (probability / (1.0 - probability)).clamp(0.0, ODDS_MOST);
        }
    }
    let rows = before.scores.iter().zip(&before.outcomes).zip(odds);
    Ok(rows
        .filter_map(|((score, outcome), weight)| {
            let valid = (0.0..=1.0).contains(score);
            outcome.filter(|_| valid).map(|outcome| WeightedRow { score: *score, outcome, weight })
        })
        .collect())
}
