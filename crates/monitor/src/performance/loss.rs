//! What a single row loses, for questions that a metric over all rows cannot answer.
//!
//! An area under a curve is no mean over rows, so nothing can be divided among rows or followed from day to
//! day. The Brier loss stands in for it: it falls where scores rank better, and where they are better
//! calibrated.

use types::answer::DayLosses;
use types::definition::Metric;

/// The loss of a row, lower is better.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum RowLoss {
    /// The squared distance of the score to the outcome.
    Brier,
    /// 1 where the predicted class was wrong, else 0.
    Wrong,
    /// The negative logarithm of the probability that was given to what happened.
    Log,
}

impl RowLoss {
    /// The one that fits a metric.
    pub(super) fn of(metric: Metric) -> Self {
        match metric {
            Metric::Accuracy | Metric::Precision | Metric::Recall | Metric::F1 => Self::Wrong,
            Metric::LogLoss => Self::Log,
            // Those of other tasks have no loss of a row here, and are not asked for one.
            _ => Self::Brier,
        }
    }

    /// The nearest loss that lies in [0, 1].
    pub(super) fn bounded(self) -> Self {
        match self {
            Self::Wrong => Self::Wrong,
            Self::Brier | Self::Log => Self::Brier,
        }
    }

    /// The metric that is the mean of this loss, or one less it.
    pub(super) fn metric(self) -> Metric {
        match self {
            Self::Brier => Metric::Brier,
            Self::Wrong => Metric::Accuracy,
            Self::Log => Metric::LogLoss,
        }
    }

    /// As in "mean …".
    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Brier => "Brier loss",
            Self::Wrong => "share of wrong predictions",
            Self::Log => "log loss",
        }
    }

    /// As in "of the rise of …".
    pub(super) fn mean_name(self) -> &'static str {
        match self {
            Self::Brier => "mean Brier loss",
            Self::Wrong => "share of wrong predictions",
            Self::Log => "mean log loss",
        }
    }

    pub(super) fn of_row(self, score: f64, outcome: bool, threshold: f64) -> f64 {
        let right = if outcome { score } else { 1.0 - score };
        match self {
            Self::Brier => (1.0 - right).powi(2),
            Self::Wrong => f64::from(u8::from((score >= threshold) != outcome)),
            Self::Log => -right.clamp(f64::EPSILON, 1.0 - f64::EPSILON).ln(),
        }
    }

    /// The mean loss of a day, of a loss that lies in [0, 1].
    pub(super) fn of_day(self, day: &DayLosses) -> f64 {
        let sum = match self.bounded() {
            Self::Wrong => day.wrong as f64,
            Self::Brier | Self::Log => day.squared,
        };
        // Sums of rounded squares may exceed the number of rows by their rounding.
        (sum / day.rows.max(1) as f64).clamp(0.0, 1.0)
    }
}
