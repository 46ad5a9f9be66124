//! `[[channel]]`: where a message can be sent.

use schemars::JsonSchema;
use serde::Deserialize;

use super::{Secret, is_address};
use crate::definition::DefinitionError;

/// Where alerts can be sent.
///
/// Which keys a channel has depends on its kind; [`Channel::means`] says which.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Channel {
    /// How alerts name it in `to`, such as `slack:#model-risk`.
    pub name: String,
    /// What listens there.
    pub kind: ChannelKind,
    /// The address that messages are posted to: `env:NAME`, `file:PATH` or the address itself. For
    /// Alertmanager its root, such as `http://localhost:9093`; for PagerDuty only where it is not
    /// `https://events.pagerduty.com`.
    #[serde(default)]
    pub url: Option<Secret>,
    /// PagerDuty: the integration key of a service.
    #[serde(default)]
    pub routing_key: Option<Secret>,
    /// Webhook: what its messages are signed with.
    #[serde(default)]
    pub secret: Option<Secret>,
    /// Alertmanager: who asks, where it wants to know.
    #[serde(default)]
    pub user: Option<String>,
    /// Alertmanager: the user's password.
    #[serde(default)]
    pub password: Option<Secret>,
    /// E-mail: the addresses that one mail goes to.
    #[serde(default)]
    pub to: Vec<String>,
}

/// What listens at a channel.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum ChannelKind {
    /// An incoming webhook of Slack, or of what understands the same (Mattermost, Rocket.Chat).
    Slack,
    /// A Microsoft Teams workflow that posts to a channel when a webhook request is received.
    Teams,
    /// PagerDuty, Events API v2.
    PagerDuty,
    /// Any program: JSON, signed.
    Webhook,
    /// Prometheus Alertmanager, API v2.
    Alertmanager,
    /// A list of mail addresses.
    Email,
}

impl ChannelKind {
    /// The name in `organisation.toml`.
    pub fn name(self) -> &'static str {
        match self {
            Self::Slack => "slack",
            Self::Teams => "teams",
            Self::PagerDuty => "pagerduty",
            Self::Webhook => "webhook",
            Self::Alertmanager => "alertmanager",
            Self::Email => "email",
        }
    }

    /// The keys that a channel of this kind may have besides `name` and `kind`; the first is needed.
    fn keys(self) -> &'static [&'static str] {
        match self {
            Self::Slack | Self::Teams => &["url"],
            Self::PagerDuty => &["routing_key", "url"],
            Self::Webhook => &["url", "secret"],
            Self::Alertmanager => &["url", "user", "password"],
            Self::Email => &["to"],
        }
    }
}

/// What a channel needs to be used, by its kind.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Means<'c> {
    Slack { url: &'c Secret },
    Teams { url: &'c Secret },
    PagerDuty { routing_key: &'c Secret, url: Option<&'c Secret> },
    Webhook { url: &'c Secret, secret: &'c Secret },
    Alertmanager { url: &'c Secret, login: Option<(&'c str, &'c Secret)> },
    Email { to: &'c [String] },
}

impl Channel {
    /// What it needs to be used.
    ///
    /// # Errors
    /// A key is missing, or has no meaning for its kind; the error's place is the key in the channel.
    pub fn means(&self) -> Result<Means<'_>, DefinitionError> {
        let kind = self.kind.name();
        let written = [
            ("url", self.url.is_some()),
            ("routing_key", self.routing_key.is_some()),
            ("secret", self.secret.is_some()),
            ("user", self.user.is_some()),
            ("password", self.password.is_some()),
            ("to", !self.to.is_empty()),
        ];
        let keys = self.kind.keys();
        if let Some((key, _)) = written.iter().find(|(key, written)| *written && !keys.contains(key)) {
            let message = format!("`{key}` has no meaning for a channel of kind `{kind}`");
            let help = format!(
                "it has {}",
                keys.iter().map(|key| format!("`{key}`")).collect::<Vec<_>>().join(", ")
            );
            return Err(DefinitionError::at_key(*key, message).with_help(Some(help)));
        }
        let missing = |key: &str, example: &str| {
            let message = format!("channel `{}` of kind `{kind}` has no `{key}`", self.name);
            DefinitionError::at_key("", message).with_help(Some(format!("add `{key} = {example}`")))
        };
        let url = || self.url.as_ref().ok_or_else(|| missing("url", "\"env:NAME\""));
        Ok(match self.kind {
            ChannelKind::Slack => Means::Slack { url: url()? },
            ChannelKind::Teams => Means::Teams { url: url()? },
            ChannelKind::PagerDuty => {
                let key = self.routing_key.as_ref();
                let routing_key =
                    key.ok_or_else(|| missing("routing_key", "\"env:PAGERDUTY_ROUTING_KEY\""))?;
                Means::PagerDuty { routing_key, url: self.url.as_ref() }
            }
            ChannelKind::Webhook => {
                let secret = self.secret.as_ref();
                Means::Webhook {
                    url: url()?,
                    secret: secret.ok_or_else(|| missing("secret", "\"env:NAME\""))?,
                }
            }
            ChannelKind::Alertmanager => {
                let login = match (&self.user, &self.password) {
                    (Some(user), Some(password)) => Some((user.as_str(), password)),
                    (None, None) => None,
                    (Some(_), None) => return Err(missing("password", "\"env:NAME\"")),
                    (None, Some(_)) => return Err(missing("user", "\"…\"")),
                };
                Means::Alertmanager { url: url()?, login }
            }
            ChannelKind::Email if self.to.is_empty() => return Err(missing("to", "[\"ops@example.org\"]")),
            ChannelKind::Email => Means::Email { to: &self.to },
        })
    }

    pub(super) fn check(&self) -> Result<(), DefinitionError> {
        if self.name.trim() != self.name || self.name.is_empty() || self.name.contains(char::is_control) {
            return Err(DefinitionError::at_key("name", "a channel's name is a word or a line of text"));
        }
        if self.name.starts_with("email:") {
            let message = format!("`{}` would hide the mail address of that name", self.name);
            return Err(DefinitionError::at_key("name", message)
                .with_help(Some("`email:ADDRESS` needs no channel; choose another name for a list".into())));
        }
        if let Means::Email { to } = self.means()?
            && let Some(at) = to.iter().position(|address| !is_address(address))
        {
            let message = format!("`{}` is not a mail address", to[at]);
            return Err(DefinitionError::at_key(format!("to.{at}"), message));
        }
        if let Some(Secret::Literal(url)) = &self.url
            && !url.starts_with("https://")
            && !url.starts_with("http://")
        {
            let message = "`url` starts with neither `https://`, `http://`, `env:` nor `file:`";
            return Err(DefinitionError::at_key("name", message));
        }
        Ok(())
    }
}
