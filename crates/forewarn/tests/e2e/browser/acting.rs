//! What people do about an alert: take it on, silence it, end the silence.

use super::Visit;
use super::driver::Wishes;

#[test]
fn an_alert_is_taken_on_and_others_see_by_whom() {
    let Some(visit) = Visit::open(Wishes::default()) else { return };
    let browser = &visit.browser;
    let alert = visit.alert();
    assert!(browser.text("h1").contains("amount"), "{}", browser.text("h1"));
    browser.fill("#ack-note", "asking the vendor <b>");
    browser.click("form[action$='/acknowledge'] button");
    visit.is_at(&alert);
    assert!(browser.text(".timeline").contains("asking the vendor <b>"));
    visit.until_shown(&alert, "main:not(:has(form[action$='/acknowledge']))");
    assert!(browser.text(".lead").contains("local is on it"), "{}", browser.text(".lead"));
    visit.go("/alerts");
    assert!(browser.text(".issue").contains("local is on it"));
}

#[test]
fn an_alert_is_silenced_with_an_end_and_a_reason_until_somebody_ends_that() {
    let Some(visit) = Visit::open(Wishes::default()) else { return };
    let browser = &visit.browser;
    let alert = visit.alert();
    // The browser asks for what is required before it sends anything.
    browser.click("form[action$='/silence'] button");
    assert!(!browser.has("form[action$='/unsilence']"));
    browser.click("#silence-hours option[value='72']");
    browser.fill("#silence-reason", "the vendor repairs it");
    browser.click("form[action$='/silence'] button");
    visit.until_shown(&alert, "form[action$='/unsilence']");
    let said = browser.text("form[action$='/unsilence']");
    assert!(said.contains("local until") && said.contains("the vendor repairs it"), "{said}");
    let until = browser.find("form[action$='/unsilence'] time").attribute("datetime");
    let until: jiff::Timestamp = until.parse().unwrap();
    let hours = until.duration_since(jiff::Timestamp::now()).as_secs_f64() / 3600.0;
    assert!((71.5..=72.0).contains(&hours), "{until} is not three days from now");
    visit.go("/alerts");
    assert_eq!(browser.text("h1"), "No alert is firing");
    visit.go("/alerts?state=silenced");
    assert!(browser.text(".issue").contains("silenced until"));
    visit.go(&alert);
    browser.click("form[action$='/unsilence'] button");
    visit.until_shown(&alert, "form[action$='/silence']");
    visit.until_shown("/alerts", ".issue");
    assert_eq!(browser.text("h1"), "1 alert is firing");
}
