//! What the values of `[evaluate]` can be.

use std::collections::BTreeMap;

use super::super::{Definition, DefinitionError, Metric, Task};
use super::CRITERIA;
use crate::loss::RowLoss;

/// Holds the values of `[evaluate]` that no other part checks to what they can be.
pub(in crate::definition) fn check_values(definition: &Definition) -> Result<(), DefinitionError> {
    let evaluate = &definition.evaluate;
    let task = definition.model.task;
    if !(100..=5_000_000).contains(&evaluate.rows) {
        return Err(DefinitionError::at_key("evaluate.rows", "rows must be between 100 and 5000000"));
    }
    if !RowLoss::of_task(task).contains(&evaluate.loss) {
        let message = format!("`{}` is no loss of a {} task", evaluate.loss.name(), task.name());
        let valid: Vec<&str> = RowLoss::of_task(task).iter().map(|loss| loss.name()).collect();
        return Err(DefinitionError::at_key("evaluate.loss", message)
            .with_help(Some(format!("valid here: {}", valid.join(", ")))));
    }
    for (key, share) in [
        ("calibration.segment_gap_at_most", evaluate.calibration.segment_gap_at_most),
        ("calibration.coverage_gap_at_most", evaluate.calibration.coverage_gap_at_most),
        ("slices.min_share", evaluate.slices.min_share),
        ("worst_subpopulation.share", evaluate.worst_subpopulation.share),
        ("errors.systematic_at_most", evaluate.errors.systematic_at_most),
        ("errors.rate_gap", evaluate.errors.rate_gap),
        ("tail.rare_share", evaluate.tail.rare_share),
        ("tail.uncommon_share", evaluate.tail.uncommon_share),
        ("tail.rare_class_wrong_at_most", evaluate.tail.rare_class_wrong_at_most),
        ("tail.confident", evaluate.tail.confident),
    ] {
        super::super::parse::open_share(&format!("evaluate.{key}"), share)?;
    }
    if let Some(least) = evaluate.outcomes.at_least {
        super::super::parse::open_share("evaluate.outcomes.at_least", least)?;
    }
    super::super::parse::positive(
        "evaluate.worst_subpopulation.max_rise",
        evaluate.worst_subpopulation.max_rise,
    )?;
    if let Some(most) = evaluate.worst_subpopulation.at_most {
        super::super::parse::positive("evaluate.worst_subpopulation.at_most", most)?;
    }
    for (key, lift) in
        [("slices.max_lift", evaluate.slices.max_lift), ("tail.max_lift", evaluate.tail.max_lift)]
    {
        if !(lift > 1.0 && lift.is_finite()) {
            let message = format!("{lift} is not above 1: a lift of 1 is the average");
            return Err(DefinitionError::at_key(format!("evaluate.{key}"), message));
        }
    }
    for (key, value, most) in [
        ("slices.conditions", evaluate.slices.conditions, 4),
        ("slices.top", evaluate.slices.top, 100),
        ("tail.worst_cases", evaluate.tail.worst_cases, 1000),
    ] {
        let least = u32::from(key.starts_with("slices"));
        if !(least..=most).contains(&value) {
            let message = format!("{value} is not between {least} and {most}");
            return Err(DefinitionError::at_key(format!("evaluate.{key}"), message));
        }
    }
    for (at, check) in evaluate.skip.iter().enumerate() {
        if check.practice() != "evaluate" {
            let message = format!("`{check}` is no check of [evaluate]");
            return Err(DefinitionError::at_key(format!("evaluate.skip.{at}"), message));
        }
    }
    check_cost(definition)?;
    check_quantiles(definition)?;
    check_fairness(definition)?;
    check_comparison(definition)
}

fn check_cost(definition: &Definition) -> Result<(), DefinitionError> {
    let Some(cost) = &definition.evaluate.cost else { return Ok(()) };
    let at = |key: &str, message: String, help: &str| {
        Err(DefinitionError::at_key(format!("evaluate.cost{key}"), message).with_help(Some(help.into())))
    };
    let decisions = [cost.false_positive, cost.false_negative, cost.true_positive, cost.true_negative];
    let matrix = || cost.matrix.values().flat_map(BTreeMap::values).copied();
    if let Some(wrong) =
        decisions.into_iter().chain(matrix()).chain(cost.at_most).find(|cost| !cost.is_finite())
    {
        return at("", format!("{wrong} is not a finite cost"), "give a number; a gain is a negative cost");
    }
    match definition.model.task {
        Task::Regression => at("", "a regression task makes no decision that has a cost".into(), "remove it"),
        Task::Binary if !cost.matrix.is_empty() => at(
            ".matrix",
            "a matrix of costs is for several classes".into(),
            "write `false_positive` and `false_negative`",
        ),
        Task::Multiclass if cost.matrix.is_empty() => at(
            "",
            "a multiclass task needs a matrix of costs".into(),
            "write `matrix = { HAPPENED = { PREDICTED = cost } }`",
        ),
        Task::Binary => Ok(()),
        Task::Multiclass => {
            let classes = &definition.log.scores;
            let named =
                cost.matrix.iter().flat_map(|(outcome, row)| std::iter::once(outcome).chain(row.keys()));
            match named.into_iter().find(|class| !classes.contains_key(*class)) {
                Some(class) => at(
                    ".matrix",
                    format!("`{class}` is no class of `log.scores`"),
                    "name the classes as `log.scores` does",
                ),
                None => Ok(()),
            }
        }
    }
}

fn check_quantiles(definition: &Definition) -> Result<(), DefinitionError> {
    let quantiles = &definition.log.quantiles;
    if quantiles.is_empty() {
        return Ok(());
    }
    if definition.model.task != Task::Regression {
        return Err(DefinitionError::at_key(
            "log.quantiles",
            "quantiles are predicted by a regression task only",
        )
        .with_help(Some("remove it, or write `task = \"regression\"` under [model]".into())));
    }
    for level in quantiles.keys() {
        if !level.parse::<f64>().is_ok_and(|level| level > 0.0 && level < 1.0) {
            return Err(DefinitionError::at_key(
                "log.quantiles",
                format!("`{level}` is not between 0 and 1"),
            )
            .with_help(Some("name each column by its share, such as `\"0.05\" = \"low\"`".into())));
        }
    }
    Ok(())
}

fn check_fairness(definition: &Definition) -> Result<(), DefinitionError> {
    let Some(fairness) = &definition.evaluate.fairness else { return Ok(()) };
    if fairness.protected.is_empty() {
        return Err(DefinitionError::at_key("evaluate.fairness.protected", "no column is protected")
            .with_help(Some("name columns, such as `protected = [\"sex\"]`".into())));
    }
    let valid = fairness_criteria(definition);
    let is_share = definition.model.task == Task::Binary;
    for (at, limit) in fairness.limits.iter().enumerate() {
        let key = format!("evaluate.fairness.limits.{at}");
        if !valid.contains(&limit.criterion) {
            let help = match crate::nearest::nearest(&limit.criterion, valid.iter().map(String::as_str)) {
                Some(choice) => format!("did you mean `{choice}`?"),
                None => format!("valid here: {}", valid.join(", ")),
            };
            let message = format!("`{}` is no criterion of fairness", limit.criterion);
            return Err(DefinitionError::at_key(format!("{key}.criterion"), message).with_help(Some(help)));
        }
        let is_ratio = limit.criterion.ends_with("_ratio");
        let (bound, other, right) = if is_ratio {
            (limit.at_least, limit.at_most, "at_least")
        } else {
            (limit.at_most, limit.at_least, "at_most")
        };
        let kind =
            if is_ratio { "a ratio is fairer when larger" } else { "a difference is fairer when smaller" };
        let wrong = match bound {
            _ if other.is_some() => Some(kind.to_owned()),
            None => Some("there is no limit".to_owned()),
            Some(bound) if (is_ratio || is_share) && !(0.0..=1.0).contains(&bound) => {
                Some(format!("{bound} is not between 0 and 1"))
            }
            Some(bound) if !(bound >= 0.0 && bound.is_finite()) => {
                Some(format!("{bound} is not a number from 0 on"))
            }
            Some(_) => None,
        };
        if let Some(wrong) = wrong {
            return Err(DefinitionError::at_key(key, wrong).with_help(Some(format!("write `{right} = …`"))));
        }
    }
    Ok(())
}

/// What a limit on fairness can be about.
fn fairness_criteria(definition: &Definition) -> Vec<String> {
    let both = |name: &str| [format!("{name}_difference"), format!("{name}_ratio")];
    if definition.model.task == Task::Binary {
        return CRITERIA.iter().flat_map(|criterion| both(criterion)).collect();
    }
    // What can be below 0 has no ratio.
    let is_signed = |metric: Metric| matches!(metric, Metric::MeanError | Metric::R2);
    let of_metric = |metric: Metric| {
        both(metric.name()).into_iter().take(if is_signed(metric) { 1 } else { 2 }).collect::<Vec<_>>()
    };
    definition.fairness_metrics().into_iter().flat_map(of_metric).collect()
}

fn check_comparison(definition: &Definition) -> Result<(), DefinitionError> {
    let Some(comparison) = &definition.evaluate.comparison else { return Ok(()) };
    let task = definition.model.task;
    let written = [
        ("score", comparison.score.is_some(), Task::Binary),
        ("scores", !comparison.scores.is_empty(), Task::Multiclass),
        ("predicted", comparison.predicted.is_some(), Task::Regression),
        ("threshold", comparison.threshold.is_some(), Task::Binary),
    ];
    for (name, is_written, of) in written {
        if is_written && task != of {
            let message = format!("`{name}` is not what a {} task predicts", task.name());
            return Err(DefinitionError::at_key(format!("evaluate.comparison.{name}"), message));
        }
        if !is_written && task == of && name != "threshold" {
            let message = format!("the column of the other version is not named: `{name}` is missing");
            return Err(DefinitionError::at_key("evaluate.comparison", message)
                .with_help(Some(format!("add `{name} = …` as under [log]"))));
        }
    }
    if task == Task::Multiclass && !comparison.scores.keys().eq(definition.log.scores.keys()) {
        let message = "the other version has other classes than `log.scores`";
        return Err(DefinitionError::at_key("evaluate.comparison.scores", message)
            .with_help(Some("name the same classes".into())));
    }
    if let Some(threshold) = comparison.threshold {
        super::super::parse::open_share("evaluate.comparison.threshold", threshold)?;
    }
    if !(comparison.max_rise >= 0.0 && comparison.max_rise.is_finite()) {
        let message = format!("{} is not a number from 0 on", comparison.max_rise);
        return Err(DefinitionError::at_key("evaluate.comparison.max_rise", message));
    }
    Ok(())
}
