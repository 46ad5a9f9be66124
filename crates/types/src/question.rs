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
    /// How often the log's id repeats in a window → [`crate::Answer::Identity`].
    Identity { window: Window },
    /// Scores with their outcomes, all together or for each value of a segment
    /// → [`crate::Answer::ScoredOutcomes`].
    ScoredOutcomes { by: Option<Segment>, window: Window },
    /// How the predictions of a window found their outcomes → [`crate::Answer::Coverage`].
    Coverage { window: Window },
}

impl Question {
    pub fn window(&self) -> Window {
        match self {
            Self::Profile { window, .. }
            | Self::Identity { window }
            | Self::ScoredOutcomes { window, .. }
            | Self::Coverage { window } => *window,
        }
    }
}

/// The values that a profile is taken of.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Measured {
    Column {
        name: String,
    },
    /// `score ≥ threshold`, as a category of its own.
    PredictedClass,
}
