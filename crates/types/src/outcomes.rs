//! Predictions with their outcomes as each task has them, and their metrics as measures.

use serde::{Deserialize, Serialize};
use stats::classification::Estimate;
use stats::interval::Level;
use stats::labelled_scores::LabelledScores;
use stats::multiclass::accuracy::accuracy;
use stats::multiclass::brier::brier_score;
use stats::multiclass::log_loss::log_loss;
use stats::multiclass::macro_f1::macro_f1;
use stats::multiclass::macro_roc_auc::macro_roc_auc;
use stats::multiclass::{ClassifiedRows, MulticlassUndefined};
use stats::regression::mae::mean_absolute_error;
use stats::regression::mape::mean_absolute_percentage_error;
use stats::regression::mean_error::mean_error;
use stats::regression::r_squared::r_squared;
use stats::regression::rmse::root_mean_squared_error;
use stats::regression::{PredictionErrors, RegressionUndefined};

use crate::answer::{Answer, Answers};
use crate::definition::{Log, Metric};
use crate::finding::Measure;
use crate::format::counted;
use crate::performance::{measure, named_measure, without_failed_to};
use crate::question::Question;

/// Predictions and outcomes of the rows that have both, for one value of a segment, where the task is not
/// binary.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct TaskGroup {
    /// The segment's value; `None` for all rows together and for rows where the value is missing.
    pub value: Option<String>,
    pub outcomes: TaskOutcomes,
    /// Rows with an outcome but without a usable prediction; they are in no metric.
    pub invalid: u64,
}

/// What is kept of predictions with outcomes, by task.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub enum TaskOutcomes {
    Multiclass(ClassifiedRows),
    Regression(PredictionErrors),
}

/// Predictions with their outcomes, of any task.
#[derive(Clone, Copy, Debug)]
pub enum Outcomes<'a> {
    Binary(&'a LabelledScores),
    Multiclass(&'a ClassifiedRows),
    Regression(&'a PredictionErrors),
}

/// [`Outcomes`] for one value of a segment.
#[derive(Clone, Copy, Debug)]
pub struct OutcomeGroup<'a> {
    pub value: Option<&'a str>,
    pub outcomes: Outcomes<'a>,
    /// Rows with an outcome but without a usable prediction; they are in no metric.
    pub invalid: u64,
}

impl Answers {
    /// The answer to [`Question::ScoredOutcomes`], whatever the task.
    pub fn outcome_groups(&self, question: &Question) -> Option<Vec<OutcomeGroup<'_>>> {
        match self.answer(question)? {
            Answer::ScoredOutcomes(groups) => Some(
                groups
                    .iter()
                    .map(|group| OutcomeGroup {
                        value: group.value.as_deref(),
                        outcomes: Outcomes::Binary(&group.scores),
                        invalid: group.invalid_scores,
                    })
                    .collect(),
            ),
            Answer::TaskOutcomes(groups) => Some(
                groups
                    .iter()
                    .map(|group| OutcomeGroup {
                        value: group.value.as_deref(),
                        outcomes: match &group.outcomes {
                            TaskOutcomes::Multiclass(rows) => Outcomes::Multiclass(rows),
                            TaskOutcomes::Regression(errors) => Outcomes::Regression(errors),
                        },
                        invalid: group.invalid,
                    })
                    .collect(),
            ),
            _ => None,
        }
    }

    /// All rows of a window together.
    pub fn all_outcomes(&self, window: crate::window::Window) -> Option<OutcomeGroup<'_>> {
        self.outcome_groups(&Question::ScoredOutcomes { by: None, window })?.first().copied()
    }
}

impl<'a> Outcomes<'a> {
    /// The number of rows.
    pub fn n(self) -> u64 {
        match self {
            Self::Binary(scores) => scores.n(),
            Self::Multiclass(rows) => rows.n(),
            Self::Regression(errors) => errors.n(),
        }
    }

    /// Rows whose outcome is the positive class, where the task is binary.
    pub fn positives(self) -> Option<u64> {
        self.binary().map(LabelledScores::positives_total)
    }

    pub fn binary(self) -> Option<&'a LabelledScores> {
        match self {
            Self::Binary(scores) => Some(scores),
            Self::Multiclass(_) | Self::Regression(_) => None,
        }
    }

    /// A metric, with an interval of the given level.
    ///
    /// # Errors
    /// Why the metric does not exist for these rows, as words that complete "because …".
    pub fn measure(self, metric: Metric, log: &Log, level: Level) -> Result<Measure, String> {
        match self {
            Self::Binary(scores) => measure(scores, metric, log.threshold, level),
            Self::Multiclass(rows) => of_classes(rows, metric, log, level),
            Self::Regression(errors) => of_numbers(errors, metric, level),
        }
    }
}

fn of_classes(rows: &ClassifiedRows, metric: Metric, log: &Log, level: Level) -> Result<Measure, String> {
    let mut note = String::new();
    let estimate: Result<Estimate, MulticlassUndefined> = match metric {
        Metric::Accuracy => accuracy(rows, level),
        Metric::MacroF1 => macro_f1(rows, level),
        Metric::MacroRocAuc => {
            if !rows.all_kept() {
                note = format!("; of a random sample of the {} rows", rows.n());
            }
            macro_roc_auc(rows, level)
        }
        Metric::Brier => brier_score(rows, level),
        Metric::LogLoss => {
            if rows.clipped() > 0 {
                note = format!("; {} certain but wrong clipped", counted(rows.clipped(), "row", "rows"));
            }
            log_loss(rows, level)
        }
        _ => return Err(of_another_task(metric, "multiclass")),
    };
    let class = |class: usize| log.classes().get(class).copied().unwrap_or_default().to_owned();
    let estimate = estimate.map_err(|undefined| match undefined {
        MulticlassUndefined::NeverTheOutcome { class: at } => format!("no outcome is `{}`", class(at)),
        MulticlassUndefined::AlwaysTheOutcome { class: at } => format!("every outcome is `{}`", class(at)),
        other => without_failed_to(&other),
    })?;
    Ok(named_measure(metric, &estimate, &note))
}

fn of_numbers(errors: &PredictionErrors, metric: Metric, level: Level) -> Result<Measure, String> {
    let estimate: Result<Estimate, RegressionUndefined> = match metric {
        Metric::Mae => mean_absolute_error(errors, level),
        Metric::Rmse => root_mean_squared_error(errors, level),
        Metric::R2 => r_squared(errors, level),
        Metric::Mape => mean_absolute_percentage_error(errors, level),
        Metric::MeanError => mean_error(errors, level),
        _ => return Err(of_another_task(metric, "regression")),
    };
    let estimate = estimate.map_err(|undefined| without_failed_to(&undefined))?;
    Ok(named_measure(metric, &estimate, ""))
}

pub(crate) fn of_another_task(metric: Metric, task: &str) -> String {
    format!("{} is no metric of a {task} task", metric.title())
}
