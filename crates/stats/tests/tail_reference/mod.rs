//! Reads `testdata/reference/tail.json`, made by `make_tail.py`.

use serde_json::Value;

pub(crate) fn cases(topic: &str) -> Vec<Value> {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../../testdata/reference/tail.json");
    let content: Value = serde_json::from_str(&std::fs::read_to_string(path).unwrap()).unwrap();
    content["cases"][topic].as_array().unwrap().clone()
}

pub(crate) fn numbers(value: &Value) -> Vec<f64> {
    value.as_array().unwrap().iter().map(|number| number.as_f64().unwrap_or(f64::NAN)).collect()
}
