//! Our statistics against values computed by SciPy, scikit-learn, statsmodels and NumPy.
//!
//! The values lie in `testdata/reference/*.json` with their inputs; `make.py` beside them says how
//! each was made. A relative difference of 1e-9 is allowed unless a test says why it is more.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use serde_json::Value;
use stats::chi_square::{Pooling, chi_square};
use stats::classification::average_precision::average_precision;
use stats::classification::brier::brier_score;
use stats::classification::calibration::{calibration_in_the_large, reliability};
use stats::classification::confusion::Confusion;
use stats::classification::log_loss::log_loss;
use stats::classification::roc_auc::{roc_auc, roc_curve};
use stats::classification::{Estimate, Undefined};
use stats::ecdf::Ecdf;
use stats::false_discovery::{benjamini_hochberg, holm};
use stats::interval::{Interval, IntervalMethod, Level};
use stats::jensen_shannon::jensen_shannon_distance;
use stats::kolmogorov_smirnov::{Method, kolmogorov_smirnov};
use stats::labelled_scores::LabelledScores;
use stats::proportion::{Proportion, two_proportion_z_test, wilson_interval};
use stats::psi::{PsiError, Smoothing, psi};
use stats::special;
use stats::wasserstein::{WassersteinError, normalised_wasserstein, wasserstein};

const TOLERANCE: f64 = 1e-9;

fn cases(name: &str) -> Value {
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/../../testdata/reference");
    let text = std::fs::read_to_string(format!("{folder}/{name}.json")).unwrap();
    let mut content: Value = serde_json::from_str(&text).unwrap();
    content["cases"].take()
}

fn list(value: &Value) -> &[Value] {
    value.as_array().unwrap()
}

fn numbers(value: &Value) -> Vec<f64> {
    list(value).iter().map(|v| v.as_f64().unwrap()).collect()
}

fn counts(value: &Value) -> Vec<u64> {
    list(value).iter().map(|v| v.as_u64().unwrap()).collect()
}

fn ecdf(value: &Value) -> Ecdf {
    Ecdf::from_values(&mut numbers(value)).unwrap()
}

fn labelled(case: &Value) -> LabelledScores {
    let outcomes = list(&case["outcomes"]).iter().map(|v| v.as_bool().unwrap());
    LabelledScores::from_pairs(numbers(&case["scores"]).into_iter().zip(outcomes)).unwrap()
}

#[track_caller]
fn close_within(actual: f64, expected: &Value, relative: f64, what: &str) {
    let expected = expected.as_f64().unwrap();
    let allowed = relative * expected.abs() + 1e-13; // where the expected value is 0
    assert!((actual - expected).abs() <= allowed, "{what}: {actual} is not {expected}");
}

#[track_caller]
fn close(actual: f64, expected: &Value, what: &str) {
    close_within(actual, expected, TOLERANCE, what);
}

#[track_caller]
fn close_interval(actual: Interval, expected: &Value, what: &str) {
    close(actual.lower, &expected[0], &format!("{what}, lower"));
    close(actual.upper, &expected[1], &format!("{what}, upper"));
}

/// Tails are compared by their relative difference, however small they are.
#[track_caller]
fn close_tail(actual: f64, expected: &Value, relative: f64, what: &str) {
    let expected = expected.as_f64().unwrap();
    let same = actual == expected || (actual / expected - 1.0).abs() <= relative;
    assert!(same, "{what}: {actual} is not {expected}");
}

#[test]
fn special_functions_equal_scipys_to_thirteen_digits() {
    type One = fn(f64) -> f64;
    type Two = fn(f64, f64) -> f64;
    let cases = cases("special");
    let one: [(&str, One); 7] = [
        ("ln_gamma", special::ln_gamma),
        ("erf", special::erf),
        ("erfc", special::erfc),
        ("normal_cdf", special::normal_cdf),
        ("normal_sf", special::normal_sf),
        ("normal_quantile", special::normal_quantile),
        ("kolmogorov_sf", special::kolmogorov_sf),
    ];
    for (name, function) in one {
        for case in list(&cases[name]) {
            let x = case[0].as_f64().unwrap();
            close_tail(function(x), &case[1], 1e-13, &format!("{name}({x})"));
        }
    }
    let two: [(&str, Two); 3] = [
        ("gamma_p", special::gamma_p),
        ("gamma_q", special::gamma_q),
        ("chi_square_sf", special::chi_square_sf),
    ];
    for (name, function) in two {
        for case in list(&cases[name]) {
            let (a, x) = (case[0].as_f64().unwrap(), case[1].as_f64().unwrap());
            // exp(a ln x − x − ln Γ(a)) loses the digits of its largest term, about a ln a.
            let relative = 1e-13 * (1.0 + a.max(x));
            close_tail(function(a, x), &case[2], relative, &format!("{name}({a}, {x})"));
        }
    }
}

#[test]
fn quantiles_equal_numpys_inverted_cdf() {
    for case in list(&cases("ecdf")) {
        let ecdf = ecdf(&case["values"]);
        for (share, expected) in numbers(&case["shares"]).iter().zip(numbers(&case["quantiles"])) {
            assert_eq!(ecdf.quantile(*share), Some(expected), "{share} of {case}");
        }
    }
}

#[test]
fn kolmogorov_smirnov_equals_scipys_exact_method() {
    for case in list(&cases("distances")) {
        let test = kolmogorov_smirnov(&ecdf(&case["reference"]), &ecdf(&case["current"])).unwrap();
        assert_eq!(test.method, Method::Exact);
        close(test.statistic, &case["ks_statistic"], "statistic");
        close(test.p_value, &case["ks_p_value_exact"], "p-value");
    }
}

/// SciPy takes the one-sample distribution at the rounded effective row count, we take the limit
/// with Stephens' correction: both approximate the same probability, and differ by up to 3 % of it.
#[test]
fn kolmogorov_smirnov_of_many_rows_is_near_scipys_asymptotic_method() {
    for case in list(&cases("kolmogorov_smirnov_large")) {
        let [n, m, shift] = ["n", "m", "shift"].map(|key| case[key].as_f64().unwrap());
        let grid = |rows: f64, start: f64, shift: f64| {
            let mut values: Vec<f64> = (0..rows as u64).map(|i| (i as f64 + start) / rows + shift).collect();
            Ecdf::from_values(&mut values).unwrap()
        };
        let test = kolmogorov_smirnov(&grid(n, 0.0, 0.0), &grid(m, 0.5, shift / n)).unwrap();
        assert_eq!(test.method, Method::Asymptotic);
        close(test.statistic, &case["statistic"], "statistic");
        close_within(test.p_value, &case["p_value"], 0.03, "p-value");
    }
}

#[test]
fn wasserstein_equals_scipys() {
    for case in list(&cases("distances")) {
        let (reference, current) = (ecdf(&case["reference"]), ecdf(&case["current"]));
        let found = wasserstein(&reference, &current).unwrap();
        close(found.distance, &case["wasserstein"], "distance");
        assert_eq!(found.error_bound, 0.0);
        match normalised_wasserstein(&reference, &current) {
            Ok(found) => {
                close(found.standard_deviation_reference, &case["standard_deviation"], "deviation");
                let expected =
                    case["wasserstein"].as_f64().unwrap() / case["standard_deviation"].as_f64().unwrap();
                close(found.value, &Value::from(expected), "normalised");
            }
            Err(error) => {
                assert_eq!(error, WassersteinError::ConstantReference);
                assert_eq!(case["standard_deviation"], 0.0);
            }
        }
    }
}

#[test]
fn psi_equals_the_sum_of_scipys_two_relative_entropies() {
    for case in list(&cases("counts")) {
        let (reference, current) = (counts(&case["reference"]), counts(&case["current"]));
        let smoothed = psi(&reference, &current, Smoothing::default()).unwrap();
        close(smoothed, &case["psi_pseudocount_half"], "smoothed");
        let plain = psi(&reference, &current, Smoothing::None);
        if case["psi"].is_null() {
            assert!(matches!(plain, Err(PsiError::EmptyBin { .. })));
        } else {
            close(plain.unwrap(), &case["psi"], "plain");
        }
    }
}

/// The distance is the root of a difference of logarithms, so half of the digits near zero go.
#[test]
fn jensen_shannon_equals_scipys() {
    for case in list(&cases("counts")) {
        let (reference, current) = (counts(&case["reference"]), counts(&case["current"]));
        let distance = jensen_shannon_distance(&reference, &current).unwrap();
        close(distance, &case["jensen_shannon"], "distance");
    }
}

#[test]
fn chi_square_and_cramers_v_equal_scipys() {
    for case in list(&cases("counts")) {
        let (reference, current) = (counts(&case["reference"]), counts(&case["current"]));
        let test = chi_square(&reference, &current, Pooling::None).unwrap();
        close(test.statistic, &case["chi_square"], "statistic");
        assert_eq!(test.degrees_of_freedom, case["degrees_of_freedom"]);
        close(test.p_value, &case["p_value"], "p-value");
        close(test.expected_min, &case["expected_min"], "expected");
        close(test.cramers_v, &case["cramers_v"], "V");
        close(test.cramers_v_corrected, &case["cramers_v_corrected"], "corrected V");
    }
}

#[test]
fn wilson_intervals_equal_statsmodels() {
    for case in list(&cases("proportions")["wilson"]) {
        let level = Level::new(case["level"].as_f64().unwrap()).unwrap();
        let (successes, n) = (case["successes"].as_u64().unwrap(), case["n"].as_u64().unwrap());
        let interval = wilson_interval(successes, n, level).unwrap();
        close(interval.lower, &case["lower"], "lower");
        close(interval.upper, &case["upper"], "upper");
    }
}

#[test]
fn differences_of_proportions_equal_statsmodels() {
    for case in list(&cases("proportions")["differences"]) {
        let level = Level::new(case["level"].as_f64().unwrap()).unwrap();
        let [reference, current] = ["reference", "current"].map(|side| {
            let side = counts(&case[side]);
            Proportion::new(side[0], side[1]).unwrap()
        });
        let test = two_proportion_z_test(reference, current, level);
        close(test.z, &case["z"], "z");
        close(test.p_value, &case["p_value"], "p-value");
        close(test.interval.lower, &case["lower"], "lower");
        close(test.interval.upper, &case["upper"], "upper");
    }
}

#[test]
fn adjusted_p_values_equal_scipys_and_statsmodels() {
    for case in list(&cases("false_discovery")) {
        let p_values = numbers(&case["p_values"]);
        for (name, adjusted) in
            [("benjamini_hochberg", benjamini_hochberg(&p_values)), ("holm", holm(&p_values))]
        {
            assert_eq!(adjusted.len(), list(&case[name]).len());
            for (ours, theirs) in adjusted.iter().zip(list(&case[name])) {
                close(*ours, theirs, name);
            }
        }
    }
}

#[test]
fn confusion_metrics_equal_scikit_learns() {
    type Metric = fn(&Confusion, Level) -> Result<Estimate, Undefined>;
    let metrics: [(&str, Metric); 5] = [
        ("accuracy", Confusion::accuracy),
        ("precision", Confusion::precision),
        ("recall", Confusion::recall),
        ("specificity", Confusion::specificity),
        ("f1", Confusion::f1),
    ];
    for case in list(&cases("classification")) {
        for expected in list(&case["confusion"]) {
            let threshold = expected["threshold"].as_f64().unwrap();
            let c = Confusion::at(&labelled(case), threshold).unwrap();
            let found = [c.true_positives, c.false_positives, c.true_negatives, c.false_negatives];
            assert_eq!(found.to_vec(), counts(&expected["counts"]));
            for (name, metric) in metrics {
                match metric(&c, Level::P95) {
                    Ok(estimate) => close(estimate.value, &expected[name], name),
                    Err(undefined) => assert!(expected[name].is_null(), "{name}: {undefined}"),
                }
            }
            if let Ok(f1) = c.f1(Level::P95) {
                close_interval(f1.interval, &expected["f1_interval"], "f1");
            }
        }
    }
}

#[test]
fn roc_auc_equals_scikit_learns_and_its_interval_delongs_definition() {
    for case in list(&cases("classification")) {
        let area = roc_auc(&labelled(case), Level::P95).unwrap();
        close(area.value, &case["roc_auc"], "area");
        if case["delong"].is_null() {
            assert_eq!(area.interval.method, IntervalMethod::WilsonOfPairs);
        } else {
            assert_eq!(area.interval.method, IntervalMethod::DeLongLogit);
            close_interval(area.interval, &case["delong"]["interval"], "area");
        }
    }
}

#[test]
fn the_roc_curve_equals_scikit_learns() {
    for case in list(&cases("classification")) {
        let curve = roc_curve(&labelled(case)).unwrap();
        let expected = &case["roc_curve"];
        assert_eq!(curve.len(), list(&expected["true_positive_share"]).len());
        for (i, point) in curve.iter().enumerate() {
            close(point.false_positive_share, &expected["false_positive_share"][i], "x");
            close(point.true_positive_share, &expected["true_positive_share"][i], "y");
            match point.threshold {
                None => assert_eq!(i, 0),
                Some(threshold) => close(threshold, &expected["thresholds"][i - 1], "threshold"),
            }
        }
    }
}

#[test]
fn average_precision_equals_scikit_learns() {
    for case in list(&cases("classification")) {
        let found = average_precision(&labelled(case), Level::P95).unwrap();
        close(found.value, &case["average_precision"], "value");
        if case["average_precision_interval"].is_null() {
            assert_eq!(found.interval.method, IntervalMethod::WilsonOfPositives);
        } else {
            close_interval(found.interval, &case["average_precision_interval"], "interval");
        }
    }
}

/// statsmodels' normal interval is not cut at the range of the loss, so the comparison cuts it.
#[test]
fn mean_losses_equal_scikit_learns_and_their_intervals_statsmodels() {
    let cut = |interval: &Value, least: f64, most: f64| {
        let bounds = numbers(interval).into_iter().map(|b| b.clamp(least, most));
        Value::from(bounds.collect::<Vec<_>>())
    };
    for case in list(&cases("classification")) {
        let scores = labelled(case);
        let brier = brier_score(&scores, Level::P95).unwrap();
        close(brier.value, &case["brier"], "brier");
        close_interval(brier.interval, &cut(&case["brier_interval"], 0.0, 1.0), "brier");
        let loss = log_loss(&scores, Level::P95).unwrap();
        close(loss.estimate.value, &case["log_loss"], "log loss");
        let expected = cut(&case["log_loss_interval"], f64::EPSILON, -f64::EPSILON.ln());
        close_interval(loss.estimate.interval, &expected, "log loss");
        assert_eq!(loss.clipped, case["clipped"]);
        let gap = calibration_in_the_large(&scores, Level::P95).unwrap();
        close(gap.value, &case["in_the_large"], "in the large");
        let expected = cut(&case["in_the_large_interval"], -1.0, 1.0);
        close_interval(gap.interval, &expected, "in the large");
    }
}

#[test]
fn reliability_bins_and_calibration_error_equal_scikit_learns() {
    for case in list(&cases("calibration")) {
        let scores = labelled(case);
        let bins = reliability(&scores, 10, Level::P95).unwrap();
        assert_eq!(bins.len(), 10);
        for (i, bin) in bins.iter().enumerate() {
            close(bin.score_mean, &case["score_mean"][i], "promised");
            close(bin.outcome_share, &case["outcome_share"][i], "happened");
        }
        let error = stats::classification::calibration::expected_calibration_error(
            &scores,
            10,
            Level::P95,
            1,
            &mut NoRandomness,
        );
        let error = error.unwrap();
        let expected = &case["expected_calibration_error"];
        close(error.estimate.value, expected, "error");
        close(error.expected_if_calibrated, &case["expected_if_calibrated"], "expected");
    }
}

/// The value itself must not depend on the random source.
struct NoRandomness;

impl rand_core::RngCore for NoRandomness {
    fn next_u32(&mut self) -> u32 {
        0
    }

    fn next_u64(&mut self) -> u64 {
        0
    }

    fn fill_bytes(&mut self, bytes: &mut [u8]) {
        bytes.fill(0);
    }
}
