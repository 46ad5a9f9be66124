//! The way in: the first account, a password that is wrong, and the way out.

use super::driver::Wishes;
use super::{EMAIL, PASSWORD, Visit};

#[test]
fn the_setup_link_makes_an_account_that_signs_out_and_in_again() {
    let Some(visit) = Visit::before_setup(Wishes::default()) else { return };
    let browser = &visit.browser;
    visit.go("/jobs");
    visit.is_at("/login?next=/jobs");
    visit.set_up();
    browser.click("details.user > summary");
    assert_eq!(browser.text(".menu strong"), "Ada Byron");
    let session = browser.cookie("forewarn").expect("a session");
    assert_eq!((&session["httpOnly"], &session["sameSite"]), (&true.into(), &"Lax".into()));
    browser.click("form[action='/logout'] button");
    visit.is_at("/login");
    assert!(browser.cookie("forewarn").is_none(), "the session is gone with the reader");
    visit.go("/jobs");
    visit.sign_in(PASSWORD);
    visit.is_at("/jobs");
    browser.go(&visit.setup_link());
    assert!(browser.text("main").contains("this link was used"), "{}", browser.text("main"));
}

#[test]
fn what_is_wrong_with_a_password_is_said_beside_what_was_typed() {
    let Some(visit) = Visit::before_setup(Wishes::default()) else { return };
    let browser = &visit.browser;
    browser.go(&visit.setup_link());
    browser.fill("#name", "Ada Byron");
    browser.fill("#email", EMAIL);
    browser.fill("#password", "short");
    browser.click("form[action='/setup'] button");
    assert!(browser.text("[role='alert']").contains("at least 12 characters"));
    assert_eq!(browser.find("#name").attribute("value"), "Ada Byron");
    browser.fill("#password", PASSWORD);
    browser.click("form[action='/setup'] button");
    browser.click("details.user > summary");
    browser.click("form[action='/logout'] button");
    visit.sign_in("five small boats");
    assert_eq!(browser.text("[role='alert']"), "e-mail or password is not right");
    assert_eq!(browser.find("#email").attribute("value"), EMAIL);
    assert_eq!(browser.find("#password").attribute("value"), "", "a password is never sent back");
    visit.sign_in(PASSWORD);
    visit.is_at("/");
}
