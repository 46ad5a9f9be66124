//! What is usual where a reference is even, where it has an odd week, and where it changes before it ends.

use stats::sketch::{CategoricalProfile, Fidelity, NumericProfile, Profile};
use types::column::{Column, ColumnKind, Schema};
use types::definition::Cadence;
use types::log_state::LogState;
use types::question::Measured;
use types::window::parse_instant;
use types::{Answer, Answers, Definition, Finding, Question, Subject, Verdict, Window, definition};

use super::{Usual, UsualBuilder, usual_windows};
use crate::generated::Seeded;
use crate::{History, Scope};

const DEFINITION: &str = r#"
[log]
path = "log.parquet"
time = "t"
score = "p"
[reference]
window = "2024-01-01/2024-03-04"
"#;
/// Whole weeks of the reference.
const WEEKS: usize = 9;
const ROWS: u64 = 420;

/// The week of the reference that has this position, and those after it.
fn week(at: usize) -> Window {
    let from = parse_instant("2024-01-01").unwrap().as_second() + at as i64 * 7 * 86_400;
    let at = |second: i64| jiff::Timestamp::from_second(second).unwrap();
    Window::new(at(from), at(from + 7 * 86_400)).unwrap()
}

fn letters(counts: &[(&str, u64)], nulls: u64) -> Profile {
    let mut profile = CategoricalProfile::new(1000);
    for (value, count) in counts {
        profile.values.add(value, *count);
    }
    profile.nulls = nulls;
    Profile::Categorical(profile)
}

/// As many rows of each of four letters as chance gives.
fn drawn(rng: &mut Seeded, of: [&str; 4], missing: f64) -> Profile {
    let mut counts = of.map(|letter| (letter, 0));
    let mut nulls = 0;
    for _ in 0..ROWS {
        if rng.uniform() < missing {
            nulls += 1;
        } else {
            counts[(rng.uniform() * 4.0) as usize].1 += 1;
        }
    }
    letters(&counts, nulls)
}

const UPPER: [&str; 4] = ["A", "B", "C", "D"];
const LOWER: [&str; 4] = ["a", "b", "c", "d"];

/// The column `x` of a log, one profile a week: those of the reference, and the window.
struct Made {
    definition: Definition,
    schema: Schema,
    answers: Answers,
}

impl Made {
    fn of(weeks: &[Profile]) -> Self {
        let definition: Definition = definition::parse(DEFINITION).unwrap();
        let column = |name: &str, kind| Column { name: name.into(), kind, type_name: "test".into() };
        let schema = Schema {
            columns: vec![
                column("t", ColumnKind::Time),
                column("p", ColumnKind::Numeric),
                column("x", ColumnKind::Categorical),
            ],
        };
        let mut answers = Answers::default();
        let mut tell = |profile: &Profile, window: Window| {
            let of = Measured::Column { name: "x".into() };
            let question = Question::Profile { of, kind: ColumnKind::Categorical, window };
            answers.insert(question, Answer::Profile(profile.clone()));
        };
        let mut whole = weeks[0].clone();
        for (at, profile) in weeks.iter().enumerate() {
            tell(profile, week(at));
            if (1..WEEKS).contains(&at) {
                whole.merge(profile).unwrap();
            }
        }
        tell(&whole, definition.reference.window);
        Self { definition, schema, answers }
    }

    fn usual(&self) -> Usual {
        let against = [self.definition.reference.window];
        let mut builder = UsualBuilder::of_log(&self.definition, &self.schema, &against, &self.answers);
        for window in usual_windows(&self.definition, Cadence::Week, &against) {
            builder.add(&self.definition, window, &self.answers);
        }
        builder.finish()
    }

    /// What drift says of `x` in the first week after the reference.
    fn finding(&self) -> Finding {
        let against = [self.definition.reference.window];
        let scope = Scope {
            definition: &self.definition,
            schema: &self.schema,
            window: week(WEEKS),
            every: Cadence::Week,
            against: &against,
            log: &LogState::default(),
            history: &History::default(),
            usual: &self.usual(),
        };
        let findings = crate::drift::judge(scope, &self.answers, &mut Seeded(1));
        findings.into_iter().find(|finding| finding.subject.label() == "x").unwrap()
    }

    fn changed(&self) -> Option<String> {
        let subject = Subject::Feature { name: "x".into(), source: None };
        let usual = self.usual();
        usual.of(&subject)?.changed.map(|at| at.to_string())
    }
}

/// Ten weeks, of which the last is the window; `odd` says of which letters a week is, and what share is missing.
fn weeks(odd: impl Fn(usize) -> ([&'static str; 4], f64)) -> Made {
    let mut rng = Seeded(7);
    let weeks: Vec<Profile> = (0..=WEEKS)
        .map(|at| {
            let (letters, missing) = odd(at);
            drawn(&mut rng, letters, missing)
        })
        .collect();
    Made::of(&weeks)
}

#[test]
fn categories_that_are_coded_otherwise_from_late_in_the_reference_on_are_drift() {
    for from in [WEEKS - 2, WEEKS - 1] {
        let made = weeks(|at| (if at >= from { LOWER } else { UPPER }, 0.0));
        let finding = made.finding();
        assert_eq!(finding.verdict, Verdict::Fail, "{}", finding.summary);
        let since = types::window::instant_text(week(from).from());
        let said = format!("The reference itself changed on about {since}");
        assert!(finding.summary.contains(&said), "{}", finding.summary);
        assert_eq!(finding.measure("psi_usual").unwrap().n as usize, from);
    }
    // Where it was so for a quarter of the reference, both ways are usual.
    let made = weeks(|at| (if at >= WEEKS - 3 { LOWER } else { UPPER }, 0.0));
    assert_eq!(made.changed(), None);
}

#[test]
fn one_odd_week_among_others_says_how_much_weeks_differ() {
    for at in 0..WEEKS - 1 {
        let made = weeks(|week| (if week == at { LOWER } else { UPPER }, 0.0));
        assert_eq!(made.changed(), None, "{at}");
    }
}

#[test]
fn an_outage_that_begins_late_in_the_reference_is_drift() {
    let made = weeks(|at| (UPPER, if at >= WEEKS - 1 { 0.5 } else { 0.02 }));
    let finding = made.finding();
    assert_eq!(finding.verdict, Verdict::Fail, "{}", finding.summary);
    assert!(finding.summary.contains("It is missing in"), "{}", finding.summary);
    assert!(
        finding.summary.contains("The reference itself changed on about 2024-02-26"),
        "{}",
        finding.summary
    );
}

#[test]
fn an_even_reference_is_not_said_to_have_changed() {
    let mut rng = Seeded(11);
    let said = (0..300).filter(|_| {
        let weeks: Vec<Profile> = (0..=WEEKS).map(|_| drawn(&mut rng, UPPER, 0.02)).collect();
        Made::of(&weeks).changed().is_some()
    });
    assert_eq!(said.count(), 0);
}

#[test]
fn weeks_that_swing_much_are_rarely_said_to_have_changed() {
    // Each week has a level of its own, as weather has: the last of nine is twice as far off as all others in one in
    // a hundred or so.
    let mut rng = Seeded(13);
    let said = (0..400).filter(|_| {
        let weeks: Vec<Profile> = (0..=WEEKS)
            .map(|_| {
                let level = rng.normal();
                let mut profile = NumericProfile::new(Fidelity::Exact);
                profile.extend(&(0..200).map(|_| level + rng.normal()).collect::<Vec<f64>>());
                Profile::Numeric(profile)
            })
            .collect();
        Made::of(&weeks).changed().is_some()
    });
    let said = said.count();
    assert!(said <= 12, "{said} of 400");
}
