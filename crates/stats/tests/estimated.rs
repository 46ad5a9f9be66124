//! Performance estimated without outcomes, against scikit-learn and NannyML 0.13.1.
//!
//! The values lie in `testdata/reference/estimated.json` with their inputs; `make_estimated.py`
//! beside it says how each was made.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use proptest::prelude::*;
use rand_core::RngCore;
use serde_json::Value;
use stats::ecdf::Ecdf;
use stats::estimated::Ties;
use stats::estimated::calibrator::Calibrator;
use stats::estimated::cbpe::Cbpe;
use stats::estimated::importance_weighted::{ImportanceWeighted, WeightedRow};
use stats::estimated::isotonic::Isotonic;
use stats::interval::Level;
use stats::labelled_scores::LabelledScores;

fn case(name: &str) -> Value {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../../testdata/reference/estimated.json");
    let mut content: Value = serde_json::from_str(&std::fs::read_to_string(path).unwrap()).unwrap();
    content["cases"][name].take()
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

fn number(value: &Value) -> f64 {
    value.as_f64().unwrap()
}

fn weighted_ecdf(value: &Value) -> Ecdf {
    let points = numbers(&value[0]).into_iter().zip(counts(&value[1])).collect();
    Ecdf::from_weighted(points, 0).unwrap()
}

#[track_caller]
fn close(actual: f64, expected: f64, tolerance: f64, what: &str) {
    assert!((actual - expected).abs() <= tolerance, "{what}: {actual} instead of {expected}");
}

/// SplitMix64 (Steele, Lea & Flood 2014).
struct SplitMix(u64);

impl RngCore for SplitMix {
    fn next_u32(&mut self) -> u32 {
        (self.next_u64() >> 32) as u32
    }

    fn next_u64(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let z = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    fn fill_bytes(&mut self, bytes: &mut [u8]) {
        bytes.fill_with(|| self.next_u64() as u8);
    }
}

#[test]
fn isotonic_regression_equals_scikit_learns() {
    for case in list(&case("isotonic")) {
        let (x, y, weights) = (numbers(&case["x"]), numbers(&case["y"]), numbers(&case["weights"]));
        let points = x.iter().zip(&y).zip(&weights).map(|((&x, &y), &w)| (x, y, w));
        let fit = Isotonic::fit(points).unwrap();
        for (at, fitted) in numbers(&case["at"]).into_iter().zip(numbers(&case["fitted"])) {
            close(fit.predict(at), fitted, 1e-12, &format!("at {at}"));
        }
    }
}

fn car_loan_reference(case: &Value) -> LabelledScores {
    let columns = &case["reference"];
    let outcomes = counts(&columns[1]).into_iter().zip(counts(&columns[2]));
    let points = numbers(&columns[0]).into_iter().zip(outcomes).map(|(score, (p, n))| (score, p, n));
    LabelledScores::from_counts(points.collect(), None).unwrap()
}

/// NannyML rounds cumulative counts to five decimals, which moves its areas by less than 1e-7.
#[test]
fn car_loan_estimates_equal_nannymls() {
    let case = case("car_loan");
    let estimator = Cbpe::fit(&car_loan_reference(&case), &mut SplitMix(1)).unwrap();
    assert_eq!(estimator.choice().unwrap().calibrate, case["calibrate"].as_bool().unwrap());
    for (score, calibrated) in (0..).zip(numbers(&case["calibrated"])) {
        let score = f64::from(score) / 100.0;
        close(estimator.calibrator().probability(score), calibrated, 1e-12, "calibrated");
    }
    let chunks = list(&case["chunks"]);
    assert_eq!(chunks.len(), 10);
    let level = Level::P95;
    for chunk in chunks {
        let expected = estimator.expected(&weighted_ecdf(&chunk["scores"])).unwrap();
        assert_eq!(expected.n(), 5000);
        let confusion = expected.confusion_at(number(&case["threshold"])).unwrap();
        for (name, ours) in [
            ("roc_auc", expected.roc_auc(level).unwrap()),
            ("average_precision", expected.average_precision(Ties::RowByRow, level).unwrap()),
            ("accuracy", confusion.accuracy(level)),
            ("precision", confusion.precision(level).unwrap()),
            ("recall", confusion.recall(level).unwrap()),
            ("specificity", confusion.specificity(level).unwrap()),
            ("f1", confusion.f1(level).unwrap()),
        ] {
            close(ours.value, number(&chunk[name]), 1e-7, name);
            assert!(ours.interval.contains(ours.value) && ours.interval.width() < 0.05, "{name}");
        }
        let cells = confusion.cells();
        for (name, ours) in [
            ("true_positive", cells.true_positives),
            ("false_positive", cells.false_positives),
            ("true_negative", cells.true_negatives),
            ("false_negative", cells.false_negatives),
        ] {
            close(ours, number(&chunk[name]), 1e-8, name);
        }
        let as_realised = expected.average_precision(Ties::OneThreshold, level).unwrap().value;
        let difference = number(&chunk["average_precision"]) - as_realised;
        assert!((0.0..0.001).contains(&difference), "ties in one step are a little lower: {difference}");
    }
}

#[test]
fn weighted_estimates_equal_nannymls_from_scikit_learns_weighted_fit() {
    let case = case("importance_weighted");
    let outcomes = list(&case["outcomes"]).iter().map(|v| v.as_bool().unwrap());
    let rows: Vec<WeightedRow> = numbers(&case["scores"])
        .into_iter()
        .zip(outcomes)
        .zip(numbers(&case["weights"]))
        .map(|((score, outcome), weight)| WeightedRow { score, outcome, weight })
        .collect();
    let weighted = ImportanceWeighted::fit(&rows, 100).unwrap();
    close(weighted.effective_rows(), number(&case["effective_rows"]), 1e-9, "effective rows");
    let expected = weighted.expected(&weighted_ecdf(&case["current"])).unwrap();
    let average_precision = expected.average_precision(Ties::RowByRow, Level::P95).unwrap();
    for (name, ours) in [
        ("roc_auc", expected.roc_auc(Level::P95).unwrap()),
        ("average_precision", average_precision),
        ("positive_share", expected.positive_share(Level::P95)),
    ] {
        close(ours.value, number(&case[name]), 2e-7, name);
    }
}

fn labelled() -> impl Strategy<Value = LabelledScores> {
    prop::collection::vec((0_u8..=20, any::<bool>()), 2..200).prop_filter_map("both classes", |rows| {
        let rows = rows.into_iter().map(|(score, outcome)| (f64::from(score) / 20.0, outcome));
        let scores = LabelledScores::from_pairs(rows).unwrap();
        (scores.positives_total() > 0 && scores.negatives_total() > 0).then_some(scores)
    })
}

fn window() -> impl Strategy<Value = Ecdf> {
    prop::collection::vec((0.0..=1.0_f64, 1_u64..50), 1..60)
        .prop_map(|points| Ecdf::from_weighted(points, 0).unwrap())
}

proptest! {
    #[test]
    fn a_fit_ascends_stays_within_its_outputs_and_keeps_their_mean(
        points in prop::collection::vec((-5.0..5.0_f64, -3.0..3.0_f64, 0.01..9.0_f64), 1..60),
    ) {
        let fit = Isotonic::fit(points.iter().copied()).unwrap();
        let at: Vec<f64> = (-60..=60).map(|i| fit.predict(f64::from(i) / 10.0)).collect();
        prop_assert!(at.windows(2).all(|pair| pair[0] <= pair[1] + 1e-12));
        let (least, most) = points.iter().fold((9.0_f64, -9.0_f64), |(l, m), p| (l.min(p.1), m.max(p.1)));
        prop_assert!(at.iter().all(|y| (least - 1e-9..=most + 1e-9).contains(y)));
        let total: f64 = points.iter().map(|p| p.2 * p.1).sum();
        let fitted: f64 = points.iter().map(|p| p.2 * fit.predict(p.0)).sum();
        prop_assert!((total - fitted).abs() < 1e-8);
    }

    #[test]
    fn estimates_stay_within_their_intervals_and_cells_add_up(
        reference in labelled(), current in window(), threshold in 0.0..=1.0_f64,
    ) {
        let estimator = Cbpe::new(Calibrator::isotonic(&reference).unwrap());
        let expected = estimator.expected(&current).unwrap();
        let confusion = expected.confusion_at(threshold).unwrap();
        let cells = confusion.cells();
        let all = cells.true_positives + cells.false_positives + cells.true_negatives + cells.false_negatives;
        prop_assert!((all - current.n() as f64).abs() < 1e-6);
        let level = Level::P95;
        let estimates = [
            Ok(confusion.accuracy(level)),
            Ok(expected.positive_share(level)),
            confusion.precision(level),
            confusion.recall(level),
            confusion.specificity(level),
            confusion.f1(level),
            expected.roc_auc(level),
            expected.average_precision(Ties::OneThreshold, level),
            expected.average_precision(Ties::RowByRow, level),
        ];
        for estimate in estimates.into_iter().flatten() {
            prop_assert!((0.0..=1.0).contains(&estimate.value));
            prop_assert!(estimate.interval.contains(estimate.value), "{estimate:?}");
            prop_assert_eq!(estimate.error_bound, 0.0);
        }
    }

    #[test]
    fn the_reference_itself_is_expected_to_have_the_positives_that_it_had(reference in labelled()) {
        let estimator = Cbpe::new(Calibrator::isotonic(&reference).unwrap());
        let points = reference.points().map(|point| (point.score, point.n())).collect();
        let current = Ecdf::from_weighted(points, 0).unwrap();
        let share = estimator.expected(&current).unwrap().positive_share(Level::P95).value;
        let known = reference.positives_total() as f64 / reference.n() as f64;
        prop_assert!((share - known).abs() < 1e-12);
    }
}
