//! Due instants against Python's zoneinfo, cronsim and croniter (`testdata/reference/schedule.json`, made by
//! `make_schedule.py` beside it), over a year with both changes of the clocks.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::time::Duration;

use jiff::Timestamp;
use serde_json::Value;
use types::calendar::{Rule, Timetable, Zone};
use types::definition::Cadence;

fn reference() -> Value {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../../testdata/reference/schedule.json");
    serde_json::from_str(&std::fs::read_to_string(path).unwrap()).unwrap()
}

fn text<'v>(case: &'v Value, key: &str) -> &'v str {
    case[key].as_str().unwrap()
}

fn at(text: &str) -> Timestamp {
    text.parse().unwrap()
}

fn due(case: &Value) -> Vec<Timestamp> {
    case["due"].as_array().unwrap().iter().map(|due| at(due.as_str().unwrap())).collect()
}

fn cron(expression: &str, zone: &str) -> Timetable {
    Timetable { rule: Rule::Cron(expression.parse().unwrap()), zone: zone.parse().unwrap() }
}

fn ends(cadence: Cadence, zone: &str, after_minutes: u64) -> Timetable {
    let after = Duration::from_mins(after_minutes);
    Timetable { rule: Rule::Ends { of: vec![cadence], after }, zone: zone.parse().unwrap() }
}

#[test]
fn ends_of_days_weeks_months_and_quarters_are_those_of_zoneinfo() {
    let reference = reference();
    let cases = reference["cadences"].as_array().unwrap();
    assert_eq!(cases.len(), 28);
    for case in cases {
        let cadence: Cadence = serde_json::from_value(case["cadence"].clone()).unwrap();
        let timetable = ends(cadence, text(case, "zone"), case["after_minutes"].as_u64().unwrap());
        let (from, to) = (at(text(case, "from")), at(text(case, "to")));
        let expected = due(case);
        assert_eq!(timetable.due_between(from, to).collect::<Vec<_>>(), expected, "{case}");
        assert_eq!(timetable.newest_until(to), expected.last().copied(), "{case}");
    }
}

#[test]
fn cron_expressions_are_due_when_cronsim_says_also_where_clocks_change() {
    for case in reference()["cron"].as_array().unwrap() {
        check_cron(case, text(case, "zone"));
    }
}

#[test]
fn cron_expressions_are_due_when_cronsim_and_croniter_agree() {
    for case in reference()["agreed"].as_array().unwrap() {
        check_cron(case, "UTC");
    }
}

fn check_cron(case: &Value, zone: &str) {
    let expression = text(case, "expression");
    let (timetable, expected) = (cron(expression, zone), due(case));
    let (from, to) = (at(text(case, "from")), expected[expected.len() - 1]);
    let found: Vec<Timestamp> = timetable.due_between(from, to).collect();
    assert_eq!(found, expected, "{expression} in {zone}");
    assert_eq!(timetable.newest_until(to), Some(to), "{expression} in {zone}");
}

#[test]
fn several_cadences_are_due_when_any_of_them_is_and_once_where_they_meet() {
    let of = vec![Cadence::Week, Cadence::Month, Cadence::Quarter];
    let rule = Rule::Ends { of, after: Duration::from_hours(2) };
    let timetable = Timetable { rule, zone: "America/New_York".parse().unwrap() };
    let due: Vec<String> = timetable
        .due_between(at("2026-05-25T06:00:00Z"), at("2026-07-07T00:00:00Z"))
        .map(|due| due.to_string())
        .collect();
    // 1 June is a Monday.
    let expected = ["06-01", "06-08", "06-15", "06-22", "06-29", "07-01", "07-06"];
    assert_eq!(due, expected.map(|day| format!("2026-{day}T06:00:00Z")));
}

#[test]
fn the_newest_due_instant_is_found_however_rare_it_is() {
    let check = |expression: &str, until: &str, expected: &str| {
        let newest = cron(expression, "UTC").newest_until(at(until)).map(|due| due.to_string());
        assert_eq!(newest.as_deref(), Some(expected), "{expression} until {until}");
    };
    check("* * * * *", "2026-03-04T05:06:59Z", "2026-03-04T05:06:00Z");
    check("0 6 * * 1", "2026-03-04T05:06:07Z", "2026-03-02T06:00:00Z");
    check("0 0 29 2 *", "2103-01-01T00:00:00Z", "2096-02-29T00:00:00Z");
    // Both fields begin with a star, so both must match: a Sunday.
    check("0 0 29 2 */7", "2026-01-01T00:00:00Z", "2004-02-29T00:00:00Z");
}

#[test]
fn utc_is_the_zone_where_none_is_named() {
    let timetable = Timetable { rule: Rule::Cron("0 6 * * *".parse().unwrap()), zone: Zone::default() };
    let next = timetable.next_after(at("2026-07-01T06:00:00Z")).unwrap();
    assert_eq!(next, at("2026-07-02T06:00:00Z"));
}
