//! Performance of several classes without outcomes: from probabilities as the reference teaches to read
//! them.

use rand_core::RngCore;
use stats::estimated::multiclass::{MulticlassCbpe, MulticlassError, MulticlassMetric, MulticlassRows};
use stats::interval::Level;
use stats::multiclass::ClassifiedRows;
use stats::multiclass::rows::{are_probabilities, likeliest};
use types::answer::{RowSample, SampledValues};
use types::column::ColumnKind;
use types::definition::{Log, Metric, Output};
use types::format::count;
use types::outcomes::Outcomes;
use types::{Answers, Measure, Question, Window};

use super::PerformanceScope;
use super::estimate::{Estimates, failed};

/// Rows of a window whose probabilities are looked at; of more, a random sample of about as many.
const ROWS: u32 = 50_000;

/// The probabilities of a window's rows, whether their outcomes are known or not.
pub(super) fn plan(log: &Log, window: Window) -> Option<Question> {
    let Output::Probabilities { scores, predicted } = log.output() else { return None };
    let scores = scores.values().map(|column| (column.clone(), ColumnKind::Numeric));
    let predicted = predicted.map(|column| (column.to_owned(), ColumnKind::Categorical));
    let features = scores.chain(predicted).collect();
    Some(Question::Sample { features, rows: ROWS, outcomes: false, window })
}

pub(super) fn estimates(
    scope: PerformanceScope<'_>,
    answers: &Answers,
    reference: Option<Outcomes<'_>>,
    rng: &mut impl RngCore,
) -> Estimates {
    let plain = estimated(scope, answers, reference, rng);
    // The correction calibrates one score at a time on weighted rows; probabilities that must add up to 1
    // are not calibrated soundly that way.
    let reason = "a shift of the inputs is corrected for with two classes only";
    Estimates { plain, for_shift: Err(reason.into()) }
}

fn estimated(
    scope: PerformanceScope<'_>,
    answers: &Answers,
    reference: Option<Outcomes<'_>>,
    rng: &mut impl RngCore,
) -> Result<Measure, String> {
    let log = &scope.definition.log;
    let metric = of_metric(scope.definition.monitor.performance.metric)?;
    let sample = plan(log, scope.window).and_then(|question| answers.sample(&question));
    let (Some(Outcomes::Multiclass(reference)), Some(sample)) = (reference, sample) else {
        return Err("probabilities were not measured".into());
    };
    let (before, outcomes) = Rows::of_reference(reference);
    let now = Rows::of_sample(log, sample);
    let in_words = |error: MulticlassError| in_words(&error, log);
    let before_columns = before.columns();
    let cbpe = MulticlassCbpe::fit(&before.rows(&before_columns), &outcomes, rng).map_err(in_words)?;
    let now_columns = now.columns();
    let expected = cbpe.expected(&now.rows(&now_columns)).map_err(in_words)?;
    let estimate = expected.estimate(metric, Level::P95).map_err(in_words)?;
    let calibrated = cbpe.calibrators().iter().filter(|calibrator| calibrator.is_applied()).count();
    let how = format!(
        "CBPE, {calibrated} of {} classes calibrated on the reference, from the probabilities of {} rows",
        log.scores.len(),
        count(estimate.n)
    );
    Ok(Measure {
        interval: Some(estimate.interval),
        ..Measure::new(scope.definition.monitor.performance.metric.name(), estimate.value, estimate.n, how)
    })
}

fn of_metric(metric: Metric) -> Result<MulticlassMetric, String> {
    match metric {
        Metric::Accuracy => Ok(MulticlassMetric::Accuracy),
        Metric::MacroF1 => Ok(MulticlassMetric::F1),
        Metric::MacroRocAuc => Ok(MulticlassMetric::RocAuc),
        other => Err(format!(
            "{} is not estimated without outcomes; watch macro_roc_auc, macro_f1 or accuracy",
            other.title()
        )),
    }
}

/// The error with the class's name where it is about one.
fn in_words(error: &MulticlassError, log: &Log) -> String {
    match error {
        MulticlassError::Class { class, reason } => {
            let name = log.classes().get(*class).copied().unwrap_or_default().to_owned();
            format!("for class `{name}`: {reason}")
        }
        other => failed(other),
    }
}

/// Rows by class, as the estimator reads them.
struct Rows {
    /// `[classes][rows]`.
    scores: Vec<Vec<f64>>,
    predicted: Vec<usize>,
}

impl Rows {
    fn of_reference(reference: &ClassifiedRows) -> (Self, Vec<usize>) {
        let kept = reference.kept();
        let of_class = |class: usize| kept.iter().map(|row| row.probabilities[class]).collect();
        let scores = (0..reference.classes()).map(of_class).collect();
        let predicted = kept.iter().map(|row| row.predicted).collect();
        (Self { scores, predicted }, kept.iter().map(|row| row.outcome).collect())
    }

    /// The rows that have probabilities and a predicted class.
    fn of_sample(log: &Log, sample: &RowSample) -> Self {
        let classes = log.classes();
        let numbers: Vec<&[f64]> = sample
            .columns
            .iter()
            .filter_map(|column| match &column.values {
                SampledValues::Numbers(numbers) => Some(&numbers[..]),
                SampledValues::Categories(_) | SampledValues::Vectors(_) => None,
            })
            .collect();
        let named = sample.columns.iter().find_map(|column| match &column.values {
            SampledValues::Categories(names) => Some(names),
            SampledValues::Numbers(_) | SampledValues::Vectors(_) => None,
        });
        let mut rows = Self { scores: vec![Vec::new(); classes.len()], predicted: Vec::new() };
        for row in 0..sample.rows() {
            let probabilities: Vec<f64> = numbers.iter().map(|column| column[row]).collect();
            let predicted = match named {
                Some(names) => names[row].as_deref().and_then(|name| position(&classes, name)),
                None => likeliest(&probabilities),
            };
            let usable = probabilities.len() == classes.len() && are_probabilities(&probabilities);
            if let Some(predicted) = predicted.filter(|_| usable) {
                rows.scores.iter_mut().zip(probabilities).for_each(|(column, p)| column.push(p));
                rows.predicted.push(predicted);
            }
        }
        rows
    }

    fn columns(&self) -> Vec<&[f64]> {
        self.scores.iter().map(Vec::as_slice).collect()
    }

    fn rows<'a>(&'a self, columns: &'a [&'a [f64]]) -> MulticlassRows<'a> {
        MulticlassRows { scores: columns, predicted: &self.predicted, counts: None }
    }
}

/// The class of this name; numbers are compared as numbers, so that `1.0` is class `1`.
fn position(classes: &[&str], name: &str) -> Option<usize> {
    let same_number = |class: &&str| match (class.parse::<f64>(), name.parse::<f64>()) {
        (Ok(class), Ok(name)) => class == name,
        _ => false,
    };
    classes.iter().position(|class| *class == name).or_else(|| classes.iter().position(same_number))
}
