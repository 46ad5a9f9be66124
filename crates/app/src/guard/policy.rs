//! The policy as a guard enforces it: rules held against the definition and the reference, and what they come to for
//! rows.
//!
//! Rules count in the order of the file. All that fill in values do so; of those that answer in the model's place, the
//! first one decides. A source is down where all of its features are missing or out; its rule is then about all of
//! them, and theirs are about single ones.

use std::path::{Path, PathBuf};

use ::stress::degrade::Strategy;
use ::stress::degrade::impute::{nearest, usual};
use ::stress::degrade::policy::Policy;
use ::stress::plan::Subject;
use serde_json::Value;
use serving::guard::{BreakerSettings, Instead, Pause, Remedies, Remedy};
use types::batch::{Batch, BatchColumn, Values};
use types::definition::{Definition, Task};
use types::nearest::{listed, nearest as nearest_name};

use super::reference::Reference;

/// Rows of the reference from which values are filled in; each is held against each row.
const DONORS: usize = 500;

#[derive(Debug, thiserror::Error)]
pub enum PolicyError {
    #[error("failed to read the policy `{path}`: {source}")]
    Unreadable { path: PathBuf, source: std::io::Error },
    #[error("the policy `{path}` is none: {reason}")]
    Invalid { path: PathBuf, reason: String },
    #[error("the policy `{path}`, rule {rule}: {reason}")]
    Rule { path: PathBuf, rule: usize, reason: String },
}

/// A policy that can be asked what to do.
#[derive(Debug, Default)]
pub(super) struct Enforced {
    rules: Vec<Rule>,
    model: Option<Remedy>,
    /// How the circuit before the model behaves, where the policy says so.
    pub(super) breaker: Option<BreakerSettings>,
    /// The models that it names.
    pub(super) others: Vec<String>,
    /// The inputs by position.
    pub(super) inputs: Vec<String>,
    /// Of each input its most usual value.
    usual: Vec<Option<Value>>,
    donors: Batch,
}

#[derive(Debug)]
struct Rule {
    /// The positions of what is out.
    of: Vec<usize>,
    is_source: bool,
    then: Then,
}

#[derive(Clone, Debug)]
enum Then {
    Nothing,
    Usual,
    Nearest(usize),
    Instead(Instead, &'static str),
}

impl Enforced {
    /// Reads a policy. Rules that cannot be enforced, though nothing is wrong with them, are told in `notes`.
    pub(super) fn read(
        path: &Path,
        definition: &Definition,
        reference: Option<&Reference>,
        notes: &mut Vec<String>,
    ) -> Result<Self, PolicyError> {
        let text = std::fs::read_to_string(path)
            .map_err(|source| PolicyError::Unreadable { path: path.to_owned(), source })?;
        let policy: Policy = toml::from_str(&text)
            .map_err(|error| PolicyError::Invalid { path: path.to_owned(), reason: error.to_string() })?;
        let mut enforced = Self::of(reference);
        for (at, rule) in policy.rule.iter().enumerate() {
            let added = enforced.add(&rule.outage, &rule.then, definition);
            match added {
                Ok(()) => {}
                Err(Refused::NotEnforced(why)) => {
                    notes.push(format!("Rule {} of the policy is not enforced: {why}.", at + 1));
                }
                Err(Refused::Wrong(reason)) => {
                    return Err(PolicyError::Rule { path: path.to_owned(), rule: at + 1, reason });
                }
            }
        }
        Ok(enforced)
    }

    fn of(reference: Option<&Reference>) -> Self {
        let Some(Reference { rows, .. }) = reference else { return Self::default() };
        let many = rows.rows().min(DONORS);
        let donors: Vec<usize> = (0..many).map(|at| at * rows.rows() / many).collect();
        let usual_of = |column: &BatchColumn| {
            let one = Batch::new(vec![BatchColumn {
                name: column.name.clone(),
                values: without(&column.values.take(&[0]), &[0]),
            }]);
            let filled = usual(&one.ok()?, rows, &[column.name.as_str()]).ok()?;
            json(filled.column(&column.name)?, 0)
        };
        Self {
            inputs: rows.columns().iter().map(|column| column.name.clone()).collect(),
            usual: rows.columns().iter().map(usual_of).collect(),
            donors: rows.take(&donors),
            ..Self::default()
        }
    }

    fn add(&mut self, outage: &Subject, then: &Strategy, definition: &Definition) -> Result<(), Refused> {
        if self.inputs.is_empty() && *outage != Subject::Model {
            return Err(Refused::NotEnforced("the reference has no rows yet".into()));
        }
        let (of, is_source) = match outage {
            Subject::Feature(name) => (vec![self.input(name)?], false),
            Subject::Source(name) => {
                let source = definition.source.iter().find(|source| source.name == *name);
                let names = || definition.source.iter().map(|source| source.name.as_str());
                let source = source.ok_or_else(|| Refused::Wrong(unknown("source", name, names())))?;
                let of = source.features.iter().filter(|feature| self.inputs.contains(feature));
                (of.map(|feature| self.input(feature)).collect::<Result<Vec<usize>, _>>()?, true)
            }
            Subject::Model => return self.add_model(then, definition),
            _ => {
                let why = "an outage is of a feature, a source or the model";
                return Err(Refused::NotEnforced(why.into()));
            }
        };
        let then = match then {
            Strategy::CircuitBreaker { .. } => {
                return Err(Refused::Wrong("a circuit breaker is for the outage \"model\"".into()));
            }
            Strategy::Nothing => Then::Nothing,
            Strategy::ImputeUsual => Then::Usual,
            Strategy::ImputeNearest { neighbours: 0 } => {
                return Err(Refused::Wrong("fill in from 0 neighbours: it takes one".into()));
            }
            Strategy::ImputeNearest { neighbours } => Then::Nearest(*neighbours),
            other => {
                let (instead, name) = self.instead(other, definition)?;
                Then::Instead(instead, name)
            }
        };
        self.rules.push(Rule { of, is_source, then });
        Ok(())
    }

    fn add_model(&mut self, then: &Strategy, definition: &Definition) -> Result<(), Refused> {
        let then = match then {
            Strategy::Nothing => return Ok(()),
            Strategy::CircuitBreaker { breaker, meanwhile } => {
                let pause = Pause::Rows(breaker.rows_open);
                self.breaker = Some(BreakerSettings { failures: breaker.failures, pause });
                if **meanwhile == Strategy::Nothing {
                    return Ok(());
                }
                &**meanwhile
            }
            then => then,
        };
        let (instead, name) = self.instead(then, definition)?;
        self.model = Some(Remedy { instead: Some(instead), name, ..Remedy::default() });
        Ok(())
    }

    /// An answer in the model's place.
    fn instead(
        &mut self,
        strategy: &Strategy,
        definition: &Definition,
    ) -> Result<(Instead, &'static str), Refused> {
        Ok(match strategy {
            Strategy::Abstain => (Instead::Abstain, "abstain"),
            Strategy::Constant { .. } if definition.model.task == Task::Multiclass => {
                let why =
                    "one number is no answer of a model of several classes; abstain, or ask another one";
                return Err(Refused::Wrong(why.into()));
            }
            Strategy::Constant { answer } if !answer.is_finite() => {
                return Err(Refused::Wrong(format!("{answer} is no answer")));
            }
            Strategy::Constant { answer } => (Instead::Constant(*answer), "constant"),
            Strategy::CachedAnswer => {
                if definition.guard.as_ref().is_none_or(|guard| guard.cache.is_none()) {
                    let why =
                        "the last answer about what? add [guard.cache] with key = [\"…\"] to the definition";
                    return Err(Refused::Wrong(why.into()));
                }
                (Instead::Cached, "cached-answer")
            }
            Strategy::FallbackModel { model } => (self.other(model), "fallback-model"),
            Strategy::ReducedModel { model } => (self.other(model), "reduced-model"),
            Strategy::Nothing
            | Strategy::ImputeUsual
            | Strategy::ImputeNearest { .. }
            | Strategy::CircuitBreaker { .. } => {
                return Err(Refused::Wrong("this answers nothing while the model is down".into()));
            }
        })
    }

    fn other(&mut self, model: &str) -> Instead {
        let known = self.others.iter().position(|other| other == model).unwrap_or_else(|| {
            self.others.push(model.to_owned());
            self.others.len() - 1
        });
        Instead::Model(known)
    }

    fn input(&self, name: &str) -> Result<usize, Refused> {
        let names = || self.inputs.iter().map(String::as_str);
        let at = self.inputs.iter().position(|input| input == name);
        at.ok_or_else(|| Refused::Wrong(unknown("input", name, names())))
    }

    /// What is done about one row: fills by column, and an answer in the model's place.
    fn of_row<'a>(&'a self, inputs: &Batch, row: usize, out: &[usize]) -> RowRemedy<'a> {
        let is_out = |at: &usize| out.contains(at) || inputs.columns()[*at].values.is_missing(row);
        let is_down = |rule: &&Rule| {
            rule.is_source && rule.of.iter().all(is_out) && rule.of.iter().any(|at| out.contains(at))
        };
        let by_sources: Vec<usize> =
            self.rules.iter().filter(is_down).flat_map(|rule| rule.of.iter().copied()).collect();
        let is_left = |rule: &Rule| rule.of.iter().all(|at| out.contains(at) && !by_sources.contains(at));
        let applies = |rule: &&Rule| if rule.is_source { is_down(rule) } else { is_left(rule) };
        let mut remedy = RowRemedy::default();
        for rule in self.rules.iter().filter(applies) {
            match &rule.then {
                Then::Nothing => {}
                Then::Usual => remedy.usual.extend(&rule.of),
                Then::Nearest(neighbours) => remedy.nearest.push((&rule.of, *neighbours)),
                Then::Instead(instead, name) => remedy.instead = remedy.instead.or(Some((instead, *name))),
            }
        }
        remedy
    }

    /// Values from the rows of the reference that are nearest.
    fn nearest(&self, inputs: &Batch, row: usize, of: &[usize], neighbours: usize) -> Vec<(usize, Value)> {
        let names: Vec<&str> = of.iter().map(|&at| self.inputs[at].as_str()).collect();
        let one = inputs.take(&[row]);
        let cleared = one.columns().iter().enumerate().map(|(at, column)| BatchColumn {
            name: column.name.clone(),
            values: if of.contains(&at) { without(&column.values, &[0]) } else { column.values.clone() },
        });
        let filled = Batch::new(cleared.collect())
            .ok()
            .and_then(|one| nearest(&one, &self.donors, &names, neighbours).ok());
        let value = |at: &usize| Some((*at, json(&filled.as_ref()?.columns()[*at].values, 0)?));
        of.iter().filter_map(value).collect()
    }
}

/// Why a rule is not taken.
enum Refused {
    NotEnforced(String),
    Wrong(String),
}

/// What the rules come to for a row.
#[derive(Default)]
struct RowRemedy<'a> {
    usual: Vec<usize>,
    nearest: Vec<(&'a Vec<usize>, usize)>,
    instead: Option<(&'a Instead, &'static str)>,
}

impl Remedies for Enforced {
    fn of_inputs(&self, inputs: &Batch, out: &[Vec<usize>]) -> Vec<Remedy> {
        let of_row = |(row, out): (usize, &Vec<usize>)| {
            if out.is_empty() {
                return Remedy::default();
            }
            let found = self.of_row(inputs, row, out);
            if let Some((instead, name)) = found.instead {
                return Remedy { instead: Some(instead.clone()), name, ..Remedy::default() };
            }
            let usual = found.usual.iter().filter_map(|&at| Some((at, self.usual[at].clone()?)));
            let mut fills: Vec<(usize, Value)> = usual.collect();
            let mut name = if fills.is_empty() { "" } else { "impute-usual" };
            for (of, neighbours) in found.nearest {
                let near = self.nearest(inputs, row, of, neighbours);
                name = if near.is_empty() { name } else { "impute-nearest" };
                fills.extend(near);
            }
            Remedy { fills, instead: None, name }
        };
        out.iter().enumerate().map(of_row).collect()
    }

    fn of_model(&self) -> Option<Remedy> {
        self.model.clone()
    }
}

/// The values without those of some rows.
fn without(values: &Values, rows: &[usize]) -> Values {
    fn cleared<V: Clone>(values: &[Option<V>], rows: &[usize]) -> Vec<Option<V>> {
        let of = |(row, value): (usize, &Option<V>)| if rows.contains(&row) { None } else { value.clone() };
        values.iter().enumerate().map(of).collect()
    }
    match values {
        Values::Integers(values) => Values::Integers(cleared(values, rows)),
        Values::Numbers(values) => Values::Numbers(cleared(values, rows)),
        Values::Booleans(values) => Values::Booleans(cleared(values, rows)),
        Values::Texts(values) => Values::Texts(cleared(values, rows)),
    }
}

/// A value as a request has it.
fn json(values: &Values, row: usize) -> Option<Value> {
    let value = match values {
        Values::Integers(values) => values[row].map(Value::from),
        Values::Numbers(values) => values[row].filter(|number| number.is_finite()).map(Value::from),
        Values::Booleans(values) => values[row].map(Value::from),
        Values::Texts(values) => values[row].clone().map(Value::from),
    };
    value.filter(|value| !value.is_null())
}

fn unknown<'a>(what: &str, name: &str, names: impl Iterator<Item = &'a str> + Clone) -> String {
    match nearest_name(name, names.clone()) {
        Some(choice) => format!("there is no {what} `{name}`; did you mean `{choice}`?"),
        None => format!("there is no {what} `{name}` (there are: {})", listed(names, 12)),
    }
}

#[cfg(test)]
mod tests;
