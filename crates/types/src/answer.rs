//! What the engine returns for a question: small, mergeable, free of row-level identity.

use std::collections::HashMap;

use serde::{Deserialize, Serialize};
use stats::labelled_scores::LabelledScores;
use stats::sketch::Profile;

use crate::question::Question;

/// The answer to one [`Question`].
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub enum Answer {
    Profile(Profile),
    Identity(Identity),
    /// One group, without a value, where the question had no segment.
    ScoredOutcomes(Vec<ScoredGroup>),
    Coverage(Coverage),
}

/// How often ids repeat among the rows of a window.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Identity {
    pub rows: u64,
    /// Rows without an id.
    pub null_ids: u64,
    /// Different ids that stand on more than one row.
    pub repeated_ids: u64,
    /// Rows that repeat an id already seen: rows − nulls − different ids.
    pub surplus_rows: u64,
}

/// Scores and outcomes of the rows that have both, for one value of a segment.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ScoredGroup {
    /// The segment's value; `None` for all rows together and for rows where the value is missing.
    pub value: Option<String>,
    pub scores: LabelledScores,
    /// Rows with an outcome but without a score in [0, 1]; they are in no metric.
    pub invalid_scores: u64,
}

/// How the predictions of a window met their outcomes. Nothing is dropped without being counted.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Coverage {
    pub predictions: u64,
    /// Predictions with a usable outcome (0 or 1) that was known in time.
    pub with_outcome: u64,
    /// Predictions for which no outcome row exists (yet).
    pub without_outcome: u64,
    /// Predictions whose outcome row holds something other than 0 or 1, or nothing.
    pub unusable_outcomes: u64,
    /// Predictions with more than one outcome row; the latest known one counts.
    pub repeated_outcomes: u64,
    /// Of those, the ones whose outcome rows disagree.
    pub contradictory_outcomes: u64,
    /// Predictions whose outcome is dated before the prediction itself.
    pub early_outcomes: u64,
    /// Outcome ids that no prediction in the whole log has.
    pub orphan_outcomes: u64,
}

/// Answers by their questions.
#[derive(Clone, Debug, Default)]
pub struct Answers {
    by_question: HashMap<Question, Answer>,
}

impl Answers {
    pub fn insert(&mut self, question: Question, answer: Answer) {
        self.by_question.insert(question, answer);
    }

    pub fn profile(&self, question: &Question) -> Option<&Profile> {
        match self.by_question.get(question)? {
            Answer::Profile(profile) => Some(profile),
            _ => None,
        }
    }

    pub fn identity(&self, question: &Question) -> Option<&Identity> {
        match self.by_question.get(question)? {
            Answer::Identity(identity) => Some(identity),
            _ => None,
        }
    }

    pub fn scored_outcomes(&self, question: &Question) -> Option<&[ScoredGroup]> {
        match self.by_question.get(question)? {
            Answer::ScoredOutcomes(groups) => Some(groups),
            _ => None,
        }
    }

    pub fn coverage(&self, question: &Question) -> Option<&Coverage> {
        match self.by_question.get(question)? {
            Answer::Coverage(coverage) => Some(coverage),
            _ => None,
        }
    }
}
