//! Drift verdicts on generated columns, without any data file.

use stats::sketch::{CategoricalProfile, Fidelity, NumericProfile, Profile};
use types::column::{Column, ColumnKind, Schema};
use types::{Answer, Answers, Definition, Finding, Verdict, Window, definition};

use types::definition::Cadence;
use types::log_state::LogState;

use crate::generated::Seeded;
use crate::{History, Scope, Usual, plan};

const DEFINITION: &str = r#"
[log]
path = "log.parquet"
time = "t"
score = "p"
[reference]
window = "2013-01-01/2013-05-01"
"#;

fn normals(seed: u64, n: usize) -> Vec<f64> {
    let mut rng = Seeded(seed);
    (0..n).map(|_| rng.normal()).collect()
}

fn numeric(values: &[f64], nulls: u64) -> Profile {
    let mut profile = NumericProfile::new(Fidelity::Exact);
    profile.extend(values);
    profile.nulls = nulls;
    Profile::Numeric(profile)
}

fn categorical(counts: &[(&str, u64)]) -> Profile {
    let mut profile = CategoricalProfile::new(1000);
    for (value, count) in counts {
        profile.values.add(value, *count);
    }
    Profile::Categorical(profile)
}

/// Judges columns `c0, c1, …` given as (reference, current) profiles; the score does not move.
fn judged(columns: &[(Profile, Profile)]) -> Vec<Finding> {
    let definition: Definition = definition::parse(DEFINITION).unwrap();
    let kind = |profile: &Profile| match profile {
        Profile::Numeric(_) => ColumnKind::Numeric,
        Profile::Categorical(_) => ColumnKind::Categorical,
    };
    let column = |name: &str, kind| Column { name: name.into(), kind, type_name: "test".into() };
    let mut schema =
        Schema { columns: vec![column("t", ColumnKind::Time), column("p", ColumnKind::Numeric)] };
    for (at, (reference, _)) in columns.iter().enumerate() {
        schema.columns.push(column(&format!("c{at}"), kind(reference)));
    }
    let window: Window = "2013-06-03/2013-06-10".parse().unwrap();
    let against = [definition.reference.window];
    let scope = Scope {
        definition: &definition,
        schema: &schema,
        window,
        every: Cadence::Week,
        against: &against,
        log: &LogState::default(),
        history: &History::default(),
        usual: &Usual::default(),
    };
    let mut answers = Answers::default();
    for question in plan(scope) {
        let types::Question::Profile { of, kind, window: asked } = &question else { continue };
        let profile = match of {
            types::question::Measured::Column { name } if name != "p" => {
                let at: usize = name[1..].parse().unwrap();
                let (reference, current) = &columns[at];
                if *asked == window { current } else { reference }.clone()
            }
            _ if *kind == ColumnKind::Numeric => numeric(&[0.1, 0.2, 0.3].repeat(200), 0),
            _ => categorical(&[("negative", 600)]),
        };
        answers.insert(question, Answer::Profile(profile));
    }
    super::judge(scope, &answers)
}

fn verdict_of(findings: &[Finding], column: &str) -> Verdict {
    findings.iter().find(|finding| finding.subject.label() == column).unwrap().verdict
}

fn verdict(reference: Profile, current: Profile) -> Verdict {
    verdict_of(&judged(&[(reference, current)]), "c0")
}

#[test]
fn an_unchanged_column_passes() {
    assert_eq!(verdict(numeric(&normals(1, 5000), 0), numeric(&normals(2, 1000), 0)), Verdict::Pass);
}

/// Pins the defect of equal-width bins over both windows, where one outlier puts everything else
/// into a single bin.
#[test]
fn one_outlier_does_not_hide_a_shift_of_three_sigma() {
    let mut shifted: Vec<f64> = normals(2, 1000).iter().map(|value| value + 3.0).collect();
    shifted[17] = 1e4;
    assert_eq!(verdict(numeric(&normals(1, 5000), 0), numeric(&shifted, 0)), Verdict::Fail);
}

#[test]
fn a_tiny_shift_of_a_million_rows_is_significant_and_still_passes() {
    let shifted: Vec<f64> = normals(2, 300_000).iter().map(|value| value + 0.05).collect();
    let findings = judged(&[(numeric(&normals(1, 300_000), 0), numeric(&shifted, 0))]);
    let finding = findings.iter().find(|finding| finding.subject.label() == "c0").unwrap();
    assert!(finding.measure("kolmogorov_smirnov").unwrap().p_adjusted.unwrap() < 1e-6);
    assert_eq!(finding.verdict, Verdict::Pass);
}

#[test]
fn a_hundred_unchanged_columns_raise_no_alarm() {
    let columns: Vec<(Profile, Profile)> = (0..100)
        .map(|at| (numeric(&normals(1000 + at, 400), 0), numeric(&normals(5000 + at, 120), 0)))
        .collect();
    let findings = judged(&columns);
    let alarms = findings.iter().filter(|finding| finding.verdict > Verdict::Pass).count();
    assert_eq!(alarms, 0);
}

#[test]
fn a_dead_feed_fails_and_says_so() {
    let findings = judged(&[(numeric(&normals(1, 1000), 3), numeric(&[], 500))]);
    let finding = findings.iter().find(|finding| finding.subject.label() == "c0").unwrap();
    assert_eq!(finding.verdict, Verdict::Fail);
    assert!(finding.summary.contains("Every value is missing"), "{}", finding.summary);
    assert!(finding.unmeasured.iter().any(|unmeasured| unmeasured.name == "psi"));
}

#[test]
fn a_constant_column_that_comes_alive_fails() {
    assert_eq!(verdict(numeric(&[5.0; 1000], 0), numeric(&normals(1, 500), 0)), Verdict::Fail);
    assert_eq!(verdict(numeric(&[5.0; 1000], 0), numeric(&[5.0; 500], 0)), Verdict::Pass);
}

#[test]
fn too_few_rows_are_unknown_and_never_pass() {
    assert_eq!(verdict(numeric(&normals(1, 5000), 0), numeric(&normals(2, 99), 0)), Verdict::Unknown);
}

#[test]
fn a_column_without_any_value_is_unknown() {
    assert_eq!(verdict(numeric(&[], 1000), numeric(&[], 1000)), Verdict::Unknown);
}

#[test]
fn unseen_categories_fail_by_their_share() {
    let reference = categorical(&[("UA", 600), ("DL", 400)]);
    assert_eq!(verdict(reference.clone(), categorical(&[("UA", 300), ("DL", 200)])), Verdict::Pass);
    let findings = judged(&[(reference, categorical(&[("UA", 250), ("DL", 170), ("ZZ", 80)]))]);
    assert_eq!(verdict_of(&findings, "c0"), Verdict::Fail);
    assert!(findings[0].summary.contains("`ZZ`"), "{}", findings[0].summary);
}

#[test]
fn ten_thousand_rare_categories_without_drift_pass() {
    // 50,000 rows over 10,000 values: a plain index over all values would cry wolf.
    let draw = |seed: u64, n: usize| {
        let mut counts = std::collections::HashMap::<u64, u64>::new();
        for value in normals(seed, n) {
            *counts.entry(((value * 1e6).abs() as u64) % 10_000).or_default() += 1;
        }
        let mut profile = CategoricalProfile::new(65_536);
        for (value, count) in counts {
            profile.values.add(&value.to_string(), count);
        }
        Profile::Categorical(profile)
    };
    assert_eq!(verdict(draw(1, 50_000), draw(2, 50_000)), Verdict::Pass);
}

#[test]
fn infinities_move_a_column_without_breaking_it() {
    let mut current = normals(2, 1000);
    current.iter_mut().take(400).for_each(|value| *value = f64::INFINITY);
    assert_eq!(verdict(numeric(&normals(1, 1000), 0), numeric(&current, 0)), Verdict::Fail);
}

#[test]
fn findings_come_worst_first() {
    let still = (numeric(&normals(1, 1000), 0), numeric(&normals(2, 1000), 0));
    let moved: Vec<f64> = normals(3, 1000).iter().map(|value| value + 2.0).collect();
    let findings = judged(&[still, (numeric(&normals(1, 1000), 0), numeric(&moved, 0))]);
    assert_eq!(findings[0].subject.label(), "c1");
    assert!(findings.windows(2).all(|pair| pair[0].verdict >= pair[1].verdict));
}
