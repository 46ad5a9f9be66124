//! Verdicts on scores whose truth is known by construction.

use rand_chacha::ChaCha8Rng;
use rand_core::{RngCore, SeedableRng};
use stats::labelled_scores::LabelledScores;
use types::answer::{Coverage, SampledColumn, SampledValues, ScoredGroup};
use types::cases::{Cases, Outputs};
use types::definition::{self, Definition};
use types::{Answer, Answers, CheckId, Column, ColumnKind, Finding, Question, Schema, Verdict};

use super::*;

const DEFINITION: &str = r#"
[log]
path = "log.parquet"
id = "id"
time = "t"
score = "p"
outcome = { path = "outcomes.parquet", column = "y" }
segments = ["origin"]
[reference]
window = "2013-01-01/2013-05-01"
[evaluate]
worst_segment = { metric = "roc_auc", at_least = 0.7 }
"#;

fn rng(seed: u64) -> ChaCha8Rng {
    ChaCha8Rng::seed_from_u64(seed)
}

fn uniform(rng: &mut impl RngCore) -> f64 {
    (rng.next_u64() >> 11) as f64 / (1u64 << 53) as f64
}

/// Rows whose outcome occurs with probability `truth(score)`.
fn rows(seed: u64, n: usize, truth: impl Fn(f64) -> f64) -> LabelledScores {
    let mut rng = rng(seed);
    let pairs: Vec<(f64, bool)> = (0..n)
        .map(|_| {
            let score = uniform(&mut rng);
            (score, uniform(&mut rng) < truth(score))
        })
        .collect();
    LabelledScores::from_pairs(pairs).unwrap()
}

/// One feature, of which nothing depends.
fn schema() -> Schema {
    let feature = Column { name: "x".into(), kind: ColumnKind::Numeric, type_name: "Float64".into() };
    Schema { columns: vec![feature] }
}

/// The rows of some scores, with a feature of which nothing depends, in an order that is not that of the scores.
fn cases(scores: &LabelledScores) -> Cases {
    let mut rows: Vec<(u64, f64, bool)> = Vec::new();
    let mut order = rng(11);
    for point in scores.points() {
        rows.extend((0..point.positives).map(|_| (order.next_u64(), point.score, true)));
        rows.extend((0..point.negatives).map(|_| (order.next_u64(), point.score, false)));
    }
    rows.sort_unstable_by_key(|row| row.0);
    let mut draw = rng(12);
    Cases {
        drawn_share: 1.0,
        ids: (0..rows.len()).map(|row| format!("r{row}")).collect(),
        days: (0..rows.len()).map(|row| 15_859.0 + row as f64 / rows.len() as f64).collect(),
        features: vec![SampledColumn {
            name: "x".into(),
            values: SampledValues::Numbers(rows.iter().map(|_| uniform(&mut draw)).collect()),
        }],
        segments: vec![rows.iter().map(|_| Some("JFK".to_owned())).collect()],
        also: Vec::new(),
        outputs: Outputs::Binary {
            scores: rows.iter().map(|row| row.1).collect(),
            outcomes: rows.iter().map(|row| row.2).collect(),
        },
    }
}

fn judged(
    overall: &LabelledScores,
    reference: &LabelledScores,
    groups: &[(&str, LabelledScores)],
) -> Vec<Finding> {
    judged_as(DEFINITION, overall, reference, groups)
}

fn judged_as(
    definition: &str,
    overall: &LabelledScores,
    reference: &LabelledScores,
    groups: &[(&str, LabelledScores)],
) -> Vec<Finding> {
    let definition: Definition = definition::parse(definition).unwrap();
    let schema = schema();
    let scope = Scope {
        definition: &definition,
        schema: &schema,
        window: "2013-06-03/2013-06-10".parse().unwrap(),
        reference: definition.reference.window,
    };
    let n = overall.n();
    let mut answers = Answers::default();
    for question in plan(scope) {
        let group = |value: Option<&str>, scores: LabelledScores| ScoredGroup {
            value: value.map(str::to_owned),
            scores,
            invalid_scores: 0,
        };
        let answer = match &question {
            Question::Coverage { .. } => Answer::Coverage(Coverage {
                predictions: n + 10,
                with_outcome: n,
                without_outcome: 10,
                ..Coverage::default()
            }),
            Question::ScoredOutcomes { by: Some(_), .. } => Answer::ScoredOutcomes(
                groups.iter().map(|(value, scores)| group(Some(value), scores.clone())).collect(),
            ),
            Question::ScoredOutcomes { window, .. } if *window == scope.reference => {
                Answer::ScoredOutcomes(vec![group(None, reference.clone())])
            }
            Question::Cases { window, also, .. } => {
                let mut cases = cases(if *window == scope.reference { reference } else { overall });
                // Another version is a little less sure of everything.
                if let (false, Outputs::Binary { scores, .. }) = (also.is_empty(), &cases.outputs) {
                    let bent = |score: &f64| if also[0] == "same" { *score } else { 0.25 + score / 2.0 };
                    cases.also = vec![scores.iter().map(bent).collect()];
                }
                Answer::Cases(cases)
            }
            _ => Answer::ScoredOutcomes(vec![group(None, overall.clone())]),
        };
        answers.insert(question, answer);
    }
    judge(scope, &answers, &mut rng(7))
}

fn finding(findings: &[Finding], check: CheckId) -> &Finding {
    findings.iter().find(|finding| finding.check == check).unwrap()
}

fn honest(seed: u64, n: usize) -> LabelledScores {
    rows(seed, n, |score| score)
}

#[test]
fn a_calibrated_model_that_did_not_change_passes_everything() {
    let findings =
        judged(&honest(1, 4000), &honest(2, 8000), &[("JFK", honest(3, 2000)), ("EWR", honest(4, 2000))]);
    for finding in &findings {
        assert_eq!(finding.verdict, Verdict::Pass, "{}: {}", finding.check, finding.summary);
    }
    assert_eq!(findings.len(), 8);
}

#[test]
fn scores_that_promise_too_much_fail_calibration_and_are_named() {
    let findings = judged(&rows(1, 4000, |score| score * 0.6), &honest(2, 8000), &[]);
    let calibration = finding(&findings, CheckId::Calibration);
    assert_eq!(calibration.verdict, Verdict::Fail);
    assert!(calibration.summary.contains("too high on the whole"), "{}", calibration.summary);
}

#[test]
fn a_model_that_became_a_coin_fails_against_its_reference() {
    let findings = judged(&rows(1, 4000, |_| 0.5), &honest(2, 8000), &[]);
    let performance = finding(&findings, CheckId::Performance);
    assert_eq!(performance.verdict, Verdict::Fail);
    let loss = performance.measure("loss_against_reference").unwrap();
    // AUC of scores uniform on [0, 1] with truth equal to the score is 5/6; a coin's is 1/2.
    assert!((loss.value - 1.0 / 3.0).abs() < 0.05, "{}", loss.value);
}

#[test]
fn a_good_average_does_not_hide_a_failing_segment() {
    let findings = judged(
        &honest(1, 8000),
        &honest(2, 8000),
        &[("JFK", honest(3, 6000)), ("SWF", rows(5, 600, |_| 0.5))],
    );
    assert_eq!(finding(&findings, CheckId::Performance).verdict, Verdict::Pass);
    let worst = finding(&findings, CheckId::WorstSegment);
    assert_eq!(worst.verdict, Verdict::Fail);
    assert_eq!(worst.subject.label(), "origin = SWF");
}

#[test]
fn a_small_segment_is_not_called_worst() {
    let findings = judged(
        &honest(1, 4000),
        &honest(2, 8000),
        &[("JFK", honest(3, 4000)), ("SWF", rows(5, 20, |_| 0.5))],
    );
    let worst = finding(&findings, CheckId::WorstSegment);
    assert_eq!(worst.subject.label(), "origin = JFK");
    assert!(worst.summary.contains("1 of 2 segments cannot be measured"), "{}", worst.summary);
}

#[test]
fn too_few_outcomes_are_unknown_and_never_pass() {
    let findings = judged(&honest(1, 199), &honest(2, 8000), &[("JFK", honest(1, 199))]);
    for check in [CheckId::Performance, CheckId::WorstSegment, CheckId::Calibration] {
        assert_eq!(finding(&findings, check).verdict, Verdict::Unknown);
    }
}

#[test]
fn one_class_only_is_unknown_for_the_metric_that_needs_two() {
    let findings = judged(&rows(1, 1000, |_| 0.0), &honest(2, 8000), &[("JFK", rows(1, 1000, |_| 0.0))]);
    let performance = finding(&findings, CheckId::Performance);
    assert_eq!(performance.verdict, Verdict::Unknown);
    assert!(performance.measure("accuracy").is_some());
    assert!(performance.summary.contains("every outcome is negative"), "{}", performance.summary);
}

/// The definition with one check alone.
fn only(check: CheckId) -> String {
    let skipped = CHECKS.iter().filter(|other| **other != check).map(|other| format!("\"{other}\""));
    format!("{DEFINITION}skip = [{}]\n", skipped.collect::<Vec<_>>().join(", "))
}

/// Statistics of tests have a p-value and no interval.
#[test]
fn every_number_has_an_interval_with_a_width_or_its_method_says_why_not() {
    let findings = judged(&honest(1, 4000), &honest(2, 8000), &[("JFK", honest(3, 2000))]);
    for measure in findings.iter().flat_map(|finding| &finding.measures) {
        match measure.interval {
            Some(interval) => assert!(interval.width() > 0.0, "{measure:?}"),
            None => assert!(measure.method.contains("no interval"), "{measure:?}"),
        }
    }
}

#[test]
fn too_small_a_share_of_outcomes_fails_and_none_never_passes() {
    let outcomes = |at_least: f64, n: usize| {
        let definition = format!("{}[evaluate.outcomes]\nat_least = {at_least}\n", only(CheckId::Outcomes));
        let findings = judged_as(&definition, &honest(1, n), &honest(2, 400), &[("JFK", honest(1, n))]);
        finding(&findings, CheckId::Outcomes).clone()
    };
    // Ten predictions have no outcome.
    let enough = outcomes(0.9, 4000);
    assert_eq!(enough.verdict, Verdict::Pass, "{}", enough.summary);
    let few = outcomes(0.99, 250);
    assert_eq!(few.verdict, Verdict::Fail, "{}", few.summary);
    assert!(few.summary.contains("it should be at least 99 %, and surely is not"), "{}", few.summary);
    assert_eq!(outcomes(0.96, 250).verdict, Verdict::Warn);
    assert_eq!(outcomes(0.5, 0).verdict, Verdict::Fail);
    assert_eq!(outcomes(0.1, 0).verdict, Verdict::Unknown);
}

#[test]
fn one_prediction_has_an_outcome() {
    let findings = judged(&honest(1, 1), &honest(2, 400), &[]);
    let outcomes = finding(&findings, CheckId::Outcomes);
    assert!(outcomes.summary.contains("1 of 11 predictions has an outcome"), "{}", outcomes.summary);
}

#[test]
fn only_scores_from_a_half_on_are_too_sure_of_themselves() {
    let said = |truth: fn(f64) -> f64| {
        let scores = rows(1, 8000, truth);
        let findings = judged_as(&only(CheckId::Calibration), &scores, &honest(2, 400), &[]);
        finding(&findings, CheckId::Calibration).summary.clone()
    };
    let low = said(|score| if score < 0.3 { score + 0.2 } else { score });
    assert!(low.contains("When it says") && !low.contains("too sure of itself"), "{low}");
    let high = said(|score| if score > 0.7 { score - 0.2 } else { score });
    assert!(high.contains("too sure of itself"), "{high}");
}

#[test]
fn a_reference_that_loses_nothing_is_held_to_the_most_that_it_may_lose() {
    let certain = rows(2, 2000, |score| if score < 0.5 { 0.0 } else { 1.0 });
    let of = |overall: &LabelledScores| {
        let findings = judged_as(&only(CheckId::WorstSubpopulation), overall, &certain, &[]);
        finding(&findings, CheckId::WorstSubpopulation).clone()
    };
    let same = of(&rows(3, 1000, |score| if score < 0.5 { 0.0 } else { 1.0 }));
    assert_eq!(same.verdict, Verdict::Pass, "{}", same.summary);
    let worse = of(&honest(3, 1000));
    assert_eq!(worse.verdict, Verdict::Fail, "{}", worse.summary);
    assert!(worse.summary.contains("which is the most that is allowed"), "{}", worse.summary);
}

#[test]
fn two_versions_have_intervals_of_both_and_wins_by_segment() {
    let compared = |column: &str| {
        let definition = format!(
            "{}[evaluate.comparison]\nversion = \"1\"\nscore = \"{column}\"\n",
            only(CheckId::Comparison)
        );
        let scores = honest(1, 4000);
        let findings = judged_as(&definition, &scores, &scores, &[]);
        let finding = finding(&findings, CheckId::Comparison).clone();
        let Some(types::Detail::Comparison(detail)) = finding.detail.clone() else { panic!("{finding:?}") };
        (finding, *detail)
    };
    let (finding, detail) = compared("same");
    assert_eq!(finding.verdict, Verdict::Pass, "{}", finding.summary);
    assert!(finding.summary.contains("lose the same on every row"), "{}", finding.summary);
    // None of 4,000 rows differs: Wilson's bound is z² / (n + z²).
    let interval = finding.measures[0].interval.unwrap();
    assert!((interval.upper - 3.8415 / 4003.8415).abs() < 1e-6 && interval.lower == -interval.upper);
    assert_eq!((detail.wins, detail.ties, detail.losses), (0, 4000, 0));
    let (_, detail) = compared("other");
    let names: Vec<&str> = detail.metrics.iter().map(|row| row.name.as_str()).collect();
    assert_eq!(names, ["roc_auc", "average_precision", "wrong_share", "mean_brier_loss", "mean_log_loss"]);
    assert!(detail.metrics.iter().all(|row| row.this_interval.is_some() && row.other_interval.is_some()));
    let segments: Vec<_> = detail.slices.iter().filter(|slice| !slice.found).collect();
    assert_eq!(segments.len(), 1);
    assert_eq!(segments[0].wins + segments[0].ties + segments[0].losses, segments[0].rows);
    assert!(segments[0].this_interval.is_some() && segments[0].label == "origin = JFK");
}
