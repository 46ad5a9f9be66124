//! Channels: where messages go, and whether they arrive.

use jiff::Timestamp;
use maud::{Markup, html};
use types::Verdict;

use super::{Tab, settings};
use crate::site::form;
use crate::site::frame::part;
use crate::site::table::{Cell, Column, Table};
use crate::site::{Frame, link, moment, status};

/// Where messages go.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ChannelsPage {
    pub channels: Vec<ChannelRow>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ChannelRow {
    pub name: String,
    /// `e-mail`, `Slack`, `PagerDuty`.
    pub kind: String,
    /// Without its secret.
    pub target: String,
    pub delivered_at: Option<Timestamp>,
    /// Why the last delivery failed.
    pub failure: Option<String>,
}

pub fn channels(frame: &Frame, of: &ChannelsPage) -> String {
    settings(
        frame,
        Tab::Channels,
        None,
        &part(
            "channels",
            "Channels",
            &html! { p.sub { "from " code { "organisation.toml" } } },
            &html! {
                @if of.channels.is_empty() {
                    p.empty.panel { "Nobody is told anything yet: no channel is defined. Add one to " code { "organisation.toml" } " and send a test message from here." }
                } @else {
                    ul.issues { @for channel in &of.channels { (channel_row(frame, channel)) } }
                    @for table in of.tables() { (table.downloads(&frame.path)) }
                }
            },
        ),
    )
}

impl ChannelsPage {
    pub fn tables(&self) -> Vec<Table> {
        vec![Table {
            name: "channels",
            caption: "Channels".into(),
            columns: vec![
                Column::text("name", "Name"),
                Column::text("kind", "Kind"),
                Column::text("target", "Target"),
                Column::text("delivered_at", "Last delivered"),
                Column::text("failure", "Last failure"),
            ],
            rows: self
                .channels
                .iter()
                .map(|of| {
                    vec![
                        Cell::Text(of.name.clone()),
                        Cell::Text(of.kind.clone()),
                        Cell::Text(of.target.clone()),
                        of.delivered_at.map_or(Cell::Empty, Cell::Instant),
                        Cell::optional(of.failure.as_deref()),
                    ]
                })
                .collect(),
            empty: "No channel is defined.".into(),
        }]
    }
}

fn channel_row(frame: &Frame, of: &ChannelRow) -> Markup {
    let (word, like) = match (&of.failure, of.delivered_at) {
        (Some(_), _) => ("failing", Verdict::Fail),
        (None, Some(_)) => ("working", Verdict::Pass),
        (None, None) => ("never used", Verdict::Unknown),
    };
    html! {
        li.issue {
            (status::chip(word, Some(like)))
            div {
                h3 { (of.name) }
                p.sub { (of.kind) " to " (of.target) @if let Some(at) = of.delivered_at { ", last delivered " (moment::ago(at, frame.now)) } }
                @if let Some(failure) = &of.failure { p.sentence { (failure) } }
            }
            form method="post" action=(link::test_channel(&of.name)) { (form::csrf(&frame.csrf)) button type="submit" aria-label=(format!("Send a test message to {}", of.name)) { "Test" } }
        }
    }
}
