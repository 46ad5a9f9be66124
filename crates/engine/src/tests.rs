//! Answers of the whole engine on small files, against values known by construction.

use std::fmt::Write as _;
use std::path::Path;

use stats::sketch::{Fidelity, NumericProfile, Profile};
use types::column::ColumnKind;
use types::definition::{self, Definition};
use types::question::Measured;
use types::{Answers, Question, Window};

use crate::{Engine, EngineOptions};

const DEFINITION: &str = r#"
[log]
path = "log.csv"
id = "id"
time = "t"
score = "p"
[reference]
window = "2025-01-01/2025-01-03"
"#;

/// One row a second from 2025-01-01; `x` is scattered and sometimes missing, `c` has three values.
fn write_log(folder: &Path, rows: u64) {
    let mut text = String::from("id,t,p,x,c\n");
    for row in 0..rows {
        let at = jiff::Timestamp::from_second(1_735_689_600 + row as i64).unwrap();
        let x = value(row).map(|x| x.to_string()).unwrap_or_default();
        writeln!(
            text,
            "{row},{at},0.{},{x},{}",
            row % 10,
            ["a", "b", "longer than twelve bytes"][row as usize % 3]
        )
        .unwrap();
    }
    std::fs::write(folder.join("log.csv"), text).unwrap();
}

fn value(row: u64) -> Option<f64> {
    (!row.is_multiple_of(11)).then(|| (row.wrapping_mul(0x9E37_79B9_7F4A_7C15) >> 44) as f64 / 16.0)
}

fn window(text: &str) -> Window {
    text.parse().unwrap()
}

fn of(name: &str, kind: ColumnKind, window: Window) -> Question {
    Question::Profile { of: Measured::Column { name: name.into() }, kind, window }
}

fn answered(folder: &Path, options: EngineOptions, questions: &[Question]) -> Answers {
    let definition: Definition = definition::parse(DEFINITION).unwrap();
    let engine = Engine::new(options).unwrap();
    let log = engine.open(&definition, folder, None).unwrap();
    log.answer(questions, jiff::Timestamp::MAX).unwrap()
}

fn numeric<'a>(answers: &'a Answers, question: &Question) -> &'a NumericProfile {
    match answers.profile(question) {
        Some(Profile::Numeric(profile)) => profile,
        other => panic!("not a numeric profile: {other:?}"),
    }
}

const DAY: u64 = 86_400;

#[test]
fn a_profile_is_that_of_the_rows_in_its_window() {
    let folder = tempfile::tempdir().unwrap();
    write_log(folder.path(), 2 * DAY + 500);
    let second_day = window("2025-01-02/2025-01-03");
    let numbers = of("x", ColumnKind::Numeric, second_day);
    let texts = of("c", ColumnKind::Categorical, second_day);
    let ids = Question::Identity { column: "id".into(), window: second_day };
    let answers =
        answered(folder.path(), EngineOptions::default(), &[numbers.clone(), texts.clone(), ids.clone()]);

    let mut expected = NumericProfile::new(Fidelity::Exact);
    let values: Vec<f64> = (DAY..2 * DAY).filter_map(value).collect();
    expected.extend(&values);
    let profile = numeric(&answers, &numbers);
    assert_eq!(profile.ecdf(), expected.ecdf());
    assert_eq!(profile.nulls, DAY - values.len() as u64);
    let (mean, expected_mean) =
        (profile.moments.mean().unwrap(), values.iter().sum::<f64>() / values.len() as f64);
    assert!((mean - expected_mean).abs() < 1e-9 * expected_mean);

    let Some(Profile::Categorical(texts)) = answers.profile(&texts) else {
        panic!("not a categorical profile")
    };
    assert_eq!(texts.values.count("longer than twelve bytes"), DAY / 3);
    assert_eq!(texts.values.distinct(), 3.0);
    assert_eq!(answers.identity(&ids).unwrap().rows, DAY);
}

#[test]
fn overlapping_windows_are_answered_by_one_plan_as_if_asked_alone() {
    let folder = tempfile::tempdir().unwrap();
    write_log(folder.path(), 3 * DAY);
    let windows =
        ["2025-01-01/2025-01-03", "2025-01-02/2025-01-04", "2025-01-01T12:00:00Z/2025-01-01T18:00:00Z"];
    let questions: Vec<Question> =
        windows.iter().map(|text| of("x", ColumnKind::Numeric, window(text))).collect();
    let together = answered(folder.path(), EngineOptions::default(), &questions);
    for question in &questions {
        let alone = answered(folder.path(), EngineOptions::default(), std::slice::from_ref(question));
        assert_eq!(numeric(&together, question).ecdf(), numeric(&alone, question).ecdf());
    }
}

#[test]
fn a_sketched_answer_keeps_within_its_stated_error_of_the_exact_one() {
    let folder = tempfile::tempdir().unwrap();
    write_log(folder.path(), 2 * DAY);
    let question = of("x", ColumnKind::Numeric, window("2025-01-01/2025-01-03"));
    let answer = |exact_rows| {
        let options = EngineOptions { exact_rows, threads: Some(2) };
        numeric(&answered(folder.path(), options, std::slice::from_ref(&question)), &question).ecdf()
    };
    let (exact, sketched) = (answer(1_000_000), answer(1_000));
    assert!(exact.is_exact() && !sketched.is_exact());
    assert_eq!(exact.n(), sketched.n());
    let worst =
        exact.points().step_by(101).map(|(x, _)| exact.count_le(x).abs_diff(sketched.count_le(x))).max();
    assert!(worst.unwrap() <= sketched.rank_error(), "{worst:?} > {}", sketched.rank_error());
}

#[test]
fn the_number_of_threads_does_not_change_an_exact_answer() {
    let folder = tempfile::tempdir().unwrap();
    write_log(folder.path(), DAY);
    let question = of("x", ColumnKind::Numeric, window("2025-01-01/2025-01-02"));
    let answer = |threads| {
        let options = EngineOptions { threads: Some(threads), ..EngineOptions::default() };
        numeric(&answered(folder.path(), options, std::slice::from_ref(&question)), &question).ecdf()
    };
    assert_eq!(answer(1), answer(4));
}

#[test]
fn rows_that_were_taken_in_are_in_the_log_that_the_engine_reads() {
    use crate::ingest::{BodyFormat, Encoding, Ingest, IngestOptions, TableKind};
    let folder = tempfile::tempdir().unwrap();
    let definition = definition::parse(&DEFINITION.replace("log.csv", "log/*.parquet")).unwrap();
    let ingest = Ingest::open(&folder.path().join("state"), IngestOptions::default()).unwrap();
    let table = ingest.table(&definition, folder.path(), TableKind::Predictions).unwrap();
    let mut body = String::new();
    for row in 0..2_000_u64 {
        let at = jiff::Timestamp::from_second(1_735_689_600 + row as i64 * 60).unwrap();
        writeln!(body, "{{\"id\":{row},\"t\":\"{at}\",\"p\":0.5,\"x\":{}}}", row as f64 / 4.0).unwrap();
    }
    let taken_in = |body: &str| {
        table.accept(BodyFormat::Ndjson, Encoding::Identity, body.as_bytes()).unwrap();
        table.compact(jiff::Timestamp::UNIX_EPOCH).unwrap();
    };
    let (first, rest) = body.split_at(body.len() / 2 + body[body.len() / 2..].find('\n').unwrap() + 1);
    taken_in(first);
    taken_in(rest);
    table.merge("2025-06-01T00:00:00Z".parse().unwrap()).unwrap();

    let engine = Engine::new(EngineOptions::default()).unwrap();
    let log = engine.open(&definition, folder.path(), None).unwrap();
    assert_eq!(log.log_file_count(), 2, "a file for each of the days");
    let question = of("x", ColumnKind::Numeric, window("2025-01-01/2025-01-03"));
    let answers = log.answer(std::slice::from_ref(&question), jiff::Timestamp::MAX).unwrap();
    let profile = numeric(&answers, &question);
    assert_eq!(profile.moments.count(), 2_000);
    assert!((profile.moments.mean().unwrap() - 1_999.0 / 8.0).abs() < 1e-9);
}
