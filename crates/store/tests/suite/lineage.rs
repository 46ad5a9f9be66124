use jiff::Timestamp;
use store::{Store, StoreError};
use types::lineage_log::LineageLogError;

use crate::{Place, on_both};

on_both!(
    events_are_kept_once_and_as_they_came,
    a_changed_and_a_cut_log_show,
    an_event_that_is_no_json_takes_the_others_with_it,
    writers_at_the_same_time_make_one_chain,
);

fn at(second: i64) -> Timestamp {
    Timestamp::from_second(second).unwrap()
}

fn events(store: &Store) -> Vec<(Timestamp, String)> {
    let mut events = Vec::new();
    store.read_lineage(|received| events.push((received.at, received.event))).unwrap();
    events
}

fn events_are_kept_once_and_as_they_came(place: &Place) {
    let store = place.open();
    assert_eq!(events(&store), []);
    assert_eq!(store.keep_lineage(at(1), [r#"{ "a": 1.0e5 }"#, r#"{"b":"\u0000"}"#]).unwrap(), 2);
    assert_eq!(store.keep_lineage(at(2), [" {\"b\":\"\\u0000\"}\n", "{\"c\":3}", "{\"c\":3}"]).unwrap(), 1);
    let expected = [(1, r#"{ "a": 1.0e5 }"#), (1, r#"{"b":"\u0000"}"#), (2, "{\"c\":3}")];
    let expected = expected.map(|(second, event)| (at(second), event.to_owned()));
    assert_eq!(events(&place.open()), expected);
}

fn a_changed_and_a_cut_log_show(place: &Place) {
    let store = place.open();
    store.keep_lineage(at(1), ["{\"a\":1}", "{\"b\":2}", "{\"c\":3}"]).unwrap();
    place.sql("DELETE FROM lineage WHERE seq = 2");
    let cut = LineageLogError::Cut { found: 2, expected: 3 };
    assert!(matches!(store.read_lineage(|_| ()), Err(StoreError::Lineage(error)) if error == cut));
    place.sql("UPDATE lineage SET record = REPLACE(record, '\"a\":1', '\"a\":7') WHERE seq = 0");
    let broken = LineageLogError::Broken { seq: 1 };
    assert!(matches!(store.read_lineage(|_| ()), Err(StoreError::Lineage(error)) if error == broken));
}

fn an_event_that_is_no_json_takes_the_others_with_it(place: &Place) {
    let store = place.open();
    assert!(store.keep_lineage(at(1), ["{\"a\":1}", "{"]).is_err());
    assert_eq!(events(&store), []);
}

fn writers_at_the_same_time_make_one_chain(place: &Place) {
    drop(place.open());
    std::thread::scope(|scope| {
        for writer in 0..4 {
            scope.spawn(move || {
                let store = place.open();
                for event in 0..5 {
                    let text = format!("{{\"writer\":{writer},\"event\":{event}}}");
                    assert_eq!(store.keep_lineage(at(1), [text.as_str()]).unwrap(), 1);
                }
            });
        }
    });
    assert_eq!(events(&place.open()).len(), 20);
}
