//! Regression losses estimated without outcomes: beside NannyML 0.13.1, and against simulated
//! outcomes.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use rand_core::RngCore;
use serde_json::Value;
use stats::classification::Estimate;
use stats::estimated::direct_loss::{DirectLoss, DirectLossError, DirectLossOptions, PointLoss, Predicted};
use stats::interval::Level;
use stats::learn::{Column, Features, Loss, Options};
use stats::special::normal_quantile;

fn numbers(value: &Value) -> Vec<f64> {
    value.as_array().unwrap().iter().map(|v| v.as_f64().unwrap()).collect()
}

fn features(columns: &Value) -> Features {
    let numeric = columns["numeric"].as_array().unwrap().iter().map(|c| Column::Numeric(numbers(c)));
    let categorical = columns["categorical"].as_array().unwrap().iter().map(|column| {
        let codes: Vec<u32> = numbers(column).into_iter().map(|code| code as u32).collect();
        Column::Categorical { codes, cardinality: 3 }
    });
    Features::new(numeric.chain(categorical).collect()).unwrap()
}

/// SplitMix64 (Steele, Lea & Flood 2014).
struct SplitMix(u64);

impl SplitMix {
    fn uniform(&mut self) -> f64 {
        ((self.next_u64() >> 11) as f64 + 0.5) / (1_u64 << 53) as f64
    }
}

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

/// Two implementations of boosted trees agree to about one hundredth here, less than what the
/// outcomes leave open: the intervals reach five hundredths and more to each side.
#[test]
fn estimates_are_near_nannymls() {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../../testdata/reference/estimated.json");
    let mut content: Value = serde_json::from_str(&std::fs::read_to_string(path).unwrap()).unwrap();
    let case = content["cases"]["direct_loss"].take();
    let (table, predictions) = (features(&case["reference"]), numbers(&case["reference"]["predictions"]));
    let reference = Predicted { features: &table, predictions: &predictions };
    let outcomes = numbers(&case["outcomes"]);
    let (mut covered, mut chunks) = (0, 0);
    for (loss, mean, root) in [
        (PointLoss::Absolute, "mae", None),
        (PointLoss::Squared, "mse", Some("rmse")),
        (PointLoss::AbsolutePercentage, "mape", None),
    ] {
        let options = DirectLossOptions::default();
        let estimator = DirectLoss::fit(reference, &outcomes, loss, &options, &mut SplitMix(1)).unwrap();
        for chunk in case["chunks"].as_array().unwrap() {
            let (table, predictions) = (features(chunk), numbers(&chunk["predictions"]));
            let current = Predicted { features: &table, predictions: &predictions };
            let expected = estimator.expected(current, Level::P95).unwrap();
            assert_eq!(expected.root_mean.is_some(), root.is_some());
            for (name, ours) in [(Some(mean), Some(expected.mean)), (root, expected.root_mean)] {
                let (Some(name), Some(ours)) = (name, ours) else { continue };
                let theirs = chunk["estimated"][name].as_f64().unwrap();
                assert!((ours.value / theirs - 1.0).abs() < 0.02, "{name}: {} for {theirs}", ours.value);
                covered += u32::from(ours.interval.contains(chunk["realised"][name].as_f64().unwrap()));
                chunks += 1;
            }
        }
    }
    assert!(chunks == 20 && covered >= 17, "{covered} of {chunks} realised values lie in the interval");
}

/// Errors grow with `x`, and large `x` become more frequent: rows, predictions and outcomes.
fn draw(rng: &mut SplitMix, rows: usize, large: f64) -> (Features, Vec<f64>, Vec<f64>) {
    let (mut x, mut outcomes) = (Vec::new(), Vec::new());
    for _ in 0..rows {
        let here = rng.uniform().powf(1.0 / large);
        x.push(here);
        outcomes.push(5.0 * here + (0.5 + 2.0 * here) * normal_quantile(rng.uniform()));
    }
    let predictions = x.iter().map(|x| 5.0 * x).collect();
    (Features::new(vec![Column::Numeric(x)]).unwrap(), predictions, outcomes)
}

fn few_trees() -> DirectLossOptions {
    DirectLossOptions {
        learner: Options { trees: 30, leaves_max: 8, ..Options::new(Loss::Squared) },
        folds: 5,
    }
}

#[test]
fn the_interval_covers_the_losses_that_the_outcomes_then_show() {
    const WINDOWS: usize = 150;
    let mut rng = SplitMix(9);
    let (mut absolute, mut root) = (0.0, 0.0);
    for _ in 0..WINDOWS {
        let (table, predictions, outcomes) = draw(&mut rng, 800, 1.0);
        let reference = Predicted { features: &table, predictions: &predictions };
        let (table, predictions, known) = draw(&mut rng, 400, 2.0);
        let current = Predicted { features: &table, predictions: &predictions };
        let mut expected = |loss| {
            let fitted = DirectLoss::fit(reference, &outcomes, loss, &few_trees(), &mut rng).unwrap();
            fitted.expected(current, Level::P95).unwrap()
        };
        let errors = known.iter().zip(&predictions).map(|(y, p)| (y - p).abs());
        let mean_absolute = errors.clone().sum::<f64>() / 400.0;
        let root_mean_squared = (errors.map(|e| e * e).sum::<f64>() / 400.0).sqrt();
        let share = 1.0 / WINDOWS as f64;
        let holds = |estimate: Estimate, realised| share * f64::from(estimate.interval.contains(realised));
        absolute += holds(expected(PointLoss::Absolute).mean, mean_absolute);
        root += holds(expected(PointLoss::Squared).root_mean.unwrap(), root_mean_squared);
    }
    assert!((0.9..=1.0).contains(&absolute) && (0.9..=1.0).contains(&root), "{absolute} {root}");
}

#[test]
fn rows_that_cannot_be_learnt_from_are_refused() {
    let (table, predictions, outcomes) = draw(&mut SplitMix(2), 100, 1.0);
    let rows = Predicted { features: &table, predictions: &predictions };
    let refusal = |rows: Predicted<'_>, outcomes: &[f64], loss, options: &DirectLossOptions| {
        DirectLoss::fit(rows, outcomes, loss, options, &mut SplitMix(1)).map(|_| ()).unwrap_err()
    };
    let absolute = PointLoss::Absolute;
    let what = |what, values| DirectLossError::LengthsDiffer { what, rows: 100, values };
    assert_eq!(refusal(rows, &outcomes[..99], absolute, &few_trees()), what("outcomes", 99));
    let short = Predicted { predictions: &predictions[..9], ..rows };
    assert_eq!(refusal(short, &outcomes, absolute, &few_trees()), what("predictions", 9));
    for (position, bad) in [(3, f64::NAN), (7, f64::INFINITY)] {
        let mut outcomes = outcomes.clone();
        outcomes[position] = bad;
        let refused = refusal(rows, &outcomes, absolute, &few_trees());
        assert_eq!(refused, DirectLossError::NotFinite { row: position });
    }
    let mut with_zero = outcomes.clone();
    with_zero[5] = 0.0;
    let refused = refusal(rows, &with_zero, PointLoss::AbsolutePercentage, &few_trees());
    assert_eq!(refused, DirectLossError::ZeroOutcome { row: 5 });
    let folds = |folds| DirectLossOptions { folds, ..few_trees() };
    assert_eq!(refusal(rows, &outcomes, absolute, &folds(1)), DirectLossError::Folds { folds: 1 });
    let too_few = DirectLossError::TooFewRows { n: 100, needed: 110 };
    assert_eq!(refusal(rows, &outcomes, absolute, &folds(11)), too_few);
    let logistic = DirectLossOptions { learner: Options::new(Loss::Logistic), folds: 5 };
    assert_eq!(refusal(rows, &outcomes, absolute, &logistic), DirectLossError::Logistic);
    let fitted = DirectLoss::fit(rows, &outcomes, absolute, &few_trees(), &mut SplitMix(1)).unwrap();
    let none = Features::new(vec![Column::Numeric(vec![])]).unwrap();
    let none = Predicted { features: &none, predictions: &[] };
    assert_eq!(fitted.expected(none, Level::P95), Err(DirectLossError::NoRows));
}

/// Nothing in the reference hints at an error, so none is expected.
#[test]
fn a_model_that_was_always_right_is_expected_to_be() {
    let (table, predictions, _) = draw(&mut SplitMix(4), 100, 1.0);
    let rows = Predicted { features: &table, predictions: &predictions };
    let fitted =
        DirectLoss::fit(rows, &predictions, PointLoss::Squared, &few_trees(), &mut SplitMix(1)).unwrap();
    let expected = fitted.expected(rows, Level::P95).unwrap();
    assert_eq!((expected.mean.value, expected.mean.interval.width()), (0.0, 0.0));
}
