//! Verdicts on all columns together, on generated rows.

use types::answer::RowSample;
use types::column::{Column, ColumnKind, Schema};
use types::{Answer, Answers, Definition, Finding, Verdict, Window, definition};

use super::{MultivariateScope, UsualTogether, judge, sample_question, usual};
use crate::generated::{Seeded, sample};

const DEFINITION: &str = r#"
[log]
path = "log.parquet"
time = "t"
score = "p"
[reference]
window = "2013-01-01/2013-05-01"
"#;
const ROWS: usize = 1500;

/// `x` and `y` with a correlation, `z` on its own.
fn rows(rng: &mut Seeded, correlation: f64) -> RowSample {
    let mut columns = [Vec::new(), Vec::new(), Vec::new()];
    for _ in 0..ROWS {
        let (x, own, z) = (rng.normal(), rng.normal(), rng.normal());
        let y = correlation * x + (1.0 - correlation.powi(2)).sqrt() * own;
        columns.iter_mut().zip([x, y, z]).for_each(|(column, value)| column.push(value));
    }
    let [x, y, z] = columns;
    sample(vec![("x", x), ("y", y), ("z", z)])
}

fn window(text: &str) -> Window {
    text.parse().unwrap()
}

/// Judges a window against the reference; `reference_weeks` are samples of weeks of the reference.
fn judged(before: RowSample, now: RowSample, reference_weeks: Vec<RowSample>) -> Finding {
    let definition: Definition = definition::parse(DEFINITION).unwrap();
    let names = now.columns.iter().map(|column| column.name.clone()).collect::<Vec<_>>();
    let column = |name: &str, kind| Column { name: name.into(), kind, type_name: "test".into() };
    let mut columns = vec![column("t", ColumnKind::Time), column("p", ColumnKind::Numeric)];
    columns.extend(names.iter().map(|name| column(name, ColumnKind::Numeric)));
    let schema = Schema { columns };
    let against = [definition.reference.window];
    let current = window("2013-06-03/2013-06-10");
    let scope =
        MultivariateScope { definition: &definition, schema: &schema, window: current, against: &against };
    let mut answers = Answers::default();
    let mut insert = |window: Window, sample: RowSample| {
        let question = sample_question(&definition, &schema, window, false).unwrap();
        answers.insert(question, Answer::Sample(sample));
    };
    insert(against[0], before);
    insert(current, now);
    let weeks: Vec<Window> = (0..reference_weeks.len())
        .map(|week| window(&format!("2013-02-{:02}/2013-02-{:02}", 1 + 7 * week, 8 + 7 * week)))
        .collect();
    for (week, sample) in weeks.iter().zip(reference_weeks) {
        insert(*week, sample);
    }
    let known = usual(scope, &weeks, &answers, &mut Seeded(5));
    if weeks.is_empty() {
        assert_eq!(known, UsualTogether::default());
    }
    judge(scope, known, &answers, &mut Seeded(6)).unwrap()
}

#[test]
fn rows_of_one_kind_pass_both_looks() {
    let mut rng = Seeded(1);
    let (before, now, week) = (rows(&mut rng, 0.9), rows(&mut rng, 0.9), rows(&mut rng, 0.9));
    let finding = judged(before, now, vec![week]);
    assert_eq!(finding.verdict, Verdict::Pass, "{}", finding.summary);
    let error = finding.measure("pca_reconstruction_error").unwrap();
    let expected = error.expected_by_chance.unwrap();
    assert!((error.value - expected).abs() < 0.1 * expected, "{error:?}");
    assert!(finding.measure("reference_reconstruction_change_share").unwrap().value < 0.1);
    assert!(!finding.summary.contains("differently"), "{}", finding.summary);
}

#[test]
fn columns_that_come_apart_raise_the_reconstruction_error_though_each_stays_as_it_was() {
    let mut rng = Seeded(2);
    let (before, now, week) = (rows(&mut rng, 0.95), rows(&mut rng, -0.95), rows(&mut rng, 0.95));
    let finding = judged(before, now, vec![week]);
    assert_eq!(finding.verdict, Verdict::Fail, "{}", finding.summary);
    let error = finding.measure("pca_reconstruction_error").unwrap();
    assert!(error.value > 1.5 * error.expected_by_chance.unwrap(), "{error:?}");
    assert!(error.p_value.unwrap() < 1e-6);
    assert!(finding.summary.contains("Columns hang together differently"), "{}", finding.summary);
    let limits = finding.thresholds.iter().filter(|limit| limit.measure == "pca_reconstruction_error");
    assert_eq!(limits.count(), 2);
}

#[test]
fn what_weeks_of_the_reference_show_as_well_is_no_news() {
    let mut rng = Seeded(3);
    let (before, now, week) = (rows(&mut rng, 0.95), rows(&mut rng, -0.95), rows(&mut rng, -0.95));
    let finding = judged(before, now, vec![week]);
    assert_eq!(finding.verdict, Verdict::Pass, "{}", finding.summary);
}

#[test]
fn what_cannot_be_rebuilt_is_said_and_the_classifier_still_has_its_say() {
    let mut rng = Seeded(4);
    let mut with_infinity = rows(&mut rng, 0.5);
    if let types::answer::SampledValues::Numbers(values) = &mut with_infinity.columns[1].values {
        values[7] = f64::INFINITY;
    }
    let finding = judged(rows(&mut rng, 0.5), with_infinity, vec![]);
    assert_eq!(finding.verdict, Verdict::Pass);
    assert_eq!(finding.unmeasured.len(), 1);
    assert!(finding.unmeasured[0].reason.contains("column `y` holds infinite values"), "{finding:?}");

    let constant = || sample(vec![("x", vec![3.0; 200])]);
    let finding = judged(constant(), constant(), vec![]);
    assert!(finding.unmeasured[0].reason.contains("every column is constant"), "{finding:?}");
}

#[test]
fn a_column_with_values_on_one_side_alone_is_left_out_and_the_others_are_judged() {
    let mut rng = Seeded(7);
    let mut dead = rows(&mut rng, 0.9);
    dead.columns[2].values = types::answer::SampledValues::Numbers(vec![f64::NAN; ROWS]);
    let finding = judged(rows(&mut rng, 0.9), dead, vec![]);
    assert_eq!(finding.verdict, Verdict::Pass, "{}", finding.summary);
    assert!(finding.summary.contains("only one side has values: z."), "{}", finding.summary);
}

#[test]
fn too_few_rows_are_unknown_with_the_reason() {
    let few = || sample(vec![("x", vec![1.0, 2.0, 3.0])]);
    let finding = judged(few(), few(), vec![]);
    assert_eq!(finding.verdict, Verdict::Unknown);
    assert_eq!(finding.unmeasured.len(), 2, "{finding:?}");
}
