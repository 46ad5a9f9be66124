//! Rows drawn at random from a window, for what no summary of single columns can show.
//!
//! A row is drawn when the hash of its id falls below a share of all hashes, so the sample does not depend on
//! the order of rows, on threads or on the day of the run.

use datafusion::arrow::array::{AsArray, Float64Array, RecordBatch};
use datafusion::arrow::compute::cast;
use datafusion::arrow::datatypes::{DataType, Float64Type};
use jiff::Timestamp;
use types::answer::{RowSample, SampledColumn, SampledValues};
use types::column::ColumnKind;
use types::definition::Output;
use types::digest::Digester;
use types::{Answer, Answers, Question, Window};

use crate::aggregate::{lists_of_floats, vectors};
use crate::cells::Cells;
use crate::days::whole_days;
use crate::error::EngineError;
use crate::open::{LOG, Log, register};
use crate::outcomes::with_outcomes_sql;
use crate::sql::quoted;
use crate::store::{FORMAT, keep, load};
use crate::truth::{Truth, hash_sql};

/// The table of the rows that were drawn.
const DRAWN: &str = "drawn_rows";
/// Their hash, by which they are put in an order that threads do not decide.
const HASH: &str = "__hash";

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
    let table = axis.in_cells(table, &cells)?.with_column("__instant", axis.instant())?;
    log.context.register_table(IN_WINDOW, table.into_view())?;
    let hash = hash_sql(log, "");
    let sql = format!(
        "SELECT *, {hash} AS {HASH} FROM {IN_WINDOW} WHERE {hash} <= CAST({} AS BIGINT UNSIGNED)",
        largest_hash(log, rows, window, &cells)?
    );
    let query = log.engine.runtime.block_on(log.context.sql(&sql));
    let batches = query.map_err(EngineError::from).and_then(|drawn| {
        log.context.register_table(DRAWN, drawn.into_view())?;
        let query =
            log.engine.runtime.block_on(log.context.sql(&sample_sql(log, features, outcomes_as_of)))?;
        let batches = log.collect(query);
        log.context.deregister_table(DRAWN)?;
        batches
    });
    log.context.deregister_table(IN_WINDOW)?;
    log.context.deregister_table(FILES)?;
    read(&batches.map_err(|error| axis.explain(error))?, features, log.roles.output())
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
    let mut columns: Vec<SampledValues> = features
        .iter()
        .map(|(_, kind)| match kind {
            ColumnKind::Numeric => SampledValues::Numbers(Vec::new()),
            ColumnKind::Embedding => SampledValues::Vectors(Vec::new()),
            _ => SampledValues::Categories(Vec::new()),
        })
        .collect();
    let failed = |error: datafusion::arrow::error::ArrowError| EngineError::Query(error.to_string());
    for batch in batches {
        let scores = cast(batch.column(0), &DataType::Float64).map_err(failed)?;
        let missing = |score: Option<f64>| score.unwrap_or(f64::NAN);
        sample.scores.extend(scores.as_primitive::<Float64Type>().iter().map(missing));
        match output {
            Output::Score(_) => sample.outcomes.extend(batch.column(1).as_boolean().iter()),
            Output::Probabilities { .. } => sample.outcomes.extend((0..batch.num_rows()).map(|_| None)),
            Output::Number(_) => {
                sample.outcomes.extend((0..batch.num_rows()).map(|_| None));
                let numbers = cast(batch.column(1), &DataType::Float64).map_err(failed)?;
                sample.outcome_numbers.extend(numbers.as_primitive::<Float64Type>().iter().map(missing));
            }
        }
        for (at, values) in columns.iter_mut().enumerate() {
            match values {
                SampledValues::Numbers(numbers) => {
                    let column = cast(batch.column(2 + at), &DataType::Float64).map_err(failed)?;
                    numbers.extend(column.as_primitive::<Float64Type>().iter().map(missing));
                }
                SampledValues::Vectors(rows) => {
                    let entries = |vector: Float64Array| -> Vec<f64> { vector.iter().map(missing).collect() };
                    let lists = lists_of_floats(batch.column(2 + at))?;
                    rows.extend(vectors(&lists).into_iter().map(|vector| vector.map(entries)));
                }
                SampledValues::Categories(texts) => {
                    let column = cast(batch.column(2 + at), &DataType::Utf8View).map_err(failed)?;
                    texts.extend(column.as_string_view().iter().map(|text| text.map(str::to_owned)));
                }
            }
        }
    }
    let named = features.iter().zip(columns);
    sample.columns = named.map(|((name, _), values)| SampledColumn { name: name.clone(), values }).collect();
    Ok(sample)
}
