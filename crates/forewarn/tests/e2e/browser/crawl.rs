//! Every kind of page, looked at as a browser sees it: its width on a phone, and what the browser complains of.

use super::Visit;
use super::driver::{Browser, Wishes};

/// A phone, in CSS pixels.
pub(super) const PHONE: (u32, u32) = (390, 844);

/// Pages whose address does not depend on what is recorded.
const PLACES: [&str; 21] = [
    "/",
    "/systems/small",
    "/systems/small/evaluate",
    "/systems/small/govern",
    "/systems/small/brief",
    "/systems/small/compare",
    "/systems/small/checks/monitor.drift",
    "/systems/small/checks/monitor.drift?subject=feature%3Aamount",
    "/systems/small/columns/amount",
    "/systems/small/columns/colour",
    "/alerts",
    "/alerts?state=resolved",
    "/evidence",
    "/evidence/small/1",
    "/jobs",
    "/search?q=amount",
    "/settings",
    "/settings/tokens",
    "/settings/users",
    "/settings/channels",
    "/settings/audit",
];

impl Visit {
    /// Of a server with an account that is signed in, an alert and a token: the paths of a page of every kind.
    pub(super) fn of_every_kind(wishes: Wishes) -> Option<(Self, Vec<String>)> {
        let visit = Self::before_setup(wishes)?;
        visit.set_up();
        visit.until_shown("/alerts", ".issue");
        let alert = visit.alert();
        visit.go("/settings/users");
        visit.browser.click("table.data tbody a");
        visit.browser.until("the user opens", |_| visit.path() != "/settings/users");
        let user = visit.path();
        visit.go("/settings/tokens");
        visit.browser.fill("#token-name", "nightly");
        visit.browser.click("input[name='scope'][value='ingest']");
        visit.browser.click("form[action='/settings/tokens'] button");
        let paths = PLACES.into_iter().map(str::to_owned).chain([alert, user]).collect();
        Some((visit, paths))
    }
}

/// How far the page reaches to the right.
fn width(browser: &Browser) -> u64 {
    browser.script("return document.scrollingElement.scrollWidth").as_u64().unwrap()
}

#[test]
fn no_page_scrolls_sideways_on_a_phone() {
    let Some((visit, paths)) = Visit::of_every_kind(Wishes::default()) else { return };
    visit.browser.resize(PHONE.0, PHONE.1);
    let outside = ["/nowhere", "/setup?code=used"].map(str::to_owned);
    for path in paths.iter().chain(&outside) {
        visit.go(path);
        visit.browser.script("document.querySelectorAll('main details').forEach(fold => fold.open = true)");
        assert_eq!(width(&visit.browser), u64::from(PHONE.0), "{path} is wider than the screen");
    }
}

#[test]
fn no_page_makes_the_browser_complain() {
    let Some(visit) = Visit::before_setup(Wishes::default()) else { return };
    for page in [&format!("{}/login", visit.server.url), &visit.setup_link()] {
        visit.browser.go(page);
        assert_eq!(visit.browser.complaints(), Vec::<String>::new(), "{page}");
    }
    drop(visit);
    let Some((visit, paths)) = Visit::of_every_kind(Wishes::default()) else { return };
    assert_eq!(visit.browser.complaints(), Vec::<String>::new(), "while forms were sent");
    for path in paths {
        visit.go(&path);
        assert_eq!(visit.browser.complaints(), Vec::<String>::new(), "{path}");
    }
    // The policy that pages come with is in force, and the browser does say what it refuses.
    visit.browser.script(
        "const inline = document.createElement('script'); inline.textContent = 'window.ran = true';\
         document.body.append(inline)",
    );
    assert_eq!(visit.browser.script("return window.ran === true"), false, "a script inside a page ran");
    let said = visit.browser.complaints().concat();
    assert!(said.contains("Content Security Policy"), "{said}");
}
