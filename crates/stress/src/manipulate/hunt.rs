//! The search in one case, as a dialogue: it wishes to have some changes asked, hears the answers, and wishes again.
//! So the wishes of many cases go to the model together.
//!
//! It grows changes lever by lever (a beam), starts again from rows of the data that have the wanted decision where
//! that finds none, makes the cheapest change smaller, looks for a cheaper one with another lever in the place of one,
//! finds how little of each lever is enough on its own, and has the result asked once more.

use std::collections::HashSet;

use rand_core::RngCore;
use stats::random::{SplitMix64, shuffle, shuffle_front};

use super::Effort;
use super::constraints::{Ground, Point};
use super::shrink::{Alone, Line, Shrink};
use super::target::{Answer, Target};

/// A change that was asked.
#[derive(Clone, Debug)]
pub(super) struct Asked {
    pub point: Point,
    pub cost: f64,
    pub answer: Answer,
    /// How far its answer has to go still.
    gap: f64,
    /// The levers in the order in which they were pulled, the most effective first as far as that is known.
    pub order: Vec<usize>,
}

#[derive(Debug)]
enum Phase {
    Grow {
        round: usize,
    },
    Restart,
    Line(Line),
    Shrink(Shrink),
    /// Another lever in the place of one, or of all, for less than this.
    Exchange {
        cost_before: f64,
    },
    Alone(Alone),
    Verify,
    Done,
}

/// How often other levers are tried.
const EXCHANGES: usize = 3;
/// Questions of one such time, for each lever: half, a quarter and so on of the cost, up and down.
const EXCHANGE_QUERIES: usize = 8;
/// What is kept of the queries for making a change smaller, as a share.
const RESERVE: f64 = 0.35;
/// What a round may take of the rest, where others are to follow.
const OF_ROUND: f64 = 0.6;

#[derive(Debug)]
pub(super) struct Hunt {
    pub case: usize,
    target: Target,
    pub best: Option<Asked>,
    beam: Vec<Asked>,
    seen: HashSet<Vec<Option<u64>>>,
    pub spent: u64,
    /// Whether there is any change that is legal and within the budget.
    pub is_movable: bool,
    phase: Phase,
    /// What the wishes of this turn came from: the state, and the lever that was pulled.
    parents: Vec<(usize, usize)>,
    exchanges: usize,
    /// Before any change.
    start: Asked,
    /// For each lever, the cheapest value that is enough on its own, and its cost.
    pub alone: Vec<Option<(f64, f64)>>,
    /// Whether the best change did it again when it was asked once more.
    pub is_confirmed: Option<bool>,
}

impl Hunt {
    pub(super) fn of(case: usize, answer: Answer, target: Target, levers: usize) -> Self {
        let gap = target.gap(&answer).unwrap_or(f64::INFINITY);
        let start = Asked { point: vec![None; levers], cost: 0.0, answer, gap, order: Vec::new() };
        Self {
            case,
            target,
            best: None,
            seen: HashSet::from([key(&start.point)]),
            beam: vec![start.clone()],
            // The question about the case itself.
            spent: 1,
            is_movable: false,
            phase: Phase::Grow { round: 0 },
            parents: Vec::new(),
            exchanges: 0,
            start,
            alone: vec![None; levers],
            is_confirmed: None,
        }
    }

    /// The model's answer before any change.
    pub(super) fn answer(&self) -> &Answer {
        &self.start.answer
    }

    pub(super) fn is_at_its_end(&self) -> bool {
        matches!(self.phase, Phase::Done)
    }

    /// What is to be asked next; nothing where the search is at its end.
    pub(super) fn wishes(
        &mut self,
        ground: &Ground<'_>,
        effort: &Effort,
        examples: &[(usize, Answer)],
        rng: &mut SplitMix64,
    ) -> Vec<Point> {
        loop {
            let left = effort.queries.saturating_sub(self.spent) as usize;
            // One query is kept to confirm.
            let free = left.saturating_sub(1);
            let (case, best) = (self.case, self.best.as_ref());
            let wishes = match &mut self.phase {
                Phase::Done => return Vec::new(),
                Phase::Grow { round } if *round < effort.levers_max => {
                    let reserve = (effort.queries as f64 * RESERVE) as usize;
                    let is_last = *round + 1 == effort.levers_max;
                    let share = if is_last { 1.0 } else { OF_ROUND };
                    self.grown(ground, effort, (left.saturating_sub(reserve) as f64 * share) as usize, rng)
                }
                Phase::Restart => self.borrowed(ground, effort, examples, free),
                Phase::Line(line) if free > 0 => line.wish(ground, case).into_iter().collect(),
                Phase::Shrink(shrink) if free > 0 => {
                    best.and_then(|best| shrink.wish(ground, case, best)).into_iter().collect()
                }
                Phase::Exchange { .. } => {
                    self.grown(ground, effort, (ground.levers.len() * EXCHANGE_QUERIES).min(free), rng)
                }
                Phase::Alone(alone) => alone.wishes(ground, case, free),
                Phase::Grow { .. } | Phase::Line(_) | Phase::Shrink(_) => Vec::new(),
                Phase::Verify => {
                    let best = best.filter(|best| left > 0 && best.cost <= effort.budget);
                    best.map(|best| best.point.clone()).into_iter().collect()
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
        let phase = std::mem::replace(&mut self.phase, Phase::Done);
        let Some(best) = &self.best else {
            if matches!(phase, Phase::Grow { .. }) {
                self.phase = Phase::Restart;
            }
            return;
        };
        self.phase = match phase {
            Phase::Grow { .. } | Phase::Line(_) => Phase::Shrink(Shrink::of(best)),
            Phase::Restart => Phase::Line(Line::to(best)),
            Phase::Shrink(shrink) => match shrink.again(best) {
                Some(again) => Phase::Shrink(again),
                None if self.exchanges < EXCHANGES => {
                    let cost_before = best.cost;
                    self.exchanges += 1;
                    self.beam = self.with_one_lever_less(ground);
                    Phase::Exchange { cost_before }
                }
                None => Phase::Alone(self.alone_first(ground)),
            },
            Phase::Exchange { cost_before } if best.cost < 0.99 * cost_before => {
                Phase::Shrink(Shrink::of(best))
            }
            Phase::Exchange { .. } => Phase::Alone(self.alone_first(ground)),
            Phase::Alone(_) => Phase::Verify,
            Phase::Verify | Phase::Done => Phase::Done,
        };
    }

    /// What is known of single levers, to begin with.
    fn alone_first(&self, ground: &Ground<'_>) -> Alone {
        let enough: Vec<Option<f64>> = self.alone.iter().map(|alone| alone.map(|(value, _)| value)).collect();
        Alone::of(ground, self.case, &enough)
    }

    /// The case as it is, and the best change without each of its levers in turn.
    fn with_one_lever_less(&self, ground: &Ground<'_>) -> Vec<Asked> {
        let mut states = vec![self.start.clone()];
        if let Some(best) = self.best.as_ref().filter(|best| best.order.len() > 1) {
            for lever in &best.order {
                let mut point = best.point.clone();
                point[*lever] = None;
                let order = by_cost(ground, self.case, &point);
                let cost = ground.cost(self.case, &point);
                // Its answer is not known; that of the case is as good as any to compare others by.
                states.push(Asked { point, cost, order, ..self.start.clone() });
            }
        }
        states
    }

    /// The answers to the wishes, in their order; `None` where the model gave none.
    pub(super) fn hear(
        &mut self,
        ground: &Ground<'_>,
        effort: &Effort,
        points: Vec<Point>,
        answers: &[Option<Answer>],
    ) {
        let heard: Vec<(Point, Option<&Answer>)> =
            points.into_iter().zip(answers.iter().map(Option::as_ref)).collect();
        for (point, answer) in &heard {
            self.keep_if_alone(ground, point, *answer);
        }
        let target = self.target;
        let is_enough = |answer: Option<&Answer>| answer.is_some_and(|answer| target.is_reached(answer));
        match &mut self.phase {
            Phase::Grow { round } => {
                *round += 1;
                self.heard_grown(ground, effort, heard);
            }
            Phase::Exchange { .. } => {
                self.heard_grown(ground, effort, heard);
                self.go_on(ground);
            }
            Phase::Restart => {
                self.keep_cheaper(ground, heard);
                self.go_on(ground);
            }
            Phase::Line(line) => {
                line.hear(heard.first().is_some_and(|(_, answer)| is_enough(*answer)));
                self.keep_cheaper(ground, heard);
            }
            Phase::Shrink(shrink) => {
                for (point, _) in heard.iter().filter(|(_, answer)| !is_enough(*answer)) {
                    shrink.was_too_little(point);
                }
                self.keep_cheaper(ground, heard);
            }
            Phase::Alone(alone) => {
                for (point, answer) in &heard {
                    alone.hear(point, is_enough(*answer));
                }
                self.keep_cheaper(ground, heard);
            }
            Phase::Verify => {
                self.is_confirmed = Some(heard.first().is_some_and(|(_, answer)| is_enough(*answer)));
                self.phase = Phase::Done;
            }
            Phase::Done => {}
        }
    }

    /// Every state of the beam with one more lever pulled.
    fn grown(
        &mut self,
        ground: &Ground<'_>,
        effort: &Effort,
        most: usize,
        rng: &mut SplitMix64,
    ) -> Vec<Point> {
        let room = self.best.as_ref().map_or(effort.budget, |best| best.cost.min(effort.budget));
        let mut found: Vec<(u8, (usize, usize), Point)> = Vec::new();
        for (from_state, state) in self.beam.iter().enumerate() {
            for lever in (0..ground.levers.len()).filter(|&lever| state.point[lever].is_none()) {
                for (rank, value) in tried(ground, self.case, lever, room - state.cost) {
                    let mut point = state.point.clone();
                    point[lever] = Some(value);
                    let Some(point) = ground.completed(self.case, point) else { continue };
                    if ground.cost(self.case, &point) <= room && self.seen.insert(key(&point)) {
                        found.push((rank, (from_state, lever), point));
                    }
                }
            }
        }
        self.is_movable |= !found.is_empty();
        if found.len() > most {
            // What reaches farthest says most; among equals, chance decides.
            shuffle(&mut found, rng);
            found.sort_by_key(|(rank, ..)| *rank);
            for (_, _, point) in found.drain(most..) {
                self.seen.remove(&key(&point));
            }
        }
        let (parents, points) = found.into_iter().map(|(_, parent, point)| (parent, point)).unzip();
        self.parents = parents;
        points
    }

    fn heard_grown(&mut self, ground: &Ground<'_>, effort: &Effort, heard: Vec<(Point, Option<&Answer>)>) {
        let mut next: Vec<(f64, Asked)> = Vec::new();
        let parents = std::mem::take(&mut self.parents);
        for ((point, answer), (from_state, lever)) in heard.into_iter().zip(parents) {
            let parent = &self.beam[from_state];
            let Some((answer, gap)) = answer.and_then(|answer| Some((answer, self.target.gap(answer)?)))
            else {
                continue;
            };
            let cost = ground.cost(self.case, &point);
            let effect = (parent.gap - gap) / (cost - parent.cost).max(1e-12);
            let mut order = parent.order.clone();
            order.push(lever);
            let along = by_cost(ground, self.case, &point).into_iter();
            let along: Vec<usize> = along.filter(|lever| !order.contains(lever)).collect();
            order.extend(along);
            let asked = Asked { point, cost, answer: answer.clone(), gap, order };
            if self.target.is_reached(answer) {
                self.keep(asked);
            } else {
                next.push((effect, asked));
            }
        }
        // Half of the beam has come far, half has come far for its cost.
        next.sort_by(|a, b| a.1.gap.total_cmp(&b.1.gap));
        let far = next.len().min(effort.beam.div_ceil(2));
        next[far..].sort_by(|a, b| b.0.total_cmp(&a.0));
        next.truncate(effort.beam);
        self.beam = next.into_iter().map(|(_, state)| state).collect();
    }

    /// Keeps what is enough and cheaper than the best; the order of its levers stays where they are the same.
    fn keep_cheaper(&mut self, ground: &Ground<'_>, heard: Vec<(Point, Option<&Answer>)>) {
        for (point, answer) in heard {
            let Some(answer) = answer.filter(|answer| self.target.is_reached(answer)) else { continue };
            let of_best = self.best.iter().flat_map(|best| &best.order).copied();
            let mut order: Vec<usize> = of_best.filter(|lever| point[*lever].is_some()).collect();
            if order.len() != point.iter().flatten().count() {
                order = by_cost(ground, self.case, &point);
            }
            let cost = ground.cost(self.case, &point);
            self.keep(Asked { point, cost, answer: answer.clone(), gap: 0.0, order });
        }
    }

    fn keep(&mut self, asked: Asked) {
        if self.best.as_ref().is_none_or(|best| asked.cost < best.cost) {
            self.best = Some(asked);
        }
    }

    fn keep_if_alone(&mut self, ground: &Ground<'_>, point: &[Option<f64>], answer: Option<&Answer>) {
        let mut pulled = point.iter().enumerate().filter_map(|(lever, value)| Some((lever, (*value)?)));
        let (Some((lever, value)), None) = (pulled.next(), pulled.next()) else {
            return;
        };
        let cost = ground.cost(self.case, point);
        let is_enough = answer.is_some_and(|answer| self.target.is_reached(answer));
        if is_enough && self.alone[lever].is_none_or(|(_, before)| cost < before) {
            self.alone[lever] = Some((value, cost));
        }
    }

    /// The case with values of rows that have the wanted decision, the cheapest first. Their cost may be beyond the
    /// budget: they are made smaller afterwards.
    fn borrowed(
        &mut self,
        ground: &Ground<'_>,
        effort: &Effort,
        examples: &[(usize, Answer)],
        most: usize,
    ) -> Vec<Point> {
        let mut points: Vec<(f64, Point)> = Vec::new();
        for (row, _) in examples.iter().filter(|(_, answer)| self.target.is_reached(answer)) {
            let value = |at: usize| {
                let lever = &ground.levers[at];
                let to = lever.code(ground.data.column(&lever.feature)?, *row)?;
                lever.towards(ground.original(at, self.case)?, to)
            };
            let point: Point = (0..ground.levers.len()).map(value).collect();
            let Some(point) = ground.completed(self.case, point) else { continue };
            if self.seen.insert(key(&point)) {
                points.push((ground.cost(self.case, &point), point));
            }
        }
        points.sort_by(|a, b| a.0.total_cmp(&b.0));
        points.truncate(effort.restarts.min(most));
        points.into_iter().map(|(_, point)| point).collect()
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

/// Values of a lever that are worth a query, and how early: what the room in the budget buys, either way, parts of it,
/// every category, and quantiles of the data within it.
fn tried(ground: &Ground<'_>, case: usize, lever: usize, room: f64) -> Vec<(u8, f64)> {
    let Some(from) = ground.original(lever, case) else {
        return Vec::new();
    };
    let lever = &ground.levers[lever];
    let mut values: Vec<(u8, f64)> = Vec::new();
    if lever.is_numeric() && room > 0.0 {
        // A hair less than all of it, so that rounding does not cost more than there is.
        let reach = room * (1.0 - 1e-9) / lever.cost;
        for (rank, part) in [(0, 1.0), (1, 0.5), (2, 0.25), (4, 0.125)] {
            let ends = [from + reach * part, from - reach * part];
            values.extend(ends.into_iter().filter_map(|to| Some((rank, lever.towards(from, to)?))));
        }
    }
    let rank = if lever.is_numeric() { 3 } else { 1 };
    values.extend(lever.values.iter().filter_map(|&value| Some((rank, lever.towards(from, value)?))));
    values.retain(|(_, to)| lever.cost_of(from, *to) <= room);
    values.sort_by(|a, b| a.1.total_cmp(&b.1).then(a.0.cmp(&b.0)));
    values.dedup_by(|a, b| a.1 == b.1);
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
