//! Who is let in by a provider, on a real database.

use jiff::ToSpan as _;
use store::Database;
use types::access::{Function, Reach, Role};
use types::organisation;

use super::*;

const ORGANISATION: &str = r#"[login.oidc]
issuer = "https://login.example.org"
client_id = "forewarn"

[[login.oidc.group]]
name = "risk"
role = "risk_manager"
functions = ["legal"]

[[login.oidc.group]]
name = "admins"
role = "admin"
"#;

struct House {
    store: Store,
    of: Oidc,
    _folder: tempfile::TempDir,
}

impl House {
    fn with(settings: &str) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let store = Store::open(&Database::Sqlite(folder.path().join("state.db"))).unwrap();
        let text = ORGANISATION.replace("client_id", &format!("{settings}\nclient_id"));
        let of = organisation::parse(&text).unwrap().login.oidc.unwrap();
        Self { store, of, _folder: folder }
    }

    fn sign_on(&self, who: &Identified) -> Result<User, AccessError> {
        let device = Device { address: Some(address()), browser: "test" };
        sign_on(&self.store, &self.of, who, device, at(0)).map(|session| session.user)
    }

    #[track_caller]
    fn refuses(&self, who: &Identified, expected: &SignOnRefusal) {
        match self.sign_on(who) {
            Err(AccessError::SignOn(refusal)) => assert_eq!(refusal, *expected),
            other => panic!("{other:?}"),
        }
        let last = self.store.audit_log(None, 1).unwrap().records.remove(0);
        assert_eq!((last.action.as_str(), last.object.as_str()), ("session.refused", "single sign-on"));
        assert!(last.detail.contains(&who.subject), "{}", last.detail);
    }
}

fn at(seconds: i64) -> Timestamp {
    "2026-03-02T09:00:00Z".parse::<Timestamp>().unwrap() + seconds.seconds()
}

fn address() -> IpAddr {
    "192.0.2.7".parse().unwrap()
}

fn ada(groups: &[&str]) -> Identified {
    Identified {
        issuer: "https://login.example.org".into(),
        subject: "248289761001".into(),
        name: Some("Ada Lovelace".into()),
        username: Some("ada".into()),
        email: Some("Ada@Example.org".into()),
        groups: groups.iter().map(|&group| group.to_owned()).collect(),
    }
}

fn provider() -> String {
    "single sign-on".into()
}

#[test]
fn the_first_sign_on_makes_the_account_that_the_groups_say() {
    let house = House::with("");
    let user = house.sign_on(&ada(&["risk", "other"])).unwrap();
    assert_eq!((user.login.as_str(), user.name.as_str()), ("ada@example.org", "Ada Lovelace"));
    assert_eq!((user.role, user.systems.clone()), (Role::RiskManager, Reach::All));
    assert_eq!(user.functions, [Function::Legal].into());
    // Another address, another name: the same person.
    let married = Identified {
        name: Some("Ada King".into()),
        email: Some("king@example.org".into()),
        ..ada(&["risk"])
    };
    let again = house.sign_on(&married).unwrap();
    assert_eq!((again.id, again.login, again.name.as_str()), (user.id, user.login, "Ada King"));
    let elsewhere = Identified { issuer: "https://other.example".into(), ..ada(&["risk"]) };
    house.refuses(
        &elsewhere,
        &SignOnRefusal::LoginTaken { login: "ada@example.org".into(), subject: "248289761001".into() },
    );
}

#[test]
fn names_that_no_account_can_have_are_replaced() {
    let house = House::with("");
    let check = |subject: &str, username: Option<&str>, name: Option<&str>, expected: (&str, &str)| {
        let who = Identified {
            subject: subject.into(),
            username: username.map(str::to_owned),
            name: name.map(str::to_owned),
            email: None,
            ..ada(&["risk"])
        };
        let user = house.sign_on(&who).unwrap();
        assert_eq!((user.login.as_str(), user.name.as_str()), expected);
    };
    check("1", Some("Ada Lovelace"), None, ("1", "1"));
    check("2", Some("BO"), Some(" \u{7} "), ("bo", "bo"));
    check("3", None, Some(&"x".repeat(200)), ("3", &"x".repeat(100)));
    let spaced = Identified { subject: "a b".into(), ..ada(&["risk"]) };
    assert!(matches!(house.sign_on(&spaced), Err(AccessError::Subject)));
}

#[test]
fn who_may_not_come_in_is_told_why_and_recorded() {
    let house = House::with("allowed_domains = [\"example.org\"]");
    let elsewhere = Identified { email: Some("ada@example.com".into()), ..ada(&["risk"]) };
    house.refuses(&elsewhere, &SignOnRefusal::Domain { provider: provider() });
    let unverified = Identified { email: None, ..ada(&["risk"]) };
    house.refuses(&unverified, &SignOnRefusal::Domain { provider: provider() });
    house.refuses(&ada(&[]), &SignOnRefusal::NoGroup { provider: provider() });
    assert_eq!(house.store.users().unwrap(), []);
    let user = house.sign_on(&ada(&["risk"])).unwrap();
    let disabled = User { is_disabled: true, ..user.clone() };
    let record = audit("root".into(), None, at(0), "user.disabled", "ada", "");
    let change = AccountChange::Followed(&disabled);
    assert_eq!(house.store.change_account(&user.id, &change, record).unwrap(), Admission::Done);
    house.refuses(&ada(&["admins"]), &SignOnRefusal::Disabled { login: user.login });
}

#[test]
fn an_address_that_fails_too_often_must_wait_and_success_is_not_counted() {
    let house = House::with("");
    let count = |seconds| count_sign_on(&house.store, Some(address()), at(seconds));
    for _ in 0..30 {
        count(0).unwrap();
        house.sign_on(&ada(&["risk"])).unwrap();
    }
    for _ in 0..20 {
        count(0).unwrap();
    }
    assert!(matches!(count(0), Err(AccessError::Wait { .. })));
    count(2).unwrap();
}

#[test]
fn groups_decide_until_an_admin_does() {
    let house = House::with("");
    let root = Caller::local();
    let by = By { caller: &root, address: None, at: at(0) };
    let user = house.sign_on(&ada(&["risk"])).unwrap();
    let identity = ("https://login.example.org", "248289761001");
    follow_groups(&house.store, by, &user.id, identity, false).unwrap();
    assert_eq!(house.sign_on(&ada(&["admins"])).unwrap().role, Role::RiskManager);
    assert_eq!(house.sign_on(&ada(&[])).unwrap().role, Role::RiskManager, "an admin decides alone");
    follow_groups(&house.store, by, &user.id, identity, true).unwrap();
    assert_eq!(house.sign_on(&ada(&["admins"])).unwrap().role, Role::Admin);
    let missing = follow_groups(&house.store, by, &user.id, (identity.0, "other"), true);
    assert!(matches!(missing, Err(AccessError::NoIdentity)));
    let viewer = Caller::person(User { role: Role::Viewer, ..user.clone() });
    let by_viewer = By { caller: &viewer, ..by };
    assert!(matches!(
        link(&house.store, by_viewer, &house.of, &user.id, "2"),
        Err(AccessError::Forbidden { .. })
    ));
    assert!(matches!(identities(&house.store, by_viewer, "other"), Err(AccessError::Forbidden { .. })));
    assert_eq!(identities(&house.store, by_viewer, &user.id).unwrap().len(), 1);
}
