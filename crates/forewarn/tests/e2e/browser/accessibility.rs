//! Accessibility: axe-core finds nothing against WCAG 2.1, levels A and AA, on any kind of page or report.
//!
//! Each kind of page is looked at twice, light on a wide screen and dark on a phone: colours follow from the one,
//! layout from the other.

use serde_json::Value;

use super::crawl::PHONE;
use super::driver::{Browser, Wishes};
use super::{Visit, drifted, read};
use crate::parts;

const DESK: (u32, u32) = (1280, 900);

/// How a reader looks at a page: the theme that their system prefers, and the size of the window.
type Look = (&'static str, (u32, u32));

const LIGHT_AND_WIDE: Look = ("light", DESK);
const DARK_AND_NARROW: Look = ("dark", PHONE);

/// Opens what is folded away, and hands over what axe-core finds.
const RUN: &str = "const done = arguments[0];\
    document.querySelectorAll('main details').forEach(fold => fold.open = true);\
    const rules = ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa'];\
    axe.run(document, { runOnly: rules, resultTypes: ['violations'] }).then(\
        found => done({ passed: found.passes.length, violations: found.violations.map(\
            of => `${of.id}: ${of.help}: ${of.nodes.map(node => node.html).join(' ')}`) }),\
        error => done({ passed: 0, violations: [String(error)] }))";

/// axe-core, and a browser that looks at pages in a way.
struct Inspector {
    axe: String,
}

impl Inspector {
    fn new() -> Option<Self> {
        let packages = parts::python()?.parent()?.parent()?.join("lib");
        let version = std::fs::read_dir(packages).unwrap().next().unwrap().unwrap().path();
        let axe = read(&version.join("site-packages/axe_playwright_python/axe.min.js"));
        Some(Self { axe })
    }

    /// The page that the browser is on has no violation.
    #[track_caller]
    fn inspect(&self, browser: &Browser, page: &str) {
        browser.script(&self.axe);
        let found = browser.script_later(RUN);
        assert_eq!(found["violations"], Value::Array(Vec::new()), "{page}: {found:#}");
        assert!(found["passed"].as_u64().unwrap() > 5, "{page}: axe-core looked at nothing: {found}");
    }
}

fn look(browser: &Browser, (theme, (width, height)): Look) {
    browser.resize(width, height);
    browser.prefer(theme);
}

fn every_kind_of_page(of: Look) {
    let Some(inspector) = Inspector::new() else { return };
    let Some((visit, paths)) = Visit::of_every_kind(Wishes::default()) else { return };
    look(&visit.browser, of);
    // The token that was just made is shown.
    inspector.inspect(&visit.browser, "a new token");
    for path in paths.iter().map(String::as_str).chain(["/nowhere"]) {
        visit.go(path);
        inspector.inspect(&visit.browser, path);
    }
    visit.browser.click("details.user > summary");
    inspector.inspect(&visit.browser, "the reader's menu");
}

#[test]
fn every_kind_of_page_is_accessible_in_light_on_a_wide_screen() {
    every_kind_of_page(LIGHT_AND_WIDE);
}

#[test]
fn every_kind_of_page_is_accessible_in_dark_on_a_phone() {
    every_kind_of_page(DARK_AND_NARROW);
}

#[test]
fn the_way_in_is_accessible() {
    let Some(inspector) = Inspector::new() else { return };
    let Some(visit) = Visit::before_setup(Wishes::default()) else { return };
    let browser = &visit.browser;
    for of in [LIGHT_AND_WIDE, DARK_AND_NARROW] {
        look(browser, of);
        browser.go(&visit.setup_link());
        inspector.inspect(browser, "setup");
        browser.fill("#name", "Ada");
        browser.fill("#email", "ada@example.org");
        browser.fill("#password", "short");
        browser.click("form[action='/setup'] button");
        inspector.inspect(browser, "setup with a mistake");
        visit.go("/setup?code=wrong");
        inspector.inspect(browser, "a link that is no longer good");
        visit.go("/login");
        inspector.inspect(browser, "login");
        visit.sign_in("not the password");
        inspector.inspect(browser, "login with a mistake");
    }
}

#[test]
fn every_report_is_accessible() {
    let Some(inspector) = Inspector::new() else { return };
    let Some(browser) = Browser::open(Wishes::default()) else { return };
    let folder = drifted();
    // Long reports take long to look at; each kind is looked at in one way, and each way at several.
    let reports: [(&[&str], Look); 5] = [
        (&["check"], LIGHT_AND_WIDE),
        (&["evaluate"], DARK_AND_NARROW),
        (&["monitor", "--report", "weekly"], DARK_AND_NARROW),
        (&["monitor", "--report", "monthly"], LIGHT_AND_WIDE),
        (&["monitor", "--report", "quarterly"], DARK_AND_NARROW),
    ];
    for (command, of) in reports {
        folder.run(&[command, &["--html", "report.html"]].concat());
        look(&browser, of);
        browser.go(&format!("file://{}", folder.path("report.html").display()));
        inspector.inspect(&browser, &command.join(" "));
        std::fs::remove_file(folder.path("report.html")).unwrap();
    }
}
