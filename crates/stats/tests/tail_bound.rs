//! What is far outside of a sample, and which count comes next: against tailestim and SciPy
//! (`testdata/reference/make_tail_bound.py`), and by simulation.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

mod uniform;

use serde_json::Value;
use stats::count_prediction::count_prediction;
use stats::ecdf::Ecdf;
use stats::special::normal_quantile;
use stats::tail_bound::{plausible_range, tail};
use uniform::Uniform;

fn reference() -> Value {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../../testdata/reference/tail_bound.json");
    serde_json::from_str(&std::fs::read_to_string(path).unwrap()).unwrap()
}

#[track_caller]
fn close(actual: f64, expected: &Value, what: &str) {
    let expected = expected.as_f64().unwrap();
    assert!((actual - expected).abs() <= 1e-9 * expected.abs() + 1e-12, "{what}: {actual} is not {expected}");
}

fn ecdf(value: &Value) -> Ecdf {
    Ecdf::from_values(&mut serde_json::from_value::<Vec<f64>>(value.clone()).unwrap()).unwrap()
}

#[test]
fn the_tail_is_that_of_tailestim_and_what_lies_beyond_it_that_of_scipy() {
    for case in reference()["cases"].as_array().unwrap() {
        let sample = ecdf(&case["values"]);
        let median = sample.quantile(0.5).unwrap();
        let (low, high) = plausible_range(&sample, 300, 0.01).unwrap();
        for (side, lower, bound) in [("upper", false, high - median), ("lower", true, median - low)] {
            let expected = &case[side];
            let what = format!("{side} tail of {}", case["name"]);
            let tail = tail(&sample, lower).unwrap();
            close(tail.index, &expected["index"], &what);
            close(tail.scale, &expected["scale"], &what);
            close(tail.threshold, &expected["threshold"], &what);
            let extreme = if lower { median - sample.min().unwrap() } else { sample.max().unwrap() - median };
            let margin = 0.1 * (sample.max().unwrap() - sample.min().unwrap());
            let beyond = expected["beyond"].as_f64().unwrap();
            close(bound, &Value::from(beyond.max(extreme + margin)), &what);
        }
    }
}

#[test]
fn the_next_count_is_predicted_as_by_scipys_student() {
    for case in reference()["predictions"].as_array().unwrap() {
        let counts: Vec<u64> = serde_json::from_value(case["counts"].clone()).unwrap();
        let prediction = count_prediction(&counts, 0.01).unwrap();
        close(prediction.lower, &case["lower"], "lower");
        close(prediction.upper, &case["upper"], "upper");
        close(prediction.p_value(case["next"].as_u64().unwrap()), &case["p_value"], "p-value");
    }
}

/// The quantile function of a distribution.
type Quantile = fn(f64) -> f64;

/// New rows beyond the range of a sample of 2,000, on average over pairs of samples.
fn crossings(draw: impl Fn(f64) -> f64, expected: f64) -> f64 {
    const PAIRS: u32 = 300;
    let mut random = Uniform(11);
    let mut crossed = 0;
    for _ in 0..PAIRS {
        let mut values = |rows: usize| (0..rows).map(|_| draw(random.next())).collect::<Vec<f64>>();
        let sample = Ecdf::from_values(&mut values(2000)).unwrap();
        let (low, high) = plausible_range(&sample, 500, expected).unwrap();
        crossed += values(500).into_iter().filter(|value| *value < low || *value > high).count();
    }
    crossed as f64 / f64::from(PAIRS)
}

#[test]
fn rows_of_the_same_distribution_cross_the_range_no_more_often_than_was_asked_for() {
    let expected = 0.05;
    let both_ends = 2.0 * expected;
    let distributions: [(&str, Quantile); 6] = [
        ("uniform", |u| u),
        ("normal", normal_quantile),
        ("exponential", |u| -(1.0 - u).ln()),
        ("log-normal", |u| normal_quantile(u).exp()),
        ("Pareto, index 1", |u| 1.0 / (1.0 - u)),
        ("Pareto, index 1/2", |u| (1.0 - u).powf(-0.5)),
    ];
    for (name, draw) in distributions {
        let crossed = crossings(draw, expected);
        assert!(crossed <= both_ends, "{name}: {crossed} rows a window, {both_ends} were asked for");
    }
}

#[test]
fn counts_that_do_not_change_are_called_unlikely_as_seldom_as_was_asked_for() {
    let mut random = Uniform(5);
    for n in [6, 8, 17, 52] {
        let mut unlikely = 0;
        for _ in 0..2000 {
            let mut count = || {
                let [u] = random.many();
                (8.0 + 0.1 * normal_quantile(u)).exp() as u64
            };
            let counts: Vec<u64> = (0..n).map(|_| count()).collect();
            let prediction = count_prediction(&counts, 0.01).unwrap();
            unlikely += u32::from(prediction.p_value(count()) < 0.01);
        }
        // Twice the share that was asked for, at most; the median absolute deviation of few counts is rough.
        assert!(unlikely <= 40, "of {n} counts: {unlikely} of 2000");
    }
}
