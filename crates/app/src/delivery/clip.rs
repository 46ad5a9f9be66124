//! Texts and payloads made to fit what a channel takes.

use serde_json::Value;

/// The first `most` characters, with an ellipsis where something was cut off.
pub(super) fn clip(text: &str, most: usize) -> String {
    match text.char_indices().nth(most) {
        None => text.to_owned(),
        Some(_) => text.chars().take(most.saturating_sub(1)).chain(['…']).collect(),
    }
}

/// How much of a message is sent.
#[derive(Clone, Copy, Debug)]
pub(super) struct Room {
    /// Alerts that are listed.
    pub(super) alerts: usize,
    /// Characters of each text.
    pub(super) chars: usize,
}

/// From everything that a reader may want to what says no more than that something happened.
const ROOMS: [Room; 5] = [
    Room { alerts: 100, chars: 4000 },
    Room { alerts: 30, chars: 1500 },
    Room { alerts: 10, chars: 500 },
    Room { alerts: 3, chars: 200 },
    Room { alerts: 0, chars: 80 },
];

/// A payload of at most `bytes`, with as much of the message in it as there is room for.
pub(super) fn fitting(bytes: usize, payload: impl Fn(Room) -> Value) -> String {
    let mut text = String::new();
    for room in ROOMS {
        text = payload(room).to_string();
        if text.len() <= bytes {
            break;
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn clipping_counts_characters_and_says_that_it_cut() {
        assert_eq!(clip("größe", 5), "größe");
        assert_eq!(clip("größer", 5), "größ…");
    }

    #[test]
    fn a_payload_shrinks_until_it_fits() {
        let payload = |room: Room| Value::from("x".repeat(room.chars));
        assert_eq!(fitting(10_000, payload).len(), 4002);
        assert_eq!(fitting(600, payload).len(), 502);
    }
}
