//! Who may come in: accounts, who they are at providers, sessions, tokens, and attempts to sign in.
//!
//! Secrets are kept as digests; what is secret, how long it lives and who may change what is decided in
//! `app::access`. Every change takes the record of the audit log that is written with it.

mod account;
mod identity;
mod session;
mod throttle;
mod token;

pub use account::{Admission, Change as AccountChange, NewAccount};
pub use identity::Identity;
pub use session::{NewSession, SessionRow};
pub use token::NewToken;
