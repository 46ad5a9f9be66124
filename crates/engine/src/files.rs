//! From the files of a table to their common schema, and how each is read.

use std::collections::{BTreeMap, HashSet};
use std::io::{BufReader, Read};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use datafusion::arrow::compute::can_cast_types;
use datafusion::arrow::csv::reader::Format as CsvReaderFormat;
use datafusion::arrow::datatypes::{DataType, Field, Schema as ArrowSchema, SchemaRef, TimeUnit};
use datafusion::parquet::arrow::arrow_reader::{ArrowReaderMetadata, ArrowReaderOptions};
use datafusion::parquet::errors::ParquetError;
use datafusion::parquet::file::reader::{ChunkReader, Length};

use crate::error::{EngineError, first_line};
use crate::find::{Found, common_format, matching_files};
use crate::objects::{Buckets, ObjectsError};
use crate::storage::{Input, Storage};

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
    pub(crate) storage: Storage,
    /// Those of 0 bytes are among them, and in no layout.
    pub(crate) files: Vec<PathBuf>,
    pub(crate) schema: SchemaRef,
    /// Rows in all files: as Parquet states them, for CSV about as many as its size suggests.
    pub(crate) rows_about: u64,
    /// Columns that have no value in any file.
    pub(crate) empty_columns: Vec<String>,
    /// Files that are read in the same way.
    pub(crate) layouts: Vec<Layout>,
    /// Columns that are not in every file, or not of one kind.
    pub(crate) uneven: Vec<UnevenColumn>,
}

/// Files whose columns are of the same types and, in CSV, in the same order.
#[derive(Clone, Debug)]
pub(crate) struct Layout {
    /// In CSV the columns as they stand in the files, in Parquet those of the table.
    pub(crate) columns: Vec<String>,
    /// What a column holds in these files, where that has to be turned into the table's type.
    pub(crate) own_types: BTreeMap<String, DataType>,
    pub(crate) files: Vec<PathBuf>,
}

/// A column that is not in every file, or not of one kind.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct UnevenColumn {
    pub(crate) name: String,
    /// By the position of the file.
    pub(crate) holds: Vec<Held>,
}

/// What a file has of a column.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Held {
    /// The file does not have it.
    Absent,
    /// It has no value there, and so no type; the file may be empty.
    Open,
    /// As `a number` or `text`.
    Kind(String),
}

impl TableFiles {
    /// A file of it, where it is in CSV.
    pub(crate) fn csv_file(&self) -> Option<&Path> {
        (self.format == Format::Csv).then(|| self.files.first().map(PathBuf::as_path)).flatten()
    }

    /// The table of some of the files, with the columns of all.
    pub(crate) fn only(&self, files: &[usize]) -> Self {
        let files: Vec<PathBuf> = files.iter().map(|&at| self.files[at].clone()).collect();
        let asked: HashSet<&PathBuf> = files.iter().collect();
        let of_layout = |layout: &Layout| {
            let files: Vec<PathBuf> =
                layout.files.iter().filter(|file| asked.contains(file)).cloned().collect();
            (!files.is_empty()).then(|| Layout { files, ..layout.clone() })
        };
        let layouts = self.layouts.iter().filter_map(of_layout).collect();
        Self { files, layouts, ..self.clone() }
    }
}

/// CSV rows from which column types are guessed.
const CSV_ROWS_FOR_TYPES: usize = 10_000;
/// CSV bytes from which the number of rows is guessed.
const CSV_BYTES_FOR_ROWS: u64 = 1 << 20;

/// Columns that are read otherwise than their values suggest.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct AsText<'a> {
    /// Read as text where files do not agree on their type, which loses nothing.
    pub(crate) ids: &'a [&'a str],
    /// Of CSV, read as it is written, so that it is seen which times have an offset.
    pub(crate) time: Option<&'a str>,
}

/// Finds and examines the files that `path`, relative to `base`, stands for.
///
/// A column that is a number in one file and text in another is read as what it is in the first file. A file of 0
/// bytes has no rows, as one that has but a header; where all are like that there is no table.
pub(crate) fn table_files(
    base: &Path,
    path: &str,
    buckets: &Buckets,
    as_text: AsText<'_>,
) -> Result<TableFiles, EngineError> {
    let Found { storage, files } = matching_files(base, path, buckets)?;
    let format = common_format(&files)?;
    let mut common: Vec<Typed> = Vec::new();
    let mut rows_about = 0;
    let mut schemas: Vec<Option<SchemaRef>> = Vec::new();
    let examined = storage.each(&files, |path| {
        let schema = match format {
            Format::Parquet => parquet_schema(&storage, path),
            Format::Csv => {
                csv_schema(&storage, path).map(|(schema, rows)| (with_text(&schema, as_text.time), rows))
            }
        };
        match schema {
            Err(EngineError::EmptyFile { .. }) => Ok(None),
            schema => schema.map(Some),
        }
    })?;
    if examined.iter().all(Option::is_none) {
        return Err(EngineError::EmptyFile { path: files[0].clone() });
    }
    for (path, examined) in files.iter().zip(examined) {
        if let Some((schema, file_rows)) = &examined {
            rows_about += file_rows;
            widen_by(&mut common, schema, path, as_text.ids)?;
        }
        schemas.push(examined.map(|(schema, _)| schema));
    }
    let empty_columns = common
        .iter()
        .filter(|typed| typed.data_type == DataType::Null)
        .map(|typed| typed.name.clone())
        .collect();
    let uneven = common.iter().filter_map(|typed| uneven(&typed.name, &schemas)).collect();
    let fields: Vec<Field> =
        common.into_iter().map(|typed| Field::new(typed.name, read_as(typed.data_type), true)).collect();
    let schema = Arc::new(ArrowSchema::new(fields));
    let layouts = layouts(format, &files, &schemas, &schema);
    Ok(TableFiles { format, storage, files, schema, rows_about, empty_columns, layouts, uneven })
}

/// A schema in which a column of instants is text.
fn with_text(schema: &SchemaRef, time: Option<&str>) -> SchemaRef {
    let field = |field: &Arc<Field>| match field.data_type() {
        DataType::Timestamp(..) if Some(field.name().as_str()) == time => {
            Arc::new(field.as_ref().clone().with_data_type(DataType::Utf8))
        }
        _ => Arc::clone(field),
    };
    Arc::new(ArrowSchema::new(schema.fields().iter().map(field).collect::<Vec<_>>()))
}

/// The files by how they are read; those without a schema are not.
fn layouts(
    format: Format,
    files: &[PathBuf],
    schemas: &[Option<SchemaRef>],
    table: &ArrowSchema,
) -> Vec<Layout> {
    let mut layouts: Vec<Layout> = Vec::new();
    for (path, schema) in files.iter().zip(schemas) {
        let Some(schema) = schema else { continue };
        let columns = match format {
            Format::Parquet => table.fields(),
            Format::Csv => schema.fields(),
        };
        let columns: Vec<String> = columns.iter().map(|field| field.name().clone()).collect();
        let differs = |field: &&Arc<Field>| {
            let read = table.field_with_name(field.name()).map(Field::data_type);
            read.is_ok_and(|read| wider(read, field.data_type()).is_none())
        };
        let own_types: BTreeMap<String, DataType> = schema
            .fields()
            .iter()
            .filter(differs)
            .map(|field| (field.name().clone(), read_as(field.data_type().clone())))
            .collect();
        match layouts.iter_mut().find(|known| known.columns == columns && known.own_types == own_types) {
            Some(layout) => layout.files.push(path.clone()),
            None => layouts.push(Layout { columns, own_types, files: vec![path.clone()] }),
        }
    }
    layouts
}

/// What each file has of a column, where they do not agree.
fn uneven(name: &str, schemas: &[Option<SchemaRef>]) -> Option<UnevenColumn> {
    let held = |schema: &Option<SchemaRef>| match schema.as_ref().map(|schema| schema.field_with_name(name)) {
        None => Held::Open,
        Some(Err(_)) => Held::Absent,
        Some(Ok(field)) if field.data_type() == &DataType::Null => Held::Open,
        Some(Ok(field)) => Held::Kind(kind_words(field.data_type())),
    };
    let holds: Vec<Held> = schemas.iter().map(held).collect();
    let mut typed = holds.iter().filter(|held| **held != Held::Open);
    let first = typed.next()?;
    typed.any(|held| held != first).then(|| UnevenColumn { name: name.to_owned(), holds })
}

/// What a type holds, in words; types that widen into each other are one.
fn kind_words(data_type: &DataType) -> String {
    match data_type {
        _ if is_text(data_type) => "text".into(),
        _ if is_number(data_type) => "a number".into(),
        DataType::Boolean => "true or false".into(),
        DataType::Timestamp(_, None) => "a time without an offset".into(),
        DataType::Timestamp(_, Some(_)) => "a time with an offset".into(),
        DataType::Date32 | DataType::Date64 => "a date".into(),
        other => other.to_string(),
    }
}

fn parquet_schema(storage: &Storage, path: &Path) -> Result<(SchemaRef, u64), EngineError> {
    let file = storage.open(path)?;
    let metadata = ArrowReaderMetadata::load(&file, ArrowReaderOptions::new())
        .map_err(|error| corrupt_parquet(path, error))?;
    let rows = u64::try_from(metadata.metadata().file_metadata().num_rows()).unwrap_or(0);
    Ok((Arc::clone(metadata.schema()), rows))
}

/// What is wrong with a Parquet file, or with the store that it is in.
pub(crate) fn corrupt_parquet(path: &Path, error: ParquetError) -> EngineError {
    match ObjectsError::within_parquet(error) {
        Ok(of_store) => of_store.into(),
        Err(error) => {
            EngineError::CorruptParquet { path: path.to_owned(), reason: first_line(&error.to_string()) }
        }
    }
}

pub(crate) fn csv_schema(storage: &Storage, path: &Path) -> Result<(SchemaRef, u64), EngineError> {
    let file = storage.open(path)?;
    let reader = BufReader::new(from_start(&file, path)?);
    let (schema, rows_read) =
        CsvReaderFormat::default().with_header(true).infer_schema(reader, Some(CSV_ROWS_FOR_TYPES)).map_err(
            |error| EngineError::BadCsv { path: path.to_owned(), reason: first_line(&error.to_string()) },
        )?;
    let rows = if rows_read < CSV_ROWS_FOR_TYPES { rows_read as u64 } else { csv_rows_about(&file, path)? };
    Ok((Arc::new(schema), rows))
}

pub(crate) fn from_start(file: &Input, path: &Path) -> Result<impl Read + use<>, EngineError> {
    let io = |error| EngineError::Io { path: path.to_owned(), source: std::io::Error::other(error) };
    file.get_read(0).map_err(io)
}

/// The file's size over the length of its first lines.
fn csv_rows_about(file: &Input, path: &Path) -> Result<u64, EngineError> {
    let io = |source| EngineError::Io { path: path.to_owned(), source };
    let mut head = Vec::new();
    from_start(file, path)?.take(CSV_BYTES_FOR_ROWS).read_to_end(&mut head).map_err(io)?;
    let lines = head.split(|byte| *byte == b'\n').count().max(1) as u64;
    Ok(file.len() * lines / head.len().max(1) as u64)
}

struct Typed {
    name: String,
    data_type: DataType,
    file: PathBuf,
}

fn widen_by(
    common: &mut Vec<Typed>,
    schema: &ArrowSchema,
    path: &Path,
    ids: &[&str],
) -> Result<(), EngineError> {
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
            Some(typed) => {
                match shared(&typed.data_type, field.data_type(), ids.contains(&typed.name.as_str())) {
                    Some(shared) => typed.data_type = shared,
                    None => {
                        return Err(EngineError::ConflictingTypes {
                            column: typed.name.clone(),
                            first: typed.file.clone(),
                            first_type: typed.data_type.to_string(),
                            second: path.to_owned(),
                            second_type: field.data_type().to_string(),
                        });
                    }
                }
            }
        }
    }
    Ok(())
}

/// The type that values of both are read as: one that holds both, else the first, where the other can be
/// turned into it.
fn shared(first: &DataType, other: &DataType, is_id: bool) -> Option<DataType> {
    wider(first, other).or_else(|| {
        let read = if is_id { DataType::Utf8 } else { first.clone() };
        (can_cast_types(first, &read) && can_cast_types(other, &read)).then_some(read)
    })
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

    #[test]
    fn what_has_no_wider_type_is_read_as_in_the_first_file_and_ids_as_text() {
        let (number, text) = (DataType::Int64, DataType::Utf8);
        assert_eq!(shared(&number, &text, false), Some(number.clone()));
        assert_eq!(shared(&text, &number, false), Some(text.clone()));
        assert_eq!(shared(&number, &text, true), Some(text.clone()));
        let list = DataType::List(Arc::new(Field::new("item", DataType::Int64, true)));
        assert_eq!(shared(&number, &list, false), None);
    }
}
