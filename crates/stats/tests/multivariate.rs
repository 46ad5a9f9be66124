//! Reconstruction error and centroid distance: values of NannyML, scikit-learn and SciPy, and
//! simulations of what the p-values promise.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

mod uniform;

use proptest::prelude::*;
use serde_json::Value;
use stats::counts::Side;
use stats::embedding::{EmbeddingError, Embeddings, centroid_drift};
use stats::interval::Level;
use stats::learn::{Column, Features, FeaturesError, MISSING};
use stats::reconstruction::{PrincipalComponents, ReconstructionError, reconstruction, reconstruction_drift};
use uniform::Uniform;

fn cases(name: &str) -> Vec<Value> {
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/../../testdata/reference");
    let text = std::fs::read_to_string(format!("{folder}/{name}.json")).unwrap();
    let content: Value = serde_json::from_str(&text).unwrap();
    content["cases"].as_array().unwrap().clone()
}

#[track_caller]
fn close(actual: f64, expected: &Value, tolerance: f64) {
    let expected = expected.as_f64().unwrap();
    assert!((actual - expected).abs() <= tolerance * expected.abs(), "{actual}, expected {expected}");
}

fn table(columns: &Value) -> Features {
    let columns = columns.as_array().unwrap().iter().map(|column| {
        let values = column["values"].as_array().unwrap().iter().map(Value::as_f64);
        if column["kind"] == "numeric" {
            return Column::Numeric(values.map(|value| value.unwrap_or(f64::NAN)).collect());
        }
        let codes = values.map(|value| value.map_or(MISSING, |code| code as u32)).collect();
        Column::Categorical { codes, cardinality: 10 }
    });
    Features::new(columns.collect()).unwrap()
}

#[test]
fn reconstruction_errors_are_those_of_nannyml() {
    for case in cases("reconstruction") {
        let (reference, current) = (table(&case["reference"]), table(&case["current"]));
        let share = case["variance_share"].as_f64().unwrap();
        let drift = reconstruction_drift(&reference, &current, share, Level::P95).unwrap();
        let expected = case["components"].as_u64().unwrap() as usize;
        assert_eq!(drift.components, expected, "{}", case["name"]);
        close(drift.variance_kept, &case["variance_kept"], 1e-9);
        for (side, found) in [drift.reference, drift.current].into_iter().enumerate() {
            close(found.error, &case["errors"][side], 1e-9);
            close(found.standard_error, &case["standard_errors"][side], 1e-9);
            assert!(found.interval.contains(found.error));
        }
        assert!(drift.p_value < 1e-6 && drift.change_interval.contains(drift.change));
    }
}

fn normal(rng: &mut Uniform) -> f64 {
    let uniforms: [f64; 12] = rng.many();
    uniforms.iter().sum::<f64>() - 6.0
}

fn normal_columns(rng: &mut Uniform, rows: usize, columns: usize) -> Features {
    let column = |rng: &mut Uniform| Column::Numeric((0..rows).map(|_| normal(rng)).collect());
    Features::new((0..columns).map(|_| column(rng)).collect()).unwrap()
}

/// With 100 reference rows in 20 columns, the error on fitted rows is smaller by so much that a plain
/// comparison would call nearly every pair.
#[test]
fn few_rows_and_many_columns_are_not_taken_for_drift() {
    let mut rng = Uniform(12);
    let (mut called, mut called_in_sample) = (0, 0);
    for _ in 0..400 {
        let (reference, current) = (normal_columns(&mut rng, 100, 20), normal_columns(&mut rng, 100, 20));
        let drift = reconstruction_drift(&reference, &current, 0.65, Level::P95).unwrap();
        called += u32::from(drift.p_value < 0.05);
        let (before, after) = (drift.reference, drift.current);
        let error = before.standard_error.hypot(after.standard_error);
        called_in_sample += u32::from((after.error - before.error).abs() > 1.96 * error);
    }
    // 5 % of 400 are 20, and three standard deviations above are 33.
    assert!(called <= 33 && called_in_sample > 200, "{called} {called_in_sample}");
}

#[test]
fn tables_without_a_reconstruction_error_are_refused_with_the_reason() {
    let one = |values: &[f64]| Features::new(vec![Column::Numeric(values.to_vec())]).unwrap();
    let fit = |features: &Features, share| PrincipalComponents::fit(features, share).map(|_| ()).unwrap_err();
    let plain = one(&[1.0, 2.0, 4.0]);
    for share in [0.0, 1.0, f64::NAN] {
        assert!(matches!(fit(&plain, share), ReconstructionError::VarianceShare { .. }));
    }
    let few = ReconstructionError::TooFewRows { side: Side::Reference, n: 1, needed: 2 };
    assert_eq!(fit(&one(&[1.0]), 0.65), few);
    let infinite = ReconstructionError::Infinite { column: 0, row: 1 };
    assert_eq!(fit(&one(&[1.0, f64::INFINITY]), 0.65), infinite);
    for values in [[3.0; 4], [f64::NAN; 4]] {
        assert_eq!(fit(&one(&values), 0.65), ReconstructionError::NoVariance);
    }
    assert_eq!(fit(&one(&[f64::MIN, f64::MAX]), 0.65), ReconstructionError::TooFar);
    let components = PrincipalComponents::fit(&plain, 0.65).unwrap();
    assert_eq!(components.errors(&one(&[f64::MAX, 0.0])).unwrap().len(), 2);
    let codes = Features::new(vec![Column::Categorical { codes: vec![0; 3], cardinality: 1 }]).unwrap();
    let kinds = components.errors(&codes).unwrap_err();
    assert!(matches!(kinds, ReconstructionError::Columns(FeaturesError::KindsDiffer { column: 0, .. })));
    assert!(reconstruction(&components, &one(&[1.0]), Level::P95).is_err());
}

#[test]
fn a_column_without_values_takes_no_part() {
    let mut rng = Uniform(3);
    let table = normal_columns(&mut rng, 50, 2);
    let empty =
        vec![Column::Numeric(vec![f64::NAN; 50]), table.columns()[0].clone(), table.columns()[1].clone()];
    let with_empty = Features::new(empty).unwrap();
    let drift = reconstruction_drift(&with_empty, &with_empty, 0.65, Level::P95).unwrap();
    assert_eq!(drift.columns_left_out, [0]);
    let without = reconstruction_drift(&table, &table, 0.65, Level::P95).unwrap();
    assert_eq!(drift.reference, without.reference);
}

#[test]
fn centroid_distances_are_those_of_scipy() {
    for case in cases("embedding") {
        let dimensions = case["dimensions"].as_u64().unwrap() as usize;
        let side = |name: &str| {
            let values = case[name].as_array().unwrap().iter().map(|value| value.as_f64().unwrap());
            Embeddings::new(values.collect(), dimensions).unwrap()
        };
        let drift = centroid_drift(&side("reference"), &side("current"), &mut Uniform(1)).unwrap();
        close(drift.euclidean, &case["euclidean"], 1e-12);
        close(drift.euclidean_expected_no_drift, &case["expected_without_drift"], 1e-12);
        let spread = case["spread_reference"].as_f64().unwrap();
        assert!((drift.in_spreads.unwrap() * spread / drift.euclidean - 1.0).abs() < 1e-12);
        assert!((drift.cosine.unwrap() - case["cosine"].as_f64().unwrap()).abs() < 1e-12);
    }
}

/// Vectors around `(mean, 0, 0, …)` that mostly vary in a few directions.
fn embeddings(rng: &mut Uniform, rows: usize, dimensions: usize, mean: f64) -> Embeddings {
    let mut values = Vec::new();
    for _ in 0..rows {
        let common = normal(rng);
        for dimension in 0..dimensions {
            let shift = if dimension == 0 { mean } else { 0.0 };
            values.push(shift + normal(rng) + if dimension < 3 { 2.0 * common } else { 0.0 });
        }
    }
    Embeddings::new(values, dimensions).unwrap()
}

#[test]
fn without_drift_the_distance_is_what_was_expected_and_seldom_called() {
    for (rows, dimensions) in [(200, 10), (60, 100)] {
        let mut rng = Uniform(21);
        let (mut squares, mut expected, mut cosines, mut cosines_expected) = (0.0, 0.0, 0.0, 0.0);
        let mut called = [0, 0];
        for _ in 0..400 {
            let (a, b) =
                (embeddings(&mut rng, rows, dimensions, 5.0), embeddings(&mut rng, rows, dimensions, 5.0));
            let drift = centroid_drift(&a, &b, &mut rng).unwrap();
            squares += drift.euclidean.powi(2);
            expected += drift.euclidean_expected_no_drift.powi(2);
            cosines += drift.cosine.unwrap();
            cosines_expected += drift.cosine_expected_no_drift.unwrap();
            called[0] += u32::from(drift.p_value < 0.05);
            called[1] += u32::from(drift.p_value < 0.01);
        }
        assert!((squares / expected - 1.0).abs() < 0.15, "{}", squares / expected);
        assert!((cosines / cosines_expected - 1.0).abs() < 0.2, "{}", cosines / cosines_expected);
        // Five per cent of 400 and one, and three standard deviations and a little more.
        assert!(called[0] <= 36 && called[1] <= 12, "{called:?}");
        let (a, b) =
            (embeddings(&mut rng, rows, dimensions, 5.0), embeddings(&mut rng, rows, dimensions, 8.0));
        assert!(centroid_drift(&a, &b, &mut rng).unwrap().p_value < 0.01);
    }
}

#[test]
fn means_without_direction_have_no_cosine_and_constant_vectors_have_a_verdict() {
    let mut rng = Uniform(5);
    let (a, b) = (embeddings(&mut rng, 40, 5, 0.0), embeddings(&mut rng, 40, 5, 9.0));
    assert_eq!(centroid_drift(&a, &b, &mut rng).unwrap().cosine, None);
    let constant = |value: f64| Embeddings::new(vec![value; 8], 2).unwrap();
    let still = centroid_drift(&constant(1.0), &constant(1.0), &mut rng).unwrap();
    assert_eq!(
        (still.euclidean, still.p_value, still.in_spreads, still.cosine),
        (0.0, 1.0, Some(0.0), Some(0.0))
    );
    let moved = centroid_drift(&constant(1.0), &constant(-1.0), &mut rng).unwrap();
    assert_eq!((moved.p_value, moved.in_spreads), (0.0, None));
    assert!((moved.cosine.unwrap() - 2.0).abs() < 1e-12);
    let zero = centroid_drift(&constant(0.0), &constant(1.0), &mut rng).unwrap();
    assert_eq!((zero.cosine, zero.p_value), (None, 0.0));
}

#[test]
fn vectors_that_are_no_embeddings_are_refused_with_the_reason() {
    assert_eq!(Embeddings::new(vec![], 0), Err(EmbeddingError::NoDimensions));
    assert_eq!(Embeddings::new(vec![1.0; 3], 2), Err(EmbeddingError::Ragged { values: 3, dimensions: 2 }));
    let hole = Embeddings::new(vec![0.0, 0.0, 0.0, f64::NAN], 2);
    assert_eq!(hole, Err(EmbeddingError::NotFinite { row: 1, dimension: 1 }));
    let of = |value: f64, rows: usize, dimensions: usize| {
        Embeddings::new(vec![value; rows * dimensions], dimensions).unwrap()
    };
    let refused = |a: &Embeddings, b: &Embeddings| centroid_drift(a, b, &mut Uniform(1)).unwrap_err();
    let lengths = EmbeddingError::DimensionsDiffer { reference: 2, current: 3 };
    assert_eq!(refused(&of(0.0, 4, 2), &of(0.0, 4, 3)), lengths);
    let few = EmbeddingError::TooFewRows { side: Side::Current, n: 3, needed: 4 };
    assert_eq!(refused(&of(0.0, 4, 2), &of(0.0, 3, 2)), few);
    assert_eq!(refused(&of(f64::MIN, 4, 2), &of(f64::MAX, 4, 2)), EmbeddingError::TooFar);
    assert_eq!(of(1.0, 4, 3).features().columns().len(), 3);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn a_change_of_units_changes_no_reconstruction_error(
        rows in prop::collection::vec((-9.0_f64..9.0, -9.0_f64..9.0, -9.0_f64..9.0), 20..60),
        (factor, shift) in (0.01_f64..100.0, -50.0_f64..50.0),
    ) {
        let columns = |factor: f64, shift: f64| {
            let column = |of: fn(&(f64, f64, f64)) -> f64| {
                Column::Numeric(rows.iter().map(|row| of(row) * factor + shift).collect())
            };
            Features::new(vec![column(|row| row.0), column(|row| row.1 + row.0), column(|row| row.2)]).unwrap()
        };
        let errors = |features: &Features| {
            PrincipalComponents::fit(features, 0.65).unwrap().errors(features).unwrap()
        };
        for (a, b) in errors(&columns(1.0, 0.0)).into_iter().zip(errors(&columns(factor, shift))) {
            prop_assert!((a - b).abs() < 1e-6, "{} {}", a, b);
        }
    }

    #[test]
    fn the_distance_of_means_is_symmetric_and_scales(
        values in prop::collection::vec(-9.0_f64..9.0, 48),
        factor in 0.01_f64..100.0,
    ) {
        let side = |values: &[f64], factor: f64| {
            Embeddings::new(values.iter().map(|value| value * factor).collect(), 3).unwrap()
        };
        let drift = |a: &[f64], b: &[f64], factor: f64| {
            centroid_drift(&side(a, factor), &side(b, factor), &mut Uniform(1)).unwrap()
        };
        let (a, b) = values.split_at(24);
        let (there, back, scaled) = (drift(a, b, 1.0), drift(b, a, 1.0), drift(a, b, factor));
        prop_assert!((there.euclidean - back.euclidean).abs() < 1e-12);
        prop_assert!((there.euclidean * factor - scaled.euclidean).abs() < 1e-9);
        prop_assert!((there.in_spreads.unwrap() - scaled.in_spreads.unwrap()).abs() < 1e-9);
        prop_assert!((0.0..=1.0).contains(&there.p_value) && (there.p_value - scaled.p_value).abs() < 1e-9);
    }
}
