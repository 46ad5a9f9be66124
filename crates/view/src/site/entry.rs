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
            form.stacked method="post" action=(link::SINGLE_SIGN_ON) {
                (form::csrf(&frame.csrf))
                input type="hidden" name="back" value=(of.back);
                button.primary type="submit" { "Continue with " (provider) }
            }
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
