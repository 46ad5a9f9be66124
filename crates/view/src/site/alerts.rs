//! All alerts: what fires, what is about to, what is silenced, what is over.

use jiff::Timestamp;
use maud::{Markup, html};
use types::message::Severity;
use types::{Verdict, format};

use super::frame::Content;
use super::table::{Cell, Column, Table};
use super::{Frame, SystemRef, link, moment, status};
use crate::page::measures::prose;

/// Where an alert stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum AlertState {
    /// Its condition holds, but not for long enough yet.
    Pending,
    Firing,
    /// It would fire, but nobody is told until the silence ends.
    Silenced,
    Resolved,
}

impl AlertState {
    pub const ALL: [Self; 4] = [Self::Firing, Self::Pending, Self::Silenced, Self::Resolved];

    /// As the query writes it.
    pub fn word(self) -> &'static str {
        match self {
            Self::Pending => "pending",
            Self::Firing => "firing",
            Self::Silenced => "silenced",
            Self::Resolved => "resolved",
        }
    }

    pub fn named(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|state| state.word() == word)
    }

    /// The verdict in whose colours it is drawn.
    fn like(self) -> Option<Verdict> {
        match self {
            Self::Pending => Some(Verdict::Warn),
            Self::Firing => Some(Verdict::Fail),
            Self::Silenced => None,
            Self::Resolved => Some(Verdict::Pass),
        }
    }

    pub(super) fn chip(self) -> Markup {
        status::chip(self.word(), self.like())
    }

    fn none(self) -> &'static str {
        match self {
            Self::Firing => "No alert is firing.",
            Self::Pending => "No alert is pending: no condition has begun to hold.",
            Self::Silenced => "No alert is silenced.",
            Self::Resolved => "No alert has been resolved yet.",
        }
    }
}

/// One alert in a line.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AlertRow {
    pub id: String,
    pub state: AlertState,
    pub severity: Severity,
    /// One line: `Drift of dewp`.
    pub title: String,
    /// What happened, as a sentence.
    pub sentence: String,
    pub system: SystemRef,
    /// The name of the rule in the definition.
    pub rule: String,
    /// What it is about: `dewp`, `origin = JFK`, or `system`.
    pub subject: String,
    /// When its state began.
    pub since: Timestamp,
    /// Who has said that they look after it.
    pub acknowledged_by: Option<String>,
    pub silenced_until: Option<Timestamp>,
}

/// Alerts of one state, newest first.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AlertsPage {
    /// `?state=`; firing where none was asked for.
    pub state: AlertState,
    pub alerts: Vec<AlertRow>,
    /// How many there are in each state, in the order of [`AlertState::ALL`].
    pub counts: [u64; 4],
    /// `?system=`.
    pub system: Option<SystemRef>,
    /// Whether any rule is defined at all.
    pub has_rules: bool,
}

impl AlertsPage {
    pub fn tables(&self) -> Vec<Table> {
        vec![Table {
            name: "alerts",
            caption: format!("Alerts that are {}", self.state.word()),
            columns: vec![
                Column::text("id", "Alert"),
                Column::text("state", "State"),
                Column::text("severity", "Severity"),
                Column::text("title", "Title"),
                Column::text("summary", "What happened"),
                Column::text("system", "System"),
                Column::text("rule", "Rule"),
                Column::text("since", "Since"),
                Column::text("acknowledged_by", "Acknowledged by"),
                Column::text("silenced_until", "Silenced until"),
            ],
            rows: self.alerts.iter().map(cells).collect(),
            empty: self.state.none().into(),
        }]
    }

    fn filtered(&self, state: AlertState) -> String {
        let system = self.system.as_ref().map(|system| system.id.clone()).unwrap_or_default();
        link::with_query(link::ALERTS, &[("state", state.word().to_owned()), ("system", system)])
    }
}

fn cells(of: &AlertRow) -> Vec<Cell> {
    vec![
        Cell::link(&of.id, link::alert(&of.id)),
        Cell::State { word: of.state.word(), like: of.state.like() },
        Cell::Text(of.severity.word().into()),
        Cell::Prose(of.title.clone()),
        Cell::Prose(of.sentence.clone()),
        Cell::link(&of.system.name, link::system(&of.system.id)),
        Cell::Text(of.rule.clone()),
        Cell::Instant(of.since),
        Cell::optional(of.acknowledged_by.as_deref()),
        of.silenced_until.map_or(Cell::Empty, Cell::Instant),
    ]
}

pub fn page(frame: &Frame, of: &AlertsPage) -> String {
    frame.document(&Content {
        title: "Alerts".into(),
        crumbs: of
            .system
            .as_ref()
            .map(|system| (system.name.as_str(), link::system(&system.id)))
            .into_iter()
            .collect(),
        place: link::ALERTS,
        topics: "alerts".into(),
        heading: html! { (heading(of)) },
        lead: of.system.as_ref().map(
            |system| html! { "Of " (system.name) ". " a href=(link::ALERTS) { "Show those of all systems" } },
        ),
        body: html! {
            (states(of))
            (listed(frame, of))
        },
        ..Content::default()
    })
}

fn heading(of: &AlertsPage) -> String {
    match of.counts[0] {
        0 => "No alert is firing".into(),
        firing => format::counted(firing, "alert is firing", "alerts are firing"),
    }
}

fn states(of: &AlertsPage) -> Markup {
    html! {
        nav.tabs aria-label="States" {
            ul { @for (state, count) in AlertState::ALL.into_iter().zip(of.counts) { li {
                a href=(of.filtered(state)) aria-current=[(state == of.state).then_some("page")] { (format::capitalised(state.word())) " " span.count { (format::count(count)) } }
            } } }
        }
    }
}

fn listed(frame: &Frame, of: &AlertsPage) -> Markup {
    html! {
        section aria-labelledby="listed" {
            h2.visually-hidden id="listed" { "Alerts that are " (of.state.word()) }
            @if of.alerts.is_empty() {
                p.empty.panel {
                    (of.state.none()) " "
                    @if !of.has_rules { "No rule is defined yet: add " code { "[[alert]]" } " to " code { "forewarn.toml" } ", and " code { "forewarn alert test" } " shows what would be sent." }
                }
            } @else {
                ul.issues { @for alert in &of.alerts { (row(frame, alert, true)) } }
                @for table in of.tables() { (table.downloads(&frame.path)) }
            }
        }
    }
}

/// An alert in a list; with its system where the list is of several.
pub(super) fn row(frame: &Frame, of: &AlertRow, with_system: bool) -> Markup {
    html! {
        li.issue {
            (status::severity(of.severity))
            div {
                h3 { a href=(link::alert(&of.id)) { (prose(&of.title)) } }
                p.sentence { (prose(&of.sentence)) }
                p.sub {
                    @if with_system { a href=(link::system(&of.system.id)) { (of.system.name) } " · " }
                    "since " (moment::ago(of.since, frame.now))
                    @if let Some(who) = &of.acknowledged_by { " · " (who) " is on it" }
                    @if let Some(until) = of.silenced_until { " · silenced until " (moment::instant(until)) }
                }
            }
            (of.state.chip())
        }
    }
}
