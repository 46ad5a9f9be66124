//! The reader's own account: who they are here, their password, where they are signed in.

use jiff::Timestamp;
use maud::html;

use super::{IdentityRow, Tab, settings};
use crate::site::form::{self, Field};
use crate::site::frame::part;
use crate::site::{Frame, link, moment};

/// The reader's own account.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AccountPage {
    pub name: String,
    pub email: String,
    pub role: String,
    /// `data science`, `legal`.
    pub functions: Vec<String>,
    /// Whether a password is kept here; not with single sign-on.
    pub has_password: bool,
    /// What the provider of single sign-on is called, where there is one.
    pub provider: Option<String>,
    /// Who the reader is at providers.
    pub identities: Vec<IdentityRow>,
    pub sessions: Vec<SessionRow>,
    pub error: Option<String>,
}

/// A browser that is signed in.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SessionRow {
    /// The browser as it names itself, short.
    pub browser: String,
    pub address: String,
    pub seen_at: Timestamp,
    pub is_this: bool,
}

pub fn account(frame: &Frame, of: &AccountPage) -> String {
    settings(
        frame,
        Tab::Account,
        of.error.as_deref(),
        &html! {
            (part("you", "You", &html! {}, &html! {
                dl.proof {
                    div { dt { "Name" } dd { (of.name) } }
                    div { dt { "E-mail" } dd { (of.email) } }
                    div { dt { "Role" } dd { (of.role) } }
                    div { dt { "Functions" } dd { @if of.functions.is_empty() { span.empty { "none" } } @else { (of.functions.join(", ")) } } }
                }
            }))
            @if of.has_password { (part("password", "Password", &html! {}, &html! {
                form.stacked.narrow-form method="post" action=(link::PASSWORD) {
                    (form::csrf(&frame.csrf))
                    // Tells a password manager whose password it is.
                    input type="email" autocomplete="username" value=(of.email) hidden;
                    (Field { kind: "password", autocomplete: "current-password", ..Field::new("current", "current", "Current password") }.markup())
                    (Field { kind: "password", autocomplete: "new-password", hint: "All other browsers are signed out.", ..Field::new("new", "new", "New password") }.markup())
                    button type="submit" { "Change" }
                }
            })) }
            @if of.provider.is_some() || !of.identities.is_empty() { (part("sign-on", "Single sign-on", &html! {}, &html! {
                @if of.identities.is_empty() { p.empty { "Your account is not linked to anybody there." } }
                @else { ul.found { @for identity in &of.identities { li { (identity.markup()) } } } }
                @if let Some(provider) = &of.provider { form method="post" action=(link::LINK) {
                    (form::csrf(&frame.csrf))
                    button type="submit" { "Link to " (provider) }
                } }
            })) }
            (part("sessions", "Signed in", &html! {}, &html! {
                ul.found { @for session in &of.sessions { li { div { p.name { (session.browser) @if session.is_this { span.tag { "this one" } } } p.sub { (session.address) ", last seen " (moment::ago(session.seen_at, frame.now)) } } } } }
                @if of.sessions.len() > 1 { form method="post" action=(link::SESSIONS_END) { (form::csrf(&frame.csrf)) button type="submit" { "Sign out everywhere else" } } }
            }))
        },
    )
}
