//! Who accounts are at a provider of single sign-on.

use store::{AccountChange, Admission, Identity, NewAccount, NewSession, Store};
use types::Digest;
use types::access::{Role, User};

use crate::access::{added, at, audit, user};
use crate::{Place, on_both};

on_both!(
    an_account_is_found_by_issuer_and_subject_together,
    a_person_is_admitted_once_even_at_once,
    an_unlinked_person_is_signed_out_and_may_be_linked_again,
    whose_groups_decide_can_be_changed,
    an_admin_by_a_provider_ends_setup_links_and_counts_for_it_alone,
    groups_may_take_the_last_admins_role_and_others_may_not,
);

const ISSUER: &str = "https://login.example.org/realms/main";

fn identity(of: &User, issuer: &str, subject: &str) -> Identity {
    Identity {
        issuer: issuer.into(),
        subject: subject.into(),
        account: of.id.clone(),
        shown: "Ada “the first” Łukasz".into(),
        follows: true,
        created: at(0),
    }
}

fn admitted(store: &Store, login: &str, role: Role, subject: &str) -> (User, Identity) {
    let user = user(login, role);
    let identity = identity(&user, ISSUER, subject);
    assert!(store.admit(&user, &identity, audit("user.created", login)).unwrap());
    (user, identity)
}

fn signed_in(store: &Store, of: &User, secret: &str, issuer: Option<&str>) -> Digest {
    let secret = Digest::of(secret.as_bytes());
    let new = NewSession { secret, account: &of.id, at: at(0), address: "192.0.2.7", browser: "b", issuer };
    store.begin_session(&new, (at(-100), at(-100)), audit("session.began", &of.login)).unwrap();
    secret
}

fn an_account_is_found_by_issuer_and_subject_together(place: &Place) {
    let store = place.open();
    added(&store, "root", Role::Admin);
    let (ada, identity) = admitted(&store, "ada", Role::Viewer, "1");
    assert_eq!(store.identity(ISSUER, "1").unwrap(), Some((identity.clone(), ada.clone())));
    assert_eq!(store.identity("https://login.example.org/realms/other", "1").unwrap(), None);
    assert_eq!(store.identity(ISSUER, "2").unwrap(), None);
    assert_eq!(store.account("ada").unwrap(), Some((ada.clone(), None)), "no password comes with it");
    let disabled = User { is_disabled: true, ..ada.clone() };
    let change = AccountChange::Described(&disabled);
    assert_eq!(
        store.change_account(&ada.id, &change, audit("user.disabled", "ada")).unwrap(),
        Admission::Done
    );
    assert_eq!(store.identity(ISSUER, "1").unwrap(), Some((identity.clone(), disabled)));
    let other = Identity { issuer: "https://other.example".into(), ..identity.clone() };
    assert!(store.add_identity(&other, audit("identity.linked", "ada")).unwrap());
    assert_eq!(store.identities(&ada.id).unwrap(), [identity, other]);
    assert_eq!(store.identities("x").unwrap(), []);
}

fn a_person_is_admitted_once_even_at_once(place: &Place) {
    let stores = [place.open(), place.open()];
    let results = std::thread::scope(|scope| {
        let tasks = [0, 1].map(|of: usize| {
            let store = &stores[of];
            scope.spawn(move || {
                let user = user(&format!("ada{of}"), Role::Viewer);
                store.admit(&user, &identity(&user, ISSUER, "1"), audit("user.created", "ada")).unwrap()
            })
        });
        tasks.map(|task| task.join().unwrap())
    });
    assert_eq!(results.iter().filter(|made| **made).count(), 1, "{results:?}");
    assert_eq!(stores[0].users().unwrap().len(), 1, "an account without its person is not kept");
    let taken = User { id: "another".into(), ..stores[0].users().unwrap()[0].clone() };
    assert!(!stores[0].admit(&taken, &identity(&taken, ISSUER, "2"), audit("user.created", "x")).unwrap());
    assert_eq!(stores[0].identity(ISSUER, "2").unwrap(), None);
    assert_eq!(stores[0].audit_log(None, 10).unwrap().records.len(), 1);
}

fn an_unlinked_person_is_signed_out_and_may_be_linked_again(place: &Place) {
    let store = place.open();
    let (ada, identity) = admitted(&store, "ada", Role::Viewer, "1");
    let bo = added(&store, "bo", Role::Admin);
    let by_provider = signed_in(&store, &ada, "one", Some(ISSUER));
    let by_password = signed_in(&store, &ada, "two", None);
    assert_eq!(store.session(by_provider).unwrap().unwrap().0.issuer.as_deref(), Some(ISSUER));
    assert_eq!(store.session(by_password).unwrap().unwrap().0.issuer, None);
    let taken = Identity { account: bo.id.clone(), ..identity.clone() };
    assert!(!store.add_identity(&taken, audit("identity.linked", "bo")).unwrap());
    assert!(!store.remove_identity(&taken, audit("identity.unlinked", "bo")).unwrap());
    assert!(store.remove_identity(&identity, audit("identity.unlinked", "ada")).unwrap());
    assert!(!store.remove_identity(&identity, audit("identity.unlinked", "ada")).unwrap());
    assert_eq!(store.session(by_provider).unwrap(), None);
    assert!(store.session(by_password).unwrap().is_some());
    assert!(store.add_identity(&taken, audit("identity.linked", "bo")).unwrap());
    assert_eq!(store.identity(ISSUER, "1").unwrap().unwrap().1, bo);
    let again = signed_in(&store, &bo, "three", Some(ISSUER));
    store.end_sessions_by(&bo.id, ISSUER, audit("session.ended", "bo")).unwrap();
    assert_eq!(store.session(again).unwrap(), None);
    store.verify_audit().unwrap();
}

fn whose_groups_decide_can_be_changed(place: &Place) {
    let store = place.open();
    let (_, identity) = admitted(&store, "ada", Role::Viewer, "1");
    assert!(store.follow_groups(&identity, false, audit("identity.changed", "ada")).unwrap());
    assert!(!store.identity(ISSUER, "1").unwrap().unwrap().0.follows);
    let missing = Identity { subject: "2".into(), ..identity };
    assert!(!store.follow_groups(&missing, true, audit("identity.changed", "ada")).unwrap());
}

fn an_admin_by_a_provider_ends_setup_links_and_counts_for_it_alone(place: &Place) {
    let store = place.open();
    let code = Digest::of(b"code");
    store.invite(code, None, jiff::Timestamp::MAX, audit("setup_link.made", "")).unwrap();
    let (viewer, _) = admitted(&store, "bo", Role::Viewer, "2");
    assert_eq!(store.invited(code, at(0)).unwrap(), Some(None));
    assert!(!store.has_admin_at(ISSUER).unwrap());
    let admin = User { role: Role::Admin, ..viewer };
    let change = AccountChange::Followed(&admin);
    assert_eq!(
        store.change_account(&admin.id, &change, audit("user.changed", "bo")).unwrap(),
        Admission::Done
    );
    assert_eq!(store.invited(code, at(0)).unwrap(), None);
    assert!(store.has_admin_at(ISSUER).unwrap());
    assert!(!store.has_admin_at("https://other.example").unwrap(), "nobody signs in by another");
    assert!(!store.has_admin().unwrap(), "nor with a password");
}

fn groups_may_take_the_last_admins_role_and_others_may_not(place: &Place) {
    let store = place.open();
    let (ada, _) = admitted(&store, "ada", Role::Admin, "1");
    let invited = user("bo", Role::Admin);
    let new = NewAccount { user: &invited, password: None };
    assert_eq!(store.add_account(&new, audit("user.created", "bo")).unwrap(), Admission::Done);
    let viewer = User { role: Role::Viewer, ..ada.clone() };
    let change =
        |what: &AccountChange<'_>| store.change_account(&ada.id, what, audit("user.changed", "ada")).unwrap();
    assert_eq!(change(&AccountChange::Described(&viewer)), Admission::LastAdmin);
    assert_eq!(change(&AccountChange::Followed(&viewer)), Admission::Done);
    assert_eq!(store.account("ada").unwrap().unwrap().0.role, Role::Viewer);
}
