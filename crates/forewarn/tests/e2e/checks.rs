//! What a check finds, and what its exit status says.

use crate::fixture::{DEFINITION, Folder, REFERENCE_ROWS, Table, definition_with, measure, says};

#[test]
fn a_sound_log_opens_the_gate() {
    let report = Folder::small().report(0);
    assert_eq!(report.0["gates"][0]["open"], true);
    assert_eq!(report.text("window"), "2024-01-29/2024-02-05");
    let drift = report.findings("monitor.drift");
    assert_eq!(drift.len(), 7, "four features, the score, the class and the outcome");
    assert!(drift.iter().all(|finding| finding["verdict"] == "pass"));
    says(report.finding("monitor.quality"), "pass", &[]);
}

#[test]
fn a_limit_out_of_reach_shuts_the_gate() {
    let limit = "[evaluate]\nperformance = { metric = \"roc_auc\", at_least = 0.99 }\n\n[gate";
    let folder = Folder::with_log(&definition_with("[gate", limit), &Table::small_log());
    let report = folder.report(1);
    assert_eq!(report.need("evaluate.performance"), "failed");
    says(report.finding("evaluate.performance"), "fail", &["0.990", "surely is not"]);
}

#[test]
fn scores_that_promise_too_much_fail_calibration_and_shut_the_gate() {
    // The square root keeps the order of the scores and lifts them all.
    let log =
        Table::small_log().with("score", |_, score| format!("{:.6}", score.parse::<f64>().unwrap().sqrt()));
    let report = Folder::with_log(DEFINITION, &log).report(1);
    assert_eq!(report.need("evaluate.calibration"), "failed");
    says(report.finding("evaluate.calibration"), "fail", &["too high"]);
    assert_ne!(report.need("evaluate.performance"), "failed");
}

#[test]
fn without_a_gate_nothing_is_shut() {
    let definition = DEFINITION.split("[gate.deploy]").next().unwrap();
    let report = Folder::with_log(definition, &Table::small_log()).report(0);
    assert_eq!(report.0["gates"], serde_json::json!([]));
}

#[test]
fn a_shift_is_found_in_spite_of_one_far_outlier() {
    let shift = |row: usize, x: &str| match row {
        _ if row < REFERENCE_ROWS => x.to_owned(),
        REFERENCE_ROWS => "1e4".to_owned(),
        _ => format!("{:.3}", x.parse::<f64>().unwrap() + 6.0),
    };
    let report = Folder::with_log(DEFINITION, &Table::small_log().with("x", shift)).report(0);
    says(report.about("monitor.drift", "x"), "fail", &["`x`", "higher", "`crm`"]);
    for still in ["amount", "colour", "region", "score"] {
        says(report.about("monitor.drift", still), "pass", &[]);
    }
}

#[test]
fn an_unseen_category_is_found_and_counted() {
    let log = Table::small_log().with_in_window("colour", 4, "violet");
    let report = Folder::with_log(DEFINITION, &log).report(0);
    let colour = report.about("monitor.drift", "colour");
    says(colour, "fail", &["violet"]);
    assert_eq!(measure(colour, "unseen_share"), 0.25);
}

#[test]
fn values_that_go_missing_are_found() {
    let log = Table::small_log().with_in_window("amount", 5, "");
    let report = Folder::with_log(DEFINITION, &log).report(0);
    let amount = report.about("monitor.drift", "amount");
    says(amount, "fail", &["missing in 20.1 %"]);
    assert_eq!(measure(amount, "missing_share_change"), 135.0 / 672.0);
}

#[test]
fn the_worst_segment_is_named_with_its_rows() {
    // In the east the score says nothing about the label.
    let mut log = Table::small_log();
    let regions: Vec<String> = (0..log.len()).map(|row| log.cell(row, "region").to_owned()).collect();
    log = log.with(
        "label",
        |row, label| {
            if regions[row] == "east" { (row % 2).to_string() } else { label.to_owned() }
        },
    );
    let limit =
        "[evaluate]\nmin_rows = 50\nworst_segment = { metric = \"roc_auc\", at_least = 0.7 }\n\n[gate";
    let folder = Folder::with_log(&definition_with("[gate", limit), &log);
    let report = folder.report(1);
    let worst = report.finding("evaluate.worst_segment");
    says(worst, "fail", &["region = east", "surely is not"]);
    let east = regions[REFERENCE_ROWS..].iter().filter(|region| *region == "east").count();
    assert_eq!(worst["detail"]["rows"][0]["rows"], east);
    assert_eq!(worst["subject"]["value"], "east");
}

#[test]
fn segments_may_be_expressions() {
    let segments =
        r#"["region", { name = "size", sql = "CASE WHEN amount < 20 THEN 'small' ELSE 'large' END" }]"#;
    let folder = Folder::with_log(&definition_with(r#"["region"]"#, segments), &Table::small_log());
    let report = folder.report(0);
    let rows = report.finding("evaluate.worst_segment")["detail"]["rows"].as_array().unwrap().clone();
    let sizes = rows.iter().filter(|row| row["column"] == "size");
    let mut values: Vec<&str> = sizes.map(|row| row["value"].as_str().unwrap()).collect();
    values.sort_unstable();
    assert_eq!(values, ["large", "small"]);
    assert_eq!(rows.len(), 5);
}

#[test]
fn a_log_may_be_a_file_a_folder_or_a_glob() {
    let log = Table::small_log();
    let folder = Folder::empty();
    folder.write("whole.csv", log.csv());
    folder.write("parts/a.csv", log.rows(|row| row < 1000).csv());
    folder.write("parts/deeper/b.csv", log.rows(|row| row >= 1000).csv());
    folder.write("parts/notes.txt", "not a log");
    let mut reports = Vec::new();
    for path in ["whole.csv", "parts", "parts/**/*.csv"] {
        folder.write("forewarn.toml", definition_with("log.csv", path));
        let report = folder.report(0);
        reports.push(report.0["findings"].as_array().unwrap().clone());
    }
    assert_eq!(reports[0], reports[1]);
    assert_eq!(reports[1], reports[2]);
}

#[test]
fn files_of_one_table_may_order_their_columns_differently() {
    let log = Table::small_log();
    let folder = Folder::empty();
    let reordered = ["label", "score", "amount", "x", "region", "colour", "at", "id"];
    folder.write("whole/log.csv", log.csv());
    folder.write("parts/a.csv", log.rows(|row| row < REFERENCE_ROWS).csv());
    folder.write("parts/b.csv", log.rows(|row| row >= REFERENCE_ROWS).select(&reordered).csv());
    let drift = |path: &str| {
        folder.write("forewarn.toml", definition_with("log.csv", path));
        let report = folder.report(0);
        report.findings("monitor.drift").into_iter().cloned().collect::<Vec<_>>()
    };
    assert_eq!(drift("whole"), drift("parts"));
}

#[test]
fn a_column_that_a_file_lacks_is_missing_there() {
    let log = Table::small_log();
    let without = ["id", "at", "x", "colour", "region", "score", "label"];
    let folder = Folder::empty();
    folder.write("forewarn.toml", definition_with("log.csv", "parts"));
    folder.write("parts/a.csv", log.rows(|row| row < REFERENCE_ROWS).csv());
    folder.write("parts/b.csv", log.rows(|row| row >= REFERENCE_ROWS).select(&without).csv());
    let report = folder.report(1);
    says(
        report.about("monitor.quality", "amount"),
        "fail",
        &["`amount` is gone: no longer there from parts/b.csv (2024-01-29) on"],
    );
}

#[test]
fn a_definition_may_be_named_by_its_folder_or_itself() {
    let folder = Folder::small();
    folder.run(&["check"]).exits(0);
    folder.run(&["check", "."]).exits(0);
    folder.run(&["check", "forewarn.toml"]).exits(0);
    std::fs::rename(folder.path("forewarn.toml"), folder.path("other.toml")).unwrap();
    folder.run(&["check", "other.toml"]).exits(0);
    folder.run(&["check"]).refuses(&["has no forewarn.toml", "forewarn init"]);
}

#[test]
fn a_window_may_be_given_to_the_minute() {
    let folder = Folder::small();
    let window = "2024-01-30T06:00:00Z/2024-02-04T18:30:00Z";
    let report = folder.run(&["check", "--window", window, "--format", "json"]).report();
    assert_eq!(report.text("window"), window);
    // Five days and twelve and a half hours, a row every quarter of an hour.
    let rows = report.finding("evaluate.outcomes")["detail"]["predictions"].as_u64().unwrap();
    assert_eq!(rows, 5 * 96 + 50);
}
