//! Where a secret is: in the environment, in a file, or (least well) in `organisation.toml` itself.

use std::fmt;

use schemars::JsonSchema;
use serde::{Deserialize, Deserializer};

/// A secret, or where it is kept. It is never printed: neither by `Debug` nor by an error.
///
/// `env:NAME` is an environment variable, `file:PATH` a file relative to `organisation.toml` whose
/// last line break does not count; anything else is the secret itself.
#[derive(Clone, PartialEq, Eq, JsonSchema)]
#[schemars(with = "String")]
pub enum Secret {
    Environment(String),
    File(String),
    Literal(String),
}

impl Secret {
    /// Where it is kept, for messages: `environment variable SLACK_URL`.
    pub fn place(&self) -> String {
        match self {
            Self::Environment(name) => format!("environment variable {name}"),
            Self::File(path) => format!("file {path}"),
            Self::Literal(_) => "organisation.toml".into(),
        }
    }
}

impl From<String> for Secret {
    fn from(text: String) -> Self {
        if let Some(name) = text.strip_prefix("env:") {
            Self::Environment(name.trim().to_owned())
        } else if let Some(path) = text.strip_prefix("file:") {
            Self::File(path.trim().to_owned())
        } else {
            Self::Literal(text)
        }
    }
}

impl<'de> Deserialize<'de> for Secret {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer).map(Self::from)
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Secret({})", self.place())
    }
}

#[cfg(test)]
mod tests {
    use super::Secret;

    #[test]
    fn a_secret_is_never_printed() {
        let literal = Secret::from("hunter2".to_owned());
        assert_eq!(literal, Secret::Literal("hunter2".into()));
        assert_eq!(format!("{literal:?}"), "Secret(organisation.toml)");
        let kept = Secret::from("env:SLACK_URL".to_owned());
        assert_eq!(format!("{kept:?}"), "Secret(environment variable SLACK_URL)");
    }
}
