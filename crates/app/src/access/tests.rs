//! The use cases on a real database.

use std::net::IpAddr;

use jiff::{SignedDuration, Timestamp, ToSpan as _};
use store::{Database, Store};
use types::access::{Action, Caller, Function, Reach, Role, Scope, User};

use super::*;

const PASSWORD: &str = "seven small boats";

struct House {
    store: Store,
    _folder: tempfile::TempDir,
}

fn at(text: &str) -> Timestamp {
    text.parse().unwrap()
}

fn start() -> Timestamp {
    at("2026-03-02T09:00:00Z")
}

fn later(seconds: i64) -> Timestamp {
    start() + seconds.seconds()
}

fn address() -> IpAddr {
    "192.0.2.7".parse().unwrap()
}

fn by(caller: &Caller) -> By<'_> {
    By { caller, address: Some(address()), at: start() }
}

fn empty() -> House {
    let folder = tempfile::tempdir().unwrap();
    let store = Store::open(&Database::Sqlite(folder.path().join("state.db"))).unwrap();
    House { store, _folder: folder }
}

/// A house with an admin in it.
fn house() -> (House, Caller) {
    let house = empty();
    let code = setup_code(&house.store, None, start()).unwrap().unwrap();
    let new = NewAdmin { login: "Ada@Example.org", name: "Ada", password: PASSWORD };
    let user = set_up(&house.store, code.text(), new, Some(address()), start()).unwrap();
    (house, Caller::person(user))
}

fn let_in(house: &House, admin: &Caller, login: &str, role: Role, systems: Reach) -> User {
    let functions = [Function::Legal].into();
    let new = NewUser { login: login.into(), name: login.into(), role, functions, systems };
    let (_, code) = create_user(&house.store, by(admin), &new).unwrap();
    accept(&house.store, code.text(), PASSWORD, Some(address()), start()).unwrap()
}

fn try_login(house: &House, login: &str, password: &str, at: Timestamp) -> Result<Session, AccessError> {
    let attempt = LoginAttempt { login, password, browser: "test", address: Some(address()) };
    log_in(&house.store, attempt, at)
}

fn actions(house: &House) -> Vec<String> {
    let page = house.store.audit_log(None, 100).unwrap();
    house.store.verify_audit().unwrap();
    page.records
        .iter()
        .rev()
        .map(|record| format!("{} {} {}", record.actor, record.action, record.object))
        .collect()
}

#[test]
fn the_setup_link_makes_one_admin_and_then_no_more() {
    let house = empty();
    let first = setup_code(&house.store, None, start()).unwrap().unwrap();
    let second = setup_code(&house.store, None, start()).unwrap().unwrap();
    let new = |login| NewAdmin { login, name: "Ada", password: PASSWORD };
    let set_up = |code: &str, login| set_up(&house.store, code, new(login), Some(address()), start());
    assert!(matches!(set_up("guessed", "ada"), Err(AccessError::Link)));
    let short = NewAdmin { password: "short", ..new("ada") };
    let refused = super::set_up(&house.store, first.text(), short, None, start());
    assert!(matches!(refused, Err(AccessError::Password(PasswordError::Short))));
    assert_eq!(invited(&house.store, first.text(), start()).unwrap(), Invited::FirstAdmin);
    let user = set_up(first.text(), "ada").unwrap();
    assert_eq!(user.role, Role::Admin);
    assert!(matches!(set_up(first.text(), "eve"), Err(AccessError::Link)));
    assert!(matches!(set_up(second.text(), "eve"), Err(AccessError::Link)), "the other server's link");
    assert!(setup_code(&house.store, None, start()).unwrap().is_none());
    let expected = [
        "forewarn setup_link.made first admin",
        "forewarn setup_link.made first admin",
        "ada user.created ada",
    ];
    assert_eq!(actions(&house), expected);
}

#[test]
fn an_invitation_lets_its_user_choose_a_password_once() {
    let (house, admin) = house();
    let new = NewUser {
        login: "Lou".into(),
        name: "Lou".into(),
        role: Role::Viewer,
        functions: [].into(),
        systems: Reach::only(["a"]),
    };
    let (user, code) = create_user(&house.store, by(&admin), &new).unwrap();
    assert!(
        matches!(try_login(&house, "lou", "", start()), Err(AccessError::WrongPassword)),
        "no password yet"
    );
    assert_eq!(invited(&house.store, code.text(), start()).unwrap(), Invited::User(user.clone()));
    let newer = invite(&house.store, by(&admin), &user.id).unwrap();
    assert!(matches!(accept(&house.store, code.text(), PASSWORD, None, start()), Err(AccessError::Link)));
    let late = start() + 169.hours();
    assert!(matches!(accept(&house.store, newer.text(), PASSWORD, None, late), Err(AccessError::Link)));
    accept(&house.store, newer.text(), PASSWORD, None, start()).unwrap();
    assert!(matches!(accept(&house.store, newer.text(), PASSWORD, None, start()), Err(AccessError::Link)));
    assert_eq!(try_login(&house, " LOU ", PASSWORD, start()).unwrap().user.systems, Reach::only(["a"]));
    assert!(matches!(create_user(&house.store, by(&admin), &new), Err(AccessError::LoginTaken { .. })));
}

#[test]
fn only_an_admin_lets_others_in() {
    let (house, admin) = house();
    for role in [Role::Viewer, Role::Member, Role::RiskManager] {
        let caller = Caller::person(let_in(&house, &admin, role.word(), role, Reach::All));
        let id = admin.account().unwrap().id.as_str();
        let new = NewUser {
            login: "eve".into(),
            name: "Eve".into(),
            role,
            functions: [].into(),
            systems: Reach::All,
        };
        let forbidden =
            |error: AccessError| matches!(error, AccessError::Forbidden { action: Action::Administer });
        assert!(forbidden(create_user(&house.store, by(&caller), &new).unwrap_err()));
        assert!(forbidden(change_user(&house.store, by(&caller), id, &UserChange::default()).unwrap_err()));
        assert!(forbidden(invite(&house.store, by(&caller), id).unwrap_err()));
        assert!(forbidden(users(&house.store, by(&caller)).unwrap_err()));
        assert_eq!(audit_log(&house.store, by(&caller), None, 10).is_ok(), role == Role::RiskManager);
    }
}

#[test]
fn somebody_who_can_let_others_in_always_stays() {
    let (house, admin) = house();
    let id = admin.account().unwrap().id.clone();
    let disable = UserChange { is_disabled: Some(true), ..UserChange::default() };
    let demote = UserChange { role: Some(Role::Viewer), ..UserChange::default() };
    let change = |id: &str, change: &UserChange| change_user(&house.store, by(&admin), id, change);
    assert!(matches!(change(&id, &disable), Err(AccessError::LastAdmin)));
    assert!(matches!(change(&id, &demote), Err(AccessError::LastAdmin)));
    // One who has not chosen a password yet can let nobody in.
    let new = NewUser {
        login: "bo".into(),
        name: "Bo".into(),
        role: Role::Admin,
        functions: [].into(),
        systems: Reach::All,
    };
    let (bo, code) = create_user(&house.store, by(&admin), &new).unwrap();
    assert!(matches!(change(&id, &disable), Err(AccessError::LastAdmin)));
    accept(&house.store, code.text(), PASSWORD, None, start()).unwrap();
    change(&id, &disable).unwrap();
    assert!(matches!(change(&bo.id, &demote), Err(AccessError::LastAdmin)));
    let limit = UserChange { systems: Some(Reach::only(["a"])), ..UserChange::default() };
    assert!(matches!(change(&bo.id, &limit), Err(AccessError::LimitedAdmin)));
    assert!(matches!(change("nobody", &disable), Err(AccessError::NoUser { .. })));
}

#[test]
fn a_disabled_user_is_out_at_once() {
    let (house, admin) = house();
    let lou = let_in(&house, &admin, "lou", Role::Member, Reach::All);
    let session_of_lou = try_login(&house, "lou", PASSWORD, start()).unwrap();
    let request =
        TokenRequest { name: "t".into(), scopes: [Scope::Read].into(), systems: Reach::All, days: 1 };
    let (_, token) = issue_token(&house.store, by(&Caller::person(lou.clone())), &request).unwrap();
    let change = |is_disabled| {
        let change = UserChange { is_disabled: Some(is_disabled), ..UserChange::default() };
        change_user(&house.store, by(&admin), &lou.id, &change).unwrap();
    };
    change(true);
    assert_eq!(session(&house.store, session_of_lou.secret.text(), start()).unwrap(), None);
    let refusal = token_caller(&house.store, token.text(), start()).unwrap_err();
    assert!(matches!(refusal, AccessError::Token(TokenRefusal::Disabled { .. })), "{refusal}");
    assert!(matches!(try_login(&house, "lou", PASSWORD, start()), Err(AccessError::WrongPassword)));
    change(false);
    assert_eq!(
        session(&house.store, session_of_lou.secret.text(), start()).unwrap(),
        None,
        "sessions stay ended"
    );
    token_caller(&house.store, token.text(), start()).unwrap();
    try_login(&house, "lou", PASSWORD, start()).unwrap();
}

#[test]
fn a_session_ends_when_idle_and_after_its_life() {
    let (house, _) = house();
    let secret = try_login(&house, "ada@example.org", PASSWORD, start()).unwrap().secret;
    let lives = |at: Timestamp| session(&house.store, secret.text(), at).unwrap().is_some();
    let hours = |hours: i64| start() + hours.hours();
    assert!(lives(hours(11)));
    assert!(lives(hours(22)), "what was used lives on");
    assert!(!lives(hours(34)), "twelve hours idle");
    for hour in (32..168).step_by(10) {
        assert!(lives(hours(hour)));
    }
    assert!(!lives(hours(168)), "seven days old, though just used");
    assert!(session(&house.store, "guessed", start()).unwrap().is_none());
}

#[test]
fn guessing_is_slowed_down_for_known_and_unknown_logins_alike() {
    for login in ["ada@example.org", "nobody@example.org"] {
        let (house, _) = house();
        for _ in 0..5 {
            assert!(matches!(
                try_login(&house, login, "wrong wrong wrong", start()),
                Err(AccessError::WrongPassword)
            ));
        }
        let wait = |result| match result {
            Err(AccessError::Wait { until }) => until,
            other => panic!("{other:?}"),
        };
        assert_eq!(
            wait(try_login(&house, login, PASSWORD, start())),
            later(1),
            "the right password waits too"
        );
        assert!(matches!(
            try_login(&house, login, "wrong wrong wrong", later(1)),
            Err(AccessError::WrongPassword)
        ));
        assert_eq!(wait(try_login(&house, login, PASSWORD, later(2))), later(3), "twice as long");
        assert_eq!(try_login(&house, login, PASSWORD, later(3)).is_ok(), login.starts_with("ada"));
        let refusals = actions(&house).iter().filter(|text| text.contains("session.refused")).count();
        assert_eq!(refusals, if login.starts_with("ada") { 6 } else { 7 });
        assert!(!actions(&house).join(" ").contains("nobody@example.org"), "what was typed is not kept");
    }
}

#[test]
fn an_address_that_tries_many_logins_must_wait() {
    let (house, _) = house();
    let from = |login: &str, address: &str, password: &str| {
        let attempt = LoginAttempt { login, password, browser: "", address: Some(address.parse().unwrap()) };
        log_in(&house.store, attempt, start())
    };
    for guess in 0..20 {
        let refused = from(&format!("guess{guess}"), "2001:db8::1", "wrong");
        assert!(matches!(refused, Err(AccessError::WrongPassword)));
    }
    assert!(
        matches!(from("ada@example.org", "2001:db8::2", PASSWORD), Err(AccessError::Wait { .. })),
        "the same network"
    );
    from("ada@example.org", "2001:db8:0:1::1", PASSWORD).unwrap();
}

#[test]
fn attempts_made_at_once_are_all_counted() {
    let (house, _) = house();
    let refused = std::thread::scope(|scope| {
        let attempts: Vec<_> = (0..12)
            .map(|_| scope.spawn(|| try_login(&house, "ada@example.org", "wrong wrong wrong", start())))
            .collect();
        let results = attempts.into_iter().map(|attempt| attempt.join().unwrap());
        results.filter(|result| matches!(result, Err(AccessError::Wait { .. }))).count()
    });
    assert_eq!(refused, 7);
}

#[test]
fn a_new_password_ends_every_session_and_needs_the_current_one() {
    let (house, admin) = house();
    let before = try_login(&house, "ada@example.org", PASSWORD, start()).unwrap();
    let change = |current, new| change_password(&house.store, by(&admin), current, new);
    assert!(matches!(change("wrong wrong wrong", "eight small boats"), Err(AccessError::WrongPassword)));
    assert!(matches!(change(PASSWORD, "ada@example.org!"), Err(AccessError::Password(PasswordError::Login))));
    change(PASSWORD, "eight small boats").unwrap();
    assert_eq!(session(&house.store, before.secret.text(), start()).unwrap(), None);
    assert!(try_login(&house, "ada@example.org", PASSWORD, start()).is_err());
    try_login(&house, "ada@example.org", "eight small boats", start()).unwrap();
}

#[test]
fn signing_out_ends_one_session_and_signing_out_elsewhere_the_others() {
    let (house, admin) = house();
    let begin = || try_login(&house, "ada@example.org", PASSWORD, start()).unwrap();
    let (here, there, elsewhere) = (begin(), begin(), begin());
    let lives = |of: &Session| session(&house.store, of.secret.text(), start()).unwrap().is_some();
    log_out(&house.store, &there, Some(address()), start()).unwrap();
    assert!(lives(&here) && !lives(&there) && lives(&elsewhere));
    assert_eq!(sessions(&house.store, by(&admin)).unwrap().len(), 2);
    end_other_sessions(&house.store, &here, Some(address()), start()).unwrap();
    assert!(lives(&here) && !lives(&elsewhere));
}

#[test]
fn a_token_lets_in_until_it_expires_or_is_revoked() {
    let (house, admin) = house();
    let lou = Caller::person(let_in(&house, &admin, "lou", Role::Member, Reach::only(["a", "b"])));
    let request = TokenRequest {
        name: "pipeline".into(),
        scopes: [Scope::Ingest].into(),
        systems: Reach::only(["b", "c"]),
        days: 30,
    };
    let (token, text) = issue_token(&house.store, by(&lou), &request).unwrap();
    assert!(text.text().starts_with(&token.prefix) && token.prefix.len() == 9);
    let caller = token_caller(&house.store, text.text(), start()).unwrap();
    let may = ["a", "b", "c"].map(|system| caller.may(Action::Ingest, Some(system)));
    assert_eq!(may, [false, true, false], "what the account and the token both reach");
    assert!(!caller.may(Action::Read, Some("b")));
    assert_eq!(tokens(&house.store, by(&lou), false).unwrap()[0].used, Some(start()));
    let refusal = |text: &str, at| match token_caller(&house.store, text, at) {
        Err(AccessError::Token(refusal)) => refusal,
        other => panic!("{other:?}"),
    };
    let day = |days: i64| start() + SignedDuration::from_hours(24 * days);
    assert!(token_caller(&house.store, text.text(), day(30) - 1.second()).is_ok());
    assert!(matches!(refusal(text.text(), day(30)), TokenRefusal::Expired { .. }));
    assert_eq!(refusal("fw_guessed", start()), TokenRefusal::Unknown);
    assert_eq!(refusal("", start()), TokenRefusal::Unknown);
    revoke_token(&house.store, by(&lou), &token.id).unwrap();
    assert!(matches!(refusal(text.text(), start()), TokenRefusal::Revoked { .. }));
    assert!(matches!(revoke_token(&house.store, by(&lou), &token.id), Err(AccessError::NoToken { .. })));
}

#[test]
fn what_is_asked_of_a_token_is_checked() {
    let (house, admin) = house();
    let lou = Caller::person(let_in(&house, &admin, "lou", Role::Viewer, Reach::All));
    let good = TokenRequest { name: "t".into(), scopes: [Scope::Read].into(), systems: Reach::All, days: 90 };
    let issue = |caller: &Caller, request: TokenRequest| issue_token(&house.store, by(caller), &request);
    let refused = |request: TokenRequest| issue(&lou, request).unwrap_err().to_string();
    assert!(refused(TokenRequest { name: " ".into(), ..good.clone() }).contains("name"));
    assert!(refused(TokenRequest { scopes: [].into(), ..good.clone() }).contains("scope"));
    assert!(refused(TokenRequest { days: 0, ..good.clone() }).contains("days"));
    assert!(refused(TokenRequest { days: 367, ..good.clone() }).contains("days"));
    let error = refused(TokenRequest { scopes: [Scope::Ingest].into(), ..good.clone() });
    assert_eq!(error, "the scope ingest is of no use to a viewer: that takes the role member");
    assert!(matches!(issue(&Caller::local(), good.clone()), Err(AccessError::NoAccount)));
    // A token makes no token, and ends no other, unless it may administer.
    let (_, text) = issue(&lou, TokenRequest { scopes: [Scope::Admin].into(), ..good.clone() }).unwrap();
    let (other, _) = issue(&lou, good.clone()).unwrap();
    let by_token = token_caller(&house.store, text.text(), start()).unwrap();
    assert!(matches!(issue(&by_token, good.clone()), Err(AccessError::Forbidden { .. })));
    assert!(matches!(revoke_token(&house.store, by(&by_token), &other.id), Err(AccessError::NoToken { .. })));
    let (_, text) = issue(&admin, TokenRequest { scopes: [Scope::Admin].into(), ..good.clone() }).unwrap();
    let by_token = token_caller(&house.store, text.text(), start()).unwrap();
    issue(&by_token, good).unwrap();
    revoke_token(&house.store, by(&by_token), &other.id).unwrap();
    assert_eq!(tokens(&house.store, by(&admin), true).unwrap().len(), 4);
    assert!(matches!(tokens(&house.store, by(&lou), true), Err(AccessError::Forbidden { .. })));
}
