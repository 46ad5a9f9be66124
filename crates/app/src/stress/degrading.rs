//! What could be done instead while an input is down: each way is rehearsed on the same rows.

use ::stress::degrade::impute::{nearest, usual};
use ::stress::degrade::{OfAnswers, Prices, Reply, Strategy, Tried, Weighed, weigh, where_touched};
use ::stress::fault::Faulted;
use ::stress::response::{Reading, Response};
use types::batch::Batch;
use types::definition::Definition;

use super::answers::{Answered, Session};
use super::planned::MISSING;

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

/// What each strategy costs while the columns of a fault are missing; `None` for any other fault, and where it cannot
/// be said.
pub(super) fn weighed(
    session: &mut Session<'_>,
    known: Known<'_>,
    faulted: &Faulted,
    reference: &Batch,
    definition: &Definition,
) -> Option<Weighed> {
    if faulted.manifest.fault.entry().id != MISSING {
        return None;
    }
    let columns: Vec<&str> = faulted.manifest.columns.iter().map(String::as_str).collect();
    // The rows are in the order of time; donors are of all of it.
    let donors = reference.rows().min(DONORS);
    let donors: Vec<usize> = (0..donors).map(|at| at * reference.rows() / donors).collect();
    let by_usual = usual(&faulted.batch, reference, &columns);
    let by_nearest = nearest(&faulted.batch, &reference.take(&donors), &columns, NEIGHBOURS);
    let before: Vec<Option<f64>> = known.clean.of_rows(&faulted.origin).into_iter().map(number).collect();
    let by = |strategy, responses: &[Response]| {
        let replies: Vec<Reply> = responses.iter().map(|response| Reply::from(number(*response))).collect();
        Tried { strategy, replies: where_touched(&faulted.mask, &before, &replies) }
    };
    let mut tried = vec![by(Strategy::Nothing, &known.faulted.responses)];
    if let Ok(rows) = by_usual {
        tried.push(by(Strategy::ImputeUsual, &session.ask(&rows).responses));
    }
    if let Ok(rows) = by_nearest {
        let strategy = Strategy::ImputeNearest { neighbours: NEIGHBOURS };
        tried.push(by(strategy, &session.ask(&rows).responses));
    }
    if definition.stress.degradation.abstaining.is_some() {
        let replies = vec![Reply::Abstained; faulted.batch.rows()];
        let replies = where_touched(&faulted.mask, &before, &replies);
        tried.push(Tried { strategy: Strategy::Abstain, replies });
    }
    weigh(&tried, &session.outcomes(&faulted.origin), &prices(definition, session.reading())).ok()
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
    let abstaining = definition.stress.degradation.abstaining.unwrap_or_default();
    match reading {
        Reading::Binary { threshold, .. } => Prices::binary(threshold, cost, abstaining),
        Reading::Class { .. } => {
            let dearest = cost.matrix.values().flat_map(|row| row.values()).copied().fold(1.0, f64::max);
            let classes = definition.log.scores.keys().cloned().collect();
            Prices { of_answers: OfAnswers::Classes { classes, cost }, abstaining, no_answer: dearest }
        }
        // Nothing is known of what no number costs: as much as the largest error that is still right.
        Reading::Number { tolerance } => {
            Prices { of_answers: OfAnswers::Number { per_unit: 1.0 }, abstaining, no_answer: tolerance }
        }
    }
}
