//! Arrow IPC streams.
//!
//! A message is handed to Arrow's decoder once it has arrived as a whole: lengths that a client states are held
//! against the limit of the body first, and nothing is allocated by them. Bodies that are compressed within the
//! stream are refused for that reason; `Content-Encoding: zstd` does the same with a limit.

use std::panic::{AssertUnwindSafe, catch_unwind};

use datafusion::arrow::array::{
    Array, ArrayRef, AsArray, BooleanArray, Float64Array, Int64Array, ListArray, RecordBatch, StringArray,
};
use datafusion::arrow::buffer::Buffer;
use datafusion::arrow::compute::{CastOptions, cast_with_options};
use datafusion::arrow::datatypes::{
    DataType, Field, Float64Type, Int64Type, Schema as ArrowSchema, TimeUnit as ArrowTimeUnit,
};
use datafusion::arrow::ipc::reader::StreamDecoder;
use datafusion::arrow::ipc::{MessageHeader, root_as_message};

use super::body::Body;
use super::error::IngestError;
use super::instant::Instant;
use super::intake::{Intake, Value};
use crate::error::first_line;
use crate::files::is_text;

const CONTINUATION: [u8; 4] = [0xFF; 4];

pub(super) fn read(body: &mut Body<'_>, intake: &mut Intake) -> Result<(), IngestError> {
    let mut decoder = StreamDecoder::new();
    while let Some(message) = next_message(body, intake.rows.bytes())? {
        let mut buffer = Buffer::from_vec(message);
        // The decoder asserts some of what a stream must be; a stream that is not that is the client's mistake.
        let decoded = catch_unwind(AssertUnwindSafe(|| {
            let mut batches = Vec::new();
            while !buffer.is_empty() {
                batches.extend(decoder.decode(&mut buffer)?);
            }
            Ok(batches)
        }));
        let batches = decoded.map_err(|_| unreadable("the Arrow stream contradicts itself"))?.map_err(
            |error: datafusion::arrow::error::ArrowError| unreadable(&first_line(&error.to_string())),
        )?;
        for batch in batches {
            read_batch(&batch, intake, body)?;
        }
    }
    if decoder.schema().is_none() {
        return Err(unreadable("it holds no Arrow stream; write one with pyarrow.ipc.new_stream"));
    }
    Ok(())
}

fn unreadable(reason: &str) -> IngestError {
    IngestError::UnreadableBody { reason: reason.to_owned() }
}

/// The bytes of the next message; none at the end of the stream.
fn next_message(body: &mut Body<'_>, held: usize) -> Result<Option<Vec<u8>>, IngestError> {
    const CUT_OFF: &str = "the Arrow stream is cut off";
    if !body.fill_to(4, held)? {
        return if body.bytes().is_empty() { Ok(None) } else { Err(unreadable(CUT_OFF)) };
    }
    let prefix = if body.bytes().starts_with(&CONTINUATION) { 8 } else { 4 };
    if !body.fill_to(prefix, held)? {
        return Err(unreadable(CUT_OFF));
    }
    let size =
        body.bytes()[prefix - 4..prefix].iter().rev().fold(0, |size, byte| size << 8 | usize::from(*byte));
    if size == 0 {
        return Ok(None);
    }
    if !body.fill_to(prefix + size, held)? {
        return Err(unreadable(CUT_OFF));
    }
    let message = root_as_message(&body.bytes()[prefix..prefix + size])
        .map_err(|_| unreadable("a message of the Arrow stream is malformed"))?;
    let batch = match message.header_type() {
        MessageHeader::RecordBatch => message.header_as_record_batch(),
        MessageHeader::DictionaryBatch => message.header_as_dictionary_batch().and_then(|batch| batch.data()),
        _ => None,
    };
    if batch.is_some_and(|batch| batch.compression().is_some()) {
        return Err(unreadable(
            "the Arrow stream is compressed within; write it plain and send it with `Content-Encoding: zstd`",
        ));
    }
    let length = usize::try_from(message.bodyLength());
    let length = length.map_err(|_| unreadable("a message of the Arrow stream is malformed"))?;
    let whole = prefix.saturating_add(size).saturating_add(length);
    if !body.fill_to(whole, held)? {
        return Err(unreadable(CUT_OFF));
    }
    let message = body.bytes()[..whole].to_vec();
    body.consume(whole);
    Ok(Some(message))
}

/// A column of a batch, in one of the types that values have here.
enum Source {
    Null,
    Bool(BooleanArray),
    Int(Int64Array),
    Float(Float64Array),
    Text(StringArray),
    /// Keys and the texts that they stand for.
    Coded(Vec<usize>, ArrayRef, StringArray),
    /// Counts since 1970, and how many to a second.
    Instant(Int64Array, i64),
    Date(Int64Array),
    Vector(ListArray),
}

fn read_batch(batch: &RecordBatch, intake: &mut Intake, body: &Body<'_>) -> Result<(), IngestError> {
    let schema = batch.schema();
    let columns = sources(batch, &schema)?;
    for row in 0..batch.num_rows() {
        intake.begin_row();
        let mut mistake = None;
        for (field, source) in schema.fields().iter().zip(&columns) {
            // A column that is unknown is so for all rows: the request as a whole is wrong.
            let column = intake.column(field.name()).and_then(|column| {
                if intake.is_set(column) { Err("the stream has it twice".to_owned()) } else { Ok(column) }
            });
            let column = column
                .map_err(|message| IngestError::WrongColumn { column: field.name().clone(), message })?;
            if let Err(message) = put(source, row, column, intake) {
                mistake = Some((field.name(), message));
                break;
            }
        }
        match mistake {
            None => intake.end_row(),
            Some((column, message)) => intake.reject(Some(column), message),
        }
        body.check_size(intake.rows.count, intake.rows.columns.len())?;
    }
    if intake.rows.bytes() > body.rows_bytes_max() {
        return Err(body.too_large());
    }
    Ok(())
}

#[inline]
fn put(source: &Source, row: usize, column: usize, intake: &mut Intake) -> Result<(), String> {
    let value = match source {
        Source::Bool(values) if values.is_valid(row) => Value::Bool(values.value(row)),
        Source::Int(values) if values.is_valid(row) => Value::Int(values.value(row)),
        Source::Float(values) if values.is_valid(row) => Value::Float(values.value(row)),
        Source::Text(values) if values.is_valid(row) => Value::Text(values.value(row)),
        Source::Coded(keys, coded, texts) if coded.is_valid(row) && texts.is_valid(keys[row]) => {
            Value::Text(texts.value(keys[row]))
        }
        Source::Instant(values, per_second) if values.is_valid(row) => {
            let instant = Instant::from_units(values.value(row), *per_second);
            Value::Instant(instant.ok_or("the instant is not in the years 1 to 9999")?)
        }
        Source::Date(values) if values.is_valid(row) => Value::Date(values.value(row)),
        Source::Vector(lists) if lists.is_valid(row) => {
            let list = lists.value(row);
            if list.null_count() > 0 {
                return Err("a list has an entry without a value".into());
            }
            return intake.put(column, Value::Vector(list.as_primitive::<Float64Type>().values()));
        }
        _ => {
            intake.put_null(column);
            return Ok(());
        }
    };
    intake.put(column, value)
}

fn sources(batch: &RecordBatch, schema: &ArrowSchema) -> Result<Vec<Source>, IngestError> {
    let columns = schema.fields().iter().zip(batch.columns());
    let of = |(field, column): (&std::sync::Arc<Field>, &ArrayRef)| {
        source(column).map_err(|message| IngestError::WrongColumn { column: field.name().clone(), message })
    };
    columns.map(of).collect()
}

fn source(column: &ArrayRef) -> Result<Source, String> {
    let as_type = |data_type: &DataType| {
        let strict = CastOptions { safe: false, ..CastOptions::default() };
        cast_with_options(column, data_type, &strict).map_err(|error| first_line(&error.to_string()))
    };
    let ints = || as_type(&DataType::Int64).map(|ints| ints.as_primitive::<Int64Type>().clone());
    Ok(match column.data_type() {
        DataType::Null => Source::Null,
        DataType::Boolean => Source::Bool(column.as_boolean().clone()),
        DataType::Timestamp(unit, _) => Source::Instant(ints()?, per_second(*unit)),
        DataType::Date32 => {
            let days = as_type(&DataType::Int32)?;
            let strict = CastOptions { safe: false, ..CastOptions::default() };
            let days = cast_with_options(&days, &DataType::Int64, &strict);
            Source::Date(days.map_err(|error| error.to_string())?.as_primitive::<Int64Type>().clone())
        }
        data_type if data_type.is_integer() => Source::Int(ints()?),
        data_type if data_type.is_floating() => {
            Source::Float(as_type(&DataType::Float64)?.as_primitive::<Float64Type>().clone())
        }
        // Texts of a dictionary are not written out here: a short stream could stand for terabytes.
        DataType::Dictionary(_, values) if is_text(values) => {
            let coded = column.as_any_dictionary();
            let strict = CastOptions { safe: false, ..CastOptions::default() };
            let texts = cast_with_options(coded.values(), &DataType::Utf8, &strict);
            let texts = texts.map_err(|error| first_line(&error.to_string()))?;
            let keys =
                if coded.values().is_empty() { vec![0; column.len()] } else { coded.normalized_keys() };
            Source::Coded(keys, std::sync::Arc::clone(column), texts.as_string::<i32>().clone())
        }
        DataType::Utf8 | DataType::LargeUtf8 => {
            Source::Text(as_type(&DataType::Utf8)?.as_string::<i32>().clone())
        }
        DataType::List(item) | DataType::LargeList(item) | DataType::FixedSizeList(item, _)
            if item.data_type().is_numeric() =>
        {
            let lists = as_type(&DataType::List(Field::new("element", DataType::Float64, true).into()))?;
            Source::Vector(lists.as_list::<i32>().clone())
        }
        other => {
            return Err(format!(
                "Arrow's {other} is not taken in; send integers, floats, booleans, text, timestamps or lists of floats"
            ));
        }
    })
}

fn per_second(unit: ArrowTimeUnit) -> i64 {
    match unit {
        ArrowTimeUnit::Second => 1,
        ArrowTimeUnit::Millisecond => 1_000,
        ArrowTimeUnit::Microsecond => 1_000_000,
        ArrowTimeUnit::Nanosecond => 1_000_000_000,
    }
}
