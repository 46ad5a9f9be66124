//! The examples of the catalogue, and what holds for every fault.

use proptest::prelude::*;
use types::batch::BatchColumn;
use types::batch::Values::{self, Booleans, Integers, Numbers, Texts};

use super::*;

fn whole(values: &[i64]) -> Values {
    Integers(values.iter().copied().map(Some).collect())
}

fn numbers(values: &[f64]) -> Values {
    Numbers(values.iter().copied().map(Some).collect())
}

fn texts(values: &[&str]) -> Values {
    Texts(values.iter().map(|value| Some((*value).to_owned())).collect())
}

fn batch(columns: Vec<(&str, Values)>) -> Batch {
    let of = |(name, values): (&str, Values)| BatchColumn { name: name.into(), values };
    Batch::new(columns.into_iter().map(of).collect()).unwrap()
}

fn fault(json: &str) -> Fault {
    serde_json::from_str(json).unwrap()
}

#[track_caller]
fn check(json: &str, x: Values, expected: Values) {
    check_among(json, vec![("x", x)], "x", expected);
}

#[track_caller]
fn check_among(json: &str, columns: Vec<(&str, Values)>, changed: &str, expected: Values) {
    let clean = batch(columns);
    let faulted = fault(json).apply(&clean, &clean, 1).unwrap();
    assert_eq!(faulted.batch.column(changed).cloned(), Some(expected));
}

#[track_caller]
fn refused(json: &str, x: Values, words: &str) {
    let clean = batch(vec![("x", x)]);
    let reason = fault(json).apply(&clean, &clean, 1).unwrap_err().reason;
    assert!(reason.contains(words), "{reason}");
}

#[test]
fn every_fault_does_what_its_example_says() {
    check(r#"{"fault":"missing","columns":["x"]}"#, whole(&[39, 41]), Integers(vec![None; 2]));
    check(
        r#"{"fault":"frozen","columns":["x"],"since":0.5}"#,
        whole(&[39, 41, 47, 50]),
        whole(&[39, 41, 41, 41]),
    );
    check(r#"{"fault":"frozen","columns":["x"]}"#, whole(&[39, 41, 47]), whole(&[39, 39, 39]));
    check(r#"{"fault":"stale","columns":["x"]}"#, whole(&[39, 41, 47]), whole(&[39, 39, 39]));
    let late = r#"{"fault":"late","columns":["x"],"rows_behind":2}"#;
    check(late, whole(&[39, 41, 47, 50]), whole(&[39, 39, 39, 41]));
    check(r#"{"fault":"duplicated-rows"}"#, whole(&[39, 41]), whole(&[39, 39, 41, 41]));
    let unit = r#"{"fault":"unit","columns":["x"],"conversion":"fahrenheit-to-celsius"}"#;
    check(unit, whole(&[32, 212]), whole(&[0, 100]));
    let linear = r#"{"fault":"unit","columns":["x"],"conversion":{"linear":{"factor":2.0,"offset":1.0}}}"#;
    check(linear, numbers(&[0.5, 3.0]), numbers(&[2.0, 7.0]));
    check(r#"{"fault":"sign","columns":["x"]}"#, whole(&[5, -2, 0]), whole(&[-5, 2, 0]));
    check(
        r#"{"fault":"out-of-range","columns":["x"],"ranges":1}"#,
        whole(&[30, 41, 50]),
        whole(&[70, 70, 70]),
    );
    check(r#"{"fault":"out-of-range","columns":["x"],"ranges":-1}"#, whole(&[30, 50]), whole(&[10, 10]));
    check(
        r#"{"fault":"rounding","columns":["x"],"step":1.0}"#,
        numbers(&[39.4, 41.6]),
        numbers(&[39.0, 42.0]),
    );
    let comma = r#"{"fault":"type-corruption","columns":["x"],"form":"decimal-comma"}"#;
    check(comma, numbers(&[39.5, 41.0]), texts(&["39,5", "41"]));
    check(
        r#"{"fault":"type-corruption","columns":["x"]}"#,
        Booleans(vec![Some(true), None]),
        Texts(vec![Some("N/A".into()), None]),
    );
    let unseen = r#"{"fault":"unseen-category","columns":["x"]}"#;
    check(unseen, texts(&["UA", "DL"]), texts(&["never seen before", "never seen before"]));
    check(
        r#"{"fault":"re-encoding","columns":["x"],"form":"upper"}"#,
        texts(&["ua", "dl"]),
        texts(&["UA", "DL"]),
    );
    check(r#"{"fault":"re-encoding","columns":["x"]}"#, texts(&["ua", "dl"]), texts(&["dl", "ua"]));
    check(
        r#"{"fault":"truncated","columns":["x"],"characters":2}"#,
        texts(&["JFK", "LG"]),
        texts(&["JF", "LG"]),
    );
    let zero = r#"{"fault":"silent-default","columns":["x"]}"#;
    check(zero, Integers(vec![Some(39), None]), whole(&[0, 0]));
    let usual = r#"{"fault":"silent-default","columns":["x"],"filled_with":"most-usual"}"#;
    check(usual, Integers(vec![Some(39), None, Some(41), Some(47)]), whole(&[41, 41, 41, 41]));
    check(usual, texts(&["b", "a", "c", "a"]), texts(&["a", "a", "a", "a"]));
    check(
        r#"{"fault":"label-noise","outcome":"x"}"#,
        Booleans(vec![Some(true), Some(false)]),
        Booleans(vec![Some(false), Some(true)]),
    );
    check(r#"{"fault":"label-noise","outcome":"x"}"#, whole(&[1, 0]), whole(&[0, 1]));
    check(r#"{"fault":"label-noise","outcome":"x"}"#, texts(&["a", "b"]), texts(&["b", "a"]));
}

#[test]
fn columns_are_swapped_and_regions_poisoned() {
    let two = || vec![("a", whole(&[1, 2])), ("b", whole(&[8, 9]))];
    let swapped = r#"{"fault":"swapped-columns","first":"a","second":"b"}"#;
    check_among(swapped, two(), "a", whole(&[8, 9]));
    check_among(swapped, two(), "b", whole(&[1, 2]));
    let poisoned = r#"{"fault":"poisoning","outcome":"y","wanted":"0",
        "region":{"category":{"column":"carrier","value":"DL"}}}"#;
    let rows = vec![("y", whole(&[1, 0, 1])), ("carrier", texts(&["UA", "DL", "DL"]))];
    check_among(poisoned, rows, "y", whole(&[1, 0, 0]));
    let above = r#"{"fault":"poisoning","outcome":"y","wanted":"true","region":{"at-least":{"column":"x","value":2}}}"#;
    let rows = vec![("y", Booleans(vec![Some(false); 3])), ("x", numbers(&[1.0, 2.0, 3.0]))];
    check_among(above, rows, "y", Booleans(vec![Some(false), Some(true), Some(true)]));
}

#[test]
fn what_has_no_meaning_is_said_in_words() {
    refused(
        r#"{"fault":"sign","columns":["x"]}"#,
        texts(&["a"]),
        "`x` holds texts, and this is a fault of numbers",
    );
    refused(r#"{"fault":"truncated","columns":["x"],"characters":1}"#, whole(&[1]), "a fault of texts");
    refused(r#"{"fault":"missing","columns":["z"]}"#, whole(&[1]), "there is no column `z` (has: x)");
    refused(r#"{"fault":"missing","columns":[]}"#, whole(&[1]), "no column is named");
    refused(r#"{"fault":"missing","columns":["x"],"rate":1.5}"#, whole(&[1]), "no share of rows");
    refused(r#"{"fault":"missing","columns":["x"]}"#, Integers(vec![None]), "it would change nothing");
    refused(r#"{"fault":"missing","columns":["x"]}"#, Integers(vec![]), "there are no rows");
    refused(r#"{"fault":"late","columns":["x"],"rows_behind":0}"#, whole(&[1, 2]), "it would change nothing");
    refused(r#"{"fault":"frozen","columns":["x"],"since":1}"#, whole(&[1, 2]), "cannot stop");
    refused(
        r#"{"fault":"frozen","columns":["x"]}"#,
        Integers(vec![None, None]),
        "no value to stand still at",
    );
    refused(r#"{"fault":"wrong-join","columns":["x"]}"#, whole(&[1]), "it takes two");
    refused(r#"{"fault":"out-of-range","columns":["x"],"ranges":0}"#, whole(&[1]), "no distance");
    refused(
        r#"{"fault":"out-of-range","columns":["x"],"ranges":1}"#,
        Integers(vec![None]),
        "no number in the reference",
    );
    refused(r#"{"fault":"noise","columns":["x"],"standard_deviations":1}"#, whole(&[1, 1]), "gets no noise");
    refused(r#"{"fault":"rounding","columns":["x"]}"#, whole(&[1, 1]), "name a step");
    refused(r#"{"fault":"type-corruption","columns":["x"]}"#, texts(&["a"]), "a fault of numbers");
    refused(r#"{"fault":"unseen-category","columns":["x"],"category":"a"}"#, texts(&["a"]), "already");
    refused(r#"{"fault":"re-encoding","columns":["x"]}"#, texts(&["a"]), "fewer than two");
    refused(r#"{"fault":"label-noise","outcome":"x"}"#, whole(&[2]), "no opposite");
    refused(r#"{"fault":"label-noise","outcome":"x"}"#, texts(&["a"]), "one class");
    let infinite = Fault::from(unit::Unit {
        columns: vec!["x".into()],
        conversion: unit::Conversion::Linear { factor: f64::INFINITY, offset: 0.0 },
        rate: 1.0,
    });
    let clean = batch(vec![("x", whole(&[1]))]);
    assert!(infinite.apply(&clean, &clean, 1).unwrap_err().reason.contains("not a finite number"));
    let unknown = serde_json::from_str::<Fault>(r#"{"fault":"sign","columns":["x"],"rat":1}"#).unwrap_err();
    assert!(unknown.to_string().contains("unknown field"), "{unknown}");
}

#[test]
fn the_catalogue_names_each_fault_once_as_definitions_do() {
    let ids: std::collections::BTreeSet<&str> = CATALOGUE.iter().map(|entry| entry.id).collect();
    assert_eq!(ids.len(), CATALOGUE.len());
    let kinds = [ValueKind::Integer, ValueKind::Number, ValueKind::Boolean, ValueKind::Text];
    for fault in kinds.into_iter().flat_map(|kind| Fault::usual("x", kind, 1.0)) {
        let written = serde_json::to_value(&fault).unwrap();
        assert_eq!(written["fault"], fault.entry().id);
    }
    for entry in CATALOGUE {
        assert!(entry.sentence.ends_with('.') && entry.sentence.len() < 110, "{}", entry.id);
    }
}

#[test]
fn missing_values_follow_their_mechanism() {
    let rows: Vec<i64> = (0..1000).collect();
    let clean =
        batch(vec![("x", whole(&rows)), ("y", whole(&rows.iter().map(|row| -row).collect::<Vec<_>>()))]);
    let lost_of_high = |mechanism| {
        let mut missing = missing::Missing::of(["x"], 0.3);
        missing.mechanism = mechanism;
        let faulted = Fault::from(missing).apply(&clean, &clean, 5).unwrap();
        assert_eq!(faulted.manifest.rows_touched, 300);
        faulted.mask[500..].iter().filter(|is_lost| **is_lost).count()
    };
    // At random, 150 with a standard deviation of √(300 · ½ · ½ · 700/999) = 7.3.
    let at_random = lost_of_high(missing::Mechanism::AtRandom);
    assert!((120..=180).contains(&at_random), "{at_random}");
    assert!(lost_of_high(missing::Mechanism::OwnValue) > 210);
    assert!(lost_of_high(missing::Mechanism::DependsOn("y".into())) < 90);
}

#[test]
fn a_wrong_join_keeps_the_values_and_leaves_none_at_its_row() {
    let rows: Vec<i64> = (0..100).collect();
    let clean = batch(vec![("x", whole(&rows)), ("y", whole(&rows))]);
    let join = fault(r#"{"fault":"wrong-join","columns":["x","y"],"rate":0.4}"#);
    let faulted = join.apply(&clean, &clean, 3).unwrap();
    assert_eq!(faulted.manifest.rows_touched, 40);
    assert_eq!(faulted.batch.column("x"), faulted.batch.column("y"));
    let Some(Integers(joined)) = faulted.batch.column("x") else { panic!("whole numbers") };
    let mut sorted: Vec<i64> = joined.iter().flatten().copied().collect();
    sorted.sort_unstable();
    assert_eq!(sorted, rows);
}

#[test]
fn noise_has_the_spread_that_was_asked_for() {
    let rows: Vec<f64> = (0..4000).map(f64::from).collect();
    let clean = batch(vec![("x", numbers(&rows))]);
    let faulted = fault(r#"{"fault":"noise","columns":["x"],"standard_deviations":0.5}"#)
        .apply(&clean, &clean, 9)
        .unwrap();
    let of = |row: usize| faulted.batch.column("x").unwrap().number(row).unwrap() - rows[row];
    let squares: f64 = (0..4000).map(|row| of(row).powi(2)).sum();
    // Uniform numbers of 4000 steps have a standard deviation of 4000 / √12; 4000 draws leave some 1.1 % open.
    let spread = (squares / 4000.0).sqrt() / (0.5 * 4000.0 / 12.0_f64.sqrt());
    assert!((spread - 1.0).abs() < 0.05, "{spread}");
}

fn some_batch() -> impl Strategy<Value = Batch> {
    (1_usize..40).prop_flat_map(|rows| {
        let number = prop_oneof![
            8 => proptest::num::f64::NORMAL,
            1 => Just(f64::NAN),
            1 => Just(f64::INFINITY),
            1 => Just(-0.0),
        ];
        (
            proptest::collection::vec(proptest::option::of(any::<i64>()), rows),
            proptest::collection::vec(proptest::option::of(number), rows),
            proptest::collection::vec(proptest::option::of(any::<bool>()), rows),
            proptest::collection::vec(proptest::option::of("[a-cÄ ]{0,3}"), rows),
        )
            .prop_map(|(i, n, b, t)| {
                batch(vec![("i", Integers(i)), ("n", Numbers(n)), ("b", Booleans(b)), ("t", Texts(t))])
            })
    })
}

fn every_fault(rate: f64) -> Vec<Fault> {
    let columns = [
        ("i", ValueKind::Integer),
        ("n", ValueKind::Number),
        ("b", ValueKind::Boolean),
        ("t", ValueKind::Text),
    ];
    // Of every kind on every column, so that what does not fit is tried too.
    let mut faults: Vec<Fault> = columns
        .iter()
        .flat_map(|(name, _)| columns.iter().flat_map(|(_, kind)| Fault::usual(name, *kind, rate)))
        .collect();
    for outcome in ["i", "n", "b", "t", "none"] {
        faults.push(label_noise::LabelNoise { outcome: outcome.into(), rate }.into());
        let region = poisoning::Region::AtLeast { column: "n".into(), value: 0.0 };
        faults
            .push(poisoning::Poisoning { outcome: outcome.into(), wanted: "1".into(), region, rate }.into());
        faults
            .push(swapped_columns::SwappedColumns { first: "t".into(), second: outcome.into(), rate }.into());
    }
    faults.push(duplicated_rows::DuplicatedRows { rate }.into());
    faults.push(out_of_order::OutOfOrder { rows_behind_max: 5 }.into());
    faults
}

/// Everything about a row, as it is written down; `NaN` is equal to itself there.
fn row_of(batch: &Batch, row: usize) -> String {
    let of = |column: &BatchColumn| format!("{:?} ", column.values.take(&[row]).text(0));
    batch.columns().iter().map(of).collect()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn a_fault_is_replayed_touches_only_its_rows_and_never_panics(
        clean in some_batch(), reference in some_batch(), percent in 1..=100_u8, seed: u64
    ) {
        for fault in every_fault(f64::from(percent) / 100.0) {
            let Ok(faulted) = fault.apply(&clean, &reference, seed) else { continue };
            prop_assert_eq!(faulted.mask.len(), faulted.batch.rows());
            prop_assert_eq!(faulted.origin.len(), faulted.batch.rows());
            let touched = faulted.mask.iter().filter(|is_touched| **is_touched).count();
            prop_assert!(touched > 0 && touched == faulted.manifest.rows_touched);
            for row in 0..faulted.batch.rows() {
                if !faulted.mask[row] {
                    prop_assert_eq!(row_of(&faulted.batch, row), row_of(&clean, faulted.origin[row]));
                }
            }
            for column in clean.columns().iter().filter(|column| !faulted.manifest.columns.contains(&column.name)) {
                let now = format!("{:?}", faulted.batch.column(&column.name).unwrap());
                prop_assert_eq!(now, format!("{:?}", column.values));
            }
            let written = serde_json::to_string(&faulted.manifest).unwrap();
            let manifest: Manifest = serde_json::from_str(&written).unwrap();
            prop_assert_eq!(&manifest, &faulted.manifest);
            let again = manifest.replay(&clean, &reference).unwrap();
            prop_assert_eq!(format!("{:?}", again), format!("{:?}", faulted));
        }
    }

    #[test]
    fn rows_of_a_lower_rate_are_among_those_of_a_higher_one(seed: u64, low in 0.01..=1.0, high in 0.01..=1.0) {
        let (low, high) = (f64::min(low, high), f64::max(low, high));
        let rows: Vec<i64> = (0..50).collect();
        let clean = batch(vec![("x", whole(&rows))]);
        for mechanism in [missing::Mechanism::AtRandom, missing::Mechanism::OwnValue] {
            let mask = |rate| {
                let missing = missing::Missing { columns: vec!["x".into()], rate, mechanism: mechanism.clone() };
                Fault::from(missing).apply(&clean, &clean, seed).unwrap().mask
            };
            prop_assert!(mask(low).iter().zip(mask(high)).all(|(low, high)| !low || high));
        }
    }
}
