//! From the text of `organisation.toml` to an [`Organisation`], with the place of every mistake.

use super::Organisation;
use crate::definition::{DefinitionError, Place, from_toml};

/// Keys whose lines may be shown. All others may hold a secret, most of all those that are misspelt.
const SHOWN_KEYS: [&str; 16] = [
    "name",
    "kind",
    "to",
    "user",
    "from",
    "starttls",
    "local",
    "issuer",
    "client_id",
    "scopes",
    "groups_claim",
    "default_role",
    "allowed_domains",
    "role",
    "functions",
    "systems",
];

/// Reads an organisation's file and checks what can be checked without its environment.
///
/// # Errors
/// The first [`DefinitionError`]: bad TOML, an unknown or missing key, a name that is there twice, a
/// channel that lacks what its kind needs. Its place is never a line that may hold a secret.
pub fn parse(text: &str) -> Result<Organisation, DefinitionError> {
    let organisation: Organisation =
        toml::from_str(text).map_err(|error| without_secret(text, from_toml(text, &error)))?;
    if let Some(mail) = &organisation.mail {
        mail.check().map_err(|error| without_secret(text, error))?;
    }
    organisation.login.check().map_err(|error| without_secret(text, error))?;
    for (at, channel) in organisation.channel.iter().enumerate() {
        channel.check().map_err(|error| without_secret(text, in_channel(at, error)))?;
        if organisation.channel[..at].iter().any(|other| other.name == channel.name) {
            let message = format!("channel `{}` is named twice", channel.name);
            return Err(DefinitionError::at_key(format!("channel.{at}.name"), message));
        }
        if !channel.to.is_empty() && organisation.mail.is_none() {
            let message = format!("channel `{}` sends mail, but there is no mail server", channel.name);
            return Err(DefinitionError::at_key(format!("channel.{at}.to"), message)
                .with_help(Some("add [mail] with `smtp` and `from`".into())));
        }
    }
    Ok(organisation)
}

/// Places an error about a key of a channel in the file.
fn in_channel(at: usize, mut error: DefinitionError) -> DefinitionError {
    if let Place::Key(key) = &error.place {
        let key = if key.is_empty() { "name" } else { key };
        error.place = Place::Key(format!("channel.{at}.{key}"));
    }
    error
}

/// An error is printed with its lines; where one of them may hold a secret, only its number is said.
fn without_secret(text: &str, mut error: DefinitionError) -> DefinitionError {
    let Some(span) = error.span(text) else { return error };
    let end_of_line = |at: usize| text[at..].find('\n').map_or(text.len(), |length| at + length);
    let start = text[..span.start].rfind('\n').map_or(0, |at| at + 1);
    let is_shown = |line: &str| {
        let key = line.split('=').next().unwrap_or_default().trim();
        line.trim().is_empty() || SHOWN_KEYS.contains(&key) || key.starts_with('[')
    };
    if !text[start..end_of_line(span.end.max(span.start))].lines().all(is_shown) {
        let number = text[..start].matches('\n').count() + 1;
        error.message = format!("line {number}: {}", error.message);
        error.place = Place::File;
    }
    error
}

#[cfg(test)]
mod tests {
    use super::super::{ChannelKind, Means, Secret};
    use super::*;

    const ORGANISATION: &str = r#"name = "Example"

[mail]
smtp = "smtp://ops@mail.example.org:587"
from = "Forewarn <forewarn@example.org>"
password = "env:SMTP_PASSWORD"

[[channel]]
name = "slack:#model-risk"
kind = "slack"
url = "file:slack-url"

[[channel]]
name = "on call"
kind = "pagerduty"
routing_key = "R0123"
"#;

    #[test]
    fn an_organisation_has_mail_and_channels() {
        let organisation = parse(ORGANISATION).unwrap();
        assert_eq!(organisation.mail.as_ref().unwrap().server().unwrap().user.as_deref(), Some("ops"));
        let slack = organisation.channel("slack:#model-risk").unwrap();
        assert_eq!(slack.kind, ChannelKind::Slack);
        assert_eq!(slack.means(), Ok(Means::Slack { url: &Secret::File("slack-url".into()) }));
        assert!(!format!("{organisation:?}").contains("R0123"));
        assert_eq!(parse("").unwrap(), Organisation::default());
    }

    /// The mistake's message, help, and the text that it points at.
    #[track_caller]
    fn check(text: &str, message: &str, help: &str, pointed_at: &str) {
        let error = parse(text).unwrap_err();
        assert!(error.message.contains(message), "message was {:?}", error.message);
        assert!(error.help.as_deref().unwrap_or("").contains(help), "help was {:?}", error.help);
        let span = error.span(text).unwrap_or(0..0);
        assert!(text[span.clone()].contains(pointed_at), "pointed at {:?}: {error}", &text[span]);
    }

    #[test]
    fn mistakes_name_the_place_and_the_way_out() {
        let with = |part: &str, other: &str| {
            assert!(ORGANISATION.contains(part));
            ORGANISATION.replace(part, other)
        };
        check(&with("[mail]", "[male]"), "unknown field `male`", "did you mean `mail`?", "male");
        check(&with("\"slack\"", "\"slak\""), "unknown variant `slak`", "did you mean `slack`?", "slak");
        check(&with("kind = \"slack\"\n", ""), "missing field `kind`", "", "");
        check(&with("name = \"on call\"", "name = \"slack:#model-risk\""), "named twice", "", "slack:#");
        check(
            &with("name = \"on call\"", "name = \"email:a@b.c\""),
            "would hide",
            "needs no channel",
            "email:",
        );
        check(&with("routing_key = \"R0123\"\n", ""), "has no `routing_key`", "env:PAGERDUTY", "on call");
        check(
            &with("kind = \"slack\"", "kind = \"slack\"\nto = [\"a@b.c\"]"),
            "`to` has no meaning",
            "`url`",
            "a@b",
        );
        check(
            &with("kind = \"slack\"\nurl = \"file:slack-url\"", "kind = \"email\"\nto = [\"a@b.c\", \"ab\"]"),
            "`ab` is not a mail address",
            "",
            "ab",
        );
        check(&with("smtp://", "smtps:/"), "starts with neither", "smtps://USER@HOST:465", "");
        check(&with("Forewarn <", "Forewarn "), "not a mail address", "", "Forewarn");
        check(&with("password = \"env:SMTP_PASSWORD\"\n", ""), "has no password", "env:SMTP_PASSWORD", "");
        check(&with("from =", "starttls = \"none\"\nfrom ="), "unencrypted", "remove `starttls`", "none");
        check(
            "[[channel]]\nname = \"list\"\nkind = \"email\"\nto = [\"a@b.c\"]\n",
            "no mail server",
            "add [mail]",
            "a@b.c",
        );
    }

    #[test]
    fn a_line_with_a_secret_is_never_pointed_at() {
        for (part, other, message) in [
            ("routing_key = \"R0123\"", "routing_key = \"R0123", "line 16"),
            ("routing_key = \"R0123\"", "routing_kay = \"R0123\"", "unknown field `routing_kay`"),
            (
                "routing_key = \"R0123\"",
                "routing_key = \"R0123\"\nsecret = \"R0123\"",
                "`secret` has no meaning",
            ),
            ("url = \"file:slack-url\"", "url = \"htps://R0123\"", "neither"),
            ("smtp://ops@", "smtp://ops:R0123@", "holds a password"),
            ("smtp://ops@", "smpt://ops:R0123@", "line 4"),
            (
                "[mail]\n",
                "mail = { smtp = \"smtp://ops:R0123@host\", from = \"a@b.c\" }\n[x]\n",
                "unknown field",
            ),
        ] {
            let text = ORGANISATION.replace(part, other);
            let error = parse(&text).unwrap_err();
            assert!(error.message.contains(message), "{error}");
            assert!(!error.message.contains("R0123"), "{error}");
            let shown = error.span(&text).map_or(String::new(), |span| {
                let start = text[..span.start].rfind('\n').map_or(0, |at| at + 1);
                let end = text[span.end..].find('\n').map_or(text.len(), |at| span.end + at);
                text[start..end].to_owned()
            });
            assert!(!shown.contains("R0123"), "shows {shown:?}");
        }
    }
}
