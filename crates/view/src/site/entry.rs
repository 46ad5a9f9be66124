//! The way in: signing in, and the very first account.

use maud::html;

use super::form::{self, Field};
use super::{Frame, link};

/// The page to sign in on.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct LoginPage {
    /// The name that was tried.
    pub email: String,
    pub error: Option<String>,
    /// Where to go afterwards.
    pub back: String,
    /// What the provider of single sign-on is called, where there is one.
    pub single_sign_on: Option<String>,
    /// Whether accounts with passwords exist.
    pub has_passwords: bool,
}

/// The page of the setup link that the server printed once.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct SetupPage {
    /// From the link; sent back with the form.
    pub token: String,
    pub name: String,
    pub email: String,
    /// For an account that is there already; it is only the password that is missing.
    pub is_invitation: bool,
    pub error: Option<String>,
    /// Characters that a password must have at least.
    pub password_length_min: u64,
}

pub fn login(frame: &Frame, of: &LoginPage) -> String {
    let title = "Sign in";
    frame.card(title, &html! {
        h1 { (title) }
        (form::error(of.error.as_deref()))
        @if let Some(provider) = &of.single_sign_on {
            // A link: what a form leads to must be a page of ours, by the policy that browsers hold us to.
            p.links { a.button.primary href=(link::with_query(link::SINGLE_SIGN_ON, &[("back", of.back.clone())])) { "Continue with " (provider) } }
        }
        @if of.has_passwords {
            @if of.single_sign_on.is_some() { p.or { "or with a password" } }
            form.stacked method="post" action=(link::LOGIN) {
                (form::csrf(&frame.csrf))
                input type="hidden" name="back" value=(of.back);
                (Field { kind: "email", value: &of.email, autocomplete: "username", ..Field::new("email", "email", "E-mail") }.markup())
                (Field { kind: "password", autocomplete: "current-password", ..Field::new("password", "password", "Password") }.markup())
                button.primary[of.single_sign_on.is_none()] type="submit" { "Sign in" }
            }
            p.sub { "Forgotten? An admin can set a new password, and whoever runs the server can print a new setup link." }
        }
        @if !of.has_passwords && of.single_sign_on.is_none() {
            p { "There is no account yet. Open the setup link that the server printed when it started." }
        }
    })
}

/// Somebody is not signed in by the provider, and why.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RefusedPage {
    pub title: &'static str,
    /// What happened.
    pub said: String,
    /// What can be done about it.
    pub way_out: String,
    /// Where to begin again.
    pub again: String,
}

/// The provider is gone to, or may be signed out of, if the reader wants to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CrossingPage {
    pub title: &'static str,
    pub said: String,
    /// The name of the provider's page, and its address; none where it has none.
    pub there: Option<(String, String)>,
    /// The name of a page of ours, and its path.
    pub here: (&'static str, &'static str),
}

pub fn refused(frame: &Frame, of: &RefusedPage) -> String {
    frame.card(
        of.title,
        &html! {
            h1 { (of.title) }
            p role="alert" { (of.said) }
            p { (of.way_out) }
            p.links { a.button.primary href=(of.again) { "Try again" } }
        },
    )
}

pub fn crossing(frame: &Frame, of: &CrossingPage) -> String {
    let (name, path) = of.here;
    frame.card(of.title, &html! {
        h1 { (of.title) }
        p { (of.said) }
        p.links {
            @if let Some((name, address)) = &of.there { a.button.primary href=(address) rel="noreferrer" { (name) } }
            a.button href=(path) { (name) }
        }
    })
}

pub fn setup(frame: &Frame, of: &SetupPage) -> String {
    let title = if of.is_invitation { "Choose a password" } else { "Set up Forewarn" };
    let hint = format!("At least {} characters; a few words in a row are good.", of.password_length_min);
    frame.card(title, &html! {
        h1 { (title) }
        @if of.is_invitation { p.sub { (of.name) ", " (of.email) ". The link works once." } }
        @else { p.sub { "This makes the first account, an admin. The link works once." } }
        (form::error(of.error.as_deref()))
        form.stacked method="post" action=(link::SETUP) {
            (form::csrf(&frame.csrf))
            input type="hidden" name="token" value=(of.token);
            @if !of.is_invitation {
                (Field { value: &of.name, autocomplete: "name", ..Field::new("name", "name", "Your name") }.markup())
                (Field { kind: "email", value: &of.email, autocomplete: "username", ..Field::new("email", "email", "E-mail") }.markup())
            }
            (Field { kind: "password", autocomplete: "new-password", hint: &hint, ..Field::new("password", "password", "Password") }.markup())
            button.primary type="submit" { @if of.is_invitation { "Go on" } @else { "Make the account" } }
        }
    })
}
