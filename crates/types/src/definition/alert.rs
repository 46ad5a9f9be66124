//! `[[alert]]`: when people are told, how gravely, whom, and how often.
//!
//! Only the shape is checked here. Conditions are written in CEL, which `monitor::alert` reads and
//! checks, so that this crate stays light.

use std::fmt;
use std::str::FromStr;

use schemars::JsonSchema;
use serde::de::Error;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use super::parse::open_share;
use super::{Age, Cadence, Definition, DefinitionError};
use crate::CheckId;
use crate::message::Severity;
use crate::nearest::{listed, nearest};

/// When people are told that something matters, and whom. Without any `[[alert]]` there are two: a failing check
/// (high) and stale evidence (medium), shown on the page and sent to nobody.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Alert {
    /// A short name, by which silences and other alerts refer to it; by default the condition itself.
    #[serde(default)]
    pub name: Option<String>,
    /// The condition, in CEL over evidence, such as `drift.verdict == "fail" || calibration.ece > 0.08`.
    #[serde(default)]
    pub when: Option<String>,
    /// Instead of `when`: an error budget that must not be spent too fast.
    #[serde(default)]
    pub budget: Option<Budget>,
    /// Windows in a row in which the condition must hold before anybody is told.
    #[serde(default = "one", rename = "for")]
    pub for_windows: u32,
    /// How much it matters.
    #[serde(default)]
    pub severity: Severity,
    /// Who is told, as `channel:address`, such as `email:ops@example.org` or `slack:#model-risk`.
    #[serde(default)]
    pub to: Vec<Contact>,
    /// How long until an alert that still fires is told again: a span of time such as `"1d"`, or `"never"`.
    #[serde(default)]
    pub repeat: Repeat,
    /// What to do about it, in the words of those who know; by default what fits the check.
    #[serde(default)]
    pub what_to_do: Option<String>,
    /// Who is told next where nobody acknowledges it.
    #[serde(default)]
    pub escalate: Vec<Escalation>,
    /// Names of alerts that explain this one: while one of them fires about the same column, the same source or
    /// the system as a whole, this one is not told.
    #[serde(default)]
    pub inhibited_by: Vec<String>,
}

fn one() -> u32 {
    1
}

impl Alert {
    /// The name that it goes by.
    pub fn display_name(&self) -> String {
        match (&self.name, &self.when, &self.budget) {
            (Some(name), _, _) => name.clone(),
            (None, Some(when), _) => when.trim().to_owned(),
            (None, None, Some(budget)) => format!("budget of {}", budget.check),
            (None, None, None) => String::new(),
        }
    }
}

/// Who is told next where nobody acknowledges an alert.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Escalation {
    /// How long after the alert was first told, such as `"4h"`.
    pub after: Age,
    /// Who is told then.
    pub to: Vec<Contact>,
}

/// How much may go wrong over a period, and how fast it may be spent.
///
/// With `measure` the unit is a row: the measure is the share of rows that went right (such as `accuracy`) or wrong
/// (such as `wrong_share`). Without it the unit is a window, and one whose verdict is `fail` went wrong. Rows say
/// more: a quarter has a handful of windows, and one of them is often the whole budget.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Budget {
    /// The check whose evidence is counted, such as `monitor.performance`.
    pub check: CheckId,
    /// The measure that is a share of rows; without it windows are counted.
    #[serde(default)]
    pub measure: Option<String>,
    /// The share of rows (or windows) that should go right over the period.
    pub objective: f64,
    /// The period that the budget is for.
    #[serde(default = "quarter")]
    pub period: Cadence,
    /// Spending that is told with the alert's own severity.
    #[serde(default = "fast")]
    pub fast: Spend,
    /// Slower spending, told one grade less gravely.
    #[serde(default = "slow")]
    pub slow: Spend,
}

fn quarter() -> Cadence {
    Cadence::Quarter
}

fn fast() -> Spend {
    Spend { share: 0.25, of_period: 1.0 / 12.0 }
}

fn slow() -> Spend {
    Spend { share: 0.5, of_period: 1.0 / 3.0 }
}

/// A share of the budget that must not be spent within a part of the period.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Spend {
    /// The share of the whole budget.
    pub share: f64,
    /// Within which part of the period; a twelfth of that, or the newest window, must be as bad.
    pub of_period: f64,
}

/// Somebody who is told, by the channel that reaches them: `email:ops@example.org`.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Contact {
    text: String,
    colon: usize,
}

impl Contact {
    /// `email`.
    pub fn channel(&self) -> &str {
        &self.text[..self.colon]
    }

    /// `ops@example.org`.
    pub fn address(&self) -> &str {
        &self.text[self.colon + 1..]
    }
}

impl fmt::Display for Contact {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

impl FromStr for Contact {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        match text.split_once(':') {
            Some((channel, address)) if !channel.trim().is_empty() && !address.trim().is_empty() => {
                Ok(Self { text: text.to_owned(), colon: channel.len() })
            }
            _ => Err(format!(
                "`{text}` names nobody; write CHANNEL:ADDRESS, such as \"email:ops@example.org\" or \"slack:#model-risk\""
            )),
        }
    }
}

impl Serialize for Contact {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Contact {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer)?.parse().map_err(D::Error::custom)
    }
}

impl JsonSchema for Contact {
    fn schema_name() -> std::borrow::Cow<'static, str> {
        "Contact".into()
    }

    fn json_schema(_: &mut schemars::SchemaGenerator) -> schemars::Schema {
        schemars::json_schema!({
            "type": "string",
            "pattern": "^[^:]+:.+$",
            "description": "Somebody who is told: CHANNEL:ADDRESS, such as `email:ops@example.org`."
        })
    }
}

/// How long until an alert that still fires is told again.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Repeat {
    Never,
    After(Age),
}

impl Default for Repeat {
    fn default() -> Self {
        Self::After(Age::DAY)
    }
}

impl Repeat {
    /// The interval in seconds; `None` where it is never told again.
    pub fn seconds(self) -> Option<i64> {
        match self {
            Self::Never => None,
            Self::After(age) => Some(age.seconds()),
        }
    }
}

impl Serialize for Repeat {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Self::Never => serializer.serialize_str("never"),
            Self::After(age) => age.serialize(serializer),
        }
    }
}

impl<'de> Deserialize<'de> for Repeat {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        if text == "never" {
            return Ok(Self::Never);
        }
        let refused = |_| {
            D::Error::custom(format!("repeat is a span of time such as \"1d\", or \"never\", not `{text}`"))
        };
        text.parse().map(Self::After).map_err(refused)
    }
}

impl JsonSchema for Repeat {
    fn schema_name() -> std::borrow::Cow<'static, str> {
        "Repeat".into()
    }

    fn json_schema(_: &mut schemars::SchemaGenerator) -> schemars::Schema {
        schemars::json_schema!({
            "type": "string",
            "description": "A span of time such as `1d` or `6 hours`, or `never`."
        })
    }
}

/// Checks what can be checked of the alerts without reading their conditions.
///
/// # Errors
/// The first [`DefinitionError`], at its key.
pub(super) fn check_values(definition: &Definition) -> Result<(), DefinitionError> {
    let alerts = &definition.alert;
    let names: Vec<String> = alerts.iter().map(Alert::display_name).collect();
    for (at, alert) in alerts.iter().enumerate() {
        let refused = |key: &str, message: String, help: String| {
            let key = if key.is_empty() { format!("alert.{at}") } else { format!("alert.{at}.{key}") };
            Err(DefinitionError::at_key(key, message).with_help(Some(help)))
        };
        match (&alert.when, &alert.budget) {
            (None, None) => {
                let help = "add `when = '…'`, such as 'drift.verdict == \"fail\"', or a `budget`";
                return refused("", "the alert has no condition".into(), help.into());
            }
            (Some(_), Some(_)) => {
                let help = "make two alerts of it";
                return refused("budget", "an alert has `when` or `budget`, not both".into(), help.into());
            }
            _ => {}
        }
        if names[at].trim().is_empty() {
            return refused("name", "the alert's name is empty".into(), "leave it out, or give one".into());
        }
        if names[..at].contains(&names[at]) {
            let message = format!("two alerts are named `{}`", names[at]);
            return refused("name", message, "give each a name of its own".into());
        }
        if !(1..=520).contains(&alert.for_windows) {
            let help = "1 tells at once; 2 waits for a second window that says the same";
            return refused("for", "`for` must be between 1 and 520 windows".into(), help.into());
        }
        if let Some(pair) = alert.escalate.windows(2).position(|pair| pair[0].after >= pair[1].after) {
            let help = "write them in the order in which people are told";
            return refused(
                &format!("escalate.{}", pair + 1),
                "each escalation comes later than the one before it".into(),
                help.into(),
            );
        }
        if let Some(step) = alert.escalate.iter().position(|step| step.to.is_empty()) {
            let help = "add `to = [\"email:…\"]`";
            return refused(&format!("escalate.{step}.to"), "it escalates to nobody".into(), help.into());
        }
        for (of, name) in alert.inhibited_by.iter().enumerate() {
            let key = format!("inhibited_by.{of}");
            if !names.contains(name) {
                let all = || names.iter().map(String::as_str).filter(|other| *other != names[at]);
                let help = match nearest(name, all()) {
                    Some(choice) => format!("did you mean `{choice}`?"),
                    None => format!("alerts are {}", listed(all(), 20)),
                };
                return refused(&key, format!("no alert is named `{name}`"), help);
            }
            if explains(alerts, &names, name, &names[at]) {
                let message = format!("`{name}` and `{}` would keep each other quiet", names[at]);
                return refused(&key, message, "let one of them be told always".into());
            }
        }
        if let Some(budget) = &alert.budget {
            check_budget(definition, budget, &format!("alert.{at}.budget"))?;
        }
    }
    Ok(())
}

/// Whether the alert `name` is itself, directly or through others, kept quiet by `by`.
fn explains(alerts: &[Alert], names: &[String], name: &str, by: &str) -> bool {
    let mut seen: Vec<&str> = Vec::new();
    let mut open = vec![name];
    while let Some(next) = open.pop() {
        if next == by {
            return true;
        }
        if seen.contains(&next) {
            continue;
        }
        seen.push(next);
        let alert = names.iter().position(|name| name == next).and_then(|at| alerts.get(at));
        open.extend(alert.into_iter().flat_map(|alert| alert.inhibited_by.iter().map(String::as_str)));
    }
    false
}

fn check_budget(definition: &Definition, budget: &Budget, key: &str) -> Result<(), DefinitionError> {
    open_share(&format!("{key}.objective"), budget.objective)?;
    for (name, spend) in [("fast", budget.fast), ("slow", budget.slow)] {
        for (part, value) in [("share", spend.share), ("of_period", spend.of_period)] {
            if !(value > 0.0 && value <= 1.0) {
                let message = format!("{value} is not above 0 and at most 1");
                return Err(DefinitionError::at_key(format!("{key}.{name}.{part}"), message));
            }
        }
    }
    let every = definition.cadence(budget.check);
    let windows = budget.period.hours() / every.hours();
    let allowed = (1.0 - budget.objective) * windows as f64;
    if budget.measure.is_none() && allowed < 1.0 {
        let message = format!(
            "the budget is less than one window: {:.0} % of the {windows} in a {}",
            (1.0 - budget.objective) * 100.0,
            budget.period.word()
        );
        return Err(DefinitionError::at_key(format!("{key}.objective"), message).with_help(Some(
            "count rows (`measure = \"accuracy\"`), lower the objective, or take a longer period".into(),
        )));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::super::parse;
    use super::*;

    const REST: &str = "[log]\npath = \"log.csv\"\ntime = \"t\"\nscore = \"p\"\n[reference]\nwindow = \"2013-01-01/2013-02-01\"\n";

    fn check(alerts: &str, expected: Result<usize, (&str, &str)>) {
        let found = parse(&format!("{REST}{alerts}"));
        match (found, expected) {
            (Ok(definition), Ok(count)) => assert_eq!(definition.alert.len(), count, "{alerts}"),
            (Err(error), Err((message, help))) => {
                assert!(error.message.contains(message), "{alerts}: {error}");
                let said = error.help.clone().unwrap_or_default();
                assert!(said.contains(help), "{alerts}: {said}");
            }
            (found, expected) => panic!("{alerts}: {found:?}, not {expected:?}"),
        }
    }

    #[test]
    fn alerts_are_read_or_refused_with_the_way_out() {
        check(
            "[[alert]]\nwhen = 'drift.verdict == \"fail\"'\nto = [\"email:a@b.c\"]\nrepeat = \"never\"",
            Ok(1),
        );
        check("[[alert]]\nseverity = \"high\"", Err(("no condition", "when")));
        check("[[alert]]\nwhen = 'true'\nto = [\"ops\"]", Err(("names nobody", "")));
        check("[[alert]]\nwhen = 'true'\nrepeat = \"daily\"", Err(("span of time", "")));
        check("[[alert]]\nwhen = 'true'\nfor = 0", Err(("between 1 and 520", "at once")));
        check("[[alert]]\nwhen = 'true'\n[[alert]]\nwhen = 'true'", Err(("two alerts are named `true`", "")));
        check(
            "[[alert]]\nname = \"feed\"\nwhen = 'true'\n[[alert]]\nwhen = 'false'\ninhibited_by = [\"fed\"]",
            Err(("no alert is named `fed`", "`feed`")),
        );
        check(
            "[[alert]]\nname = \"a\"\nwhen = 'true'\ninhibited_by = [\"b\"]\n[[alert]]\nname = \"b\"\nwhen = 'true'\ninhibited_by = [\"a\"]",
            Err(("keep each other quiet", "told always")),
        );
        check(
            "[[alert]]\nwhen = 'true'\nescalate = [{ after = \"4h\", to = [\"x:y\"] }, { after = \"1h\", to = [\"x:y\"] }]",
            Err(("comes later", "order")),
        );
        check(
            "[[alert]]\nbudget = { check = \"monitor.drift\", objective = 0.95 }",
            Err(("less than one window: 5 % of the 13", "count rows")),
        );
        check("[[alert]]\nbudget = { check = \"monitor.drift\", objective = 0.75 }", Ok(1));
    }

    #[test]
    fn a_contact_knows_its_channel() {
        let contact: Contact = "webhook:https://example.org/a:b".parse().unwrap();
        assert_eq!((contact.channel(), contact.address()), ("webhook", "https://example.org/a:b"));
    }
}
