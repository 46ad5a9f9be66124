//! What somebody can change who wants another decision: the model is asked about changes until the cheapest is found.

use ::stress::judge::{Asked, Scope};
use ::stress::manipulate::judge::{NoSearch, goal, manipulation};
use ::stress::manipulate::{Answer, Found, Goal, search};
use ::stress::response::Response;
use serving::Scores;
use stats::random::{SplitMix64, shuffle_front};
use types::batch::Batch;
use types::definition::{Definition, DefinitionError, Manipulation};
use types::{CheckId, Finding, Verdict};

use super::answers::{Answered, Session};
use super::planned::digested;
use super::rehearsal::Rehearsal;
use crate::check::Stage;

/// Refuses to try what is not declared: nobody can guess which inputs a person can change.
pub(super) fn check_declared(definition: &Definition, only: &[CheckId]) -> Result<(), DefinitionError> {
    if definition.stress.manipulation.is_some() || !only.contains(&CheckId::Manipulation) {
        return Ok(());
    }
    let message = "it is not declared which inputs somebody can change, so manipulation cannot be tried";
    let help = "add [stress.manipulation.features] with a line for each of them, such as \
                `income = { direction = \"up\", max = 100_000 }`";
    Err(DefinitionError::at_key("stress", message).with_help(Some(help.into())))
}

impl Rehearsal<'_> {
    /// The finding; `None` where nothing is declared.
    pub(super) fn manipulated(
        &mut self,
        scope: Scope<'_>,
        asked: Asked<'_>,
        parity: Verdict,
        progress: &mut dyn FnMut(Stage),
    ) -> Option<Finding> {
        let constraints = self.definition.stress.manipulation.as_ref()?;
        let goal = goal(self.definition)?;
        let seed = digested(&format!("{}\nmanipulation", self.window));
        let rows = self.cases_to_try(goal, constraints.cases as usize, seed);
        let found = if parity == Verdict::Pass {
            self.searched(&rows, constraints, goal, seed, progress)
        } else {
            Err(NoSearch::Parity(parity))
        };
        let ids: Vec<String> = rows.iter().filter_map(|&row| self.ids.get(row).cloned()).collect();
        Some(manipulation(scope, constraints, asked, found.as_ref().map_err(Clone::clone), &ids, seed))
    }

    fn searched(
        &mut self,
        rows: &[usize],
        constraints: &Manipulation,
        goal: Goal,
        seed: u64,
        progress: &mut dyn FnMut(Stage),
    ) -> Result<Found, NoSearch> {
        if rows.is_empty() {
            return Err(NoSearch::NoCases);
        }
        let cases = self.rows.take(rows);
        let (mut asked, at_most) = (0, rows.len() as u64 * u64::from(constraints.queries));
        let known = cases.take(&[0]);
        let session = &mut self.session;
        let mut model = |batch: &Batch| {
            progress(Stage::Searching { asked, at_most });
            asked += batch.rows() as u64;
            let answered = session.ask_anew(batch);
            match down(session, &answered, &known) {
                Some(error) => Err(error),
                None => Ok(answers(&answered)),
            }
        };
        search((&cases, self.usual), constraints, goal, seed, &mut model).map_err(NoSearch::Impossible)
    }

    /// Rows whose decision is to be flipped, drawn at random, in the order of time.
    fn cases_to_try(&self, goal: Goal, most: usize, seed: u64) -> Vec<usize> {
        let answers = answers(&self.clean);
        let is_to_try = |row: &usize| answers[*row].as_ref().is_some_and(|answer| goal.is_to_try(answer));
        let mut rows: Vec<usize> = (0..answers.len()).filter(is_to_try).collect();
        shuffle_front(&mut rows, most, &mut SplitMix64::new(seed));
        rows.truncate(most);
        rows.sort_unstable();
        rows
    }
}

/// What the model says where it answers for nothing any more, not even for a row that it has answered before.
fn down(session: &mut Session<'_>, answered: &Answered, known: &Batch) -> Option<String> {
    let is_lost = |answered: &Answered| answered.responses.iter().all(|of| *of == Response::Crashed);
    if answered.responses.is_empty() || !is_lost(answered) || !is_lost(&session.ask_anew(known)) {
        return None;
    }
    Some(answered.error.clone().unwrap_or_else(|| "the model no longer answers".to_owned()))
}

/// The answer to each row, `None` where there is none.
fn answers(answered: &Answered) -> Vec<Option<Answer>> {
    let rows = 0..answered.responses.len();
    match answered.scores() {
        None => rows.map(|_| None).collect(),
        Some(Scores::Numbers(numbers)) => rows.map(|row| numbers[row].map(Answer::Number)).collect(),
        Some(Scores::Probabilities(of)) => rows.map(|row| of[row].clone().map(Answer::Classes)).collect(),
    }
}
