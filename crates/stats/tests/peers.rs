//! The peers' results, from their own wheels.
//!
//! `testdata/reference/peers.json` holds the columns and what Evidently and NannyML report of
//! them; `make_peers.py` beside it says how each was made. Values, p-values and thresholds are equal
//! to 1e-9, with two exceptions: a root of what rounding left of 0 is equal to 1e-7 (a chunk that is
//! the whole reference), and the Cramér–von Mises p-value for up to 20 rows, which Evidently counts
//! in floats of 16 or 32 bits, to 1e-3.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use serde_json::Value;
use stats::ecdf::Ecdf;
use stats::peers::{Category, ColumnKind, Peer, PeerDrift, PeerError, evidently_0_7, nannyml_0_13};

fn cases(kind: &str) -> Vec<Value> {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../../testdata/reference/peers.json");
    let mut content: Value = serde_json::from_str(&std::fs::read_to_string(path).unwrap()).unwrap();
    serde_json::from_value(content[kind].take()).unwrap()
}

fn ecdf(counted: &Value) -> Ecdf {
    Ecdf::from_weighted(serde_json::from_value(counted.clone()).unwrap(), 0).unwrap()
}

fn categories(counted: &Value) -> Vec<Category<'_>> {
    let rows = counted.as_array().unwrap().iter();
    rows.map(|row| (row[0].as_str().unwrap(), row[1].as_u64().unwrap())).collect()
}

/// Both peers on one column, by method name.
fn each(case: &Value, kind: ColumnKind, mut check: impl FnMut(&str, &Value, Result<PeerDrift, PeerError>)) {
    let chunks = case["reference_chunks"].as_array().unwrap();
    for (peer, key) in [("evidently-0.7", "evidently"), ("nannyml-0.13", "nannyml")] {
        for (method, expected) in case[key].as_object().unwrap() {
            let name = format!("{peer}:{method}");
            let peer = Peer::parse(&name).unwrap();
            let found = match kind {
                ColumnKind::Numeric => {
                    let chunks: Vec<Ecdf> = chunks.iter().map(ecdf).collect();
                    peer.numeric(&chunks, &ecdf(&case["current"]))
                }
                ColumnKind::Categorical => {
                    let chunks: Vec<_> = chunks.iter().map(categories).collect();
                    let chunks: Vec<&[Category<'_>]> = chunks.iter().map(Vec::as_slice).collect();
                    peer.categorical(&chunks, &categories(&case["current"]))
                }
            };
            check(&name, expected, found);
        }
    }
}

fn equal(actual: f64, expected: f64, allowed: f64) -> bool {
    (actual - expected).abs() <= allowed * expected.abs().max(1.0)
}

/// Rows of the larger side.
fn rows_max(case: &Value) -> u64 {
    let rows =
        |counted: &Value| counted.as_array().unwrap().iter().map(|row| row[1].as_u64().unwrap()).sum::<u64>();
    let reference: u64 = case["reference_chunks"].as_array().unwrap().iter().map(rows).sum();
    reference.max(rows(&case["current"]))
}

fn all_equal(kind: ColumnKind) {
    let mut wrong = Vec::new();
    for case in cases(&kind.to_string()) {
        each(&case, kind, |name, expected, found| {
            let what = format!("{}, {name}", case["name"].as_str().unwrap());
            let fails = expected["value"].is_null();
            let short_floats = name == "evidently-0.7:cramer_von_mises" && rows_max(&case) <= 20;
            let allowed = if short_floats { 1e-3 } else { 1e-9 };
            let is_root = name.ends_with("hellinger") || name.ends_with("jensen_shannon");
            let root_of_rounding = |a: f64, b: f64| is_root && a.max(b) < 1e-7;
            let same = |found: Option<f64>, expected: &Value| match expected.as_f64() {
                Some(expected) => {
                    let found = found.unwrap();
                    equal(found, expected, allowed) || root_of_rounding(found, expected)
                }
                None => true,
            };
            match found {
                Ok(found) if !fails => {
                    let all_same = same(Some(found.value), &expected["value"])
                        && same(Some(found.threshold), &expected["threshold"])
                        && same(found.p_value, &expected["p_value"])
                        && expected["drifted"] == found.drifted;
                    if !all_same {
                        wrong.push(format!("{what}: {found:?} is not {expected}"));
                    }
                }
                Err(PeerError::PeerFails { .. } | PeerError::NotForKind { .. }) if fails => {}
                other => wrong.push(format!("{what}: {other:?} is not {expected}")),
            }
        });
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn results_for_numbers_equal_the_peers() {
    all_equal(ColumnKind::Numeric);
}

#[test]
fn results_for_categories_equal_the_peers() {
    all_equal(ColumnKind::Categorical);
}

#[test]
fn evidently_chooses_the_same_method_by_default() {
    for case in cases("numeric") {
        let chunks = case["reference_chunks"].as_array().unwrap();
        let all: Vec<Value> = chunks.iter().flat_map(|chunk| chunk.as_array().unwrap().clone()).collect();
        let method = evidently_0_7::default_method_numeric(&ecdf(&Value::from(all)), &ecdf(&case["current"]));
        assert_eq!(case["evidently"]["default"]["method"], method.name(), "{}", case["name"]);
    }
    for case in cases("categorical") {
        let chunks = case["reference_chunks"].as_array().unwrap();
        let all: Vec<Category<'_>> = chunks.iter().flat_map(categories).collect();
        let method = evidently_0_7::default_method_categorical(&all, &categories(&case["current"]));
        assert_eq!(case["evidently"]["default"]["method"], method.name(), "{}", case["name"]);
    }
}

/// What the warning says of Evidently's bins.
#[test]
fn one_outlier_hides_a_shift_of_three_standard_deviations_from_evidently() {
    let case = cases("numeric").into_iter().find(|case| case["name"] == "one outlier hides a shift").unwrap();
    let chunks: Vec<Ecdf> = case["reference_chunks"].as_array().unwrap().iter().map(ecdf).collect();
    let drift = Peer::parse("evidently-0.7:jensenshannon").unwrap().numeric(&chunks, &ecdf(&case["current"]));
    let drift = drift.unwrap();
    assert!(!drift.drifted && drift.warning.unwrap().contains("outlier"), "{drift:?}");
}

#[test]
fn every_method_is_checked_or_refused() {
    let refused =
        |found| matches!(found, Err(PeerError::NotReproducible { .. } | PeerError::NotForKind { .. }));
    for (kind, key) in [(ColumnKind::Numeric, "numeric"), (ColumnKind::Categorical, "categorical")] {
        let case = &cases(key)[0];
        let chunk = &case["reference_chunks"][0];
        let one = |peer: Peer| match kind {
            ColumnKind::Numeric => peer.numeric(&[ecdf(chunk)], &ecdf(chunk)),
            ColumnKind::Categorical => peer.categorical(&[&categories(chunk)], &categories(chunk)),
        };
        for method in evidently_0_7::Method::ALL {
            let checked = case["evidently"].get(method.name()).is_some();
            assert!(checked || refused(one(Peer::Evidently07(Some(method)))), "{}", method.name());
        }
        for method in nannyml_0_13::Method::ALL {
            let checked = case["nannyml"].get(method.name()).is_some();
            assert!(checked || refused(one(Peer::NannyMl013(method))), "{}", method.name());
        }
    }
}
