//! `[login]`: how people sign in, and what the groups of a provider of single sign-on stand for.

use std::collections::BTreeSet;
use std::net::IpAddr;

use schemars::JsonSchema;
use serde::Deserialize;

use super::Secret;
use crate::access::{Function, Reach, Role};
use crate::definition::DefinitionError;

/// How people sign in.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Login {
    /// Whether passwords that are kept here let anybody in; without them only the provider does.
    #[serde(default = "yes")]
    pub local: bool,
    /// The provider of single sign-on, by OpenID Connect.
    #[serde(default)]
    pub oidc: Option<Oidc>,
}

/// A provider of OpenID Connect, and what its groups stand for here.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Oidc {
    /// What the button to sign in calls the provider.
    #[serde(default = "provider_name")]
    pub name: String,
    /// The provider's address, exactly as its discovery document names it: `https://…`.
    pub issuer: String,
    /// How the provider knows this server.
    pub client_id: String,
    /// The client's secret: `env:NAME`, `file:PATH` or the secret itself; none for a public client.
    #[serde(default)]
    pub client_secret: Option<Secret>,
    /// What is asked for; `openid` must be among it.
    #[serde(default = "scopes")]
    pub scopes: Vec<String>,
    /// The claim that holds somebody's groups: a list of names, or one name.
    #[serde(default = "groups_claim")]
    pub groups_claim: String,
    /// What groups stand for.
    #[serde(default)]
    pub group: Vec<Group>,
    /// The role of those who are in none of the groups; without it they are refused.
    #[serde(default)]
    pub default_role: Option<Role>,
    /// Where not empty, only people whose verified e-mail address is in one of these domains come in.
    #[serde(default)]
    pub allowed_domains: Vec<String>,
}

/// What a group of the provider stands for.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Group {
    /// As it stands in the claim; some providers give an id there.
    pub name: String,
    /// What its members are trusted with.
    pub role: Role,
    /// The parts of the organisation that its members speak for.
    #[serde(default)]
    pub functions: BTreeSet<Function>,
    /// The systems that its members are limited to; all where left out.
    #[serde(default)]
    pub systems: Option<BTreeSet<String>>,
}

/// What somebody's groups make them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Standing {
    pub role: Role,
    pub functions: BTreeSet<Function>,
    pub systems: Reach,
}

fn yes() -> bool {
    true
}

fn provider_name() -> String {
    "single sign-on".into()
}

fn scopes() -> Vec<String> {
    ["openid", "profile", "email"].map(str::to_owned).into()
}

fn groups_claim() -> String {
    "groups".into()
}

impl Default for Login {
    fn default() -> Self {
        Self { local: true, oidc: None }
    }
}

impl Login {
    pub(super) fn check(&self) -> Result<(), DefinitionError> {
        if let Some(oidc) = &self.oidc {
            oidc.check()?;
        }
        if self.local {
            return Ok(());
        }
        match &self.oidc {
            None => Err(wrong("local", "without passwords and without a provider nobody could sign in")
                .with_help(Some("remove `local`, or add [login.oidc]".into()))),
            Some(oidc) if !oidc.group.iter().any(|group| group.role == Role::Admin) => {
                Err(wrong("local", "without passwords nobody could become an admin")
                    .with_help(Some("add a [[login.oidc.group]] with `role = \"admin\"`".into())))
            }
            Some(_) => Ok(()),
        }
    }
}

impl Oidc {
    /// What somebody in these groups is; none where nothing lets them in.
    ///
    /// The highest role counts, on the systems that the groups of that role name together: nobody gets a role
    /// on a system where no single group gives it. Functions give no rights and add up.
    pub fn standing(&self, groups: &BTreeSet<String>) -> Option<Standing> {
        let of = || self.group.iter().filter(|group| groups.contains(&group.name));
        let functions = of().flat_map(|group| group.functions.iter().copied()).collect();
        let role = of().map(|group| group.role).max().max(self.default_role)?;
        // Who has the default role has it everywhere.
        let mut limits = of().filter(|group| group.role == role).map(|group| group.systems.clone());
        let systems = if self.default_role == Some(role) {
            Reach::All
        } else {
            let together = limits.try_fold(BTreeSet::new(), |mut all, of| {
                all.extend(of?);
                Some(all)
            });
            Reach::from(together)
        };
        Some(Standing { role, functions, systems })
    }

    /// Whether an address is in one of the domains that are allowed.
    pub fn allows(&self, email: &str) -> bool {
        let domain = email.rsplit_once('@').map(|(_, domain)| domain);
        domain.is_some_and(|domain| self.allowed_domains.iter().any(|of| of.eq_ignore_ascii_case(domain)))
    }

    fn check(&self) -> Result<(), DefinitionError> {
        self.check_issuer()?;
        if self.name.trim().is_empty() || self.name.contains(char::is_control) {
            return Err(wrong("oidc.name", "the provider's name is a word or a line of text"));
        }
        if self.client_id.trim().is_empty() {
            return Err(wrong("oidc.client_id", "`client_id` is empty")
                .with_help(Some("the provider names it when the application is registered".into())));
        }
        self.check_scopes()?;
        if self.groups_claim.is_empty() {
            return Err(wrong("oidc.groups_claim", "`groups_claim` is empty")
                .with_help(Some("leave it out for `groups`".into())));
        }
        if self.default_role == Some(Role::Admin) {
            return Err(wrong("oidc.default_role", "everybody at the provider would be an admin")
                .with_help(Some("give the role to a [[login.oidc.group]]".into())));
        }
        if self.group.is_empty() && self.default_role.is_none() {
            return Err(wrong("oidc.issuer", "nobody could sign in: no group and no default role is there")
                .with_help(Some("add [[login.oidc.group]], or `default_role = \"viewer\"`".into())));
        }
        if let Some(at) = self.allowed_domains.iter().position(|domain| !is_domain(domain)) {
            let message = format!("`{}` is not a domain", self.allowed_domains[at]);
            return Err(wrong(&format!("oidc.allowed_domains.{at}"), &message)
                .with_help(Some("write `example.org`, without `@`".into())));
        }
        (0..self.group.len()).try_for_each(|at| self.check_group(at))
    }

    fn check_issuer(&self) -> Result<(), DefinitionError> {
        if self.issuer.contains('@') {
            // No line is shown: it may hold a password.
            return Err(DefinitionError::at_key("", "`login.oidc.issuer` holds a user or a password")
                .with_help(Some("write the address alone; the secret goes under `client_secret`".into())));
        }
        let is_text = |text: &str| !text.is_empty() && !text.contains(|c: char| "?#".contains(c) || c <= ' ');
        let is_good = match (self.issuer.strip_prefix("https://"), self.issuer.strip_prefix("http://")) {
            (Some(rest), _) => is_text(rest),
            (None, Some(rest)) => is_text(rest) && is_loopback(rest),
            (None, None) => false,
        };
        if is_good {
            return Ok(());
        }
        let message = format!("`{}` is not the address of a provider", self.issuer);
        let help = "write it as the provider's discovery document has it: `https://…`, without query; \
                    `http://` only on this machine";
        Err(wrong("oidc.issuer", &message).with_help(Some(help.into())))
    }

    fn check_scopes(&self) -> Result<(), DefinitionError> {
        if let Some(at) = self.scopes.iter().position(|scope| !scope.bytes().all(|b| b.is_ascii_graphic())) {
            let message = format!("`{}` is not one scope", self.scopes[at]);
            return Err(wrong(&format!("oidc.scopes.{at}"), &message)
                .with_help(Some("write each as a text of its own".into())));
        }
        if !self.scopes.iter().any(|scope| scope == "openid") {
            return Err(wrong(
                "oidc.scopes",
                "without the scope `openid` the provider says nothing of people",
            )
            .with_help(Some("add \"openid\"".into())));
        }
        Ok(())
    }

    fn check_group(&self, at: usize) -> Result<(), DefinitionError> {
        let group = &self.group[at];
        let key = |key: &str| format!("oidc.group.{at}.{key}");
        if group.name.is_empty() {
            return Err(wrong(&key("name"), "a group has no name"));
        }
        if self.group[..at].iter().any(|other| other.name == group.name) {
            return Err(wrong(&key("name"), &format!("group `{}` is there twice", group.name)));
        }
        match &group.systems {
            Some(_) if group.role == Role::Admin => Err(wrong(&key("systems"), "an admin sees every system")
                .with_help(Some("leave `systems` out, or choose another role".into()))),
            Some(systems) if systems.is_empty() => {
                Err(wrong(&key("systems"), &format!("group `{}` would see no system", group.name))
                    .with_help(Some("name some, or leave `systems` out for all".into())))
            }
            _ => Ok(()),
        }
    }
}

/// A mistake at a key below `login`.
fn wrong(key: &str, message: &str) -> DefinitionError {
    DefinitionError::at_key(format!("login.{key}"), message)
}

fn is_domain(text: &str) -> bool {
    text.split('.').all(|part| !part.is_empty())
        && !text.contains(|c: char| c.is_whitespace() || c.is_control() || "@/:*".contains(c))
}

/// Whether what follows `http://` is on this machine, so that nothing passes over a network.
fn is_loopback(rest: &str) -> bool {
    let authority = rest.split('/').next().unwrap_or_default();
    let host = match authority.strip_prefix('[') {
        Some(bracketed) => bracketed.split(']').next().unwrap_or_default(),
        None => authority.split(':').next().unwrap_or_default(),
    };
    host == "localhost" || host.parse().is_ok_and(|address: IpAddr| address.is_loopback())
}

#[cfg(test)]
mod tests {
    use super::super::parse;
    use super::*;

    const LOGIN: &str = r#"[login.oidc]
issuer = "https://login.example.org/realms/main"
client_id = "forewarn"
client_secret = "env:OIDC_SECRET"

[[login.oidc.group]]
name = "risk"
role = "risk_manager"
functions = ["compliance"]
systems = ["flights"]

[[login.oidc.group]]
name = "risk-loans"
role = "risk_manager"
systems = ["loans"]

[[login.oidc.group]]
name = "everybody"
role = "viewer"
functions = ["business"]

[[login.oidc.group]]
name = "admins"
role = "admin"
"#;

    fn oidc(text: &str) -> Oidc {
        parse(text).unwrap().login.oidc.unwrap()
    }

    #[test]
    fn the_highest_role_counts_where_the_groups_that_give_it_reach() {
        let of = oidc(LOGIN);
        let standing = |groups: &[&str]| of.standing(&groups.iter().map(|&name| name.to_owned()).collect());
        let is = |role, functions: &[Function], systems| {
            Some(Standing { role, functions: functions.iter().copied().collect(), systems })
        };
        assert_eq!(standing(&[]), None);
        assert_eq!(standing(&["Everybody", "other"]), None, "names are compared as they are");
        assert_eq!(standing(&["everybody"]), is(Role::Viewer, &[Function::Business], Reach::All));
        let both = [Function::Business, Function::Compliance];
        assert_eq!(
            standing(&["everybody", "risk"]),
            is(Role::RiskManager, &both, Reach::only(["flights"])),
            "no group makes a risk manager of all systems"
        );
        assert_eq!(
            standing(&["risk", "risk-loans"]),
            is(Role::RiskManager, &[Function::Compliance], Reach::only(["flights", "loans"]))
        );
        assert_eq!(standing(&["risk", "admins"]), is(Role::Admin, &[Function::Compliance], Reach::All));
    }

    #[test]
    fn a_default_role_lets_everybody_in_everywhere() {
        let of = oidc(&LOGIN.replace("client_id =", "default_role = \"viewer\"\nclient_id ="));
        let viewer = Standing { role: Role::Viewer, functions: [].into(), systems: Reach::All };
        assert_eq!(of.standing(&[].into()), Some(viewer));
        let risk = of.standing(&["risk".to_owned()].into()).unwrap();
        assert_eq!((risk.role, risk.systems), (Role::RiskManager, Reach::only(["flights"])));
    }

    #[test]
    fn domains_are_compared_whole() {
        let of = oidc(&LOGIN.replace("client_id =", "allowed_domains = [\"example.org\"]\nclient_id ="));
        for (email, expected) in [
            ("ada@example.org", true),
            ("ada@EXAMPLE.org", true),
            ("ada@evil.example.org", false),
            ("ada@evilexample.org", false),
            ("ada@example.org@evil.example", false),
            ("example.org", false),
        ] {
            assert_eq!(of.allows(email), expected, "{email}");
        }
    }

    #[test]
    fn what_is_left_out_has_a_default() {
        let of = oidc(LOGIN);
        assert_eq!(of.scopes, ["openid", "profile", "email"]);
        assert_eq!((of.groups_claim.as_str(), of.name.as_str()), ("groups", "single sign-on"));
        assert_eq!((of.default_role, of.allowed_domains.len()), (None, 0));
        assert!(parse(LOGIN).unwrap().login.local && parse("").unwrap().login.local);
    }

    /// The mistake's message, help, and the text that it points at.
    #[track_caller]
    fn check(part: &str, other: &str, message: &str, help: &str, pointed_at: &str) {
        assert!(LOGIN.contains(part));
        let text = LOGIN.replacen(part, other, 1);
        let error = parse(&text).unwrap_err();
        assert!(error.message.contains(message), "message was {:?}", error.message);
        assert!(error.help.as_deref().unwrap_or("").contains(help), "help was {:?}", error.help);
        let span = error.span(&text).unwrap_or(0..0);
        assert!(text[span.clone()].contains(pointed_at), "pointed at {:?}: {error}", &text[span]);
    }

    #[test]
    fn mistakes_name_the_place_and_the_way_out() {
        let issuer = "https://login.example.org/realms/main";
        for bad in
            ["login.example.org", "http://login.example.org", "https://", "https://a/?b", "ftp://a", ""]
        {
            check(issuer, bad, "is not the address of a provider", "`https://…`", bad);
        }
        check("\"risk_manager\"", "\"manager\"", "unknown variant `manager`", "", "manager");
        check("client_id", "clientid", "unknown field `clientid`", "did you mean `client_id`?", "");
        check("client_id = \"forewarn\"", "client_id = \" \"", "is empty", "registered", "\" \"");
        let add = |line: &str| format!("{line}\nclient_id = \"forewarn\"");
        let with = |line: &str, message: &str, help: &str, pointed_at: &str| {
            check("client_id = \"forewarn\"", &add(line), message, help, pointed_at);
        };
        with("scopes = [\"email\"]", "without the scope `openid`", "add \"openid\"", "email");
        with("scopes = [\"openid email\"]", "is not one scope", "of its own", "openid email");
        with("default_role = \"admin\"", "everybody at the provider", "[[login.oidc.group]]", "admin");
        with("allowed_domains = [\"@example.org\"]", "is not a domain", "`example.org`", "@example");
        with("groups_claim = \"\"", "is empty", "`groups`", "\"\"");
        check("name = \"everybody\"", "name = \"risk\"", "is there twice", "", "risk");
        check("systems = [\"loans\"]", "systems = []", "would see no system", "for all", "[]");
        check("role = \"viewer\"", "role = \"admin\"\nsystems = [\"a\"]", "sees every system", "", "a");
        let local = "[login]\nlocal = false\n[login.oidc]";
        check(
            "[login.oidc]",
            &local.replace("local = false", "locale = false"),
            "unknown field",
            "`local`",
            "",
        );
        check(
            "role = \"admin\"",
            "role = \"member\"\n[login]\nlocal = false",
            "become an admin",
            "role",
            "false",
        );
    }

    #[test]
    fn somebody_must_be_able_to_sign_in() {
        let error = parse("[login]\nlocal = false\n").unwrap_err();
        assert!(error.message.contains("nobody could sign in"), "{error}");
        let alone = "[login.oidc]\nissuer = \"https://a.example\"\nclient_id = \"b\"\n";
        let error = parse(alone).unwrap_err();
        assert!(error.help.as_deref().unwrap().contains("default_role"), "{error}");
        let rest = LOGIN.split_once('\n').unwrap().1;
        let without = format!("[login]\nlocal = false\n[login.oidc]\n{rest}");
        assert!(!parse(&without).unwrap().login.local);
        for issuer in ["http://localhost:8080/realms/a", "http://127.0.0.1:1", "http://[::1]:1/", "https://a"]
        {
            assert_eq!(oidc(&LOGIN.replace("https://login.example.org/realms/main", issuer)).issuer, issuer);
        }
    }

    #[test]
    fn a_line_with_a_secret_is_never_pointed_at() {
        for (part, other) in [
            ("client_secret = \"env:OIDC_SECRET\"", "client_secret = [\"hunter2\"]"),
            ("client_secret = \"env:OIDC_SECRET\"", "client_sceret = \"hunter2\""),
            ("https://login.", "https://me:hunter2@login."),
        ] {
            let text = LOGIN.replace(part, other);
            let error = parse(&text).unwrap_err();
            let shown = error.span(&text).map_or("", |span| &text[span]);
            assert!(!shown.contains("hunter2") && !error.to_string().contains("hunter2"), "{error}: {shown}");
        }
        assert!(!format!("{:?}", oidc(&LOGIN.replace("env:OIDC_SECRET", "hunter2"))).contains("hunter2"));
    }
}
