//! What a provider says of somebody: in the ID token, and on its page of users where the token leaves it out.

use std::collections::{BTreeMap, BTreeSet};

use openidconnect::core::CoreGenderClaim;
use openidconnect::{
    AdditionalClaims, IdTokenClaims, OAuth2TokenResponse as _, SubjectIdentifier, UserInfoClaims,
};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use types::organisation::Oidc;

use super::{Client, ProviderError, TokenResponse, http};

/// Claims that the standard does not name; groups are among them.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Others(BTreeMap<String, Value>);

impl AdditionalClaims for Others {}

/// Somebody whom a provider vouches for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Identified {
    pub issuer: String,
    /// Unique at the issuer and never given to somebody else.
    pub subject: String,
    pub name: Option<String>,
    pub username: Option<String>,
    /// Only where the provider says that it is theirs.
    pub email: Option<String>,
    pub groups: BTreeSet<String>,
}

/// One place where claims are.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
struct Said {
    name: Option<String>,
    username: Option<String>,
    email: Option<String>,
    /// `None` where nothing is said of groups, which is not the same as no group.
    groups: Option<BTreeSet<String>>,
}

/// The person of a verified token.
pub(super) fn identified(
    client: &Client,
    answer: &TokenResponse,
    token: &IdTokenClaims<Others, CoreGenderClaim>,
    settings: &Oidc,
) -> Result<Identified, ProviderError> {
    let mut said = of_token(token, &settings.groups_claim);
    if said.is_incomplete(settings) && client.user_info_url().is_some() {
        let subject = token.subject().clone();
        said.complete(of_user(&ask(client, answer, subject)?, &settings.groups_claim));
    }
    Ok(Identified {
        issuer: settings.issuer.clone(),
        subject: token.subject().to_string(),
        name: said.name,
        username: said.username,
        email: said.email,
        groups: said.groups.unwrap_or_default(),
    })
}

/// Asks the page of users, which must speak of the same person.
fn ask(
    client: &Client,
    answer: &TokenResponse,
    subject: SubjectIdentifier,
) -> Result<UserInfoClaims<Others, CoreGenderClaim>, ProviderError> {
    let request = client.user_info(answer.access_token().clone(), Some(subject))?;
    Ok(request.request(&http::send)?)
}

impl Said {
    fn is_incomplete(&self, settings: &Oidc) -> bool {
        let needs_groups = !settings.group.is_empty() && self.groups.is_none();
        let needs_email =
            self.email.is_none() && (!settings.allowed_domains.is_empty() || self.username.is_none());
        needs_groups || needs_email || self.name.is_none()
    }

    fn complete(&mut self, other: Self) {
        self.name = self.name.take().or(other.name);
        self.username = self.username.take().or(other.username);
        self.email = self.email.take().or(other.email);
        self.groups = self.groups.take().or(other.groups);
    }
}

/// The claims that both kinds have under the same names.
macro_rules! said {
    ($claims:expr, $groups_claim:expr) => {{
        let claims = $claims;
        let is_theirs = claims.email_verified() == Some(true);
        Said {
            name: claims.name().and_then(|name| name.get(None)).map(|name| name.to_string()),
            username: claims.preferred_username().map(|name| name.to_string()),
            email: claims.email().filter(|_| is_theirs).map(|email| email.to_string()),
            groups: claims.additional_claims().0.get($groups_claim).map(groups),
        }
    }};
}

fn of_token(claims: &IdTokenClaims<Others, CoreGenderClaim>, groups_claim: &str) -> Said {
    said!(claims, groups_claim)
}

fn of_user(claims: &UserInfoClaims<Others, CoreGenderClaim>, groups_claim: &str) -> Said {
    said!(claims, groups_claim)
}

/// A list of names, or one name; what is neither names no group.
fn groups(claim: &Value) -> BTreeSet<String> {
    match claim {
        Value::String(name) => [name.clone()].into(),
        Value::Array(names) => names.iter().filter_map(|name| name.as_str().map(str::to_owned)).collect(),
        _ => BTreeSet::new(),
    }
}

#[cfg(test)]
mod tests {
    use std::convert::Infallible;

    use serde_json::json;

    use super::*;

    #[test]
    fn groups_are_names_or_one_name() {
        let check = |claim: Value, expected: &[&str]| {
            let expected: BTreeSet<String> = expected.iter().map(|&name| name.to_owned()).collect();
            assert_eq!(groups(&claim), expected, "{claim}");
        };
        check(json!(["risk", "everybody", "risk"]), &["everybody", "risk"]);
        check(json!("risk"), &["risk"]);
        check(json!(["risk", 7, null, ["admins"]]), &["risk"]);
        check(json!({"admins": true}), &[]);
        check(json!(null), &[]);
    }

    #[test]
    fn an_address_that_is_not_verified_is_not_somebodys() {
        let said = |claims: Value| {
            let claims = UserInfoClaims::from_json::<Infallible>(claims.to_string().as_bytes(), None);
            of_user(&claims.unwrap(), "https://example.org/groups")
        };
        let full = json!({
            "sub": "1", "name": "Ada", "preferred_username": "ada", "email": "ada@example.org",
            "https://example.org/groups": ["risk"],
        });
        let of = said(full.clone());
        assert_eq!((of.name.as_deref(), of.username.as_deref(), of.email), (Some("Ada"), Some("ada"), None));
        assert_eq!(of.groups, Some(["risk".to_owned()].into()));
        for (verified, expected) in [(json!(true), Some("ada@example.org")), (json!(false), None)] {
            let mut claims = full.clone();
            claims["email_verified"] = verified;
            assert_eq!(said(claims).email.as_deref(), expected);
        }
        assert_eq!(said(json!({"sub": "1"})), Said::default());
    }
}
