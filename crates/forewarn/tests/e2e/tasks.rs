//! Several classes and predicted numbers through the program: figures beside scikit-learn's and NannyML's
//! of the same rows (`testdata/reference/make_task_logs.py`), and what is wrong with a log of each task.

use serde_json::Value;

use crate::fixture::{Folder, Report, Table, measure, repository, says};

const CARDS: &str = r#"[system]
id = "cards"

[model]
task = "multiclass"

[log]
path = "cards.csv"
id = "id"
time = "at"
scores = { highstreet_card = "y_pred_proba_highstreet_card", prepaid_card = "y_pred_proba_prepaid_card", upmarket_card = "y_pred_proba_upmarket_card" }
predicted = "y_pred"
outcome = { column = "y_true" }
segments = ["app_channel"]

[reference]
window = "2024-01-01/2024-02-01"

[monitor]
performance = { metric = "macro_f1", min_rows = 90 }

[evaluate]
min_rows = 100

[gate.deploy]
needs = ["evaluate.*"]
"#;

const CARS: &str = r#"[system]
id = "cars"

[model]
task = "regression"

[log]
path = "cars.parquet"
id = "id"
time = "at"
predicted = "y_pred"
outcome = { path = "cars-sold.parquet", column = "y_true", time = "sold" }
segments = ["fuel"]

[reference]
window = "2024-01-01/2024-02-01"

[monitor]
performance = { min_rows = 100 }

[evaluate]
min_rows = 100

[gate.deploy]
needs = ["evaluate.*"]
"#;

const FEBRUARY: &str = "2024-02-01/2024-03-01";
const MARCH: &str = "2024-03-01/2024-04-01";

fn folder(definition: &str, files: &[&str]) -> Folder {
    let folder = Folder::empty();
    folder.write("forewarn.toml", definition);
    for file in files {
        folder.write(file, std::fs::read(repository("testdata/tasks").join(file)).unwrap());
    }
    folder
}

fn cards() -> Folder {
    folder(CARDS, &["cards.csv"])
}

fn cars() -> Folder {
    folder(CARS, &["cars.parquet", "cars-sold.parquet"])
}

/// What other software says of a month of a log.
fn expected(log: &str, month: &str) -> Value {
    let text = std::fs::read_to_string(repository("testdata/reference/task_logs.json")).unwrap();
    let content: Value = serde_json::from_str(&text).unwrap();
    content[log][month].clone()
}

fn checked(folder: &Folder, arguments: &[&str]) -> Report {
    let run = folder.run(&[&["check", "--format", "json"], arguments].concat());
    assert_ne!(run.status, 2, "{}", run.stderr);
    run.report()
}

#[track_caller]
fn close(found: f64, expected: f64, relative: f64, what: &str) {
    let allowed = relative * expected.abs();
    assert!((found - expected).abs() <= allowed, "{what}: {found}, not {expected}");
}

/// All metrics of a finding equal scikit-learn's.
#[track_caller]
fn equals(finding: &Value, expected: &Value) {
    for (metric, value) in expected.as_object().unwrap() {
        close(measure(finding, metric), value.as_f64().unwrap(), 1e-9, metric);
    }
}

/// The rows of segments equal scikit-learn's.
#[track_caller]
fn segments_equal(rows: &Value, expected: &Value) {
    for (value, metric) in expected.as_object().unwrap() {
        let row = rows.as_array().unwrap().iter().find(|row| row["value"] == value.as_str());
        let row = row.unwrap_or_else(|| panic!("no segment {value} in {rows:#}"));
        close(row["measure"]["value"].as_f64().unwrap(), metric.as_f64().unwrap(), 1e-9, value);
        assert!(row["positives"].is_null(), "there is no positive class");
    }
}

#[test]
fn several_classes_are_measured_as_by_scikit_learn() {
    let folder = cards();
    for (window, month) in [(FEBRUARY, "2024-02"), (MARCH, "2024-03")] {
        let report = checked(&folder, &["--window", window]);
        let expected = expected("cards", month);
        let performance = report.finding("evaluate.performance");
        equals(performance, &expected["realised"]);
        assert_eq!(performance["measures"][0]["name"], "macro_roc_auc", "the default of the task");
        let watched = report.finding("monitor.performance");
        let realised = watched["detail"]["realised"]["value"].as_f64().unwrap();
        close(realised, expected["realised"]["macro_f1"].as_f64().unwrap(), 1e-9, "macro_f1");
        segments_equal(&watched["detail"]["segments"], &expected["segments"]);
        let estimated = watched["detail"]["estimated"]["value"].as_f64().unwrap();
        // NannyML tries calibration out on another part of the reference, and may decide otherwise.
        close(estimated, expected["estimated"]["macro_f1"].as_f64().unwrap(), 0.02, "estimated macro_f1");
    }
    let report = checked(&folder, &["--window", MARCH]);
    says(report.finding("evaluate.performance"), "fail", &["macro ROC AUC", "surely more"]);
    says(report.finding("monitor.performance"), "fail", &["Macro F1 was", "app_channel = store"]);
    says(
        report.finding("evaluate.calibration"),
        "warn",
        &["probabilities of the predicted class", "too high"],
    );
}

#[test]
fn every_probability_the_called_class_and_the_outcome_are_watched_for_drift() {
    let report = checked(&cards(), &["--window", MARCH]);
    for class in ["highstreet_card", "prepaid_card", "upmarket_card"] {
        let name = format!("y_pred_proba_{class}");
        assert_eq!(report.about("monitor.drift", &name)["subject"]["kind"], "score");
    }
    let drift = report.findings("monitor.drift");
    let of = |kind: &str| drift.iter().filter(|finding| finding["subject"]["kind"] == kind).count();
    assert_eq!((of("predicted_class"), of("outcome"), of("feature")), (1, 1, 5));
    let outcome = drift.iter().find(|finding| finding["subject"]["kind"] == "outcome").unwrap();
    let labels: Vec<&str> = outcome["detail"]["bins"]
        .as_array()
        .unwrap()
        .iter()
        .map(|bin| bin["label"].as_str().unwrap())
        .collect();
    assert!(labels.contains(&"prepaid_card"), "{labels:?}");
}

/// What scikit-learn says that days of a log lost (`testdata/reference/make_daily_losses.py`), beside the check.
#[track_caller]
fn days_lost(folder: &Folder, log: &str, loss: &str) {
    let text = std::fs::read_to_string(repository("testdata/reference/daily_losses.json")).unwrap();
    let expected: Value = serde_json::from_str(&text).unwrap();
    let expected = &expected[log][loss];
    for (window, month) in [(FEBRUARY, "2024-02"), (MARCH, "2024-03")] {
        let report = checked(folder, &["--window", window]);
        let watched = report.finding("monitor.performance");
        for (name, month) in [("mean_daily_loss", month), ("reference_mean_daily_loss", "2024-01")] {
            close(measure(watched, name), expected[month]["loss"].as_f64().unwrap(), 1e-7, name);
        }
    }
}

#[test]
fn what_days_lost_is_as_by_scikit_learn() {
    days_lost(&cards(), "cards", "wrong");
    days_lost(&folder(&CARDS.replace("macro_f1", "macro_roc_auc"), &["cards.csv"]), "cards", "brier");
    let limited = CARS.replace("min_rows = 100 }", "min_rows = 100, largest_error = 2000 }");
    let limited = folder(&limited, &["cars.parquet", "cars-sold.parquet"]);
    days_lost(&limited, "cars", "absolute");
}

#[test]
fn a_rise_of_the_loss_is_explained_for_every_task() {
    // Of the cards' inputs the score of the bureau drifted in March, and more is wrong.
    let report = checked(&cards(), &["--window", MARCH]);
    let watched = report.finding("monitor.performance");
    let of = &watched["detail"]["attribution"];
    assert_eq!(of["of"], "change of the share of wrong predictions against the reference", "{watched:#}");
    let terms = of["terms"].as_array().unwrap();
    let total: f64 = terms.iter().map(|term| term["change"].as_f64().unwrap()).sum();
    let expected = expected("cards", "2024-01")["realised"]["accuracy"].as_f64().unwrap()
        - expected("cards", "2024-03")["realised"]["accuracy"].as_f64().unwrap();
    // All rows of the log are drawn, so that the parts add up to the change of all.
    close(total, expected, 1e-9, "change");
    says(watched, "fail", &["share of wrong predictions"]);
}

#[test]
fn numbers_are_bet_on_where_the_largest_error_is_named() {
    let report = checked(&cars(), &["--window", FEBRUARY]);
    let unmeasured = &report.finding("monitor.performance")["unmeasured"];
    let harm = unmeasured.as_array().unwrap().iter().find(|missing| missing["name"] == "harm").unwrap();
    let reason = harm["reason"].as_str().unwrap();
    assert!(reason.contains("monitor.performance.largest_error (99 % of the reference's errors"), "{reason}");
    let binary = folder(&CARDS.replace("min_rows = 90", "largest_error = 3"), &["cards.csv"]);
    let refused = binary.run(&["check"]);
    assert_eq!(refused.status, 2);
    assert!(refused.stderr.contains("monitor.performance.largest_error"), "{}", refused.stderr);
}

#[test]
fn without_a_column_for_it_the_likeliest_class_is_the_predicted_one() {
    let named = checked(&cards(), &["--window", FEBRUARY]);
    let told = folder(&CARDS.replace("predicted = \"y_pred\"\n", "ignore = [\"y_pred\"]\n"), &["cards.csv"]);
    let told = checked(&told, &["--window", FEBRUARY]);
    let accuracy = |report: &Report| measure(report.finding("evaluate.performance"), "accuracy");
    // The two differ where two classes are equally likely only.
    close(accuracy(&told), accuracy(&named), 0.01, "accuracy");
    let class = |report: &Report| {
        let drift = report.findings("monitor.drift");
        drift.into_iter().find(|finding| finding["subject"]["kind"] == "predicted_class").unwrap().clone()
    };
    assert_eq!(class(&told)["verdict"], class(&named)["verdict"]);
}

#[test]
fn predicted_numbers_are_measured_as_by_scikit_learn() {
    let folder = cars();
    for (window, month) in [(FEBRUARY, "2024-02"), (MARCH, "2024-03")] {
        let report = checked(&folder, &["--window", window]);
        let expected = expected("cars", month);
        equals(report.finding("evaluate.performance"), &expected["realised"]);
        let watched = report.finding("monitor.performance");
        segments_equal(&watched["detail"]["segments"], &expected["segments"]);
        let estimated = &watched["detail"]["estimated"];
        let (lower, upper) = (&estimated["interval"]["lower"], &estimated["interval"]["upper"]);
        // Two learners of the same losses: as far apart as the interval of one of them.
        let nannyml = expected["estimated"]["mae"].as_f64().unwrap();
        assert!(
            (lower.as_f64().unwrap()..upper.as_f64().unwrap()).contains(&nannyml),
            "{estimated:#} {nannyml}"
        );
        assert!(watched["detail"]["estimated_for_shift"].is_null());
        assert!(report.findings("evaluate.calibration").is_empty(), "a number promises no probability");
        assert!(
            report.0["gates"][0]["needs"]
                .as_array()
                .unwrap()
                .iter()
                .all(|need| need["check"] != "evaluate.calibration")
        );
    }
    let worst = checked(&folder, &["--window", FEBRUARY]);
    let worst = worst.finding("evaluate.worst_segment");
    assert_eq!(worst["detail"]["metric"], "mae");
    segments_equal(&worst["detail"]["rows"], &expected("cars", "2024-02")["segments"]);
}

#[test]
fn before_prices_are_known_the_error_is_estimated_from_the_inputs() {
    let report = checked(&cars(), &["--window", FEBRUARY, "--as-of", "2024-03-01"]);
    let watched = report.finding("monitor.performance");
    assert_ne!(watched["detail"]["maturity"]["state"], "settled");
    assert_ne!(watched["verdict"], "pass", "an estimate vouches for nothing");
    says(
        watched,
        watched["verdict"].as_str().unwrap(),
        &["Mean absolute error is estimated at", "from inputs alone"],
    );
    let outcome = report.findings("monitor.drift");
    let outcome = outcome.iter().find(|finding| finding["subject"]["kind"] == "outcome").unwrap();
    says(outcome, "unknown", &["of the window's outcomes have arrived"]);
}

#[test]
fn prices_that_drift_are_told_when_they_are_known() {
    let report = checked(&cars(), &["--window", MARCH]);
    let drift = report.findings("monitor.drift");
    let outcome = drift.iter().find(|finding| finding["subject"]["kind"] == "outcome").unwrap();
    assert!(measure(outcome, "psi") >= 0.0);
    assert_eq!(report.about("monitor.drift", "y_pred")["subject"]["kind"], "score");
    assert!(drift.iter().all(|finding| finding["subject"]["kind"] != "predicted_class"));
}

/// Four weeks and one, an hourly prediction with what came out of it; the error is 1 or −1 in turn.
fn hourly(definition_of_outcome: &str) -> (String, Table) {
    let mut table = Table::new(&["at", "x", "predicted", "came"]);
    for hour in 0..35 * 24_i64 {
        let at = jiff::Timestamp::from_second(1_704_067_200 + 3600 * hour).unwrap();
        let x = (hour * 37 % 101) as f64;
        let came = x + if hour % 2 == 0 { 1.0 } else { -1.0 };
        table.push(&[&at.to_string(), &x.to_string(), &x.to_string(), &came.to_string()]);
    }
    let definition = format!(
        "[model]\ntask = \"regression\"\n[log]\npath = \"log.csv\"\ntime = \"at\"\npredicted = \"predicted\"\n{definition_of_outcome}\n[reference]\nwindow = \"2024-01-01/2024-01-29\"\n[evaluate]\nmin_rows = 100\n"
    );
    (definition, table)
}

const FIRST_OF_WINDOW: usize = 28 * 24;

#[test]
fn predictions_and_outcomes_that_are_no_numbers_are_counted_and_left_out() {
    let (definition, table) = hourly("outcome = { column = \"came\" }");
    let table = table
        .with("predicted", |row, cell| match row.checked_sub(FIRST_OF_WINDOW) {
            Some(0..4) => "inf".into(),
            Some(4..8) => "NaN".into(),
            Some(8..10) => String::new(),
            _ => cell.into(),
        })
        .with("came", |row, cell| if row == FIRST_OF_WINDOW + 20 { "inf".into() } else { cell.into() });
    let report = Folder::with_log(&definition, &table).report(0);
    let unusable = report.about("monitor.quality", "predicted");
    says(
        unusable,
        "fail",
        &["10 predictions have no usable number", "2 missing, 4 not a number, 4 infinite"],
    );
    let performance = report.finding("evaluate.performance");
    assert_eq!(measure(performance, "mae"), 1.0);
    assert_eq!(performance["measures"][0]["n"], 7 * 24 - 11);
    assert!(performance["summary"].as_str().unwrap().contains("10 rows without a finite prediction"));
    says(report.finding("evaluate.outcomes"), "warn", &["1 has one that is no number, or too large"]);
}

#[test]
fn a_log_without_outcomes_leaves_performance_unknown() {
    let (definition, table) = hourly("ignore = [\"came\"]");
    let report = Folder::with_log(&definition, &table).report(0);
    says(report.finding("evaluate.performance"), "unknown", &["names no outcome"]);
    assert!(report.findings("monitor.performance").is_empty());
    says(report.finding("monitor.quality"), "pass", &["every prediction is a number"]);
}

#[test]
fn probabilities_that_do_not_add_up_and_unknown_classes_are_findings() {
    let mut table = Table::new(&["id", "at", "x", "a", "b", "c", "y"]);
    for hour in 0..35 * 24_i64 {
        let at = jiff::Timestamp::from_second(1_704_067_200 + 3600 * hour).unwrap();
        let in_window = hour >= FIRST_OF_WINDOW as i64;
        let c = if in_window && hour % 10 == 0 { "0.75" } else { "0.25" };
        // Class 3 has no probability.
        let y = if in_window && hour % 50 == 0 { 3 } else { hour % 3 };
        let x = (hour * 37 % 101).to_string();
        table.push(&[&hour.to_string(), &at.to_string(), &x, "0.5", "0.25", c, &y.to_string()]);
    }
    let definition = "[model]\ntask = \"multiclass\"\n[log]\npath = \"log.csv\"\nid = \"id\"\ntime = \"at\"\nscores = { 0 = \"a\", 1 = \"b\", 2 = \"c\" }\noutcome = { column = \"y\" }\n[reference]\nwindow = \"2024-01-01/2024-01-29\"\n[evaluate]\nmin_rows = 100\n";
    let report = Folder::with_log(definition, &table).report(0);
    let quality = report.findings("monitor.quality");
    let sums = quality.iter().find(|finding| finding["subject"]["kind"] == "predicted_class").unwrap();
    says(sums, "fail", &["do not add up to 1", "from 1 to 1.5", "log.scores"]);
    says(report.finding("evaluate.outcomes"), "fail", &["none of the classes of `log.scores`"]);
    // Numbers that name classes are compared as numbers.
    assert!(measure(report.finding("evaluate.performance"), "accuracy") > 0.25);
}

#[test]
fn what_a_task_cannot_have_is_refused_before_any_data_is_read() {
    let refuses = |definition: String, parts: &[&str]| {
        let folder = folder(&definition, &[]);
        folder.run(&["check"]).refuses(parts);
    };
    refuses(
        CARS.replace("performance = { min_rows = 100 }", "performance = { metric = \"roc_auc\" }"),
        &["regression task", "mae, rmse, r2, mape"],
    );
    refuses(CARS.replace("[gate", "[evaluate.calibration]\nbins = 5\n[gate"), &["about probabilities"]);
    refuses(CARDS.replace("multiclass", "binary"), &["a binary task does not have", "task = \"multiclass\""]);
    let folder = cars();
    folder.write("forewarn.toml", CARS.replace("predicted = \"y_pred\"", "predicted = \"fuel\""));
    folder.run(&["check"]).refuses(&["fuel", "a number"]);
    folder.write("forewarn.toml", CARS.replace("y_true", "sold"));
    folder.run(&["check"]).refuses(&["sold", "a number"]);
}

#[test]
fn init_describes_a_log_of_the_task_that_is_asked_for() {
    let folder = folder("", &["cards.csv", "cars.parquet"]);
    folder.run(&["init", "cards.csv", "--task", "multiclass", "--force"]).exits(0);
    let text = folder.read("forewarn.toml");
    for line in [
        "task = \"multiclass\"",
        "scores = { \"highstreet_card\" = \"y_pred_proba_highstreet_card\", \"prepaid_card\" = ",
        "predicted = \"y_pred\"",
        "outcome = { column = \"y_true\" }",
    ] {
        assert!(text.lines().any(|written| written.starts_with(line)), "{line} in\n{text}");
    }
    assert!(checked(&folder, &[]).findings("evaluate.performance").len() == 1);
    folder.run(&["init", "cars.parquet", "--task", "regression", "--force"]).exits(0);
    let text = folder.read("forewarn.toml");
    assert!(text.contains("predicted = \"y_pred\"") && !text.contains("calibration"), "{text}");
    assert!(text.contains("# outcome ="), "prices are in another table:\n{text}");
    checked(&folder, &[]);
}

#[test]
fn reports_name_the_metrics_of_the_task() {
    let folder = cars();
    folder.run(&["check", "--window", FEBRUARY, "--html", "cars.html"]);
    let page = folder.read("cars.html");
    for part in ["mean absolute error", "R²", "in the unit of the outcome"] {
        assert!(page.contains(part), "no {part:?} on the page");
    }
    assert!(!page.contains(">Positive<"), "there is no positive class");
    let markdown = folder.run(&["check", "--window", FEBRUARY, "--format", "markdown"]).stdout;
    assert!(markdown.contains("mean absolute error"), "{markdown}");
    let monitored = folder.run(&["monitor", "--html", "months.html"]);
    assert_ne!(monitored.status, 2, "{}", monitored.stderr);
    assert!(folder.read("months.html").contains("mean absolute error"));
}
