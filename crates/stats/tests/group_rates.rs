//! Rates of segments beside statsmodels' and SciPy's tests, and shrinkage beside DerSimonian & Laird's of
//! statsmodels and the beta-binomial likelihood of SciPy; false alarms and coverage by simulation.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

mod uniform;

use serde_json::Value;
use stats::classification::confusion::Confusion;
use stats::group_rates::against_rest::{MistakeRate, RateTest, against_rest};
use stats::group_rates::shrinkage::{GroupMean, shrunken_means, shrunken_shares};
use stats::interval::Level;
use stats::proportion::Proportion;
use uniform::Uniform;

fn cases(topic: &str) -> Vec<Value> {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../../testdata/reference/groups.json");
    let content: Value = serde_json::from_str(&std::fs::read_to_string(path).unwrap()).unwrap();
    content[topic].as_array().unwrap().clone()
}

fn numbers(value: &Value) -> Vec<f64> {
    value.as_array().unwrap().iter().map(|number| number.as_f64().unwrap()).collect()
}

fn near(found: f64, expected: &Value, relative: f64, what: &str) {
    let expected = expected.as_f64().unwrap();
    assert!((found - expected).abs() <= relative * expected.abs() + 1e-14, "{what}: {found}, not {expected}");
}

#[test]
fn tests_against_the_rest_equal_statsmodels_and_scipys() {
    for case in cases("against_rest") {
        let counts = case["counts"].as_array().unwrap().iter().map(numbers);
        let segments: Vec<Confusion> = counts
            .map(|c| Confusion::from_counts(0.5, std::array::from_fn(|at| c[at] as u64)).unwrap())
            .collect();
        let found = against_rest(&segments, Level::P95).unwrap();
        let expected = case["tests"].as_array().unwrap();
        assert_eq!(found.tests.len(), expected.len());
        for (found, expected) in found.tests.iter().zip(expected) {
            let what = format!("{expected}");
            assert_eq!(found.segment as u64, expected["segment"].as_u64().unwrap());
            let rate = if expected["rate"] == "false_positive" {
                MistakeRate::FalsePositive
            } else {
                MistakeRate::FalseNegative
            };
            assert_eq!(found.rate, rate);
            assert_eq!(found.test == RateTest::FisherExact, expected["exact"].as_bool().unwrap(), "{what}");
            near(found.difference, &expected["difference"], 1e-12, &what);
            near(found.p_value, &expected["p_value"], 1e-9, &what);
            near(found.p_adjusted, &expected["p_adjusted"], 1e-9, &what);
            assert!(found.difference_interval.contains(found.difference));
            for (interval, bounds) in [(found.interval, "bounds"), (found.interval_of_rest, "rest_bounds")] {
                near(interval.lower, &expected[bounds][0], 1e-9, &what);
                near(interval.upper, &expected[bounds][1], 1e-9, &what);
            }
        }
    }
}

#[test]
fn segments_that_do_not_differ_seldom_raise_an_alarm() {
    const RUNS: u32 = 300;
    let mut draw = Uniform(3);
    let mut alarms = 0;
    for _ in 0..RUNS {
        let segments: Vec<Confusion> = (0..10)
            .map(|segment| {
                let rows = 20 << (segment % 4);
                let wrong =
                    |draw: &mut Uniform| (0..rows).filter(|_| draw.many::<1>()[0] < 0.1).count() as u64;
                let (fp, fn_) = (wrong(&mut draw), wrong(&mut draw));
                Confusion::from_counts(0.5, [rows - fn_, fp, rows - fp, fn_]).unwrap()
            })
            .collect();
        let found = against_rest(&segments, Level::P95).unwrap();
        alarms += u32::from(found.tests.iter().any(|test| test.p_adjusted <= 0.05));
    }
    assert!(f64::from(alarms) / f64::from(RUNS) < 0.08, "{alarms} of {RUNS}");
}

fn proportions(case: &Value) -> Vec<Proportion> {
    let groups = numbers(&case["hits"]).into_iter().zip(numbers(&case["n"]));
    groups.map(|(hits, n)| Proportion::new(hits as u64, n as u64).unwrap()).collect()
}

#[test]
fn the_beta_binomial_is_as_likely_as_scipys() {
    for case in cases("beta_binomial") {
        let name = case["name"].as_str().unwrap();
        let groups = proportions(&case);
        let found = shrunken_shares(&groups, Level::P95);
        near(found.mean.unwrap(), &case["mean"], 1e-5, name);
        let (mean, precision) = (case["mean"].as_f64().unwrap(), case["precision"].as_f64().unwrap());
        let spread = (mean * (1.0 - mean) / (precision + 1.0)).sqrt();
        assert!((found.spread / spread - 1.0).abs() < 1e-4, "{name}: {} not {spread}", found.spread);
        let k = groups.len() as f64;
        for (group, found) in groups.iter().zip(&found.groups) {
            // The posterior mean of the beta-binomial, drawn in by Morris' part of the way.
            let weight = precision / (precision + group.n() as f64) * (k - 3.0) / (k - 1.0);
            assert!((found.weight_of_others - weight).abs() < 1e-4, "{name}: {found:?}");
            let value = weight * mean + (1.0 - weight) * group.share();
            assert!((found.estimate.value - value).abs() < 1e-4, "{name}: {found:?}");
            assert!(found.estimate.interval.contains(found.estimate.value));
        }
    }
}

#[test]
fn the_variance_between_means_equals_statsmodels() {
    for case in cases("normal_normal") {
        let name = case["name"].as_str().unwrap();
        let pairs = numbers(&case["means"]).into_iter().zip(numbers(&case["variances"]));
        let groups: Vec<GroupMean> = pairs
            .map(|(mean, variance)| GroupMean { mean, standard_error: variance.sqrt(), n: 10 })
            .collect();
        let found = shrunken_means(&groups, Level::P95);
        near(found.spread * found.spread, &case["between"], 1e-9, name);
        near(found.mean.unwrap(), &case["mean"], 1e-9, name);
        assert_eq!(found.groups.len(), groups.len());
    }
}

/// A standard normal number, as the sum of twelve uniform ones less six.
fn normal(draw: &mut Uniform) -> f64 {
    draw.many::<12>().iter().sum::<f64>() - 6.0
}

#[test]
fn shrunken_values_are_nearer_to_the_truth_and_their_intervals_hold_it() {
    let mut draw = Uniform(8);
    // The one of `of` uniform numbers at `rank` is beta-distributed; none stands for a share that all have.
    for (rank, of) in [(0, 0), (40, 199), (8, 39), (2, 9)] {
        let (mut held, mut own, mut drawn, mut groups) = (0_u32, 0.0, 0.0, 0_u32);
        for _ in 0..10 {
            let truths: Vec<f64> = (0..30)
                .map(|_| {
                    let mut uniform: Vec<f64> = (0..of).map(|_| draw.many::<1>()[0]).collect();
                    uniform.sort_by(f64::total_cmp);
                    if of == 0 { 0.2 } else { uniform[rank - 1] }
                })
                .collect();
            let counted: Vec<Proportion> = truths
                .iter()
                .enumerate()
                .map(|(at, &truth)| {
                    let rows = [10, 25, 60, 200][at % 4];
                    let hits = (0..rows).filter(|_| draw.many::<1>()[0] < truth).count() as u64;
                    Proportion::new(hits, rows).unwrap()
                })
                .collect();
            for (found, truth) in shrunken_shares(&counted, Level::P95).groups.iter().zip(&truths) {
                held += u32::from(found.estimate.interval.contains(*truth));
                own += (found.own - truth).powi(2);
                drawn += (found.estimate.value - truth).powi(2);
                groups += 1;
            }
        }
        let share = f64::from(held) / f64::from(groups);
        assert!(share >= 0.91, "{rank} of {of}: {share}");
        assert!(drawn < own, "{rank} of {of}: {drawn} {own}");
    }
    for spread in [0.0, 0.3, 2.0] {
        let (mut held, mut own, mut drawn, mut groups) = (0_u32, 0.0, 0.0, 0_u32);
        for _ in 0..200 {
            let truths: Vec<f64> = (0..12).map(|_| 5.0 + spread * normal(&mut draw)).collect();
            let means: Vec<GroupMean> = truths
                .iter()
                .enumerate()
                .map(|(at, truth)| {
                    let standard_error = [0.2, 0.5, 1.0][at % 3];
                    GroupMean { mean: truth + standard_error * normal(&mut draw), standard_error, n: 30 }
                })
                .collect();
            for (found, truth) in shrunken_means(&means, Level::P95).groups.iter().zip(&truths) {
                held += u32::from(found.estimate.interval.contains(*truth));
                own += (found.own - truth).powi(2);
                drawn += (found.estimate.value - truth).powi(2);
                groups += 1;
            }
        }
        let share = f64::from(held) / f64::from(groups);
        assert!(share >= 0.93, "{spread}: {share}");
        assert!(drawn < own, "{spread}: {drawn} {own}");
    }
}

#[test]
fn the_beta_distribution_equals_scipys() {
    for case in cases("beta_cdf") {
        let at = numbers(&case);
        let found = stats::special::beta_cdf(at[0], at[1], at[2]);
        assert!((found - at[3]).abs() <= 1e-10 * at[3], "{at:?}: {found}");
    }
    assert!(stats::special::beta_cdf(0.5, 0.0, 1.0).is_nan());
    assert_eq!([-1.0, 0.0, 1.0, 2.0].map(|x| stats::special::beta_cdf(x, 2.0, 3.0)), [0.0, 0.0, 1.0, 1.0]);
}

#[test]
fn groups_that_teach_nothing_are_left_as_they_are() {
    let share = |hits, n| Proportion::new(hits, n).unwrap();
    assert_eq!(shrunken_shares(&[], Level::P95).mean, None);
    let three = shrunken_shares(&[share(1, 4), share(0, 4), share(4, 4)], Level::P95);
    for found in &three.groups {
        assert_eq!((found.own, found.weight_of_others), (found.estimate.value, 0.0));
        assert!(found.estimate.interval.width() > 0.3, "{found:?}");
    }
    // Nothing happened anywhere: a group without rows of its own worth still has an upper bound.
    let none = shrunken_shares(&[share(0, 10); 8], Level::P95);
    assert_eq!((none.mean, none.spread), (Some(0.0), 0.0));
    for found in &none.groups {
        assert_eq!((found.estimate.value, found.estimate.interval.lower), (0.0, 0.0));
        assert!((0.01..0.4).contains(&found.estimate.interval.upper), "{found:?}");
    }
    let all_or_nothing: Vec<_> = (0..10).map(|at| share(50 * (at % 2), 50)).collect();
    let found = shrunken_shares(&all_or_nothing, Level::P95);
    assert!(found.groups.iter().all(|group| group.weight_of_others < 0.01), "{found:?}");
    let huge: Vec<_> = (0..5).map(|at| share((1 << 60) + at, 1 << 62)).collect();
    assert!(shrunken_shares(&huge, Level::P95).groups.iter().all(|group| group.estimate.value.is_finite()));

    let mean = |mean, standard_error| GroupMean { mean, standard_error, n: 3 };
    let odd =
        [mean(f64::NAN, 1.0), mean(1.0, 0.0), mean(2.0, f64::INFINITY), mean(3.0, 1.0), mean(1e300, 1.0)];
    let found = shrunken_means(&odd, Level::P95);
    assert_eq!(found.groups.iter().map(|group| group.group).collect::<Vec<_>>(), [3]);
    assert_eq!(found.groups[0].estimate.value, 3.0);
    assert_eq!(shrunken_means(&[], Level::P95).groups, []);
}
