//! Bad data: a finding where it can be measured, a clear refusal where it cannot.

use crate::fixture::{
    DEFINITION, Folder, REFERENCE_ROWS, Report, Table, WINDOW_ROWS, definition_with, measure, repository,
    says,
};

fn checked(log: &Table, status: i32) -> Report {
    Folder::with_log(DEFINITION, log).report(status)
}

/// The log of another name and content, under [`DEFINITION`].
fn refused(path: &str, content: impl AsRef<[u8]>, parts: &[&str]) {
    let folder = Folder::empty();
    folder.write("forewarn.toml", definition_with("log.csv", path));
    folder.write(path, content);
    folder.run(&["check"]).refuses(parts);
    assert!(!folder.path(".forewarn").exists(), "what was not checked leaves no evidence");
}

fn june() -> Vec<u8> {
    std::fs::read(repository("examples/flights/data/predictions/2013-06.parquet")).unwrap()
}

/// A definition for one month of flights in the folder `log`.
const JUNE: &str = r#"[log]
path = "log"
time = "scheduled_departure"
score = "p_delayed"
[reference]
window = "2013-06-01/2013-06-15"
"#;

// Files.

#[test]
fn files_that_are_not_there_are_named_at_their_key() {
    let folder = Folder::empty();
    folder.run(&["check"]).refuses(&["has no forewarn.toml", "forewarn init"]);
    folder.write("forewarn.toml", DEFINITION);
    folder.run(&["check"]).refuses(&["log.csv` does not exist", "forewarn.toml:6", "path = \"log.csv\""]);
    for (path, message) in [
        ("log", "does not exist"),
        ("*.parquet", "no .parquet or .csv file matches"),
        ("[.csv", "is not a glob"),
        ("", "no .parquet or .csv file matches"),
    ] {
        folder.write("forewarn.toml", definition_with("log.csv", path));
        folder.run(&["check"]).refuses(&[message, "forewarn.toml:6"]);
    }
}

#[test]
fn an_empty_file_is_named() {
    refused("log.csv", "", &["log.csv` is empty (0 bytes)"]);
    refused("log.parquet", "", &["log.parquet` is empty (0 bytes)"]);
}

#[test]
fn a_header_without_rows_is_called_that() {
    let header = Table::small_log().rows(|_| false).csv();
    refused("log.csv", header, &["log.csv", "no row"]);
}

#[test]
fn a_file_that_is_no_parquet_is_named_with_what_may_have_happened() {
    let said = ["log.parquet` is not readable as Parquet", "cut off", "not Parquet at all"];
    refused("log.parquet", Table::small_log().csv(), &said);
    let whole = june();
    refused("log.parquet", &whole[..whole.len() / 2], &said);
    let mut flipped = whole.clone();
    let footer = flipped.len() - 500..flipped.len() - 100;
    flipped[footer].iter_mut().for_each(|byte| *byte ^= 0xff);
    refused("log.parquet", flipped, &["log.parquet` is not readable as Parquet"]);
}

#[test]
fn damage_inside_a_parquet_file_names_the_file() {
    let mut damaged = june();
    damaged[50_000..60_000].iter_mut().for_each(|byte| *byte ^= 0xff);
    let folder = Folder::empty();
    folder.write("forewarn.toml", JUNE);
    folder.write("log/a.parquet", june());
    folder.write("log/b.parquet", damaged);
    folder.run(&["check"]).refuses(&["b.parquet"]);
}

#[test]
fn a_ragged_row_is_named_by_file_and_line() {
    let csv = Table::small_log().csv();
    let with_line = |number: usize, line: &str| {
        let mut lines: Vec<&str> = csv.lines().collect();
        lines[number - 1] = line;
        lines.join("\n") + "\n"
    };
    refused("log.csv", with_line(1234, "p1,2024-01-01T00:00:00Z"), &["log.csv", "line 1234", "8", "2"]);
    refused("log.csv", with_line(3001, "a,b,c,d,e,f,g,h,i"), &["log.csv", "line 3001", "8", "9"]);
    let folder = Folder::empty();
    folder.write("forewarn.toml", definition_with("log.csv", "log"));
    folder.write("log/a.csv", &csv);
    folder.write("log/b.csv", with_line(77, "p1"));
    folder.run(&["check"]).refuses(&["b.csv", "line 77"]);
}

#[test]
fn a_row_that_is_ragged_beyond_the_rows_that_types_are_guessed_from_is_named_too() {
    let small = Table::small_log();
    // Ten thousand rows are looked at for types; the fourth copy begins after them.
    let copy = small.csv().lines().skip(1).map(|line| format!("{line}\n")).collect::<String>();
    let long = format!("{}{copy}{copy}{copy}p1,2024-01-01T00:00:00Z\n", small.csv());
    let line = long.lines().count();
    assert!(line > 13_000);
    refused("log.csv", long, &["log.csv", &format!("line {line}")]);
}

#[test]
fn text_that_begins_after_the_rows_that_types_are_guessed_from_is_named_without_its_content() {
    let small = Table::small_log();
    let copy = small.csv().lines().skip(1).map(|line| format!("{line}\n")).collect::<String>();
    let secret = "s1,2024-01-01T00:00:00Z,secret-value,1.0,red,north,0.5,1\n";
    let long = format!("{}{copy}{copy}{copy}{secret}", small.csv());
    let folder = Folder::with_log(DEFINITION, &small);
    folder.write("log.csv", long);
    let run = folder.run(&["check"]);
    let said = run.stderr.clone();
    run.refuses(&["log.csv", "line"]);
    assert!(!said.contains("red,north"), "row values do not belong in messages: {said}");
}

#[test]
fn one_table_has_one_format_and_each_column_stands_once_in_a_file() {
    let folder = Folder::empty();
    folder.write("forewarn.toml", definition_with("log.csv", "log"));
    let log = Table::small_log();
    folder.write("log/a.csv", log.csv());
    folder.write("log/b.parquet", june());
    folder.run(&["check"]).refuses(&["a.csv", "b.parquet", "all Parquet or all CSV"]);
    std::fs::remove_file(folder.path("log/b.parquet")).unwrap();
    folder.write("log/a.csv", log.renamed("amount", "x").csv());
    folder.run(&["check"]).refuses(&["column `x` stands twice", "a.csv"]);
}

#[test]
fn text_in_another_encoding_is_named_by_file_and_line() {
    let log = Table::small_log()
        .with("colour", |row, colour| if row == 9 { "r\u{e9}d".into() } else { colour.into() });
    let latin_1: Vec<u8> = log.csv().chars().map(|c| u8::try_from(u32::from(c)).unwrap()).collect();
    refused("log.csv", latin_1, &["log.csv", "UTF-8", "line 11"]);
}

// Columns.

#[test]
fn a_column_without_any_value_is_unknown_to_drift_and_a_finding() {
    let report = checked(&Table::small_log().with("x", |_, _| String::new()), 0);
    says(report.about("monitor.drift", "x"), "unknown", &["no value"]);
    says(report.about("monitor.quality", "x"), "warn", &["no value at all, as in the reference"]);
}

#[test]
fn a_column_that_dies_in_the_window_shuts_the_gate() {
    let report = checked(&Table::small_log().with_in_window("x", 1, ""), 1);
    says(report.about("monitor.quality", "x"), "fail", &["no value at all in this window", "`crm`"]);
    says(report.about("monitor.drift", "x"), "fail", &[]);
    assert_eq!(report.need("monitor.quality"), "failed");
}

#[test]
fn a_constant_column_is_no_news_but_one_that_freezes_is() {
    let report = checked(&Table::small_log().with("x", |_, _| "1.5".into()), 0);
    says(report.about("monitor.drift", "x"), "pass", &[]);
    let report = checked(&Table::small_log().with_in_window("x", 1, "1.5"), 1);
    says(report.about("monitor.quality", "x"), "fail", &["the same value in all 672 rows"]);
    let report = checked(&Table::small_log().with_in_window("colour", 1, "red"), 1);
    says(report.about("monitor.quality", "colour"), "fail", &["the same value in all 672 rows"]);
}

#[test]
fn values_that_are_no_number_or_infinite_are_counted() {
    let log = Table::small_log().with("x", |row, x| match row.checked_sub(REFERENCE_ROWS) {
        Some(0..5) => "NaN".into(),
        Some(5..8) => "inf".into(),
        Some(8..12) => "-inf".into(),
        _ => x.to_owned(),
    });
    let report = checked(&log, 0);
    let quality = report.about("monitor.quality", "x");
    says(quality, "warn", &["5 values that are no number (NaN)", "7 infinite"]);
    assert_eq!(measure(quality, "not_finite_share"), 12.0 / 672.0);
    says(report.about("monitor.drift", "x"), "pass", &[]);
}

#[test]
fn scores_that_cannot_be_probabilities_are_counted_and_left_out() {
    let log = Table::small_log().with("score", |row, score| match row.checked_sub(REFERENCE_ROWS) {
        Some(0..5) => "NaN".into(),
        Some(5..8) => "inf".into(),
        Some(8..12) => "-0.25".into(),
        Some(12..15) => "1.7".into(),
        Some(15..17) => String::new(),
        _ => score.to_owned(),
    });
    let report = checked(&log, 1);
    let findings = report.findings("monitor.quality");
    let share = |name: &str| {
        let about = findings.iter().find(|finding| finding["measures"][0]["name"] == name);
        measure(about.unwrap_or_else(|| panic!("no {name} in {findings:#?}")), name)
    };
    assert_eq!(share("outside_unit_interval_share"), 10.0 / 672.0);
    assert_eq!(share("missing_share"), 7.0 / 672.0);
    let performance = report.finding("evaluate.performance");
    says(performance, performance["verdict"].as_str().unwrap(), &["17 rows without a score in [0, 1]"]);
    assert_eq!(performance["measures"][0]["n"], 672 - 17);
}

#[test]
fn a_score_in_percent_is_called_out() {
    let percent = |_: usize, score: &str| (score.parse::<f64>().unwrap() * 100.0).to_string();
    let report = checked(&Table::small_log().with("score", percent), 1);
    says(report.about("monitor.quality", "score"), "fail", &["672 values", "outside [0, 1]", "`log.score`"]);
    says(
        report.finding("evaluate.performance"),
        "unknown",
        &["672 rows have a score that is missing or outside"],
    );
}

#[test]
fn a_score_of_text_is_refused() {
    let log = Table::small_log().with("score", |_, _| "high".into());
    let said = Folder::with_log(DEFINITION, &log).run(&["check"]);
    let text = said.stderr.clone();
    said.refuses(&["column `score`", "text", "a number in [0, 1]", "forewarn.toml:9"]);
    assert!(!text.contains("text (text)"), "{text}");
}

#[test]
fn repeated_and_missing_ids_are_counted() {
    // Seven ids stand on a second row, three rows have none.
    let log = Table::small_log().with("id", |row, id| match row.checked_sub(REFERENCE_ROWS) {
        Some(at @ 100..107) => format!("p{}", REFERENCE_ROWS + at - 50),
        Some(200..203) => String::new(),
        _ => id.to_owned(),
    });
    let report = checked(&log, 1);
    let finding = report.finding("monitor.quality");
    says(
        finding,
        "fail",
        &["7 values of `id` stand on more than one row (7 rows too many)", "3 rows have no `id`"],
    );
    assert_eq!(measure(finding, "repeated_id_share"), 10.0 / 672.0);
}

#[test]
fn column_names_may_hold_anything() {
    let log = Table::small_log()
        .renamed("x", "my column")
        .renamed("amount", "a \"quoted\", one")
        .renamed("colour", "gr\u{f6}\u{df}e \u{20ac}")
        .renamed("region", "<script>alert(1)</script>")
        .renamed("score", "Score'");
    let definition = DEFINITION
        .replace("\"score\"", "\"Score'\"")
        .replace(
            "[\"region\"]",
            r#"["<script>alert(1)</script>", { name = "& <b>", sql = '"my column" > 10' }]"#,
        )
        .replace("[\"x\", \"amount\"]", r#"["my column", 'a "quoted", one', "größe €"]"#);
    let folder = Folder::with_log(&definition, &log);
    let report = folder.report(0);
    assert_eq!(report.findings("monitor.drift").len(), 7);
    let junit = folder.run(&["check", "--format", "junit"]).exits(0).stdout;
    assert!(!junit.contains("<script>") && junit.contains("&lt;script&gt;"));
    let markdown = folder.run(&["check", "--format", "markdown"]).exits(0).stdout;
    for line in markdown.lines() {
        // Between backticks every character stands for itself.
        assert!(line.split('`').step_by(2).all(|outside| !outside.contains("<script>")), "{line}");
    }
    folder.run(&["check", "--html", "report.html"]).exits(0);
    let html = folder.read("report.html");
    assert!(!html.contains("<script>alert"), "a column's name is text, not markup");
    assert!(html.contains("&lt;script&gt;alert(1)&lt;/script&gt;") && html.contains("größe €"));
}

// Time.

/// Another way to write the time of a row.
type Write<'a> = &'a dyn Fn(&str) -> String;

#[test]
fn time_may_be_text_with_or_without_an_offset_or_a_count_with_its_unit() {
    let expected = Folder::small().report(0);
    let seconds = |text: &str| text.parse::<jiff::Timestamp>().unwrap().as_second();
    let written: [(&str, Write<'_>); 5] = [
        ("", &|at| at.trim_end_matches('Z').to_owned()),
        ("", &|at| at.replace('T', " ").replace('Z', "+00:00")),
        ("time_unit = \"s\"\n", &|at| seconds(at).to_string()),
        ("time_unit = \"ms\"\n", &|at| format!("{}000", seconds(at))),
        ("time_unit = \"us\"\n", &|at| format!("{}000000", seconds(at))),
    ];
    for (unit, write) in written {
        let log = Table::small_log().with("at", |_, at| write(at));
        let report = Folder::with_log(&definition_with("score =", &format!("{unit}score =")), &log).report(0);
        assert_eq!(report.0["findings"][0], expected.0["findings"][0]);
        for check in ["monitor.drift", "evaluate.performance", "evaluate.worst_segment", "evaluate.outcomes"]
        {
            assert_eq!(report.findings(check), expected.findings(check), "{check}, {unit}");
        }
    }
}

#[test]
fn a_time_that_is_none_is_refused_at_its_key() {
    let log = Table::small_log();
    let refused = |log: &Table, parts: &[&str]| {
        let run = Folder::with_log(DEFINITION, log).run(&["check"]);
        run.refuses(&[parts, &["forewarn.toml:8"]].concat());
    };
    let days = log.clone().with("at", |row, _| format!("day {row}"));
    refused(&days, &["column `at`", "not an instant", "2013-06-03T12:00:00Z"]);
    let one = log.clone().with("at", |row, at| if row == 100 { "soon".into() } else { at.to_owned() });
    refused(&one, &["column `at`", "not an instant: `soon` (row 101 of ", "log.csv`)"]);
    let zoned =
        |row, at: &str| if row == 7 { at.replace('Z', "+00:00[Europe/Berlin]") } else { at.to_owned() };
    let zoned = log.clone().with("at", zoned);
    refused(&zoned, &["[Europe/Berlin]` (row 8 of ", "without the name of a zone"]);
    let counts = log.clone().with("at", |row, _| (1_704_067_200 + 900 * row).to_string());
    refused(&counts, &["`at` holds numbers", "time_unit = \"s\""]);
    let flags = log.clone().with("at", |_, _| "true".into());
    refused(&flags, &["column `at`", "an instant"]);
    let nothing = log.with("at", |_, _| String::new());
    refused(&nothing, &["no row with a time in `at`"]);
}

#[test]
fn a_unit_that_is_wrong_shows_in_the_range_of_the_log() {
    let log = Table::small_log().with("at", |row, _| (1_704_067_200 + 900 * row).to_string());
    let definition = definition_with("score =", "time_unit = \"ms\"\nscore =");
    Folder::with_log(&definition, &log).run(&["check"]).refuses(&["the log runs from 1970-01-20"]);
}

#[test]
fn local_times_that_come_twice_or_never_are_counted_and_the_others_are_read() {
    // Clocks were set back on 2023-10-29 and forward on 2024-03-31.
    let log = Table::small_log().with("at", |row, at| match row {
        10 => "2023-10-29 02:30:00 Europe/Berlin".into(),
        20 => "2024-03-31 02:30:00 Europe/Berlin".into(),
        _ => at.replace('T', " ").replace('Z', " Etc/UTC"),
    });
    let folder = Folder::with_log(DEFINITION, &log);
    for practice in [&["check"][..], &["monitor", "--window", "2024-01-29/2024-02-05"]] {
        let report = folder.run(&[practice, &["--format", "json"]].concat()).report();
        let quality = report.findings("monitor.quality");
        let said = |part: &str| quality.iter().any(|told| told["summary"].as_str().unwrap().contains(part));
        assert!(said("2 rows of the log have no time in `at`"), "{quality:#?}");
        assert!(said("Of these, 2 rows have a local time in a zone that is not one instant"), "{quality:#?}");
        assert!(!said("no offset"), "{quality:#?}");
    }
}

#[test]
fn rows_without_a_time_are_reported() {
    // They lie in no window, so no number counts them; that must not pass in silence.
    let log =
        Table::small_log().with("at", |row, at| if row % 10 == 0 { String::new() } else { at.to_owned() });
    let report = Folder::with_log(DEFINITION, &log).run(&["check", "--format", "json"]).report();
    let quality = report.findings("monitor.quality");
    let told = quality.iter().any(|finding| finding["summary"].as_str().unwrap().contains("336 rows"));
    assert!(told, "336 rows have no `at`: {quality:#?}");
}

// Few rows.

#[test]
fn a_window_without_rows_is_found_failing_by_monitoring_and_refused_by_what_needs_rows() {
    let log = Table::small_log().rows(|row| !(REFERENCE_ROWS..REFERENCE_ROWS + 4 * 96).contains(&row));
    let folder = Folder::with_log(DEFINITION, &log);
    for practice in ["check", "evaluate"] {
        let run = folder.run(&[practice, "--window", "2024-01-29/2024-02-01"]);
        run.refuses(&["window 2024-01-29/2024-02-01 has no rows"]);
    }
    for (window, said) in [
        ("2024-01-29/2024-02-01", "A window with no rows: the log has none from 2024-01-29 to 2024-02-01"),
        ("2024-02-12/2024-02-19", "A week with no rows: the log has none from 2024-02-12 to 2024-02-19"),
    ] {
        let report = folder.run(&["monitor", "--window", window, "--format", "json"]).report();
        says(report.finding("monitor.quality"), "fail", &[said]);
        for finding in report.findings("monitor.drift") {
            says(finding, "unknown", &["is not known"]);
        }
    }
    folder.run(&["monitor", "--window", "2124-01-03/2124-01-10"]).refuses(&["the log runs from"]);
    folder.run(&["check", "--window", "2024-01-29/2024-02-05"]);
}

#[test]
fn a_log_of_one_row_has_no_week_to_check() {
    let folder = Folder::with_log(DEFINITION, &Table::small_log().rows(|row| row == 0));
    folder.run(&["check"]).refuses(&["starts at 2024-01-01", "no whole week", "--window"]);
}

#[test]
fn too_few_rows_make_unknown_and_shut_the_gate() {
    for log in [
        Table::small_log().rows(|row| row % 100 == 0),
        Table::small_log().rows(|row| row == 0 || row == REFERENCE_ROWS + WINDOW_ROWS - 1),
        Table::small_log().rows(|row| row == 0 || row >= REFERENCE_ROWS && row % 100 == 0),
    ] {
        let report = checked(&log, 1);
        for finding in report.findings("monitor.drift") {
            says(finding, "unknown", &["too few rows", "monitor.drift.min_rows"]);
        }
        for check in ["evaluate.performance", "evaluate.worst_segment", "evaluate.calibration"] {
            assert_eq!(report.need(check), "unknown");
            says(report.finding(check), "unknown", &["200", "needed", "evaluate.min_rows"]);
        }
    }
}

#[test]
fn segments_that_are_all_too_small_are_called_that() {
    let log = Table::small_log().with("region", |row, _| (row % 5).to_string());
    let report = checked(&log, 1);
    let worst = report.finding("evaluate.worst_segment");
    says(worst, "unknown", &["200"]);
    // There are 672 rows, which is more than are needed; what is too small is every segment.
    assert!(
        !worst["summary"].as_str().unwrap().contains("672 rows have a score and an outcome, 200 are needed")
    );
    assert_eq!(report.need("evaluate.performance"), "met");
}
