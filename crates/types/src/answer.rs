//! What the engine returns for a question: small, mergeable, free of row-level identity.

use std::collections::HashMap;
use std::sync::{Arc, OnceLock};

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use stats::ecdf::Ecdf;
use stats::labelled_scores::LabelledScores;
use stats::sketch::Profile;

use crate::cases::Cases;
use crate::outcomes::TaskGroup;
use crate::question::Question;

/// The answer to one [`Question`].
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub enum Answer {
    Profile(Profile),
    Identity(Identity),
    /// One group, without a value, where the question had no segment.
    ScoredOutcomes(Vec<ScoredGroup>),
    /// The same where the task is not binary.
    TaskOutcomes(Vec<TaskGroup>),
    Coverage(Coverage),
    /// Days without a known outcome are left out.
    DailyLosses(Vec<DayLosses>),
    Sample(RowSample),
    Cases(Cases),
}

/// What the predictions of a day lost, as far as their outcomes are known.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct DayLosses {
    /// Days since 1970-01-01 (UTC).
    pub day: i64,
    /// Rows with a usable prediction and an outcome; at least one.
    pub rows: u64,
    /// The sum of their losses, each in [0, 1]: the squared distance between score and outcome; of several
    /// classes half of their sum; of a number the error as a share of the largest, which larger ones count as.
    pub graded: f64,
    /// Rows whose predicted class was wrong; of a number those with the largest error.
    pub wrong: u64,
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
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Coverage {
    pub predictions: u64,
    /// Predictions with a usable outcome (0 or 1; a class; a finite number) that was known in time.
    pub with_outcome: u64,
    /// Predictions for which no outcome row exists (yet).
    pub without_outcome: u64,
    /// Predictions whose outcome row holds something that is no outcome of the task, or nothing.
    pub unusable_outcomes: u64,
    /// Predictions with more than one outcome row; the latest known one counts.
    pub repeated_outcomes: u64,
    /// Of those, the ones whose outcome rows disagree.
    pub contradictory_outcomes: u64,
    /// Of those, the ones whose latest outcome rows disagree, which became known at the same instant: none corrects the
    /// other.
    #[serde(default)]
    pub undecided_outcomes: u64,
    /// Predictions whose outcome is dated before the prediction itself.
    pub early_outcomes: u64,
    /// Outcome ids that no prediction in the whole log has.
    pub orphan_outcomes: u64,
}

impl Coverage {
    /// What follows "have outcomes that contradict each other"; nothing where each has a latest one.
    pub fn undecided_in_words(&self) -> String {
        match self.undecided_outcomes {
            0 => String::new(),
            count => format!(
                ", {} of them known at the same instant, so that none corrects the other",
                crate::format::count(count)
            ),
        }
    }
}

/// Rows of a window, drawn at random.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct RowSample {
    /// The features, each of one length.
    pub columns: Vec<SampledColumn>,
    /// The score of a binary task, the predicted number of a regression task; NaN where there is none.
    pub scores: Vec<f64>,
    /// `None` where there is none, or none that was known in time; always for a task that is not binary.
    pub outcomes: Vec<Option<bool>>,
    /// The outcomes of a regression task, NaN where there is none; empty for other tasks.
    pub outcome_numbers: Vec<f64>,
}

impl RowSample {
    pub fn rows(&self) -> usize {
        self.scores.len()
    }

    /// Adds the rows of another sample of the same features.
    pub fn append(&mut self, other: &Self) {
        for (mine, theirs) in self.columns.iter_mut().zip(&other.columns) {
            match (&mut mine.values, &theirs.values) {
                (SampledValues::Numbers(mine), SampledValues::Numbers(theirs)) => {
                    mine.extend_from_slice(theirs);
                }
                (SampledValues::Categories(mine), SampledValues::Categories(theirs)) => {
                    mine.extend_from_slice(theirs);
                }
                (SampledValues::Vectors(mine), SampledValues::Vectors(theirs)) => {
                    mine.extend_from_slice(theirs);
                }
                // Samples of the same features have columns of the same kind.
                (SampledValues::Numbers(_) | SampledValues::Categories(_) | SampledValues::Vectors(_), _) => {
                }
            }
        }
        self.scores.extend_from_slice(&other.scores);
        self.outcomes.extend_from_slice(&other.outcomes);
        self.outcome_numbers.extend_from_slice(&other.outcome_numbers);
    }
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct SampledColumn {
    pub name: String,
    pub values: SampledValues,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub enum SampledValues {
    /// NaN where there is none.
    Numbers(Vec<f64>),
    Categories(Vec<Option<String>>),
    /// `None` where there is none; a null entry is NaN.
    Vectors(Vec<Option<Vec<f64>>>),
}

/// Answers by their questions.
#[derive(Clone, Debug, Default)]
pub struct Answers {
    by_question: HashMap<Question, Kept>,
    /// Answers that many windows share, such as those about the reference.
    shared: Option<Arc<Answers>>,
}

/// An answer, and what is often computed of it.
#[derive(Clone, Debug)]
struct Kept {
    answer: Answer,
    ecdfs: OnceLock<Vec<Ecdf>>,
}

impl Answers {
    /// No answers of its own yet, and those of `shared`.
    pub fn with_shared(shared: Arc<Self>) -> Self {
        Self { by_question: HashMap::new(), shared: Some(shared) }
    }

    pub fn insert(&mut self, question: Question, answer: Answer) {
        self.by_question.insert(question, Kept { answer, ecdfs: OnceLock::new() });
    }

    /// Takes over the answers of another set.
    pub fn extend(&mut self, other: Self) {
        self.by_question.extend(other.by_question);
    }

    /// Whether a question was answered.
    pub fn has(&self, question: &Question) -> bool {
        self.kept(question).is_some()
    }

    fn kept(&self, question: &Question) -> Option<&Kept> {
        let own = self.by_question.get(question);
        own.or_else(|| self.shared.as_ref().and_then(|shared| shared.kept(question)))
    }

    pub(crate) fn answer(&self, question: &Question) -> Option<&Answer> {
        self.kept(question).map(|kept| &kept.answer)
    }

    pub fn profile(&self, question: &Question) -> Option<&Profile> {
        match self.answer(question)? {
            Answer::Profile(profile) => Some(profile),
            _ => None,
        }
    }

    /// The distribution of a numeric profile, computed once.
    pub fn ecdf(&self, question: &Question) -> Option<&Ecdf> {
        match self.profile(question)? {
            Profile::Numeric(_) => self.ecdfs(question)?.first(),
            _ => None,
        }
    }

    /// The distributions that a profile keeps, computed once.
    pub fn ecdfs(&self, question: &Question) -> Option<&[Ecdf]> {
        let kept = self.kept(question)?;
        let Answer::Profile(profile) = &kept.answer else { return None };
        Some(kept.ecdfs.get_or_init(|| profile.ecdfs()))
    }

    pub fn identity(&self, question: &Question) -> Option<&Identity> {
        match self.answer(question)? {
            Answer::Identity(identity) => Some(identity),
            _ => None,
        }
    }

    pub fn scored_outcomes(&self, question: &Question) -> Option<&[ScoredGroup]> {
        match self.answer(question)? {
            Answer::ScoredOutcomes(groups) => Some(groups),
            _ => None,
        }
    }

    pub fn coverage(&self, question: &Question) -> Option<&Coverage> {
        match self.answer(question)? {
            Answer::Coverage(coverage) => Some(coverage),
            _ => None,
        }
    }

    /// Ascending.
    pub fn daily_losses(&self, question: &Question) -> Option<&[DayLosses]> {
        match self.answer(question)? {
            Answer::DailyLosses(days) => Some(days),
            _ => None,
        }
    }

    pub fn sample(&self, question: &Question) -> Option<&RowSample> {
        match self.answer(question)? {
            Answer::Sample(sample) => Some(sample),
            _ => None,
        }
    }
}
