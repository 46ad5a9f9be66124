//! What every page shows around its own content: where one is, who one is, where else one can go.

use jiff::Timestamp;
use maud::{DOCTYPE, Markup, html};

use super::asset::{ICON, SCRIPT, STYLE};
use super::{form, link};
use crate::chart::heat_map;
use crate::page::{header, verdict};

/// What the server knows about the request that a page answers.
#[derive(Clone, Debug)]
pub struct Frame {
    /// Name and version of the program.
    pub program: String,
    pub now: Timestamp,
    /// The path and the query of this page.
    pub path: String,
    /// `None` before anybody has signed in.
    pub reader: Option<Reader>,
    /// What every form sends back.
    pub csrf: String,
    pub theme: Theme,
    pub alerts_firing: u64,
    /// Said once, after a form was sent.
    pub notice: Option<Notice>,
}

/// Who is reading, and what they may do.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Reader {
    pub name: String,
    /// `risk manager`.
    pub role: String,
    /// Acknowledge and silence alerts, run jobs.
    pub may_act: bool,
    /// Manage users and channels.
    pub may_manage: bool,
    /// There is an account to sign out of; not with `--insecure-no-auth`.
    pub signed_in: bool,
}

/// Light and dark.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Theme {
    /// As the reader's system wishes.
    #[default]
    System,
    Light,
    Dark,
}

impl Theme {
    pub const ALL: [Self; 3] = [Self::System, Self::Light, Self::Dark];

    /// The value of the cookie and of the form.
    pub fn word(self) -> &'static str {
        match self {
            Self::System => "system",
            Self::Light => "light",
            Self::Dark => "dark",
        }
    }

    pub fn named(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|theme| theme.word() == word)
    }

    fn forced(self) -> Option<&'static str> {
        (self != Self::System).then(|| self.word())
    }
}

/// What came of a form.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Notice {
    pub good: bool,
    pub text: String,
}

/// What a page fills the frame with.
pub(super) struct Content<'a> {
    /// In the window's title, before the program's name.
    pub(super) title: String,
    /// The way here, outermost first; the page itself is not in it.
    pub(super) crumbs: Vec<(&'a str, String)>,
    /// The part of the site that it belongs to: one of the paths of the navigation.
    pub(super) place: &'a str,
    /// What the page follows, as events name it: `alerts`, `jobs`, `evidence`, `system:ID`; parted by spaces.
    pub(super) topics: String,
    /// What stands in the one `h1`; a body that brings its own leaves it empty.
    pub(super) heading: Markup,
    pub(super) lead: Option<Markup>,
    /// What can be done with the page.
    pub(super) actions: Option<Markup>,
    pub(super) body: Markup,
}

impl Default for Content<'_> {
    fn default() -> Self {
        let nothing = || html! {};
        Self {
            title: String::new(),
            crumbs: Vec::new(),
            place: "",
            topics: String::new(),
            heading: nothing(),
            lead: None,
            actions: None,
            body: nothing(),
        }
    }
}

const PLACES: [(&str, &str); 5] = [
    (link::OVERVIEW, "Systems"),
    (link::ALERTS, "Alerts"),
    (link::EVIDENCE, "Evidence"),
    (link::JOBS, "Jobs"),
    (link::ACCOUNT, "Settings"),
];

impl Frame {
    pub(super) fn may_act(&self) -> bool {
        self.reader.as_ref().is_some_and(|reader| reader.may_act)
    }

    pub(super) fn may_manage(&self) -> bool {
        self.reader.as_ref().is_some_and(|reader| reader.may_manage)
    }

    /// The page as a document.
    pub(super) fn document(&self, content: &Content<'_>) -> String {
        self.shell(&content.title, &html! {
            (self.top(content.place))
            main id="main" tabindex="-1" data-live=[(!content.topics.is_empty()).then_some(&content.topics)] {
                (crumbs(&content.crumbs))
                (self.notice())
                @if !content.heading.0.is_empty() {
                    div.page-head {
                        div { h1 { (content.heading) } @if let Some(lead) = &content.lead { div.lead { (lead) } } }
                        @if let Some(actions) = &content.actions { div.actions { (actions) } }
                    }
                }
                (content.body)
            }
        })
    }

    /// A page for those who are not in: one card in the middle.
    pub(super) fn card(&self, title: &str, body: &Markup) -> String {
        self.shell(
            title,
            &html! {
                main.card-page id="main" tabindex="-1" {
                    p.brand-line { (header::mark()) "Forewarn" }
                    (self.notice())
                    div.card { (body) }
                }
            },
        )
    }

    fn shell(&self, title: &str, body: &Markup) -> String {
        html! {
            (DOCTYPE)
            html lang="en" data-theme=[self.theme.forced()] {
                head {
                    meta charset="utf-8";
                    meta name="viewport" content="width=device-width, initial-scale=1";
                    meta name="color-scheme" content="light dark";
                    link rel="icon" type="image/svg+xml" href=(ICON.path);
                    link rel="stylesheet" href=(STYLE.path);
                    script src=(SCRIPT.path) defer {}
                    title { (title) " · Forewarn" }
                }
                body.site data-events=[self.reader.as_ref().map(|_| link::EVENTS)] {
                    (verdict::icons())
                    (heat_map::marks())
                    a.skip href="#main" { "Skip to the content" }
                    (body)
                    footer { p { (self.program) " · times in UTC" span.zone {} } }
                }
            }
        }
        .into_string()
    }

    fn top(&self, place: &str) -> Markup {
        html! {
            header.bar {
                div.inner {
                    a.home href=(link::OVERVIEW) aria-label="Forewarn: all systems" { (header::mark()) span { "Forewarn" } }
                    nav.places aria-label="Main" {
                        ul { @for (path, name) in PLACES { li {
                            a href=(path) aria-current=[(path == place).then_some("page")] {
                                (name)
                                @if path == link::ALERTS && self.alerts_firing > 0 { span.badge { (self.alerts_firing) span.visually-hidden { " firing" } } }
                            }
                        } } }
                    }
                    (search(""))
                    @if let Some(reader) = &self.reader { (self.menu(reader)) }
                }
            }
        }
    }

    fn menu(&self, reader: &Reader) -> Markup {
        let initials: String =
            reader.name.split_whitespace().filter_map(|word| word.chars().next()).take(2).collect();
        html! {
            details.user {
                summary { span.avatar aria-hidden="true" { (initials.to_uppercase()) } span.visually-hidden { "Account of " (reader.name) } }
                div.menu {
                    p { strong { (reader.name) } span.sub { (reader.role) } }
                    form.theme method="post" action=(link::THEME) {
                        (form::csrf(&self.csrf))
                        input type="hidden" name="back" value=(self.path);
                        span.sub id="theme-label" { "Theme" }
                        div role="group" aria-labelledby="theme-label" {
                            @for theme in Theme::ALL {
                                button type="submit" name="theme" value=(theme.word()) aria-pressed=(if theme == self.theme { "true" } else { "false" }) { (theme.word()) }
                            }
                        }
                    }
                    a href=(link::ACCOUNT) { "Account and tokens" }
                    @if reader.signed_in {
                        form method="post" action=(link::LOGOUT) { (form::csrf(&self.csrf)) button.plain-button type="submit" { "Sign out" } }
                    }
                }
            }
        }
    }

    fn notice(&self) -> Markup {
        html! {
            @if let Some(notice) = &self.notice {
                p class=(if notice.good { "notice good" } else { "notice bad" }) role="status" { (notice.text) }
            }
        }
    }
}

/// The box that `/` leads to.
pub(super) fn search(query: &str) -> Markup {
    html! {
        form.search role="search" method="get" action=(link::SEARCH) {
            label.visually-hidden for="search" { "Search systems, columns, checks and alerts" }
            input id="search" type="search" name="q" value=(query) placeholder="Search" autocomplete="off" aria-keyshortcuts="/";
        }
    }
}

fn crumbs(crumbs: &[(&str, String)]) -> Markup {
    html! {
        @if !crumbs.is_empty() {
            nav.crumbs aria-label="Breadcrumbs" {
                ol { @for (name, href) in crumbs { li { a href=(href) { (name) } } } }
            }
        }
    }
}

/// A part of a page with a heading, and what its reader asks.
pub(super) fn part(id: &str, title: &str, aside: &Markup, body: &Markup) -> Markup {
    html! {
        section id=(id) aria-labelledby=(format!("{id}-title")) {
            div.section-head { h2 id=(format!("{id}-title")) { (title) } (aside) }
            (body)
        }
    }
}
