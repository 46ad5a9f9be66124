//! When there is no page to show: what went wrong, and the way out.

use maud::{Markup, html};

use super::frame::Content;
use super::{Frame, link};
use crate::page::measures::prose;

/// Why there is no page; the status is the HTTP one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ProblemPage {
    pub kind: Problem,
    /// What it was about, as a sentence of its own; may be empty.
    pub detail: String,
    /// Under which the log of the server has more.
    pub request: Option<String>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Problem {
    BadRequest,
    Forbidden,
    NotFound,
    Conflict,
    TooManyRequests { retry_after_seconds: u64 },
    Internal,
    Unavailable,
}

impl Problem {
    pub fn status(self) -> u16 {
        match self {
            Self::BadRequest => 400,
            Self::Forbidden => 403,
            Self::NotFound => 404,
            Self::Conflict => 409,
            Self::TooManyRequests { .. } => 429,
            Self::Internal => 500,
            Self::Unavailable => 503,
        }
    }

    fn title(self) -> &'static str {
        match self {
            Self::BadRequest => "This could not be understood",
            Self::Forbidden => "This is not for you to see or do",
            Self::NotFound => "There is nothing here",
            Self::Conflict => "Somebody was faster",
            Self::TooManyRequests { .. } => "Too many tries",
            Self::Internal => "Something broke on our side",
            Self::Unavailable => "Not ready yet",
        }
    }

    fn way_out(self) -> Markup {
        html! {
            @match self {
                Self::BadRequest => "Go back and correct what was sent; if you followed a link, it may be cut off.",
                Self::Forbidden => { "If you need it, ask an admin for the role, or for this system. You may also be signed in under another name: see " a href=(link::ACCOUNT) { "your account" } "." },
                Self::NotFound => { "It may have another name now. Search for it above, or begin with " a href=(link::OVERVIEW) { "all systems" } "." },
                Self::Conflict => "It changed since you loaded the page. Go back, load it anew, and decide again on what you see then.",
                Self::TooManyRequests { retry_after_seconds } => { "Wait " (retry_after_seconds) " seconds, then try again." },
                Self::Internal => "Nothing was lost: what is not answered as done was not done. Try again; if it stays, the log of the server has the reason.",
                Self::Unavailable => "The server is starting, or its database does not answer. Nothing was changed; try again in a few seconds.",
            }
        }
    }
}

pub fn page(frame: &Frame, of: &ProblemPage) -> String {
    let body = html! {
        p.status-code { (of.kind.status()) }
        h1 { (of.kind.title()) }
        @if !of.detail.is_empty() { p { (prose(&of.detail)) } }
        p { (of.kind.way_out()) }
        @if let Some(request) = &of.request { p.sub { "Request " code { (request) } } }
        p.links { a.button href=(link::OVERVIEW) { "All systems" } }
    };
    if frame.reader.is_none() {
        return frame.card(of.kind.title(), &body);
    }
    let title = of.kind.title().to_owned();
    frame.document(&Content { title, body: html! { div.problem { (body) } }, ..Content::default() })
}
