//! Who may do what: roles, functions, scopes of tokens, and the systems that somebody may see.
//!
//! One rule decides, [`Permission::may`]: the role must reach the action, a token must carry its scope, and
//! the system must be among those that the account, and the token, are limited to. Passwords, sessions and
//! the texts of tokens are not here; see `app::access`.

mod caller;
mod reach;

pub use caller::{Caller, Token, User, Who};
pub use reach::Reach;

use std::collections::BTreeSet;

/// A closed set of words: written in the API, in the database and in forms as the word, shown as the name.
macro_rules! words {
    ($(#[$of:meta])* $what:literal $name:ident { $($(#[$doc:meta])* $variant:ident = $word:literal, $shown:literal;)+ }) => {
        $(#[$of])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, serde::Serialize, serde::Deserialize, schemars::JsonSchema)]
        pub enum $name { $($(#[$doc])* #[serde(rename = $word)] $variant,)+ }

        impl $name {
            pub const ALL: &[Self] = &[$(Self::$variant),+];

            /// As it is written.
            pub fn word(self) -> &'static str {
                match self { $(Self::$variant => $word),+ }
            }

            /// As people read it.
            pub fn shown(self) -> &'static str {
                match self { $(Self::$variant => $shown),+ }
            }
        }

        impl std::fmt::Display for $name {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.pad(self.shown())
            }
        }

        impl std::str::FromStr for $name {
            type Err = WordError;

            fn from_str(text: &str) -> Result<Self, WordError> {
                let named = Self::ALL.iter().copied().find(|of| of.word() == text);
                named.ok_or_else(|| WordError {
                    text: text.to_owned(),
                    what: $what,
                    known: Self::ALL.iter().map(|of| of.word()).collect::<Vec<_>>().join(", "),
                })
            }
        }
    };
}

/// A word that is none of those that are known.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
#[error("`{text}` is not a {what} (there are: {known})")]
pub struct WordError {
    pub text: String,
    pub what: &'static str,
    pub known: String,
}

words! {
    /// What somebody is trusted with. Each role may do everything that those before it may.
    "role" Role {
        Viewer = "viewer", "viewer";
        Member = "member", "member";
        RiskManager = "risk_manager", "risk manager";
        Admin = "admin", "admin";
    }
}

words! {
    /// The part of the organisation that somebody speaks for. It gives no rights by itself: boards and
    /// reviews ask for functions.
    "function" Function {
        DataScience = "data_science", "data science";
        Legal = "legal", "legal";
        Security = "security", "security";
        Business = "business", "business";
        Compliance = "compliance", "compliance";
    }
}

words! {
    /// What a token may be used for; never more than the account that it belongs to may.
    "scope" Scope {
        /// Look at systems, their evidence and their alerts.
        Read = "read", "read";
        /// Send predictions and outcomes.
        Ingest = "ingest", "ingest";
        /// Add evidence that was found elsewhere.
        EvidenceWrite = "evidence:write", "evidence:write";
        /// Acknowledge and silence alerts, run jobs.
        Operate = "operate", "operate";
        /// Read the audit log.
        AuditRead = "audit:read", "audit:read";
        /// Everything that the account may.
        Admin = "admin", "admin";
    }
}

words! {
    /// What can be asked for.
    "action" Action {
        /// Look at systems, their evidence and their alerts.
        Read = "read", "see systems, evidence, alerts and jobs";
        Acknowledge = "acknowledge", "acknowledge alerts";
        RunJob = "run_job", "run a job now";
        /// Send predictions and outcomes.
        Ingest = "ingest", "send predictions and outcomes";
        /// Add evidence that was found elsewhere.
        WriteEvidence = "write_evidence", "add evidence found elsewhere";
        /// Keep an alert from telling anybody.
        Silence = "silence", "silence alerts";
        ReadAudit = "read_audit", "read the audit log";
        /// Accounts, tokens of others, channels.
        Administer = "administer", "manage users, all tokens and channels";
    }
}

impl Action {
    /// The first role that may do it.
    pub fn least_role(self) -> Role {
        match self {
            Self::Read => Role::Viewer,
            Self::Acknowledge | Self::RunJob | Self::Ingest | Self::WriteEvidence => Role::Member,
            Self::Silence | Self::ReadAudit => Role::RiskManager,
            Self::Administer => Role::Admin,
        }
    }

    /// The scope that a token needs for it; [`Scope::Admin`] does as well.
    pub fn scope(self) -> Scope {
        match self {
            Self::Read => Scope::Read,
            Self::Ingest => Scope::Ingest,
            Self::WriteEvidence => Scope::EvidenceWrite,
            Self::Acknowledge | Self::RunJob | Self::Silence => Scope::Operate,
            Self::ReadAudit => Scope::AuditRead,
            Self::Administer => Scope::Admin,
        }
    }
}

impl Scope {
    /// The first role whose accounts have a use for it.
    pub fn least_role(self) -> Role {
        let roles =
            Action::ALL.iter().filter(|action| action.scope() == self).map(|action| action.least_role());
        roles.min().unwrap_or(Role::Admin)
    }

    /// What it allows, for whoever chooses.
    pub fn allows(self) -> &'static str {
        match self {
            Self::Read => "look at systems, evidence and alerts",
            Self::Ingest => "send predictions and outcomes",
            Self::EvidenceWrite => "add evidence that was found elsewhere",
            Self::Operate => "acknowledge and silence alerts, run jobs",
            Self::AuditRead => "read the audit log",
            Self::Admin => "everything that your account may",
        }
    }
}

/// Everything that decides what a caller may do.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Permission {
    pub role: Role,
    /// Of a token; none where a person acts, who needs no scope.
    pub scopes: Option<BTreeSet<Scope>>,
    /// The systems that the account, and the token, are limited to.
    pub reach: Reach,
}

impl Permission {
    /// What nobody limits: the person at the machine itself.
    pub const UNLIMITED: Self = Self { role: Role::Admin, scopes: None, reach: Reach::All };

    /// Whether an action is allowed, on one system or (`None`) on what belongs to none in particular.
    ///
    /// Whoever is limited to some systems may read what belongs to none (lists show only their own), and
    /// change nothing there: it would concern the others too.
    pub fn may(&self, action: Action, system: Option<&str>) -> bool {
        let reaches = match (system, &self.reach) {
            (Some(system), reach) => reach.includes(system),
            (None, Reach::All) => true,
            (None, Reach::Only(_)) => action == Action::Read,
        };
        let scoped = self
            .scopes
            .as_ref()
            .is_none_or(|scopes| scopes.contains(&action.scope()) || scopes.contains(&Scope::Admin));
        reaches && scoped && self.role >= action.least_role()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What each role may, by hand: the order of [`Role::ALL`].
    const MATRIX: [(Action, [bool; 4], Scope); 8] = [
        (Action::Read, [true, true, true, true], Scope::Read),
        (Action::Acknowledge, [false, true, true, true], Scope::Operate),
        (Action::RunJob, [false, true, true, true], Scope::Operate),
        (Action::Ingest, [false, true, true, true], Scope::Ingest),
        (Action::WriteEvidence, [false, true, true, true], Scope::EvidenceWrite),
        (Action::Silence, [false, false, true, true], Scope::Operate),
        (Action::ReadAudit, [false, false, true, true], Scope::AuditRead),
        (Action::Administer, [false, false, false, true], Scope::Admin),
    ];

    /// Every set of scopes, none at all (a person) among them.
    fn scope_sets() -> Vec<Option<BTreeSet<Scope>>> {
        let subsets = (0..1 << Scope::ALL.len()).map(|bits: usize| {
            Some(
                Scope::ALL
                    .iter()
                    .enumerate()
                    .filter(|(at, _)| bits & (1 << at) != 0)
                    .map(|(_, of)| *of)
                    .collect(),
            )
        });
        subsets.chain([None]).collect()
    }

    #[test]
    fn the_whole_matrix_is_as_written() {
        assert_eq!(MATRIX.map(|(action, ..)| action), *Action::ALL);
        let mine = Reach::only(["mine"]);
        for (action, by_role, needed) in MATRIX {
            for (role, allowed) in Role::ALL.iter().zip(by_role) {
                for scopes in scope_sets() {
                    let scoped =
                        scopes.as_ref().is_none_or(|of| of.contains(&needed) || of.contains(&Scope::Admin));
                    let permission = |reach: &Reach| Permission {
                        role: *role,
                        scopes: scopes.clone(),
                        reach: reach.clone(),
                    };
                    let expect = |reach: &Reach, system: Option<&str>, reached: bool| {
                        let may = permission(reach).may(action, system);
                        assert_eq!(
                            may,
                            allowed && scoped && reached,
                            "{role} {action:?} {scopes:?} {reach:?} {system:?}"
                        );
                    };
                    expect(&Reach::All, None, true);
                    expect(&Reach::All, Some("mine"), true);
                    expect(&mine, Some("mine"), true);
                    expect(&mine, Some("theirs"), false);
                    expect(&mine, None, action == Action::Read);
                    expect(&Reach::only([]), Some("mine"), false);
                }
            }
        }
    }

    #[test]
    fn the_manual_has_the_same_matrix() {
        let manual = include_str!("../../../../docs/access.md");
        let head: Vec<&str> = Role::ALL.iter().map(|role| role.shown()).collect();
        assert!(manual.contains(&format!("| may | {} | scope of a token |", head.join(" | "))));
        for action in Action::ALL {
            let may = |role: &Role| Permission { role: *role, ..Permission::UNLIMITED }.may(*action, None);
            let cells: Vec<&str> = Role::ALL.iter().map(|role| if may(role) { "yes" } else { "–" }).collect();
            let line = format!("| {} | {} | `{}` |", action.shown(), cells.join(" | "), action.scope());
            assert!(manual.contains(&line), "{line}");
        }
    }

    #[test]
    fn a_scope_is_of_use_from_the_first_role_that_may_what_it_allows() {
        let expected =
            [Role::Viewer, Role::Member, Role::Member, Role::Member, Role::RiskManager, Role::Admin];
        assert_eq!(Scope::ALL.iter().map(|scope| scope.least_role()).collect::<Vec<_>>(), expected);
    }

    #[test]
    fn words_are_read_as_they_are_written() {
        for role in Role::ALL {
            assert_eq!(role.word().parse(), Ok(*role));
            assert_eq!(serde_json::to_value(role).unwrap(), role.word());
        }
        assert_eq!(serde_json::from_str::<Scope>("\"evidence:write\"").unwrap(), Scope::EvidenceWrite);
        let error = "owner".parse::<Role>().unwrap_err().to_string();
        assert_eq!(error, "`owner` is not a role (there are: viewer, member, risk_manager, admin)");
    }
}
