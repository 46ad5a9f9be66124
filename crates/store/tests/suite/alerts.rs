use jiff::Timestamp;
use store::{Delivery, DeliveryState};
use types::alert::{Acknowledgement, AlertState, Episode, Matcher, Silence};
use types::message::{Message, Occasion, Severity};

use crate::{Place, on_both};

on_both!(
    a_state_and_its_messages_are_kept_together_or_not_at_all,
    a_message_is_taken_by_one_server_and_again_when_that_one_is_gone,
    what_came_of_a_message_is_remembered,
    silences_and_acknowledgements_are_read_back,
);

fn at(minute: i8) -> Timestamp {
    format!("2026-01-05T06:{minute:02}:00Z").parse().unwrap()
}

fn delivery(id: &str, contact: &str) -> Delivery {
    let message = Message {
        occasion: Occasion::Firing,
        severity: Severity::High,
        at: at(0),
        system: "s".into(),
        system_name: "S".into(),
        group: "g".into(),
        title: "Drift of dewp".into(),
        what_happened: "It is “drier”.".into(),
        how_sure: String::new(),
        who_is_affected: String::new(),
        what_to_do: String::new(),
        link: None,
        alerts: vec![],
    };
    Delivery {
        id: id.into(),
        system: "s".into(),
        contact: contact.into(),
        message,
        made: at(0),
        state: DeliveryState::Waiting,
        attempts: 0,
        next: at(0),
        said: String::new(),
    }
}

fn episode() -> Episode {
    Episode {
        rule: "drift".into(),
        subject: "dewp".into(),
        severity: Severity::High,
        since: at(0),
        firing_since: at(1),
        until: at(2),
        windows: 2,
        told: true,
        summary: "over".into(),
    }
}

fn a_state_and_its_messages_are_kept_together_or_not_at_all(place: &Place) {
    let store = place.open();
    let state = AlertState { evaluated_to: [("drift".to_owned(), at(0))].into(), ..AlertState::default() };
    assert!(store.keep_alerts("s", 0, &state, &[episode()], &[delivery("1", "email:a@b.c")]).unwrap());
    let kept = store.alerts("s").unwrap();
    assert_eq!((kept.version, &kept.state), (1, &state));
    // Another server that read the version before comes too late, and its message is not sent.
    let late = AlertState::default();
    assert!(!store.keep_alerts("s", 0, &late, &[], &[delivery("2", "email:a@b.c")]).unwrap());
    assert!(store.keep_alerts("s", 1, &late, &[], &[]).unwrap());
    assert!(!store.keep_alerts("s", 1, &state, &[], &[delivery("3", "email:a@b.c")]).unwrap());
    assert_eq!(store.alerts("s").unwrap().version, 2);
    assert_eq!(store.deliveries("s", 10).unwrap(), [delivery("1", "email:a@b.c")]);
    assert_eq!(store.episodes("s", 10).unwrap(), [episode()]);
    // Of all systems at once.
    let later = Episode { until: at(3), ..episode() };
    assert!(store.keep_alerts("t", 0, &state, std::slice::from_ref(&later), &[]).unwrap());
    assert_eq!(store.alert_versions().unwrap(), [("s".to_owned(), 2), ("t".to_owned(), 1)]);
    let both = [("t".to_owned(), later), ("s".to_owned(), episode())];
    assert_eq!(store.all_episodes(10).unwrap(), both);
    assert_eq!(store.all_episodes(1).unwrap(), both[..1]);
}

fn a_message_is_taken_by_one_server_and_again_when_that_one_is_gone(place: &Place) {
    let store = place.open();
    let two = [delivery("1", "email:a@b.c"), delivery("2", "slack:#x")];
    store.keep_alerts("s", 0, &AlertState::default(), &[], &two).unwrap();
    let mut taken: Vec<String> = std::thread::scope(|scope| {
        let take = |_| scope.spawn(|| store.take_deliveries(at(1), at(5), 10).unwrap());
        let takers: Vec<_> = (0..4).map(take).collect();
        takers.into_iter().flat_map(|taker| taker.join().unwrap()).map(|taken| taken.id).collect()
    });
    taken.sort();
    assert_eq!(taken, ["1", "2"]);
    assert!(store.take_deliveries(at(4), at(9), 10).unwrap().is_empty());
    let again = store.take_deliveries(at(5), at(9), 1).unwrap();
    assert_eq!((again.len(), again[0].attempts), (1, 2));
}

fn what_came_of_a_message_is_remembered(place: &Place) {
    let store = place.open();
    let three = [delivery("1", "email:a@b.c"), delivery("2", "slack:#x"), delivery("3", "email:a@b.c")];
    store.keep_alerts("s", 0, &AlertState::default(), &[], &three).unwrap();
    let ended = |mut delivery: Delivery, state, said: &str, when| {
        delivery.state = state;
        delivery.said = said.into();
        store.note_delivery(&delivery, when).unwrap();
        delivery
    };
    ended(three[0].clone(), DeliveryState::Delivered, "250 OK", at(1));
    let dead = ended(three[2].clone(), DeliveryState::Dead, "no such host", at(2));
    assert_eq!(store.last_deliveries().unwrap(), [dead]);
    let left = store.take_deliveries(at(3), at(4), 10).unwrap();
    assert_eq!(left.iter().map(|delivery| delivery.id.as_str()).collect::<Vec<_>>(), ["2"]);
    let counted = |state: &str| (state.to_owned(), 1);
    assert_eq!(store.delivery_counts().unwrap(), ["waiting", "delivered", "dead"].map(counted));
}

fn silences_and_acknowledgements_are_read_back(place: &Place) {
    let store = place.open();
    let silence = |id: &str, until| Silence {
        id: id.into(),
        matcher: Matcher::default(),
        from: at(0),
        until,
        reason: "planned".into(),
        by: "jo".into(),
    };
    store.keep_silence(&silence("a", at(9))).unwrap();
    store.keep_silence(&silence("b", at(5))).unwrap();
    assert_eq!(store.silences(at(4)).unwrap(), [silence("b", at(5)), silence("a", at(9))]);
    // Ended before its time.
    store.keep_silence(&silence("a", at(4))).unwrap();
    assert_eq!(store.silences(at(4)).unwrap(), [silence("b", at(5))]);
    let acknowledgement = Acknowledgement {
        rule: "drift".into(),
        subject: "dewp".into(),
        by: "jo".into(),
        at: at(3),
        note: "on it".into(),
    };
    store.keep_acknowledgement("s", &acknowledgement).unwrap();
    store.keep_acknowledgement("s", &acknowledgement).unwrap();
    assert_eq!(store.acknowledgements("s").unwrap(), [acknowledgement]);
    assert!(store.acknowledgements("other").unwrap().is_empty());
}
