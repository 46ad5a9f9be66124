//! Pages about people and programs: settings, the way in, search, and what goes wrong.

use jiff::SignedDuration;
use view::site::entry::{CrossingPage, LoginPage, RefusedPage, SetupPage};
use view::site::frame::{Frame, Notice};
use view::site::problem::{Problem, ProblemPage};
use view::site::search::{Hit, SearchPage};
use view::site::settings::{
    AccountPage, AuditPage, AuditRow, ChannelRow, ChannelsPage, IdentityRow, SessionRow, TokenRow,
    TokensPage, UserPage, UserRow, UsersPage,
};
use view::site::{self, link};

use super::{Page, World};

pub(super) fn pages(world: &World) -> Vec<Page> {
    let frame = |path: &str| world.frame(path);
    let outside = Frame { reader: None, ..frame("/") };
    let setup = SetupPage {
        token: "once".into(),
        password_length_min: 12,
        error: Some("The two passwords differ.".into()),
        ..SetupPage::default()
    };
    let mut pages = vec![
        (
            link::ACCOUNT.into(),
            site::settings::account(
                &Frame { notice: Some(Notice { good: true, text: "Saved.".into() }), ..frame(link::ACCOUNT) },
                &account(world),
            ),
        ),
        (link::TOKENS.into(), site::settings::tokens(&frame(link::TOKENS), &tokens(world))),
        (link::USERS.into(), site::settings::users(&frame(link::USERS), &users(world))),
        (link::user("tom"), site::settings::user(&frame(&link::user("tom")), &user(world))),
        (link::AUDIT.into(), site::settings::audit(&frame(link::AUDIT), &audit(world))),
        (link::CHANNELS.into(), site::settings::channels(&frame(link::CHANNELS), &channels(world))),
        (
            "/channels-empty".into(),
            site::settings::channels(&frame("/"), &ChannelsPage { channels: Vec::new() }),
        ),
        (link::LOGIN.into(), site::entry::login(&outside, &login())),
        (link::SETUP.into(), site::entry::setup(&outside, &setup)),
        (link::SIGNED_ON.into(), site::entry::refused(&outside, &refused())),
        (link::SIGNED_OUT.into(), site::entry::crossing(&outside, &crossing())),
        (link::SEARCH.into(), site::search::page(&frame(link::SEARCH), &search(world))),
        (
            "/search-empty".into(),
            site::search::page(
                &frame(link::SEARCH),
                &SearchPage { query: "<b>nothing</b>".into(), hits: Vec::new() },
            ),
        ),
    ];
    let problems = [
        Problem::BadRequest,
        Problem::Forbidden,
        Problem::NotFound,
        Problem::Conflict,
        Problem::TooManyRequests { retry_after_seconds: 30 },
        Problem::Internal,
        Problem::Unavailable,
    ];
    for kind in problems {
        let of = ProblemPage {
            kind,
            detail: "There is no system `flight-dealy`; did you mean `flight-delay`?".into(),
            request: Some("7c1f".into()),
        };
        pages.push((format!("/problem-{}", kind.status()), site::problem::page(&frame("/"), &of)));
    }
    let outside_problem = ProblemPage {
        kind: Problem::TooManyRequests { retry_after_seconds: 30 },
        detail: String::new(),
        request: None,
    };
    pages.push(("/problem-outside".into(), site::problem::page(&outside, &outside_problem)));
    pages
}

fn login() -> LoginPage {
    LoginPage {
        email: "ada@example.org".into(),
        error: None,
        back: "/alerts".into(),
        single_sign_on: Some("Keycloak".into()),
        has_passwords: true,
    }
}

fn account(world: &World) -> AccountPage {
    AccountPage {
        name: "Ada Okafor".into(),
        email: "ada@example.org".into(),
        role: "risk manager".into(),
        functions: vec!["legal".into(), "compliance".into()],
        has_password: true,
        provider: Some("Keycloak".into()),
        identities: vec![identity("ada@example.org", false)],
        sessions: vec![
            SessionRow {
                browser: "Firefox on Linux".into(),
                address: "10.0.0.7".into(),
                seen_at: world.now(),
                is_this: true,
            },
            SessionRow {
                browser: "Safari on iPhone".into(),
                address: "10.0.3.1".into(),
                seen_at: world.now() - SignedDuration::from_hours(52),
                is_this: false,
            },
        ],
        error: None,
    }
}

fn tokens(world: &World) -> TokensPage {
    TokensPage {
        tokens: vec![TokenRow {
            id: "t1".into(),
            name: "nightly pipeline".into(),
            scopes: vec!["predictions:write".into(), "evidence:write".into()],
            made_at: world.now() - SignedDuration::from_hours(900),
            expires_at: Some(world.now() + SignedDuration::from_hours(1200)),
            used_at: Some(world.now() - SignedDuration::from_hours(3)),
        }],
        scopes: vec![
            ("predictions:write".into(), "send predictions and outcomes".into()),
            ("evidence:write".into(), "send evidence of checks".into()),
            ("read".into(), "read everything that you may read".into()),
        ],
        made: Some("fw_3kTf0example0only0aX".into()),
        error: None,
    }
}

fn users(world: &World) -> UsersPage {
    let user = |id: &str, name: &str, role: &str, systems: &[&str]| UserRow {
        id: id.into(),
        name: name.into(),
        email: format!("{id}@example.org"),
        role: role.into(),
        functions: vec!["data science".into()],
        systems: systems.iter().map(ToString::to_string).collect(),
        seen_at: Some(world.now() - SignedDuration::from_hours(5)),
        is_active: true,
    };
    UsersPage {
        users: vec![
            user("ada", "Ada Okafor", "risk manager", &[]),
            user("tom", "Tom Berg", "member", &["flight-delay"]),
        ],
        roles: vec![
            ("viewer".into(), "viewer: reads".into()),
            ("member".into(), "member: acknowledges, runs".into()),
            ("admin".into(), "admin: everything".into()),
        ],
        invitation: None,
        error: None,
    }
}

fn channels(world: &World) -> ChannelsPage {
    let channel = |name: &str, kind: &str, target: &str, failure: Option<&str>| ChannelRow {
        name: name.into(),
        kind: kind.into(),
        target: target.into(),
        delivered_at: Some(world.now() - SignedDuration::from_hours(76)),
        failure: failure.map(Into::into),
    };
    ChannelsPage {
        channels: vec![
            channel("ops", "e-mail", "ops@example.org", None),
            channel("model-risk", "Slack", "#model-risk", Some("the webhook answered 410 Gone")),
        ],
    }
}

fn search(world: &World) -> SearchPage {
    let id = &world.monitor.system.id;
    let hit = |kind, name: &str, href: String| Hit {
        kind,
        name: name.into(),
        of: "Flight delay predictor".into(),
        href,
    };
    SearchPage {
        query: "dew".into(),
        hits: vec![
            hit("column", "dewp", link::column(id, "dewp")),
            hit("alert", "Drift of dewp", link::alert("a-4")),
        ],
    }
}

fn user(world: &World) -> UserPage {
    let users = users(world);
    UserPage {
        user: users.users[1].clone(),
        roles: users.roles,
        functions: ["data science", "legal", "security"].map(String::from).into(),
        systems: vec![world.system()],
        provider: Some("Keycloak".into()),
        identities: vec![identity("tom@example.org", true), identity("", false)],
        error: None,
    }
}

fn identity(shown: &str, follows: bool) -> IdentityRow {
    IdentityRow {
        issuer: "https://login.example.org/realms/main".into(),
        subject: format!("f3b1c2d4-{follows}"),
        shown: shown.into(),
        follows,
    }
}

fn refused() -> RefusedPage {
    RefusedPage {
        title: "You are not let in",
        said: "None of your groups at Keycloak lets anybody in here.".into(),
        way_out: "Ask an admin for a group that does, then sign in again.".into(),
        again: link::LOGIN.into(),
    }
}

fn crossing() -> CrossingPage {
    CrossingPage {
        title: "You are signed out",
        said: "Keycloak may still know you in this browser.".into(),
        there: Some((
            "Sign out of Keycloak too".into(),
            "https://login.example.org/logout?client_id=a".into(),
        )),
        here: ("Sign in again", link::LOGIN),
    }
}

fn audit(world: &World) -> AuditPage {
    let row = |hours: i64, who: &str, what: &str, subject: &str, href: Option<String>, note: &str| AuditRow {
        at: world.now() - SignedDuration::from_hours(hours),
        who: who.into(),
        what: what.into(),
        subject: subject.into(),
        href,
        note: note.into(),
        address: "10.0.0.7".into(),
    };
    AuditPage {
        entries: vec![
            row(
                1,
                "Ada Okafor",
                "acknowledged",
                "Worst segment: origin = LGA",
                Some(link::alert("a-16")),
                "",
            ),
            row(
                40,
                "Ada Okafor",
                "silenced",
                "Drift of engines",
                Some(link::alert("a-11")),
                "The new fleet is known.",
            ),
            row(90, "nightly pipeline", "sent evidence", "27 records", None, ""),
        ],
        older: None,
    }
}
