//! Messages for the tests of what channels are sent.

use types::message::{Message, MessageAlert, Occasion, Severity};

/// A message with something of everything, and characters that mean something to some channel.
pub(super) fn message(occasion: Occasion) -> Message {
    let since = "2013-06-10T00:00:00Z".parse().unwrap();
    let alert = |subject: &str, severity| MessageAlert {
        rule: "drift".into(),
        subject: subject.into(),
        severity,
        since,
        resolved: occasion == Occasion::Resolved,
        summary: format!("`{subject}` moved: PSI 0.31 is above 0.2"),
    };
    Message {
        occasion,
        severity: Severity::High,
        at: "2013-06-10T06:00:00Z".parse().unwrap(),
        system: "flight-delay".into(),
        system_name: "Flight delay predictor".into(),
        group: "drift-weather".into(),
        title: "Flight delay predictor: drift of dewp & <temp> in the week of 2013-06-03".into(),
        what_happened: "Two features of *weather* moved.\n<!channel> [here](https://x.example)".into(),
        how_sure: "The interval 0.27 to 0.36 does not reach 0.2 (6,214 rows).".into(),
        who_is_affected: "Passengers from JFK.".into(),
        what_to_do: "Ask the feed's owner.".into(),
        link: Some("https://forewarn.example.org/alerts/7?a=1&b=2".into()),
        alerts: vec![alert("dewp", Severity::High), alert("origin = JFK", Severity::Medium)],
    }
}

/// A message whose texts are as long, and as costly to write, as somebody can make them.
pub(super) fn giant(occasion: Occasion) -> Message {
    let mut message = message(occasion);
    let long = "\u{1}<&>ß\"".repeat(1_000);
    for text in [
        &mut message.title,
        &mut message.what_happened,
        &mut message.how_sure,
        &mut message.who_is_affected,
        &mut message.what_to_do,
        &mut message.system,
        &mut message.system_name,
        &mut message.group,
    ] {
        text.clone_from(&long);
    }
    message.link = Some(format!("https://forewarn.example.org/{}", "x".repeat(10_000)));
    let alert = MessageAlert {
        rule: long.clone(),
        subject: long.clone(),
        summary: long,
        ..message.alerts[0].clone()
    };
    message.alerts = vec![alert; 200];
    message
}
