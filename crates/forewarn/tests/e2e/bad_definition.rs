//! Mistakes in the definition and in what is asked for: the line, the reason, the nearest choice.

use crate::fixture::{DEFINITION, Folder, Table, definition_with};

/// A definition that is refused with a message that holds all of `parts`.
#[track_caller]
fn refused(definition: &str, parts: &[&str]) {
    Folder::with_log(definition, &Table::small_log()).run(&["check"]).refuses(parts);
}

#[track_caller]
fn refused_with(part: &str, replacement: &str, parts: &[&str]) {
    refused(&definition_with(part, replacement), parts);
}

#[test]
fn a_condition_of_an_alert_that_cannot_be_asked_is_refused_with_the_nearest_name() {
    let alert = "\n[[alert]]\nwhen = 'drfit.verdict == \"fail\"'\n";
    let folder = Folder::with_log(&format!("{DEFINITION}{alert}"), &Table::small_log());
    folder.run(&["check"]).refuses(&["drfit", "drift", "forewarn.toml"]);
}

#[test]
fn an_absent_column_is_shown_at_its_line_with_the_nearest_one() {
    refused_with(
        "score = \"score\"",
        "score = \"scroe\"",
        &["`scroe`", "forewarn.toml:9", "did you mean `score`?", "amount"],
    );
    refused_with("time = \"at\"", "time = \"att\"", &["`att`", "forewarn.toml:8", "did you mean `at`?"]);
    refused_with("id = \"id\"", "id = \"idd\"", &["`idd`", "forewarn.toml:7", "did you mean `id`?"]);
    refused_with("\"label\"", "\"lable\"", &["`lable`", "forewarn.toml:10", "did you mean `label`?"]);
    refused_with("[\"region\"]", "[\"regoin\"]", &["`regoin`", "forewarn.toml:11", "did you mean `region`?"]);
    refused_with(
        "\"amount\"]",
        "\"amont\"]",
        &["`amont`", "`crm`", "forewarn.toml:18", "did you mean `amount`?"],
    );
    refused_with(
        "[reference]",
        "ignore = [\"colours\"]\n[reference]",
        &["`colours`", "did you mean `colour`?"],
    );
    refused_with(
        "[reference]",
        "features = [\"x\", \"amout\"]\n[reference]",
        &["`amout`", "did you mean `amount`?"],
    );
}

#[test]
fn an_unknown_key_is_shown_at_its_line_with_the_nearest_one() {
    refused_with("score =", "scores =", &["`scores`", "forewarn.toml:9", "did you mean `score`?"]);
    refused_with(
        "[reference]",
        "[references]",
        &["`references`", "forewarn.toml:13", "did you mean `reference`?"],
    );
    refused_with("[gate", "[monitor]\ndrift = { every = \"weekly\" }\n[gate", &["`weekly`", "`week`"]);
    refused_with("[gate", "[evaluate]\nperformance = { metric = \"auc\" }\n[gate", &["`auc`", "roc_auc"]);
    refused_with(
        "monitor.quality",
        "monitor.qualty",
        &["`monitor.qualty`", "did you mean `monitor.quality`?"],
    );
    refused_with("time =", "time_unit = \"sec\"\ntime =", &["`sec`", "`s`"]);
}

#[test]
fn a_missing_key_is_named() {
    refused_with("score = \"score\"\n", "", &["missing field `score`", "[log]", "forewarn init"]);
    refused_with(
        "window =",
        "# window =",
        &["neither a window of the log nor files of its own", "[reference]"],
    );
    refused_with("[reference]\nwindow = \"2024-01-01/2024-01-29\"", "", &["missing field `reference`"]);
    refused("", &["missing field `log`", "forewarn.toml"]);
}

#[test]
fn what_is_no_toml_is_shown_at_its_line() {
    refused_with("[log]", "[log", &["forewarn.toml:5"]);
    refused_with("\"log.csv\"", "log.csv", &["forewarn.toml:6", "quoted"]);
    refused_with("time = \"at\"", "time = \"at\"\ntime = \"at\"", &["duplicate key", "forewarn.toml:9"]);
    refused_with("time = \"at\"", "time = 5", &["forewarn.toml:8", "string"]);
    let folder = Folder::small();
    folder.write("forewarn.toml", b"\xff\xfe[log]");
    folder.run(&["check"]).refuses(&["forewarn.toml", "UTF-8"]);
}

#[test]
fn settings_that_contradict_each_other_are_refused() {
    let evaluate = |settings: &str| definition_with("[gate", &format!("[evaluate]\n{settings}\n[gate"));
    let monitor = |settings: &str| definition_with("[gate", &format!("[monitor]\n{settings}\n[gate"));
    refused(&monitor("drift = { warn = 0.5, fail = 0.2 }"), &["warn (0.5) is above fail (0.2)"]);
    refused(&monitor("drift = { false_alarms = 2.0 }"), &["2 is not between 0 and 1", "forewarn.toml:21"]);
    refused(
        &evaluate("performance = { metric = \"roc_auc\", at_most = 0.2 }"),
        &["ROC AUC is better when larger", "`at_least"],
    );
    refused(
        &evaluate("worst_segment = { metric = \"brier\", at_least = 0.2 }"),
        &["better when smaller", "`at_most"],
    );
    refused(&evaluate("worst_segment = { metric = \"roc_auc\" }"), &["no limit", "`at_least"]);
    refused(&evaluate("performance = { at_least = 1.5 }"), &["1.5", "between 0 and 1"]);
    refused(&evaluate("calibration = { bins = 1 }"), &["bins must be between 2 and 100"]);
    refused_with(
        "needs = [\"evaluate.*\", \"monitor.quality\"]",
        "needs = []",
        &["gate `deploy` needs nothing"],
    );
    refused_with("time =", "threshold = 2.0\ntime =", &["2 is not between 0 and 1", "forewarn.toml:8"]);
    let apart = definition_with("{ column", "{ path = \"o.csv\", column").replace("id = \"id\"\n", "");
    refused(&apart, &["joined by id", "`log.id` is not set"]);
    refused_with("{ column", "{ id = \"id\", column", &["no meaning", "`path`"]);
    let no_segments = definition_with("segments = [\"region\"]\n", "");
    let limited = no_segments
        .replace("[gate", "[evaluate]\nworst_segment = { metric = \"f1\", at_least = 0.1 }\n[gate");
    refused(&limited, &["no segments are declared", "`log.segments`"]);
}

#[test]
fn a_column_cannot_play_two_roles() {
    let features = |list: &str| definition_with("[reference]", &format!("features = {list}\n[reference]"));
    // A model that is given its own answer, or the truth, is not what anybody means.
    refused(&features("[\"x\", \"amount\", \"label\"]"), &["`label`", "forewarn.toml:13"]);
    refused(&features("[\"x\", \"amount\", \"score\"]"), &["`score`", "forewarn.toml:13"]);
    let both = features("[\"x\", \"amount\"]").replace(
        "features = [\"x\", \"amount\"]\n[r",
        "features = [\"x\", \"amount\"]\nignore = [\"x\"]\n[r",
    );
    refused(&both, &["`x`", "ignore"]);
    refused_with("[\"region\"]", "[\"region\", \"region\"]", &["`region`", "twice", "forewarn.toml:11"]);
    refused_with("score = \"score\"", "score = \"label\"", &["`label`"]);
}

#[test]
fn segment_sql_that_cannot_be_planned_is_shown_at_its_segment() {
    let sql = |sql: &str, parts: &[&str]| {
        let segments = format!("[\"region\", {{ name = \"part\", sql = \"{sql}\" }}]");
        let definition = definition_with("[\"region\"]", &segments);
        let run = Folder::with_log(&definition, &Table::small_log()).run(&["check"]);
        assert!(!run.stderr.contains("ParserError("), "{}", run.stderr);
        run.refuses(&[parts, &["segment `part`", "forewarn.toml:11"]].concat());
    };
    sql("CASE WHEN", &[]);
    sql("x >", &[]);
    sql("regoin = 'north'", &["regoin", "region"]);
    sql("nofunction(x)", &["nofunction"]);
    sql("1) FROM log; DROP TABLE log; --", &[]);
    sql("colour > 5 + now()", &[]);
}

#[test]
fn segment_sql_that_fails_on_a_row_is_shown_at_its_segment() {
    for sql in ["1 / (CAST(x AS BIGINT) - CAST(x AS BIGINT))", "CAST(colour AS INT)"] {
        let segments = format!("[{{ name = \"part\", sql = \"{sql}\" }}]");
        refused_with("[\"region\"]", &segments, &["segment `part`", "forewarn.toml:11"]);
    }
}

// What is asked for on the command line.

#[test]
fn a_window_that_overlaps_the_reference_is_refused() {
    let folder = Folder::small();
    let run = folder.run(&["check", "--window", "2024-01-27/2024-02-03"]);
    run.refuses(&["2024-01-27/2024-02-03", "overlaps the reference 2024-01-01/2024-01-29"]);
    refused_with(
        "2024-01-01/2024-01-29",
        "2024-01-01/2024-03-01",
        &["last whole week", "2024-01-29/2024-02-05", "lies in the reference", "--window"],
    );
}

#[test]
fn a_window_outside_of_the_log_is_refused_with_the_range_of_the_log() {
    let folder = Folder::small();
    let range = "the log runs from 2024-01-01 to 2024-02-04T23:45:00Z";
    folder.run(&["check", "--window", "2025-01-06/2025-01-13"]).refuses(&[
        "2025-01-06/2025-01-13",
        "no rows",
        range,
    ]);
    folder.run(&["check", "--window", "2023-01-02/2023-01-09"]).refuses(&[
        "2023-01-02/2023-01-09",
        "no rows",
        range,
    ]);
    refused_with(
        "2024-01-01/2024-01-29",
        "2023-01-01/2023-01-29",
        &["reference", "2023-01-01/2023-01-29", range],
    );
}

#[test]
fn a_malformed_window_or_instant_is_refused_with_its_form() {
    let folder = Folder::small();
    for (window, part) in [
        ("yesterday", "FROM/TO"),
        ("2024-01-29", "FROM/TO"),
        ("2024-02-30/2024-03-05", "`2024-02-30` is not a date"),
        ("2024-02-05/2024-01-29", "its end must be after its start"),
        ("2024-01-29/2024-01-29", "its end must be after its start"),
        ("2024-01-29T00:00:00/2024-02-05", "2013-06-03T12:00:00Z"),
    ] {
        folder.run(&["check", "--window", window]).refuses(&[window, part]);
    }
    folder.run(&["check", "--as-of", "now"]).refuses(&["`now`", "2013-06-03T12:00:00Z"]);
    refused_with(
        "2024-01-01/2024-01-29",
        "2024-01-29/2024-01-01",
        &["its end must be after its start", "forewarn.toml:14"],
    );
    refused_with("2024-01-01/2024-01-29", "January", &["FROM/TO", "forewarn.toml:14"]);
}

#[test]
fn an_instant_before_the_log_is_named_as_the_reason() {
    let run = Folder::small().run(&["check", "--as-of", "2023-06-01"]);
    run.refuses(&["2023-06-01", "2024-01-01"]);
}

#[test]
fn the_smallest_definition_is_enough() {
    let smallest = "[log]\npath = \"log.csv\"\ntime = \"at\"\nscore = \"score\"\nignore = [\"id\"]\n[reference]\nwindow = \"2024-01-01/2024-01-29\"\n";
    let report = Folder::with_log(smallest, &Table::small_log()).report(0);
    assert_eq!(report.findings("monitor.drift").len(), 7);
    assert_eq!(report.finding("evaluate.performance")["verdict"], "unknown");
    assert!(DEFINITION.len() > smallest.len());
}
