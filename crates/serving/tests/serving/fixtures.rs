//! The files of testdata/serving: rows with the scores that others gave to them.

use std::fs;
use std::path::{Path, PathBuf};

use serde_json::Value;
use serving::{Outcome, Scores};
use types::batch::{Batch, BatchColumn, Values};

pub(crate) fn repository() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap().parent().unwrap()
}

pub(crate) fn testdata(name: &str) -> PathBuf {
    repository().join("testdata/serving").join(name)
}

pub(crate) fn read(name: &str) -> Value {
    serde_json::from_str(&fs::read_to_string(testdata(name)).unwrap()).unwrap()
}

/// The columns of an entry, in its order or, where they are named, in that one.
pub(crate) fn batch(entry: &Value) -> Batch {
    let columns = entry["columns"].as_object().unwrap().iter();
    let column = |(name, values): (&String, &Value)| BatchColumn {
        name: name.clone(),
        values: values_of(values.as_array().unwrap()),
    };
    Batch::new(columns.map(column).collect()).unwrap()
}

/// Whole numbers where all are, numbers where some are not, texts otherwise; null is missing.
fn values_of(values: &[Value]) -> Values {
    if values.iter().any(Value::is_string) {
        return Values::Texts(values.iter().map(|value| value.as_str().map(str::to_owned)).collect());
    }
    if values.iter().all(|value| value.is_null() || value.is_i64()) {
        return Values::Integers(values.iter().map(Value::as_i64).collect());
    }
    Values::Numbers(values.iter().map(Value::as_f64).collect())
}

/// The rows that python/train.py prints the scores of.
pub(crate) fn bought() -> Batch {
    let regions = ["north", "south", "east"].map(|region| Some(region.to_owned()));
    let columns = [
        ("region", Values::Texts(regions.to_vec())),
        ("visits", Values::Integers(vec![Some(1), Some(12), None])),
        ("spent", Values::Numbers(vec![Some(10.5), None, None])),
    ];
    let columns = columns.map(|(name, values)| BatchColumn { name: name.into(), values });
    Batch::new(columns.to_vec()).unwrap()
}

pub(crate) fn numbers(values: &Value) -> Vec<f64> {
    values.as_array().unwrap().iter().map(|value| value.as_f64().unwrap()).collect()
}

/// The scores of an outcome that has them all.
#[track_caller]
pub(crate) fn scored(outcome: Outcome) -> Vec<f64> {
    match outcome {
        Outcome::Accepted(accepted) => match accepted.scores {
            Scores::Numbers(rows) => rows.into_iter().map(Option::unwrap).collect(),
            Scores::Probabilities(rows) => panic!("probabilities: {rows:?}"),
        },
        other => panic!("{other:?}"),
    }
}

#[track_caller]
pub(crate) fn assert_close(found: &[f64], expected: &[f64], within: f64) {
    assert_eq!(found.len(), expected.len());
    for (row, (found, expected)) in found.iter().zip(expected).enumerate() {
        assert!((found - expected).abs() <= within, "row {row}: {found} where {expected} was expected");
    }
}
