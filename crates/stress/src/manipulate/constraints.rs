//! What somebody who wants another decision can change, how far, and at which cost.
//!
//! A change of a number costs its distance times a cost per unit; by default one over the interquartile range of the
//! data, so that a budget of 1 buys a move from the lower to the upper quartile. A change of a category has a fixed
//! cost, 1 by default. Costs of several changes add up.

use serde::{Deserialize, Serialize};
use types::batch::{Batch, ValueKind, Values};
use types::nearest::listed;

use super::relation::Relation;

/// What may be changed.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Constraints {
    pub levers: Vec<Lever>,
    /// What holds among features after a change as before it.
    pub relations: Vec<Relation>,
}

/// A feature that may be changed; all others stay as they are.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Lever {
    pub feature: String,
    pub direction: Direction,
    /// The least and the largest value after a change; by default those of the data.
    pub least: Option<f64>,
    pub most: Option<f64>,
    /// Changes are multiples of it; 1 for whole numbers.
    pub step: Option<f64>,
    /// Of a number, per unit; of a category, for any change.
    pub cost: Option<f64>,
    /// Legal categories; empty for those of the data.
    pub categories: Vec<String>,
}

impl Lever {
    /// A feature that may be changed in any way.
    pub fn of(feature: impl Into<String>) -> Self {
        Self { feature: feature.into(), ..Self::default() }
    }
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Direction {
    #[default]
    Any,
    Up,
    Down,
}

/// Constraints that leave nothing to try.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
pub enum Impossible {
    #[error("no feature may be changed: name one under `levers`")]
    NoLever,
    #[error("there are no cases to change")]
    NoCases,
    #[error("there is no feature `{feature}` (has: {has})")]
    UnknownFeature { feature: String, has: String },
    #[error("`{feature}` is named twice among the levers")]
    Twice { feature: String },
    #[error("`{feature}` has values of one type in the cases and of another in the data")]
    TypesDiffer { feature: String },
    #[error("`{feature}` must be at least {least} and at most {most}: no value is")]
    EmptyRange { feature: String, least: f64, most: f64 },
    #[error("`{feature}` has a {what} of {value}: it must be a number above 0")]
    NotPositive { feature: String, what: &'static str, value: f64 },
    #[error("`{feature}` holds whole numbers, and {step} is no whole step")]
    NotWhole { feature: String, step: f64 },
    #[error("`{feature}` has no {what} to be changed to: the data hold none")]
    NothingToChangeTo { feature: String, what: &'static str },
    #[error("`{feature}` does not hold numbers, which `{relation}` compares")]
    NotCompared { feature: String, relation: String },
    #[error("no case fulfils `{relation}` before any change")]
    NeverFulfilled { relation: String },
    #[error("a budget of {budget} buys nothing: it must be a number above 0")]
    NoBudget { budget: f64 },
    #[error(
        "nothing can be changed in any case: every lever is at its bound, has no value, or costs too much"
    )]
    NothingMoves,
}

/// The levers of one search, with what the data say about them. A value of a lever is a number, or the position of a
/// category.
#[derive(Debug)]
pub(super) struct Ground<'a> {
    pub cases: &'a Batch,
    pub data: &'a Batch,
    pub levers: Vec<Grounded>,
    relations: &'a [Relation],
    /// For each lever, its value in each case.
    originals: Vec<Vec<Option<f64>>>,
}

#[derive(Debug)]
pub(super) struct Grounded {
    pub feature: String,
    kind: ValueKind,
    direction: Direction,
    least: f64,
    most: f64,
    step: Option<f64>,
    pub cost: f64,
    /// Legal ones, in their order.
    categories: Vec<String>,
    /// Quantiles of the data, ascending and different; positions of all legal categories.
    pub values: Vec<f64>,
}

/// A change to a case: for each lever its new value, where it has one.
pub(super) type Point = Vec<Option<f64>>;

/// Values of the data that are tried, at most.
const QUANTILES: usize = 16;

impl<'a> Ground<'a> {
    pub(super) fn of(
        cases: &'a Batch,
        data: &'a Batch,
        constraints: &'a Constraints,
    ) -> Result<Self, Impossible> {
        if constraints.levers.is_empty() {
            return Err(Impossible::NoLever);
        }
        if cases.rows() == 0 {
            return Err(Impossible::NoCases);
        }
        let mut levers: Vec<Grounded> = Vec::new();
        for lever in &constraints.levers {
            if levers.iter().any(|before| before.feature == lever.feature) {
                return Err(Impossible::Twice { feature: lever.feature.clone() });
            }
            levers.push(Grounded::of(lever, column(cases, &lever.feature)?, column(data, &lever.feature)?)?);
        }
        let of_lever = |lever: &Grounded| {
            let values = column(cases, &lever.feature)?;
            Ok((0..cases.rows()).map(|case| lever.code(values, case)).collect())
        };
        let originals = levers.iter().map(of_lever).collect::<Result<_, Impossible>>()?;
        let ground = Self { cases, data, levers, relations: &constraints.relations, originals };
        ground.check_relations()?;
        Ok(ground)
    }

    fn check_relations(&self) -> Result<(), Impossible> {
        let unchanged = vec![None; self.levers.len()];
        for relation in self.relations {
            for feature in relation.features() {
                if !column(self.cases, feature)?.kind().is_numeric() {
                    let (feature, relation) = (feature.to_owned(), relation.to_string());
                    return Err(Impossible::NotCompared { feature, relation });
                }
            }
            if !(0..self.cases.rows()).any(|case| self.holds(relation, case, &unchanged)) {
                return Err(Impossible::NeverFulfilled { relation: relation.to_string() });
            }
        }
        Ok(())
    }

    /// The value of a lever in a case; `None` where it is missing.
    pub(super) fn original(&self, lever: usize, case: usize) -> Option<f64> {
        self.originals[lever][case]
    }

    fn holds(&self, relation: &Relation, case: usize, point: &[Option<f64>]) -> bool {
        relation.holds(|name| {
            let lever = self.levers.iter().position(|lever| lever.feature == name);
            let changed = lever.and_then(|lever| point[lever]);
            changed.or_else(|| self.cases.column(name).and_then(|values| values.number(case)))
        })
    }

    /// The relation that a case breaks before any change.
    pub(super) fn broken_before(&self, case: usize) -> Option<&Relation> {
        let unchanged = vec![None; self.levers.len()];
        self.relations.iter().find(|relation| !self.holds(relation, case, &unchanged))
    }

    /// Whether a change is within directions, bounds, steps and relations; its budget is another question.
    pub(super) fn allows(&self, case: usize, point: &[Option<f64>]) -> bool {
        let is_legal = |(at, value): (usize, &Option<f64>)| {
            value
                .is_none_or(|to| self.original(at, case).is_some_and(|from| self.levers[at].allows(from, to)))
        };
        point.iter().enumerate().all(is_legal)
            && self.relations.iter().all(|relation| self.holds(relation, case, point))
    }

    pub(super) fn cost(&self, case: usize, point: &[Option<f64>]) -> f64 {
        let of = |(at, value): (usize, &Option<f64>)| {
            let (Some(to), Some(from)) = (*value, self.original(at, case)) else {
                return 0.0;
            };
            self.levers[at].cost_of(from, to)
        };
        point.iter().enumerate().map(of).sum()
    }

    /// The cases with their changes, to ask a model about.
    pub(super) fn changed(&self, points: &[(usize, &[Option<f64>])]) -> Batch {
        let rows: Vec<usize> = points.iter().map(|(case, _)| *case).collect();
        let mut batch = self.cases.take(&rows);
        for (at, lever) in self.levers.iter().enumerate() {
            let Some(values) = batch.column(&lever.feature) else { continue };
            let changed: Vec<Option<f64>> = points.iter().map(|(_, point)| point[at]).collect();
            if changed.iter().any(Option::is_some) {
                let values = lever.set(values, &changed);
                batch = batch.replaced(&lever.feature, values).expect("the lever's own column, row by row");
            }
        }
        batch
    }
}

impl Grounded {
    fn of(lever: &Lever, cases: &Values, data: &Values) -> Result<Self, Impossible> {
        let feature = || lever.feature.clone();
        let kind = cases.kind();
        if data.kind() != kind {
            return Err(Impossible::TypesDiffer { feature: feature() });
        }
        for (what, value) in [("step", lever.step), ("cost", lever.cost)] {
            if let Some(value) = value.filter(|value| !(*value > 0.0 && value.is_finite())) {
                return Err(Impossible::NotPositive { feature: feature(), what, value });
            }
        }
        if kind.is_numeric() { Self::of_numbers(lever, data) } else { Self::of_categories(lever, data) }
    }

    fn of_numbers(lever: &Lever, data: &Values) -> Result<Self, Impossible> {
        let feature = || lever.feature.clone();
        let kind = data.kind();
        let numbers = (0..data.len()).filter_map(|row| data.number(row));
        let mut sorted: Vec<f64> = numbers.filter(|number| number.is_finite()).collect();
        sorted.sort_by(f64::total_cmp);
        let (Some(&first), Some(&last)) = (sorted.first(), sorted.last()) else {
            return Err(Impossible::NothingToChangeTo { feature: feature(), what: "number" });
        };
        let (least, most) = (lever.least.unwrap_or(first), lever.most.unwrap_or(last));
        if least.is_nan() || most.is_nan() || least > most {
            return Err(Impossible::EmptyRange { feature: feature(), least, most });
        }
        let whole_step = (kind == ValueKind::Integer).then_some(1.0);
        if let Some(step) = lever.step.filter(|step| whole_step.is_some() && step.fract() != 0.0) {
            return Err(Impossible::NotWhole { feature: feature(), step });
        }
        let at = |share: f64| sorted[((sorted.len() - 1) as f64 * share).round() as usize];
        let spread = [at(0.75) - at(0.25), last - first, most - least];
        let spread = spread.into_iter().find(|spread| *spread > 0.0 && spread.is_finite()).unwrap_or(1.0);
        let mut values: Vec<f64> = (0..=QUANTILES).map(|part| at(part as f64 / QUANTILES as f64)).collect();
        values.dedup();
        Ok(Self {
            feature: feature(),
            kind,
            direction: lever.direction,
            least,
            most,
            step: lever.step.or(whole_step),
            cost: lever.cost.unwrap_or(1.0 / spread),
            categories: Vec::new(),
            values,
        })
    }

    fn of_categories(lever: &Lever, data: &Values) -> Result<Self, Impossible> {
        let mut categories: Vec<String> = if data.kind() == ValueKind::Boolean {
            vec!["false".into(), "true".into()]
        } else if lever.categories.is_empty() {
            (0..data.len()).filter_map(|row| data.text(row)).collect()
        } else {
            lever.categories.clone()
        };
        categories.sort();
        categories.dedup();
        if categories.is_empty() {
            return Err(Impossible::NothingToChangeTo { feature: lever.feature.clone(), what: "category" });
        }
        Ok(Self {
            feature: lever.feature.clone(),
            kind: data.kind(),
            direction: lever.direction,
            least: 0.0,
            most: categories.len() as f64 - 1.0,
            step: None,
            cost: lever.cost.unwrap_or(1.0),
            values: (0..categories.len()).map(|at| at as f64).collect(),
            categories,
        })
    }

    pub(super) fn is_numeric(&self) -> bool {
        self.kind.is_numeric()
    }

    /// A number, or the position of a category; one that is not legal may be left, and stands before all others.
    pub(super) fn code(&self, values: &Values, row: usize) -> Option<f64> {
        if self.is_numeric() {
            return values.number(row).filter(|number| number.is_finite());
        }
        let text = values.text(row)?;
        Some(self.categories.iter().position(|category| *category == text).map_or(-1.0, |at| at as f64))
    }

    /// The value as people write it.
    pub(super) fn words(&self, code: f64) -> String {
        if self.is_numeric() { code.to_string() } else { self.categories[code as usize].clone() }
    }

    fn allows(&self, from: f64, to: f64) -> bool {
        let is_in_direction = match self.direction {
            Direction::Any => true,
            Direction::Up => to >= from,
            Direction::Down => to <= from,
        };
        let is_on_grid = self.step.is_none_or(|step| {
            let steps = (to - from) / step;
            (steps - steps.round()).abs() < 1e-6
        });
        let is_in_range = to.is_finite() && self.least <= to && to <= self.most;
        is_in_range && (!self.is_numeric() || is_in_direction && is_on_grid)
    }

    pub(super) fn cost_of(&self, from: f64, to: f64) -> f64 {
        match (from == to, self.is_numeric()) {
            (true, _) => 0.0,
            (false, true) => (to - from).abs() * self.cost,
            (false, false) => self.cost,
        }
    }

    /// The legal value nearest to `to` on the way from `from`; `None` where that is no change.
    pub(super) fn towards(&self, from: f64, to: f64) -> Option<f64> {
        if !self.is_numeric() {
            return (to != from && self.allows(from, to)).then_some(to);
        }
        let to = to.clamp(self.least, self.most);
        let legal = match self.step {
            Some(step) => from + ((to - from) / step + 1e-9 * (to - from).signum()).trunc() * step,
            None => to,
        };
        (legal != from && self.allows(from, legal)).then_some(legal)
    }

    fn set(&self, values: &Values, changed: &[Option<f64>]) -> Values {
        match values {
            Values::Integers(values) => Values::Integers(with(values, changed, |code| code as i64)),
            Values::Numbers(values) => Values::Numbers(with(values, changed, |code| code)),
            Values::Booleans(values) => Values::Booleans(with(values, changed, |code| code > 0.5)),
            Values::Texts(values) => {
                Values::Texts(with(values, changed, |code| self.categories[code as usize].clone()))
            }
        }
    }
}

fn with<V: Clone>(values: &[Option<V>], changed: &[Option<f64>], of: impl Fn(f64) -> V) -> Vec<Option<V>> {
    values.iter().zip(changed).map(|(value, code)| code.map(&of).or_else(|| value.clone())).collect()
}

fn column<'a>(batch: &'a Batch, feature: &str) -> Result<&'a Values, Impossible> {
    batch.column(feature).ok_or_else(|| {
        let has = listed(batch.columns().iter().map(|column| column.name.as_str()), 10);
        Impossible::UnknownFeature { feature: feature.to_owned(), has }
    })
}
