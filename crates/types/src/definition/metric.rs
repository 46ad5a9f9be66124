//! The metrics of a model's predictions, by task.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::Task;

/// A metric of predictions with their outcomes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Metric {
    Accuracy,
    Precision,
    Recall,
    F1,
    RocAuc,
    AveragePrecision,
    Brier,
    LogLoss,
    /// F1, the mean over classes.
    MacroF1,
    /// Area under the ROC curve of each class against the rest, the mean over classes.
    MacroRocAuc,
    /// Mean absolute error.
    Mae,
    /// Root mean squared error.
    Rmse,
    /// The share of the outcome's variance that is explained.
    R2,
    /// Mean absolute percentage error, as a share; it does not exist where an outcome is 0.
    Mape,
    /// Mean of prediction less outcome.
    MeanError,
}

impl Metric {
    /// The metrics of a task, the default first.
    pub fn of(task: Task) -> &'static [Self] {
        match task {
            Task::Binary => &[
                Self::RocAuc,
                Self::AveragePrecision,
                Self::Accuracy,
                Self::Precision,
                Self::Recall,
                Self::F1,
                Self::Brier,
                Self::LogLoss,
            ],
            Task::Multiclass => {
                &[Self::MacroRocAuc, Self::MacroF1, Self::Accuracy, Self::Brier, Self::LogLoss]
            }
            Task::Regression => &[Self::Mae, Self::Rmse, Self::R2, Self::Mape, Self::MeanError],
        }
    }

    /// The metrics of a task that a verdict can be about: those with a better side.
    pub fn headlines(task: Task) -> impl Iterator<Item = Self> {
        Self::of(task).iter().copied().filter(|metric| *metric != Self::MeanError)
    }

    /// The metric that is meant where a definition names none.
    pub fn default_of(task: Task) -> Self {
        match task {
            Task::Binary => Self::RocAuc,
            Task::Multiclass => Self::MacroRocAuc,
            Task::Regression => Self::Mae,
        }
    }

    /// The metric of this name.
    pub fn named(name: &str) -> Option<Self> {
        Task::ALL.into_iter().flat_map(Self::of).copied().find(|metric| metric.name() == name)
    }

    /// The name in definitions and evidence.
    pub fn name(self) -> &'static str {
        match self {
            Self::Accuracy => "accuracy",
            Self::Precision => "precision",
            Self::Recall => "recall",
            Self::F1 => "f1",
            Self::RocAuc => "roc_auc",
            Self::AveragePrecision => "average_precision",
            Self::Brier => "brier",
            Self::LogLoss => "log_loss",
            Self::MacroF1 => "macro_f1",
            Self::MacroRocAuc => "macro_roc_auc",
            Self::Mae => "mae",
            Self::Rmse => "rmse",
            Self::R2 => "r2",
            Self::Mape => "mape",
            Self::MeanError => "mean_error",
        }
    }

    /// The name in tables and reports.
    pub fn title(self) -> &'static str {
        match self {
            Self::Accuracy => "accuracy",
            Self::Precision => "precision",
            Self::Recall => "recall",
            Self::F1 => "F1",
            Self::RocAuc => "ROC AUC",
            Self::AveragePrecision => "average precision",
            Self::Brier => "Brier score",
            Self::LogLoss => "log loss",
            Self::MacroF1 => "macro F1",
            Self::MacroRocAuc => "macro ROC AUC",
            Self::Mae => "mean absolute error",
            Self::Rmse => "root mean squared error",
            Self::R2 => "R²",
            Self::Mape => "mean absolute percentage error (as a share)",
            Self::MeanError => "mean error",
        }
    }

    pub fn higher_is_better(self) -> bool {
        !matches!(self, Self::Brier | Self::LogLoss | Self::Mae | Self::Rmse | Self::Mape | Self::MeanError)
    }

    /// Whether it is measured in the unit of the outcome, so that no fixed amount of it is much or little.
    pub fn has_unit(self) -> bool {
        matches!(self, Self::Mae | Self::Rmse | Self::MeanError)
    }

    /// Whether a value can be asked of this metric.
    pub(super) fn can_be(self, task: Task, value: f64) -> bool {
        match self {
            Self::LogLoss | Self::Mae | Self::Rmse | Self::Mape => value > 0.0 && value.is_finite(),
            // Certain and wrong every time, over all classes.
            Self::Brier if task == Task::Multiclass => (0.0..=2.0).contains(&value),
            Self::R2 => value <= 1.0 && value.is_finite(),
            _ => (0.0..=1.0).contains(&value),
        }
    }

    /// What [`can_be`](Self::can_be) asks for, in words.
    pub(super) fn range(self, task: Task) -> &'static str {
        match self {
            Self::Mae | Self::Rmse | Self::Mape => "a number above 0",
            Self::Brier if task == Task::Multiclass => "a number between 0 and 2",
            Self::R2 => "a number up to 1",
            _ => "a number between 0 and 1",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_task_has_its_default_first_and_every_name_is_found() {
        for task in Task::ALL {
            assert_eq!(Metric::of(task).first(), Some(&Metric::default_of(task)));
            for metric in Metric::of(task) {
                assert_eq!(Metric::named(metric.name()), Some(*metric));
                assert_eq!(serde_json::to_value(metric).unwrap(), metric.name());
            }
        }
    }
}
