//! Columns that are neither numbers nor categories: free text and embeddings.

use serde_json::Value;

use crate::fixture::{
    DEFINITION, Folder, REFERENCE_ROWS, Report, Table, definition_with, measure, repository, says, summary,
};

const WORDS: [&str; 20] = [
    "the", "parcel", "came", "on", "time", "and", "was", "fine", "driver", "kind", "box", "door", "thanks",
    "very", "good", "order", "again", "size", "blue", "price",
];

/// A comment of `count` words, all different from row to row.
fn comment(row: usize, count: usize) -> String {
    let mut bits = (row as u64 + 1).wrapping_mul(0x9E37_79B9_7F4A_7C15);
    let mut words = Vec::new();
    for _ in 0..count {
        bits = (bits ^ (bits >> 31)).wrapping_mul(0xBF58_476D_1CE4_E5B9).wrapping_add(row as u64);
        words.push(WORDS[(bits >> 40) as usize % WORDS.len()]);
    }
    words.join(" ")
}

/// The small log whose `colour` is a comment; `now` makes those of the current window.
fn with_comments(now: impl Fn(usize) -> String) -> Folder {
    let log = Table::small_log()
        .renamed("colour", "comment")
        .with("comment", |row, _| if row < REFERENCE_ROWS { comment(row, 8 + row % 9) } else { now(row) });
    Folder::with_log(
        &definition_with("segments = [\"region\"]", "segments = [\"region\"]\ntext = [\"comment\"]"),
        &log,
    )
}

#[test]
fn texts_that_go_on_as_they_were_are_quiet() {
    let folder = with_comments(|row| comment(row, 8 + row % 9));
    let report = folder.report(0);
    let finding = report.about("monitor.drift", "comment");
    says(finding, "pass", &["is distributed as in the reference"]);
    assert!(measure(finding, "unseen_token_share").abs() < 1e-12);
    assert!(measure(finding, "psi_of_characters") < 0.1);
}

#[test]
fn shorter_texts_with_new_words_are_told_and_only_frequent_words_are_named() {
    let folder = with_comments(|row| match row % 40 {
        0 => format!("{} refund jane{row} doe", comment(row, 3)),
        part if part % 2 == 0 => format!("{} refund", comment(row, 3)),
        _ => comment(row, 4),
    });
    let report = folder.report(0);
    let finding = report.about("monitor.drift", "comment");
    says(
        finding,
        "fail",
        &[
            "`comment` changed a lot",
            "fewer words: the median is 4 words, it was 12",
            "were never seen in the reference",
            "`refund` (336 rows)",
        ],
    );
    assert!((0.1..0.2).contains(&measure(finding, "unseen_token_share")));
    assert!(!report.0.to_string().contains("jane"), "a word of one row is in no report");
    assert!(!folder.evidence().contains("jane"));
    // Text is compared by what it is made of, not by value.
    assert!(finding["measures"].as_array().unwrap().iter().all(|measure| measure["name"] != "cramers_v"));
    let page = folder.run(&["check", "--html", "report.html"]).exits(0);
    assert!(page.stdout.contains("new tokens"), "{}", page.stdout);
    assert!(folder.read("report.html").contains("Shown: characters"));
}

#[test]
fn a_second_run_of_monitoring_texts_reads_nothing() {
    let folder = with_comments(|row| comment(row, 8 + row % 9));
    crate::monitoring::age(&folder, "log.csv");
    let first = crate::monitoring::monitored(&folder, &[]);
    assert_eq!(first["files_read"], 1);
    assert_eq!(crate::monitoring::monitored(&folder, &[])["files_read"], 0);
}

#[test]
fn what_is_called_text_must_be_there_and_be_text() {
    let refused = |text: &str, parts: &[&str]| {
        let definition = definition_with("segments = [\"region\"]", &format!("text = [\"{text}\"]"));
        Folder::with_log(&definition, &Table::small_log()).run(&["check"]).refuses(parts);
    };
    refused("colours", &["column `colours` is not in the log", "did you mean `colour`?"]);
    refused("amount", &["column `amount` holds a number", "text"]);
}

#[test]
fn init_proposes_long_values_that_are_all_different_as_text() {
    let log =
        Table::small_log().renamed("colour", "comment").with("comment", |row, _| comment(row, 8 + row % 9));
    let folder = Folder::empty();
    folder.write("log.csv", log.csv());
    folder.run(&["init", "log.csv"]).exits(0);
    assert!(folder.read("forewarn.toml").contains("text = [\"comment\"]"));
    folder.report(0);
}

const EMBEDDED: &str = r#"[system]
id = "meaning"

[log]
path = "log/*.parquet"
id = "id"
time = "at"
score = "score"
outcome = { column = "label" }

[reference]
window = "2024-01-01/2024-01-29"
"#;

/// The four weeks of the reference, and a fifth.
fn embedded(week: &str) -> Folder {
    let folder = Folder::empty();
    folder.write("forewarn.toml", EMBEDDED);
    for name in ["reference", week] {
        let file = std::fs::read(repository(&format!("testdata/embeddings/{name}.parquet"))).unwrap();
        folder.write(&format!("log/{name}.parquet"), file);
    }
    folder
}

fn names(finding: &Value) -> Vec<&str> {
    finding["measures"].as_array().unwrap().iter().map(|measure| measure["name"].as_str().unwrap()).collect()
}

#[test]
fn embeddings_that_stay_are_quiet_with_distance_interval_and_chance() {
    let folder = embedded("quiet");
    let report = folder.report(0);
    let finding = report.about("monitor.drift", "meaning");
    says(finding, "pass", &["is distributed as in the reference"]);
    assert!((measure(finding, "dimensions") - 8.0).abs() < f64::EPSILON);
    for name in ["psi", "centroid_distance", "cosine_distance", "domain_classifier_auc"] {
        assert!(names(finding).contains(&name), "no {name} in {finding:#}");
    }
    let distance =
        &finding["measures"].as_array().unwrap().iter().find(|m| m["name"] == "centroid_distance").unwrap();
    assert_eq!(distance["n"], 7 * 48);
    assert!(distance["p_value"].as_f64().unwrap() > 0.001);
    assert!(distance["value"].as_f64().unwrap() < 3.0 * distance["expected_by_chance"].as_f64().unwrap());
    assert!(distance["interval"]["upper"].as_f64().is_some());
}

#[test]
fn embeddings_that_move_are_told_with_how_far_and_a_second_run_reads_nothing() {
    let folder = embedded("moved");
    let files = ["log/reference.parquet", "log/moved.parquet"];
    for file in &files {
        crate::monitoring::age(&folder, file);
    }
    let report = folder.report(0);
    let finding = report.about("monitor.drift", "meaning");
    says(finding, "fail", &["`meaning` changed a lot", "the mean vector lies", "8 numbers"]);
    // The mean moves by 2 in each of 8 entries of standard deviation 1: √(8 · 2²) / √8 spreads.
    assert!((measure(finding, "centroid_distance") - 2.0).abs() < 0.1);
    assert!(measure(finding, "domain_classifier_auc") > 0.95);
    let monitored = crate::monitoring::monitored(&folder, &["--html", "monitoring.html"]);
    assert_eq!(monitored["files_read"], 0, "the check has profiled the files");
    let again = crate::monitoring::monitored(&folder, &[]);
    assert_eq!(again["files_read"], 0);
    let columns = again["drift"].as_array().unwrap();
    let column = columns.iter().find(|column| column["subject"]["name"] == "meaning").unwrap();
    assert_eq!(column["findings"][0]["verdict"], "fail");
    assert!(column["findings"][0]["sequential"]["streams"].as_array().unwrap().len() > 8);
}

#[test]
fn vectors_that_cannot_be_compared_are_counted_and_told() {
    let report = embedded("ragged").report(0);
    let finding = report.about("monitor.drift", "meaning");
    says(
        finding,
        "fail",
        &[
            "14 rows of the window have a vector of another length than the 8 numbers",
            "4 rows of the window have a vector that is empty or holds a null, NaN or infinite number",
            "It is missing in",
        ],
    );
    let quality = report.about("monitor.quality", "meaning");
    says(quality, "fail", &["14 rows with a vector of another length than 8", "4 with one that is empty"]);
}

#[test]
fn lists_of_fixed_size_are_embeddings_too() {
    let folder = Folder::empty();
    folder.write("forewarn.toml", EMBEDDED);
    folder
        .write("log/fixed.parquet", std::fs::read(repository("testdata/embeddings/fixed.parquet")).unwrap());
    let report = folder.report(0);
    says(report.about("monitor.drift", "meaning"), "pass", &["distributed as in the reference"]);
    assert!((measure(report.about("monitor.drift", "meaning"), "dimensions") - 3.0).abs() < f64::EPSILON);
}

/// [`DEFINITION`] with a reference in files of its own; its window as given.
fn apart(window: &str) -> String {
    let reference = format!("path = \"reference/*.csv\"\n{window}");
    assert!(DEFINITION.contains("window = \"2024-01-01/2024-01-29\""));
    DEFINITION.replace("window = \"2024-01-01/2024-01-29\"", &reference)
}

/// The four weeks of the small log as a reference in two files, and its fifth week as the log.
fn reference_apart(window: &str) -> Folder {
    let (folder, all) = (Folder::empty(), Table::small_log());
    folder.write("forewarn.toml", apart(window));
    folder.write("log.csv", all.rows(|row| row >= REFERENCE_ROWS).csv());
    folder.write("reference/a.csv", all.rows(|row| row < REFERENCE_ROWS / 2).csv());
    folder
        .write("reference/b.csv", all.rows(|row| (REFERENCE_ROWS / 2..REFERENCE_ROWS).contains(&row)).csv());
    for file in ["log.csv", "reference/a.csv", "reference/b.csv"] {
        crate::monitoring::age(&folder, file);
    }
    folder
}

/// What was found, without what names the run, the definition or the dataset.
fn found(report: &Report) -> Vec<(Value, Value, Value)> {
    let findings = report.0["findings"].as_array().unwrap();
    let of =
        |finding: &Value| (finding["check"].clone(), finding["summary"].clone(), finding["measures"].clone());
    findings.iter().map(of).collect()
}

#[test]
fn a_reference_in_files_of_its_own_gives_what_a_window_of_the_log_gives() {
    let (apart, within) = (reference_apart("").report(0), Folder::small().report(0));
    let drift = |report: &Report| -> Vec<(Value, Value, Value)> {
        found(report).into_iter().filter(|(check, ..)| check == "monitor.drift").collect()
    };
    assert_eq!(drift(&apart), drift(&within));
    assert_eq!(apart.text("reference"), "2024-01-01/2024-01-29", "all days of its files");
    let datasets = apart.0["datasets"].as_array().unwrap();
    let names: Vec<&str> = datasets.iter().map(|dataset| dataset["name"].as_str().unwrap()).collect();
    assert_eq!(names, ["predictions", "reference"]);
    assert_eq!(datasets[1]["files"], 2);
    let performance = apart.finding("evaluate.performance");
    assert!(summary(performance).contains("reference"), "{}", summary(performance));
}

#[test]
fn a_reference_may_lie_in_the_same_weeks_as_the_log() {
    let folder = Folder::empty();
    folder.write("forewarn.toml", apart(""));
    let all = Table::small_log();
    folder.write("log.csv", all.rows(|row| row % 2 == 0).csv());
    folder.write("reference/all.csv", all.rows(|row| row % 2 == 1).csv());
    let report = crate::monitoring::monitored(&folder, &[]);
    assert_eq!(report["windows"].as_array().unwrap().len(), 5, "every week of the log is compared");
    for column in report["drift"].as_array().unwrap() {
        for finding in column["findings"].as_array().unwrap() {
            assert_ne!(finding["verdict"], "fail", "{finding:#}");
        }
    }
}

#[test]
fn a_reference_file_that_changes_is_told_and_all_is_made_again() {
    let folder = reference_apart("");
    let first = crate::monitoring::monitored(&folder, &[]);
    assert_eq!((first["files_read"].as_u64(), first["files"].as_u64()), (Some(3), Some(3)));
    let recorded = folder.evidence().lines().count();
    let second = crate::monitoring::monitored(&folder, &[]);
    assert_eq!(second["files_read"], 0);
    assert_eq!(folder.evidence().lines().count(), recorded);
    let changed = folder.read("reference/b.csv").replace("north", "south");
    folder.write("reference/b.csv", changed);
    let third = crate::monitoring::monitored(&folder, &[]);
    assert_eq!(third["files_read"], 1);
    assert!(folder.evidence().lines().count() > recorded);
    let told = third["quality"][0]["summary"].as_str().unwrap();
    assert!(told.contains("reference/b.csv"), "{told}");
    let columns = third["drift"].as_array().unwrap();
    let region = columns.iter().find(|column| column["subject"]["name"] == "region").unwrap();
    assert!(measure(&region["findings"][0], "psi") > 0.05, "what was north is south: {region:#}");
}

#[test]
fn a_reference_that_cannot_serve_is_refused_with_the_reason() {
    let refused = |folder: Folder, parts: &[&str]| {
        folder.run(&["check"]).refuses(parts);
    };
    let nothing = Folder::with_log(&apart(""), &Table::small_log());
    refused(nothing, &["reference/*.csv", "no .parquet or .csv file matches"]);
    let narrow = Folder::with_log(&apart(""), &Table::small_log());
    narrow.write("reference/a.csv", Table::small_log().select(&["id", "at", "score", "label"]).csv());
    refused(narrow, &["the reference has no column `x`, `amount`, `colour`, `region`", "log.ignore"]);
    let other = Folder::with_log(&apart(""), &Table::small_log());
    other.write("reference/a.csv", Table::small_log().with("x", |_, _| "word".into()).csv());
    refused(other, &["column `x` is a number", "text", "in the reference"]);
    let outside = reference_apart("window = \"2023-01-01/2023-02-01\"");
    refused(outside, &["the reference 2023-01-01/2023-02-01 has no rows", "2024-01-01"]);
    let neither =
        Folder::with_log(&definition_with("window = \"2024-01-01/2024-01-29\"", ""), &Table::small_log());
    refused(neither, &["neither a window of the log nor files of its own"]);
}

#[test]
fn a_window_of_a_reference_with_files_of_its_own_is_kept_to() {
    let report = reference_apart("window = \"2024-01-01/2024-01-15\"").report(0);
    assert_eq!(report.text("reference"), "2024-01-01/2024-01-15");
    let x = report.about("monitor.drift", "x");
    assert_eq!(x["detail"]["reference_n"], 14 * 96);
}
