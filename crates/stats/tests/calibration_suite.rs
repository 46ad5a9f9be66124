//! The calibration suite beside netcal, uncertainty-calibration, statsmodels, model-diagnostics,
//! scikit-learn, relplot and SciPy.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

mod uniform;

use serde_json::Value;
use stats::classification::Estimate;
use stats::classification::calibration::Binning;
use stats::classification::calibration::binned_error::{BinnedError, binned_error};
use stats::classification::calibration::brier_parts::brier_parts;
use stats::classification::calibration::corp::{corp_diagram, corp_parts};
use stats::classification::calibration::hosmer_lemeshow::hosmer_lemeshow;
use stats::classification::calibration::line::{calibration_line, logit_shift};
use stats::classification::calibration::multicalibration::multicalibration;
use stats::classification::calibration::says_and_is::says_and_is;
use stats::classification::calibration::smooth_error::smooth_calibration_error;
use stats::interval::Level;
use stats::labelled_scores::LabelledScores;
use stats::multiclass::classwise_calibration::classwise_calibration_error;
use stats::multiclass::rows::likeliest;
use stats::multiclass::{ClassifiedRows, KeptRow};
use stats::regression::coverage::{IntervalOutcomes, interval_coverage};
use stats::regression::quantiles::{QuantileOutcomes, quantile_calibration};

const BINS: usize = 10;

fn cases(topic: &str) -> Value {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../../testdata/reference/calibration_suite.json");
    let content: Value = serde_json::from_str(&std::fs::read_to_string(path).unwrap()).unwrap();
    content["cases"][topic].clone()
}

fn list(value: &Value) -> &[Value] {
    value.as_array().unwrap()
}

fn numbers(value: &Value) -> Vec<f64> {
    list(value).iter().map(|number| number.as_f64().unwrap()).collect()
}

#[track_caller]
fn close(found: f64, expected: f64, tolerance: f64, what: &str) {
    let allowed = tolerance * expected.abs().max(1e-3);
    assert!((found - expected).abs() <= allowed, "{what}: {found}, not {expected}");
}

/// Each case with its name and its scores.
fn scored() -> Vec<(String, LabelledScores, Value)> {
    let of = |case: &Value| {
        let outcomes = numbers(&case["outcomes"]).into_iter().map(|outcome| outcome == 1.0);
        let scores = LabelledScores::from_pairs(numbers(&case["scores"]).into_iter().zip(outcomes)).unwrap();
        (case["name"].as_str().unwrap().to_owned(), scores, case.clone())
    };
    list(&cases("scores")).iter().map(of).collect()
}

fn binned(scores: &LabelledScores, binning: Binning) -> BinnedError {
    binned_error(scores, BINS, binning, Level::P95).unwrap()
}

#[test]
fn binned_errors_equal_netcals() {
    for (name, scores, case) in scored() {
        for (binning, of) in [(Binning::EqualWidth, "equal_width"), (Binning::EqualMass, "equal_mass")] {
            let error = binned(&scores, binning);
            for (metric, found) in [("ece", error.ece), ("mce", error.mce.estimate)] {
                if let Some(expected) = case[format!("{metric}_{of}")].as_f64() {
                    close(found.value, expected, 1e-9, &format!("{metric} of {name}, {of}"));
                }
                assert!(found.interval.contains(found.value), "{metric} of {name}: {found:?}");
            }
        }
    }
}

#[test]
fn debiased_errors_equal_those_of_their_authors() {
    let mut seen = 0;
    for (name, scores, case) in scored() {
        let Some(rms) = case["rms_debiased"].as_f64() else { continue };
        let error = binned(&scores, Binning::EqualMass);
        close(error.rms_debiased, rms, 1e-9, &name);
        // Theirs is the mean of draws.
        let drawn = case["ece_debiased_drawn"].as_f64().unwrap();
        assert!(
            (error.ece_debiased.value - drawn.max(0.0)).abs() < 2e-4,
            "{name}: {} {drawn}",
            error.ece_debiased.value
        );
        seen += 1;
    }
    assert!(seen >= 4);
}

#[track_caller]
fn check_estimate(found: Estimate, expected: &Value, what: &str) {
    let expected = numbers(expected);
    for (found, expected) in
        [found.value, found.interval.lower, found.interval.upper].into_iter().zip(expected)
    {
        close(found, expected, 1e-6, what);
    }
}

#[test]
fn lines_equal_statsmodels() {
    for (name, scores, case) in scored() {
        let line = calibration_line(&scores, Level::P95).unwrap();
        let expected = &case["line"];
        check_estimate(line.intercept, &expected["intercept"], &format!("intercept of {name}"));
        check_estimate(line.slope, &expected["slope"], &format!("slope of {name}"));
        let shift = logit_shift(&scores, Level::P95).unwrap().shift;
        check_estimate(shift, &expected["shift"], &format!("shift of {name}"));
        let joint = numbers(&expected["joint"]);
        close(line.joint.statistic, joint[0], 1e-6, &format!("joint of {name}"));
        close(line.joint.p_value, joint[1], 1e-6, &format!("joint p of {name}"));
    }
}

#[test]
fn the_parts_of_corp_equal_those_of_model_diagnostics_and_its_curve_scikit_learns() {
    for (name, scores, case) in scored() {
        let parts = corp_parts(&scores, Level::P95).unwrap();
        let expected = numbers(&case["corp"]);
        let found = [parts.miscalibration, parts.discrimination, parts.uncertainty, parts.brier.value];
        for (found, expected) in found.into_iter().zip(expected) {
            close(found, expected, 1e-9, &format!("corp of {name}"));
        }
        let mut rng = uniform::Uniform(3);
        let diagram = corp_diagram(&scores, Level::new(0.9).unwrap(), 20, 1000, &mut rng).unwrap();
        let fit = numbers(&case["isotonic"]);
        assert_eq!(diagram.curve.len(), fit.len(), "{name}");
        for (point, expected) in diagram.curve.iter().zip(fit) {
            close(point.recalibrated, expected, 1e-9, &format!("isotonic of {name} at {}", point.score));
        }
    }
}

#[test]
fn tests_and_parts_over_groups_equal_numpys() {
    for (name, scores, case) in scored() {
        if !case["hosmer_lemeshow"].is_array() {
            continue;
        }
        let (expected, found) = (numbers(&case["hosmer_lemeshow"]), hosmer_lemeshow(&scores, BINS).unwrap());
        close(found.statistic, expected[0], 1e-9, &format!("statistic of {name}"));
        close(found.p_value, expected[1], 1e-9, &format!("p-value of {name}"));
        let parts = brier_parts(&scores, BINS, Binning::EqualMass, Level::P95).unwrap();
        let found = [
            parts.reliability,
            parts.resolution,
            parts.uncertainty,
            parts.within_variance,
            parts.within_covariance,
        ];
        for (found, expected) in found.into_iter().zip(numbers(&case["brier_parts"])) {
            close(found, expected, 1e-9, &format!("parts of {name}"));
        }
    }
}

#[test]
fn smooth_errors_are_near_those_of_their_authors() {
    let mut seen = 0;
    for (name, scores, case) in scored() {
        if !case["smooth"].is_array() {
            continue;
        }
        let expected = numbers(&case["smooth"])[0];
        let mut rng = uniform::Uniform(9);
        let found = smooth_calibration_error(&scores, Level::P95, 20, &mut rng).unwrap().estimate;
        let allowed = 0.01 * expected + 0.001;
        assert!((found.value - expected).abs() <= allowed, "{name}: {} {expected}", found.value);
        seen += 1;
    }
    assert!(seen >= 5);
}

#[test]
fn rounding_moves_the_smooth_error_by_no_more_than_its_bound() {
    let mut draw = uniform::Uniform(4);
    let rows = (0..400).map(|_| draw.many::<2>()).map(|[score, other]| (score, other < score.sqrt()));
    let exact = LabelledScores::from_pairs(rows.collect::<Vec<_>>()).unwrap();
    let of = |scores: &LabelledScores| {
        smooth_calibration_error(scores, Level::P95, 1, &mut uniform::Uniform(1)).unwrap().estimate
    };
    let truth = of(&exact);
    assert!(truth.is_exact());
    for step in [0.001, 0.01, 0.1, 0.5] {
        let found = of(&exact.rounded_to(step).unwrap());
        let off = (found.value - truth.value).abs();
        // The grid adds its own error.
        assert!(off <= found.error_bound + 1e-3 * truth.value, "{step}: {found:?} {truth:?}");
    }
}

fn time<T>(what: &str, run: impl FnOnce() -> T) {
    let start = std::time::Instant::now();
    std::hint::black_box(run());
    println!("{what}: {:?}", start.elapsed());
}

/// Timings are printed, not judged: `--release -- --ignored --nocapture`.
#[test]
#[ignore = "only tells how long a million distinct scores take"]
fn a_million_distinct_scores() {
    let mut draw = uniform::Uniform(4);
    let rows: Vec<(f64, bool)> =
        (0..1_000_000).map(|_| draw.many::<2>()).map(|[s, other]| (s, other < 0.1 + 0.8 * s)).collect();
    let scores = LabelledScores::from_pairs(rows).unwrap();
    time("binned", || binned(&scores, Binning::EqualMass));
    time("line", || calibration_line(&scores, Level::P95));
    time("shift", || logit_shift(&scores, Level::P95));
    time("hosmer_lemeshow", || hosmer_lemeshow(&scores, BINS));
    time("brier_parts", || brier_parts(&scores, BINS, Binning::EqualWidth, Level::P95));
    time("corp_parts", || corp_parts(&scores, Level::P95));
    time("corp_diagram", || corp_diagram(&scores, Level::P95, 500, 200, &mut draw));
    time("smooth", || smooth_calibration_error(&scores, Level::P95, 500, &mut draw));
    time("multicalibration", || multicalibration(&[&scores, &scores], BINS, Level::P95, 30));
    time("says_and_is", || says_and_is(&scores, BINS, Level::P95, 30));
}

#[test]
fn classwise_errors_equal_netcals() {
    let case = cases("classwise");
    let outcomes: Vec<usize> = numbers(&case["outcomes"]).into_iter().map(|class| class as usize).collect();
    let mut rows = ClassifiedRows::new(3, None);
    rows.extend(list(&case["probabilities"]).iter().zip(outcomes).enumerate().map(|(at, (row, outcome))| {
        let probabilities = numbers(row);
        KeptRow { hash: at as u64, outcome, predicted: likeliest(&probabilities).unwrap(), probabilities }
    }));
    let found = classwise_calibration_error(&rows, BINS, Binning::EqualWidth, Level::P95).unwrap();
    close(found.mean.value, case["mean"].as_f64().unwrap(), 1e-9, "mean");
    for (class, expected) in found.classes.iter().zip(numbers(&case["classes"])) {
        close(class.ece.value, expected, 1e-9, "class");
    }
}

#[test]
fn coverage_equals_scipys() {
    for case in list(&cases("intervals")) {
        let name = case["name"].as_str().unwrap();
        let bounds = numbers(&case["lower"]).into_iter().zip(numbers(&case["upper"]));
        let rows = bounds.zip(numbers(&case["outcomes"])).map(|((lower, upper), y)| (lower, upper, y));
        let outcomes = IntervalOutcomes::of(rows);
        let found = interval_coverage(&outcomes, case["nominal"].as_f64().unwrap(), Level::P95).unwrap();
        check_estimate(found.covered, &case["covered"], name);
        close(found.p_value, case["p_value"].as_f64().unwrap(), 1e-9, name);
        close(found.below.value, case["below"].as_f64().unwrap(), 1e-12, name);
        close(found.above.value, case["above"].as_f64().unwrap(), 1e-12, name);
        close(found.width.unwrap().value, case["width"].as_f64().unwrap(), 1e-12, name);
    }
}

#[test]
fn exact_binomial_tests_equal_scipys() {
    for case in list(&cases("binomial_tests")) {
        let case = numbers(case);
        let (inside, n) = (case[0] as usize, case[1] as usize);
        let rows = (0..n).map(|at| (0.0, 1.0, if at < inside { 0.5 } else { 2.0 }));
        let found = interval_coverage(&IntervalOutcomes::of(rows), case[2], Level::P95).unwrap();
        close(found.p_value, case[3], 1e-7, &format!("{case:?}"));
    }
}

#[test]
fn quantiles_equal_scikit_learns_and_scipys() {
    for case in list(&cases("quantiles")) {
        let name = case["name"].as_str().unwrap();
        let mut outcomes = QuantileOutcomes::new(&numbers(&case["levels"])).unwrap();
        let predicted = list(&case["predicted"]).iter().map(numbers);
        outcomes.extend(predicted.zip(numbers(&case["outcomes"])));
        let found = quantile_calibration(&outcomes, Level::P95).unwrap();
        let counts: Vec<f64> = found.stretches.iter().map(|stretch| stretch.rows as f64).collect();
        assert_eq!(counts, numbers(&case["counts"]), "{name}");
        let test = numbers(&case["chi_square"]);
        close(found.statistic, test[0], 1e-9, name);
        close(found.p_value, test[1], 1e-9, name);
        for (at, level) in found.levels.iter().enumerate() {
            close(level.below.value, case["below"][at].as_f64().unwrap(), 1e-12, name);
            close(level.p_value, case["p_values"][at].as_f64().unwrap(), 1e-9, name);
            check_estimate(level.pinball.unwrap(), &case["pinball"][at], name);
        }
    }
}
