//! Metrics of several classes and of numbers beside scikit-learn's, and their intervals beside SciPy's
//! bootstrap and against simulated rows whose truth is known.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

mod uniform;

use serde_json::Value;
use stats::classification::Estimate;
use stats::interval::{IntervalMethod, Level};
use stats::multiclass::accuracy::accuracy;
use stats::multiclass::brier::brier_score;
use stats::multiclass::log_loss::log_loss;
use stats::multiclass::macro_f1::macro_f1;
use stats::multiclass::macro_roc_auc::macro_roc_auc;
use stats::multiclass::rows::likeliest;
use stats::multiclass::{ClassifiedRows, KeptRow, MulticlassUndefined};
use stats::regression::mae::mean_absolute_error;
use stats::regression::mape::mean_absolute_percentage_error;
use stats::regression::mean_error::mean_error;
use stats::regression::r_squared::r_squared;
use stats::regression::rmse::root_mean_squared_error;
use stats::regression::{PredictionErrors, RegressionUndefined};

fn cases(task: &str) -> Vec<Value> {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../../testdata/reference/tasks.json");
    let content: Value = serde_json::from_str(&std::fs::read_to_string(path).unwrap()).unwrap();
    content["cases"][task].as_array().unwrap().clone()
}

fn numbers(value: &Value) -> Vec<f64> {
    value.as_array().unwrap().iter().map(|number| number.as_f64().unwrap()).collect()
}

/// The value to nine digits; bounds to a tenth of the bootstrap's width, which is random itself.
#[track_caller]
fn check(case: &Value, metric: &str, found: Option<Estimate>) {
    let expected = case["values"][metric].as_f64();
    let name = &case["name"];
    let (Some(expected), Some(found)) = (expected, found) else {
        assert_eq!(expected, found.map(|found| found.value), "{metric} of {name}");
        return;
    };
    let tolerance = 1e-9 * expected.abs().max(1e-3);
    assert!((found.value - expected).abs() <= tolerance, "{metric} of {name}: {found:?}, not {expected}");
    assert!(found.interval.contains(found.value), "{metric} of {name}: {found:?}");
    if case["bounds"][metric].is_array() {
        let bounds = numbers(&case["bounds"][metric]);
        let allowed = 0.1 * (bounds[1] - bounds[0]);
        for (found, bound) in [found.interval.lower, found.interval.upper].into_iter().zip(bounds) {
            assert!((found - bound).abs() <= allowed, "{metric} of {name}: {found}, not {bound} ± {allowed}");
        }
    }
}

#[test]
fn metrics_of_numbers_equal_scikit_learns() {
    for case in cases("regression") {
        let rows = numbers(&case["predictions"]).into_iter().zip(numbers(&case["outcomes"]));
        let errors = PredictionErrors::of(rows);
        let level = Level::P95;
        check(&case, "mae", mean_absolute_error(&errors, level).ok());
        check(&case, "rmse", root_mean_squared_error(&errors, level).ok());
        check(&case, "r2", r_squared(&errors, level).ok());
        check(&case, "mean_error", mean_error(&errors, level).ok());
        check(&case, "mape", mean_absolute_percentage_error(&errors, level).ok());
        if case["mae_normal"].is_array() {
            let normal = numbers(&case["mae_normal"]);
            let found = mean_absolute_error(&errors, level).unwrap().interval;
            let close = |found: f64, expected: f64| (found - expected).abs() < 1e-9;
            assert!(close(found.lower, normal[0].max(0.0)) && close(found.upper, normal[1]), "{found:?}");
        }
    }
}

fn classified(probabilities: &[Vec<f64>], outcomes: &[usize]) -> ClassifiedRows {
    let mut rows = ClassifiedRows::new(probabilities[0].len(), None);
    rows.extend(probabilities.iter().zip(outcomes).enumerate().map(|(at, (probabilities, &outcome))| {
        KeptRow {
            hash: at as u64,
            outcome,
            predicted: likeliest(probabilities).unwrap(),
            probabilities: probabilities.clone(),
        }
    }));
    rows
}

#[test]
fn metrics_of_classes_equal_scikit_learns() {
    for case in cases("multiclass") {
        let probabilities: Vec<Vec<f64>> =
            case["probabilities"].as_array().unwrap().iter().map(numbers).collect();
        let outcomes: Vec<usize> =
            numbers(&case["outcomes"]).into_iter().map(|class| class as usize).collect();
        let rows = classified(&probabilities, &outcomes);
        let level = Level::P95;
        check(&case, "accuracy", accuracy(&rows, level).ok());
        check(&case, "macro_f1", macro_f1(&rows, level).ok());
        check(&case, "macro_roc_auc", macro_roc_auc(&rows, level).ok());
        check(&case, "brier", brier_score(&rows, level).ok());
        check(&case, "log_loss", log_loss(&rows, level).ok());
    }
}

/// A standard normal number, as the sum of twelve uniform ones less six.
fn normal(uniform: &mut uniform::Uniform) -> f64 {
    uniform.many::<12>().iter().sum::<f64>() - 6.0
}

const RUNS: u32 = 1000;

#[test]
fn intervals_hold_the_truth_as_often_as_they_say() {
    let mut draw = uniform::Uniform(5);
    let (mut mae, mut rmse, mut r2) = (0, 0, 0);
    for _ in 0..RUNS {
        // Outcome of variance 4, error of variance 1 that does not depend on it.
        let errors = PredictionErrors::of((0..200).map(|_| {
            let outcome = 10.0 + 2.0 * normal(&mut draw);
            (outcome + normal(&mut draw), outcome)
        }));
        let holds = |found: Result<Estimate, RegressionUndefined>, truth: f64| {
            u32::from(found.unwrap().interval.contains(truth))
        };
        mae += holds(mean_absolute_error(&errors, Level::P95), (2.0 / std::f64::consts::PI).sqrt());
        rmse += holds(root_mean_squared_error(&errors, Level::P95), 1.0);
        r2 += holds(r_squared(&errors, Level::P95), 0.75);
    }
    for held in [mae, rmse, r2] {
        let share = f64::from(held) / f64::from(RUNS);
        assert!((0.93..=0.97).contains(&share), "{mae} {rmse} {r2}");
    }
}

#[test]
fn what_cannot_be_measured_says_why() {
    let of = |rows: &[(f64, f64)]| PredictionErrors::of(rows.iter().copied());
    let level = Level::P95;
    assert_eq!(mean_absolute_error(&of(&[]), level), Err(RegressionUndefined::NoRows));
    let too_few = Err(RegressionUndefined::TooFewRows { n: 1, needed: 2 });
    assert_eq!(root_mean_squared_error(&of(&[(1.0, 2.0)]), level), too_few);
    assert_eq!(r_squared(&of(&[(1.0, 2.0)]), level), too_few);
    assert_eq!(r_squared(&of(&[(1.0, 2.0), (3.0, 2.0)]), level), Err(RegressionUndefined::ConstantOutcome));
    let zero = of(&[(1.0, 0.0), (3.0, 2.0)]);
    assert_eq!(mean_absolute_percentage_error(&zero, level), Err(RegressionUndefined::ZeroOutcomes { n: 1 }));

    let rows = classified(&[vec![0.9, 0.1], vec![0.8, 0.2]], &[0, 0]);
    assert_eq!(macro_roc_auc(&rows, level), Err(MulticlassUndefined::AlwaysTheOutcome { class: 0 }));
    let three = classified(&[vec![0.9, 0.1, 0.0], vec![0.8, 0.2, 0.0]], &[0, 1]);
    assert_eq!(macro_roc_auc(&three, level), Err(MulticlassUndefined::NeverTheOutcome { class: 2 }));
    // Right every time: nothing varies, and the interval still says how many rows there were.
    let perfect = macro_f1(&rows, level).unwrap();
    assert_eq!((perfect.value, perfect.interval.method), (1.0, IntervalMethod::WilsonOfBoundedMean));
    assert!(perfect.interval.lower < 0.4);
    let none = ClassifiedRows::new(2, None);
    assert_eq!(macro_f1(&none, level), Err(MulticlassUndefined::NoRows));
    assert_eq!(accuracy(&none, level), Err(MulticlassUndefined::NoRows));
    assert_eq!(log_loss(&none, level), Err(MulticlassUndefined::NoRows));
    // The bounds of the area hold for many rows only; for a perfect one the rarest class counts.
    let area = macro_roc_auc(&classified(&[vec![0.9, 0.1], vec![0.2, 0.8]], &[0, 1]), level).unwrap();
    assert_eq!((area.value, area.n), (1.0, 2));
    assert!(area.interval.lower < 0.5);
}
