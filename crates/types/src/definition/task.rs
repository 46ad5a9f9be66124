//! What a task needs in a definition, and what makes no sense for it.

use toml::de::{DeTable, DeValue};

use super::{Definition, DefinitionError, Metric, Task};
use crate::CheckId;
use crate::loss::RowLoss;
use crate::nearest::listed;

/// More classes than this are no longer told apart in any report.
const MOST_CLASSES: usize = 100;

/// Fills in what by default depends on the task, and refuses what does not fit it.
pub(super) fn complete(definition: &mut Definition, text: &str) -> Result<(), DefinitionError> {
    let task = definition.model.task;
    let written = Written::of(text);
    let default = Metric::default_of(task);
    if !written.has("monitor.performance.metric") {
        definition.monitor.performance.metric = default;
    }
    if !written.has("evaluate.performance.metric") {
        definition.evaluate.performance.metric = default;
    }
    if !written.has("evaluate.loss") {
        definition.evaluate.loss = RowLoss::of_task(task)[0];
    }
    check_keys(task, &written)?;
    check_outputs(definition, &written)?;
    check_metrics(definition)?;
    check_calibration(definition, &written)
}

/// One column where each class needs one: most likely a slip for the score of a binary task.
pub(super) fn one_score_for_several(text: &str) -> Option<DefinitionError> {
    let root = DeTable::parse(text).ok()?;
    let DeValue::Table(log) = root.get_ref().get("log")?.get_ref() else { return None };
    let DeValue::String(column) = log.get("scores")?.get_ref() else { return None };
    let message = "`scores` takes a column for each class";
    let help = format!("did you mean `score`? (several classes: `scores = {{ CLASS = \"{column}\", … }}`)");
    Some(DefinitionError::at_key("log.scores", message).with_help(Some(help)))
}

/// The keys that a definition really has.
struct Written<'a>(Option<toml::Spanned<DeTable<'a>>>);

impl<'a> Written<'a> {
    fn of(text: &'a str) -> Self {
        Self(DeTable::parse(text).ok())
    }

    fn has(&self, key: &str) -> bool {
        let mut table = self.0.as_ref().map(toml::Spanned::get_ref);
        let mut found = false;
        for part in key.split('.') {
            let Some(value) = table.and_then(|table| table.get(part)) else { return false };
            table = match value.get_ref() {
                DeValue::Table(table) => Some(table),
                _ => None,
            };
            found = true;
        }
        found
    }
}

/// Keys that only other tasks have.
fn check_keys(task: Task, written: &Written<'_>) -> Result<(), DefinitionError> {
    let keys: [(&str, &[Task], &str); 5] = [
        ("log.score", &[Task::Binary], "the probability of one class"),
        ("log.scores", &[Task::Multiclass], "a probability for each class"),
        ("log.predicted", &[Task::Multiclass, Task::Regression], "the predicted class or number"),
        ("log.threshold", &[Task::Binary], "the score that makes a prediction positive"),
        ("monitor.performance.largest_error", &[Task::Regression], "the error of a number"),
    ];
    for (key, tasks, what) in keys {
        if written.has(key) && !tasks.contains(&task) {
            let message = format!("`{key}` is {what}, which a {} task does not have", task.name());
            let others: Vec<String> =
                tasks.iter().map(|task| format!("`task = \"{}\"`", task.name())).collect();
            let help = format!("remove it, or write {} under [model]", others.join(" or "));
            return Err(DefinitionError::at_key(key, message).with_help(Some(help)));
        }
    }
    Ok(())
}

/// The columns that the model writes.
fn check_outputs(definition: &Definition, written: &Written<'_>) -> Result<(), DefinitionError> {
    let missing = |key: &str, help: &str| {
        let message = format!("missing field `{key}`, which a {} task needs", definition.model.task.name());
        Err(DefinitionError::at_key("log", message).with_help(Some(help.to_owned())))
    };
    match definition.model.task {
        Task::Binary if !written.has("log.score") => missing(
            "score",
            "name the column with the probability of the positive class; `forewarn init LOG` writes a definition with every key that is needed",
        ),
        Task::Regression if !written.has("log.predicted") => {
            missing("predicted", "name the column with the predicted number: `predicted = \"…\"`")
        }
        Task::Multiclass if !written.has("log.scores") => missing(
            "scores",
            "name the column with the probability of each class: `scores = { CLASS = \"column\", … }`",
        ),
        Task::Multiclass => {
            let classes = definition.log.scores.len();
            if !(2..=MOST_CLASSES).contains(&classes) {
                let message =
                    format!("there are {classes} classes, and a multiclass task has 2 to {MOST_CLASSES}");
                return Err(DefinitionError::at_key("log.scores", message)
                    .with_help(Some("name a column of probabilities for every class".into())));
            }
            Ok(())
        }
        Task::Binary | Task::Regression => Ok(()),
    }
}

fn check_metrics(definition: &Definition) -> Result<(), DefinitionError> {
    let evaluate = &definition.evaluate;
    let worst = evaluate.worst_segment.as_ref().map(|bound| ("evaluate.worst_segment.metric", bound.metric));
    let named = [
        ("monitor.performance.metric", definition.monitor.performance.metric),
        ("evaluate.performance.metric", evaluate.performance.metric),
    ];
    let task = definition.model.task;
    for (key, metric) in named.into_iter().chain(worst) {
        if !Metric::headlines(task).any(|of_task| of_task == metric) {
            let message = format!("`{}` cannot be the metric of a {} task", metric.name(), task.name());
            let valid = listed(Metric::headlines(task).map(Metric::name), 20);
            return Err(DefinitionError::at_key(key, message).with_help(Some(format!("valid here: {valid}"))));
        }
    }
    Ok(())
}

/// A predicted number alone promises no probability, so nothing can be said about whether it keeps it.
fn check_calibration(definition: &Definition, written: &Written<'_>) -> Result<(), DefinitionError> {
    if definition.model.task != Task::Regression || !definition.log.quantiles.is_empty() {
        return Ok(());
    }
    let refused = |key: String| {
        let message = "calibration is about probabilities, and a predicted number alone promises none";
        let help =
            "remove it, or name columns of predicted quantiles: `log.quantiles = { \"0.05\" = \"low\", … }`";
        Err(DefinitionError::at_key(key, message).with_help(Some(help.into())))
    };
    if written.has("evaluate.calibration") {
        return refused("evaluate.calibration".into());
    }
    for (gate, needs) in &definition.gate {
        let at = needs.needs.iter().position(|need| need == CheckId::Calibration.name());
        if let Some(at) = at {
            return refused(format!("gate.{gate}.needs.{at}"));
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::super::{Output, parse};
    use super::*;

    fn definition(task: &str, log: &str, more: &str) -> String {
        format!(
            "[model]\ntask = \"{task}\"\n[log]\npath = \"l.csv\"\ntime = \"t\"\n{log}\n[reference]\nwindow = \"2013-01-01/2013-02-01\"\n{more}"
        )
    }

    const SCORES: &str = "scores = { JFK = \"p_jfk\", EWR = \"p_ewr\" }";
    const PREDICTED: &str = "predicted = \"minutes\"";

    #[test]
    fn the_smallest_definition_of_each_task_has_the_metric_of_its_task() {
        let multiclass = parse(&definition("multiclass", SCORES, "")).unwrap();
        assert_eq!(multiclass.monitor.performance.metric, Metric::MacroRocAuc);
        assert_eq!(multiclass.log.classes(), ["EWR", "JFK"]);
        assert_eq!(multiclass.log.output().task(), Task::Multiclass);
        let regression = parse(&definition("regression", PREDICTED, "")).unwrap();
        assert_eq!(regression.evaluate.performance.metric, Metric::Mae);
        assert_eq!(regression.log.output(), Output::Number("minutes"));
        let binary = parse(&definition("binary", "score = \"p\"", "")).unwrap();
        assert_eq!(binary.evaluate.performance.metric, Metric::RocAuc);
        let written =
            parse(&definition("regression", PREDICTED, "[monitor]\nperformance = { metric = \"r2\" }"))
                .unwrap();
        assert_eq!(written.monitor.performance.metric, Metric::R2);
    }

    /// The message, the help and the text that the mistake points at.
    fn check(text: &str, message: &str, help: &str, pointed_at: &str) {
        let error = parse(text).unwrap_err();
        assert!(error.message.contains(message), "message was {:?}", error.message);
        assert!(error.help.as_deref().unwrap_or("").contains(help), "help was {:?}", error.help);
        let span = error.span(text).unwrap_or(0..0);
        assert!(text[span.clone()].contains(pointed_at), "pointed at {:?}", &text[span]);
    }

    #[test]
    fn what_a_task_lacks_or_cannot_have_names_the_way_out() {
        check(&definition("binary", "", ""), "missing field `score`", "forewarn init", "log");
        check(&definition("multiclass", "", ""), "missing field `scores`", "scores = {", "log");
        check(&definition("regression", "", ""), "missing field `predicted`", "predicted = ", "log");
        check(&definition("binary", SCORES, ""), "does not have", "task = \"multiclass\"", "p_jfk");
        check(&definition("multiclass", "score = \"p\"", ""), "does not have", "task = \"binary\"", "\"p\"");
        let both = format!("{PREDICTED}\nthreshold = 0.4");
        check(&definition("regression", &both, ""), "does not have", "remove it", "0.4");
        check(
            &definition("multiclass", "scores = { a = \"p\" }", ""),
            "there are 1 classes",
            "every class",
            "p",
        );
        let one = "scores = \"p\"";
        check(&definition("binary", one, ""), "a column for each class", "did you mean `score`?", "p");
        let twice = "scores = { a = \"p\", b = \"p\" }";
        check(&definition("multiclass", twice, ""), "already `log.scores.a`", "one role", "p");
    }

    #[test]
    fn a_metric_of_another_task_is_refused_with_those_of_this_one() {
        let performance = |metric: &str| format!("[monitor.performance]\nmetric = \"{metric}\"\n");
        check(
            &definition("regression", PREDICTED, &performance("roc_auc")),
            "regression task",
            "mae, rmse",
            "roc_auc",
        );
        check(
            &definition("multiclass", SCORES, &performance("roc_auc")),
            "multiclass task",
            "macro_roc_auc",
            "roc_auc",
        );
        check(
            &definition("regression", PREDICTED, &performance("mean_error")),
            "cannot be",
            "mae",
            "mean_error",
        );
        let bound = "[evaluate]\nperformance = { metric = \"rmse\", at_most = -2 }\n";
        check(&definition("regression", PREDICTED, bound), "cannot be held to -2", "above 0", "-2");
        let other_side = "[evaluate]\nperformance = { metric = \"mae\", at_least = 2 }\n";
        check(&definition("regression", PREDICTED, other_side), "contradicts", "at_most", "2");
    }

    #[test]
    fn numbers_have_no_calibration_to_check_or_to_need() {
        let table = "[evaluate.calibration]\nbins = 5\n";
        check(
            &definition("regression", PREDICTED, table),
            "about probabilities",
            "log.quantiles",
            "calibration",
        );
        let gate = "[gate.deploy]\nneeds = [\"evaluate.calibration\"]\n";
        check(
            &definition("regression", PREDICTED, gate),
            "about probabilities",
            "remove it",
            "evaluate.calibration",
        );
        parse(&definition("regression", PREDICTED, "[gate.deploy]\nneeds = [\"evaluate.*\"]\n")).unwrap();
    }
}
