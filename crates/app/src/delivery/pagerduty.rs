//! PagerDuty, Events API v2: an incident opens when an alert fires, and is resolved when it is over.
//!
//! All messages about one cause have one `dedup_key`, so that a reminder adds to the incident instead of
//! opening another. <https://developer.pagerduty.com/docs/events-api-v2-overview>

use serde_json::{Value, json};
use types::Digest;
use types::message::{Message, Occasion, Severity};
use view::alert;

use super::clip::{Room, clip, fitting};
use super::http::Request;
use super::secret::Revealed;

const URL: &str = "https://events.pagerduty.com/v2/enqueue";
/// PagerDuty takes 512 KB.
const BYTES_MAX: usize = 512 * 1000;
const SUMMARY_CHARS: usize = 1024;
const KEY_BYTES: usize = 255;
const LINK_BYTES: usize = 2000;

pub(super) fn request(url: Option<Revealed>, routing_key: Revealed, message: &Message) -> Request {
    let url = url.unwrap_or_else(|| Revealed::new(URL));
    let body = fitting(BYTES_MAX, |room| payload(&routing_key, message, room));
    Request { url, headers: Vec::new(), body, secrets: vec![routing_key] }
}

fn payload(routing_key: &Revealed, message: &Message, room: Room) -> Value {
    let key = deduplication_key(message);
    if message.occasion == Occasion::Resolved {
        return json!({ "routing_key": routing_key.text(), "event_action": "resolve", "dedup_key": key });
    }
    let mut details = serde_json::Map::new();
    for (heading, part) in alert::parts(message) {
        details.insert(heading.to_owned(), clip(part, room.chars).into());
    }
    let alerts = message.alerts.iter().take(room.alerts);
    let alerts: Vec<String> = alerts.map(|alert| clip(&alert::alert_line(alert), room.chars)).collect();
    details.insert("Alerts".into(), alerts.into());
    let more = message.alerts.len().saturating_sub(room.alerts);
    if more > 0 {
        details.insert("More alerts".into(), more.into());
    }
    let first = message.alerts.first();
    let link = message.link.as_deref().filter(|link| alert::is_web(link) && link.len() <= LINK_BYTES);
    json!({
        "routing_key": routing_key.text(),
        "event_action": "trigger",
        "dedup_key": key,
        "payload": {
            "summary": clip(&alert::subject(message), SUMMARY_CHARS.min(room.chars)),
            "source": clip(&message.system, 200),
            "severity": severity(message),
            "timestamp": message.at,
            "component": first.map(|alert| clip(&alert.subject, 200)),
            "group": clip(&message.group, 200),
            "class": first.map(|alert| clip(&alert.rule, 200)),
            "custom_details": details,
        },
        "client": "Forewarn",
        "client_url": link,
        "links": link.map(|link| json!({ "href": link, "text": "Open in Forewarn" })).into_iter().collect::<Vec<_>>(),
    })
}

/// The same for all messages about one cause of one system; a long one is replaced by its digest.
fn deduplication_key(message: &Message) -> String {
    let key = format!("{}/{}", message.system, message.group);
    if key.len() <= KEY_BYTES && !key.contains(char::is_control) {
        key
    } else {
        Digest::of(key.as_bytes()).to_string()
    }
}

/// PagerDuty knows four.
fn severity(message: &Message) -> &'static str {
    match message.severity {
        _ if message.occasion == Occasion::Test => "info",
        Severity::Info => "info",
        Severity::Low | Severity::Medium => "warning",
        Severity::High => "error",
        Severity::Critical => "critical",
    }
}

#[cfg(test)]
mod tests {
    use super::super::samples;
    use super::*;

    fn sent(message: &Message) -> Value {
        let request = request(None, Revealed::new("R0123"), message);
        assert!(request.body.len() <= BYTES_MAX);
        assert_eq!(request.url.text(), URL);
        serde_json::from_str(&request.body).unwrap()
    }

    #[test]
    fn an_alert_triggers_and_the_end_of_it_resolves_the_same_incident() {
        let trigger = sent(&samples::message(Occasion::Firing));
        insta::assert_snapshot!(serde_json::to_string_pretty(&trigger).unwrap());
        let resolve = sent(&samples::message(Occasion::Resolved));
        assert_eq!(resolve["event_action"], "resolve");
        assert_eq!(resolve["dedup_key"], trigger["dedup_key"]);
        assert_eq!(sent(&samples::message(Occasion::Reminder))["dedup_key"], trigger["dedup_key"]);
    }

    #[test]
    fn the_largest_event_keeps_to_pagerdutys_limits() {
        let event = sent(&samples::giant(Occasion::Firing));
        assert_eq!(event["dedup_key"].as_str().unwrap().len(), 64);
        assert!(event["payload"]["summary"].as_str().unwrap().chars().count() <= SUMMARY_CHARS);
        assert!(event["payload"]["custom_details"]["More alerts"].as_u64().unwrap() > 0);
    }

    #[test]
    fn a_test_wakes_nobody_by_its_severity() {
        assert_eq!(sent(&samples::message(Occasion::Test))["payload"]["severity"], "info");
    }
}
