//! Rows of a window with everything that is known of each: inputs, prediction, outcome. What no summary can
//! tell (which slice, which kind of case, in what order) is computed from these.

use serde::{Deserialize, Serialize};

use crate::answer::{Answer, Answers, SampledColumn};
use crate::definition::Segment;
use crate::loss::RowLoss;
use crate::question::Question;

/// Rows of a window that have a usable prediction and an outcome: all of them, or some drawn at random.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Cases {
    /// The share of the window's rows that was drawn; 1 where all were.
    pub drawn_share: f64,
    /// The id of each row as text; empty where the log has none.
    pub ids: Vec<String>,
    /// When each prediction was made or applies, in days since 1970-01-01 (UTC).
    pub days: Vec<f64>,
    /// The features that were asked for.
    pub features: Vec<SampledColumn>,
    /// The value of each segment that was asked for.
    pub segments: Vec<Vec<Option<String>>>,
    /// Other columns of numbers that were asked for; NaN where there is none.
    pub also: Vec<Vec<f64>>,
    pub outputs: Outputs,
}

/// What was predicted and what happened, by task; one entry for each row.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub enum Outputs {
    Binary {
        scores: Vec<f64>,
        outcomes: Vec<bool>,
    },
    Multiclass {
        /// By class, then by row.
        probabilities: Vec<Vec<f64>>,
        predicted: Vec<u32>,
        outcomes: Vec<u32>,
    },
    Regression {
        predicted: Vec<f64>,
        outcomes: Vec<f64>,
    },
}

impl Default for Outputs {
    fn default() -> Self {
        Self::Regression { predicted: Vec::new(), outcomes: Vec::new() }
    }
}

impl Outputs {
    /// What each row lost.
    pub fn losses(&self, loss: RowLoss, threshold: f64) -> Vec<f64> {
        match self {
            Self::Binary { scores, outcomes } => scores
                .iter()
                .zip(outcomes)
                .map(|(&score, &outcome)| loss.of_score(score, outcome, threshold))
                .collect(),
            Self::Regression { predicted, outcomes } => predicted
                .iter()
                .zip(outcomes)
                .map(|(&predicted, &outcome)| loss.of_number(predicted, outcome))
                .collect(),
            Self::Multiclass { probabilities, predicted, outcomes } => predicted
                .iter()
                .zip(outcomes)
                .enumerate()
                .map(|(row, (&predicted, &outcome))| {
                    let of_row: Vec<f64> = probabilities.iter().map(|of_class| of_class[row]).collect();
                    loss.of_classes(&of_row, predicted as usize, outcome as usize)
                })
                .collect(),
        }
    }
}

impl Cases {
    pub fn rows(&self) -> usize {
        self.days.len()
    }

    /// Whether these are all rows of the window that have an outcome.
    pub fn is_all(&self) -> bool {
        self.drawn_share >= 1.0
    }

    /// The values of a segment that was asked for; `asked` are the segments of the question.
    pub fn segment<'a>(&'a self, asked: &[Segment], segment: &Segment) -> Option<&'a [Option<String>]> {
        let at = asked.iter().position(|other| other == segment)?;
        self.segments.get(at).map(Vec::as_slice)
    }
}

impl Answers {
    pub fn cases(&self, question: &Question) -> Option<&Cases> {
        match self.answer(question)? {
            Answer::Cases(cases) => Some(cases),
            _ => None,
        }
    }
}
