//! Which file, and which row of it, a failure comes from: looked for only once something failed.

use std::io::BufReader;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use datafusion::arrow::array::{Array, ArrayRef, RecordBatch};
use datafusion::arrow::compute::{CastOptions, cast, cast_with_options};
use datafusion::arrow::datatypes::{DataType, Field, Schema as ArrowSchema, TimeUnit};
use datafusion::parquet::arrow::ProjectionMask;
use datafusion::parquet::arrow::arrow_reader::ParquetRecordBatchReaderBuilder;

use crate::cells::names_a_zone;
use crate::error::{EngineError, first_line};
use crate::files::{Format, TableFiles, corrupt_parquet, csv_schema, from_start, is_text};
use crate::storage::Storage;

/// Reads every row of every file, one after the other, to name the file (and line of a CSV file)
/// that a parallel scan stumbled over.
pub(crate) fn first_bad_file(table: &TableFiles) -> Option<EngineError> {
    table.files.iter().find_map(|path| match table.format {
        Format::Parquet => parquet_error(&table.storage, path),
        Format::Csv => csv_error(path, table),
    })
}

fn parquet_error(storage: &Storage, path: &Path) -> Option<EngineError> {
    let reader = ParquetRecordBatchReaderBuilder::try_new(storage.open(path).ok()?)
        .and_then(ParquetRecordBatchReaderBuilder::build);
    match reader {
        Err(error) => Some(corrupt_parquet(path, error)),
        Ok(mut batches) => batches.find_map(|batch| {
            let reason = first_line(&batch.err()?.to_string());
            Some(EngineError::CorruptParquet { path: path.to_owned(), reason })
        }),
    }
}

fn csv_error(path: &PathBuf, table: &TableFiles) -> Option<EngineError> {
    let bad = |reason: String| EngineError::BadCsv {
        path: path.to_owned(),
        reason: without_row_data(&first_line(&reason)),
    };
    let (schema, _) = csv_schema(&table.storage, path).ok()?;
    let layout = table.layouts.iter().find(|layout| layout.files.contains(path));
    let own = |field: &Field| layout.is_some_and(|layout| layout.own_types.contains_key(field.name()));
    // The file's own columns, at the types that they are read as.
    let fields: Vec<Field> = schema
        .fields()
        .iter()
        .map(|field| match table.schema.field_with_name(field.name()) {
            Ok(of_table) if !own(field) => of_table.clone(),
            _ => field.as_ref().clone(),
        })
        .collect();
    let rows = from_start(&table.storage.open(path).ok()?, path).ok()?;
    let reader = datafusion::arrow::csv::ReaderBuilder::new(Arc::new(ArrowSchema::new(fields)))
        .with_header(true)
        .build(BufReader::new(rows));
    match reader {
        Err(error) => Some(bad(error.to_string())),
        Ok(mut batches) => batches.find_map(|batch| Some(bad(batch.err()?.to_string()))),
    }
}

/// Row values do not belong in messages and logs.
fn without_row_data(message: &str) -> String {
    message.split(". Row data").next().unwrap_or(message).to_owned()
}

/// Where a column's first text that is no instant stands.
#[derive(Debug)]
pub(crate) struct BadTime {
    pub(crate) path: PathBuf,
    /// Counted from 1, without the header.
    pub(crate) row: usize,
    pub(crate) text: String,
}

/// Characters of a text that a message quotes.
const QUOTED: usize = 60;

/// Reads a column of every file, one after the other; `None` where every text of it is an instant.
pub(crate) fn first_bad_time(table: &TableFiles, column: &str) -> Option<BadTime> {
    table.files.iter().find_map(|path| {
        let mut before = 0;
        for values in column_of(table, path, column)? {
            if let Some((at, text)) = first_that_is_no_instant(&values) {
                let text = text.chars().take(QUOTED).collect();
                return Some(BadTime { path: path.clone(), row: before + at + 1, text });
            }
            before += values.len();
        }
        None
    })
}

/// The values of a column of one file, batch by batch, up to where it can be read.
fn column_of(table: &TableFiles, path: &Path, column: &str) -> Option<Box<dyn Iterator<Item = ArrayRef>>> {
    let first = |batch: RecordBatch| batch.columns().first().cloned();
    match table.format {
        Format::Parquet => {
            let reader = ParquetRecordBatchReaderBuilder::try_new(table.storage.open(path).ok()?).ok()?;
            let mask = ProjectionMask::columns(reader.parquet_schema(), [column]);
            let batches = reader.with_projection(mask).build().ok()?;
            Some(Box::new(batches.map_while(Result::ok).filter_map(first)))
        }
        Format::Csv => {
            let (schema, _) = csv_schema(&table.storage, path).ok()?;
            let at = schema.index_of(column).ok()?;
            let as_text = |field: &Arc<Field>| Field::new(field.name(), DataType::Utf8, true);
            let fields: Vec<Field> = schema.fields().iter().map(as_text).collect();
            let rows = from_start(&table.storage.open(path).ok()?, path).ok()?;
            let batches = datafusion::arrow::csv::ReaderBuilder::new(Arc::new(ArrowSchema::new(fields)))
                .with_header(true)
                .with_projection(vec![at])
                .build(BufReader::new(rows))
                .ok()?;
            Some(Box::new(batches.map_while(Result::ok).filter_map(first)))
        }
    }
}

fn first_that_is_no_instant(values: &ArrayRef) -> Option<(usize, String)> {
    if !is_text(values.data_type()) {
        return None;
    }
    let texts = cast(values, &DataType::Utf8).ok()?;
    let instants = DataType::Timestamp(TimeUnit::Microsecond, None);
    let read =
        cast_with_options(&texts, &instants, &CastOptions { safe: true, ..CastOptions::default() }).ok()?;
    let written = datafusion::arrow::array::AsArray::as_string::<i32>(&texts);
    let is_bad = |&at: &usize| texts.is_valid(at) && read.is_null(at) && !names_a_zone(written.value(at));
    let at = (0..texts.len()).find(is_bad)?;
    Some((at, written.value(at).to_owned()))
}
