//! `[mail]`: the server that mail goes through.

use schemars::JsonSchema;
use serde::Deserialize;

use super::Secret;
use crate::definition::DefinitionError;

/// How mail is sent.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Mail {
    /// The server: `smtps://USER@HOST:465` (TLS from the start) or `smtp://USER@HOST:587` (see
    /// `starttls`). User and port may be left out.
    pub smtp: String,
    /// Whether a connection by `smtp://` is encrypted before anything is said.
    #[serde(default)]
    pub starttls: StartTls,
    /// The sender: `forewarn@example.org` or `Forewarn <forewarn@example.org>`.
    pub from: String,
    /// The user's password: `env:NAME`, `file:PATH` or the password itself.
    #[serde(default)]
    pub password: Option<Secret>,
}

/// Whether a connection by `smtp://` is encrypted before anything is said.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum StartTls {
    /// A server that cannot encrypt is not used.
    #[default]
    Required,
    /// Encrypted where the server offers it; somebody in between can take the offer away.
    Opportunistic,
    /// Never encrypted.
    None,
}

/// A mail server's address, taken apart.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Smtp {
    pub host: String,
    pub port: u16,
    pub user: Option<String>,
    /// TLS from the first byte, not after `STARTTLS`.
    pub tls_from_start: bool,
}

impl Smtp {
    /// Whether the server is on this machine, so that nothing passes over a network.
    fn is_local(&self) -> bool {
        let host = self.host.trim_matches(['[', ']']);
        host == "localhost" || host.parse().is_ok_and(|address: std::net::IpAddr| address.is_loopback())
    }
}

impl Mail {
    /// The server, taken apart.
    ///
    /// # Errors
    /// The text is not an address of a mail server.
    pub fn server(&self) -> Result<Smtp, DefinitionError> {
        let wrong = |what: &str| {
            let help = "write `smtps://USER@HOST:465` or `smtp://USER@HOST:587`";
            Err(DefinitionError::at_key("mail.smtp", what).with_help(Some(help.into())))
        };
        let (tls_from_start, rest) = match self.smtp.split_once("://") {
            Some(("smtps", rest)) => (true, rest),
            Some(("smtp", rest)) => (false, rest),
            _ => return wrong("the mail server starts with neither `smtps://` nor `smtp://`"),
        };
        let rest = rest.trim_end_matches('/');
        // The user is often an address itself, so that the last `@` is the one that counts.
        let (user, place) = match rest.rsplit_once('@') {
            Some((user, place)) => (Some(user), place),
            None => (None, rest),
        };
        if user.is_some_and(|user| user.contains(':')) {
            let help = "write it under `password`, best as `env:NAME` or `file:PATH`";
            return Err(DefinitionError::at_key("mail", "the mail server's address holds a password")
                .with_help(Some(help.into())));
        }
        let (host, port) = match place.rsplit_once(':') {
            Some((host, port)) if !port.contains(']') => match port.parse() {
                Ok(port) if port != 0 => (host, port),
                _ => return wrong("the mail server's port is not a number from 1 to 65535"),
            },
            _ => (place, if tls_from_start { 465 } else { 587 }),
        };
        let is_host = |c: char| c.is_alphanumeric() || "-._:[]".contains(c);
        if host.is_empty() || !host.chars().all(is_host) {
            return wrong("the mail server has no host");
        }
        let user = user.filter(|user| !user.is_empty()).map(str::to_owned);
        Ok(Smtp { host: host.to_owned(), port, user, tls_from_start })
    }

    pub(super) fn check(&self) -> Result<(), DefinitionError> {
        let server = self.server()?;
        if !is_mailbox(&self.from) {
            let help = "write `forewarn@example.org` or `Forewarn <forewarn@example.org>`";
            return Err(DefinitionError::at_key("mail.from", "the sender is not a mail address")
                .with_help(Some(help.into())));
        }
        if server.tls_from_start && self.starttls != StartTls::Required {
            return Err(DefinitionError::at_key(
                "mail.starttls",
                "`starttls` has no meaning where the server is reached by `smtps://`",
            )
            .with_help(Some("remove it".into())));
        }
        match (&server.user, &self.password) {
            (Some(_), None) => {
                Err(DefinitionError::at_key("mail.smtp", "the mail server's user has no password").with_help(
                    Some("add `password = \"env:SMTP_PASSWORD\"` or `password = \"file:PATH\"`".into()),
                ))
            }
            (None, Some(_)) => {
                Err(DefinitionError::at_key("mail", "the mail server has a password, but no user")
                    .with_help(Some("write the user before the host: `smtp://USER@HOST:587`".into())))
            }
            (Some(_), Some(_))
                if !server.tls_from_start && self.starttls != StartTls::Required && !server.is_local() =>
            {
                let message = "the password could be sent unencrypted over a network";
                Err(DefinitionError::at_key("mail.starttls", message)
                    .with_help(Some("remove `starttls`: by default encryption is required".into())))
            }
            _ => Ok(()),
        }
    }
}

/// `a@b`, or `Name <a@b>`.
fn is_mailbox(text: &str) -> bool {
    match text.strip_suffix('>').and_then(|text| text.rsplit_once('<')) {
        Some((name, address)) => is_address(address) && !name.contains(['<', '>']) && is_one_line(name),
        None => is_address(text),
    }
}

/// Whether a text looks like the address of a mailbox; whether there is one, only its server knows.
pub fn is_address(text: &str) -> bool {
    let refused = |c: char| c.is_whitespace() || c.is_control() || "<>,;:\\\"()[]".contains(c);
    let Some((local, domain)) = text.split_once('@') else { return false };
    let is_domain =
        !domain.is_empty() && !domain.contains('@') && domain.split('.').all(|part| !part.is_empty());
    !local.is_empty() && is_domain && !text.contains(refused)
}

fn is_one_line(text: &str) -> bool {
    !text.contains(char::is_control)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn server(smtp: &str) -> Result<Smtp, String> {
        let mail = Mail {
            smtp: smtp.into(),
            starttls: StartTls::Required,
            from: "forewarn@example.org".into(),
            password: None,
        };
        mail.server().map_err(|error| error.message)
    }

    #[test]
    fn a_server_is_taken_apart() {
        let check = |smtp: &str, user: Option<&str>, host: &str, port: u16, tls_from_start: bool| {
            let expected = Smtp { host: host.into(), port, user: user.map(str::to_owned), tls_from_start };
            assert_eq!(server(smtp), Ok(expected), "{smtp}");
        };
        check("smtps://ops@mail.example.org:2465", Some("ops"), "mail.example.org", 2465, true);
        check("smtps://mail.example.org", None, "mail.example.org", 465, true);
        check(
            "smtp://ops@example.org@mail.example.org",
            Some("ops@example.org"),
            "mail.example.org",
            587,
            false,
        );
        check("smtp://[::1]:25/", None, "[::1]", 25, false);
        check("smtp://[::1]", None, "[::1]", 587, false);
    }

    #[test]
    fn what_is_no_server_is_refused_and_a_password_in_it_is_not_repeated() {
        for (smtp, message) in [
            ("mail.example.org", "neither"),
            ("http://mail.example.org", "neither"),
            ("smtp://", "no host"),
            ("smtp://host:0", "port"),
            ("smtp://host:port", "port"),
            ("smtp://ho st", "no host"),
            ("smtp://user:hunter2@host", "holds a password"),
        ] {
            let error = server(smtp).unwrap_err();
            assert!(error.contains(message), "{smtp}: {error}");
            assert!(!error.contains("hunter2"));
        }
    }

    #[test]
    fn addresses_are_one_mailbox_on_one_line() {
        for address in ["ops@example.org", "o'neil+x@localhost", "jürgen@exämple.org"] {
            assert!(is_address(address), "{address}");
        }
        for text in ["ops", "@example.org", "ops@", "a@b@c", "a@b..c", "a b@c", "a@b\r\nBcc: x@y", "a@b,c@d"]
        {
            assert!(!is_address(text), "{text:?}");
        }
        assert!(is_mailbox("Forewarn of Ops <forewarn@example.org>"));
        assert!(!is_mailbox("Forewarn\nBcc: x <forewarn@example.org>"));
    }
}
