//! What was searched for: systems, columns, checks and alerts by name.

use maud::{Markup, html};
use types::format;

use super::frame::Content;
use super::table::{Cell, Column, Table};
use super::{Frame, link};
use crate::page::measures::breakable;

/// What was found for `?q=`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SearchPage {
    pub query: String,
    /// Best first.
    pub hits: Vec<Hit>,
}

/// One thing that has a page.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Hit {
    /// `system`, `column`, `check`, `alert`, `record`.
    pub kind: &'static str,
    pub name: String,
    /// Where it belongs: the system's name, or a few words.
    pub of: String,
    pub href: String,
}

impl SearchPage {
    pub fn tables(&self) -> Vec<Table> {
        vec![Table {
            name: "hits",
            caption: format!("Found for {}", self.query),
            columns: vec![
                Column::text("name", "Name"),
                Column::text("kind", "Kind"),
                Column::text("of", "Of"),
                Column::text("path", "Path"),
            ],
            rows: self
                .hits
                .iter()
                .map(|hit| {
                    vec![
                        Cell::link(&hit.name, &hit.href),
                        Cell::Text(hit.kind.into()),
                        Cell::Text(hit.of.clone()),
                        Cell::Text(hit.href.clone()),
                    ]
                })
                .collect(),
            empty: "Nothing was found.".into(),
        }]
    }
}

pub fn page(frame: &Frame, of: &SearchPage) -> String {
    let asked = !of.query.trim().is_empty();
    frame.document(&Content {
        title: "Search".into(),
        heading: html! {
            @if asked { (format::counted(of.hits.len() as u64, "hit", "hits")) " for “" (of.query) "”" } @else { "Search" }
        },
        body: html! {
            @if of.hits.is_empty() { (nothing(asked)) } @else {
                section aria-label="Hits" {
                    ul.found { @for hit in &of.hits { li { span.tag { (hit.kind) } div { p.name { a href=(hit.href) { (breakable(&hit.name)) } } p.sub { (hit.of) } } } } }
                    @for table in of.tables() { (table.downloads(&frame.path)) }
                }
            }
        },
        ..Content::default()
    })
}

fn nothing(asked: bool) -> Markup {
    html! {
        p.empty.panel {
            @if asked { "No system, column, check or alert has this in its name. Try a part of it, or look through " a href=(link::OVERVIEW) { "all systems" } " and " a href=(link::EVIDENCE) { "all evidence" } "." }
            @else { "Write a part of the name of a system, a column, a check or an alert, or the number of a record." }
        }
    }
}
