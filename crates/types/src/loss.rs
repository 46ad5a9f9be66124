//! What a single row loses, for questions that a metric over all rows cannot answer.
//!
//! An area under a curve is no mean over rows, so nothing can be divided among rows, searched for slices or
//! followed from day to day. A loss of a row can.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::answer::DayLosses;
use crate::definition::{Metric, Task};

/// The loss of a row, lower is better and 0 at best.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum RowLoss {
    /// 1 where the predicted class was wrong, else 0.
    Wrong,
    /// The squared distance of the probabilities to the outcome.
    Brier,
    /// The negative logarithm of the probability that was given to what happened.
    LogLoss,
    /// By how much a predicted number is off, in the unit of the outcome.
    Absolute,
    /// The square of that.
    Squared,
}

impl RowLoss {
    /// The losses of a task, its default first.
    pub fn of_task(task: Task) -> &'static [Self] {
        match task {
            Task::Binary | Task::Multiclass => &[Self::Wrong, Self::Brier, Self::LogLoss],
            Task::Regression => &[Self::Absolute, Self::Squared],
        }
    }

    /// The one that fits a metric; the Brier loss stands in for metrics of scores that are no mean over rows,
    /// because it falls where scores rank better, and where they are better calibrated.
    pub fn of(metric: Metric) -> Self {
        match metric {
            Metric::Accuracy | Metric::Precision | Metric::Recall | Metric::F1 | Metric::MacroF1 => {
                Self::Wrong
            }
            Metric::LogLoss => Self::LogLoss,
            Metric::RocAuc | Metric::AveragePrecision | Metric::Brier | Metric::MacroRocAuc => Self::Brier,
            Metric::Mae | Metric::Mape | Metric::MeanError => Self::Absolute,
            Metric::Rmse | Metric::R2 => Self::Squared,
        }
    }

    /// The name in definitions.
    pub fn name(self) -> &'static str {
        match self {
            Self::Wrong => "wrong",
            Self::Brier => "brier",
            Self::LogLoss => "log_loss",
            Self::Absolute => "absolute",
            Self::Squared => "squared",
        }
    }

    /// The nearest loss that has a largest value, for a number where one is given.
    #[must_use]
    pub fn bounded(self) -> Self {
        match self {
            Self::Wrong => Self::Wrong,
            Self::Brier | Self::LogLoss => Self::Brier,
            Self::Absolute | Self::Squared => Self::Absolute,
        }
    }

    /// The metric that is the mean of this loss, its root, or one less it.
    pub fn metric(self) -> Metric {
        match self {
            Self::Wrong => Metric::Accuracy,
            Self::Brier => Metric::Brier,
            Self::LogLoss => Metric::LogLoss,
            Self::Absolute => Metric::Mae,
            Self::Squared => Metric::Rmse,
        }
    }

    /// The loss of which a measure is the mean over rows, as a metric or by its own name.
    pub fn with_mean(measure: &str) -> Option<Self> {
        let all = [Self::Wrong, Self::Brier, Self::LogLoss, Self::Absolute, Self::Squared];
        let is_mean = |of: &Self| matches!(of, Self::Brier | Self::LogLoss | Self::Absolute);
        all.into_iter().find(|of| measure == of.mean_name() || is_mean(of) && measure == of.metric().name())
    }

    /// As in "mean …".
    pub fn title(self) -> &'static str {
        match self {
            Self::Wrong => "share of wrong predictions",
            Self::Brier => "Brier loss",
            Self::LogLoss => "log loss",
            Self::Absolute => "absolute error",
            Self::Squared => "squared error",
        }
    }

    /// The mean over rows in words, as in "of the rise of the …".
    pub fn mean_title(self) -> &'static str {
        match self {
            Self::Wrong => "share of wrong predictions",
            Self::Brier => "mean Brier loss",
            Self::LogLoss => "mean log loss",
            Self::Absolute => "mean absolute error",
            Self::Squared => "mean squared error",
        }
    }

    /// The name of the measure that is the mean of this loss; a share where it is one.
    pub fn mean_name(self) -> &'static str {
        match self {
            Self::Wrong => "wrong_share",
            Self::Brier => "mean_brier_loss",
            Self::LogLoss => "mean_log_loss",
            Self::Absolute => "mean_absolute_error",
            Self::Squared => "mean_squared_error",
        }
    }

    /// The loss of a binary score.
    pub fn of_score(self, score: f64, outcome: bool, threshold: f64) -> f64 {
        let right = if outcome { score } else { 1.0 - score };
        match self {
            Self::Wrong => f64::from(u8::from((score >= threshold) != outcome)),
            Self::LogLoss => negative_log(right),
            Self::Brier | Self::Absolute | Self::Squared => (1.0 - right).powi(2),
        }
    }

    /// The loss of probabilities of several classes, of which one was predicted.
    pub fn of_classes(self, probabilities: &[f64], predicted: usize, outcome: usize) -> f64 {
        match self {
            Self::Wrong => f64::from(u8::from(predicted != outcome)),
            Self::LogLoss => negative_log(probabilities.get(outcome).copied().unwrap_or(0.0)),
            Self::Brier | Self::Absolute | Self::Squared => probabilities
                .iter()
                .enumerate()
                .map(|(class, p)| (p - f64::from(u8::from(class == outcome))).powi(2))
                .sum(),
        }
    }

    /// The loss of a predicted number.
    pub fn of_number(self, predicted: f64, outcome: f64) -> f64 {
        let error = (predicted - outcome).abs();
        if self == Self::Squared { error * error } else { error }
    }

    /// The mean loss of a day, as a share of the largest.
    pub fn of_day(self, day: &DayLosses) -> f64 {
        let sum = if self.bounded() == Self::Wrong { day.wrong as f64 } else { day.graded };
        // Sums of rounded losses may exceed the number of rows by their rounding.
        (sum / day.rows.max(1) as f64).clamp(0.0, 1.0)
    }
}

/// Certain but wrong rows lose as much as one at the smallest distance from certainty that a number can have.
fn negative_log(probability: f64) -> f64 {
    -probability.clamp(f64::EPSILON, 1.0 - f64::EPSILON).ln()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_loss_is_zero_for_what_is_right_and_certain() {
        for loss in RowLoss::of_task(Task::Binary) {
            assert!(loss.of_score(1.0, true, 0.5) < 1e-9 && loss.of_score(0.0, true, 0.5) >= 1.0);
            assert!(loss.of_classes(&[0.0, 1.0, 0.0], 1, 1) < 1e-9);
            assert!(loss.of_classes(&[0.0, 1.0, 0.0], 1, 2) >= 1.0);
        }
        assert_eq!(RowLoss::Squared.of_number(3.0, 1.0), 4.0);
        assert_eq!(RowLoss::Absolute.of_number(1.0, 3.0), 2.0);
    }

    #[test]
    fn a_metric_that_is_a_mean_of_losses_has_its_loss_and_others_have_none() {
        for (measure, loss) in [
            ("mae", Some(RowLoss::Absolute)),
            ("mean_absolute_error", Some(RowLoss::Absolute)),
            ("brier", Some(RowLoss::Brier)),
            ("wrong_share", Some(RowLoss::Wrong)),
            ("mean_squared_error", Some(RowLoss::Squared)),
            ("accuracy", None),
            ("rmse", None),
            ("roc_auc", None),
        ] {
            assert_eq!(RowLoss::with_mean(measure), loss, "{measure}");
        }
    }

    #[test]
    fn names_are_those_of_definitions() {
        for loss in Task::ALL.into_iter().flat_map(RowLoss::of_task) {
            assert_eq!(serde_json::to_value(loss).unwrap(), loss.name());
        }
    }
}
