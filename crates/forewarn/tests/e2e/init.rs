//! `forewarn init`: a first definition that works as it stands.

use crate::fixture::{Folder, Table, repository};

#[test]
fn a_csv_log_gets_a_definition_that_check_accepts() {
    let folder = Folder::empty();
    folder.write("log.csv", Table::small_log().csv());
    let said = folder.run(&["init", "log.csv"]).exits(0).stdout;
    assert!(said.contains("forewarn.toml") && said.contains("forewarn check"), "{said}");
    let definition = folder.read("forewarn.toml");
    for line in [
        "path = \"log.csv\"",
        "id = \"id\"",
        "time = \"at\"",
        "score = \"score\"",
        "outcome = { column = \"label\" }",
        "segments = [\"colour\", \"region\"]",
    ] {
        assert!(definition.lines().any(|written| written.starts_with(line)), "{line} in\n{definition}");
    }
    let report = folder.report(0);
    assert_eq!(report.findings("monitor.drift").len(), 7);
    assert_eq!(report.finding("evaluate.performance")["verdict"].as_str().unwrap().len(), 4);
}

#[test]
fn a_parquet_log_gets_a_definition_that_check_accepts() {
    let folder = Folder::empty();
    let log = std::fs::read(repository("examples/flights/data/predictions/2013-06.parquet")).unwrap();
    folder.write("june.parquet", log);
    folder.run(&["init", "june.parquet"]).exits(0);
    let definition = folder.read("forewarn.toml");
    for line in ["id = \"flight_id\"", "time = \"scheduled_departure\"", "score = \"p_delayed\""] {
        assert!(definition.lines().any(|written| written.starts_with(line)), "{line} in\n{definition}");
    }
    assert!(definition.contains("model_version"), "a constant column is ignored:\n{definition}");
    // There is no outcome in the log, so performance is unknown and the gate shut.
    let report = folder.report(1);
    assert_eq!(report.text("window"), "2013-06-24/2013-07-01");
    assert_eq!(report.need("evaluate.performance"), "unknown");
    assert!(report.findings("monitor.drift").len() > 20);
}

#[test]
fn a_definition_that_is_there_is_not_overwritten_unless_asked() {
    let folder = Folder::empty();
    folder.write("log.csv", Table::small_log().csv());
    folder.write("forewarn.toml", "# mine");
    folder.run(&["init", "log.csv"]).refuses(&["forewarn.toml", "--force", "--output -"]);
    assert_eq!(folder.read("forewarn.toml"), "# mine");
    let printed = folder.run(&["init", "log.csv", "--output", "-"]).exits(0).stdout;
    assert_eq!(folder.read("forewarn.toml"), "# mine");
    folder.run(&["init", "log.csv", "--force"]).exits(0);
    assert_eq!(folder.read("forewarn.toml"), printed, "what is printed is what is written");
}

#[test]
fn the_log_is_found_from_where_the_definition_lies() {
    let folder = Folder::empty();
    folder.write("data/log.csv", Table::small_log().csv());
    folder.write("systems/small/README", "");
    folder.run(&["init", "data/log.csv", "--output", "systems/small/forewarn.toml"]).exits(0);
    folder.run(&["check", "systems/small"]).exits(0);
}

#[test]
fn a_log_that_says_nothing_is_refused() {
    let folder = Folder::empty();
    folder.run(&["init", "nolog.csv"]).refuses(&["`nolog.csv` does not exist"]);
    folder.write("empty.csv", "");
    folder.run(&["init", "empty.csv"]).refuses(&["`empty.csv`", "empty"]);
    folder.write("header.csv", "id,at,score\n");
    folder.run(&["init", "header.csv"]).refuses(&["header.csv", "no row"]);
    assert!(!folder.path("forewarn.toml").exists());
}

#[test]
fn what_cannot_be_guessed_is_left_to_fill_in() {
    let folder = Folder::empty();
    folder.write("log.csv", Table::small_log().select(&["id", "x", "colour"]).csv());
    let said = folder.run(&["init", "log.csv"]).exits(0).stdout;
    assert!(said.contains("Fill in first: time, score, reference.window"), "{said}");
    folder.run(&["check"]).refuses(&["forewarn.toml", "column `` is not in the log", "it has id, x, colour"]);
}

#[test]
fn rows_and_freshness_are_proposed_from_the_days_of_the_log() {
    let folder = Folder::empty();
    folder.write("log.csv", Table::small_log().csv());
    folder.run(&["init", "log.csv"]).exits(0);
    let definition = folder.read("forewarn.toml");
    // A row every quarter of an hour since Monday, 2024-01-01: five weeks, of which the last is the window.
    let weeks = "rows = \"auto\"    # 5 whole weeks have 672 rows;";
    assert!(definition.contains(weeks), "{definition}");
    let old = "# fresh_within = \"1 day\"    # for a log that still grows; the newest row of this one is of 2024-02-";
    assert!(definition.contains(old), "{definition}");
    assert!(!folder.path(".forewarn").exists(), "a look leaves nothing behind");
}

#[test]
fn of_one_row_only_names_tell_anything() {
    let folder = Folder::empty();
    folder.write("log.csv", Table::small_log().rows(|row| row == 0).csv());
    folder.run(&["init", "log.csv"]).exits(0);
    let definition = folder.read("forewarn.toml");
    for line in [
        "score = \"score\"",
        "outcome = { column = \"label\" }",
        "# Proposed by forewarn after a look at 1 row and",
    ] {
        assert!(definition.contains(line), "{line} in\n{definition}");
    }
    let all = "window = \"2024-01-01/2024-01-02\"    # all of the log so far; fill in the period";
    assert!(definition.contains(all), "{definition}");
    assert!(!definition.contains("ignore = "), "one row is not the same value on every row:\n{definition}");
}

#[test]
fn odd_column_names_survive() {
    let folder = Folder::empty();
    let log = Table::small_log()
        .renamed("id", "the \"id\"")
        .renamed("region", "gr\u{f6}\u{df}e \u{20ac}")
        .renamed("x", "back\\slash");
    folder.write("a log.csv", log.csv());
    folder.run(&["init", "a log.csv"]).exits(0);
    folder.report(0);
}

#[test]
fn a_change_within_the_proposed_reference_is_said_with_a_part_without_it() {
    let folder = Folder::empty();
    // Three weeks of five are the reference; colours are coded otherwise from its tenth day on.
    let colours = |row: usize, colour: &str| {
        if row < 9 * 96 { colour.to_owned() } else { colour.to_uppercase() }
    };
    folder.write("log.csv", Table::small_log().with("colour", colours).csv());
    let said = folder.run(&["init", "log.csv"]).exits(0).stdout;
    assert!(
        said.contains("Within the proposed reference columns change: colour on about 2024-01-10;"),
        "{said}"
    );
    let definition = folder.read("forewarn.toml");
    for line in [
        "# Within this reference columns change: colour on about 2024-01-10.",
        "# window = \"2024-01-10/2024-01-22\"    # without a change; is it right?",
    ] {
        assert!(definition.lines().any(|written| written == line), "{line} in\n{definition}");
    }
    folder.run(&["monitor"]);
    let unchanged = Folder::empty();
    unchanged.write("log.csv", Table::small_log().csv());
    let said = unchanged.run(&["init", "log.csv"]).exits(0).stdout;
    assert!(!said.contains("columns change"), "{said}");
}
