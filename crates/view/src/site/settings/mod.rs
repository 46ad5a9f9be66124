//! Settings: the reader's account and tokens; for admins users, channels and the audit log.

mod account;
mod audit;
mod channels;
mod identity;
mod tokens;
mod users;

use maud::{Markup, html};

use super::frame::Content;
use super::{Frame, form, link};

pub use account::{AccountPage, SessionRow, account};
pub use audit::{AuditPage, AuditRow, audit};
pub use channels::{ChannelRow, ChannelsPage, channels};
pub use identity::IdentityRow;
pub use tokens::{TokenRow, TokensPage, tokens};
pub use users::{UserPage, UserRow, UsersPage, user, users};

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Tab {
    Account,
    Tokens,
    Users,
    Channels,
    Audit,
}

impl Tab {
    const ALL: [(Self, &'static str, &'static str); 5] = [
        (Self::Account, "Account", link::ACCOUNT),
        (Self::Tokens, "Tokens", link::TOKENS),
        (Self::Users, "Users", link::USERS),
        (Self::Channels, "Channels", link::CHANNELS),
        (Self::Audit, "Audit log", link::AUDIT),
    ];

    fn needs_admin(self) -> bool {
        matches!(self, Self::Users | Self::Channels | Self::Audit)
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

/// A secret that will not be shown again.
fn shown_once(what: &str, text: &str) -> Markup {
    html! { div.notice.good role="status" { p { strong { (what) } ". Copy it now; it is not shown again." } p { code.secret { (text) } } } }
}
