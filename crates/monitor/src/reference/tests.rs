//! References that are the same throughout, that change, and that swing.

use stats::sketch::{CategoricalProfile, Fidelity, NumericProfile, Profile};
use types::column::{Column, ColumnKind, Schema};
use types::question::Measured;
use types::window::instant_text;
use types::{Answer, Answers, Question, Window, definition};

use super::{ReferenceChange, changes, windows, without};
use crate::generated::Seeded;

const WEEKS: usize = 9;
const ROWS: usize = 400;

fn reference() -> Window {
    "2024-01-01/2024-03-04".parse().unwrap()
}

/// A letter a row, drawn among four; a number where `number` says how it is drawn.
fn letters(rng: &mut Seeded, of: [&str; 4], missing: f64) -> Profile {
    let mut profile = CategoricalProfile::new(100);
    for _ in 0..ROWS {
        if rng.uniform() < missing {
            profile.nulls += 1;
        } else {
            profile.values.add(of[(rng.uniform() * 4.0) as usize], 1);
        }
    }
    Profile::Categorical(profile)
}

fn numbers(rng: &mut Seeded, level: f64) -> Profile {
    let mut profile = NumericProfile::new(Fidelity::Exact);
    profile.extend(&(0..ROWS).map(|_| level + rng.normal()).collect::<Vec<f64>>());
    Profile::Numeric(profile)
}

/// What is found of a column `x` with these profiles, one a week.
fn found(weeks: impl IntoIterator<Item = Profile>) -> Vec<ReferenceChange> {
    let text = format!(
        "[log]\npath = \"l\"\ntime = \"t\"\nscore = \"p\"\n[reference]\nwindow = \"{}\"\n",
        reference()
    );
    let definition = definition::parse(&text).unwrap();
    let column = |name: &str, kind| Column { name: name.into(), kind, type_name: "test".into() };
    let schema =
        Schema { columns: vec![column("t", ColumnKind::Time), column("x", ColumnKind::Categorical)] };
    let windows = windows(reference());
    assert_eq!(windows.len(), WEEKS);
    let mut answers = Answers::default();
    for (&window, profile) in windows.iter().zip(weeks) {
        let of = Measured::Column { name: "x".into() };
        let question = Question::Profile { of, kind: ColumnKind::Categorical, window };
        answers.insert(question, Answer::Profile(profile));
    }
    changes(&definition, &schema, &windows, &answers)
}

const UPPER: [&str; 4] = ["A", "B", "C", "D"];
const LOWER: [&str; 4] = ["a", "b", "c", "d"];

#[test]
fn a_change_is_found_with_the_week_in_which_it_begins_and_a_part_without_it() {
    for (from, part) in [
        (4, Some("2024-01-29/2024-03-04")),
        (7, Some("2024-01-01/2024-02-19")),
        (2, Some("2024-01-15/2024-03-04")),
    ] {
        let mut rng = Seeded(3);
        let letters =
            found((0..WEEKS).map(|at| letters(&mut rng, if at < from { UPPER } else { LOWER }, 0.0)));
        let numbers = found((0..WEEKS).map(|at| numbers(&mut rng, if at < from { 0.0 } else { 1.0 })));
        for found in [letters, numbers] {
            let began = windows(reference())[from].from();
            assert_eq!(
                found,
                [ReferenceChange { column: "x".into(), since: began }],
                "{}",
                instant_text(began)
            );
            let without = without(&windows(reference()), &found);
            assert_eq!(without.map(|part| part.to_string()).as_deref(), part);
        }
    }
}

#[test]
fn a_column_that_is_written_from_some_week_on_only_has_changed() {
    let mut rng = Seeded(4);
    let found = found((0..WEEKS).map(|at| letters(&mut rng, UPPER, if at < 5 { 1.0 } else { 0.02 })));
    assert_eq!(found.len(), 1);
    assert_eq!(instant_text(found[0].since), "2024-02-05");
}

#[test]
fn a_reference_that_is_the_same_throughout_or_swings_has_no_change() {
    let mut rng = Seeded(5);
    for _ in 0..100 {
        assert_eq!(found((0..WEEKS).map(|_| letters(&mut rng, UPPER, 0.02))), []);
    }
    // Weeks have levels of their own, as those of weather have.
    let swinging = (0..200).filter(|_| {
        let levels: Vec<f64> = (0..WEEKS).map(|_| rng.normal()).collect();
        !found(levels.into_iter().map(|level| numbers(&mut rng, level))).is_empty()
    });
    let swinging = swinging.count();
    assert!(swinging <= 10, "{swinging} of 200");
}

#[test]
fn two_changes_leave_a_part_only_where_it_is_long_enough() {
    let change =
        |week: usize| ReferenceChange { column: "x".into(), since: windows(reference())[week].from() };
    let part = |weeks: [usize; 2]| {
        without(&windows(reference()), &weeks.map(change)).map(|window| window.to_string())
    };
    assert_eq!(part([3, 5]).as_deref(), Some("2024-02-05/2024-03-04"));
    assert_eq!(part([4, 7]).as_deref(), Some("2024-01-01/2024-01-29"));
    assert_eq!(part([3, 7]), None);
}

#[test]
fn few_weeks_are_looked_at_by_day() {
    assert_eq!(windows("2024-01-01/2024-01-15".parse().unwrap()).len(), 14);
    assert_eq!(windows("2024-01-01/2024-01-29".parse().unwrap()).len(), 4);
}
