//! `[stress]`: how the model answers when its inputs fail, and whether anybody would notice.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{Cadence, Definition, DefinitionError, Model, Task};
use crate::finding::CheckId;
use crate::nearest::{listed, nearest};

/// How the model answers when its inputs fail.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Stress {
    /// How often the checks are due; their evidence stays fresh for that long and half as long again.
    pub every: Cadence,
    /// About how many rows of the window, with outcomes, the model is asked about once more; drawn at random.
    pub rows: u32,
    /// How far a score is from the threshold, as a share of the way to certainty, from which on a wrong answer is
    /// silently wrong: with a threshold of 0.5, 0.5 means scores up to 0.25 and from 0.75 on.
    pub confident: f64,
    /// Checks that are not made, such as `["stress.detection"]`.
    pub skip: Vec<CheckId>,
    /// Whether the model that is asked is the one that the log is of.
    pub parity: Parity,
    /// Inputs that are missing.
    pub missing: Missing,
    /// Everything else that happens to inputs.
    pub faults: Faults,
    /// Whether monitoring notices.
    pub detection: Detection,
    /// What to do while an input is down.
    pub degradation: Degradation,
    /// How the impact of the faults that hurt most grows with the share of rows that they hit.
    pub curves: Curves,
    /// Experiments of your own, each with the hypothesis that it tests.
    pub experiment: Vec<Hypothesis>,
}

impl Default for Stress {
    fn default() -> Self {
        Self {
            every: Cadence::Quarter,
            rows: 2_000,
            confident: 0.5,
            skip: Vec::new(),
            parity: Parity::default(),
            missing: Missing::default(),
            faults: Faults::default(),
            detection: Detection::default(),
            degradation: Degradation::default(),
            curves: Curves::default(),
            experiment: Vec::new(),
        }
    }
}

/// Whether the model that is asked is the one that the log is of.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Parity {
    /// How far the answer for an unchanged row may be from what the log has.
    pub tolerance: f64,
    /// The model as it was before it was exported or deployed, asked as in `[model]`: under every fault it has to
    /// answer as the one that is tested.
    pub against: Option<Box<Model>>,
    /// Who answers for this check; by default the owner of the system.
    pub owner: Option<String>,
}

impl Default for Parity {
    fn default() -> Self {
        Self { tolerance: 1e-4, against: None, owner: None }
    }
}

/// Inputs that are missing: each alone, and all of an upstream source.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Missing {
    /// Each feature alone.
    pub each: bool,
    /// Each `[[source]]` with all of its features.
    pub sources: bool,
    /// Combinations in which every two features are missing together at least once.
    pub pairs: bool,
    /// In which share of the rows they are missing.
    pub rates: Vec<f64>,
    /// Which rows that are, at rates below 1; each mechanism is tried.
    pub mechanisms: Vec<Mechanism>,
    /// The input of `by-column`; by default the other one that goes along most with the model's answers.
    pub by: Option<String>,
    /// What it means where the model refuses rows with a missing input.
    pub refusal: Refusal,
    /// By how much the share of right answers may fall.
    pub max_accuracy_drop: f64,
    /// Who answers for this check; by default the owner of the system.
    pub owner: Option<String>,
}

impl Default for Missing {
    fn default() -> Self {
        Self {
            each: true,
            sources: true,
            pairs: false,
            rates: vec![1.0],
            mechanisms: vec![Mechanism::Random, Mechanism::ByValue],
            by: None,
            refusal: Refusal::Failed,
            max_accuracy_drop: 0.05,
            owner: None,
        }
    }
}

/// Which rows lose a value.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Mechanism {
    /// Any, alike.
    Random,
    /// Rather those in which the lost value itself is high.
    ByValue,
    /// Rather those in which another input is high.
    ByColumn,
}

/// Faults of values: stale feeds, wrong joins, units, categories, and the others of the catalogue.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Faults {
    /// Which kinds to try, such as `["wrong-join", "unit"]`; by default all of the catalogue.
    pub kinds: Option<Vec<String>>,
    /// In which share of the rows it happens.
    pub rate: f64,
    /// What it means where the model refuses faulty rows.
    pub refusal: Refusal,
    /// By how much the share of right answers may fall.
    pub max_accuracy_drop: f64,
    /// Who answers for this check; by default the owner of the system.
    pub owner: Option<String>,
}

impl Default for Faults {
    fn default() -> Self {
        Self { kinds: None, rate: 1.0, refusal: Refusal::Handled, max_accuracy_drop: 0.05, owner: None }
    }
}

/// What it means where the model refuses a row with a message.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Refusal {
    /// Nobody is misled, and callers have another way.
    Handled,
    /// Callers need an answer.
    Failed,
}

/// Whether monitoring notices a fault that hurts.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Detection {
    /// A fault that raises the mean loss by at least this share has to be noticed.
    pub harmful: f64,
    /// Who answers for this check; by default the owner of the system.
    pub owner: Option<String>,
}

impl Default for Detection {
    fn default() -> Self {
        Self { harmful: 0.15, owner: None }
    }
}

/// What could be done while an input is down, weighed by `[evaluate.cost]` where that is declared, else by mistakes.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Degradation {
    /// What it costs to send a case to a person, in the unit of `[evaluate.cost]`; without it that is not weighed.
    pub abstaining: Option<f64>,
    /// What it costs to wait for a model that does not answer, per call; with it a circuit breaker is weighed.
    pub waiting: Option<f64>,
    /// The circuit breaker that is weighed.
    pub breaker: Breaker,
    /// The column that says what a row is about, such as `customer_id`: the last answer about the same thing is
    /// repeated.
    pub cached_by: Option<String>,
    /// The answer of a rule: always this score, or this number.
    pub constant: Option<f64>,
    /// Other models that could be asked instead, each as in `[model]`; one that does not take the lost input does
    /// without it.
    pub fallback: Vec<Model>,
}

/// After failures in a row a model is left alone for a while.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Breaker {
    /// Failures in a row that open it.
    pub failures: u32,
    /// Rows that do not reach the model before one is let through again.
    pub rows_open: u32,
}

impl Default for Breaker {
    fn default() -> Self {
        Self { failures: 3, rows_open: 50 }
    }
}

/// How the impact of a fault grows with the share of rows that it hits.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Curves {
    /// How many faults of each check have a curve, the worst first; 0 for none.
    pub most: u32,
    /// The shares of rows, beside the one that was tried already.
    pub rates: Vec<f64>,
}

impl Default for Curves {
    fn default() -> Self {
        Self { most: 4, rates: vec![0.05, 0.1, 0.25, 0.5] }
    }
}

/// An experiment: what is expected to happen, what is done to see, and what to do where it turns out otherwise.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Hypothesis {
    /// A short name, such as `weather-is-down`.
    pub name: String,
    /// What should hold, in words.
    pub hypothesis: String,
    /// Kinds of the catalogue, such as `["missing", "frozen"]`.
    pub faults: Vec<String>,
    /// Inputs that they are done to, each alone.
    #[serde(default)]
    pub features: Vec<String>,
    /// Sources that they are done to, each with all of its features.
    #[serde(default)]
    pub sources: Vec<String>,
    /// In which share of the rows.
    #[serde(default = "every_row")]
    pub rate: f64,
    /// By how much the share of right answers may fall; by default as in `missing` or `faults`.
    #[serde(default)]
    pub max_accuracy_drop: Option<f64>,
    /// What to do where the hypothesis does not hold, in words.
    #[serde(default)]
    pub rollback: Option<String>,
    /// Who does it.
    #[serde(default)]
    pub who: Option<String>,
}

fn every_row() -> f64 {
    1.0
}

impl Stress {
    /// Who answers for a check, where the definition names somebody for it alone.
    pub(super) fn owner(&self, check: CheckId) -> Option<&str> {
        match check {
            CheckId::Parity => self.parity.owner.as_deref(),
            CheckId::Missing => self.missing.owner.as_deref(),
            CheckId::Faults => self.faults.owner.as_deref(),
            CheckId::Detection => self.detection.owner.as_deref(),
            _ => None,
        }
    }
}

impl Definition {
    /// Whether a check of `[stress]` can be made at all, and is not skipped.
    pub fn stresses(&self, check: CheckId) -> bool {
        check.practice() == "stress" && self.model.asked().is_some() && !self.stress.skip.contains(&check)
    }
}

/// Checks what can be checked without asking the model.
///
/// # Errors
/// The first [`DefinitionError`], at its key.
pub(super) fn check_values(definition: &Definition) -> Result<(), DefinitionError> {
    let stress = &definition.stress;
    if stress.rows < LEAST_ROWS {
        let message =
            format!("{} rows show nothing of faults; at least {LEAST_ROWS} are needed", stress.rows);
        return Err(refused("rows", message));
    }
    check_shares(stress)?;
    check_degradation(definition)?;
    if stress.missing.rates.is_empty() {
        return Err(refused("missing.rates", "no rate is named, so nothing would be missing"));
    }
    if stress.missing.mechanisms.is_empty() {
        return Err(refused("missing.mechanisms", "no mechanism is named, so nothing would be missing"));
    }
    if let Some(against) = &stress.parity.against {
        check_other(against, "parity.against")?;
    }
    for (at, experiment) in stress.experiment.iter().enumerate() {
        check_experiment(definition, at, experiment)?;
    }
    for (at, check) in stress.skip.iter().enumerate() {
        if check.practice() != "stress" {
            return Err(refused(
                &format!("skip.{at}"),
                format!("`{}` is not a check of [stress]", check.name()),
            ));
        }
    }
    Ok(())
}

fn refused(key: &str, message: impl Into<String>) -> DefinitionError {
    DefinitionError::at_key(format!("stress.{key}"), message)
}

fn check_shares(stress: &Stress) -> Result<(), DefinitionError> {
    let one = |key: &str, share: f64| (key.to_owned(), share);
    let mut shares = vec![
        one("confident", stress.confident),
        one("missing.max_accuracy_drop", stress.missing.max_accuracy_drop),
        one("faults.max_accuracy_drop", stress.faults.max_accuracy_drop),
        one("faults.rate", stress.faults.rate),
    ];
    shares.extend(stress.missing.rates.iter().map(|rate| one("missing.rates", *rate)));
    shares.extend(stress.curves.rates.iter().map(|rate| one("curves.rates", *rate)));
    for (at, experiment) in stress.experiment.iter().enumerate() {
        shares.push((format!("experiment.{at}.rate"), experiment.rate));
        let limit = experiment.max_accuracy_drop;
        shares.extend(limit.map(|limit| (format!("experiment.{at}.max_accuracy_drop"), limit)));
    }
    for (key, share) in shares {
        let may_be_none = key.ends_with("drop");
        if !(0.0..=1.0).contains(&share) || (share == 0.0 && !may_be_none) {
            return Err(refused(&key, format!("{share} is not a share between 0 and 1")));
        }
    }
    Ok(())
}

fn check_degradation(definition: &Definition) -> Result<(), DefinitionError> {
    let stress = &definition.stress;
    let degradation = &stress.degradation;
    let numbers = [
        ("parity.tolerance", stress.parity.tolerance),
        ("detection.harmful", stress.detection.harmful),
        ("degradation.abstaining", degradation.abstaining.unwrap_or_default()),
        ("degradation.waiting", degradation.waiting.unwrap_or_default()),
    ];
    for (key, number) in numbers {
        if !(number.is_finite() && number >= 0.0) {
            return Err(refused(key, format!("{number} is not a number of 0 or more")));
        }
    }
    if let Some(constant) = degradation.constant {
        let message = match definition.model.task {
            Task::Multiclass => "a class cannot be given as a constant answer yet; name a `fallback` instead",
            Task::Binary if !(0.0..=1.0).contains(&constant) => "a score lies between 0 and 1",
            _ if !constant.is_finite() => "the constant answer is no finite number",
            _ => "",
        };
        if !message.is_empty() {
            return Err(refused("degradation.constant", message));
        }
    }
    for (at, fallback) in degradation.fallback.iter().enumerate() {
        check_other(fallback, &format!("degradation.fallback.{at}"))?;
    }
    Ok(())
}

/// Another model has to say where it can be asked.
fn check_other(model: &Model, key: &str) -> Result<(), DefinitionError> {
    if model.asked().is_none() {
        return Err(refused(key, "nothing says where this model can be asked").with_help(Some(
            "add onnx = \"model.onnx\", endpoint = \"http://…\" or command = [\"…\"]".into(),
        )));
    }
    super::model::check_asked(model, &format!("stress.{key}"))
}

fn check_experiment(
    definition: &Definition,
    at: usize,
    experiment: &Hypothesis,
) -> Result<(), DefinitionError> {
    let before = &definition.stress.experiment[..at];
    if experiment.name.trim().is_empty() {
        return Err(refused(&format!("experiment.{at}.name"), "the experiment has no name"));
    }
    if before.iter().any(|other| other.name == experiment.name) {
        let message = format!("there are two experiments `{}`", experiment.name);
        return Err(refused(&format!("experiment.{at}.name"), message));
    }
    if experiment.faults.is_empty() {
        return Err(refused(
            &format!("experiment.{at}.faults"),
            "no fault is named, so nothing would be tried",
        ));
    }
    if experiment.features.is_empty() && experiment.sources.is_empty() {
        let message = format!("`{}` does not say what its faults are done to", experiment.name);
        return Err(refused(&format!("experiment.{at}"), message)
            .with_help(Some("name inputs in `features`, or sources in `sources`".into())));
    }
    let sources = || definition.source.iter().map(|source| source.name.as_str());
    for (position, name) in experiment.sources.iter().enumerate() {
        if !sources().any(|known| known == name) {
            let message = format!("there is no [[source]] `{name}`");
            let help = match nearest(name, sources()) {
                Some(choice) => format!("did you mean `{choice}`?"),
                None => format!("there are {}", listed(sources(), 12)),
            };
            return Err(
                refused(&format!("experiment.{at}.sources.{position}"), message).with_help(Some(help))
            );
        }
    }
    Ok(())
}

const LEAST_ROWS: u32 = 100;

#[cfg(test)]
mod tests {
    use super::super::parse;

    const SMALLEST: &str = "[log]\npath = \"log.csv\"\ntime = \"t\"\nscore = \"p\"\n[reference]\nwindow = \"2013-01-01/2013-02-01\"\n[[source]]\nname = \"weather\"\nfeatures = [\"temp\"]\n";

    #[track_caller]
    fn check(text: &str, message: &str) {
        let error = parse(&format!("{SMALLEST}{text}\n")).unwrap_err();
        let told = format!("{} {}", error.message, error.help.as_deref().unwrap_or_default());
        assert!(told.contains(message), "{told:?}");
    }

    #[test]
    fn other_ways_to_answer_and_experiments_are_read() {
        let text = "[stress.degradation]\ncached_by = \"customer\"\nconstant = 0.1\nwaiting = 0.2\nfallback = [{ onnx = \"simple.onnx\", inputs = [\"age\"] }]\n[[stress.experiment]]\nname = \"weather-is-down\"\nhypothesis = \"decisions hold without weather\"\nfaults = [\"missing\"]\nsources = [\"weather\"]\n";
        let stress = parse(&format!("{SMALLEST}{text}")).unwrap().stress;
        assert_eq!(stress.degradation.fallback[0].inputs, ["age"]);
        assert_eq!((stress.experiment[0].rate, stress.experiment[0].max_accuracy_drop), (1.0, None));
    }

    #[test]
    fn what_cannot_be_meant_is_refused_with_the_way_out() {
        check("[stress.degradation]\nconstant = 1.5", "between 0 and 1");
        check("[model]\ntask = \"multiclass\"\n[stress.degradation]\nconstant = 1.0", "name a `fallback`");
        check("[stress.degradation]\nfallback = [{ inputs = [\"age\"] }]", "add onnx");
        check("[stress.degradation]\nwaiting = -1.0", "0 or more");
        check("[stress]\nmissing = { mechanisms = [] }", "no mechanism");
        check("[stress]\nmissing = { mechanisms = [\"by-valeu\"] }", "by-value");
        check("[stress]\ncurves = { rates = [1.5] }", "not a share");
        check("[stress.parity]\nagainst = {}", "where this model can be asked");
        let experiment =
            |more: &str| format!("[[stress.experiment]]\nname = \"a\"\nhypothesis = \"it holds\"\n{more}");
        check(&experiment("faults = []\nsources = [\"weather\"]"), "no fault is named");
        check(&experiment("faults = [\"missing\"]"), "name inputs in `features`");
        check(&experiment("faults = [\"missing\"]\nsources = [\"wether\"]"), "did you mean `weather`?");
        let once = experiment("faults = [\"missing\"]\nsources = [\"weather\"]\n");
        check(&format!("{once}{once}"), "two experiments `a`");
    }
}
