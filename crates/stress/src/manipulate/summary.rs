//! What searches in many cases say together: how many are flipped for how much, and by which levers.

use std::collections::BTreeMap;

use stats::bootstrap::{BootstrapMethod, BootstrapOptions, stratified_bootstrap};
use stats::classification::Estimate;
use stats::interval::Level;
use stats::proportion::Proportion;
use stats::random::SplitMix64;

use super::{CaseFound, Change, Counterexample, Found, Outcome};

/// A search over many cases in a few numbers. Shares are of the cases that were searched to the end, and lower bounds.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Summary {
    pub searched: u64,
    pub flipped: u64,
    pub flipped_share: Option<Estimate>,
    /// Costs, and the share of cases that are flipped for at most so much, with Wilson's interval.
    pub curve: Vec<(f64, Estimate)>,
    /// Of the cases that were flipped, with bootstrap percentiles.
    pub median_cost: Option<Estimate>,
    pub median_queries: Option<f64>,
    /// The most used first.
    pub levers: Vec<LeverUse>,
    /// Cases that were not searched to the end, by reason.
    pub left_out: BTreeMap<String, u64>,
}

/// How a feature is used in the cheapest changes, and what it does with no other one.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct LeverUse {
    /// Its position among the levers of the search.
    pub lever: usize,
    /// Cases whose cheapest change has a part of it.
    pub used: Estimate,
    /// Cases that it flips alone within the budget.
    pub alone: Estimate,
    pub how: Option<How>,
}

/// What flips cases alone, in one word and one number.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum How {
    /// Of numbers: whether all are raised, or all lowered, and the median size of the change, by preference as a share
    /// of the value before.
    Number { way: Way, median: f64, is_share: bool },
    /// Of categories: what they are changed to most often.
    Category { to: String },
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Way {
    Up,
    Down,
    Mixed,
}

/// Points of the curve.
const POINTS: u32 = 20;

pub(super) fn summary(found: &Found, budget: f64, seed: u64) -> Summary {
    let is_searched = |case: &&CaseFound| matches!(case.outcome, Outcome::Flipped(_) | Outcome::Held);
    let searched: Vec<&CaseFound> = found.cases.iter().filter(is_searched).collect();
    let flips: Vec<&Counterexample> = searched.iter().filter_map(|case| flip(case)).collect();
    let n = searched.len() as u64;
    let costs = (0..=POINTS).map(|at| budget * f64::from(at) / f64::from(POINTS));
    let at_most = |cost: f64| flips.iter().filter(|flip| flip.cost <= cost).count() as u64;
    let mut left_out: BTreeMap<String, u64> = BTreeMap::new();
    for case in &found.cases {
        match &case.outcome {
            Outcome::Skipped { reason } => *left_out.entry(reason.clone()).or_default() += 1,
            Outcome::Unfinished => *left_out.entry(UNFINISHED.to_owned()).or_default() += 1,
            Outcome::Flipped(_) | Outcome::Held => {}
        }
    }
    Summary {
        searched: n,
        flipped: flips.len() as u64,
        flipped_share: share(flips.len() as u64, n),
        curve: costs.filter_map(|cost| Some((cost, share(at_most(cost), n)?))).collect(),
        median_cost: median_cost(&flips, seed),
        median_queries: median(searched.iter().map(|case| case.queries as f64).collect()),
        levers: levers(found, &searched),
        left_out,
    }
}

const UNFINISHED: &str = "the search ended before its end";

pub(super) fn flip(case: &CaseFound) -> Option<&Counterexample> {
    match &case.outcome {
        Outcome::Flipped(of) => Some(of),
        Outcome::Held | Outcome::Skipped { .. } | Outcome::Unfinished => None,
    }
}

fn share(cases: u64, of: u64) -> Option<Estimate> {
    let share = Proportion::new(cases, of).ok()?;
    Some(Estimate { value: share.share(), interval: share.wilson(Level::P95), n: of, error_bound: 0.0 })
}

fn median_cost(flips: &[&Counterexample], seed: u64) -> Option<Estimate> {
    let costs: Vec<f64> = flips.iter().map(|flip| flip.cost).collect();
    let of_rows = |rows: &[u32]| median(rows.iter().map(|&row| costs[row as usize]).collect());
    let options = BootstrapOptions { method: BootstrapMethod::Percentile, ..BootstrapOptions::default() };
    let strata = vec![0; costs.len()];
    Some(stratified_bootstrap(&strata, of_rows, options, &mut SplitMix64::new(seed)).ok()?.estimate)
}

fn median(mut values: Vec<f64>) -> Option<f64> {
    values.sort_by(f64::total_cmp);
    let n = values.len();
    if n == 0 { None } else { Some(f64::midpoint(values[(n - 1) / 2], values[n / 2])) }
}

fn levers(found: &Found, searched: &[&CaseFound]) -> Vec<LeverUse> {
    let n = searched.len() as u64;
    let of_lever = |(lever, of): (usize, &super::LeverFound)| {
        let is_of = |change: &&Change| change.feature == of.feature;
        let used = searched.iter().filter_map(|case| flip(case));
        let used = used.filter(|flip| flip.changes.iter().any(|change| is_of(&change))).count() as u64;
        let alone: Vec<&Change> = searched.iter().filter_map(|case| case.alone.iter().find(is_of)).collect();
        let (used, alone_share) = (share(used, n)?, share(alone.len() as u64, n)?);
        Some(LeverUse { lever, used, alone: alone_share, how: how(&alone) })
    };
    let mut levers: Vec<LeverUse> = found.levers.iter().enumerate().filter_map(of_lever).collect();
    levers
        .sort_by(|a, b| b.used.value.total_cmp(&a.used.value).then(b.alone.value.total_cmp(&a.alone.value)));
    levers
}

fn how(alone: &[&Change]) -> Option<How> {
    let by: Vec<f64> = alone.iter().filter_map(|change| change.by).collect();
    if by.is_empty() {
        let mut to: BTreeMap<&str, u64> = BTreeMap::new();
        for change in alone {
            *to.entry(&change.to).or_default() += 1;
        }
        let (to, _) = to.into_iter().max_by_key(|(_, count)| *count)?;
        return Some(How::Category { to: to.to_owned() });
    }
    let way = match (by.iter().all(|by| *by > 0.0), by.iter().all(|by| *by < 0.0)) {
        (true, _) => Way::Up,
        (_, true) => Way::Down,
        _ => Way::Mixed,
    };
    // Of 0 there is no share.
    let shares: Option<Vec<f64>> = alone.iter().map(|change| change.by_share.map(f64::abs)).collect();
    let is_share = shares.is_some();
    let sizes = shares.unwrap_or_else(|| by.iter().map(|by| by.abs()).collect());
    Some(How::Number { way, median: median(sizes)?, is_share })
}
