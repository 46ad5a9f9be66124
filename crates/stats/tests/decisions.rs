//! Thresholds, costs and averages over classes beside scikit-learn's, their standard errors beside numerical
//! derivatives of scikit-learn's values and beside statsmodels', and coverage by simulation.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

mod uniform;

use serde_json::Value;
use stats::classification::Estimate;
use stats::classification::confusion::Confusion;
use stats::classification::expected_cost::{Costs, cheapest_threshold, expected_cost};
use stats::classification::threshold_curve::threshold_curve;
use stats::interval::{IntervalMethod, Level};
use stats::labelled_scores::LabelledScores;
use stats::multiclass::averages::{Average, ClassMetric, average, by_class};
use stats::multiclass::balanced_accuracy::{balanced_accuracy, binary_balanced_accuracy};
use stats::multiclass::cohens_kappa::{binary_cohens_kappa, cohens_kappa};
use stats::multiclass::expected_cost::CostTable;
use stats::multiclass::matthews::{binary_matthews_correlation, matthews_correlation};
use stats::multiclass::{AgreementUndefined, ClassifiedRows, KeptRow, MulticlassUndefined};

fn cases(topic: &str) -> Vec<Value> {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../../testdata/reference/decisions.json");
    let content: Value = serde_json::from_str(&std::fs::read_to_string(path).unwrap()).unwrap();
    content[topic].as_array().unwrap().clone()
}

fn numbers(value: &Value) -> Vec<f64> {
    value.as_array().unwrap().iter().map(|number| number.as_f64().unwrap()).collect()
}

#[track_caller]
fn near(found: f64, expected: f64, what: &str) {
    assert!((found - expected).abs() < 1e-12, "{what}: {found}, not {expected}");
}

fn scores(case: &Value) -> LabelledScores {
    let rows = numbers(&case["scores"]).into_iter().zip(numbers(&case["outcomes"]));
    LabelledScores::from_pairs(rows.map(|(score, outcome)| (score, outcome == 1.0))).unwrap()
}

fn costs(case: &Value) -> Costs {
    let costs = numbers(&case["costs"]);
    Costs::new(costs[0], costs[1], costs[2], costs[3]).unwrap()
}

#[test]
fn the_threshold_curve_equals_scikit_learns() {
    for case in cases("thresholds") {
        let curve = threshold_curve(&scores(&case), Some(&costs(&case)), usize::MAX).unwrap();
        let expected = case["points"].as_array().unwrap();
        assert_eq!(curve.len(), expected.len() + 1, "calling nothing comes first");
        let roc = case["roc"].as_array().unwrap().iter().map(numbers).collect::<Vec<_>>();
        // scikit-learn's runs from the lowest threshold.
        let precision = case["precision_recall"].as_array().unwrap().iter().map(numbers).collect::<Vec<_>>();
        for (at, (found, expected)) in curve[1..].iter().zip(expected).enumerate() {
            assert_eq!(found.threshold, expected["threshold"].as_f64());
            let counts =
                [found.true_positives, found.false_positives, found.true_negatives, found.false_negatives];
            assert_eq!(counts.map(|count| count as f64).to_vec(), numbers(&expected["counts"]));
            near(found.f1.unwrap(), expected["f1"].as_f64().unwrap(), "F1");
            near(found.accuracy, expected["accuracy"].as_f64().unwrap(), "accuracy");
            near(found.expected_cost.unwrap(), expected["cost"].as_f64().unwrap(), "cost");
            assert_eq!(found.threshold, Some(roc[2][at]));
            near(found.false_positive_share.unwrap(), roc[0][at], "false positives");
            near(found.true_positive_share.unwrap(), roc[1][at], "true positives");
            let mirrored = expected_index(&precision[2], found.threshold.unwrap());
            near(found.precision.unwrap(), precision[0][mirrored], "precision");
            near(found.recall().unwrap(), precision[1][mirrored], "recall");
        }
    }
}

fn expected_index(thresholds: &[f64], threshold: f64) -> usize {
    thresholds.iter().position(|at| *at == threshold).unwrap()
}

#[test]
fn the_cheapest_threshold_is_the_cheapest_point_of_scikit_learns() {
    for case in cases("thresholds") {
        let (scores, costs) = (scores(&case), costs(&case));
        let found = cheapest_threshold(&scores, &costs, Level::P95).unwrap();
        let points = case["points"].as_array().unwrap();
        let least = points.iter().map(|point| point["cost"].as_f64().unwrap()).fold(f64::INFINITY, f64::min);
        near(found.cost.value, least, "least cost");
        let at_half = Confusion::at(&scores, 0.5).unwrap();
        let cost = expected_cost(&at_half, &costs, Level::P95).unwrap();
        let interval = numbers(&case["cost_interval"]);
        assert_eq!(cost.interval.method, IntervalMethod::NormalOfMean);
        for (found, expected) in [cost.interval.lower, cost.interval.upper].into_iter().zip(interval) {
            assert!((found - expected).abs() < 1e-9, "{cost:?}, not {expected}");
        }
    }
}

fn rows(table: &[Vec<f64>]) -> ClassifiedRows {
    let classes = table.len();
    let mut rows = ClassifiedRows::new(classes, None);
    for (outcome, counts) in table.iter().enumerate() {
        for (predicted, &count) in counts.iter().enumerate() {
            let probabilities = vec![1.0 / classes as f64; classes];
            let row = KeptRow { hash: 0, outcome, predicted, probabilities };
            rows.extend(std::iter::repeat_n(row, count as usize));
        }
    }
    rows
}

fn table(case: &Value) -> Vec<Vec<f64>> {
    case["table"].as_array().unwrap().iter().map(numbers).collect()
}

/// The value, and that the interval is this many standard errors wide (where it was not cut).
#[track_caller]
fn check(found: &Estimate, value: &Value, error: &Value, range: (f64, f64), what: &str) {
    near(found.value, value.as_f64().unwrap(), what);
    let half = Level::P95.z() * error.as_f64().unwrap();
    let (lower, upper) = ((found.value - half).max(range.0), (found.value + half).min(range.1));
    for (bound, expected) in [(found.interval.lower, lower), (found.interval.upper, upper)] {
        assert!((bound - expected).abs() < 1e-6, "{what}: {found:?}, not {lower} to {upper}");
    }
}

#[test]
fn averages_over_classes_equal_scikit_learns() {
    for case in cases("classes") {
        let name = case["name"].as_str().unwrap();
        let rows = rows(&table(&case));
        for (metric, key) in
            [(ClassMetric::Precision, "precision"), (ClassMetric::Recall, "recall"), (ClassMetric::F1, "f1")]
        {
            for (of, prefix) in [(Average::Macro, "macro"), (Average::Weighted, "weighted")] {
                let found = average(&rows, metric, of, Level::P95).unwrap();
                let key = format!("{prefix} {key}");
                let what = format!("{key} of {name}");
                check(&found, &case["averages"][&key], &case["errors"][&key], (0.0, 1.0), &what);
            }
            let micro = average(&rows, metric, Average::Micro, Level::P95).unwrap();
            near(micro.value, case["averages"][format!("micro {key}")].as_f64().unwrap(), name);
            assert_eq!(micro.interval.method, IntervalMethod::Wilson);
        }
        for (class, found) in by_class(&rows, Level::P95).unwrap().into_iter().enumerate() {
            let expected =
                [&case["by_class"][0][class], &case["by_class"][1][class], &case["by_class"][2][class]];
            for (found, expected) in [found.precision, found.recall, found.f1].into_iter().zip(expected) {
                assert_eq!(found.is_ok(), expected.is_f64(), "{name}, class {class}: {found:?}");
                if let Ok(found) = found {
                    near(found.value, expected.as_f64().unwrap(), name);
                    assert!(found.interval.contains(found.value));
                }
            }
            if let Ok(area) = found.roc_auc {
                assert_eq!(area.value, 0.5, "all probabilities are equal");
            }
        }
    }
}

#[test]
fn agreement_equals_scikit_learns_and_statsmodels() {
    for case in cases("classes") {
        let name = case["name"].as_str().unwrap();
        let table = table(&case);
        let rows = rows(&table);
        let (values, errors) = (&case["agreement"], &case["errors"]);
        let found = balanced_accuracy(&rows, Level::P95).unwrap();
        check(&found, &values["balanced_accuracy"], &errors["balanced_accuracy"], (0.0, 1.0), name);
        let kappa = cohens_kappa(&rows, Level::P95).unwrap();
        check(&kappa, &values["kappa"], &errors["kappa"], (-1.0, 1.0), name);
        let matthews = matthews_correlation(&rows, Level::P95).unwrap();
        check(&matthews, &values["matthews"], &errors["matthews"], (-1.0, 1.0), name);
        if table.len() == 2 {
            let counts = [table[1][1], table[0][1], table[0][0], table[1][0]].map(|count| count as u64);
            let confusion = Confusion::from_counts(0.5, counts).unwrap();
            near(binary_cohens_kappa(&confusion, Level::P95).unwrap().value, kappa.value, name);
            near(binary_matthews_correlation(&confusion, Level::P95).unwrap().value, matthews.value, name);
            near(binary_balanced_accuracy(&confusion, Level::P95).unwrap().value, found.value, name);
        }
    }
}

#[test]
fn the_expected_cost_over_classes_equals_a_mean_of_rows() {
    for case in cases("classes") {
        let costs = CostTable::new(case["costs"].as_array().unwrap().iter().map(numbers).collect()).unwrap();
        let found = stats::multiclass::expected_cost::expected_cost(&rows(&table(&case)), &costs, Level::P95)
            .unwrap();
        near(found.value, case["cost"].as_f64().unwrap(), "cost");
        let expected = numbers(&case["cost_interval"]);
        assert!((found.interval.lower - expected[0].max(0.0)).abs() < 1e-9, "{found:?}");
        assert!((found.interval.upper - expected[1]).abs() < 1e-9, "{found:?}");
    }
}

#[test]
fn what_cannot_be_measured_says_why() {
    let none = rows(&vec![vec![0.0; 3]; 3]);
    assert_eq!(by_class(&none, Level::P95), Err(MulticlassUndefined::NoRows));
    assert!(average(&none, ClassMetric::F1, Average::Macro, Level::P95).is_err());
    assert!(average(&none, ClassMetric::F1, Average::Micro, Level::P95).is_err());
    assert!(balanced_accuracy(&none, Level::P95).is_err());
    assert_eq!(cohens_kappa(&none, Level::P95), Err(AgreementUndefined::NoRows));
    // One class everywhere: agreement beyond chance does not exist; the rest is perfect, and not certain.
    let one = rows(&[vec![10.0, 0.0], vec![0.0, 0.0]]);
    assert_eq!(cohens_kappa(&one, Level::P95), Err(AgreementUndefined::OneClass));
    assert_eq!(matthews_correlation(&one, Level::P95), Err(AgreementUndefined::OneClass));
    for perfect in [
        average(&one, ClassMetric::Precision, Average::Macro, Level::P95).unwrap(),
        average(&one, ClassMetric::F1, Average::Weighted, Level::P95).unwrap(),
        balanced_accuracy(&one, Level::P95).unwrap(),
        cohens_kappa(&rows(&[vec![5.0, 0.0], vec![0.0, 5.0]]), Level::P95).unwrap(),
        matthews_correlation(&rows(&[vec![5.0, 0.0], vec![0.0, 5.0]]), Level::P95).unwrap(),
    ] {
        assert_eq!((perfect.value, perfect.interval.method), (1.0, IntervalMethod::WilsonOfBoundedMean));
        assert!(perfect.interval.lower < 0.8 && perfect.interval.upper == 1.0, "{perfect:?}");
    }
    // All predictions are equal, the outcomes are not.
    let constant = rows(&[vec![6.0, 0.0], vec![4.0, 0.0]]);
    assert_eq!(matthews_correlation(&constant, Level::P95), Err(AgreementUndefined::OneClass));
    let kappa = cohens_kappa(&constant, Level::P95).unwrap();
    assert!(kappa.value.abs() < 1e-12 && kappa.interval.width() > 0.5, "{kappa:?}");
    let unsound = Confusion::from_counts(0.5, [u64::MAX, 1, 0, 0]).unwrap();
    assert!(binary_cohens_kappa(&unsound, Level::P95).is_err());
}

#[test]
fn intervals_hold_the_truth_as_often_as_they_say() {
    const RUNS: u32 = 500;
    let truth = [[0.4, 0.05, 0.02], [0.04, 0.2, 0.06], [0.02, 0.03, 0.18]];
    // The metrics of the truth: those of a table of a hundred rows.
    let exact = rows(&truth.map(|row| row.map(|share| share * 100.0).map(f64::round).to_vec()));
    let measure = |rows: &ClassifiedRows| {
        [
            average(rows, ClassMetric::Precision, Average::Macro, Level::P95).unwrap(),
            average(rows, ClassMetric::F1, Average::Weighted, Level::P95).unwrap(),
            balanced_accuracy(rows, Level::P95).unwrap(),
            cohens_kappa(rows, Level::P95).unwrap(),
            matthews_correlation(rows, Level::P95).unwrap(),
        ]
    };
    let expected = measure(&exact).map(|estimate| estimate.value);
    let mut draw = uniform::Uniform(21);
    let mut held = [0_u32; 5];
    for _ in 0..RUNS {
        let mut table = vec![vec![0.0; 3]; 3];
        for at in draw.many::<200>() {
            let mut left = at;
            let cell = (0..9).find(|cell| {
                left -= truth[cell / 3][cell % 3];
                left < 0.0
            });
            let cell = cell.unwrap_or(8);
            table[cell / 3][cell % 3] += 1.0;
        }
        for ((held, found), expected) in held.iter_mut().zip(measure(&rows(&table))).zip(expected) {
            *held += u32::from(found.interval.contains(expected));
        }
    }
    for held in held {
        let share = f64::from(held) / f64::from(RUNS);
        assert!((0.92..=0.975).contains(&share), "{share}");
    }
}
