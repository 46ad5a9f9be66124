//! How outcomes meet predictions: nothing is dropped without being counted.

use jiff::ToSpan;
use serde_json::{Value, json};

use crate::fixture::{Folder, REFERENCE_ROWS, Table, WINDOW_ROWS, definition_with, quarter_hour, says};

const INSIDE: &str = "outcome = { column = \"label\" }";
const APART: &str = "outcome = { path = \"outcomes.csv\", column = \"label\", time = \"known\" }";

/// The small log with its outcomes in a table of their own.
fn apart(outcome: &str, outcomes: &Table) -> Folder {
    let log = Table::small_log().select(&["id", "at", "x", "amount", "colour", "region", "score"]);
    let folder = Folder::with_log(&definition_with(INSIDE, outcome), &log);
    folder.write("outcomes.csv", outcomes.csv());
    folder
}

/// Outcomes two hours after their predictions, with every kind of blemish in the current window:
/// 10 missing, 7 repeated, 5 contradictory, 3 early, 6 unusable, 2 orphans (and one before it).
fn blemished() -> Table {
    let log = Table::small_log();
    let mut outcomes = Table::new(&["id", "known", "label"]);
    let mut push = |row: usize, hours: i64, label: &str| {
        let known = (quarter_hour(row) + hours.hours()).to_string();
        outcomes.push(&[&format!("p{row}"), &known, label]);
    };
    for row in 0..log.len() {
        let label = log.cell(row, "label");
        match row.checked_sub(REFERENCE_ROWS) {
            Some(0..10) => {}
            Some(10..17) => {
                push(row, 2, label);
                push(row, 3, label);
            }
            Some(17..22) => {
                push(row, 2, "0");
                push(row, 3, "1");
            }
            Some(22..25) => push(row, -1, label),
            Some(25..27) => push(row, 2, "2"),
            Some(27..31) => push(row, 2, ""),
            _ => push(row, 2, label),
        }
    }
    for row in [5, REFERENCE_ROWS + 50, REFERENCE_ROWS + 51] {
        outcomes.push(&[&format!("ghost{row}"), &quarter_hour(row).to_string(), "1"]);
    }
    outcomes
}

fn coverage(finding: &Value, count: &str) -> u64 {
    finding["detail"][count].as_u64().unwrap_or_else(|| panic!("no {count} in {finding:#}"))
}

#[test]
fn every_kind_of_blemished_outcome_is_counted() {
    let report = apart(APART, &blemished()).report(0);
    let finding = report.finding("evaluate.outcomes");
    assert_eq!(
        finding["detail"],
        json!({
            "kind": "coverage",
            "predictions": WINDOW_ROWS,
            "with_outcome": WINDOW_ROWS - 10 - 6,
            "without_outcome": 10,
            "unusable_outcomes": 6,
            "repeated_outcomes": 7 + 5,
            "contradictory_outcomes": 5,
            "undecided_outcomes": 0,
            "early_outcomes": 3,
            "orphan_outcomes": 2,
        })
    );
    says(
        finding,
        "warn",
        &[
            "656 of 672 predictions have an outcome",
            "10 have none",
            "6 have one that is neither 0 nor 1",
            "12 have several; the latest counts",
            "5 have outcomes that contradict each other",
            "3 have an outcome that is older than the prediction",
            "2 outcomes belong to no prediction",
        ],
    );
}

#[test]
fn of_contradictory_outcomes_the_latest_known_one_counts() {
    // All labels are 0, but five predictions have a later 1.
    let outcomes =
        blemished().with("label", |_, label| if label == "1" { "0".into() } else { label.to_owned() });
    let mut corrected = outcomes;
    for row in REFERENCE_ROWS + 100..REFERENCE_ROWS + 105 {
        let known = (quarter_hour(row) + 9.hours()).to_string();
        corrected.push(&[&format!("p{row}"), &known, "1"]);
    }
    let report = apart(APART, &corrected).report(1);
    let segments = &report.finding("evaluate.worst_segment")["detail"]["rows"];
    let positives = segments.as_array().unwrap().iter().map(|row| row["positives"].as_u64().unwrap());
    assert_eq!(positives.sum::<u64>(), 5);
}

#[test]
fn outcomes_that_contradict_each_other_at_one_instant_are_no_corrections_and_are_counted_apart() {
    let mut outcomes = blemished();
    let mut push = |row: usize, hours: i64, label: &str| {
        let known = (quarter_hour(row) + hours.hours()).to_string();
        outcomes.push(&[&format!("p{row}"), &known, label]);
    };
    for row in REFERENCE_ROWS + 100..REFERENCE_ROWS + 103 {
        push(row, 9, "0");
        push(row, 9, "1");
    }
    // What was undecided and then corrected is decided.
    for (hours, label) in [(9, "0"), (9, "1"), (10, "0")] {
        push(REFERENCE_ROWS + 110, hours, label);
    }
    let report = apart(APART, &outcomes).report(1);
    let finding = report.finding("evaluate.outcomes");
    assert_eq!(coverage(finding, "contradictory_outcomes"), 5 + 3 + 1);
    assert_eq!(coverage(finding, "undecided_outcomes"), 3);
    says(
        finding,
        "fail",
        &[
            "9 have outcomes that contradict each other, 3 of them known at the same instant, so that none corrects the other: the latest known one counts",
        ],
    );
}

#[test]
fn contradictory_outcomes_without_a_time_are_not_called_something_else() {
    let report = apart(&APART.replace(", time = \"known\"", ""), &blemished()).report(0);
    let finding = report.finding("evaluate.outcomes");
    assert_eq!(coverage(finding, "contradictory_outcomes"), 5);
    assert_eq!(coverage(finding, "early_outcomes"), 0, "without a time nothing is early");
    assert_eq!(coverage(finding, "orphan_outcomes"), 3, "and every orphan belongs to the window");
    assert_eq!(coverage(finding, "with_outcome"), WINDOW_ROWS as u64 - 10 - 6 - 5);
    assert_eq!(coverage(finding, "unusable_outcomes"), 6);
    // Nothing says which of two is the latest.
    assert!(!finding["summary"].as_str().unwrap().contains("the latest counts"));
}

#[test]
fn outcomes_may_name_predictions_in_a_column_of_another_name() {
    let renamed = blemished().renamed("id", "prediction");
    let report = apart(&APART.replace("column =", "id = \"prediction\", column ="), &renamed).report(0);
    assert_eq!(coverage(report.finding("evaluate.outcomes"), "with_outcome"), 656);
}

#[test]
fn outcomes_that_became_known_later_are_not_used() {
    let folder = apart(APART, &blemished());
    let run = folder.run(&["check", "--as-of", "2024-02-05", "--format", "json"]);
    let report = run.exits(0).report();
    // The last two hours before midnight became known after it, but for one on the dot.
    assert_eq!(coverage(report.finding("evaluate.outcomes"), "without_outcome"), 10 + 7);
}

#[test]
fn outcomes_may_be_true_and_false_in_the_log_itself() {
    let numbers = Folder::small().report(0);
    let words = Table::small_log()
        .with("label", |_, label| if label == "1" { "true".into() } else { "false".into() });
    let words = Folder::with_log(crate::fixture::DEFINITION, &words).report(0);
    assert_eq!(numbers.0["findings"], words.0["findings"]);
}

#[test]
fn an_outcome_in_the_log_has_a_time_too() {
    let known = |row: usize| (quarter_hour(row) + 2.hours()).to_string();
    let log = Table::small_log().renamed("colour", "known").with("known", |row, _| known(row));
    let definition = definition_with(INSIDE, "outcome = { column = \"label\", time = \"known\" }");
    let folder = Folder::with_log(&definition, &log);
    let report = folder.run(&["check", "--as-of", "2024-02-05", "--format", "json"]).exits(0).report();
    assert_eq!(coverage(report.finding("evaluate.outcomes"), "without_outcome"), 7);
}

#[test]
fn without_any_outcome_how_good_the_model_is_is_unknown() {
    let definition = definition_with(&format!("{INSIDE}\n"), "");
    let log = Table::small_log().select(&["id", "at", "x", "amount", "colour", "region", "score"]);
    let folder = Folder::with_log(&definition, &log);
    let report = folder.run(&["evaluate", "--format", "json"]).exits(1).report();
    says(report.finding("evaluate.performance"), "unknown", &["names no outcome", "`outcome`", "[log]"]);
    assert_eq!(report.need("evaluate.performance"), "unknown");
}

#[test]
fn outcomes_that_have_not_come_yet_are_unknown_and_no_error() {
    let log = Table::small_log();
    for outcomes in [
        log.rows(|row| row < REFERENCE_ROWS).select(&["id", "at", "label"]).renamed("at", "known"),
        // A feed that has not begun: a header and no row.
        Table::new(&["id", "known", "label"]),
    ] {
        let report = apart(APART, &outcomes).report(1);
        let finding = report.finding("evaluate.outcomes");
        says(finding, "unknown", &["None of the 672 predictions has an outcome yet"]);
        assert_eq!(coverage(finding, "without_outcome"), WINDOW_ROWS as u64);
        assert_eq!(report.need("evaluate.performance"), "unknown");
    }
}

#[test]
fn outcomes_of_one_class_only_leave_the_ranking_unknown_for_that_reason() {
    let log = Table::small_log().with("label", |_, _| "0".into());
    let report = Folder::with_log(crate::fixture::DEFINITION, &log).report(1);
    says(report.finding("evaluate.performance"), "unknown", &["every outcome is negative"]);
    says(report.finding("evaluate.worst_segment"), "unknown", &["negative"]);
}

#[test]
fn outcomes_that_can_never_match_are_refused() {
    let log = Table::small_log();
    let outcomes = log.select(&["id", "at", "label"]).renamed("at", "known");
    let renamed = outcomes.clone().renamed("id", "prediction");
    apart(APART, &renamed).run(&["check"]).refuses(&[
        "forewarn.toml:10",
        "column `id` is not in the outcome table",
        "prediction, known, label",
    ]);
    let numbered = outcomes.clone().with("id", |row, _| row.to_string());
    apart(APART, &numbered).run(&["check"]).refuses(&["forewarn.toml:10", "`id` is text", "a number"]);
    let words = outcomes.clone().with("label", |_, _| "late".into());
    apart(APART, &words).run(&["check"]).refuses(&["column `label`", "text", "0 and 1, or true and false"]);
    let folder = apart(APART, &outcomes);
    std::fs::remove_file(folder.path("outcomes.csv")).unwrap();
    folder.run(&["check"]).refuses(&["outcomes.csv` does not exist", "forewarn.toml:10"]);
}
