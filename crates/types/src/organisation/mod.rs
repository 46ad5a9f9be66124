//! What many systems share: `organisation.toml`, read and checked.
//!
//! The structs below are the file's grammar; their doc comments become the descriptions of the JSON
//! Schema. [`parse()`] reads the text and names the key that is wrong, as [`crate::definition::parse`]
//! does. Secrets stay where they are ([`Secret`]): this crate reads neither environment nor files.

mod channel;
mod login;
mod mail;
mod parse;
mod secret;

use schemars::JsonSchema;
use serde::Deserialize;

pub use channel::{Channel, ChannelKind, Means};
pub use login::{Group, Login, Oidc, Standing};
pub use mail::{Mail, Smtp, StartTls, is_address};
pub use parse::parse;
pub use secret::Secret;

/// What the systems of one organisation share.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Organisation {
    /// The name that people use.
    #[serde(default)]
    pub name: Option<String>,
    /// How mail is sent; needed for receivers such as `email:ops@example.org`.
    #[serde(default)]
    pub mail: Option<Mail>,
    /// Where alerts can be sent, by name.
    #[serde(default)]
    pub channel: Vec<Channel>,
    /// How people sign in to the server.
    #[serde(default)]
    pub login: Login,
}

impl Organisation {
    pub fn channel(&self, name: &str) -> Option<&Channel> {
        self.channel.iter().find(|channel| channel.name == name)
    }
}
