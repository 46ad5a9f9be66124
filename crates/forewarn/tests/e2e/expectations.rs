//! What is expected of the log: declared, proposed, inferred; and what becomes of it when files, days and clocks
//! are not what they were.

use serde_json::Value;

use crate::fixture::{
    DEFINITION, Folder, REFERENCE_ROWS, Report, Table, definition_with, measure, repository, says, summary,
};
use crate::monitoring::{DAYS, by_day, by_day_definition, file, monitored, records};

/// The day on which the second window of [`by_day`] begins.
const SECOND_WEEK: usize = 28;

fn definition_and(more: &str) -> String {
    format!("{DEFINITION}\n{more}")
}

/// The quality findings of the last window that are not passed, worst first.
fn told(report: &Value) -> Vec<Value> {
    let findings = report["quality"].as_array().unwrap();
    findings.iter().filter(|finding| finding["verdict"] != "pass").cloned().collect()
}

/// The only such finding.
#[track_caller]
fn only_told(report: &Value) -> Value {
    let told = told(report);
    assert_eq!(told.len(), 1, "{told:#?}");
    told[0].clone()
}

/// `forewarn check`, whatever its gates come to.
fn checked(folder: &Folder) -> Report {
    let run = folder.run(&["check", "--format", "json"]);
    assert_ne!(run.status, 2, "{}", run.stderr);
    run.report()
}

/// The verdicts on the drift of a feature, window by window.
fn drift_of(report: &Value, name: &str) -> Vec<String> {
    let columns = report["drift"].as_array().unwrap();
    let column = columns.iter().find(|column| column["subject"]["name"] == name).unwrap();
    let findings = column["findings"].as_array().unwrap();
    findings.iter().map(|finding| finding["verdict"].as_str().unwrap_or("none").to_owned()).collect()
}

/// The rows of one day of the small log, as [`by_day`] has them.
fn day_of(log: &Table, day: usize) -> Table {
    let rows_a_day = log.len() / DAYS;
    log.rows(|row| row / rows_a_day == day)
}

/// With other cells in a column from the second window on.
fn with_second_week(folder: &Folder, change: impl Fn(Table) -> Table) {
    let log = Table::small_log();
    for day in SECOND_WEEK..DAYS {
        folder.write(&file(day), change(day_of(&log, day)).csv());
    }
}

// Declared.

const EXPECTED: &str = r#"
[[expect]]
column = "x"
type = "number"
min = -20
max = 40
max_missing = 0.02

[[expect]]
column = "colour"
allowed = ["red", "green", "blue"]

[[expect]]
column = "id"
unique = true
"#;

#[test]
fn kept_expectations_pass_and_are_evidence() {
    let folder = Folder::with_log(&definition_and(EXPECTED), &Table::small_log());
    let report = folder.report(0);
    says(
        report.about("monitor.quality", "x"),
        "pass",
        &["`x` is as expected", "−20 to 40", "0 % missing (2.0 % allowed)"],
    );
    says(report.about("monitor.quality", "colour"), "pass", &["no value other than the 3 allowed"]);
    says(report.about("monitor.quality", "id"), "pass", &["every value on one row"]);
    let recorded: Vec<Value> = records(&folder)
        .into_iter()
        .filter(|record| {
            record["finding"]["subject"]["name"] == "colour"
                && record["finding"]["check"] == "monitor.quality"
        })
        .collect();
    let [record] = recorded.as_slice() else { panic!("{recorded:#?}") };
    assert_eq!(record["datasets"][0]["digest"], report.0["datasets"][0]["digest"]);
    assert!(record["at"].is_string() && record["fresh_until"].is_string());
}

#[test]
fn broken_expectations_fail_or_warn_as_declared() {
    let log = Table::small_log().with_in_window("colour", 84, "violet").with_in_window("x", 96, "99.5").with(
        "id",
        |row, id| if row == REFERENCE_ROWS + 1 { format!("p{REFERENCE_ROWS}") } else { id.into() },
    );
    let folder = Folder::with_log(&definition_and(EXPECTED), &log);
    let report = folder.report(1);
    let x = report.about("monitor.quality", "x");
    says(x, "fail", &["7 of 672 values lie outside of −20 to 40", "to 99.5"]);
    assert_eq!(measure(x, "outside_range_share"), 7.0 / 672.0);
    says(report.about("monitor.quality", "colour"), "fail", &["8 of 672 rows", "violet"]);
    says(report.about("monitor.quality", "id"), "fail", &["1 value stands on more than one row"]);
    assert_eq!(report.need("monitor.quality"), "failed");
    let warning = EXPECTED.replace("[[expect]]", "[[expect]]\non_breach = \"warn\"");
    let report = Folder::with_log(&definition_and(&warning), &log).report(0);
    says(report.about("monitor.quality", "x"), "warn", &[]);
}

#[test]
fn monitoring_twice_holds_every_expectation_and_reads_nothing_the_second_time() {
    let folder = by_day();
    folder.write("forewarn.toml", by_day_definition() + EXPECTED);
    let report = monitored(&folder, &[]);
    let findings = report["quality"].as_array().unwrap();
    assert_eq!(findings.len(), 4, "three tables and one look at the rest: {findings:#?}");
    assert!(told(&report).is_empty(), "{findings:#?}");
    assert!(report["quality_look"]["at"].is_string());
    assert_eq!(report["quality_look"]["datasets"], report["datasets"]);
    let recorded = records(&folder).len();
    let again = monitored(&folder, &[]);
    assert_eq!(again["files_read"], 0);
    assert_eq!(records(&folder).len(), recorded);
    let terminal = folder.run(&["monitor"]).stdout;
    assert!(terminal.contains("3 as expected") && terminal.contains("looked at"), "{terminal}");
    folder.run(&["monitor", "--html", "m.html"]);
    assert!(folder.read("m.html").contains("Looked at on"));
    let markdown = folder.run(&["monitor", "--format", "markdown"]).stdout;
    assert!(markdown.contains("**Data quality**") && markdown.contains("4 findings pass"), "{markdown}");
}

#[test]
fn mistakes_in_expectations_are_shown_at_their_place() {
    let refused = |more: &str, parts: &[&str]| {
        let folder = Folder::with_log(&definition_and(more), &Table::small_log());
        folder.run(&["check"]).refuses(parts);
    };
    let of = |rest: &str| format!("[[expect]]\ncolumn = \"x\"\n{rest}\n");
    refused(
        "[[expect]]\ncolumn = \"colur\"\nunique = true\n",
        &["`colur` is not in the log", "did you mean `colour`?", "forewarn.toml:"],
    );
    refused(&of("min = 3\nmax = 2"), &["min (3) of `x` is above max (2)"]);
    refused(&of("allowed = [\"a\"]"), &["`x` holds a number", "give min and max"]);
    refused("[[expect]]\ncolumn = \"colour\"\nallowed = []\n", &["`allowed` of `colour` is empty"]);
    refused("[[expect]]\ncolumn = \"colour\"\nmax = 1\n", &["`colour` holds text", "a range is for numbers"]);
    refused(&(of("min = 1") + &of("max = 2")), &["`x` has two [[expect]] tables"]);
    refused(&of(""), &["nothing is expected of column `x`"]);
    refused(&of("max_missing = 2"), &["2 is not a share"]);
    refused(&of("minimum = 2"), &["unknown field `minimum`", "`min`"]);
    refused("[monitor.quality]\nrows = 3\n", &["rows is \"auto\", \"off\" or a share"]);
    refused("[monitor.quality]\nfresh_within = \"soon\"\n", &["`soon` is no span of time", "2 days"]);
    refused("[[expect]]\ncolumn = \"at\"\ntype = \"text\"\n[log2]\n", &["unknown field `log2`"]);
}

// Proposed.

#[test]
fn what_init_proposes_is_kept_by_the_log_that_it_was_proposed_for() {
    let folder = Folder::empty();
    folder.write("log.csv", Table::small_log().csv());
    folder.run(&["init", "log.csv"]).exits(0);
    let definition = folder.read("forewarn.toml");
    for line in [
        "[[expect]]\ncolumn = \"amount\"\ntype = \"number\"\nmin = 0\n",
        "allowed = [\"blue\", \"green\", \"red\"]",
        "max_missing = 0.01",
    ] {
        assert!(definition.contains(line), "{line} in\n{definition}");
    }
    let quality =
        |report: &Report| report.findings("monitor.quality").into_iter().cloned().collect::<Vec<Value>>();
    let findings = quality(&folder.report(0));
    assert_eq!(findings.len(), 5, "four features and one look at the rest");
    assert!(findings.iter().all(|finding| finding["verdict"] == "pass"), "{findings:#?}");
    assert!(told(&monitored(&folder, &[])).is_empty());
}

#[test]
fn what_init_proposes_for_real_flights_is_kept_and_what_later_rows_break_is_marked() {
    let folder = Folder::empty();
    for month in ["2013-05", "2013-06", "2013-07"] {
        let of = repository(&format!("examples/flights/data/predictions/{month}.parquet"));
        folder.write(&format!("log/{month}.parquet"), std::fs::read(of).unwrap());
    }
    folder.run(&["init", "log"]).exits(0);
    let definition = folder.read("forewarn.toml");
    assert!(definition.matches("[[expect]]").count() > 20, "{definition}");
    let report = folder.report(1);
    let broken: Vec<&Value> = report
        .findings("monitor.quality")
        .into_iter()
        .filter(|finding| summary(finding).contains("not as expected"))
        .collect();
    assert!(broken.is_empty(), "{broken:#?}");
    assert!(
        told(&monitored(&folder, &[])).iter().all(|finding| !summary(finding).contains("not as expected"))
    );
}

// Inferred.

#[test]
fn a_placeholder_is_far_outside_and_an_ordinary_new_maximum_is_not() {
    let log = Table::small_log().with_in_window("x", 300, "-9999");
    let report = Folder::with_log(DEFINITION, &log).report(0);
    says(report.about("monitor.quality", "x"), "warn", &["3 values of `x` lie far outside", "−9999"]);
    let new_maximum = Table::small_log().with_in_window("x", 672, "18.5");
    let report = Folder::with_log(DEFINITION, &new_maximum).report(0);
    says(report.finding("monitor.quality"), "pass", &["far outside"]);
}

// Rows.

#[test]
fn a_week_of_a_third_of_the_rows_is_told_beside_nine_whole_ones_and_not_beside_four() {
    let halved = |log: &Table, from: usize| log.rows(|row| row < from || row % 3 == 0);
    let small = Table::small_log();
    // Five weeks are too short a history; that is said, and is no pass of its own.
    let report = checked(&Folder::with_log(DEFINITION, &halved(&small, REFERENCE_ROWS)));
    let finding = report.finding("monitor.quality");
    assert_eq!(finding["unmeasured"][0]["name"], "usual_rows", "{finding:#}");
    assert!(finding["unmeasured"][0]["reason"].as_str().unwrap().contains("6 are needed"));
    // Twice the small log, the second time five weeks later.
    let later = small.clone().with("at", |_, at| {
        let at: jiff::Timestamp = at.parse().unwrap();
        (at + jiff::SignedDuration::from_hours(5 * 7 * 24)).to_string()
    });
    let later = later.with("id", |_, id| format!("later-{id}"));
    let mut csv = small.csv();
    csv.extend(halved(&later, REFERENCE_ROWS).csv().lines().skip(1).map(|line| format!("{line}\n")));
    let folder = Folder::small();
    folder.write("log.csv", &csv);
    let report = checked(&folder);
    assert_eq!(report.text("window"), "2024-03-04/2024-03-11");
    let finding = report.finding("monitor.quality");
    says(finding, "warn", &["224 rows, fewer than usual", "9 weeks before have 672"]);
    folder.write("forewarn.toml", definition_and("[monitor.quality]\nrows = 0.2\n"));
    let declared = checked(&folder);
    says(declared.finding("monitor.quality"), "fail", &["−66.7 %"]);
}

#[test]
fn days_and_windows_with_no_rows_are_called_that() {
    let folder = by_day();
    std::fs::remove_file(folder.path(&file(30))).unwrap();
    let report = monitored(&folder, &[]);
    says(&only_told(&report), "warn", &["A day with no rows: 2024-01-31"]);
    for day in 21..28 {
        std::fs::remove_file(folder.path(&file(day))).unwrap();
    }
    monitored(&folder, &[]);
    let empty = records(&folder).into_iter().map(|record| record["finding"].clone()).find(|finding| {
        finding["check"] == "monitor.quality"
            && finding["window"] == "2024-01-22/2024-01-29"
            && finding["verdict"] == "fail"
    });
    says(&empty.unwrap(), "fail", &["A week with no rows", "2024-01-22 to 2024-01-29"]);
}

#[test]
fn a_file_of_a_day_that_is_empty_is_named_and_the_others_are_read() {
    let folder = by_day();
    folder.write(&file(30), "");
    let report = monitored(&folder, &[]);
    let quality = report["quality"].as_array().unwrap();
    let said = |part: &str| quality.iter().any(|of| of["summary"].as_str().unwrap().contains(part));
    assert!(said("1 file is empty (0 bytes): log/day-30.csv"), "{quality:#?}");
    assert!(said("A day with no rows: 2024-01-31"), "{quality:#?}");
    assert_eq!(
        folder.evidence(),
        {
            monitored(&folder, &[]);
            folder.evidence()
        },
        "it is told once"
    );
    // Written later, it is what a log is there for.
    folder.write(&file(30), by_day().read(&file(30)));
    let report = monitored(&folder, &[]);
    assert!(told(&report).is_empty(), "{:#?}", told(&report));
}

#[test]
fn a_log_that_went_quiet_is_told_once_and_again_when_it_is_fresh() {
    let folder = by_day();
    folder.write("forewarn.toml", by_day_definition() + "\n[monitor.quality]\nfresh_within = \"2 days\"\n");
    let as_of = |instant: &str| monitored(&folder, &["--as-of", instant]);
    let fresh = as_of("2024-02-05T06:00:00Z");
    assert!(told(&fresh).is_empty(), "{:#?}", told(&fresh));
    let quiet = as_of("2024-02-09");
    says(&only_told(&quiet), "fail", &["The newest row is of 2024-02-04T23:45:00Z", "at most 2 days"]);
    let recorded = records(&folder).len();
    as_of("2024-02-09");
    assert_eq!(records(&folder).len(), recorded, "what is known is not recorded again");
    assert!(told(&as_of("2024-02-05T06:00:00Z")).is_empty());
}

// Files.

#[test]
fn a_column_that_becomes_text_is_a_finding_about_its_file_and_the_rest_is_still_made() {
    let folder = by_day();
    with_second_week(&folder, |day| {
        day.with("x", |row, x| if row % 2 == 0 { "n/a".into() } else { x.to_owned() })
    });
    let report = monitored(&folder, &[]);
    let finding = only_told(&report);
    says(
        &finding,
        "fail",
        &[
            "Column `x` changed its type from a number to text",
            "text from log/day-28.csv (2024-01-29) on",
            "a number in log/day-00.csv",
        ],
    );
    assert_eq!(finding["subject"]["name"], "x");
    // What can be read as a number is; the rest counts as missing.
    assert_eq!(drift_of(&report, "x"), ["pass", "fail"]);
    for column in ["amount", "colour", "region"] {
        assert_eq!(drift_of(&report, column), ["pass", "pass"], "{column}");
    }
    let first_week = records(&folder).into_iter().map(|record| record["finding"].clone()).find(|finding| {
        finding["check"] == "monitor.quality" && finding["window"] == "2024-01-22/2024-01-29"
    });
    says(&first_week.unwrap(), "pass", &[]);
    assert_eq!(monitored(&folder, &[])["files_read"], 0);
    says(folder.report(1).about("monitor.quality", "x"), "fail", &["changed its type"]);
}

#[test]
fn numbers_that_are_written_as_text_are_still_read() {
    let folder = by_day();
    // One word makes a column text; all its other values can be read.
    with_second_week(&folder, |day| {
        day.with("x", |row, x| if row == 5 { "n/a".into() } else { x.to_owned() })
    });
    let report = monitored(&folder, &[]);
    says(&only_told(&report), "fail", &["changed its type"]);
    assert_eq!(drift_of(&report, "x"), ["pass", "pass"]);
}

#[test]
fn an_id_that_becomes_text_still_finds_its_outcome() {
    let numbered = |id: &str| id.trim_start_matches('p').to_owned();
    let folder = by_day();
    let log = Table::small_log();
    for day in 0..SECOND_WEEK {
        folder.write(&file(day), day_of(&log, day).with("id", |_, id| numbered(id)).csv());
    }
    let report = folder.report(1);
    says(
        report.about("monitor.quality", "id"),
        "fail",
        &["text from log/day-28.csv (2024-01-29) on", "a number in log/day-00.csv"],
    );
    assert!(measure(report.finding("evaluate.performance"), "roc_auc").is_finite());
    let ids = report.findings("monitor.quality");
    assert!(ids.iter().all(|finding| !summary(finding).contains("rows have no `id`")), "{ids:#?}");
}

#[test]
fn a_column_that_is_gone_or_new_is_named_with_its_file() {
    let folder = by_day();
    with_second_week(&folder, |day| {
        day.select(&["id", "at", "amount", "colour", "region", "score", "label"]).renamed("colour", "shade")
    });
    let report = monitored(&folder, &[]);
    let told = told(&report);
    let about = |name: &str| told.iter().find(|finding| finding["subject"]["name"] == name).unwrap();
    says(
        about("x"),
        "fail",
        &["Column `x` is gone", "from log/day-28.csv (2024-01-29) on", "log/day-00.csv has it"],
    );
    says(about("colour"), "fail", &["Column `colour` is gone"]);
    says(about("shade"), "warn", &["Column `shade` is new: there from log/day-28.csv (2024-01-29) on"]);
    assert_eq!(told.len(), 3, "nothing is said twice: {told:#?}");
    assert_eq!(drift_of(&report, "amount"), ["pass", "pass"]);
}

#[test]
fn rows_that_are_logged_late_are_told() {
    let folder = by_day();
    let log = Table::small_log();
    // The last file repeats nothing: it has its own day, and half of the day before.
    let (before, last) = (day_of(&log, DAYS - 2), day_of(&log, DAYS - 1));
    folder.write(&file(DAYS - 2), before.rows(|row| row % 2 == 0).csv());
    let late = before.rows(|row| row % 2 == 1).csv();
    folder.write(&file(DAYS - 1), last.csv() + late.split_once('\n').unwrap().1);
    assert!(told(&monitored(&folder, &[])).is_empty(), "a file may hold rows of the day before");
    // After files of later days they are out of order.
    folder.write(&file(DAYS - 1), last.csv());
    folder.write("log/day-99.csv", &late);
    let told = told(&monitored(&folder, &[]));
    let late = told.iter().find(|finding| summary(finding).contains("late or out of order"));
    says(late.unwrap(), "warn", &["48 rows (7.1 %) stand in a file that comes after files of later days"]);
}

// Clocks.

#[test]
fn mixed_offsets_are_one_time() {
    let expected = Folder::small().report(0);
    let log = Table::small_log().with("at", |row, at| {
        let at: jiff::Timestamp = at.parse().unwrap();
        let (hours, written) = [(-5, "-05:00"), (0, "Z"), (2, "+02:00"), (9, "+09:00")][row % 4];
        format!("{}{written}", jiff::tz::Offset::constant(hours).to_datetime(at))
    });
    let report = Folder::with_log(DEFINITION, &log).report(0);
    for check in ["monitor.drift", "monitor.quality", "evaluate.performance", "evaluate.outcomes"] {
        assert_eq!(report.findings(check), expected.findings(check), "{check}");
    }
}

#[test]
fn times_without_an_offset_among_others_are_told() {
    let log = Table::small_log()
        .with("at", |row, at| if row % 4 == 0 { at.trim_end_matches('Z').to_owned() } else { at.to_owned() });
    let report = Folder::with_log(DEFINITION, &log).report(0);
    let finding = report.finding("monitor.quality");
    says(finding, "warn", &["168 times of `at` have no offset and 504 have one", "read as UTC"]);
    assert_eq!(measure(finding, "local_time_share"), 0.25);
}

/// An hour is left out in the reference, as on the last Sunday of March, and one comes twice in the window, as
/// on the last one of October.
#[test]
fn local_times_with_daylight_saving_are_no_alarm() {
    let spring = 20 * 96 + 8..20 * 96 + 12;
    let autumn = 31 * 96 + 8;
    let small = Table::small_log();
    let mut log = small.rows(|row| !spring.contains(&row) && row < autumn);
    let columns = ["id", "at", "x", "amount", "colour", "region", "score", "label"];
    for row in (autumn..autumn + 4).chain(autumn..small.len()) {
        let cells: Vec<String> = columns.iter().map(|column| small.cell(row, column).to_owned()).collect();
        let id = format!("{}-{}", cells[0], log.len());
        let cells: Vec<&str> =
            std::iter::once(id.as_str()).chain(cells[1..].iter().map(String::as_str)).collect();
        log.push(&cells);
    }
    let log = log.with("at", |_, at| at.trim_end_matches('Z').to_owned());
    let report = Folder::with_log(DEFINITION, &log).report(0);
    says(report.finding("monitor.quality"), "pass", &["676 rows"]);
    for finding in report.findings("monitor.drift") {
        says(finding, "pass", &[]);
    }
}

#[test]
fn a_clock_that_is_years_ahead_is_told_and_makes_no_empty_weeks() {
    let folder = by_day();
    let ahead = Table::small_log().rows(|row| row == 0).with("id", |_, _| "ahead".into());
    let ahead = ahead.with("at", |_, _| "2199-01-01T00:00:00Z".into());
    folder.write("log/day-zz.csv", ahead.csv());
    let report = monitored(&folder, &["--as-of", "2024-02-05"]);
    assert_eq!(report["windows"].as_array().unwrap().len(), 2);
    says(&only_told(&report), "warn", &["1 row is dated after today, up to 2199-01-01"]);
    let until_now = monitored(&folder, &[]);
    assert_eq!(until_now["windows"].as_array().unwrap().len(), 2);
}

// Little to look at.

#[test]
fn monitoring_a_log_of_one_row_says_that_there_is_no_window_yet() {
    let folder = Folder::with_log(DEFINITION, &Table::small_log().rows(|row| row == 0));
    let run = folder.run(&["monitor"]);
    assert_ne!(run.status, 2, "{}", run.stderr);
    assert!(run.stdout.contains("no whole week yet to compare with the reference"), "{}", run.stdout);
    let outside = Folder::with_log(DEFINITION, &Table::small_log().rows(|row| row == REFERENCE_ROWS + 9));
    outside.run(&["monitor"]).refuses(&["2024-01-01/2024-01-29 has no rows"]);
}

#[test]
fn columns_without_a_value_or_with_one_value_only_leave_the_rest_of_the_report() {
    let folder = by_day();
    let log = Table::small_log().with("x", |_, _| String::new()).with("colour", |_, _| "red".into());
    for day in 0..DAYS {
        folder.write(&file(day), day_of(&log, day).csv());
    }
    let report = monitored(&folder, &[]);
    says(&only_told(&report), "warn", &["`x` has no value at all, as in the reference"]);
    assert_eq!(drift_of(&report, "x"), ["unknown", "unknown"]);
    assert_eq!(drift_of(&report, "colour"), ["pass", "pass"]);
    assert_eq!(drift_of(&report, "amount"), ["pass", "pass"]);
}

#[test]
fn outcomes_that_contradict_each_other_are_counted_in_performance_over_time() {
    let small = Table::small_log();
    let mut outcomes = small.select(&["id", "label"]);
    for row in REFERENCE_ROWS..REFERENCE_ROWS + 10 {
        let other = if small.cell(row, "label") == "1" { "0" } else { "1" };
        outcomes.push(&[small.cell(row, "id"), other]);
    }
    let definition =
        definition_with("{ column = \"label\" }", "{ path = \"outcomes.csv\", column = \"label\" }");
    let definition = format!("{definition}\n[monitor.performance]\nevery = \"week\"\n");
    let log = small.select(&["id", "at", "x", "amount", "colour", "region", "score"]);
    let folder = Folder::with_log(&definition, &log);
    folder.write("outcomes.csv", outcomes.csv());
    let report = monitored(&folder, &[]);
    let finding = report["performance"].as_array().unwrap().last().unwrap();
    says(
        finding,
        "warn",
        &["10 predictions have outcomes that contradict each other", "none of them counts"],
    );
    assert_eq!(drift_of(&report, "amount"), ["pass"]);
}

#[test]
fn an_outage_within_the_reference_does_not_excuse_the_next_one() {
    let log = Table::small_log();
    let rows_a_day = log.len() / DAYS;
    // The last of the four weeks of the reference, and the week that is checked.
    let since = (SECOND_WEEK - 7) * rows_a_day;
    let log = log.with("x", |row, x| if row < since { x.to_owned() } else { String::new() });
    let report = checked(&Folder::with_log(DEFINITION, &log));
    says(report.about("monitor.drift", "x"), "fail", &["x", "no values"]);
}
