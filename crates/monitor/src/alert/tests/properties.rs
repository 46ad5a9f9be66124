//! What must hold whatever happens: a simulated year of weeks, silences, acknowledgements and looks at odd times.

use std::collections::BTreeMap;

use Verdict::{Fail, Pass, Unknown};
use proptest::prelude::*;

use super::*;

const SUBJECTS: [&str; 3] = ["dewp", "temp", "seats"];
const WEEKS: usize = 8;
const RULE: &str = "[[alert]]\nname = \"drift\"\nwhen = 'drift.verdict == \"fail\"'\nto = [\"email:a@b.c\"]\nrepeat = \"30h\"\nescalate = [{ after = \"20h\", to = [\"email:lead@b.c\"] }]\n";

/// What happens at an hour: a week is checked (again), somebody acknowledges, or somebody merely looks.
#[derive(Clone, Debug)]
struct Happening {
    hour: i64,
    verdicts: Option<[Verdict; 3]>,
    acknowledges: Option<usize>,
}

fn verdict() -> impl Strategy<Value = Verdict> {
    prop_oneof![3 => Just(Fail), 3 => Just(Pass), 1 => Just(Unknown)]
}

fn happenings() -> impl Strategy<Value = Vec<Happening>> {
    let hours = WEEKS as i64 * 168;
    let verdicts = prop::option::of([verdict(), verdict(), verdict()]);
    let happening = (0..hours, verdicts, prop::option::weighted(0.2, 0..3_usize))
        .prop_map(|(hour, verdicts, acknowledges)| Happening { hour, verdicts, acknowledges });
    prop::collection::vec(happening, 1..40).prop_map(|mut happenings| {
        happenings.sort_by_key(|happening| happening.hour);
        happenings
    })
}

fn silences() -> impl Strategy<Value = Vec<(usize, i64, i64)>> {
    prop::collection::vec((0..3_usize, 0..WEEKS as i64 * 168, 1..200_i64), 0..4)
}

fn hour(hour: i64) -> Timestamp {
    after(checked(0), hour.hours())
}

/// Lives through it all, then a week without silences in which nothing changes.
fn lived(happenings: &[Happening], silences: &[(usize, i64, i64)]) -> World {
    let mut world = World::new(RULE);
    for (subject, from, length) in silences {
        world.silence(SUBJECTS[*subject], hour(*from), hour(from + length));
    }
    for happening in happenings {
        let now = hour(happening.hour);
        if let Some(verdicts) = happening.verdicts {
            let number = (happening.hour / 168) as usize;
            let findings = SUBJECTS.iter().zip(verdicts).map(|(name, verdict)| drift(name, verdict, number));
            world.record(now, findings.collect());
        }
        if let Some(subject) = happening.acknowledges {
            world.acknowledge("drift", SUBJECTS[subject], now);
        }
        world.tick(now);
    }
    let end = WEEKS as i64 * 168 + 200;
    for later in 0..8 {
        world.tick(hour(end + later * 24));
    }
    world
}

/// The messages about each column, in order.
fn by_subject(world: &World) -> BTreeMap<&str, Vec<(Timestamp, Occasion)>> {
    let mut told: BTreeMap<&str, Vec<(Timestamp, Occasion)>> = BTreeMap::new();
    for (at, notification) in &world.told {
        for alert in &notification.message.alerts {
            told.entry(&alert.subject).or_default().push((*at, notification.message.occasion));
        }
    }
    told
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn an_alert_is_not_told_twice_within_the_repeat_interval(
        happenings in happenings(), silences in silences()
    ) {
        let world = lived(&happenings, &silences);
        for (subject, told) in by_subject(&world) {
            let firing: Vec<Timestamp> = told
                .iter()
                .filter(|(_, occasion)| matches!(occasion, Occasion::Firing | Occasion::Reminder))
                .map(|(at, _)| *at)
                .collect();
            for pair in firing.windows(2) {
                prop_assert!(after(pair[0], 30.hours()) <= pair[1], "{subject}: {firing:?}");
            }
        }
    }

    #[test]
    fn the_end_is_told_once_where_the_beginning_was_told(
        happenings in happenings(), silences in silences()
    ) {
        let mut world = lived(&happenings, &silences);
        let end = WEEKS + 3;
        world.week(end, SUBJECTS.iter().map(|name| drift(name, Pass, end)).collect());
        for (subject, told) in by_subject(&world) {
            let mut fires = false;
            for (at, occasion) in told {
                match occasion {
                    Occasion::Firing => {
                        prop_assert!(!fires, "{subject} was told to begin twice, {at}");
                        fires = true;
                    }
                    Occasion::Resolved => {
                        prop_assert!(fires, "{subject} was told to end without a beginning, {at}");
                        fires = false;
                    }
                    _ => prop_assert!(fires, "{subject} was told in between, {at}"),
                }
            }
            prop_assert!(!fires, "the end of {subject} was never told");
        }
        prop_assert!(world.state.groups.is_empty());
    }

    #[test]
    fn a_silence_loses_no_alert(happenings in happenings(), silences in silences()) {
        let world = lived(&happenings, &silences);
        for alert in &world.state.alerts {
            let taken_on = alert.told.acknowledged.is_some();
            let fires = alert.status == types::alert::AlertStatus::Firing;
            prop_assert!(!fires || taken_on || alert.told.grade.is_some(), "{alert:?}");
        }
    }

    #[test]
    fn what_somebody_took_on_is_neither_repeated_nor_escalated(
        happenings in happenings(), silences in silences()
    ) {
        let mut world = World::new(RULE);
        for (subject, from, length) in &silences {
            world.silence(SUBJECTS[*subject], hour(*from), hour(from + length));
        }
        for happening in &happenings {
            let now = hour(happening.hour);
            if let Some(verdicts) = happening.verdicts {
                let number = (happening.hour / 168) as usize;
                let findings = SUBJECTS.iter().zip(verdicts).map(|(name, verdict)| drift(name, verdict, number));
                world.record(now, findings.collect());
            }
            if let Some(subject) = happening.acknowledges {
                world.acknowledge("drift", SUBJECTS[subject], now);
            }
            let told = world.tick(now);
            for alert in world.state.alerts.iter().filter(|alert| alert.told.acknowledged.is_some()) {
                let mentioned = told.iter().any(|told| {
                    told.message.occasion != Occasion::Resolved
                        && told.message.alerts.iter().any(|about| about.subject == alert.subject)
                });
                prop_assert!(!mentioned, "{} at {now}: {:?}", alert.subject, said(&told));
            }
        }
    }

    #[test]
    fn looking_twice_tells_nothing_new_and_order_does_not_matter(
        happenings in happenings(), silences in silences(), turn in 0..100_usize
    ) {
        let mut world = lived(&happenings, &silences);
        let now = hour(WEEKS as i64 * 168 + 200 + 7 * 24);
        let again = world.outcome(now);
        prop_assert!(again.notifications.is_empty() && again.ended.is_empty());
        prop_assert_eq!(&again.state, &world.state);
        let later = after(now, 31.hours());
        let expected = world.outcome(later);
        let turn = turn % world.records.len().max(1);
        world.records.rotate_left(turn);
        world.records.reverse();
        prop_assert_eq!(world.outcome(later), expected);
        // What is stored between two evaluations loses nothing.
        let stored = serde_json::to_string(&world.state).unwrap();
        prop_assert_eq!(serde_json::from_str::<AlertState>(&stored).unwrap(), world.state);
    }
}

#[test]
fn a_year_of_weeks_is_told_as_it_goes_by() {
    let mut world = World::new(RULE);
    for number in 0..52 {
        // The weather is off from week 10 to 19, one of its columns until 24; planes are off in every tenth week.
        let of = |is_off: bool| if is_off { Fail } else { Pass };
        let findings = vec![
            drift("dewp", of((10..20).contains(&number)), number),
            drift("temp", of((12..25).contains(&number)), number),
            drift("seats", of(number % 10 == 5), number),
        ];
        world.record(checked(number), findings);
        world.acknowledge("drift", "dewp", after(checked(number), 25.hours()));
        for hour in (0..168_i64).step_by(6) {
            world.tick(after(checked(number), hour.hours()));
        }
    }
    let mut counts: BTreeMap<&str, usize> = BTreeMap::new();
    for (_, notification) in &world.told {
        *counts.entry(occasion(notification.message.occasion)).or_default() += 1;
    }
    // Five weeks of planes and one of the weather begin and end; temp has the same cause as dewp, joins it and ends
    // with it. Temp is nobody's, so it is told again and goes to the next.
    assert_eq!((counts["firing"], counts["resolved"]), (7, 6));
    assert_eq!(world.ended.len(), 7);
    let reminded = world.told.iter().filter(|(_, told)| told.message.occasion == Occasion::Reminder);
    assert!(
        reminded.clone().all(|(_, told)| told.message.alerts.iter().all(|alert| alert.subject != "dewp"))
    );
    // Planes five times, the weather once for dewp, which is then taken on, and once for temp.
    assert_eq!(counts["escalation"], 7);
}
