//! Pages that follow what happens, for a reader who does nothing.

use std::time::{Duration, Instant};

use super::driver::{Browser, Wishes};
use super::{Visit, drifted};

/// Marks the document, so that one that was loaded anew shows.
fn mark(browser: &Browser) {
    browser.script("window.isTheSameDocument = true");
}

fn is_marked(browser: &Browser) -> bool {
    browser.script("return window.isTheSameDocument === true") == true
}

#[test]
fn evidence_that_a_check_elsewhere_sends_appears_in_place() {
    let Some(visit) = Visit::open(Wishes::default()) else { return };
    visit.go("/evidence");
    let before = visit.browser.text("h1");
    mark(&visit.browser);
    drifted().run(&["check", "--server", &visit.server.url]).exits(0);
    visit.browser.until("the new records are counted", |browser| browser.text("h1") != before);
    assert!(is_marked(&visit.browser), "the page was renewed in place, not loaded");
}

#[test]
fn evidence_of_a_check_beside_the_server_appears_in_place() {
    let Some(visit) = Visit::open(Wishes::default()) else { return };
    visit.go("/evidence");
    let before = visit.browser.text("h1");
    mark(&visit.browser);
    visit.folder.run(&["check"]).exits(0);
    visit.browser.until("the new records are counted", |browser| browser.text("h1") != before);
    assert!(is_marked(&visit.browser), "the page was renewed in place, not loaded");
}

#[test]
fn a_reader_who_is_writing_is_asked_before_the_page_changes() {
    let Some(visit) = Visit::open(Wishes::default()) else { return };
    let alert = visit.alert();
    visit.browser.fill("#silence-reason", "the vendor");
    // Somebody else takes the alert on.
    let note = [("note", "mine")];
    assert_eq!(visit.server.submit(&alert, &format!("{alert}/acknowledge"), &note).status, 303);
    visit.browser.until("it is offered", |browser| browser.has(".toast button"));
    assert_eq!(visit.browser.script("return document.querySelector('#silence-reason').value"), "the vendor");
    visit.browser.click(".toast button");
    visit.browser.until("it is shown", |browser| browser.text("main").contains("mine"));
}

/// A browser has six connections to a server; pages that were left kept theirs for a minute.
#[test]
fn going_through_many_pages_keeps_nobody_waiting() {
    let Some(visit) = Visit::open(Wishes::default()) else { return };
    for _ in 0..4 {
        for path in ["/", "/evidence", "/jobs", "/systems/small"] {
            let begun = Instant::now();
            visit.go(path);
            assert!(begun.elapsed() < Duration::from_secs(20), "{path} took {:?}", begun.elapsed());
        }
    }
}
