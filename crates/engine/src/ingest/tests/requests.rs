//! Bodies, and what becomes of their rows.

use std::fs::File;
use std::io::Write;

use datafusion::arrow::array::{
    DictionaryArray, Float64Array, Int64Array, RecordBatch, StringArray, TimestampMillisecondArray,
};
use datafusion::arrow::datatypes::Int8Type;
use datafusion::arrow::ipc::writer::StreamWriter;
use datafusion::parquet::arrow::ArrowWriter;

use super::*;
use crate::ingest::RowError;

fn error(row: u64, column: Option<&str>, message: &str) -> RowError {
    RowError { row, column: column.map(str::to_owned), message: message.to_owned() }
}

#[test]
fn rows_of_a_request_are_rows_of_the_log_in_files_of_their_days() {
    let site = Site::new();
    let table = site.predictions();
    let body = "{\"id\":\"a\",\"t\":\"2026-11-27T01:00:00+02:00\",\"p\":1,\"n\":3,\"ok\":true,\"v\":[1,2.5]}\n\n\
                {\"id\":\"b\",\"t\":\"2026-11-27T10:00:00.5Z\",\"p\":0.5,\"n\":null}";
    let accepted = lines(&table, body);
    assert_eq!(accepted, Accepted { accepted: 2, ..Accepted::default() });
    assert_eq!(site.ids(), [""; 0], "not before a compaction");
    assert_eq!(table.status().waiting_rows, 2);
    let done = table.compact(now()).unwrap();
    assert_eq!((done.rows, done.files, done.segments), (2, 2, 1));
    assert_eq!(site.files(), ["2026-11-26.a-0000000001.parquet", "2026-11-27.a-0000000001.parquet"]);
    let rows = site.rows();
    assert_eq!(rows[0]["t"], "2026-11-26T23:00:00Z");
    assert_eq!((rows[0]["p"].as_str(), rows[0]["n"].as_str(), rows[0]["ok"].as_str()), ("1.0", "3", "true"));
    assert_eq!(rows[0]["v"], "[1.0, 2.5]");
    assert_eq!(rows[1]["t"], "2026-11-27T10:00:00.500Z");
    assert!(!rows[1].contains_key("n") && !rows[1].contains_key("v"));
    let status = table.status();
    assert_eq!((status.waiting_rows, status.waiting_bytes, status.written), (0, 0, 2));
}

#[test]
fn a_wrong_row_is_told_and_the_rows_around_it_are_kept() {
    let site = Site::new();
    let table = site.predictions();
    lines(&table, "{\"id\":\"a\",\"t\":\"2026-11-27T01:00:00Z\",\"p\":1,\"carrier\":\"AA\"}\n");
    let body = "\
        {\"id\":\"b\",\"t\":\"2026-11-27T01:00:00Z\",\"p\":0.5}\n\
        {\"id\":\"c\",\"t\":\"2026-11-27T01:00:00Z\",\"carier\":\"AA\"}\n\
        {\"id\":\"d\",\"t\":\"2026-11-27 01:00\",\"p\":0.5}\n\
        {\"id\":\"e\",\"p\":0.5}\n\
        {\"t\":\"2026-11-27T01:00:00Z\",\"p\":0.5}\n\
        {\"id\":\"f\",\"t\":\"2026-11-27T01:00:00Z\",\"p\":\"high\"}\n\
        {\"id\":\"g\",\"t\":\"2026-11-27T01:00:00Z\",\"p\":NaN}\n\
        {\"id\":\"h\",\"t\":\"2026-11-27T01:00:00Z\",\n\
        {\"id\":\"b\",\"t\":\"2026-11-27T01:00:00Z\",\"p\":0.75}\n\
        {\"id\":\"i\",\"t\":\"2026-11-27T01:00:00Z\",\"p\":1e999}\n\
        {\"id\":\"j\",\"t\":\"2026-11-27T01:00:00Z\",\"p\":{\"x\":1}}\n\
        {\"id\":\"k\",\"t\":\"2026-11-27T01:00:00Z\",\"p\":1,\"p\":2}\n\
        {\"id\":\"l\",\"t\":\"2026-11-27T01:00:00Z\",\"p\":0.1} x\n\
        {\"id\":\"m\",\"t\":\"2026-11-27T01:00:00Z\",\"p\":0.5}\n\
        {\"id\":\"n\",\"t\":\"2026";
    let answer = lines(&table, body);
    assert_eq!((answer.accepted, answer.duplicates, answer.rejected), (2, 1, 12));
    let instant = "an instant with an offset, such as \"2026-11-27T10:15:00Z\"";
    let line = "the line is not a JSON object";
    let expected = [
        error(1, Some("carier"), "the log has no such column; did you mean `carrier`?"),
        error(2, Some("t"), &format!("\"2026-11-27 01:00\" is not {instant}")),
        error(3, Some("t"), "the row has no `t`, its time"),
        error(4, Some("id"), "the row has no `id`, its id"),
        error(5, Some("p"), "\"high\" is not a number"),
        error(6, None, &format!("{line}: NaN and Infinity are not JSON; send null")),
        error(7, None, &format!("{line}: the line ends within an object; write one object a line")),
        error(9, Some("p"), "inf is not a finite number; send null"),
        error(10, Some("p"), "an object is not a value of a column; give each of its members a column"),
        error(11, Some("p"), "the row names it twice"),
        error(12, None, &format!("{line}: there is more on the line after the object")),
        error(14, None, &format!("{line}: it is cut off")),
    ];
    assert_eq!(answer.errors, expected);
    table.compact(now()).unwrap();
    assert_eq!(site.ids(), ["a", "b", "m"]);
}

#[test]
fn an_array_is_kept_up_to_where_it_is_no_json() {
    let row = |id: &str| format!("{{\"id\":\"{id}\",\"t\":\"2026-11-27T01:00:00Z\",\"p\":0.5}}");
    let cases = [
        (format!(" [{} , {}\n] ", row("a"), row("b")), 2, 0),
        (row("a"), 1, 0),
        ("[]".to_owned(), 0, 0),
        (format!("[{}, 7, {}]", row("a"), row("b")), 2, 1),
        (format!("[{}, {} {}]", row("a"), row("b"), row("c")), 2, 1),
        (format!("[{}, {{\"id\":\"b\"", row("a")), 1, 1),
        (format!("[{}] []", row("a")), 1, 1),
        ("7".to_owned(), 0, 1),
        (String::new(), 0, 1),
    ];
    for (body, accepted, rejected) in cases {
        let site = Site::new();
        let answer = send(&site.predictions(), BodyFormat::Json, &body).unwrap();
        assert_eq!((answer.accepted, answer.rejected), (accepted, rejected), "{body}: {answer:?}");
    }
}

#[test]
fn integers_of_requests_become_floats_when_a_decimal_comes_and_nothing_else_changes_type() {
    let site = Site::new();
    let row = |id: &str, x: &str| format!("{{\"id\":\"{id}\",\"t\":\"2026-11-27T01:00:00Z\",\"x\":{x}}}\n");
    let table = site.predictions();
    lines(&table, &row("a", "1"));
    let answer = lines(&table, &(row("b", "2.5") + &row("c", "\"text\"") + &row("d", "true")));
    assert_eq!((answer.accepted, answer.rejected), (1, 2));
    assert_eq!(lines(&table, &row("e", "3")).accepted, 1);
    drop(table);
    let table = site.predictions();
    assert_eq!(lines(&table, &row("f", "4.5")).accepted, 1, "what was pinned is known after a restart");
    table.compact(now()).unwrap();
    let mut values: Vec<String> = site.rows().iter().map(|row| row["x"].clone()).collect();
    values.sort();
    assert_eq!(values, ["1.0", "2.5", "3.0", "4.5"]);
}

#[test]
fn a_row_that_is_rejected_decides_nothing_about_columns() {
    let site = Site::new();
    let table = site.predictions();
    let first = lines(&table, "{\"id\":\"a\",\"wrong\":1}\n");
    assert_eq!((first.accepted, first.rejected), (0, 1));
    assert_eq!(lines(&table, "{\"id\":\"a\",\"t\":\"2026-11-27T01:00:00Z\",\"right\":\"x\"}\n").accepted, 1);
    let unknown = lines(&table, "{\"id\":\"b\",\"t\":\"2026-11-27T01:00:00Z\",\"wrong\":1}\n");
    assert!(unknown.errors[0].message.contains("has no such column"), "{unknown:?}");
}

#[test]
fn a_column_that_only_the_last_row_has_is_kept() {
    let site = Site::new();
    let table = site.predictions();
    let row = |id: &str, more: &str| format!("{{\"id\":\"{id}\",\"t\":\"2026-11-27T01:00:00Z\"{more}}}");
    let body = format!("[{},{}]", row("a", ""), row("b", ",\"new\":1"));
    assert_eq!(send(&table, BodyFormat::Json, &body).unwrap().accepted, 2);
    table.compact(now()).unwrap();
    assert_eq!(site.rows()[1]["new"], "1");
}

#[test]
fn a_repeated_request_adds_no_row_before_or_after_a_compaction() {
    let site = Site::new();
    let table = site.predictions();
    lines(&table, &numbered(0, 20));
    lines(&table, &numbered(10, 20));
    table.compact(now()).unwrap();
    lines(&table, &numbered(0, 40));
    let done = table.compact(now()).unwrap();
    assert_eq!((done.rows, done.repeated), (10, 30));
    assert_eq!(site.ids(), expected_ids(40));
}

#[test]
fn rows_that_the_user_put_there_are_not_added_again_and_their_types_hold() {
    let site = Site::new();
    std::fs::create_dir(site.path("log")).unwrap();
    let columns = RecordBatch::try_from_iter(vec![
        ("id", Arc::new(Int64Array::from(vec![1, 2])) as _),
        ("t", Arc::new(TimestampMillisecondArray::from(vec![1_795_000_000_000, 1_795_000_001_000])) as _),
        ("p", Arc::new(Float64Array::from(vec![0.5, 0.5])) as _),
        ("n", Arc::new(Int64Array::from(vec![7, 8])) as _),
    ]);
    let columns = columns.unwrap();
    let theirs = site.path("log/history.parquet");
    let mut writer = ArrowWriter::try_new(File::create(&theirs).unwrap(), columns.schema(), None).unwrap();
    writer.write(&columns).unwrap();
    writer.close().unwrap();
    let before = std::fs::read(&theirs).unwrap();

    let table = site.predictions();
    let row =
        |id: u32, n: &str| format!("{{\"id\":{id},\"t\":\"2026-11-18T12:00:00Z\",\"p\":0.5,\"n\":{n}}}\n");
    let answer = lines(&table, &(row(2, "1") + &row(3, "2.0") + &row(4, "2.5")));
    assert_eq!((answer.accepted, answer.rejected), (2, 1));
    assert_eq!(answer.errors[0].message, "2.5 is not a whole number");
    let done = table.compact(now()).unwrap();
    assert_eq!((done.rows, done.repeated), (1, 1));
    assert_eq!(site.ids(), ["1", "2", "3"]);
    table.merge(now()).unwrap();
    assert_eq!(std::fs::read(&theirs).unwrap(), before);
    let rows = site.rows();
    assert_eq!(rows.iter().find(|row| row["id"] == "3").unwrap()["t"], "2026-11-18T12:00:00");
}

#[test]
fn a_correction_of_an_outcome_is_kept_beside_it_and_a_repeat_is_not() {
    let site = Site::new();
    let table = site.table(TableKind::Outcomes);
    let row = |y: u8, at: &str| format!("{{\"id\":\"a\",\"y\":{y},\"known\":\"2026-11-27T{at}:00Z\"}}\n");
    lines(&table, &row(0, "01:00"));
    lines(&table, &(row(0, "01:00") + &row(1, "02:00")));
    table.compact(now()).unwrap();
    lines(&table, &row(1, "02:00"));
    table.compact(now()).unwrap();
    let mut values: Vec<_> = site.rows_at("outcomes/*.parquet").iter().map(|row| row["y"].clone()).collect();
    values.sort();
    assert_eq!(values, ["0", "1"]);
}

fn arrow(columns: Vec<(&str, datafusion::arrow::array::ArrayRef)>) -> Vec<u8> {
    let batch = RecordBatch::try_from_iter(columns).unwrap();
    let mut writer = StreamWriter::try_new(Vec::new(), &batch.schema()).unwrap();
    writer.write(&batch).unwrap();
    writer.finish().unwrap();
    writer.into_inner().unwrap()
}

fn arrow_rows() -> Vec<u8> {
    let codes: DictionaryArray<Int8Type> = vec![Some("x"), None, Some("x"), Some("y")].into_iter().collect();
    arrow(vec![
        ("id", Arc::new(StringArray::from(vec![Some("a"), Some("b"), None, Some("a")]))),
        ("t", Arc::new(TimestampMillisecondArray::from(vec![1_795_000_000_000; 4]).with_timezone("UTC"))),
        ("p", Arc::new(Float64Array::from(vec![0.5, f64::NAN, 0.5, 0.75]))),
        ("c", Arc::new(codes)),
    ])
}

#[test]
fn an_arrow_stream_is_taken_in_row_by_row() {
    let site = Site::new();
    let table = site.predictions();
    let answer = table.accept(BodyFormat::ArrowStream, Encoding::Identity, &arrow_rows()[..]).unwrap();
    assert_eq!((answer.accepted, answer.duplicates, answer.rejected), (1, 1, 2));
    assert_eq!(answer.errors[0], error(1, Some("p"), "NaN is not a finite number; send null"));
    assert_eq!(answer.errors[1], error(2, Some("id"), "the row has no `id`, its id"));
    table.compact(now()).unwrap();
    assert_eq!(site.rows()[0]["c"], "x");
    let unknown = arrow(vec![("idd", Arc::new(StringArray::from(vec!["a"])))]);
    let refused = table.accept(BodyFormat::ArrowStream, Encoding::Identity, &unknown[..]).unwrap_err();
    assert_eq!(refused.to_string(), "column `idd`: the log has no such column; did you mean `id`?");
}

#[test]
fn no_damage_to_an_arrow_stream_does_more_than_refuse_it() {
    let site = Site::new();
    let table = site.predictions();
    let whole = arrow_rows();
    for at in (0..whole.len()).step_by(3) {
        let _ = table.accept(BodyFormat::ArrowStream, Encoding::Identity, &whole[..at]);
        let mut bent = whole.clone();
        bent[at] ^= 0xFF;
        let _ = table.accept(BodyFormat::ArrowStream, Encoding::Identity, &bent[..]);
    }
    assert!(table.accept(BodyFormat::ArrowStream, Encoding::Identity, &b"no arrow at all"[..]).is_err());
}

#[test]
fn a_body_in_drops_is_the_same_body() {
    struct Drops<'a>(&'a [u8], usize);
    impl std::io::Read for Drops<'_> {
        fn read(&mut self, buffer: &mut [u8]) -> std::io::Result<usize> {
            let size = self.1.min(self.0.len()).min(buffer.len());
            let (now, later) = self.0.split_at(size);
            buffer[..size].copy_from_slice(now);
            self.0 = later;
            Ok(size)
        }
    }
    let text = numbered(0, 3_000);
    let array = format!("[{}]", text.trim_end().replace('\n', ","));
    for (format, text) in [(BodyFormat::Ndjson, &text), (BodyFormat::Json, &array)] {
        let site = Site::new();
        let table = site.predictions();
        lines(&table, &numbered(0, 1));
        let mut gzip = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
        gzip.write_all(text.as_bytes()).unwrap();
        for (encoding, bytes) in [
            (Encoding::Identity, text.as_bytes().to_vec()),
            (Encoding::Gzip, gzip.finish().unwrap()),
            (Encoding::Zstd, zstd::encode_all(text.as_bytes(), 1).unwrap()),
        ] {
            let answer = table.accept(format, encoding, Drops(&bytes, 777)).unwrap();
            assert_eq!(
                (answer.accepted, answer.rejected),
                (3_000, 0),
                "{format:?} {encoding:?} {:?}",
                answer.errors.first()
            );
        }
        table.compact(now()).unwrap();
        assert_eq!(site.ids(), expected_ids(3_000));
    }
}

#[test]
fn too_much_waits_or_is_refused() {
    let mut site = Site::new();
    site.options.body_bytes_max = 100_000;
    site.options.waiting_bytes_max = 10_000;
    let table = site.predictions();
    let large = send(&table, BodyFormat::Ndjson, &numbered(0, 2_000));
    assert!(matches!(large, Err(IngestError::TooLarge { limit: 100_000 })), "{large:?}");
    assert_eq!(table.status().waiting_rows, 0);
    lines(&table, &numbered(0, 500));
    let busy = send(&table, BodyFormat::Ndjson, &numbered(500, 1));
    assert!(matches!(busy, Err(IngestError::Busy { .. })), "{busy:?}");
    table.compact(now()).unwrap();
    assert_eq!(lines(&table, &numbered(500, 1)).accepted, 1);
}

#[test]
fn a_table_is_open_once() {
    let site = Site::new();
    let _table = site.predictions();
    let again = site.open().table(&definition(), site.folder.path(), TableKind::Predictions);
    assert!(matches!(again, Err(IngestError::Locked { .. })), "{again:?}");
}

#[test]
fn what_a_definition_lacks_for_ingestion_is_said_with_its_key() {
    let refused = |edit: &dyn Fn(&mut Definition), kind| {
        let site = Site::new();
        let mut definition = definition();
        edit(&mut definition);
        site.open().table(&definition, site.folder.path(), kind).unwrap_err().to_string()
    };
    let id = refused(&|definition| definition.log.id = None, TableKind::Predictions);
    assert!(id.starts_with("`log.id` is missing; name the column"), "{id}");
    let time =
        refused(&|definition| definition.log.outcome.as_mut().unwrap().time = None, TableKind::Outcomes);
    assert!(time.starts_with("`log.outcome.time` is missing; name the column"), "{time}");
    let path =
        refused(&|definition| definition.log.outcome.as_mut().unwrap().path = None, TableKind::Outcomes);
    assert!(path.starts_with("`log.outcome.path` is missing; send the outcome"), "{path}");
}

#[test]
fn requests_at_the_same_time_share_waits_for_the_disk_and_all_are_kept() {
    let site = Site::new();
    let table = site.predictions();
    lines(&table, &numbered(0, 1));
    std::thread::scope(|scope| {
        for thread in 0..8 {
            let table = &table;
            scope.spawn(move || {
                for request in 0..25 {
                    lines(table, &numbered(thread * 250 + request * 10, 10));
                }
            });
        }
        for _ in 0..5 {
            table.compact(now()).unwrap();
        }
    });
    table.compact(now()).unwrap();
    assert_eq!(site.ids(), expected_ids(2_000));
    assert!(table.status().syncs <= 201);
}
