//! Markup of the pages of this module: plain, and complete without a script.

use app::access::{PASSWORD_LENGTH_MIN, SessionRow};
use axum::http::header::{CACHE_CONTROL, CONTENT_TYPE, HeaderValue};
use axum::response::{IntoResponse as _, Response};
use maud::{DOCTYPE, Markup, html};
use types::access::{Function, Reach, Role, Scope, Token, User};

use super::{Problem, Signed};

pub(super) const HTML: &str = "text/html; charset=utf-8";

#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct LoginPage<'a> {
    /// The login that was tried.
    pub(super) email: &'a str,
    pub(super) error: Option<String>,
    /// Where to go afterwards.
    pub(super) back: &'a str,
}

#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct SetupPage<'a> {
    /// From the link; sent back with the form.
    pub(super) token: &'a str,
    pub(super) name: &'a str,
    pub(super) email: &'a str,
    /// For an account that is there already; it is only the password that is missing.
    pub(super) is_invitation: bool,
    pub(super) error: Option<String>,
}

#[derive(Clone, Copy, Debug)]
pub(super) struct TokensPage<'a> {
    pub(super) tokens: &'a [Token],
    /// The text of a token that was just made; shown this once.
    pub(super) made: Option<&'a str>,
    pub(super) error: Option<&'a str>,
}

#[derive(Clone, Copy, Debug)]
pub(super) struct UsersPage<'a> {
    pub(super) users: &'a [User],
    /// The link for a user who was just invited; shown this once.
    pub(super) invitation: Option<&'a str>,
    pub(super) error: Option<&'a str>,
}

/// A page that no cache keeps.
pub(super) fn show(page: String) -> Response {
    no_store(([(CONTENT_TYPE, HTML)], page).into_response())
}

/// A page that says itself what went wrong.
pub(super) fn show_with(problem: Problem, page: String) -> Response {
    no_store(problem.respond(HTML, page))
}

fn no_store(mut response: Response) -> Response {
    response.headers_mut().insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
    response
}

fn document(title: &str, body: &Markup) -> String {
    html! {
        (DOCTYPE)
        html lang="en" {
            head {
                meta charset="utf-8";
                meta name="viewport" content="width=device-width, initial-scale=1";
                title { (title) " · Forewarn" }
            }
            body { main { h1 { (title) } (body) } }
        }
    }
    .into_string()
}

pub(super) fn problem(title: &str, detail: &str) -> String {
    document(title, &html! { p role="alert" { (detail) } p { a href="/" { "Start page" } } })
}

fn error(said: Option<&str>) -> Markup {
    html! { @if let Some(said) = said { p role="alert" { (said) } } }
}

fn csrf(signed: &Signed) -> Markup {
    html! { input type="hidden" name="csrf" value=(signed.csrf); }
}

fn field(name: &str, label: &str, kind: &str, value: &str, autocomplete: &str) -> Markup {
    html! { p { label { (label) " " input name=(name) type=(kind) value=(value) autocomplete=(autocomplete) required; } } }
}

pub(super) fn login(of: &LoginPage<'_>) -> String {
    document(
        "Sign in",
        &html! {
            (error(of.error.as_deref()))
            form method="post" action="/login" {
                input type="hidden" name="back" value=(of.back);
                (field("email", "E-mail", "text", of.email, "username"))
                (field("password", "Password", "password", "", "current-password"))
                button type="submit" { "Sign in" }
            }
        },
    )
}

pub(super) fn setup(of: &SetupPage<'_>) -> String {
    let title = if of.is_invitation { "Choose a password" } else { "Set up Forewarn" };
    document(
        title,
        &html! {
            (error(of.error.as_deref()))
            @if of.is_invitation { p { (of.name) ", " (of.email) } }
            form method="post" action="/setup" {
                input type="hidden" name="token" value=(of.token);
                @if !of.is_invitation {
                    (field("name", "Your name", "text", of.name, "name"))
                    (field("email", "E-mail", "text", of.email, "username"))
                }
                (field("password", "Password", "password", "", "new-password"))
                p { "At least " (PASSWORD_LENGTH_MIN) " characters; a few words in a row are good." }
                button type="submit" { "Go on" }
            }
        },
    )
}

fn tabs() -> Markup {
    html! {
        nav aria-label="Settings" {
            a href="/settings" { "Account" } " " a href="/settings/tokens" { "Tokens" } " " a href="/settings/users" { "Users" }
        }
    }
}

pub(super) fn account(signed: &Signed, sessions: &[SessionRow], said: Option<&str>) -> String {
    let here = signed.session.as_ref().map(|session| session.secret.digest());
    document(
        "Account",
        &html! {
            (tabs())
            (error(said))
            p { (signed.caller.name()) ", " (signed.caller.permission.role) }
            @if signed.session.is_some() {
                form method="post" action="/settings/password" {
                    (csrf(signed))
                    (field("current", "Current password", "password", "", "current-password"))
                    (field("new", "New password", "password", "", "new-password"))
                    button type="submit" { "Change" }
                }
                ul { @for session in sessions { li {
                    (session.browser) ", " (session.address) ", last seen " (session.seen)
                    @if Some(session.secret) == here { " (this one)" }
                } } }
                form method="post" action="/settings/sessions/end" { (csrf(signed)) button type="submit" { "Sign out everywhere else" } }
                form method="post" action="/logout" { (csrf(signed)) button type="submit" { "Sign out" } }
            }
        },
    )
}

pub(super) fn tokens(signed: &Signed, of: &TokensPage<'_>) -> String {
    document(
        "Tokens",
        &html! {
            (tabs())
            (error(of.error))
            @if let Some(made) = of.made { p role="status" { "The token. Copy it now; it is not shown again: " code { (made) } } }
            ul { @for token in of.tokens { li {
                (token.name) ", " code { (token.prefix) "…" } ", "
                @for scope in &token.scopes { (scope) " " }
                @if let Some(at) = token.revoked { "revoked " (at) } @else {
                    "until " (token.expires)
                    form method="post" action=(format!("/settings/tokens/{}/revoke", token.id)) { (csrf(signed)) button type="submit" { "Revoke" } }
                }
            } } }
            form method="post" action="/settings/tokens" {
                (csrf(signed))
                (field("name", "What it is for", "text", "", "off"))
                @for scope in Scope::ALL { p { label { input type="checkbox" name="scope" value=(scope.word()); " " (scope) ": " (scope.allows()) } } }
                p { label { "Systems, all if empty " input name="systems" type="text" autocomplete="off"; } }
                (field("days", "Days", "number", "90", "off"))
                button type="submit" { "Make" }
            }
        },
    )
}

pub(super) fn users(signed: &Signed, of: &UsersPage<'_>) -> String {
    document(
        "Users",
        &html! {
            (tabs())
            (error(of.error))
            @if let Some(link) = of.invitation { p role="status" { "The link with which the user chooses a password. Copy it now; it is not shown again: " code { (link) } } }
            ul { @for user in of.users { li {
                (user.name) ", " (user.login) ", " (user.role) ", "
                @match &user.systems { Reach::All => "all systems", Reach::Only(systems) => { @for system in systems { (system) " " } } }
                @let (state, act) = if user.is_disabled { ("active", "Enable") } else { ("disabled", "Disable") };
                form method="post" action=(format!("/settings/users/{}", user.id)) {
                    (csrf(signed)) input type="hidden" name="state" value=(state);
                    button type="submit" { (act) }
                }
                form method="post" action=(format!("/settings/users/{}/invite", user.id)) { (csrf(signed)) button type="submit" { "New link" } }
            } } }
            form method="post" action="/settings/users" {
                (csrf(signed))
                (field("name", "Name", "text", "", "off"))
                (field("email", "E-mail", "text", "", "off"))
                p { label { "Role " select name="role" { @for role in Role::ALL { option value=(role.word()) { (role) } } } } }
                @for function in Function::ALL { p { label { input type="checkbox" name="function" value=(function.word()); " " (function) } } }
                p { label { "Systems, all if empty " input name="systems" type="text" autocomplete="off"; } }
                button type="submit" { "Invite" }
            }
        },
    )
}
