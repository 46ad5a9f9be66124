//! Time zones by the names of the IANA database.

use std::fmt;
use std::str::FromStr;

use jiff::tz::{self, TimeZone};
use schemars::JsonSchema;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use crate::nearest::nearest;

/// A time zone, such as `America/New_York`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Zone(TimeZone);

#[derive(Clone, Debug, thiserror::Error, PartialEq, Eq)]
pub enum ZoneError {
    #[error("`{text}` is not a time zone: did you mean `{choice}`?")]
    Slip { text: String, choice: String },
    #[error("`{text}` is not a time zone: write a name of the IANA database, such as `America/New_York`")]
    Unknown { text: String },
}

impl Zone {
    pub fn time_zone(&self) -> &TimeZone {
        &self.0
    }

    pub fn name(&self) -> &str {
        self.0.iana_name().unwrap_or("UTC")
    }
}

impl Default for Zone {
    fn default() -> Self {
        Self(TimeZone::UTC)
    }
}

impl FromStr for Zone {
    type Err = ZoneError;

    fn from_str(text: &str) -> Result<Self, ZoneError> {
        match TimeZone::get(text) {
            Ok(zone) if !zone.is_unknown() => Ok(Self(zone)),
            _ => Err(refused(text)),
        }
    }
}

fn refused(text: &str) -> ZoneError {
    let names: Vec<String> = tz::db().available().map(|name| name.to_string()).collect();
    // Cities are what people remember.
    let city = text.rsplit('/').next().unwrap_or(text).replace(' ', "_");
    let of_city = names
        .iter()
        .find(|name| name.rsplit_once('/').is_some_and(|(_, last)| last.eq_ignore_ascii_case(&city)));
    let choice = of_city.map(String::as_str).or_else(|| nearest(text, names.iter().map(String::as_str)));
    match choice {
        Some(choice) => ZoneError::Slip { text: text.to_owned(), choice: choice.to_owned() },
        None => ZoneError::Unknown { text: text.to_owned() },
    }
}

impl fmt::Display for Zone {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

impl Serialize for Zone {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.name())
    }
}

impl<'de> Deserialize<'de> for Zone {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer)?.parse().map_err(serde::de::Error::custom)
    }
}

impl JsonSchema for Zone {
    fn schema_name() -> std::borrow::Cow<'static, str> {
        "Zone".into()
    }

    fn json_schema(_: &mut schemars::SchemaGenerator) -> schemars::Schema {
        schemars::json_schema!({
            "type": "string",
            "description": "A time zone by its name in the IANA database, such as `America/New_York`."
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_zone_is_known_by_its_name_and_a_slip_by_the_nearest() {
        let check = |text: &str, expected: Result<&str, &str>| {
            let zone = text.parse::<Zone>();
            let shown = zone.as_ref().map(Zone::name).map_err(ZoneError::to_string);
            assert_eq!(shown, expected.map_err(str::to_owned), "{text}");
        };
        check("America/New_York", Ok("America/New_York"));
        check("UTC", Ok("UTC"));
        check(
            "Amerika/New_York",
            Err("`Amerika/New_York` is not a time zone: did you mean `America/New_York`?"),
        );
        check("new york", Err("`new york` is not a time zone: did you mean `America/New_York`?"));
        check("Europe/Berlinn", Err("`Europe/Berlinn` is not a time zone: did you mean `Europe/Berlin`?"));
        let example = "write a name of the IANA database, such as `America/New_York`";
        check("", Err(&format!("`` is not a time zone: {example}")));
        check("../../etc/passwd", Err(&format!("`../../etc/passwd` is not a time zone: {example}")));
    }
}
