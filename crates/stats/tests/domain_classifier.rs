//! The domain classifier: areas against scikit-learn's, and simulations of what it promises.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

mod uniform;

use serde_json::Value;
use stats::counts::Side;
use stats::domain_classifier::{DomainError, DomainOptions, DomainShift, domain_classifier};
use stats::interval::{IntervalMethod, Level};
use stats::learn::{Column, Features, FeaturesError, LearnError, Options};
use uniform::Uniform;

/// By how much the mean area over three deals of the folds may differ from scikit-learn's, whose deals
/// are others.
const MARGIN: f64 = 0.015;

fn made(name: &str, rng: &mut Uniform, current: bool) -> Vec<f64> {
    if name == "other_categories" {
        let [u, v] = rng.many();
        let u = if current && rng.next() < 0.5 { f64::max(u, v) } else { u };
        return vec![(20.0 * u).floor(), rng.next()];
    }
    let mut x: [f64; 5] = rng.many();
    match name {
        "unchanged" => {}
        "moved" => x[3] += if current { 0.1 } else { 0.0 },
        "together" => {
            if rng.next() < 0.5 && current {
                x[1] = x[0];
            }
        }
        other => panic!("no such data set: {other}"),
    }
    x.to_vec()
}

fn table(rows: &[Vec<f64>], first_is_category: bool) -> Features {
    let columns = (0..rows[0].len()).map(|column| {
        let values = rows.iter().map(|row| row[column]);
        if first_is_category && column == 0 {
            return Column::Categorical { codes: values.map(|code| code as u32).collect(), cardinality: 20 };
        }
        Column::Numeric(values.collect())
    });
    Features::new(columns.collect()).unwrap()
}

fn sides(name: &str, rng: &mut Uniform, rows: [usize; 2]) -> ([Features; 2], f64) {
    let [reference, current] =
        [0, 1].map(|side| (0..rows[side]).map(|_| made(name, rng, side == 1)).collect::<Vec<_>>());
    let checksum = reference.iter().chain(&current).flatten().sum();
    ([reference, current].map(|rows| table(&rows, name == "other_categories")), checksum)
}

fn shift([reference, current]: &[Features; 2], options: &DomainOptions, seed: u64) -> DomainShift {
    domain_classifier(reference, current, options, Level::P95, &mut Uniform(seed)).unwrap()
}

#[test]
fn areas_are_those_of_scikit_learn_and_the_column_that_shifted_is_named() {
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/../../testdata/reference");
    let text = std::fs::read_to_string(format!("{folder}/domain_classifier.json")).unwrap();
    let content: Value = serde_json::from_str(&text).unwrap();
    for case in content["cases"].as_array().unwrap() {
        let name = case["name"].as_str().unwrap();
        let count = |side: &str| case[side].as_u64().unwrap() as usize;
        let mut rng = Uniform(case["seed"].as_u64().unwrap());
        let (tables, checksum) = sides(name, &mut rng, [count("n_reference"), count("n_current")]);
        let expected = case["checksum"].as_f64().unwrap();
        assert!((checksum / expected - 1.0).abs() < 1e-9, "the data of {name} is not that of the script");
        let found = shift(&tables, &DomainOptions::default(), 1);
        let area = case["area"].as_f64().unwrap();
        let areas = (1..=3).map(|seed| shift(&tables, &DomainOptions::default(), seed).area);
        let mean = areas.sum::<f64>() / 3.0;
        assert!((mean - area).abs() < MARGIN, "{name}: {mean}, scikit-learn {area}");
        assert!(found.interval.contains(area), "{name}: {:?}", found.interval);
        let beyond = found.columns.iter().filter(|shift| shift.area_drop > 0.025);
        let mut named: Vec<usize> = beyond.map(|shift| shift.column).collect();
        named.sort_unstable();
        let (columns, drifted): (&[usize], bool) = match name {
            "unchanged" => (&[], false),
            "moved" => (&[3], true),
            "together" => (&[0, 1], true),
            _ => (&[0], true),
        };
        assert_eq!((named.as_slice(), found.p_value < 0.05), (columns, drifted), "{name}: {found:?}");
    }
}

/// Shares of drift-free pairs of tables called at levels of 5 % and 1 %, and whose interval has 0.5.
fn called_without_drift(
    pairs: u32,
    options: &DomainOptions,
    table: fn(&mut Uniform) -> Features,
) -> [f64; 3] {
    let mut shares = [0.0; 3];
    let mut rng = Uniform(2024);
    for pair in 0..pairs {
        let tables = [table(&mut rng), table(&mut rng)];
        let found = shift(&tables, options, u64::from(pair));
        for (share, holds) in
            shares.iter_mut().zip([found.p_value < 0.05, found.p_value < 0.01, found.interval.contains(0.5)])
        {
            *share += f64::from(u8::from(holds)) / f64::from(pairs);
        }
    }
    shares
}

/// 150 rows of two uniform columns and one with many ties.
fn plain_table(rng: &mut Uniform) -> Features {
    let rows: Vec<Vec<f64>> =
        (0..150).map(|_| vec![rng.next(), rng.next(), (3.0 * rng.next()).floor()]).collect();
    table(&rows, false)
}

#[test]
fn without_drift_no_more_is_called_than_the_level_allows() {
    let learner = Options { trees: 15, leaves_max: 4, ..DomainOptions::default().learner };
    for folds in [2, 5, 10] {
        let options = DomainOptions { folds, learner };
        let [five, one, covered] = called_without_drift(400, &options, plain_table);
        // Three standard deviations of a share of 400 above the level.
        assert!(five <= 0.05 + 0.033 && one <= 0.01 + 0.015, "{folds}: {five} {one}");
        assert!(covered >= 0.95 - 0.033, "{folds}: {covered}");
    }
}

#[test]
fn tables_that_give_every_row_away_are_told_apart_completely() {
    let column = |from: i32| Column::Numeric((from..from + 100).map(f64::from).collect());
    let tables = [0, 1000].map(|from| Features::new(vec![column(from)]).unwrap());
    let found = shift(&tables, &DomainOptions::default(), 1);
    assert_eq!((found.area, found.interval.method), (1.0, IntervalMethod::WilsonOfPairs));
    assert!(found.interval.lower > 0.6 && found.interval.upper == 1.0, "{:?}", found.interval);
    assert!(found.p_value < 1e-6 && found.columns[0].area_drop > 0.3);
}

#[test]
fn missing_values_alone_give_the_shift_away() {
    let mut rng = Uniform(4);
    let reference: Vec<f64> = (0..400).map(|_| rng.next()).collect();
    let current = (0..400).map(|row| if row % 2 == 0 { f64::NAN } else { rng.next() }).collect();
    let tables = [reference, current].map(|values| Features::new(vec![Column::Numeric(values)]).unwrap());
    assert!((shift(&tables, &DomainOptions::default(), 1).area - 0.75).abs() < 0.03);
}

#[test]
fn constant_columns_tell_nothing() {
    let tables = [60, 50].map(|rows| Features::new(vec![Column::Numeric(vec![1.0; rows])]).unwrap());
    let found = shift(&tables, &DomainOptions::default(), 1);
    assert_eq!((found.area, found.p_value, found.columns[0].area_drop), (0.5, 1.0, 0.0));
    assert!(found.interval.contains(0.5) && found.interval.width() > 0.3);
}

#[test]
fn the_generator_decides_the_folds_and_nothing_else_is_random() {
    let (tables, _) = sides("moved", &mut Uniform(8), [300, 200]);
    let found = |seed| shift(&tables, &DomainOptions::default(), seed);
    assert_eq!(found(1), found(1));
    assert_ne!(found(1).areas_of_folds, found(2).areas_of_folds);
}

#[test]
fn tables_that_cannot_be_compared_are_refused_with_the_reason() {
    let column = |rows: usize| Column::Numeric(vec![0.0; rows]);
    let one = |rows: usize| Features::new(vec![column(rows)]).unwrap();
    let refused = |current: &Features, options: &DomainOptions| {
        domain_classifier(&one(50), current, options, Level::P95, &mut Uniform(1)).unwrap_err()
    };
    let default = DomainOptions::default();
    let few = DomainError::TooFewRows { side: Side::Current, n: 49, needed: 50 };
    assert_eq!(refused(&one(49), &default), few);
    let folds = DomainOptions { folds: 1, ..default };
    assert_eq!(refused(&one(50), &folds), DomainError::TooFewFolds { folds: 1 });
    let folds = DomainOptions { folds: usize::MAX, ..default };
    assert!(matches!(refused(&one(50), &folds), DomainError::TooFewRows { side: Side::Reference, .. }));
    let two = Features::new(vec![column(50), column(50)]).unwrap();
    let columns = FeaturesError::ColumnCountsDiffer { first: 1, second: 2 };
    assert_eq!(refused(&two, &default), DomainError::Columns(columns));
    let learner = Options { l2: -1.0, ..default.learner };
    let refused = refused(&one(50), &DomainOptions { learner, ..default });
    assert!(matches!(refused, DomainError::Learn(LearnError::Option { option: "l2", .. })));
}
