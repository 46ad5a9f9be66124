//! What somebody who wants another decision can change, how far, and at which cost, in the rows that there are.
//!
//! A change of a number costs its distance times a cost per unit; by default one over the interquartile range of the
//! data, so that a budget of 1 buys a move from the lower to the upper quartile. A change of a category has a fixed
//! cost, 1 by default. Costs of several changes add up.

use types::batch::{Batch, ValueKind, Values};
use types::definition::{Direction, Manipulation, Mutable, Relation, RelationSign, Side};
use types::format;
use types::nearest::listed;

/// Constraints that leave nothing to try.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
pub enum Impossible {
    #[error("no feature may be changed")]
    NoLever,
    #[error("there are no cases to change")]
    NoCases,
    #[error("there is no feature `{feature}` (has: {has})")]
    UnknownFeature { feature: String, has: String },
    #[error("`{feature}` has values of one type in the cases and of another in the data")]
    TypesDiffer { feature: String },
    #[error("`{feature}` must be at least {least} and at most {most}: no value is")]
    EmptyRange { feature: String, least: f64, most: f64 },
    #[error("`{feature}` has no {what} to be changed to: the data hold none")]
    NothingToChangeTo { feature: String, what: &'static str },
    #[error("`{feature}` does not hold numbers, which `{relation}` compares")]
    NotCompared { feature: String, relation: String },
    #[error("no case fulfils `{relation}` before any change")]
    NeverFulfilled { relation: String },
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

/// Categories that are named before they are counted.
const CATEGORIES_TOLD: usize = 6;
/// Values of the data that are tried, at most.
const QUANTILES: usize = 16;

impl<'a> Ground<'a> {
    pub(super) fn of(
        cases: &'a Batch,
        data: &'a Batch,
        constraints: &'a Manipulation,
    ) -> Result<Self, Impossible> {
        if constraints.features.is_empty() {
            return Err(Impossible::NoLever);
        }
        if cases.rows() == 0 {
            return Err(Impossible::NoCases);
        }
        let mut levers: Vec<Grounded> = Vec::new();
        for (name, feature) in &constraints.features {
            levers.push(Grounded::of(name, feature, column(cases, name)?, column(data, name)?)?);
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

    fn lever(&self, name: &str) -> Option<usize> {
        self.levers.iter().position(|lever| lever.feature == name)
    }

    /// The number of a feature after a change.
    fn number(&self, name: &str, case: usize, point: &[Option<f64>]) -> Option<f64> {
        let changed = self.lever(name).and_then(|lever| point[lever]);
        changed.or_else(|| self.cases.column(name).and_then(|values| values.number(case)))
    }

    fn holds(&self, relation: &Relation, case: usize, point: &[Option<f64>]) -> bool {
        relation.holds(|name| self.number(name, case, point))
    }

    /// The change, with other levers pulled along as far as relations force them to; `None` where it stays illegal.
    pub(super) fn completed(&self, case: usize, mut point: Point) -> Option<Point> {
        // A relation that is mended can break another one; as many turns as there are relations settle a chain.
        for _ in 0..=self.relations.len() {
            let Some(broken) = self.relations.iter().find(|relation| !self.holds(relation, case, &point))
            else {
                return self.allows(case, &point).then_some(point);
            };
            let (lever, to) = self.mended(broken, case, &point)?;
            point[lever] = Some(to);
        }
        None
    }

    /// The lever on one side of a broken relation that is not pulled yet, and where it must go.
    fn mended(&self, relation: &Relation, case: usize, point: &[Option<f64>]) -> Option<(usize, f64)> {
        let value = |side: &Side| match side {
            Side::Feature(name) => self.number(name, case, point),
            Side::Number(number) => Some(*number),
        };
        let free = |side: &Side| match side {
            Side::Feature(name) => self.lever(name).filter(|lever| point[*lever].is_none()),
            Side::Number(_) => None,
        };
        let is_strict = matches!(relation.comparison, RelationSign::Below | RelationSign::Above);
        let (lever, to) = match (free(&relation.left), free(&relation.right)) {
            (Some(lever), _) => (lever, value(&relation.right)?),
            (None, Some(lever)) => (lever, value(&relation.left)?),
            (None, None) => return None,
        };
        let from = self.original(lever, case)?;
        Some((lever, self.levers[lever].at_least_as_far(from, to, is_strict)?))
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
    fn of(name: &str, lever: &Mutable, cases: &Values, data: &Values) -> Result<Self, Impossible> {
        let kind = cases.kind();
        if data.kind() != kind {
            return Err(Impossible::TypesDiffer { feature: name.to_owned() });
        }
        if kind.is_numeric() {
            Self::of_numbers(name, lever, data)
        } else {
            Self::of_categories(name, lever, data)
        }
    }

    fn of_numbers(name: &str, lever: &Mutable, data: &Values) -> Result<Self, Impossible> {
        let feature = || name.to_owned();
        let kind = data.kind();
        let numbers = (0..data.len()).filter_map(|row| data.number(row));
        let mut sorted: Vec<f64> = numbers.filter(|number| number.is_finite()).collect();
        sorted.sort_by(f64::total_cmp);
        let (Some(&first), Some(&last)) = (sorted.first(), sorted.last()) else {
            return Err(Impossible::NothingToChangeTo { feature: feature(), what: "number" });
        };
        let (least, most) = (lever.min.unwrap_or(first), lever.max.unwrap_or(last));
        if least.is_nan() || most.is_nan() || least > most {
            return Err(Impossible::EmptyRange { feature: feature(), least, most });
        }
        let whole_step = (kind == ValueKind::Integer).then_some(1.0);
        let at = |share: f64| sorted[((sorted.len() - 1) as f64 * share).round() as usize];
        // Where most values are alike, the quartiles are: what lies further out says more than the extremes.
        let spread = [at(0.75) - at(0.25), at(0.95) - at(0.05), last - first, most - least];
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

    fn of_categories(name: &str, lever: &Mutable, data: &Values) -> Result<Self, Impossible> {
        let mut categories: Vec<String> = if data.kind() == ValueKind::Boolean {
            vec!["false".into(), "true".into()]
        } else {
            (0..data.len()).filter_map(|row| data.text(row)).collect()
        };
        if !lever.values.is_empty() {
            categories.clone_from(&lever.values);
        }
        categories.sort();
        categories.dedup();
        if categories.is_empty() {
            return Err(Impossible::NothingToChangeTo { feature: name.to_owned(), what: "category" });
        }
        Ok(Self {
            feature: name.to_owned(),
            kind: data.kind(),
            direction: Direction::Both,
            least: 0.0,
            most: categories.len() as f64 - 1.0,
            step: None,
            cost: lever.cost.unwrap_or(1.0),
            values: (0..categories.len()).map(|at| at as f64).collect(),
            categories,
        })
    }

    /// What can be done to it, in words: `up, to at most 60, in steps of 5`.
    pub(super) fn constraint(&self) -> String {
        if !self.is_numeric() {
            return format!("to {}", listed(self.categories.iter().map(String::as_str), CATEGORIES_TOLD));
        }
        let [least, most] = [self.least, self.most].map(format::value);
        let way = match self.direction {
            Direction::Both => format!("between {least} and {most}"),
            Direction::Up => format!("up, to {most} at most"),
            Direction::Down => format!("down, to {least} at least"),
        };
        match self.step {
            Some(step) => format!("{way}, in steps of {}", format::value(step)),
            None => way,
        }
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
            Direction::Both => true,
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

    /// The legal value that lies at least as far as `to`, or beyond it where that itself is not enough.
    fn at_least_as_far(&self, from: f64, to: f64, is_beyond: bool) -> Option<f64> {
        let way = (to - from).signum();
        // Without steps, a hair beyond is beyond.
        let hair = self.step.unwrap_or_else(|| f64::EPSILON * 4.0 * to.abs().max(1.0));
        let mut legal = match self.step {
            Some(step) => from + ((to - from) / step - 1e-9 * way).abs().ceil() * step * way,
            None => to,
        };
        if is_beyond && legal == to {
            legal += hair * way;
        }
        (legal != from && self.allows(from, legal)).then_some(legal)
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
            Values::Booleans(values) => {
                Values::Booleans(with(values, changed, |code| self.words(code) == "true"))
            }
            Values::Texts(values) => Values::Texts(with(values, changed, |code| self.words(code))),
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
