use jiff::Timestamp;
use store::{Chain, SignedCheckpoint, Store, StoreError};
use types::evidence::{ChainError, Checkpoint, Evidence, NewFinding};
use types::{CheckId, Digest, Finding, Subject, Verdict};

use crate::{Place, on_both};

on_both!(
    appended_runs_form_one_chain,
    an_append_goes_on_from_what_others_added,
    runs_at_the_same_time_do_not_interleave,
    chains_of_two_systems_are_apart,
    an_edited_record_is_detected_and_not_built_upon,
    what_is_exported_can_be_taken_over_byte_for_byte,
    lines_that_contradict_the_chain_are_refused,
    checkpoints_are_kept_in_order,
);

fn at() -> Timestamp {
    "2013-06-10T06:00:00Z".parse().unwrap()
}

fn evidence(summaries: &[&str]) -> Evidence {
    let window = "2013-06-03/2013-06-10".parse().unwrap();
    let finding = |summary: &&str| {
        let finding = Finding {
            summary: (*summary).into(),
            ..Finding::blank(CheckId::Drift, Subject::Model, Verdict::Pass, window)
        };
        NewFinding { finding, fresh_until: at(), inputs: None }
    };
    Evidence {
        at: at(),
        system: "s".into(),
        model: "m".into(),
        definition: Digest::ZERO,
        program: "test".into(),
        datasets: vec![],
        findings: summaries.iter().map(finding).collect(),
    }
}

fn summaries(chain: &Chain) -> Vec<&str> {
    chain.records.iter().map(|record| record.finding.summary.as_str()).collect()
}

fn appended(store: &Store, runs: &[&[&str]]) -> Chain {
    let mut chain = Chain::unread("s");
    for run in runs {
        store.append(&mut chain, evidence(run)).unwrap();
    }
    chain
}

fn appended_runs_form_one_chain(place: &Place) {
    let written = appended(&place.open(), &[&["a", "b"], &["c — with “quotes” and ünïcode"]]);
    let read = place.open().chain("s").unwrap();
    assert_eq!(read, written);
    assert_eq!(summaries(&read), ["a", "b", "c — with “quotes” and ünïcode"]);
    assert_eq!(read.records[2].run, 2);
}

fn an_append_goes_on_from_what_others_added(place: &Place) {
    let store = place.open();
    let mut mine = Chain::unread("s");
    store.append(&mut mine, evidence(&["mine"])).unwrap();
    let mut theirs = store.chain("s").unwrap();
    store.append(&mut theirs, evidence(&["theirs"])).unwrap();
    store.append(&mut mine, evidence(&["mine again"])).unwrap();
    assert_eq!(summaries(&mine), ["mine", "theirs", "mine again"]);
    assert_eq!(store.read_on(&mut theirs).unwrap(), 1);
    assert_eq!(theirs, mine);
}

fn runs_at_the_same_time_do_not_interleave(place: &Place) {
    let stores = [place.open(), place.open()];
    std::thread::scope(|scope| {
        for run in 0..8 {
            let store = &stores[run % 2];
            scope.spawn(move || {
                let run = run.to_string();
                store.append(&mut Chain::unread("s"), evidence(&[&run, &run, &run])).unwrap();
            });
        }
    });
    let chain = stores[0].chain("s").unwrap();
    assert_eq!(chain.records.len(), 24);
    for run in chain.records.chunks(3) {
        assert!(run.iter().all(|record| record.finding.summary == run[0].finding.summary));
    }
}

fn chains_of_two_systems_are_apart(place: &Place) {
    let store = place.open();
    store.append(&mut Chain::unread("one"), evidence(&["a"])).unwrap();
    store.append(&mut Chain::unread("two"), evidence(&["b"])).unwrap();
    assert_eq!(summaries(&store.chain("two").unwrap()), ["b"]);
    assert_eq!(store.chain("three").unwrap(), Chain::unread("three"));
    assert_eq!(store.chains().unwrap(), ["one", "two"]);
    store.append(&mut Chain::unread("two"), evidence(&["c", "d"])).unwrap();
    assert_eq!(store.chain_lengths().unwrap(), [("one".to_owned(), 1), ("two".to_owned(), 3)].into());
}

fn an_edited_record_is_detected_and_not_built_upon(place: &Place) {
    let mut chain = appended(&place.open(), &[&["first", "second"]]);
    place.sql("UPDATE evidence SET line = replace(line, 'second', 'forged') WHERE seq = 1");
    let store = place.open();
    let is_edited = |error: StoreError| {
        matches!(error, StoreError::Broken { source: ChainError::Edited { line: 2 }, .. })
    };
    assert!(is_edited(store.chain("s").unwrap_err()));
    assert!(is_edited(store.append(&mut Chain::unread("s"), evidence(&["third"])).unwrap_err()));
    // Whoever has read it before goes on from what was verified then; the edit stays to be found.
    store.append(&mut chain, evidence(&["third"])).unwrap();
    assert!(is_edited(store.chain("s").unwrap_err()));
}

fn what_is_exported_can_be_taken_over_byte_for_byte(place: &Place) {
    let store = place.open();
    let written = appended(&store, &[&["a"], &["b", "c"]]);
    let lines = store.lines("s", 0).unwrap();
    let elsewhere = Place::sqlite();
    let other = elsewhere.open();
    // In parts, the second of which overlaps with the first.
    other.import("s", lines[..2].iter().map(String::as_str)).unwrap();
    let taken = other.import("s", lines.iter().map(String::as_str)).unwrap();
    assert_eq!(taken, written);
    assert_eq!(other.lines("s", 0).unwrap(), lines);
    assert_eq!(store.lines("s", 2).unwrap(), lines[2..]);
}

fn lines_that_contradict_the_chain_are_refused(place: &Place) {
    let store = place.open();
    let before = appended(&store, &[&["a", "b"]]);
    let elsewhere = Place::sqlite();
    let other = elsewhere.open();
    appended(&other, &[&["a", "another b", "c"]]);
    let lines = other.lines("s", 0).unwrap();
    let error = store.import("s", lines.iter().map(String::as_str)).unwrap_err();
    assert!(
        matches!(error, StoreError::Broken { source: ChainError::Rewritten { records: 2 }, .. }),
        "{error}"
    );
    assert_eq!(store.chain("s").unwrap(), before);
}

fn checkpoints_are_kept_in_order(place: &Place) {
    let store = place.open();
    let chain = appended(&store, &[&["a"]]);
    let signed = |checkpoint: Checkpoint| SignedCheckpoint {
        checkpoint,
        at: at(),
        public_key: "00ff".into(),
        signature: "aa".into(),
    };
    let earlier = Checkpoint { records: 0, hash: Digest::ZERO };
    store.keep_checkpoint("s", &signed(chain.end)).unwrap();
    store.keep_checkpoint("s", &signed(earlier)).unwrap();
    store.keep_checkpoint("s", &signed(earlier)).unwrap();
    assert_eq!(store.checkpoints("s").unwrap(), [signed(earlier), signed(chain.end)]);
}
