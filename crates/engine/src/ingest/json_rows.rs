//! JSON arrays and NDJSON, row by row, from a body that arrives in pieces.

use super::body::Body;
use super::error::IngestError;
use super::intake::{Intake, Value};
use super::json::{COMMA_IN_ARRAY, COMMA_IN_OBJECT, Next, Number, Scanner, Stop};

/// A row's bytes, at most.
const ROW_BYTES_MAX: usize = 1 << 20;

/// What is kept between rows so that it is not allocated again.
#[derive(Default)]
struct Scratch {
    key: String,
    text: String,
    numbers: Vec<f64>,
}

/// Reads one object a line. A line that is wrong costs that line.
pub(super) fn read_lines(body: &mut Body<'_>, intake: &mut Intake) -> Result<(), IngestError> {
    let mut scratch = Scratch::default();
    let mut ended = false;
    loop {
        let bytes = body.bytes();
        let blank = bytes.iter().take_while(|byte| byte.is_ascii_whitespace()).count();
        let only_blank = blank == bytes.len();
        body.consume(blank);
        if only_blank {
            if !ended && body.fill(intake.rows.bytes())? {
                continue;
            }
            return Ok(());
        }
        let mut scanner = Scanner::new(body.bytes(), false);
        match line(&mut scanner, ended, intake, &mut scratch) {
            Ok(mistake) => {
                end_row(intake, mistake);
                let read = scanner.at();
                body.consume(read);
            }
            Err(Stop::Incomplete) if !ended && body.bytes().len() <= ROW_BYTES_MAX => {
                intake.take_back();
                ended = !body.fill(intake.rows.bytes())?;
            }
            Err(Stop::Incomplete) => {
                let reason = if ended { "it is cut off" } else { "it is longer than a mebibyte" };
                reject_line(body, intake, reason)?;
            }
            Err(Stop::Invalid(reason)) => reject_line(body, intake, reason)?,
        }
        body.check_size(intake.rows.count, intake.rows.columns.len())?;
    }
}

/// Reads an object and the end of its line.
fn line(
    scanner: &mut Scanner<'_>,
    ended: bool,
    intake: &mut Intake,
    scratch: &mut Scratch,
) -> Result<Option<Mistake>, Stop> {
    let mistake = row(scanner, intake, scratch)?;
    match scanner.peek_token() {
        Err(Stop::Incomplete) if ended => Ok(mistake),
        // That is the line's end.
        Err(Stop::Invalid(_)) => Ok(mistake),
        Err(stop) => Err(stop),
        Ok(_) => Err(Stop::Invalid("there is more on the line after the object")),
    }
}

fn reject_line(body: &mut Body<'_>, intake: &mut Intake, reason: &str) -> Result<(), IngestError> {
    intake.reject(None, format!("the line is not a JSON object: {reason}"));
    loop {
        let bytes = body.bytes();
        if let Some(end) = bytes.iter().position(|byte| *byte == b'\n') {
            body.consume(end + 1);
            return Ok(());
        }
        body.consume(bytes.len());
        if !body.fill(intake.rows.bytes())? {
            return Ok(());
        }
    }
}

/// Reads an array of objects, or a single object. Rows before a place that is not JSON are kept.
pub(super) fn read_array(body: &mut Body<'_>, intake: &mut Intake) -> Result<(), IngestError> {
    let mut scratch = Scratch::default();
    let mut state = InArray::Start;
    loop {
        let mut scanner = Scanner::new(body.bytes(), true);
        let (read, stop) = loop {
            let before = scanner.at();
            if state == InArray::End {
                let more = Stop::Invalid("there is more after the end of the array");
                break (before, scanner.peek_token().err().unwrap_or(more));
            }
            match element(&mut scanner, state, intake, &mut scratch) {
                Ok(next) => state = next,
                Err(stop) => break (before, stop),
            }
            body.check_size(intake.rows.count, intake.rows.columns.len())?;
        };
        body.consume(read);
        match stop {
            Stop::Invalid(reason) => {
                stop_in_array(body, intake, reason);
                return Ok(());
            }
            Stop::Incomplete => {
                intake.take_back();
                if body.bytes().len() > ROW_BYTES_MAX {
                    stop_in_array(body, intake, "a row has more than a mebibyte");
                    return Ok(());
                }
                if !body.fill(intake.rows.bytes())? {
                    if state != InArray::End {
                        stop_in_array(body, intake, "the body ends within the array");
                    }
                    return Ok(());
                }
            }
        }
    }
}

fn stop_in_array(body: &Body<'_>, intake: &mut Intake, reason: &str) {
    let at = body.consumed();
    intake.reject(None, format!("not JSON after byte {at}: {reason}; no row from here on was read"));
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum InArray {
    Start,
    /// Before the first element, where the array may end too.
    First,
    /// Before another element.
    Element,
    /// After an element.
    After,
    End,
}

/// Steps over one piece of an array, and says what comes then.
fn element(
    scanner: &mut Scanner<'_>,
    state: InArray,
    intake: &mut Intake,
    scratch: &mut Scratch,
) -> Result<InArray, Stop> {
    match state {
        InArray::Start => match scanner.peek_token()? {
            b'[' => scanner.take(b'[').map(|_| InArray::First),
            b'{' => {
                let mistake = row(scanner, intake, scratch)?;
                end_row(intake, mistake);
                Ok(InArray::End)
            }
            _ => Err(Stop::Invalid("the body is neither an array of objects nor an object")),
        },
        InArray::First if scanner.take(b']')? => Ok(InArray::End),
        InArray::First | InArray::Element => {
            if scanner.next()? == Next::Object {
                let mistake = row(scanner, intake, scratch)?;
                end_row(intake, mistake);
            } else {
                scanner.skip(&mut scratch.text)?;
                intake.begin_row();
                intake.reject(None, "the element is not an object; a row is written {\"column\": value}");
            }
            Ok(InArray::After)
        }
        InArray::After => {
            if scanner.take(b']')? {
                return Ok(InArray::End);
            }
            scanner.expect(b',', COMMA_IN_ARRAY)?;
            Ok(InArray::Element)
        }
        InArray::End => Ok(InArray::End),
    }
}

/// What is wrong with a row that is JSON.
type Mistake = (Option<String>, String);

fn end_row(intake: &mut Intake, mistake: Option<Mistake>) {
    match mistake {
        None => intake.end_row(),
        Some((column, message)) => intake.reject(column.as_deref(), message),
    }
}

/// Reads an object into the columns. The first mistake in it is returned; the object is read to its end.
fn row(
    scanner: &mut Scanner<'_>,
    intake: &mut Intake,
    scratch: &mut Scratch,
) -> Result<Option<Mistake>, Stop> {
    intake.begin_row();
    scanner.expect(b'{', "a row is written {\"column\": value}")?;
    let mut mistake: Option<Mistake> = None;
    if scanner.take(b'}')? {
        return Ok(None);
    }
    loop {
        let key = scanner.key(&mut scratch.key)?;
        let column = match mistake {
            Some(_) => None,
            None => intake
                .column(key)
                .and_then(|column| {
                    if intake.is_set(column) { Err("the row names it twice".into()) } else { Ok(column) }
                })
                .map_err(|message| mistake = Some((Some(key.to_owned()), message)))
                .ok(),
        };
        match column {
            Some(column) => {
                let put = value(scanner, intake, column, &mut scratch.text, &mut scratch.numbers)?;
                let named = |message| (Some(intake.rows.columns[column].name.clone()), message);
                mistake = put.err().map(named);
            }
            None => scanner.skip(&mut scratch.text)?,
        }
        if scanner.take(b'}')? {
            return Ok(mistake);
        }
        scanner.expect(b',', COMMA_IN_OBJECT)?;
    }
}

/// Reads a value into a column. The inner error is about the value, which is stepped over all the same.
#[inline]
fn value(
    scanner: &mut Scanner<'_>,
    intake: &mut Intake,
    column: usize,
    text: &mut String,
    numbers: &mut Vec<f64>,
) -> Result<Result<(), String>, Stop> {
    Ok(match scanner.next()? {
        Next::Number => match scanner.number()? {
            Number::Int(value) => intake.put(column, Value::Int(value)),
            Number::Float(value) => intake.put(column, Value::Float(value)),
        },
        Next::Text => {
            let text = scanner.text(text)?;
            intake.put(column, Value::Text(text))
        }
        Next::Null => {
            scanner.null()?;
            intake.put_null(column);
            Ok(())
        }
        Next::Bool => {
            let value = scanner.bool()?;
            intake.put(column, Value::Bool(value))
        }
        Next::Array => {
            vector(scanner, numbers, text)?.and_then(|()| intake.put(column, Value::Vector(numbers)))
        }
        Next::Object => {
            scanner.skip(text)?;
            Err("an object is not a value of a column; give each of its members a column".into())
        }
    })
}

fn vector(
    scanner: &mut Scanner<'_>,
    numbers: &mut Vec<f64>,
    text: &mut String,
) -> Result<Result<(), String>, Stop> {
    numbers.clear();
    let mut only_numbers = Ok(());
    scanner.expect(b'[', COMMA_IN_ARRAY)?;
    if scanner.take(b']')? {
        return Ok(only_numbers);
    }
    loop {
        if scanner.next()? == Next::Number {
            numbers.push(match scanner.number()? {
                Number::Int(value) => value as f64,
                Number::Float(value) => value,
            });
        } else {
            scanner.skip(text)?;
            only_numbers = Err("a list in a column holds numbers alone".into());
        }
        if scanner.take(b']')? {
            return Ok(only_numbers);
        }
        scanner.expect(b',', COMMA_IN_ARRAY)?;
    }
}
