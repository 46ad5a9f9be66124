//! A change that is enough is made smaller: lever by lever, all of them together, or one lever on its own.

use super::constraints::{Ground, Point};
use super::hunt::Asked;

/// Passes over all levers of a change.
const PASSES: usize = 3;
/// A change is known to this share of its first size.
const PRECISION: f64 = 1.0 / 64.0;

/// The levers of a change are let go of, or pulled less, one after the other.
#[derive(Debug)]
pub(super) struct Shrink {
    /// Levers still to come in this pass.
    left: Vec<usize>,
    lever: Option<Bracket>,
    pass: usize,
    cost_before: f64,
}

/// One lever: what is known not to be enough, and what is.
#[derive(Debug)]
struct Bracket {
    lever: usize,
    /// Not enough, as far as is known.
    from: f64,
    /// Differences below it are not looked for.
    width_min: f64,
    is_back_tried: bool,
}

impl Shrink {
    /// A pass over the levers of a change, the least effective first.
    pub(super) fn of(best: &Asked) -> Self {
        Self { left: best.order.clone(), lever: None, pass: 1, cost_before: best.cost }
    }

    /// The next pass, where the last one was worth it.
    pub(super) fn again(&self, best: &Asked) -> Option<Self> {
        let is_worth_it = self.pass < PASSES && best.order.len() > 1 && best.cost < 0.99 * self.cost_before;
        is_worth_it.then(|| Self { pass: self.pass + 1, ..Self::of(best) })
    }

    /// The best change with one lever pulled less, or not at all.
    pub(super) fn wish(&mut self, ground: &Ground<'_>, case: usize, best: &Asked) -> Option<Point> {
        loop {
            let Some(bracket) = &mut self.lever else {
                let lever = self.left.pop()?;
                let (Some(to), Some(from)) = (best.point[lever], ground.original(lever, case)) else {
                    continue;
                };
                let width_min = (to - from).abs() * PRECISION;
                // Without its only lever a change is none.
                let is_back_tried = best.point.iter().flatten().count() == 1;
                self.lever = Some(Bracket { lever, from, width_min, is_back_tried });
                continue;
            };
            let mut point = best.point.clone();
            if !bracket.is_back_tried {
                bracket.is_back_tried = true;
                point[bracket.lever] = None;
                if ground.allows(case, &point) {
                    return Some(point);
                }
                continue;
            }
            let to = point[bracket.lever].unwrap_or(bracket.from);
            let Some(middle) = between(ground, bracket.lever, (bracket.from, to), bracket.width_min) else {
                self.lever = None;
                continue;
            };
            point[bracket.lever] = Some(middle);
            if ground.allows(case, &point) {
                return Some(point);
            }
            bracket.from = middle;
        }
    }

    /// What was asked last was not enough.
    pub(super) fn was_too_little(&mut self, point: &[Option<f64>]) {
        if let Some(bracket) = &mut self.lever
            && let Some(value) = point[bracket.lever]
        {
            bracket.from = value;
        }
    }
}

/// A value between two of a number, where they are further apart than what is looked for.
fn between(ground: &Ground<'_>, lever: usize, (from, to): (f64, f64), width_min: f64) -> Option<f64> {
    let lever = &ground.levers[lever];
    if !lever.is_numeric() || (to - from).abs() <= width_min {
        return None;
    }
    lever.towards(from, f64::midpoint(from, to)).filter(|middle| *middle != to)
}

/// All numbers of a change together, on the line from the case to it.
#[derive(Debug)]
pub(super) struct Line {
    to: Point,
    /// Shares of the way: not enough, as far as is known, and enough.
    from: f64,
    enough: f64,
}

impl Line {
    pub(super) fn to(best: &Asked) -> Self {
        Self { to: best.point.clone(), from: 0.0, enough: 1.0 }
    }

    pub(super) fn wish(&mut self, ground: &Ground<'_>, case: usize) -> Option<Point> {
        while self.enough - self.from > PRECISION {
            let share = f64::midpoint(self.from, self.enough);
            let part = |(at, to): (usize, &Option<f64>)| {
                let (to, from, lever) = ((*to)?, ground.original(at, case)?, &ground.levers[at]);
                if lever.is_numeric() { lever.towards(from, from + share * (to - from)) } else { Some(to) }
            };
            let point: Point = self.to.iter().enumerate().map(part).collect();
            if point.iter().any(Option::is_some) && ground.allows(case, &point) {
                return Some(point);
            }
            self.from = share;
        }
        None
    }

    pub(super) fn hear(&mut self, is_enough: bool) {
        let share = f64::midpoint(self.from, self.enough);
        if is_enough {
            self.enough = share;
        } else {
            self.from = share;
        }
    }
}

/// What single levers flip, and how little of them is enough.
#[derive(Debug)]
pub(super) struct Alone {
    /// For each lever: not enough, as far as is known, and enough.
    brackets: Vec<Option<(f64, f64)>>,
    widths_min: Vec<f64>,
}

impl Alone {
    pub(super) fn of(ground: &Ground<'_>, case: usize, enough: &[Option<f64>]) -> Self {
        let bracket = |(lever, to): (usize, &Option<f64>)| Some((ground.original(lever, case)?, (*to)?));
        let brackets: Vec<Option<(f64, f64)>> = enough.iter().enumerate().map(bracket).collect();
        let width = |of: &Option<(f64, f64)>| of.map_or(0.0, |(from, to)| (to - from).abs() * PRECISION);
        let widths_min = brackets.iter().map(width).collect();
        Self { brackets, widths_min }
    }

    /// One question for each lever that can still be pulled less.
    pub(super) fn wishes(&mut self, ground: &Ground<'_>, case: usize, most: usize) -> Vec<Point> {
        let mut points = Vec::new();
        for lever in 0..self.brackets.len() {
            while points.len() < most
                && let Some(bracket) = self.brackets[lever]
            {
                let Some(middle) = between(ground, lever, bracket, self.widths_min[lever]) else {
                    self.brackets[lever] = None;
                    break;
                };
                let mut point = vec![None; self.brackets.len()];
                point[lever] = Some(middle);
                if ground.allows(case, &point) {
                    points.push(point);
                    break;
                }
                self.brackets[lever] = Some((middle, bracket.1));
            }
        }
        points
    }

    pub(super) fn hear(&mut self, point: &[Option<f64>], is_enough: bool) {
        let pulled = point.iter().enumerate().find_map(|(lever, value)| Some((lever, (*value)?)));
        if let Some((lever, value)) = pulled
            && let Some(bracket) = &mut self.brackets[lever]
        {
            if is_enough {
                bracket.1 = value;
            } else {
                bracket.0 = value;
            }
        }
    }
}
