//! Boosted trees: as good as scikit-learn's on the same data, and what must hold for any input.
//!
//! The data is made by formulas that `testdata/reference/make_learners.py` has as well; a checksum
//! tells when the two differ. The trees are not those of scikit-learn (it bins and breaks ties
//! otherwise), so it is the quality on held-out rows that is compared.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

mod uniform;

use proptest::prelude::*;
use serde_json::Value;
use stats::classification::roc_auc::roc_auc;
use stats::interval::Level;
use stats::labelled_scores::LabelledScores;
use stats::learn::{
    Booster, Column, Features, ImportanceError, LearnError, Loss, MISSING, Options, RowSampling,
    permutation_importance,
};
use uniform::Uniform;

/// By how much R² or AUC may be below scikit-learn's, in one case and on average over the seeds.
const MARGIN_CASE: f64 = 0.01;
const MARGIN_MEAN: f64 = 0.003;

fn friedman(rng: &mut Uniform) -> (Vec<f64>, f64) {
    let x: [f64; 10] = rng.many();
    let y = 10.0 * (std::f64::consts::PI * x[0] * x[1]).sin()
        + 20.0 * (x[2] - 0.5).powi(2)
        + 10.0 * x[3]
        + 5.0 * x[4];
    let noise: [f64; 12] = rng.many();
    (x.to_vec(), y + noise.iter().sum::<f64>() - 6.0)
}

fn outcome(rng: &mut Uniform, logit: f64) -> f64 {
    f64::from(rng.next() < 1.0 / (1.0 + (-logit).exp()))
}

fn missing_matters(rng: &mut Uniform) -> (Vec<f64>, f64) {
    let [a, mut b, c] = rng.many();
    let mut logit = 6.0 * (a - 0.5) * if b < 0.5 { 1.0 } else { -1.0 };
    if c < 0.2 {
        logit = 1.5;
        b = f64::NAN;
    }
    (vec![a, b, rng.next()], outcome(rng, logit))
}

fn categories(rng: &mut Uniform) -> (Vec<f64>, f64) {
    let code = (100.0 * rng.next() * rng.next()).floor();
    let x = rng.next();
    let logit = if code % 3.0 == 0.0 { 1.2 } else { -0.8 } + 2.0 * (x - 0.5);
    (vec![code, x], outcome(rng, logit))
}

fn rare(rng: &mut Uniform) -> (Vec<f64>, f64) {
    let x: [f64; 6] = rng.many();
    let logit = -6.0 + 4.0 * x[0] + 3.0 * x[1] * x[2];
    (x.to_vec(), outcome(rng, logit))
}

/// A table of the rows, its first column as categories if asked.
fn features(rows: &[Vec<f64>], first_is_category: bool) -> Features {
    let columns = (0..rows[0].len()).map(|column| {
        let values = rows.iter().map(|row| row[column]);
        if first_is_category && column == 0 {
            return Column::Categorical { codes: values.map(|code| code as u32).collect(), cardinality: 100 };
        }
        Column::Numeric(values.collect())
    });
    Features::new(columns.collect()).unwrap()
}

fn area(target: &[f64], predicted: &[f64]) -> f64 {
    let pairs = predicted.iter().zip(target).map(|(&p, &y)| (p, y > 0.5));
    roc_auc(&LabelledScores::from_pairs(pairs).unwrap(), Level::P95).unwrap().value
}

fn r_squared(target: &[f64], predicted: &[f64]) -> f64 {
    let mean = target.iter().sum::<f64>() / target.len() as f64;
    let left: f64 = target.iter().zip(predicted).map(|(y, p)| (y - p).powi(2)).sum();
    1.0 - left / target.iter().map(|y| (y - mean).powi(2)).sum::<f64>()
}

fn made(name: &str, seed: u64, rows: usize) -> (Vec<Vec<f64>>, Vec<f64>) {
    let mut rng = Uniform(seed);
    let function = match name {
        "friedman" => friedman,
        "missing_matters" => missing_matters,
        "categories" => categories,
        "rare" => rare,
        other => panic!("no such data set: {other}"),
    };
    (0..rows).map(|_| function(&mut rng)).unzip()
}

#[test]
fn held_out_rows_are_predicted_as_well_as_by_scikit_learn() {
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/../../testdata/reference");
    let text = std::fs::read_to_string(format!("{folder}/learners.json")).unwrap();
    let content: Value = serde_json::from_str(&text).unwrap();
    let mut shortfalls = std::collections::BTreeMap::<String, Vec<f64>>::new();
    for case in content["cases"].as_array().unwrap() {
        let name = case["name"].as_str().unwrap();
        let rows = case["rows"].as_u64().unwrap() as usize;
        let (x, y) = made(name, case["seed"].as_u64().unwrap(), 2 * rows);
        let numbers = x.iter().flatten().filter(|x| !x.is_nan()).chain(&y);
        let checksum = numbers.sum::<f64>() / case["checksum"].as_f64().unwrap();
        assert!((checksum - 1.0).abs() < 1e-9, "the data of {name} is not that of the script");
        let squared = case["loss"] == "squared";
        let options = Options::new(if squared { Loss::Squared } else { Loss::Logistic });
        let table = |rows: &[Vec<f64>]| features(rows, name == "categories");
        let booster = Booster::fit(&table(&x[..rows]), &y[..rows], None, &options).unwrap();
        let predicted = booster.predict(&table(&x[rows..])).unwrap();
        let reached = if squared { r_squared } else { area }(&y[rows..], &predicted);
        let shortfall = case["reached"].as_f64().unwrap() - reached;
        assert!(shortfall < MARGIN_CASE, "{name}: {reached}, scikit-learn {}", case["reached"]);
        shortfalls.entry(name.to_owned()).or_default().push(shortfall);
    }
    for (name, shortfalls) in shortfalls {
        let mean = shortfalls.iter().sum::<f64>() / shortfalls.len() as f64;
        assert!(mean < MARGIN_MEAN, "{name}: {mean} below scikit-learn on average");
    }
}

#[test]
fn half_of_the_rows_per_tree_predict_about_as_well_and_the_seed_decides_which() {
    let (x, y) = made("friedman", 5, 4000);
    let (train, held_out) = (features(&x[..2000], false), features(&x[2000..], false));
    let fitted = |seed: u64, share: f64| {
        let row_sampling = Some(RowSampling { share, seed });
        let options = Options { row_sampling, ..Options::new(Loss::Squared) };
        Booster::fit(&train, &y[..2000], None, &options).unwrap().predict(&held_out).unwrap()
    };
    assert!(r_squared(&y[2000..], &fitted(1, 0.5)) > 0.9);
    assert_eq!(fitted(1, 0.5), fitted(1, 0.5));
    assert_ne!(fitted(1, 0.5), fitted(2, 0.5));
    assert_eq!(fitted(1, 1.0), fitted(2, 1.0));
}

#[test]
fn a_column_is_important_as_far_as_predictions_need_it() {
    let (x, y) = made("friedman", 6, 4000);
    let booster = Booster::fit(&features(&x[..2000], false), &y[..2000], None, &Options::new(Loss::Squared));
    let booster = booster.unwrap();
    let held_out = features(&x[2000..], false);
    let score = |predicted: &[f64]| r_squared(&y[2000..], predicted);
    let importances = permutation_importance(&booster, &held_out, score, 3, &mut Uniform(1)).unwrap();
    let gains = booster.gain_by_feature();
    let (matter, noise): (Vec<usize>, Vec<usize>) = (0..10).partition(|&column| column < 5);
    for &column in &matter {
        assert!(importances[column].drop > 0.05, "{column}: {importances:?}");
        assert!(noise.iter().all(|&other| gains[other] < gains[column] / 5.0), "{gains:?}");
    }
    for &column in &noise {
        assert!(importances[column].drop.abs() < 0.01, "{column}: {importances:?}");
    }
    let refused = permutation_importance(&booster, &held_out, score, 0, &mut Uniform(1));
    assert_eq!(refused, Err(ImportanceError::ZeroShuffles));
}

#[test]
fn what_cannot_be_learnt_from_is_refused_with_the_reason() {
    let table = |values: &[f64]| Features::new(vec![Column::Numeric(values.to_vec())]).unwrap();
    let squared = Options::new(Loss::Squared);
    let fit = |target: &[f64], weights: Option<&[f64]>, options: &Options| {
        Booster::fit(&table(&[1.0, 2.0]), target, weights, options).map(|_| ())
    };
    assert_eq!(Booster::fit(&table(&[]), &[], None, &squared).unwrap_err(), LearnError::NoRows);
    let lengths = |what| Err(LearnError::LengthsDiffer { what, rows: 2, values: 1 });
    assert_eq!(fit(&[1.0], None, &squared), lengths("targets"));
    assert_eq!(fit(&[1.0, 2.0], Some(&[1.0]), &squared), lengths("weights"));
    assert!(matches!(fit(&[1.0, f64::NAN], None, &squared), Err(LearnError::Target { row: 1, .. })));
    let logistic = Options::new(Loss::Logistic);
    assert_eq!(fit(&[0.5, 1.5], None, &logistic), Err(LearnError::Target { row: 1, value: 1.5 }));
    let weight = Err(LearnError::Weight { row: 0, value: -1.0 });
    assert_eq!(fit(&[1.0, 1.0], Some(&[-1.0, 1.0]), &squared), weight);
    assert_eq!(fit(&[1.0, 1.0], Some(&[0.0, 0.0]), &squared), Err(LearnError::NoWeight));
    for options in [
        Options { learning_rate: 0.0, ..squared },
        Options { learning_rate: f64::NAN, ..squared },
        Options { leaves_max: 1, ..squared },
        Options { leaf_rows_min: 0, ..squared },
        Options { l2: -1.0, ..squared },
        Options { bins_max: 256, ..squared },
        Options { row_sampling: Some(RowSampling { share: 0.0, seed: 0 }), ..squared },
    ] {
        assert!(matches!(fit(&[1.0, 2.0], None, &options), Err(LearnError::Option { .. })), "{options:?}");
    }
    let booster = Booster::fit(&table(&[1.0]), &[1.0], None, &squared).unwrap();
    let codes = Column::Categorical { codes: vec![0], cardinality: 1 };
    let other = Features::new(vec![codes]).unwrap();
    assert!(matches!(booster.predict(&other), Err(LearnError::Columns(_))));
}

#[test]
fn targets_of_one_value_are_predicted_as_that_value() {
    let table = features(&made("rare", 1, 100).0, false);
    for (loss, value) in [(Loss::Squared, -3.0), (Loss::Squared, 0.0), (Loss::Logistic, 1.0)] {
        let booster = Booster::fit(&table, &[value; 100], None, &Options::new(loss)).unwrap();
        assert!(booster.predict(&table).unwrap().iter().all(|p| (p - value).abs() < 1e-9));
        assert_eq!(booster.gain_by_feature(), [0.0; 6]);
    }
}

#[test]
fn targets_at_the_end_of_the_number_range_stay_numbers() {
    let table = Features::new(vec![Column::Numeric((0..100).map(f64::from).collect())]).unwrap();
    let target: Vec<f64> = (0..100).map(|row| if row < 50 { f64::MIN } else { f64::MAX }).collect();
    let booster = Booster::fit(&table, &target, None, &Options::new(Loss::Squared)).unwrap();
    let predicted = booster.predict(&table).unwrap();
    assert!(predicted.iter().all(|p| p.is_finite()) && predicted[0] < -1e308 && predicted[99] > 1e308);
    assert!(booster.gain_by_feature()[0].is_finite());
}

#[test]
fn what_was_never_seen_in_training_goes_with_most_rows() {
    let values = (0..100).map(|row| if row < 90 { 0.0 } else { 1.0 });
    let codes = (0..100).map(|row| u32::from(row >= 90)).collect();
    let numeric = Features::new(vec![Column::Numeric(values.collect())]).unwrap();
    let categorical = Features::new(vec![Column::Categorical { codes, cardinality: 2 }]).unwrap();
    let target: Vec<f64> = (0..100).map(|row| f64::from(row >= 90)).collect();
    let options = Options { leaf_rows_min: 5, ..Options::new(Loss::Squared) };
    let missing = Features::new(vec![Column::Numeric(vec![f64::NAN])]).unwrap();
    let booster = Booster::fit(&numeric, &target, None, &options).unwrap();
    assert!(booster.predict(&missing).unwrap()[0] < 0.1);
    let booster = Booster::fit(&categorical, &target, None, &options).unwrap();
    let unseen =
        Features::new(vec![Column::Categorical { codes: vec![7, MISSING], cardinality: 8 }]).unwrap();
    assert!(booster.predict(&unseen).unwrap().iter().all(|&p| p < 0.1));
}

#[test]
fn renaming_categories_changes_nothing() {
    let (x, y) = made("categories", 9, 3000);
    let renamed: Vec<Vec<f64>> = x.iter().map(|row| vec![(row[0] * 37.0 + 11.0) % 100.0, row[1]]).collect();
    let predicted = |rows: &[Vec<f64>]| {
        let table = features(rows, true);
        let booster = Booster::fit(&table, &y, None, &Options::new(Loss::Logistic)).unwrap();
        booster.predict(&table).unwrap()
    };
    for (a, b) in predicted(&x).into_iter().zip(predicted(&renamed)) {
        assert!((a - b).abs() < 1e-9, "{a} {b}");
    }
}

fn rows_with_target() -> impl Strategy<Value = Vec<(f64, f64, f64)>> {
    let value = prop_oneof![4 => (-50_i32..50).prop_map(f64::from), 1 => Just(f64::NAN)];
    prop::collection::vec((value, 0.0_f64..1.0, (0_i32..2).prop_map(f64::from)), 40..200)
}

fn columns(rows: &[(f64, f64, f64)]) -> (Features, Vec<f64>) {
    let first = Column::Numeric(rows.iter().map(|row| row.0).collect());
    let second = Column::Numeric(rows.iter().map(|row| row.1).collect());
    (Features::new(vec![first, second]).unwrap(), rows.iter().map(|row| row.2).collect())
}

fn small(loss: Loss) -> Options {
    Options { trees: 10, leaf_rows_min: 5, ..Options::new(loss) }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn a_strictly_increasing_change_of_unit_changes_no_prediction(rows in rows_with_target()) {
        let (table, target) = columns(&rows);
        let other: Vec<_> = rows.iter().map(|&(a, b, y)| (a.powi(3) - 7.0, b, y)).collect();
        let (other, _) = columns(&other);
        for loss in [Loss::Logistic, Loss::Squared] {
            let fit = |table: &Features| Booster::fit(table, &target, None, &small(loss)).unwrap();
            prop_assert_eq!(fit(&table).predict(&table).unwrap(), fit(&other).predict(&other).unwrap());
        }
    }

    #[test]
    fn weights_count_relative_to_each_other_and_none_leaves_a_row_out(
        rows in rows_with_target(),
        kept in 20_usize..40,
    ) {
        let (table, target) = columns(&rows);
        let weights: Vec<f64> = (0..rows.len()).map(|row| f64::from(u8::from(row < kept))).collect();
        let scaled: Vec<f64> = weights.iter().map(|weight| weight * 1024.0).collect();
        let (part, part_target) = columns(&rows[..kept]);
        let fit = |table: &Features, target: &[f64], weights: Option<&[f64]>| {
            Booster::fit(table, target, weights, &small(Loss::Logistic)).unwrap().predict(&part).unwrap()
        };
        let weighted = fit(&table, &target, Some(&weights));
        prop_assert_eq!(&weighted, &fit(&table, &target, Some(&scaled)));
        prop_assert_eq!(&weighted, &fit(&part, &part_target, None));
        prop_assert!(weighted.iter().all(|p| (0.0..=1.0).contains(p)));
    }

    #[test]
    fn on_training_rows_the_squared_error_falls_with_every_tree(rows in rows_with_target()) {
        let (table, target) = columns(&rows);
        let error = |trees: usize| {
            let options = Options { trees, ..small(Loss::Squared) };
            let predicted = Booster::fit(&table, &target, None, &options).unwrap().predict(&table).unwrap();
            predicted.iter().zip(&target).map(|(p, y)| (p - y).powi(2)).sum::<f64>()
        };
        let errors: Vec<f64> = [0, 1, 3, 10].map(error).to_vec();
        prop_assert!(errors.windows(2).all(|pair| pair[1] <= pair[0] + 1e-9), "{:?}", errors);
    }
}
