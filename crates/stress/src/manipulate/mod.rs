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
//! the change that was found is let go of, or pulled less (bisection), as long as the decision stays flipped.
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
pub mod relation;
mod summary;

use serde::{Deserialize, Serialize};
use stats::random::SplitMix64;
use types::batch::Batch;

use self::constraints::{Constraints, Ground, Grounded, Impossible, Point};
use self::hunt::{Hunt, Target, drawn};
pub use self::summary::{LeverUse, Summary, summary};

/// What a change is to bring about.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Goal {
    /// The other decision: yes is a score of at least the threshold.
    Flip { threshold: f64 },
    /// A score that is higher, or lower, by so much.
    Move { by: f64 },
}

impl Goal {
    fn target(self, score: f64) -> Target {
        match self {
            Self::Flip { threshold } => {
                let is_up = score < threshold;
                Target { at: threshold, is_up, is_beyond: !is_up }
            }
            Self::Move { by } => Target { at: score + by, is_up: by >= 0.0, is_beyond: false },
        }
    }
}

/// How hard is searched.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Settings {
    /// The largest cost of a change.
    pub budget: f64,
    /// Questions to the model for one case, at most.
    pub queries: u64,
    /// Levers that are pulled together, at most, unless the search starts from a row of the data.
    pub levers_max: usize,
    /// Changes that are pursued side by side.
    pub beam: usize,
    /// Rows of the data that a search starts from again, at most.
    pub restarts: usize,
    /// Rows of the data that are asked for their decision, once for all cases.
    pub examples: usize,
    /// Rows in one question.
    pub rows_per_call: usize,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            budget: 1.0,
            queries: 500,
            levers_max: 3,
            beam: 4,
            restarts: 10,
            examples: 200,
            rows_per_call: 4096,
        }
    }
}

/// What a search found.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Found {
    pub cases: Vec<CaseFound>,
    pub budget: f64,
    /// All questions, those about rows of the data included.
    pub rows_asked: u64,
    /// The model answers only 0 or 1, so that there was nothing to follow.
    pub is_decision_only: bool,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct CaseFound {
    /// Its row among the cases.
    pub case: usize,
    pub score: Option<f64>,
    pub queries: u64,
    pub outcome: Outcome,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Outcome {
    Flipped(Counterexample),
    /// Nothing was found within the budget.
    Held,
    /// Not searched.
    Skipped {
        reason: String,
    },
}

/// A change that brings the wanted answer about; it was asked twice.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Counterexample {
    pub cost: f64,
    pub score: f64,
    /// The dearest first.
    pub changes: Vec<Change>,
}

/// One feature's part of a change.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
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

/// Why there was no search.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
pub enum SearchError<E> {
    #[error(transparent)]
    Impossible(#[from] Impossible),
    #[error("the model could not be asked: {0}")]
    Model(E),
    #[error("the model was asked about {asked} rows and answered {answered}")]
    AnswersDiffer { asked: usize, answered: usize },
}

/// A model: rows in, an answer for each out, `None` where there is none.
pub type Model<'a, E> = &'a mut dyn FnMut(&Batch) -> Result<Vec<Option<f64>>, E>;

/// Searches the cheapest change for each of `cases`; `data` are ordinary rows, which say what values there are.
///
/// # Errors
/// Constraints that leave nothing to try, and a model that cannot be asked.
pub fn search<E>(
    (cases, data): (&Batch, &Batch),
    constraints: &Constraints,
    goal: Goal,
    settings: &Settings,
    seed: u64,
    model: Model<'_, E>,
) -> Result<Found, SearchError<E>> {
    if !(settings.budget > 0.0 && settings.budget.is_finite()) {
        return Err(Impossible::NoBudget { budget: settings.budget }.into());
    }
    let ground = Ground::of(cases, data, constraints)?;
    let mut rng = SplitMix64::new(seed);
    let mut asker = Asker { model, rows_per_call: settings.rows_per_call.max(1), rows_asked: 0 };
    let scores = asker.ask(cases)?;
    let rows = drawn(data.rows(), settings.examples, &mut rng);
    let of_rows = asker.ask(&data.take(&rows))?;
    let examples: Vec<(usize, f64)> =
        rows.into_iter().zip(of_rows).filter_map(|(row, score)| Some((row, score?))).collect();
    let is_decision = |score: f64| score == 0.0 || score == 1.0;
    let mut answers = scores.iter().flatten().copied().chain(examples.iter().map(|(_, score)| *score));
    let is_decision_only = answers.all(is_decision);
    let mut found: Vec<CaseFound> = Vec::new();
    let mut hunts: Vec<Hunt> = Vec::new();
    for (case, score) in scores.into_iter().enumerate() {
        let skipped = |reason| CaseFound { case, score, queries: 1, outcome: Outcome::Skipped { reason } };
        match (score.filter(|score| score.is_finite()), ground.broken_before(case)) {
            (None, _) => found.push(skipped("the model gives no answer to it".into())),
            (_, Some(relation)) => found.push(skipped(format!("it breaks `{relation}` before any change"))),
            (Some(score), None) => hunts.push(Hunt::of(case, score, goal.target(score), ground.levers.len())),
        }
    }
    // Answers of yes and no give a beam nothing to follow: its questions are kept for starts from rows of the data.
    let levers_max = if is_decision_only { 1 } else { settings.levers_max };
    let settings = &Settings { levers_max, ..*settings };
    let was_searched = !hunts.is_empty();
    run(&mut hunts, &ground, settings, &examples, &mut rng, &mut asker)?;
    if was_searched && hunts.iter().all(|hunt| hunt.spent == 0) {
        return Err(Impossible::NothingMoves.into());
    }
    found.extend(hunts.iter().map(|hunt| of_hunt(hunt, &ground, settings.budget)));
    found.sort_by_key(|of| of.case);
    Ok(Found { cases: found, budget: settings.budget, rows_asked: asker.rows_asked, is_decision_only })
}

/// All searches side by side, until none has a question left.
fn run<E>(
    hunts: &mut [Hunt],
    ground: &Ground<'_>,
    settings: &Settings,
    examples: &[(usize, f64)],
    rng: &mut SplitMix64,
    asker: &mut Asker<'_, E>,
) -> Result<(), SearchError<E>> {
    loop {
        let wishes: Vec<Vec<Point>> =
            hunts.iter_mut().map(|hunt| hunt.wishes(ground, settings, examples, rng)).collect();
        let of_hunt = |(hunt, points): (&Hunt, &Vec<Point>)| vec![hunt.case; points.len()];
        let cases = hunts.iter().zip(&wishes).flat_map(of_hunt);
        let asked: Vec<(usize, &[Option<f64>])> =
            cases.zip(wishes.iter().flatten().map(Vec::as_slice)).collect();
        if asked.is_empty() {
            return Ok(());
        }
        let mut scores = Vec::with_capacity(asked.len());
        for part in asked.chunks(asker.rows_per_call) {
            scores.extend(asker.ask(&ground.changed(part))?);
        }
        let mut at = 0;
        for (hunt, points) in hunts.iter_mut().zip(wishes) {
            let many = points.len();
            hunt.hear(ground, settings, points, &scores[at..at + many]);
            at += many;
        }
    }
}

fn of_hunt(hunt: &Hunt, ground: &Ground<'_>, budget: f64) -> CaseFound {
    let outcome = match &hunt.best {
        Some(best) if best.cost <= budget && hunt.is_confirmed == Some(true) => {
            let changes = changes(ground, hunt.case, &best.point);
            Outcome::Flipped(Counterexample { cost: best.cost, score: best.score, changes })
        }
        Some(best) if best.cost <= budget && hunt.is_confirmed == Some(false) => {
            Outcome::Skipped { reason: "the model answered otherwise when it was asked again".into() }
        }
        _ => Outcome::Held,
    };
    // The question about the case itself is one of its queries.
    CaseFound { case: hunt.case, score: Some(hunt.score), queries: hunt.spent + 1, outcome }
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

/// The model, and how often it was asked.
struct Asker<'a, E> {
    model: Model<'a, E>,
    rows_per_call: usize,
    rows_asked: u64,
}

impl<E> Asker<'_, E> {
    fn ask(&mut self, batch: &Batch) -> Result<Vec<Option<f64>>, SearchError<E>> {
        let rows: Vec<usize> = (0..batch.rows()).collect();
        let mut answers = Vec::with_capacity(rows.len());
        for part in rows.chunks(self.rows_per_call) {
            let of_part = (self.model)(&batch.take(part)).map_err(SearchError::Model)?;
            if of_part.len() != part.len() {
                return Err(SearchError::AnswersDiffer { asked: part.len(), answered: of_part.len() });
            }
            answers.extend(of_part);
        }
        self.rows_asked += answers.len() as u64;
        Ok(answers)
    }
}

#[cfg(test)]
mod tests;
