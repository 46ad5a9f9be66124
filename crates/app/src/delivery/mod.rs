//! How one message reaches one receiver.
//!
//! [`resolve`] finds the channel that a receiver's name stands for, [`deliver`] sends one message once
//! and says what happened, [`retry::next_attempt`] when to try again. What a channel is sent is made by
//! a pure function in a file of its own (`slack`, `teams`, …); only `http` and `email` talk to anybody.
//! Which message goes to whom, and the record of it, is not decided here.

mod alertmanager;
mod clip;
mod email;
mod error;
mod http;
mod pagerduty;
mod receiver;
pub mod retry;
#[cfg(test)]
mod samples;
pub(crate) mod secret;
mod slack;
mod teams;
mod webhook;

use std::path::Path;

use jiff::Timestamp;
use types::message::Message;
use types::organisation::{Means, Organisation};

pub use error::{DeliveryError, Retry};
pub use receiver::{Receiver, ReceiverError, resolve};

/// A message that was taken over by the other side.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Delivered {
    /// What took it: `mail.example.org:587`.
    pub by: String,
    /// What it answered, on one line and without secrets: `202 Accepted`.
    pub said: String,
}

/// Sends a message to a receiver, once.
///
/// `folder` is where `organisation.toml` is: secrets in files are relative to it. `now` is when the
/// attempt is made; the content follows from the message alone, so that a message that arrives twice
/// can be recognised (Message-ID, `webhook-id`, deduplication key).
///
/// # Errors
/// It was not taken over; [`DeliveryError::retry`] says whether another attempt can help.
pub fn deliver(
    organisation: &Organisation,
    folder: &Path,
    receiver: &Receiver,
    message: &Message,
    now: Timestamp,
) -> Result<Delivered, DeliveryError> {
    let reveal = |secret| secret::reveal(secret, folder);
    match receiver.channel.means()? {
        Means::Slack { url } => http::post(&slack::request(reveal(url)?, message), now),
        Means::Teams { url } => http::post(&teams::request(reveal(url)?, message), now),
        Means::PagerDuty { routing_key, url } => {
            let url = url.map(reveal).transpose()?;
            http::post(&pagerduty::request(url, reveal(routing_key)?, message), now)
        }
        Means::Webhook { url, secret } => {
            http::post(&webhook::request(reveal(url)?, &reveal(secret)?, message, now)?, now)
        }
        Means::Alertmanager { url, login } => {
            let login = match login {
                Some((user, password)) => Some((user, reveal(password)?)),
                None => None,
            };
            http::post(&alertmanager::request(&reveal(url)?, login.as_ref(), message), now)
        }
        Means::Email { to } => {
            let mail = organisation.mail.as_ref().ok_or(DeliveryError::NoMail)?;
            let password = mail.password.as_ref().map(reveal).transpose()?;
            email::send(mail, password.as_ref(), to, message, now)
        }
    }
}
