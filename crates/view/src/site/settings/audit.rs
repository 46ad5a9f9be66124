//! The audit log: who changed what, newest first.

use jiff::Timestamp;
use maud::html;

use super::{Tab, settings};
use crate::site::frame::part;
use crate::site::table::{Cell, Column, Table};
use crate::site::{Frame, link};

/// A page of the log.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AuditPage {
    pub entries: Vec<AuditRow>,
    /// Where older ones begin: `?before=`.
    pub older: Option<String>,
}

/// Something that somebody changed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AuditRow {
    pub at: Timestamp,
    /// A name; of a program, that of its token.
    pub who: String,
    /// `silenced an alert`.
    pub what: String,
    /// What it was done to, and its page where it has one.
    pub subject: String,
    pub href: Option<String>,
    /// The reason or the note that was given; may be empty.
    pub note: String,
    /// From where.
    pub address: String,
}

impl AuditPage {
    pub fn tables(&self) -> Vec<Table> {
        vec![Table {
            name: "audit",
            caption: "Audit log, newest first".into(),
            columns: vec![
                Column::text("at", "When"),
                Column::text("who", "Who"),
                Column::text("what", "What"),
                Column::text("subject", "To what"),
                Column::text("note", "Note"),
                Column::text("address", "From"),
            ],
            rows: self.entries.iter().map(cells).collect(),
            empty: "Nobody has changed anything yet.".into(),
        }]
    }
}

fn cells(of: &AuditRow) -> Vec<Cell> {
    let subject = match &of.href {
        Some(href) => Cell::link(&of.subject, href),
        None => Cell::Text(of.subject.clone()),
    };
    vec![
        Cell::Instant(of.at),
        Cell::Text(of.who.clone()),
        Cell::Text(of.what.clone()),
        subject,
        if of.note.is_empty() { Cell::Empty } else { Cell::Text(of.note.clone()) },
        Cell::Text(of.address.clone()),
    ]
}

pub fn audit(frame: &Frame, of: &AuditPage) -> String {
    settings(
        frame,
        Tab::Audit,
        None,
        &part(
            "audit",
            "Audit log",
            &html! {},
            &html! {
                @for table in of.tables() { (table.html(&frame.path)) }
                @if let Some(before) = &of.older { p.more-link { a.button href=(link::with_query(link::AUDIT, &[("before", before.clone())])) { "Older" } } }
            },
        ),
    )
}
