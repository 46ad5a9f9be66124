//! How alerts come to stand: pending, firing, resolved, unknown, stale, caught up, replaced.

use Verdict::{Fail, Pass, Unknown, Warn};
use types::alert::AlertStatus::{Firing, Pending};

use super::*;

#[test]
fn a_failing_column_fires_and_is_over_when_it_passes() {
    let mut world = World::new(DRIFT);
    assert_eq!(said(&world.week(0, vec![drift("dewp", Pass, 0), drift("temp", Warn, 0)])), [""; 0]);
    assert!(world.state.alerts.is_empty());
    assert_eq!(said(&world.week(1, vec![drift("dewp", Fail, 1), drift("temp", Warn, 1)])), ["firing dewp"]);
    assert_eq!(world.alert("dewp").since, week(1).to());
    assert_eq!(said(&world.week(2, vec![drift("dewp", Pass, 2), drift("temp", Pass, 2)])), ["resolved dewp"]);
    let episode = &world.ended[0];
    assert_eq!((episode.subject.as_str(), episode.told, episode.windows), ("dewp", true, 1));
    assert_eq!((episode.since, episode.until), (week(1).to(), checked(2)));
}

#[test]
fn an_alert_waits_for_as_many_windows_as_it_asks() {
    let mut world = World::new(&format!("{DRIFT}for = 3\n"));
    for number in 0..2 {
        assert_eq!(said(&world.week(number, vec![drift("dewp", Fail, number)])), [""; 0]);
        assert_eq!(world.alert("dewp").status, Pending);
        // Looking again at the same window is not another window.
        world.tick(after(checked(number), 1.hours()));
        assert_eq!(world.alert("dewp").windows, number as u32 + 1);
    }
    assert_eq!(said(&world.week(2, vec![drift("dewp", Fail, 2)])), ["firing dewp"]);
    assert_eq!((world.alert("dewp").windows, world.alert("dewp").since), (3, week(0).to()));
    world.week(3, vec![drift("dewp", Fail, 3)]);
    assert_eq!(world.alert("dewp").windows, 4);

    let mut broken = World::new(&format!("{DRIFT}for = 2\n"));
    for (number, verdict) in [Fail, Pass, Fail, Pass].into_iter().enumerate() {
        broken.week(number, vec![drift("dewp", verdict, number)]);
    }
    assert!(broken.told.is_empty() && broken.ended.is_empty(), "a row of one is told to nobody");
}

#[test]
fn the_later_run_about_a_window_counts() {
    let mut world = World::new(DRIFT);
    world.week(0, vec![drift("dewp", Fail, 0)]);
    world.record(after(checked(0), 1.hours()), vec![drift("dewp", Pass, 0)]);
    assert_eq!(said(&world.tick(after(checked(0), 2.hours()))), ["resolved dewp"]);
    // And a run about an older window changes nothing.
    world.week(1, vec![drift("dewp", Pass, 1)]);
    world.record(after(checked(1), 1.hours()), vec![drift("dewp", Fail, 0)]);
    assert_eq!(said(&world.tick(after(checked(1), 2.hours()))), [""; 0]);
}

#[test]
fn what_cannot_be_measured_neither_fires_nor_ends_an_alert() {
    let mut world = World::new(DRIFT);
    world.week(0, vec![drift("dewp", Unknown, 0)]);
    assert!(world.state.alerts.is_empty());
    world.week(1, vec![drift("dewp", Fail, 1)]);
    world.week(2, vec![drift("dewp", Unknown, 2)]);
    assert_eq!(world.alert("dewp").status, Firing);
    assert_eq!(said(&world.week(3, vec![drift("dewp", Pass, 3)])), ["resolved dewp"]);
}

#[test]
fn a_column_that_is_no_longer_watched_is_over() {
    let mut world = World::new(DRIFT);
    world.week(0, vec![drift("dewp", Fail, 0), drift("temp", Pass, 0)]);
    assert_eq!(said(&world.week(1, vec![drift("temp", Pass, 1)])), ["resolved dewp"]);
}

#[test]
fn a_condition_over_all_subjects_is_about_the_system() {
    let mut world = World::new("[[alert]]\nname = \"many\"\nwhen = 'size(drift.failed) >= 2'\n");
    world.week(0, vec![drift("dewp", Fail, 0), drift("temp", Pass, 0)]);
    assert!(world.told.is_empty());
    assert_eq!(said(&world.week(1, vec![drift("dewp", Fail, 1), drift("temp", Fail, 1)])), ["firing system"]);
}

#[test]
fn either_side_of_an_or_holds_for_its_own_subject() {
    let alerts = "[[alert]]\nwhen = 'drift.verdict == \"fail\" || calibration.ece > 0.08'\n";
    let mut world = World::new(alerts);
    let calibration = |ece: f64, number: usize| Finding {
        measures: vec![rows("ece", ece, 5000)],
        ..finding(CheckId::Calibration, Subject::Model, Pass, week(number))
    };
    assert_eq!(said(&world.week(0, vec![drift("dewp", Fail, 0), drift("temp", Pass, 0)])), ["firing dewp"]);
    let both = vec![drift("dewp", Fail, 1), drift("temp", Pass, 1), calibration(0.09, 1)];
    assert_eq!(said(&world.week(1, both)), ["firing model", "reminder dewp"]);
    // Evidence that is missing is no pass: the condition about it neither holds nor ends what held.
    let mut nothing = World::new("[[alert]]\nwhen = '!(calibration.ece < 0.08)'\n");
    nothing.week(0, vec![drift("dewp", Fail, 0)]);
    assert!(nothing.state.alerts.is_empty());
}

#[test]
fn without_alerts_a_failing_check_and_stale_evidence_are_shown() {
    let mut world = World::new("");
    let told = world.week(0, vec![drift("dewp", Fail, 0)]);
    assert_eq!(said(&told), ["firing dewp"]);
    assert!(told[0].to.is_empty(), "to nobody in particular");
    let late = after(checked(0), 253.hours());
    let told = world.tick(late);
    assert_eq!(said(&told), ["firing system", "reminder dewp"]);
    let stale = &told[0].message;
    assert!(stale.what_happened.contains("no new result of drift"), "{}", stale.what_happened);
    assert_eq!(stale.severity, types::message::Severity::Medium);
    assert_eq!(world.alert("dewp").status, Firing, "old evidence ends nothing");
    world.record(late, vec![drift("dewp", Pass, 1)]);
    assert_eq!(said(&world.tick(late)), ["resolved dewp", "resolved system"]);
}

#[test]
fn a_year_that_is_computed_at_once_tells_its_newest_state_alone() {
    let mut world = World::new(DRIFT);
    for number in 0..52 {
        let verdict = if number % 4 < 2 { Fail } else { Pass };
        world.record(checked(60), vec![drift("dewp", verdict, number), drift("temp", Fail, number)]);
    }
    assert_eq!(said(&world.tick(checked(60))), ["firing temp"]);
    let dewp: Vec<&Episode> = world.ended.iter().filter(|episode| episode.subject == "dewp").collect();
    assert_eq!(dewp.len(), 13, "history knows all of them");
    assert!(dewp.iter().all(|episode| !episode.told && episode.windows == 2));
    assert_eq!((dewp[1].since, dewp[1].until), (week(4).to(), week(6).to()));
    assert_eq!((world.alert("temp").since, world.alert("temp").windows), (week(0).to(), 52));
}

#[test]
fn a_budget_of_rows_burns_fast_and_slow() {
    let alerts = "[monitor]\nperformance = { every = \"week\", metric = \"accuracy\" }\n[[alert]]\nname = \"promise\"\nseverity = \"high\"\nbudget = { check = \"monitor.performance\", measure = \"accuracy\", objective = 0.95 }\n";
    let week_of = |accuracy: f64, number: usize| Finding {
        measures: vec![rows("accuracy", accuracy, 1000)],
        ..finding(CheckId::PerformanceOverTime, Subject::Model, Pass, week(number))
    };
    let mut world = World::new(alerts);
    for number in 0..4 {
        assert_eq!(said(&world.week(number, vec![week_of(0.96, number)])), [""; 0]);
    }
    // 8 % of the rows where 5 % may go wrong: 1.6 times as fast, from when a month is like that.
    let mut severities = Vec::new();
    for number in 4..8 {
        let told = world.week(number, vec![week_of(0.92, number)]);
        severities.extend(told.iter().map(|told| (number, told.message.severity)));
    }
    assert_eq!(severities, [(7, types::message::Severity::Medium)]);
    // 20 %, four times as fast, is told at once, and graver.
    let told = world.week(8, vec![week_of(0.80, 8)]);
    assert_eq!(told[0].message.severity, types::message::Severity::High);
    assert!(told[0].message.what_happened.contains("20 % of predictions went wrong"), "{told:?}");
}

#[test]
fn what_is_wrong_with_a_condition_is_said_at_its_key() {
    let definition =
        definition::parse(&format!("{REST}[[alert]]\nwhen = 'drfit.verdict == \"fail\"'\n")).unwrap();
    let error = super::super::check(&definition).unwrap_err();
    assert_eq!(error.place, definition::Place::Key("alert.0.when".into()));
    assert_eq!(error.help.as_deref(), Some("did you mean `drift`?"));
}

#[test]
fn a_rule_that_left_the_definition_is_over() {
    let mut world = World::new(DRIFT);
    world.week(0, vec![drift("dewp", Fail, 0)]);
    world.definition.alert[0].name = Some("other".into());
    world.definition.alert[0].for_windows = 9;
    let told = world.tick(after(checked(0), 1.hours()));
    assert_eq!(said(&told), ["resolved dewp"]);
    assert_eq!(told[0].to.len(), 1, "told to those who were told that it fired");
}

#[test]
fn months_and_quarters_do_not_speak_for_weeks() {
    let mut world = World::new(DRIFT);
    world.week(3, vec![drift("dewp", Pass, 3)]);
    // May ends later than that week, and says otherwise.
    let may = "2013-05-01/2013-06-03".parse().unwrap();
    assert!(world.week(4, vec![finding(CheckId::Drift, feature("dewp"), Fail, may)]).is_empty());
    assert_eq!(said(&world.week(4, vec![drift("dewp", Fail, 4)])), ["firing dewp"]);
    // Where there is nothing but such windows, they are what there is.
    let mut other = World::new(DRIFT);
    assert_eq!(
        said(&other.week(4, vec![finding(CheckId::Drift, feature("dewp"), Fail, may)])),
        ["firing dewp"]
    );
}
