//! The same journeys in a browser that runs no scripts.

use serde_json::Value;

use super::driver::Wishes;
use super::{PASSWORD, Visit};

#[test]
fn without_scripts_everything_can_be_read_and_done() {
    let Some(visit) = Visit::before_setup(Wishes { scripts: false, ..Wishes::default() }) else { return };
    let browser = &visit.browser;
    visit.set_up();
    assert!(!browser.has(".tip"), "what the script adds is not there, so none runs");
    browser.click("details.user > summary");
    browser.click("form[action='/logout'] button");
    visit.sign_in(PASSWORD);
    visit.until_shown("/alerts", ".issue");
    read(&visit);
    act(&visit);
    visit.go("/evidence");
    browser.click("a[download][href*='evidence.json']");
    let rows: Value = serde_json::from_str(&browser.downloaded("evidence.json")).unwrap();
    let shown = browser.script("return document.querySelectorAll('table.data tbody tr').length");
    assert_eq!(rows.as_array().unwrap().len() as u64, shown.as_u64().unwrap());
}

fn read(visit: &Visit) {
    let browser = &visit.browser;
    visit.go("/");
    browser.click("#today .issue p.sub a");
    visit.is_at("/systems/small");
    browser.click("#newest .found a");
    assert!(browser.text(".sentence.large").contains("missing in 50 %"));
    visit.go("/evidence");
    assert!(browser.text("table.data time.instant").ends_with(" UTC"));
    browser.fill("#search", "amount\n");
    assert!(browser.text("h1").contains("“amount”"));
}

fn act(visit: &Visit) {
    let browser = &visit.browser;
    let alert = visit.alert();
    browser.fill("#ack-note", "on it");
    browser.click("form[action$='/acknowledge'] button");
    visit.until_shown(&alert, "main:not(:has(form[action$='/acknowledge']))");
    assert!(browser.text(".lead").contains("Ada Byron is on it"));
    browser.fill("#silence-reason", "the vendor knows");
    browser.click("form[action$='/silence'] button");
    visit.until_shown(&alert, "form[action$='/unsilence']");
    assert!(browser.text("form[action$='/unsilence']").contains("the vendor knows"));
    browser.click("details.user > summary");
    browser.click("button[name='theme'][value='dark']");
    // Waits for the page that the button asks for.
    browser.find("html[data-theme='dark']");
}
