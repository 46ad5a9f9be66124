//! Users: who may come in, and what they may do and see.

use jiff::Timestamp;
use maud::html;
use types::format;

use super::{IdentityRow, Tab, identity, settings, shown_once};
use crate::site::form::{self, Field};
use crate::site::frame::part;
use crate::site::table::{Cell, Column, Table};
use crate::site::{Frame, SystemRef, link};

/// Everybody who may come in; for admins.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct UsersPage {
    pub users: Vec<UserRow>,
    /// Roles to choose from, least first: the word, and what it allows.
    pub roles: Vec<(String, String)>,
    /// A setup link for a user who was just invited; it is shown this once.
    pub invitation: Option<String>,
    pub error: Option<String>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct UserRow {
    pub id: String,
    pub name: String,
    pub email: String,
    pub role: String,
    pub functions: Vec<String>,
    /// Systems that they may see; empty for all.
    pub systems: Vec<String>,
    pub seen_at: Option<Timestamp>,
    pub is_active: bool,
}

/// One user, to be changed by an admin.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct UserPage {
    pub user: UserRow,
    /// As in [`UsersPage`].
    pub roles: Vec<(String, String)>,
    /// Functions to choose from: `data science`, `legal`, `security`, `business`, `compliance`.
    pub functions: Vec<String>,
    /// Systems to choose from.
    pub systems: Vec<SystemRef>,
    /// What the provider of single sign-on is called, where there is one.
    pub provider: Option<String>,
    /// Who the user is at providers.
    pub identities: Vec<IdentityRow>,
    pub error: Option<String>,
}

impl UsersPage {
    pub fn tables(&self) -> Vec<Table> {
        vec![Table {
            name: "users",
            caption: "Users".into(),
            columns: vec![
                Column::text("name", "Name"),
                Column::text("email", "E-mail"),
                Column::text("role", "Role"),
                Column::text("functions", "Functions"),
                Column::text("systems", "Systems"),
                Column::text("seen_at", "Last seen"),
                Column::text("state", "State"),
            ],
            rows: self
                .users
                .iter()
                .map(|of| {
                    vec![
                        Cell::link(&of.name, link::user(&of.id)),
                        Cell::Text(of.email.clone()),
                        Cell::Text(of.role.clone()),
                        Cell::Text(of.functions.join(", ")),
                        Cell::Text(if of.systems.is_empty() { "all".into() } else { of.systems.join(", ") }),
                        of.seen_at.map_or(Cell::Empty, Cell::Instant),
                        Cell::State { word: if of.is_active { "active" } else { "locked" }, like: None },
                    ]
                })
                .collect(),
            empty: "There is no user.".into(),
        }]
    }
}

pub fn users(frame: &Frame, of: &UsersPage) -> String {
    settings(
        frame,
        Tab::Users,
        of.error.as_deref(),
        &html! {
            @if let Some(link) = &of.invitation { (shown_once("The setup link for the new user", link)) }
            (part("users", "Users", &html! { p.sub { (format::counted(of.users.len() as u64, "user", "users")) } }, &of.tables().remove(0).html(&frame.path)))
            (part("invite", "Invite", &html! {}, &html! {
                form.stacked.narrow-form method="post" action=(link::USERS) {
                    (form::csrf(&frame.csrf))
                    (Field::new("user-name", "name", "Name").markup())
                    (Field { kind: "email", ..Field::new("user-email", "email", "E-mail") }.markup())
                    (form::select("user-role", "role", "Role", &of.roles, ""))
                    button.primary type="submit" { "Invite" }
                }
            }))
        },
    )
}

/// The form that changes a user.
pub fn user(frame: &Frame, of: &UserPage) -> String {
    let user = &of.user;
    settings(
        frame,
        Tab::Users,
        of.error.as_deref(),
        &html! {
            (part("user", &user.name, &html! { p.sub { (user.email) } }, &html! {
                @if of.identities.iter().any(|identity| identity.follows) { p.sub { "The groups at the provider decide role, functions and systems again when the user next signs in." } }
                form.stacked.narrow-form method="post" action=(link::user(&user.id)) {
                    (form::csrf(&frame.csrf))
                    (form::select("user-role", "role", "Role", &of.roles, &user.role))
                    fieldset {
                        legend { "Functions" }
                        @for name in &of.functions { label.check { input type="checkbox" name="function" value=(name) checked[user.functions.contains(name)]; span { (name) } } }
                    }
                    fieldset {
                        legend { "Systems that they may see; none chosen means all" }
                        @for system in &of.systems { label.check { input type="checkbox" name="system" value=(system.id) checked[user.systems.contains(&system.id)]; span { (system.name) } } }
                    }
                    label.check { input type="checkbox" name="active" value="yes" checked[user.is_active]; span { "May come in" } }
                    button.primary type="submit" { "Save" }
                }
            }))
            @if of.provider.is_some() || !of.identities.is_empty() {
                (part("sign-on", "Single sign-on", &html! {}, &identity::of_user(frame, &user.id, of.provider.as_deref(), &of.identities)))
            }
        },
    )
}
