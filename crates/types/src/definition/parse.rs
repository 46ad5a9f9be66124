//! From the text of `forewarn.toml` to a [`Definition`], with the place of every mistake.

use std::ops::Range;

use toml::de::{DeTable, DeValue};

use super::{Definition, Drift, Metric, Multivariate, Task, task};
use crate::CheckId;
use crate::nearest::{listed, nearest};
use crate::window::Dataset;

/// A mistake in a definition: where, what, and the way out.
#[derive(Clone, Debug, thiserror::Error, PartialEq, Eq)]
#[error("{message}")]
pub struct DefinitionError {
    pub message: String,
    /// What to write instead, where there is a likely choice.
    pub help: Option<String>,
    pub place: Place,
}

/// Where in the file a mistake is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Place {
    /// The file as a whole.
    File,
    /// A range of bytes.
    Bytes(Range<usize>),
    /// A key such as `log.segments.1.sql`; list positions count from 0.
    Key(String),
}

impl DefinitionError {
    pub fn at_key(key: impl Into<String>, message: impl Into<String>) -> Self {
        Self { message: message.into(), help: None, place: Place::Key(key.into()) }
    }

    #[must_use]
    pub fn with_help(mut self, help: Option<String>) -> Self {
        self.help = help;
        self
    }

    /// The bytes of `text` that the mistake is about.
    pub fn span(&self, text: &str) -> Option<Range<usize>> {
        match &self.place {
            Place::File => None,
            Place::Bytes(range) => Some(range.clone()),
            Place::Key(key) => key_span(text, key),
        }
    }
}

/// Reads a definition and checks what can be checked without looking at the data.
///
/// # Errors
/// The first [`DefinitionError`]: bad TOML, an unknown or missing key, a value out of range or a
/// setting that contradicts another.
pub fn parse(text: &str) -> Result<Definition, DefinitionError> {
    let mut definition: Definition = toml::from_str(text).map_err(|error| {
        task::one_score_for_several(text).unwrap_or_else(|| {
            let error = from_toml(text, &error);
            let is_missing = error.message.starts_with("missing field");
            let help = is_missing
                .then(|| "`forewarn init LOG` writes a definition with every key that is needed".to_owned());
            let help = error.help.clone().or(help);
            error.with_help(help)
        })
    })?;
    task::complete(&mut definition, text)?;
    check_values(&definition)?;
    if definition.reference.path.is_some() {
        definition.reference.window = definition.reference.window.of(Dataset::Reference);
    }
    Ok(definition)
}

/// Between a message and its help, where a value is refused while it is read.
pub(super) const WAY_OUT: &str = "\n";

/// What serde says about a text that does not fit, with the nearest choice.
pub(crate) fn from_toml(text: &str, error: &toml::de::Error) -> DefinitionError {
    let message = error.message().trim().to_owned();
    let place = error.span().map_or(Place::File, Place::Bytes);
    // serde lists the valid names between backticks: "unknown field `a`, expected one of `b`, `c`".
    let quoted: Vec<&str> = message.split('`').skip(1).step_by(2).collect();
    let help = match quoted.split_first() {
        _ if message.contains(WAY_OUT) => message.split_once(WAY_OUT).map(|(_, help)| help.to_owned()),
        Some((wrong, valid)) if message.starts_with("unknown") => match nearest(wrong, valid.iter().copied())
        {
            Some(choice) => Some(format!("did you mean `{choice}`?")),
            None => Some(format!("valid here: {}", listed(valid.iter().copied(), 20))),
        },
        _ => None,
    };
    let place = match place {
        // A missing key is reported for its table; an empty file has no table to point at.
        Place::Bytes(range) if range.end > text.len() => Place::File,
        place => place,
    };
    let said = message.split(WAY_OUT).next().unwrap_or(&message);
    let message = said.split(", expected one of").next().unwrap_or(said).to_owned();
    DefinitionError { message, help, place }
}

fn check_values(definition: &Definition) -> Result<(), DefinitionError> {
    let Definition { log, evaluate, .. } = definition;
    let reference = &definition.reference;
    if reference.path.is_none() && reference.window.is_everything() {
        let message = "the reference is neither a window of the log nor files of its own";
        let help =
            "add `window = \"FROM/TO\"`, such as 2013-01-01/2013-05-01, or `path = \"reference/*.parquet\"`";
        return Err(DefinitionError::at_key("reference", message).with_help(Some(help.into())));
    }
    let drift = &definition.monitor.drift;
    open_share("log.threshold", log.threshold)?;
    open_share("monitor.drift.false_alarms", drift.false_alarms)?;
    open_share("monitor.drift.share_fail", drift.share_fail)?;
    check_drift_limits(drift)?;
    let multivariate = &definition.monitor.multivariate;
    open_share("monitor.multivariate.auc_warn", multivariate.auc_warn)?;
    open_share("monitor.multivariate.auc_fail", multivariate.auc_fail)?;
    positive("monitor.multivariate.reconstruction_warn", multivariate.reconstruction_warn)?;
    positive("monitor.multivariate.reconstruction_fail", multivariate.reconstruction_fail)?;
    check_multivariate_limits(multivariate)?;
    if !(100..=100_000).contains(&multivariate.rows) {
        return Err(DefinitionError::at_key(
            "monitor.multivariate.rows",
            "rows must be between 100 and 100000",
        ));
    }
    if !(1..=520).contains(&drift.windows) {
        return Err(DefinitionError::at_key("monitor.drift.windows", "windows must be between 1 and 520"));
    }
    let watched = &definition.monitor.performance;
    positive("monitor.performance.max_drop", watched.max_drop)?;
    open_share("monitor.performance.tolerance", watched.tolerance)?;
    if let Some(largest) = watched.largest_error {
        positive("monitor.performance.largest_error", largest)?;
    }
    open_share("monitor.performance.false_alarms", watched.false_alarms)?;
    if watched.attribution_rows != 0 && !(500..=100_000).contains(&watched.attribution_rows) {
        return Err(DefinitionError::at_key(
            "monitor.performance.attribution_rows",
            "attribution_rows must be between 500 and 100000, or 0 to switch it off",
        ));
    }
    if !(watched.least_coverage > 0.0 && watched.least_coverage <= 1.0) {
        return Err(DefinitionError::at_key(
            "monitor.performance.least_coverage",
            format!("{} is not above 0 and at most 1", watched.least_coverage),
        ));
    }
    positive("evaluate.performance.max_drop", evaluate.performance.max_drop)?;
    open_share("evaluate.calibration.ece_at_most", evaluate.calibration.ece_at_most)?;
    if !(2..=100).contains(&evaluate.calibration.bins) {
        return Err(DefinitionError::at_key("evaluate.calibration.bins", "bins must be between 2 and 100"));
    }
    let performance = &evaluate.performance;
    let task = definition.model.task;
    check_bound(task, "evaluate.performance", performance.metric, performance.at_least, performance.at_most)?;
    if let Some(bound) = &evaluate.worst_segment {
        check_bound(task, "evaluate.worst_segment", bound.metric, bound.at_least, bound.at_most)?;
        if bound.at_least.is_none() && bound.at_most.is_none() {
            let direction = if bound.metric.higher_is_better() { "at_least" } else { "at_most" };
            return Err(DefinitionError::at_key("evaluate.worst_segment", "the worst segment has no limit")
                .with_help(Some(format!("add `{direction} = …`"))));
        }
        if log.segments.is_empty() {
            return Err(DefinitionError::at_key("evaluate.worst_segment", "no segments are declared")
                .with_help(Some("name columns in `log.segments`".into())));
        }
    }
    super::evaluate::check_values(definition)?;
    super::expect::check_values(definition)?;
    super::model::check_values(definition)?;
    super::stress::check_values(definition)?;
    super::guard::check_values(definition)?;
    super::alert::check_values(definition)?;
    check_outcome(definition)?;
    check_roles(definition)?;
    check_gates(definition)
}

fn check_drift_limits(drift: &Drift) -> Result<(), DefinitionError> {
    for (key, limit) in [("warn", drift.warn), ("fail", drift.fail)] {
        let Some(limit) = limit else { continue };
        let key = format!("monitor.drift.{key}");
        positive(&key, limit)?;
        if let Some(peer) = drift.method.peer() {
            let message = format!("{limit} has no meaning here: `{}` has thresholds of its own", peer.name());
            return Err(DefinitionError::at_key(key, message)
                .with_help(Some("remove it, or choose a distance as `method`".into())));
        }
    }
    let (warn, fail) = drift.limits(drift.method.distance());
    if warn > fail {
        let key = if drift.warn.is_some() { "warn" } else { "fail" };
        return Err(DefinitionError::at_key(
            format!("monitor.drift.{key}"),
            format!("warn ({warn}) is above fail ({fail})"),
        ));
    }
    Ok(())
}

/// A limit from which a change is worth a look lies below the one from which it is an alarm.
fn check_multivariate_limits(multivariate: &Multivariate) -> Result<(), DefinitionError> {
    let of = multivariate;
    for (name, warn, fail) in [
        ("auc", of.auc_warn, of.auc_fail),
        ("reconstruction", of.reconstruction_warn, of.reconstruction_fail),
    ] {
        if warn > fail {
            let message = format!("{name}_warn ({warn}) is above {name}_fail ({fail})");
            return Err(DefinitionError::at_key(format!("monitor.multivariate.{name}_warn"), message)
                .with_help(Some("a change is worth a look before it is an alarm".into())));
        }
    }
    Ok(())
}

fn check_outcome(definition: &Definition) -> Result<(), DefinitionError> {
    let Some(outcome) = &definition.log.outcome else {
        return Ok(());
    };
    if outcome.path.is_some() && definition.log.id.is_none() {
        return Err(DefinitionError::at_key(
            "log.outcome",
            "outcomes in a table of their own are joined by id, but `log.id` is not set",
        )
        .with_help(Some("add `id = \"…\"` under [log]".into())));
    }
    if outcome.path.is_none() && outcome.id.is_some() {
        return Err(DefinitionError::at_key(
            "log.outcome.id",
            "an outcome id has no meaning where the outcome is a column of the log itself",
        )
        .with_help(Some("remove it, or add the outcome table's `path`".into())));
    }
    Ok(())
}

/// A column has one role: a model that is given its own answer, or the truth, is measured wrongly.
fn check_roles(definition: &Definition) -> Result<(), DefinitionError> {
    let log = &definition.log;
    let mut roles: Vec<(String, &str)> = vec![("log.time".into(), &log.time)];
    roles.extend(log.output_columns());
    roles.extend(log.id.as_deref().map(|id| ("log.id".into(), id)));
    let outcome = log.outcome.as_ref().filter(|outcome| outcome.path.is_none());
    roles.extend(outcome.map(|outcome| ("log.outcome.column".into(), outcome.column.as_str())));
    // An empty name is a role still to be filled in, and is told as a missing column.
    roles.retain(|(_, column)| !column.is_empty());
    for (at, (key, column)) in roles.iter().enumerate() {
        if let Some((other, _)) = roles[..at].iter().find(|(_, taken)| taken == column) {
            return Err(DefinitionError::at_key(key, format!("column `{column}` is already `{other}`"))
                .with_help(Some("a column has one role".into())));
        }
    }
    let features = log.features.as_deref().unwrap_or_default();
    for (at, feature) in features.iter().enumerate() {
        if let Some((role, _)) = roles.iter().find(|(_, column)| column == feature) {
            let message = format!("column `{feature}` is `{role}` and cannot be a feature too");
            return Err(DefinitionError::at_key(format!("log.features.{at}"), message));
        }
    }
    for (at, ignored) in log.ignore.iter().enumerate() {
        if features.contains(ignored) || roles.iter().any(|(_, column)| column == ignored) {
            let message = format!("column `{ignored}` has a role and is in `ignore` too");
            return Err(DefinitionError::at_key(format!("log.ignore.{at}"), message));
        }
    }
    for (at, segment) in log.segments.iter().enumerate() {
        if log.segments[..at].iter().any(|other| other.name == segment.name) {
            let message = format!("segment `{}` is named twice", segment.name);
            return Err(DefinitionError::at_key(format!("log.segments.{at}"), message));
        }
    }
    Ok(())
}

fn check_gates(definition: &Definition) -> Result<(), DefinitionError> {
    let practices = ["monitor.*", "evaluate.*"];
    let names = || CheckId::ALL.iter().map(|check| check.name()).chain(practices);
    for (gate, needs) in &definition.gate {
        for (at, need) in needs.needs.iter().enumerate() {
            if !names().any(|name| name == need) {
                let help = match nearest(need, names()) {
                    Some(choice) => format!("did you mean `{choice}`?"),
                    None => format!("checks are {}", listed(names(), 20)),
                };
                return Err(DefinitionError::at_key(
                    format!("gate.{gate}.needs.{at}"),
                    format!("gate `{gate}` needs `{need}`, which is not a check"),
                )
                .with_help(Some(help)));
            }
        }
        if needs.needs.is_empty() {
            return Err(DefinitionError::at_key(
                format!("gate.{gate}.needs"),
                format!("gate `{gate}` needs nothing"),
            )
            .with_help(Some(
                "a gate that is always open protects nothing: name checks, such as \"evaluate.*\"".into(),
            )));
        }
    }
    Ok(())
}

fn check_bound(
    task: Task,
    key: &str,
    metric: Metric,
    at_least: Option<f64>,
    at_most: Option<f64>,
) -> Result<(), DefinitionError> {
    let (wrong, right, direction) = if metric.higher_is_better() {
        (at_most.map(|_| "at_most"), "at_least", "better when larger")
    } else {
        (at_least.map(|_| "at_least"), "at_most", "better when smaller")
    };
    if let Some(wrong) = wrong {
        return Err(DefinitionError::at_key(
            format!("{key}.{wrong}"),
            format!("{} is {direction}, so `{wrong}` contradicts it", metric.title()),
        )
        .with_help(Some(format!("write `{right} = …`"))));
    }
    for (name, bound) in [("at_least", at_least), ("at_most", at_most)] {
        let Some(bound) = bound else { continue };
        if !metric.can_be(task, bound) {
            return Err(DefinitionError::at_key(
                format!("{key}.{name}"),
                format!("{} cannot be held to {bound}", metric.title()),
            )
            .with_help(Some(format!("give {}", metric.range(task)))));
        }
    }
    Ok(())
}

pub(super) fn open_share(key: &str, value: f64) -> Result<(), DefinitionError> {
    if value > 0.0 && value < 1.0 {
        Ok(())
    } else {
        let error = DefinitionError::at_key(key, format!("{value} is not between 0 and 1, both left out"));
        Err(error.with_help(Some("write a share above 0 and below 1".to_owned())))
    }
}

pub(super) fn positive(key: &str, value: f64) -> Result<(), DefinitionError> {
    if value > 0.0 && value.is_finite() {
        Ok(())
    } else {
        Err(DefinitionError::at_key(key, format!("{value} is not a positive number")))
    }
}

/// The bytes of the value under a dotted key; of the nearest table above it where it is absent.
fn key_span(text: &str, key: &str) -> Option<Range<usize>> {
    let root = DeTable::parse(text).ok()?;
    let mut table = Some(root.get_ref());
    let mut value: Option<&toml::Spanned<DeValue<'_>>> = None;
    for part in key.split('.') {
        let next = match (table, value.map(toml::Spanned::get_ref)) {
            (Some(table), _) => table.get(part),
            (None, Some(DeValue::Array(items))) => part.parse::<usize>().ok().and_then(|at| items.get(at)),
            _ => None,
        };
        let Some(next) = next else { break };
        table = match next.get_ref() {
            DeValue::Table(table) => Some(table),
            _ => None,
        };
        value = Some(next);
    }
    value.map(toml::Spanned::span)
}

#[cfg(test)]
mod tests {
    use super::super::Segment;
    use super::*;

    const SMALLEST: &str = "[log]\npath = \"log.csv\"\ntime = \"t\"\nscore = \"p\"\n[reference]\nwindow = \"2013-01-01/2013-02-01\"\n";

    #[test]
    fn the_smallest_definition_has_a_default_for_everything_else() {
        let definition = parse(SMALLEST).unwrap();
        assert_eq!(definition.log.threshold, 0.5);
        assert_eq!(definition.monitor.drift.false_alarms, 0.01);
        assert!(definition.gate.is_empty());
    }

    /// The mistake's message, help, and the text that it points at.
    fn check(text: &str, message: &str, help: &str, pointed_at: &str) {
        let error = parse(text).unwrap_err();
        assert!(error.message.contains(message), "message was {:?}", error.message);
        assert!(error.help.as_deref().unwrap_or("").contains(help), "help was {:?}", error.help);
        let span = error.span(text).unwrap_or(0..0);
        assert!(text[span.clone()].contains(pointed_at), "pointed at {:?}", &text[span]);
    }

    #[test]
    fn mistakes_name_the_place_and_the_nearest_choice() {
        let with = |more: &str| format!("{SMALLEST}{more}");
        check(&SMALLEST.replace("score", "scor"), "unknown field `scor`", "did you mean `score`?", "scor");
        check(&with("[monitor.drift]\nfalse_alarms = 2.0\n"), "not between 0 and 1", "", "2.0");
        check(
            &with("[gate.deploy]\nneeds = [\"evaluate.calibraton\"]\n"),
            "not a check",
            "`evaluate.calibration`",
            "calibraton",
        );
        check(&with("[gate.deploy]\nneeds = []\n"), "needs nothing", "evaluate.*", "[]");
        check(
            &with("[evaluate]\nworst_segment = { metric = \"brier\", at_least = 0.1 }\n"),
            "contradicts",
            "at_most",
            "0.1",
        );
        check(
            &with("[evaluate]\nperformance = { metric = \"roc_aux\" }\n"),
            "unknown variant",
            "`roc_auc`",
            "roc_aux",
        );
        check(
            &with("[monitor.multivariate]\nreconstruction_warn = 0.9\n"),
            "reconstruction_warn (0.9) is above reconstruction_fail (0.5)",
            "worth a look",
            "0.9",
        );
        check(&with("[monitor.multivariate]\nauc_warn = 0.9\n"), "auc_warn (0.9) is above", "", "0.9");
        check(
            &with("[monitor.drift]\nmethod = \"kolmogorov\"\n"),
            "unknown method `kolmogorov`",
            "did you mean `kolmogorov_smirnov`? methods are auto, psi,",
            "kolmogorov",
        );
        check(&SMALLEST.replace("2013-02-01", "2012-02-01"), "is empty", "", "2012");
        check("", "missing field `log`", "forewarn init", "");
        check("[log\n", "", "", "");
    }

    #[test]
    fn segments_are_columns_or_expressions() {
        let text = SMALLEST.replace(
            "[reference]",
            "segments = [\"origin\", { name = \"late\", sql = \"hour > 17\" }]\n[reference]",
        );
        let segments = parse(&text).unwrap().log.segments;
        assert_eq!(segments[0], Segment { name: "origin".into(), sql: None });
        assert_eq!(segments[1].sql.as_deref(), Some("hour > 17"));
        check(&text.replace("sql =", "sqll ="), "unknown field `sqll`", "`sql`", "");
    }
}
