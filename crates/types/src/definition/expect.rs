//! What is expected of the log: of single columns (`[[expect]]`) and of its rows (`[monitor.quality]`).

use std::fmt;
use std::str::FromStr;
use std::time::Duration;

use jiff::{Span, SpanTotal, Unit};
use schemars::JsonSchema;
use serde::de::Error;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use super::{Definition, DefinitionError};
use crate::column::{Column, ColumnKind, Schema};
use crate::nearest::{listed, nearest};

/// What is expected of one column of the log, in every window.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Expectation {
    /// The column, which need not be a feature.
    pub column: String,
    /// What its values are.
    #[serde(default, rename = "type")]
    pub holds: Option<Holds>,
    /// The smallest value that it may have.
    #[serde(default)]
    pub min: Option<f64>,
    /// The largest value that it may have.
    #[serde(default)]
    pub max: Option<f64>,
    /// The only values that it may have; for text.
    #[serde(default)]
    pub allowed: Option<Vec<String>>,
    /// The largest share of rows that may have no value.
    #[serde(default)]
    pub max_missing: Option<f64>,
    /// Whether each value may stand on one row of a window only.
    #[serde(default)]
    pub unique: bool,
    /// The verdict where the expectation is broken.
    #[serde(default)]
    pub on_breach: OnBreach,
}

impl Expectation {
    /// Whether the values themselves have to be looked at.
    pub fn is_about_values(&self) -> bool {
        self.min.is_some() || self.max.is_some() || self.allowed.is_some() || self.max_missing.is_some()
    }

    fn is_empty(&self) -> bool {
        !self.is_about_values() && self.holds.is_none() && !self.unique
    }
}

/// What the values of a column are.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Holds {
    /// Integers, floats and decimals.
    Number,
    /// Text and booleans.
    Text,
}

impl Holds {
    pub fn kind(self) -> ColumnKind {
        match self {
            Self::Number => ColumnKind::Numeric,
            Self::Text => ColumnKind::Categorical,
        }
    }

    /// `number`.
    pub fn word(self) -> &'static str {
        match self {
            Self::Number => "number",
            Self::Text => "text",
        }
    }
}

/// The verdict where an expectation is broken.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum OnBreach {
    /// A failure, which shuts a gate that needs `monitor.quality`.
    #[default]
    Fail,
    /// A warning.
    Warn,
}

/// What is expected of the rows of the log.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Quality {
    /// Whether values far outside of the reference's range are told where no range is declared.
    pub inferred: bool,
    /// How far the number of rows of a window may be from that of the windows before it: `"auto"`, `"off"`
    /// or a share, such as 0.3.
    pub rows: Rows,
    /// How old the newest row may be, such as `"2 days"`.
    pub fresh_within: Option<Age>,
}

impl Default for Quality {
    fn default() -> Self {
        Self { inferred: true, rows: Rows::Auto, fresh_within: None }
    }
}

/// What the number of rows of a window is held against.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Rows {
    /// What the windows before it make likely; it only warns.
    Auto,
    Off,
    /// The largest relative difference to the median of the windows before it.
    Within(f64),
}

#[derive(Serialize, Deserialize, JsonSchema)]
#[serde(untagged)]
enum RowsWritten {
    /// `auto` or `off`.
    Word(String),
    /// The largest relative difference to the median of the windows before it.
    Share(f64),
}

impl Serialize for Rows {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Self::Auto => RowsWritten::Word("auto".into()),
            Self::Off => RowsWritten::Word("off".into()),
            Self::Within(share) => RowsWritten::Share(*share),
        }
        .serialize(serializer)
    }
}

impl<'de> Deserialize<'de> for Rows {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let way_out = "rows is \"auto\", \"off\" or a share between 0 and 1, such as 0.3";
        match RowsWritten::deserialize(deserializer).map_err(|_| D::Error::custom(way_out))? {
            RowsWritten::Word(word) if word == "auto" => Ok(Self::Auto),
            RowsWritten::Word(word) if word == "off" => Ok(Self::Off),
            RowsWritten::Share(share) if share > 0.0 && share < 1.0 => Ok(Self::Within(share)),
            _ => Err(D::Error::custom(way_out)),
        }
    }
}

impl JsonSchema for Rows {
    fn schema_name() -> std::borrow::Cow<'static, str> {
        "Rows".into()
    }

    fn json_schema(generator: &mut schemars::SchemaGenerator) -> schemars::Schema {
        RowsWritten::json_schema(generator)
    }
}

/// A span of time such as `2 days` or `6 hours`; a day is 24 hours.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Age {
    seconds: i64,
}

impl Age {
    pub const DAY: Self = Self { seconds: DAY };
    pub const HOUR: Self = Self { seconds: HOUR };

    pub(super) const fn of_seconds(seconds: i64) -> Self {
        Self { seconds }
    }

    pub fn seconds(self) -> i64 {
        self.seconds
    }
}

const HOUR: i64 = 3600;
const DAY: i64 = 24 * HOUR;

impl From<Age> for Duration {
    fn from(age: Age) -> Self {
        Self::from_secs(age.seconds.unsigned_abs())
    }
}

impl fmt::Display for Age {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (count, unit) = match self.seconds {
            seconds if seconds % DAY == 0 => (seconds / DAY, "day"),
            seconds if seconds % HOUR == 0 => (seconds / HOUR, "hour"),
            seconds if seconds % 60 == 0 => (seconds / 60, "minute"),
            seconds => (seconds, "second"),
        };
        write!(f, "{count} {unit}{}", if count == 1 { "" } else { "s" })
    }
}

impl FromStr for Age {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let refused = || format!("`{text}` is no span of time above 0; write \"2 days\" or \"6 hours\"");
        let span: Span = text.parse().map_err(|_| refused())?;
        let seconds = span.total(SpanTotal::from(Unit::Second).days_are_24_hours()).map_err(|_| refused())?;
        // A hundred years are more than anybody waits for a row.
        if (1.0..3.2e9).contains(&seconds) { Ok(Self { seconds: seconds as i64 }) } else { Err(refused()) }
    }
}

impl Serialize for Age {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Age {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer)?.parse().map_err(D::Error::custom)
    }
}

impl JsonSchema for Age {
    fn schema_name() -> std::borrow::Cow<'static, str> {
        "Age".into()
    }

    fn json_schema(_: &mut schemars::SchemaGenerator) -> schemars::Schema {
        schemars::json_schema!({
            "type": "string",
            "description": "A span of time such as `2 days` or `6 hours`."
        })
    }
}

/// Checks what can be checked of the expectations without looking at the data.
///
/// # Errors
/// The first [`DefinitionError`], at its key.
pub(super) fn check_values(definition: &Definition) -> Result<(), DefinitionError> {
    for (at, expected) in definition.expect.iter().enumerate() {
        let column = &expected.column;
        let refused = |key: &str, message: String, help: &str| {
            let error = DefinitionError::at_key(format!("expect.{at}.{key}"), message);
            Err(error.with_help((!help.is_empty()).then(|| help.to_owned())))
        };
        if definition.expect[..at].iter().any(|earlier| earlier.column == *column) {
            let message = format!("column `{column}` has two [[expect]] tables");
            return refused("column", message, "write what is expected of a column into one table");
        }
        if expected.is_empty() {
            let message = format!("nothing is expected of column `{column}`");
            return refused("column", message, "add min, max, allowed, max_missing, type or unique = true");
        }
        for (key, bound) in [("min", expected.min), ("max", expected.max)] {
            if bound.is_some_and(|bound| !bound.is_finite()) {
                return refused(key, format!("{key} of `{column}` is not a finite number"), "leave it out");
            }
        }
        if let (Some(min), Some(max)) = (expected.min, expected.max)
            && min > max
        {
            return refused("min", format!("min ({min}) of `{column}` is above max ({max})"), "");
        }
        let has_range = expected.min.is_some() || expected.max.is_some();
        if has_range && (expected.allowed.is_some() || expected.holds == Some(Holds::Text)) {
            let key = if expected.min.is_some() { "min" } else { "max" };
            return refused(key, format!("a range of `{column}` contradicts that it is text"), "");
        }
        if let Some(allowed) = &expected.allowed {
            if allowed.is_empty() {
                let message = format!("`allowed` of `{column}` is empty, so no value could ever be right");
                return refused("allowed", message, "name the values, or remove the key");
            }
            if expected.holds == Some(Holds::Number) {
                let message = format!("`allowed` of `{column}` is for text, but its type is number");
                return refused("allowed", message, "give min and max");
            }
            if let Some(twice) = (1..allowed.len()).find(|&at| allowed[..at].contains(&allowed[at])) {
                let message = format!("`{}` stands twice among the values of `{column}`", allowed[twice]);
                return refused(&format!("allowed.{twice}"), message, "");
            }
        }
        if let Some(share) = expected.max_missing
            && !(0.0..=1.0).contains(&share)
        {
            return refused("max_missing", format!("{share} is not a share between 0 and 1"), "");
        }
    }
    Ok(())
}

/// Checks that the columns are there and can be held to what is expected of them.
///
/// A column of another type than `type` says is no mistake of the definition, but what it is there to find.
///
/// # Errors
/// The first [`DefinitionError`], at its key.
pub(super) fn check_against(definition: &Definition, log: &Schema) -> Result<(), DefinitionError> {
    for (at, expected) in definition.expect.iter().enumerate() {
        let key = |key: &str| format!("expect.{at}.{key}");
        let Some(column) = log.column(&expected.column) else {
            let names = || log.names();
            let message = format!("column `{}` is not in the log", expected.column);
            let help = match nearest(&expected.column, names()) {
                Some(choice) => format!("did you mean `{choice}`? (it has {})", listed(names(), 12)),
                None => format!("it has {}", listed(names(), 12)),
            };
            return Err(DefinitionError::at_key(key("column"), message).with_help(Some(help)));
        };
        let measured = matches!(column.kind, ColumnKind::Numeric | ColumnKind::Categorical);
        if !measured && (expected.is_about_values() || expected.holds.is_some()) {
            let message = format!(
                "column `{}` holds {}, of which only `unique` can be expected",
                column.name,
                column.kind_words()
            );
            return Err(DefinitionError::at_key(key("column"), message));
        }
        if expected.holds.is_none() {
            check_kind(expected, column, &key)?;
        }
    }
    Ok(())
}

/// Without a type, a range speaks of numbers and a set of values of text.
fn check_kind(
    expected: &Expectation,
    column: &Column,
    key: &dyn Fn(&str) -> String,
) -> Result<(), DefinitionError> {
    if column.is_empty() {
        return Ok(());
    }
    let refused = |at: &str, what: &str, help: &str| {
        let message = format!("column `{}` holds {}, and {what}", column.name, column.kind_words());
        Err(DefinitionError::at_key(key(at), message).with_help(Some(help.to_owned())))
    };
    match column.kind {
        ColumnKind::Numeric if expected.allowed.is_some() => {
            refused("allowed", "allowed values are for text", "give min and max")
        }
        ColumnKind::Categorical if expected.min.is_some() || expected.max.is_some() => {
            let at = if expected.min.is_some() { "min" } else { "max" };
            refused(
                at,
                "a range is for numbers",
                "give allowed values, or `type = \"number\"` if it should be one",
            )
        }
        _ => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ages_are_spans_of_fixed_length() {
        for (text, seconds, written) in [
            ("2 days", 172_800, "2 days"),
            ("36h", 129_600, "36 hours"),
            ("1 week", 604_800, "7 days"),
            ("90 s", 90, "90 seconds"),
        ] {
            let age: Age = text.parse().unwrap();
            assert_eq!((age.seconds(), age.to_string().as_str()), (seconds, written));
        }
        for text in ["", "soon", "0 days", "-1 day", "1 month", "9999 years"] {
            assert!(text.parse::<Age>().is_err(), "{text}");
        }
    }
}
