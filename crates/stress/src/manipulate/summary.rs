//! What searches in many cases say together: how many are flipped for how much, and by which levers.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use stats::bootstrap::{BootstrapMethod, BootstrapOptions, stratified_bootstrap};
use stats::classification::Estimate;
use stats::interval::Level;
use stats::proportion::Proportion;
use stats::random::SplitMix64;

use super::{Counterexample, Found, Outcome};

/// A search over many cases in a few numbers. Shares are of the cases that were searched, and lower bounds.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Summary {
    pub searched: u64,
    pub skipped: u64,
    pub flipped: Option<Estimate>,
    /// The share of cases that are flipped at a cost of at most the budget, with Wilson's interval.
    pub curve: Vec<(f64, Estimate)>,
    /// Of the cases that were flipped, with bootstrap percentiles.
    pub median_cost: Option<Estimate>,
    pub median_queries: Option<f64>,
    /// The most used first.
    pub levers: Vec<LeverUse>,
}

/// How a feature is used in the cheapest changes.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct LeverUse {
    pub feature: String,
    /// Flipped cases whose cheapest change uses it, among all that were searched.
    pub used: Estimate,
    /// Cases that it flips alone.
    pub alone: Estimate,
    /// Of numbers: cases in which it goes up, and down.
    pub up: u64,
    pub down: u64,
    /// The median of the changes of its value, with their sign, as numbers and as shares of the value before.
    pub median_change: Option<f64>,
    pub median_change_share: Option<f64>,
    /// Of categories: the value that it is changed to most often.
    pub most_frequent_to: Option<String>,
}

/// Points of the curve where no budgets are named.
const POINTS: u32 = 20;

/// The summary of a search; `budgets` are the points of the curve, empty for twenty even ones up to the budget.
pub fn summary(found: &Found, budgets: &[f64], seed: u64) -> Summary {
    let changes: Vec<&Counterexample> = found
        .cases
        .iter()
        .filter_map(|case| match &case.outcome {
            Outcome::Flipped(change) => Some(change),
            Outcome::Held | Outcome::Skipped { .. } => None,
        })
        .collect();
    let is_skipped = |outcome: &Outcome| matches!(outcome, Outcome::Skipped { .. });
    let skipped = found.cases.iter().filter(|case| is_skipped(&case.outcome)).count() as u64;
    let searched = found.cases.len() as u64 - skipped;
    let even: Vec<f64> = (1..=POINTS).map(|at| found.budget * f64::from(at) / f64::from(POINTS)).collect();
    let budgets = if budgets.is_empty() { &even } else { budgets };
    let at_most = |budget: f64| changes.iter().filter(|change| change.cost <= budget).count() as u64;
    let curve = budgets.iter().filter_map(|&budget| Some((budget, share(at_most(budget), searched)?)));
    let queries: Vec<f64> = found
        .cases
        .iter()
        .filter(|case| !is_skipped(&case.outcome))
        .map(|case| case.queries as f64)
        .collect();
    Summary {
        searched,
        skipped,
        flipped: share(changes.len() as u64, searched),
        curve: curve.collect(),
        median_cost: median_cost(&changes, seed),
        median_queries: median(queries),
        levers: levers(&changes, searched),
    }
}

fn share(cases: u64, of: u64) -> Option<Estimate> {
    let share = Proportion::new(cases, of).ok()?;
    Some(Estimate { value: share.share(), interval: share.wilson(Level::P95), n: of, error_bound: 0.0 })
}

fn median_cost(changes: &[&Counterexample], seed: u64) -> Option<Estimate> {
    let costs: Vec<f64> = changes.iter().map(|change| change.cost).collect();
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

fn levers(changes: &[&Counterexample], searched: u64) -> Vec<LeverUse> {
    let mut uses: BTreeMap<&str, Vec<(&super::Change, bool)>> = BTreeMap::new();
    for counterexample in changes {
        let is_alone = counterexample.changes.len() == 1;
        for change in &counterexample.changes {
            uses.entry(&change.feature).or_default().push((change, is_alone));
        }
    }
    let of_feature = |(feature, uses): (&str, Vec<(&super::Change, bool)>)| {
        let by: Vec<f64> = uses.iter().filter_map(|(change, _)| change.by).collect();
        let count = |is: fn(&f64) -> bool| by.iter().filter(|by| is(by)).count() as u64;
        let mut to: BTreeMap<&str, u64> = BTreeMap::new();
        for (change, _) in uses.iter().filter(|(change, _)| change.by.is_none()) {
            *to.entry(&change.to).or_default() += 1;
        }
        Some(LeverUse {
            feature: feature.to_owned(),
            used: share(uses.len() as u64, searched)?,
            alone: share(uses.iter().filter(|(_, is_alone)| *is_alone).count() as u64, searched)?,
            up: count(|by| *by > 0.0),
            down: count(|by| *by < 0.0),
            median_change_share: median(uses.iter().filter_map(|(change, _)| change.by_share).collect()),
            median_change: median(by),
            most_frequent_to: to.into_iter().max_by_key(|(_, count)| *count).map(|(to, _)| to.to_owned()),
        })
    };
    let mut levers: Vec<LeverUse> = uses.into_iter().filter_map(of_feature).collect();
    levers.sort_by(|a, b| b.used.value.total_cmp(&a.used.value));
    levers
}
