//! Slack's incoming webhooks, and what understands the same (Mattermost, Rocket.Chat).
//!
//! Blocks for Slack; `text` says the same in short for notifications and for those that know no blocks.
//! Limits: <https://docs.slack.dev/reference/block-kit/blocks/section-block>; `&`, `<` and `>` are
//! escaped, so that no text can mention a channel or make a link of its own.

use serde_json::{Value, json};
use types::message::{Message, Occasion, Severity};
use view::alert;

use super::clip::clip;
use super::http::Request;
use super::secret::Revealed;

const HEADER_CHARS: usize = 150;
const SECTION_CHARS: usize = 3000;
const FALLBACK_CHARS: usize = 4000;
const LINK_CHARS: usize = 2000;
const ALERTS_LISTED: usize = 10;

pub(super) fn request(url: Revealed, message: &Message) -> Request {
    Request { url, headers: Vec::new(), body: payload(message).to_string(), secrets: Vec::new() }
}

fn payload(message: &Message) -> Value {
    let subject = format!("{} {}", mark(message), alert::subject(message));
    let header = json!({ "type": "plain_text", "text": clip(&subject, HEADER_CHARS), "emoji": true });
    let mut blocks = vec![json!({ "type": "header", "text": header })];
    let mut fallback = vec![escaped(&subject, HEADER_CHARS * 4)];
    for (heading, part) in alert::parts(message) {
        let text = format!("*{heading}*\n{}", escaped(part, SECTION_CHARS - heading.len() - 3));
        fallback.push(escaped(part, FALLBACK_CHARS / 5));
        blocks.push(section(&text));
    }
    if !message.alerts.is_empty() {
        blocks.push(section(&alerts(message)));
    }
    if let Some(link) = message.link.as_deref().filter(|link| alert::is_web(link) && link.len() <= LINK_CHARS)
    {
        // A bar would end the address and begin its text.
        let link = escaped(&link.replace('|', "%7C"), SECTION_CHARS / 2);
        blocks.push(section(&format!("<{link}|Open in Forewarn>")));
        fallback.push(format!("<{link}>"));
    }
    let footer = format!("Forewarn · {} · {}", escaped(&message.system, 200), alert::minute(message.at));
    let footer = json!({ "type": "mrkdwn", "text": footer });
    blocks.push(json!({ "type": "context", "elements": [footer] }));
    json!({ "text": fallback.join("\n"), "blocks": blocks })
}

fn section(text: &str) -> Value {
    json!({ "type": "section", "text": { "type": "mrkdwn", "text": text } })
}

fn alerts(message: &Message) -> String {
    let mut text = String::from("*Alerts*");
    for alert in message.alerts.iter().take(ALERTS_LISTED) {
        text.push_str(&format!(
            "\n• {}",
            escaped(&alert::alert_line(alert), SECTION_CHARS / ALERTS_LISTED - 15)
        ));
    }
    let more = message.alerts.len().saturating_sub(ALERTS_LISTED);
    if more > 0 {
        text.push_str(&format!("\nand {more} more"));
    }
    text
}

/// Text that Slack shows as it is, of at most `most` characters after escaping.
fn escaped(text: &str, most: usize) -> String {
    let mut escaped = String::new();
    let mut length = 0;
    for c in text.chars() {
        let piece = match c {
            '&' => "&amp;",
            '<' => "&lt;",
            '>' => "&gt;",
            '\n' => "\n",
            c if c.is_control() => " ",
            c => {
                if length + 1 >= most {
                    return escaped + "…";
                }
                length += 1;
                escaped.push(c);
                continue;
            }
        };
        if length + piece.len() >= most {
            return escaped + "…";
        }
        length += piece.len();
        escaped.push_str(piece);
    }
    escaped
}

fn mark(message: &Message) -> &'static str {
    match (message.occasion, message.severity) {
        (Occasion::Resolved, _) => "🟢",
        (Occasion::Test, _) => "⚪",
        (_, Severity::Info | Severity::Low) => "🔵",
        (_, Severity::Medium) => "🟠",
        (_, Severity::High | Severity::Critical) => "🔴",
    }
}

#[cfg(test)]
mod tests {
    use super::super::samples;
    use super::*;

    #[test]
    fn the_payload_has_blocks_and_a_fallback_without_foreign_markup() {
        let payload = payload(&samples::message(Occasion::Firing));
        insta::assert_snapshot!(serde_json::to_string_pretty(&payload).unwrap());
    }

    #[test]
    fn every_text_keeps_to_slacks_limits() {
        let payload = payload(&samples::giant(Occasion::Firing));
        let blocks = payload["blocks"].as_array().unwrap();
        assert!(blocks.len() <= 50);
        let length = |text: &Value| text.as_str().unwrap().chars().count();
        assert_eq!(length(&blocks[0]["text"]["text"]), HEADER_CHARS);
        for block in blocks.iter().filter(|block| block["type"] == "section") {
            assert!(length(&block["text"]["text"]) <= SECTION_CHARS);
        }
        assert!(length(&payload["text"]) <= FALLBACK_CHARS);
    }

    #[test]
    fn an_entity_is_never_cut() {
        assert_eq!(escaped("a&b", 6), "a…");
        assert_eq!(escaped("a&b", 8), "a&amp;b");
        assert_eq!(escaped("a\u{7}b\n", 8), "a b\n");
    }
}
