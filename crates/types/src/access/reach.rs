//! The systems that somebody, or a token, is limited to.

use std::collections::BTreeSet;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// All systems, also those to come, or only some. In JSON `null`, or a list of ids.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(from = "Option<BTreeSet<String>>", into = "Option<BTreeSet<String>>")]
pub enum Reach {
    #[default]
    All,
    Only(BTreeSet<String>),
}

impl Reach {
    pub fn only<'s>(systems: impl IntoIterator<Item = &'s str>) -> Self {
        Self::Only(systems.into_iter().map(str::to_owned).collect())
    }

    pub fn includes(&self, system: &str) -> bool {
        match self {
            Self::All => true,
            Self::Only(systems) => systems.contains(system),
        }
    }

    /// What is within both.
    #[must_use]
    pub fn and(&self, other: &Self) -> Self {
        match (self, other) {
            (Self::All, reach) | (reach, Self::All) => reach.clone(),
            (Self::Only(one), Self::Only(other)) => Self::Only(one & other),
        }
    }
}

impl From<Option<BTreeSet<String>>> for Reach {
    fn from(systems: Option<BTreeSet<String>>) -> Self {
        systems.map_or(Self::All, Self::Only)
    }
}

impl From<Reach> for Option<BTreeSet<String>> {
    fn from(reach: Reach) -> Self {
        match reach {
            Reach::All => None,
            Reach::Only(systems) => Some(systems),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn two_limits_leave_what_is_within_both() {
        let (ab, bc) = (Reach::only(["a", "b"]), Reach::only(["b", "c"]));
        assert_eq!(ab.and(&bc), Reach::only(["b"]));
        assert_eq!(ab.and(&Reach::All), ab);
        assert_eq!(Reach::All.and(&ab), ab);
        assert_eq!(Reach::All.and(&Reach::All), Reach::All);
    }

    #[test]
    fn all_is_null_and_some_are_a_list() {
        assert_eq!(serde_json::to_string(&Reach::All).unwrap(), "null");
        assert_eq!(serde_json::to_string(&Reach::only(["b", "a"])).unwrap(), r#"["a","b"]"#);
        assert_eq!(serde_json::from_str::<Reach>("[]").unwrap(), Reach::only([]));
    }
}
