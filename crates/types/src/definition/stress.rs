//! `[stress]`: how the model answers when its inputs fail, and whether anybody would notice.

mod endpoint;
mod load;

mod manipulation;
mod relation;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

pub use self::manipulation::{Direction, Manipulation, Mutable};
pub use self::relation::{Comparison, Relation, Side};
use super::{Cadence, Definition, DefinitionError};
use crate::finding::CheckId;

pub use endpoint::EndpointFaults;
pub use load::{Arrivals, Load};

/// How the model answers when its inputs fail.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Stress {
    /// How often the checks are due; their evidence stays fresh for that long and half as long again.
    pub every: Cadence,
    /// Rows of the window, with outcomes, that the model is asked about once more; drawn at random.
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
    /// Who answers for this check; by default the owner of the system.
    pub owner: Option<String>,
}

impl Default for Parity {
    fn default() -> Self {
        Self { tolerance: 1e-4, owner: None }
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
            refusal: Refusal::Failed,
            max_accuracy_drop: 0.05,
            owner: None,
        }
    }
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
    let refused = |key: &str, message: String| Err(DefinitionError::at_key(format!("stress.{key}"), message));
    if stress.rows < LEAST_ROWS {
        let message =
            format!("{} rows show nothing of faults; at least {LEAST_ROWS} are needed", stress.rows);
        return refused("rows", message);
    }
    let shares = [
        ("confident", stress.confident),
        ("missing.max_accuracy_drop", stress.missing.max_accuracy_drop),
        ("faults.max_accuracy_drop", stress.faults.max_accuracy_drop),
        ("faults.rate", stress.faults.rate),
    ];
    let rates = stress.missing.rates.iter().map(|rate| ("missing.rates", *rate));
    for (key, share) in shares.into_iter().chain(rates) {
        let may_be_none = key.ends_with("drop");
        if !(0.0..=1.0).contains(&share) || (share == 0.0 && !may_be_none) {
            return refused(key, format!("{share} is not a share between 0 and 1"));
        }
    }
    let abstaining = stress.degradation.abstaining.unwrap_or(0.0);
    let numbers = [
        ("parity.tolerance", stress.parity.tolerance),
        ("detection.harmful", stress.detection.harmful),
        ("degradation.abstaining", abstaining),
    ];
    for (key, number) in numbers {
        if !(number.is_finite() && number >= 0.0) {
            return refused(key, format!("{number} is not a number of 0 or more"));
        }
    }
    if stress.missing.rates.is_empty() {
        return refused("missing.rates", "no rate is named, so nothing would be missing".into());
    }
    manipulation::check_values(definition)?;
    for (at, check) in stress.skip.iter().enumerate() {
        if check.practice() != "stress" {
            return refused(&format!("skip.{at}"), format!("`{}` is not a check of [stress]", check.name()));
        }
    }
    stress.load.as_ref().map_or(Ok(()), load::check_values)?;
    let allowed_hosts = &definition.model.allowed_hosts;
    stress.endpoint.as_ref().map_or(Ok(()), |faults| endpoint::check_values(faults, allowed_hosts))
}

const LEAST_ROWS: u32 = 100;
