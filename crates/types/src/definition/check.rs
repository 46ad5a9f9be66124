//! A definition against the columns that the log really has.

use super::{Definition, DefinitionError, Log, Output};
use crate::column::{Column, ColumnKind, Schema};
use crate::nearest::{listed, nearest};

/// Checks that every column the definition names exists and can play its role.
///
/// `outcomes` is the schema of the outcome table where it is a table of its own.
///
/// # Errors
/// The first [`DefinitionError`], at the key that names the column.
pub fn check_against(
    definition: &Definition,
    log: &Schema,
    outcomes: Option<&Schema>,
) -> Result<(), DefinitionError> {
    let roles = &definition.log;
    let time = find(log, "log", "log.time", &roles.time)?;
    if time.is_empty() {
        return Err(DefinitionError::at_key(
            "log.time",
            format!("the log has no row with a time in `{}`", time.name),
        ));
    }
    if time.kind == ColumnKind::Numeric && roles.time_unit.is_none() {
        return Err(DefinitionError::at_key(
            "log.time",
            format!("`{}` holds numbers ({}), and what they count is not said", time.name, time.type_name),
        )
        .with_help(Some(
            "add `time_unit = \"s\"` (or ms, us, ns) under [log] if they count from 1970".into(),
        )));
    }
    if matches!(time.kind, ColumnKind::Other) || time.type_name == "Boolean" {
        return Err(wrong_kind("log.time", time, "an instant"));
    }
    check_outputs(roles, log)?;
    if let Some(id) = &roles.id {
        find(log, "log", "log.id", id)?;
    }
    for (at, name) in roles.ignore.iter().enumerate() {
        find(log, "log", &format!("log.ignore.{at}"), name)?;
    }
    for (at, name) in roles.features.iter().flatten().enumerate() {
        find(log, "log", &format!("log.features.{at}"), name)?;
    }
    for (at, name) in roles.text.iter().enumerate() {
        let key = format!("log.text.{at}");
        let column = find(log, "log", &key, name)?;
        let is_text = matches!(column.kind, ColumnKind::Text | ColumnKind::Categorical);
        if !column.is_empty() && (!is_text || column.type_name == "Boolean") {
            return Err(wrong_kind(&key, column, "text"));
        }
    }
    for (at, segment) in roles.segments.iter().enumerate() {
        if segment.sql.is_none() {
            find(log, "log", &format!("log.segments.{at}"), &segment.name)?;
        }
    }
    let features = features(definition, log);
    for (at, source) in definition.source.iter().enumerate() {
        for (position, name) in source.features.iter().enumerate() {
            if !features.contains(&name.as_str()) {
                return Err(missing(
                    &format!("source.{at}.features.{position}"),
                    &format!("feature `{name}` of source `{}` is not a feature of the log", source.name),
                    name,
                    features.iter().copied(),
                ));
            }
        }
    }
    check_evaluated(definition, log)?;
    super::expect::check_against(definition, log)?;
    super::stress::check_against(definition, log)?;
    check_outcome(definition, log, outcomes)
}

/// Checks that a reference with files of its own has what it takes to be compared with the log.
///
/// # Errors
/// A role or a feature of the log that the reference lacks, or has in another kind.
pub fn check_reference(
    definition: &Definition,
    log: &Schema,
    reference: &Schema,
) -> Result<(), DefinitionError> {
    let roles = &definition.log;
    let in_log = roles.outcome.iter().filter(|outcome| outcome.path.is_none());
    let outputs = roles.output_columns();
    let mut needed = vec![roles.time.as_str()];
    needed.extend(outputs.iter().map(|(_, name)| *name));
    needed.extend(roles.id.as_deref());
    needed.extend(
        in_log.flat_map(|outcome| std::iter::once(outcome.column.as_str()).chain(outcome.time.as_deref())),
    );
    needed.extend(features(definition, log));
    let missing: Vec<&str> = needed.iter().copied().filter(|name| reference.column(name).is_none()).collect();
    if !missing.is_empty() {
        let message = format!("the reference has no column {}, which the log has", backticked(&missing));
        let help =
            format!("it has {}; leave out what it lacks with `log.ignore`", listed(reference.names(), 12));
        return Err(DefinitionError::at_key("reference.path", message).with_help(Some(help)));
    }
    for name in needed {
        if let (Some(here), Some(there)) = (log.column(name), reference.column(name))
            && here.kind != there.kind
            && !here.is_empty()
            && !there.is_empty()
        {
            let message = format!(
                "column `{name}` is {} in the log and {} in the reference, so they cannot be compared",
                here.kind_words(),
                there.kind_words()
            );
            return Err(DefinitionError::at_key("reference.path", message));
        }
    }
    Ok(())
}

/// The columns that the model wrote hold what its task needs.
fn check_outputs(roles: &Log, log: &Schema) -> Result<(), DefinitionError> {
    for (key, name) in roles.output_columns() {
        let column = find(log, "log", &key, name)?;
        if column.is_empty() {
            let message = format!("column `{}` has no value in any row", column.name);
            return Err(DefinitionError::at_key(key, message));
        }
        let is_class = key == "log.predicted" && matches!(roles.output(), Output::Probabilities { .. });
        if is_class {
            if matches!(column.kind, ColumnKind::Time | ColumnKind::Other) {
                return Err(wrong_kind(&key, column, "the name of a class"));
            }
        } else if column.kind != ColumnKind::Numeric {
            let needed = match roles.output() {
                Output::Number(_) => "a number",
                Output::Score(_) | Output::Probabilities { .. } => "a number in [0, 1]",
            };
            return Err(wrong_kind(&key, column, needed));
        }
    }
    Ok(())
}

/// The columns that only an evaluation reads.
fn check_evaluated(definition: &Definition, log: &Schema) -> Result<(), DefinitionError> {
    let quantiles = definition.log.quantiles.iter();
    let quantiles = quantiles.map(|(level, column)| (format!("log.quantiles.{level}"), column.as_str()));
    let other = definition.evaluate.comparison.iter().flat_map(|comparison| comparison.columns());
    let other = other.map(|column| ("evaluate.comparison".to_owned(), column));
    for (key, name) in quantiles.chain(other) {
        let column = find(log, "log", &key, name)?;
        if column.kind != ColumnKind::Numeric {
            return Err(wrong_kind(&key, column, "a number"));
        }
    }
    let protected = definition.evaluate.fairness.iter().flat_map(|fairness| &fairness.protected);
    for (at, segment) in protected.enumerate().filter(|(_, segment)| segment.sql.is_none()) {
        find(log, "log", &format!("evaluate.fairness.protected.{at}"), &segment.name)?;
    }
    Ok(())
}

fn backticked(names: &[&str]) -> String {
    let names: Vec<String> = names.iter().map(|name| format!("`{name}`")).collect();
    listed(names.iter().map(String::as_str), 6)
}

/// The outcome is of the kind that the task predicts.
fn check_outcome_kind(roles: &Log, column: &Column) -> Result<(), DefinitionError> {
    const KEY: &str = "log.outcome.column";
    if column.is_empty() {
        return Ok(());
    }
    let is_boolean = column.type_name == "Boolean";
    match roles.output() {
        Output::Score(_) if column.kind != ColumnKind::Numeric && !is_boolean => {
            Err(wrong_kind(KEY, column, "0 and 1, or true and false"))
        }
        Output::Number(_) if column.kind != ColumnKind::Numeric => Err(wrong_kind(KEY, column, "a number")),
        Output::Probabilities { .. } if matches!(column.kind, ColumnKind::Time | ColumnKind::Other) => {
            Err(wrong_kind(KEY, column, "the name of a class"))
        }
        Output::Probabilities { scores, .. }
            if column.kind == ColumnKind::Numeric
                && scores.keys().all(|class| class.parse::<f64>().is_err()) =>
        {
            let message = format!(
                "column `{}` holds numbers, and no class of `log.scores` is named by one",
                column.name
            );
            Err(DefinitionError::at_key(KEY, message).with_help(Some(
                "name the classes as the outcome does, such as `scores = { 0 = \"p_0\", … }`".into(),
            )))
        }
        _ => Ok(()),
    }
}

/// The model's inputs: those that the definition lists, else every column without another role.
pub fn features<'a>(definition: &'a Definition, log: &'a Schema) -> Vec<&'a str> {
    let roles = &definition.log;
    if let Some(features) = &roles.features {
        return features.iter().map(String::as_str).collect();
    }
    let in_log = |outcome: &&super::Outcome| outcome.path.is_none();
    let outcome = roles.outcome.as_ref().filter(in_log);
    let comparison = definition.evaluate.comparison.as_ref();
    let taken = |name: &str| {
        name == roles.time
            || roles.output_columns().iter().any(|(_, column)| *column == name)
            || roles.id.as_deref() == Some(name)
            || outcome.is_some_and(|o| o.column == name || o.time.as_deref() == Some(name))
            || roles.ignore.iter().any(|ignored| ignored == name)
            || roles.quantiles.values().any(|column| column == name)
            || definition.is_of_guard(name)
            || comparison.is_some_and(|comparison| comparison.columns().contains(&name))
    };
    log.names().filter(|name| !taken(name)).collect()
}

/// The features that rows are compared by, with their kinds: numbers and categories.
pub fn compared_columns(definition: &Definition, log: &Schema) -> Vec<(String, ColumnKind)> {
    features(definition, log)
        .into_iter()
        .filter_map(|name| log.column(name))
        .filter(|column| matches!(column.kind, ColumnKind::Numeric | ColumnKind::Categorical))
        .map(|column| (column.name.clone(), column.kind))
        .collect()
}

fn check_outcome(
    definition: &Definition,
    log: &Schema,
    outcomes: Option<&Schema>,
) -> Result<(), DefinitionError> {
    let Some(outcome) = &definition.log.outcome else {
        return Ok(());
    };
    let (schema, table) = outcomes.map_or((log, "log"), |schema| (schema, "outcome table"));
    let column = find(schema, table, "log.outcome.column", &outcome.column)?;
    check_outcome_kind(&definition.log, column)?;
    if let Some(time) = &outcome.time {
        let time = find(schema, table, "log.outcome.time", time)?;
        let log_time = log.column(&definition.log.time);
        if let Some(log_time) = log_time
            && (log_time.kind == ColumnKind::Numeric) != (time.kind == ColumnKind::Numeric)
            && !time.is_empty()
        {
            let message = format!(
                "the log's time `{}` is {} and the outcomes' time `{}` is {}, so they cannot be compared",
                log_time.name,
                log_time.kind_words(),
                time.name,
                time.kind_words()
            );
            return Err(DefinitionError::at_key("log.outcome.time", message)
                .with_help(Some("write both as instants, or both as numbers of one unit".into())));
        }
        if matches!(time.kind, ColumnKind::Other | ColumnKind::Numeric) && definition.log.time_unit.is_none()
        {
            return Err(wrong_kind("log.outcome.time", time, "an instant"));
        }
    }
    if let (Some(outcomes), Some(id)) = (outcomes, outcome.id.as_ref().or(definition.log.id.as_ref())) {
        let there = find(outcomes, table, "log.outcome.id", id)?;
        let here = definition.log.id.as_deref().and_then(|id| log.column(id));
        if let Some(here) = here
            && here.kind != there.kind
            && !there.is_empty()
        {
            return Err(DefinitionError::at_key(
                "log.outcome",
                format!(
                    "the log's id `{}` is {} and the outcomes' id `{}` is {}, so they can never match",
                    here.name,
                    here.kind.word(),
                    there.name,
                    there.kind.word()
                ),
            ));
        }
    }
    Ok(())
}

fn find<'a>(schema: &'a Schema, table: &str, key: &str, name: &str) -> Result<&'a Column, DefinitionError> {
    schema.column(name).ok_or_else(|| {
        missing(
            key,
            &format!("column `{name}` is not in the {table}"),
            name,
            schema.columns.iter().map(|column| column.name.as_str()),
        )
    })
}

fn missing<'a>(
    key: &str,
    message: &str,
    name: &str,
    valid: impl Iterator<Item = &'a str> + Clone,
) -> DefinitionError {
    let help = match nearest(name, valid.clone()) {
        Some(choice) => format!("did you mean `{choice}`? (it has {})", listed(valid, 12)),
        None => format!("it has {}", listed(valid, 12)),
    };
    DefinitionError::at_key(key, message).with_help(Some(help))
}

fn wrong_kind(key: &str, column: &Column, needed: &str) -> DefinitionError {
    DefinitionError::at_key(
        key,
        format!("column `{}` holds {}, but this role needs {needed}", column.name, column.kind_words()),
    )
}
