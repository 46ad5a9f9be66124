//! What a model answers to rows, read against what the log says happened.

use ::stress::response::{Reading, Response};
use serving::{Failure, FailureKind, Scores, Target, by_row};
use stats::multiclass::rows::likeliest;
use types::batch::Batch;
use types::cases::Outputs;
use types::definition::Definition;

use crate::check::CheckError;

/// Calls after which it is no longer looked for which rows of a batch fail.
const CALLS_MOST: usize = 64;

/// A model that is asked about the same rows again and again.
pub(super) struct Session<'a> {
    definition: &'a Definition,
    target: Box<dyn Target>,
    logged: &'a Outputs,
    reading: Reading,
}

/// The answers to some rows.
#[derive(Clone, Debug)]
pub(super) struct Answered {
    pub(super) responses: Vec<Response>,
    /// What the model said of a row that it did not answer.
    pub(super) error: Option<String>,
    /// The answers as they came.
    scores: Option<Scores>,
}

impl Answered {
    /// Nobody asked.
    pub(super) fn nothing() -> Self {
        Self { responses: Vec::new(), error: None, scores: None }
    }

    /// The answers as they came; `None` where no row was accepted.
    pub(super) fn scores(&self) -> Option<&Scores> {
        self.scores.as_ref()
    }

    /// The responses of some rows, in this order.
    pub(super) fn of_rows(&self, rows: &[usize]) -> Vec<Response> {
        rows.iter().map(|&row| self.responses[row]).collect()
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
        Self { definition, target, logged, reading }
    }

    pub(super) fn reading(&self) -> Reading {
        self.reading
    }

    /// Refuses rows that the model cannot be asked about at all.
    pub(super) fn refuse_misfits(&mut self, rows: &Batch) -> Result<(), CheckError> {
        self.target.ready().map_err(|failure| CheckError::Model(failure.to_string()))?;
        let misfits: Vec<String> = self
            .target
            .misfits(rows)
            .iter()
            .filter(|misfit| !misfit.kind.is_harmless())
            .map(ToString::to_string)
            .collect();
        if misfits.is_empty() {
            return Ok(());
        }
        Err(CheckError::Model(format!("the columns of the log are not its inputs: {}", misfits.join("; "))))
    }

    pub(super) fn ask(&mut self, rows: &Batch) -> Answered {
        let answered = by_row(self.target.as_mut(), rows, CALLS_MOST);
        let mut responses = vec![Response::Malformed; rows.rows()];
        for failed in &answered.failures {
            for &row in &failed.rows {
                responses[row] = of_failure(&failed.failure);
            }
        }
        let error = answered.failures.first().map(|failed| failed.failure.to_string());
        if let Some(accepted) = &answered.accepted {
            for (row, response) in responses.iter_mut().enumerate() {
                if let Some(answer) = answer(&accepted.scores, row) {
                    *response = if accepted.degraded[row] { answer.degraded() } else { answer };
                }
            }
        }
        Answered { responses, error, scores: answered.accepted.map(|accepted| accepted.scores) }
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
