//! Manipulation: the cheapest change to a case that flips the decision about it, or moves its score.
//!
//! # What it measures
//!
//! For each case, by asking the model only: which features to change, by how much, so that the decision flips, within
//! the [`constraints`] on what can be changed and what it costs. Over all cases: the share that is flipped against the
//! budget, the median cost, and which features are the levers.
//!
//! # When it misleads
//!
//! * It is a search: what is found flips the decision, and was asked twice; what is not found may still exist. The
//!   share of flipped cases is a lower bound.
//! * A cheap change may be impossible in the world: the constraints are the part that needs thought.
//! * Not every flip is a fault: a decision that income should change is changed by income.
//!
//! # Method
//!
//! One lever at a time is moved to quantiles of the data, to what parts of the budget buy, and to every legal category;
//! a beam of the best changes gets further levers. A case that is not flipped starts again from rows of the data with
//! the wanted decision, which needs no scores: it works for a model that answers only yes or no. Then each lever of
//! the change that was found is let go of, or pulled less (bisection), as long as the decision stays flipped. Where a
//! relation would be broken, the other side of it is pulled along.
//!
//! # References
//!
//! * F. Croce, M. Hein, "Sparse and imperceivable adversarial attacks", ICCV 2019: few features, greedily.
//! * W. Brendel, J. Rauber, M. Bethge, "Decision-based adversarial attacks: reliable attacks against black-box machine
//!   learning models", ICLR 2018: start from the other class, walk towards the case.
//! * B. Ustun, A. Spangher, Y. Liu, "Actionable recourse in linear classification", FAT* 2019: mutable features,
//!   directions, bounds, costs.

pub mod constraints;
mod hunt;
pub mod judge;
mod shrink;
mod summary;
mod target;

use stats::random::SplitMix64;
use types::batch::Batch;
use types::definition::Manipulation;

use self::constraints::{Ground, Grounded, Impossible, Point};
use self::hunt::{Hunt, drawn};
pub use self::target::{Answer, Goal};

/// How hard is searched in one case.
#[derive(Clone, Copy, Debug)]
struct Effort {
    /// The largest cost of a change.
    budget: f64,
    /// Questions to the model, at most, that about the case itself among them.
    queries: u64,
    /// Levers that are pulled together, at most, unless the search starts from a row of the data.
    levers_max: usize,
    /// Changes that are pursued side by side.
    beam: usize,
    /// Rows of the data that a search starts from again, at most.
    restarts: usize,
}

const LEVERS_MAX: usize = 3;
const BEAM: usize = 4;
const RESTARTS: usize = 10;
/// Rows of the data that are asked for their decision, once for all cases.
const EXAMPLES: usize = 200;
/// Rows in one question.
const ROWS_PER_CALL: usize = 2000;

/// What a search found.
#[derive(Clone, Debug, PartialEq)]
pub struct Found {
    pub cases: Vec<CaseFound>,
    pub levers: Vec<LeverFound>,
    /// Questions about rows of the data, which say which rows have the wanted decision.
    pub rows_asked_of_data: u64,
    /// The model answers only yes or no, so that there was nothing to follow.
    pub is_decision_only: bool,
    /// Why the search ended before its end, where the model could no longer be asked.
    pub stopped: Option<String>,
}

/// A feature that could be changed.
#[derive(Clone, Debug, PartialEq)]
pub struct LeverFound {
    pub feature: String,
    /// In words.
    pub constraint: String,
    pub cost: f64,
}

#[derive(Clone, Debug, PartialEq)]
pub struct CaseFound {
    /// Its row among the cases.
    pub case: usize,
    pub answer: Option<Answer>,
    pub queries: u64,
    pub outcome: Outcome,
    /// What single features flip on their own within the budget.
    pub alone: Vec<Change>,
}

#[derive(Clone, Debug, PartialEq)]
pub enum Outcome {
    Flipped(Counterexample),
    /// Nothing was found within the budget.
    Held,
    /// Not searched.
    Skipped {
        reason: String,
    },
    /// The model could no longer be asked.
    Unfinished,
}

/// A change that brings the wanted answer about; it was asked twice.
#[derive(Clone, Debug, PartialEq)]
pub struct Counterexample {
    pub cost: f64,
    pub answer: Answer,
    /// The dearest first.
    pub changes: Vec<Change>,
}

/// One feature's part of a change.
#[derive(Clone, Debug, PartialEq)]
pub struct Change {
    pub feature: String,
    pub from: String,
    pub to: String,
    /// Of numbers: by how much.
    pub by: Option<f64>,
    /// Of numbers other than 0: by which share of the value, 0.04 for 4 % more.
    pub by_share: Option<f64>,
    pub cost: f64,
}

/// A model: rows in, an answer for each out, `None` where there is none. An error ends the search.
pub type Model<'a> = &'a mut dyn FnMut(&Batch) -> Result<Vec<Option<Answer>>, String>;

/// Searches the cheapest change for each of `cases`; `data` are ordinary rows, which say what values there are.
///
/// # Errors
/// Constraints that leave nothing to try. A model that cannot be asked is no error: what was found until then is.
pub fn search(
    (cases, data): (&Batch, &Batch),
    constraints: &Manipulation,
    goal: Goal,
    seed: u64,
    model: Model<'_>,
) -> Result<Found, Impossible> {
    let ground = Ground::of(cases, data, constraints)?;
    let mut rng = SplitMix64::new(seed);
    let mut asker = Asker { model, stopped: None };
    let answers = asker.ask(cases);
    let rows = drawn(data.rows(), EXAMPLES, &mut rng);
    let of_rows = asker.ask(&data.take(&rows));
    let rows_asked_of_data = if asker.stopped.is_none() { rows.len() as u64 } else { 0 };
    let examples: Vec<(usize, Answer)> =
        rows.into_iter().zip(of_rows).filter_map(|(row, answer)| Some((row, answer?))).collect();
    let mut known = answers.iter().flatten().chain(examples.iter().map(|(_, answer)| answer)).peekable();
    let is_decision_only = known.peek().is_some() && known.all(Answer::is_decision_only);
    let mut found: Vec<CaseFound> = Vec::new();
    let mut hunts: Vec<Hunt> = Vec::new();
    for (case, answer) in answers.into_iter().enumerate() {
        match hunt_of(&ground, case, answer.clone(), goal) {
            Ok(hunt) => hunts.push(hunt),
            // Without a model nothing is known of a case.
            Err(_) if asker.stopped.is_some() => found.push(unfinished(case, answer, 0)),
            Err(reason) => {
                let outcome = Outcome::Skipped { reason };
                found.push(CaseFound { case, answer, queries: 1, outcome, alone: Vec::new() });
            }
        }
    }
    let effort = Effort {
        budget: constraints.budget,
        queries: u64::from(constraints.queries),
        // Answers of yes and no give a beam nothing to follow: its questions are kept for starts from rows.
        levers_max: if is_decision_only { 1 } else { LEVERS_MAX },
        beam: BEAM,
        restarts: RESTARTS,
    };
    let was_searched = !hunts.is_empty();
    run(&mut hunts, &ground, &effort, &examples, &mut rng, &mut asker);
    if was_searched && asker.stopped.is_none() && hunts.iter().all(|hunt| !hunt.is_movable) {
        return Err(Impossible::NothingMoves);
    }
    found.extend(hunts.iter().map(|hunt| of_hunt(hunt, &ground, effort.budget)));
    found.sort_by_key(|of| of.case);
    let lever = |of: &Grounded| LeverFound {
        feature: of.feature.clone(),
        constraint: of.constraint(),
        cost: of.cost,
    };
    let levers = ground.levers.iter().map(lever).collect();
    Ok(Found { cases: found, levers, rows_asked_of_data, is_decision_only, stopped: asker.stopped })
}

/// The search in a case, or why there is none.
fn hunt_of(ground: &Ground<'_>, case: usize, answer: Option<Answer>, goal: Goal) -> Result<Hunt, String> {
    let answer = answer.ok_or("the model gives no answer to it")?;
    let target = goal.target(&answer).ok_or("its decision is the wanted one already, or none")?;
    match ground.broken_before(case) {
        Some(relation) => Err(format!("it breaks `{relation}` before any change")),
        None => Ok(Hunt::of(case, answer, target, ground.levers.len())),
    }
}

fn unfinished(case: usize, answer: Option<Answer>, queries: u64) -> CaseFound {
    CaseFound { case, answer, queries, outcome: Outcome::Unfinished, alone: Vec::new() }
}

/// All searches side by side, until none has a question left, or the model can no longer be asked.
fn run(
    hunts: &mut [Hunt],
    ground: &Ground<'_>,
    effort: &Effort,
    examples: &[(usize, Answer)],
    rng: &mut SplitMix64,
    asker: &mut Asker<'_>,
) {
    while asker.stopped.is_none() {
        let wishes: Vec<Vec<Point>> =
            hunts.iter_mut().map(|hunt| hunt.wishes(ground, effort, examples, rng)).collect();
        let of_hunt = |(hunt, points): (&Hunt, &Vec<Point>)| vec![hunt.case; points.len()];
        let cases = hunts.iter().zip(&wishes).flat_map(of_hunt);
        let asked: Vec<(usize, &[Option<f64>])> =
            cases.zip(wishes.iter().flatten().map(Vec::as_slice)).collect();
        if asked.is_empty() {
            return;
        }
        let mut answers = Vec::with_capacity(asked.len());
        for part in asked.chunks(ROWS_PER_CALL) {
            answers.extend(asker.ask(&ground.changed(part)));
        }
        if asker.stopped.is_some() {
            return;
        }
        let mut at = 0;
        for (hunt, points) in hunts.iter_mut().zip(wishes) {
            let many = points.len();
            hunt.hear(ground, effort, points, &answers[at..at + many]);
            at += many;
        }
    }
}

fn of_hunt(hunt: &Hunt, ground: &Ground<'_>, budget: f64) -> CaseFound {
    let outcome = match &hunt.best {
        _ if !hunt.is_at_its_end() => Outcome::Unfinished,
        Some(best) if best.cost <= budget && hunt.is_confirmed == Some(true) => {
            let changes = changes(ground, hunt.case, &best.point);
            Outcome::Flipped(Counterexample { cost: best.cost, answer: best.answer.clone(), changes })
        }
        Some(best) if best.cost <= budget && hunt.is_confirmed == Some(false) => {
            Outcome::Skipped { reason: "the model answered otherwise when it was asked again".into() }
        }
        _ => Outcome::Held,
    };
    let alone = |(lever, of): (usize, &Option<(f64, f64)>)| {
        let (value, cost) = (*of)?;
        let mut point = vec![None; ground.levers.len()];
        point[lever] = Some(value);
        if cost <= budget { changes(ground, hunt.case, &point).pop() } else { None }
    };
    let is_flipped = matches!(outcome, Outcome::Flipped(_));
    CaseFound {
        case: hunt.case,
        answer: Some(hunt.answer().clone()),
        queries: hunt.spent,
        alone: hunt.alone.iter().enumerate().filter(|_| is_flipped).filter_map(alone).collect(),
        outcome,
    }
}

/// What a change is made of, the dearest first.
fn changes(ground: &Ground<'_>, case: usize, point: &[Option<f64>]) -> Vec<Change> {
    let of_lever = |(at, lever): (usize, &Grounded)| {
        let (to, from) = (point[at]?, ground.original(at, case)?);
        let by = lever.is_numeric().then_some(to - from);
        let by_share = by.filter(|_| from != 0.0).map(|by| by / from.abs());
        let before = ground.cases.column(&lever.feature)?.text(case)?;
        let (feature, cost) = (lever.feature.clone(), lever.cost_of(from, to));
        Some(Change { feature, from: before, to: lever.words(to), by, by_share, cost })
    };
    let mut changes: Vec<Change> = ground.levers.iter().enumerate().filter_map(of_lever).collect();
    changes.sort_by(|a, b| b.cost.total_cmp(&a.cost));
    changes
}

/// The model, for as long as it can be asked.
struct Asker<'a> {
    model: Model<'a>,
    stopped: Option<String>,
}

impl Asker<'_> {
    /// An answer for each row; none for any where the model can no longer be asked.
    fn ask(&mut self, batch: &Batch) -> Vec<Option<Answer>> {
        let rows: Vec<usize> = (0..batch.rows()).collect();
        let mut answers: Vec<Option<Answer>> = Vec::with_capacity(rows.len());
        for part in rows.chunks(ROWS_PER_CALL) {
            if self.stopped.is_some() {
                break;
            }
            match (self.model)(&batch.take(part)) {
                Ok(of_part) if of_part.len() == part.len() => answers.extend(of_part),
                Ok(of_part) => {
                    let (asked, answered) = (part.len(), of_part.len());
                    self.stopped =
                        Some(format!("it was asked about {asked} rows and answered for {answered}"));
                }
                Err(error) => self.stopped = Some(error),
            }
        }
        answers.resize(batch.rows(), None);
        answers
    }
}

#[cfg(test)]
mod tests;
