//! Why a message was not delivered, and whether it can be later.

use jiff::SignedDuration;
use types::definition::DefinitionError;

use super::secret::SecretError;

/// Why a message was not taken over.
#[derive(Debug, thiserror::Error)]
pub enum DeliveryError {
    #[error(transparent)]
    Secret(#[from] SecretError),
    #[error("{0}")]
    Channel(#[from] DefinitionError),
    #[error("mail is sent by nobody: add [mail] with `smtp` and `from` to organisation.toml")]
    NoMail,
    #[error("the address is not one that can be posted to: {reason}")]
    BadAddress { reason: String },
    #[error("{host} did not answer within {seconds} s")]
    TimedOut { host: String, seconds: u64 },
    #[error("no connection to {host}: {reason}")]
    Unreachable { host: String, reason: String },
    #[error(
        "{host} answered {status}, to {to}: what is sent to one place is not sent on to another; set the address that is meant"
    )]
    Redirected { host: String, status: u16, to: String },
    /// The other side says that it cannot take it now.
    #[error("{host} is not able to take it now: {said}")]
    Busy { host: String, said: String, retry_after: Option<SignedDuration> },
    /// The other side says that it will not take this.
    #[error("{host} refused it: {said}")]
    Refused { host: String, said: String },
    #[error("the mail cannot be written: {reason}")]
    BadMail { reason: String },
}

/// Whether another attempt can help.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Retry {
    /// Somebody has to change something first.
    Never,
    Later,
    /// The other side asked to be left alone for so long.
    After(SignedDuration),
}

impl DeliveryError {
    pub fn retry(&self) -> Retry {
        match self {
            Self::TimedOut { .. } | Self::Unreachable { .. } | Self::Busy { retry_after: None, .. } => {
                Retry::Later
            }
            Self::Busy { retry_after: Some(duration), .. } => Retry::After(*duration),
            Self::Secret(_)
            | Self::Channel(_)
            | Self::NoMail
            | Self::BadAddress { .. }
            | Self::Redirected { .. }
            | Self::Refused { .. }
            | Self::BadMail { .. } => Retry::Never,
        }
    }
}
