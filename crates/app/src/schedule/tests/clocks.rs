//! Clocks that jump, and servers whose clocks differ.

use jiff::ToSpan;

use super::*;

fn daily(world: &World) -> Scheduler {
    let server = world.server(vec![monitored("s", "0 6 * * *")]);
    assert_eq!(look(&server).len(), 1);
    server
}

#[test]
fn back_and_forth_again_runs_nothing_twice_and_leaves_nothing_out() {
    let world = World::at("2026-03-01T12:00:00Z");
    let server = daily(&world);
    for day in 2..=5 {
        let due = format!("2026-03-0{day}T06:00:00Z");
        world.set(at(&due) + 1.second());
        assert_eq!(look(&server), ran(&due));
        for back in [2.seconds(), 3.minutes(), 40.minutes(), 20.hours()] {
            world.set(at(&due) - back);
            assert!(look(&server).is_empty(), "{back} before {due}");
            world.set(at(&due) + 2.seconds());
            assert!(look(&server).is_empty(), "again at {due}");
        }
    }
    // Days back, each of which had its run.
    world.set(at("2026-03-03T07:00:00Z"));
    assert!(look(&server).is_empty());
    world.set(at("2026-03-06T06:00:00Z"));
    assert_eq!(look(&server), ran("2026-03-06T06:00:00Z"));
}

#[test]
fn a_clock_that_was_a_year_ahead_leaves_nothing_out_afterwards() {
    let world = World::at("2026-03-01T12:00:00Z");
    let server = daily(&world);
    world.set(at("2027-03-02T12:00:00Z"));
    assert_eq!(look(&server), [("2027-03-02T06:00:00Z".to_owned(), 365)]);
    world.set(at("2026-03-01T12:05:00Z"));
    assert!(look(&server).is_empty());
    for due in ["2026-03-02T06:00:00Z", "2026-03-03T06:00:00Z"] {
        world.set(at(due) - 1.second());
        assert!(look(&server).is_empty());
        world.set(at(due));
        assert_eq!(look(&server), ran(due));
    }
    // When the time that was believed too early really comes, it is due.
    world.set(at("2027-03-01T06:00:00Z"));
    assert_eq!(look(&server).len(), 1);
    world.set(at("2027-03-02T06:00:00Z"));
    assert_eq!(look(&server), ran("2027-03-02T06:00:00Z"));
}

#[test]
fn a_job_that_waits_or_runs_when_the_clock_is_set_back_is_not_stuck() {
    let world = World::at("2026-03-01T12:00:00Z");
    let server = daily(&world);
    world.set(at("2027-03-02T12:00:00Z"));
    server.plan().unwrap();
    let lease_for = Duration::from_mins(2);
    let now = *world.now.lock().unwrap();
    let dead = server.store.lease(now, "dead", lease_for, &["s"], &["monitor"]).unwrap().unwrap();
    world.set(at("2026-03-01T12:05:00Z"));
    server.plan().unwrap();
    // Its lease would have lasted for a year.
    world.pass(8.minutes());
    let taken = done(&server).unwrap();
    assert_eq!((taken.job.id, taken.job.lease, taken.end), (dead.id, 2, End::Done(String::new())));
}

#[test]
fn servers_whose_clocks_differ_a_little_plan_each_instant_once() {
    let ahead = World::at("2026-03-01T12:00:00Z");
    let one = daily(&ahead);
    let behind = World { folder: tempfile::tempdir().unwrap(), now: Arc::default() };
    behind.set(at("2026-03-01T12:00:00Z"));
    let now = Arc::clone(&behind.now);
    let clock = Arc::new(move || *now.lock().unwrap());
    let other = Scheduler::new(Arc::clone(&one.store), "other", clock, Patience::default());
    other.serve(vec![monitored("s", "0 6 * * *")]);
    // Several days went by without a server: one run makes up for all, by either clock.
    ahead.set(at("2026-03-05T06:01:00Z"));
    behind.set(at("2026-03-05T05:59:00Z"));
    assert_eq!(look(&one), [("2026-03-05T06:00:00Z".to_owned(), 3)]);
    assert!(look(&other).is_empty());
    behind.set(at("2026-03-05T06:05:00Z"));
    assert!(look(&other).is_empty());
}
