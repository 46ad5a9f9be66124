//! Fairness between groups beside Fairlearn's, ratios of shares beside statsmodels', and intervals against
//! simulated groups whose truth is known.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

mod uniform;

use serde_json::Value;
use stats::classification::Undefined;
use stats::classification::confusion::{Confusion, Uncertain};
use stats::fairness::{
    Criterion, Fairness, FairnessError, GroupRate, GroupRows, GroupValue, NotCompared, fairness,
    mean_by_group, metric_by_group,
};
use stats::interval::{IntervalMethod, Level};
use stats::labelled_scores::LabelledScores;
use stats::mean_loss::mean_loss;
use stats::proportion::{Proportion, koopman_ratio_interval, newcombe_difference_interval};
use stats::sketch::Moments;

fn reference() -> Value {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../../testdata/reference/groups.json");
    serde_json::from_str(&std::fs::read_to_string(path).unwrap()).unwrap()
}

fn numbers(value: &Value) -> Vec<f64> {
    value.as_array().unwrap().iter().map(|number| number.as_f64().unwrap()).collect()
}

fn near(found: f64, expected: &Value, what: &str) {
    let expected = expected.as_f64().unwrap();
    assert!((found - expected).abs() < 1e-12, "{what}: {found}, not {expected}");
}

/// The groups' scores and outcomes of a case.
fn scores(case: &Value) -> Vec<LabelledScores> {
    let (scores, outcomes) = (numbers(&case["scores"]), numbers(&case["outcomes"]));
    let groups = numbers(&case["groups"]);
    let last = groups.iter().copied().fold(0.0, f64::max) as usize;
    let of = |group: usize| {
        let rows = (0..scores.len()).filter(|&row| groups[row] as usize == group);
        LabelledScores::from_pairs(rows.map(|row| (scores[row], outcomes[row] == 1.0))).unwrap()
    };
    (0..=last).map(of).collect()
}

fn compared(scores: &[LabelledScores], rows_min: u64) -> Result<Fairness, FairnessError> {
    let rows = |scores| GroupRows { confusion: Confusion::at(scores, 0.5).unwrap(), scores: Some(scores) };
    fairness(&scores.iter().map(rows).collect::<Vec<_>>(), Level::P95, rows_min)
}

#[test]
fn criteria_and_rates_equal_fairlearns() {
    for case in reference()["fairness"].as_array().unwrap() {
        let name = case["name"].as_str().unwrap();
        let scores = scores(case);
        let found = compared(&scores, 1).unwrap();
        for (criterion, key) in [
            (Criterion::DemographicParity, "demographic_parity"),
            (Criterion::EqualisedOdds, "equalised_odds"),
            (Criterion::EqualOpportunity, "equal_opportunity"),
            (Criterion::PredictiveParity, "predictive_parity"),
            (Criterion::CalibrationWithinGroups, "calibration_within_groups"),
        ] {
            let (found, expected) = (found.of(criterion), &case["criteria"][key]);
            assert_eq!(found.criterion, criterion);
            let difference = found.difference.unwrap().estimate;
            near(difference.value, &expected[0], &format!("{key} of {name}"));
            assert!(difference.interval.contains(difference.value) && difference.interval.lower >= 0.0);
            let ratio = found.ratio.unwrap().estimate;
            near(ratio.value, &expected[1], &format!("ratio of {key} of {name}"));
            assert!(ratio.interval.contains(ratio.value) && ratio.interval.upper <= 1.0);
        }
        for (rate, key) in [
            (GroupRate::Selection, "selection"),
            (GroupRate::TruePositive, "true_positive"),
            (GroupRate::FalsePositive, "false_positive"),
            (GroupRate::Precision, "precision"),
            (GroupRate::ScoreGap, "score_gap"),
            (GroupRate::ExpectedOverObserved, "expected_over_observed"),
        ] {
            for (group, value) in found.rate(rate).iter().enumerate() {
                near(
                    value.estimate().unwrap().value,
                    &case["rates"][key][group],
                    &format!("{key} of {name}"),
                );
            }
        }
    }
}

#[test]
fn means_by_group_equal_fairlearns() {
    for case in reference()["fairness"].as_array().unwrap() {
        let losses = |scores: &LabelledScores| {
            let mut losses = Vec::new();
            for point in scores.points() {
                losses.extend((0..point.positives).map(|_| 1.0 - point.score));
                losses.extend((0..point.negatives).map(|_| point.score));
            }
            Moments::of(&losses)
        };
        let groups: Vec<Moments> = scores(case).iter().map(losses).collect();
        let found = mean_by_group(&groups, Level::P95, 2).unwrap();
        let expected = &case["absolute_error"];
        for (group, mean) in found.groups.iter().enumerate() {
            near(mean.unwrap().value, &expected["groups"][group], "mean absolute error");
        }
        near(found.difference.unwrap().value, &expected["difference"], "difference");
        near(found.ratio.unwrap().value, &expected["ratio"], "ratio");
        assert!(found.ratio.unwrap().interval.contains(found.ratio.unwrap().value));
        assert_ne!(found.largest, found.smallest);
        let losses_of = |scores: &LabelledScores| -> Vec<f64> {
            let of = |p: stats::labelled_scores::ScorePoint| {
                let positive = std::iter::repeat_n(1.0 - p.score, p.positives as usize);
                positive.chain(std::iter::repeat_n(p.score, p.negatives as usize))
            };
            scores.points().flat_map(of).collect()
        };
        let of_group = |group: usize, level| mean_loss(losses_of(&scores(case)[group]), true, level);
        let by_metric = metric_by_group(groups.len(), of_group, Level::P95).unwrap();
        near(by_metric.difference.value, &expected["difference"], "difference of a metric");
        near(by_metric.ratio.unwrap().value, &expected["ratio"], "ratio of a metric");
    }
}

#[test]
fn score_intervals_of_ratios_equal_statsmodels() {
    for case in reference()["ratios"].as_array().unwrap() {
        let side = |side: &str| {
            let counts = numbers(&case[side]);
            Proportion::new(counts[0] as u64, counts[1] as u64).unwrap()
        };
        let level = Level::new(case["level"].as_f64().unwrap()).unwrap();
        let found = koopman_ratio_interval(side("reference"), side("current"), level);
        let expected = numbers(&case["bounds"]);
        for (found, expected) in [found.lower, found.upper].into_iter().zip(expected) {
            assert!((found / expected - 1.0).abs() < 1e-6, "{case}: {found}");
        }
    }
}

fn group(counts: [u64; 4]) -> GroupRows<'static> {
    GroupRows { confusion: Confusion::from_counts(0.5, counts).unwrap(), scores: None }
}

#[test]
fn with_two_groups_the_difference_has_newcombes_interval() {
    let found = fairness(&[group([40, 10, 40, 10]), group([20, 5, 45, 30])], Level::P95, 30).unwrap();
    let found = found.of(Criterion::DemographicParity).difference.unwrap().estimate;
    let (low, high) = (Proportion::new(25, 100).unwrap(), Proportion::new(50, 100).unwrap());
    let newcombe = newcombe_difference_interval(low, high, Level::P95);
    assert!((found.interval.lower - newcombe.lower).abs() < 1e-12, "{found:?}");
    assert!((found.interval.upper - newcombe.upper).abs() < 1e-12, "{found:?}");
    assert_eq!(
        (found.interval.method, found.interval.level),
        (IntervalMethod::DifferencesOfPairs, Level::P95)
    );
    assert_eq!(found.n, 200);
}

#[test]
fn small_groups_are_reported_and_not_compared() {
    let groups = [group([40, 10, 40, 10]), group([30, 10, 40, 20]), group([5, 0, 0, 0])];
    let found = fairness(&groups, Level::P95, 30).unwrap();
    let parity = found.of(Criterion::DemographicParity).difference.unwrap();
    assert_eq!((parity.groups, parity.largest, parity.smallest), (2, 0, 1));
    let small = found.rate(GroupRate::Selection)[2];
    assert!(matches!(small, GroupValue::TooFewRows { estimate } if estimate.value == 1.0), "{small:?}");
    assert_eq!(
        found.rate(GroupRate::FalsePositive)[2],
        GroupValue::Undefined { why: Undefined::NoNegatives }
    );
    let with_all = fairness(&groups, Level::P95, 1).unwrap();
    assert_eq!(with_all.of(Criterion::DemographicParity).difference.unwrap().largest, 2);
}

#[test]
fn what_cannot_be_compared_says_why() {
    assert_eq!(fairness(&[], Level::P95, 1), Err(FairnessError::FewerThanTwoGroups { groups: 0 }));
    let one = [group([1, 1, 1, 1])];
    assert_eq!(fairness(&one, Level::P95, 1), Err(FairnessError::FewerThanTwoGroups { groups: 1 }));
    let huge = [group([u64::MAX, 1, 0, 0]), group([1, 1, 1, 1])];
    assert_eq!(fairness(&huge, Level::P95, 1), Err(FairnessError::UnsoundCounts { group: 0 }));
    let mut near = group([1, 1, 1, 1]);
    near.confusion.uncertain = Uncertain { true_positives: 2, ..Uncertain::default() };
    assert_eq!(fairness(&[one[0], near], Level::P95, 1), Err(FairnessError::UnsoundCounts { group: 1 }));

    // One class, and nobody is called.
    let quiet = fairness(&[group([0, 0, 10, 0]), group([0, 0, 7, 0])], Level::P95, 1).unwrap();
    let none = Err(NotCompared::FewerThanTwoGroups { groups: 0 });
    assert_eq!(quiet.of(Criterion::EqualOpportunity).difference, none);
    assert_eq!(quiet.of(Criterion::EqualisedOdds).difference, none);
    assert_eq!(quiet.of(Criterion::PredictiveParity).ratio, none);
    assert_eq!(quiet.of(Criterion::CalibrationWithinGroups).difference, none);
    assert_eq!(quiet.of(Criterion::DemographicParity).ratio, Err(NotCompared::AllZero));
    assert!(quiet.four_fifths.is_err());
    let parity = quiet.of(Criterion::DemographicParity).difference.unwrap().estimate;
    assert_eq!((parity.value, parity.interval.lower), (0.0, 0.0));
    assert!(parity.interval.upper > 0.2, "few rows leave much open: {parity:?}");

    // One group without positives, which Fairlearn gives a true positive rate of 0.
    let some = fairness(&[group([5, 2, 3, 1]), group([0, 2, 3, 0])], Level::P95, 1).unwrap();
    let alone = Err(NotCompared::FewerThanTwoGroups { groups: 1 });
    assert_eq!(some.of(Criterion::EqualOpportunity).difference, alone);
    let text = serde_json::to_string(&some).unwrap();
    let read: Fairness = serde_json::from_str(&text).unwrap();
    assert_eq!(read.of(Criterion::EqualOpportunity).difference, alone);

    assert!(mean_by_group(&[Moments::of(&[1.0, 2.0])], Level::P95, 1).is_err());
    let signed =
        mean_by_group(&[Moments::of(&[-1.0, -2.0]), Moments::of(&[0.0, 0.0])], Level::P95, 1).unwrap();
    assert_eq!(signed.ratio, Err(NotCompared::SignedQuantity));
    let zero = mean_by_group(&[Moments::of(&[0.0; 3]), Moments::of(&[0.0; 3])], Level::P95, 1).unwrap();
    assert_eq!((zero.ratio, zero.difference.unwrap().value), (Err(NotCompared::AllZero), 0.0));
    let large = Moments::of(&[1e300, -1e300]);
    let large = mean_by_group(&[large, large, Moments::default()], Level::P95, 1).unwrap();
    let none = Err(NotCompared::FewerThanTwoGroups { groups: 0 });
    assert_eq!((large.difference, large.groups), (none, vec![None; 3]));
}

#[test]
fn rounded_scores_move_a_disparity_by_no_more_than_its_error_bound() {
    for case in reference()["fairness"].as_array().unwrap() {
        let exact = scores(case);
        let truth = compared(&exact, 1).unwrap();
        for step in [0.01, 0.1, 0.3] {
            let rounded: Vec<_> = exact.iter().map(|scores| scores.rounded_to(step).unwrap()).collect();
            let found = compared(&rounded, 1).unwrap();
            for (found, truth) in found.criteria.iter().zip(&truth.criteria) {
                for (found, truth) in [(found.difference, truth.difference), (found.ratio, truth.ratio)] {
                    let (Ok(found), Ok(truth)) = (found, truth) else { continue };
                    let off = (found.estimate.value - truth.estimate.value).abs();
                    assert!(off <= found.estimate.error_bound + 1e-12, "{step} {found:?} {truth:?}");
                }
            }
        }
    }
}

#[test]
fn intervals_hold_the_true_disparity_as_often_as_they_say() {
    const RUNS: u32 = 400;
    let mut draw = uniform::Uniform(11);
    // The first is the usual trap: no group differs, and the largest of ten differences does not vanish.
    for shares in [vec![0.3; 5], vec![0.2, 0.3, 0.25], vec![0.05, 0.6]] {
        let most = shares.iter().copied().fold(0.0, f64::max);
        let least = shares.iter().copied().fold(1.0, f64::min);
        let (mut difference, mut ratio) = (0, 0);
        for _ in 0..RUNS {
            let groups: Vec<_> = shares
                .iter()
                .map(|&share| {
                    let called = draw.many::<60>().iter().filter(|&&at| at < share).count() as u64;
                    group([called, 0, 60 - called, 0])
                })
                .collect();
            let found = fairness(&groups, Level::P95, 1).unwrap();
            let parity = found.of(Criterion::DemographicParity);
            difference += u32::from(parity.difference.unwrap().estimate.interval.contains(most - least));
            let holds = |r: stats::fairness::Disparity| r.estimate.interval.contains(least / most);
            ratio += u32::from(parity.ratio.is_ok_and(holds));
        }
        for held in [difference, ratio] {
            assert!(
                f64::from(held) / f64::from(RUNS) >= 0.93,
                "{shares:?}: {difference} and {ratio} of {RUNS}"
            );
        }
    }
}
