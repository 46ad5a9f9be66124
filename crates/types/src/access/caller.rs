//! Accounts, tokens, and who is behind a request.

use std::collections::BTreeSet;

use jiff::Timestamp;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::described;

use super::{Action, Function, Permission, Reach, Role, Scope};

/// An account of a person.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct User {
    pub id: String,
    /// E-mail address or login name, in lower case; no two accounts share one.
    pub login: String,
    pub name: String,
    pub role: Role,
    pub functions: BTreeSet<Function>,
    /// The systems that the account is limited to.
    pub systems: Reach,
    pub is_disabled: bool,
    #[schemars(with = "described::Instant")]
    pub created: Timestamp,
    /// When the person last signed in or did something.
    #[schemars(with = "Option<described::Instant>")]
    pub seen: Option<Timestamp>,
}

/// A token of the API as it may be shown.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Token {
    pub id: String,
    /// What it is for.
    pub name: String,
    /// The first characters of its text, enough to tell it from others.
    pub prefix: String,
    /// The login of the account that it acts for.
    pub owner: String,
    pub scopes: BTreeSet<Scope>,
    pub systems: Reach,
    #[schemars(with = "described::Instant")]
    pub created: Timestamp,
    #[schemars(with = "described::Instant")]
    pub expires: Timestamp,
    #[schemars(with = "Option<described::Instant>")]
    pub used: Option<Timestamp>,
    #[schemars(with = "Option<described::Instant>")]
    pub revoked: Option<Timestamp>,
}

/// Who is behind a request.
#[derive(Clone, Debug, PartialEq, Eq)]
#[expect(clippy::large_enum_variant, reason = "there is one for each request")]
pub enum Who {
    /// Whoever sits at the machine: a command line, or a server without accounts.
    Local,
    /// The program itself, by its schedule.
    Program,
    /// A person who signed in.
    Person(User),
    /// A program that acts for a person.
    Token { token: Token, owner: User },
}

/// Who is behind a request, and what they may do.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Caller {
    pub who: Who,
    pub permission: Permission,
}

impl Caller {
    pub fn local() -> Self {
        Self { who: Who::Local, permission: Permission::UNLIMITED }
    }

    pub fn program() -> Self {
        Self { who: Who::Program, permission: Permission::UNLIMITED }
    }

    pub fn person(user: User) -> Self {
        let permission = Permission { role: user.role, scopes: None, reach: user.systems.clone() };
        Self { who: Who::Person(user), permission }
    }

    pub fn token(token: Token, owner: User) -> Self {
        let permission = Permission {
            role: owner.role,
            scopes: Some(token.scopes.clone()),
            reach: owner.systems.and(&token.systems),
        };
        Self { who: Who::Token { token, owner }, permission }
    }

    /// See [`Permission::may`].
    pub fn may(&self, action: Action, system: Option<&str>) -> bool {
        self.permission.may(action, system)
    }

    /// The account that acts, or for which a token acts.
    pub fn account(&self) -> Option<&User> {
        match &self.who {
            Who::Local | Who::Program => None,
            Who::Person(user) | Who::Token { owner: user, .. } => Some(user),
        }
    }

    /// As a page greets them.
    pub fn name(&self) -> &str {
        match &self.who {
            Who::Local => "local",
            Who::Program => "forewarn",
            Who::Person(user) => &user.name,
            Who::Token { token, .. } => &token.name,
        }
    }

    /// As the audit log names them: `ada@example.org`, or `ada@example.org by token fw_1a2b3c (pipeline)`.
    pub fn actor(&self) -> String {
        match &self.who {
            Who::Local => "local".into(),
            Who::Program => "forewarn".into(),
            Who::Person(user) => user.login.clone(),
            Who::Token { token, owner } => {
                format!("{} by token {} ({})", owner.login, token.prefix, token.name)
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn user(role: Role, systems: Reach) -> User {
        User {
            id: "1".into(),
            login: "ada@example.org".into(),
            name: "Ada".into(),
            role,
            functions: BTreeSet::new(),
            systems,
            is_disabled: false,
            created: Timestamp::UNIX_EPOCH,
            seen: None,
        }
    }

    fn token(scopes: &[Scope], systems: Reach) -> Token {
        Token {
            id: "2".into(),
            name: "pipeline".into(),
            prefix: "fw_1a2b3c".into(),
            owner: "ada@example.org".into(),
            scopes: scopes.iter().copied().collect(),
            systems,
            created: Timestamp::UNIX_EPOCH,
            expires: Timestamp::MAX,
            used: None,
            revoked: None,
        }
    }

    #[test]
    fn a_token_may_no_more_than_its_owner() {
        let viewer = user(Role::Viewer, Reach::only(["a", "b"]));
        let caller = Caller::token(token(&[Scope::Admin], Reach::only(["b", "c"])), viewer);
        assert!(caller.may(Action::Read, Some("b")));
        assert!(!caller.may(Action::Read, Some("a")));
        assert!(!caller.may(Action::Read, Some("c")));
        assert!(!caller.may(Action::Ingest, Some("b")));
        assert_eq!(caller.actor(), "ada@example.org by token fw_1a2b3c (pipeline)");
    }

    #[test]
    fn who_sits_at_the_machine_may_everything() {
        for action in Action::ALL {
            assert!(Caller::local().may(*action, None));
            assert!(Caller::program().may(*action, Some("a")));
        }
        assert!(!Caller::person(user(Role::Viewer, Reach::All)).may(Action::Silence, None));
    }
}
