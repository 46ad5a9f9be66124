use jiff::{SignedDuration, Timestamp};
use store::{AccountChange, Admission, NewAccount, NewSession, NewToken, Store, StoreError};
use types::Digest;
use types::access::{Function, Reach, Role, Scope, Token, User};
use types::audit::{Audit, AuditError};

use crate::{Place, on_both};

on_both!(
    an_account_is_read_as_it_was_made,
    a_login_is_one_persons,
    the_last_admin_stays_even_when_two_are_disabled_at_once,
    a_setup_link_is_used_once_even_at_once,
    an_invitation_replaces_the_one_before,
    a_session_is_found_by_its_secret_until_it_ends,
    a_token_is_read_as_it_was_made,
    attempts_are_counted_one_by_one,
    the_audit_log_is_paged_and_verifies,
    a_change_of_the_audit_log_shows,
);

pub(crate) fn at(seconds: i64) -> Timestamp {
    Timestamp::from_second(1_772_442_000 + seconds).unwrap()
}

pub(crate) fn audit(action: &str, object: &str) -> Audit {
    Audit {
        at: at(0),
        actor: "ada@example.org".into(),
        address: Some("192.0.2.7".into()),
        action: action.into(),
        object: object.into(),
        detail: String::new(),
    }
}

pub(crate) fn user(login: &str, role: Role) -> User {
    User {
        id: format!("id of {login}"),
        login: login.into(),
        name: "Ada “the first” Łukasz".into(),
        role,
        functions: [Function::Legal, Function::DataScience].into(),
        systems: Reach::only(["flight-delay"]),
        is_disabled: false,
        created: at(0),
        seen: None,
    }
}

pub(crate) fn added(store: &Store, login: &str, role: Role) -> User {
    let user = user(login, role);
    let new = NewAccount { user: &user, password: Some("$argon2id$") };
    assert_eq!(store.add_account(&new, audit("user.created", login)).unwrap(), Admission::Done);
    user
}

fn an_account_is_read_as_it_was_made(place: &Place) {
    let store = place.open();
    assert!(!store.has_admin().unwrap());
    let ada = added(&store, "ada", Role::Admin);
    assert!(store.has_admin().unwrap());
    let invited = user("bo", Role::Viewer);
    store.add_account(&NewAccount { user: &invited, password: None }, audit("user.created", "bo")).unwrap();
    assert_eq!(store.users().unwrap(), [ada.clone(), invited.clone()]);
    assert_eq!(store.account("ada").unwrap(), Some((ada, Some("$argon2id$".into()))));
    assert_eq!(store.account("bo").unwrap(), Some((invited.clone(), None)));
    assert_eq!(store.account("eve").unwrap(), None);
    let changed =
        User { name: "Bo".into(), role: Role::Member, systems: Reach::All, functions: [].into(), ..invited };
    let change = AccountChange::Described(&changed);
    assert_eq!(
        store.change_account(&changed.id, &change, audit("user.changed", "bo")).unwrap(),
        Admission::Done
    );
    assert_eq!(store.account("bo").unwrap(), Some((changed.clone(), None)));
    assert_eq!(store.change_account("x", &change, audit("user.changed", "x")).unwrap(), Admission::Missing);
}

fn a_login_is_one_persons(place: &Place) {
    let store = place.open();
    added(&store, "ada", Role::Admin);
    let other = User { id: "another".into(), ..user("ada", Role::Viewer) };
    let new = NewAccount { user: &other, password: None };
    assert_eq!(store.add_account(&new, audit("user.created", "ada")).unwrap(), Admission::LoginTaken);
    assert_eq!(store.audit_log(None, 10).unwrap().records.len(), 1, "what did not happen is not recorded");
}

fn the_last_admin_stays_even_when_two_are_disabled_at_once(place: &Place) {
    let stores = [place.open(), place.open()];
    let admins = ["ada", "bo"].map(|login| added(&stores[0], login, Role::Admin));
    let results = std::thread::scope(|scope| {
        let tasks = [0, 1].map(|of| {
            let (store, admin) = (&stores[of], &admins[of]);
            scope.spawn(move || {
                let disabled = User { is_disabled: true, ..admin.clone() };
                let change = AccountChange::Described(&disabled);
                store.change_account(&admin.id, &change, audit("user.disabled", &admin.login)).unwrap()
            })
        });
        tasks.map(|task| task.join().unwrap())
    });
    assert_eq!(results.iter().filter(|result| **result == Admission::Done).count(), 1, "{results:?}");
    assert!(results.contains(&Admission::LastAdmin));
    assert!(stores[0].has_admin().unwrap());
}

fn a_setup_link_is_used_once_even_at_once(place: &Place) {
    let store = place.open();
    let code = Digest::of(b"code");
    store.invite(code, None, Timestamp::MAX, audit("setup_link.made", "")).unwrap();
    assert_eq!(store.invited(code, at(0)).unwrap(), Some(None));
    let results = std::thread::scope(|scope| {
        let store = &store;
        let tasks = ["ada", "eve"].map(|login| {
            scope.spawn(move || {
                let user = user(login, Role::Admin);
                let new = NewAccount { user: &user, password: Some("$argon2id$") };
                store.set_up(code, &new, audit("user.created", login)).unwrap()
            })
        });
        tasks.map(|task| task.join().unwrap())
    });
    assert!(results.contains(&Admission::Done) && results.contains(&Admission::Missing), "{results:?}");
    assert_eq!(store.users().unwrap().len(), 1);
    assert_eq!(store.invited(code, at(0)).unwrap(), None);
}

fn an_invitation_replaces_the_one_before(place: &Place) {
    let store = place.open();
    let ada = added(&store, "ada", Role::Viewer);
    let (first, second) = (Digest::of(b"1"), Digest::of(b"2"));
    for code in [first, second] {
        store.invite(code, Some(&ada.id), at(60), audit("user.invited", "ada")).unwrap();
    }
    assert_eq!(store.invited(first, at(0)).unwrap(), None);
    assert_eq!(store.invited(second, at(0)).unwrap(), Some(Some(ada.clone())));
    assert_eq!(store.invited(second, at(60)).unwrap(), None, "it expires");
    let accept = |code| store.accept(code, &ada.id, "$new", audit("password.changed", "ada")).unwrap();
    assert_eq!(accept(first), Admission::Missing);
    assert_eq!(accept(second), Admission::Done);
    assert_eq!(accept(second), Admission::Missing);
    assert_eq!(store.account("ada").unwrap().unwrap().1.as_deref(), Some("$new"));
}

fn a_session_is_found_by_its_secret_until_it_ends(place: &Place) {
    let store = place.open();
    let ada = added(&store, "ada", Role::Admin);
    let begin = |name: &str, seconds| {
        let secret = Digest::of(name.as_bytes());
        let (account, address) = (ada.id.as_str(), "192.0.2.7");
        let new = NewSession { secret, account, at: at(seconds), address, browser: "b", issuer: None };
        store
            .begin_session(&new, (at(seconds - 100), at(seconds - 50)), audit("session.began", "ada"))
            .unwrap();
        secret
    };
    let one = begin("one", 0);
    let (row, of) = store.session(one).unwrap().unwrap();
    assert_eq!((row.created, row.seen, row.address.as_str()), (at(0), at(0), "192.0.2.7"));
    assert_eq!(of, User { seen: Some(at(0)), ..ada.clone() });
    store.touch_session(one, &ada.id, at(10)).unwrap();
    assert_eq!(store.session(one).unwrap().unwrap().0.seen, at(10));
    let two = begin("two", 40);
    let seen: Vec<Digest> = store.sessions(&ada.id).unwrap().iter().map(|row| row.secret).collect();
    assert_eq!(seen, [two, one], "last seen first");
    let three = begin("three", 80);
    assert_eq!(store.session(one).unwrap(), None, "what was idle was cleared away");
    store.end_other_sessions(&ada.id, three, audit("session.ended", "ada")).unwrap();
    assert_eq!(store.session(two).unwrap(), None);
    store.end_session(three, audit("session.ended", "ada")).unwrap();
    assert_eq!(store.sessions(&ada.id).unwrap(), []);
    let four = begin("four", 90);
    store
        .change_account(&ada.id, &AccountChange::Password("$new"), audit("password.changed", "ada"))
        .unwrap();
    assert_eq!(store.session(four).unwrap(), None, "a new password ends sessions");
}

fn a_token_is_read_as_it_was_made(place: &Place) {
    let store = place.open();
    let (ada, bo) = (added(&store, "ada", Role::Admin), added(&store, "bo", Role::Viewer));
    let token = |id: &str, owner: &User| Token {
        id: id.into(),
        name: "pipeline".into(),
        prefix: "fw_abcdef".into(),
        owner: owner.login.clone(),
        scopes: [Scope::EvidenceWrite, Scope::Read].into(),
        systems: Reach::only(["a"]),
        created: at(1),
        expires: at(100),
        used: None,
        revoked: None,
    };
    let add = |token: &Token, owner: &User| {
        let new = NewToken { token, account: &owner.id, secret: Digest::of(token.id.as_bytes()) };
        store.add_token(&new, audit("token.made", "t")).unwrap();
    };
    let (one, two) = (token("1", &ada), token("2", &bo));
    add(&one, &ada);
    add(&two, &bo);
    assert_eq!(store.token(Digest::of(b"1")).unwrap(), Some((one.clone(), ada.clone())));
    assert_eq!(store.token(Digest::of(b"3")).unwrap(), None);
    assert_eq!(store.tokens(Some(&bo.id)).unwrap(), std::slice::from_ref(&two));
    assert_eq!(store.tokens(None).unwrap(), [one.clone(), two]);
    store.touch_token("1", at(5)).unwrap();
    assert!(store.revoke_token("1", Audit { at: at(6), ..audit("token.revoked", "t") }).unwrap());
    assert!(!store.revoke_token("1", audit("token.revoked", "t")).unwrap());
    let expected = Token { used: Some(at(5)), revoked: Some(at(6)), ..one };
    assert_eq!(store.tokens(Some(&ada.id)).unwrap(), [expected]);
}

fn attempts_are_counted_one_by_one(place: &Place) {
    let stores = [place.open(), place.open()];
    // Each failure beyond the third closes the subject for ten seconds.
    let wait = |_, failures| SignedDuration::from_secs(if failures < 3 { 0 } else { 10 });
    let attempt = |store: &Store, seconds| {
        store.count_attempt(&["login a", "address x"], at(seconds), at(seconds - 1000), wait).unwrap()
    };
    let refused = std::thread::scope(|scope| {
        let tasks: Vec<_> = (0..8)
            .map(|of| {
                let (store, attempt) = (&stores[of % 2], &attempt);
                scope.spawn(move || attempt(store, 0))
            })
            .collect();
        tasks.into_iter().filter_map(|task| task.join().unwrap()).collect::<Vec<_>>()
    });
    assert_eq!(refused, [at(10); 5]);
    assert_eq!(attempt(&stores[0], 9), Some(at(10)));
    assert_eq!(attempt(&stores[0], 10), None);
    stores[0].attempt_succeeded("login a", "address x").unwrap();
    let alone = |subject| stores[1].count_attempt(&[subject], at(11), at(-1000), wait).unwrap();
    assert_eq!(alone("login a"), None, "forgiven");
    assert_eq!(alone("address x"), Some(at(20)), "one success does not open an address");
    assert_eq!(attempt(&stores[0], 5000), None, "forgotten after a while");
}

fn the_audit_log_is_paged_and_verifies(place: &Place) {
    let store = place.open();
    for object in 0..5 {
        store.note(audit("alert.silenced", &object.to_string())).unwrap();
    }
    let objects = |before| {
        let page = store.audit_log(before, 2).unwrap();
        (page.records.iter().map(|record| record.object.clone()).collect::<Vec<_>>().join(" "), page.next)
    };
    assert_eq!(objects(None), ("4 3".into(), Some(3)));
    assert_eq!(objects(Some(3)), ("2 1".into(), Some(1)));
    assert_eq!(objects(Some(1)), ("0".into(), None));
    assert_eq!(objects(Some(u64::MAX)).1, Some(3));
    assert_eq!(store.verify_audit().unwrap().records, 5);
}

fn a_change_of_the_audit_log_shows(place: &Place) {
    let store = place.open();
    let verified = || match store.verify_audit() {
        Ok(end) => Ok(end.records),
        Err(StoreError::Audit(error)) => Err(error),
        Err(other) => panic!("{other}"),
    };
    for object in ["a", "b", "c"] {
        store.note(audit("alert.silenced", object)).unwrap();
    }
    place.sql("UPDATE audit SET record = replace(record, '\"b\"', '\"x\"') WHERE seq = 1");
    assert_eq!(verified(), Err(AuditError::Broken { seq: 2 }));
    place.sql("UPDATE audit SET record = replace(record, '\"x\"', '\"b\"') WHERE seq = 1");
    assert_eq!(verified(), Ok(3));
    place.sql("DELETE FROM audit WHERE seq = 2");
    assert_eq!(verified(), Err(AuditError::Cut { found: 2, expected: 3 }));
}
