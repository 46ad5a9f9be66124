//! `monitor.drift.method`: which distance decides, and what other tools would have said.
//!
//! What Evidently and NannyML say comes from their own wheels (`testdata/reference/make_peers_flights.py`).

use serde_json::Value;

use crate::fixture::{Folder, Report, definition_with, measure, repository, says};

/// Largest relative difference to the other tool's number.
const TOLERANCE: f64 = 1e-9;

/// A week of the flights' inputs under one method, without anything that takes outcomes.
fn flights_by(folder: &Folder, method: &str) -> Report {
    let data = repository("examples/flights/data/predictions");
    folder.write(
        "forewarn.toml",
        format!(
            "[log]\npath = '{}'\ntime = \"scheduled_departure\"\nscore = \"p_delayed\"\n\
             features = [\"temp\", \"pressure\", \"distance\", \"day_of_week\", \"origin\", \"carrier\", \"dest\"]\n\
             [reference]\nwindow = \"2013-01-01/2013-05-01\"\n\
             [monitor]\ndrift = {{ method = \"{method}\" }}\nmultivariate = {{ enabled = false }}\n",
            data.display()
        ),
    );
    let run = folder.run(&["check", "--window", "2013-06-03/2013-06-10", "--format", "json"]);
    assert!(run.status < 2, "{}", run.stderr);
    run.report()
}

fn cases() -> Vec<Value> {
    let text = std::fs::read_to_string(repository("testdata/reference/peers_flights.json")).unwrap();
    let mut facts: Value = serde_json::from_str(&text).unwrap();
    facts["cases"].take().as_array().unwrap().clone()
}

#[test]
fn another_tool_is_equalled_on_the_same_data() {
    let folder = Folder::empty();
    let cases = cases();
    let mut methods: Vec<&str> = cases.iter().map(|case| case["method"].as_str().unwrap()).collect();
    methods.sort_unstable();
    methods.dedup();
    assert_eq!(methods.len(), 11);
    for method in methods {
        let report = flights_by(&folder, method);
        for case in cases.iter().filter(|case| case["method"] == method) {
            let column = case["column"].as_str().unwrap();
            let finding = report.about("monitor.drift", column);
            let (value, expected) = (measure(finding, method), case["value"].as_f64().unwrap());
            assert!(
                (value - expected).abs() <= TOLERANCE * expected.abs().max(1e-3),
                "{method} of {column}: {value} instead of {expected}"
            );
            // NannyML has no threshold for the statistic of its chi-square test, but for the p-value.
            if let Some(expected) = case["threshold"].as_f64() {
                let threshold = &finding["thresholds"][0];
                let limit = threshold["at_most"].as_f64().or(threshold["at_least"].as_f64()).unwrap();
                assert!((limit - expected).abs() <= TOLERANCE * expected, "{method} of {column}: {limit}");
            }
            let says = if case["drifted"] == true { "drifted, says" } else { "did not drift, says" };
            assert!(finding["summary"].as_str().unwrap().contains(says), "{method} of {column}");
        }
    }
}

/// More rows a day than are kept without loss for our own distances.
#[test]
fn another_tool_sees_every_value_of_a_large_day() {
    let folder = Folder::empty();
    let mut log = String::from("at,x,score\n");
    for row in 0..20_000 {
        let day = 1 + row / 10_000;
        // Every value once, the second day's a little higher.
        let x = f64::from(row * 7919 % 10_000) + f64::from(day) * 100.0 + f64::from(row) * 1e-5;
        log.push_str(&format!("2024-01-0{day},{x},0.5\n"));
    }
    folder.write("log.csv", log);
    folder.write(
        "forewarn.toml",
        "[log]\npath = \"log.csv\"\ntime = \"at\"\nscore = \"score\"\nfeatures = [\"x\"]\n\
         [reference]\nwindow = \"2024-01-01/2024-01-02\"\n\
         [monitor]\ndrift = { every = \"day\", method = \"evidently-0.7:wasserstein\" }\n\
         multivariate = { enabled = false }\n",
    );
    for run in ["the first", "the second, from what was kept"] {
        let report = folder.run(&["check", "--window", "2024-01-02/2024-01-03", "--format", "json"]).report();
        let x = report.about("monitor.drift", "x");
        // A shift of 100.1 in values spread evenly over 10,000, whose deviation is 10,000 / √12.
        let value = measure(x, "evidently-0.7:wasserstein");
        assert!((value - 100.1 / (10_000.0 / 12_f64.sqrt())).abs() < 1e-6, "{run}: {value}");
        assert_eq!(measure(x, "wasserstein"), value, "{run}");
    }
}

#[test]
fn the_defect_of_another_tools_method_is_named() {
    let report = flights_by(&Folder::empty(), "evidently-0.7:psi");
    says(
        report.about("monitor.drift", "temp"),
        "fail",
        &["`evidently-0.7:psi`", "Beware", "outlier hides drift"],
    );
    let report = flights_by(&Folder::empty(), "nannyml-0.13:wasserstein");
    let origin = report.about("monitor.drift", "origin");
    assert_eq!(origin["detail"]["method"]["name"], "psi");
    let reason = origin["detail"]["method"]["reason"].as_str().unwrap();
    assert!(reason.contains("`nannyml-0.13:wasserstein` is not for such a column"), "{reason}");
}

#[test]
fn every_choice_says_why() {
    let report = flights_by(&Folder::empty(), "auto");
    for (column, reason) in [
        ("temp", "bins at quantiles of the reference"),
        ("day_of_week", "a number with 7 values"),
        ("origin", "a category with 3 values"),
    ] {
        let finding = report.about("monitor.drift", column);
        let method = &finding["detail"]["method"];
        assert_eq!(
            (&method["name"], &finding["measures"][0]["name"]),
            (&Value::from("psi"), &Value::from("psi"))
        );
        assert!(method["reason"].as_str().unwrap().contains(reason), "{method}");
    }
    let report = flights_by(&Folder::empty(), "energy_distance");
    let temp = report.about("monitor.drift", "temp");
    assert_eq!(temp["measures"][0]["name"], "scaled_energy_distance");
    assert_eq!(temp["thresholds"][0]["from"], "monitor.drift.fail");
}

#[test]
fn a_method_that_is_none_is_refused_with_the_nearest() {
    let refused = |drift: &str, parts: &[&str]| {
        let folder = Folder::small();
        folder.write(
            "forewarn.toml",
            definition_with("[gate", &format!("[monitor]\ndrift = {{ {drift} }}\n[gate")),
        );
        folder.run(&["check"]).refuses(parts);
    };
    refused(
        "method = \"wassertein\"",
        &["unknown method `wassertein`", "did you mean `wasserstein`?", "forewarn.toml:21"],
    );
    refused("method = \"evidently-0.7:psy\"", &["did you mean `evidently-0.7:psi`?"]);
    refused("method = \"chi_square\"", &["is a test", "cramers_v"]);
    refused(
        "method = \"evidently-0.7:psi\", warn = 0.2",
        &["has thresholds of its own", "choose a distance"],
    );
    refused("psi_warn = 0.2", &["unknown field `psi_warn`"]);
}
