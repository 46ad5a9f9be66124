//! `[stress]`: how the model answers when its inputs fail, and whether anybody would notice.

mod degradation;
mod endpoint;
mod experiment;
mod load;
mod manipulation;
mod relation;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

pub use self::manipulation::{Direction, Manipulation, Mutable};
pub use self::relation::{Comparison, Relation, Side};
use super::{Cadence, Definition, DefinitionError, Model};
use crate::CheckId;

pub use degradation::{Breaker, Degradation};
pub use endpoint::EndpointFaults;
pub use experiment::Hypothesis;
pub use load::{Arrivals, Load};

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
    /// How many requests a second the server of the model stands.
    pub load: Option<Load>,
    /// What callers get when the server of the model is slow, breaks off or talks nonsense.
    pub endpoint: Option<EndpointFaults>,
    /// What somebody can change who wants another decision; without it that is not tried.
    pub manipulation: Option<Manipulation>,
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
            load: None,
            endpoint: None,
            manipulation: None,
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

impl Stress {
    /// Who answers for a check, where the definition names somebody for it alone.
    pub(super) fn owner(&self, check: CheckId) -> Option<&str> {
        match check {
            CheckId::Parity => self.parity.owner.as_deref(),
            CheckId::Missing => self.missing.owner.as_deref(),
            CheckId::Faults => self.faults.owner.as_deref(),
            CheckId::Detection => self.detection.owner.as_deref(),
            CheckId::Load => self.load.as_ref()?.owner.as_deref(),
            CheckId::Endpoint => self.endpoint.as_ref()?.owner.as_deref(),
            CheckId::Manipulation => self.manipulation.as_ref().and_then(|of| of.owner.as_deref()),
            _ => None,
        }
    }
}

impl Definition {
    /// Whether a check of `[stress]` can be made at all, and is not skipped.
    pub fn may_stress(&self, check: CheckId) -> bool {
        check.practice() == "stress" && self.model.asked().is_some() && !self.stress.skip.contains(&check)
    }

    /// Whether a check of `[stress]` is made where nobody asks for it by name: what is done to a server, for which
    /// others may wait, has to be declared, and so has what a person can change.
    pub fn stresses(&self, check: CheckId) -> bool {
        let is_declared = match check {
            CheckId::Load => self.stress.load.is_some(),
            CheckId::Endpoint => self.stress.endpoint.is_some(),
            CheckId::Manipulation => self.stress.manipulation.is_some(),
            _ => true,
        };
        is_declared && self.may_stress(check)
    }
}

pub(super) use self::manipulation::check_against;

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
    not_negative("parity.tolerance", stress.parity.tolerance)?;
    not_negative("detection.harmful", stress.detection.harmful)?;
    degradation::check_values(&stress.degradation, definition.model.task)?;
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
        experiment::check_values(definition, at, experiment)?;
    }
    manipulation::check_values(definition)?;
    for (at, check) in stress.skip.iter().enumerate() {
        if check.practice() != "stress" {
            return Err(refused(
                &format!("skip.{at}"),
                format!("`{}` is not a check of [stress]", check.name()),
            ));
        }
    }
    stress.load.as_ref().map_or(Ok(()), load::check_values)?;
    let allowed_hosts = &definition.model.allowed_hosts;
    stress.endpoint.as_ref().map_or(Ok(()), |faults| endpoint::check_values(faults, allowed_hosts))
}

fn refused(key: &str, message: impl Into<String>) -> DefinitionError {
    DefinitionError::at_key(format!("stress.{key}"), message)
}

fn not_negative(key: &str, number: f64) -> Result<(), DefinitionError> {
    if number.is_finite() && number >= 0.0 {
        return Ok(());
    }
    Err(refused(key, format!("{number} is not a number of 0 or more")))
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

/// Another model has to say where it can be asked.
fn check_other(model: &Model, key: &str) -> Result<(), DefinitionError> {
    if model.asked().is_none() {
        return Err(refused(key, "nothing says where this model can be asked").with_help(Some(
            "add onnx = \"model.onnx\", endpoint = \"http://…\" or command = [\"…\"]".into(),
        )));
    }
    super::model::check_asked(model, &format!("stress.{key}"))
}

const LEAST_ROWS: u32 = 100;

#[cfg(test)]
mod tests {
    use super::super::parse;

    const SMALLEST: &str = "[log]\npath = \"log.csv\"\ntime = \"t\"\nscore = \"p\"\n[reference]\nwindow = \"2013-01-01/2013-02-01\"\n[[source]]\nname = \"weather\"\nfeatures = [\"temp\"]\n";

    #[track_caller]
    fn check(text: &str, message: &str) {
        check_whole(&format!("{SMALLEST}{text}\n"), message);
    }

    #[track_caller]
    fn check_whole(definition: &str, message: &str) {
        let error = parse(definition).unwrap_err();
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
        let classes = SMALLEST.replace("score = \"p\"", "scores = { a = \"pa\", b = \"pb\" }");
        let constant = "[model]\ntask = \"multiclass\"\n[stress.degradation]\nconstant = 1.0\n";
        check_whole(&format!("{classes}{constant}"), "name a `fallback`");
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
