//! Monitoring over time: what is made up for, what is read again, and what is not.

use std::time::{Duration, SystemTime};

use serde_json::Value;

use crate::fixture::{DEFINITION, Folder, Run, Table, definition_with};
use crate::flights::{facts, flights};

pub(crate) const DAYS: usize = 35;

/// The small log in one file a day, with a second week after the reference's four.
pub(crate) fn by_day() -> Folder {
    let folder = Folder::empty();
    folder.write("forewarn.toml", by_day_definition());
    let log = Table::small_log();
    let rows_a_day = log.len() / DAYS;
    for day in 0..DAYS {
        let rows = log.rows(|row| row / rows_a_day == day);
        folder.write(&file(day), rows.csv());
    }
    settle(&folder);
    folder
}

pub(crate) fn by_day_definition() -> String {
    DEFINITION.replace("log.csv", "log").replace("2024-01-29", "2024-01-22")
}

pub(crate) fn file(day: usize) -> String {
    format!("log/day-{day:02}.csv")
}

/// Files as old as a minute: a file that was just written is not trusted to stay as it is.
fn settle(folder: &Folder) {
    for day in 0..DAYS {
        age(folder, &file(day));
    }
}

pub(crate) fn age(folder: &Folder, name: &str) {
    let path = folder.path(name);
    if let Ok(file) = std::fs::File::options().append(true).open(path) {
        file.set_modified(SystemTime::now() - Duration::from_mins(1)).unwrap();
    }
}

pub(crate) fn monitored(folder: &Folder, arguments: &[&str]) -> Value {
    let run = folder.run(&[&["monitor", "--format", "json"], arguments].concat());
    assert_ne!(run.status, 2, "{}", run.stderr);
    serde_json::from_str(&run.stdout).unwrap()
}

pub(crate) fn records(folder: &Folder) -> Vec<Value> {
    let line = |line: &str| serde_json::from_str::<Value>(line).unwrap()["record"].clone();
    folder.evidence().lines().map(line).collect()
}

/// The windows of the drift findings among some records, each once.
fn drift_windows(records: &[Value]) -> Vec<String> {
    let drift = records.iter().filter(|record| record["finding"]["check"] == "monitor.drift");
    let mut windows: Vec<String> =
        drift.map(|record| record["finding"]["window"].as_str().unwrap().to_owned()).collect();
    windows.sort();
    windows.dedup();
    windows
}

#[test]
fn every_window_after_the_reference_is_made_up_for() {
    let folder = by_day();
    let report = monitored(&folder, &[]);
    assert_eq!(report["windows"], serde_json::json!(["2024-01-22/2024-01-29", "2024-01-29/2024-02-05"]));
    assert_eq!((report["files_read"].as_u64(), report["files"].as_u64()), (Some(35), Some(35)));
    assert_eq!(drift_windows(&records(&folder)), ["2024-01-22/2024-01-29", "2024-01-29/2024-02-05"]);
    let columns = report["drift"].as_array().unwrap();
    assert_eq!(columns.len(), 7, "four features, the score, the class and the outcome");
    for column in columns {
        let findings = column["findings"].as_array().unwrap();
        assert!(findings.iter().all(|finding| finding["verdict"] == "pass"), "{column:#}");
        assert_eq!(findings[1]["sequential"]["windows"], 2, "the second window continues from the first");
    }
}

#[test]
fn a_second_run_reads_no_file_and_records_nothing() {
    let folder = by_day();
    monitored(&folder, &[]);
    let recorded = records(&folder).len();
    let again = monitored(&folder, &[]);
    assert_eq!(again["files_read"], 0);
    monitored(&folder, &["--report", "monthly"]);
    assert_eq!(records(&folder).len(), recorded, "what is known is not recorded again");
}

#[test]
fn a_new_day_reads_that_day_alone() {
    let folder = by_day();
    let last = folder.read(&file(DAYS - 1));
    std::fs::remove_file(folder.path(&file(DAYS - 1))).unwrap();
    let before = monitored(&folder, &[]);
    assert_eq!(before["windows"].as_array().unwrap().len(), 1);
    folder.write(&file(DAYS - 1), last);
    let after = monitored(&folder, &[]);
    assert_eq!(after["files_read"], 1);
    assert_eq!(after["windows"].as_array().unwrap().len(), 2);
    let quality = after["quality"].as_array().unwrap();
    assert!(quality.iter().all(|finding| finding["verdict"] == "pass"), "a log grows: {quality:#?}");
}

#[test]
fn a_changed_file_is_told_and_what_rests_on_it_is_made_again() {
    let folder = by_day();
    monitored(&folder, &[]);
    let before = records(&folder).len();
    let changed = folder.read(&file(25)).replace("north", "south");
    folder.write(&file(25), changed);
    let report = monitored(&folder, &[]);
    assert_eq!(report["files_read"], 1);
    let again = drift_windows(&records(&folder)[before..]);
    // Day 25 lies in the first window, and the alarms of the second continue from it.
    assert_eq!(again, ["2024-01-22/2024-01-29", "2024-01-29/2024-02-05"]);
    let quality = &report["quality"][0];
    assert_eq!(quality["verdict"], "warn");
    let said = quality["summary"].as_str().unwrap();
    assert!(said.contains("1 file has another content") && said.contains("day-25.csv"), "{said}");
    // It is told once.
    let calm = monitored(&folder, &[]);
    assert_eq!(calm["files_read"], 0);
}

#[test]
fn a_file_that_vanished_is_told() {
    let folder = by_day();
    monitored(&folder, &[]);
    std::fs::remove_file(folder.path(&file(30))).unwrap();
    let report = monitored(&folder, &[]);
    let said = report["quality"][0]["summary"].as_str().unwrap();
    assert!(said.contains("1 file is gone") && said.contains("day-30.csv"), "{said}");
}

#[test]
fn since_leaves_earlier_windows_out() {
    let folder = by_day();
    let report = monitored(&folder, &["--since", "2024-01-29"]);
    assert_eq!(report["windows"], serde_json::json!(["2024-01-29/2024-02-05"]));
    assert_eq!(drift_windows(&records(&folder)), ["2024-01-29/2024-02-05"]);
    let late = folder.run(&["monitor", "--since", "2025-01-01"]);
    late.refuses(&["no whole window after --since 2025-01-01", "the log ends at 2024-02-04"]);
}

#[test]
fn a_day_and_a_window_without_rows_are_unknown_and_the_rest_is_still_made() {
    let folder = by_day();
    for day in 21..28 {
        std::fs::remove_file(folder.path(&file(day))).unwrap();
    }
    std::fs::remove_file(folder.path(&file(30))).unwrap();
    let report = monitored(&folder, &[]);
    for column in report["drift"].as_array().unwrap().iter().filter(|c| c["subject"]["kind"] == "feature") {
        let findings = column["findings"].as_array().unwrap();
        assert_eq!(findings[0]["verdict"], "unknown");
        assert!(findings[0]["summary"].as_str().unwrap().contains("too few rows"), "{findings:#?}");
        assert_eq!(findings[1]["verdict"], "pass");
    }
}

#[test]
fn a_feed_that_dies_is_an_alarm_and_the_page_and_the_terminal_say_so() {
    let folder = Folder::with_log(
        &definition_with("2024-01-29\"", "2024-01-29\""),
        &Table::small_log().with_in_window("x", 1, ""),
    );
    let run = folder.run(&["monitor", "--html", "monitoring.html"]);
    assert_ne!(run.status, 2, "{}", run.stderr);
    assert!(
        run.stdout.contains("x has moved") || run.stdout.contains("nothing yet to compare"),
        "{}",
        run.stdout
    );
    let page = folder.read("monitoring.html");
    assert!(page.contains("Drift") && !page.contains("http://") && page.contains("Small system"));
    let report = monitored(&folder, &[]);
    let columns = report["drift"].as_array().unwrap();
    let x = columns.iter().find(|column| column["subject"]["name"] == "x").unwrap();
    let finding = &x["findings"][0];
    assert_eq!(finding["verdict"], "fail");
    assert!(finding["summary"].as_str().unwrap().contains("Every value is missing"), "{finding:#}");
}

#[test]
fn markdown_is_a_series_and_junit_is_refused_before_anything_is_read() {
    let folder = by_day();
    let refused = |run: Run| run.refuses(&["JUnit", "--window"]);
    refused(folder.run(&["monitor", "--format", "junit"]));
    assert!(!folder.path(".forewarn/state.db").exists());
    let markdown = folder.run(&["monitor", "--format", "markdown"]).stdout;
    assert!(markdown.contains("Small system") && markdown.contains('|'), "{markdown}");
    folder.run(&["monitor", "--since", "2024-01-22", "--window", "2024-01-29/2024-02-05"]).exits(2);
}

#[test]
fn each_way_of_comparing_names_what_it_compares_with() {
    for (against, words) in [
        ("trailing", "the 3 windows before each"),
        ("same_hours", "the same hours of the 3 weeks before each"),
        ("last_year", "the same weeks of last year"),
    ] {
        let folder = by_day();
        let drift = format!("[monitor]\ndrift = {{ against = \"{against}\", windows = 3 }}\n\n[gate.deploy]");
        folder.write("forewarn.toml", by_day_definition().replace("[gate.deploy]", &drift));
        let report = monitored(&folder, &[]);
        assert_eq!(report["against"], words);
        let columns = report["drift"].as_array().unwrap();
        let features = || columns.iter().filter(|column| column["subject"]["kind"] == "feature");
        // The log has no last year to compare with, and says so.
        let expected = if against == "last_year" { "unknown" } else { "pass" };
        assert_eq!(features().count(), 4);
        for column in features() {
            assert_eq!(column["findings"][1]["verdict"], expected, "{against}: {column:#}");
        }
    }
}

/// The findings of a check about whole months of the flights, by window.
fn monthly<'r>(report: &'r Value, window: &str) -> &'r Value {
    let findings = report["performance"].as_array().unwrap();
    findings.iter().find(|finding| finding["window"] == window).unwrap_or_else(|| panic!("{window}"))
}

fn value(finding: &Value, name: &str) -> f64 {
    let measures = finding["measures"].as_array().unwrap();
    let measure = measures.iter().find(|measure| measure["name"] == name).unwrap_or_else(|| panic!("{name}"));
    measure["value"].as_f64().unwrap()
}

#[test]
fn the_flights_losses_are_followed_explained_and_held_against_what_columns_have_in_common() {
    let folder = flights();
    let report = monitored(&folder, &[]);
    let facts = &facts()["mean_daily_brier"];
    let reference = facts["2013-01-01/2013-05-01"].as_f64().unwrap();
    for month in ["2013-07-01/2013-08-01", "2013-11-01/2013-12-01"] {
        let finding = monthly(&report, month);
        // Squares are added up as multiples of 1e-9.
        assert!((value(finding, "mean_daily_loss") - facts[month].as_f64().unwrap()).abs() < 1e-9);
        assert!((value(finding, "reference_mean_daily_loss") - reference).abs() < 1e-9);
    }
    let december = monthly(&report, "2013-12-01/2014-01-01");
    assert_eq!(december["sequential"]["windows"], 8, "from May on, each month once");
    let divided = &december["detail"]["attribution"];
    let changes = divided["terms"].as_array().unwrap().iter().map(|term| term["change"].as_f64().unwrap());
    assert!((changes.sum::<f64>() - divided["total"].as_f64().unwrap()).abs() < 1e-9, "{divided:#}");
    let said = december["summary"].as_str().unwrap();
    assert!(said.contains("Of the rise of") && said.contains("mean Brier loss"), "{said}");
    // July is warmer than any day of the reference.
    let july = monthly(&report, "2013-07-01/2013-08-01");
    let missing = july["unmeasured"].as_array().unwrap();
    let reason = missing.iter().find(|missing| missing["name"] == "attribution").unwrap();
    assert!(july["detail"]["attribution"].is_null(), "{reason}");
    let weeks = report["multivariate"].as_array().unwrap();
    for week in weeks {
        let measures = week["measures"].as_array().unwrap();
        let error = measures.iter().find(|measure| measure["name"] == "pca_reconstruction_error").unwrap();
        assert!(error["interval"].is_object() && error["expected_by_chance"].as_f64().unwrap() > 0.0);
        assert!(value(week, "reference_reconstruction_change_share") > 0.0);
    }
}

#[test]
fn months_that_settle_one_after_the_other_give_the_same_bet_as_all_at_once() {
    let (at_once, step_by_step) = (flights(), flights());
    let expected = monitored(&at_once, &[]);
    for as_of in ["2013-08-05T00:00:00Z", "2013-08-20T00:00:00Z", "2013-11-02T00:00:00Z"] {
        monitored(&step_by_step, &["--as-of", as_of]);
    }
    let found = monitored(&step_by_step, &[]);
    for month in ["2013-07-01/2013-08-01", "2013-12-01/2014-01-01"] {
        let [found, expected] =
            [&found, &expected].map(|report| monthly(report, month)["sequential"].clone());
        assert_eq!(found["windows"], expected["windows"], "{month}");
        let [found, expected] =
            [&found, &expected].map(|bet| bet["streams"][0]["state"]["shift"]["log_capitals"].clone());
        let pairs = found.as_array().unwrap().iter().zip(expected.as_array().unwrap());
        for (found, expected) in pairs {
            let difference = found.as_f64().unwrap() - expected.as_f64().unwrap();
            assert!(difference.abs() < 0.05, "a late outcome or two may differ: {found} {expected}");
        }
    }
}
