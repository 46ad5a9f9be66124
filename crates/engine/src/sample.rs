//! Rows drawn at random from a window, for what no summary of single columns can show.
//!
//! A row is drawn when the hash of its id falls below a share of all hashes, so the sample does not depend on
//! the order of rows, on threads or on the day of the run.

use std::slice::Chunks;

use datafusion::arrow::array::{ArrayRef, AsArray, Float64Array, RecordBatch};
use datafusion::arrow::compute::cast;
use datafusion::arrow::datatypes::{DataType, Float64Type};
use datafusion::arrow::error::ArrowError;
use jiff::Timestamp;
use types::answer::{RowSample, SampledColumn, SampledValues};
use types::column::ColumnKind;
use types::definition::{Output, Segment};
use types::digest::Digester;
use types::{Answer, Answers, Question, Window};

use crate::aggregate::{lists_of_floats, vectors};
use crate::cells::Cells;
use crate::days::{COLUMNS_OF_A_SCAN, whole_days};
use crate::error::EngineError;
use crate::open::{LOG, Log, register};
use crate::outcomes::{segment_expression, with_outcomes_sql};
use crate::sql::{quoted, segment_column};
use crate::store::{FORMAT, keep, load};
use crate::truth::{Truth, hash_sql};

/// The table of the rows that were drawn.
pub(crate) const DRAWN: &str = "drawn_rows";
/// Their hash, by which they are put in an order that threads do not decide.
pub(crate) const HASH: &str = "__hash";

/// Answers the questions that ask for rows, window by window.
pub(crate) fn answer(
    log: &Log<'_>,
    questions: &[Question],
    as_of: Timestamp,
    answers: &mut Answers,
) -> Result<(), EngineError> {
    for question in questions {
        if let Question::Sample { features, rows, outcomes, window } = question {
            let sample = drawn(log, features, *rows, outcomes.then_some(as_of), *window)?;
            answers.insert(question.clone(), Answer::Sample(sample));
        }
    }
    Ok(())
}

/// A window's rows; those of whole days are kept until a file changes, so that a reference is drawn once.
fn drawn(
    log: &Log<'_>,
    features: &[(String, ColumnKind)],
    rows: u32,
    outcomes_as_of: Option<Timestamp>,
    window: Window,
) -> Result<RowSample, EngineError> {
    let profiled = whole_days(window).is_some() && !log.profiles.borrow().is_empty();
    // Outcomes arrive late, so rows with their outcomes are drawn each time.
    let Some(store) = log.store().filter(|_| profiled && outcomes_as_of.is_none()) else {
        return drawn_from_rows(log, features, rows, outcomes_as_of, window);
    };
    let mut name = Digester::default();
    name.update(&log.inputs(&[window])?.bytes());
    let (time, hash) = (log.time_axis().key(), hash_sql(log, ""));
    let output = log.roles.output();
    name.update(format!("{FORMAT}\n{window}\n{time}\n{hash}\n{output:?}\n{rows}\n{features:?}").as_bytes());
    let name = format!("sample-{}", name.finish());
    if let Some(kept) = load(store, &name)? {
        return Ok(kept);
    }
    let sample = drawn_from_rows(log, features, rows, None, window)?;
    keep(store, &name, &sample)?;
    Ok(sample)
}

fn drawn_from_rows(
    log: &Log<'_>,
    features: &[(String, ColumnKind)],
    rows: u32,
    outcomes_as_of: Option<Timestamp>,
    window: Window,
) -> Result<RowSample, EngineError> {
    with_drawn(log, rows, window, &[], |_| {
        let of_part = |features: &[Feature]| {
            let query =
                log.engine.runtime.block_on(log.context.sql(&sample_sql(log, features, outcomes_as_of)))?;
            read(&log.collect(query)?, features, log.roles.output())
        };
        let (first, others) = in_parts(features);
        let mut sample = of_part(first)?;
        for features in others {
            let part = of_part(features)?;
            same_rows(sample.rows(), part.rows())?;
            sample.columns.extend(part.columns);
        }
        Ok(sample)
    })
}

/// A column that is asked for, and what is read of it.
pub(crate) type Feature = (String, ColumnKind);

/// The features that are read with a row, and those that later scans read: each as many columns as may lie in memory
/// at once. All put the rows in order of their hash; only rows with the same one may exchange values.
pub(crate) fn in_parts(features: &[Feature]) -> (&[Feature], Chunks<'_, Feature>) {
    let (first, others) = features.split_at(features.len().min(COLUMNS_OF_A_SCAN));
    (first, others.chunks(COLUMNS_OF_A_SCAN))
}

/// Refuses columns of another number of rows than those before them.
pub(crate) fn same_rows(before: usize, now: usize) -> Result<(), EngineError> {
    if before == now {
        return Ok(());
    }
    Err(EngineError::Query(format!(
        "the log changed while it was read: {before} rows were drawn, then {now}"
    )))
}

/// Draws rows of a window, and hands their share of the window to a query of [`DRAWN`], which has a column for
/// each segment beside those of the log.
pub(crate) fn with_drawn<T>(
    log: &Log<'_>,
    rows: u32,
    window: Window,
    segments: &[Segment],
    query: impl FnOnce(f64) -> Result<T, EngineError>,
) -> Result<T, EngineError> {
    const FILES: &str = "files_of_window";
    const IN_WINDOW: &str = "rows_in_window";
    let axis = log.time_axis();
    let cells = Cells::of([window]);
    let files = log.files_in(window);
    let table = if files.is_empty() { LOG } else { FILES };
    if !files.is_empty() {
        register(&log.engine.runtime, &log.context, FILES, &log.log.only(&files))?;
    }
    let table = log.engine.runtime.block_on(log.context.table(table))?;
    let mut table = axis.in_cells(table, &cells)?.with_column("__instant", axis.instant()?)?;
    for (at, segment) in segments.iter().enumerate() {
        let expression = segment_expression(&table, segment)?;
        table = table.with_column(&segment_column(at), expression)?;
    }
    log.context.register_table(IN_WINDOW, table.into_view())?;
    let hash = hash_sql(log, "");
    let largest = largest_hash(log, rows, window, &cells)?;
    let sql = format!(
        "SELECT *, {hash} AS {HASH} FROM {IN_WINDOW} WHERE {hash} <= CAST({largest} AS BIGINT UNSIGNED)"
    );
    let drawn = log.engine.runtime.block_on(log.context.sql(&sql));
    let answered = drawn.map_err(EngineError::from).and_then(|drawn| {
        log.context.register_table(DRAWN, drawn.into_view())?;
        let answered = query(largest as f64 / u64::MAX as f64);
        log.context.deregister_table(DRAWN)?;
        answered
    });
    log.context.deregister_table(IN_WINDOW)?;
    log.context.deregister_table(FILES)?;
    answered.map_err(|error| log.explain_time(error))
}

/// The hash up to which about as many rows of the window are drawn as asked for.
fn largest_hash(log: &Log<'_>, rows: u32, window: Window, cells: &Cells) -> Result<u64, EngineError> {
    let in_window = if whole_days(window).is_some() && !log.profiles.borrow().is_empty() {
        log.rows_in(window)
    } else {
        log.rows_by_cell(cells)?.iter().sum()
    };
    let share = f64::from(rows) / in_window.max(1) as f64;
    Ok(if share >= 1.0 { u64::MAX } else { (share * u64::MAX as f64) as u64 })
}

fn sample_sql(log: &Log<'_>, features: &[(String, ColumnKind)], outcomes_as_of: Option<Timestamp>) -> String {
    let columns: Vec<String> = features.iter().map(|(name, _)| quoted(name)).collect();
    let selected: String = columns.iter().map(|column| format!(", {column}")).collect();
    let Some(as_of) = outcomes_as_of else {
        let score = match log.roles.output() {
            Output::Score(column) | Output::Number(column) => quoted(column),
            Output::Probabilities { .. } => "CAST(NULL AS DOUBLE)".into(),
        };
        let type_name = Truth::of(log, None).type_name;
        return format!(
            "SELECT {score} AS score, CAST(NULL AS {type_name}) AS outcome{selected} FROM {DRAWN} ORDER BY {HASH}"
        );
    };
    let id = log.roles.id.as_deref().map(quoted);
    let only = id.map(|id| format!("SELECT {id} FROM {DRAWN}"));
    let renamed: String = (0..columns.len()).map(|at| format!(", __feature_{at}")).collect();
    let mut passed_on: Vec<String> =
        columns.iter().enumerate().map(|(at, column)| format!("{column} AS __feature_{at}")).collect();
    passed_on.push(HASH.to_owned());
    let joined = with_outcomes_sql(log, DRAWN, &passed_on, as_of, only.as_deref());
    format!("SELECT score, outcome{renamed} FROM ({joined}) ORDER BY {HASH}")
}

fn read(
    batches: &[RecordBatch],
    features: &[(String, ColumnKind)],
    output: Output<'_>,
) -> Result<RowSample, EngineError> {
    let mut sample = RowSample::default();
    let mut columns = empty_columns(features);
    for batch in batches {
        sample.scores.extend(numbers(batch.column(0))?);
        match output {
            Output::Score(_) => sample.outcomes.extend(batch.column(1).as_boolean().iter()),
            Output::Probabilities { .. } => sample.outcomes.extend((0..batch.num_rows()).map(|_| None)),
            Output::Number(_) => {
                sample.outcomes.extend((0..batch.num_rows()).map(|_| None));
                sample.outcome_numbers.extend(numbers(batch.column(1))?);
            }
        }
        for (at, values) in columns.iter_mut().enumerate() {
            add_values(values, batch.column(2 + at))?;
        }
    }
    sample.columns = named(features, columns);
    Ok(sample)
}

/// Columns of values, each still empty, as their kinds are read.
pub(crate) fn empty_columns(features: &[(String, ColumnKind)]) -> Vec<SampledValues> {
    let empty = |(_, kind): &(String, ColumnKind)| match kind {
        ColumnKind::Numeric => SampledValues::Numbers(Vec::new()),
        ColumnKind::Embedding => SampledValues::Vectors(Vec::new()),
        _ => SampledValues::Categories(Vec::new()),
    };
    features.iter().map(empty).collect()
}

/// Columns of values under the names of their features.
pub(crate) fn named(features: &[(String, ColumnKind)], columns: Vec<SampledValues>) -> Vec<SampledColumn> {
    let named = features.iter().zip(columns);
    named.map(|((name, _), values)| SampledColumn { name: name.clone(), values }).collect()
}

/// Numbers, NaN where there is none.
pub(crate) fn numbers(column: &ArrayRef) -> Result<Vec<f64>, EngineError> {
    let numbers = cast(column, &DataType::Float64).map_err(failed)?;
    Ok(numbers.as_primitive::<Float64Type>().iter().map(missing).collect())
}

/// Texts, `None` where there is none.
pub(crate) fn texts(column: &ArrayRef) -> Result<Vec<Option<String>>, EngineError> {
    let texts = cast(column, &DataType::Utf8View).map_err(failed)?;
    Ok(texts.as_string_view().iter().map(|text| text.map(str::to_owned)).collect())
}

/// Adds the values of a batch's column.
pub(crate) fn add_values(values: &mut SampledValues, column: &ArrayRef) -> Result<(), EngineError> {
    match values {
        SampledValues::Numbers(all) => all.extend(numbers(column)?),
        SampledValues::Vectors(rows) => {
            let entries = |vector: Float64Array| -> Vec<f64> { vector.iter().map(missing).collect() };
            let lists = lists_of_floats(column)?;
            rows.extend(vectors(&lists).into_iter().map(|vector| vector.map(entries)));
        }
        SampledValues::Categories(all) => all.extend(texts(column)?),
    }
    Ok(())
}

#[expect(clippy::needless_pass_by_value, reason = "`map_err` hands it over")]
pub(crate) fn failed(error: ArrowError) -> EngineError {
    EngineError::Query(error.to_string())
}

fn missing(number: Option<f64>) -> f64 {
    number.unwrap_or(f64::NAN)
}
