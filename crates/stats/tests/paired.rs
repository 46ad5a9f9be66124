//! Two models over the same rows: DeLong's test beside MLstatkit's, Student's beside SciPy's, McNemar's
//! beside statsmodels'; and how often each is wrong where the models do not differ.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

mod uniform;

use serde_json::Value;
use stats::interval::{IntervalMethod, Level};
use stats::paired::PairedError;
use stats::paired::mcnemar::mcnemar;
use stats::paired::mean_loss::paired_mean_loss;
use stats::paired::roc_auc::paired_roc_auc;

fn cases() -> Vec<Value> {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../../testdata/reference/decisions.json");
    let content: Value = serde_json::from_str(&std::fs::read_to_string(path).unwrap()).unwrap();
    content["paired"].as_array().unwrap().clone()
}

fn numbers(value: &Value) -> Vec<f64> {
    value.as_array().unwrap().iter().map(|number| number.as_f64().unwrap()).collect()
}

#[track_caller]
fn near(found: f64, expected: &Value) {
    let expected = expected.as_f64().unwrap();
    assert!((found - expected).abs() <= 1e-9 * expected.abs().max(1e-3), "{found}, not {expected}");
}

#[test]
fn comparisons_equal_those_of_others() {
    for case in cases() {
        let (first, second) = (numbers(&case["a"]), numbers(&case["b"]));
        let outcomes: Vec<bool> = numbers(&case["outcomes"]).into_iter().map(|y| y == 1.0).collect();

        let found = paired_roc_auc(&first, &second, &outcomes, Level::P95).unwrap();
        near(found.area_first, &case["auc"][0]);
        near(found.area_second, &case["auc"][1]);
        near(found.z.unwrap(), &case["auc_z"]);
        near(found.p_value, &case["auc_p"]);
        near(found.difference.interval.lower, &case["auc_interval"][0]);
        near(found.difference.interval.upper, &case["auc_interval"][1]);

        let losses = |scores: &[f64]| -> Vec<f64> {
            scores.iter().zip(&outcomes).map(|(s, &y)| (s - f64::from(u8::from(y))).abs()).collect()
        };
        let found = paired_mean_loss(&losses(&first), &losses(&second), Level::P95).unwrap();
        near(found.difference.value, &case["loss_difference"]);
        near(found.t.unwrap(), &case["loss_t"]);
        near(found.p_value, &case["loss_p"]);
        near(found.difference.interval.lower, &case["loss_interval"][0]);
        near(found.difference.interval.upper, &case["loss_interval"][1]);
        assert_eq!(found.rows.wins + found.rows.ties + found.rows.losses, first.len() as u64);

        let right = |scores: &[f64]| -> Vec<bool> {
            scores.iter().zip(&outcomes).map(|(s, &y)| (*s >= 0.5) == y).collect()
        };
        let found = mcnemar(&right(&first), &right(&second), Level::P95).unwrap();
        assert_eq!(Some(found.rows.losses), case["only_a"].as_u64());
        assert_eq!(Some(found.rows.wins), case["only_b"].as_u64());
        near(found.p_exact, &case["mcnemar_exact"]);
        near(found.p_mid, &case["mcnemar_mid_p"]);
        assert!(found.difference.interval.contains(found.difference.value));
    }
}

#[test]
fn swapping_the_models_turns_the_sign() {
    let case = &cases()[0];
    let (first, second) = (numbers(&case["a"]), numbers(&case["b"]));
    let outcomes: Vec<bool> = numbers(&case["outcomes"]).into_iter().map(|y| y == 1.0).collect();
    let found = paired_roc_auc(&first, &second, &outcomes, Level::P95).unwrap();
    let other = paired_roc_auc(&second, &first, &outcomes, Level::P95).unwrap();
    assert!((found.difference.value + other.difference.value).abs() < 1e-12);
    assert!((found.difference.interval.lower + other.difference.interval.upper).abs() < 1e-12);
    // Any scale that keeps the order will do.
    let stretched: Vec<f64> = first.iter().map(|score| 1e9 * score.powi(3) - 7.0).collect();
    let same = paired_roc_auc(&stretched, &second, &outcomes, Level::P95).unwrap();
    assert_eq!(same, found);
}

#[test]
fn what_cannot_be_compared_says_why() {
    let level = Level::P95;
    let differ = PairedError::LengthsDiffer { first: 2, second: 1, outcomes: 2 };
    assert_eq!(paired_roc_auc(&[0.1, 0.2], &[0.3], &[true, false], level), Err(differ));
    assert!(mcnemar(&[true], &[], level).is_err());
    assert_eq!(mcnemar(&[], &[], level), Err(PairedError::TooFewRows { n: 0, needed: 1 }));
    let few = PairedError::TooFewOfAClass { positives: 3, negatives: 0 };
    assert_eq!(paired_roc_auc(&[0.1; 3], &[0.3; 3], &[true; 3], level), Err(few));
    let odd = Err(PairedError::NotFinite { row: 1 });
    assert_eq!(paired_mean_loss(&[0.1, f64::NAN], &[0.1, 0.2], level), odd);
    assert_eq!(paired_mean_loss(&[0.1, 1e300], &[0.1, 0.2], level), odd);
    assert_eq!(paired_mean_loss(&[0.1], &[0.2], level), Err(PairedError::TooFewRows { n: 1, needed: 2 }));
}

#[test]
fn models_that_are_alike_do_not_differ_and_total_differences_of_few_rows_are_not_certain() {
    let outcomes = [true, true, true, false, false, false, false];
    let scores = [0.9, 0.8, 0.3, 0.4, 0.2, 0.1, 0.0];
    let same = paired_roc_auc(&scores, &scores, &outcomes, Level::P95).unwrap();
    assert_eq!((same.difference.value, same.z, same.p_value), (0.0, None, 1.0));
    let constant = paired_roc_auc(&[0.5; 7], &[0.5; 7], &outcomes, Level::P95).unwrap();
    assert_eq!((constant.area_first, constant.p_value), (0.5, 1.0));

    let right = outcomes.map(|y| f64::from(u8::from(y)));
    let wrong = right.map(|score| 1.0 - score);
    let total = paired_roc_auc(&wrong, &right, &outcomes, Level::P95).unwrap();
    assert_eq!((total.difference.value, total.z, total.p_value), (1.0, None, 0.25));
    assert_eq!(total.difference.interval.method, IntervalMethod::WilsonOfPairs);
    assert!(total.difference.interval.lower < 0.0, "three pairs: {total:?}");

    let alike = paired_mean_loss(&[1.0; 5], &[2.0; 5], Level::P95).unwrap();
    assert_eq!((alike.difference.value, alike.t, alike.p_value), (1.0, None, 0.0625));
    let none = paired_mean_loss(&[1.0; 5], &[1.0; 5], Level::P95).unwrap();
    assert_eq!((none.p_value, none.rows.ties), (1.0, 5));
    let agreeing = mcnemar(&[true; 10], &[true; 10], Level::P95).unwrap();
    assert_eq!((agreeing.p_exact, agreeing.p_mid, agreeing.difference.value), (1.0, 1.0, 0.0));
    assert!(agreeing.difference.interval.width() > 0.2);
    // Half of a million rows each way: the tail is summed without running over all of them.
    let many: Vec<bool> = (0..1_000_000).map(|row| row % 2 == 0).collect();
    let other: Vec<bool> = many.iter().map(|right| !right).collect();
    assert_eq!(mcnemar(&many, &other, Level::P95).unwrap().p_exact, 1.0);
}

#[test]
fn where_models_do_not_differ_tests_call_it_as_seldom_as_they_say() {
    const RUNS: u32 = 500;
    let mut draw = uniform::Uniform(77);
    let (mut areas, mut losses, mut exact, mut mid, mut held) = (0, 0, 0, 0, [0_u32; 3]);
    for _ in 0..RUNS {
        let (mut first, mut second, mut outcomes) = (Vec::new(), Vec::new(), Vec::new());
        for _ in 0..120 {
            let [shared, a, b, y] = draw.many();
            first.push(0.7 * shared + 0.3 * a);
            second.push(0.7 * shared + 0.3 * b);
            outcomes.push(y < shared);
        }
        let found = paired_roc_auc(&first, &second, &outcomes, Level::P95).unwrap();
        areas += u32::from(found.p_value <= 0.05);
        held[0] += u32::from(found.difference.interval.contains(0.0));
        let found = paired_mean_loss(&first, &second, Level::P95).unwrap();
        losses += u32::from(found.p_value <= 0.05);
        held[1] += u32::from(found.difference.interval.contains(0.0));
        let right = |scores: &[f64]| -> Vec<bool> {
            scores.iter().zip(&outcomes).map(|(s, &y)| (*s >= 0.5) == y).collect()
        };
        let found = mcnemar(&right(&first), &right(&second), Level::P95).unwrap();
        exact += u32::from(found.p_exact <= 0.05);
        mid += u32::from(found.p_mid <= 0.05);
        held[2] += u32::from(found.difference.interval.contains(0.0));
    }
    let share = |count: u32| f64::from(count) / f64::from(RUNS);
    for alarms in [areas, losses, exact, mid] {
        assert!(share(alarms) < 0.08, "{areas} {losses} {exact} {mid}");
    }
    assert!(exact <= mid);
    for held in held {
        assert!(share(held) >= 0.92, "{held}");
    }
}
