//! Settings: the reader's account and tokens, and for admins users and channels.

use jiff::Timestamp;
use maud::{Markup, html};
use types::{Verdict, format};

use super::form::{self, Field};
use super::frame::{Content, part};
use super::table::{Cell, Column, Table};
use super::{Frame, link, moment, status};

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

/// Tokens for the API.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TokensPage {
    pub tokens: Vec<TokenRow>,
    /// Scopes to choose from: the name, and what it allows.
    pub scopes: Vec<(String, String)>,
    /// The text of a token that was just made; it is shown this once.
    pub made: Option<String>,
    pub error: Option<String>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TokenRow {
    pub id: String,
    pub name: String,
    pub scopes: Vec<String>,
    pub made_at: Timestamp,
    pub expires_at: Option<Timestamp>,
    pub used_at: Option<Timestamp>,
}

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

/// Where messages go.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ChannelsPage {
    pub channels: Vec<ChannelRow>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ChannelRow {
    pub name: String,
    /// `e-mail`, `Slack`, `PagerDuty`.
    pub kind: String,
    /// Without its secret.
    pub target: String,
    pub delivered_at: Option<Timestamp>,
    /// Why the last delivery failed.
    pub failure: Option<String>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Tab {
    Account,
    Tokens,
    Users,
    Channels,
}

impl Tab {
    const ALL: [(Self, &'static str, &'static str); 4] = [
        (Self::Account, "Account", link::ACCOUNT),
        (Self::Tokens, "Tokens", link::TOKENS),
        (Self::Users, "Users", link::USERS),
        (Self::Channels, "Channels", link::CHANNELS),
    ];

    fn needs_admin(self) -> bool {
        matches!(self, Self::Users | Self::Channels)
    }
}

fn settings(frame: &Frame, tab: Tab, error: Option<&str>, body: &Markup) -> String {
    let shown = Tab::ALL.into_iter().filter(|(tab, ..)| !tab.needs_admin() || frame.may_manage());
    let title = Tab::ALL.into_iter().find(|(of, ..)| *of == tab).map_or("Settings", |(_, title, _)| title);
    frame.document(&Content {
        title: format!("{title} · Settings"),
        place: link::ACCOUNT,
        heading: html! { "Settings" },
        body: html! {
            nav.tabs aria-label="Settings" { ul { @for (of, name, path) in shown { li { a href=(path) aria-current=[(of == tab).then_some("page")] { (name) } } } } }
            (form::error(error))
            (body)
        },
        ..Content::default()
    })
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
                    (Field { kind: "password", autocomplete: "current-password", ..Field::new("current", "current", "Current password") }.markup())
                    (Field { kind: "password", autocomplete: "new-password", hint: "All other browsers are signed out.", ..Field::new("new", "new", "New password") }.markup())
                    button type="submit" { "Change" }
                }
            })) }
            (part("sessions", "Signed in", &html! {}, &html! {
                ul.found { @for session in &of.sessions { li { div { p.name { (session.browser) @if session.is_this { span.tag { "this one" } } } p.sub { (session.address) ", last seen " (moment::ago(session.seen_at, frame.now)) } } } } }
                @if of.sessions.len() > 1 { form method="post" action=(link::SESSIONS_END) { (form::csrf(&frame.csrf)) button type="submit" { "Sign out everywhere else" } } }
            }))
        },
    )
}

impl TokensPage {
    pub fn tables(&self) -> Vec<Table> {
        vec![Table {
            name: "tokens",
            caption: "Tokens".into(),
            columns: vec![
                Column::text("name", "Name"),
                Column::text("scopes", "May"),
                Column::text("made_at", "Made"),
                Column::text("expires_at", "Expires"),
                Column::text("used_at", "Last used"),
            ],
            rows: self
                .tokens
                .iter()
                .map(|of| {
                    let instant = |at: Option<Timestamp>| at.map_or(Cell::Empty, Cell::Instant);
                    vec![
                        Cell::Text(of.name.clone()),
                        Cell::Text(of.scopes.join(", ")),
                        Cell::Instant(of.made_at),
                        instant(of.expires_at),
                        instant(of.used_at),
                    ]
                })
                .collect(),
            empty: "There is no token yet. A program that sends predictions or evidence needs one.".into(),
        }]
    }
}

pub fn tokens(frame: &Frame, of: &TokensPage) -> String {
    let expiry: Vec<_> = [("30", "30 days"), ("90", "90 days"), ("365", "1 year")]
        .map(|(days, text)| (days.to_owned(), text.to_owned()))
        .into();
    settings(
        frame,
        Tab::Tokens,
        of.error.as_deref(),
        &html! {
            @if let Some(made) = &of.made { (shown_once("The token", made)) }
            (part("tokens", "Your tokens", &html! {}, &html! {
                @if of.tokens.is_empty() { p.empty.panel { "There is no token yet. A program that sends predictions or evidence needs one." } } @else {
                    ul.issues { @for token in &of.tokens { (token_row(frame, token)) } }
                    @for table in of.tables() { (table.downloads(&frame.path)) }
                }
            }))
            (part("new-token", "New token", &html! {}, &html! {
                form.stacked.narrow-form method="post" action=(link::TOKENS) {
                    (form::csrf(&frame.csrf))
                    (Field { hint: "What it is for: the pipeline, the server.", ..Field::new("token-name", "name", "Name") }.markup())
                    fieldset { legend { "It may" } @for (scope, allows) in &of.scopes { label.check { input type="checkbox" name="scope" value=(scope); span { code { (scope) } " " span.sub { (allows) } } } } }
                    (form::select("token-expiry", "days", "It ends after", &expiry, "90"))
                    button.primary type="submit" { "Make" }
                }
            }))
        },
    )
}

fn token_row(frame: &Frame, of: &TokenRow) -> Markup {
    html! {
        li.issue.two {
            div {
                h3 { (of.name) }
                p.sub {
                    "may " (of.scopes.join(", ")) " · "
                    @match of.used_at { Some(at) => { "last used " (moment::ago(at, frame.now)) }, None => "never used" }
                    @match of.expires_at {
                        Some(at) if at <= frame.now => { " · " span.expired { "expired " (moment::ago(at, frame.now)) } },
                        Some(at) => { " · expires " (moment::instant(at)) },
                        None => " · does not expire",
                    }
                }
            }
            form method="post" action=(link::revoke_token(&of.id)) { (form::csrf(&frame.csrf)) button type="submit" aria-label=(format!("Revoke {}", of.name)) { "Revoke" } }
        }
    }
}

/// A secret that will not be shown again.
fn shown_once(what: &str, text: &str) -> Markup {
    html! { div.notice.good role="status" { p { strong { (what) } ". Copy it now; it is not shown again." } p { code.secret { (text) } } } }
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

pub fn channels(frame: &Frame, of: &ChannelsPage) -> String {
    settings(
        frame,
        Tab::Channels,
        None,
        &part(
            "channels",
            "Channels",
            &html! { p.sub { "from " code { "organisation.toml" } } },
            &html! {
                @if of.channels.is_empty() {
                    p.empty.panel { "Nobody is told anything yet: no channel is defined. Add one to " code { "organisation.toml" } " and send a test message from here." }
                } @else {
                    ul.issues { @for channel in &of.channels { (channel_row(frame, channel)) } }
                    @for table in of.tables() { (table.downloads(&frame.path)) }
                }
            },
        ),
    )
}

impl ChannelsPage {
    pub fn tables(&self) -> Vec<Table> {
        vec![Table {
            name: "channels",
            caption: "Channels".into(),
            columns: vec![
                Column::text("name", "Name"),
                Column::text("kind", "Kind"),
                Column::text("target", "Target"),
                Column::text("delivered_at", "Last delivered"),
                Column::text("failure", "Last failure"),
            ],
            rows: self
                .channels
                .iter()
                .map(|of| {
                    vec![
                        Cell::Text(of.name.clone()),
                        Cell::Text(of.kind.clone()),
                        Cell::Text(of.target.clone()),
                        of.delivered_at.map_or(Cell::Empty, Cell::Instant),
                        Cell::optional(of.failure.as_deref()),
                    ]
                })
                .collect(),
            empty: "No channel is defined.".into(),
        }]
    }
}

fn channel_row(frame: &Frame, of: &ChannelRow) -> Markup {
    let (word, like) = match (&of.failure, of.delivered_at) {
        (Some(_), _) => ("failing", Verdict::Fail),
        (None, Some(_)) => ("working", Verdict::Pass),
        (None, None) => ("never used", Verdict::Unknown),
    };
    html! {
        li.issue {
            (status::chip(word, Some(like)))
            div {
                h3 { (of.name) }
                p.sub { (of.kind) " to " (of.target) @if let Some(at) = of.delivered_at { ", last delivered " (moment::ago(at, frame.now)) } }
                @if let Some(failure) = &of.failure { p.sentence { (failure) } }
            }
            form method="post" action=(link::test_channel(&of.name)) { (form::csrf(&frame.csrf)) button type="submit" aria-label=(format!("Send a test message to {}", of.name)) { "Test" } }
        }
    }
}
