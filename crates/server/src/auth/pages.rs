//! What the pages of this module show, put into the site's own.

use app::PROGRAM;
use app::access::{Identity, PASSWORD_LENGTH_MIN, SessionRow};
use axum::http::header::{CACHE_CONTROL, CONTENT_TYPE, HeaderValue};
use axum::response::{IntoResponse as _, Response};
use jiff::Timestamp;
use types::access::{Function, Reach, Role, Scope, Token, User};
use view::site::settings::{IdentityRow, TokenRow, UserRow};
use view::site::{Frame, SystemRef, Theme, entry, link, settings};

use super::login::Sender;
use super::{AuthState, Problem, Signed};
use crate::visitor::reader;

pub(super) const HTML: &str = "text/html; charset=utf-8";

#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct LoginPage<'a> {
    /// The login that was tried.
    pub(super) email: &'a str,
    pub(super) error: Option<String>,
    /// Where to go afterwards.
    pub(super) back: &'a str,
    /// What the provider of single sign-on is called, where there is one.
    provider: Option<&'a str>,
    has_passwords: bool,
    theme: Theme,
}

impl<'a> LoginPage<'a> {
    pub(super) fn of(state: &'a AuthState, from: &Sender, back: &'a str) -> Self {
        Self {
            email: "",
            error: None,
            back,
            provider: state.provider_name(),
            has_passwords: state.login.has_passwords,
            theme: from.theme,
        }
    }
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
    pub(super) theme: Theme,
}

#[derive(Clone, Copy, Debug)]
pub(super) struct AccountPage<'a> {
    pub(super) sessions: &'a [SessionRow],
    pub(super) identities: &'a [Identity],
    pub(super) has_password: bool,
    pub(super) provider: Option<&'a str>,
    pub(super) error: Option<&'a str>,
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

#[derive(Clone, Copy, Debug)]
pub(super) struct UserPage<'a> {
    pub(super) user: &'a User,
    /// The systems that there are to choose from.
    pub(super) systems: &'a [SystemRef],
    pub(super) identities: &'a [Identity],
    pub(super) provider: Option<&'a str>,
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

/// What stands around a page of somebody who signed in.
pub(super) fn frame(signed: &Signed, path: &str, alerts_firing: u64) -> Frame {
    Frame {
        program: PROGRAM.into(),
        now: signed.at,
        path: path.to_owned(),
        reader: Some(reader(signed)),
        csrf: signed.csrf.clone(),
        theme: signed.theme,
        alerts_firing,
        notice: None,
    }
}

/// What stands around a page of nobody.
pub(super) fn outside(theme: Theme, path: &str) -> Frame {
    Frame {
        program: PROGRAM.into(),
        now: Timestamp::now(),
        path: path.to_owned(),
        reader: None,
        csrf: String::new(),
        theme,
        alerts_firing: 0,
        notice: None,
    }
}

pub(super) fn problem(problem: &Problem) -> String {
    view::site::problem::page(&outside(Theme::System, ""), &problem.page())
}

pub(super) fn login(of: &LoginPage<'_>) -> String {
    let page = entry::LoginPage {
        email: of.email.to_owned(),
        error: of.error.clone(),
        back: of.back.to_owned(),
        single_sign_on: of.provider.map(str::to_owned),
        has_passwords: of.has_passwords,
    };
    entry::login(&outside(of.theme, link::LOGIN), &page)
}

pub(super) fn setup(of: &SetupPage<'_>) -> String {
    let page = entry::SetupPage {
        token: of.token.to_owned(),
        name: of.name.to_owned(),
        email: of.email.to_owned(),
        is_invitation: of.is_invitation,
        error: of.error.clone(),
        password_length_min: PASSWORD_LENGTH_MIN as u64,
    };
    entry::setup(&outside(of.theme, link::SETUP), &page)
}

pub(super) fn account(frame: &Frame, signed: &Signed, of: &AccountPage<'_>) -> String {
    let here = signed.session.as_ref().map(|session| session.secret.digest());
    let account = signed.caller.account();
    let page = settings::AccountPage {
        name: signed.caller.name().to_owned(),
        email: account.map(|user| user.login.clone()).unwrap_or_default(),
        role: signed.caller.permission.role.shown().to_owned(),
        functions: account.map(functions).unwrap_or_default(),
        has_password: of.has_password,
        provider: of.provider.map(str::to_owned),
        identities: of.identities.iter().map(identity_row).collect(),
        sessions: of
            .sessions
            .iter()
            .map(|session| settings::SessionRow {
                browser: session.browser.clone(),
                address: session.address.clone(),
                seen_at: session.seen,
                is_this: Some(session.secret) == here,
            })
            .collect(),
        error: of.error.map(str::to_owned),
    };
    settings::account(frame, &page)
}

pub(super) fn tokens(frame: &Frame, of: &TokensPage<'_>) -> String {
    let row = |token: &Token| TokenRow {
        id: token.id.clone(),
        // Tells it from others of the same name.
        name: format!("{} ({}…)", token.name, token.prefix),
        scopes: token.scopes.iter().map(|scope| scope.word().to_owned()).collect(),
        made_at: token.created,
        expires_at: Some(token.expires),
        used_at: token.used,
    };
    let page = settings::TokensPage {
        tokens: of.tokens.iter().filter(|token| token.revoked.is_none()).map(row).collect(),
        scopes: Scope::ALL.iter().map(|scope| (scope.word().to_owned(), scope.allows().to_owned())).collect(),
        made: of.made.map(str::to_owned),
        error: of.error.map(str::to_owned),
    };
    settings::tokens(frame, &page)
}

pub(super) fn users(frame: &Frame, of: &UsersPage<'_>) -> String {
    let page = settings::UsersPage {
        users: of.users.iter().map(user_row).collect(),
        roles: roles(),
        invitation: of.invitation.map(str::to_owned),
        error: of.error.map(str::to_owned),
    };
    settings::users(frame, &page)
}

pub(super) fn user(frame: &Frame, of: &UserPage<'_>) -> String {
    let page = settings::UserPage {
        user: user_row(of.user),
        roles: roles(),
        functions: Function::ALL.iter().map(|function| function.word().to_owned()).collect(),
        systems: of.systems.to_vec(),
        provider: of.provider.map(str::to_owned),
        identities: of.identities.iter().map(identity_row).collect(),
        error: of.error.map(str::to_owned),
    };
    settings::user(frame, &page)
}

/// The role's word, and the word that people read.
fn roles() -> Vec<(String, String)> {
    Role::ALL.iter().map(|role| (role.word().to_owned(), role.shown().to_owned())).collect()
}

fn functions(user: &User) -> Vec<String> {
    user.functions.iter().map(|function| function.word().to_owned()).collect()
}

fn identity_row(of: &Identity) -> IdentityRow {
    IdentityRow {
        issuer: of.issuer.clone(),
        subject: of.subject.clone(),
        shown: of.shown.clone(),
        follows: of.follows,
    }
}

fn user_row(user: &User) -> UserRow {
    UserRow {
        id: user.id.clone(),
        name: user.name.clone(),
        email: user.login.clone(),
        role: user.role.word().to_owned(),
        functions: functions(user),
        systems: match &user.systems {
            Reach::All => Vec::new(),
            Reach::Only(systems) => systems.iter().cloned().collect(),
        },
        seen_at: user.seen,
        is_active: !user.is_disabled,
    }
}
