//! A message about an alert as people read it: its subject, plain text, and a mail in HTML.
//!
//! Mail programs know little CSS: everything stands in `style` attributes and in tables, narrow enough
//! for a phone; one small style sheet serves those that honour dark mode. Nothing is fetched.

use maud::{DOCTYPE, Markup, html};
use types::message::{Message, MessageAlert, Occasion, Severity};

/// More alerts than these are counted, not listed.
const ALERTS_LISTED: usize = 20;

/// `High`, `Reminder, high`, `Resolved`: the word before the title.
pub fn label(message: &Message) -> String {
    let severity = message.severity.word();
    match message.occasion {
        Occasion::Firing => capitalised(severity),
        Occasion::Reminder => format!("Reminder, {severity}"),
        Occasion::Escalation => format!("Not acknowledged, {severity}"),
        Occasion::Resolved => "Resolved".into(),
        Occasion::Test => "Test".into(),
    }
}

/// One line: label and title; the title names the system, or the line does.
pub fn subject(message: &Message) -> String {
    let title = one_line(&message.title);
    let name = one_line(&message.system_name);
    let label = label(message);
    if title.contains(&name) { format!("{label}: {title}") } else { format!("{label}: {name}: {title}") }
}

/// What a message says, under its headings; what is empty is left out.
pub fn parts(message: &Message) -> Vec<(&'static str, &str)> {
    let parts = [
        ("What happened", &message.what_happened),
        ("How sure", &message.how_sure),
        ("Who is affected", &message.who_is_affected),
        ("What to do", &message.what_to_do),
    ];
    let trimmed = parts.into_iter().map(|(heading, text)| (heading, text.trim()));
    trimmed.filter(|(_, text)| !text.is_empty()).collect()
}

/// `drift · dewp: the PSI is 0.31`, with a word where it is over.
pub fn alert_line(alert: &MessageAlert) -> String {
    let over = if alert.resolved { " (resolved)" } else { "" };
    one_line(&format!("{} · {}{over}: {}", alert.rule, alert.subject, alert.summary))
}

/// The message without any markup.
pub fn text(message: &Message) -> String {
    let mut text = format!("{}\n", subject(message));
    for (heading, part) in parts(message) {
        text.push_str(&format!("\n{heading}\n{part}\n"));
    }
    if !message.alerts.is_empty() {
        text.push_str("\nAlerts\n");
    }
    for alert in message.alerts.iter().take(ALERTS_LISTED) {
        text.push_str(&format!("- {}\n", alert_line(alert)));
    }
    if let Some(more) = more(message) {
        text.push_str(&format!("- {more}\n"));
    }
    if let Some(link) = &message.link {
        text.push_str(&format!("\n{}\n", one_line(link)));
    }
    text.push_str(&format!("\n-- \n{}\n", footer(message)));
    text
}

/// The message as a mail.
pub fn html(message: &Message) -> String {
    let (accent, tint) = colours(message);
    html! {
        (DOCTYPE)
        html lang="en" {
            head {
                meta charset="utf-8";
                meta name="viewport" content="width=device-width,initial-scale=1";
                meta name="color-scheme" content="light dark";
                meta name="supported-color-schemes" content="light dark";
                title { (subject(message)) }
                style { (maud::PreEscaped(DARK)) }
            }
            body class="page" style="margin:0;padding:0;background:#f4f5f7;color:#1c2330" {
                table role="presentation" width="100%" cellpadding="0" cellspacing="0" style="border-collapse:collapse" {
                    tr { td align="center" style="padding:24px 12px" {
                        table class="card" role="presentation" width="100%" cellpadding="0" cellspacing="0" style=(CARD) {
                            tr { td style=(format!("height:5px;line-height:5px;font-size:0;background:{accent}")) { "\u{a0}" } }
                            tr { td style="padding:24px 28px 28px" {
                                (opening(message, accent, tint))
                                @for (heading, part) in parts(message) { (section(heading, part)) }
                                (alerts(message))
                                (button(message))
                            } }
                        }
                        p class="quiet" style="margin:16px 0 0;font:12px/1.5 system-ui,-apple-system,'Segoe UI',sans-serif;color:#5b6472" {
                            (footer(message))
                        }
                    } }
                }
            }
        }
    }
    .into_string()
}

const CARD: &str = "max-width:600px;background:#ffffff;border:1px solid #e1e4e9;border-radius:8px;\
                    border-collapse:separate;overflow:hidden;text-align:left;\
                    font:15px/1.55 system-ui,-apple-system,'Segoe UI',Roboto,Arial,sans-serif";
/// For programs that honour it; all others keep the light colours of the attributes.
const DARK: &str = "@media (prefers-color-scheme:dark){\
                    .page{background:#12161d!important;color:#e6e9ee!important}\
                    .card{background:#1b212b!important;border-color:#313a48!important}\
                    .strong{color:#f2f4f7!important}.quiet{color:#a3adbb!important}\
                    .line{border-color:#313a48!important}.badge{background:#2a3240!important;color:#f2f4f7!important}}";

fn opening(message: &Message, accent: &str, tint: &str) -> Markup {
    let badge = format!(
        "display:inline-block;padding:2px 10px;border-radius:999px;font-size:13px;font-weight:600;\
         background:{tint};color:{accent}"
    );
    html! {
        span.badge style=(badge) { (label(message)) }
        span.quiet style="padding-left:8px;font-size:13px;color:#5b6472" { (message.system_name) }
        h1.strong style="margin:10px 0 4px;font-size:20px;line-height:1.35;font-weight:650;color:#111722" { (message.title) }
    }
}

fn section(heading: &str, part: &str) -> Markup {
    html! {
        p.quiet style="margin:18px 0 2px;font-size:13px;font-weight:600;color:#5b6472" { (heading) }
        @for paragraph in part.split('\n').filter(|line| !line.trim().is_empty()) {
            p style="margin:0 0 6px;overflow-wrap:anywhere" { (paragraph) }
        }
    }
}

fn alerts(message: &Message) -> Markup {
    html! {
        @if !message.alerts.is_empty() {
            p.quiet style="margin:18px 0 4px;font-size:13px;font-weight:600;color:#5b6472" { "Alerts" }
            table role="presentation" width="100%" cellpadding="0" cellspacing="0" style="border-collapse:collapse;font-size:14px" {
                @for alert in message.alerts.iter().take(ALERTS_LISTED) {
                    tr { td.line style="padding:8px 0;border-top:1px solid #e1e4e9;overflow-wrap:anywhere" {
                        strong.strong { (alert.rule) " · " (alert.subject) }
                        span.quiet style="color:#5b6472" {
                            " " @if alert.resolved { "resolved" } @else { (alert.severity.word()) ", since " (minute(alert.since)) }
                        }
                        br;
                        (alert.summary)
                    } }
                }
                @if let Some(more) = more(message) {
                    tr { td.line.quiet style="padding:8px 0;border-top:1px solid #e1e4e9;color:#5b6472" { (more) } }
                }
            }
        }
    }
}

fn button(message: &Message) -> Markup {
    let link = message.link.as_deref().filter(|link| is_web(link));
    html! {
        @if let Some(link) = link {
            p style="margin:24px 0 0" {
                a href=(link) style="display:inline-block;padding:10px 18px;border-radius:6px;background:#1f4fd8;color:#ffffff;font-weight:600;text-decoration:none" {
                    "Open in Forewarn"
                }
            }
        }
    }
}

/// Whether a link leads to a page, and does not run something.
pub fn is_web(link: &str) -> bool {
    link.starts_with("https://") || link.starts_with("http://")
}

fn more(message: &Message) -> Option<String> {
    let more = message.alerts.len().checked_sub(ALERTS_LISTED).filter(|more| *more > 0)?;
    Some(format!("and {more} more"))
}

fn footer(message: &Message) -> String {
    format!("Forewarn · {} · {}", one_line(&message.system), minute(message.at))
}

/// `2024-02-05 06:00 UTC`.
pub fn minute(at: jiff::Timestamp) -> String {
    at.strftime("%Y-%m-%d %H:%M UTC").to_string()
}

/// The colour of a message, and a light one behind its label.
fn colours(message: &Message) -> (&'static str, &'static str) {
    match (message.occasion, message.severity) {
        (Occasion::Resolved, _) => ("#11703c", "#e3f5ea"),
        (Occasion::Test, _) | (_, Severity::Info) => ("#3d4757", "#e9ecf1"),
        (_, Severity::Low) => ("#1f4fd8", "#e6edfd"),
        (_, Severity::Medium) => ("#8a5a00", "#fdf1d8"),
        (_, Severity::High | Severity::Critical) => ("#b3261e", "#fce8e6"),
    }
}

/// White space, line breaks and control characters as single spaces.
pub fn one_line(text: &str) -> String {
    let spaced: String = text.chars().map(|c| if c.is_control() { ' ' } else { c }).collect();
    spaced.split_whitespace().collect::<Vec<_>>().join(" ")
}

fn capitalised(word: &str) -> String {
    let mut chars = word.chars();
    chars.next().map_or(String::new(), |first| first.to_uppercase().chain(chars).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn message() -> Message {
        let at = "2024-02-05T06:00:00Z".parse().unwrap();
        Message {
            occasion: Occasion::Firing,
            severity: Severity::High,
            at,
            system: "flight-delay".into(),
            system_name: "Flight delay predictor".into(),
            group: "drift".into(),
            title: "Flight delay predictor: drift of dewp".into(),
            what_happened: "The dew point moved: PSI 0.31, limit 0.2.".into(),
            how_sure: "Interval 0.27 to 0.36 over 6,214 rows.".into(),
            who_is_affected: String::new(),
            what_to_do: "Ask the weather feed's owner.".into(),
            link: Some("https://forewarn.example.org/a?b=1&c=2".into()),
            alerts: vec![MessageAlert {
                rule: "drift".into(),
                subject: "dewp".into(),
                severity: Severity::High,
                since: at,
                resolved: false,
                summary: "PSI 0.31".into(),
            }],
        }
    }

    #[test]
    fn the_text_has_every_part_that_is_not_empty() {
        insta::assert_snapshot!(text(&message()));
    }

    #[test]
    fn the_subject_names_the_occasion_and_the_system_on_one_line() {
        let mut message = message();
        assert_eq!(subject(&message), "High: Flight delay predictor: drift of dewp");
        message.title = "drift of\r\nBcc: dewp".into();
        message.occasion = Occasion::Resolved;
        assert_eq!(subject(&message), "Resolved: Flight delay predictor: drift of Bcc: dewp");
    }

    #[test]
    fn html_escapes_what_comes_from_data_and_links_only_to_pages() {
        let mut message = message();
        message.what_happened = "<script>alert(1)</script> & more".into();
        message.alerts[0].subject = "origin = \"<b>\"".into();
        let page = html(&message);
        assert!(
            page.contains("&lt;script&gt;alert(1)&lt;/script&gt; &amp; more") && !page.contains("<script")
        );
        assert!(page.contains("origin = &quot;&lt;b&gt;&quot;"));
        assert!(page.contains("href=\"https://forewarn.example.org/a?b=1&amp;c=2\""));
        message.link = Some("javascript:alert(1)".into());
        assert!(!html(&message).contains("javascript:"));
    }

    #[test]
    fn many_alerts_are_counted() {
        let mut message = message();
        message.alerts = vec![message.alerts[0].clone(); 25];
        assert!(text(&message).contains("- and 5 more\n") && html(&message).contains("and 5 more"));
    }
}
