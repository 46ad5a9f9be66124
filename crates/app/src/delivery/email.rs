//! Mail: one message with a text and an HTML part, through the organisation's own server.
//!
//! All messages about one cause answer one that was never sent, so that mail programs show them as one
//! conversation (RFC 5322, section 3.6.4). lettre encodes every header, so that no text can add one.

use std::error::Error as _;
use std::time::{Duration, SystemTime};

use jiff::Timestamp;
use lettre::message::header::{HeaderName, HeaderValue};
use lettre::message::{Mailbox, MultiPart};
use lettre::transport::smtp::authentication::Credentials;
use lettre::transport::smtp::client::{Tls, TlsParameters};
use lettre::transport::smtp::extension::ClientId;
use lettre::{SmtpTransport, Transport};
use types::Digest;
use types::message::Message;
use types::organisation::{Mail, Smtp, StartTls};
use view::alert;

use super::clip::clip;
use super::secret::{Revealed, without};
use super::{Delivered, DeliveryError};

/// For each step of the conversation with the server.
const SECONDS_MAX: u64 = 10;
/// Longer than any subject that is read; several encoded lines.
const SUBJECT_CHARS: usize = 200;
const TEXT_CHARS: usize = 4000;
const ALERT_CHARS: usize = 500;
const LINK_BYTES: usize = 2000;

/// Sends one mail to all of `to`: either the server takes it for all of them, or for none.
pub(super) fn send(
    mail: &Mail,
    password: Option<&Revealed>,
    to: &[String],
    message: &Message,
    now: Timestamp,
) -> Result<Delivered, DeliveryError> {
    let server = mail.server()?;
    let written = written(mail, to, message, now)?;
    let place = format!("{}:{}", server.host, server.port);
    let secrets: Vec<&Revealed> = password.into_iter().collect();
    let transport = transport(mail, &server, password).map_err(|error| DeliveryError::Unreachable {
        host: place.clone(),
        reason: without(&error.to_string(), &secrets),
    })?;
    match transport.send(&written) {
        Ok(response) => {
            let said = format!("{} {}", response.code(), response.first_line().unwrap_or_default());
            Ok(Delivered { by: place, said: without(&said, &secrets) })
        }
        Err(error) => Err(refusal(&error, place, &secrets)),
    }
}

fn refusal(error: &lettre::transport::smtp::Error, host: String, secrets: &[&Revealed]) -> DeliveryError {
    let said = without(&error.to_string(), secrets);
    if error.is_timeout() || would_block(error) {
        DeliveryError::TimedOut { host, seconds: SECONDS_MAX }
    } else if error.is_transient() {
        DeliveryError::Busy { host, said, retry_after: None }
    } else if error.is_permanent() || error.is_client() {
        DeliveryError::Refused { host, said }
    } else {
        DeliveryError::Unreachable { host, reason: said }
    }
}

/// Where a read takes too long, Unix says `WouldBlock`, which lettre does not count as a timeout.
fn would_block(error: &lettre::transport::smtp::Error) -> bool {
    let mut source = error.source();
    while let Some(error) = source {
        if error
            .downcast_ref::<std::io::Error>()
            .is_some_and(|io| io.kind() == std::io::ErrorKind::WouldBlock)
        {
            return true;
        }
        source = error.source();
    }
    false
}

fn transport(
    mail: &Mail,
    server: &Smtp,
    password: Option<&Revealed>,
) -> Result<SmtpTransport, lettre::transport::smtp::Error> {
    // Certificates are for addresses without the brackets that an URL needs.
    let host = server.host.trim_matches(['[', ']']).to_owned();
    let parameters = || TlsParameters::new(host.clone());
    let tls = match (server.tls_from_start, mail.starttls) {
        (true, _) => Tls::Wrapper(parameters()?),
        (false, StartTls::Required) => Tls::Required(parameters()?),
        (false, StartTls::Opportunistic) => Tls::Opportunistic(parameters()?),
        (false, StartTls::None) => Tls::None,
    };
    let mut builder = SmtpTransport::builder_dangerous(host)
        .port(server.port)
        .tls(tls)
        .timeout(Some(Duration::from_secs(SECONDS_MAX)))
        .hello_name(ClientId::Domain(domain(&mail.from).to_owned()));
    if let (Some(user), Some(password)) = (&server.user, password) {
        builder = builder.credentials(Credentials::new(user.clone(), password.text().to_owned()));
    }
    Ok(builder.build())
}

fn written(
    mail: &Mail,
    to: &[String],
    message: &Message,
    now: Timestamp,
) -> Result<lettre::Message, DeliveryError> {
    let bad = |what: &str, reason: &dyn std::fmt::Display| DeliveryError::BadMail {
        reason: format!("{what}: {reason}"),
    };
    let mailbox = |text: &String| text.parse::<Mailbox>().map_err(|error| bad(text, &error));
    let domain = domain(&mail.from);
    let thread = thread(message, domain);
    let id = format!("<{}@{domain}>", super::webhook::id(message));
    let mut builder = lettre::Message::builder()
        .from(mailbox(&mail.from)?)
        .date(system_time(now))
        .message_id(Some(id))
        .in_reply_to(thread.clone())
        .references(thread)
        .subject(clip(&alert::subject(message), SUBJECT_CHARS))
        .raw_header(header("Auto-Submitted", "auto-generated"))
        .raw_header(header("X-Auto-Response-Suppress", "All"))
        .raw_header(header("List-Id", &list(message, domain)))
        .raw_header(header("X-Forewarn-Severity", message.severity.word()));
    for address in to {
        builder = builder.to(mailbox(address)?);
    }
    let message = bounded(message);
    let parts = MultiPart::alternative_plain_html(alert::text(&message), alert::html(&message));
    builder.multipart(parts).map_err(|error| bad("its parts", &error))
}

/// What nobody would read to its end is cut.
fn bounded(message: &Message) -> Message {
    let mut message = message.clone();
    let Message { title, what_happened, how_sure, who_is_affected, what_to_do, .. } = &mut message;
    for text in [title, what_happened, how_sure, who_is_affected, what_to_do] {
        *text = clip(text, TEXT_CHARS);
    }
    for text in [&mut message.system, &mut message.system_name] {
        *text = clip(text, SUBJECT_CHARS);
    }
    message.link = message.link.filter(|link| link.len() <= LINK_BYTES);
    for alert in &mut message.alerts {
        for text in [&mut alert.rule, &mut alert.subject, &mut alert.summary] {
            *text = clip(text, ALERT_CHARS);
        }
    }
    message
}

/// Mail has whole seconds, and none before 1970.
fn system_time(at: Timestamp) -> SystemTime {
    SystemTime::UNIX_EPOCH + Duration::from_secs(u64::try_from(at.as_second()).unwrap_or_default())
}

fn header(name: &'static str, value: &str) -> HeaderValue {
    HeaderValue::new(HeaderName::new_from_ascii_str(name), value.to_owned())
}

/// What all messages about one cause refer to.
fn thread(message: &Message, domain: &str) -> String {
    let cause = format!("{}\n{}", message.system, message.group);
    format!("<cause_{}@{domain}>", &Digest::of(cause.as_bytes()).to_string()[..32])
}

/// `<flight-delay.forewarn.example.org>`: what filters sort by.
fn list(message: &Message, domain: &str) -> String {
    let plain = |c: char| if c.is_ascii_alphanumeric() || "-_.".contains(c) { c } else { '-' };
    let system: String = message.system.chars().take(60).map(plain).collect();
    format!("<{system}.forewarn.{domain}>")
}

/// The domain of an address such as `Forewarn <forewarn@example.org>`.
fn domain(from: &str) -> &str {
    from.rsplit('@').next().unwrap_or_default().trim_end_matches('>')
}

#[cfg(test)]
mod tests {
    use super::super::samples;
    use super::*;
    use types::message::Occasion;

    fn mail(message: &Message) -> String {
        let mail = Mail {
            smtp: "smtp://localhost".into(),
            starttls: StartTls::None,
            from: "Forewarn <forewarn@example.org>".into(),
            password: None,
        };
        let to = ["ops@example.org".to_owned(), "risk@example.org".to_owned()];
        let written = written(&mail, &to, message, "2013-06-10T06:00:05Z".parse().unwrap()).unwrap();
        String::from_utf8(written.formatted()).unwrap()
    }

    fn headers(message: &Message) -> String {
        mail(message).split("\r\n\r\n").next().unwrap().to_owned()
    }

    fn value<'h>(headers: &'h str, name: &str) -> &'h str {
        let line = headers.lines().find(|line| line.starts_with(&format!("{name}: ")));
        &line.unwrap_or_else(|| panic!("no {name} in {headers}"))[name.len() + 2..]
    }

    #[test]
    fn headers_say_who_what_and_which_conversation() {
        let headers = headers(&samples::message(Occasion::Firing));
        let without_boundary = headers.split("\r\n boundary").next().unwrap().trim_end();
        insta::assert_snapshot!(without_boundary.replace("\r\n", "\n"));
    }

    #[test]
    fn messages_about_one_cause_are_one_conversation() {
        let firing = headers(&samples::message(Occasion::Firing));
        let resolved = headers(&samples::message(Occasion::Resolved));
        assert_eq!(value(&firing, "References"), value(&resolved, "References"));
        assert_eq!(value(&firing, "In-Reply-To"), value(&resolved, "References"));
        assert_ne!(value(&firing, "Message-ID"), value(&resolved, "Message-ID"));
        let other = Message { group: "other".into(), ..samples::message(Occasion::Firing) };
        assert_ne!(value(&firing, "References"), value(&headers(&other), "References"));
    }

    #[test]
    fn no_text_can_add_a_header() {
        let mut message = samples::message(Occasion::Firing);
        let evil = "x\r\nBcc: evil@example.org\r\n\r\n<p>evil";
        for text in [&mut message.title, &mut message.system, &mut message.system_name, &mut message.group] {
            *text = evil.into();
        }
        let headers = headers(&message);
        assert!(!headers.to_lowercase().lines().any(|line| line.starts_with("bcc")), "{headers}");
        assert!(headers.contains("Content-Type: multipart/alternative"), "{headers}");
    }

    #[test]
    fn a_giant_message_has_lines_that_servers_take() {
        let mail = mail(&samples::giant(Occasion::Firing));
        assert!(mail.lines().all(|line| line.len() <= 998), "a line is longer than RFC 5322 allows");
        assert!(mail.is_ascii());
    }
}
