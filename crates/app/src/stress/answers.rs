//! What a model answers to rows, read against what the log says happened.

use std::collections::BTreeMap;
use std::path::Path;

use ::stress::judge::Agreement;
use ::stress::response::{Reading, Response};
use serde::{Deserialize, Serialize};
use serving::{Failure, FailureKind, Scores, Target, by_row};
use stats::multiclass::rows::likeliest;
use types::answer::DayLosses;
use types::batch::Batch;
use types::cases::Outputs;
use types::definition::Definition;
use types::loss::RowLoss;

use super::kept::Kept;

/// Calls after which it is no longer looked for which rows of a batch fail.
const CALLS_MOST: usize = 64;

/// A model that is asked about the same rows again and again.
pub(super) struct Session<'a> {
    definition: &'a Definition,
    target: Box<dyn Target>,
    logged: &'a Outputs,
    reading: Reading,
    kept: Option<Kept>,
}

/// The answers to some rows.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(super) struct Answered {
    pub(super) responses: Vec<Response>,
    /// What the model said of a row that it did not answer.
    pub(super) error: Option<String>,
    /// Whether some rows have no answer for a reason that may pass: no time, no connection.
    pub(super) is_passing: bool,
    /// The answers as they came.
    scores: Option<Scores>,
}

impl Answered {
    /// Nobody asked.
    pub(super) fn nothing() -> Self {
        Self { responses: Vec::new(), error: None, is_passing: false, scores: None }
    }

    /// The answers as they came; `None` where no row was accepted.
    pub(super) fn scores(&self) -> Option<&Scores> {
        self.scores.as_ref()
    }

    /// The responses of some rows, in this order.
    pub(super) fn of_rows(&self, rows: &[usize]) -> Vec<Response> {
        rows.iter().map(|&row| self.responses[row]).collect()
    }

    /// The numbers of an answer: one, or one for each class.
    fn numbers(&self, row: usize) -> Option<Vec<f64>> {
        match self.scores.as_ref()? {
            Scores::Numbers(numbers) => numbers[row].map(|number| vec![number]),
            Scores::Probabilities(rows) => rows[row].clone(),
        }
    }

    /// What an answer loses as a share of the largest loss, and whether it is wrong.
    fn loss(&self, row: usize, of: usize, logged: &Outputs, definition: &Definition) -> Option<(f64, bool)> {
        let numbers = self.numbers(row)?;
        match logged {
            Outputs::Binary { outcomes, .. } => {
                let (score, outcome) = (*numbers.first()?, outcomes[of]);
                let loss = RowLoss::Brier.of_score(score, outcome, definition.log.threshold);
                Some((loss, (score >= definition.log.threshold) != outcome))
            }
            Outputs::Multiclass { outcomes, .. } => {
                let (predicted, outcome) = (likeliest(&numbers)?, outcomes[of] as usize);
                // Half of the sum is at most 1.
                let loss = RowLoss::Brier.of_classes(&numbers, predicted, outcome) / 2.0;
                Some((loss, predicted != outcome))
            }
            Outputs::Regression { outcomes, .. } => {
                let largest = definition.monitor.performance.largest_error?;
                let share = ((numbers.first()? - outcomes[of]).abs() / largest).min(1.0);
                Some((share, share >= 1.0))
            }
        }
    }
}

impl<'a> Session<'a> {
    pub(super) fn of(definition: &'a Definition, target: Box<dyn Target>, logged: &'a Outputs) -> Self {
        let confident = definition.stress.confident;
        let reading = match logged {
            Outputs::Binary { .. } => Reading::Binary { threshold: definition.log.threshold, confident },
            // A margin of one half is a probability of three quarters, as of two classes.
            Outputs::Multiclass { .. } => Reading::Class { confident: 0.5 + confident / 2.0 },
            Outputs::Regression { predicted, outcomes } => {
                let tolerance = definition.monitor.performance.largest_error;
                Reading::Number { tolerance: tolerance.unwrap_or_else(|| usual_error(predicted, outcomes)) }
            }
        };
        Self { definition, target, logged, reading, kept: None }
    }

    pub(super) fn reading(&self) -> Reading {
        self.reading
    }

    pub(super) fn ask(&mut self, rows: &Batch) -> Answered {
        match &mut self.kept {
            Some(kept) => kept.ask(self.target.as_mut(), rows),
            None => ask(self.target.as_mut(), rows),
        }
    }

    /// As [`Self::ask`], but what an earlier run was answered counts for nothing: for who has to know what the model
    /// answers now.
    pub(super) fn ask_anew(&mut self, rows: &Batch) -> Answered {
        ask(self.target.as_mut(), rows)
    }

    /// Keeps answers from now on, so that a run that is interrupted can go on; `model` tells it from others.
    pub(super) fn keep(&mut self, folder: &Path, model: &str, clean: &Answered) {
        self.kept = Some(Kept::of(folder, model, clean));
    }

    /// Ends keeping answers, and says how many calls were not made because of an earlier run.
    pub(super) fn finished(&mut self) -> usize {
        self.kept.take().map_or(0, Kept::finished)
    }

    /// What happened to the rows that these were made of.
    pub(super) fn outcomes(&self, origin: &[usize]) -> Vec<Option<f64>> {
        let of = |&row: &usize| match self.logged {
            Outputs::Binary { outcomes, .. } => f64::from(u8::from(outcomes[row])),
            Outputs::Multiclass { outcomes, .. } => f64::from(outcomes[row]),
            Outputs::Regression { outcomes, .. } => outcomes[row],
        };
        origin.iter().map(|row| Some(of(row))).collect()
    }

    /// How far each answer to an unchanged row is from what the log has.
    pub(super) fn differences(&self, clean: &Answered) -> Vec<Option<f64>> {
        let rows = clean.responses.len();
        let Some(scores) = &clean.scores else { return vec![None; rows] };
        let difference = |row: usize| match (scores, self.logged) {
            (Scores::Numbers(numbers), Outputs::Binary { scores, .. }) => {
                Some((numbers[row]? - scores[row]).abs())
            }
            (Scores::Numbers(numbers), Outputs::Regression { predicted, .. }) => {
                Some((numbers[row]? - predicted[row]).abs())
            }
            (Scores::Probabilities(rows), Outputs::Multiclass { probabilities, .. }) => {
                let answered = rows[row].as_ref()?;
                let of_class =
                    answered.iter().zip(probabilities).map(|(answer, logged)| (answer - logged[row]).abs());
                Some(of_class.fold(0.0, f64::max))
            }
            _ => None,
        };
        (0..rows).map(difference).collect()
    }

    /// The answers as the columns that the log would have of them.
    pub(super) fn outputs(&self, answered: &Answered) -> Vec<(String, Vec<Option<f64>>)> {
        let columns = self.definition.log.score_columns();
        let name = |at: usize| columns.get(at).map(|name| (*name).to_owned());
        match &answered.scores {
            None => Vec::new(),
            Some(Scores::Numbers(numbers)) => {
                name(0).map(|name| (name, numbers.clone())).into_iter().collect()
            }
            Some(Scores::Probabilities(rows)) => (0..columns.len())
                .filter_map(|class| {
                    let of_class =
                        |row: &Option<Vec<f64>>| row.as_ref().and_then(|row| row.get(class).copied());
                    Some((name(class)?, rows.iter().map(of_class).collect()))
                })
                .collect(),
        }
    }
}

/// Why a model cannot be asked about such rows at all.
pub(super) fn refuse_misfits(target: &mut dyn Target, rows: &Batch) -> Result<(), String> {
    target.ready().map_err(|failure| failure.to_string())?;
    let misfits = target.misfits(rows);
    let misfits = misfits.iter().filter(|misfit| !misfit.kind.is_harmless());
    let misfits: Vec<String> = misfits.map(ToString::to_string).collect();
    if misfits.is_empty() {
        return Ok(());
    }
    Err(format!("the columns of the log are not its inputs: {}", misfits.join("; ")))
}

/// Asks about rows, and of which of them the answer is missing.
pub(super) fn ask(target: &mut dyn Target, rows: &Batch) -> Answered {
    let answered = by_row(target, rows, CALLS_MOST);
    let mut responses = vec![Response::Malformed; rows.rows()];
    for failed in &answered.failures {
        for &row in &failed.rows {
            responses[row] = of_failure(&failed.failure);
        }
    }
    let error = answered.failures.first().map(|failed| failed.failure.to_string());
    let is_passing = answered.failures.iter().any(|failed| is_passing(failed.failure.kind));
    if let Some(accepted) = &answered.accepted {
        for (row, response) in responses.iter_mut().enumerate() {
            if let Some(answer) = answer(&accepted.scores, row) {
                *response = if accepted.degraded[row] { answer.degraded() } else { answer };
            }
        }
    }
    Answered { responses, error, is_passing, scores: answered.accepted.map(|accepted| accepted.scores) }
}

/// Whether the same question may get another answer a moment later.
fn is_passing(kind: FailureKind) -> bool {
    matches!(
        kind,
        FailureKind::TimedOut
            | FailureKind::HungUp
            | FailureKind::Overloaded
            | FailureKind::Redirected
            | FailureKind::Unreachable
    )
}

/// How the answers of two models to the same rows differ, in the rows of the mask.
pub(super) fn agreement(of: &Answered, other: &Answered, mask: &[bool], tolerance: f64) -> Agreement {
    let mut agreement = Agreement { rows: 0, differing: 0, largest: 0.0 };
    for row in (0..mask.len()).filter(|&row| mask[row]) {
        agreement.rows += 1;
        let difference = match (of.numbers(row), other.numbers(row)) {
            (None, None) => Some(0.0),
            (Some(of), Some(other)) if of.len() == other.len() => {
                Some(of.iter().zip(&other).map(|(of, other)| (of - other).abs()).fold(0.0, f64::max))
            }
            _ => None,
        };
        agreement.largest = agreement.largest.max(difference.unwrap_or(0.0));
        agreement.differing += u64::from(difference.is_none_or(|difference| difference > tolerance));
    }
    agreement
}

/// The losses of each day, ascending, of rows that got an answer. `origin` says which row of `logged` and `days` each
/// of them is.
pub(super) fn day_losses(
    answered: &Answered,
    origin: &[usize],
    logged: &Outputs,
    days: &[f64],
    definition: &Definition,
) -> Vec<DayLosses> {
    let mut by_day: BTreeMap<i64, DayLosses> = BTreeMap::new();
    for (row, &of) in origin.iter().enumerate() {
        let Some((graded, is_wrong)) = answered.loss(row, of, logged, definition) else { continue };
        let day = days[of].floor() as i64;
        let losses = by_day.entry(day).or_insert(DayLosses { day, rows: 0, graded: 0.0, wrong: 0 });
        losses.rows += 1;
        losses.graded += graded;
        losses.wrong += u64::from(is_wrong);
    }
    by_day.into_values().collect()
}

/// The answer to a row: its number, or the class of the largest probability.
fn answer(scores: &Scores, row: usize) -> Option<Response> {
    match scores {
        Scores::Numbers(numbers) => numbers[row].map(Response::of),
        Scores::Probabilities(rows) => {
            let probabilities = rows[row].as_ref()?;
            let likeliest = likeliest(probabilities)?;
            Some(Response::of_class(likeliest, Some(probabilities[likeliest])))
        }
    }
}

/// An error that nine of ten predictions do not exceed.
fn usual_error(predicted: &[f64], outcomes: &[f64]) -> f64 {
    let mut errors: Vec<f64> =
        predicted.iter().zip(outcomes).map(|(predicted, outcome)| (predicted - outcome).abs()).collect();
    errors.sort_by(f64::total_cmp);
    errors.get(errors.len() * 9 / 10).or(errors.last()).copied().unwrap_or(0.0)
}

fn of_failure(failure: &Failure) -> Response {
    match failure.kind {
        FailureKind::Misfit | FailureKind::Rejected => Response::Rejected,
        FailureKind::Malformed | FailureKind::TooFewRows => Response::Malformed,
        // What may be a crash is not taken for a refusal that misleads nobody.
        FailureKind::Crashed
        | FailureKind::RejectedOrCrashed
        | FailureKind::HungUp
        | FailureKind::TimedOut
        | FailureKind::Overloaded
        | FailureKind::Redirected
        | FailureKind::Unreachable => Response::Crashed,
    }
}
