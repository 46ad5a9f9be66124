//! Microsoft Teams: the workflow "Post to a channel when a webhook request is received".
//!
//! An Adaptive Card in an envelope. All text is in `RichTextBlock`s, whose runs know no Markdown, so
//! that no text can make a link of its own. Teams takes 28 KB.

use serde_json::{Value, json};
use types::message::{Message, Occasion, Severity};
use view::alert;

use super::clip::{Room, clip, fitting};
use super::http::Request;
use super::secret::Revealed;

const BYTES_MAX: usize = 28_000;
const LINK_BYTES: usize = 2000;

pub(super) fn request(url: Revealed, message: &Message) -> Request {
    let body = fitting(BYTES_MAX, |room| payload(message, room));
    Request { url, headers: Vec::new(), body, secrets: Vec::new() }
}

fn payload(message: &Message, room: Room) -> Value {
    let opening = json!({
        "type": "Container",
        "style": style(message),
        "bleed": true,
        "items": [text(&clip(&alert::subject(message), room.chars.min(250)), true, "large")],
    });
    let mut body = vec![opening];
    for (heading, part) in alert::parts(message) {
        body.push(text(heading, true, "default"));
        body.push(text(&clip(part, room.chars), false, "default"));
    }
    let listed = message.alerts.iter().take(room.alerts);
    body.extend(
        listed.map(|alert| {
            text(&format!("• {}", clip(&alert::alert_line(alert), room.chars)), false, "default")
        }),
    );
    let more = message.alerts.len().saturating_sub(room.alerts);
    if more > 0 {
        body.push(text(&format!("and {more} more alerts"), false, "default"));
    }
    let footer = format!("Forewarn · {} · {}", clip(&message.system, 60), alert::minute(message.at));
    body.push(text(&footer, false, "small"));
    let link = message.link.as_deref().filter(|link| alert::is_web(link) && link.len() <= LINK_BYTES);
    let actions: Vec<Value> = link
        .map(|link| json!({ "type": "Action.OpenUrl", "title": "Open in Forewarn", "url": link }))
        .into_iter()
        .collect();
    let card = json!({
        "$schema": "http://adaptivecards.io/schemas/adaptive-card.json",
        "type": "AdaptiveCard",
        "version": "1.4",
        "msteams": { "width": "Full" },
        "body": body,
        "actions": actions,
    });
    json!({
        "type": "message",
        "attachments": [{
            "contentType": "application/vnd.microsoft.card.adaptive",
            "contentUrl": null,
            "content": card,
        }],
    })
}

fn text(text: &str, bold: bool, size: &str) -> Value {
    let weight = if bold { "bolder" } else { "default" };
    json!({
        "type": "RichTextBlock",
        "inlines": [{ "type": "TextRun", "text": text, "weight": weight, "size": size }],
    })
}

fn style(message: &Message) -> &'static str {
    match (message.occasion, message.severity) {
        (Occasion::Resolved, _) => "good",
        (Occasion::Test, _) | (_, Severity::Info) => "emphasis",
        (_, Severity::Low) => "accent",
        (_, Severity::Medium) => "warning",
        (_, Severity::High | Severity::Critical) => "attention",
    }
}

#[cfg(test)]
mod tests {
    use super::super::samples;
    use super::*;

    #[test]
    fn the_payload_is_a_card_in_an_envelope() {
        let request = request(Revealed::new("https://x"), &samples::message(Occasion::Firing));
        let payload: Value = serde_json::from_str(&request.body).unwrap();
        insta::assert_snapshot!(serde_json::to_string_pretty(&payload).unwrap());
    }

    #[test]
    fn the_largest_payload_keeps_to_what_teams_takes() {
        let request = request(Revealed::new("https://x"), &samples::giant(Occasion::Firing));
        assert!(request.body.len() <= BYTES_MAX, "{}", request.body.len());
        assert!(request.body.contains("more alerts"));
    }
}
