//! Which columns a table has, of which types; pinned in a file as soon as it is known.
//!
//! - Where the log has files already, their columns are the table's.
//! - Where it has none, the first request that has a good row says them: integers are `Int64`, decimals
//!   `Float64`, then there are text, booleans and lists of numbers. Roles come first: the time is a timestamp
//!   (microseconds, UTC), or an integer where `log.time_unit` is set; scores, quantiles and predicted numbers are
//!   `Float64` even if the first ones are written without decimals.
//! - Columns that the definition names are known before they have a value. The first value says their type.
//! - An integer column whose type came from a request becomes `Float64` when a decimal comes. Types that come
//!   from files stay.

use std::fs::File;
use std::io::Write;
use std::path::Path;

use datafusion::arrow::datatypes::{DataType, Field, Schema as ArrowSchema, TimeUnit as ArrowTimeUnit};
use serde::{Deserialize, Serialize};
use types::definition::{Definition, Output, Task, TimeUnit};

use super::columns::{Kind, Rows};
use super::error::IngestError;
use crate::files::is_text;

/// The type of a column in the files.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum ColumnType {
    Bool,
    Int {
        bits: u8,
        signed: bool,
    },
    Float {
        bits: u8,
    },
    Text,
    Timestamp {
        unit: TimeUnit,
        zone: Option<String>,
    },
    Date,
    /// A list of floats.
    Vector {
        bits: u8,
    },
    /// Something that only a file can hold, in Arrow's words.
    Unsupported(String),
}

impl ColumnType {
    const INT: Self = Self::Int { bits: 64, signed: true };
    const FLOAT: Self = Self::Float { bits: 64 };

    /// How values of it are held; `None` where there can be none.
    pub(super) fn kind(&self) -> Option<Kind> {
        match self {
            Self::Bool => Some(Kind::Bool),
            Self::Int { .. } | Self::Timestamp { .. } | Self::Date => Some(Kind::Int),
            Self::Float { .. } => Some(Kind::Float),
            Self::Text => Some(Kind::Text),
            Self::Vector { .. } => Some(Kind::Vector),
            Self::Unsupported(_) => None,
        }
    }

    /// The type of a column that requests alone fill.
    pub(super) fn inferred(kind: Kind) -> Self {
        match kind {
            Kind::Bool => Self::Bool,
            Kind::Int => Self::INT,
            Kind::Float => Self::FLOAT,
            Kind::Text => Self::Text,
            Kind::Vector => Self::Vector { bits: 64 },
        }
    }

    fn of_arrow(data_type: &DataType) -> Option<Self> {
        Some(match data_type {
            DataType::Null => return None,
            DataType::Boolean => Self::Bool,
            _ if is_text(data_type) => Self::Text,
            _ if data_type.is_integer() => Self::Int {
                bits: data_type.primitive_width().unwrap_or(8) as u8 * 8,
                signed: data_type.is_signed_integer(),
            },
            DataType::Float32 => Self::Float { bits: 32 },
            DataType::Float64 => Self::FLOAT,
            DataType::Timestamp(unit, zone) => {
                Self::Timestamp { unit: of_arrow_unit(*unit), zone: zone.as_deref().map(str::to_owned) }
            }
            DataType::Date32 => Self::Date,
            DataType::List(item) if item.data_type() == &DataType::Float32 => Self::Vector { bits: 32 },
            DataType::List(item) if item.data_type() == &DataType::Float64 => Self::Vector { bits: 64 },
            DataType::Dictionary(_, values) => return Self::of_arrow(values),
            other => Self::Unsupported(other.to_string()),
        })
    }

    /// As it is written to Parquet.
    pub(super) fn arrow(&self) -> Option<DataType> {
        let list = |item| DataType::List(Field::new("element", item, true).into());
        Some(match self {
            Self::Bool => DataType::Boolean,
            Self::Int { bits: 8, signed: true } => DataType::Int8,
            Self::Int { bits: 16, signed: true } => DataType::Int16,
            Self::Int { bits: 32, signed: true } => DataType::Int32,
            Self::Int { signed: true, .. } => DataType::Int64,
            Self::Int { bits: 8, .. } => DataType::UInt8,
            Self::Int { bits: 16, .. } => DataType::UInt16,
            Self::Int { bits: 32, .. } => DataType::UInt32,
            Self::Int { .. } => DataType::UInt64,
            Self::Float { bits: 32 } => DataType::Float32,
            Self::Float { .. } => DataType::Float64,
            Self::Text => DataType::Utf8,
            Self::Timestamp { unit, zone } => {
                DataType::Timestamp(arrow_unit(*unit), zone.as_deref().map(Into::into))
            }
            Self::Date => DataType::Date32,
            Self::Vector { bits: 32 } => list(DataType::Float32),
            Self::Vector { .. } => list(DataType::Float64),
            Self::Unsupported(_) => return None,
        })
    }

    /// What a value has to be.
    pub(super) fn words(&self) -> String {
        match self {
            Self::Bool => "true or false".into(),
            Self::Int { bits: 64, signed: true } => "a whole number".into(),
            Self::Int { bits, signed: true } => format!("a whole number of {bits} bits"),
            Self::Int { bits, .. } => format!("a whole number of {bits} bits, not negative"),
            Self::Float { .. } => "a number".into(),
            Self::Text => "text".into(),
            Self::Timestamp { .. } => "an instant with an offset, such as \"2026-11-27T10:15:00Z\"".into(),
            Self::Date => "a date, such as \"2026-11-27\"".into(),
            Self::Vector { .. } => "a list of numbers".into(),
            Self::Unsupported(other) => format!("{other}, which only files can bring; leave it out"),
        }
    }
}

/// How many of a unit are in a second.
pub(super) fn per_second(unit: TimeUnit) -> i64 {
    match unit {
        TimeUnit::Seconds => 1,
        TimeUnit::Milliseconds => 1_000,
        TimeUnit::Microseconds => 1_000_000,
        TimeUnit::Nanoseconds => 1_000_000_000,
    }
}

fn of_arrow_unit(unit: ArrowTimeUnit) -> TimeUnit {
    match unit {
        ArrowTimeUnit::Second => TimeUnit::Seconds,
        ArrowTimeUnit::Millisecond => TimeUnit::Milliseconds,
        ArrowTimeUnit::Microsecond => TimeUnit::Microseconds,
        ArrowTimeUnit::Nanosecond => TimeUnit::Nanoseconds,
    }
}

fn arrow_unit(unit: TimeUnit) -> ArrowTimeUnit {
    match unit {
        TimeUnit::Seconds => ArrowTimeUnit::Second,
        TimeUnit::Milliseconds => ArrowTimeUnit::Millisecond,
        TimeUnit::Microseconds => ArrowTimeUnit::Microsecond,
        TimeUnit::Nanoseconds => ArrowTimeUnit::Nanosecond,
    }
}

/// A column of a table.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct TableColumn {
    pub(super) name: String,
    /// `None` until there is a value.
    #[serde(rename = "type")]
    pub(super) column_type: Option<ColumnType>,
    /// Whether the type comes from values of requests, and not from files or the column's role.
    pub(super) inferred: bool,
}

/// The columns of a table, in the order in which they are written.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct TableSchema {
    version: u32,
    pub(super) columns: Vec<TableColumn>,
    /// Whether a name that is not among the columns is a mistake; not before there was a row.
    pub(super) closed: bool,
}

const VERSION: u32 = 1;

impl TableSchema {
    pub(super) fn position(&self, name: &str) -> Option<usize> {
        self.columns.iter().position(|column| column.name == name)
    }

    pub(super) fn column_type(&self, name: &str) -> Option<&ColumnType> {
        self.columns[self.position(name)?].column_type.as_ref()
    }

    /// A schema without columns, to which the first row may add any.
    pub(super) fn open() -> Self {
        Self { version: VERSION, columns: Vec::new(), closed: false }
    }

    /// Adds the columns that a definition names, of the types that their roles have.
    pub(super) fn add_roles(&mut self, roles: &[(String, Option<ColumnType>)]) {
        for (name, column_type) in roles {
            if self.position(name).is_none() {
                let (name, column_type) = (name.clone(), column_type.clone());
                self.columns.push(TableColumn { name, column_type, inferred: false });
            }
        }
    }

    /// Adds the columns that files have, and closes the list of names.
    pub(super) fn add_files(&mut self, files: &ArrowSchema, empty: &[String]) {
        for field in files.fields() {
            let column_type =
                if empty.contains(field.name()) { None } else { ColumnType::of_arrow(field.data_type()) };
            if let Some(at) = self.position(field.name()) {
                let known = &mut self.columns[at];
                known.column_type = known.column_type.take().or(column_type);
            } else {
                let name = field.name().clone();
                self.columns.push(TableColumn { name, column_type, inferred: false });
            }
        }
        self.closed = true;
    }

    /// The schema once rows that were read with it are accepted; `None` where another request has decided
    /// otherwise in the meantime.
    pub(super) fn with(&self, rows: &Rows) -> Option<Self> {
        let mut schema = self.clone();
        for column in &rows.columns {
            let kind = column.values.kind();
            let at = schema.position(&column.name).or_else(|| {
                let (name, column_type) = (column.name.clone(), None);
                let new = TableColumn { name, column_type, inferred: true };
                (!self.closed).then(|| schema.columns.push(new))?;
                Some(schema.columns.len() - 1)
            })?;
            let known = &mut schema.columns[at];
            let Some(kind) = kind else { continue };
            match known.column_type.as_ref().map(ColumnType::kind) {
                None => {
                    known.column_type = Some(ColumnType::inferred(kind));
                    known.inferred = true;
                }
                Some(of_table) if of_table == Some(kind) => {}
                Some(Some(Kind::Float)) if kind == Kind::Int => {}
                Some(Some(Kind::Int)) if kind == Kind::Float && known.inferred => {
                    known.column_type = Some(ColumnType::FLOAT);
                }
                Some(_) => return None,
            }
        }
        schema.closed |= rows.count > 0;
        Some(schema)
    }

    /// The schema that was pinned.
    pub(super) fn pinned(path: &Path) -> Result<Option<Self>, IngestError> {
        let bytes = match std::fs::read(path) {
            Ok(bytes) => bytes,
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(None),
            Err(error) => return Err(IngestError::io(path)(error)),
        };
        let damaged = |reason: String| IngestError::Damaged { path: path.to_owned(), reason };
        let schema: Self = serde_json::from_slice(&bytes).map_err(|error| damaged(error.to_string()))?;
        if schema.version != VERSION {
            return Err(damaged(format!("it is of version {}, not {VERSION}", schema.version)));
        }
        Ok(Some(schema))
    }

    /// Writes it so that it is there, whole, whatever happens afterwards.
    pub(super) fn pin(&self, path: &Path) -> Result<(), IngestError> {
        let failed = |error: std::io::Error| IngestError::NotWritten {
            path: path.to_owned(),
            reason: error.to_string(),
        };
        let text = serde_json::to_vec_pretty(self).map_err(|error| failed(error.into()))?;
        let beside = path.with_extension("json.part");
        let mut file = File::create(&beside).map_err(failed)?;
        file.write_all(&text).and_then(|()| file.sync_all()).map_err(failed)?;
        std::fs::rename(&beside, path).map_err(failed)?;
        super::sync_folder_of(path).map_err(failed)
    }
}

/// The columns of predictions that a definition names, and the types that their roles have.
pub(super) fn prediction_roles(definition: &Definition) -> Vec<(String, Option<ColumnType>)> {
    let log = &definition.log;
    let mut roles: Vec<(String, Option<ColumnType>)> = Vec::new();
    roles.extend(log.id.clone().map(|id| (id, None)));
    roles.push((log.time.clone(), Some(time_type(log.time_unit))));
    for (key, column) in log.output_columns() {
        let is_class = key == "log.predicted" && matches!(log.output(), Output::Probabilities { .. });
        roles.push((column.to_owned(), (!is_class).then_some(ColumnType::FLOAT)));
    }
    for column in log.quantiles.values() {
        roles.push((column.clone(), Some(ColumnType::FLOAT)));
    }
    if let Some(outcome) = log.outcome.as_ref().filter(|outcome| outcome.path.is_none()) {
        roles.push((outcome.column.clone(), outcome_type(definition)));
        roles.extend(outcome.time.clone().map(|time| (time, Some(utc()))));
    }
    roles.extend(log.text.iter().map(|name| (name.clone(), Some(ColumnType::Text))));
    let of_guard = definition.guard.iter().flat_map(|guard| guard.columns.names());
    roles.extend(of_guard.map(|(_, name)| (name.to_owned(), Some(ColumnType::Text))));
    let segments = log.segments.iter().filter(|segment| segment.sql.is_none());
    let named = segments.map(|segment| &segment.name).chain(log.features.iter().flatten()).chain(&log.ignore);
    let of_sources = definition.source.iter().flat_map(|source| &source.features);
    roles.extend(named.chain(of_sources).map(|name| (name.clone(), None)));
    roles
}

/// The columns of outcomes that a definition names; id, time and value are all that it can name.
pub(super) fn outcome_roles(definition: &Definition) -> Vec<(String, Option<ColumnType>)> {
    let log = &definition.log;
    let Some(outcome) = &log.outcome else { return Vec::new() };
    let id = outcome.id.clone().or_else(|| log.id.clone());
    let mut roles: Vec<(String, Option<ColumnType>)> = id.map(|id| (id, None)).into_iter().collect();
    roles.extend(outcome.time.clone().map(|time| (time, Some(utc()))));
    roles.push((outcome.column.clone(), outcome_type(definition)));
    roles
}

fn outcome_type(definition: &Definition) -> Option<ColumnType> {
    (definition.model.task == Task::Regression).then_some(ColumnType::FLOAT)
}

fn time_type(unit: Option<TimeUnit>) -> ColumnType {
    if unit.is_some() { ColumnType::INT } else { utc() }
}

fn utc() -> ColumnType {
    ColumnType::Timestamp { unit: TimeUnit::Microseconds, zone: Some("UTC".into()) }
}
