//! Findings about windows that are made up, so that each has one thing wrong.

use jiff::Timestamp;
use stats::sketch::{CategoricalProfile, Fidelity, NumericProfile, Profile};
use types::answer::Identity;
use types::column::{Column, ColumnKind, Schema};
use types::definition::Cadence;
use types::log_state::{ColumnFile, ColumnFiles, EmptyFile, LogDay, LogState, day_of};
use types::question::Measured;
use types::{Answer, Answers, Definition, Finding, Question, Verdict, Window, definition};

use super::judge;
use crate::{History, Scope, Usual};

const REFERENCE: &str = "2024-01-01/2024-03-04";
const WINDOW: &str = "2024-03-04/2024-03-11";

fn at(text: &str) -> Timestamp {
    types::window::parse_instant(text).unwrap()
}

fn window(text: &str) -> Window {
    text.parse().unwrap()
}

fn numbers(values: impl IntoIterator<Item = f64>) -> Profile {
    let mut profile = NumericProfile::new(Fidelity::Exact);
    profile.extend(&values.into_iter().collect::<Vec<f64>>());
    Profile::Numeric(profile)
}

fn texts(counts: &[(&str, u64)], nulls: u64) -> Profile {
    let mut profile = CategoricalProfile::new(1000);
    for (value, count) in counts {
        profile.values.add(value, *count);
    }
    profile.nulls = nulls;
    Profile::Categorical(profile)
}

/// Ten weeks of 100 rows a day, of which the last is the window; `x` and `colour` are well.
struct Made {
    definition: String,
    columns: Vec<(&'static str, ColumnKind, Profile, Profile)>,
    identity: Option<Identity>,
    log: LogState,
}

fn made() -> Made {
    let spread = |rows: u32| numbers((0..rows).map(|row| f64::from(row * 7919 % rows) / f64::from(rows)));
    let days = (day_of(at("2024-01-01"))..day_of(at("2024-03-11"))).map(|day| {
        let first = Timestamp::from_second(day * 86_400).unwrap();
        LogDay { day, rows: 100, first, last: first, local_rows: 0, late_rows: 0 }
    });
    Made {
        definition: format!(
            "[log]\npath = \"l\"\ntime = \"t\"\nscore = \"p\"\n[reference]\nwindow = \"{REFERENCE}\"\n"
        ),
        columns: vec![
            ("x", ColumnKind::Numeric, spread(6300), spread(700)),
            ("p", ColumnKind::Numeric, spread(6300), spread(700)),
            (
                "colour",
                ColumnKind::Categorical,
                texts(&[("red", 3000), ("blue", 3300)], 0),
                texts(&[("red", 300), ("blue", 400)], 0),
            ),
        ],
        identity: None,
        log: LogState {
            days: days.collect(),
            files: 10,
            as_of: at("2024-03-11"),
            now: at("2024-03-11"),
            newest: true,
            ..LogState::default()
        },
    }
}

impl Made {
    fn expecting(mut self, more: &str) -> Self {
        self.definition.push_str(more);
        self
    }

    fn with(mut self, column: &str, current: &Profile) -> Self {
        for known in &mut self.columns {
            if known.0 == column {
                known.3 = current.clone();
            }
        }
        self
    }

    fn with_days(mut self, change: impl Fn(&mut LogDay)) -> Self {
        self.log.days.iter_mut().for_each(change);
        self.log.days.retain(|day| day.rows > 0);
        self
    }

    fn findings(&self) -> Vec<Finding> {
        self.findings_of(WINDOW, Cadence::Week)
    }

    fn findings_of(&self, current: &str, every: Cadence) -> Vec<Finding> {
        let definition: Definition = definition::parse(&self.definition).unwrap();
        let column = |name: &str, kind| Column { name: name.into(), kind, type_name: "test".into() };
        let mut schema = Schema { columns: vec![column("t", ColumnKind::Time)] };
        schema.columns.extend(self.columns.iter().map(|(name, kind, ..)| column(name, *kind)));
        definition::check_against(&definition, &schema, None).unwrap();
        let (window, against) = (window(current), [definition.reference.window]);
        let mut answers = Answers::default();
        for (name, kind, reference, current) in &self.columns {
            for (window, profile) in [(against[0], reference), (window, current)] {
                let of = Measured::Column { name: (*name).into() };
                answers
                    .insert(Question::Profile { of, kind: *kind, window }, Answer::Profile(profile.clone()));
            }
        }
        if let Some(identity) = self.identity {
            answers
                .insert(Question::Identity { column: "colour".into(), window }, Answer::Identity(identity));
        }
        let scope = Scope {
            definition: &definition,
            schema: &schema,
            window,
            every,
            against: &against,
            log: &self.log,
            history: &History::default(),
            usual: &Usual::default(),
        };
        judge(scope, &answers)
    }

    /// The only finding beside those that pass.
    #[track_caller]
    fn says(&self, verdict: Verdict, parts: &[&str]) -> Finding {
        let findings = self.findings();
        says(&findings, verdict, parts)
    }
}

#[track_caller]
fn says(findings: &[Finding], verdict: Verdict, parts: &[&str]) -> Finding {
    let told: Vec<&Finding> = findings.iter().filter(|finding| finding.verdict != Verdict::Pass).collect();
    let [only] = told.as_slice() else { panic!("{} findings: {told:#?}", told.len()) };
    assert_eq!(only.verdict, verdict, "{}", only.summary);
    for part in parts {
        assert!(only.summary.contains(part), "no {part:?} in {:?}", only.summary);
    }
    (*only).clone()
}

#[track_caller]
fn is_well(made: &Made) -> Finding {
    let findings = made.findings();
    assert!(findings.iter().all(|finding| finding.verdict == Verdict::Pass), "{findings:#?}");
    findings[0].clone()
}

#[test]
fn where_nothing_is_wrong_one_finding_says_what_was_looked_at() {
    let finding = is_well(&made());
    for part in ["3 columns", "far outside", "as many as the 9 weeks before make likely"] {
        assert!(finding.summary.contains(part), "{}", finding.summary);
    }
    assert_eq!(finding.measure("usual_rows").unwrap().value, 700.0);
}

// Rows.

#[test]
fn half_the_rows_are_fewer_than_usual_and_twice_as_many_more() {
    let in_window = day_of(at("2024-03-04"));
    let with = |rows| {
        made().with_days(|day| {
            if day.day >= in_window {
                day.rows = rows;
            }
        })
    };
    with(30).says(Verdict::Warn, &["210 rows, fewer than usual", "9 weeks before have 700", "missing"]);
    with(300).says(Verdict::Warn, &["2,100 rows, more than usual", "twice"]);
    is_well(&with(90));
    assert!(with(30).expecting("[monitor.quality]\nrows = \"off\"\n").findings()[0].verdict == Verdict::Pass);
}

#[test]
fn a_declared_tolerance_is_a_failure_where_it_is_broken_and_unknown_without_history() {
    let in_window = day_of(at("2024-03-04"));
    let with = |rows| {
        made().expecting("[monitor.quality]\nrows = 0.3\n").with_days(|day| {
            if day.day >= in_window {
                day.rows = rows;
            }
        })
    };
    let broken = with(60).says(Verdict::Fail, &["420 rows; the 9 weeks before have 700", "−40 %", "30 %"]);
    assert_eq!(broken.thresholds[0].from, "monitor.quality.rows");
    let kept = with(80).findings();
    assert!(kept.iter().any(|finding| finding.summary.contains("−20 %")), "{kept:#?}");
    let first = made().expecting("[monitor.quality]\nrows = 0.3\n").with_days(|day| {
        if day.day < in_window {
            day.rows = 0;
        }
    });
    first.says(Verdict::Unknown, &["not known", "no whole week"]);
}

#[test]
fn a_short_history_is_said_and_does_not_pass_for_a_usual_number() {
    let from = day_of(at("2024-02-05"));
    let finding = is_well(&made().with_days(|day| {
        if day.day < from {
            day.rows = 0;
        }
    }));
    assert!(finding.unmeasured[0].reason.contains("4 weeks before this one, 6 are needed"), "{finding:#?}");
    assert!(!finding.summary.contains("likely"), "{}", finding.summary);
}

#[test]
fn a_day_and_a_window_without_rows_are_called_that() {
    let wednesday = day_of(at("2024-03-06"));
    let empty_day = made().with_days(|day| {
        if day.day == wednesday {
            day.rows = 0;
        }
    });
    empty_day.says(Verdict::Warn, &["A day with no rows: 2024-03-06", "as a rule"]);
    let empty = made().with_days(|day| {
        if (day_of(at("2024-03-04"))..day_of(at("2024-03-10"))).contains(&day.day) {
            day.rows = 0;
        }
    });
    says(
        &empty.findings_of("2024-03-05/2024-03-06", Cadence::Day),
        Verdict::Fail,
        &["A day with no rows", "2024-03-05"],
    );
    let whole = made().with_days(|day| {
        if day.day >= day_of(at("2024-03-04")) {
            day.rows = 0;
        }
    });
    whole.says(Verdict::Fail, &["A week with no rows", "2024-03-04 to 2024-03-11"]);
}

#[test]
fn a_day_that_never_has_rows_is_not_missed() {
    let is_sunday = |day: i64| (day - day_of(at("2024-01-07"))) % 7 == 0;
    is_well(&made().with_days(|day| {
        if is_sunday(day.day) {
            day.rows = 0;
        }
    }));
}

// Clocks.

#[test]
fn the_newest_row_is_held_against_the_age_that_it_may_have() {
    let expecting =
        |within: &str| made().expecting(&format!("[monitor.quality]\nfresh_within = \"{within}\"\n"));
    let kept = expecting("2 days").findings();
    assert!(kept.iter().any(|finding| finding.summary.contains("24 hours old")), "{kept:#?}");
    let mut stale = expecting("2 days");
    stale.log.as_of = at("2024-03-20");
    let finding = stale.says(Verdict::Fail, &["2024-03-10", "10 days old", "at most 2 days"]);
    assert_eq!(finding.measure("newest_row_age_hours").unwrap().value, 240.0);
    let mut earlier = expecting("2 days");
    earlier.log.as_of = at("2020-01-01");
    earlier.says(Verdict::Unknown, &["no row by 2020-01-01"]);
    stale.log.newest = false;
    is_well(&stale);
}

#[test]
fn rows_that_are_dated_after_today_are_told() {
    let mut made = made();
    let ahead = LogDay {
        day: 40_000,
        rows: 3,
        first: at("2079-07-08"),
        last: at("2079-07-08"),
        local_rows: 0,
        late_rows: 0,
    };
    made.log.days.push(ahead);
    made.says(Verdict::Warn, &["3 rows are dated after today, up to 2079-07-08", "log.time_unit"]);
}

#[test]
fn times_without_an_offset_among_times_with_one_are_told() {
    let in_window = day_of(at("2024-03-04"));
    let local = |from: i64, rows: u64| {
        made().with_days(move |day| {
            if day.day >= from {
                day.local_rows = rows;
            }
        })
    };
    local(in_window, 25).says(Verdict::Warn, &["175 times of `t` have no offset and 525 have one", "UTC"]);
    local(in_window, 100).says(Verdict::Warn, &["have no offset here; in the reference they have one"]);
    // All of one kind are what they are.
    is_well(&local(0, 100));
}

#[test]
fn rows_in_files_of_later_days_are_late_where_files_are_in_the_order_of_time() {
    let in_window = day_of(at("2024-03-04"));
    let late = |from: i64| {
        made().with_days(move |day| {
            if day.day >= from {
                day.late_rows = 20;
            }
        })
    };
    let finding = late(in_window).says(Verdict::Warn, &["140 rows (20 %)", "late or out of order"]);
    assert_eq!(finding.measure("late_share").unwrap().value, 0.2);
    // Files by region hold the same days; nothing can be said of lateness then.
    let unordered = is_well(&late(0));
    assert!(unordered.unmeasured[0].reason.contains("not in the order of time"), "{unordered:#?}");
}

// Files.

fn file(name: &str, days: (&str, &str), holds: Option<&str>) -> ColumnFile {
    ColumnFile {
        file: name.into(),
        first_day: day_of(at(days.0)),
        last_day: day_of(at(days.1)),
        holds: holds.map(str::to_owned),
    }
}

#[test]
fn a_column_that_is_new_gone_or_of_another_type_is_named_with_its_file() {
    let (before, now) = (("2024-01-01", "2024-03-03"), ("2024-03-04", "2024-03-10"));
    let with = |was: Option<&str>, is: Option<&str>| {
        let mut made = made();
        let files = vec![file("a.csv", before, was), file("b.csv", now, is)];
        made.log.columns = vec![ColumnFiles { column: "x".into(), files }];
        made
    };
    with(Some("a number"), Some("text")).says(
        Verdict::Fail,
        &["`x` changed its type from a number to text: text from b.csv (2024-03-04) on", "a.csv"],
    );
    with(None, Some("text")).says(Verdict::Warn, &["`x` is new: there from b.csv (2024-03-04) on", "a.csv"]);
    // It has no value either, which is not told twice.
    let mut empty = NumericProfile::new(Fidelity::Exact);
    empty.nulls = 700;
    let gone = with(Some("a number"), None).with("x", &Profile::Numeric(empty));
    gone.says(Verdict::Fail, &["`x` is gone: no longer there from b.csv (2024-03-04) on"]);
    let (zoned, naive) = (Some("a time with an offset"), Some("a time without an offset"));
    with(zoned, naive).says(Verdict::Warn, &["read as UTC"]);
    // What the reference has in one of its files is known.
    let mut known = with(Some("a number"), Some("text"));
    known.log.columns[0].files.insert(1, file("a2.csv", before, Some("text")));
    is_well(&known);
}

#[test]
fn an_empty_file_is_told_with_the_window_that_its_rows_would_lie_in() {
    let day = |text: &str| Some(day_of(at(text)));
    let with = |after: Option<i64>, before: Option<i64>, newest: bool| {
        let mut made = made();
        made.log.newest = newest;
        made.log.empty_files = vec![EmptyFile { file: "log/d.csv".into(), after, before }];
        made
    };
    let said = ["1 file is empty (0 bytes): log/d.csv", "no rows"];
    with(day("2024-03-06"), day("2024-03-08"), false).says(Verdict::Warn, &said);
    is_well(&with(day("2024-02-06"), day("2024-02-08"), true));
    // The last one of the log.
    with(day("2024-03-10"), None, true).says(Verdict::Warn, &said);
    is_well(&with(day("2024-03-10"), None, false));
}

#[test]
fn a_change_late_in_the_reference_is_told_and_codes_that_happen_to_be_digits_are_none() {
    let with = |holds: &dyn Fn(usize) -> &'static str| {
        let mut made = made();
        // Eight files of the reference, and three of the window.
        let days =
            |at: usize| if at < 8 { ("2024-01-01", "2024-03-03") } else { ("2024-03-04", "2024-03-10") };
        let files = (0..11).map(|at| file(&format!("{at}.csv"), days(at), Some(holds(at)))).collect();
        made.log.columns = vec![ColumnFiles { column: "x".into(), files }];
        made
    };
    // The last of eight files of the reference, and all after it.
    with(&|at| if at < 7 { "a number" } else { "text" })
        .says(Verdict::Fail, &["`x` changed its type from a number to text: text from 7.csv"]);
    // One file of three has digits only.
    is_well(&with(&|at| if at == 9 { "a number" } else { "text" }));
    with(&|at| if at >= 8 { "a number" } else { "text" })
        .says(Verdict::Fail, &["`x` changed its type from text to a number: a number from 8.csv"]);
}

#[test]
fn a_column_that_cannot_be_read_as_before_is_told_once_and_is_no_dead_feed() {
    let mut empty = NumericProfile::new(Fidelity::Exact);
    empty.nulls = 700;
    let mut retyped = made().with("x", &Profile::Numeric(empty));
    let files = vec![
        file("a.csv", ("2024-01-01", "2024-02-25"), Some("a number")),
        file("b.csv", ("2024-02-26", "2024-03-03"), Some("text")),
        file("c.csv", ("2024-03-04", "2024-03-10"), Some("text")),
    ];
    // In another week than that of the reference, so that what is said of the first file is not of the window's.
    retyped.definition = retyped.definition.replace(REFERENCE, "2024-01-01/2024-02-26");
    retyped.log.columns = vec![ColumnFiles { column: "x".into(), files }];
    retyped.says(Verdict::Fail, &["text from b.csv (2024-02-26) on"]);
}

#[test]
fn a_new_column_is_told_with_its_first_window_and_before_it_there_is_nothing_to_tell() {
    let mut empty = NumericProfile::new(Fidelity::Exact);
    empty.nulls = 700;
    let with = |files: Vec<ColumnFile>| {
        let mut made = made().with("x", &Profile::Numeric(empty.clone()));
        for known in &mut made.columns {
            if known.0 == "x" {
                known.2 = Profile::Numeric(empty.clone());
            }
        }
        made.definition = made.definition.replace(REFERENCE, "2024-01-01/2024-02-26");
        made.log.columns = vec![ColumnFiles { column: "x".into(), files }];
        made
    };
    let a = || file("a.csv", ("2024-01-01", "2024-02-25"), None);
    let later = file("d.csv", ("2024-03-11", "2024-03-17"), Some("a number"));
    is_well(&with(vec![a(), file("b.csv", ("2024-02-26", "2024-03-10"), None), later]));
    let b = file("b.csv", ("2024-02-26", "2024-03-03"), Some("a number"));
    is_well(&with(vec![a(), b, file("c.csv", ("2024-03-04", "2024-03-10"), Some("a number"))]));
}

// Columns.

#[test]
fn every_part_of_an_expectation_is_held_against_the_window() {
    let kept = r#"
[[expect]]
column = "x"
type = "number"
min = 0
max = 1
max_missing = 0

[[expect]]
column = "colour"
allowed = ["red", "blue", "green"]
unique = true
"#;
    let unique = Identity { rows: 700, ..Identity::default() };
    let mut well = made().expecting(kept);
    well.identity = Some(unique);
    let findings = well.findings();
    assert!(findings.iter().all(|finding| finding.verdict == Verdict::Pass), "{findings:#?}");
    let x = findings.iter().find(|finding| finding.subject.label() == "x").unwrap();
    assert!(x.summary.contains("`x` is as expected: numbers as expected, values from 0 to"), "{}", x.summary);

    let with = |current: &Profile, column: &str| {
        let mut made = made().expecting(kept).with(column, current);
        made.identity = Some(unique);
        made
    };
    let beyond = numbers((0..699).map(|row| f64::from(row) / 699.0).chain([-0.5]));
    let finding = with(&beyond, "x").says(Verdict::Fail, &["1 of 700 values lie outside of 0 to 1", "−0.5"]);
    assert_eq!(finding.measure("outside_range_share").unwrap().value, 1.0 / 700.0);
    let other = texts(&[("red", 300), ("violet", 12), ("blue", 388)], 0);
    with(&other, "colour").says(Verdict::Fail, &["12 of 700 rows hold a value that is not allowed (violet)"]);
    let mut twice = made().expecting(kept);
    twice.identity = Some(Identity { repeated_ids: 2, surplus_rows: 3, ..unique });
    twice.says(Verdict::Fail, &["2 values stand on more than one row (3 rows too many)"]);
    let warned = made().expecting("[[expect]]\ncolumn = \"x\"\nmin = 0.5\non_breach = \"warn\"\n");
    warned.says(Verdict::Warn, &["outside of at least 0.5"]);
    let typed = made().expecting("[[expect]]\ncolumn = \"colour\"\ntype = \"number\"\nmin = 0\n");
    typed.says(Verdict::Fail, &["it holds text (test), not numbers"]);
}

#[test]
fn an_expectation_of_a_column_without_values_is_unknown() {
    let expecting = "[[expect]]\ncolumn = \"x\"\nmin = 0\n";
    let mut empty = NumericProfile::new(Fidelity::Exact);
    empty.nulls = 700;
    let findings = made().expecting(expecting).with("x", &Profile::Numeric(empty)).findings();
    let of = |verdict| findings.iter().find(|finding| finding.verdict == verdict).unwrap();
    assert!(of(Verdict::Fail).summary.contains("no value at all"));
    assert!(of(Verdict::Unknown).summary.contains("it has no value in this window"));
}

#[test]
fn an_ordinary_new_maximum_is_no_finding_and_a_placeholder_is() {
    let with = |extreme: f64| {
        let values = (0..699).map(|row| f64::from(row) / 699.0).chain([extreme]);
        made().with("x", &numbers(values))
    };
    is_well(&with(1.05));
    let finding =
        with(9999.0).says(Verdict::Warn, &["1 value of `x` lies far outside", "9999", "[[expect]]"]);
    assert_eq!(finding.thresholds[0].from, "inferred from the reference");
    with(-7.0).says(Verdict::Warn, &["as far as −7"]);
    assert_eq!(
        with(9999.0).expecting("[monitor.quality]\ninferred = false\n").findings()[0].verdict,
        Verdict::Pass
    );
    // A declared limit takes the place of the inferred one.
    with(9999.0)
        .expecting("[[expect]]\ncolumn = \"x\"\nmax = 10\n")
        .says(Verdict::Fail, &["1 of 700 values lie outside of at most 10"]);
}
