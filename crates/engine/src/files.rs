//! From a path in the definition to files, their common schema and their digests.

use std::collections::HashSet;
use std::fs::File;
use std::io::{BufReader, Read};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use datafusion::arrow::csv::reader::Format as CsvReaderFormat;
use datafusion::arrow::datatypes::{DataType, Field, Schema as ArrowSchema, SchemaRef, TimeUnit};
use datafusion::parquet::arrow::arrow_reader::{
    ArrowReaderMetadata, ArrowReaderOptions, ParquetRecordBatchReaderBuilder,
};

use crate::error::{EngineError, first_line};

/// The file formats that a table can be in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Format {
    Parquet,
    Csv,
}

/// The files of one table, in the order of their names.
#[derive(Clone, Debug)]
pub(crate) struct TableFiles {
    pub(crate) format: Format,
    pub(crate) files: Vec<PathBuf>,
    pub(crate) schema: SchemaRef,
    /// Rows in all files: as Parquet states them, for CSV about as many as its size suggests.
    pub(crate) rows_about: u64,
    /// Columns that have no value in any file.
    pub(crate) empty_columns: Vec<String>,
    /// CSV files by the order of their columns, which is how a CSV reader finds them.
    pub(crate) layouts: Vec<Layout>,
}

/// Files whose columns stand in the same order.
#[derive(Clone, Debug)]
pub(crate) struct Layout {
    pub(crate) columns: Vec<String>,
    pub(crate) files: Vec<PathBuf>,
}

impl TableFiles {
    /// The table of some of the files, with the columns of all.
    pub(crate) fn only(&self, files: &[usize]) -> Self {
        let files: Vec<PathBuf> = files.iter().map(|&at| self.files[at].clone()).collect();
        let asked: HashSet<&PathBuf> = files.iter().collect();
        let of_layout = |layout: &Layout| {
            let files: Vec<PathBuf> =
                layout.files.iter().filter(|file| asked.contains(file)).cloned().collect();
            (!files.is_empty()).then(|| Layout { columns: layout.columns.clone(), files })
        };
        let layouts = self.layouts.iter().filter_map(of_layout).collect();
        Self {
            format: self.format,
            schema: Arc::clone(&self.schema),
            rows_about: self.rows_about,
            empty_columns: self.empty_columns.clone(),
            files,
            layouts,
        }
    }
}

/// CSV rows from which column types are guessed.
const CSV_ROWS_FOR_TYPES: usize = 10_000;
/// CSV bytes from which the number of rows is guessed.
const CSV_BYTES_FOR_ROWS: u64 = 1 << 20;

/// Finds and examines the files that `path`, relative to `base`, stands for.
pub(crate) fn table_files(base: &Path, path: &str) -> Result<TableFiles, EngineError> {
    let files = matching_files(base, path)?;
    let format = common_format(&files)?;
    let mut common: Vec<Typed> = Vec::new();
    let mut rows_about = 0;
    let mut layouts: Vec<Layout> = Vec::new();
    for path in &files {
        let (schema, file_rows) = match format {
            Format::Parquet => parquet_schema(path)?,
            Format::Csv => csv_schema(path)?,
        };
        rows_about += file_rows;
        let columns: Vec<String> = schema.fields().iter().map(|field| field.name().clone()).collect();
        match layouts.iter_mut().find(|layout| format == Format::Parquet || layout.columns == columns) {
            Some(layout) => layout.files.push(path.clone()),
            None => layouts.push(Layout { columns, files: vec![path.clone()] }),
        }
        widen_by(&mut common, &schema, path)?;
    }
    let empty_columns = common
        .iter()
        .filter(|typed| typed.data_type == DataType::Null)
        .map(|typed| typed.name.clone())
        .collect();
    let fields: Vec<Field> =
        common.into_iter().map(|typed| Field::new(typed.name, read_as(typed.data_type), true)).collect();
    let schema = Arc::new(ArrowSchema::new(fields));
    Ok(TableFiles { format, files, schema, rows_about, empty_columns, layouts })
}

fn matching_files(base: &Path, path: &str) -> Result<Vec<PathBuf>, EngineError> {
    let full = base.join(path);
    if full.is_file() {
        return Ok(vec![full]);
    }
    let mut files = Vec::new();
    if full.is_dir() {
        collect_folder(&full, &mut files)?;
    } else if path.contains(['*', '?', '[']) {
        let pattern = full.to_string_lossy();
        let bad = |reason: String| EngineError::BadGlob { pattern: path.to_owned(), reason };
        for entry in glob::glob(&pattern).map_err(|error| bad(error.to_string()))? {
            let entry = entry.map_err(|error| bad(error.to_string()))?;
            if entry.is_file() {
                files.push(entry);
            }
        }
    } else {
        return Err(EngineError::NotFound { path: full });
    }
    if files.is_empty() {
        return Err(EngineError::NoFiles { path: full.to_string_lossy().into_owned() });
    }
    files.sort();
    Ok(files)
}

/// The tables' files below a folder; hidden ones and those with other endings are left out.
fn collect_folder(folder: &Path, files: &mut Vec<PathBuf>) -> Result<(), EngineError> {
    let io = |source| EngineError::Io { path: folder.to_owned(), source };
    for entry in std::fs::read_dir(folder).map_err(io)? {
        let path = entry.map_err(io)?.path();
        let hidden = path.file_name().is_some_and(|name| name.to_string_lossy().starts_with(['.', '_']));
        if hidden {
            continue;
        }
        if path.is_dir() {
            collect_folder(&path, files)?;
        } else if format_of(&path).is_ok() {
            files.push(path);
        }
    }
    Ok(())
}

fn format_of(path: &Path) -> Result<Format, EngineError> {
    match path.extension().map(|ending| ending.to_string_lossy().to_lowercase()).as_deref() {
        Some("parquet" | "pq") => Ok(Format::Parquet),
        Some("csv") => Ok(Format::Csv),
        _ => Err(EngineError::UnknownFormat { path: path.to_owned() }),
    }
}

fn common_format(files: &[PathBuf]) -> Result<Format, EngineError> {
    let mut first: Option<(Format, &PathBuf)> = None;
    for path in files {
        let format = format_of(path)?;
        match first {
            None => first = Some((format, path)),
            Some((known, other)) if known != format => {
                let (parquet, csv) = if format == Format::Csv { (other, path) } else { (path, other) };
                return Err(EngineError::MixedFormats { parquet: parquet.clone(), csv: csv.clone() });
            }
            Some(_) => {}
        }
    }
    first.map(|(format, _)| format).ok_or_else(|| EngineError::NoFiles { path: String::new() })
}

fn open(path: &Path) -> Result<File, EngineError> {
    let io = |source| EngineError::Io { path: path.to_owned(), source };
    let file = File::open(path).map_err(io)?;
    if file.metadata().map_err(io)?.len() == 0 {
        return Err(EngineError::EmptyFile { path: path.to_owned() });
    }
    Ok(file)
}

fn parquet_schema(path: &Path) -> Result<(SchemaRef, u64), EngineError> {
    let file = open(path)?;
    let metadata = ArrowReaderMetadata::load(&file, ArrowReaderOptions::new()).map_err(|error| {
        EngineError::CorruptParquet { path: path.to_owned(), reason: first_line(&error.to_string()) }
    })?;
    let rows = u64::try_from(metadata.metadata().file_metadata().num_rows()).unwrap_or(0);
    Ok((Arc::clone(metadata.schema()), rows))
}

fn csv_schema(path: &Path) -> Result<(SchemaRef, u64), EngineError> {
    let reader = BufReader::new(open(path)?);
    let (schema, rows_read) =
        CsvReaderFormat::default().with_header(true).infer_schema(reader, Some(CSV_ROWS_FOR_TYPES)).map_err(
            |error| EngineError::BadCsv { path: path.to_owned(), reason: first_line(&error.to_string()) },
        )?;
    let rows = if rows_read < CSV_ROWS_FOR_TYPES { rows_read as u64 } else { csv_rows_about(path)? };
    Ok((Arc::new(schema), rows))
}

/// The file's size over the length of its first lines.
fn csv_rows_about(path: &Path) -> Result<u64, EngineError> {
    let io = |source| EngineError::Io { path: path.to_owned(), source };
    let file = open(path)?;
    let size = file.metadata().map_err(io)?.len();
    let mut head = Vec::new();
    file.take(CSV_BYTES_FOR_ROWS).read_to_end(&mut head).map_err(io)?;
    let lines = head.split(|byte| *byte == b'\n').count().max(1) as u64;
    Ok(size * lines / head.len().max(1) as u64)
}

/// Reads every row of every file, one after the other, to name the file (and line of a CSV file)
/// that a parallel scan stumbled over.
pub(crate) fn first_bad_file(table: &TableFiles) -> Option<EngineError> {
    table.files.iter().find_map(|path| match table.format {
        Format::Parquet => parquet_error(path),
        Format::Csv => csv_error(path, &table.schema),
    })
}

fn parquet_error(path: &Path) -> Option<EngineError> {
    let bad =
        |reason: String| EngineError::CorruptParquet { path: path.to_owned(), reason: first_line(&reason) };
    let reader = ParquetRecordBatchReaderBuilder::try_new(open(path).ok()?)
        .and_then(ParquetRecordBatchReaderBuilder::build);
    match reader {
        Err(error) => Some(bad(error.to_string())),
        Ok(mut batches) => batches.find_map(|batch| Some(bad(batch.err()?.to_string()))),
    }
}

fn csv_error(path: &Path, table: &ArrowSchema) -> Option<EngineError> {
    let bad = |reason: String| EngineError::BadCsv {
        path: path.to_owned(),
        reason: without_row_data(&first_line(&reason)),
    };
    let (schema, _) = csv_schema(path).ok()?;
    // The file's own columns, at the types that the table gives them.
    let fields: Vec<Field> = schema
        .fields()
        .iter()
        .map(|field| table.field_with_name(field.name()).unwrap_or(field).clone())
        .collect();
    let reader = datafusion::arrow::csv::ReaderBuilder::new(Arc::new(ArrowSchema::new(fields)))
        .with_header(true)
        .build(BufReader::new(open(path).ok()?));
    match reader {
        Err(error) => Some(bad(error.to_string())),
        Ok(mut batches) => batches.find_map(|batch| Some(bad(batch.err()?.to_string()))),
    }
}

/// Row values do not belong in messages and logs.
fn without_row_data(message: &str) -> String {
    message.split(". Row data").next().unwrap_or(message).to_owned()
}

struct Typed {
    name: String,
    data_type: DataType,
    file: PathBuf,
}

fn widen_by(common: &mut Vec<Typed>, schema: &ArrowSchema, path: &Path) -> Result<(), EngineError> {
    let mut seen = HashSet::new();
    for field in schema.fields() {
        if !seen.insert(field.name()) {
            return Err(EngineError::DuplicateColumn { column: field.name().clone(), path: path.to_owned() });
        }
        match common.iter_mut().find(|typed| typed.name == *field.name()) {
            None => common.push(Typed {
                name: field.name().clone(),
                data_type: field.data_type().clone(),
                file: path.to_owned(),
            }),
            Some(typed) => match wider(&typed.data_type, field.data_type()) {
                Some(wider) => typed.data_type = wider,
                None => {
                    return Err(EngineError::ConflictingTypes {
                        column: typed.name.clone(),
                        first: typed.file.clone(),
                        first_type: typed.data_type.to_string(),
                        second: path.to_owned(),
                        second_type: field.data_type().to_string(),
                    });
                }
            },
        }
    }
    Ok(())
}

/// A type that holds the values of both, where there is one.
fn wider(a: &DataType, b: &DataType) -> Option<DataType> {
    if a == b {
        return Some(a.clone());
    }
    match (a, b) {
        (DataType::Null, other) | (other, DataType::Null) => Some(other.clone()),
        _ if is_text(a) && is_text(b) => Some(DataType::Utf8),
        _ if a.is_integer() && b.is_integer() => Some(DataType::Int64),
        _ if is_number(a) && is_number(b) => Some(DataType::Float64),
        (DataType::Timestamp(_, a), DataType::Timestamp(_, b)) if a.is_some() == b.is_some() => {
            Some(DataType::Timestamp(TimeUnit::Microsecond, a.clone()))
        }
        _ => None,
    }
}

pub(crate) fn is_number(data_type: &DataType) -> bool {
    data_type.is_numeric()
}

pub(crate) fn is_text(data_type: &DataType) -> bool {
    match data_type {
        DataType::Utf8 | DataType::LargeUtf8 | DataType::Utf8View => true,
        DataType::Dictionary(_, values) => is_text(values),
        _ => false,
    }
}

/// The type that a column is read as: text as views, which the aggregates count without copying.
fn read_as(data_type: DataType) -> DataType {
    match data_type {
        _ if is_text(&data_type) => DataType::Utf8View,
        // A column that is null in every file has no type of its own; text casts to anything.
        DataType::Null => DataType::Utf8View,
        DataType::Dictionary(_, values) => *values,
        other => other,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn types_widen_only_where_nothing_is_lost_in_kind() {
        assert_eq!(wider(&DataType::Int32, &DataType::Int64), Some(DataType::Int64));
        assert_eq!(wider(&DataType::Int32, &DataType::Float32), Some(DataType::Float64));
        assert_eq!(wider(&DataType::Null, &DataType::Utf8), Some(DataType::Utf8));
        assert_eq!(wider(&DataType::Utf8, &DataType::Float32), None);
        assert_eq!(wider(&DataType::Boolean, &DataType::Int8), None);
    }
}
