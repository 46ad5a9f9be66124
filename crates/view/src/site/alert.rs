//! One alert: what happened, how sure that is, who is affected, what to do; and what was done.

use jiff::Timestamp;
use maud::{Markup, html};
use types::Verdict;
use types::message::Message;

use super::alerts::{AlertRow, AlertState};
use super::form::{self, Field};
use super::frame::{Content, part};
use super::table::{Cell, Column, Table};
use super::{Frame, Seen, link, moment, status};
use crate::page::measures::prose;
use crate::page::verdict;
use crate::words;

/// How long a silence may last, in hours, as the form sends it.
pub const SILENCE_HOURS: [(u32, &str); 6] =
    [(1, "1 hour"), (4, "4 hours"), (24, "1 day"), (72, "3 days"), (168, "1 week"), (720, "30 days")];

/// An alert with everything that is known of it.
#[derive(Clone, Debug, PartialEq)]
pub struct AlertPage {
    pub alert: AlertRow,
    /// What people were told, or would be.
    pub message: Message,
    /// The findings that it rests on.
    pub evidence: Vec<Seen>,
    /// Newest first.
    pub history: Vec<AlertEvent>,
    /// Who is told next if nobody acknowledges, and when.
    pub escalates: Option<(String, Timestamp)>,
    pub silence: Option<Silence>,
    /// What was wrong with the form that was sent.
    pub error: Option<String>,
}

/// A silence that an alert is under.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Silence {
    pub by: String,
    pub until: Timestamp,
    pub reason: String,
}

/// Something that happened to an alert.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AlertEvent {
    pub at: Timestamp,
    /// `began to fire`, `told email:ops@example.org`, `acknowledged`.
    pub what: String,
    /// The person; `None` where it was the program.
    pub who: Option<String>,
    /// Their note, or why a delivery failed.
    pub note: Option<String>,
    /// Drawn as bad news: a delivery that failed.
    pub failed: bool,
}

impl AlertPage {
    pub fn tables(&self) -> Vec<Table> {
        vec![Table {
            name: "history",
            caption: "History of the alert".into(),
            columns: vec![
                Column::text("at", "When"),
                Column::text("what", "What"),
                Column::text("who", "Who"),
                Column::text("note", "Note"),
            ],
            rows: self
                .history
                .iter()
                .map(|event| {
                    vec![
                        Cell::Instant(event.at),
                        Cell::Text(event.what.clone()),
                        Cell::optional(event.who.as_deref()),
                        Cell::optional(event.note.as_deref()),
                    ]
                })
                .collect(),
            empty: "Nothing has happened yet.".into(),
        }]
    }
}

pub fn page(frame: &Frame, of: &AlertPage) -> String {
    let alert = &of.alert;
    frame.document(&Content {
        title: format!("{} · alert", alert.title.replace('`', "")),
        crumbs: vec![("Alerts", link::ALERTS.into()), (&alert.system.name, link::system(&alert.system.id))],
        place: link::ALERTS,
        topics: "alerts".into(),
        heading: html! { (prose(&alert.title)) " " (alert.state.chip()) },
        lead: Some(html! {
            (status::severity_said(alert.severity)) " · since " (moment::ago(alert.since, frame.now)) " · rule " code { (alert.rule) }
            @if let Some(who) = &alert.acknowledged_by { " · " (who) " is on it" }
        }),
        body: html! {
            (form::error(of.error.as_deref()))
            div.two-columns {
                (told(of))
                aside aria-label="What you can do" { (act(frame, of)) }
                div.rest { (evidence(of)) (history(frame, of)) }
            }
        },
        ..Content::default()
    })
}

fn told(of: &AlertPage) -> Markup {
    let message = &of.message;
    let said = [
        ("What happened", &message.what_happened),
        ("How sure", &message.how_sure),
        ("Who is affected", &message.who_is_affected),
        ("What to do", &message.what_to_do),
    ];
    html! {
        section aria-label="What people were told" {
            dl.told { @for (title, text) in said { div { dt { (title) } dd { (prose(text)) } } } }
            @if message.alerts.len() > 1 {
                details.fold {
                    summary { (message.alerts.len()) " alerts have this cause" }
                    ul.found { @for alert in &message.alerts { li { (status::severity(alert.severity)) div { p.name { (alert.subject) } p.sub { (prose(&alert.summary)) } } } } }
                }
            }
        }
    }
}

fn evidence(of: &AlertPage) -> Markup {
    part(
        "evidence",
        "What it rests on",
        &html! {},
        &html! {
            @if of.evidence.is_empty() { p.empty.panel { "No finding: the alert is about something that did not happen, such as a check that did not run." } }
            @else {
                ul.found { @for seen in &of.evidence {
                    @let finding = &seen.finding;
                    li {
                        (verdict::icon(finding.verdict))
                        div {
                            p.name { a href=(link::subject(&of.alert.system.id, finding.check, &finding.subject)) { (words::check_title(finding.check)) ": " (finding.subject.label()) } }
                            p.sub { (prose(&finding.summary)) }
                            p.sub { (words::window_text(finding.window)) " · evidence " a href=(link::record(&of.alert.system.id, seen.seq)) { "#" (seen.seq) } }
                        }
                    }
                } }
            }
        },
    )
}

fn history(frame: &Frame, of: &AlertPage) -> Markup {
    part(
        "history",
        "What was done",
        &html! {},
        &html! {
            ol.timeline {
                @if let Some((who, at)) = &of.escalates { li.next { p { "If nobody acknowledges, " (who) " is told " (moment::ago(*at, frame.now)) } } }
                @for event in &of.history {
                    li.failed[event.failed] {
                        p { @match &event.who { Some(who) => { strong { (who) } " " }, None => {} } (event.what) " " span.sub { (moment::instant(event.at)) } }
                        @if let Some(note) = &event.note { p.sub { (prose(note)) } }
                    }
                }
            }
            @for table in of.tables() { (table.downloads(&frame.path)) }
        },
    )
}

fn act(frame: &Frame, of: &AlertPage) -> Markup {
    let id = &of.alert.id;
    if of.alert.state == AlertState::Resolved {
        return html! { div.panel { p { (verdict::icon(Verdict::Pass)) " It is over. Nothing is left to do." } } };
    }
    if !frame.may_act() {
        return html! { div.panel { p.empty { "Your role may read alerts, not acknowledge or silence them. An admin can change that under " a href=(link::USERS) { "users" } "." } } };
    }
    html! {
        @if of.alert.acknowledged_by.is_none() {
            form.panel.act method="post" action=(link::acknowledge(id)) {
                (form::csrf(&frame.csrf))
                h2 { "I am on it" }
                p.sub { "Reminders and escalation stop; others see your name." }
                (Field { required: false, ..Field::new("ack-note", "note", "Note (optional)") }.markup())
                button.primary type="submit" { "Acknowledge" }
            }
        }
        @match &of.silence {
            Some(silence) => form.panel.act method="post" action=(link::unsilence(id)) {
                (form::csrf(&frame.csrf))
                h2 { "Silenced" }
                p { (silence.by) " until " (moment::instant(silence.until)) ": " (silence.reason) }
                button type="submit" { "End the silence" }
            },
            None => (silence_form(frame, id)),
        }
    }
}

fn silence_form(frame: &Frame, id: &str) -> Markup {
    let hours: Vec<_> =
        SILENCE_HOURS.iter().map(|(hours, text)| (hours.to_string(), (*text).to_owned())).collect();
    html! {
        form.panel.act method="post" action=(link::silence(id)) {
            (form::csrf(&frame.csrf))
            h2 { "Silence" }
            p.sub { "Nobody is told until it ends. The alert itself stays, and so does its evidence." }
            (form::select("silence-hours", "hours", "For how long", &hours, "24"))
            (Field { hint: "Kept in the audit log.", ..Field::new("silence-reason", "reason", "Reason") }.markup())
            button type="submit" { "Silence" }
        }
    }
}
