//! What to measure: the practices plan questions, the engine answers them.
//!
//! A question is its own key: a practice asks for an answer by the question that it planned. The
//! engine merges all questions of a check into as few scans as it can.

use crate::column::ColumnKind;
use crate::definition::Segment;
use crate::window::Window;

/// One thing to measure over one window.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Question {
    /// The mergeable summary of a column's values in a window → [`crate::Answer::Profile`].
    Profile { of: Measured, kind: ColumnKind, window: Window },
    /// How often the values of a column, such as the log's id, repeat in a window
    /// → [`crate::Answer::Identity`].
    Identity { column: String, window: Window },
    /// Scores with their outcomes, all together or for each value of a segment
    /// → [`crate::Answer::ScoredOutcomes`], or [`crate::Answer::TaskOutcomes`] where the task is not binary.
    ScoredOutcomes { by: Option<Segment>, window: Window },
    /// The known outcomes of a regression task as a column → [`crate::Answer::Profile`].
    Outcomes { window: Window },
    /// How the predictions of a window found their outcomes → [`crate::Answer::Coverage`].
    Coverage {
        /// Whether to look for outcomes without a prediction too, which reads all ids of the log.
        orphans: bool,
        window: Window,
    },
    /// How long outcomes took after their predictions, in days → [`crate::Answer::Profile`].
    Delays { window: Window },
    /// What the predictions of each day (UTC) lost, those that are usable and have a known outcome
    /// → [`crate::Answer::DailyLosses`].
    DailyLosses {
        /// An error of a predicted number of this size or more is a loss of 1; only for a regression task.
        largest_error: Option<Exactly>,
        window: Window,
    },
    /// About as many rows of a window, drawn at random: the features as they are, the score and, where
    /// asked for, the outcome → [`crate::Answer::Sample`].
    Sample { features: Vec<(String, ColumnKind)>, rows: u32, outcomes: bool, window: Window },
    /// About as many rows of a window, drawn at random, of those that have a usable prediction and an outcome:
    /// features, values of segments and further columns of numbers → [`crate::Answer::Cases`].
    Cases {
        features: Vec<(String, ColumnKind)>,
        segments: Vec<Segment>,
        also: Vec<String>,
        rows: u32,
        window: Window,
    },
}

impl Question {
    pub fn window(&self) -> Window {
        match self {
            Self::Profile { window, .. }
            | Self::Identity { window, .. }
            | Self::ScoredOutcomes { window, .. }
            | Self::Coverage { window, .. }
            | Self::Outcomes { window }
            | Self::Delays { window }
            | Self::DailyLosses { window, .. }
            | Self::Sample { window, .. }
            | Self::Cases { window, .. } => *window,
        }
    }
}

/// A number by which questions are told apart, bit for bit.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Exactly(u64);

impl From<f64> for Exactly {
    fn from(number: f64) -> Self {
        Self(number.to_bits())
    }
}

impl Exactly {
    pub fn get(self) -> f64 {
        f64::from_bits(self.0)
    }
}

/// The values that a profile is taken of.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Measured {
    Column {
        name: String,
    },
    /// Of a binary task `score ≥ threshold`, of a multiclass task the predicted class, as a category.
    PredictedClass,
    /// What the probabilities of a multiclass task's classes add up to.
    ScoreSum,
}
