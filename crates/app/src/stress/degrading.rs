//! What could be done instead while an input, or the model itself, is down: each way is rehearsed on the same rows.

use std::path::Path;

use ::stress::degrade::impute::{nearest, usual};
use ::stress::degrade::{
    OfAnswers, Prices, Reply, Strategy, Tried, Weighed, cached_answers, through_breaker, weigh, where_touched,
};
use ::stress::fault::{Fault, Faulted, missing::Missing};
use ::stress::plan::Subject;
use ::stress::response::{Reading, Response};
use serving::Target;
use types::batch::{Batch, Values};
use types::cases::Outputs;
use types::definition::{Definition, DefinitionError};

use super::Drawn;
use super::answers::{Answered, Session, ask, refuse_misfits};
use super::asking::{self, Described};
use super::planned::MISSING;
use super::rows::{beside, only};
use crate::check::CheckError;

/// Rows whose values fill in a missing one.
const NEIGHBOURS: usize = 15;
/// Rows of the reference among which they are looked for; each is held against each row.
const DONORS: usize = 500;

/// The answers that there are already.
#[derive(Clone, Copy)]
pub(super) struct Known<'a> {
    pub(super) clean: &'a Answered,
    /// With what there is.
    pub(super) faulted: &'a Answered,
}

/// Another model that can be asked.
pub(super) struct Other {
    target: Box<dyn Target>,
    /// Where it is asked.
    pub(super) at: String,
    inputs: Vec<String>,
}

impl Other {
    /// Opens it; without `inputs` of its own it takes those of the model.
    pub(super) fn open(
        described: Described<'_>,
        definition: &Definition,
        folder: &Path,
        inputs: &[String],
    ) -> Result<Self, DefinitionError> {
        let own = &described.model.inputs;
        let inputs = if own.is_empty() { inputs } else { own }.to_vec();
        let (target, at) = asking::target(described, definition, folder, &inputs)?;
        Ok(Self { target, at, inputs })
    }

    /// Refuses rows that it cannot be asked about at all.
    pub(super) fn refuse_misfits(&mut self, rows: &Batch) -> Result<(), CheckError> {
        let rows = only(rows, &self.inputs);
        refuse_misfits(self.target.as_mut(), &rows)
            .map_err(|why| CheckError::Model(format!("{}: {why}", self.at)))
    }

    /// Its answers; it is asked with the columns that it takes.
    pub(super) fn ask(&mut self, rows: &Batch) -> Answered {
        ask(self.target.as_mut(), &only(rows, &self.inputs))
    }
}

/// The ways of the definition, and what they need to know beside the model's inputs.
pub(super) struct Ways<'a> {
    definition: &'a Definition,
    fallbacks: Vec<Other>,
    /// All columns of the rows that somebody takes, without a fault.
    all: &'a Batch,
    /// The answers about each thing in the reference, oldest first.
    before: Vec<(String, f64)>,
}

/// Rows of an outage.
struct Outage<'a> {
    /// As they are while it lasts, with all columns that somebody takes.
    rows: &'a Batch,
    origin: &'a [usize],
    mask: &'a [bool],
    /// The model's answers without it.
    clean: &'a [Option<f64>],
    lost: &'a [String],
}

impl<'a> Ways<'a> {
    /// For rows of a window, and of the reference.
    pub(super) fn of(
        definition: &'a Definition,
        fallbacks: Vec<Other>,
        current: &'a Drawn,
        usual: &Drawn,
    ) -> Self {
        let keys = definition.stress.degradation.cached_by.as_ref().and_then(|key| usual.all.column(key));
        let before = keys.map_or_else(Vec::new, |keys| last_answers(keys, &usual.cases.outputs));
        Self { definition, fallbacks, all: &current.all, before }
    }

    /// What each way costs while the columns of a fault are missing; `None` for any other fault, and where it cannot
    /// be said.
    pub(super) fn weighed(
        &mut self,
        session: &mut Session<'_>,
        known: Known<'_>,
        (subject, faulted): (&Subject, &Faulted),
        reference: &Batch,
    ) -> Option<Weighed> {
        if faulted.manifest.fault.entry().id != MISSING {
            return None;
        }
        let columns: Vec<&str> = faulted.manifest.columns.iter().map(String::as_str).collect();
        let clean: Vec<Option<f64>> = known.clean.of_rows(&faulted.origin).into_iter().map(number).collect();
        let by = |strategy, answered: &Answered| {
            let answers: Vec<Option<f64>> = answered.responses.iter().map(|of| number(*of)).collect();
            let replies: Vec<Reply> = answers.iter().map(|answer| Reply::from(*answer)).collect();
            let waits = faulted.mask.iter().zip(&answers).map(|(hit, answer)| *hit && answer.is_none());
            Tried {
                strategy,
                replies: where_touched(&faulted.mask, &clean, &replies),
                waits: waits.collect(),
            }
        };
        let mut tried = vec![by(Strategy::Nothing, known.faulted)];
        if let Ok(rows) = usual(&faulted.batch, reference, &columns) {
            tried.push(by(Strategy::ImputeUsual, &session.ask(&rows)));
        }
        if let Ok(rows) = nearest(&faulted.batch, &donors(reference), &columns, NEIGHBOURS) {
            let strategy = Strategy::ImputeNearest { neighbours: NEIGHBOURS };
            tried.push(by(strategy, &session.ask(&rows)));
        }
        let (rows, lost) = self.joined(subject, faulted);
        let (origin, mask) = (&faulted.origin[..], &faulted.mask[..]);
        let outage = Outage { rows: &rows, origin, mask, clean: &clean, lost: &lost };
        let instead = self.instead(&outage);
        let outcomes = session.outcomes(origin);
        let prices = prices(self.definition, session.reading());
        let touched = mask.iter().filter(|hit| **hit).count();
        let unanswered = tried[0].waits.iter().filter(|waits| **waits).count();
        // A breaker is of use where the model mostly fails.
        if unanswered * 2 > touched {
            tried.extend(self.through_breaker(&tried[0].replies, &instead, &outcomes, &prices));
        }
        tried.extend(instead.into_iter().map(|of| {
            let replies = where_touched(mask, &clean, &of.replies);
            Tried::at_once(of.strategy, replies)
        }));
        weigh(&tried, &outcomes, &prices).ok()
    }

    /// What each way costs while the model itself does not answer; `None` where the definition has no other way.
    pub(super) fn of_model_outage(&mut self, session: &Session<'_>, clean: &Answered) -> Option<Weighed> {
        let all = self.all;
        let rows = all.rows();
        let (origin, mask): (Vec<usize>, Vec<bool>) = ((0..rows).collect(), vec![true; rows]);
        let clean: Vec<Option<f64>> = clean.responses.iter().map(|of| number(*of)).collect();
        let outage = Outage { rows: all, origin: &origin, mask: &mask, clean: &clean, lost: &[] };
        let instead = self.instead(&outage);
        if instead.is_empty() {
            return None;
        }
        let outcomes = session.outcomes(&origin);
        let prices = prices(self.definition, session.reading());
        // Whoever asks learns that the model is down by waiting for it.
        let after_waiting = |of: Tried| Tried { waits: mask.clone(), ..of };
        let nothing = Tried::at_once(Strategy::Nothing, vec![Reply::Nothing; rows]);
        let mut tried: Vec<Tried> = Vec::new();
        tried.extend(self.through_breaker(&nothing.replies, &instead, &outcomes, &prices));
        tried.push(after_waiting(nothing));
        tried.extend(instead.into_iter().map(after_waiting));
        weigh(&tried, &outcomes, &prices).ok()
    }

    /// What does without the model, in every row.
    fn instead(&mut self, outage: &Outage<'_>) -> Vec<Tried> {
        let degradation = &self.definition.stress.degradation;
        let rows = outage.rows.rows();
        let mut instead = Vec::new();
        for fallback in &mut self.fallbacks {
            let answered = fallback.ask(outage.rows);
            let does_without =
                !outage.lost.is_empty() && !fallback.inputs.iter().any(|input| outage.lost.contains(input));
            let model = fallback.at.clone();
            let strategy = if does_without {
                Strategy::ReducedModel { model }
            } else {
                Strategy::FallbackModel { model }
            };
            let replies = answered.responses.iter().map(|of| Reply::from(number(*of))).collect();
            instead.push(Tried::at_once(strategy, replies));
        }
        if let Some(keys) = degradation.cached_by.as_ref().and_then(|key| self.all.column(key)) {
            let keys: Vec<Option<String>> = outage.origin.iter().map(|&row| keys.text(row)).collect();
            let replies = cached_answers(&self.before, &keys, outage.clean, outage.mask);
            instead.push(Tried::at_once(Strategy::CachedAnswer, replies));
        }
        if let Some(answer) = degradation.constant {
            let replies = vec![Reply::Answer(answer); rows];
            instead.push(Tried::at_once(Strategy::Constant { answer }, replies));
        }
        if degradation.abstaining.is_some() {
            instead.push(Tried::at_once(Strategy::Abstain, vec![Reply::Abstained; rows]));
        }
        instead
    }

    /// The model behind a circuit breaker, with the cheapest of what does without it meanwhile; none where waiting
    /// costs nothing.
    fn through_breaker(
        &self,
        replies: &[Reply],
        instead: &[Tried],
        outcomes: &[Option<f64>],
        prices: &Prices,
    ) -> Option<Tried> {
        let degradation = &self.definition.stress.degradation;
        degradation.waiting?;
        let weighed = weigh(instead, outcomes, prices).ok()?;
        let cheapest = &weighed.strategies.first()?.strategy;
        let meanwhile = instead.iter().find(|of| of.strategy == *cheapest)?;
        Some(through_breaker(degradation.breaker, replies, meanwhile))
    }

    /// The rows of a fault with the columns that only others take, and all columns that are lost in them: a source
    /// that is down brings nothing to anybody.
    fn joined(&self, subject: &Subject, faulted: &Faulted) -> (Batch, Vec<String>) {
        let others = self.all.take(&faulted.origin);
        let joined = beside(&faulted.batch, &others);
        let mut lost = faulted.manifest.columns.clone();
        let of_source = |name: &String| {
            let mut sources = self.definition.source.iter();
            let is_it = |of: &str| matches!(subject, Subject::Source(source) if source == of);
            sources.any(|source| is_it(&source.name) && source.features.contains(name))
        };
        let names = joined.columns().iter().map(|column| column.name.clone());
        let also: Vec<String> = names.filter(|name| of_source(name) && !lost.contains(name)).collect();
        let Fault::Missing(missing) = &faulted.manifest.fault else { return (joined, lost) };
        if also.is_empty() {
            return (joined, lost);
        }
        // The same seed draws the same rows.
        let of_others = Fault::from(Missing { columns: also.clone(), ..missing.clone() });
        lost.extend(also);
        match of_others.apply(&joined, &joined, faulted.manifest.seed) {
            Ok(faulted) => (faulted.batch, lost),
            Err(_) => (joined, lost),
        }
    }
}

/// The rows of the reference that fill in missing values: they are in the order of time, and donors are of all of it.
fn donors(reference: &Batch) -> Batch {
    let donors = reference.rows().min(DONORS);
    reference.take(&(0..donors).map(|at| at * reference.rows() / donors).collect::<Vec<usize>>())
}

fn last_answers(keys: &Values, logged: &Outputs) -> Vec<(String, f64)> {
    let answer = |row: usize| match logged {
        Outputs::Binary { scores, .. } => scores.get(row).copied(),
        Outputs::Multiclass { predicted, .. } => predicted.get(row).map(|&class| f64::from(class)),
        Outputs::Regression { predicted, .. } => predicted.get(row).copied(),
    };
    (0..keys.len()).filter_map(|row| Some((keys.text(row)?, answer(row)?))).collect()
}

fn number(response: Response) -> Option<f64> {
    match response {
        Response::Answer { value, .. } => Some(value),
        Response::Rejected | Response::Crashed | Response::Malformed => None,
    }
}

/// The definition's costs; without them every mistake costs 1, and every unit by which a number is off.
fn prices(definition: &Definition, reading: Reading) -> Prices {
    let cost = definition.evaluate.cost.clone().unwrap_or_default();
    let degradation = &definition.stress.degradation;
    let abstaining = degradation.abstaining.unwrap_or_default();
    let waiting = degradation.waiting.unwrap_or_default();
    let (of_answers, no_answer) = match reading {
        Reading::Binary { threshold, .. } => {
            return Prices { waiting, ..Prices::binary(threshold, cost, abstaining) };
        }
        Reading::Class { .. } => {
            let dearest = cost.matrix.values().flat_map(|row| row.values()).copied().fold(1.0, f64::max);
            let classes = definition.log.scores.keys().cloned().collect();
            (OfAnswers::Classes { classes, cost }, dearest)
        }
        // Nothing is known of what no number costs: as much as the largest error that is still right.
        Reading::Number { tolerance } => (OfAnswers::Number { per_unit: 1.0 }, tolerance),
    };
    Prices { of_answers, abstaining, no_answer, waiting }
}
