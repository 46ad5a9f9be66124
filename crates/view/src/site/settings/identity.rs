//! Somebody at a provider of single sign-on, and the forms of an admin about them.

use maud::{Markup, html};

use crate::site::form::{self, Field};
use crate::site::{Frame, link};

/// Who an account is at a provider.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct IdentityRow {
    pub issuer: String,
    pub subject: String,
    /// What the provider called them; may be empty.
    pub shown: String,
    /// Whether their groups there decide what the account may do.
    pub follows: bool,
}

impl IdentityRow {
    pub(super) fn markup(&self) -> Markup {
        let name = if self.shown.is_empty() { &self.subject } else { &self.shown };
        let who_decides = if self.follows {
            "the groups there decide what the account may do"
        } else {
            "admins decide what the account may do"
        };
        html! { div {
            p.name { (name) }
            p.sub { (self.issuer) ", subject " code { (self.subject) } "; " (who_decides) "." }
        } }
    }

    /// The fields that say of which identity a form is.
    fn named(&self) -> Markup {
        html! {
            input type="hidden" name="issuer" value=(self.issuer);
            input type="hidden" name="subject" value=(self.subject);
        }
    }
}

/// Who a user is at providers, to be changed by an admin.
pub(super) fn of_user(frame: &Frame, id: &str, provider: Option<&str>, all: &[IdentityRow]) -> Markup {
    let path = |what: &str| format!("{}/{what}", link::user(id));
    html! {
        @if all.is_empty() { p.empty { "The account is not linked to anybody there." } }
        ul.found { @for of in all { li {
            (of.markup())
            div.actions {
                form method="post" action=(path(link::USER_FOLLOW)) {
                    (form::csrf(&frame.csrf)) (of.named())
                    input type="hidden" name="follows" value=(if of.follows { "" } else { "yes" });
                    button type="submit" { @if of.follows { "Let admins decide" } @else { "Let the groups decide" } }
                }
                form method="post" action=(path(link::USER_UNLINK)) {
                    (form::csrf(&frame.csrf)) (of.named())
                    button type="submit" { "Unlink" }
                }
            }
        } } }
        @if let Some(provider) = provider {
            form.stacked.narrow-form method="post" action=(path(link::USER_LINK)) {
                (form::csrf(&frame.csrf))
                (Field { hint: "What the provider calls the person by for good, its claim “sub”; the audit log has it of an attempt that was refused.", ..Field::new("subject", "subject", &format!("Subject at {provider}")) }.markup())
                button type="submit" { "Link" }
            }
        }
    }
}
