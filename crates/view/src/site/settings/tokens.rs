//! Tokens, with which programs come in.

use jiff::Timestamp;
use maud::{Markup, html};

use super::{Tab, settings, shown_once};
use crate::site::form::{self, Field};
use crate::site::frame::part;
use crate::site::table::{Cell, Column, Table};
use crate::site::{Frame, link, moment};

/// Tokens for the API.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TokensPage {
    pub tokens: Vec<TokenRow>,
    /// Scopes to choose from: the name, and what it allows.
    pub scopes: Vec<(String, String)>,
    /// The text of a token that was just made; it is shown this once.
    pub made: Option<String>,
    pub error: Option<String>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TokenRow {
    pub id: String,
    pub name: String,
    pub scopes: Vec<String>,
    pub made_at: Timestamp,
    pub expires_at: Option<Timestamp>,
    pub used_at: Option<Timestamp>,
}

impl TokensPage {
    pub fn tables(&self) -> Vec<Table> {
        vec![Table {
            name: "tokens",
            caption: "Tokens".into(),
            columns: vec![
                Column::text("name", "Name"),
                Column::text("scopes", "May"),
                Column::text("made_at", "Made"),
                Column::text("expires_at", "Expires"),
                Column::text("used_at", "Last used"),
            ],
            rows: self
                .tokens
                .iter()
                .map(|of| {
                    let instant = |at: Option<Timestamp>| at.map_or(Cell::Empty, Cell::Instant);
                    vec![
                        Cell::Text(of.name.clone()),
                        Cell::Text(of.scopes.join(", ")),
                        Cell::Instant(of.made_at),
                        instant(of.expires_at),
                        instant(of.used_at),
                    ]
                })
                .collect(),
            empty: "There is no token yet. A program that sends predictions or evidence needs one.".into(),
        }]
    }
}

pub fn tokens(frame: &Frame, of: &TokensPage) -> String {
    let expiry: Vec<_> = [("30", "30 days"), ("90", "90 days"), ("365", "1 year")]
        .map(|(days, text)| (days.to_owned(), text.to_owned()))
        .into();
    settings(
        frame,
        Tab::Tokens,
        of.error.as_deref(),
        &html! {
            @if let Some(made) = &of.made { (shown_once("The token", made)) }
            (part("tokens", "Your tokens", &html! {}, &html! {
                @if of.tokens.is_empty() { p.empty.panel { "There is no token yet. A program that sends predictions or evidence needs one." } } @else {
                    ul.issues { @for token in &of.tokens { (token_row(frame, token)) } }
                    @for table in of.tables() { (table.downloads(&frame.path)) }
                }
            }))
            (part("new-token", "New token", &html! {}, &html! {
                form.stacked.narrow-form method="post" action=(link::TOKENS) {
                    (form::csrf(&frame.csrf))
                    (Field { hint: "What it is for: the pipeline, the server.", ..Field::new("token-name", "name", "Name") }.markup())
                    fieldset { legend { "It may" } @for (scope, allows) in &of.scopes { label.check { input type="checkbox" name="scope" value=(scope); span { code { (scope) } " " span.sub { (allows) } } } } }
                    (form::select("token-expiry", "days", "It ends after", &expiry, "90"))
                    button.primary type="submit" { "Make" }
                }
            }))
        },
    )
}

fn token_row(frame: &Frame, of: &TokenRow) -> Markup {
    html! {
        li.issue.two {
            div {
                h3 { (of.name) }
                p.sub {
                    "may " (of.scopes.join(", ")) " · "
                    @match of.used_at { Some(at) => { "last used " (moment::ago(at, frame.now)) }, None => "never used" }
                    @match of.expires_at {
                        Some(at) if at <= frame.now => { " · " span.expired { "expired " (moment::ago(at, frame.now)) } },
                        Some(at) => { " · expires " (moment::instant(at)) },
                        None => " · does not expire",
                    }
                }
            }
            form method="post" action=(link::revoke_token(&of.id)) { (form::csrf(&frame.csrf)) button type="submit" aria-label=(format!("Revoke {}", of.name)) { "Revoke" } }
        }
    }
}
