//! The pages that the server answers with: pure functions from what `app` assembled to HTML.
//!
//! Every page is complete without JavaScript. [`asset`] holds the one style sheet and the one script,
//! to be served under names that carry their digest; [`CONTENT_POLICY`] is the policy that all of it
//! lives under: no style and no script in markup. A page is `page(&Frame, &…Page) -> String`; what it
//! shows as tables it also gives as [`Table`]s, to be sent as CSV, JSON or Markdown from the same path
//! with that ending. Paths are made in [`link`] and nowhere else.
//!
//! Nothing is computed here that is not in the structs: values, verdicts and sentences come from evidence.

pub mod alert;
pub mod alerts;
pub mod asset;
pub mod brief;
pub mod column;
pub mod compare;
pub mod entry;
pub mod evidence;
mod form;
pub mod frame;
pub mod jobs;
pub mod link;
mod moment;
pub mod overview;
pub mod practice;
pub mod problem;
pub mod record;
pub mod search;
pub mod series;
pub mod settings;
mod status;
pub mod system;
pub mod table;

use jiff::Timestamp;
use types::Finding;

pub use frame::{Frame, Notice, Reader, Theme};
pub use practice::{Practice, PracticeState};
pub use table::Table;

/// What the server sends as `Content-Security-Policy` with every page.
pub const CONTENT_POLICY: &str = "default-src 'none'; style-src 'self'; script-src 'self'; img-src 'self' data:; connect-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'";

/// A finding with its place in evidence.
#[derive(Clone, Debug, PartialEq)]
pub struct Seen {
    /// Position in the chain.
    pub seq: u64,
    pub at: Timestamp,
    /// From here on it counts as missing.
    pub fresh_until: Timestamp,
    pub finding: Finding,
}

/// What a page says of the system that it is about.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SystemRef {
    pub id: String,
    /// The name that people use.
    pub name: String,
}
