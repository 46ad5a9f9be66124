//! The newer distances and tests against SciPy and simulated windows, and what must hold for any
//! input.
//!
//! The values lie in `testdata/reference/` with their inputs; `make_distances.py` beside them says
//! how each was made.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use proptest::prelude::*;
use serde_json::Value;
use stats::chi_square::Pooling;
use stats::counts::CountsError;
use stats::cramer_von_mises::{CramerVonMisesError, cramer_von_mises};
use stats::ecdf::Ecdf;
use stats::energy_distance::energy_distance;
use stats::g_test::g_test;
use stats::hellinger::{hellinger_distance, hellinger_expected_no_drift};
use stats::l_infinity::{l_infinity, l_infinity_expected_no_drift};
use stats::special::{cramer_von_mises_cdf, student_t_two_sided};
use stats::total_variation::{total_variation, total_variation_expected_no_drift};

fn text(name: &str) -> String {
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/../../testdata/reference");
    std::fs::read_to_string(format!("{folder}/{name}.json")).unwrap()
}

fn cases(name: &str) -> Vec<Value> {
    let mut content: Value = serde_json::from_str(&text(name)).unwrap();
    serde_json::from_value(content["cases"].take()).unwrap()
}

fn ecdf(values: &[f64]) -> Ecdf {
    Ecdf::from_values(&mut values.to_vec()).unwrap()
}

fn ecdf_of(value: &Value) -> Ecdf {
    ecdf(&serde_json::from_value::<Vec<f64>>(value.clone()).unwrap())
}

fn counts(value: &Value) -> Vec<u64> {
    serde_json::from_value(value.clone()).unwrap()
}

#[track_caller]
fn close(actual: f64, expected: &Value, what: &str) {
    let expected = expected.as_f64().unwrap();
    let allowed = 1e-9 * expected.abs() + 1e-12; // where the expected value is 0
    assert!((actual - expected).abs() <= allowed, "{what}: {actual} is not {expected}");
}

#[test]
fn energy_distance_equals_scipys() {
    for case in cases("distribution_distances") {
        let found = energy_distance(&ecdf_of(&case["reference"]), &ecdf_of(&case["current"])).unwrap();
        close(found.distance, &case["energy_distance"], "distance");
        assert_eq!(found.error_bound, 0.0);
    }
}

#[test]
fn cramer_von_mises_equals_scipys_with_and_without_ties() {
    for case in cases("distribution_distances") {
        let test = cramer_von_mises(&ecdf_of(&case["reference"]), &ecdf_of(&case["current"]));
        match test {
            Ok(test) => {
                close(test.statistic, &case["cramer_von_mises"], "statistic");
                // SciPy's series stops at terms of 1e-7, and is a difference from 1.
                let expected = case["cramer_von_mises_p_value"].as_f64().unwrap();
                assert!((test.p_value - expected).abs() < 1e-9, "{} is not {expected}", test.p_value);
            }
            Err(CramerVonMisesError::TooFewRows { .. }) => assert!(case["cramer_von_mises"].is_null()),
        }
    }
}

#[test]
fn tails_of_the_distributions_equal_scipys() {
    let content: Value = serde_json::from_str(&text("tails")).unwrap();
    let rows =
        |name: &str| -> Vec<Vec<f64>> { serde_json::from_value(content["cases"][name].clone()).unwrap() };
    let mut checked = 0;
    let mut close = |found: f64, expected: f64, what: String| {
        checked += 1;
        assert!((found - expected).abs() <= 1e-10 * expected + 1e-14, "{what}: {found} is not {expected}");
    };
    for row in rows("student_t_two_sided") {
        close(student_t_two_sided(row[0], row[1]), row[2], format!("t {row:?}"));
    }
    for row in rows("cramer_von_mises_cdf") {
        close(cramer_von_mises_cdf(row[0], 1e-20), row[1], format!("Cramér–von Mises {row:?}"));
    }
    assert!(checked > 50);
}

#[test]
fn distances_and_g_test_over_counts_equal_scipys() {
    for case in cases("count_distances") {
        let (reference, current) = (counts(&case["reference"]), counts(&case["current"]));
        close(hellinger_distance(&reference, &current).unwrap(), &case["hellinger"], "hellinger");
        close(total_variation(&reference, &current).unwrap(), &case["total_variation"], "total variation");
        close(l_infinity(&reference, &current).unwrap().distance, &case["l_infinity"], "l infinity");
        let test = g_test(&reference, &current, Pooling::None).unwrap();
        close(test.statistic, &case["g"], "G");
        assert_eq!(test.degrees_of_freedom, case["g_degrees_of_freedom"].as_u64().unwrap());
        close(test.p_value, &case["g_p_value"], "p-value of G");
    }
}

/// The expected values are told from one pair of windows, so they vary a little with it.
#[test]
fn the_expected_values_without_drift_are_those_of_simulated_windows() {
    type Told = fn(&[u64], &[u64]) -> f64;
    for case in cases("no_drift") {
        let (reference, current) = (counts(&case["reference"]), counts(&case["current"]));
        let sparse = case["name"] == "two thousand, long tail";
        for (name, told, off) in [
            // To second order in the counts, and so too small where many bins are nearly empty.
            ("hellinger", hellinger_expected_no_drift as Told, if sparse { 0.2 } else { 0.05 }),
            ("total_variation", total_variation_expected_no_drift, 0.02),
            ("l_infinity", l_infinity_expected_no_drift, 0.11),
        ] {
            let error = case[format!("{name}_standard_error")].as_f64().unwrap();
            let expected = case[name].as_f64().unwrap();
            let told = told(&reference, &current);
            let what = format!("{}, {name}: {told} for {expected}", case["name"]);
            assert!((told - expected).abs() < off * expected + 4.0 * error, "{what}");
        }
    }
}

type Distance = fn(&[u64], &[u64]) -> Result<f64, CountsError>;
type Expected = fn(&[u64], &[u64]) -> f64;

/// With the statistic's value where nothing has changed.
fn bounded() -> [(Distance, Expected); 3] {
    [
        (hellinger_distance, hellinger_expected_no_drift),
        (total_variation, total_variation_expected_no_drift),
        (|r, c| l_infinity(r, c).map(|found| found.distance), l_infinity_expected_no_drift),
    ]
}

fn pair_of_counts() -> impl Strategy<Value = (Vec<u64>, Vec<u64>)> {
    let counts = prop::collection::vec((0_u64..40, 0_u64..40), 1..12);
    counts
        .prop_map(|pairs| pairs.into_iter().unzip())
        .prop_filter("a side without rows", |(r, c): &(Vec<u64>, Vec<u64>)| {
            r.iter().sum::<u64>() > 0 && c.iter().sum::<u64>() > 0
        })
}

/// Numbers with ties.
fn column() -> impl Strategy<Value = Vec<f64>> {
    prop::collection::vec(prop_oneof![(-5_i8..5).prop_map(f64::from), -3.0..3.0_f64], 2..60)
}

proptest! {
    #[test]
    fn distances_over_counts_are_symmetric_bounded_and_blind_to_the_order_of_bins(
        (reference, current) in pair_of_counts(),
    ) {
        let reversed = |counts: &[u64]| counts.iter().rev().copied().collect::<Vec<_>>();
        for (distance, expected) in bounded() {
            let value = distance(&reference, &current).unwrap();
            prop_assert!((0.0..=1.0).contains(&value));
            prop_assert!((value - distance(&current, &reference).unwrap()).abs() < 1e-12);
            let backwards = distance(&reversed(&reference), &reversed(&current)).unwrap();
            prop_assert!((value - backwards).abs() < 1e-12);
            prop_assert_eq!(distance(&reference, &reference), Ok(0.0));
            let told = expected(&reference, &current);
            prop_assert!((0.0..=1.0).contains(&told));
            prop_assert!((told - expected(&current, &reference)).abs() < 1e-9);
        }
    }

    /// Le Cam's inequalities: H² ≤ TV ≤ H √(2 − H²); and no one bin moves more than all do.
    #[test]
    fn hellinger_total_variation_and_l_infinity_bound_each_other((reference, current) in pair_of_counts()) {
        let hellinger = hellinger_distance(&reference, &current).unwrap();
        let variation = total_variation(&reference, &current).unwrap();
        let square = hellinger * hellinger;
        prop_assert!(square <= variation + 1e-12);
        prop_assert!(variation <= hellinger * (2.0 - square).sqrt() + 1e-12);
        prop_assert!(l_infinity(&reference, &current).unwrap().distance <= variation + 1e-12);
    }

    #[test]
    fn the_g_test_is_symmetric_and_its_sizes_are_bounded((reference, current) in pair_of_counts()) {
        for pooling in [Pooling::None, Pooling::default()] {
            let there = g_test(&reference, &current, pooling);
            let back = g_test(&current, &reference, pooling);
            prop_assert_eq!(there.is_ok(), back.is_ok());
            let (Ok(there), Ok(back)) = (there, back) else { continue };
            prop_assert!((there.statistic - back.statistic).abs() < 1e-9 * (1.0 + there.statistic));
            prop_assert!((0.0..=1.0).contains(&there.p_value));
            prop_assert!(there.mutual_information_nats <= std::f64::consts::LN_2 + 1e-12);
        }
    }

    #[test]
    fn cramer_von_mises_is_symmetric_and_sees_the_order_alone(a in column(), b in column()) {
        let (there, back) = (
            cramer_von_mises(&ecdf(&a), &ecdf(&b)).unwrap(),
            cramer_von_mises(&ecdf(&b), &ecdf(&a)).unwrap(),
        );
        prop_assert!((there.statistic - back.statistic).abs() < 1e-10);
        prop_assert!((0.0..=1.0).contains(&there.gap_root_mean_square));
        prop_assert!((0.0..=1.0).contains(&there.p_value));
        let cubes = |values: &[f64]| ecdf(&values.iter().map(|v| v.powi(3)).collect::<Vec<_>>());
        let cubed = cramer_von_mises(&cubes(&a), &cubes(&b)).unwrap();
        prop_assert!((there.statistic - cubed.statistic).abs() < 1e-10);
    }

    #[test]
    fn energy_distance_is_symmetric_and_grows_with_the_root_of_the_unit(a in column(), b in column()) {
        let there = energy_distance(&ecdf(&a), &ecdf(&b)).unwrap().distance;
        let back = energy_distance(&ecdf(&b), &ecdf(&a)).unwrap().distance;
        prop_assert!(there >= 0.0 && (there - back).abs() < 1e-12);
        let scaled = |values: &[f64]| ecdf(&values.iter().map(|v| v * 4.0).collect::<Vec<_>>());
        let wider = energy_distance(&scaled(&a), &scaled(&b)).unwrap().distance;
        prop_assert!((wider - 2.0 * there).abs() < 1e-12 * (1.0 + wider));
    }
}
