//! The example that new users run first: a real model on real data.
//!
//! The expected numbers were computed by pandas, SciPy and scikit-learn
//! (`testdata/reference/make_flights.py`), not by this program.

use std::path::Path;
use std::sync::OnceLock;

use serde_json::Value;

use crate::fixture::{Folder, Report, measure, repository, says};

const WEEK: &str = "2013-06-03/2013-06-10";

/// Largest relative difference to another tool's number.
const TOLERANCE: f64 = 1e-9;

/// The example in a folder of its own, so that evidence is not written into the repository.
pub(crate) fn flights() -> Folder {
    let folder = Folder::empty();
    let example = repository("examples/flights");
    folder.write("forewarn.toml", std::fs::read(example.join("forewarn.toml")).unwrap());
    for table in ["data/predictions", "data/outcomes"] {
        copy_files(&example.join(table), &folder, table);
    }
    folder
}

fn copy_files(from: &Path, folder: &Folder, table: &str) {
    for entry in std::fs::read_dir(from).unwrap() {
        let path = entry.unwrap().path();
        let name = path.file_name().unwrap().to_str().unwrap();
        folder.write(&format!("{table}/{name}"), std::fs::read(&path).unwrap());
    }
}

struct Checked {
    report: Report,
    html: String,
}

/// One check of one week, shared by the tests that only look at it.
fn checked() -> &'static Checked {
    static CHECKED: OnceLock<Checked> = OnceLock::new();
    CHECKED.get_or_init(|| {
        let folder = flights();
        let arguments = ["check", "--window", WEEK, "--format", "json", "--html", "report.html"];
        // The gate `deploy` is open, and `promise`, which needs what averages hide too, is shut.
        let report = folder.run(&arguments).exits(1).report();
        Checked { report, html: folder.read("report.html") }
    })
}

pub(crate) fn facts() -> Value {
    let text = std::fs::read_to_string(repository("testdata/reference/flights.json")).unwrap();
    serde_json::from_str(&text).unwrap()
}

#[test]
fn every_feature_the_score_and_the_class_are_judged_with_the_source_that_they_come_from() {
    let report = &checked().report;
    let drift = report.findings("monitor.drift");
    let of_kind = |kind: &str| drift.iter().filter(|f| f["subject"]["kind"] == kind).count();
    assert_eq!((of_kind("feature"), of_kind("score"), of_kind("predicted_class")), (25, 1, 1));
    assert_eq!(of_kind("outcome"), 1);
    assert_eq!(drift.len(), 28);
    assert_eq!(report.about("monitor.drift", "temp")["subject"]["source"], "weather");
    assert_eq!(report.about("monitor.drift", "plane_year")["subject"]["source"], "planes");
    assert!(drift.iter().all(|finding| finding["verdict"] != "unknown"));
    assert_eq!(
        report.checks(),
        [
            "evaluate.calibration",
            "evaluate.errors",
            "evaluate.outcomes",
            "evaluate.performance",
            "evaluate.slices",
            "evaluate.tail",
            "evaluate.worst_segment",
            "evaluate.worst_subpopulation",
            "monitor.drift",
            "monitor.multivariate",
            "monitor.performance",
            "monitor.quality"
        ]
    );
}

#[test]
fn the_html_report_is_whole_in_one_file() {
    let html = &checked().html;
    assert!(html.starts_with("<!DOCTYPE html>") && html.trim_end().ends_with("</html>"));
    assert!(html.contains("Flight delay predictor") && html.contains("<svg"));
    for request in [
        "src=\"http",
        "href=\"http",
        "url(http",
        "@import",
        "<link rel=\"stylesheet",
        "<script src",
        "<iframe",
    ] {
        assert!(!html.contains(request), "the report asks for something else: {request}");
    }
}

#[test]
fn every_number_is_what_scikit_learn_scipy_and_pandas_say() {
    let facts = facts();
    let report = &checked().report;
    check_performance(report, &facts);
    check_segments_and_coverage(report, &facts);
    check_drift(report, &facts);
}

fn check_performance(report: &Report, facts: &Value) {
    let performance = report.finding("evaluate.performance");
    let expected = &facts["performance"];
    for metric in
        ["roc_auc", "average_precision", "brier", "log_loss", "accuracy", "precision", "recall", "f1"]
    {
        check_near(metric, measure(performance, metric), &expected[metric]);
    }
    let reference = &facts["reference_performance"]["roc_auc"];
    let loss = reference.as_f64().unwrap() - expected["roc_auc"].as_f64().unwrap();
    let measured = measure(performance, "loss_against_reference");
    assert!((measured - loss).abs() < 1e-12, "loss {measured}, expected {loss}");
}

fn check_segments_and_coverage(report: &Report, facts: &Value) {
    let coverage = &report.finding("evaluate.outcomes")["detail"];
    assert_eq!(coverage["predictions"], facts["rows"]["window"]);
    assert_eq!(coverage["with_outcome"], facts["outcomes"]["with_outcome"]);
    assert_eq!(coverage["without_outcome"], facts["outcomes"]["without_outcome"]);
    let segments = &report.finding("evaluate.worst_segment")["detail"]["rows"];
    let origins = segments.as_array().unwrap().iter().filter(|row| row["column"] == "origin");
    let mut compared = 0;
    for row in origins {
        let expected = &facts["origin"][row["value"].as_str().unwrap()];
        assert_eq!(row["rows"], expected["rows"]);
        assert_eq!(row["positives"], expected["positives"]);
        check_near("ROC AUC of an origin", row["measure"]["value"].as_f64().unwrap(), &expected["roc_auc"]);
        compared += 1;
    }
    assert_eq!(compared, 3);
}

fn check_drift(report: &Report, facts: &Value) {
    let of = |column: &str| report.about("monitor.drift", column);
    for (column, expected) in facts["numeric_drift"].as_object().unwrap() {
        for name in ["kolmogorov_smirnov", "wasserstein"] {
            check_near(&format!("{name} of {column}"), measure(of(column), name), &expected[name]);
        }
    }
    for (column, expected) in facts["missing_share_change"].as_object().unwrap() {
        let name = "missing_share_change";
        check_near(&format!("{name} of {column}"), measure(of(column), name), expected);
    }
    // The carriers are not compared: some are so rare that the program tests them as one.
    let origin = &facts["categorical_drift"]["origin"];
    check_near("chi-square of origin", measure(of("origin"), "chi_square"), &origin["chi_square"]);
    let rows = |column: &str| of(column)["measures"][0]["n"].as_u64().unwrap();
    assert_eq!(rows("origin"), facts["rows"]["window"].as_u64().unwrap());
}

#[track_caller]
fn check_near(what: &str, measured: f64, expected: &Value) {
    let expected = expected.as_f64().unwrap();
    let difference = (measured - expected).abs();
    assert!(difference <= TOLERANCE * expected.abs(), "{what} is {measured}, another tool says {expected}");
}

fn gate(report: &Report, name: &str) -> Value {
    let gates = report.0["gates"].as_array().unwrap();
    gates.iter().find(|gate| gate["gate"] == name).unwrap()["open"].clone()
}

#[test]
fn a_gate_on_averages_holds_in_the_last_week_and_one_on_edge_cases_does_not() {
    let folder = flights();
    let report = folder.run(&["check", "--format", "json"]).exits(1).report();
    assert_eq!((gate(&report, "deploy"), gate(&report, "promise")), (true.into(), false.into()));
    let tail = report.finding("evaluate.tail");
    says(tail, "fail", &["numbers outside the reference's range", "surely more than the 1.75 ×"]);
    assert_eq!(tail["owner"], "passenger-care");
    assert_eq!(report.finding("evaluate.performance")["verdict"], "pass");
}

#[test]
fn the_gate_is_open_in_a_quiet_week_and_shut_when_the_model_fails() {
    let folder = flights();
    let quiet =
        folder.run(&["check", "--window", "2013-05-13/2013-05-20", "--format", "json"]).exits(1).report();
    assert_eq!(gate(&quiet, "deploy"), true);
    // Averages hold, and a slice does not.
    assert_eq!(gate(&quiet, "promise"), false);
    says(quiet.finding("evaluate.slices"), "fail", &["surely more than the 2.00 ×"]);
    for check in ["evaluate.performance", "evaluate.worst_segment", "evaluate.calibration"] {
        assert!(["met", "warned"].contains(&quiet.need(check)), "{check}");
    }
    // In the third week of September the delays are rare and the scores much too high.
    let bad =
        folder.run(&["check", "--window", "2013-09-16/2013-09-23", "--format", "json"]).exits(1).report();
    assert_eq!(gate(&bad, "deploy"), false);
    assert_eq!(bad.need("evaluate.performance"), "failed");
    assert_eq!(bad.need("evaluate.calibration"), "failed");
    // The latest run counts: a good week afterwards opens the gate again.
    let again =
        folder.run(&["check", "--window", "2013-05-13/2013-05-20", "--format", "json"]).exits(1).report();
    assert_eq!(gate(&again, "deploy"), true);
}

#[test]
fn as_of_chooses_the_week_before_and_uses_no_outcome_that_came_later() {
    let folder = flights();
    let as_of = |instant: &str| {
        let run = folder.run(&["evaluate", "--as-of", instant, "--format", "json"]);
        assert_ne!(run.status, 2, "{}", run.stderr);
        run.report()
    };
    let with_outcome =
        |report: &Report| report.finding("evaluate.outcomes")["detail"]["with_outcome"].clone();
    let facts = facts();
    let later = as_of("2013-06-12");
    assert_eq!(later.text("window"), WEEK);
    assert_eq!(later.text("as_of"), "2013-06-12T00:00:00Z");
    assert_eq!(with_outcome(&later), facts["outcomes"]["with_outcome"]);
    let at_the_end = as_of("2013-06-10");
    assert_eq!(at_the_end.text("window"), WEEK);
    assert_eq!(with_outcome(&at_the_end), facts["outcomes"]["with_outcome_known_at_window_end"]);
}

#[test]
fn monitor_and_evaluate_make_only_their_own_checks() {
    let folder = flights();
    let checks = |practice: &str| {
        let run = folder.run(&[practice, "--window", WEEK, "--format", "json"]);
        assert_ne!(run.status, 2, "{}", run.stderr);
        run
    };
    // The gate needs evaluation, which was never made.
    let monitored = checks("monitor").exits(1).report();
    assert_eq!(
        monitored.checks(),
        ["monitor.drift", "monitor.multivariate", "monitor.performance", "monitor.quality"]
    );
    assert_eq!(monitored.need("evaluate.performance"), "missing");
    // Now both halves are on record, so together they open it.
    let evaluated = checks("evaluate").exits(1).report();
    assert_eq!(gate(&evaluated, "deploy"), true);
    assert_eq!(evaluated.checks().len(), 8);
    let findings = |report: &Report| report.0["findings"].as_array().unwrap().clone();
    let both = [findings(&evaluated), findings(&monitored)].concat();
    assert_eq!(both, findings(&checked().report), "half a check says the same as the whole");
}

#[test]
fn the_same_check_gives_the_same_numbers() {
    let again = flights().run(&["check", "--window", WEEK, "--format", "json"]).exits(1).report();
    assert_eq!(again.without_run(), checked().report.clone().without_run());
}

#[test]
fn without_a_window_the_last_whole_week_is_checked() {
    let run = flights().run(&["check", "--format", "json"]);
    assert_eq!(run.report().text("window"), "2013-12-23/2013-12-30");
}

/// Rows of Parquet that have been destroyed behind a file's back are not missed, because nobody reads them:
/// its size, its time of modification and its footer are as they were.
#[test]
fn what_was_profiled_is_not_read_again() {
    let folder = flights();
    let path = folder.path("data/predictions/2013-12.parquet");
    let modified = std::time::SystemTime::now() - std::time::Duration::from_hours(1);
    let age = || std::fs::File::options().append(true).open(&path).unwrap().set_modified(modified).unwrap();
    age();
    let arguments = ["monitor", "--since", "2013-12-16", "--format", "json"];
    let monitored = || {
        let run = folder.run(&arguments);
        assert_ne!(run.status, 2, "{}", run.stderr);
        serde_json::from_str::<Value>(&run.stdout).unwrap()
    };
    let first = monitored();
    assert_eq!(first["files_read"], 12);
    let mut bytes = std::fs::read(&path).unwrap();
    let (rows, footer) = (4, 400_000);
    bytes[rows..footer].fill(0xAA);
    std::fs::write(&path, bytes).unwrap();
    age();
    let again = monitored();
    assert_eq!(again["files_read"], 0);
    assert_eq!(again["drift"], first["drift"]);
}
