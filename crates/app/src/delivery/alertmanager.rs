//! Prometheus Alertmanager, `POST /api/v2/alerts`: its own grouping, silences and routes apply.
//!
//! Alertmanager knows an alert by its labels and forgets it at `endsAt`. Checks are made weekly or
//! monthly, not every few seconds, so that a firing alert is given until long after the next one;
//! what resolves it is the message that says so.

use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use jiff::{SignedDuration, Timestamp};
use serde_json::{Value, json};
use types::message::{Message, MessageAlert, Occasion};
use view::alert;

use super::clip::clip;
use super::http::Request;
use super::secret::Revealed;

const PATH: &str = "/api/v2/alerts";
/// A quarter, the longest cadence, and some.
const KEPT: SignedDuration = SignedDuration::from_hours(100 * 24);
const KEPT_AS_TEST: SignedDuration = SignedDuration::from_mins(5);
const TEXT_CHARS: usize = 4000;
const LABEL_CHARS: usize = 500;

pub(super) fn request(url: &Revealed, login: Option<&(&str, Revealed)>, message: &Message) -> Request {
    let root = url.text().trim_end_matches('/').trim_end_matches(PATH);
    let mut secrets = Vec::new();
    let mut headers = Vec::new();
    if let Some((user, password)) = login {
        let encoded = BASE64_STANDARD.encode(format!("{user}:{}", password.text()));
        headers.push(("authorization", format!("Basic {encoded}")));
        secrets.extend([password.clone(), Revealed::new(encoded)]);
    }
    Request {
        url: Revealed::new(format!("{root}{PATH}")),
        headers,
        body: payload(message).to_string(),
        secrets,
    }
}

fn payload(message: &Message) -> Value {
    if message.alerts.is_empty() {
        let alone = MessageAlert {
            rule: message.group.clone(),
            subject: String::new(),
            severity: message.severity,
            since: message.at,
            resolved: message.occasion == Occasion::Resolved,
            summary: message.title.clone(),
        };
        return json!([one(message, &alone)]);
    }
    message.alerts.iter().map(|alert| one(message, alert)).collect()
}

fn one(message: &Message, alert: &MessageAlert) -> Value {
    let resolved = alert.resolved || message.occasion == Occasion::Resolved;
    let kept = if message.occasion == Occasion::Test { KEPT_AS_TEST } else { KEPT };
    let ends = if resolved { message.at } else { message.at.checked_add(kept).unwrap_or(Timestamp::MAX) };
    let mut annotations = serde_json::Map::new();
    annotations.insert("summary".into(), clip(&alert.summary, TEXT_CHARS).into());
    annotations.insert("title".into(), clip(&message.title, TEXT_CHARS).into());
    for (heading, part) in alert::parts(message) {
        annotations.insert(heading.to_lowercase().replace(' ', "_"), clip(part, TEXT_CHARS).into());
    }
    let label = |text: &str| clip(text, LABEL_CHARS);
    let link = message.link.as_deref().filter(|link| alert::is_web(link));
    json!({
        "labels": {
            "alertname": label(&alert.rule),
            "job": "forewarn",
            "severity": alert.severity.word(),
            "subject": label(&alert.subject),
            "system": label(&message.system),
        },
        "annotations": annotations,
        // It refuses an alert that begins after its end.
        "startsAt": alert.since.min(message.at),
        "endsAt": ends,
        "generatorURL": link.unwrap_or_default(),
    })
}

#[cfg(test)]
mod tests {
    use super::super::samples;
    use super::*;

    #[test]
    fn every_alert_is_one_and_its_labels_are_the_same_when_it_is_over() {
        let firing = payload(&samples::message(Occasion::Firing));
        insta::assert_snapshot!(serde_json::to_string_pretty(&firing).unwrap());
        let resolved = payload(&samples::message(Occasion::Resolved));
        for at in 0..2 {
            assert_eq!(firing[at]["labels"], resolved[at]["labels"]);
            assert_eq!(resolved[at]["endsAt"], "2013-06-10T06:00:00Z");
        }
    }

    #[test]
    fn the_address_is_the_root_or_the_whole() {
        let message = samples::message(Occasion::Firing);
        for url in ["http://localhost:9093", "http://localhost:9093/", "http://localhost:9093/api/v2/alerts"]
        {
            let request = request(&Revealed::new(url), None, &message);
            assert_eq!(request.url.text(), "http://localhost:9093/api/v2/alerts");
        }
        let login = ("ops", Revealed::new("hunter2"));
        let request = request(&Revealed::new("https://am.example.org/prefix"), Some(&login), &message);
        assert_eq!(request.headers, [("authorization", "Basic b3BzOmh1bnRlcjI=".to_owned())]);
    }
}
