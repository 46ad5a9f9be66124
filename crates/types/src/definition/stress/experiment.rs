//! `[[stress.experiment]]`: what is expected of a fault before it is tried.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::refused;
use crate::definition::{Definition, DefinitionError};
use crate::nearest::{listed, nearest};

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

/// Checks what can be checked without the catalogue of faults.
pub(super) fn check_values(
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
