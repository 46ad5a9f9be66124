//! Reading: from what needs somebody to the record behind it; search, theme, time zones, the keyboard.

use std::collections::BTreeSet;
use std::process::Command;

use jiff::{Timestamp, ToSpan};

use super::Visit;
use super::driver::{Browser, Wishes, keys};
use crate::parts;

/// SHA-256 by Python of what stands behind `"record":` in a line of evidence.
fn hash_of_record(line: &str) -> String {
    let script = "import hashlib, sys\nline = sys.argv[1]\nrecord = line[line.index('\"record\":') + 9 : -1]\n\
                  print(hashlib.sha256(record.encode()).hexdigest())";
    parts::output(Command::new("python3").args(["-c", script, line])).unwrap().trim().to_owned()
}

#[test]
fn a_drift_finding_is_read_from_the_overview_down_to_its_record() {
    let Some(visit) = Visit::open(Wishes::default()) else { return };
    let browser = &visit.browser;
    visit.go("/");
    assert_eq!(browser.text("h1"), "Your system needs you");
    assert!(browser.text("#today .issue").contains("amount"), "{}", browser.text("#today"));
    browser.click("#today .issue p.sub a");
    visit.is_at("/systems/small");
    browser.click("#newest .found a");
    visit.is_at("/systems/small/columns/amount");
    // Every second amount of the window is missing, none of the reference.
    let sentence = browser.text(".sentence.large");
    assert!(sentence.contains("missing in 50 % of rows, before in 0 %"), "{sentence}");
    browser.link("The check over time").click();
    assert!(browser.text("table.data tbody").contains("fail"));
    browser.click("table.data a[href^='/evidence/small/']");
    browser.until("the record opens", |_| visit.path().starts_with("/evidence/small/"));
    let seq = visit.path().rsplit('/').next().unwrap().to_owned();
    assert!(browser.text("h1").starts_with(&format!("Record #{seq}")), "{}", browser.text("h1"));
    let proof = browser.text("#origin");
    assert!(proof.contains("2024-01-01 to 2024-01-29") && proof.contains("Held against"), "{proof}");
    let line = visit.server.get(&format!("/evidence/small/{seq}.jsonl")).body;
    assert_eq!(browser.text("#verify code.digest"), hash_of_record(line.trim()));
}

#[test]
fn search_is_a_key_away_and_leads_to_what_is_named() {
    let Some(visit) = Visit::open(Wishes::default()) else { return };
    let browser = &visit.browser;
    visit.go("/jobs");
    browser.press("/");
    browser.press("amou");
    browser.press(keys::ENTER);
    browser.until("there are hits", |browser| browser.has(".found"));
    assert!(browser.text("h1").contains("“amou”"), "{}", browser.text("h1"));
    browser.click(".found a[href*='/columns/']");
    visit.is_at("/systems/small/columns/amount");
    visit.go("/search?q=zebra");
    assert!(browser.text("main").contains("Try a part of it"));
}

fn background(browser: &Browser) -> String {
    browser.script("return getComputedStyle(document.body).backgroundColor").as_str().unwrap().to_owned()
}

#[test]
fn a_theme_that_was_chosen_stays_on_every_page() {
    let Some(visit) = Visit::open(Wishes::default()) else { return };
    let browser = &visit.browser;
    let choose = |theme: &str| {
        browser.click("details.user > summary");
        browser.click(&format!("button[name='theme'][value='{theme}']"));
    };
    visit.go("/evidence");
    let light = background(browser);
    choose("dark");
    visit.is_at("/evidence");
    let dark = background(browser);
    assert_ne!(dark, light);
    visit.go("/jobs");
    assert_eq!(background(browser), dark);
    choose("light");
    visit.go("/");
    assert_eq!(background(browser), light);
    choose("system");
    visit.go("/");
    assert_eq!(browser.find("html").attribute("data-theme"), "");
}

#[test]
fn times_are_in_the_readers_zone_and_utc_is_on_hover() {
    // Half past five before UTC all year round.
    let Some(visit) = Visit::open(Wishes { zone: "Asia/Kolkata", ..Wishes::default() }) else { return };
    visit.go("/evidence");
    let time = visit.browser.find("table.data time.instant");
    let at: Timestamp = time.attribute("datetime").parse().unwrap();
    let minute = |at: Timestamp| at.strftime("%Y-%m-%d %H:%M").to_string();
    assert_eq!(time.text(), minute(at + 5.hours() + 30.minutes()));
    assert_eq!(time.attribute("title"), format!("{} UTC", minute(at)));
    assert!(visit.browser.text("footer").contains("shown in Asia/"), "{}", visit.browser.text("footer"));
}

/// Where the focus is: the element's address or name, and whether one can see that it is there.
fn focus(browser: &Browser) -> (String, bool) {
    let script = "const at = document.activeElement, box = at.getBoundingClientRect(), style = getComputedStyle(at);\
                  const seen = box.left >= 0 && box.width > 0 && style.outlineStyle !== 'none';\
                  return [at.getAttribute('href') || at.id || at.tagName, seen]";
    let found = browser.script(script);
    (found[0].as_str().unwrap().to_owned(), found[1] == true)
}

#[test]
fn everything_is_reached_by_the_keyboard_and_the_focus_is_seen() {
    let Some(visit) = Visit::open(Wishes::default()) else { return };
    let browser = &visit.browser;
    visit.go("/systems/small");
    browser.press(keys::TAB);
    assert_eq!(focus(browser), ("#main".to_owned(), true), "the way past the navigation comes first");
    browser.press(keys::ENTER);
    assert_eq!(focus(browser).0, "main");
    visit.go("/systems/small");
    let mut reached = BTreeSet::new();
    while !reached.contains("/systems/small/evaluate") {
        browser.press(keys::TAB);
        let (at, is_seen) = focus(browser);
        assert!(is_seen, "the focus is on {at}, and nobody can see it");
        assert_ne!(at, "BODY", "the page ended before its tabs; reached {reached:?}");
        reached.insert(at);
    }
    for place in ["/", "/alerts", "/evidence", "/jobs", "/settings", "search", "/systems/small"] {
        assert!(reached.contains(place), "no {place} in {reached:?}");
    }
    browser.press(keys::ENTER);
    browser.until("the tab opens", |_| visit.path() == "/systems/small/evaluate");
}
