//! Relations between features that a change must keep: `open <= total`, `age >= 18`.

use std::fmt;
use std::str::FromStr;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::definition::parse::WAY_OUT;

/// Two sides and how they must stand to each other. Written and read as text.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(try_from = "String", into = "String")]
#[schemars(with = "String")]
pub struct Relation {
    pub left: Side,
    pub comparison: Comparison,
    pub right: Side,
}

/// A feature or a number.
#[derive(Clone, Debug, PartialEq)]
pub enum Side {
    Feature(String),
    Number(f64),
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Comparison {
    AtMost,
    Below,
    AtLeast,
    Above,
    Equal,
}

impl Comparison {
    fn sign(self) -> &'static str {
        match self {
            Self::AtMost => "<=",
            Self::Below => "<",
            Self::AtLeast => ">=",
            Self::Above => ">",
            Self::Equal => "=",
        }
    }
}

impl Relation {
    /// Whether it holds; a side without a value breaks nothing.
    pub fn holds(&self, value: impl Fn(&str) -> Option<f64>) -> bool {
        let side = |side: &Side| match side {
            Side::Feature(name) => value(name),
            Side::Number(number) => Some(*number),
        };
        let (Some(left), Some(right)) = (side(&self.left), side(&self.right)) else {
            return true;
        };
        match self.comparison {
            Comparison::AtMost => left <= right,
            Comparison::Below => left < right,
            Comparison::AtLeast => left >= right,
            Comparison::Above => left > right,
            Comparison::Equal => left == right,
        }
    }

    /// The features that it is about.
    pub fn features(&self) -> impl Iterator<Item = &str> {
        [&self.left, &self.right].into_iter().filter_map(|side| match side {
            Side::Feature(name) => Some(name.as_str()),
            Side::Number(_) => None,
        })
    }
}

impl fmt::Display for Side {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Feature(name) => f.write_str(name),
            Self::Number(number) => write!(f, "{number}"),
        }
    }
}

impl fmt::Display for Relation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {} {}", self.left, self.comparison.sign(), self.right)
    }
}

/// A text that is no relation.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "`{text}` is no relation{WAY_OUT}write `open <= total`: one of <=, <, >=, >, = between features or numbers"
)]
pub struct NoRelation {
    pub text: String,
}

impl FromStr for Relation {
    type Err = NoRelation;

    fn from_str(text: &str) -> Result<Self, NoRelation> {
        let refused = || NoRelation { text: text.to_owned() };
        let all = [
            Comparison::AtMost,
            Comparison::AtLeast,
            Comparison::Below,
            Comparison::Above,
            Comparison::Equal,
        ];
        let found =
            all.into_iter().find_map(|comparison| Some((comparison, text.split_once(comparison.sign())?)));
        let (comparison, (left, right)) = found.ok_or_else(refused)?;
        let side = |text: &str| match (text.trim(), text.trim().parse::<f64>()) {
            ("", _) => Err(refused()),
            (_, Ok(number)) if number.is_finite() => Ok(Side::Number(number)),
            (name, _) if name.contains(['<', '>', '=']) => Err(refused()),
            (name, _) => Ok(Side::Feature(name.to_owned())),
        };
        let relation = Self { left: side(left)?, comparison, right: side(right)? };
        // Two numbers say nothing of a feature.
        if relation.features().next().is_some() { Ok(relation) } else { Err(refused()) }
    }
}

impl TryFrom<String> for Relation {
    type Error = NoRelation;

    fn try_from(text: String) -> Result<Self, NoRelation> {
        text.parse()
    }
}

impl From<Relation> for String {
    fn from(relation: Relation) -> Self {
        relation.to_string()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn relations_are_read_and_written() {
        for text in ["open <= total", "a < b", "age >= 18", "x > -1.5", "first = second"] {
            assert_eq!(text.parse::<Relation>().unwrap().to_string(), text);
        }
        for text in ["", "open", "open <=", "<= 3", "a <= b <= c", "a == b", "1 < 2"] {
            assert!(text.parse::<Relation>().is_err(), "{text}");
        }
    }

    #[test]
    fn a_relation_holds_where_a_side_is_missing() {
        let relation: Relation = "open <= total".parse().unwrap();
        let holds = |open, total| relation.holds(|name| if name == "open" { open } else { total });
        assert!(holds(Some(1.0), Some(1.0)) && holds(None, Some(0.0)) && !holds(Some(2.0), Some(1.0)));
    }
}
