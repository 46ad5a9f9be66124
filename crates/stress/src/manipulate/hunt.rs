//! The search in one case, as a dialogue: it wishes to have some changes asked, hears the answers, and wishes again.
//! So the wishes of many cases go to the model together.
//!
//! It grows changes lever by lever (a beam), starts again from rows of the data that have the wanted decision where
//! that finds none, makes the cheapest change smaller lever by lever (bisection), looks for a cheaper one with another
//! lever in the place of one, and has the result asked once more.

use std::collections::HashSet;

use rand_core::RngCore;
use stats::random::{SplitMix64, shuffle_front};

use super::Settings;
use super::constraints::{Ground, Point};

/// Where a score must get to.
#[derive(Clone, Copy, Debug)]
pub(super) struct Target {
    pub at: f64,
    pub is_up: bool,
    /// Whether `at` itself is not far enough.
    pub is_beyond: bool,
}

impl Target {
    /// How far a score has to go; at 0 or below there is nothing left, but for a target beyond its value.
    fn gap(self, score: f64) -> f64 {
        if self.is_up { self.at - score } else { score - self.at }
    }

    pub(super) fn is_reached(self, score: f64) -> bool {
        self.gap(score) < 0.0 || (self.gap(score) == 0.0 && !self.is_beyond)
    }
}

/// A change that was asked.
#[derive(Clone, Debug)]
pub(super) struct Asked {
    pub point: Point,
    pub cost: f64,
    pub score: f64,
    /// The levers in the order in which they were pulled, the most effective first as far as that is known.
    order: Vec<usize>,
}

#[derive(Debug)]
enum Phase {
    Grow {
        round: usize,
    },
    Restart,
    Shrink(Shrink),
    /// Another lever in the place of one, or of all, for less than this.
    Exchange {
        cost_before: f64,
    },
    Verify,
    Done,
}

/// One lever of a change is made smaller: what is known not to be enough, and what is.
#[derive(Debug)]
struct Shrink {
    /// Levers still to come in this pass.
    left: Vec<usize>,
    lever: Option<Bracket>,
    pass: usize,
    cost_before: f64,
}

#[derive(Debug)]
struct Bracket {
    lever: usize,
    /// Not enough, as far as is known.
    from: f64,
    /// Differences below it are not looked for.
    width_min: f64,
    is_back_tried: bool,
}

/// How often other levers are tried.
const EXCHANGES: usize = 3;
/// Questions of one such time, for each lever: half, a quarter and so on of the cost, up and down.
const EXCHANGE_QUERIES: usize = 8;
/// Passes over all levers of a change.
const PASSES: usize = 3;
/// A change is known to this share of its first size.
const PRECISION: f64 = 1.0 / 64.0;
/// What is kept of the queries for making a change smaller, as a share.
const RESERVE: f64 = 0.3;

#[derive(Debug)]
pub(super) struct Hunt {
    pub case: usize,
    target: Target,
    pub best: Option<Asked>,
    beam: Vec<Asked>,
    seen: HashSet<Vec<Option<u64>>>,
    pub spent: u64,
    phase: Phase,
    /// What the wishes of this turn came from: the state, and the lever that was pulled.
    parents: Vec<(usize, usize)>,
    exchanges: usize,
    /// The score before any change.
    pub score: f64,
    /// Whether the best change did it again when it was asked once more.
    pub is_confirmed: Option<bool>,
}

impl Hunt {
    pub(super) fn of(case: usize, score: f64, target: Target, levers: usize) -> Self {
        let start = Asked { point: vec![None; levers], cost: 0.0, score, order: Vec::new() };
        Self {
            case,
            target,
            best: None,
            seen: HashSet::from([key(&start.point)]),
            beam: vec![start],
            spent: 0,
            phase: Phase::Grow { round: 0 },
            parents: Vec::new(),
            exchanges: 0,
            score,
            is_confirmed: None,
        }
    }

    /// What is to be asked next; nothing where the search is at its end.
    pub(super) fn wishes(
        &mut self,
        ground: &Ground<'_>,
        settings: &Settings,
        examples: &[(usize, f64)],
        rng: &mut SplitMix64,
    ) -> Vec<Point> {
        loop {
            let left = settings.queries.saturating_sub(self.spent);
            let wishes = match &mut self.phase {
                Phase::Done => return Vec::new(),
                Phase::Grow { round } if *round < settings.levers_max => {
                    let reserve = (settings.queries as f64 * RESERVE) as u64;
                    self.grown(ground, settings, left.saturating_sub(reserve) as usize, rng)
                }
                Phase::Restart => self.borrowed(ground, settings, examples, left.saturating_sub(1) as usize),
                Phase::Exchange { .. } => {
                    let most = (ground.levers.len() * EXCHANGE_QUERIES).min(left.saturating_sub(1) as usize);
                    self.grown(ground, settings, most, rng)
                }
                // One query is kept to confirm.
                Phase::Shrink(_) if left > 1 => self.smaller(ground).into_iter().collect(),
                Phase::Grow { .. } | Phase::Shrink(_) => Vec::new(),
                Phase::Verify => {
                    self.best.iter().filter(|_| left > 0).map(|best| best.point.clone()).collect()
                }
            };
            if !wishes.is_empty() {
                self.spent += wishes.len() as u64;
                return wishes;
            }
            self.go_on(ground);
        }
    }

    /// The next phase, where one has nothing to ask.
    fn go_on(&mut self, ground: &Ground<'_>) {
        self.phase = match (&self.phase, &self.best) {
            (Phase::Grow { .. }, None) => Phase::Restart,
            (Phase::Grow { .. } | Phase::Restart, Some(best)) => Phase::Shrink(Shrink::of(best, 1)),
            (Phase::Shrink(shrink), Some(best))
                if shrink.pass < PASSES && best.cost < 0.99 * shrink.cost_before =>
            {
                Phase::Shrink(Shrink::of(best, shrink.pass + 1))
            }
            (Phase::Shrink(_), Some(best)) if self.exchanges < EXCHANGES => {
                let cost_before = best.cost;
                self.exchanges += 1;
                self.beam = self.with_one_lever_less(ground);
                Phase::Exchange { cost_before }
            }
            (Phase::Exchange { cost_before }, Some(best)) if best.cost < 0.99 * cost_before => {
                Phase::Shrink(Shrink::of(best, 1))
            }
            (Phase::Shrink(_) | Phase::Exchange { .. }, Some(_)) => Phase::Verify,
            _ => Phase::Done,
        };
    }

    /// The case as it is, and the best change without each of its levers in turn.
    fn with_one_lever_less(&self, ground: &Ground<'_>) -> Vec<Asked> {
        let unchanged = vec![None; ground.levers.len()];
        let mut points = vec![unchanged];
        if let Some(best) = self.best.as_ref().filter(|best| best.order.len() > 1) {
            for lever in &best.order {
                let mut point = best.point.clone();
                point[*lever] = None;
                points.push(point);
            }
        }
        let of = |point: Point| {
            // Its score is not known; that of the case is as good as any to compare others by.
            let (cost, score) = (ground.cost(self.case, &point), self.score);
            let order = by_cost(ground, self.case, &point);
            Asked { point, cost, score, order }
        };
        points.into_iter().map(of).collect()
    }

    /// The scores of the wishes, in their order; `None` where the model gave no answer.
    pub(super) fn hear(
        &mut self,
        ground: &Ground<'_>,
        settings: &Settings,
        points: Vec<Point>,
        scores: &[Option<f64>],
    ) {
        match &mut self.phase {
            Phase::Grow { round } => {
                *round += 1;
                self.heard_grown(ground, settings, points, scores);
            }
            Phase::Restart => {
                let heard = points.into_iter().zip(scores);
                for (point, score) in heard {
                    self.keep_if_cheaper(ground, point, *score, None);
                }
                self.go_on(ground);
            }
            Phase::Exchange { .. } => {
                self.heard_grown(ground, settings, points, scores);
                self.go_on(ground);
            }
            Phase::Shrink(_) => {
                let heard = points.into_iter().zip(scores).next();
                if let Some((point, score)) = heard {
                    self.heard_smaller(ground, point, *score);
                }
            }
            Phase::Verify => {
                let score = scores.first().copied().flatten();
                self.is_confirmed = Some(score.is_some_and(|score| self.target.is_reached(score)));
                self.phase = Phase::Done;
            }
            Phase::Done => {}
        }
    }

    /// Every state of the beam with one more lever pulled.
    fn grown(
        &mut self,
        ground: &Ground<'_>,
        settings: &Settings,
        most: usize,
        rng: &mut SplitMix64,
    ) -> Vec<Point> {
        let room = self.best.as_ref().map_or(settings.budget, |best| best.cost.min(settings.budget));
        let mut found: Vec<((usize, usize), Point)> = Vec::new();
        for (from_state, state) in self.beam.iter().enumerate() {
            for lever in (0..ground.levers.len()).filter(|&lever| state.point[lever].is_none()) {
                for value in tried(ground, self.case, lever, room - state.cost) {
                    let mut point = state.point.clone();
                    point[lever] = Some(value);
                    let is_affordable = ground.cost(self.case, &point) <= room;
                    if is_affordable && ground.allows(self.case, &point) && self.seen.insert(key(&point)) {
                        found.push(((from_state, lever), point));
                    }
                }
            }
        }
        if found.len() > most {
            shuffle_front(&mut found, most, rng);
            found.truncate(most);
        }
        let (parents, points) = found.into_iter().unzip();
        self.parents = parents;
        points
    }

    fn heard_grown(
        &mut self,
        ground: &Ground<'_>,
        settings: &Settings,
        points: Vec<Point>,
        scores: &[Option<f64>],
    ) {
        let mut next: Vec<(f64, Asked)> = Vec::new();
        let parents = std::mem::take(&mut self.parents);
        for ((point, score), (from_state, lever)) in points.into_iter().zip(scores).zip(parents) {
            let parent = &self.beam[from_state];
            let Some(score) = score.filter(|score| score.is_finite()) else { continue };
            let cost = ground.cost(self.case, &point);
            let effect =
                (self.target.gap(parent.score) - self.target.gap(score)) / (cost - parent.cost).max(1e-12);
            let mut order = parent.order.clone();
            order.push(lever);
            if self.target.is_reached(score) {
                self.keep_if_cheaper(ground, point, Some(score), Some(order));
            } else {
                next.push((effect, Asked { point, cost, score, order }));
            }
        }
        // Half of the beam has come far, half has come far for its cost.
        next.sort_by(|a, b| self.target.gap(a.1.score).total_cmp(&self.target.gap(b.1.score)));
        let far = next.len().min(settings.beam.div_ceil(2));
        next[far..].sort_by(|a, b| b.0.total_cmp(&a.0));
        next.truncate(settings.beam);
        self.beam = next.into_iter().map(|(_, state)| state).collect();
    }

    fn keep_if_cheaper(
        &mut self,
        ground: &Ground<'_>,
        point: Point,
        score: Option<f64>,
        order: Option<Vec<usize>>,
    ) {
        let Some(score) = score.filter(|score| score.is_finite() && self.target.is_reached(*score)) else {
            return;
        };
        let cost = ground.cost(self.case, &point);
        if self.best.as_ref().is_none_or(|best| cost < best.cost) {
            let order = order.unwrap_or_else(|| by_cost(ground, self.case, &point));
            self.best = Some(Asked { point, cost, score, order });
        }
    }

    /// The case with values of rows that have the wanted decision, the cheapest first. Their cost may be beyond the
    /// budget: they are made smaller afterwards.
    fn borrowed(
        &mut self,
        ground: &Ground<'_>,
        settings: &Settings,
        examples: &[(usize, f64)],
        most: usize,
    ) -> Vec<Point> {
        let mut points: Vec<(f64, Point)> = Vec::new();
        for (row, _) in examples.iter().filter(|(_, score)| self.target.is_reached(*score)) {
            let point: Point = (0..ground.levers.len())
                .map(|at| {
                    let lever = &ground.levers[at];
                    let to = lever.code(ground.data.column(&lever.feature)?, *row)?;
                    lever.towards(ground.original(at, self.case)?, to)
                })
                .collect();
            if ground.allows(self.case, &point) && self.seen.insert(key(&point)) {
                points.push((ground.cost(self.case, &point), point));
            }
        }
        points.sort_by(|a, b| a.0.total_cmp(&b.0));
        points.truncate(settings.restarts.min(most));
        points.into_iter().map(|(_, point)| point).collect()
    }

    /// The best change with one lever pulled less, or not at all.
    fn smaller(&mut self, ground: &Ground<'_>) -> Option<Point> {
        let (Phase::Shrink(shrink), Some(best)) = (&mut self.phase, &self.best) else {
            return None;
        };
        loop {
            let Some(bracket) = &mut shrink.lever else {
                let lever = shrink.left.pop()?;
                let (Some(to), Some(from)) = (best.point[lever], ground.original(lever, self.case)) else {
                    continue;
                };
                let width_min = (to - from).abs() * PRECISION;
                shrink.lever = Some(Bracket { lever, from, width_min, is_back_tried: false });
                continue;
            };
            let lever = &ground.levers[bracket.lever];
            let mut point = best.point.clone();
            if bracket.is_back_tried {
                let to = point[bracket.lever].unwrap_or(bracket.from);
                let middle = lever.towards(bracket.from, f64::midpoint(bracket.from, to));
                let is_between =
                    |middle: &f64| *middle != to && (to - bracket.from).abs() > bracket.width_min;
                let Some(middle) = middle.filter(|_| lever.is_numeric()).filter(is_between) else {
                    shrink.lever = None;
                    continue;
                };
                point[bracket.lever] = Some(middle);
                if ground.allows(self.case, &point) {
                    return Some(point);
                }
                bracket.from = middle;
            } else {
                bracket.is_back_tried = true;
                point[bracket.lever] = None;
                if ground.allows(self.case, &point) {
                    return Some(point);
                }
            }
        }
    }

    fn heard_smaller(&mut self, ground: &Ground<'_>, point: Point, score: Option<f64>) {
        let Phase::Shrink(Shrink { lever: Some(bracket), .. }) = &mut self.phase else {
            return;
        };
        let is_enough = score.is_some_and(|score| self.target.is_reached(score));
        match point[bracket.lever] {
            Some(value) if !is_enough => bracket.from = value,
            _ => {
                let order = self.best.as_ref().map(|best| best.order.clone());
                self.keep_if_cheaper(ground, point, score, order);
            }
        }
    }
}

impl Shrink {
    /// A pass over the levers of a change, the least effective first.
    fn of(best: &Asked, pass: usize) -> Self {
        Self { left: best.order.clone(), lever: None, pass, cost_before: best.cost }
    }
}

/// The levers of a change, the dearest last.
fn by_cost(ground: &Ground<'_>, case: usize, point: &[Option<f64>]) -> Vec<usize> {
    let cost = |lever: usize| {
        let (to, from) = (point[lever]?, ground.original(lever, case)?);
        Some(ground.levers[lever].cost_of(from, to))
    };
    let mut levers: Vec<usize> = (0..point.len()).filter(|&lever| point[lever].is_some()).collect();
    levers.sort_by(|&a, &b| cost(a).unwrap_or(0.0).total_cmp(&cost(b).unwrap_or(0.0)));
    levers
}

/// Values of a lever that are worth a query: parts of what the room in the budget buys, either way, and quantiles of
/// the data within it; every category.
fn tried(ground: &Ground<'_>, case: usize, lever: usize, room: f64) -> Vec<f64> {
    let Some(from) = ground.original(lever, case) else {
        return Vec::new();
    };
    let lever = &ground.levers[lever];
    let is_affordable = |to: &f64| lever.cost_of(from, *to) <= room;
    let mut values: Vec<f64> = Vec::new();
    if lever.is_numeric() && room > 0.0 {
        // A hair less than all of it, so that rounding does not cost more than there is.
        let reach = room * (1.0 - 1e-9) / lever.cost;
        for part in [1.0, 0.5, 0.25, 0.125] {
            values.extend(
                [lever.towards(from, from + reach * part), lever.towards(from, from - reach * part)]
                    .into_iter()
                    .flatten(),
            );
        }
    }
    values.extend(lever.values.iter().filter_map(|&value| lever.towards(from, value)));
    values.retain(is_affordable);
    values.sort_by(f64::total_cmp);
    values.dedup();
    values
}

fn key(point: &[Option<f64>]) -> Vec<Option<u64>> {
    point.iter().map(|value| value.map(f64::to_bits)).collect()
}

/// As many rows of the data as are asked for their decisions, drawn without replacement.
pub(super) fn drawn(rows: usize, most: usize, rng: &mut impl RngCore) -> Vec<usize> {
    let mut order: Vec<usize> = (0..rows).collect();
    shuffle_front(&mut order, most, rng);
    order.truncate(most);
    order
}
