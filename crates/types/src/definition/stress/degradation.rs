//! `[stress.degradation]`: other ways to answer while an input is down.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{check_other, not_negative, refused};
use crate::definition::{DefinitionError, Model, Task};

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

/// Checks what can be checked without asking a model.
pub(super) fn check_values(degradation: &Degradation, task: Task) -> Result<(), DefinitionError> {
    let numbers = [("abstaining", degradation.abstaining), ("waiting", degradation.waiting)];
    for (key, number) in numbers {
        not_negative(&format!("degradation.{key}"), number.unwrap_or_default())?;
    }
    if let Some(constant) = degradation.constant {
        let message = match task {
            Task::Multiclass => "a class cannot be given as a constant answer yet; name a `fallback` instead",
            Task::Binary if !(0.0..=1.0).contains(&constant) => "a score lies between 0 and 1",
            _ if !constant.is_finite() => "the constant answer is no finite number",
            _ => return check_fallbacks(degradation),
        };
        return Err(refused("degradation.constant", message));
    }
    check_fallbacks(degradation)
}

fn check_fallbacks(degradation: &Degradation) -> Result<(), DefinitionError> {
    let mut fallbacks = degradation.fallback.iter().enumerate();
    fallbacks.try_for_each(|(at, fallback)| check_other(fallback, &format!("degradation.fallback.{at}")))
}
