use store::ServedSystem;
use types::Digest;

use crate::{Place, on_both};

on_both!(a_systems_definitions_are_remembered);

fn a_systems_definitions_are_remembered(place: &Place) {
    let store = place.open();
    let system = |definition: &str, seen: &str| ServedSystem {
        id: "flight-delay".into(),
        folder: "/flights".into(),
        definition: Digest::of(definition.as_bytes()),
        seen: seen.parse().unwrap(),
    };
    let (first, second) = (system("one", "2026-01-01T00:00:00Z"), system("two", "2026-01-02T00:00:00.25Z"));
    store.note_system(&first, "one").unwrap();
    store.note_system(&second, "two").unwrap();
    store.note_system(&second, "two").unwrap();
    assert_eq!(store.systems().unwrap(), std::slice::from_ref(&second));
    let definitions = store.definitions("flight-delay").unwrap();
    assert_eq!(definitions, [(first.seen, "one".to_owned()), (second.seen, "two".to_owned())]);
}
