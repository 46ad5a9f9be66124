//! Means of series against statsmodels and SciPy (`testdata/reference/serial_mean.json`, made by
//! `make_serial.py`).

use serde_json::Value;
use stats::interval::Level;
use stats::serial_mean::serial_mean;

#[test]
fn means_of_series_are_those_of_statsmodels() {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../../testdata/reference/serial_mean.json");
    let content: Value = serde_json::from_str(&std::fs::read_to_string(path).unwrap()).unwrap();
    for case in content["cases"].as_array().unwrap() {
        let values: Vec<f64> =
            case["values"].as_array().unwrap().iter().map(|value| value.as_f64().unwrap()).collect();
        let expected = |name: &str| case[name].as_f64().unwrap();
        let level = Level::new(expected("level")).unwrap();
        let found = serial_mean(&values, case["lags"].as_u64().unwrap() as usize, level).unwrap();
        let half = found.interval.width() / 2.0;
        for (found, name) in [
            (found.mean, "mean"),
            (found.dispersion, "dispersion"),
            (found.standard_error, "standard_error"),
            (half, "half"),
        ] {
            let expected = expected(name);
            assert!((found - expected).abs() <= 1e-9 * expected.abs(), "{name}: {found} is not {expected}");
        }
    }
}
