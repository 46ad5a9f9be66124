//! Graceful degradation: what to answer while an input is down, and which way costs least.
//!
//! # What it measures
//!
//! For an outage that is rehearsed on rows with known outcomes: the mean cost of a row under each [`Strategy`], row by
//! row against doing nothing, and whether the cheapest is cheaper than the next beyond chance.
//!
//! # When it misleads
//!
//! * Costs are as good as the numbers given for wrong decisions, for a person's time, and for no answer.
//! * An outage that is rehearsed completely at random is kinder than one that begins when the world changes.
//! * The cheapest of several looks cheaper than it is. All pairs of strategies are compared at once (Bonferroni), so
//!   that a difference called beyond chance is one; the mean itself is still of the best of several.
//!
//! # Formula
//!
//! The cost of an answer is that of its decision and the outcome, or a price per unit of error; an abstention and a
//! missing answer have prices of their own. Means with stats' interval of a mean loss; differences with Student's
//! interval of the mean of paired differences, at `1 − α / (k (k − 1) / 2)` for `k` strategies.
//!
//! # References
//!
//! * C. Elkan, "The foundations of cost-sensitive learning", IJCAI 2001.
//! * C. K. Chow, "On optimum recognition error and reject tradeoff", IEEE Transactions on Information Theory 16, 1970:
//!   abstaining at a price.
//! * M. T. Nygard, "Release it!", 2007: circuit breakers.

pub mod breaker;
pub mod impute;
pub mod policy;

use std::collections::HashMap;

use serde::{Deserialize, Serialize};
use stats::classification::Estimate;
use stats::interval::{Interval, Level};
use stats::mean_loss::mean_loss;
use stats::paired::mean_loss::{PairedMeanLoss, paired_mean_loss};
use types::definition::{Breaker, Cost};

use self::breaker::lets_through;

/// What is done while an input is down.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "strategy", rename_all = "kebab-case", deny_unknown_fields)]
pub enum Strategy {
    /// The model is asked with what there is.
    Nothing,
    /// What is missing is filled with the reference's median or most frequent value.
    ImputeUsual,
    /// What is missing is filled from the reference's rows that are nearest in the other features.
    ImputeNearest { neighbours: usize },
    /// A model is asked that does without the features.
    ReducedModel { model: String },
    /// Another model is asked.
    FallbackModel { model: String },
    /// The last answer about the same thing.
    CachedAnswer,
    /// Always this answer.
    Constant { answer: f64 },
    /// No answer: a person decides.
    Abstain,
    /// After failures in a row the model is left alone for a while, and something else is done.
    CircuitBreaker { breaker: Breaker, meanwhile: Box<Strategy> },
}

impl Strategy {
    /// As in "the cheapest is to …".
    pub fn words(&self) -> String {
        match self {
            Self::Nothing => "ask the model with what there is".into(),
            Self::ImputeUsual => "fill in the most usual values".into(),
            Self::ImputeNearest { neighbours } => format!("fill in from the {neighbours} nearest rows"),
            Self::ReducedModel { model } => format!("ask `{model}`, which does without the features"),
            Self::FallbackModel { model } => format!("ask `{model}` instead"),
            Self::CachedAnswer => "repeat the last answer".into(),
            Self::Constant { answer } => format!("answer {answer}"),
            Self::Abstain => "send the case to a person".into(),
            Self::CircuitBreaker { breaker, meanwhile } => {
                format!("after {} failures in a row {}", breaker.failures, meanwhile.words())
            }
        }
    }
}

/// What a row gets.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Reply {
    Answer(f64),
    /// A person decides.
    Abstained,
    /// Neither: the caller is left alone.
    Nothing,
}

impl From<Option<f64>> for Reply {
    fn from(answer: Option<f64>) -> Self {
        answer.filter(|answer| answer.is_finite()).map_or(Self::Nothing, Self::Answer)
    }
}

/// The last known answer about each row's key before it, from earlier rows: those of the reference first, then rows of
/// the batch that the outage has not touched.
pub fn cached_answers(
    before: &[(String, f64)],
    keys: &[Option<String>],
    clean: &[Option<f64>],
    mask: &[bool],
) -> Vec<Reply> {
    let mut last: HashMap<&str, f64> = before.iter().map(|(key, answer)| (key.as_str(), *answer)).collect();
    let mut replies = Vec::with_capacity(keys.len());
    for ((key, clean), is_touched) in keys.iter().zip(clean).zip(mask) {
        let cached = key.as_deref().and_then(|key| last.get(key).copied());
        replies.push(Reply::from(if *is_touched { cached } else { *clean }));
        if let (Some(key), Some(answer), false) = (key.as_deref(), clean, is_touched) {
            last.insert(key, *answer);
        }
    }
    replies
}

/// `degraded` in the rows that an outage touches, the model's answers in all others.
pub fn where_touched(mask: &[bool], clean: &[Option<f64>], degraded: &[Reply]) -> Vec<Reply> {
    let rows = mask.iter().zip(clean).zip(degraded);
    rows.map(|((is_touched, clean), reply)| if *is_touched { *reply } else { Reply::from(*clean) }).collect()
}

/// What each row gets where the model is asked through a circuit breaker: `replies` are the model's, in a row without
/// one it fails; `meanwhile` is done where it fails, and where it is not asked.
pub fn through_breaker(breaker: Breaker, replies: &[Reply], meanwhile: &Tried) -> Tried {
    let fails: Vec<bool> = replies.iter().map(|reply| *reply == Reply::Nothing).collect();
    let asked = lets_through(breaker, &fails);
    let of_row = |row: usize| if asked[row] && !fails[row] { replies[row] } else { meanwhile.replies[row] };
    Tried {
        strategy: Strategy::CircuitBreaker { breaker, meanwhile: Box::new(meanwhile.strategy.clone()) },
        replies: (0..replies.len()).map(of_row).collect(),
        waits: asked.iter().zip(&fails).map(|(asked, fails)| *asked && *fails).collect(),
    }
}

/// What replies cost.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Prices {
    pub of_answers: OfAnswers,
    /// A person's time for a row, and what waiting costs.
    pub abstaining: f64,
    /// A row that gets neither an answer nor a person.
    pub no_answer: f64,
    /// Waiting for a model that does not answer.
    pub waiting: f64,
}

/// The price of an answer, given what happened.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum OfAnswers {
    /// By the definition's costs; yes is a score of at least the threshold.
    Binary { threshold: f64, cost: Cost },
    /// By the definition's matrix; answers and outcomes are positions of `classes`.
    Classes { classes: Vec<String>, cost: Cost },
    /// Per unit of error of a number.
    Number { per_unit: f64 },
}

impl Prices {
    /// The definition's costs for a binary decision; no answer costs as much as the dearer mistake.
    pub fn binary(threshold: f64, cost: Cost, abstaining: f64) -> Self {
        let no_answer = cost.false_positive.max(cost.false_negative);
        Self { of_answers: OfAnswers::Binary { threshold, cost }, abstaining, no_answer, waiting: 0.0 }
    }

    fn of(&self, reply: Reply, outcome: f64) -> f64 {
        let answer = match reply {
            Reply::Answer(answer) => answer,
            Reply::Abstained => return self.abstaining,
            Reply::Nothing => return self.no_answer,
        };
        match &self.of_answers {
            OfAnswers::Binary { threshold, cost } => match (answer >= *threshold, outcome >= 0.5) {
                (true, true) => cost.true_positive,
                (true, false) => cost.false_positive,
                (false, true) => cost.false_negative,
                (false, false) => cost.true_negative,
            },
            OfAnswers::Classes { classes, cost } => {
                let name = |position: f64| classes.get(position as usize).map_or("", String::as_str);
                let of_happened = cost.matrix.get(name(outcome));
                let named = of_happened.and_then(|of_predicted| of_predicted.get(name(answer)));
                named.copied().unwrap_or_else(|| f64::from(u8::from(answer != outcome)))
            }
            OfAnswers::Number { per_unit } => (answer - outcome).abs() * per_unit,
        }
    }
}

/// A strategy and what each row gets by it.
#[derive(Clone, Debug, PartialEq)]
pub struct Tried {
    pub strategy: Strategy,
    pub replies: Vec<Reply>,
    /// Rows in which somebody waits for a model that does not answer, before that; none of them where it is empty.
    pub waits: Vec<bool>,
}

impl Tried {
    /// Nobody waits.
    pub fn at_once(strategy: Strategy, replies: Vec<Reply>) -> Self {
        Self { strategy, replies, waits: Vec::new() }
    }
}

/// Strategies by what they cost.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Weighed {
    /// Rows whose outcome is known.
    pub rows: u64,
    /// The cheapest first.
    pub strategies: Vec<StrategyCost>,
    /// The mean cost of the second less that of the cheapest, at a level that holds for all pairs at once.
    pub next_less_best: Option<PairedMeanLoss>,
    /// Whether the cheapest is cheaper than the next beyond chance.
    pub is_best_beyond_chance: bool,
}

/// What a strategy costs.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct StrategyCost {
    pub strategy: Strategy,
    /// Per row.
    pub mean: Estimate,
    /// Less that of doing nothing, where that was tried; below 0 it saves. At a level that holds for all pairs.
    pub against_nothing: Option<PairedMeanLoss>,
    pub abstained: u64,
    pub unanswered: u64,
}

impl StrategyCost {
    /// Whether it surely costs less than doing nothing.
    pub fn surely_saves(&self) -> bool {
        self.against_nothing.is_some_and(|against| against.difference.interval.upper < 0.0)
    }
}

/// Why strategies cannot be weighed.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
pub enum WeighError {
    #[error("there is no strategy to weigh")]
    NoStrategy,
    #[error("strategy `{strategy}` has {replies} replies for {outcomes} rows")]
    LengthsDiffer { strategy: String, replies: usize, outcomes: usize },
    #[error("{rows} rows have an outcome, and it takes 2 for an interval")]
    TooFewRows { rows: usize },
    #[error("strategy `{strategy}` has costs that are no finite numbers")]
    NotFinite { strategy: String },
}

/// What each strategy costs over the rows whose outcome is known, the cheapest first.
///
/// # Errors
/// No strategy, replies for other rows, fewer than two outcomes, or costs that are not finite.
pub fn weigh(tried: &[Tried], outcomes: &[Option<f64>], prices: &Prices) -> Result<Weighed, WeighError> {
    if tried.is_empty() {
        return Err(WeighError::NoStrategy);
    }
    let rows = outcomes.iter().flatten().count();
    if rows < 2 {
        return Err(WeighError::TooFewRows { rows });
    }
    let costs: Vec<Vec<f64>> =
        tried.iter().map(|of| costs(of, outcomes, prices)).collect::<Result<_, _>>()?;
    let pairs = tried.len() * (tried.len() - 1) / 2;
    let level = Level::P95.for_each_of(pairs);
    let nothing = tried.iter().position(|of| of.strategy == Strategy::Nothing);
    let mut weighed: Vec<(usize, StrategyCost)> = Vec::with_capacity(tried.len());
    for (at, of) in tried.iter().enumerate() {
        let refused = || WeighError::NotFinite { strategy: of.strategy.words() };
        let mean = mean_cost(&costs[at]).ok_or_else(refused)?;
        let against = nothing.filter(|nothing| *nothing != at);
        let known = of.replies.iter().zip(outcomes).filter(|(_, outcome)| outcome.is_some());
        let count = |wanted| known.clone().filter(|(reply, _)| **reply == wanted).count() as u64;
        let cost = StrategyCost {
            strategy: of.strategy.clone(),
            mean,
            against_nothing: against
                .and_then(|other| paired_mean_loss(&costs[other], &costs[at], level).ok()),
            abstained: count(Reply::Abstained),
            unanswered: count(Reply::Nothing),
        };
        weighed.push((at, cost));
    }
    weighed.sort_by(|a, b| a.1.mean.value.total_cmp(&b.1.mean.value));
    let next_less_best = match weighed.as_slice() {
        [(best, _), (next, _), ..] => paired_mean_loss(&costs[*best], &costs[*next], level).ok(),
        _ => None,
    };
    Ok(Weighed {
        rows: rows as u64,
        is_best_beyond_chance: next_less_best.is_some_and(|next| next.difference.interval.lower > 0.0),
        next_less_best,
        strategies: weighed.into_iter().map(|(_, cost)| cost).collect(),
    })
}

/// The mean of costs, some of which may be gains: a mean loss above the lowest of them.
fn mean_cost(costs: &[f64]) -> Option<Estimate> {
    let least = costs.iter().copied().fold(0.0, f64::min);
    let above = mean_loss(costs.iter().map(|cost| cost - least), false, Level::P95)?;
    let (lower, upper) = (above.interval.lower + least, above.interval.upper + least);
    Some(Estimate {
        value: above.value + least,
        interval: Interval { lower, upper, ..above.interval },
        ..above
    })
}

fn costs(tried: &Tried, outcomes: &[Option<f64>], prices: &Prices) -> Result<Vec<f64>, WeighError> {
    let strategy = || tried.strategy.words();
    if tried.replies.len() != outcomes.len() {
        let (replies, outcomes) = (tried.replies.len(), outcomes.len());
        return Err(WeighError::LengthsDiffer { strategy: strategy(), replies, outcomes });
    }
    let rows = tried.replies.iter().zip(outcomes).enumerate();
    let waiting = |row| if tried.waits.get(row) == Some(&true) { prices.waiting } else { 0.0 };
    let costs: Vec<f64> = rows
        .filter_map(|(row, (reply, outcome))| Some(prices.of(*reply, (*outcome)?) + waiting(row)))
        .collect();
    if costs.iter().all(|cost| cost.is_finite()) {
        Ok(costs)
    } else {
        Err(WeighError::NotFinite { strategy: strategy() })
    }
}

#[cfg(test)]
mod tests;
