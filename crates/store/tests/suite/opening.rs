use store::{Chain, Database, Store, StoreError};

use crate::{Place, on_both};

on_both!(
    opening_twice_changes_nothing,
    a_newer_schema_is_refused_by_name,
    programs_may_open_at_the_same_time,
    a_store_may_go_on_a_thread_of_a_runtime,
);

fn opening_twice_changes_nothing(place: &Place) {
    drop(place.open());
    place.open().ping().unwrap();
}

fn a_newer_schema_is_refused_by_name(place: &Place) {
    drop(place.open());
    place.sql("INSERT INTO schema_version (version) VALUES (99)");
    let error = Store::open(&place.database()).unwrap_err();
    assert!(matches!(error, StoreError::Newer { found: 99, .. }), "{error}");
    assert!(error.to_string().contains("written by a newer version"), "{error}");
}

fn programs_may_open_at_the_same_time(place: &Place) {
    std::thread::scope(|scope| {
        for _ in 0..4 {
            scope.spawn(|| place.open().chain("s").unwrap());
        }
    });
}

fn a_store_may_go_on_a_thread_of_a_runtime(place: &Place) {
    let store = place.open();
    let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
    // Waiting is not allowed there.
    runtime.block_on(async move { drop(store) });
    place.open().ping().unwrap();
}

#[test]
fn a_restarted_postgresql_is_used_again() {
    let Some(Place::Postgres(server)) = Place::postgres() else { return };
    let store = Store::open(&server.url().parse().unwrap()).unwrap();
    store.ping().unwrap();
    server.stop();
    server.begin();
    // Connections of before are found dead and replaced.
    assert_eq!(store.chain("s").unwrap(), Chain::unread("s"));
}

#[test]
fn an_address_says_what_it_must_look_like_and_never_shows_a_password() {
    let check = |text: &str, shown: Result<&str, &str>| match (text.parse::<Database>(), shown) {
        (Ok(database), Ok(expected)) => assert_eq!(database.to_string(), expected),
        (Err(error), Err(expected)) => {
            assert!(error.to_string().contains(expected), "{error}");
            assert!(!error.to_string().contains("secret"), "{error}");
        }
        (parsed, _) => panic!("{text}: {parsed:?}"),
    };
    check("sqlite:state.db", Ok("state.db"));
    check("sqlite:///var/state.db", Ok("/var/state.db"));
    check("postgres://me:secret@db/forewarn", Ok("postgres://me@db/forewarn"));
    check("mysql://me:secret@db/forewarn", Err("`mysql` is not a database: give sqlite:PATH or postgres://"));
    check("postgres://me:secret@db:port/forewarn", Err("cannot be read"));
}
