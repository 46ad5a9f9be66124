//! `[stress.manipulation]`: what somebody can change who wants another decision, how far, and at which cost.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::relation::Relation;
use crate::column::{Column, ColumnKind, Schema};
use crate::definition::{Definition, DefinitionError, Task, compared_columns};
use crate::nearest::{listed, nearest};

/// What somebody can change who wants another decision; the cheapest change that brings it about is searched.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Manipulation {
    /// The features that can be changed, by name; all others stay as they are.
    pub features: BTreeMap<String, Mutable>,
    /// What holds among features after a change as before it, such as `"open <= total"`.
    pub relations: Vec<Relation>,
    /// The largest cost of a change.
    pub budget: f64,
    /// Questions to the model about one case, at most.
    pub queries: u32,
    /// Cases that are tried, at most; drawn at random from those that the model is asked about.
    pub cases: u32,
    /// The decision that is wanted: `positive` or `negative`, or the name of a class; by default any other one.
    pub towards: Option<String>,
    /// Where a number is predicted: by how much it is to be moved, down below 0.
    pub by: Option<f64>,
    /// The share of the cases that may be flipped within the budget.
    pub max_flipped: f64,
    /// Who answers for this check; by default the owner of the system.
    pub owner: Option<String>,
}

impl Default for Manipulation {
    fn default() -> Self {
        Self {
            features: BTreeMap::new(),
            relations: Vec::new(),
            budget: 1.0,
            queries: 300,
            cases: 200,
            towards: None,
            by: None,
            max_flipped: 0.1,
            owner: None,
        }
    }
}

/// How a feature can be changed.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Mutable {
    /// Of a number.
    pub direction: Direction,
    /// The least and the largest number after a change; by default those of the reference.
    pub min: Option<f64>,
    pub max: Option<f64>,
    /// Changes of a number are multiples of it; by default 1 for whole numbers, and any for others.
    pub step: Option<f64>,
    /// Of a number, for each unit of the change: by default 1 for the distance from the reference's lower to its upper
    /// quartile. Of a category, for any change: by default 1.
    pub cost: Option<f64>,
    /// Categories that it can be changed to; by default those of the reference.
    pub values: Vec<String>,
}

/// Where a number can go.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Direction {
    #[default]
    Both,
    Up,
    Down,
}

/// The words for the two decisions of a binary task.
const DECISIONS: [&str; 2] = ["positive", "negative"];
const BOOLEANS: [&str; 2] = ["false", "true"];
const KEY: &str = "stress.manipulation";
const QUERIES: std::ops::RangeInclusive<u32> = 10..=100_000;
const CASES: std::ops::RangeInclusive<u32> = 20..=10_000;

fn refused(key: &str, message: String, help: &str) -> DefinitionError {
    DefinitionError::at_key(format!("{KEY}.{key}"), message).with_help(Some(help.to_owned()))
}

/// Checks what can be checked without the log.
pub(super) fn check_values(definition: &Definition) -> Result<(), DefinitionError> {
    let Some(of) = &definition.stress.manipulation else {
        return Ok(());
    };
    if of.features.is_empty() {
        let help = "add [stress.manipulation.features] with a line for each, such as `income = { direction = \"up\" }`";
        let message = "no feature is named, so nothing can be changed".to_owned();
        return Err(DefinitionError::at_key(KEY, message).with_help(Some(help.into())));
    }
    for (name, feature) in &of.features {
        check_feature(name, feature)?;
    }
    if !(of.budget.is_finite() && of.budget > 0.0) {
        let help = "write a number above 0: 1 buys a move from a feature's lower to its upper quartile";
        return Err(refused("budget", format!("a budget of {} buys nothing", of.budget), help));
    }
    for (key, value, range) in [("queries", of.queries, QUERIES), ("cases", of.cases, CASES)] {
        if !range.contains(&value) {
            let help = format!("write a number between {} and {}", range.start(), range.end());
            return Err(refused(key, format!("{value} {key} cannot be worked with"), &help));
        }
    }
    if !(of.max_flipped > 0.0 && of.max_flipped < 1.0) {
        let help =
            "write a share such as 0.05; that none at all can be flipped is shown by no number of cases";
        return Err(refused("max_flipped", format!("{} is not between 0 and 1", of.max_flipped), help));
    }
    check_goal(definition, of)
}

fn check_feature(name: &str, feature: &Mutable) -> Result<(), DefinitionError> {
    let of = |key: &str| format!("features.{name}.{key}");
    for (key, value) in [("min", feature.min), ("max", feature.max)] {
        if value.is_some_and(|value| !value.is_finite()) {
            return Err(refused(
                &of(key),
                format!("the {key} of `{name}` is no finite number"),
                "leave it out",
            ));
        }
    }
    if let (Some(min), Some(max)) = (feature.min, feature.max)
        && min > max
    {
        let message = format!("`{name}` must be at least {min} and at most {max}, and no number is");
        return Err(refused(&of("min"), message, "write a smaller min, or a larger max"));
    }
    for (key, value) in [("step", feature.step), ("cost", feature.cost)] {
        if let Some(value) = value.filter(|value| !(value.is_finite() && *value > 0.0)) {
            let help = "write a number above 0, or leave it out";
            return Err(refused(&of(key), format!("the {key} of `{name}` is {value}"), help));
        }
    }
    Ok(())
}

/// What is wanted fits the task.
fn check_goal(definition: &Definition, of: &Manipulation) -> Result<(), DefinitionError> {
    let task = definition.model.task;
    if task == Task::Regression {
        if of.towards.is_some() {
            let message = "a model that predicts numbers makes no decision to get to".to_owned();
            return Err(refused("towards", message, "write `by = …`, how far its number is to be moved"));
        }
        return match of.by {
            Some(by) if by.is_finite() && by != 0.0 => Ok(()),
            Some(by) => Err(refused("by", format!("{by} moves nothing"), "write a number other than 0")),
            None => {
                let message = "it is not said how far the predicted number is to be moved".to_owned();
                let help = "add `by = …` in the unit of the prediction, below 0 for down";
                Err(DefinitionError::at_key(KEY, message).with_help(Some(help.into())))
            }
        };
    }
    if of.by.is_some() {
        let message = "only a predicted number is moved by so much; here a decision is to flip".to_owned();
        return Err(refused("by", message, "remove it; `towards` says which decision is wanted"));
    }
    let Some(towards) = &of.towards else { return Ok(()) };
    let classes = definition.log.scores.keys().map(String::as_str);
    let decisions: Vec<&str> = if task == Task::Multiclass { classes.collect() } else { DECISIONS.to_vec() };
    if decisions.contains(&towards.as_str()) {
        return Ok(());
    }
    let message = format!("`{towards}` is no decision of this model");
    Err(refused("towards", message, &choice(towards, decisions.iter().copied())))
}

/// The features are inputs of the model, and hold what their constraints are about.
pub(in crate::definition) fn check_against(
    definition: &Definition,
    log: &Schema,
) -> Result<(), DefinitionError> {
    let Some(of) = &definition.stress.manipulation else {
        return Ok(());
    };
    let inputs = inputs(definition, log);
    let input = |name: &str| inputs.iter().find(|column| column.name == name).copied();
    let names = || inputs.iter().map(|column| column.name.as_str());
    for (name, feature) in &of.features {
        let key = format!("features.{name}");
        let column = input(name).ok_or_else(|| {
            let message = format!("`{name}` is no input of the model");
            refused(&key, message, &choice(name, names()))
        })?;
        if !column.is_empty() {
            check_kind(name, feature, column)?;
        }
    }
    for (at, relation) in of.relations.iter().enumerate() {
        let key = format!("relations.{at}");
        for name in relation.features() {
            let column = input(name).ok_or_else(|| {
                let message = format!("`{name}` in `{relation}` is no input of the model");
                refused(&key, message, &choice(name, names()))
            })?;
            if column.kind != ColumnKind::Numeric && !column.is_empty() {
                let message =
                    format!("`{name}` holds {}, and `{relation}` compares numbers", column.kind_words());
                return Err(refused(&key, message, "relations are between numbers"));
            }
        }
        if !relation.features().any(|name| of.features.contains_key(name)) {
            let message = format!("no change can break `{relation}`: none of its features can be changed");
            return Err(refused(&key, message, "remove it, or name one of them under `features`"));
        }
    }
    Ok(())
}

/// What the model is asked with.
fn inputs<'a>(definition: &Definition, log: &'a Schema) -> Vec<&'a Column> {
    if definition.model.inputs.is_empty() {
        let compared = compared_columns(definition, log);
        return compared.iter().filter_map(|(name, _)| log.column(name)).collect();
    }
    definition.model.inputs.iter().filter_map(|name| log.column(name)).collect()
}

fn check_kind(name: &str, feature: &Mutable, column: &Column) -> Result<(), DefinitionError> {
    let key = |key: &str| format!("features.{name}.{key}");
    let is = |what: &str| format!("`{name}` holds {}, which has no {what}", column.kind_words());
    if column.kind == ColumnKind::Numeric {
        if !feature.values.is_empty() {
            return Err(refused(&key("values"), is("list of values"), "write `min` and `max`"));
        }
        if let Some(step) =
            feature.step.filter(|step| column.type_name.contains("Int") && step.fract() != 0.0)
        {
            let message = format!("`{name}` holds whole numbers, and {step} is no whole step");
            return Err(refused(&key("step"), message, "write a whole number, or leave it out for 1"));
        }
        return Ok(());
    }
    let is_boolean = column.type_name == "Boolean";
    if let Some(wrong) = feature.values.iter().find(|value| is_boolean && !BOOLEANS.contains(&value.as_str()))
    {
        let message = format!("`{wrong}` is no value of `{name}`, which is yes or no");
        return Err(refused(&key("values"), message, "write `true` and `false`"));
    }
    let of_numbers = [
        ("direction", feature.direction != Direction::Both),
        ("min", feature.min.is_some()),
        ("max", feature.max.is_some()),
        ("step", feature.step.is_some()),
    ];
    match of_numbers.into_iter().find(|(_, is_set)| *is_set) {
        Some((what, _)) => {
            Err(refused(&key(what), is(what), "remove it; `values` says what it can be changed to"))
        }
        None => Ok(()),
    }
}

fn choice<'a>(name: &str, valid: impl Iterator<Item = &'a str> + Clone) -> String {
    match nearest(name, valid.clone()) {
        Some(choice) => format!("did you mean `{choice}`? (there are {})", listed(valid, 12)),
        None => format!("there are {}", listed(valid, 12)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::definition::{Place, parse};

    const SMALLEST: &str = "[log]\npath = \"log.csv\"\ntime = \"t\"\nscore = \"p\"\n[reference]\nwindow = \"2013-01-01/2013-02-01\"\n";

    fn schema() -> Schema {
        let column = |name: &str, kind, type_name: &str| Column {
            name: name.into(),
            kind,
            type_name: type_name.into(),
        };
        Schema {
            columns: vec![
                column("t", ColumnKind::Time, "Utf8"),
                column("p", ColumnKind::Numeric, "Float64"),
                column("income", ColumnKind::Numeric, "Int64"),
                column("debt", ColumnKind::Numeric, "Float64"),
                column("home", ColumnKind::Categorical, "Utf8"),
                column("owns", ColumnKind::Categorical, "Boolean"),
            ],
        }
    }

    fn read(keys: &str) -> Result<Definition, DefinitionError> {
        let definition = parse(&format!("{SMALLEST}\n[stress.manipulation]\n{keys}"))?;
        check_against(&definition, &schema())?;
        Ok(definition)
    }

    #[track_caller]
    fn refused(keys: &str, key: &str, message: &str) {
        let error = read(keys).unwrap_err();
        assert_eq!((error.message.as_str(), &error.place), (message, &Place::Key(format!("{KEY}{key}"))));
        assert!(error.help.is_some(), "{error:?}");
    }

    #[test]
    fn what_can_be_changed_has_a_default_for_everything_but_its_name() {
        let definition = read("features = { income = {} }\nrelations = [\"debt <= income\"]").unwrap();
        let of = definition.stress.manipulation.unwrap();
        assert_eq!((of.budget, of.queries, of.cases, of.max_flipped), (1.0, 300, 200, 0.1));
        assert_eq!(
            (of.relations[0].to_string(), &of.features["income"]),
            ("debt <= income".into(), &Mutable::default())
        );
    }

    #[test]
    fn a_constraint_that_cannot_hold_is_refused_at_its_key() {
        let income = |keys: &str| format!("features = {{ income = {{ {keys} }} }}");
        refused("", "", "no feature is named, so nothing can be changed");
        refused("features = { incom = {} }", ".features.incom", "`incom` is no input of the model");
        refused(
            &income("min = 5, max = 4"),
            ".features.income.min",
            "`income` must be at least 5 and at most 4, and no number is",
        );
        refused(&income("step = 0"), ".features.income.step", "the step of `income` is 0");
        refused(&income("cost = -1"), ".features.income.cost", "the cost of `income` is -1");
        refused(&income("max = inf"), ".features.income.max", "the max of `income` is no finite number");
        refused(
            &income("step = 0.5"),
            ".features.income.step",
            "`income` holds whole numbers, and 0.5 is no whole step",
        );
        refused(
            &income("values = [\"a\"]"),
            ".features.income.values",
            "`income` holds a number (Int64), which has no list of values",
        );
        refused(
            "features = { home = { direction = \"up\" } }",
            ".features.home.direction",
            "`home` holds text (Utf8), which has no direction",
        );
        refused(
            "features = { owns = { values = [\"maybe\"] } }",
            ".features.owns.values",
            "`maybe` is no value of `owns`, which is yes or no",
        );
        refused("features = { income = {} }\nbudget = 0", ".budget", "a budget of 0 buys nothing");
        refused("features = { income = {} }\nqueries = 5", ".queries", "5 queries cannot be worked with");
        refused("features = { income = {} }\nmax_flipped = 0", ".max_flipped", "0 is not between 0 and 1");
        refused(
            "features = { income = {} }\nby = 3",
            ".by",
            "only a predicted number is moved by so much; here a decision is to flip",
        );
        refused(
            "features = { income = {} }\ntowards = \"yes\"",
            ".towards",
            "`yes` is no decision of this model",
        );
    }

    #[test]
    fn a_relation_is_between_numbers_that_the_model_takes() {
        let of = |relation: &str| format!("features = {{ income = {{}} }}\nrelations = [\"{relation}\"]");
        refused(&of("dept <= income"), ".relations.0", "`dept` in `dept <= income` is no input of the model");
        refused(&of("home < 3"), ".relations.0", "`home` holds text (Utf8), and `home < 3` compares numbers");
        refused(
            &of("debt >= 0"),
            ".relations.0",
            "no change can break `debt >= 0`: none of its features can be changed",
        );
        let error = read(&of("income")).unwrap_err();
        assert!(error.message.contains("`income` is no relation"), "{error}");
        assert!(error.help.is_some_and(|help| help.contains("open <= total")));
    }

    #[test]
    fn a_number_is_moved_by_as_much_as_is_said() {
        let of = |keys: &str| {
            let text = SMALLEST.replace("score", "predicted");
            parse(&format!(
                "[model]\ntask = \"regression\"\n{text}\n[stress.manipulation]\nfeatures = {{ income = {{}} }}\n{keys}"
            ))
        };
        assert_eq!(of("by = -3").unwrap().stress.manipulation.unwrap().by, Some(-3.0));
        for (keys, message) in [
            ("", "it is not said how far the predicted number is to be moved"),
            ("by = 0", "0 moves nothing"),
            ("towards = \"positive\"", "a model that predicts numbers makes no decision to get to"),
        ] {
            assert_eq!(of(keys).unwrap_err().message, message);
        }
    }
}
