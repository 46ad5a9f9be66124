//! From rows as they came in to Arrow's columns, of the types that the table's files have.

use std::sync::Arc;

use datafusion::arrow::array::{
    Array, ArrayRef, AsArray, BooleanArray, Float64Array, Int64Array, ListArray, RecordBatch, StringArray,
};
use datafusion::arrow::buffer::{Buffer, NullBuffer, OffsetBuffer, ScalarBuffer};
use datafusion::arrow::compute::{CastOptions, cast_with_options};
use datafusion::arrow::datatypes::{
    DataType, Field, Int64Type, Schema as ArrowSchema, SchemaRef, TimeUnit as ArrowTimeUnit,
};
use datafusion::arrow::error::ArrowError;
use types::definition::TimeUnit;

use super::columns::{Column, Kind, Lists, Rows, Values};
use super::instant::{self, Instant};
use super::schema::{ColumnType, TableSchema, per_second};

/// The columns that a file is written with: those that have a type.
pub(super) fn file_schema(schema: &TableSchema) -> SchemaRef {
    let field = |column: &super::schema::TableColumn| {
        let data_type = column.column_type.as_ref()?.arrow()?;
        Some(Field::new(column.name.as_str(), data_type, true))
    };
    Arc::new(ArrowSchema::new(schema.columns.iter().filter_map(field).collect::<Vec<_>>()))
}

/// The rows as a batch of a table. Columns that no row has are null.
pub(super) fn batch(rows: Rows, schema: &TableSchema) -> Result<RecordBatch, ArrowError> {
    let count = rows.count;
    let mut by_name: std::collections::HashMap<String, Column> =
        rows.columns.into_iter().map(|column| (column.name.clone(), column)).collect();
    let file = file_schema(schema);
    let array = |field: &Arc<Field>| {
        let column = by_name.remove(field.name());
        let column_type = schema.column_type(field.name());
        match (column, column_type) {
            (Some(column), Some(column_type)) => array(column, column_type),
            _ => Ok(datafusion::arrow::array::new_null_array(field.data_type(), count)),
        }
    };
    let arrays = file.fields().iter().map(array).collect::<Result<Vec<_>, _>>()?;
    // A row is not lost because its column has left the schema: that cannot be.
    if let Some(name) =
        by_name.values().find(|column| column.values.kind().is_some()).map(|column| &column.name)
    {
        return Err(ArrowError::SchemaError(format!(
            "column `{name}` is in the log and not in the table's schema"
        )));
    }
    RecordBatch::try_new(file, arrays)
}

fn array(mut column: Column, column_type: &ColumnType) -> Result<ArrayRef, ArrowError> {
    if column_type.kind() == Some(Kind::Float) {
        column.become_kind(Kind::Float);
    }
    let nulls = column.valid.contains(&false).then(|| NullBuffer::from(column.valid));
    let wanted = column_type.arrow().unwrap_or(DataType::Null);
    let held: ArrayRef = match column.values {
        Values::Open => {
            let rows = nulls.map_or(0, |nulls| nulls.len());
            return Ok(datafusion::arrow::array::new_null_array(&wanted, rows));
        }
        Values::Bool(values) => Arc::new(BooleanArray::new(values.into(), nulls)),
        Values::Int(values) => Arc::new(Int64Array::new(values.into(), nulls)),
        Values::Float(values) => Arc::new(Float64Array::new(values.into(), nulls)),
        Values::Text(lists) => {
            let (ends, bytes) = (offsets(&lists.ends)?, Buffer::from_vec(lists.items));
            Arc::new(StringArray::try_new(ends, bytes, nulls)?)
        }
        Values::Vector(lists) => vectors(lists, nulls)?,
    };
    if held.data_type() == &wanted {
        return Ok(held);
    }
    let strict = CastOptions { safe: false, ..CastOptions::default() };
    if wanted == DataType::Date32 {
        let days = cast_with_options(&held, &DataType::Int32, &strict)?;
        return cast_with_options(&days, &wanted, &strict);
    }
    cast_with_options(&held, &wanted, &strict)
}

fn offsets(ends: &[u32]) -> Result<OffsetBuffer<i32>, ArrowError> {
    let mut offsets = Vec::with_capacity(ends.len() + 1);
    offsets.push(0_i32);
    for end in ends {
        offsets.push(i32::try_from(*end).map_err(|_| ArrowError::OffsetOverflowError(*end as usize))?);
    }
    Ok(OffsetBuffer::new(ScalarBuffer::from(offsets)))
}

fn vectors(lists: Lists<f64>, nulls: Option<NullBuffer>) -> Result<ArrayRef, ArrowError> {
    let field = Arc::new(Field::new("element", DataType::Float64, true));
    let items = Arc::new(Float64Array::from(lists.items));
    Ok(Arc::new(ListArray::try_new(field, offsets(&lists.ends)?, items, nulls)?))
}

/// The day (UTC, counted from 1970-01-01) of each row, by the table's time.
pub(super) fn days(time: &ArrayRef, unit: Option<TimeUnit>) -> Result<Vec<Option<i64>>, ArrowError> {
    let strict = CastOptions { safe: false, ..CastOptions::default() };
    let counted = |per_second: i64| -> Result<Vec<Option<i64>>, ArrowError> {
        let units = cast_with_options(time, &DataType::Int64, &strict)?;
        let units = units.as_primitive::<Int64Type>();
        Ok(units.iter().map(|units| Some(Instant::from_units(units?, per_second)?.day())).collect())
    };
    match time.data_type() {
        DataType::Timestamp(ArrowTimeUnit::Second, _) => counted(1),
        DataType::Timestamp(ArrowTimeUnit::Millisecond, _) => counted(1_000),
        DataType::Timestamp(ArrowTimeUnit::Microsecond, _) => counted(1_000_000),
        DataType::Timestamp(ArrowTimeUnit::Nanosecond, _) => counted(1_000_000_000),
        DataType::Date32 => {
            let days = cast_with_options(time, &DataType::Int32, &strict)?;
            let days = cast_with_options(&days, &DataType::Int64, &strict)?;
            Ok(days.as_primitive::<Int64Type>().iter().collect())
        }
        data_type if data_type.is_integer() => counted(per_second(unit.unwrap_or(TimeUnit::Seconds))),
        DataType::Utf8 => {
            let texts = time.as_string::<i32>().iter();
            Ok(texts.map(|text| Some(instant::parse(text?)?.day())).collect())
        }
        other => Err(ArrowError::SchemaError(format!("a time of type {other} places no row"))),
    }
}
