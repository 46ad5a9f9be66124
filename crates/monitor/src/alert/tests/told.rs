//! Who hears of what: grouping, repeats, silences, inhibition, acknowledgement, escalation, words.

use Verdict::{Fail, Pass};
use types::alert::{AlertWords, Policy};
use types::message::Severity;

use super::*;

#[test]
fn what_begins_together_shares_a_message_and_what_follows_from_it_joins() {
    let mut world = World::new(DRIFT);
    let first = world.week(0, vec![drift("dewp", Fail, 0), drift("seats", Fail, 0), drift("temp", Pass, 0)]);
    assert_eq!(said(&first), ["firing dewp seats"]);
    let second = world.week(1, vec![drift("dewp", Fail, 1), drift("seats", Pass, 1), drift("temp", Fail, 1)]);
    assert_eq!(said(&second), ["firing temp"], "the reminder waits, since something was just told");
    assert_eq!(second[0].message.group, first[0].message.group, "the same feed, the same cause");
    let third = world.week(2, vec![drift("dewp", Pass, 2), drift("seats", Pass, 2), drift("temp", Pass, 2)]);
    assert_eq!(said(&third), ["resolved dewp seats temp"]);
    assert_eq!(third[0].message.group, first[0].message.group);
    assert!(world.state.groups.is_empty());
}

#[test]
fn quality_and_drift_of_a_column_are_one_alert() {
    let mut world = World::new("");
    let quality = finding(CheckId::Quality, feature("dewp"), Fail, week(0));
    let told = world.week(0, vec![drift("dewp", Fail, 0), quality]);
    assert_eq!(said(&told), ["firing dewp"]);
    assert!(told[0].message.title.contains("drift and data quality of dewp"), "{}", told[0].message.title);
}

#[test]
fn those_who_are_told_apart_get_messages_of_their_own() {
    let alerts = format!(
        "{DRIFT}[[alert]]\nname = \"quality\"\nwhen = 'quality.verdict == \"fail\"'\nseverity = \"high\"\nto = [\"slack:#feeds\"]\n"
    );
    let mut world = World::new(&alerts);
    let quality = finding(CheckId::Quality, feature("dewp"), Fail, week(0));
    let told = world.week(0, vec![drift("dewp", Fail, 0), quality]);
    let to: Vec<String> = told.iter().map(|told| told.to[0].to_string()).collect();
    assert_eq!(to, ["slack:#feeds", "email:a@b.c"], "the graver one first");
}

#[test]
fn what_still_fires_is_told_again_when_the_interval_is_over() {
    let mut world = World::new(&format!("{DRIFT}repeat = \"12h\"\n"));
    world.week(0, vec![drift("dewp", Fail, 0)]);
    let told: Vec<Vec<String>> =
        (1..=24).map(|hour: i64| said(&world.tick(after(checked(0), hour.hours())))).collect();
    let hours: Vec<usize> = (0..24).filter(|at| !told[*at].is_empty()).map(|at| at + 1).collect();
    assert_eq!(hours, [12, 24]);
    let mut never = World::new(&format!("{DRIFT}repeat = \"never\"\n"));
    never.week(0, vec![drift("dewp", Fail, 0)]);
    assert!(never.tick(after(checked(0), 9000.hours())).is_empty());
}

#[test]
fn what_comes_and_goes_is_not_told_twice_within_the_interval() {
    let mut world = World::new(DRIFT);
    let mut now = checked(0);
    let mut told = Vec::new();
    for verdict in [Fail, Pass, Fail, Pass, Fail] {
        world.record(now, vec![drift("dewp", verdict, 0)]);
        told.extend(said(&world.tick(now)));
        now = after(now, 2.hours());
    }
    assert_eq!(told, ["firing dewp", "resolved dewp"]);
    assert_eq!(said(&world.tick(after(checked(0), 24.hours()))), ["firing dewp"], "but it is not lost");
}

#[test]
fn a_silence_holds_back_and_loses_nothing() {
    let mut world = World::new(DRIFT);
    let (from, until) = (checked(0), after(checked(0), 48.hours()));
    world.silence("de*", from, until);
    assert_eq!(said(&world.week(0, vec![drift("dewp", Fail, 0), drift("seats", Fail, 0)])), ["firing seats"]);
    assert_eq!(world.alert("dewp").quiet, Some(types::alert::Quiet::Silence { id: "0".into(), until }));
    assert_eq!(said(&world.tick(until)), ["firing dewp", "reminder seats"]);
    // An end under a silence is told after it.
    let again = (checked(1), after(checked(1), 48.hours()));
    world.silence("dewp", again.0, again.1);
    assert_eq!(
        said(&world.week(1, vec![drift("dewp", Pass, 1), drift("seats", Fail, 1)])),
        ["reminder seats"]
    );
    assert_eq!(said(&world.tick(again.1)), ["reminder seats", "resolved dewp"]);
}

#[test]
fn an_alert_that_explains_another_keeps_it_quiet_where_they_are_related() {
    let alerts = format!(
        "[[alert]]\nname = \"feed\"\nwhen = 'quality.verdict == \"fail\"'\nto = [\"email:a@b.c\"]\n{DRIFT}inhibited_by = [\"feed\"]\n"
    );
    let mut world = World::new(&alerts);
    let feed = |verdict, number| finding(CheckId::Quality, feature("temp"), verdict, week(number));
    let told = world.week(0, vec![feed(Fail, 0), drift("dewp", Fail, 0), drift("seats", Fail, 0)]);
    let subjects: Vec<&str> =
        told.iter().flat_map(|told| &told.message.alerts).map(|alert| alert.subject.as_str()).collect();
    assert_eq!(subjects, ["seats", "temp"], "dewp comes from the dead feed of temp, seats do not");
    let told = world.week(1, vec![feed(Pass, 1), drift("dewp", Fail, 1), drift("seats", Fail, 1)]);
    assert!(said(&told).contains(&"firing dewp".to_owned()), "{:?}", said(&told));
}

const ESCALATES: &str = "escalate = [{ after = \"4h\", to = [\"email:lead@b.c\"] }, { after = \"8h\", to = [\"email:head@b.c\"] }]\n";

#[test]
fn what_nobody_takes_on_goes_to_the_next() {
    let mut world = World::new(&format!("{DRIFT}{ESCALATES}"));
    world.week(0, vec![drift("dewp", Fail, 0)]);
    let mut told = Vec::new();
    for hour in 1..=12_i64 {
        for notification in world.tick(after(checked(0), hour.hours())) {
            told.push((hour, occasion(notification.message.occasion), notification.to[0].to_string()));
        }
    }
    let expected =
        [(4, "escalation", "email:lead@b.c".to_owned()), (8, "escalation", "email:head@b.c".to_owned())];
    assert_eq!(told, expected);
    let over = world.week(1, vec![drift("dewp", Pass, 1)]);
    assert_eq!(over[0].to.len(), 3, "all who heard of it hear that it is over");
}

#[test]
fn an_acknowledged_alert_is_quiet_until_it_worsens() {
    let mut world = World::new(&format!(
        "[[alert]]\nname = \"drift\"\nwhen = 'drift.verdict in [\"warn\", \"fail\"]'\nto = [\"email:a@b.c\"]\n{ESCALATES}"
    ));
    world.week(0, vec![drift("dewp", Verdict::Warn, 0)]);
    world.acknowledge("drift", "dewp", after(checked(0), 1.hours()));
    for hour in 2..160_i64 {
        assert!(world.tick(after(checked(0), hour.hours())).is_empty(), "hour {hour}");
    }
    assert_eq!(world.alert("dewp").told.acknowledged.as_ref().unwrap().by, "ada");
    assert_eq!(said(&world.week(1, vec![drift("dewp", Fail, 1)])), ["firing dewp"], "it is worse now");
    assert_eq!(said(&world.tick(after(checked(1), 3.hours()))), [""; 0], "and the clock begins again");
    assert_eq!(said(&world.tick(after(checked(1), 4.hours()))), ["escalation dewp"]);
    // An acknowledgement is for one episode.
    world.acknowledge("drift", "dewp", after(checked(1), 5.hours()));
    assert_eq!(said(&world.week(2, vec![drift("dewp", Pass, 2)])), ["resolved dewp"]);
    assert_eq!(said(&world.week(3, vec![drift("dewp", Fail, 3)])), ["firing dewp"]);
}

#[test]
fn a_missed_schedule_is_an_alert_like_others() {
    let mut world = World::new(&format!("{DRIFT}{ESCALATES}"));
    let policy = Policy { to: vec!["email:ops@b.c".parse().unwrap()], ..Policy::default() };
    let words = AlertWords {
        summary: "The weekly check has not run since Monday.".into(),
        what_to_do: "Look at the page of jobs.".into(),
        ..AlertWords::default()
    };
    let severity = Severity::High;
    let missed =
        Operational { rule: "missed schedule".into(), subject: "monitor".into(), severity, policy, words };
    world.operational = vec![missed];
    let told = world.tick(checked(0));
    assert_eq!(said(&told), ["firing monitor"]);
    assert_eq!(told[0].message.title, "Flight delays: missed schedule of monitor");
    assert_eq!(told[0].message.what_happened, "The weekly check has not run since Monday.");
    assert_eq!(said(&world.tick(after(checked(0), 24.hours()))), ["reminder monitor"]);
    world.operational.clear();
    assert_eq!(said(&world.tick(after(checked(0), 25.hours()))), ["resolved monitor"]);
}

#[test]
fn a_message_says_what_happened_how_sure_who_and_what_to_do() {
    let mut world = World::new(&format!("{DRIFT}what_to_do = \"Ring the weather service.\"\n"));
    let dewp = Finding {
        summary: "`dewp` changed a lot (PSI 0.52).".into(),
        measures: vec![rows("psi", 0.52, 6411)],
        ..drift("dewp", Fail, 0)
    };
    let message = world.week(0, vec![dewp]).remove(0).message;
    assert_eq!(message.title, "Flight delays: drift of dewp in the week of 2013-05-06");
    assert_eq!(
        message.what_happened,
        "The data that the model works with no longer looks like the data that it was compared with. `dewp` changed a lot (PSI 0.52)."
    );
    assert_eq!(message.how_sure, "PSI is 0.520; it rests on 6,411 rows.");
    assert_eq!(
        message.who_is_affected,
        "Every prediction of the week of 2013-05-06 that used `dewp`. ops-analytics answers for it."
    );
    assert_eq!(message.what_to_do, "Ring the weather service.");
    assert_eq!(message.link.unwrap(), "https://forewarn.example.org/alerts?system=flights");
}
