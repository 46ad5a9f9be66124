//! From the name of a receiver to the channel that it stands for.

use types::nearest::{listed, nearest};
use types::organisation::{Channel, ChannelKind, Organisation, is_address};

/// Where a message goes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Receiver {
    /// As an alert names it: `email:ops@example.org`, `slack:#model-risk`.
    pub name: String,
    pub(super) channel: Channel,
}

impl From<&Channel> for Receiver {
    fn from(channel: &Channel) -> Self {
        Self { name: channel.name.clone(), channel: channel.clone() }
    }
}

/// A name that stands for no channel.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ReceiverError {
    #[error("receiver `{name}` is no channel of organisation.toml ({way_out})")]
    Unknown { name: String, way_out: String },
    #[error("receiver `{name}` does not hold a mail address after `email:`")]
    NoAddress { name: String },
    #[error(
        "receiver `{name}` gets mail, but organisation.toml has no [mail]: add it with `smtp` and `from`"
    )]
    NoMail { name: String },
}

/// Finds what a receiver's name stands for: `email:ADDRESS`, or the name of a channel.
pub fn resolve(name: &str, organisation: &Organisation) -> Result<Receiver, ReceiverError> {
    if let Some(channel) = organisation.channel(name) {
        return Ok(channel.into());
    }
    let Some(address) = name.strip_prefix("email:") else {
        return Err(ReceiverError::Unknown { name: name.into(), way_out: way_out(name, organisation) });
    };
    if !is_address(address) {
        return Err(ReceiverError::NoAddress { name: name.into() });
    }
    if organisation.mail.is_none() {
        return Err(ReceiverError::NoMail { name: name.into() });
    }
    let channel = Channel {
        name: name.into(),
        kind: ChannelKind::Email,
        url: None,
        routing_key: None,
        secret: None,
        user: None,
        password: None,
        to: vec![address.into()],
    };
    Ok(Receiver { name: name.into(), channel })
}

fn way_out(name: &str, organisation: &Organisation) -> String {
    let names = || organisation.channel.iter().map(|channel| channel.name.as_str());
    if is_address(name) {
        format!("did you mean `email:{name}`?")
    } else if let Some(choice) = nearest(name, names()) {
        format!("did you mean `{choice}`?")
    } else if organisation.channel.is_empty() {
        "it has none: add [[channel]]".into()
    } else {
        format!("it has: {}", listed(names(), 10))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_is_a_channel_or_a_mail_address() {
        let text = "[mail]\nsmtp = \"smtp://localhost\"\nfrom = \"a@b.c\"\n[[channel]]\nname = \"slack:#risk\"\n\
                    kind = \"slack\"\nurl = \"env:X\"\n";
        let organisation = types::organisation::parse(text).unwrap();
        let without_mail = Organisation { mail: None, ..organisation.clone() };
        assert_eq!(resolve("slack:#risk", &organisation).unwrap(), (&organisation.channel[0]).into());
        assert_eq!(resolve("email:ops@example.org", &organisation).unwrap().channel.to, ["ops@example.org"]);
        let check = |name: &str, organisation: &Organisation, part: &str| {
            let error = resolve(name, organisation).unwrap_err().to_string();
            assert!(error.contains(part) && error.contains(name), "{error}");
        };
        check("slack:#rsk", &organisation, "did you mean `slack:#risk`?");
        check("ops@example.org", &organisation, "did you mean `email:ops@example.org`?");
        check("zzz", &organisation, "it has: slack:#risk");
        check("zzz", &Organisation::default(), "add [[channel]]");
        check("email:ops", &organisation, "address");
        check("email:ops@example.org", &without_mail, "no [mail]");
    }
}
